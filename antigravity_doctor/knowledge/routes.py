"""The proxy's route table by version (`proxy/routes.json`): what each version serves, and since when.

Paths are patterns in axum's syntax, `:name` being exactly one non-empty segment. `diagnosis.matching` matches them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from antigravity_doctor.knowledge.files import load_json
from antigravity_doctor.knowledge.versions import Version, known_tags, nearest_known, parse_version, resolve

Auth = Literal["key", "admin", "none"]
Body = Literal["json", "multipart", "any", "none"]


class Route(NamedTuple):
    """A route as one version serves it.

    `methods` are in the order in which the proxy lists them; ("ANY",) answers every method. `since` and `until` are
    the tags ("v4.0.10") between which this path has been served without a gap; `until` None means still. `auth` is
    what guards it: the auth mode ("key"), the admin layer of /api ("admin") or nothing. `probe` False: never send it
    anything but OPTIONS. `body` is what its POST handler demands. `allow` is the Allow header that it sends with a
    wrong method, None if it never sends one.
    """

    path: str
    methods: tuple[str, ...]
    protocol: str
    since: str
    until: str | None
    auth: Auth
    probe: bool
    body: Body
    allow: str | None
    summary: str

    @property
    def admin(self) -> bool:
        """True for the app's own /api, which no client of a model uses."""
        return self.auth == "admin"


class Span(NamedTuple):
    """Tags, both included, between which a path was served with these methods; `until` None means still."""

    since: str
    until: str | None
    methods: tuple[str, ...]


class RouteHistory(NamedTuple):
    """A path over all versions. `spans` are oldest first; a gap between two of them is a time without the path."""

    path: str
    protocol: str
    auth: Auth
    probe: bool
    body: Body
    summary: str
    spans: tuple[Span, ...]
    presence: tuple[tuple[str, str | None], ...]

    @property
    def since(self) -> str:
        """The first tag that served the path."""
        return self.presence[0][0]

    @property
    def until(self) -> str | None:
        """The last tag that served it, None if the newest does."""
        return self.presence[-1][1]


class Pattern(NamedTuple):
    """A route with a parameter: the text before it, its name, the text after it (no route has two)."""

    prefix: str
    name: str
    suffix: str
    route: Route


class RouteTable(NamedTuple):
    """All that one version serves. `static` has the routes without parameter by path, `patterns` the others.
    `unlisted` are prefixes below which the proxy has more routes than this table: a miss there is not known to be
    one."""

    version: Version
    routes: tuple[Route, ...]
    static: Mapping[str, Route]
    patterns: tuple[Pattern, ...]
    unlisted: tuple[str, ...]

    # Caches are keyed by the table, and there is one object a version: identity is equality, and cheap.
    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    data: dict[str, Any] = load_json("proxy", "routes.json")
    return data


@lru_cache(maxsize=1)
def all_routes() -> tuple[RouteHistory, ...]:
    """Every path that any version served, with its history, in order of first appearance (admin paths last)."""
    return tuple(_history(entry) for entry in _data()["routes"])


def history(path: str) -> RouteHistory | None:
    """The history of a path (exact, no query; a pattern or what it matches), None if no version ever served it."""
    exact = next((route for route in all_routes() if route.path == path), None)
    return exact or next((route for route in all_routes() if ":" in route.path and _fits(route.path, path)), None)


def table_for(version: str | Version | None = None) -> RouteTable:
    """The routes of a version; None is the newest known, an unknown version gets those of the newest older tag.

    Raises ValueError as `versions.parse_version` does.
    """
    return _table(nearest_known(resolve(version)))


@lru_cache(maxsize=32)
def _table(version: Version) -> RouteTable:
    routes = []
    for route in all_routes():
        span = next((span for span in route.spans if within(version, span.since, span.until)), None)
        if span is None:
            continue
        since, until = next(pair for pair in route.presence if within(version, *pair))
        allow = allow_of(span.methods)
        routes.append(
            Route(
                route.path,
                span.methods,
                route.protocol,
                since,
                until,
                route.auth,
                route.probe,
                route.body,
                allow,
                route.summary,
            )
        )
    return RouteTable(
        version=version,
        routes=tuple(routes),
        static={route.path: route for route in routes if ":" not in route.path},
        patterns=tuple(Pattern(*split_pattern(route.path), route) for route in routes if ":" in route.path),
        unlisted=tuple(
            entry["prefix"] for entry in _data()["unlisted"] if within(version, entry["since"], entry["until"])
        ),
    )


def within(version: Version, since: str, until: str | None) -> bool:
    """True if a version lies between two tags, both included; `until` None is open."""
    return parse_version(since) <= version and (until is None or version <= parse_version(until))


def allow_of(methods: tuple[str, ...]) -> str | None:
    """The Allow header that axum 0.7 sends for a path with these methods: `GET,HEAD`, without spaces."""
    if methods == ("ANY",):
        return None
    return ",".join("GET,HEAD" if method == "GET" else method for method in methods)


def split_pattern(pattern: str) -> tuple[str, str, str]:
    """Text before the parameter, its name, text after it: ("/api/logs/", "logId", "") of "/api/logs/:logId"."""
    prefix, _, rest = pattern.partition(":")
    name, slash, suffix = rest.partition("/")
    return prefix, name, slash + suffix


def parameter_value(prefix: str, suffix: str, path: str) -> str | None:
    """What stands in place of the parameter, undecoded; None if the path does not fit: one non-empty segment."""
    value = path[len(prefix) : len(path) - len(suffix)]
    fits = value and "/" not in value and path.startswith(prefix) and path.endswith(suffix)
    return value if fits else None


def _fits(pattern: str, path: str) -> bool:
    prefix, _, suffix = split_pattern(pattern)
    return parameter_value(prefix, suffix, path) is not None


def _history(entry: Mapping[str, Any]) -> RouteHistory:
    spans = tuple(Span(span["since"], span["until"], tuple(span["methods"])) for span in entry["spans"])
    tags = known_tags()
    presence: list[tuple[str, str | None]] = []
    for span in spans:
        previous = presence[-1][1] if presence else None
        if previous is not None and tags.index(previous) + 1 == tags.index(span.since):
            presence[-1] = (presence[-1][0], span.until)
        else:
            presence.append((span.since, span.until))
    return RouteHistory(
        path=entry["path"],
        protocol=entry["protocol"],
        auth=entry["auth"],
        probe=entry["probe"],
        body=entry["body"],
        summary=entry["summary"],
        spans=spans,
        presence=tuple(presence),
    )
