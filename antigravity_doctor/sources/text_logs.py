"""Finds requests in the lines of servers' logs, where the format says exactly what was sent.

Formats: request line in quotes (nginx, Apache, Caddy, Traefik, uvicorn, gunicorn, hypercorn, Werkzeug, HAProxy, morgan
"combined"), gin and fiber columns, `method=POST uri=/x status=404` (tower-http, Heroku, logfmt), and the lines of the
proxy itself (facts: proxy-config-and-logs.md, section 4). Here a target is never trimmed: it is what was sent.
"""

from __future__ import annotations

import re
from functools import lru_cache

from antigravity_doctor.knowledge.files import load_json
from antigravity_doctor.knowledge.routes import all_routes
from antigravity_doctor.sources.text_request import METHODS, Draft

_VERBS = "|".join(sorted(METHODS))

_PROXY_LINE = re.compile(r"(?:\[Monitor\] Logging request|(?<!HTTP )(?<![A-Za-z])Request): ([A-Z]{3,7}) (/\S*)")
_LEVEL = re.compile(r"(?:^|[\s\[])(?:TRACE|DEBUG|INFO|WARN|ERROR)[\s\]]")

_QUOTED = re.compile(r"([\"'])([A-Z]{3,10}) (?=\S)")
_PROTOCOL = re.compile(r" +(?:HTTP/)?\d(?:\.\d)?$")
_STATUS_AFTER = re.compile(r"[\s|]{0,4}([1-5]\d\d)(?![\d.])")
_AGENT_AFTER = re.compile(r"[^\"\n]{0,80}\"(?:[^\"\\]|\\.){0,400}\" \"((?:[^\"\\]|\\.){1,400})\"")
_STATUS_FIELD = re.compile(r"\b(?:status|status_code|code)[=:]\s?\"?([1-5]\d\d)(?!\d)")
_STATUS_BEFORE = re.compile(r"(?<=\s)([2-5]\d\d)(?=\s)")

_COLUMN = re.compile(rf"\s*({_VERBS})(?:\s+(\S.*))?$")

_FIELD = re.compile(
    r"(?<![\w.])(?P<name>(?:http\.)?(?:request_?)?(?:uri|path|url|target|request|method|status|status_code|statuscode|host)"
    r"|http\.response\.status_code|code)=(?P<value>\"[^\"]*\"|'[^']*'|[^\s\"']+)",
    re.IGNORECASE,
)
_TARGET_FIELDS = ("uri", "path", "url", "target", "request")


def scan_log(line: str) -> list[Draft] | None:
    """The requests of a log line; None if the line has none of the formats. [] for a line that only lists routes."""
    if "equest: " in line:
        found = _proxy_line(line)
        if found is not None:
            return [found]
    if "[GIN-debug]" in line:
        return []  # the routes that a server registers when it starts
    if '"' in line or "'" in line:
        quoted = _quoted(line)
        if quoted:
            return quoted
    if line.count("|") >= 2:
        found = _columns(line)
        if found is not None:
            return [found]
    if "=" in line:
        found = _fields(line)
        if found is not None:
            return [found]
    return None


def _proxy_line(line: str) -> Draft | None:
    match = _PROXY_LINE.search(line)
    if match is None or match.group(1) not in METHODS:
        return None
    whole = not line[match.end() :].strip()
    if not (whole and ("[Monitor]" in line or _LEVEL.search(line, 0, match.start()))):
        return None  # someone writes about the line: punctuation may follow
    draft = Draft(
        line,
        match.start(1),
        match.end(),
        match.group(2),
        method=match.group(1),
        source="proxy-log",
        keep_fragment=True,
    )
    if match.group().startswith("Request") and is_admin_path(draft.path):
        # Written by the admin API's own guard, which sees the path without /api; [Monitor] lines have it whole.
        draft.add_header("x-admin-stripped", "yes")
    return draft


def is_admin_path(path: str) -> bool:
    """Whether the path of a `Request:` line is one of the admin API, written without its /api."""
    return path.split("/", 2)[1] in _admin_segments()


@lru_cache(maxsize=1)
def _admin_segments() -> frozenset[str]:
    """The first segments of the admin API's paths, behind /api (facts: proxy-semantics.md, section 1)."""
    listed = (route.path.split("/")[2] for route in all_routes() if route.path.startswith("/api/"))
    return frozenset((*listed, *load_json("text-symptoms.json")["admin_segments"]["first"])) - {"v1"}


def _quoted(line: str) -> list[Draft]:
    drafts = []
    place = 0
    while (match := _QUOTED.search(line, place)) is not None:
        quote = match.group(1)
        close = line.find(quote, match.end())
        while close > 0 and line[close - 1] == "\\":
            close = line.find(quote, close + 1)
        if close < 0:
            break
        place = match.end()
        inner = line[match.end() : close]
        protocol = _PROTOCOL.search(inner, max(0, len(inner) - 12))
        if protocol is None:
            continue
        target = inner[: protocol.start()].rstrip(" ")
        place = close + 1
        if not target.startswith(("/", "http://", "https://")):
            continue
        after = _STATUS_AFTER.match(line, close + 1)
        after = after or _STATUS_FIELD.search(line, close + 1, close + 81)
        status = int(after.group(1)) if after else None
        if status is None and not line[close + 1 : close + 8].lstrip().startswith(("-", "0")):
            earlier = _STATUS_BEFORE.findall(line[max(0, match.start() - 200) : match.start()])
            status = int(earlier[-1]) if earlier else None
        draft = Draft(
            line,
            match.start(2),
            close,
            target,
            method=match.group(2),
            status=status,
            source="access-log",
            keep_fragment=True,
        )
        agent = _AGENT_AFTER.match(line, close + 1) if after is not None and quote == '"' else None
        if agent is not None and agent[1] != "-":
            draft.add_header("x-user-agent", agent[1])
        drafts.append(draft)
    return drafts


def _columns(line: str) -> Draft | None:
    """`… | 404 | 1.2ms | 127.0.0.1 | POST  "/v1/x"` and `… | 404 | 1ms | 127.0.0.1 | POST | /v1/x | -`."""
    status = None
    columns = line.split("|")
    place = 0
    for index, column in enumerate(columns):
        text = column.strip()
        if status is None and len(text) == 3 and text.isascii() and text.isdigit():
            status = int(text)
        match = _COLUMN.match(column) if status is not None else None
        if match is not None:
            target = (match.group(2) or (columns[index + 1] if index + 1 < len(columns) else "")).strip().strip("\"'`")
            if target.startswith("/"):
                start = place + match.start(1)
                end = line.find(target, start) + len(target)
                return Draft(
                    line,
                    start,
                    end,
                    target,
                    method=match.group(1),
                    status=status,
                    source="access-log",
                    keep_fragment=True,
                )
        place += len(column) + 1
    return None


def _fields(line: str) -> Draft | None:
    """`method=POST uri=/v1/x status=404`: a target and at least a method or a status."""
    method = target = host = status = None
    start = end = 0
    for match in _FIELD.finditer(line):
        name = match.group("name").lower().removeprefix("http.").removeprefix("request_").removeprefix("response.")
        value = match.group("value")
        quoted = value[0] in "\"'"
        value = value.strip("\"'") if quoted else _unbraced(value)
        if name == "method" and method is None and value.upper() in METHODS:
            method = value.upper()
        elif name in _TARGET_FIELDS and target is None:
            if name == "request":
                first, _, value = value.partition(" ")
                if first not in METHODS:
                    continue
                method = first
                value = _PROTOCOL.sub("", value)
            if value.startswith(("/", "http://", "https://")):
                target = value
                start, end = match.span()
        elif name == "host" and host is None:
            host = value
        elif name in ("status", "status_code", "statuscode", "code") and status is None:
            status = int(value) if value.isascii() and value.isdigit() and len(value) == 3 else None
    if target is None or (method is None and status is None):
        return None
    draft = Draft(line, start, end, target, method=method, status=status, source="access-log", keep_fragment=True)
    if draft.host is None:
        draft.host = host
    return draft


def _unbraced(value: str) -> str:
    """The value without the end of the span or list that it closes: `/v1/x}:` in `request{uri=/v1/x}:`."""
    value = value.rstrip(",;")
    if "}" in value:
        opened = 0
        for match in re.finditer(r"[{}]", value):
            opened += 1 if match.group() == "{" else -1
            if opened < 0:
                return value[: match.start()]
    return value.rstrip(")") if "(" not in value else value
