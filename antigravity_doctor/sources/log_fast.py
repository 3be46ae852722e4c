"""Reads a log in bulk: blocks of bytes through one compiled pattern, and what it finds counted by C code.

What makes it quick (tests/benchmarks/bench_logs.py): a block that stays in the processor's cache, one `findall` for a
thousand lines, `Counter` over bytes, and Python code only once a block for each *distinct* request. Memory is flat:
distinct paths are bounded, and what is beyond is counted as `others`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from antigravity_doctor.diagnosis.tallying import MOST_PATHS, RESERVED
from antigravity_doctor.sources.log_formats import Format, Parts, format_of
from antigravity_doctor.sources.log_lines import Read, may_hold_request, read_line
from antigravity_doctor.sources.log_times import parse_time, time_in

BLOCK = 1 << 16
"""Bytes read at once: some hundred lines, and with what they become little enough for the second-level cache."""

LONGEST_LINE = 1 << 20
"""A line of more bytes than this is passed over, and counted."""

LONGEST_PATH = 1024
MOST_AGENTS = 8
LONGEST_AGENT = 200

MOST_EXACT = 5_000_000
"""Lines of a file that are read one by one (about 10 µs each)."""

MOST_PROSE = 20_000
"""Lines of a file without any known format that are read as prose (about 300 µs each)."""

_REMEMBERED = 1 << 13
_FEW = 8
"""Up to so many requests that were never seen before are looked for in a block one by one."""

_STARTED = "反代服务器启动在".encode()
_NOT_BOUND = "绑定失败".encode()
_FAILURE = re.compile("(?:地址|端口) ([^ \\n]{1,80}) 绑定失败[:：] ?([^\\n]{0,200})".encode())
"""What the proxy's log says of its start (facts: proxy-config-and-logs.md, section 4)."""

_ACCESS_TIME = re.compile(rb"\d\d/[A-Za-z]{3}/\d{4}[: ]\d\d:\d\d:\d\d(?: [+-]\d{4})?")

Key = tuple[str, str, str, int, bool]
"""kind, method, path, status (0: none), whether the admin API's own guard wrote it."""


class Readable(Protocol):
    """What blocks come from: a file opened for bytes, or what unpacks one."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fills the buffer as far as it can; 0 at the end."""


class Entry:
    """How often one request was seen, first and last (seconds since 1970), and the agents that sent it."""

    __slots__ = ("agents", "count", "first", "last")

    def __init__(self) -> None:
        self.count = 0
        self.first: float | None = None
        self.last: float | None = None
        self.agents: dict[str, int] = {}

    def saw(self, when: float | None) -> None:
        """Takes a time into the span."""
        if when is not None:
            if self.first is None or when < self.first:
                self.first = when
            if self.last is None or when > self.last:
                self.last = when

    def sent_by(self, agent: str, count: int) -> None:
        """Counts an agent, as long as there are not too many."""
        if agent in self.agents or len(self.agents) < MOST_AGENTS:
            self.agents[agent] = self.agents.get(agent, 0) + count


class Store:
    """What was counted so far, in bounded memory.

    `others`: requests beyond the bound. `tls` and `garbled`: lines of an access log whose request was the beginning of
    a TLS connection, or nothing that is HTTP. `unread`: lines that were too many to be read exactly, or too long.
    `start`: of the proxy's last start (when, address, why it failed), "" and "" where it went well.
    """

    def __init__(self) -> None:
        self.entries: dict[Key, Entry] = {}
        self.lines = 0
        self.requests = 0
        self.others = 0
        self.tls = 0
        self.garbled = 0
        self.unread = 0
        self.first: float | None = None
        self.last: float | None = None
        self.kinds: set[str] = set()
        self.start: tuple[float | None, str, str] | None = None

    def add(self, key: Key, count: int, agent: str = "") -> Entry | None:
        """The entry of a request, counted; None where it is one too many."""
        entry = self.entries.get(key)
        self.requests += count
        if entry is None:
            if not self._has_room(key):
                self.others += count
                return None
            entry = self.entries[key] = Entry()
            self.kinds.add(key[0])
        entry.count += count
        if agent:
            entry.sent_by(agent, count)
        return entry

    def _has_room(self, key: Key) -> bool:
        number = len(self.entries)
        if number < MOST_PATHS:
            return True
        from antigravity_doctor.sources.text_shapes import api_level

        return number < MOST_PATHS + RESERVED and api_level(key[2]) == 2

    def saw(self, when: float | None) -> None:
        """Takes a time into the span of the file."""
        if when is not None:
            self.first = when if self.first is None else min(self.first, when)
            self.last = when if self.last is None else max(self.last, when)

    def take(self, read: Read) -> None:
        """Counts one request that was read exactly."""
        found = key_of(read.parts, read.admin)
        if isinstance(found, str):
            self.odd(found, 1)
            return
        entry = self.add(found, 1, agent_of(read.parts))
        if entry is not None:
            entry.saw(read.time)
        self.saw(read.time)

    def odd(self, what: str, count: int) -> None:
        """Counts what is no HTTP request."""
        if what == "tls":
            self.tls += count
        else:
            self.garbled += count

    def dump(self) -> list[Any]:
        """Everything as plain values, for another process."""
        entries = [
            (*key, entry.count, entry.first, entry.last, list(entry.agents.items()))
            for key, entry in self.entries.items()
        ]
        plain = [self.lines, self.requests, self.others, self.tls, self.garbled, self.unread, self.first, self.last]
        return [entries, *plain, self.start]

    def merge(self, dumped: list[Any]) -> None:
        """Adds what another store has dumped."""
        entries, lines, requests, others, tls, garbled, unread, first, last, start = dumped
        for kind, method, path, status, admin, count, since, until, agents in entries:
            entry = self.add((kind, method, path, status, admin), count)
            if entry is not None:
                entry.saw(since)
                entry.saw(until)
                for agent, times in agents:
                    entry.sent_by(agent, times)
        self.lines += lines
        self.requests += requests - sum(each[5] for each in entries)
        self.others += others
        self.tls += tls
        self.garbled += garbled
        self.unread += unread
        self.start = start or self.start
        self.saw(first)
        self.saw(last)


def key_of(parts: Parts, admin: bool = False) -> Key | str:
    """What a request is counted under: its path without query. "tls" or "garbled" for what is no request."""
    target = parts.target
    if not parts.method and not target.startswith((b"/", b"http")):
        return "tls" if target.startswith((b"\\x16\\x03", b"\x16\x03", b"\\u0016\\u0003")) else "garbled"
    path = target.partition(b"?")[0]
    if not path.startswith(b"/"):
        scheme, mark, rest = path.partition(b"://")
        if not mark or scheme.lower() not in (b"http", b"https"):
            if target != b"*":
                return "garbled"
            rest = b"*"
        _, slash, behind = rest.partition(b"/")
        path = slash + behind if slash else b"/"
    if len(path) > LONGEST_PATH:
        path = path[:LONGEST_PATH] + "…".encode()
    text = path.decode("utf-8", "replace")
    if parts.kind == "proxy-log" and not admin:
        from antigravity_doctor.sources.text_logs import is_admin_path

        admin = is_admin_path(text)
    return (parts.kind, parts.method.decode("ascii", "replace").upper(), text, parts.status or 0, admin)


def agent_of(parts: Parts) -> str:
    """The User-Agent, shortened; "" for none."""
    agent = parts.agent[:LONGEST_AGENT].decode("utf-8", "replace").strip()
    return "" if agent == "-" else agent


class Bulk:
    """Counts the lines of one log into a store. `since`: seconds since 1970; older lines are left out.

    Lines of the format are found by its pattern, all others that may hold a request are read exactly, within limits.
    """

    def __init__(self, store: Store, since: float | None = None) -> None:
        self._store = store
        self._since = since
        self._known: dict[Any, tuple[Entry | None, str]] = {}
        self._times: dict[bytes, float | None] = {}
        self._minutes: dict[bytes, float] = {}
        self._exact = self._sentences = 0
        self.format: Format | None = None
        self.prose = False

    def detect(self, sample: bytes) -> None:
        """Chooses the format by a piece of the log."""
        self.format = format_of(sample)
        # Where a line begins with its time, it is a log: what its sentences speak of was not requested here.
        self.prose = self.format is None and time_in(sample[:400].partition(b"\n")[0]) is None

    def feed(self, buffer: bytearray, end: int) -> None:
        """Counts the whole lines in buffer[:end]."""
        store = self._store
        lines = buffer.count(b"\n", 0, end)
        if not lines or buffer[end - 1] != 10:
            lines += 1
        store.lines += lines
        form = self.format
        if form is None or form.only is not None:
            self._start(buffer, end)
        if form is None:
            self._lines(bytes(buffer[:end]))
            return
        found = form.pattern.findall(buffer, 0, end)
        if found:
            self._count(found, form)
        if len(found) == lines:
            return
        if form.only is not None and buffer.count(b"equest: ", 0, end) == len(found):
            for sign in form.only:
                if buffer.find(sign, 0, end) >= 0:
                    break
            else:
                return
        self._lines(bytes(buffer[:end]))

    def _start(self, buffer: bytearray, end: int) -> None:
        """Takes note of the last line about a start of the proxy."""
        at = max(
            buffer.rfind(sign, 0, end) if buffer.find(sign, 0, end) >= 0 else -1 for sign in (_STARTED, _NOT_BOUND)
        )
        if at < 0:
            return
        start = buffer.rfind(b"\n", 0, at) + 1
        line = bytes(buffer[start : start + 1000]).partition(b"\n")[0]
        when = time_in(line)
        failed = _FAILURE.search(line)
        if (failed is None and _STARTED not in line) or (self._since and when and when < self._since):
            return
        address, why = failed.groups() if failed is not None else (b"", b"")
        self._store.start = (when, address.decode("utf-8", "replace"), why.decode("utf-8", "replace").strip())

    def _count(self, found: list[Any], form: Format) -> None:
        if self._since is not None:
            found = [each for each in found if self._is_wanted(each[0])]
            if not found:
                return
        keys = [key for _, key in found] if len(found[0]) == 2 else [each[1:] for each in found]
        counts = Counter(keys)
        last = dict(zip(keys, found, strict=True))
        known = self._known
        store = self._store
        new = [key for key in counts if key not in known]
        if len(known) + len(new) > _REMEMBERED:
            known.clear()
            new = list(counts)
        fresh: list[tuple[Entry, Any]] = []
        for key in new:
            count = counts.pop(key)
            parts = form.parts(key)
            what = key_of(parts)
            if isinstance(what, str):
                known[key] = (None, what)
                store.odd(what, count)
                continue
            agent = agent_of(parts)
            entry = store.add(what, count, agent)
            if entry is None:
                continue  # one too many: not remembered, so it is counted the same way each time
            known[key] = (entry, agent)
            if entry.first is None:
                fresh.append((entry, key))
            entry.saw(self._time(last[key][0]))
        if len(fresh) > _FEW:
            first = dict(zip(reversed(keys), reversed(found), strict=True))
            for entry, key in fresh:
                entry.saw(self._time(first[key][0]))
        else:
            for entry, key in fresh:
                entry.saw(self._time(found[keys.index(key)][0]))
        for key, count in counts.items():
            entry, agent = known[key]
            if entry is None:
                store.odd(agent, count)
                continue
            entry.count += count
            store.requests += count
            if agent:
                entry.sent_by(agent, count)
            entry.saw(self._time(last[key][0]))
        store.saw(self._time(found[0][0]))
        store.saw(self._time(found[-1][0]))

    def _time(self, text: bytes) -> float | None:
        times = self._times
        if text in times:
            return times[text]
        if len(times) > _REMEMBERED:
            times.clear()
        # Most lines of a minute differ in the seconds only.
        minute = text[:18] + text[20:]
        start = self._minutes.get(minute)
        if start is not None and text[17:18] == b":" and text[18:20].isdigit():
            when: float | None = start + int(text[18:20])
        else:
            when = parse_time(text) if text else None
            if when is not None and _ACCESS_TIME.fullmatch(text):
                if len(self._minutes) > _REMEMBERED:
                    self._minutes.clear()
                self._minutes[minute] = when - int(text[18:20])
        times[text] = when
        return when

    def _is_wanted(self, text: bytes) -> bool:
        when = self._time(text)
        return when is None or self._since is None or when >= self._since

    def _lines(self, block: bytes) -> None:
        """Reads the lines of a block that its format does not know."""
        store = self._store
        known = self.format.pattern if self.format is not None else None
        for line in block.split(b"\n"):
            if not line or (known is not None and known.search(line) is not None):
                continue
            if not may_hold_request(line):
                continue
            if self._exact >= MOST_EXACT:
                store.unread += 1
                continue
            self._exact += 1
            reads = read_line(line)
            if not reads and self.prose:
                if self._sentences >= MOST_PROSE:
                    store.unread += 1
                    continue
                self._sentences += 1
                reads = read_line(line, prose=True)
            for read in reads:
                if read.time is None or self._since is None or read.time >= self._since:
                    store.take(read)


def read_blocks(
    source: Readable,
    bulk: Bulk,
    store: Store,
    *,
    size: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Feeds a source to its end, or its first `size` bytes, block by block, whole lines at a time.

    `progress` is called with the bytes of each block. The format is chosen by the first block.
    """
    buffer = bytearray(BLOCK)
    have = 0
    skipping = started = False
    left = size
    last_line = b""
    while left is None or left > 0:
        if have == len(buffer):
            if len(buffer) < LONGEST_LINE:
                buffer.extend(bytes(len(buffer)))
            else:
                have = 0
                if not skipping:
                    store.unread += 1
                skipping = True
        with memoryview(buffer) as view:
            room = view[have:] if left is None else view[have : have + min(left, len(view) - have)]
            got = source.readinto(room)
            room.release()
        if not got:
            break
        if left is not None:
            left -= got
        if progress is not None:
            progress(got)
        end = have + got
        cut = buffer.rfind(b"\n", have, end) + 1
        if not cut:
            have = end
            continue
        start = 0
        if skipping:
            start = buffer.find(b"\n", 0, cut) + 1
            skipping = False
            buffer[: end - start] = buffer[start:end]
            end -= start
            cut -= start
            if not cut:
                have = end
                continue
        if not started:
            started = True
            bulk.detect(bytes(buffer[:cut]))
            store.saw(time_in(bytes(buffer[: buffer.find(b"\n") + 1])))
        bulk.feed(buffer, cut)
        last_line = bytes(buffer[max(0, buffer.rfind(b"\n", 0, cut - 1)) : cut][:400])
        have = end - cut
        buffer[:have] = buffer[cut:end]
    if have and not skipping:
        if not started:
            bulk.detect(bytes(buffer[:have]))
        bulk.feed(buffer, have)
        last_line = bytes(buffer[:have][:400])
    if last_line:
        store.saw(time_in(last_line))
