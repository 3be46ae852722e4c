"""Which requests the user's client would send: the plans of stage `client`, and the paths in them."""

from __future__ import annotations

from antigravity_doctor.diagnosis.simulating import Simulation, simulate
from antigravity_doctor.diagnosis.solving import solve
from antigravity_doctor.knowledge.clients import Mode, all_clients
from antigravity_doctor.knowledge.routes import RouteTable, table_for
from antigravity_doctor.probes.session import Session

_MOST_PATHS = 48
"""Different paths that are asked for; with a base URL alone, the whole catalogue is tried."""


def modes(session: Session) -> list[Mode]:
    """The modes to look at: the client's (or its one chosen), or with a base URL alone the first of every client."""
    client = session.options.client
    if client is not None:
        return [mode for mode in client.modes if session.options.mode in (None, mode.id)]
    if session.base_url is not None:
        return [mode for each in all_clients() for mode in each.modes if mode.preferred]
    return []


def plan(mode: Mode, session: Session, table: RouteTable) -> Simulation:
    """The mode with the base URL in use; without one, with the one that is right for it."""
    if session.base_url is not None:
        return simulate(mode, session.base_url, table)
    solutions = solve(mode, table)
    return simulate(mode, session.origin + (solutions[0].base_path if solutions else ""), table)


def required_paths(plans: list[Simulation]) -> list[str]:
    """The distinct paths of the required requests."""
    return list(dict.fromkeys(each.path for plan in plans for each in plan.requests if each.required))[:_MOST_PATHS]


def client_paths(session: Session) -> list[str]:
    """What stage `client` will ask for if the version is the newest; another one changes it only without a base URL."""
    return required_paths([plan(mode, session, table_for(None)) for mode in modes(session)])
