"""Values of TOML with their places.

The standard library's parser says what is TOML and what every value is; it does not say where. A scanner of our own,
which may therefore assume well-formed text, says where. Each holds the other: unless both find values at the very same
paths, nothing is given out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from antigravity_doctor.sources.settings_text import DEEPEST, At, CannotReadError, Found, Settings, behind

_BLANK = re.compile(r"[ \t]*+")
_BLANKS = re.compile(r"(?:[ \t\r\n]++|#[^\r\n]*+)*+")
_BARE = re.compile(r"[A-Za-z0-9_-]++")
_STRING = re.compile(
    r'"""(?:[^"\\]++|\\[\s\S]|"(?!""))*+"{3,5}'
    r"|'''(?:[^']++|'(?!''))*+'{3,5}"
    r'|"(?:[^"\\\r\n]++|\\.)*+"'
    r"|'[^'\r\n]*+'"
)
_OTHER = re.compile(r"[^,\]}#\r\n]++")
_KEY_TOO_DEEP = re.compile(
    r"(?<![\w-])(?:(?:[\w-]++|\"[^\"\r\n]*+\"|'[^'\r\n]*+')[ \t]*+\.[ \t]*+){%d}" % DEEPEST  # noqa: UP031 - braces
)
"""The parser takes time with the square of the parts of a dotted key, so it never sees one like this."""

_WHERE = re.compile(r" ?\(at line (\d+), column (\d+)\)$")


def read_toml(text: str) -> Settings:
    """The values of a text; dates and times as they are written. Raises CannotReadError."""
    found = Found(text)
    if match := _KEY_TOO_DEEP.search(text):
        raise found.error("too-deep", match.start())
    data = _parsed(text, found)
    try:
        for at, start, end in _Scanner(text, found).values():
            value = _value(data, at)
            found.add(at, value if isinstance(value, (str, int, float)) else text[start:end], start, end)
    except (LookupError, TypeError, _LostError):
        raise CannotReadError("not-proved") from None
    settings = found.settings()
    if sorted(map(repr, _paths(data, ()))) != sorted(repr(each.at) for each in settings.values):
        raise CannotReadError("not-proved")
    return settings


def _parsed(text: str, found: Found) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        if match := _WHERE.search(said):
            line, column = int(match[1]), int(match[2])
            raise CannotReadError("toml-syntax", line, column, said[: match.start()]) from None
        line, column = found.places.of(len(text.rstrip()))
        raise CannotReadError("toml-syntax", line, column, said.removesuffix(" (at end of document)")) from None
    except RecursionError:
        raise CannotReadError("too-deep") from None
    except ValueError as error:  # a number of thousands of digits
        raise CannotReadError("toml-syntax", detail=str(error)) from None


def _value(data: Any, at: At) -> Any:
    for part in at:
        data = data[part]
    if isinstance(data, (dict, list)):
        raise TypeError
    return data


def _paths(data: Any, at: At) -> Iterator[At]:
    """The path of every scalar."""
    if isinstance(data, (dict, list)):
        for part, each in data.items() if isinstance(data, dict) else enumerate(data):
            yield from _paths(each, (*at, part))
    else:
        yield at


class _LostError(Exception):
    """The scanner does not understand what the parser has accepted."""


class _Scanner:
    """Finds where the values of a well-formed text are."""

    def __init__(self, text: str, found: Found) -> None:
        self.text = text
        self.found = found
        self.here = 0
        self.depth = 0
        self.spans: list[tuple[At, int, int]] = []
        self.tables: dict[At, int] = {}  # the path of an array of tables -> index of the last

    def values(self) -> list[tuple[At, int, int]]:
        """(path, start, end) of every scalar, in order."""
        table: At = ()
        while True:
            self._skip(_BLANKS)
            if self.here >= len(self.text):
                return self.spans
            if self.text.startswith("[[", self.here):
                self.here += 2
                *outer, name = self._key()
                at = (*self._resolved(outer), name)
                self.tables[at] = self.tables.get(at, -1) + 1
                table = (*at, self.tables[at])
                self._expect("]]")
            elif self.text.startswith("[", self.here):
                self.here += 1
                table = self._resolved(self._key())
                self._expect("]")
            else:
                self._pair(table)

    def _resolved(self, parts: list[str]) -> At:
        """The path of a table's name: below an array of tables, it is the last of them that is meant."""
        at: At = ()
        for part in parts:
            at = (*at, part)
            if at in self.tables:
                at = (*at, self.tables[at])
        return at

    def _pair(self, table: At) -> None:
        at = (*table, *self._key())
        self._expect("=")
        self._skip(_BLANK)
        self._read(at)

    def _read(self, at: At) -> None:
        letter = self.text[self.here : self.here + 1]
        if letter in ("[", "{") and letter:
            if self.depth >= DEEPEST:
                raise self.found.error("too-deep", self.here)
            self.depth += 1
            self.here += 1
            self._items(at, is_array=letter == "[")
            self.depth -= 1
            return
        start = self.here
        if match := _STRING.match(self.text, start):
            self.here = match.end()
        elif match := _OTHER.match(self.text, start):
            self.here = start + len(match[0].rstrip(" \t"))
        else:
            raise _LostError
        self.spans.append((at, start, self.here))

    def _items(self, at: At, is_array: bool) -> None:
        number = 0
        while True:
            self._skip(_BLANKS)
            if self.text.startswith("]" if is_array else "}", self.here):
                self.here += 1
                return
            if is_array:
                self._read((*at, number))
            else:
                self._pair(at)
            number += 1
            self._skip(_BLANKS)
            if self.text.startswith(",", self.here):
                self.here += 1

    def _key(self) -> list[str]:
        parts = []
        while True:
            self._skip(_BLANK)
            if match := _BARE.match(self.text, self.here):
                parts.append(match[0])
            elif match := _STRING.match(self.text, self.here):
                parts.append(_unquoted(match[0]))
            else:
                raise _LostError
            self.here = match.end()
            self._skip(_BLANK)
            if not self.text.startswith(".", self.here):
                return parts
            self.here += 1

    def _expect(self, sign: str) -> None:
        self._skip(_BLANK)
        if not self.text.startswith(sign, self.here):
            raise _LostError
        self.here += len(sign)

    def _skip(self, space: re.Pattern[str]) -> None:
        self.here = behind(space, self.text, self.here)


def _unquoted(written: str) -> str:
    if written.startswith("'") or "\\" not in written:
        return written[1:-1]
    import tomllib

    key: str = tomllib.loads("k = " + written)["k"]
    return key


_ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def write_toml(old: str, new: str) -> str:
    """`new` as a TOML string: in the old one's quotes, unless these cannot hold it."""
    if old.startswith("'") and not re.search(r"['\x00-\x1f\x7f]", new):
        quotes = "'''" if old.startswith("'''") else "'"
        return quotes + new + quotes
    quotes = '"""' if old.startswith('"""') else '"'
    escaped = "".join(
        _ESCAPES.get(each) or (f"\\u{ord(each):04X}" if each < " " or each == "\x7f" else each) for each in new
    )
    return quotes + escaped + quotes
