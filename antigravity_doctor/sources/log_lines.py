"""One line of a log, read exactly: for formats that are not read in bulk, for odd lines, and for lines as they come.

A line is tried with the patterns of `log_formats`, with the reader of pasted log lines (`text_logs`), as JSON, and, if
it is asked for, as prose. Slow (10 to 300 µs a line), so callers only bring lines that may hold a request.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from antigravity_doctor.diagnosis.tallying import SPAN
from antigravity_doctor.sources.log_formats import Parts, formats
from antigravity_doctor.sources.log_times import parse_time, time_in
from antigravity_doctor.sources.text_cleaning import strip_terminal_controls
from antigravity_doctor.sources.text_logs import scan_log
from antigravity_doctor.sources.text_request import METHODS, Draft

LONGEST = 1 << 16
"""Bytes of a line that are looked at; no server writes a longer one about a request that it has served."""

_HINT = re.compile(
    rb"equest: [A-Z]|HTTP/[123]|\[GIN\]|[a-zA-Z]=\"?/|\| *\"?/|/v\d|/chat|/models|/messages|/responses|/completions"
    rb"|\"(?:request_?)?(?:uri|path|url)\"|RequestPath|[A-Z] https?://",
    re.IGNORECASE,
)
_AGENT = re.compile(rb"\"(?:http_)?user[-_]?agent\"\s{0,2}:\s{0,2}\[?\"((?:[^\"\\]|\\.){0,400})", re.IGNORECASE)


_TARGETS = ("requesturi", "requestpath", "uri", "path", "urlpath", "urloriginal", "url")
_METHODS = ("requestmethod", "method", "httpmethod", "httprequestmethod", "verb")
_STATUSES = ("status", "downstreamstatus", "statuscode", "responsestatus", "httpresponsestatuscode", "code")
_AGENTS = ("httpuseragent", "useragent", "useragentoriginal", "requestuseragent", "ua")
_TIMES = ("time", "startutc", "startlocal", "ts", "msec", "@timestamp", "timestamp", "timelocal", "timeiso8601")
_NESTED = ("http", "url", "user_agent", "request", "response")
"""Objects in which the Elastic common schema keeps what is asked for here."""

_SPAN = re.compile(r"\brequest\{(?=[^\n]*\bmethod=)(?=[^\n]*\buri=)")
"""The span of tower-http's TraceLayer, which stands in front of everything that is logged while it serves a request."""

_CALL = re.compile(rf"(?<![\w/])({'|'.join(sorted(METHODS))}) (https?://[^\s\"'<>`]+)")
_RESULT = re.compile(
    r"[\"'):,]{0,2}\s{0,3}(?:\\?[\"'(\[]?(?:HTTP/\d(?:\.\d)?\s)?"
    r"|[^\n]{0,40}?(?:status(?:[ _]?code)?|returned|answered|failed with|HTTP|code|->|=>|→)[\s:=\"'(]{0,4}"
    r"(?:HTTP/\d\S{0,3}\s)?)"
    r"([1-5]\d\d)(?![\w.])",
    re.IGNORECASE,
)
_RESULT_BEFORE = re.compile(r"(?<![\w.:,/])([45]\d\d)(?: [A-Z][A-Za-z ]{1,30})?[\s:,-]{1,4}$")
_MOST_CALLS = 4
_SAID_AGAIN = ("Sending HTTP Request:", "HTTP Response:")
"""What the OpenAI and Anthropic SDKs log around the line of httpx about the same request, when they are to log all."""


class Read(NamedTuple):
    """A request in a line, and when the line was written (seconds since 1970, None where it does not say)."""

    time: float | None
    parts: Parts
    admin: bool = False


def may_hold_request(line: bytes) -> bool:
    """Whether a line is worth reading exactly. Cheap."""
    return _HINT.search(line, 0, LONGEST) is not None


def read_line(line: bytes, *, prose: bool = False) -> list[Read]:
    """The requests of one line; [] if it has none. Never raises. `prose`: read sentences as well."""
    line = line[:LONGEST]
    if line.startswith(b"{"):
        flat = _of_flat_json(line)
        if flat is not None:
            return [flat]
    for each in formats():
        found = each.pattern.search(line)
        if found is not None:
            time, *key = found.groups(default=b"")
            parts = each.parts(tuple(key) if len(key) > 1 else key[0])
            return [Read(parse_time(time) if time else time_in(line), parts)]
    text = strip_terminal_controls(line.decode("utf-8", "replace")).strip()
    when = time_in(line)
    drafts = _of_json(text) if text.startswith("{") else None
    if not drafts:
        drafts = scan_log(text)
    if drafts is None and "{" in text:
        drafts = _of_json(text[text.find("{") :])
    if drafts and "request{" in text and _SPAN.search(text) is not None:
        return _of_span(drafts, text, when)
    if drafts:
        agent = _AGENT.search(line)
        agents = agent.group(1) if agent is not None else b""
        return [_of_draft(each, when, agents) for each in drafts]
    if drafts is None and "://" in text:
        called = _of_calls(text, when)
        if called:
            return called
    return _of_prose(text, when) if prose and drafts is None else []


def _of_flat_json(line: bytes) -> Read | None:
    """A request in an object whose own fields say it (nginx, Traefik, most programs); None for any other."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    fields = _fields_of(value)
    target = next((fields[name] for name in _TARGETS if name in fields), None)
    method = next((fields[name] for name in _METHODS if name in fields), None)
    if not isinstance(target, str) or not target.startswith("/") or not isinstance(method, str) or not method.isalpha():
        return None
    status = next((str(fields[name]) for name in _STATUSES if name in fields), "")
    agent = next((str(fields[name]) for name in _AGENTS if fields.get(name)), "")
    number = int(status) if len(status) == 3 and status.isascii() and status.isdigit() else None
    parts = Parts("access-log", method.encode(), target.encode("utf-8", "replace"), number,
                  agent.encode("utf-8", "replace"))  # fmt: skip
    return Read(_time_of(fields, line), parts)


def _fields_of(value: dict[str, Any]) -> dict[str, str | int | float]:
    """The plain fields of an object, those of the Elastic common schema one object or two further down included, by
    their names without what programs put between words: http.request.method and request_method alike."""
    fields: dict[str, str | int | float] = {}

    def take(start: str, some: dict[str, Any], deeper: int) -> None:
        for name, each in some.items():
            if isinstance(each, (str, int, float)):
                plain = (start + name).lower()
                for mark in "._-":
                    plain = plain.replace(mark, "")
                fields.setdefault(plain, each)
            elif deeper and name in _NESTED and isinstance(each, dict):
                take(start + name, each, deeper - 1)

    take("", value, 2 if "http" in value else 0)
    return fields


def _time_of(fields: dict[str, str | int | float], line: bytes) -> float | None:
    for name in _TIMES:
        if name in fields:
            when = parse_time(str(fields[name]).encode("utf-8", "replace"))
            if when is not None:
                return when
    return time_in(line)


def _of_json(text: str) -> list[Draft] | None:
    from antigravity_doctor.sources.text_json import scan_json

    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict) and isinstance(value.get("log"), str):
        # What Docker keeps of a container's output: one object a line, and the line is in it.
        return scan_log(strip_terminal_controls(value["log"]).strip())
    return scan_json(value, text, lambda each: scan_log(each) or [])


def _of_draft(draft: Draft, when: float | None, agent: bytes) -> Read:
    kind = draft.source if draft.source in ("access-log", "proxy-log") else "access-log"
    if kind == "proxy-log" and "[Monitor]" in draft.text:
        kind = "monitor"
    admin = any(name == "x-admin-stripped" for name, _ in draft.headers)
    parts = Parts(kind, (draft.method or "").encode(), draft.path.encode("utf-8", "replace"), draft.status, agent)
    return Read(when, parts, admin)


def _of_span(drafts: list[Draft], text: str, when: float | None) -> list[Read]:
    """A request is logged when it comes, by whatever serves it, and when it is answered: only the last is counted, or
    what the proxy says of it in a line of its own."""
    if "finished processing request" in text:
        return [
            read._replace(parts=read.parts._replace(kind=SPAN))
            for read in (_of_draft(each, when, b"") for each in drafts[:1])
        ]
    return [_of_draft(each, when, b"") for each in drafts if each.source == "proxy-log"]


def _of_calls(text: str, when: float | None) -> list[Read]:
    """What a client's own log says of requests to a server near by: `HTTP Request: POST http://… "HTTP/1.1 404 …"`."""
    from antigravity_doctor.sources.text_shapes import is_near

    if any(each in text for each in _SAID_AGAIN):
        return []
    reads = []
    calls = list(_CALL.finditer(text))[:_MOST_CALLS]
    ends = [*(each.start() for each in calls[1:]), len(text)]
    for found, end in zip(calls, ends, strict=False):  # without any call there is still an end
        draft = Draft(text, *found.span(2), found[2].rstrip("\\.,;:)]}"), method=found[1])
        if draft.host is None or not is_near(draft.host):
            continue
        status = _RESULT.match(text, found.end(), end) or _RESULT_BEFORE.search(text, 0, found.start())
        number = int(status[1]) if status is not None else None
        reads.append(Read(when, Parts("text", found[1].encode(), draft.path.encode("utf-8", "replace"), number)))
    return reads


def _of_prose(text: str, when: float | None) -> list[Read]:
    from antigravity_doctor.sources.pasted_text import find_requests
    from antigravity_doctor.sources.text_shapes import is_near

    return [
        Read(when, Parts("text", (each.method or "").encode(), each.path.encode("utf-8", "replace"), each.status))
        for each in find_requests(text[:4000], limit=4)
        if each.source not in ("setting", "connection") and (each.host is None or is_near(each.host))
    ]
