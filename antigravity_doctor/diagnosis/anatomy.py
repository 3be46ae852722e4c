"""What an observed path is made of: versions, endpoints, foreign prefixes, and the small faults of spelling.

This only names parts. Which base URL and suffix made the path is the business of `families` and `fixing`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from antigravity_doctor.diagnosis.solving import is_version
from antigravity_doctor.knowledge import paths
from antigravity_doctor.knowledge.routes import RouteTable

MAX_SEGMENTS = 64
"""A path with more segments than this is not taken apart: no client makes one, and hostile input must stay cheap."""

MAX_LENGTH = 8192
"""Nor is a path of more characters than this; servers refuse such a request line."""

_STRAY = " \t\r\n\"'`“”‘’<>()[]{}（）「」《》【】,;，。、；：！…|\\^*\u200b\u200c\u200d\ufeff\xa0"
# A path of these characters alone, with no empty segment and none that ends in "." or ":", has nothing to clean.
_CLEAN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-_.:@~$&+=!")


class Part(NamedTuple):
    """One part of a path: kind is "version", "endpoint", "url" or "other"; `text` is its canonical spelling."""

    kind: str
    text: str


class Anatomy(NamedTuple):
    """`parts` in order; `endpoint` is the last endpoint's canonical text ("" if the path does not end in one).

    `faults` names what a strict router trips over: double-slash, trailing-slash, case, escape, stray.
    `canonical` is the path without those faults.
    """

    parts: tuple[Part, ...]
    endpoint: str
    faults: tuple[str, ...]
    canonical: str

    @property
    def prefix(self) -> str:
        """Everything in front of the last endpoint, canonical."""
        return self.canonical[: len(self.canonical) - len(self.endpoint)] if self.endpoint else self.canonical

    @property
    def front(self) -> str:
        """Everything in front of the first endpoint, canonical."""
        kinds = [part.kind for part in self.parts]
        end = kinds.index("endpoint") if "endpoint" in kinds else len(kinds)
        return "".join(part.text for part in self.parts[:end])


@lru_cache(maxsize=32)
def endpoints(table: RouteTable) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Every endpoint without its version prefix, by lower-case first segment, longest first ("*" = one segment)."""
    found: dict[tuple[str, ...], None] = {}
    for route in table.routes:
        segments = ["*" if part.startswith(":") else part for part in route.path.split("/")[1:]]
        found[tuple(segments[1:] if is_version(segments[0]) and len(segments) > 1 else segments)] = None
    for key in paths.unsupported():
        found[key] = None
    by_first: dict[str, list[tuple[str, ...]]] = {}
    for key in sorted(found, key=len, reverse=True):
        by_first.setdefault(key[0].lower(), []).append(key)
    return {first: tuple(keys) for first, keys in by_first.items()}


def dissect(path: str, table: RouteTable) -> Anatomy:
    """Takes a request path (no query) apart. Never raises; an oversized path is one "other" part."""
    if len(path) > MAX_LENGTH or path.count("/") > MAX_SEGMENTS:
        return Anatomy((Part("other", path),), "", (), path)
    faults: list[str] = []
    if _CLEAN.issuperset(path) and path[-1:] not in "/.:" and not ("//" in path or "./" in path or ":/" in path):
        segments = path.split("/")
        if segments[0] == "":
            del segments[0]
    else:
        segments = _cleaned(path, faults)
    known = endpoints(table)
    parts: list[Part] = []
    endpoint = ""
    index = 0
    count = len(segments)
    while index < count:
        segment = segments[index]
        folded = segment.lower()
        words: tuple[str, ...] = ()
        if folded in known:
            words = _endpoint_at(segments, index, known)
        if words:
            spelled = []
            for word in words:
                seen = segments[index]
                if word == "*":
                    spelled.append(seen)
                else:
                    spelled.append(word)
                    if seen != word:
                        _add(faults, "case")
                index += 1
            endpoint = "/" + "/".join(spelled)
            parts.append(Part("endpoint", endpoint))
            continue
        index += 1
        if is_version(segment):
            parts.append(Part("version", "/" + folded))
            if segment != folded:
                _add(faults, "case")
        elif _is_host(folded) or (parts and parts[-1].text.lower() in ("/http:", "/https:")):
            parts.append(Part("url", "/" + segment))
        else:
            parts.append(Part("other", "/" + segment))
    if not parts:
        return Anatomy((), "", tuple(faults), "/")
    if parts[-1].kind != "endpoint":
        endpoint = ""
    return Anatomy(tuple(parts), endpoint, tuple(faults), "".join([part.text for part in parts]))


def _is_host(folded: str) -> bool:
    """True for "localhost", an IPv4 address, or a host with a port; and for the scheme in front of one."""
    if folded in ("localhost", "http:", "https:"):
        return True
    host, colon, port = folded.rpartition(":")
    if not colon:
        return folded.count(".") == 3 and folded.replace(".", "").isdecimal()
    return 2 <= len(port) <= 5 and port.isdecimal() and host.replace(".", "").replace("-", "").isalnum()


def _cleaned(path: str, faults: list[str]) -> list[str]:
    """The segments without empty ones, stray characters and percent-escapes; `faults` gets what was cleaned."""
    raw = path.split("/")
    if raw[0] == "":
        del raw[0]
    while len(raw) > 1 and raw[-1].strip(_STRAY) == "":
        _add(faults, "trailing-slash" if raw.pop() == "" else "stray")
    segments: list[str] = []
    for segment in raw:
        if segment == "":
            if len(raw) > 1:
                _add(faults, "double-slash")
            continue
        text = _unescaped(segment) if "%" in segment else segment
        stripped = text.strip(_STRAY)
        if stripped.endswith((".", ":")) and stripped.lower() not in ("http:", "https:"):
            stripped = stripped.rstrip(".:")
        if stripped != text:
            _add(faults, "stray")
        elif text != segment:
            _add(faults, "escape")
        segments.extend(each for each in stripped.split("/") if each)
    return segments


def _unescaped(text: str) -> str:
    return re.sub("(?:%[0-9A-Fa-f]{2})+", _decoded, text)


def _decoded(found: re.Match[str]) -> str:
    return bytes.fromhex(found[0].replace("%", "")).decode("utf-8", "replace")


def _add(faults: list[str], fault: str) -> None:
    if fault not in faults:
        faults.append(fault)


def _endpoint_at(segments: list[str], index: int, known: dict[str, tuple[tuple[str, ...], ...]]) -> tuple[str, ...]:
    """The longest endpoint whose words stand at this index, () if there is none."""
    left = len(segments) - index
    for words in known[segments[index].lower()]:
        if len(words) == 1:
            return words
        if len(words) > left:
            continue
        for offset in range(1, len(words)):
            word, folded = words[offset], segments[index + offset].lower()
            if word == "*":
                # "models/{model}" must not swallow what is itself a version or the start of an endpoint, or a
                # base URL that ends in /models would look like a model with an odd name.
                if folded in known or is_version(folded):
                    break
            elif folded != word.lower():
                break
        else:
            return words
    return ()
