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


Index = dict[str, tuple[Family, ...]]


_PLAIN_STEPS = ("strip-slashes", "append")
_SLASH_STEPS = frozenset(("strip-slash", "strip-slashes", "append"))


@lru_cache(maxsize=64)
def index(client: Client | None, exact: bool = False) -> Index:
    """The families of one client, or of all, by the last segment of their suffix (see `_key_of`).

    Rules that differ only in how many closing slashes they strip are one family for guessing; with `exact` each rule
    stays as it is, for the case that the base URL is known to the letter.
    """
    grouped: dict[tuple[str, str, str], list[Mode]] = {}
    steps_of: dict[str, tuple[Step, ...]] = {}
    for each in (client,) if client is not None else all_clients():
        for mode in each.modes:
            # Azure and Ollama modes never meet a route of their own; their paths are known as styles.
            if mode.protocol in ("azure", "ollama"):
                continue
            plain = mode.steps[-1] == "append" and all(
                isinstance(step, str) and step in _SLASH_STEPS for step in mode.steps
            )
            steps = _PLAIN_STEPS if plain and not exact else mode.steps
            key = repr(steps)
            steps_of[key] = steps
            for request in mode.requests:
                suffix = request.suffix.partition("?")[0]
                modes = grouped.setdefault((key, request.method, suffix), [])
                if mode not in modes:
                    modes.append(mode)
    found: dict[str, list[Family]] = {}
    for (key, method, suffix), modes in grouped.items():
        start, end = suffix.find("{"), suffix.find("}")
        head, tail = (suffix[:start], suffix[end + 1 :]) if start >= 0 else (suffix, "")
        plain = steps_of[key] == _PLAIN_STEPS
        family = Family(steps_of[key], method, head, tail, start >= 0, plain, tuple(modes))
        found.setdefault(_key_of(suffix), []).append(family)
    return {key: tuple(families) for key, families in found.items()}


def _key_of(suffix: str) -> str:
    last = suffix[suffix.rfind("/") + 1 :]
    if last.startswith("{"):
        end = last.find("}") + 1
        return last[end:] if last[end:] else "*"
    return last


def hypotheses(path: str, known: Index, method: str | None) -> list[Hypothesis]:
    """Every family and base path that make exactly this path (no query). The method filters where any family has it."""
    last = path[path.rfind("/") + 1 :]
    families: list[Family] = list(known.get(last, ()))
    if ":" in last:
        families += known.get(last[last.rfind(":") :], ())
    families += known.get("*", ())
    found: list[Hypothesis] = []
    for family in families:
        suffix = _suffix_in(path, family)
        if suffix is None:
            continue
        if family.plain:
            base = path[: len(path) - len(suffix)]
            if not base.endswith("/"):
                found.append(Hypothesis(base, suffix, suffix, family))
            continue
        for base in invert(family.steps, _ORIGIN, path, suffix):
            found.append(Hypothesis(base, suffix, _appended(path, base, suffix), family))
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


def from_base(path: str, base_url: str, known: Index, method: str | None) -> list[Hypothesis]:
    """The hypotheses that hold for the base URL that is in use: joined with it, they give exactly this path."""
    origin_end = base_url.find("/", base_url.find("://") + 3)
    base_path = base_url[origin_end:] if origin_end >= 0 else ""
    base_path = base_path.partition("?")[0]
    found = []
    for family in _all(known):
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


def _all(known: Index) -> Iterable[Family]:
    for families in known.values():
        yield from families


def client_ids(modes: Iterable[Mode]) -> tuple[str, ...]:
    """The ids of the clients that these modes belong to, in order, each once."""
    return tuple(dict.fromkeys(mode.client for mode in modes))
