"""Values of `.env` files with their places.

There is no standard, only habits. Read here as the dotenv of Node, the dotenv of Python and Docker Compose do where
they agree: `export` in front is nothing, blanks around `=` and around a bare value do not count, quotes of three kinds,
a bare value ends at a blank and a `#`, the last line of a name wins, a line that is none is skipped. Where they differ
(escapes in double quotes, `#` without a blank) the value is read as Python's does and noted.
"""

from __future__ import annotations

import re

from antigravity_doctor.sources.settings_text import CannotReplaceError, Found, Settings, behind

_NAME = re.compile(r"[ \t]*+(?:export[ \t]++)?([A-Za-z_][\w.-]*+)[ \t]*+=[ \t]*+", re.ASCII)
_QUOTED = re.compile(r'"(?:[^"\\]++|\\[\s\S])*+"|\'(?:[^\'\\]++|\\[\s\S])*+\'|`[^`]*+`')
_BEHIND = re.compile(r"[ \t]*+(?:#[^\r\n]*+)?(?=[\r\n]|\Z)")
_BARE = re.compile(r"[^\r\n]*+")
_LINE_END = re.compile(r"\r\n?|\n")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "'": "'", "$": "$"}


def read_dotenv(text: str) -> Settings:
    """The values of a text, each at (NAME,). Never raises but for a text that is too large."""
    found = Found(text)
    seen: dict[str, int] = {}
    here = 0
    while here < len(text):
        match = _NAME.match(text, here)
        if match is None:
            here = _next_line(text, here)
            continue
        name, start = match[1], match.end()
        value, end = _value(text, start, found)
        if start == end:  # what is written here would run into a comment behind it
            start = end = text.rindex("=", 0, start) + 1
        if name in seen:
            found.note("duplicate-key", match.start(1))
            found.drop(seen[name], seen[name] + 1)
        seen[name] = len(found.values)
        found.add((name,), value, start, end)
        here = _next_line(text, end)
    return found.settings()


def _next_line(text: str, here: int) -> int:
    match = _LINE_END.search(text, here)
    return match.end() if match else len(text)


def _value(text: str, start: int, found: Found) -> tuple[str, int]:
    """The value that starts here, and where its writing ends."""
    quoted = _QUOTED.match(text, start)
    if quoted and _BEHIND.match(text, quoted.end()):
        inside = quoted[0][1:-1]
        if quoted[0][0] == '"':
            if re.search(r"\\[^nr]", inside):
                found.note("dotenv-escape", start)
            inside = re.sub(r"(?s)\\(.)", lambda each: _ESCAPES.get(each[1], each[0]), inside)
        elif quoted[0][0] == "'":
            inside = re.sub(r"\\([\\'])", r"\1", inside)
        return inside, quoted.end()
    value = text[start : behind(_BARE, text, start)]
    if value[:1] in ('"', "'", "`") and value.count(value[0]) == 1:
        found.note("dotenv-quote-open", start)
    # The name's blanks were skipped, so a comment that follows at once has one in front of it.
    comment = re.search(r"(?:^|[ \t])#", value)
    if comment:
        value = value[: comment.start()]
    if "#" in value:
        found.note("dotenv-hash", start)
    value = value.rstrip(" \t")
    return value, start + len(value)


def write_dotenv(old: str, new: str) -> str:
    """`new` in the old value's quotes, or bare. Raises CannotReplaceError for what programs would read differently."""
    if any(letter < " " or letter == "\x7f" or letter in "\"'`\\$\x85\u2028\u2029" for letter in new):
        raise CannotReplaceError("dotenv-cannot-hold")
    quote = old[:1] if old[:1] in ('"', "'", "`") and old[-1:] == old[:1] and len(old) > 1 else ""
    if not quote and (not new or re.search(r"[\s#]", new)):
        quote = '"'
    return quote + new + quote
