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


class Part(NamedTuple):
    """One part of a path: kind is "version", "endpoint", "url" or "other"; `text` is its canonical spelling."""

    kind: str
    text: str


class Anatomy(NamedTuple):
    """`parts` in order, and `kinds` their kinds' first letters; `endpoint` is the canonical text of the endpoint that
    the path ends in ("" if it does not end in one).

    `faults` names what a strict router trips over: double-slash, trailing-slash, case, escape, stray.
    `canonical` is the path without those faults.
    """

    parts: tuple[Part, ...]
    kinds: str
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
        end = self.kinds.find("e")
        return "".join(part.text for part in (self.parts if end < 0 else self.parts[:end]))


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


def is_oversized(path: str) -> bool:
    """True for a path that no client makes and no server takes."""
    return len(path) > MAX_LENGTH or path.count("/") > MAX_SEGMENTS


def dissect(path: str, table: RouteTable) -> Anatomy:
    """Takes a request path (no query) apart. Never raises; an oversized path is one "other" part."""
    if is_oversized(path):
        return Anatomy((Part("other", path),), "o", "", (), path)
    faults: list[str] = []
    if _is_clean(path):
        segments = path.split("/")
        if segments[0] == "":
            del segments[0]
    else:
        segments = _cleaned(path, faults)
    known = endpoints(table)
    parts: list[Part] = []
    kinds = canonical = text = ""
    index = 0
    count = len(segments)
    while index < count:
        segment = segments[index]
        folded = segment.lower()
        words = _endpoint_at(segments, index, known) if folded in known else ()
        index += 1
        if words:
            if words == (segment,):
                text = "/" + segment
            else:
                text, index = _spelled(segments, index - 1, words, faults)
            parts.append(Part("endpoint", text))
            kinds += "e"
        elif folded[0] == "v" and is_version(folded):
            text = "/" + folded
            parts.append(Part("version", text))
            kinds += "v"
            if segment != folded:
                _add(faults, "case")
        elif (not folded.isalnum() and (_is_host(folded) or _after_scheme(parts))) or folded == "localhost":
            text = "/" + segment
            parts.append(Part("url", text))
            kinds += "u"
        else:
            text = "/" + segment
            parts.append(Part("other", text))
            kinds += "o"
        canonical += text
    endpoint = text if kinds[-1:] == "e" else ""
    return Anatomy(tuple(parts), kinds, endpoint, tuple(faults), canonical or "/")


def _is_clean(path: str) -> bool:
    """True for plain letters, digits and -_.: with no empty segment and none that ends in "." or ":" (the usual)."""
    bare = path.replace("/", "").replace("-", "").replace("_", "")
    if not (bare.isalnum() or bare.replace(".", "").replace(":", "").isalnum()) or not bare.isascii():
        return False
    return path[-1] not in "/.:" and not ("//" in path or "./" in path or ":/" in path)


def _spelled(segments: list[str], index: int, words: tuple[str, ...], faults: list[str]) -> tuple[str, int]:
    """The canonical text of the endpoint with these words that stands at this index, and the index behind it."""
    text = ""
    for word in words:
        seen = segments[index]
        text += "/" + (seen if word == "*" else word)
        if word not in ("*", seen):
            _add(faults, "case")
        index += 1
    return text, index


def _after_scheme(parts: list[Part]) -> bool:
    return bool(parts) and parts[-1].text.lower() in ("/http:", "/https:")


def _is_host(folded: str) -> bool:
    """True for an IPv4 address, or a host with a port; and for the scheme in front of one."""
    if folded in ("http:", "https:"):
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
