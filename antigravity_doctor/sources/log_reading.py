"""Reads all logs that were found, in bounded memory, and hands out what was requested how often.

Big plain files are read by two processes on Linux, a half each: `fork` costs a few milliseconds there, and what a half
comes to is small. Elsewhere, and for everything else, one process reads all.
"""

from __future__ import annotations

import gc
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from antigravity_doctor.diagnosis.tallying import SPAN, FailedStart, LogFile, NotRead, Observation
from antigravity_doctor.sources.log_fast import Bulk, Readable, Store, read_blocks
from antigravity_doctor.sources.log_files import RefusedError, Source, is_own_log, opened, streamed

SPLIT_FROM = 24 << 20
"""Bytes from which on a second process pays: it saves about 3 ms a megabyte and costs about 15 ms."""

_PIECE = 8 << 20
_PROXYS_VIEWS = ("proxy-log", "monitor", SPAN)
_UNPACKED = 6
"""A packed log is that many times larger inside, about."""

Progress = Callable[[int], None]


class LogsRead(NamedTuple):
    """Everything that was read. `others`: requests beyond the number of distinct ones that are kept apart. `tls` and
    `garbled`: connections that were no HTTP, as an access log has them. `unreadable`: streams that were no text.
    `failed_start`: what the proxy's log says of its last start, where that failed."""

    observations: tuple[Observation, ...]
    files: tuple[LogFile, ...]
    others: int = 0
    tls: int = 0
    garbled: int = 0
    unreadable: tuple[NotRead, ...] = ()
    failed_start: FailedStart | None = None


class _Job(NamedTuple):
    source: Source
    start: int
    size: int | None
    cost: int


class _Done(NamedTuple):
    """What a job came to, as plain values: `dump` is that of a Store. `refused`: why a stream was not read."""

    format: str
    problem: str | None
    dump: list[Any]
    refused: str | None = None


def read_logs(
    sources: Iterable[Source],
    *,
    since: float | None = None,
    stdin: BinaryIO | None = None,
    progress: Progress | None = None,
    processes: int | None = None,
) -> LogsRead:
    """Reads all sources. `since`: seconds since 1970; what is older is left out, a line without a time is not.

    `progress` is called with numbers of bytes of the disk that are done. Never raises for what is in a file, or for a
    disk that fails.
    """
    every = list(sources)
    total = Store()
    files: list[LogFile] = []
    unreadable: list[NotRead] = []
    jobs = _jobs(every)
    collecting = gc.isenabled()
    gc.disable()  # a block makes thousands of tuples and not one cycle
    try:
        done = _run(jobs, since, stdin, progress, processes)
    finally:
        if collecting:
            gc.enable()
    database: list[Observation] = []
    others = 0
    for source in every:
        if source.kind == "database":
            read, rows, more = _database(source, since)
            files.append(read)
            database += rows
            others += more
            if progress is not None:
                progress(source.size)
            continue
        parts = [each for job, each in zip(jobs, done, strict=True) if job.source is source]
        if parts[0].refused is not None:
            unreadable.append(NotRead(source.name, parts[0].refused))
            continue
        own = Store()
        for each in parts:
            own.merge(each.dump)
            total.merge(each.dump)
        problem = next((each.problem for each in parts if each.problem), None)
        files.append(
            LogFile(
                source.name,
                parts[0].format,
                own.lines,
                _requests(own),
                own.first,
                own.last,
                problem,
                own.unread,
            )
        )
    observations = tuple(
        Observation(kind, method or None, path, status or None, entry.count, entry.first, entry.last,
                    tuple(sorted(entry.agents.items(), key=lambda each: -each[1])), admin)
        for (kind, method, path, status, admin), entry in total.entries.items()
    )  # fmt: skip
    seen = (*observations, *database)
    failed = FailedStart(*total.start) if total.start is not None and total.start[1] else None
    return LogsRead(seen, tuple(files), total.others + others, total.tls, total.garbled, tuple(unreadable), failed)


def _requests(store: Store) -> int:
    """How many requests a log speaks of: the proxy's may speak of each when it comes, when it is answered, and again in
    a span."""
    views: dict[tuple[str, str], Counter[str]] = {}
    for (kind, method, path, _, _), entry in store.entries.items():
        if kind in _PROXYS_VIEWS:
            views.setdefault((method, path), Counter())[kind] += entry.count
    return store.requests - sum(each.total() - max(each.values()) for each in views.values())


def _database(source: Source, since: float | None) -> tuple[LogFile, list[Observation], int]:
    from antigravity_doctor.sources.traffic_database import read_traffic

    found = read_traffic(source.path or Path(source.name), since)
    seen = [
        Observation("database", each.method or None, each.path, each.status, each.times, each.first, each.last)
        for each in found.traffic
    ]
    first = min((each.first for each in found.traffic if each.first is not None), default=None)
    last = max((each.last for each in found.traffic if each.last is not None), default=None)
    return LogFile(source.name, "database", 0, found.requests, first, last, found.problem), seen, found.others


# --- one process, or two ---------------------------------------------------------------------------------------------


def _jobs(sources: Sequence[Source]) -> list[_Job]:
    """What there is to do: a plain file that is big comes in two halves that each begin with a line."""
    jobs: list[_Job] = []
    for source in sources:
        if source.kind == "database":
            continue
        middle = _middle(source) if source.packing is None and source.path and source.size > 2 * _PIECE else None
        if middle is None:
            jobs.append(_Job(source, 0, None, source.size * (_UNPACKED if source.packing else 1)))
        else:
            jobs.append(_Job(source, 0, middle, middle))
            jobs.append(_Job(source, middle, None, source.size - middle))
    return jobs


def _middle(source: Source) -> int | None:
    """Where the first line behind the middle of a file begins; None where none does within a megabyte."""
    assert source.path is not None  # noqa: S101 - standard input has no size
    with suppress(OSError), source.path.open("rb", buffering=0) as file:
        start = source.size // 2
        file.seek(start)
        found = (file.read(1 << 20) or b"").find(b"\n")
        return start + found + 1 if found >= 0 else None
    return None


def _run(
    jobs: list[_Job], since: float | None, stdin: BinaryIO | None, progress: Progress | None, processes: int | None
) -> list[_Done]:
    share = _share(jobs) if _two_pay(jobs, processes) else []
    helper = None
    if share:
        try:
            helper = _Helper([jobs[index] for index in share], since, progress)
        except OSError:  # no more processes, memory or open files are to be had: all is done here
            share = []
    try:
        mine = {index: _do(job, since, stdin, progress) for index, job in enumerate(jobs) if index not in share}
        theirs = helper.result() if helper is not None else []
    except BaseException:
        if helper is not None:
            helper.kill()
        raise
    if helper is not None and theirs is None:  # it has died (out of memory): its share is done here
        theirs = [_do(jobs[index], since, None, progress) for index in share]
    found = mine | dict(zip(share, theirs or [], strict=True))
    return [found[index] for index in range(len(jobs))]


def _two_pay(jobs: Sequence[_Job], processes: int | None) -> bool:
    if processes is not None:
        return processes > 1 and len(jobs) > 1
    if sys.platform != "linux" or len(jobs) < 2 or sum(job.cost for job in jobs) < SPLIT_FROM:
        return False
    import threading

    return len(os.sched_getaffinity(0)) > 1 and threading.active_count() == 1


def _share(jobs: Sequence[_Job]) -> list[int]:
    """The numbers of the jobs that a second process does: about half of the work, never standard input."""
    mine = theirs = 0
    share: list[int] = []
    for index in sorted(range(len(jobs)), key=lambda each: -jobs[each].cost):
        if jobs[index].source.kind in ("stdin", "pipe") or mine <= theirs:
            mine += jobs[index].cost
        else:
            share.append(index)
            theirs += jobs[index].cost
    return sorted(share)


def _do(job: _Job, since: float | None, stdin: BinaryIO | None, progress: Progress | None) -> _Done:
    store = Store()
    bulk = Bulk(store, since)
    problem = refused = None
    source = job.source
    try:
        if source.path is None:
            if stdin is not None:
                read_blocks(streamed(stdin), bulk, store)
        elif source.kind == "pipe":
            with source.path.open("rb") as pipe:
                read_blocks(streamed(pipe), bulk, store)
        else:
            with opened(source.path, source.packing) as file:
                if job.start:
                    file.seek(job.start)  # type: ignore[attr-defined]
                counted = _told(file, progress) if progress is not None and source.size else None
                read_blocks(file, bulk, store, size=job.size, progress=counted)
    except RefusedError as error:
        refused = str(error)
    except Exception as error:
        # Whatever an unpacker or a disk raises: what was read until then counts.
        if isinstance(error, (MemoryError, RecursionError, AssertionError, TypeError)):
            raise
        problem = "cut-off"
    form = bulk.format.name if bulk.format is not None else _usual_format(source, store)
    return _Done(form, problem, store.dump(), refused)


def _usual_format(source: Source, store: Store) -> str:
    """The format of a log that is read line by line, or has no request in it: the proxy's own is known by its name."""
    if "access-log" in store.kinds:
        return "quoted"
    if store.kinds & set(_PROXYS_VIEWS):
        return "proxy"
    return "proxy" if source.path is not None and is_own_log(source.path.name) else "text"


def _told(file: Readable, progress: Progress) -> Progress:
    """Counts bytes of the disk, whatever is unpacked from them."""
    raw: Any = getattr(file, "fileobj", None) or getattr(file, "_fp", None)
    if raw is None or not hasattr(raw, "tell"):
        return progress
    last = 0

    def told(_: int) -> None:
        nonlocal last
        with suppress(OSError, ValueError):
            now = int(raw.tell())
            progress(now - last)
            last = now

    return told


class _Helper:
    """A second process that does some of the jobs. Its results come through a pipe, how far it is through a shared
    page of memory. Raises OSError where the system has none to give."""

    def __init__(self, jobs: Sequence[_Job], since: float | None, progress: Progress | None) -> None:
        import marshal
        import mmap

        self._progress = progress
        self._page = mmap.mmap(-1, 8)
        self._told = 0
        self._pipe, into = os.pipe()
        try:
            self._pid = os.fork()
        except OSError:
            os.close(self._pipe)
            os.close(into)
            raise
        if self._pid:
            os.close(into)
            return
        # The child: nothing of the parent's may be written or cleaned up here.
        code = 1
        try:
            os.close(self._pipe)
            done = 0

            def tell(count: int) -> None:
                nonlocal done
                done += count
                self._page[:] = done.to_bytes(8, "little")

            raw = marshal.dumps([tuple(_do(job, since, None, tell)) for job in jobs])
            with os.fdopen(into, "wb") as file:
                file.write(raw)
            code = 0
        finally:
            os._exit(code)

    def result(self) -> list[_Done] | None:
        """What it has found; None where it has died."""
        import marshal
        import select

        pieces: list[bytes] = []
        try:
            while True:
                ready, _, _ = select.select([self._pipe], [], [], 0.1)
                self.tell()
                if ready:
                    piece = os.read(self._pipe, 1 << 20)
                    if not piece:
                        break
                    pieces.append(piece)
        finally:
            os.close(self._pipe)
        _, status = os.waitpid(self._pid, 0)
        if status != 0:
            return None
        return [_Done(*each) for each in marshal.loads(b"".join(pieces))]  # noqa: S302 - our own child wrote it

    def tell(self) -> None:
        """Passes on how far it is."""
        if self._progress is not None:
            now = int.from_bytes(self._page[:8], "little")
            self._progress(now - self._told)
            self._told = now

    def kill(self) -> None:
        """Ends it, after the parent has met an error or Ctrl-C."""
        import signal

        with suppress(OSError):
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
