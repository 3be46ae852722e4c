"""Watches logs as they grow: new lines of a file, the next day's file, a file that was emptied, new rows of the traffic
database. Nothing is kept but what was not handed out yet.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from antigravity_doctor.diagnosis.tallying import SPAN, Observation
from antigravity_doctor.sources.log_fast import LONGEST_LINE, agent_of, key_of
from antigravity_doctor.sources.log_files import is_file
from antigravity_doctor.sources.log_lines import may_hold_request, read_line

_PIECE = 1 << 18
_REMEMBERED = 256
"""Bytes before the place where a file is read on that are compared with what stands there now."""

_HELD = os.name != "nt"
_LINGER = 60.0
"""Seconds for which a file is read on after another has taken its place."""

_MOST_OPEN = 3_000
"""Mentions of requests that are waited for, two or three a request."""

_SPEAKS_FIRST = ("proxy-log", "monitor")
_LATER = ("monitor", "database", SPAN)
"""What speaks of a request when it is answered, and may be the only one to do so."""


class Event(NamedTuple):
    """Something that happened: a request, or `note` ("new-file", "truncated") about the file `name`."""

    name: str
    request: Observation | None = None
    note: str | None = None


class _Lines:
    """The lines of one file from a place on, also after it was renamed or removed: it is held open.

    Not on Windows, where that would keep others from renaming it: there it is looked for by its name each time.
    """

    def __init__(self, path: Path, place: int | None = None) -> None:
        """`place` None: from its end on. Raises OSError."""
        self.name = path.name
        self._path = path
        self._descriptor = os.open(path, os.O_RDONLY) if _HELD else None
        found = self._stat()
        self.identity = (found.st_dev, found.st_ino)
        self._place = found.st_size if place is None else place
        start = max(0, self._place - _REMEMBERED)
        self._last = self._piece(start, self._place - start)
        self._rest = b""

    def _stat(self) -> os.stat_result:
        return self._path.stat() if self._descriptor is None else os.fstat(self._descriptor)

    def was_emptied(self) -> bool:
        """Whether the file has become shorter, or what was read last is no longer there, because it has grown again
        since; then it is read from its beginning."""
        try:
            size = self._stat().st_size
        except OSError:
            return False
        start = self._place - len(self._last)
        emptied = size < self._place or (size > self._place and self._piece(start, len(self._last)) != self._last)
        if emptied:
            self._place, self._rest, self._last = 0, b"", b""
        return emptied

    def read(self) -> Iterator[bytes]:
        """The lines that have become whole since the last call."""
        while piece := self._piece(self._place, _PIECE):
            self._place += len(piece)
            self._last = piece[-_REMEMBERED:]
            *lines, self._rest = (self._rest + piece).split(b"\n")
            if len(self._rest) > LONGEST_LINE:
                self._rest = b""
            yield from lines

    def _piece(self, place: int, size: int) -> bytes:
        try:
            if self._descriptor is not None:
                return os.pread(self._descriptor, size, place)
            with self._path.open("rb", buffering=0) as file:
                file.seek(place)
                return file.read(size) or b""
        except OSError:
            return b""

    def close(self) -> None:
        """Lets go of the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class Tail:
    """New lines of one file, or of whatever file `newest` says is written now. A file whose place was taken is read on
    for a while: whoever writes it may not have noticed yet."""

    def __init__(
        self,
        path: Path,
        newest: Callable[[], Path | None] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self._newest = newest
        self._now = now
        self._lines = _opened(path, None)
        self._older: list[tuple[_Lines, float]] = []

    @property
    def is_there(self) -> bool:
        """Whether the file could be opened."""
        return self._lines is not None

    def poll(self) -> Iterable[Event]:
        """What has come since the last call. Never raises for a file that is away for a moment."""
        if self._lines is not None:
            if self._lines.was_emptied():
                yield Event(self.path.name, note="truncated")
            yield from self._events(self._lines)
        for lines, _ in self._older:
            yield from self._events(lines)
        if _which(self.path) not in (None, self._lines.identity if self._lines is not None else None):
            # Renamed and begun anew under the old name (logrotate).
            yield from self._go_on(self.path)
        later = self._newest() if self._newest is not None else None
        if later is not None and later != self.path:
            yield from self._go_on(later)
        self._let_go()

    def _go_on(self, path: Path) -> Iterable[Event]:
        lines = _opened(path, 0)
        if lines is None:
            return
        if self._lines is not None:
            yield from self._events(self._lines)  # what came while the new one was looked for
            self._older.append((self._lines, self._now() + _LINGER))
        self.path, self._lines = path, lines
        yield Event(path.name, note="new-file")
        yield from self._events(lines)

    def _let_go(self) -> None:
        for each in [each for each in self._older if self._now() > each[1]]:
            self._older.remove(each)
            each[0].close()

    def _events(self, lines: _Lines) -> Iterable[Event]:
        for line in lines.read():
            yield from self._read(line, lines.name)

    def _read(self, line: bytes, name: str) -> Iterable[Event]:
        if not may_hold_request(line):
            return
        for read in read_line(line):
            key = key_of(read.parts, read.admin)
            if isinstance(key, str):
                continue
            kind, method, path, status, admin = key
            agent = agent_of(read.parts)
            agents = ((agent, 1),) if agent else ()
            one = Observation(kind, method or None, path, status or None, 1, read.time, read.time, agents, admin)
            yield Event(name, one)


def _opened(path: Path, place: int | None) -> _Lines | None:
    try:
        return _Lines(path, place)
    except OSError:
        return None


def _which(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


class Rows:
    """New rows of a traffic database, which may be made later: then all of them are new."""

    def __init__(self, path: Path) -> None:
        from antigravity_doctor.sources.traffic_database import last_row

        self.path = path
        self._last = last_row(path) if self.is_there else 0

    @property
    def is_there(self) -> bool:
        """Whether there is such a file now."""
        return is_file(self.path)

    def poll(self) -> Iterable[Event]:
        """What has come since the last call; nothing while the database is locked or away."""
        from antigravity_doctor.sources.traffic_database import last_row, rows_after

        newest = last_row(self.path)
        if newest is None:
            return
        if self._last is None or newest < self._last:
            self._last = 0 if self._last is not None else newest
        while rows := rows_after(self.path, self._last):
            for row in rows:
                one = Observation("database", row.method or None, row.path, row.status, 1, row.time, row.time)
                yield Event(self.path.name, one)
            self._last = rows[-1].number


class OnceEach:
    """Lets each request through once, although the proxy's log, its monitor and its database all speak of it.

    The first mention is the log's line; a later one of the same method and path is taken for the same request.
    """

    def __init__(self) -> None:
        self._open: deque[tuple[str, str | None, str]] = deque(maxlen=_MOST_OPEN)

    def is_new(self, one: Observation) -> bool:
        """Whether this is a request that was not let through before."""
        if one.kind in _LATER and self._take(one.kind, one):
            return False
        if one.kind in _SPEAKS_FIRST:
            self._open.extend((kind, one.method, one.path) for kind in _LATER if kind != one.kind)
        return True

    def _take(self, kind: str, one: Observation) -> bool:
        try:
            self._open.remove((kind, one.method, one.path))
        except ValueError:
            return False
        return True
