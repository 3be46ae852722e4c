"""Values of JSON, of JSON with comments and trailing commas (VS Code's "jsonc"), and of JSON5, with their places.

One pass over the text with a stack of its own, so that no nesting reaches Python's recursion limit. Expressions are
possessive: hostile text costs no more than its length.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn

from antigravity_doctor.sources.settings_text import DEEPEST, At, Format, Found, Settings, behind

_SPACE = re.compile(r"[ \t\r\n]*+")
_SPACE5 = re.compile(r"[\s\ufeff]*+")
_LINE_COMMENT = re.compile(r"//[^\r\n]*+")
_BLOCK_COMMENT = re.compile(r"/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/")
_STRING = re.compile(r'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"')
_STRING5 = re.compile(
    r'"(?:[^"\\\r\n]|\\(?:\r\n|[^1-9xu]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}))*+"'
    r"|'(?:[^'\\\r\n]|\\(?:\r\n|[^1-9xu]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}))*+'"
)
_NAME5 = re.compile(r"[^\W\d][\w$\u200c\u200d]*+|\$[\w$\u200c\u200d]*+")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?(?![\w.+-])")
_NUMBER5 = re.compile(
    r"[-+]?(?:0[xX][0-9a-fA-F]++|(?:(?:0|[1-9][0-9]*+)(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][-+]?[0-9]++)?|Infinity|NaN)"
    r"(?![\w.+-])"
)
_WORD = re.compile(r"[A-Za-z]++")
_WORDS = {"true": True, "false": False, "null": None}
_ESCAPES5 = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}
_LINE_ENDS5 = ("\n", "\r", "\r\n", "\u2028", "\u2029")


class _Open:
    """An object or array that is not closed yet. `seen`: key -> which of the values found came from it."""

    __slots__ = ("count", "first", "key", "seen")

    def __init__(self, is_array: bool) -> None:
        self.count = 0 if is_array else -1
        self.key = ""
        self.first = 0
        self.seen: dict[str, tuple[int, int]] = {}

    @property
    def is_array(self) -> bool:
        return self.count >= 0


def read_json(text: str, format: Format) -> Settings:
    """The values of a text. Raises CannotReadError."""
    return _Reader(text, format).read()


class _Reader:
    def __init__(self, text: str, format: Format) -> None:
        self.text = text
        self.format = format
        self.json5 = format == "json5"
        self.found = Found(text)
        self.here = 0
        self.open: list[_Open] = []

    def read(self) -> Settings:
        self._skip()
        if self.here == len(self.text):  # nothing but comments
            self.found.note("empty", 0)
            return self.found.settings()
        while True:
            if not self._value():
                continue
            if not self._after_value():
                return self.found.settings()

    def _value(self) -> bool:
        """Reads one value, or only the start of a container that is not empty; whether a value is complete then."""
        letter = self._letter()
        if letter in ("{", "["):
            if len(self.open) >= DEEPEST:
                self._fail("too-deep")
            self.here += 1
            self.open.append(_Open(letter == "["))
            self._skip()
            if self._letter() == ("]" if letter == "[" else "}"):
                self._close()
                return True
            if letter == "{":
                self._key()
            return False
        start = self.here
        value = self._scalar(letter)
        self.found.add(self._at(), value, start, self.here)
        return True

    def _after_value(self) -> bool:
        """Goes on behind a value to where the next one starts; False at the end of the text."""
        while True:
            self._skip()
            if not self.open:
                if self.here < len(self.text):
                    self._fail("json-more-after-the-end")
                return False
            inner = self.open[-1]
            if not inner.is_array:
                inner.seen[inner.key] = (inner.first, len(self.found.values))
            letter, closing = self._letter(), "]" if inner.is_array else "}"
            if letter == ",":
                comma = self.here
                self.here += 1
                self._skip()
                if self._letter() != closing:
                    if inner.is_array:
                        inner.count += 1
                    else:
                        self._key()
                    return True
                if self.format == "json":
                    self.found.note("json-trailing-comma", comma)
            elif letter != closing:
                self._fail("json-comma-expected")
            self._close()

    def _close(self) -> None:
        self.here += 1
        self.open.pop()

    def _key(self) -> None:
        start = self.here
        if self._letter() == '"' or (self.json5 and self._letter() == "'"):
            key = self._string()
        elif self.json5 and (match := _NAME5.match(self.text, self.here)):
            self.here = match.end()
            key = match[0]
        else:
            self._fail("json-comma-unexpected" if self._letter() == "," else "json-key-expected")
        inner = self.open[-1]
        if key in inner.seen:
            self.found.note("duplicate-key", start)
            self.found.drop(*inner.seen[key])
        inner.key, inner.first = key, len(self.found.values)
        self._skip()
        if self._letter() != ":":
            self._fail("json-colon-expected")
        self.here += 1
        self._skip()

    def _at(self) -> At:
        return tuple(each.count if each.is_array else each.key for each in self.open)

    def _scalar(self, letter: str) -> str | int | float | bool | None:
        if letter == '"' or (self.json5 and letter == "'"):
            return self._string()
        if match := (_NUMBER5 if self.json5 else _NUMBER).match(self.text, self.here):
            self.here = match.end()
            return _number(match[0])
        if (match := _WORD.match(self.text, self.here)) and match[0] in _WORDS:
            self.here = match.end()
            return _WORDS[match[0]]
        if letter == ",":
            self._fail("json-comma-unexpected")
        return self._fail("json-number" if letter and letter in "-+.0123456789" else "json-value-expected")

    def _string(self) -> str:
        match = (_STRING5 if self.json5 else _STRING).match(self.text, self.here)
        if match is None:
            self._fail("json-string")
        self.here = match.end()
        written = match[0]
        if "\\" not in written:
            return written[1:-1]
        if not self.json5:
            text: str = json.loads(written)
            return text
        return _unescaped5(written[1:-1])

    def _skip(self) -> None:
        """Skips white space and comments."""
        space = _SPACE5 if self.json5 else _SPACE
        while True:
            self.here = behind(space, self.text, self.here)
            if self._letter() != "/":
                return
            comment = _LINE_COMMENT.match(self.text, self.here) or _BLOCK_COMMENT.match(self.text, self.here)
            if comment is None:
                self._fail("json-comment-open" if self.text.startswith("/*", self.here) else "json-value-expected")
            if self.format == "json":
                self.found.note("json-comment", self.here)
            self.here = comment.end()

    def _letter(self) -> str:
        return self.text[self.here : self.here + 1]

    def _fail(self, reason: str) -> NoReturn:
        ended = self.here >= len(self.text) and reason != "too-deep"
        raise self.found.error("json-ends-early" if ended else reason, self.here)


def _number(written: str) -> int | float:
    """A number as a program reads it; one of too many digits is as good as infinite."""
    bare = written.lstrip("+-")
    sign = -1 if written.startswith("-") else 1
    if bare[:2] in ("0x", "0X"):
        return sign * int(bare, 16)
    if bare.isdigit() and len(bare) < 4000:
        return sign * int(bare)
    return sign * float(bare.replace("Infinity", "inf").replace("NaN", "nan"))


def _unescaped5(inside: str) -> str:
    def one(match: re.Match[str]) -> str:
        escape = match[1]
        if escape in _LINE_ENDS5:
            return ""
        if escape[0] in "xu" and len(escape) > 1:
            return chr(int(escape[1:], 16))
        return _ESCAPES5.get(escape, escape)

    text = re.sub(r"(?s)\\(\r\n|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", one, inside)
    # two escapes can be the halves of one character
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def write_json(old: str, new: str) -> str:
    """`new` as a JSON string; in single quotes where the old one (of JSON5) was."""
    written = json.dumps(new, ensure_ascii=False)
    if old.startswith("'"):
        return "'" + written[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"
    return written
