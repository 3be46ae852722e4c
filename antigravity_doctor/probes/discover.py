"""Which local port does answer as this proxy? Asked when the one that was given does not.

Only loopback, only requests without effect, and only when the target itself was a loopback address.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from antigravity_doctor.diagnosis.judging import judge_identity
from antigravity_doctor.diagnosis.machine import Listening
from antigravity_doctor.knowledge.programs import Program
from antigravity_doctor.probes.session import FoundProxy, Session, first_round
from antigravity_doctor.probes.transport import Address, Transport, connect, wire_target
from antigravity_doctor.sources.listeners import listeners

USUAL_PORTS = (8045, 8046, 8080, 3000, 8000, 19527)
"""Where this proxy, or what is confused with it, is found most (facts/proxy-config-and-logs.md §7)."""

MOST = 60
"""Ports that are looked at; a machine with more listeners than that is not searched to its last corner."""

_LOCAL = Address("127.0.0.1", 4)
_TIMEOUT = 1.0


def listening_ports() -> tuple[int, ...] | None:
    """Ports that a program of this machine listens on for loopback; None where the system does not let us look."""
    found = listeners()
    return None if found is None else tuple(dict.fromkeys(each.port for each in found if each.address != "::1"))


def owner(port: int) -> Listening | None:
    """The program that listens on this local port, where the system says so."""
    return next((each for each in listeners() or () if each.port == port and each.program is not None), None)


def candidates(session: Session) -> list[int]:
    """The ports to look at, likeliest first: the settings file's, the usual ones, then whatever listens."""
    settings = session.local_settings
    first = [settings.port] if settings is not None and settings.port is not None else []
    given = session.options.ports
    if given is not None:
        return _distinct([*first, *given], session)
    listening = listening_ports()
    if listening is None:
        return _distinct([*first, *USUAL_PORTS], session)
    usual = [port for port in USUAL_PORTS if port in listening]
    return _distinct([*first, *usual, *listening], session)


def _distinct(ports: Iterable[int], session: Session) -> list[int]:
    asked = session.port if session.address is None or session.address == _LOCAL else None
    return [port for port in dict.fromkeys(ports) if port != asked][:MOST]


async def discover(session: Session) -> list[FoundProxy]:
    """The local ports that answer as this proxy, likeliest first; [] for a target that is not this machine."""
    if not session.loopback:
        return []
    if session.found_ports is None:
        session.found_ports = asyncio.get_running_loop().create_task(_discover(session))
    return await asyncio.shield(session.found_ports)


async def _discover(session: Session) -> list[FoundProxy]:
    found = await asyncio.gather(*(identify(session, port) for port in candidates(session)))
    return [each for each in found if each is not None]


async def identify(session: Session, port: int) -> FoundProxy | None:
    """The proxy on this local port, None if there is none. Sends no key."""
    found = await look(session, port)
    return found if isinstance(found, FoundProxy) else None


@dataclass(frozen=True, slots=True)
class Listener:
    """What a local port is if it does not answer as this proxy. `program` None: an unknown one."""

    kind: Literal["nothing", "program", "unclear"]
    program: Program | None = None


async def look(session: Session, port: int) -> FoundProxy | Listener:
    """What answers to plain http on this local port. Sends no key."""
    budget = session.budget(_TIMEOUT)
    if not isinstance(await connect(_LOCAL, port, budget), float):
        return Listener("nothing")
    canary = f"/agdoctor-{os.urandom(8).hex()}"
    origin = f"http://127.0.0.1:{port}"
    asked = first_round(canary)
    async with Transport(origin, address=_LOCAL, timeout=budget, deadline=session.deadline, connections=8) as transport:
        outcomes = await asyncio.gather(*(transport.ask(method, wire_target(path)) for method, path in asked))
        answers = dict(zip(asked, outcomes, strict=True))
        identity = judge_identity(answers, canary)
        if identity.proxy is False:  # many programs say their name there, and nowhere else
            answers["GET", "/"] = await transport.ask("GET", "/")
            identity = judge_identity(answers, canary)
    if identity.proxy:
        return FoundProxy(port, identity.health.version)
    return Listener("unclear" if identity.proxy is None else "program", identity.program)
