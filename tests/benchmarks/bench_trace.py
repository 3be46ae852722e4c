"""`agdoctor trace` as a reverse proxy, beside a direct connection and beside mitmproxy's reverse mode, in one run.

All do the same work against the same server on loopback: requests of 1 KB answered with 300 bytes of JSON on 16 kept
connections, one request after the other on one connection, event streams that are paced and such that are not, and
100,000 requests for memory. agdoctor runs as the real command, once with `--format jsonl` and once in a terminal (a
pseudo-terminal that is 120 columns wide), mitmproxy as `mitmdump` with and without streaming: the better of the two
counts. The sides take turns, round by round, and what is printed are medians, with the lowest and highest round behind
them. Load and server are pinned to the first core, the side that is measured to the second.

The requests a second of the direct connection only show that the load is not what limits the others. They are no
measure of anything else: load and server share a core, and the same work runs at about 25,000 or about 53,000 a second,
depending on whether the scheduler switches between the two after every request or after many.

Goals: 3 times mitmproxy's requests a second; a median latency of at most 2 ms more than direct; a stream's first byte
at most 2 ms later; at most 2 MB more memory after 100,000 requests than after 20,000.

    python -m pip install mitmproxy     # in an environment of its own: it pins what it needs
    python tests/benchmarks/bench_trace.py --mitmdump /path/to/mitmdump
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

THROUGHPUT_GOAL = 3.0
LATENCY_GOAL = 2.0
FIRST_BYTE_GOAL = 2.0
MEMORY_GOAL = 2.0

CONNECTIONS = 16
EVENT = 100
"""Bytes of one event of a stream, with the empty line behind it."""

PACED, PAUSE = 100, 5
"""Events of a paced stream, and milliseconds between them."""

LONG = 20_000
"""Events of a stream that comes as fast as it can."""

BODY = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "w" * 950}]}).encode().ljust(1024)
ANSWER = json.dumps({"id": "chatcmpl-1", "object": "chat.completion", "choices": ["w" * 238]}).encode()
HEADERS = "\r\n".join(
    (
        "Accept: application/json",
        "Accept-Encoding: gzip, deflate",
        "Authorization: Bearer sk-0123456789abcdef",
        "Content-Type: application/json",
        "User-Agent: OpenAI/Python 1.99.0",
        "X-Stainless-Arch: x64",
        "X-Stainless-Lang: python",
        "X-Stainless-OS: Linux",
        "X-Stainless-Package-Version: 1.99.0",
        "X-Stainless-Runtime: CPython",
        f"Content-Length: {len(BODY)}",
    )
)
"""What openai-python sends, in size and number."""

_NUMBERS = itertools.count()

KINDS: dict[str, Callable[[], str]] = {
    "one path": lambda: "/v1/chat/completions",
    "distinct paths": lambda: f"/v1beta/models/m{next(_NUMBERS)}:generateContent",
    "distinct wrong paths": lambda: f"/v1/v1beta/models/m{next(_NUMBERS)}:generateContent",
}
"""What is asked for. A distinct path never comes again, so that no cache flatters."""


# --- the server behind all of them ----------------------------------------------------------------------------------


class _Server(asyncio.Protocol):
    """Answers every request with ANSWER, or with a stream of events if the query says `events=N&pause=MS`.

    Each event holds the time at which it was sent (`time.monotonic_ns`, the same clock in all processes).
    """

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.received = b""
        self.writable = asyncio.Event()
        self.writable.set()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def connection_lost(self, error: Exception | None) -> None:
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (whole := _message_length(self.received)) is not None:
            target = self.received.split(b" ", 2)[1].decode()
            self.received = self.received[whole:]
            if "?events=" in target:
                events, _, pause = target.partition("?events=")[2].partition("&pause=")
                self.streaming = asyncio.get_running_loop().create_task(self.stream(int(events), int(pause) / 1000))
            else:
                kind = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                self.transport.write(kind + b"content-length: %d\r\n\r\n" % len(ANSWER) + ANSWER)

    async def stream(self, events: int, pause: float) -> None:
        loop = asyncio.get_running_loop()
        self.transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        started = loop.time()
        for number in range(events):
            if pause:
                await asyncio.sleep(max(0.0, started + number * pause - loop.time()))
            elif number % 8 == 0:
                await asyncio.sleep(0)
            await self.writable.wait()
            event = (b"data: %d " % time.monotonic_ns()).ljust(EVENT - 2, b"w") + b"\n\n"
            self.transport.write(b"%x\r\n%s\r\n" % (len(event), event))
        self.transport.write(b"0\r\n\r\n")


def _message_length(received: bytes) -> int | None:
    """Bytes of the first message in `received`, None while it is not whole. Only messages of known length, or chunked
    ones with nothing behind them, which is all that passes here."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = received[:end].lower()
    at = head.find(b"content-length:")
    if at < 0:
        chunked = b"transfer-encoding:" in head
        if chunked and not received.endswith(b"0\r\n\r\n"):
            return None
        return len(received) if chunked else end + 4
    length = end + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0])
    return length if len(received) >= length else None


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Server, "127.0.0.1", port, backlog=256)
    await server.serve_forever()


# --- the load -------------------------------------------------------------------------------------------------------


def _request(port: int, target: str) -> bytes:
    return f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{HEADERS}\r\n\r\n".encode() + BODY


class _Client(asyncio.Protocol):
    """One kept connection: the next request goes out when the answer to the last is whole."""

    def __init__(self, make: Iterator[bytes], ended: Callable[[Exception | None], None]) -> None:
        self.make = make
        self.ended = ended
        self.received = b""
        self.finished = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.next()

    def next(self) -> None:
        request = next(self.make, None)
        if request is None:
            self.finished = True
            self.transport.close()
        else:
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.received += data
        if _message_length(self.received) is not None:
            if b" 200 " not in self.received[:16]:
                self.transport.abort()
                return
            self.received = b""
            self.next()

    def connection_lost(self, error: Exception | None) -> None:
        self.ended(None if self.finished else error or ConnectionError(f"ended with {self.received[:200]!r}"))


def throughput(port: int, requests: int, target: Callable[[], str]) -> float:
    """Requests a second on 16 kept connections. Raises ConnectionError if one is not answered with 200."""

    async def run() -> float:
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        left = CONNECTIONS

        def ended(error: Exception | None) -> None:
            nonlocal left
            left -= 1
            if error is not None and not done.done():
                done.set_exception(error)
            elif not left and not done.done():
                done.set_result(None)

        make = (_request(port, target()) for _ in range(requests))
        started = time.perf_counter()
        for _ in range(CONNECTIONS):
            await loop.create_connection(lambda: _Client(make, ended), "127.0.0.1", port)
        await done
        return requests / (time.perf_counter() - started)

    return asyncio.run(run())


def latencies(port: int, requests: int) -> list[float]:
    """Milliseconds of each request, one after the other on one connection, without an event loop in between."""
    request = _request(port, "/v1/chat/completions")
    taken = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(requests):
            started = time.perf_counter()
            connection.sendall(request)
            received = connection.recv(65_536)
            while _message_length(received) is None:
                received += connection.recv(65_536)
            taken.append((time.perf_counter() - started) * 1000)
    return taken[requests // 10 :]


@dataclass(slots=True)
class Stream:
    """What was seen of one stream: ms until its first event, seconds in all, ms that each event was under way."""

    first: float
    seconds: float
    events: list[float]


def stream(port: int, events: int, pause: int) -> Stream:
    """Asks for a stream on a connection of its own. Raises ConnectionError if it ends early."""
    first = None
    delays = []
    tail = b""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        started = time.perf_counter()
        connection.sendall(_request(port, f"/v1/chat/completions?events={events}&pause={pause}"))
        while not tail.endswith(b"0\r\n\r\n"):
            received = connection.recv(262_144)
            now = time.monotonic_ns()
            if not received:
                raise ConnectionError("the stream ended early")
            if first is None and b"data: " in received:
                first = (time.perf_counter() - started) * 1000
            if pause:
                stamps = (part.split(b" ", 1)[0] for part in received.split(b"data: ")[1:])
                delays += [(now - int(stamp)) / 1e6 for stamp in stamps]
            tail = (tail + received)[-8:]
    if first is None:
        raise ConnectionError("a stream without events")
    return Stream(first, time.perf_counter() - started, delays)


# --- the sides ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Side:
    """One that is measured, and what was measured of it, a value a round. `process` None: the direct connection."""

    name: str
    port: int
    process: subprocess.Popen[bytes] | None = None
    rates: dict[str, list[float]] = field(default_factory=dict)
    processor: dict[str, list[float]] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    firsts: list[float] = field(default_factory=list)
    events: list[float] = field(default_factory=list)
    chunks: list[float] = field(default_factory=list)

    def rate(self, kind: str) -> float:
        """Median requests a second, NaN where it was not measured."""
        return statistics.median(self.rates.get(kind) or [float("nan")])


def free_port() -> int:
    """A loopback port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def pin(process: int, core: int) -> None:
    """Keeps a process (0: this one) on one core, where the system can and has two."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(process, {core})


def accepting(process: subprocess.Popen[bytes], port: int, name: str) -> None:
    """Waits until a port accepts. Raises SystemExit if the process ends before, or after a minute."""
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    process.kill()
    raise SystemExit(f"{name} does not listen on port {port} (exit code {process.poll()}): {process.args!r}")


def memory(process: subprocess.Popen[bytes]) -> float:
    """Resident memory in MB."""
    told = subprocess.run(["ps", "-o", "rss=", "-p", str(process.pid)], capture_output=True, text=True, check=True)
    return int(told.stdout) / 1024


def processor_seconds(process: subprocess.Popen[bytes] | None) -> float:
    """Processor time of a process, NaN where the system has no /proc."""
    status = Path(f"/proc/{process.pid if process else 0}/stat")
    if not status.exists():
        return float("nan")
    fields = status.read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _drain(descriptor: int) -> None:
    """Reads what is painted, as a terminal does."""
    with contextlib.suppress(OSError):
        while os.read(descriptor, 65_536):
            pass


def start(command: list[str], port: int, name: str, *, terminal: bool = False) -> Side:
    """Starts one side on the second core, in a pseudo-terminal of 120 x 40 if it is to have one."""
    environment = os.environ | {"TERM": "xterm-256color"}
    if terminal:
        import fcntl
        import pty
        import struct
        import termios

        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
        )
        os.close(theirs)
        threading.Thread(target=_drain, args=(ours,), daemon=True).start()
    else:
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, env=environment)
    pin(process.pid, 1)
    accepting(process, port, name)
    return Side(name, port, process)


def stop(process: subprocess.Popen[bytes]) -> float:
    """Ends a process as Ctrl-C does; the seconds that it took, infinite if it had to be killed."""
    started = time.perf_counter()
    process.send_signal(signal.SIGINT)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return float("inf")
    return time.perf_counter() - started


def ours(upstream: int, *, terminal: bool) -> Side:
    """The real command."""
    script = shutil.which("agdoctor", path=str(Path(sys.executable).parent)) or "agdoctor"
    port = free_port()
    command = [sys.executable, script, "trace", "--port", str(upstream), "--listen", str(port)]
    if terminal:
        return start(command, port, "agdoctor trace, terminal", terminal=True)
    return start([*command, "--format", "jsonl"], port, "agdoctor trace, jsonl")


def mitmproxy(mitmdump: str, upstream: int, folder: str, *, streaming: bool) -> Side:
    """mitmproxy's reverse mode without a display: it holds messages back whole, unless it is told to stream them."""
    port = free_port()
    command = [mitmdump, "--mode", f"reverse:http://127.0.0.1:{upstream}", "--listen-host", "127.0.0.1"]
    command += ["--listen-port", str(port), "--quiet", "--set", f"confdir={folder}"]
    if streaming:
        return start([*command, "--set", "stream_large_bodies=1"], port, "mitmproxy, streaming")
    return start(command, port, "mitmproxy")


# --- the run --------------------------------------------------------------------------------------------------------


def measure(side: Side, requests: int) -> None:
    """One round on one side."""
    for kind, target in KINDS.items():
        before = processor_seconds(side.process)
        side.rates.setdefault(kind, []).append(throughput(side.port, requests, target))
        used = (processor_seconds(side.process) - before) / requests * 1e6
        side.processor.setdefault(kind, []).append(used)
    side.latencies += latencies(side.port, 400)
    side.firsts += [stream(side.port, 2, PAUSE).first for _ in range(10)]
    side.events += stream(side.port, PACED, PAUSE).events
    side.chunks.append(LONG / stream(side.port, LONG, 0).seconds)


def show(sides: list[Side]) -> None:
    """The table of medians."""
    print(f"\n{'requests a second':28}" + "".join(f"{kind:>30}" for kind in KINDS))
    for side in sides:
        print(f"{side.name:28}" + "".join(f"{_spread(side.rates[kind]):>30}" for kind in KINDS))
    print(f"\n{'processor us a request':28}" + "".join(f"{kind:>30}" for kind in KINDS))
    for side in sides:
        if side.process is not None:
            print(f"{side.name:28}" + "".join(f"{_spread(side.processor[kind]):>30}" for kind in KINDS))
    print(f"\n{'ms':28}{'request':>10}{'99 %':>8}{'first event':>14}{'event':>10}{'99 %':>8}{'events/s, unpaced':>20}")
    for side in sides:
        at = statistics.median
        print(
            f"{side.name:28}{at(side.latencies):10.2f}{_percentile(side.latencies):8.2f}{at(side.firsts):14.2f}"
            f"{at(side.events):10.2f}{_percentile(side.events):8.2f}{at(side.chunks):20,.0f}"
        )


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})"


def _percentile(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


def judge(side: Side, direct: Side, references: list[Side]) -> None:
    """One side against the goals."""
    print(f"\n{side.name}")
    for kind in KINDS:
        if references:
            best = max(reference.rate(kind) for reference in references)
            ratio = side.rate(kind) / best
            told = _verdict(ratio >= THROUGHPUT_GOAL, f"{THROUGHPUT_GOAL:g} x")
            print(f"  requests a second, {kind:22} {ratio:5.1f} x mitmproxy's   {told}")
    added = statistics.median(side.latencies) - statistics.median(direct.latencies)
    print(f"  added median latency {added:20.2f} ms{'':16} {_verdict(added <= LATENCY_GOAL, f'{LATENCY_GOAL:g} ms')}")
    added = statistics.median(side.firsts) - statistics.median(direct.firsts)
    told = _verdict(added <= FIRST_BYTE_GOAL, f"{FIRST_BYTE_GOAL:g} ms")
    print(f"  first event of a stream later by {added:8.2f} ms{'':16} {told}")


def _verdict(good: bool, goal: str) -> str:
    return f"within the goal of {goal}" if good else f"MISSES the goal of {goal}"


def grow(upstream: int, requests: int, *, terminal: bool) -> None:
    """Memory of a new process after a fifth of the requests and after all, half of them wrong, no path twice."""
    side = ours(upstream, terminal=terminal)
    assert side.process is not None
    kinds = itertools.cycle((KINDS["distinct paths"], KINDS["distinct wrong paths"]))
    early = requests // 5
    try:
        throughput(side.port, early, lambda: next(kinds)())
        before = memory(side.process)
        throughput(side.port, requests - early, lambda: next(kinds)())
        after = memory(side.process)
    finally:
        stop(side.process)
    told = _verdict(after - before <= MEMORY_GOAL, f"{MEMORY_GOAL:g} MB more")
    print(f"  {side.name:26} {before:6.1f} MB after {early:,}, {after:6.1f} MB after {requests:,}   {told}")


def main() -> None:
    """Runs all sides in turns, prints the table, then the goals."""
    parser = argparse.ArgumentParser(description="agdoctor trace beside a direct connection and mitmproxy.")
    parser.add_argument("--mitmdump", default=shutil.which("mitmdump"), help="where it is, if not on PATH")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=2_000, help="a round and kind of path")
    parser.add_argument("--memory", type=int, default=100_000, help="requests for the memory; 0: leave it out")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(_serve(given.serve))
        return
    pin(0, 0)
    upstream = free_port()
    server = subprocess.Popen([sys.executable, __file__, "--serve", str(upstream)])
    sides = [Side("direct", upstream)]
    with tempfile.TemporaryDirectory() as folder:
        try:
            accepting(server, upstream, "the server")
            sides.append(ours(upstream, terminal=False))
            if sys.platform == "win32":
                print("no pseudo-terminal on Windows: the terminal report is not measured")
            else:
                sides.append(ours(upstream, terminal=True))
            if given.mitmdump:
                told = subprocess.run([given.mitmdump, "--version"], capture_output=True, text=True, check=True)
                print(told.stdout.splitlines()[0])
                sides += [mitmproxy(given.mitmdump, upstream, folder, streaming=each) for each in (False, True)]
            else:
                print("no mitmdump on PATH (or give --mitmdump): the ratio to mitmproxy is not measured")
            run(sides, given.rounds, given.requests)
            if given.memory:
                print(f"\nmemory over {given.memory:,} requests, no path twice")
                for terminal in (False,) if sys.platform == "win32" else (False, True):
                    grow(upstream, given.memory, terminal=terminal)
        finally:
            for side in sides:
                if side.process is not None:
                    print(f"{side.name:28} ended {stop(side.process):5.2f} s after Ctrl-C")
            server.kill()


def run(sides: list[Side], rounds: int, requests: int) -> None:
    """Warms every side up, measures them in turns, and prints what came out."""
    for side in sides:
        throughput(side.port, 500, KINDS["one path"])
    for number in range(rounds):
        for side in sides:
            measure(side, requests)
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    print(f"Python {sys.version.split()[0]}, {rounds} rounds of {requests:,} requests")
    show(sides)
    direct, recorders = sides[0], [side for side in sides if side.name.startswith("agdoctor")]
    references = [side for side in sides if side.name.startswith("mitmproxy")]
    for side in recorders:
        judge(side, direct, references)


if __name__ == "__main__":
    main()
