"""Which catalogued suffix ends this path, and what base URL was in front of it? (path -> base + suffix)

A *family* is every mode of every client that shares one join rule, method and suffix: for the algebra they are one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from antigravity_doctor.diagnosis.joining import Step, invert, join
from antigravity_doctor.knowledge.clients import Client, Mode, all_clients

# What the recorder of a base URL stands in for while joining; only the path of the result is used.
_ORIGIN = "http://h"


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """`head` + placeholder + `tail` is the suffix (no placeholder: `tail` is ""); the query is not part of it.

    `plain` says that its rule only strips slashes and adds, so that it is inverted by cutting the suffix off.
    Hashed by identity, so that what is solved for a family is solved once.
    """

    steps: tuple[Step, ...]
    method: str
    head: str
    tail: str
    has_placeholder: bool
    plain: bool
    modes: tuple[Mode, ...]


class Hypothesis(NamedTuple):
    """One way in which a path can have come about: this base path, this concrete suffix, these modes.

    `suffix` is what goes into the join; `appends` is what came out behind the base path (a rule that adds a version
    of its own adds it there), so that `base_path + appends` is the path wherever the rule allows that reading.
    """

    base_path: str
    suffix: str
    appends: str
    family: Family


_PLAIN_STEPS = ("strip-slashes", "append")
_SAMPLES = (
    "", "/v1", "/v1beta", "/v1/v1", "/v1/v1beta", "/v1beta/v1beta", "/V1", "/v1//x", "/v2", "/v1alpha", "/api/paas/v4",
    "/openai", "/openai/v1", "/api/v1", "/x", "/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1beta/models",
    "/v1/models", "/chat/completions", "/http://127.0.0.1:8045/v1", "/v1%20",
)  # fmt: skip


def _is_plain(steps: tuple[Step, ...], suffix: str) -> bool:
    """True if the rule does what stripping closing slashes and adding does, on every kind of base people type.

    Rules also differ in how they treat a query or a closing slash of the base; for guessing an unknown base that
    makes no difference, and one family for all of them is what makes guessing fast. Every fix is still proved with
    each mode's own rule.
    """
    return all(join(steps, _ORIGIN + base, suffix) == _ORIGIN + base + suffix for base in _SAMPLES)


@lru_cache(maxsize=64)
def _suffixes(client: Client | None) -> dict[str, list[tuple[Mode, str, str]]]:
    """Every (mode, method, suffix without query) of one client, or of all, by `_key_of` the suffix."""
    found: dict[str, list[tuple[Mode, str, str]]] = {}
    for each in (client,) if client is not None else all_clients():
        for mode in each.modes:
            # Azure and Ollama modes never meet a route of their own; their paths are known as styles.
            if mode.protocol in ("azure", "ollama"):
                continue
            for request in mode.requests:
                suffix = request.suffix.partition("?")[0]
                found.setdefault(_key_of(suffix), []).append((mode, request.method, suffix))
    return found


@lru_cache(maxsize=4096)
def families(client: Client | None, key: str, exact: bool = False) -> tuple[Family, ...]:
    """The families of one client, or of all, whose suffix ends in `key`.

    For guessing, rules that come to the same thing are one family; with `exact` each rule stays as it is, for the
    case that the base URL is known to the letter.
    """
    grouped: dict[tuple[str, str, str], list[Mode]] = {}
    plain: dict[tuple[str, str], bool] = {}
    for mode, method, suffix in _suffixes(client).get(key, ()):
        rule = "" if mode.steps == _PLAIN_STEPS else repr(mode.steps)
        if rule and not exact:
            known = plain.get((rule, suffix))
            if known is None:
                known = plain[rule, suffix] = _is_plain(mode.steps, suffix)
            rule = "" if known else rule
        modes = grouped.setdefault((rule, method, suffix), [])
        if mode not in modes:
            modes.append(mode)
    found = []
    for (rule, method, suffix), modes in grouped.items():
        start, end = suffix.find("{"), suffix.find("}")
        head, tail = (suffix[:start], suffix[end + 1 :]) if start >= 0 else (suffix, "")
        steps = modes[0].steps if rule else _PLAIN_STEPS
        found.append(Family(steps, method, head, tail, start >= 0, not rule, tuple(modes)))
    return tuple(found)


def _key_of(suffix: str) -> str:
    last = suffix[suffix.rfind("/") + 1 :]
    if last.startswith("{"):
        end = last.find("}") + 1
        return last[end:] if last[end:] else "*"
    return last


def hypotheses(path: str, client: Client | None, method: str | None) -> list[Hypothesis]:
    """Every family and base path that make exactly this path (no query). The method filters where any family has it."""
    last = path[path.rfind("/") + 1 :]
    candidates = families(client, last)
    if ":" in last:
        candidates += families(client, last[last.rfind(":") :])
    else:
        candidates += families(client, "*")
    found: list[Hypothesis] = []
    for family in candidates:
        suffix = _suffix_in(path, family)
        if suffix is None:
            continue
        if family.plain:
            base = path[: len(path) - len(suffix)]
            if not base.endswith("/"):
                found.append(Hypothesis(base, suffix, suffix, family))
            continue
        found += [
            Hypothesis(base, suffix, _appended(path, base, suffix), family)
            for base in invert(family.steps, _ORIGIN, path, suffix)
        ]
    if method is not None:
        wanted = "GET" if method == "HEAD" else method
        same = [each for each in found if each.family.method == wanted]
        return same or found
    return found


def _appended(path: str, base_path: str, suffix: str) -> str:
    base = base_path.rstrip("/")
    return path[len(base) :] if path.startswith(base + "/") or path == base else suffix


def _suffix_in(path: str, family: Family) -> str | None:
    if not family.has_placeholder:
        return family.head if path.endswith(family.head) else None
    if not path.endswith(family.tail):
        return None
    end = len(path) - len(family.tail)
    start = path.rfind(family.head, 0, end)
    if start < 0:
        return None
    value = path[start + len(family.head) : end]
    if not value or "/" in value:
        return None
    return path[start:]


def from_base(path: str, base_url: str, client: Client | None, method: str | None) -> list[Hypothesis]:
    """The hypotheses that hold for the base URL that is in use: joined with it, they give exactly this path."""
    origin_end = base_url.find("/", base_url.find("://") + 3)
    base_path = base_url[origin_end:] if origin_end >= 0 else ""
    base_path = base_path.partition("?")[0]
    found = []
    for family in _all(client):
        suffix = _suffix_in(path, family)
        if suffix is None and not any(step in ("resolve", "whole") for step in family.steps):
            suffix = _suffix_through_keep(path, family)
        if suffix is None:
            suffix = family.head if not family.has_placeholder else None
        if suffix is None:
            continue
        if join(family.steps, _ORIGIN + base_path, suffix).partition("?")[0] == _ORIGIN + path:
            found.append(Hypothesis(base_path, suffix, _appended(path, base_path, suffix), family))
    if method is not None:
        wanted = "GET" if method == "HEAD" else method
        found = [each for each in found if each.family.method == wanted] or found
    return found


def _suffix_through_keep(path: str, family: Family) -> str | None:
    """A rule that keeps a full endpoint adds nothing, so any concrete suffix will do for the join."""
    keeps = any(not isinstance(step, str) and "keep-if" in step for step in family.steps)
    return family.head + family.tail if keeps and not family.has_placeholder else None


def _all(client: Client | None) -> Iterable[Family]:
    for key in _suffixes(client):
        yield from families(client, key, True)


def client_ids(modes: Iterable[Mode]) -> tuple[str, ...]:
    """The ids of the clients that these modes belong to, in order, each once."""
    return tuple(dict.fromkeys(mode.client for mode in modes))
