"""Which catalogued suffix ends this path, and what base URL was in front of it? (path -> base + suffix)

A *family* is every mode of every client that shares one join rule, protocol, method and suffix: for the algebra they
are one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from antigravity_doctor.diagnosis.joining import PLAIN, Rule, invert, rule_of, run
from antigravity_doctor.diagnosis.urls import split_url
from antigravity_doctor.knowledge.clients import Client, Mode, all_clients

# What the recorder of a base URL stands in for while joining; only the path of the result is used.
_ORIGIN = "http://h"


class Family:
    """`head` + placeholder + `tail` is the suffix (no placeholder: `tail` is ""); the query is not part of it.

    `rule` is PLAIN where it comes to stripping slashes and adding, so that it is inverted by cutting the suffix off;
    `slashed` are then those of its modes whose own rule keeps a closing slash of the base (`/v1/` -> `/v1//models`).
    `adds` is set for rules that come to "add this text unless the base matches, then add the suffix".
    Compared and hashed by identity, so that what is solved for a family is solved once.
    """

    __slots__ = ("adds", "has_placeholder", "head", "method", "modes", "protocol", "rule", "slashed", "tail")

    def __init__(self, rule: Rule, protocol: str, method: str, suffix: str, modes: tuple[Mode, ...]) -> None:
        start, end = suffix.find("{"), suffix.find("}")
        self.rule = rule
        self.protocol = protocol
        self.method = method
        self.has_placeholder = start >= 0
        self.head, self.tail = (suffix[:start], suffix[end + 1 :]) if start >= 0 else (suffix, "")
        self.modes = modes
        base, plain = _ORIGIN + "/v1/", suffix.replace("{", "").replace("}", "")
        slashed = (mode for mode in modes if rule is PLAIN and run(rule_of(mode), base, plain) == base + plain)
        self.slashed = tuple(slashed)
        self.adds = _addition(rule)


class Addition(NamedTuple):
    """`text` (no closing slash) is added to a base unless `pattern` is found in it.

    `heeds_slash`: with a closing slash of the base the rule does something else than without.
    """

    pattern: re.Pattern[str]
    text: str
    heeds_slash: bool


def _addition(rule: Rule) -> Addition | None:
    """The Addition that a rule comes to for bases that end in neither "/" nor "#"; None for any other rule."""
    names = [name for name, _, _ in rule]
    added = [(pattern, text) for name, pattern, text in rule if name == "add-unless"]
    plain = {"strip-slash", "strip-slashes", "add-unless", "append"}
    hashes = all(text.endswith("#") for name, _, text in rule if name == "drop-end")
    if len(added) != 1 or names[-1] != "append" or not set(names) <= plain | {"drop-end"} or not hashes:
        return None
    pattern, text = added[0]
    if pattern is None or (text.endswith("/") and "strip-slash" not in names[names.index("add-unless") :]):
        return None
    heeds = run(rule, _ORIGIN + "/x/", "/s") != run(rule, _ORIGIN + "/x", "/s")
    return Addition(pattern, text.rstrip("/"), heeds)


class Ending(NamedTuple):
    """One suffix (see Family) and the families that have it."""

    head: str
    tail: str
    has_placeholder: bool
    families: tuple[Family, ...]


class Hypothesis(NamedTuple):
    """One way in which a path can have come about: this base path, this concrete suffix, these modes.

    `suffix` is what goes into the join; `appends` is what came out behind the base path (a rule that adds a version
    of its own adds it there), so that `base_path + appends` is the path wherever the rule allows that reading.
    `modes` are those of the family that can have done it: none where only an unknown client can.
    """

    base_path: str
    suffix: str
    appends: str
    family: Family
    modes: tuple[Mode, ...]


_SAMPLES = (
    "", "/v1", "/v1beta", "/v1/v1", "/v1/v1beta", "/v1beta/v1beta", "/V1", "/v1//x", "/v2", "/v1alpha", "/api/paas/v4",
    "/openai", "/openai/v1", "/api/v1", "/x", "/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1beta/models",
    "/v1/models", "/chat/completions", "/http://127.0.0.1:8045/v1", "/v1%20",
)  # fmt: skip


def _is_plain(rule: Rule, suffix: str) -> bool:
    """True if the rule does what stripping closing slashes and adding does, on every kind of base people type.

    Rules also differ in how they treat a query or a closing slash of the base; for guessing an unknown base that
    makes no difference, and one family for all of them is what makes guessing fast. Every fix is still proved with
    each mode's own rule.
    """
    return all(run(rule, _ORIGIN + base, suffix) == _ORIGIN + base + suffix for base in _SAMPLES)


@lru_cache(maxsize=64)
def _suffixes(client: Client | None) -> dict[str, list[tuple[Mode, str, str]]]:
    """Every (mode, method, suffix without query) of one client, or of all, by `key_of` the suffix."""
    found: dict[str, list[tuple[Mode, str, str]]] = {}
    for each in (client,) if client is not None else all_clients():
        for mode in each.modes:
            # Azure and Ollama modes never meet a route of their own; their paths are known as styles.
            if mode.protocol in ("azure", "ollama"):
                continue
            for request in mode.requests:
                suffix = request.suffix.partition("?")[0]
                if suffix.count("{") > 1:
                    # A project and a model: that is Vertex AI, which is known as a style as well.
                    continue
                found.setdefault(key_of(suffix), []).append((mode, request.method, suffix))
    return found


def key_of(suffix: str) -> str:
    """What the last segment of a path with this suffix is: itself, ":action" of a model, or "*" for any."""
    last = suffix[suffix.rfind("/") + 1 :]
    if last.startswith("{"):
        return last[last.find("}") + 1 :] or "*"
    return last


@lru_cache(maxsize=4096)
def endings(client: Client | None, key: str, exact: bool = False) -> tuple[Ending, ...]:
    """The suffixes of one client, or of all, that end in `key`, each with its families.

    For guessing, rules that come to the same thing are one family; with `exact` each rule stays as it is, for the
    case that the base URL is known to the letter.
    """
    grouped: dict[str, dict[tuple[Rule, str, str], list[Mode]]] = {}
    plain: dict[tuple[Rule, str], bool] = {}
    for mode, method, suffix in _suffixes(client).get(key, ()):
        rule = rule_of(mode)
        if not exact and rule != PLAIN:
            known = plain.get((rule, suffix))
            if known is None:
                known = plain[rule, suffix] = _is_plain(rule, suffix)
            rule = PLAIN if known else rule
        modes = grouped.setdefault(suffix, {}).setdefault((rule, mode.protocol, method), [])
        if mode not in modes:
            modes.append(mode)
    found = []
    for suffix, groups in grouped.items():
        families = tuple(
            Family(PLAIN if rule == PLAIN and not exact else rule, protocol, method, suffix, tuple(modes))
            for (rule, protocol, method), modes in groups.items()
        )
        first = families[0]
        found.append(Ending(first.head, first.tail, first.has_placeholder, families))
    return tuple(found)


@lru_cache(maxsize=1024)
def _key_endings(client: Client | None, last: str) -> tuple[Ending, ...]:
    """The suffixes that a path with this last segment can end in."""
    return endings(client, last) + endings(client, last[last.rfind(":") :] if ":" in last else "*")


def hypotheses(path: str, client: Client | None, method: str | None, endpoint: str = "") -> list[Hypothesis]:
    """Every family and base path that make exactly this path (no query). The method filters where any family has it.

    `endpoint` is what the path ends in, where that is known: "/completions" also ends in "/chat/completions", but only
    a suffix that covers the whole endpoint has made the path.
    """
    last = path[path.rfind("/") + 1 :]
    if len(last) > 200:
        return []
    colon = last.rfind(":")
    # A model's name is not worth a place in the cache: "*:generateContent" stands for all of them.
    known = _key_endings(client, last if colon < 0 else "*" + last[colon:])
    latest = len(path) - len(endpoint)
    found: list[Hypothesis] = []
    for head, tail, has_placeholder, families in known:
        if has_placeholder:
            end = len(path) - len(tail)
            start = path.rfind(head, 0, end) if path.endswith(tail) else -1
            value = start + len(head)
            if start < 0 or start > latest or value >= end or "/" in path[value:end]:
                continue
        elif path.endswith(head):
            start = len(path) - len(head)
            if start > latest:
                continue
        else:
            continue
        base, suffix = path[:start], path[start:]
        slash = base[-1:] == "/"
        for family in families:
            if family.rule is not PLAIN:
                _read_backwards(path, base, suffix, family, found)
            else:
                # Stripping rules never leave a slash there: a client that simply adds has done this.
                found.append(Hypothesis(base, suffix, suffix, family, family.slashed if slash else family.modes))
    return _of_method(found, method)


def _read_backwards(path: str, base: str, suffix: str, family: Family, found: list[Hypothesis]) -> None:
    """Adds the hypotheses of a rule that does more than add the suffix. `path` is `base + suffix`."""
    if family.adds is None or base[-1:] in ("/", "#"):
        found += [
            Hypothesis(each, suffix, _appended(path, each, suffix), family, family.modes)
            for each in invert(family.rule, _ORIGIN, path, suffix)
        ]
        return
    pattern, text, heeds_slash = family.adds
    shorter = base[: len(base) - len(text)] if base.endswith(text) else None
    if pattern.search(_ORIGIN + base):
        found.append(Hypothesis(base, suffix, suffix, family, family.modes))
    if shorter is not None and shorter[-1:] not in ("/", "#") and not pattern.search(_ORIGIN + shorter):
        found.append(Hypothesis(shorter, suffix, text + suffix, family, family.modes))
    if heeds_slash and run(family.rule, _ORIGIN + base + "/", suffix) == _ORIGIN + path:
        found.append(Hypothesis(base + "/", suffix, suffix, family, family.modes))


def _of_method(found: list[Hypothesis], method: str | None) -> list[Hypothesis]:
    if method is None or not found:
        return found
    wanted = "GET" if method == "HEAD" else method
    return [each for each in found if each.family.method == wanted] or found


def _appended(path: str, base_path: str, suffix: str) -> str:
    base = base_path.rstrip("/")
    return path[len(base) :] if path.startswith(base + "/") or path == base else suffix


def from_base(path: str, base_path: str, client: Client | None, method: str | None) -> list[Hypothesis]:
    """The hypotheses that hold for the base path that is in use: joined with it, they give exactly this path."""
    found = []
    for key in _suffixes(client):
        for ending in endings(client, key, True):
            suffix = _suffix_in(path, ending)
            for family in ending.families:
                tried = suffix or _any_suffix(family)
                if not tried:
                    continue
                if split_url(run(family.rule, _ORIGIN + base_path, tried)).path == path:
                    found.append(Hypothesis(base_path, tried, _appended(path, base_path, tried), family, family.modes))
    return _of_method(found, method)


def _suffix_in(path: str, ending: Ending) -> str:
    """The suffix that a path ends in, "" if it does not end in this one."""
    if not ending.has_placeholder:
        return ending.head if path.endswith(ending.head) else ""
    end = len(path) - len(ending.tail)
    start = path.rfind(ending.head, 0, end) if path.endswith(ending.tail) else -1
    value = start + len(ending.head)
    return path[start:] if start >= 0 and value < end and "/" not in path[value:end] else ""


def _any_suffix(family: Family) -> str:
    """A suffix to join where the path does not end in it: a rule may drop it, or keep a base that is an endpoint."""
    if not any(name not in ("append", "strip-slash", "strip-slashes", "add-slash") for name, _, _ in family.rule):
        return ""
    return family.head + ("MODEL" if family.has_placeholder else "") + family.tail


def client_ids(modes: Iterable[Mode]) -> tuple[str, ...]:
    """The ids of the clients that these modes belong to, in order, each once."""
    return tuple(dict.fromkeys(mode.client for mode in modes))
