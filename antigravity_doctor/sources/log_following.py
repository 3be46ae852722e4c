"""Watches logs as they grow: new lines of a file, the next day's file, a file that was emptied, new rows of the traffic
database. Nothing is kept but what was not handed out yet.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from antigravity_doctor.diagnosis.tallying import Observation
from antigravity_doctor.sources.log_fast import LONGEST_LINE, agent_of, key_of
from antigravity_doctor.sources.log_lines import may_hold_request, read_line

_PIECE = 1 << 18
_MOST_OPEN = 2_000
"""Requests whose second mention is waited for."""


class Event(NamedTuple):
    """Something that happened: a request, or `note` ("new-file", "truncated") about the file `name`."""

    name: str
    request: Observation | None = None
    note: str | None = None


class Tail:
    """New lines of one file, or of whatever file `newest` says is written now."""

    def __init__(self, path: Path, newest: Callable[[], Path | None] | None = None) -> None:
        self.path = path
        self._newest = newest
        self._place = self._size()
        self._identity = self._which()
        self._rest = b""

    def poll(self) -> Iterable[Event]:
        """What has come since the last call. Never raises for a file that is away for a moment."""
        yield from self._new_lines()
        later = self._newest() if self._newest is not None else None
        if later is not None and later != self.path:
            self.path, self._place, self._rest = later, 0, b""
            self._identity = self._which()
            yield Event(later.name, note="new-file")
            yield from self._new_lines()

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def _which(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _new_lines(self) -> Iterable[Event]:
        identity = self._which()
        if identity is None:
            return
        if self._identity is not None and identity != self._identity:
            # Renamed and begun anew under the old name (logrotate).
            self._place, self._rest = 0, b""
            yield Event(self.path.name, note="new-file")
        elif self._size() < self._place:
            self._place, self._rest = 0, b""
            yield Event(self.path.name, note="truncated")
        self._identity = identity
        while True:
            try:
                with self.path.open("rb", buffering=0) as file:
                    file.seek(self._place)
                    piece = file.read(_PIECE) or b""
            except OSError:
                return
            if not piece:
                return
            self._place += len(piece)
            *lines, self._rest = (self._rest + piece).split(b"\n")
            if len(self._rest) > LONGEST_LINE:
                self._rest = b""
            for line in lines:
                yield from self._read(line)

    def _read(self, line: bytes) -> Iterable[Event]:
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
            yield Event(self.path.name, one)


class Rows:
    """New rows of a traffic database."""

    def __init__(self, path: Path) -> None:
        from antigravity_doctor.sources.traffic_database import last_row

        self.path = path
        self._last = last_row(path)

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
        if one.kind == "proxy-log":
            self._open.append(("monitor", one.method, one.path))
            self._open.append(("database", one.method, one.path))
            return True
        if one.kind == "monitor":
            return not self._take("monitor", one)
        if one.kind == "database":
            return not self._take("database", one)
        return True

    def _take(self, kind: str, one: Observation) -> bool:
        try:
            self._open.remove((kind, one.method, one.path))
        except ValueError:
            return False
        return True
