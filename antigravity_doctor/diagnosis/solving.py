"""Which base URL makes every required path of a client land on the table? (client + table -> base URL)

Solved, never looked up: candidates come from the route table alone, and each is proved by joining and matching every
request of the mode, as `simulating` does.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from antigravity_doctor.diagnosis.joining import Rule, rule_of, run
from antigravity_doctor.diagnosis.matching import allows, match
from antigravity_doctor.diagnosis.simulating import fill
from antigravity_doctor.diagnosis.urls import DEFAULT_ORIGIN, split_url
from antigravity_doctor.knowledge.clients import Mode, Request
from antigravity_doctor.knowledge.routes import Route, RouteTable, table_for
from antigravity_doctor.knowledge.versions import Version, parse_version


class Solution(NamedTuple):
    """A base path that works. `needs` is the newest version that one of the required requests needs a route of;
    `optional` counts the other requests that land as well."""

    base_path: str
    needs: Version
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
    return rest == "" or rest.rstrip("0123456789") in ("beta", "alpha")


@lru_cache(maxsize=4096)
def solve(mode: Mode, table: RouteTable) -> tuple[Solution, ...]:
    """Every base path with which the mode works on this table, best first; () where no base URL alone works.

    Best is: the routes that exist since the oldest proxy version (so that the answer also holds for a proxy that is
    not the newest), then most of the not-required requests land too, then the shortest. A mode's `prefer_base` comes
    before all of these if it is among them: several answers may be right, and that one holds for the client's other
    versions as well.
    """
    rule = rule_of(mode)
    required = [each for each in mode.requests if each.required]
    others = [each for each in mode.requests if not each.required]
    knows_hash = any("#" in text or (pattern is not None and "#" in pattern.pattern) for _, pattern, text in rule)
    plain, longer = candidate_paths(table)
    for group in (plain, longer):
        if group is longer and _is_plain_elsewhere(mode, table):
            # What it asks for came with a later version: /v1/chat + /completions would reach another endpoint.
            return ()
        found = []
        for base_path in group:
            if base_path.endswith("#") and not knows_hash:
                # Behind a "#" everything is a fragment: without a rule that knows the sign, that is no answer.
                continue
            needs = _needs(rule, required, mode.protocol, base_path, table)
            if needs is not None:
                optional = sum(1 for each in others if _reached(rule, each, base_path, table) is not None)
                found.append(Solution(base_path, needs, optional))
        if found:
            preferred = mode.raw.get("prefer_base")
            return tuple(
                sorted(
                    found, key=lambda each: (each.base_path != preferred, each.needs, -each.optional, each.base_path)
                )
            )
    return ()


def _is_plain_elsewhere(mode: Mode, table: RouteTable) -> bool:
    """True if the newest version serves what the mode asks for, behind a plain version prefix."""
    newest = table_for(None)
    if table is newest:
        return False
    solutions = solve(mode, newest)
    return bool(solutions) and solutions[0].base_path in candidate_paths(newest)[0]


def _needs(rule: Rule, required: list[Request], protocol: str, base_path: str, table: RouteTable) -> Version | None:
    """The newest `since` among the routes that the required requests reach; None if one of them does not land.

    A route of another protocol counts as a miss: landing elsewhere is no success.
    """
    needs: Version | None = None
    for each in required:
        route = _reached(rule, each, base_path, table)
        if route is None or route.protocol != protocol:
            return None
        since = parse_version(route.since)
        needs = since if needs is None or since > needs else needs
    return needs


def _reached(rule: Rule, request: Request, base_path: str, table: RouteTable) -> Route | None:
    path = split_url(run(rule, DEFAULT_ORIGIN + base_path, fill(request.suffix))).path
    found = match(table, path or "/")
    return found.route if found is not None and allows(found.route, request.method) else None
