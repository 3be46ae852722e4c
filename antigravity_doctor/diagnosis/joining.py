"""Join rules: how a client makes a request URL of the base URL and its own suffix.

A rule is a list of steps (data, see docs/add-a-client.md); this module runs them. Nothing here knows a client.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from antigravity_doctor.diagnosis.urls import split_url

Step = str | Mapping[str, object]

_compiled = lru_cache(maxsize=256)(re.compile)


def join(steps: Sequence[Step], base_url: str, suffix: str) -> str:
    """The request URL that a client with this rule makes of `base_url` and `suffix` (placeholders already filled).

    Raises ValueError for a step that is not in the table of docs/add-a-client.md.
    """
    url = base_url
    for step in steps:
        if step == "append":
            url += suffix
        elif step == "strip-slashes":
            url = url.rstrip("/")
        elif step == "strip-slash":
            url = url.removesuffix("/")
        elif step == "add-slash":
            url = url if url.endswith("/") else url + "/"
        elif step == "whole":
            pass
        elif step == "resolve":
            url = resolve(url, suffix)
        elif not isinstance(step, str) and len(step) == 1:
            (name, value), *_ = step.items()
            if name == "add-unless" and isinstance(value, dict):
                if not _compiled(str(value["pattern"])).search(url):
                    url += str(value["text"])
            elif name == "drop-end":
                url = url.removesuffix(str(value))
            elif name == "keep-if":
                if _compiled(str(value)).search(url):
                    return url
            elif name == "replace" and isinstance(value, dict):
                url = _compiled(str(value["pattern"])).sub(str(value["with"]), url)
            else:
                raise ValueError(f"unknown join step {step!r}")
        else:
            raise ValueError(f"unknown join step {step!r}")
    return url


def resolve(base_url: str, reference: str) -> str:
    """RFC 3986 resolution of a path reference (not a full URL) against a base, dot segments removed."""
    origin, path, _ = split_url(base_url)
    target, mark, query = reference.partition("?")
    if not target.startswith("/"):
        target = path[: path.rfind("/") + 1] + target if path else "/" + target
    kept: list[str] = []
    segments = target.split("/")
    for index, segment in enumerate(segments):
        if segment == "..":
            if len(kept) > 1:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
        if segment in (".", "..") and index == len(segments) - 1:
            kept.append("")
    return origin + "/".join(kept) + mark + query


def invert(steps: Sequence[Step], origin: str, path: str, suffix: str) -> tuple[str, ...]:
    """The base *paths* from which this rule and suffix make exactly `path`; proved by joining, plainest first.

    `path` is the path and query that was requested, `suffix` the concrete suffix (placeholders filled).
    """
    candidates = []
    if suffix and path.endswith(suffix):
        candidates.append(path[: len(path) - len(suffix)])
    for step in steps:
        if not isinstance(step, str):
            added = step.get("add-unless")
            if isinstance(added, dict):
                tail = str(added["text"]) + suffix
                if path.endswith(tail):
                    candidates.append(path[: len(path) - len(tail)])
            elif "keep-if" in step:
                candidates.append(path)
        elif step == "whole":
            candidates.append(path)
        elif step == "resolve":
            candidates.append("")
    found: list[str] = []
    for candidate in candidates:
        if candidate not in found and join(steps, origin + candidate, suffix) == origin + path:
            found.append(candidate)
    if not found:
        # Some rules read a closing slash as "add nothing of your own": only then the slash makes a difference.
        closed = [candidate + "/" for candidate in candidates]
        found = [base for base in closed if join(steps, origin + base, suffix) == origin + path]
    return tuple(dict.fromkeys(found))
