"""What an observed path is made of: versions, endpoints, foreign prefixes, and the small faults of spelling.

This only names parts. Which base URL and suffix made the path is the business of `families` and `explaining`.
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

_ESCAPED = re.compile("((?:%[0-9A-Fa-f]{2})+)")
_STRAY = " \t\r\n\"'`“”‘’<>()[]{}（）「」《》【】,;，。、；：！…|\\^*\u200b\u200c\u200d\ufeff\xa0"
_HOST_LIKE = re.compile(r"(?:localhost|\d{1,3}(?:\.\d{1,3}){3})(?::\d+)?|[\w.\-]+:\d{2,5}", re.IGNORECASE)


class Part(NamedTuple):
    """One part of a path: kind is "version", "endpoint", "url" or "other"; `text` is its canonical spelling."""

    kind: str
    text: str


class Anatomy(NamedTuple):
    """`parts` in order; `endpoint` is the last endpoint's canonical text ("" if there is none).

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
    """Takes a request path (no query) apart. Never raises; a path of more than MAX_SEGMENTS is one "other" part."""
    faults: list[str] = []
    raw = path.split("/", MAX_SEGMENTS + 1)
    if len(raw) > MAX_SEGMENTS:
        return Anatomy((Part("other", path),), "", (), path)
    if raw[0] == "":
        del raw[0]
    while len(raw) > 1 and raw[-1].strip(_STRAY) == "":
        last = raw.pop()
        fault = "trailing-slash" if last == "" else "stray"
        if fault not in faults:
            faults.append(fault)
    segments: list[str] = []
    for segment in raw:
        if segment == "" or not segment.isalnum():
            _clean(segment, segments, faults)
        else:
            segments.append(segment)
    known = endpoints(table)
    parts: list[Part] = []
    endpoint = ""
    index = 0
    while index < len(segments):
        segment = segments[index]
        folded = segment.lower()
        if is_version(segment):
            parts.append(Part("version", "/" + folded))
            _case(segment, folded, faults)
            index += 1
            continue
        matched = _endpoint_at(segments, index, known.get(folded, ()), known)
        if matched:
            spelled = [segments[index + offset] if word == "*" else word for offset, word in enumerate(matched)]
            for offset, word in enumerate(spelled):
                _case(segments[index + offset], word, faults)
            endpoint = "/" + "/".join(spelled)
            parts.append(Part("endpoint", endpoint))
            index += len(matched)
        elif (
            folded in ("http:", "https:")
            or (parts and parts[-1].text.lower() in ("/http:", "/https:"))
            or _HOST_LIKE.fullmatch(segment) is not None
        ):
            parts.append(Part("url", "/" + segment))
            index += 1
        else:
            parts.append(Part("other", "/" + segment))
            index += 1
    if parts and parts[-1].kind != "endpoint":
        endpoint = ""
    canonical = "".join(part.text for part in parts) or "/"
    return Anatomy(tuple(parts), endpoint, tuple(faults), canonical)


def _clean(segment: str, segments: list[str], faults: list[str]) -> None:
    if segment == "":
        _add(faults, "double-slash")
        return
    text = segment
    if "%" in text:
        text = _ESCAPED.sub(_unescape, text)
    stripped = text.strip(_STRAY)
    if stripped.endswith((".", ":")):
        stripped = stripped.rstrip(".:") if stripped.lower() not in ("http:", "https:") else stripped
    if stripped != text:
        _add(faults, "stray")
    elif text != segment:
        _add(faults, "escape")
    segments.extend(each for each in stripped.split("/") if each)


def _unescape(found: re.Match[str]) -> str:
    return bytes.fromhex(found[1].replace("%", "")).decode("utf-8", "replace")


def _case(seen: str, canonical: str, faults: list[str]) -> None:
    if seen != canonical:
        _add(faults, "case")


def _add(faults: list[str], fault: str) -> None:
    if fault not in faults:
        faults.append(fault)


def _endpoint_at(
    segments: list[str],
    index: int,
    candidates: tuple[tuple[str, ...], ...],
    known: dict[str, tuple[tuple[str, ...], ...]],
) -> tuple[str, ...]:
    for words in candidates:
        if index + len(words) > len(segments):
            continue
        for offset, word in enumerate(words):
            segment = segments[index + offset]
            if word == "*":
                # "models/{model}" must not swallow what is itself a version or the start of an endpoint, or a
                # base URL that ends in /models would look like a model with an odd name.
                if is_version(segment) or segment.lower() in known:
                    break
            elif segment.lower() != word.lower():
                break
        else:
            return words
    return ()
