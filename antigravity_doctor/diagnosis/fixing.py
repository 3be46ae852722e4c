"""Which base URL would have been right? Hypotheses in, proved fixes out, the likeliest first.

A fix is never looked up: for every way in which the path can have come about, the modes that did it are solved on
the route table, and the very suffix that was observed is joined with the solved base and matched again.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from antigravity_doctor.diagnosis.anatomy import Anatomy
from antigravity_doctor.diagnosis.families import Family, Hypothesis, client_ids, hypotheses
from antigravity_doctor.diagnosis.joining import rule_of, run
from antigravity_doctor.diagnosis.matching import allows, match
from antigravity_doctor.diagnosis.model import Fix
from antigravity_doctor.diagnosis.simulating import simulate
from antigravity_doctor.diagnosis.solving import candidate_paths, is_version, solve
from antigravity_doctor.diagnosis.urls import DEFAULT_ORIGIN, split_url
from antigravity_doctor.knowledge import paths
from antigravity_doctor.knowledge.clients import Client, Mode, all_clients
from antigravity_doctor.knowledge.routes import Route, RouteTable

# How far an answer is believed that nothing but the path supports (an ordering, not a measurement).
ALONE, WITH_CLIENT, WITH_BASE, EXACT = 0.9, 0.95, 0.97, 1.0
# What lowers a reading: a client version that has been superseded; a mode that nobody recommends; that the client
# would have to add something else than it did; that only an uncatalogued client can have done it.
_OLD, _NOT_PREFERRED, _OTHER_SUFFIX, _NOBODY_KNOWN = 0.25, 0.6, 0.25, 0.5
_MOST_FIXES = 6
_LEAST = 0.02
# Stands for the placeholder's value in a joined path; no path can hold it, since it is no character of a URL.
_MODEL = "\x00"

API_VERSION = "api-version"
"""The `note` of a fix that needs the client's API version set to the one in `appends`, next to the base URL."""


class Landing(NamedTuple):
    """A proof: with this base path the suffix reaches this route, for these modes; `weight`: are they current?"""

    base_path: str
    path: str
    appends: str
    route: Route
    modes: tuple[Mode, ...]
    clients: tuple[str, ...]
    weight: float
    note: str | None


class Landings(NamedTuple):
    """Where a family's suffix lands. `groups`: for modes with the same solutions, one landing a solution, best first;
    `plainly` are those to choose where the client adds the same text to the right base as it did to the wrong one.
    `solved`: one of the modes works with some base URL, whether this suffix lands there or not; `weight` is theirs."""

    groups: tuple[tuple[Landing, ...], ...]
    plainly: tuple[Landing, ...]
    solved: bool
    weight: float


class Solved(NamedTuple):
    """`fixes` best first and the best one's route. `served` is the weight of the likeliest reading behind them.

    `unserved` is the weight of the likeliest reading by which the client works with some base URL, but this request
    of it lands nowhere; then no base URL is to blame for it.
    """

    fixes: tuple[Fix, ...]
    route: Route | None
    served: float
    unserved: float


NOTHING = Solved((), None, 0.0, 0.0)


def guessed(
    guesses: list[Hypothesis],
    table: RouteTable,
    origin: str,
    sent_to: str,
    ceiling: float,
    whole: tuple[str, Landing] | None = None,
) -> Solved:
    """The fixes of these hypotheses, one for each base URL and suffix, where the base URL in use is not known.

    `sent_to` is the origin that the request went to (for showing what was configured), `ceiling` the most that any
    answer may be believed. `whole` is what `whole_route` says of the path.
    """
    merged: dict[tuple[str, str, str | None], _Candidate] = {}
    unserved = 0.0
    solved = _known_landings(table)
    for guess in guesses:
        base_path, suffix, appends, family, modes = guess
        known = solved.get(family) or landings_of(family, table)
        typed = _typed(base_path, family.protocol)
        if not modes:
            typed *= _NOBODY_KNOWN
        if family.has_placeholder or appends != suffix or modes is not family.modes:
            landings: Iterable[Landing] = _landings(guess, known, table)
        else:
            landings = known.plainly
        if not landings:
            if known.solved and typed * known.weight > unserved:
                unserved = typed * known.weight
            continue
        for landing in landings:
            weight = typed * landing.weight
            key = (landing.base_path, landing.appends, landing.note)
            candidate = merged.get(key)
            if candidate is None:
                merged[key] = _Candidate(weight, base_path, landing)
                continue
            candidate.clients = _both(candidate.clients, landing.clients)
            if weight > candidate.weight:
                # The same advice for several typed bases: the likeliest one is shown as what happened.
                candidate.weight, candidate.configured = weight, base_path
    if whole is not None:
        before, landing = whole
        if ("", landing.appends, None) not in merged:
            weight = _typed(before, landing.route.protocol) * _NOBODY_KNOWN
            merged["", landing.appends, None] = _Candidate(weight, before, landing)
    if not merged:
        return Solved((), None, 0.0, unserved)
    ranked = list(merged.values())
    total = 0.0
    for candidate in ranked:
        # Of two readings that are equally likely in themselves, the one that more clients make is the better guess.
        candidate.weight *= 0.8 + 0.04 * min(len(candidate.clients), 5)
        total += candidate.weight
    if len(ranked) > 1:
        ranked.sort(key=_rank)
    fixes: list[Fix] = []
    for candidate in ranked[:_MOST_FIXES]:
        share = ceiling * candidate.weight / total
        if share < _LEAST and fixes:
            break
        landing = candidate.landing
        fixes.append(
            Fix(
                origin + landing.base_path,
                round(share, 2),
                landing.appends,
                sent_to + candidate.configured,
                landing.path,
                landing.route.path,
                candidate.clients,
                landing.note,
            )
        )
    best = ranked[0]
    return Solved(tuple(fixes), best.landing.route, best.weight, unserved)


class _Candidate:
    """A fix in the making: the likeliest typed base path, a landing that proves it, and all clients it is for."""

    __slots__ = ("clients", "configured", "landing", "weight")

    def __init__(self, weight: float, configured: str, landing: Landing) -> None:
        self.weight = weight
        self.configured = configured
        self.landing = landing
        self.clients = landing.clients


@lru_cache(maxsize=1024)
def _both(some: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(some + others))


def _rank(each: _Candidate) -> tuple[float, int, str, str]:
    return -each.weight, -len(each.clients), each.landing.base_path, each.landing.appends


def exact(
    guesses: list[Hypothesis], table: RouteTable, origin: str, configured: str, ceiling: float
) -> tuple[Fix, ...]:
    """The fixes where the base URL in use is known: as few as serve every mode that can have made the path.

    The first works for most of these modes. Where the request itself lands nowhere, the fixes are those of the modes
    (their first required request shows what they lead to), unless the base URL in use is right already.
    """
    waiting = list(dict.fromkeys(mode for guess in guesses for mode in guess.modes))
    total = len(waiting)
    landings = [
        landing
        for guess in guesses
        for group in landings_of(guess.family, table).groups
        for each in group
        if (landing := _filled(each, guess, table)) is not None
    ]
    # The plainest reading first: the client adds the same text to the right base as it did to the wrong one.
    added = {guess.appends for guess in guesses}
    landings.sort(key=lambda each: each.appends not in added)
    fixes: list[Fix] = []
    while waiting and landings:
        counts = [sum(mode in waiting for mode in each.modes) for each in _together(landings)]
        best = max(range(len(landings)), key=lambda index: counts[index])
        if not counts[best]:
            break
        found = _together(landings)[best]
        share = round(ceiling * counts[best] / total, 2)
        clients = client_ids(found.modes)
        fixes.append(
            Fix(
                origin + found.base_path, share, found.appends, configured, found.path, found.route.path, clients,
                found.note,
            )
        )  # fmt: skip
        waiting = [mode for mode in waiting if mode not in found.modes]
    return tuple(fixes)


def _together(landings: list[Landing]) -> list[Landing]:
    """The landings, each with all modes that land with the same base path and suffix."""
    modes: dict[tuple[str, str], tuple[Mode, ...]] = {}
    for each in landings:
        key = (each.base_path, each.appends)
        modes[key] = tuple(dict.fromkeys(modes.get(key, ()) + each.modes))
    return [each._replace(modes=modes[each.base_path, each.appends]) for each in landings]


def fixes_of_modes(modes: list[Mode], table: RouteTable, origin: str, configured: str) -> tuple[Fix, ...]:
    """What makes these modes work, shown by their first required request; () where nothing does or nothing need.

    A mode that works with the configured base URL as it is needs no fix.
    """
    best: dict[str, list[Mode]] = {}
    for mode in modes:
        if simulate(mode, configured, table).works:
            continue
        for solution in solve(mode, table):
            best.setdefault(solution.base_path, []).append(mode)
    fixes = []
    waiting = {mode for each in best.values() for mode in each}
    while waiting:
        base_path = max(best, key=lambda each: sum(mode in waiting for mode in best[each]))
        mine = [mode for mode in best[base_path] if mode in waiting]
        waiting -= set(mine)
        proof = simulate(mine[0], origin + base_path, table)
        first = next(each for each in proof.requests if each.required)
        fixes.append(
            Fix(
                origin + base_path, EXACT, appended(first.path, base_path), configured, first.path, first.route or "",
                client_ids(mine),
            )
        )  # fmt: skip
    return tuple(fixes)


def appended(path: str, base_path: str) -> str:
    """What stands behind the base path in a joined path; a closing slash or # of the base is not part of either, unless
    the path goes on behind that very slash (a client that resolves its own part against the base)."""
    base = base_path.rstrip("#")
    if base.endswith("/") and path.startswith(base):
        return path[len(base) :]
    return path[len(base.rstrip("/")) :]


def _landings(guess: Hypothesis, known: Landings, table: RouteTable) -> list[Landing]:
    """Where this very suffix lands, one landing a group: a mode may work while this request of it does not."""
    found: list[Landing] = []
    for group in known.groups:
        best = None
        for each in group:
            landing = _filled(each, guess, table)
            if landing is None:
                continue
            if landing.appends == guess.appends or landing.note is not None:
                best = landing
                break
            if best is None:
                best = landing._replace(weight=landing.weight * _OTHER_SUFFIX)
        if best is not None:
            found.append(best)
    return found


def _filled(landing: Landing, guess: Hypothesis, table: RouteTable) -> Landing | None:
    """The landing with the guess's own value in place of the placeholder, and only the modes that can be meant."""
    family = guess.family
    base_path, path, appends, route, modes, clients, weight, note = landing
    if family.has_placeholder:
        value = guess.suffix[len(family.head) : len(guess.suffix) - len(family.tail)]
        path = path.replace(_MODEL, value)
        reached = match(table, path)
        if reached is None or not allows(reached.route, family.method):
            return None
        appends = appends.replace(_MODEL, value)
        route = reached.route
    if guess.modes is not family.modes:
        modes = tuple([mode for mode in modes if mode in guess.modes])
        clients = client_ids(modes)
    return Landing(base_path, path, appends, route, modes, clients, weight, note)


@lru_cache(maxsize=32)
def _known_landings(table: RouteTable) -> dict[Family, Landings]:
    """What has been solved for this table; families are few (they come from a bounded cache)."""
    return {}


def landings_of(family: Family, table: RouteTable) -> Landings:
    """Where the suffix of a family lands with each solution of each of its modes, solved and proved once."""
    known = _known_landings(table)
    found = known.get(family)
    if found is None:
        found = known[family] = _solved_landings(family, table)
    return found


def _solved_landings(family: Family, table: RouteTable) -> Landings:
    by_bases: dict[tuple[str, ...], list[Mode]] = {}
    for mode in family.modes:
        by_bases.setdefault(tuple(each.base_path for each in solve(mode, table)), []).append(mode)
    suffix = family.head + (_MODEL if family.has_placeholder else "") + family.tail
    groups = []
    for bases, modes in sorted(by_bases.items(), key=lambda each: -len(each[1])):
        landed = []
        for base_path in bases:
            joined = {split_url(run(rule_of(mode), DEFAULT_ORIGIN + base_path, suffix)).path for mode in modes}
            path = min(joined)
            reached = match(table, path)
            if len(joined) == 1 and reached is not None and allows(reached.route, family.method):
                landed.append(_landing(base_path, path, reached.route, modes))
        if landed:
            groups.append(tuple(landed))
        elif not bases:
            groups += [(each,) for each in _by_api_version(modes, family.method, suffix, table)]
    weight = max((_weight(mode) for bases, modes in by_bases.items() if bases for mode in modes), default=0.0)
    known = Landings(tuple(groups), (), any(by_bases), weight)
    same = Hypothesis("", suffix, suffix, family, family.modes)
    return known if family.has_placeholder else known._replace(plainly=tuple(_landings(same, known, table)))


def _landing(base_path: str, path: str, route: Route, modes: list[Mode], note: str | None = None) -> Landing:
    weight = max(_weight(mode) for mode in modes)
    # Named first: the clients for which this is the usual mode.
    clients = client_ids(sorted(modes, key=lambda mode: -_weight(mode)))
    return Landing(base_path, path, appended(path, base_path), route, tuple(modes), clients, weight, note)


def _weight(mode: Mode) -> float:
    return (1.0 if mode.versions[1] is None else _OLD) * (1.0 if mode.preferred else _NOT_PREFERRED)


def _by_api_version(modes: list[Mode], method: str, suffix: str, table: RouteTable) -> list[Landing]:
    """For modes that no base URL helps: the same request of a sibling mode that only sets another API version."""
    found: dict[tuple[str, str], list[Mode]] = {}
    routes: dict[str, Route] = {}
    for mode in modes:
        sibling = next((each for each in _siblings(mode) if solve(each, table)), None)
        if sibling is None:
            continue
        base_path = solve(sibling, table)[0].base_path
        for request in sibling.requests:
            theirs = request.suffix.partition("?")[0].replace("{model}", _MODEL)
            if request.method != method or theirs == suffix or _versionless(theirs) != _versionless(suffix):
                continue
            path = split_url(run(rule_of(sibling), DEFAULT_ORIGIN + base_path, theirs)).path
            reached = match(table, path)
            if reached is not None and allows(reached.route, method):
                found.setdefault((base_path, path), []).append(mode)
                routes[path] = reached.route
                break
    return [_landing(base, path, routes[path], group, API_VERSION) for (base, path), group in found.items()]


@lru_cache(maxsize=256)
def _siblings(mode: Mode) -> tuple[Mode, ...]:
    """The other modes of the same client and protocol, the preferred one first."""
    client = next((each for each in all_clients() if each.id == mode.client), None)
    others = [each for each in client.modes if each is not mode and each.protocol == mode.protocol] if client else []
    return tuple(sorted(others, key=lambda each: not each.preferred))


def _versionless(suffix: str) -> str:
    first, slash, rest = suffix.lstrip("/").partition("/")
    return slash + rest if is_version(first) else suffix


@lru_cache(maxsize=4096)
def _typed(base_path: str, protocol: str) -> float:
    """How readily somebody types this base path (see knowledge/paths.json, typed_bases)."""
    known = paths.typed_bases(protocol)
    weight = known.get(base_path)
    if weight is not None:
        return weight
    otherwise = paths.typed_otherwise()
    if "//" in base_path:
        return otherwise["slashes"]
    if base_path.endswith("/"):
        return otherwise["closing-slash"]
    if base_path.lower().count("/v") > 1:
        versions = [is_version(each) for each in base_path.split("/")]
        pairs = list(pairwise(versions)).count((True, True))
        if pairs:
            return otherwise["twice"] / pairs
    return otherwise["other"]


def whole_route(path: str, anatomy: Anatomy, method: str | None, table: RouteTable) -> tuple[str, Landing] | None:
    """The base path and landing of a client, catalogued or not, that adds a whole route, version and all.

    None if the path does not end in one.
    """
    if anatomy.kinds[-2:] != "ve" or not anatomy.endpoint:
        return None
    full = anatomy.parts[-2].text + anatomy.endpoint
    if not path.endswith(full):
        return None
    found = match(table, full)
    if found is None or (method not in (None, "OPTIONS") and not allows(found.route, method or "")):
        return None
    return path[: -len(full)], Landing("", full, full, found.route, (), (), 1.0, None)


def by_endpoint(
    anatomy: Anatomy, method: str | None, client: Client | None, table: RouteTable, origin: str, note: str | None = None
) -> Solved:
    """Fixes from the endpoint alone, for a path whose very spelling is broken: no base URL is claimed to be in use."""
    if not anatomy.endpoint:
        return NOTHING
    versions = tuple([part.text for part in anatomy.parts if part.kind == "version"])
    return _by_endpoint(anatomy.endpoint, versions, method, client, table, origin, note)


@lru_cache(maxsize=512)
def _by_endpoint(
    endpoint: str,
    versions: tuple[str, ...],
    method: str | None,
    client: Client | None,
    table: RouteTable,
    origin: str,
    note: str | None,
) -> Solved:
    prefixes = candidate_paths(table)[0]
    for prefix in sorted(prefixes, key=lambda each: each not in versions):
        full = prefix + endpoint
        found = match(table, full)
        if found is None or (method not in (None, "OPTIONS") and not allows(found.route, method or "")):
            continue
        landings = [
            landing
            for guess in hypotheses(full, client, method)
            for landing in _landings(guess, landings_of(guess.family, table), table)
            if landing.path == full and landing.base_path == guess.base_path and landing.note is None
        ]
        merged: dict[tuple[str, str], list[str]] = {}
        for each in landings:
            merged.setdefault((each.base_path, each.appends), []).extend(each.clients)
        if not merged:
            fix = Fix(origin + prefix, 0.4, endpoint, None, full, found.route.path, (), note)
            return Solved((fix,), found.route, 0.4, 0.0)
        ranked = sorted(
            ((base, appends, tuple(dict.fromkeys(clients))) for (base, appends), clients in merged.items()),
            key=lambda each: -len(each[2]),
        )
        share = round(0.72 / len(ranked), 2)
        fixes = tuple(
            Fix(origin + base, share, appends, None, full, found.route.path, clients, note)
            for base, appends, clients in ranked[:_MOST_FIXES]
        )
        return Solved(fixes, found.route, 0.72, 0.0)
    return NOTHING


def unclaimed(fixes: tuple[Fix, ...]) -> tuple[Fix, ...]:
    """The same advice without the claim to know what is configured now."""
    return tuple(
        Fix(
            each.base_url, each.confidence, each.appends, None, each.resulting_path, each.route, each.clients, each.note
        )
        for each in fixes
    )  # fmt: skip


def generic(
    path: str, base_path: str, method: str | None, table: RouteTable, origin: str, configured: str
) -> tuple[Fix, Route] | None:
    """A base URL in use, and a suffix that no catalogued client has: solved for that very suffix."""
    base = base_path.rstrip("/")
    if base_path.endswith("/") and path.startswith(base_path + "/"):
        # A client that only concatenates: the closing slash of the base URL and the first of the suffix are two.
        base = base_path
    if not path.startswith(base + "/"):
        return None
    suffix = path[len(base) :]
    for candidate in candidate_paths(table)[0]:
        found = match(table, candidate + suffix)
        if found is not None and (method in (None, "OPTIONS") or allows(found.route, method or "")):
            fix = Fix(origin + candidate, WITH_BASE, suffix, configured, candidate + suffix, found.route.path)
            return fix, found.route
    return None
