"""What listens on the local ports that settings name: asked on loopback, without a key and without any effect."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from antigravity_doctor.diagnosis.scanning import Neighbour
from antigravity_doctor.probes.discover import look
from antigravity_doctor.probes.session import CheckOptions, FoundProxy, Session
from antigravity_doctor.probes.target import Target, find_target

MOST = 20
"""Ports that are looked at: settings name one or two."""


async def neighbours(session: Session, ports: Iterable[int]) -> dict[int, Neighbour]:
    """What each of these ports of this machine is; at most twenty of them."""
    asked = list(ports)[:MOST]
    found = await asyncio.gather(*(look(session, port) for port in asked))
    return {
        port: Neighbour("proxy", each.version)
        if isinstance(each, FoundProxy)
        else Neighbour(each.kind, None, each.program.name if each.program is not None else None)
        for port, each in zip(asked, found, strict=True)
    }


def look_around(
    options: CheckOptions, *, given: bool, ports: Callable[[str], Iterable[int]]
) -> tuple[Target, Mapping[int, Neighbour]]:
    """The proxy to work with, and what listens on the ports that `ports` gives for its origin."""

    async def both() -> tuple[Target, Mapping[int, Neighbour]]:
        target = await find_target(options, given=given)
        return target, await neighbours(Session(options), ports(target.origin))

    return asyncio.run(both())
