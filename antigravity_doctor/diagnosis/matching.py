"""Which route a request reaches: exactly as axum 0.7 with matchit 0.7 decides it, no more forgiving.

The path is taken as it was sent. Nothing is normalised: a trailing or doubled slash, another case, a percent-escape
in a fixed segment is a miss (facts/proxy-semantics.md §7). Only the value of a parameter is decoded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from antigravity_doctor.knowledge.routes import Route, RouteTable, parameter_value

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_NONE: Mapping[str, str] = {}


class Match(NamedTuple):
    """The route that a path reaches, and the decoded values of its parameters by name."""

    route: Route
    params: Mapping[str, str]


def match(table: RouteTable, path: str) -> Match | None:
    """The route of a path (no query, not decoded), whatever the method; None is a route miss. Never raises."""
    route = table.static.get(path)
    if route is not None:
        return Match(route, _NONE)
    for prefix, name, suffix, candidate in table.patterns:
        if path.startswith(prefix):
            value = parameter_value(prefix, suffix, path)
            if value is not None:
                return Match(candidate, {name: decode(value)})
    return None


def allows(route: Route, method: str) -> bool:
    """True if the route serves the method, given in upper case (GET serves HEAD; ANY serves all)."""
    methods = route.methods
    return method in methods or (method == "HEAD" and "GET" in methods) or methods == ("ANY",)


def allow_header(route: Route) -> str | None:
    """The Allow header that the route sends with a wrong method; None for one that never sends it (ANY)."""
    return route.allow


def decode(segment: str) -> str:
    """Percent-decodes one path segment as UTF-8; bytes that are no UTF-8 become replacement characters."""
    if "%" not in segment:
        return segment
    raw = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), segment.encode("utf-8", "replace").decode("latin-1"))
    return raw.encode("latin-1").decode("utf-8", "replace")
