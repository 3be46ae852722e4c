"""The log formats that are read in bulk: for each a pattern that finds its request lines in a block of bytes.

The first group of a pattern is the timestamp, the others together say what was asked and how it was answered; `parts`
takes them apart. Every match lies within one line, and none takes more than linear time, whatever is in the log. What
a pattern does not know is left to `log_lines`, line by line.

The User-Agent is only taken from lines that are answered with 4xx: those are the ones that are asked about, and the
agent of every line would cost a third of the time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple


class Parts(NamedTuple):
    """One request line, taken apart. `kind` is "proxy-log" or "monitor" for the proxy's own lines, "access-log" for
    another server's, "span" for what the proxy's web framework says of an answer, "text" for a client's own words.

    `method` and `target` are as written (b"" for none), `status` is None where the line has none.
    """

    kind: str
    method: bytes
    target: bytes
    status: int | None = None
    agent: bytes = b""


class Format(NamedTuple):
    """One format. `name` is a key of texts. `only`: every byte string that a request line of *another* format would
    hold, for a log in which most lines are no requests; None where every line is expected to be one."""

    name: str
    pattern: re.Pattern[bytes]
    parts: Callable[[Any], Parts]
    only: tuple[bytes, ...] | None = None


_ANSI = rb"(?:\x1b\[[\d;]{0,12}m)"
_STRING = rb'[^"\\\n]*(?:\\.[^"\\\n]*)*'
_REFERER_AND_AGENT = rb'(?:(?<= 4\d\d) [^"\n]*"' + _STRING + rb'" "(' + _STRING + rb"))?"
_ESCAPES = re.compile(_ANSI)
_HTTP = re.compile(rb" (?:HTTP/)?\d(?:\.\d)?$")


def request_parts(request: bytes, status: bytes, agent: bytes = b"") -> Parts:
    """`POST /v1/x HTTP/1.1` and a status as they stand in an access log; a request that is none has no method."""
    number = int(status) if len(status) == 3 and status.isdigit() else None
    method, space, target = request.partition(b" ")
    if not space or not method.isalpha():
        return Parts("access-log", b"", request, number, agent)
    protocol = _HTTP.search(target)
    return Parts("access-log", method, target[: protocol.start()] if protocol else target, number, agent)


def _combined(key: tuple[bytes, bytes]) -> Parts:
    said, agent = key
    request, _, rest = said.rpartition(b'" ')
    if b"\\" in agent:
        agent = agent.replace(b'\\"', b'"').replace(b"\\x22", b'"')  # as Apache and nginx write it
    return request_parts(request, rest[-3:], agent)


def _quoted(key: bytes) -> Parts:
    if b"\x1b" in key:
        key = _ESCAPES.sub(b"", key)
    request, _, rest = key.partition(b'" ')
    return request_parts(request, rest[:3])


def _gin(key: tuple[bytes, bytes, bytes]) -> Parts:
    status, method, target = key
    return Parts("access-log", method, target, int(status))


def _caddy(key: tuple[bytes, bytes, bytes, bytes]) -> Parts:
    method, target, agent, status = key
    number = int(status)
    return Parts("access-log", method, _unescaped(target), number, _unescaped(agent) if 400 <= number < 500 else b"")


def _unescaped(text: bytes) -> bytes:
    """The text of a JSON string."""
    if b"\\" not in text:
        return text
    import json

    try:
        return str(json.loads(b'"' + text + b'"')).encode("utf-8", "surrogatepass")
    except ValueError:
        return text


def _proxy(key: tuple[bytes, bytes, bytes]) -> Parts:
    said, method, target = key
    return Parts("proxy-log" if said == b"Request" else "monitor", method, target)


@lru_cache(maxsize=1)
def formats() -> tuple[Format, ...]:
    """All of them, the most particular first."""
    return (
        Format(
            "proxy",
            re.compile(
                rb"^[^\n]{0,80}?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))[^\n]{0,16}?"
                rb"(?:TRACE|DEBUG|INFO|WARN|ERROR)[^\n]{0,160}?[ m](Request|\[Monitor\] Logging request): "
                rb"([A-Z]{3,7}) (/[^\s\x1b]*)" + _ANSI + rb"{0,2}[ \r]*$",
                re.MULTILINE,
            ),
            _proxy,
            (b" HTTP/", b"[GIN]", b'"uri"', b"uri=", b"path="),
        ),
        Format(
            "combined",
            re.compile(rb'\[([^\[\]\n]+)\] "([^"\n]*" (?:\d\d\d|-))(?!\S)' + _REFERER_AND_AGENT),
            _combined,
        ),
        Format(
            # The same with numbers or an address between the time and the request, or fields before the status.
            "combined",
            re.compile(
                rb'\[([^\[\]\n]+)\] (?:(?:[\d.:,-]{1,40} ){1,3}(?="[A-Z]{3,10} /))?'
                rb'"([^"\n]*" (?:[^ "\n]{1,200} ){0,3}?[1-5]\d\d)(?!\S)' + _REFERER_AND_AGENT
            ),
            _combined,
        ),
        Format(
            "gin",
            re.compile(
                rb"\[GIN\] (\d{4}/\d\d/\d\d - \d\d:\d\d:\d\d) \|" + _ANSI
                + rb"? *([1-5]\d\d)[^|\n]*\|[^|\n]*\|[^|\n]*\|" + _ANSI + rb'? *([A-Z]{3,10})[^"\n]*"([^"\n]*)"'
            ),
            _gin,
        ),
        Format(
            "caddy",
            re.compile(
                rb'^[^\n]{0,40}?"ts":"?([^",\n]+)(?>[^\n]{0,1000}?"method":")([A-Z]{3,10})"(?>[^\n]{0,2000}?"uri":")('
                + _STRING + rb')"(?:(?>[^\n]{0,8000}?"User-Agent":\[")(' + _STRING
                + rb')"\])?(?>[^\n]{0,60000}?"status":)([1-5]\d\d)\b',
                re.MULTILINE,
            ),
            _caddy,
        ),
        Format(
            "quoted",
            re.compile(
                rb"^" + _ANSI + rb'?(\d{4}-\d\d-\d\d[T ]\d\d:[^\s"]{5,30})?[^"\n]*(?<!\] )"' + _ANSI
                + rb'?([A-Z]{3,10} [^"\n]+ HTTP/\d(?:\.\d)?' + _ANSI + rb'?" ' + _ANSI + rb"?[1-5]\d\d)(?!\d)",
                re.MULTILINE,
            ),
            _quoted,
        ),
    )  # fmt: skip


def format_of(sample: bytes) -> Format | None:
    """The format that most request lines of a piece of a log have; None where none of them finds any."""
    found = [(len(each.pattern.findall(sample)), each) for each in formats()]
    best = max(found, key=lambda each: each[0])
    return best[1] if best[0] else None
