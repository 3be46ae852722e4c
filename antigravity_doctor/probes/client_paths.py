"""Which requests the user's client would send (the plans of stage `client`), and which header its key travels in."""

from __future__ import annotations

from antigravity_doctor.diagnosis.matching import match
from antigravity_doctor.diagnosis.model import Fix
from antigravity_doctor.diagnosis.simulating import Simulation, simulate
from antigravity_doctor.diagnosis.solving import solve
from antigravity_doctor.diagnosis.urls import split_url
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


def fixes_at(session: Session, origin: str, table: RouteTable) -> tuple[Fix, ...]:
    """The base URL to set so that it leads to the proxy at this origin; () where neither client nor base URL is known.

    The path that was typed is kept if it is right for (one mode of) the client.
    """
    found = modes(session)
    if not found:
        return ()
    from antigravity_doctor.diagnosis.recommending import fixes_for  # costly to import, and rarely needed

    mode = _mode_of_path(found, session, table) or likeliest(found, session, table)
    sure = 1.0 if session.options.client is not None else 0.9
    return tuple(
        each._replace(confidence=sure, configured_base_url=session.base_url)
        for each in fixes_for(mode, table, origin, session.base_url or "")
    )


def _mode_of_path(found: list[Mode], session: Session, table: RouteTable) -> Mode | None:
    """The first mode for which the path of the base URL is the one to type."""
    if session.base_url is None:
        return None
    path = split_url(session.base_url).path.rstrip("/")
    return next((each for each in found if [one.base_path for one in solve(each, table)[:1]] == [path]), None)


def likeliest(found: list[Mode], session: Session, table: RouteTable) -> Mode:
    """The mode that a base URL which is right for none was most likely typed for: by the endpoint or version that it
    ends in, else the preferred one (of a client), else one of the OpenAI protocol. `found` must not be empty."""
    protocol = tail_protocol(split_url(session.base_url).path, table) if session.base_url is not None else None
    if protocol is None and session.options.client is None:
        protocol = "openai"
    fitting = [each for each in found if each.protocol == protocol] or found
    # a mode of the current versions of the client before one of its old ones
    return min(fitting, key=lambda each: (not each.preferred, each.versions[1] is not None))


def tail_protocol(path: str, table: RouteTable) -> str | None:
    """The protocol whose endpoint, or version prefix that no other has, a base path ends in; None if that is open."""
    from antigravity_doctor.diagnosis.anatomy import dissect  # costly to import, and rarely needed

    parts = dissect(path, table).parts
    if not parts or parts[-1].kind not in ("endpoint", "version"):
        return None
    tail = parts[-1].text
    if parts[-1].kind == "version":
        found = [each for each in table.routes if each.path.startswith(tail + "/")]
    else:
        exact = match(table, "".join(each.text for each in parts[-2:]))
        prefixes = dict.fromkeys("/" + each.path.split("/")[1] for each in table.routes)
        reached = [exact] if exact is not None else [match(table, prefix + tail) for prefix in ("", *prefixes)]
        found = [each.route for each in reached if each is not None]
    protocols = {each.protocol for each in found} & {mode.protocol for each in all_clients() for mode in each.modes}
    return protocols.pop() if len(protocols) == 1 else None


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
