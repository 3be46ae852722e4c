"""Finds requests in JSON: log objects of any server, HAR, error answers that name their path, lists of records.

Keys are compared without case and separators, so `request_uri`, `RequestURI` and `requestUri` are one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from antigravity_doctor.sources.text_request import METHODS, Draft
from antigravity_doctor.sources.text_settings import is_setting
from antigravity_doctor.sources.text_shapes import api_level, is_page, on_disk


def _names(text: str) -> list[str]:
    return text.split()


_TARGETS = _names(
    "uri requesturi requestpath path url requesturl originalurl fullurl target endpoint httptarget httpurl urlpath "
    "urlfull httppath"
)
_METHODS = _names("method requestmethod httpmethod verb httprequestmethod")
_STATUSES = _names(
    "status statuscode httpstatus httpstatuscode responsestatus responsestatuscode downstreamstatus responsecode "
    "httpresponsestatuscode originstatus code"
)
_HOSTS = _names("host httphost requesthost")
_BODIES = _names("responsebody responsetext errorbody")
_REQUESTS = _names("request req httprequest httprequestinfo config")
_ANSWERS = _names("response res httpresponse")
_NEVER = _names("headers requestheaders responseheaders referer referrer origin httpreferer httpreferrer useragent")
_TEXTS_DEEP = 12
_MOST_NODES = 200_000

_ERROR = re.compile(r"[\"'](?:errors?|detail|errcode)[\"']\s*:", re.IGNORECASE)
_MESSAGE = re.compile(
    r"[\"'](?:message|msg)[\"']\s*:\s*[\"']|[\"'](?:status|code)[\"']\s*:\s*[\"']?[45]\d\d", re.IGNORECASE
)


def looks_like_error(text: str) -> bool:
    """Whether an object (JSON, or a Python or JavaScript literal) reads like the body of an error answer."""
    return _ERROR.search(text, 0, 4000) is not None or _MESSAGE.search(text, 0, 4000) is not None


def names_error(text: str) -> bool:
    """Whether an object has a key that only the body of an error answer has."""
    return _ERROR.search(text, 0, 4000) is not None


def parse_json(text: str) -> tuple[Any, int, int] | None:
    """(value, start, end) of the first JSON object or list of the text; None if there is none, or beyond reason."""
    start = text.find("{")
    bracket = text.find("[")
    if bracket >= 0 and (start < 0 or bracket < start) and not text[:bracket].strip():
        start = bracket
    if start < 0:
        return None
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return value, start, end


def scan_json(value: Any, text: str, scan_text: Callable[[str], list[Draft]]) -> list[Draft]:
    """The requests in a parsed JSON value, in order. `text` is what it was parsed from; `scan_text` reads strings."""
    drafts: list[Draft] = []
    place = 0
    for draft in _walk(value, scan_text):
        # The excerpt is the JSON itself, from the target on if it is long.
        at = text.find(draft.path[:200], place)
        at = max(at, text.find(draft.path[:200].replace("/", "\\/"), place)) if at < 0 else at
        draft.text = text
        draft.start = draft.end = max(at, 0)
        place = max(place, draft.start)
        drafts.append(draft)
    return drafts


class _Context:
    """What the objects around a value say about its request."""

    __slots__ = ("body", "host", "method", "status")

    def __init__(self, method: str | None, status: int | None, host: str | None, body: str | None) -> None:
        self.method = method
        self.status = status
        self.host = host
        self.body = body


def _walk(root: Any, scan_text: Callable[[str], list[Draft]]) -> Iterator[Draft]:
    stack: list[tuple[Any, _Context, int]] = [(root, _Context(None, None, None, None), 0)]
    nodes = 0
    while stack and nodes < _MOST_NODES:
        nodes += 1
        node, outer, depth = stack.pop()
        if isinstance(node, list):
            if depth < _TEXTS_DEEP:
                stack.extend((child, outer, depth + 1) for child in reversed(node))
        elif isinstance(node, str):
            if "/" in node:
                for draft in scan_text(node):
                    _complete(draft, outer)
                    yield draft
        elif isinstance(node, Draft):
            yield node
        elif isinstance(node, dict):
            keys = {_plain(key): value for key, value in node.items()}
            context = _context(keys, outer)
            taken = _request_of(keys, context)
            if taken is not None:
                yield taken
            if depth < _TEXTS_DEEP:
                skip = (*_TARGETS, "request") if taken else ()
                children = [
                    (_setting(key, child) if taken is None else child, context, depth + 1)
                    for key, child in node.items()
                    if isinstance(child, (dict, list, str)) and (name := _plain(key)) not in skip and name not in _NEVER
                ]
                stack.extend(reversed(children))


def _setting(key: str, value: Any) -> Any:
    """The draft of a base URL if the key names one and the value is one, else the value."""
    if not isinstance(value, str) or not value.startswith(("http://", "https://")) or not is_setting(key):
        return value
    draft = Draft("", 0, 0, value, source="setting", strength=1)
    draft.setting = key
    return draft


def _plain(key: str) -> str:
    return re.sub(r"[^a-z]", "", key.lower())


def _context(keys: dict[str, Any], outer: _Context) -> _Context:
    method = _first(keys, _METHODS, _as_method)
    status = _first(keys, _STATUSES, _as_status)
    host = _first(keys, _HOSTS, _as_text)
    body = _first(keys, _BODIES, _as_text)
    for name in _ANSWERS:
        answer = keys.get(name)
        if isinstance(answer, dict):
            inner = {_plain(key): value for key, value in answer.items()}
            status = status or _first(inner, _STATUSES, _as_status)
            content = inner.get("content", inner.get("body", inner.get("data")))
            if isinstance(content, dict):
                text = content.get("text")
                named = "error" in content or "message" in content or "detail" in content
                content = json.dumps(content, ensure_ascii=False) if named and text is None else text
            body = body if body is not None else _as_text(content)
    for name in ("error", "err"):
        error = keys.get(name)
        if status is None and isinstance(error, dict):
            status = _first({_plain(key): value for key, value in error.items()}, _STATUSES, _as_status)
    return _Context(
        method or outer.method,
        status or outer.status,
        host or outer.host,
        body if body is not None else outer.body,
    )


def _request_of(keys: dict[str, Any], context: _Context) -> Draft | None:
    line = keys.get("request")
    method = context.method
    target = None
    if isinstance(line, str):
        match = re.match(r"([A-Z]{3,7}) (\S.*?)(?: HTTP/\d(?:\.\d)?)?$", line)
        if match and match.group(1) in METHODS:
            method, target = match.group(1), match.group(2)
    if target is None:
        target = next((value for name in _TARGETS if isinstance(value := keys.get(name), str) and value), None)
        if target is None or not target.startswith(("/", "http://", "https://")):
            return None
        base = keys.get("baseurl")
        if isinstance(base, str) and target.startswith("/") and base.startswith(("http://", "https://")):
            # axios keeps both and joins them when it sends
            target = base.rstrip("/") + target
    draft = Draft("", 0, 0, target, method=method, status=context.status, source="json", keep_fragment=True)
    if method is None and (on_disk(draft.path) or (context.status is None and api_level(draft.path) < 1)):
        return None
    if draft.url is not None and method is None and is_page(draft.host or "", draft.path):
        return None
    _complete(draft, context)
    query = keys.get("query", keys.get("querystring"))
    if draft.query is None and isinstance(query, str) and query:
        draft.query = query.removeprefix("?")
    return draft


def _complete(draft: Draft, context: _Context) -> None:
    if draft.method is None:
        draft.method = context.method
    if draft.status is None:
        draft.status = context.status
    if draft.host is None:
        draft.host = context.host
    if draft.body is None:
        draft.body = context.body
    draft.source = "json" if draft.source in ("text", "path", "url", "client-error") else draft.source


def _first(keys: dict[str, Any], names: list[str], read: Callable[[Any], Any]) -> Any:
    for name in names:
        if name in keys and (value := read(keys[name])) is not None:
            return value
    return None


def _as_method(value: Any) -> str | None:
    return value.upper() if isinstance(value, str) and value.upper() in METHODS else None


def _as_status(value: Any) -> int | None:
    if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isdigit():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599 else None


def _as_text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
