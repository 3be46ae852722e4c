"""The fast path: a text that is nothing but a path, a URL, or one of them behind a method or a status.

Such a text is taken as it is: nothing is trimmed, decoded or doubted. It costs a few microseconds.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from antigravity_doctor.sources.text_request import METHODS
from antigravity_doctor.sources.text_shapes import (
    DISK_ROOTS,
    RESOURCES,
    api_level,
    has_resource,
    is_page,
    is_version,
    names_prefix_only,
    on_disk,
    plausible_host,
)

# Printable ASCII without quotes, blanks and what ends a path in prose; the end is no punctuation of a sentence.
_PLAIN = re.compile(r"[!$-&(-;=?-Z_a-z~{}]*[A-Za-z0-9/=_%~+$@}-]")


Bare: TypeAlias = "tuple[str | None, int | None, str, str | None, str, int]"
"""(method, status, target, host, source, strength), the last as in `Draft`. A tuple: this is the fast path."""


def bare_parts(text: str, *, line_of_many: bool = False) -> Bare | None:
    """What the text says if it is nothing but a target (with a method or a status before it), else None.

    `line_of_many`: the text is one line of several. Then an address without a path, a base URL, and a page of
    documentation are left to the closer look at the whole paste.
    """
    method = status = None
    target = text
    if text[1:3] == ":/":
        target = text = _without_git_bash(text)
    if " " in text or "\t" in text:
        words = text.split(None, 3)
        if len(words) > 3:
            return None
        target = words[-1]
        for word in words[:-1]:
            if word in METHODS and method is None:
                method = word
            elif len(word) == 3 and word.isascii() and word.isdigit() and "1" <= word[0] <= "5" and status is None:
                status = int(word)
            else:
                return None
    if target[:1] == "/":
        if not _as_it_is(target):
            return None
        if method is None and not _is_request_path(target, line_of_many):
            return None
        return (method, status, target, None, "path", 2)
    return _address(target, method, status, line_of_many)


def _without_git_bash(text: str) -> str:
    """The path as it was typed: Git Bash on Windows turns an argument `/v1/x` into `C:/Program Files/Git/v1/x`."""
    match = re.fullmatch(r"[A-Za-z]:/(?:[^/]+/){0,4}?(?:Git|msys64|git-bash)(/\S+)", text)
    return match.group(1) if match and api_level(match.group(1)) else text


def _as_it_is(target: str) -> bool:
    """Whether nothing in the target suggests that it was cut out of a text: an entity, a list, a glued status."""
    return (
        _PLAIN.fullmatch(target) is not None
        and not ("&" in target and ";" in target)
        and ",/" not in target
        and not (target[-3:].isdigit() and target[-4:-3] in (":", ",", "="))
    )


def _is_request_path(path: str, line_of_many: bool) -> bool:
    second = path.find("/", 1)
    if second > 0 and path[1:second].lower() in DISK_ROOTS and len(path) > second + 1:
        plain = path.partition("?")[0]
        if api_level(plain) < 2 or on_disk("/x" + plain):
            return False
    if line_of_many:
        return any(letter.isalnum() for letter in path[:40])
    return True


_VENDOR_WORDS = ("api", "openai", "anthropic")
_AUTHORITY = r"[A-Za-z0-9.\-_]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?"


def _address(target: str, method: str | None, status: int | None, line_of_many: bool) -> Bare | None:
    scheme = target.find("://", 0, 8)
    if scheme > 0 and target[:scheme].lower() in ("http", "https", "ws", "wss"):
        return _url(target, scheme + 3, method, status, line_of_many)
    if not target or not _as_it_is(target):
        return None
    first, slash, rest = target.partition("/")
    path = slash + rest
    if ":" in first or "." in first:
        if not plausible_host(first, path) or not re.fullmatch(_AUTHORITY, first):
            return None
        if line_of_many and (is_page(first, path) or (method is None and names_prefix_only(path))):
            return None
        return (method, status, path or "/", first, "path", 2)
    lowered = first.lower()
    plain = "/" + target.partition("?")[0]
    versioned = is_version(lowered)
    named = lowered in RESOURCES or lowered in _VENDOR_WORDS
    if (
        slash
        and (method is not None or versioned or named)
        and (versioned or has_resource(plain))
        and not on_disk(plain)
    ):
        return (method, status, "/" + target, None, "path", 2)
    return None


_NO_AUTHORITY = r"[\s\"'<>`|\\^，。、；：（）「」,;]"


def _url(target: str, start: int, method: str | None, status: int | None, line_of_many: bool) -> Bare | None:
    slash = target.find("/", start)
    authority, rest = (target[start:slash], target[slash:]) if slash > 0 else (target[start:], "")
    if (rest and not _as_it_is(rest)) or re.search(_NO_AUTHORITY, authority):
        return None
    if not authority or not (authority[-1].isalnum() or authority[-1] == "]"):
        return None
    if not authority.isascii() and ":" in authority and not authority.rpartition(":")[2].isascii():
        return None  # words glued to the port
    host = authority.rpartition("@")[2]
    path = rest.partition("?")[0]
    level = api_level(path)
    if line_of_many and not rest:
        return None  # the address may go on in the next line
    if method is None:
        if is_page(host, path) and (line_of_many or not level):
            return None
        if line_of_many and (names_prefix_only(path) or on_disk(path)):
            return None
    strength = 1 if line_of_many and method is None and not level and ":" not in host else 2
    return (method, status, target, None, "url", strength)
