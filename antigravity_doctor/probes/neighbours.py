"""What listens on the local ports that settings name: asked on loopback, without a key and without any effect."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from antigravity_doctor.diagnosis.scanning import Neighbour, Proxy
from antigravity_doctor.diagnosis.settings import ProxySettings
from antigravity_doctor.diagnosis.urls import host_and_port, is_loopback_host
from antigravity_doctor.probes.discover import look, owner
from antigravity_doctor.probes.session import CheckOptions, FoundProxy, Session
from antigravity_doctor.probes.target import Target, find_target
from antigravity_doctor.probes.transport import Address, connect
from antigravity_doctor.sources.listeners import only_on_loopback, own_hosts
from antigravity_doctor.sources.surroundings import surroundings

USUAL_PROXY_PORTS = frozenset((8045, 19527))
"""Where a proxy of any version listens unless it is told otherwise (facts/proxy-config-and-logs.md §7)."""

MOST = 20
"""Ports that are looked at: settings name one or two."""

_LOCAL_V6 = Address("::1", 6)
_TIMEOUT = 0.3
"""Seconds; a loopback connection takes microseconds."""


def proxy_here(
    origin: str,
    settings: ProxySettings | None,
    environment: Mapping[str, str],
    *,
    answers: bool,
    taken: bool = False,
) -> Proxy:
    """The proxy for a scan: where it is, where else it may have been, and what this machine is called. `taken`: another
    program was seen to answer there."""
    ports = {host_and_port(origin)[1], *USUAL_PROXY_PORTS}
    if settings is not None and settings.port is not None:
        ports.add(settings.port)
    inside = surroundings(environment).container is not None
    host, port = host_and_port(origin)
    only_loopback = answers and is_loopback_host(host) and only_on_loopback(port)
    return Proxy(origin, answers, frozenset(ports), own_hosts(), inside, only_loopback, taken)


async def neighbours(session: Session, ports: Iterable[int]) -> dict[int, Neighbour]:
    """What each of these ports of this machine is; at most twenty of them."""
    asked = list(ports)[:MOST]
    found = await asyncio.gather(*(_neighbour(session, port) for port in asked))
    return dict(zip(asked, found, strict=True))


async def _neighbour(session: Session, port: int) -> Neighbour:
    """What a local port is; a program that listens on ::1 alone is one, too."""
    found = await look(session, port)
    if isinstance(found, FoundProxy):
        return Neighbour("proxy", found.version)
    if found.kind == "nothing" and isinstance(await connect(_LOCAL_V6, port, session.budget(_TIMEOUT)), float):
        listening = owner(port)
        return Neighbour("program", None, listening.program if listening is not None else None)
    return Neighbour(found.kind, None, found.program.name if found.program is not None else None)


def look_around(
    options: CheckOptions, *, given: bool, ports: Callable[[str], Iterable[int]]
) -> tuple[Target, Mapping[int, Neighbour]]:
    """The proxy to work with, and what listens on the ports that `ports` gives for its origin."""

    async def both() -> tuple[Target, Mapping[int, Neighbour]]:
        target = await find_target(options, given=given)
        settings = options.settings
        if target.source == "found" and settings is not None and settings.port is not None:
            # Where the proxy is to be is known: another one that happens to answer is not it.
            origin = f"http://127.0.0.1:{settings.port}"
            elsewhere = (host_and_port(target.origin)[1], *target.elsewhere)
            target = Target(origin, "gui_config.json", "nothing", None, elsewhere)
        return target, await neighbours(Session(options), ports(target.origin))

    return asyncio.run(both())
