"""The live table of `trace` on a terminal: rows scroll up as requests come, what is known so far stays below them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.text import Text

from antigravity_doctor.diagnosis.recording import Recorded
from antigravity_doctor.knowledge.texts import phrase
from antigravity_doctor.reports.paint import Line, Terminal, render
from antigravity_doctor.reports.trace import folded, row_lines

_EVERY = 0.2
"""Seconds between two paintings of what stands below: rich needs a few milliseconds for one."""

_MOST_ROWS = 100
"""Rows that one painting adds: nobody reads five hundred a second, and painting them would hold the requests back."""


class _Painted:
    """Text that `paint` has made ready, for rich to pass on as it is: parsing its colours again costs more than all
    else."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        # The line feed at the end is ours: without it what stands below begins on the last row, and erases it.
        yield Segment(self._text.rstrip("\n") + "\n")


class LiveTable:
    """Draws on `stream`. Use as a context manager: leaving it takes the lower part away, whatever happened.

    `now` is a monotonic clock. What is painted comes from `paint.render`, which lets nothing raw through.
    """

    def __init__(self, stream: TextIO, terminal: Terminal, now: Callable[[], float]) -> None:
        self._terminal = terminal
        self._now = now
        self._painted = float("-inf")
        self._rows: deque[Recorded] = deque(maxlen=_MOST_ROWS)
        self._skipped = 0
        self._lower = ""
        self._console = Console(
            file=stream,
            width=terminal.width,
            force_terminal=True,
            color_system="standard" if terminal.colour else None,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
        )
        self._live = Live(console=self._console, auto_refresh=False, transient=True, redirect_stdout=False,
                          redirect_stderr=False)  # fmt: skip

    def __enter__(self) -> LiveTable:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()
        self._live.update(Text(""), refresh=True)
        self._live.stop()

    def add(self, one: Recorded) -> None:
        """Takes a request; its row is painted with the next `show`, so that a thousand a second cost no more than
        ten."""
        self._skipped += len(self._rows) == _MOST_ROWS
        self._rows.append(one)

    def show(self, lower: Callable[[], Sequence[Line]], *, at_once: bool = False) -> None:
        """Paints new rows and what stands below, not more often than a few times a second."""
        now = self._now()
        if not at_once and now - self._painted < _EVERY:
            return
        self._painted = now
        room = max(3, self._console.size.height - 3)
        text = render(list(lower())[:room], self._terminal)
        if self._rows or text != self._lower:
            self._flush()
            self._lower = text
            self._live.update(Text.from_ansi(text), refresh=True)

    def _flush(self) -> None:
        lines: list[Line] = []
        if self._skipped:
            lines.append([("  ", ""), (phrase("trace-skipped", {"count": str(self._skipped)}), "dim")])
        for one, times in folded(self._rows):
            lines += row_lines(one, self._terminal.width, times)
        if lines:
            self._console.print(_Painted(render(lines, self._terminal)), soft_wrap=True)
        self._rows.clear()
        self._skipped = 0
