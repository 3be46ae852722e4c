"""Which requests the user's client would send (the plans of stage `client`), and which header its key travels in."""

from __future__ import annotations

from antigravity_doctor.diagnosis.simulating import Simulation, simulate
from antigravity_doctor.diagnosis.solving import solve
from antigravity_doctor.knowledge.clients import Mode, all_clients
from antigravity_doctor.knowledge.routes import RouteTable, table_for
from antigravity_doctor.probes.session import Carrier, Session

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


def client_headers(session: Session) -> dict[str, Mode]:
    """The headers in which the chosen client puts its key, each with a mode that does so; `query:NAME` for a query."""
    client = session.options.client
    if client is None:
        return {}
    headers: dict[str, Mode] = {}
    for mode in client.modes:
        header = str((mode.raw.get("key") or {}).get("header") or "")
        wanted = mode.id == session.options.mode if session.options.mode else mode.preferred
        if header and wanted:
            headers.setdefault(header, mode)
    return headers


def carrier_of(header: str) -> Carrier | None:
    """The header as a way to send our own key; None for one that no version of the proxy reads."""
    carriers: dict[str, Carrier] = {
        "authorization": "Authorization",
        "x-api-key": "x-api-key",
        "x-goog-api-key": "x-goog-api-key",
    }
    return carriers.get(header.lower())
