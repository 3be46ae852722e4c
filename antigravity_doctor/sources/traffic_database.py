"""The proxy's traffic database (facts: proxy-config-and-logs.md, section 5), read while the proxy writes it.

Only method, path without query, status and time are ever selected: bodies, queries, accounts and addresses stay in the
file. Counting is SQLite's work, so memory does not grow with the file. Columns are selected by name: each era of the
proxy has added some, in an order of its own.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from antigravity_doctor.diagnosis.tallying import MOST_PATHS

if TYPE_CHECKING:
    import sqlite3

_PATH_LIMIT = 1024
_BUSY_SECONDS = 2.0

_PATH = f"substr(CASE WHEN instr(url, '?') > 0 THEN substr(url, 1, instr(url, '?') - 1) ELSE url END, 1, {_PATH_LIMIT})"
_SECONDS = "CASE WHEN typeof(timestamp) IN ('integer', 'real') THEN timestamp / 1000.0 END"
_COUNTED = f"""
    SELECT upper(substr(method, 1, 16)), {_PATH}, status, COUNT(*), MIN({_SECONDS}), MAX({_SECONDS})
    FROM request_logs WHERE timestamp >= ? GROUP BY 1, 2, 3 ORDER BY 4 DESC LIMIT {MOST_PATHS + 1}
"""  # noqa: S608 - constants of this module
_TOTAL = "SELECT COUNT(*) FROM request_logs WHERE timestamp >= ?"
_NEW = f"""
    SELECT rowid, {_SECONDS}, upper(substr(method, 1, 16)), {_PATH}, status
    FROM request_logs WHERE rowid > ? ORDER BY rowid LIMIT 500
"""  # noqa: S608 - constants of this module


class Traffic(NamedTuple):
    """One (method, path, status) of the database, with how often and when (seconds since 1970)."""

    method: str
    path: str
    status: int | None
    times: int
    first: float | None
    last: float | None


class TrafficRead(NamedTuple):
    """What the database says. `problem`: None, or "locked", "not-the-proxys" (no table of requests), "broken",
    "denied", "wal" (its newest rows are in a -wal file that cannot be opened beside it)."""

    traffic: tuple[Traffic, ...]
    requests: int
    others: int
    problem: str | None = None


class Row(NamedTuple):
    """One new request, for `follow`. `number` only grows while the database is not cleared."""

    number: int
    time: float | None
    method: str
    path: str
    status: int | None


class _CannotOpenError(Exception):
    """The message is the `problem` of a TrafficRead."""


def read_traffic(path: Path, since: float | None = None) -> TrafficRead:
    """Counts the requests of a traffic database, from `since` (seconds since 1970) on. Never raises, never writes."""
    import sqlite3

    start = -(1 << 62) if since is None else int(since * 1000)
    try:
        with _opened(path) as connection:
            total = int(connection.execute(_TOTAL, (start,)).fetchone()[0])
            rows = connection.execute(_COUNTED, (start,)).fetchmany(MOST_PATHS)
    except (sqlite3.Error, OSError, _CannotOpenError) as error:
        return TrafficRead((), 0, 0, _problem(error))
    traffic = tuple(
        Traffic(_text(method), _path(_text(path_)), _status(status), int(count), first, last)
        for method, path_, status, count, first, last in rows
    )
    return TrafficRead(traffic, total, total - sum(each.times for each in traffic))


def last_row(path: Path) -> int | None:
    """The number of the newest row; None where the database cannot be read now."""
    import sqlite3

    try:
        with _opened(path) as connection:
            return int(connection.execute("SELECT coalesce(MAX(rowid), 0) FROM request_logs").fetchone()[0])
    except (sqlite3.Error, OSError, _CannotOpenError):
        return None


def rows_after(path: Path, number: int) -> list[Row]:
    """At most 500 rows that came after this one; [] where there is none, or the database cannot be read now."""
    import sqlite3

    try:
        with _opened(path) as connection:
            found = connection.execute(_NEW, (number,)).fetchall()
    except (sqlite3.Error, OSError, _CannotOpenError):
        return []
    return [
        Row(int(rowid), when, _text(method), _path(_text(path_)), _status(status))
        for rowid, when, method, path_, status in found
    ]


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that can only read. Raises sqlite3.Error, OSError, or _CannotOpenError."""
    import sqlite3

    if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
        raise _CannotOpenError("not-the-proxys")
    with path.open("rb") as file:
        head = file.read(20)
    wal = path.with_name(path.name + "-wal")
    waiting = wal.exists() and wal.stat().st_size > 0
    # With a write-ahead log in its header and none beside it, nobody has it open; a mere reader would then put
    # two files there. Taken for unchangeable, SQLite leaves the folder alone.
    quiet = head[18:20] == b"\x02\x02" and not waiting
    uri = path.absolute().as_uri() + ("?mode=ro&immutable=1" if quiet else "?mode=ro")
    try:
        with closing(_connected(uri)) as connection:
            yield connection
            return
    except sqlite3.OperationalError as error:
        if "unable to open" not in str(error) or not waiting:
            raise
    raise _CannotOpenError("wal")


def _connected(uri: str) -> sqlite3.Connection:
    import sqlite3

    connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    # Python gets a look in between, so that Ctrl-C ends a query, however long a broken or hostile file makes it.
    connection.set_progress_handler(lambda: 0, 1_000_000)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _problem(error: Exception) -> str:
    text = str(error)
    if isinstance(error, _CannotOpenError):
        return text
    if "locked" in text or "busy" in text:
        return "locked"
    if "no such table" in text or "no such column" in text:
        return "not-the-proxys"
    if isinstance(error, PermissionError) or "unable to open" in text or "readonly" in text:
        return "denied"
    return "broken"


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)[:_PATH_LIMIT]


def _path(url: str) -> str:
    """The path of what the proxy has recorded: origin-form, or a whole URL."""
    if url.startswith("/"):
        return url
    _, mark, rest = url.partition("://")
    if not mark:
        return "/" + url
    _, slash, behind = rest.partition("/")
    return slash + behind if slash else "/"


def _status(value: object) -> int | None:
    return value if isinstance(value, int) and 100 <= value <= 599 else None
