"""What a path most likely meant that is cut off or misspelt: `/v1/chat`, `/v1/mesages`, `/v1/chat-completions`."""

from __future__ import annotations

from functools import lru_cache

from antigravity_doctor.diagnosis.anatomy import Anatomy, Part, dissect, endpoints
from antigravity_doctor.diagnosis.solving import is_version
from antigravity_doctor.knowledge.routes import RouteTable

_SHORTEST, _LONGEST = 4, 40
_ACTIONS = {"generatecontent": "generateContent", "streamgeneratecontent": "streamGenerateContent"}
_APART = str.maketrans("", "", "-_. ")


def corrected(anatomy: Anatomy, table: RouteTable) -> Anatomy | None:
    """The path that was meant, taken apart; None if it resembles nothing. Prefixes that are no endpoint stay.

    A word counts as misspelt within one character left out on each side (which covers a wrong, a missing, a doubled
    and two swapped characters).
    """
    parts = anatomy.parts
    if not parts or parts[-1].kind != "other" or len(anatomy.canonical) > 300:
        return None
    found = _with_action(parts)
    if found is None:
        words = []
        for part in parts:
            meant = _meant(part.text[1:], table) if part.kind == "other" else None
            words.append(meant or part.text)
        found = "".join(words)
    again = dissect(found, table)
    if not again.endpoint:
        completed = _completed(again, table)
        again = dissect(completed, table) if completed is not None else again
    return again if again.endpoint else None


def _with_action(parts: tuple[Part, ...]) -> str | None:
    """`/models/NAME/generateContent` -> `/models/NAME:generateContent`."""
    action = _ACTIONS.get(parts[-1].text[1:].lower())
    if action is None or len(parts) < 2 or not parts[-2].text.startswith("/models/"):
        return None
    return "".join(part.text for part in parts[:-1]) + ":" + action


def _completed(anatomy: Anatomy, table: RouteTable) -> str | None:
    """The path with the rest of the endpoint whose first word it ends in."""
    last = anatomy.parts[-1]
    if last.kind != "other":
        return None
    for words in _served(table):
        if len(words) > 1 and last.text[1:].lower() == words[0] and "*" not in words:
            return anatomy.canonical[: len(anatomy.canonical) - len(last.text)] + "/" + "/".join(words)
    return None


def _meant(segment: str, table: RouteTable) -> str | None:
    """The words that a misspelt segment stands for, with their slashes; None if it resembles none."""
    if not _SHORTEST <= len(segment) <= _LONGEST or ":" in segment:
        return None
    folded = segment.lower()
    known = _misspellings(table)
    glued = known.get(folded.translate(_APART))
    if glued is not None:
        return glued
    for index in range(len(folded)):
        found = known.get(folded[:index] + folded[index + 1 :])
        if found is not None:
            return found
    return None


@lru_cache(maxsize=8)
def _served(table: RouteTable) -> tuple[tuple[str, ...], ...]:
    """The endpoints that clients are meant to use, without version, in the table's order."""
    found = []
    for route in table.routes:
        if route.protocol in ("openai", "anthropic", "gemini", "health"):
            words = ["*" if part.startswith(":") else part for part in route.path.split("/")[1:]]
            found.append(tuple(words[1:] if is_version(words[0]) and len(words) > 1 else words))
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=8)
def _misspellings(table: RouteTable) -> dict[str, str]:
    """Every word of an endpoint, whole and with one character left out, and words run together -> what is meant."""
    found: dict[str, str] = {}
    every = [words for group in endpoints(table).values() for words in group]
    admin = {part for route in table.routes if route.admin for part in route.path.split("/")}
    for words in (*_served(table), *every):
        plain = [word for word in words if word != "*"]
        if len(plain) > 1:
            found.setdefault("".join(plain).translate(_APART).lower(), "/" + "/".join(plain))
        for word in plain:
            if len(word) < _SHORTEST or word in admin:
                continue
            folded = word.lower()
            found.setdefault(folded.translate(_APART), "/" + word)
            for index in range(len(folded)):
                found.setdefault(folded[:index] + folded[index + 1 :], "/" + word)
    return found
