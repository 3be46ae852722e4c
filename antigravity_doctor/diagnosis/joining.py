"""Join rules: how a client makes a request URL of the base URL and its own suffix.

A rule is a list of steps (data, see docs/add-a-client.md); this module runs them. Nothing here knows a client.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from antigravity_doctor.diagnosis.urls import split_url
from antigravity_doctor.knowledge.clients import Mode

Step = str | Mapping[str, object]

Rule = tuple[tuple[str, re.Pattern[str] | None, str], ...]
"""A list of steps made ready to run: (name, its compiled pattern or None, its text or "")."""

PLAIN: Rule = (("strip-slashes", None, ""), ("append", None, ""))
"""The rule of most clients: closing slashes are stripped, the suffix is added."""

_WORDS = frozenset(("append", "strip-slashes", "strip-slash", "add-slash", "whole", "resolve"))


def compile_rule(steps: Sequence[Step]) -> Rule:
    """The steps made ready to run. Raises ValueError for a step that is not in the table of docs/add-a-client.md."""
    rule: list[tuple[str, re.Pattern[str] | None, str]] = []
    for step in steps:
        if isinstance(step, str):
            if step not in _WORDS:
                raise ValueError(f"unknown join step {step!r}")
            rule.append((step, None, ""))
            continue
        name, value = next(iter(step.items())) if len(step) == 1 else ("", None)
        if name == "add-unless" and isinstance(value, dict):
            rule.append((name, re.compile(str(value["pattern"])), str(value["text"])))
        elif name == "drop-end":
            rule.append((name, None, str(value)))
        elif name == "keep-if":
            rule.append((name, re.compile(str(value)), ""))
        elif name == "replace" and isinstance(value, dict):
            rule.append((name, re.compile(str(value["pattern"])), str(value["with"])))
        else:
            raise ValueError(f"unknown join step {step!r}")
    return tuple(rule)


@lru_cache(maxsize=1024)
def rule_of(mode: Mode) -> Rule:
    """The join rule of a mode, made ready to run once."""
    return compile_rule(mode.steps)


def join(steps: Sequence[Step], base_url: str, suffix: str) -> str:
    """The request URL that a client with these steps makes of `base_url` and `suffix` (placeholders already filled).

    Raises ValueError as `compile_rule` does.
    """
    return run(compile_rule(steps), base_url, suffix)


def run(rule: Rule, base_url: str, suffix: str) -> str:
    """`join` for a rule that is ready to run."""
    url = base_url
    for name, pattern, text in rule:
        if name == "append":
            url += suffix
        elif name == "strip-slash":
            url = url.removesuffix("/")
        elif name == "strip-slashes":
            url = url.rstrip("/")
        elif name == "add-slash":
            url = url if url.endswith("/") else url + "/"
        elif name == "drop-end":
            url = url.removesuffix(text)
        elif name == "resolve":
            url = resolve(url, suffix)
        elif pattern is not None:
            if name == "add-unless":
                if not pattern.search(url):
                    url += text
            elif name == "replace":
                url = pattern.sub(text, url)
            elif pattern.search(url):  # keep-if
                return url
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


def invert(rule: Rule, origin: str, path: str, suffix: str) -> tuple[str, ...]:
    """The base *paths* from which this rule and suffix make exactly `path`; proved by joining, plainest first.

    `path` is the request path, without query; `suffix` the concrete suffix (placeholders filled), without query.
    """
    candidates = []
    bare = path[: len(path) - len(suffix)] if suffix and path.endswith(suffix) else None
    if bare is not None:
        candidates.append(bare)
    for name, _, text in rule:
        if name == "add-unless":
            # What is added may end in a slash that a later step strips again.
            added = text.rstrip("/")
            if bare is not None and bare.endswith(added):
                candidates.append(bare[: len(bare) - len(added)])
        elif name in ("whole", "keep-if"):
            candidates.append(path)
        elif name == "resolve":
            candidates.append("")
    wanted = origin + path
    found = [base for base in candidates if run(rule, origin + base, suffix) == wanted]
    if not found:
        # Some rules read a closing slash as "add nothing of your own": only then the slash makes a difference.
        closed = [base + "/" for base in candidates]
        found = [base for base in closed if run(rule, origin + base, suffix) == wanted]
    if not found and bare is not None and any(name in ("drop-end", "replace") for name, _, _ in rule):
        # What was taken off the base's end has left no trace: a version prefix, as far as is known.
        taken = [bare + version for version in ("/v1", "/v1beta")]
        found = [base for base in taken if run(rule, origin + base, suffix) == wanted]
    return tuple(dict.fromkeys(found)) if len(found) > 1 else tuple(found)
