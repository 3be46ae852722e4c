"""Values of settings files with their exact place, and the replacing of exactly one.

One reader a format (`settings_json`, `settings_toml`, `settings_yaml`, `settings_dotenv`) finds where each value is
written; this module holds what they share, and the proof of a replacement: the result is read again, and every value
but the one must be what it was. Texts come from other people's files: every read is bounded, nothing is executed,
nothing is expanded. Nothing here touches a file.

The keys of errors and notes have their sentences in knowledge/texts/en/settings.json.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

Format = Literal["json", "jsonc", "json5", "toml", "yaml", "dotenv"]
At = tuple[str | int, ...]

LIMIT = 8 * 1024 * 1024
"""Characters of a text, bytes of a file; a settings file has a few thousand."""

DEEPEST = 128
"""Containers in containers; real settings have fewer than ten."""

MOST_PARTS = 4_000_000
"""What all paths together may hold: one for each key or index, four for the value. A text of a few megabytes, nested a
hundred deep, would otherwise take gigabytes."""

BOM = "\ufeff"


class Value(NamedTuple):
    """One written value. `start` and `end` are characters of the text, quotes included; line and column count from 1,
    in characters. `why_fixed` is the reason (a key of a text) why it cannot be replaced where it stands, or ""."""

    at: At
    value: str | int | float | bool | None
    start: int
    end: int
    line: int
    column: int
    why_fixed: str = ""

    @property
    def literal(self) -> bool:
        """Whether it says itself what it is: not `${PROXY}`, `{env:PROXY}`, `os.environ/PROXY` or the like, which the
        client replaces by something that is written elsewhere."""
        return not (isinstance(self.value, str) and _STANDS_FOR_ELSE.search(self.value))


_STANDS_FOR_ELSE = re.compile(
    r"\$\w|\$\{|\$\(|\{(?:env|file|input|config):|^os\.environ/|^!?env[: ]\w|%[A-Za-z_]\w*%|\{\{"
)


class Note(NamedTuple):
    """Something that was tolerated, by the key of its text, and the line where it was met first."""

    reason: str
    line: int


class Settings(NamedTuple):
    """A text that was read: its values in the order of the file, and what was tolerated."""

    values: tuple[Value, ...]
    notes: tuple[Note, ...]


class CannotReadError(Exception):
    """The text is not of its format. `detail` is the parser's own short English phrase, where there is one; it can
    hold pieces of the text, escaped."""

    def __init__(self, reason: str, line: int | None = None, column: int | None = None, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.column = column
        self.detail = detail


class CannotReplaceError(Exception):
    """This value cannot be replaced without a change to something else."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Places:
    """Line and column of any character of a text. Lines end as editors see it: LF, CR LF or CR."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(each.end() for each in re.finditer(r"\r\n?|\n", text))]

    def of(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


class Found:
    """Collects values and notes for a reader, within the limits. `at` of a value is that of the reader's stack."""

    def __init__(self, text: str) -> None:
        self.places = Places(text)
        self.values: list[Value | None] = []
        self._notes: dict[str, int] = {}
        self._parts = 0

    def add(self, at: At, value: str | int | float | bool | None, start: int, end: int, why_fixed: str = "") -> None:
        self._parts += len(at) + 4
        if self._parts > MOST_PARTS:
            raise self.error("too-many-values", start)
        self.values.append(Value(at, value, start, end, *self.places.of(start), why_fixed))

    def drop(self, first: int, end: int) -> None:
        """Forgets the values added as number `first` to `end`: a later key of the same name has taken their place."""
        self.values[first:end] = [None] * (end - first)

    def note(self, reason: str, offset: int) -> None:
        if reason not in self._notes:
            self._notes[reason] = self.places.of(offset)[0]

    def error(self, reason: str, offset: int, detail: str = "") -> CannotReadError:
        return CannotReadError(reason, *self.places.of(offset), detail)

    def settings(self) -> Settings:
        kept = tuple(each for each in self.values if each is not None)
        return Settings(kept, tuple(Note(*each) for each in self._notes.items()))


def behind(pattern: re.Pattern[str], text: str, here: int, end: int | None = None) -> int:
    """Where what matches here ends; `here` itself where nothing does."""
    match = pattern.match(text, here, len(text) if end is None else end)
    return match.end() if match else here


# --- bytes and text --------------------------------------------------------------------------------------------------

_MARKS = {"utf-8-sig": b"\xef\xbb\xbf", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff", "utf-8": b""}


def decoded(raw: bytes) -> tuple[str, str]:
    """The text of a file, without a byte order mark, and its encoding: "utf-8", "utf-8-sig", "utf-16-le" or
    "utf-16-be" (the last three: with the mark). `encoded` gives the same bytes again. Raises CannotReadError."""
    if len(raw) > LIMIT:
        raise CannotReadError("too-large")
    encoding = next(name for name, mark in _MARKS.items() if raw.startswith(mark))
    body = raw[len(_MARKS[encoding]) :]
    try:
        text = body.decode("utf-8" if encoding == "utf-8-sig" else encoding)
    except UnicodeDecodeError as error:
        if not encoding.startswith("utf-8"):
            raise CannotReadError("not-text") from None
        before = body[: error.start].decode("utf-8")
        raise CannotReadError("not-text", *Places(before).of(len(before))) from None
    if "\0" in text:
        raise CannotReadError("not-text", text[: text.index("\0")].count("\n") + 1)
    return text, encoding


def encoded(text: str, encoding: str) -> bytes:
    """The bytes of a text in an encoding of `decoded`. Raises CannotReplaceError for what it cannot hold, which is only
    half of a surrogate pair."""
    try:
        return _MARKS[encoding] + text.encode("utf-8" if encoding == "utf-8-sig" else encoding)
    except UnicodeEncodeError:
        raise CannotReplaceError("new-value-unwritable") from None


# --- reading ---------------------------------------------------------------------------------------------------------


def read(text: str, format: Format) -> Settings:
    """Every scalar of a text with its path and place, and what was tolerated. Raises CannotReadError.

    Of a key that is there twice the last counts, as for nearly every client; the earlier one is left out, and noted.
    A text without anything has no values and the note "empty". In "json", comments and trailing commas are read and
    noted, since several clients accept them.
    """
    if len(text) > LIMIT:
        raise CannotReadError("too-large")
    if text.startswith(BOM):
        settings = _read(text[1:], format)
        moved = (each._replace(start=each.start + 1, end=each.end + 1) for each in settings.values)
        return Settings(tuple(moved), settings.notes)
    return _read(text, format)


def _read(text: str, format: Format) -> Settings:
    if not text.strip():
        return Settings((), (Note("empty", 1),))
    if format == "toml":
        from antigravity_doctor.sources.settings_toml import read_toml

        return read_toml(text)
    if format == "yaml":
        from antigravity_doctor.sources.settings_yaml import read_yaml

        return read_yaml(text)
    if format == "dotenv":
        from antigravity_doctor.sources.settings_dotenv import read_dotenv

        return read_dotenv(text)
    from antigravity_doctor.sources.settings_json import read_json

    return read_json(text, format)


def read_values(text: str, format: Format) -> tuple[Value, ...]:
    """The values of `read`."""
    return read(text, format).values


def find(values: Iterable[Value], at: Sequence[str | int]) -> list[tuple[Value, At]]:
    """The values at a path in which "*" stands for any one key or index; with each, what the stars stood for."""
    wanted = tuple(at)
    stars = [number for number, part in enumerate(wanted) if part == "*"]
    return [
        (value, tuple(value.at[number] for number in stars))
        for value in values
        if len(value.at) == len(wanted)
        and all(part == "*" or part == own for part, own in zip(wanted, value.at, strict=True))
    ]


# --- replacing -------------------------------------------------------------------------------------------------------


def replaced(text: str, format: Format, value: Value, new: str) -> str:
    """The text with this one value (of `read` of the same text) replaced by the string `new`, in the old one's quotes
    where they can hold it. Raises CannotReplaceError, and CannotReadError for a text that is not of its format.

    The result was read again: it has the same values at the same paths, but for this one, and every character outside
    of the old value's place is as it was.
    """
    before = read(text, format).values
    number = next((n for n, each in enumerate(before) if _spot(each) == _spot(value)), None)
    if number is None:
        raise CannotReplaceError("not-this-text")
    value = before[number]
    if value.why_fixed:
        raise CannotReplaceError(value.why_fixed)
    if not value.literal:
        raise CannotReplaceError("stands-for-else")
    if any("\ud800" <= letter <= "\udfff" for letter in new) or len(new) > LIMIT:
        raise CannotReplaceError("new-value-unwritable")
    written = _written(format, text[value.start : value.end], new)
    result = text[: value.start] + written + text[value.end :]
    try:
        after = read(result, format).values
    except CannotReadError:
        raise CannotReplaceError("not-proved") from None
    wanted = [_said(each) for each in before]
    wanted[number] = (value.at, "str", repr(new))
    said = [_said(each) for each in after]
    if said != wanted:
        raise CannotReplaceError("changes-more" if said[number : number + 1] == [wanted[number]] else "not-proved")
    place, end = after[number], value.start + len(written)
    if place.end != end or result[value.start : place.start].strip(" "):
        raise CannotReplaceError("not-proved")  # more than one value was written
    return result


def _spot(value: Value) -> tuple[At, int, int]:
    return value.at, value.start, value.end


def _said(value: Value) -> tuple[At, str, str]:
    """What a value says and where, in a form in which nan equals itself and 1 is neither 1.0 nor True."""
    said = value.value
    # Python does not write out numbers of more than 4,300 digits in the decimal system.
    return value.at, type(said).__name__, hex(said) if isinstance(said, int) else repr(said)


def _written(format: Format, old: str, new: str) -> str:
    """`new` as it is written in place of `old`, in the same quotes where possible."""
    if format == "toml":
        from antigravity_doctor.sources.settings_toml import write_toml

        return write_toml(old, new)
    if format == "yaml":
        from antigravity_doctor.sources.settings_yaml import write_yaml

        return write_yaml(old, new)
    if format == "dotenv":
        from antigravity_doctor.sources.settings_dotenv import write_dotenv

        return write_dotenv(old, new)
    from antigravity_doctor.sources.settings_json import write_json

    return write_json(old, new)
