"""What a request found in text is: the result type, how a target is taken apart, and what is masked.

Pure functions over strings. This module is on the start-up path of `explain-path`, so its patterns are compiled when
they are first needed (`re` caches them), not when the module is imported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

INPUT_LIMIT = 300
"""Characters of `FoundRequest.input`."""

BODY_LIMIT = 2000
"""Characters of `FoundRequest.body`."""

METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"})
"""Methods that count in running text. TRACE is left out (it is a log level there), and CONNECT has no path."""

MASK = "***"


@dataclass(frozen=True, slots=True)
class FoundRequest:
    """One HTTP request that a text speaks of. A field is None when the text does not say it.

    `input`   the excerpt it was found in: at most 300 characters, without terminal controls, keys replaced by `***`,
              otherwise raw (not yet safe to print as markup).
    `url`     `scheme://host[:port]`, only if the text gave a scheme; never with credentials.
    `path`    the raw request path as sent, never empty, from its first slash on (one is added if the text had none).
    `query`   what followed the first `?`, raw: it may hold a key. "" if the `?` was there with nothing after it.
    `body`    text of the error answer, at most 2000 characters, keys replaced; "" if the text says there was none.
    `headers` of the answer, names in lower case, plus hints: `("x-key-in-query", "yes")`; on a line of the proxy's
              own log `("x-admin-stripped", "yes")`: the path is one of the admin API, below /api when it was sent;
              on one of an access log `("x-user-agent", …)`: who has asked.
    `host`    `host[:port]` as given, also where `url` is None (`127.0.0.1:8045/v1`, `Host: …`).
    `source`  "path", "url", "access-log", "proxy-log", "client-error", "curl" (any command line), "json" or "text";
              "setting" for a base URL in a setting, "connection" for an address that is known only by its error.
    `failure` why no connection came about: "refused", "timeout", "name", "tls" or "reset".
    `setting` the name of the variable, key or argument that holds this URL as a base URL.
    """

    input: str
    method: str | None
    url: str | None
    path: str
    query: str | None
    status: int | None
    body: str | None
    headers: tuple[tuple[str, str], ...]
    host: str | None
    source: str
    failure: str | None = None
    setting: str | None = None


def split_target(target: str, *, keep_fragment: bool = False) -> tuple[str | None, str | None, str, str | None]:
    """(origin, host, path, query) of an absolute URL or of an origin-form target. Credentials are dropped.

    A fragment is never sent, so it is cut off; in a server's log (`keep_fragment`) a `#` really was in the path.
    """
    origin = host = None
    colon = target.find("://", 0, 8)
    if colon > 0 and target[:colon].lower() in ("http", "https", "ws", "wss"):
        rest = target[colon + 3 :]
        authority, rest = _split_authority(rest)
        host = authority or None
        origin = f"{target[:colon]}://{authority}" if authority else None
        target = rest
    if not keep_fragment:
        target = target.partition("#")[0]
    path, mark, query = target.partition("?")
    if not path.startswith("/"):
        path = "/" + path
    return origin, host, path, query if mark else None


def _split_authority(rest: str) -> tuple[str, str]:
    """(host[:port], what follows it). A password may hold a slash, so a port that is none makes it credentials."""
    cut = min((at for at in (rest.find(mark) for mark in "/?#") if at >= 0), default=len(rest))
    authority = rest[:cut]
    if "@" in authority:
        return authority.rpartition("@")[2], rest[cut:]
    port = authority.rpartition(":")[2]
    if ":" in authority and not authority.startswith("[") and port and not port.isdigit() and "@" in rest:
        return _split_authority(rest.partition("@")[2])
    return authority, rest[cut:]


_NAMES = r"(?:api[ _-]?key|authorization|(?:access|auth|refresh|id|session)[_-]?token|secret|passw(?:or)?d|pwd|cookie)"
# (what the lower-case text must hold for the pattern to be tried: the patterns are slow, most texts hold no key;
#  pattern; replacement)
_MASKS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    # credentials in a URL
    (("@",), r"(://)[^/\s@\"'<>]{1,400}@", rf"\1{MASK}@"),
    # a parameter of a query, also percent-escaped
    (
        ("=", "%3d"),
        r"((?:[?&;]|%3[fF]|%26)(?:[\w.-]{0,40}?)(?:key|token|secret|passw(?:or)?d|auth|sig(?:nature)?|credential)"
        r"[\w.-]{0,20}(?:=|%3[dD]))[^&\s\"'<>`#]+",
        rf"\1{MASK}",
    ),
    # header or setting: name, separator, optional scheme word, value
    (
        ("key", "authorization", "token", "secret", "passw", "pwd", "cookie"),
        rf"({_NAMES}[\"']?\s{{0,4}}[:=]\s{{0,4}}[\[(\"']{{0,3}})(?:(?:bearer|basic|token|digest)\s+)?[^\s\"',&}}]+",
        rf"\1{MASK}",
    ),
    (("key", "token"), r"((?<![\w-])(?:key|token)[\"']?\s{0,4}[:=]\s{0,4}[\[(\"']{0,3})[^\s\"',&}]+", rf"\1{MASK}"),
    (("bearer", "basic"), r"((?<!\w)(?:bearer|basic)\s+)[^\s\"',]{3,}", rf"\1{MASK}"),
    (
        ("-u", "-a", "--token", "--passw"),
        r"((?:^|\s)(?:-u|--user|--api-key|--token|--password|-a|--auth)[\s=]+[\"']?)[^\s\"']+",
        rf"\1{MASK}",
    ),
    # `setx ANTHROPIC_AUTH_TOKEN …`
    (("_key", "_token", "_secret"), r"(_(?:KEY|TOKEN|SECRET)\s{1,4}[\"']?)[^\s\"']{8,}", rf"\1{MASK}"),
    # HAR: {"name": "x-api-key", "value": …}
    (
        ("value",),
        r"(\"name\"\s?:\s?\"[^\"]{0,40}(?:key|auth|token|cookie|secret)[^\"]{0,20}\"\s?,\s?\"value\"\s?:\s?\")[^\"]+",
        rf"\1{MASK}",
    ),
    # sentences: "the API key is …", in the languages that people paste
    (
        ("key", "密", "令牌", "キー"),
        r"((?:api[ _-]?key|密钥|密鑰|令牌|キー)\W{0,3}(?:is|为|是|為)?\W{0,3})[A-Za-z0-9_-]{12,}",
        rf"\1{MASK}",
    ),
    # keys that are known by their shape
    (("sk-", "pk-", "rk-"), r"(?<![A-Za-z0-9])(?:sk|pk|rk)-[A-Za-z0-9_*-]+", MASK),
    (("aiza", "ya29", "eyj"), r"AIza[\w-]+|ya29\.[\w.-]+|eyJ[\w-]{8,}\.[\w.-]+", MASK),
    (("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"gh[pousr]_\w{8,}", MASK),
)


def mask_secrets(text: str) -> str:
    """The text with everything that looks like a key or a password replaced by `***`. For short texts (≤ 3000)."""
    lowered = text.lower()
    for signs, pattern, replacement in _MASKS:
        for sign in signs:
            if sign in lowered:
                text = re.sub(pattern, replacement, text, flags=re.IGNORECASE)
                break
    return text


def excerpt(text: str, start: int = 0) -> str:
    """At most 300 characters of the text with keys masked; from `start` on if the text is longer than that.

    Masked before it is cut, so that the cut cannot take away the name that gives a key away.
    """
    if len(text) <= INPUT_LIMIT:
        return mask_secrets(text)[:INPUT_LIMIT]
    return mask_secrets(text[start : start + 2 * INPUT_LIMIT])[:INPUT_LIMIT]


def query_hints(query: str | None) -> tuple[tuple[str, str], ...]:
    """The hint that the query carried a key (which the proxy never reads), if it did."""
    if query and re.search(r"(?:^|[&;])(?:x-goog-)?(?:api[_-]?)?key=", query, re.IGNORECASE):
        return (("x-key-in-query", "yes"),)
    return ()


class Draft:
    """A request while it is being put together: `FoundRequest`, still open.

    `start` and `end` are its span in `text`, method included. `strength`: 2 is a request, 1 is one only if the whole
    paste holds nothing better. `adjacent`: the method stands right before the target.
    """

    __slots__ = (
        "adjacent",
        "body",
        "end",
        "failure",
        "headers",
        "host",
        "line",
        "method",
        "path",
        "query",
        "responded",
        "setting",
        "source",
        "start",
        "status",
        "strength",
        "text",
        "transcript",
        "url",
    )

    def __init__(
        self,
        text: str,
        start: int,
        end: int,
        target: str,
        *,
        method: str | None = None,
        status: int | None = None,
        source: str = "text",
        strength: int = 2,
        keep_fragment: bool = False,
    ) -> None:
        self.text = text
        self.start = start
        self.end = end
        self.url, self.host, self.path, self.query = split_target(target, keep_fragment=keep_fragment)
        self.method = method
        self.status = status
        self.source = source
        self.strength = strength
        self.adjacent = method is not None
        self.body: str | None = None
        self.headers: list[tuple[str, str]] = []
        self.transcript = False  # a request line of an HTTP transcript: header lines follow
        self.responded = False  # its status line was seen: header lines are the answer's now
        self.line = 0
        self.failure: str | None = None
        self.setting: str | None = None

    def add_header(self, name: str, value: str) -> None:
        """Keep the first value of a header of the answer."""
        if all(known != name for known, _ in self.headers):
            self.headers.append((name, value[:BODY_LIMIT]))

    def take(self, other: Draft) -> None:
        """Fill what is unknown here with what the other mention of the same request says."""
        if self.method is None:
            self.method = other.method
        if self.status is None:
            self.status = other.status
        if self.url is None and other.url is not None:
            self.url, self.host = other.url, other.host
        if self.host is None:
            self.host = other.host
        if self.query is None:
            self.query = other.query
        if self.body is None:
            self.body = other.body
        if self.failure is None:
            self.failure = other.failure
        for name, value in other.headers:
            self.add_header(name, value)
        self.strength = max(self.strength, other.strength)

    def agrees(self, other: Draft) -> bool:
        """Whether both can be mentions of one request: nothing that both say differs."""
        return (
            self.path == other.path
            and (self.method is None or other.method is None or self.method == other.method)
            and (self.status is None or other.status is None or self.status == other.status)
            and (self.url is None or other.url is None or self.url == other.url)
            and self.setting == other.setting
            and (self.source != "connection" or self.host == other.host)
        )

    def found(self) -> FoundRequest:
        """The finished result."""
        if self.body is None and ("content-length", "0") in self.headers:
            self.body = ""
        body = None if self.body is None else mask_secrets(self.body[:BODY_LIMIT])[:BODY_LIMIT]
        headers = (*self.headers, *query_hints(self.query))
        # Whoever answered with a status was reached; only a gateway's own 5xx tells of a connection behind it.
        answered = self.status is not None and (self.status < 500 or bool(self.body))
        return FoundRequest(
            excerpt(self.text, self.start),
            self.method,
            self.url,
            self.path,
            self.query,
            self.status,
            body,
            headers,
            self.host,
            "text" if answered and self.source == "connection" else self.source,
            None if answered else self.failure,
            self.setting,
        )
