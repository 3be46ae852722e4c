"""Styled lines for a terminal: colour, width, ASCII twins, and the one place that makes foreign text printable.

A report is a list of lines, a line a list of spans `(text, style)`. This small painter stands in for rich because a
command must feel instant: importing rich's console alone costs more than the whole of `explain-path`
(tests/benchmarks/README.md). rich makes the pictures of the docs from what is painted here (docs/make_picture.py).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TextIO

Span = tuple[str, str]
Line = Sequence[Span]

STYLES = {
    "": "",
    "bold": "1",
    "dim": "2",
    "good": "32",
    "bad": "1;31",
    "warn": "33",
    "note": "36",
    "value": "1;36",
    "code": "35",
}
_ASCII = {
    "✗": "x", "✓": "v", "!": "!", "?": "?", "–": "-", "→": "->", "…": "...", "·": "-", "“": '"', "”": '"', "’": "'",
    "│": "|", "●": "*", "—": "-", "≥": ">=", "≤": "<=", "×": "x", "›": ">", "‹": "<", "−": "-",
}  # fmt: skip
MIN_WIDTH, MAX_WIDTH = 40, 200
_NARROW = 28
"""Columns below which sentences are not squeezed into what is left beside other columns."""


class Terminal(NamedTuple):
    """What the output can show: `width` in columns, whether colours and whether more than ASCII."""

    width: int = 80
    colour: bool = False
    unicode: bool = True


def terminal_for(stream: TextIO, environment: Mapping[str, str] | None = None) -> Terminal:
    """What this stream can show, by NO_COLOR, FORCE_COLOR, TERM, COLUMNS and its encoding."""
    env = os.environ if environment is None else environment
    is_tty = stream.isatty()
    colour = is_tty and env.get("TERM") != "dumb"
    if env.get("NO_COLOR"):
        colour = False
    elif env.get("FORCE_COLOR") and env["FORCE_COLOR"] != "0":
        colour = True
    columns = env.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns[:6]) > 0:
        width = int(columns[:6])
    else:
        import shutil

        width = shutil.get_terminal_size().columns if is_tty else 100
    if colour and sys.platform == "win32":
        os.system("")  # noqa: S605, S607 - turns on escape sequences in the Windows console; no input is involved
    return Terminal(max(MIN_WIDTH, min(width, MAX_WIDTH)), colour, not env.get("AGDOCTOR_ASCII") and _unicode(stream))


def _unicode(stream: TextIO) -> bool:
    try:
        "✗→…“".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def printable(text: str, limit: int = 300) -> str:
    """Foreign text with nothing left that a terminal acts on, and cut to `limit` characters.

    Whatever Unicode calls neither a letter, a mark, a number, a symbol nor a plain space is shown as \\x1b or \\u202e:
    control characters, ANSI escapes, bidirectional overrides, invisible characters, lone surrogates, non-characters.
    The result can be written with any encoding that has the remaining characters.
    """
    total = len(text)
    cut = text if total <= limit else text[: limit - 24]
    if not cut.isprintable():
        cut = "".join(ch if ch.isprintable() else ascii(ch)[1:-1] for ch in cut)
    return cut if total <= limit else f"{cut}… ({total} characters)"


def cell_width(text: str) -> int:
    """How many columns a text takes: wide (Chinese, Japanese, Korean, emoji) characters take two."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(ch) else 2 if east_asian_width(ch) in "WF" else 1 for ch in text)


def render(lines: Iterable[Line], terminal: Terminal) -> str:
    """The lines as one text, ready to be written; each ends in a newline and holds what `terminal` can show."""
    out = []
    for line in lines:
        last = ""
        for text, style in line:
            # Reports make foreign text printable where they know its limit; this is the last line of defence.
            shown = text if text.isprintable() else printable(text, len(text))
            if not terminal.unicode:
                shown = to_ascii(shown)
            if terminal.colour and shown and style != last:
                # One escape for a run of the same style, however many words it was wrapped from.
                out.append("\x1b[0m" if last else "")
                out.append(f"\x1b[{STYLES[style]}m" if style else "")
                last = style
            out.append(shown)
        out.append("\x1b[0m\n" if last else "\n")
    return "".join(out)


def to_ascii(text: str) -> str:
    """The ASCII twin of a text: symbols by their twins, everything else that is not ASCII as \\uXXXX."""
    if text.isascii():
        return text
    return "".join(
        _ASCII.get(ch, ch) if ch.isascii() or ch in _ASCII else ch.encode("ascii", "backslashreplace").decode()
        for ch in text
    )


def wrap(spans: Line, width: int, indent: str = "", hanging: str | None = None) -> list[list[Span]]:
    """Breaks a styled line at spaces so that it fits `width`; a word longer than a line (a URL) is never broken.

    `indent` starts the first line, `hanging` (default: the same) the following ones.
    """
    hanging = indent if hanging is None else hanging
    words: list[list[Span]] = [[]]
    for text, style in spans:
        for index, piece in enumerate(text.split(" ")):
            if index > 0:
                words.append([])
            if piece:
                words[-1].append((piece, style))
    lines: list[list[Span]] = [[(indent, "")]]
    used = start = cell_width(indent)
    for word in words:
        size = line_width(word)
        if not word:
            continue
        if used > start and used + 1 + size > width:
            lines.append([(hanging, "")])
            used = start = cell_width(hanging)
        elif used > start:
            # The space takes the style of the word before it where both are the same, so a styled phrase is one run.
            same = lines[-1][-1][1] == word[0][1]
            lines[-1].append((" ", word[0][1] if same else ""))
            used += 1
        lines[-1].extend(word)
        used += size
    return lines


def columns(rows: Sequence[Sequence[Span]], indent: str, gap: str = "  ") -> list[list[Span]]:
    """Rows of cells, each column as wide as its widest cell; the last column is not padded."""
    widths = [max(cell_width(row[i][0]) for row in rows if i < len(row)) for i in range(max(map(len, rows), default=0))]
    lines = []
    for row in rows:
        line: list[Span] = [(indent, "")]
        filled = max((index for index, (text, _) in enumerate(row) if text), default=-1)
        for index, (text, style) in enumerate(row[: filled + 1]):
            line.append((text, style))
            if index < filled:
                line.append((" " * (widths[index] - cell_width(text)) + gap, ""))
        lines.append(line)
    return lines


def fitted_columns(rows: Sequence[Sequence[Span]], width: int, indent: str, gap: str = "  ") -> list[list[Span]]:
    """`columns`, if they fit `width`; else the last column is broken into lines, below the others if it is narrow."""
    lines = columns(rows, indent, gap)
    if max(map(line_width, lines), default=0) <= width:
        return lines
    heads = columns([row[:-1] for row in rows], indent, gap)
    start = max(map(line_width, heads)) + len(gap)
    broken: list[list[Span]] = []
    for row, head in zip(rows, heads, strict=True):
        below = indent + " " * (cell_width(row[0][0]) + len(gap) if len(row) > 2 else 2)
        if line_width(head) > width:
            broken += wrap([part for cell in row for part in (cell, (" ", ""))], width, indent, below)
        elif not row[-1][0]:
            broken.append(head)
        elif width - start < _NARROW:
            broken += [head, *wrap([row[-1]], width, below)]
        else:
            first, *others = wrap([row[-1]], width, " " * start)
            broken += [[*head, (" " * (start - line_width(head)), ""), *first[1:]], *others]
    return broken


def line_width(line: Line) -> int:
    """How many columns a line takes."""
    return sum(cell_width(text) for text, _ in line)
