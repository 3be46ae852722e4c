"""Which base URL makes every required path of a client land on the table? (client + table -> base URL)

Solved, never looked up: candidates come from the route table alone, and each is proved by simulating the mode.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from antigravity_doctor.diagnosis.matching import match
from antigravity_doctor.diagnosis.simulating import Simulation, simulate
from antigravity_doctor.diagnosis.urls import DEFAULT_ORIGIN
from antigravity_doctor.knowledge.clients import Mode
from antigravity_doctor.knowledge.routes import RouteTable
from antigravity_doctor.knowledge.versions import Version, parse_version


@dataclass(frozen=True, slots=True)
class Solution:
    """A base path with its proof. `optional` counts the not-required requests that land as well."""

    base_path: str
    simulation: Simulation
    optional: int


@lru_cache(maxsize=32)
def candidate_paths(table: RouteTable) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Base paths worth trying on this table: the version prefixes first, then everything longer or odder."""
    prefixes: set[str] = {""}
    plain: set[str] = {""}
    for route in table.routes:
        if route.methods == ("ANY",) or ":" in route.path.partition("/:")[0]:
            continue
        parts = route.path.partition("/:")[0].split("/")[1:]
        if is_version(parts[0]) and len(parts) > 1:
            plain.add("/" + parts[0])
        for count in range(1, len(parts) + 1):
            prefixes.add("/" + "/".join(parts[:count]))
    plainly = tuple(sorted(plain, key=lambda path: (len(path), path)))
    longer = sorted(prefixes - plain, key=lambda path: (len(path), path))
    # Some join rules read a closing slash or "#" as "add nothing of your own", so those are candidates as well.
    odd = [path + mark for path in (*plainly, *longer) for mark in ("/", "#")]
    return plainly, (*longer, *odd)


def is_version(segment: str) -> bool:
    """True for a path segment that names an API version: v1, v1beta, v1alpha, v4, v1beta1."""
    if len(segment) < 2 or segment[0] not in "vV" or not segment[1].isdigit():
        return False
    rest = segment[1:].lstrip("0123456789").lower()
    return rest == "" or rest.startswith(("beta", "alpha"))


@lru_cache(maxsize=4096)
def solve(mode: Mode, table: RouteTable) -> tuple[Solution, ...]:
    """Every base path with which the mode works on this table, best first; () where no base URL alone works.

    Best is: the routes that exist since the oldest proxy version (so that the answer also holds for a proxy that is
    not the newest), then most of the not-required requests land too, then the shortest.
    """
    for group in candidate_paths(table):
        found = []
        for base_path in group:
            if base_path.endswith("#") and "#" not in repr(mode.steps):
                # Behind a "#" everything is a fragment: without a rule that knows the sign, that is no answer.
                continue
            simulation = simulate(mode, DEFAULT_ORIGIN + base_path, table)
            if simulation.works and _speaks(simulation, table):
                optional = sum(1 for each in simulation.requests if not each.required and each.verdict == "routed")
                found.append(Solution(base_path, simulation, optional))
        if found:
            return tuple(sorted(found, key=lambda each: (_newest_need(each, table), -each.optional, each.base_path)))
    return ()


def _speaks(simulation: Simulation, table: RouteTable) -> bool:
    """True if every required request reaches a route of the mode's own protocol: landing elsewhere is no success."""
    wanted = simulation.mode.protocol
    reached = (match(table, each.path) for each in simulation.requests if each.required)
    return all(found is not None and found.route.protocol == wanted for found in reached)


def _newest_need(solution: Solution, table: RouteTable) -> Version:
    """The newest `since` among the routes that the required requests reach."""
    needs = [
        parse_version(found.route.since)
        for each in solution.simulation.requests
        if each.required and (found := match(table, each.path)) is not None
    ]
    return max(needs)
