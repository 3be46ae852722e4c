"""The body of an answer that stands on one line with its status: `POST /v1/x 503 No available accounts`.

Not every word behind a status is one: reason phrases, durations, sizes and remarks are not. A body is what begins like
JSON or a page, what a label announces, or what begins as an answer that servers are known to give
(`knowledge/text-symptoms.json`, `answers`).
"""

from __future__ import annotations

import re
from functools import lru_cache

from antigravity_doctor.knowledge.files import load_json
from antigravity_doctor.sources.text_request import BODY_LIMIT

STATUS_BEHIND = re.compile(
    r"(?:[^0-9A-Za-z]{0,16}(?:HTTP/\d(?:\.\d)?[^0-9A-Za-z]{0,4})?"
    r"|\W{1,4}(?:returne?d?s?|gives|gave|gets?|got|answer(?:s|ed)|respond(?:ed|s) with|says|status(?: code)?)\W{1,4}"
    r"(?:an? |HTTP )?)([1-5]\d\d)(?![\d.])"
)
"""Matched at the end of a target: the status that stands right behind it."""

_LEADING = " \t:：,-–—|→=>"
_REASON = re.compile(
    r"[(\[]?(?:OK|Created|Bad Request|Unauthorized|Forbidden|Not Found|Method Not Allowed|Not Acceptable"
    r"|Request Timeout|Conflict|Gone|Content Too Large|Payload Too Large|Unsupported Media Type"
    r"|Unprocessable (?:Entity|Content)|Too Many Requests|Internal Server Error|Not Implemented"
    r"|Bad Gateway|Service Unavailable|Gateway Time-?out)[)\]]?"
    r"(?=$|[\s:：,\-–—|→=>{<\"'.])",
    re.IGNORECASE,
)
_LABEL = re.compile(r"[(\[]?(?:response[ _-]?)?(?:body|text|响应体?|返回内容)[\"']?\s?[:：=]\s?", re.IGNORECASE)
_STATUS_FIRST = re.compile(r"\W{0,8}(?:HTTP(?:/\d(?:\.\d)?)?\W{1,3})?(?:status(?: code)?\W{1,3})?[1-5]\d\d(?![\d.])")
_JSON = re.compile(r"\{\s*[\"'}]|\[\s*[{\"']")


@lru_cache(maxsize=1)
def _beginnings() -> tuple[str, ...]:
    return tuple(load_json("text-symptoms.json")["answers"]["begin"])


_ONLY_THE_PROXY = ("token_rejected", "ip_blocked", "Proxy service is currently disabled")
"""What only the proxy says (facts/proxy-semantics.md §4): wherever in a line it stands, it is the answer's."""


def proxy_answer_in(text: str) -> str | None:
    """The text, if it holds words that only the proxy's answers hold (before the path as well as behind it)."""
    return text if any(mark in text for mark in _ONLY_THE_PROXY) else None


def answer_after(text: str) -> str | None:
    """The body in what follows a status on its line, None if that is something else; at most 2000 characters."""
    rest = text[: 2 * BODY_LIMIT].strip().lstrip(_LEADING)
    body = _body(rest)
    if body is None and (reason := _REASON.match(rest)) is not None:
        body = _body(rest[reason.end() :].lstrip(_LEADING))
    return body


def answer_alone(line: str) -> str | None:
    """The body on a line of its own, maybe behind its status, None if the line is something else."""
    status = _STATUS_FIRST.match(line)
    body = answer_after(line[status.end() :]) if status is not None else None
    return body or _body(line.strip())


def _body(rest: str) -> str | None:
    label = _LABEL.match(rest)
    if label is not None:
        rest = rest[label.end() :]
        if rest[:1] in "\"'`":
            rest = rest[1:].partition(rest[:1])[0]
        return rest.strip(" )]")[:BODY_LIMIT] or None
    if rest[:1] in "\"'`“「" and len(rest) > 2:
        rest = rest[1:].rstrip(".,;").rstrip("\"'`”」")
    if rest.lower().startswith(_beginnings()) or _JSON.match(rest):
        return rest.rstrip()[:BODY_LIMIT]
    return None
