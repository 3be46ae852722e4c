"""What logs say was requested, in; what was wrong about it, how often and what to set, out.

The same request can stand in several places: in the proxy's log twice (when it came, and by its monitor when it was
answered), in its traffic database, in the access log of a server in front. Each of them is a view of the same traffic,
so for each path the largest count is taken, not the sum. Facts: proxy-config-and-logs.md, sections 4 and 5.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from antigravity_doctor.diagnosis.anatomy import dissect
from antigravity_doctor.diagnosis.explaining import Explanation, explain
from antigravity_doctor.diagnosis.identifying import named_by
from antigravity_doctor.diagnosis.matching import allows, match
from antigravity_doctor.diagnosis.model import Finding, Fix, Severity
from antigravity_doctor.diagnosis.secrets import MASK, redact
from antigravity_doctor.knowledge import paths
from antigravity_doctor.knowledge.clients import Client
from antigravity_doctor.knowledge.routes import RouteTable, table_for

KINDS = ("proxy-log", "monitor", "database", "access-log", "text")
"""Views of the traffic: the proxy's `Request:` lines, its `[Monitor]` lines, its database, another server's access log,
text in which requests are spoken of."""

SPAN = "span"
"""One more view, for the lines in which the proxy's web framework says how it has answered (debug logs before 4.0.0):
a part of the proxy's log, and shown as that."""

MOST_PATHS = 20_000
"""Distinct (source, method, path, status) of a kind of source that are kept apart."""

RESERVED = 10_000
"""And so many more for paths that an API may have, so that a scanner's guesses cannot crowd them out."""

_PASSING = ("AGD109", "AGD405", "AGD408", "AGD409")
"""What an upstream, a model, a body or a switch is to blame for: worth a word, and no fault of any setting."""

_NOISE = ("AGD601", "AGD602", "AGD603")
_MOST_AGENTS = 8

_MODEL = re.compile(r"(/models/)(?:[^/:?]+)((?::|%3[aA])[A-Za-z]+)$")
_ID = re.compile(
    r"/(?:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F-]{13,}|[0-9a-f]{16,}|\d{5,}"
    r"|(?:resp|msg|chatcmpl|thread|run|file|batch|asst|conv|req)[_-][A-Za-z0-9]{6,})(?=/|$)"
)


_FILE = re.compile(
    r"\.(?:php\d?|html?|aspx?|jspx?|cgi|js|mjs|css|map|png|jpe?g|gif|svg|ico|webp|woff2?|ttf|txt|xml|env|sql|bak|zip|gz)$",
    re.IGNORECASE,
)
"""What a web server hands out as files: no API has such a path, and a scanner asks for thousands."""


class Observation(NamedTuple):
    """How often one request stands in one kind of source (KINDS, or SPAN).

    `path` is the raw path without query, `method` and `status` None where the source does not say. `first` and `last`
    are seconds since 1970 or None. `agents`: (User-Agent, count), most frequent first. `admin`: the admin API's own
    guard wrote the line, so that /api is missing in front of the path.
    """

    kind: str
    method: str | None
    path: str
    status: int | None
    times: int
    first: float | None = None
    last: float | None = None
    agents: tuple[tuple[str, int], ...] = ()
    admin: bool = False


class LogFile(NamedTuple):
    """One source that was read. `format`: "proxy", "database", "combined", "gin", "caddy", "quoted" (a request line in
    quotes and a status) or "text" (none that is known). `lines` is 0 for a database. `first` and `last` in seconds
    since 1970, None where it says no times. `unread`: lines that were too many or too long to be read one by one.

    `problem`: None, "cut-off" (it broke off, or the disk did; what came before counts), or of a database "locked",
    "not-the-proxys", "broken", "denied" or "wal" (its newest rows are in a file that cannot be opened).
    """

    name: str
    format: str
    lines: int
    requests: int
    first: float | None
    last: float | None
    problem: str | None = None
    unread: int = 0


class NotRead(NamedTuple):
    """A source that was not read, and why: "missing", "denied", "binary", "empty", "no-logs" (a folder without any),
    "special" (no regular file), "io", or a packing that is not known ("zstd", "zip", "7z", "lz4")."""

    name: str
    why: str


class FailedStart(NamedTuple):
    """The proxy's last start, which failed: it could not listen on `address` (or port), and says `why`. `when` is in
    seconds since 1970, None where the line has no time."""

    when: float | None
    address: str
    why: str


class Asked(NamedTuple):
    """One kind of request, counted over all sources. `path` has keys masked, and `{model}` or `{id}` where `variants`
    (the number of distinct paths) is more than 1. `statuses`: (status or None, count), most frequent first."""

    method: str | None
    path: str
    times: int
    statuses: tuple[tuple[int | None, int], ...]
    first: float | None
    last: float | None
    agents: tuple[tuple[str, int], ...]
    variants: int
    kinds: tuple[str, ...]


class Group(NamedTuple):
    """Requests with one finding and one way out. `explanation` is that of the most telling; `client` is the one that
    they come from, where their User-Agents (or the user) name one."""

    code: str
    severity: Severity
    times: int
    first: float | None
    last: float | None
    client: Client | None
    explanation: Explanation
    requests: tuple[Asked, ...]

    @property
    def finding(self) -> Finding:
        """What is wrong with them."""
        return self.explanation.findings[0]

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """What to set, best first; () where no base URL helps."""
        return self.explanation.fixes


class Tally(NamedTuple):
    """Everything that was requested, sorted: most frequent first everywhere, errors before all else.

    `wrong`: the request was wrong. `failed`: path and method were right, the answer was a failure. `right`: the rest of
    the right ones. `harmless`: looks like a fault, is none. `answered`: no route of the proxy, but answered with 2xx
    or 3xx by whoever wrote the log. `foreign`: nothing that an API has; not meant for the proxy. `others`: not looked
    at, because there were too many distinct ones. `first`, `last`: the span of all of them.
    """

    wrong: tuple[Group, ...]
    failed: tuple[Group, ...]
    right: tuple[Asked, ...]
    harmless: tuple[Asked, ...]
    answered: tuple[Asked, ...]
    foreign: tuple[Asked, ...]
    others: int
    first: float | None
    last: float | None
    kinds: tuple[str, ...]

    @property
    def errors(self) -> int:
        """Requests with a finding of severity error."""
        return sum(each.times for each in (*self.wrong, *self.failed) if each.severity == "error")

    @property
    def total(self) -> int:
        """All requests, those not looked at included."""
        groups = sum(each.times for each in (*self.wrong, *self.failed))
        return groups + self.others + sum(
            each.times for part in (self.right, self.harmless, self.answered, self.foreign) for each in part
        )  # fmt: skip


def tally(
    observations: Iterable[Observation],
    *,
    table: RouteTable,
    origin: str,
    base_url: str | None = None,
    client: Client | None = None,
    others: int = 0,
    keys: tuple[str, ...] = (),
) -> Tally:
    """Sorts what was requested. `origin` is the proxy's, and what every fix is made for; `base_url` is the one in use
    and `client` the one that asks, where the user says so. `keys` are masked wherever they stand, besides all that
    looks like one. Never raises, whatever the paths."""
    every = _shaped(observations, keys)
    bins: dict[str, list[Asked]] = {"right": [], "harmless": [], "answered": [], "foreign": []}
    wrong: dict[tuple[object, ...], list[tuple[Asked, Explanation, Client | None]]] = {}
    failed: dict[tuple[object, ...], list[tuple[Asked, Explanation, Client | None]]] = {}
    for shape in every:
        clients = (client,) if client is not None else clients_of(shape.agents)
        who = clients[0] if len(clients) == 1 else None
        for part, kind, found in _judged(shape, table, origin, base_url, clients, keys):
            if found is None:
                bins[kind].append(part)
                continue
            best = found.fixes[0] if found.fixes else None
            key = (found.findings[0].code, best and (best.base_url, best.note), _meant(found, clients))
            (wrong if kind == "wrong" else failed).setdefault(key, []).append((part, found, who))
    spans = [each for each in every if each.times]
    return Tally(
        wrong=_groups(wrong),
        failed=_groups(failed),
        right=_sorted(bins["right"]),
        harmless=_sorted(bins["harmless"]),
        answered=_sorted(bins["answered"]),
        foreign=_sorted(bins["foreign"]),
        others=others,
        first=_earliest(each.first for each in spans),
        last=_latest(each.last for each in spans),
        kinds=tuple(kind for kind in KINDS if any(kind in each.kinds for each in every)),
    )


_PROXYS_OWN = ("options", "503", "web-ui")
_BLIND: dict[str, tuple[str, ...]] = {
    "proxy": (*_PROXYS_OWN, "status", "telemetry", "client", "old"),
    "database": (*_PROXYS_OWN, "database-keys", "database-off", "client"),
    "access-log": ("access",),
    "text": ("text",),
}
_SHOWN_BY = {"status": ("database", "access-log"), "database-keys": ("proxy",), "client": ("access-log",)}


def blind_spots(files: Iterable[LogFile]) -> tuple[str, ...]:
    """What these sources do not show, as keys of texts (`blind-…` in logs.json), so that silence is not read as health.

    What another one of them does show is left out. Facts: proxy-config-and-logs.md, sections 4 and 5.
    """
    known = ("proxy", "database", "text")
    kinds = {each.format if each.format in known else "access-log" for each in files}
    found = dict.fromkeys(spot for kind, spots in _BLIND.items() if kind in kinds for spot in spots)
    return (*(spot for spot in found if not kinds & set(_SHOWN_BY.get(spot, ()))), "elsewhere")


# --- one request in several views ------------------------------------------------------------------------------------


_Span = tuple[float | None, float | None]


class _Shape(NamedTuple):
    """Requests of one method whose paths differ only in a model or an id. `example` is one of the paths, masked, and
    `raw` the same as it was requested; `spans`: status -> first and last, where a source says both."""

    method: str | None
    path: str
    example: str
    raw: str
    times: int
    statuses: dict[int | None, int]
    spans: dict[int | None, _Span]
    first: float | None
    last: float | None
    agents: tuple[tuple[str, int], ...]
    variants: int
    kinds: tuple[str, ...]
    admin: bool

    def asked(self, statuses: dict[int | None, int]) -> Asked:
        """The part of it that was answered like this."""
        shown = ("/api" if self.admin else "") + (self.path if self.variants > 1 else self.example)
        order = sorted(statuses.items(), key=lambda each: (-each[1], each[0] or 0))
        spans = [self.spans.get(status, (self.first, self.last)) for status in statuses]
        return Asked(
            self.method,
            shown,
            sum(statuses.values()),
            tuple(order),
            _earliest(first for first, _ in spans),
            _latest(last for _, last in spans),
            self.agents,
            self.variants,
            self.kinds,
        )


def _shaped(observations: Iterable[Observation], keys: tuple[str, ...]) -> list[_Shape]:
    views: dict[tuple[str | None, str, bool], list[Observation]] = {}
    for each in observations:
        views.setdefault((each.method, each.path, each.admin), []).append(each)
    shapes: dict[tuple[str | None, str, bool], list[tuple[str, str, dict[int | None, int], list[Observation]]]] = {}
    for (method, path, admin), every in views.items():
        masked = redact(path, *keys)
        shape = _ID.sub("/{id}", _MODEL.sub(r"\1{model}\2", masked))
        shapes.setdefault((method, shape, admin), []).append((masked, path, _once(every), every))
    found = []
    for (method, shape, admin), parts in shapes.items():
        statuses: Counter[int | None] = Counter()
        agents: Counter[str] = Counter()
        for _, _, counts, every in parts:
            statuses.update(counts)
            for one in every:
                agents.update({redact(agent, *keys): count for agent, count in one.agents})
        every = [one for _, _, _, some in parts for one in some]
        spans: dict[int | None, _Span] = {}
        for one in every:
            if one.status is not None:
                first, last = spans.get(one.status, (None, None))
                spans[one.status] = (_earliest((first, one.first)), _latest((last, one.last)))
        example, raw, _, _ = max(parts, key=lambda each: sum(each[2].values()))
        kinds = {shown_kind(one.kind) for one in every}
        found.append(
            _Shape(
                method,
                shape,
                example,
                raw,
                sum(statuses.values()),
                dict(statuses),
                spans,
                _earliest(one.first for one in every),
                _latest(one.last for one in every),
                tuple(agents.most_common(_MOST_AGENTS)),
                len({masked for masked, _, _, _ in parts}),
                tuple(kind for kind in KINDS if kind in kinds),
                admin,
            )
        )
    return found


def _once(every: Sequence[Observation]) -> dict[int | None, int]:
    """How often one path was requested, by status: the largest view counts, and the one that says most of answers."""
    if len(every) == 1:
        return {every[0].status: every[0].times}
    views: dict[str, Counter[int | None]] = {}
    for each in every:
        views.setdefault(each.kind, Counter())[each.status] += each.times
    most = max(sum(view.values()) for view in views.values())
    best = max(views.values(), key=lambda view: sum(count for status, count in view.items() if status is not None))
    counts = dict(best)
    missing = most - sum(best.values())
    if missing:
        counts[None] = counts.get(None, 0) + missing
    return counts


def shown_kind(kind: str) -> str:
    """The kind of source (KINDS) that people know a view by."""
    return "proxy-log" if kind == SPAN else kind


def clients_of(agents: Sequence[tuple[str, int]]) -> tuple[Client, ...]:
    """The clients that these User-Agents name, the best-known first; () where there is an unknown one among them."""
    found: dict[Client, None] = {}
    for agent, _ in agents:
        named = named_by(agent).clients
        if not named:
            return ()
        found.update(dict.fromkeys(named))
    return tuple(found)


# --- what is wrong with it -------------------------------------------------------------------------------------------


def _judged(
    shape: _Shape,
    table: RouteTable,
    origin: str,
    base_url: str | None,
    clients: tuple[Client, ...],
    keys: tuple[str, ...],
) -> Iterable[tuple[Asked, str, Explanation | None]]:
    """The request in parts: (part, bin, explanation); the explanation is None in a bin that needs none."""
    method, raw, statuses = shape.method, shape.raw, shape.statuses
    if shape.admin or method == "OPTIONS":
        # A preflight is a browser's question; what it asks for comes as a request of its own.
        yield shape.asked(statuses), "harmless", None
        return
    path, _ = _judgeable(raw, keys)
    asked: dict[str, Any] = {"table": table, "origin": origin, "method": method, "clients": clients, "keys": keys}
    reached = match(table, path)
    if reached is not None and (method is None or allows(reached.route, method)):
        fine = {status: count for status, count in statuses.items() if status is None or status < 400}
        if fine:
            yield shape.asked(fine), "right", None
        for status, count in statuses.items():
            if status is None or status < 400:
                continue
            found = explained(raw, status=status, **asked)
            if found.findings and found.findings[0].code not in _NOISE:
                yield shape.asked({status: count}), "failed", found
            else:
                yield shape.asked({status: count}), "right", None
        return
    if _FILE.search(path) and path not in paths.harmless():
        yield shape.asked(statuses), "foreign", None
        return
    found = explained(raw, base_url=base_url, **asked)
    main = found.findings[0] if found.findings else None
    if main is None or main.code in _NOISE:
        yield shape.asked(statuses), "harmless", None
        return
    if main.code == "AGD316" and not _like_an_api(path):
        yield shape.asked(statuses), "foreign", None
        return
    answered: dict[int | None, int] = {
        status: count for status, count in statuses.items() if status is not None and 200 <= status < 400
    }
    if answered:
        yield shape.asked(answered), "answered", None
    missed = {status: count for status, count in statuses.items() if status not in answered}
    if missed:
        # What the commonest answer adds (a 401 that hides the miss, a 405 of the web UI) belongs to the explanation.
        status = max(missed, key=lambda each: missed[each])
        if status is not None:
            found = explained(raw, status=status, base_url=base_url, **asked)
        yield shape.asked(missed), "wrong", found


_PLACEHOLDER = "maskedkey"


def explained(path: str, *, clients: Sequence[Client] = (), keys: tuple[str, ...] = (), **asked: Any) -> Explanation:
    """`explain` for a path that may hold a key (a client that puts it in the place of a model): judged as if a word
    stood there, since the mask's own characters would be taken for a fault, and shown with the mask.

    `clients`: one of these has asked for it, as far as is known; () for any. `keys` as in `tally`.
    """
    judged, placeholder = _judgeable(path, keys)
    found = explain(judged, client=clients[0] if len(clients) == 1 else None, **asked)
    if len(clients) > 1:
        found = among(found, clients)
    return _masked(found, placeholder) if placeholder else found


def among(found: Explanation, clients: Sequence[Client]) -> Explanation:
    """The same for one of these clients, whichever: only the base URLs that are right for what they append themselves.

    Unchanged where none of them is known to make such a path: then it did something that nobody has seen.
    """
    ids = {each.id for each in clients}
    kept = [(each, tuple(id_ for id_ in each.clients if id_ in ids)) for each in found.fixes]
    kept = [(each, some) for each, some in kept if some]
    if not kept:
        return found
    # What was believed of the others goes to those that are left. Each client may be the one, so an answer is the
    # likelier the more of them it holds for.
    total = sum(each.confidence for each in found.fixes)
    weights = [each.confidence * len(some) for each, some in kept]
    fixes = [
        each._replace(clients=some, confidence=round(total * weight / (sum(weights) or 1.0), 2))
        for (each, some), weight in zip(kept, weights, strict=True)
    ]
    return found._replace(fixes=tuple(sorted(fixes, key=lambda each: -each.confidence)))


def _meant(found: Explanation, clients: Sequence[Client]) -> frozenset[str]:
    """Whom an advice was narrowed to: what others have sent is mended by another setting."""
    ids = frozenset(each.id for each in clients)
    makers = [each.clients for each in found.fixes] or [()]
    narrowed = len(ids) == 1 or all(some and ids.issuperset(some) for some in makers)
    return ids if narrowed else frozenset()


def _judgeable(path: str, keys: tuple[str, ...]) -> tuple[str, str]:
    """A path with a word of letters instead of each key, and that word; "" where there is no key in it."""
    masked = redact(path, *keys)
    if masked == path:
        return path, ""
    placeholder = _PLACEHOLDER
    while placeholder in path.lower():
        placeholder += "y"
    return masked.replace(MASK, placeholder), placeholder


def _masked(value: Any, placeholder: str) -> Any:
    """The same value with the mask instead of the placeholder in every text of it."""
    if isinstance(value, str):
        return value.replace(placeholder, MASK)
    if isinstance(value, tuple):
        if type(value) in (Explanation, Finding, Fix):
            return type(value)(*(_masked(each, placeholder) for each in value))
        return tuple(_masked(each, placeholder) for each in value) if type(value) is tuple else value
    if isinstance(value, Mapping):
        return {name: _masked(each, placeholder) for name, each in value.items()}
    return value


@lru_cache(maxsize=4096)
def _like_an_api(path: str) -> bool:
    """Whether a path that resembles no route could at least be one of an AI API: it has a version or an endpoint."""
    anatomy = dissect(path, table_for(None))
    return anatomy.kinds.strip("o") != "" or anatomy.front in paths.foreign_prefixes()


def _groups(found: dict[tuple[object, ...], list[tuple[Asked, Explanation, Client | None]]]) -> tuple[Group, ...]:
    groups = []
    for every in found.values():
        every.sort(key=lambda each: -each[0].times)
        _, explanation, client = every[0]
        main = explanation.findings[0]
        requests = _sorted([asked for asked, _, _ in every])
        groups.append(
            Group(
                main.code,
                "warning" if main.code in _PASSING else main.severity,
                sum(each.times for each in requests),
                _earliest(each.first for each in requests),
                _latest(each.last for each in requests),
                client,
                explanation,
                requests,
            )
        )
    order = ("error", "warning", "info")
    return tuple(sorted(groups, key=lambda each: (order.index(each.severity), -each.times, each.requests[0].path)))


def _sorted(every: list[Asked]) -> tuple[Asked, ...]:
    return tuple(sorted(every, key=lambda each: (-each.times, each.path, each.method or "")))


def _earliest(times: Iterable[float | None]) -> float | None:
    return min((each for each in times if each is not None), default=None)


def _latest(times: Iterable[float | None]) -> float | None:
    return max((each for each in times if each is not None), default=None)
