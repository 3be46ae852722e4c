"""What a proxy of a given version and mode answers to a request: the layers of the proxy, as a pure function.

The order of the layers is that of facts/proxy-semantics.md §1, outermost first: HTTP parser, web UI (which serves
what no route has, outside everything else), CORS, service switch, IP filter, auth, method, handler. Every recorded
answer of facts/replica-measurements.json is reproduced (tests/proxy/test_proxy_model.py). What a handler does with a
request that reaches it is not modelled: it counts as 200.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

from antigravity_doctor.diagnosis.matching import Match, allow_header, allows, match
from antigravity_doctor.knowledge.behaviour import AdminLayer, Behaviour, behaviour_of, text
from antigravity_doctor.knowledge.routes import Route, RouteTable, table_for
from antigravity_doctor.knowledge.versions import Version, reported_by, resolve

AuthMode = Literal["off", "strict", "all_except_health", "auto"]
BodyKind = Literal[
    "empty", "handler", "health-json", "token-rejected", "ip-blocked", "disabled", "html", "file", "preflight"
]

JSON = "application/json"
PLAIN = "text/plain; charset=utf-8"
HTML = "text/html"
VARY = "origin, access-control-request-method, access-control-request-headers"

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^/?#]+")
_AUTHORITY = re.compile(r"[A-Za-z0-9\-._~%!$&'()*+,;=:@\[\]]+")
_READABLE = re.compile(r"[\t\x20-\x7e]*")


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """A proxy: its version (None is the newest) and the settings that its answers depend on.

    `running` False is the service switched off (v4 answers 503; in v3 the port is closed, so it makes no difference
    here). `web_ui` is the Docker image or a desktop app that found a `dist` folder; versions before 4.0.0 have none.
    `api_key_empty` is a settings file with an empty `api_key`. `mcp_on` False is the default: the toggles of /mcp/*
    are off. `auth` is ignored by versions that ask for no key.
    """

    version: str | None = None
    auth: AuthMode = "off"
    web_ui: bool = False
    running: bool = True
    api_key: str = field(default="sk-stand-in", repr=False)
    admin_password: str | None = field(default=None, repr=False)
    allow_lan: bool = False
    ip_blocked: bool = False
    api_key_empty: bool = False
    mcp_on: bool = False


@dataclass(frozen=True, slots=True)
class RequestHead:
    """A request as far as the proxy's layers look at it. `target` is the request target as sent (path with query,
    absolute URL, `*`, authority); `headers` has lower-case names and, of repeated headers, the first value."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes back. `route` is the route that the path belongs to, reached or not; `handler` says whether the
    request came through to its handler, whose own doing then decides status, content type and body (status 200 and
    None here). `text` is the body where it is known. `cors` says whether CORS headers are on it."""

    status: int
    allow: str | None
    content_type: str | None
    body: BodyKind
    text: str | None
    cors: bool
    route: Route | None
    handler: bool

    @property
    def content_length(self) -> int | None:
        """Bytes of the body (of a HEAD answer: those that GET would have); None where the handler or a file decides."""
        return None if self.text is None else len(self.text.encode())


class Target(NamedTuple):
    """A request target, split: the raw path ("" in authority form) and the query without its question mark."""

    path: str
    query: str | None


class _Proxy(NamedTuple):
    version: Version
    behaviour: Behaviour
    table: RouteTable


@lru_cache(maxsize=256)
def _proxy(version: str | None) -> _Proxy:
    found = resolve(version)
    return _Proxy(found, behaviour_of(found), table_for(found))


def split_target(target: str) -> Target | None:
    """The path and query of a request target, None if the proxy's HTTP parser refuses it (`v1/models`)."""
    found = None if target.startswith("/") else _ABSOLUTE.match(target)
    rest = target if found is None else target[found.end() :]
    rest = rest.partition("#")[0]
    path, mark, query = rest.partition("?")
    if found is not None:
        return Target(path or "/", query if mark else None)
    if target.startswith("/") or target == "*":
        return Target(path, query if mark else None)
    return Target("", None) if _AUTHORITY.fullmatch(target) else None


def key_of(behaviour: Behaviour, headers: Mapping[str, str]) -> str | None:
    """The key that the proxy takes a request to carry, None if it sees none. A header whose value is not printable
    ASCII is passed over; one that is empty is a key (a wrong one)."""
    for name in behaviour.key_headers:
        value = headers.get(name)
        if value is not None and _READABLE.fullmatch(value):
            return value.removeprefix("Bearer ") if name == "authorization" else value
    return None


def effective_auth(config: ServerConfig) -> Literal["off", "strict", "all_except_health"]:
    """The mode that applies: versions that ask for no key are off, `auto` follows `allow_lan`."""
    if not _proxy(config.version).behaviour.key_headers:
        return "off"
    if config.auth == "auto":
        return "all_except_health" if config.allow_lan else "off"
    return config.auth


def answer(config: ServerConfig, request: RequestHead) -> Answer:
    """What a proxy so configured answers to a request with this head.

    Raises ValueError for a version that `knowledge.versions.parse_version` refuses, nothing else.
    """
    proxy = _proxy(config.version)
    behaviour = proxy.behaviour
    target = split_target(request.target)
    if target is None:
        return Answer(400, None, None, "empty", "", cors=False, route=None, handler=False)
    found = match(proxy.table, target.path)
    if found is None and config.web_ui and behaviour.web_ui is not None:
        return _web_ui(behaviour, request.method, target.path)
    cors = behaviour.cors is not None
    route = found.route if found else None
    if cors and request.method == "OPTIONS":
        return Answer(200, allow_header(route) if route else None, None, "preflight", "", cors, route, handler=False)
    allow = allow_header(route) if route is not None and not allows(route, request.method) else None
    refused = _guard(proxy, config, request, target.path, route)
    if refused is not None:
        status, content_type, kind, body = refused
        return Answer(status, allow, content_type, kind, body, cors, route, handler=False)
    if found is None or route is None:
        return Answer(404, None, None, "empty", "", cors, None, handler=False)
    if not allows(route, request.method):
        return Answer(405, allow, None, "empty", "", cors, route, handler=False)
    return _handled(proxy, config, found, cors)


_Refusal = tuple[int, str | None, BodyKind, str]
_UNAUTHORIZED: _Refusal = (401, None, "empty", "")


def _web_ui(behaviour: Behaviour, method: str, path: str) -> Answer:
    web_ui = behaviour.web_ui
    assert web_ui is not None  # noqa: S101 - the caller has looked
    if method not in ("GET", "HEAD"):
        return Answer(405, web_ui.allow, None, "empty", "", cors=False, route=None, handler=False)
    kind = web_ui.files.get(path)
    if kind is not None:
        return Answer(200, None, kind, "file", None, cors=False, route=None, handler=False)
    return Answer(200, None, HTML, "html", None, cors=False, route=None, handler=False)


def _guard(
    proxy: _Proxy, config: ServerConfig, request: RequestHead, path: str, route: Route | None
) -> _Refusal | None:
    """The answer of the layers between CORS and the method check, None if they let the request through."""
    behaviour = proxy.behaviour
    switch = behaviour.service_switch
    if not config.running and switch is not None and not switch.lets_through(path):
        return 503, PLAIN, "disabled", text("disabled")
    if route is not None and route.auth == "none":
        return None
    if route is not None and route.auth == "admin":
        assert behaviour.admin is not None  # noqa: S101 - no version has admin routes without the layer
        return _admin_auth(behaviour, behaviour.admin, config, request, path)
    if config.ip_blocked and behaviour.ip_filter:
        return 403, JSON, "ip-blocked", text("ip_blocked") % _client_ip(request.headers)
    return _key_auth(behaviour, config, request, path)


def _key_auth(behaviour: Behaviour, config: ServerConfig, request: RequestHead, path: str) -> _Refusal | None:
    mode = effective_auth(config)
    if mode == "off" or path.startswith(behaviour.open_prefixes):
        return None
    if mode == "all_except_health" and path in behaviour.health_paths:
        return None
    if _no_key_is_set(behaviour, config):
        return _UNAUTHORIZED
    key = key_of(behaviour, request.headers)
    if key is None:
        return _UNAUTHORIZED
    if key == _api_key(config):
        return None
    if behaviour.wrong_key_status == 403:
        return 403, JSON, "token-rejected", text("token_rejected")
    return _UNAUTHORIZED


def _admin_auth(
    behaviour: Behaviour, admin: AdminLayer, config: ServerConfig, request: RequestHead, path: str
) -> _Refusal | None:
    if path in admin.open or (admin.open_when_off and effective_auth(config) == "off"):
        return None
    if _no_key_is_set(behaviour, config):
        return _UNAUTHORIZED
    password = config.admin_password if admin.password else None
    return None if key_of(behaviour, request.headers) == (password or _api_key(config)) else _UNAUTHORIZED


def _api_key(config: ServerConfig) -> str:
    return "" if config.api_key_empty else config.api_key


def _no_key_is_set(behaviour: Behaviour, config: ServerConfig) -> bool:
    password = config.admin_password if behaviour.admin is not None and behaviour.admin.password else None
    return not _api_key(config) and not password


def _client_ip(headers: Mapping[str, str]) -> str:
    forwarded = headers.get("x-forwarded-for", "").partition(",")[0].strip()
    return forwarded or headers.get("x-real-ip", "").strip() or "127.0.0.1"


def _handled(proxy: _Proxy, config: ServerConfig, found: Match, cors: bool) -> Answer:
    route = found.route
    if route.protocol == "mcp" and not config.mcp_on:
        return Answer(404, None, None, "empty", "", cors, route, handler=True)
    if route.protocol == "health":
        return Answer(200, None, JSON, "health-json", health_json(proxy.version), cors, route, handler=True)
    return Answer(200, None, None, "handler", None, cors, route, handler=True)


def health_json(version: str | Version | None) -> str:
    """The body of a health answer of a version. Raises ValueError as `answer` does."""
    found = resolve(version)
    if behaviour_of(found).health_version:
        return f'{{"status":"ok","version":"{reported_by(found)}"}}'
    return '{"status":"ok"}'
