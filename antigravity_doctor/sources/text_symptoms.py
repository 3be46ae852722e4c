"""What a text suggests by its words alone, where it names no path and no address.

"It says connection refused" or "API Error: 401 Unauthorized" is all that many people have. Words and codes are data
(`knowledge/text-symptoms.json`, `symptoms`), each with its source.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from antigravity_doctor.knowledge.files import load_json
from antigravity_doctor.sources.text_cleaning import strip_terminal_controls
from antigravity_doctor.sources.text_failures import failure_kinds

PATH_UNKNOWN = "path-unknown"
"""In place of a code: something answered 404, and only the path that was asked for would tell why."""

_LOOKED_AT = 200_000
"""Characters of a text that are looked at."""


class _Symptom(NamedTuple):
    code: str
    words: re.Pattern[str] | None
    unless: re.Pattern[str] | None
    failure: str | None
    unless_failure: bool


@lru_cache(maxsize=1)
def _symptoms() -> tuple[_Symptom, ...]:
    return tuple(
        _Symptom(
            str(entry["code"]),
            _pattern(entry["any"]),
            _pattern(entry.get("unless", [])),
            entry.get("failure"),
            bool(entry.get("unless_failure", False)),
        )
        for entry in load_json("text-symptoms.json")["symptoms"]
    )


def _pattern(parts: list[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(f"(?:{part})" for part in parts), re.IGNORECASE | re.MULTILINE) if parts else None


def symptoms_in(text: str) -> tuple[str, ...]:
    """The codes of findings that the text suggests, surest first; `PATH_UNKNOWN` for a 404; () if it suggests none.

    Never raises; looks at the first 200,000 characters.
    """
    text = strip_terminal_controls(text[:_LOOKED_AT])
    kinds = failure_kinds(text)
    codes: dict[str, None] = {}
    for code, words, unless, failure, unless_failure in _symptoms():
        if code in codes or (unless_failure and kinds):
            continue
        named = failure is not None and failure in kinds
        if not named and (words is None or words.search(text) is None):
            continue
        if unless is None or unless.search(text) is None:
            codes[code] = None
    return tuple(codes)
