"""What would this client request with this base URL, and does it land? (client + base URL -> paths)"""

from __future__ import annotations

from typing import NamedTuple

from antigravity_doctor.diagnosis.joining import rule_of, run
from antigravity_doctor.diagnosis.matching import allows, match
from antigravity_doctor.diagnosis.model import Verdict
from antigravity_doctor.diagnosis.urls import split_url
from antigravity_doctor.knowledge.clients import Mode
from antigravity_doctor.knowledge.routes import RouteTable

PLACEHOLDERS = {"{model}": "gemini-2.5-flash", "{id}": "ID", "{deployment}": "gpt-4o"}
"""What stands for a placeholder of a suffix in a simulated request; any single path segment would do."""


class SimulatedRequest(NamedTuple):
    """One request that the client would send. `route` is the route it reaches, None for a miss.

    "misrouted" with a route: it is taken for a model's name by a route of another protocol (/v1beta/models/messages).
    """

    method: str
    url: str
    path: str
    query: str | None
    required: bool
    verdict: Verdict
    route: str | None


class Simulation(NamedTuple):
    """One mode with one base URL. `works` means: every required request reaches a route of the mode's own protocol
    that takes its method."""

    mode: Mode
    base_url: str
    requests: tuple[SimulatedRequest, ...]
    works: bool


def fill(suffix: str) -> str:
    """A suffix with its placeholders filled."""
    if "{" in suffix:
        for name, value in PLACEHOLDERS.items():
            suffix = suffix.replace(name, value)
    return suffix


def simulate(mode: Mode, base_url: str, table: RouteTable) -> Simulation:
    """Every request of the mode with this base URL, each judged against the table."""
    rule = rule_of(mode)
    requests = []
    for each in mode.requests:
        url = run(rule, base_url, fill(each.suffix))
        _, path, query = split_url(url)
        found = match(table, path or "/")
        verdict: Verdict = "misrouted"
        route = None
        if found is not None:
            route = found.route.path
            if found.route.protocol == mode.protocol or not (each.required or found.params):
                verdict = "routed" if allows(found.route, each.method) else "wrong-method"
        requests.append(SimulatedRequest(each.method, url, path or "/", query, each.required, verdict, route))
    works = all(each.verdict == "routed" for each in requests if each.required)
    return Simulation(mode, base_url, tuple(requests), works)
