"""Finding codes and every text of findings, checks and reasons, by language.

`findings/*.json` holds what is the same in every language (code -> name, severity, example, false-positive twin);
`texts/<language>/*.json` holds the words. A translation is a folder of the same files; what it lacks falls back to
English, so a half-done translation is usable.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

from antigravity_doctor.knowledge.files import load_json

DEFAULT_LANGUAGE = "en"
GROUPS = ("1xx-reach", "2xx-auth", "3xx-path", "4xx-endpoint", "5xx-settings", "6xx-noise")
_GROUP_OF = {name[0]: name for name in GROUPS}


class Code(NamedTuple):
    """A finding code's language-free part. `example` and `twin` are run by the test-suite (docs/add-a-finding.md)."""

    code: str
    name: str
    severity: str
    group: str
    example: Mapping[str, Any]
    twin: Mapping[str, Any]


@lru_cache(maxsize=8)
def _group(group: str) -> dict[str, Code]:
    data = load_json("findings", group + ".json")
    return {
        code: Code(code, each["name"], each["severity"], group, each.get("example", {}), each.get("twin", {}))
        for code, each in data.items()
    }


def code(code: str) -> Code:
    """The registry entry of a code such as "AGD301". Raises KeyError for a code that does not exist."""
    group = _GROUP_OF.get(code[3:4])
    if group is None:
        raise KeyError(code)
    return _group(group)[code]


def all_codes() -> tuple[Code, ...]:
    """Every code there is, in order."""
    found = [each for group in GROUPS for each in _group(group).values()]
    return tuple(sorted(found, key=lambda each: each.code))


@lru_cache(maxsize=32)
def _texts(language: str, file: str) -> dict[str, Any]:
    texts: dict[str, Any] = load_json("texts", DEFAULT_LANGUAGE, file + ".json")
    if language == DEFAULT_LANGUAGE:
        return texts
    translated: dict[str, Any] = {}
    with suppress(FileNotFoundError):
        translated = load_json("texts", language, file + ".json")
    # An entry may be translated in part: what it lacks is said in English rather than not at all.
    return texts | {
        key: texts[key] | value if isinstance(value, dict) and isinstance(texts.get(key), dict) else value
        for key, value in translated.items()
    }


class _Facts(dict[str, str]):
    """A missing fact shows as its name in angle brackets, never as a traceback in front of a tired user."""

    def __missing__(self, key: str) -> str:
        return f"<{key}>"


def finding_text(code: str, part: str, facts: Mapping[str, str] | None = None, language: str = DEFAULT_LANGUAGE) -> str:
    """One part (title, summary, symptom, cause, fix) of a code's text, with its facts filled in."""
    text: str = _texts(language, "findings-" + _GROUP_OF[code[3]])[code][part]
    return text.format_map(_Facts(facts or {})) if "{" in text else text


def check_text(
    check_id: str, part: str, facts: Mapping[str, str] | None = None, language: str = DEFAULT_LANGUAGE
) -> str:
    """One part (title, pass, warn, fail, skipped, inconclusive) of a check's text, with its facts filled in."""
    text: str = _texts(language, "checks")[check_id][part]
    return text.format_map(_Facts(facts or {})) if "{" in text else text


def reason_text(reason: str, facts: Mapping[str, str] | None = None, language: str = DEFAULT_LANGUAGE) -> str:
    """Why a check was skipped or is inconclusive, from the reason's key (texts/<language>/reasons.json)."""
    text: str = _texts(language, "reasons")[reason]
    return text.format_map(_Facts(facts or {})) if "{" in text else text


def phrase(key: str, facts: Mapping[str, str] | None = None, language: str = DEFAULT_LANGUAGE) -> str:
    """A phrase of the reports themselves (texts/<language>/reports.json)."""
    text: str = _texts(language, "reports")[key]
    return text.format_map(_Facts(facts or {})) if "{" in text else text


def room_phrase(file: str, key: str, facts: Mapping[str, str] | None = None, language: str = DEFAULT_LANGUAGE) -> str:
    """A phrase of a command that has texts of its own (texts/<language>/<file>.json): `logs`, `scan`."""
    text: str = _texts(language, file)[key]
    return text.format_map(_Facts(facts or {})) if "{" in text else text


def file_reason(key: str, part: str = "said", facts: Mapping[str, str] | None = None) -> str:
    """Why a settings file cannot be read, changed or written, and what to do ("next"; "" where there is nothing), from
    the reason's key (texts/<language>/settings.json). A sentence with its full stop."""
    text: str = _texts(DEFAULT_LANGUAGE, "settings")[key].get(part, "")
    return text.format_map(_Facts(facts or {})) if "{" in text else text
