"""Watched requests in, what they say together out: which client, what base URL it has, and which one it needs.

Each request is judged by `explaining`; the client is found by `identifying`; the base URL in use comes from reading
its paths backwards with its own join rule; the right one is solved, and proved with every request that was seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from antigravity_doctor.diagnosis import fixing
from antigravity_doctor.diagnosis.anatomy import dissect
from antigravity_doctor.diagnosis.explaining import Explanation, explain
from antigravity_doctor.diagnosis.families import Hypothesis, from_base, hypotheses
from antigravity_doctor.diagnosis.identifying import (
    PROTOCOL_HEADERS,
    SDK_HEADER,
    Made,
    in_version,
    is_sdk_of_headers,
    made_by,
    made_with,
    named_by,
)
from antigravity_doctor.diagnosis.joining import rule_of, run
from antigravity_doctor.diagnosis.matching import allows, match
from antigravity_doctor.diagnosis.model import Fix
from antigravity_doctor.diagnosis.solving import solve
from antigravity_doctor.diagnosis.urls import DEFAULT_ORIGIN, split_url
from antigravity_doctor.knowledge import paths
from antigravity_doctor.knowledge.clients import Client, Mode, all_clients
from antigravity_doctor.knowledge.routes import RouteTable, table_for

GIVEN, NAMED, SHARED, SHAPE = 1.0, 0.97, 0.6, 0.5
"""How far an identity is believed (an ordering, not a measurement): the user said it; its User-Agent is one client's;
its User-Agent is several clients', of which this is the best-known that fits; nothing but the requests says it, and
then the more clients fit, the less (SHAPE divided by their number, at least LEAST)."""

LEAST = 0.02
STRANGE = 0.8
"""Factor for a client whose entry has no request like any of those seen: the name is right, what it did is unknown."""

_HARMLESS = ("AGD601", "AGD602", "AGD603")
_MOST_FIXES = 6
# What lowers a mode's part in the confidence: another reading of the base URL than the likeliest; not the usual mode.
_OTHER_READING, _NOT_USUAL = 0.3, 0.6


class Observed(NamedTuple):
    """One request as a recorder saw it, and how it was answered. No key, no body.

    `path` is the raw path without query, `query` has key values masked. `status` None: no answer was sent.
    `key_header`: which header (lower case; or "query") carried a key, None if none did. `header_names`: lower-case
    names of the request's headers. `answer_type`: content type of the answer or None; `answer_kind`: what its body
    was (`symptoms.body_kind`), None where nobody looked. `failure`: why there was no answer (`symptoms.on_failure`).
    """

    method: str
    path: str
    query: str | None
    status: int | None
    key_header: str | None = None
    user_agent: str | None = None
    header_names: tuple[str, ...] = ()
    answer_type: str | None = None
    answer_kind: str | None = None
    failure: str | None = None


class Identity(NamedTuple):
    """Which client it was. `version` is None where its User-Agent does not say the client's own.

    `because` are keys of reasons, the strongest first: "given", "user-agent", "path", "key-header", "headers".
    `modes` are those of its modes that can have sent what was seen (version, method, path and key header considered),
    the likeliest first. `rivals`: other clients that fit as well (an app built on the same SDK).
    """

    client: Client
    version: str | None
    modes: tuple[Mode, ...]
    confidence: float
    because: tuple[str, ...]
    rivals: tuple[Client, ...]


class Partial(NamedTuple):
    """What the requests of one protocol say, where no one base URL is right for all that a client sends.

    `fixes` make every request of this protocol land, and say nothing of the others.
    """

    protocol: str
    modes: tuple[Mode, ...]
    configured: str | None
    configured_exact: bool
    fixes: tuple[Fix, ...]
    works: bool


class Inference(NamedTuple):
    """What all requests so far say together, for one client.

    `user_agent` is the one most of its requests had. `appends`: the distinct (method, what stands behind the base
    URL) that the client adds itself, most seen first. `configured`: the base URL in use, at the recorder's origin;
    `configured_exact`: True if joining allows no other; `readings`: every base URL that can have been in use, the
    likeliest first (`configured` is the first). `fixes`: base URLs at the proxy's origin with which every request
    that a base URL can help lands; () if all is right, or nothing does. `works`: every request is on the table (path
    and method; a model's 404 does not make it False). `seen`: the number of distinct requests judged. Harmless
    requests count in none of these.

    `unserved`: (method, path) of requests that no base URL brings to a route: they keep `works` False, and do not
    keep the others from a fix. `partial`: one entry a protocol where `fixes` is () because no single base URL is
    right for several protocols, otherwise ().
    """

    user_agent: str | None
    identity: Identity | None
    appends: tuple[tuple[str, str], ...]
    configured: str | None
    configured_exact: bool
    fixes: tuple[Fix, ...]
    works: bool
    seen: int
    readings: tuple[str, ...] = ()
    unserved: tuple[tuple[str, str], ...] = ()
    partial: tuple[Partial, ...] = ()
    user_agents: tuple[str | None, ...] = ()


# --- one request -----------------------------------------------------------------------------------------------------


def judge(
    one: Observed, *, table: RouteTable, origin: str, base_url: str | None = None, client: Client | None = None
) -> Explanation:
    """The verdict on one request: `explaining.explain` with everything that was seen. `origin` is the proxy's."""
    return _judged(
        one.path,
        one.method,
        one.query,
        one.status,
        one.answer_type,
        one.answer_kind,
        table,
        origin,
        base_url,
        client,
        one.failure,
    )


@lru_cache(maxsize=1024)
def _judged(
    path: str,
    method: str,
    query: str | None,
    status: int | None,
    answer_type: str | None,
    answer_kind: str | None,
    table: RouteTable,
    origin: str,
    base_url: str | None,
    client: Client | None,
    failure: str | None = None,
) -> Explanation:
    return explain(
        path,
        table=table,
        origin=origin,
        method=method or None,
        query=query,
        status=status,
        kind=answer_kind,
        headers=(("content-type", answer_type),) if answer_type else (),
        base_url=base_url,
        client=client,
        failure=failure,
    )


def _bare(one: Observed, table: RouteTable, base_url: str | None = None, client: Client | None = None) -> Explanation:
    """The verdict on a request for what it asks, however it was answered."""
    return _judged(one.path, one.method, None, None, None, None, table, DEFAULT_ORIGIN, base_url, client)


def _is_harmless(found: Explanation, method: str) -> bool:
    if method == "OPTIONS":
        return True
    return found.verdict == "not-a-path-problem" and any(each.code in _HARMLESS for each in found.findings)


# --- who sent what ---------------------------------------------------------------------------------------------------


class _Group:
    """The requests of one client, distinct, in the order in which they were first seen, with how often each was."""

    __slots__ = ("agents", "clients", "counts", "given", "product", "requests", "version")

    def __init__(self, clients: tuple[Client, ...], product: str, given: bool) -> None:
        self.clients = clients
        self.product = product
        self.given = given
        self.version: str | None = None
        self.requests: dict[tuple[str, str], Observed] = {}
        self.counts: dict[tuple[str, str], int] = {}
        self.agents: dict[str | None, int] = {}

    def add(self, one: Observed, count: int, version: str | None) -> None:
        key = (one.method, one.path)
        known = self.requests.get(key)
        if known is None or (known.key_header is None and one.key_header is not None):
            self.requests[key] = one
        self.counts[key] = self.counts.get(key, 0) + count
        self.agents[one.user_agent] = self.agents.get(one.user_agent, 0) + count
        self.version = self.version or version

    def take(self, other: _Group) -> None:
        for key, one in other.requests.items():
            self.requests.setdefault(key, one)
            self.counts[key] = self.counts.get(key, 0) + other.counts[key]
        for agent in other.agents:
            self.agents.setdefault(agent, 0)
        for agent in other.agents:
            self.agents.setdefault(agent, 0)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def user_agent(self) -> str | None:
        return max(self.agents, key=lambda each: self.agents[each], default=None)


def _groups(observed: Sequence[Observed], client: Client | None) -> list[_Group]:
    """The requests by client. Those of User-Agents that one and the same client can have sent belong together.

    A User-Agent that several clients share is narrowed by what it asked for; one that names nobody is a client of its
    own, unless all it sent are extras of a client that was seen (`HEAD /` of `Bun/1.4.0`, which Claude Code runs on).
    """
    counts: dict[Observed, int] = {}
    for one in observed:
        counts[one] = counts.get(one, 0) + 1
    groups: list[_Group] = []
    for one, count in counts.items():
        named = named_by(one.user_agent)
        clients = tuple(each for each in named.clients if made_by(one.path, one.method, each)) or named.clients
        given = client is not None and (not clients or client in clients or client in named.clients)
        if client is not None and given:
            clients = (client,)
        version = named.version if clients and named.clients and clients[0] is named.clients[0] else None
        for group in groups:
            both = tuple(each for each in group.clients if each in clients)
            # Two SDKs are two programs, although there is a framework that is built on both of them.
            both = both if both and (group.clients[0] in both or clients[0] in both) else ()
            if both or (not clients and not group.clients and group.product == named.product):
                group.clients = both
                break
        else:
            group = _Group(clients, named.product, given)
            groups.append(group)
        group.given = group.given or given
        group.add(one, count, version)
    for group in [each for each in groups if not each.clients]:
        owner = next((each for each in groups if each.clients and _has_extras(each, group)), None)
        if owner is not None:
            owner.take(group)
            groups.remove(group)
    return sorted(groups, key=lambda group: -group.total)


def _has_extras(owner: _Group, group: _Group) -> bool:
    """True if the owner's client sends all of these besides its requests: to paths of its own, or to the base URL
    itself, which its requests begin with."""
    extras = _extras(owner.clients[0])
    return all(
        (method, path) in extras
        or ((method, "/") in extras and any(each.startswith(path.rstrip("/") + "/") for _, each in owner.requests))
        for method, path in group.requests
    )


@lru_cache(maxsize=64)
def _extras(client: Client) -> frozenset[tuple[str, str]]:
    return frozenset(
        (extra["method"], extra["path"].partition("?")[0]) for mode in client.modes for extra in mode.raw["extras"]
    )


# --- which client ----------------------------------------------------------------------------------------------------


class _Seen(NamedTuple):
    """A request that counts, and every request of the clients in question that can have made it."""

    one: Observed
    times: int
    made: tuple[Made, ...]


def identify(observed: Sequence[Observed], table: RouteTable) -> Identity | None:
    """The client that sent most of these requests; None where nothing says who it was. Never raises."""
    groups = _groups(observed, None)
    if not groups:
        return None
    group = groups[0]
    counting = _counting(group, table)
    identity = _identified(group, counting)
    if identity is None:
        return None
    base = _base_of([_read(one, group, identity, None) for one in counting], None)
    return identity._replace(modes=_at_base(identity, counting, base.paths))


def _counting(group: _Group, table: RouteTable) -> list[Observed]:
    return [one for one in group.requests.values() if not _is_harmless(_bare(one, table), one.method)]


def _identified(group: _Group, counting: list[Observed]) -> Identity | None:
    """See Identity. The modes are those of every base URL that can have been in use; `_at_base` narrows them."""
    named = bool(group.clients)
    version = group.version
    protocols = {PROTOCOL_HEADERS[name] for one in counting for name in one.header_names if name in PROTOCOL_HEADERS}
    from_sdk = any(name.startswith(SDK_HEADER) for one in counting for name in one.header_names)
    if named:
        fitting = {client: _coverage(client, counting, version) for client in group.clients}
        most = max(fitting.values())
        clients = [client for client in group.clients if fitting[client] == most]
    else:
        clients = _by_shape(counting, protocols, from_sdk)
        if not clients:
            return None
        most = 1
    client = clients[0]
    if group.clients and client is not group.clients[0]:
        version = None
    modes = _modes(client, version, counting)
    because = ["given"] if group.given else []
    if named and (not group.given or any(client in named_by(agent).clients for agent in group.agents)):
        because.append("user-agent")
    if most and modes:
        because.append("path")
    keys = {one.key_header for one in counting if one.key_header}
    if modes and keys and any(_key_header(mode) in keys for mode in modes):
        because.append("key-header")
    if modes and ((from_sdk and is_sdk_of_headers(client)) or any(mode.protocol in protocols for mode in modes)):
        because.append("headers")
    if group.given:
        confidence = GIVEN
    elif named:
        confidence = (NAMED if len(clients) == 1 else SHARED) * (1.0 if modes or not counting else STRANGE)
    else:
        confidence = max(SHAPE / len(clients), LEAST)
    return Identity(client, version, modes, round(confidence, 2), tuple(because), tuple(clients[1:]))


def _coverage(client: Client, counting: list[Observed], version: str | None) -> int:
    return sum(
        any(in_version(each.mode, version) for each in made_by(one.path, one.method, client)) for one in counting
    )


def _by_shape(counting: list[Observed], protocols: set[str], from_sdk: bool) -> list[Client]:
    """The clients that can have sent all of these requests, the likeliest first.

    Where some add the very query that each of these had, only those. Likelier is: the header that its key travels in,
    a base path that people type, its usual mode. Where no client can have sent all, those that can have sent most.
    """
    scores: dict[Client, list[float]] = {}
    telling: dict[Client, int] = {}
    for one in counting:
        best: dict[Client, float] = {}
        told: set[Client] = set()
        for each in made_by(one.path, one.method, None):
            mode = each.mode
            if protocols and mode.protocol not in protocols:
                continue
            score = paths.typed_bases(mode.protocol).get(each.base_path, 0.05)
            score += 0.5 * (not one.key_header or _key_header(mode) == one.key_header)
            told |= {each.client} if "?" in each.request.suffix and _has_query(each, one.query) else set()
            score += 0.5 * _has_query(each, one.query) + 0.1 * mode.preferred + 0.05 * (mode.versions[1] is None)
            best[each.client] = max(best.get(each.client, 0.0), score)
        for client, score in best.items():
            scores.setdefault(client, []).append(score)
            telling[client] = telling.get(client, 0) + (client in told)
    if from_sdk:
        scores = {client: found for client, found in scores.items() if is_sdk_of_headers(client)} or scores
    most = max((len(found) for found in scores.values()), default=0)
    order = {client: index for index, client in enumerate(all_clients())}
    fitting = [client for client, found in scores.items() if len(found) == most]
    # A query that a client adds to everything gives it away.
    fitting = [client for client in fitting if telling[client] == most] or fitting
    return sorted(fitting, key=lambda client: (-sum(scores[client]), order[client]))


def _has_query(made: Made, query: str | None) -> bool:
    """True if the request's own query is in the one that was sent, and there is one exactly if it has one."""
    wanted = made.request.suffix.partition("?")[2]
    if not wanted:
        return not query
    sent = (query or "").replace("%24", "$").replace("%3B", ";").replace("%3D", "=")
    return all(pair in sent for pair in wanted.replace("%24", "$").replace("%3B", ";").replace("%3D", "=").split("&"))


def _key_header(mode: Mode) -> str:
    return str(mode.raw["key"]["header"]).lower()


def _modes(client: Client, version: str | None, counting: list[Observed]) -> tuple[Mode, ...]:
    """The modes that can have sent some of the requests, those that can have sent most first."""
    counts: dict[Mode, int] = {}
    for one in counting:
        made = _fitting(made_by(one.path, one.method, client), one, version)
        for mode in dict.fromkeys(each.mode for each in made):
            counts[mode] = counts.get(mode, 0) + 1
    return _ranked(counts, client)


def _ranked(counts: dict[Mode, int], client: Client) -> tuple[Mode, ...]:
    order = {mode: index for index, mode in enumerate(client.modes)}
    return tuple(sorted(counts, key=lambda mode: (-counts[mode], not mode.preferred, order.get(mode, 0))))


def _fitting(made: Iterable[Made], one: Observed, version: str | None) -> tuple[Made, ...]:
    """Those that hold for the version; of these, where there are any, those whose protocol and key header were seen.

    A key in another header than usual is no proof against a mode: several clients can be told where to put it.
    """
    found = [each for each in made if in_version(each.mode, version)]
    protocols = {PROTOCOL_HEADERS[name] for name in one.header_names if name in PROTOCOL_HEADERS}
    if protocols:
        found = [each for each in found if each.mode.protocol in protocols] or found
    if one.key_header is not None:
        found = [each for each in found if _key_header(each.mode) == one.key_header] or found
    return tuple(found)


# --- what all requests of a client say together ----------------------------------------------------------------------


def infer(
    observed: Sequence[Observed],
    *,
    table: RouteTable,
    origin: str,
    recorder: str,
    given: str | None = None,
    client: Client | None = None,
) -> tuple[Inference, ...]:
    """One Inference for each client seen (see `_groups`), the one with most requests first; never raises.

    `origin` is the proxy's: fixes are made for it. `recorder` is the recorder's: the requests were sent there.
    `given` is the base URL that the user was told to type; it is believed as long as the paths allow it. `client` is
    the one the user named; requests whose User-Agent is another known client's are not taken for its own.
    """
    base_path = None if given is None else given[len(split_url(given).origin) :].partition("?")[0]
    return tuple(_of_group(group, _Setting(table, origin, recorder, base_path)) for group in _groups(observed, client))


class _Setting(NamedTuple):
    """What holds for all requests: `given` is the base path that the user was told to type, None if none was."""

    table: RouteTable
    origin: str
    recorder: str
    given: str | None


class _Base(NamedTuple):
    """A base path in use: all that can have been, the likeliest first; `exact`: joining allows no other."""

    paths: tuple[str, ...]
    exact: bool

    @property
    def path(self) -> str | None:
        return self.paths[0] if self.paths else None


def _of_group(group: _Group, setting: _Setting) -> Inference:
    table = setting.table
    counting = _counting(group, table)
    identity = _identified(group, counting)
    known = identity is not None and bool(group.clients)
    if known and identity is not None:
        seen = [_read(one, group, identity, setting.given) for one in counting]
        base = _base_of(seen, setting.given)
    else:
        seen = [_Seen(one, group.counts[one.method, one.path], ()) for one in counting]
        base = _guessed_base(seen, setting.given)
    # With client and base URL known, more is seen to be harmless: the second tries of a client, its own extras.
    left = [each for each in seen if not _is_extra(each.one, group, identity, base, setting)]
    if len(left) < len(seen):
        seen, counting = left, [each.one for each in left]
        identity = _identified(group, counting) or identity
    if identity is not None and base.path is not None:
        identity = identity._replace(modes=_at_base(identity, counting, base.paths))
    works = all(_is_right(each, base, setting) for each in seen)
    fixes: tuple[Fix, ...] = ()
    unserved: tuple[tuple[str, str], ...] = ()
    partial: tuple[Partial, ...] = ()
    if not works:
        fixes, unserved = _fixes(seen, base, identity, known, setting)
        if not fixes:
            partial = _partials(seen, identity, known, setting)
    configured = None if base.path is None else setting.recorder + base.path
    return Inference(
        user_agent=group.user_agent,
        identity=identity,
        appends=_appends(seen, base.path),
        configured=configured,
        configured_exact=base.exact,
        fixes=fixes,
        works=works,
        seen=len(seen),
        readings=tuple(setting.recorder + each for each in base.paths),
        unserved=unserved,
        partial=partial,
        user_agents=tuple(group.agents),
    )


def _read(one: Observed, group: _Group, identity: Identity, given: str | None) -> _Seen:
    client, version = identity.client, identity.version
    made = made_by(one.path, one.method, client)
    if given is not None:
        made = (*made_with(one.path, one.method, given, client), *made)
    return _Seen(one, group.counts[one.method, one.path], _fitting(dict.fromkeys(made), one, version))


def _is_extra(one: Observed, group: _Group, identity: Identity | None, base: _Base, setting: _Setting) -> bool:
    client = identity.client if identity is not None and group.clients else None
    if client is None or base.path is None:
        return False
    if (one.method, "/") in _extras(client) and one.path.rstrip("/") == base.path.rstrip("/"):
        return True
    found = _bare(one, setting.table, setting.recorder + base.path, client)
    return _is_harmless(found, one.method)


def _at_base(identity: Identity, counting: list[Observed], base_paths: tuple[str, ...]) -> tuple[Mode, ...]:
    """The modes that can have sent what was seen with one of these base paths, the likeliest base path's first; all
    of the identity's where none can have."""
    found: list[Mode] = []
    for base_path in base_paths:
        counts: dict[Mode, int] = {}
        for one in counting:
            made = _fitting(made_with(one.path, one.method, base_path, identity.client), one, identity.version)
            for mode in dict.fromkeys(each.mode for each in made):
                counts[mode] = counts.get(mode, 0) + 1
        found += [mode for mode in _ranked(counts, identity.client) if mode not in found]
    return tuple(found) or identity.modes


# --- the base URL in use ---------------------------------------------------------------------------------------------


def _base_of(seen: list[_Seen], given: str | None) -> _Base:
    """The base paths that explain most of these requests of a known client; the given one first if it is among them.

    Of others, the one with the client's usual mode comes first, then the one that people type. Exact is what no other
    base path explains as well, a closing slash aside, which most clients strip.
    """
    counts: dict[str, int] = {}
    weights: dict[str, float] = {}
    readable = 0
    open_ended = False
    for each in seen:
        readable += bool(each.made)
        for base_path in {made.base_path for made in each.made}:
            counts[base_path] = counts.get(base_path, 0) + 1
        for made in each.made:
            weight = 2.0 * _is_usual(made) + paths.typed_bases(made.mode.protocol).get(made.base_path, 0.0)
            weights[made.base_path] = max(weights.get(made.base_path, 0.0), weight)
            # Resolving a path that starts with "/" loses the base path: any can have been in use.
            open_ended = open_ended or any(name in ("resolve", "whole") for name, _, _ in rule_of(made.mode))
    if not counts:
        return _prefix(seen, given)
    most = max(counts.values())
    best = [base_path for base_path, count in counts.items() if count == most]
    best.sort(key=lambda base_path: (base_path != given, -weights[base_path], len(base_path), base_path))
    alone = len({base_path.rstrip("/") for base_path in best}) == 1
    return _Base(tuple(best[:_MOST_FIXES]), alone and most == readable and not open_ended)


def _is_usual(made: Made) -> bool:
    """True for the mode to name where none was named, in any of the versions that it is written down for."""
    return made.mode.preferred or any(mode.preferred and mode.name == made.mode.name for mode in made.client.modes)


def _guessed_base(seen: list[_Seen], given: str | None) -> _Base:
    """The base paths where the client is not known: the given one first if the paths begin with it, never exact."""
    fits = _prefix(seen, given).paths
    counts: dict[str, int] = {}
    weights: dict[str, float] = {}
    for each in seen:
        made = _fitting(made_by(each.one.path, each.one.method, None), each.one, None)
        for one in made:
            weight = paths.typed_bases(one.mode.protocol).get(one.base_path, 0.0) + 0.1 * one.mode.preferred
            weights[one.base_path] = max(weights.get(one.base_path, 0.0), weight)
        for base_path in {one.base_path for one in made}:
            counts[base_path] = counts.get(base_path, 0) + 1
    most = max(counts.values(), default=0)
    best = [base_path for base_path, count in counts.items() if count == most and base_path not in fits]
    best.sort(key=lambda base_path: (-weights[base_path], len(base_path), base_path))
    return _Base((*fits, *best[:_MOST_FIXES]), False)


def _prefix(seen: list[_Seen], given: str | None) -> _Base:
    """The given base path, as a guess, if every path begins with it and goes on; otherwise nothing."""
    if given is None or not seen:
        return _Base((), False)
    base = given.partition("#")[0].rstrip("/")
    fits = all(each.one.path.startswith(base + "/") or each.one.path == base for each in seen)
    return _Base((given,), False) if fits else _Base((), False)


def _appends(seen: list[_Seen], base_path: str | None) -> tuple[tuple[str, str], ...]:
    counts: dict[tuple[str, str], int] = {}
    for each in seen:
        base = (base_path or "").rstrip("/")
        if base_path is not None and (each.one.path.startswith(base + "/")):
            suffix = each.one.path[len(base) :]
        elif each.made:
            suffix = each.made[0].suffix
        else:
            continue
        counts[each.one.method, suffix] = counts.get((each.one.method, suffix), 0) + each.times
    return tuple(sorted(counts, key=lambda pair: -counts[pair]))


# --- the base URL that is needed -------------------------------------------------------------------------------------


def _is_right(each: _Seen, base: _Base, setting: _Setting) -> bool:
    """True if the request is on the table, method and all, at a route of its own protocol."""
    one = each.one
    found = match(setting.table, one.path)
    if found is None or not (allows(found.route, one.method) or _tolerated(one.method, one.path)):
        return False
    at_base = [made for made in each.made if made.base_path == base.path] or each.made
    return not at_base or not found.params or any(made.mode.protocol == found.route.protocol for made in at_base)


def _tolerated(method: str, path: str) -> bool:
    return (method, path) in paths.harmless_methods()


def _lands(made: Made, method: str, base_path: str, table: RouteTable) -> str | None:
    """The path that the request has with this base path, None if it lands nowhere or at another protocol's route."""
    path = split_url(run(rule_of(made.mode), DEFAULT_ORIGIN + base_path, made.suffix)).path
    found = match(table, path)
    if found is None or not (allows(found.route, method) or _tolerated(method, path)):
        return None
    return path if found.route.protocol == made.mode.protocol or not found.params else None


def _fixes(
    seen: list[_Seen], base: _Base, identity: Identity | None, known: bool, setting: _Setting
) -> tuple[tuple[Fix, ...], tuple[tuple[str, str], ...]]:
    """The fixes for all of these requests, and those requests that no base URL helps. `known`: the client was named."""
    if identity is None or not known:
        return _intersected(seen, base, None, identity, setting)
    fixes, unserved, served = _solved(seen, base, identity, setting)
    if served:
        return fixes, unserved
    # No base URL is solved for the likeliest reading: another provider type may do (a Vertex AI path, say).
    explained, left = _intersected(seen, base, identity.client, identity, setting)
    told = {(fix.base_url, fix.note) for fix in explained}
    others = [fix for fix in fixes if (fix.base_url, fix.note) not in told]
    return (*explained, *others)[:_MOST_FIXES], left if explained or not fixes else unserved


class _Option(NamedTuple):
    """A base path (with a note: not alone) for which modes are solved; `lands`: request by number -> its new path."""

    base_path: str
    note: str | None
    modes: frozenset[Mode]
    lands: dict[int, tuple[str, bool]]


def _solved(
    seen: list[_Seen], base: _Base, identity: Identity, setting: _Setting
) -> tuple[tuple[Fix, ...], tuple[tuple[str, str], ...], bool]:
    """Solved for the client's modes, and proved with every request: its own suffix joined by its own mode's rule.

    Where the base URL in use has several readings, there are fixes for each, those of the likeliest first. The third
    value is False where nothing is solved for the likeliest one.
    """
    read = [tuple(one for one in each.made if one.base_path in base.paths) or each.made for each in seen]
    weights: dict[Mode, float] = {}
    for made in read:
        for one in made:
            weight = 1.0 if one.base_path == base.path else _OTHER_READING
            weight *= 1.0 if _is_usual(one) else _NOT_USUAL
            weights[one.mode] = max(weights.get(one.mode, 0.0), weight)
    modes = sorted(weights, key=lambda mode: -weights[mode])
    options = [*_options(modes, seen, read, setting.table), *_noted(modes, seen, read, setting.table)]
    needed = {number for option in options for number in option.lands}
    unserved = tuple((each.one.method, each.one.path) for number, each in enumerate(seen) if number not in needed)
    proved = [option for option in options if needed and len(option.lands) == len(needed)]
    if not proved or all(_is_right(seen[number], base, setting) for number in needed):
        return (), unserved, bool(proved)
    likeliest = {one.mode for made in read for one in made if one.base_path == base.path} or set(modes)
    served = any(option.modes & likeliest for option in proved)
    ceiling = fixing.EXACT if base.exact else fixing.WITH_CLIENT
    waiting = {mode for option in proved for mode in option.modes}
    total = sum(weights[mode] for mode in waiting)
    fixes: list[Fix] = []
    while waiting and len(fixes) < _MOST_FIXES:
        option = max(proved, key=lambda each: sum(weights[mode] for mode in each.modes & waiting))
        share = sum(weights[mode] for mode in option.modes & waiting) / total
        waiting -= option.modes
        agreed = 1.0 if option.note else _agreed(seen, option.base_path, identity, setting.table)
        fixes.append(_fix(option, seen, round(ceiling * share * agreed, 2), base, identity, setting))
    return tuple(fixes), unserved, served


def _options(
    modes: list[Mode], seen: list[_Seen], read: list[tuple[Made, ...]], table: RouteTable
) -> Iterable[_Option]:
    """Every base path that one of the modes is solved with, and which of the requests land with it."""
    solved: dict[str, set[Mode]] = {}
    for mode in modes:
        for solution in solve(mode, table):
            solved.setdefault(solution.base_path, set()).add(mode)
    for base_path, serves in solved.items():
        lands: dict[int, tuple[str, bool]] = {}
        for number, made in enumerate(read):
            for one in made:
                path = _lands(one, seen[number].one.method, base_path, table)
                if path is not None and (number not in lands or one.request.required > lands[number][1]):
                    lands[number] = path, one.request.required
        yield _Option(base_path, None, frozenset(serves), lands)


def _noted(modes: list[Mode], seen: list[_Seen], read: list[tuple[Made, ...]], table: RouteTable) -> Iterable[_Option]:
    """The same for modes that no base URL alone helps: a base path and an API version to set (see `Fix.note`)."""
    for mode in modes:
        if solve(mode, table):
            continue
        found: dict[tuple[str, str | None], dict[int, tuple[str, bool]]] = {}
        for number, made in enumerate(read):
            for one in made:
                if one.mode is not mode:
                    continue
                guesses = [
                    each._replace(modes=(mode,))
                    for each in from_base(seen[number].one.path, one.base_path, one.client, seen[number].one.method)
                    if mode in each.modes
                ]
                for fix in fixing.exact(guesses, table, "", "", fixing.EXACT):
                    if fix.note is not None:
                        lands = found.setdefault((fix.base_url, fix.note), {})
                        lands[number] = fix.resulting_path, one.request.required
        for (base_path, note), lands in found.items():
            yield _Option(base_path, note, frozenset((mode,)), lands)


def _agreed(seen: list[_Seen], base_path: str, identity: Identity, table: RouteTable) -> float:
    """How many of the clients that it can be (1.0 = all) have what they sent land with this base path."""
    if identity.confidence == GIVEN or not identity.rivals:
        return 1.0
    agreeing = sum(
        all(
            any(
                _lands(made, each.one.method, base_path, table)
                for made in made_by(each.one.path, each.one.method, rival)
            )
            for each in seen
        )
        for rival in identity.rivals
    )
    return identity.confidence + (1.0 - identity.confidence) * agreeing / len(identity.rivals)


def _fix(
    option: _Option, seen: list[_Seen], confidence: float, base: _Base, identity: Identity, setting: _Setting
) -> Fix:
    """The fix, shown by the request that says most: a required one, one that was wrong, the first."""
    shown = min(
        option.lands, key=lambda number: (not option.lands[number][1], option.lands[number][0] == seen[number].one.path)
    )
    resulting = option.lands[shown][0]
    reached = match(setting.table, resulting)
    return Fix(
        base_url=setting.origin + option.base_path,
        confidence=confidence,
        appends=fixing.appended(resulting, option.base_path),
        configured_base_url=None if base.path is None else setting.recorder + base.path,
        resulting_path=resulting,
        route=reached.route.path if reached is not None else "",
        clients=(identity.client.id, *(rival.id for rival in identity.rivals)),
        note=option.note,
    )


def _intersected(
    seen: list[_Seen], base: _Base, client: Client | None, likely: Identity | None, setting: _Setting
) -> tuple[tuple[Fix, ...], tuple[tuple[str, str], ...]]:
    """What `explaining` offers for each request: only what it offers for all of them, the least sure of each.

    A fix is kept only if the same base URL in use was assumed for each. `likely` is who it probably was.
    """
    believed = base.path if base.exact or base.path == setting.given else None
    merged: dict[tuple[str, str | None], Fix] | None = None
    unserved = []
    for each in seen:
        offered = _offered(each.one, believed, client, setting)
        if not offered:
            unserved.append((each.one.method, each.one.path))
            continue
        mine = {(fix.base_url, fix.note): fix for fix in reversed(offered)}
        if merged is None:
            merged = {key: mine[key] for key in dict.fromkeys((fix.base_url, fix.note) for fix in offered)}
            continue
        kept = {}
        for key, fix in merged.items():
            other = mine.get(key)
            if other is None or other.configured_base_url != fix.configured_base_url:
                continue
            shared = tuple(one for one in fix.clients if one in other.clients)
            kept[key] = fix._replace(confidence=min(fix.confidence, other.confidence), clients=shared)
        merged = kept
    fixes = sorted((merged or {}).values(), key=lambda fix: -fix.confidence)
    if likely is not None and not likely.rivals:
        fixes.sort(key=lambda fix: likely.client.id not in fix.clients)
    return tuple(fixes[:_MOST_FIXES]), tuple(unserved)


def _offered(one: Observed, believed: str | None, client: Client | None, setting: _Setting) -> tuple[Fix, ...]:
    """The fixes for one request; for one that lands already, the base URLs with which it goes on to do so."""
    table = setting.table
    base_url = None if believed is None else setting.recorder + believed
    explained = _judged(one.path, one.method, None, None, None, None, table, setting.origin, base_url, client)
    if explained.fixes:
        return tuple(_as_sent(fix, setting) for fix in explained.fixes)
    if explained.verdict != "routed" and explained.verdict != "not-a-path-problem":
        return ()
    guesses: list[Hypothesis]
    if believed is not None:
        guesses = from_base(one.path, believed, client, one.method)
        return fixing.exact(guesses, table, setting.origin, base_url or "", fixing.WITH_BASE)
    guesses = hypotheses(one.path, client, one.method, dissect(one.path, table_for(None)).endpoint)
    return fixing.guessed(guesses, table, setting.origin, setting.recorder, fixing.ALONE).fixes


def _as_sent(fix: Fix, setting: _Setting) -> Fix:
    """The fix with what it takes to be configured at the recorder's origin, since the request was sent there."""
    configured = fix.configured_base_url
    if configured is None or (configured != setting.origin and not configured.startswith(setting.origin + "/")):
        return fix
    return fix._replace(configured_base_url=setting.recorder + configured[len(setting.origin) :])


def _partials(seen: list[_Seen], identity: Identity | None, known: bool, setting: _Setting) -> tuple[Partial, ...]:
    """The same for the requests of each protocol, where there are several."""
    by_protocol: dict[str, list[_Seen]] = {}
    for each in seen:
        made = each.made or _fitting(made_by(each.one.path, each.one.method, None), each.one, None)
        for protocol in dict.fromkeys(one.mode.protocol for one in made):
            by_protocol.setdefault(protocol, []).append(
                each._replace(made=tuple(one for one in each.made if one.mode.protocol == protocol))
            )
    if len(by_protocol) < 2:
        return ()
    found = []
    for protocol, mine in by_protocol.items():
        base = _base_of(mine, setting.given) if known else _guessed_base(mine, setting.given)
        works = all(_is_right(each, base, setting) for each in mine)
        fixes = () if works else _fixes(mine, base, identity, known, setting)[0]
        modes = tuple(dict.fromkeys(made.mode for each in mine for made in each.made if made.base_path == base.path))
        configured = None if base.path is None else setting.recorder + base.path
        found.append(Partial(protocol, modes, configured, base.exact, fixes, works))
    return tuple(found) if any(each.fixes for each in found) else ()
