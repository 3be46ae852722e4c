"""Where the proxy is, for a command that needs one and was perhaps not told: asked on loopback, without any effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from antigravity_doctor.probes.discover import discover, look
from antigravity_doctor.probes.session import CheckOptions, FoundProxy, Session

Answering = Literal["proxy", "nothing", "other", "unasked"]
"""proxy: it answers as this proxy · nothing: nothing listens · other: something else answers, or it cannot be told ·
unasked: not this machine, so nothing was sent there."""


@dataclass(frozen=True, slots=True)
class Target:
    """The proxy to work with.

    `source` says where its address is from: "given", the settings file's name, "default", or "found" (it answers there,
    and not where it was looked for first). `elsewhere`: ports on which the proxy does answer, where the given one does
    not.
    """

    origin: str
    source: str
    answering: Answering
    version: str | None = None
    elsewhere: tuple[int, ...] = ()


async def find_target(options: CheckOptions, *, given: bool) -> Target:
    """The proxy at `options.origin`; unless that was `given`, the one of the settings file or whichever answers
    here."""
    session = Session(options)
    if not session.loopback:
        return Target(options.origin, "given", "unasked")
    source = "given" if given else "default"
    origin, port = options.origin, session.port
    settings = options.settings
    if not given and settings is not None and settings.port is not None:
        origin, port, source = f"http://127.0.0.1:{settings.port}", settings.port, "gui_config.json"
    found = await look(session, port)
    if isinstance(found, FoundProxy):
        return Target(origin, source, "proxy", found.version)
    others = await discover(session)
    if others and not given:
        return Target(f"http://127.0.0.1:{others[0].port}", "found", "proxy", others[0].version)
    answering: Answering = "nothing" if found.kind == "nothing" else "other"
    return Target(origin, source, answering, None, tuple(each.port for each in others))
