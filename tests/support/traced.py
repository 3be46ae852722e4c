"""`agdoctor trace` driven by hand: in this process, as a process, and on a terminal of its own; with raw clients.

    seen = traced("--stand-in", requests=[request("POST", "/v1/v1/messages")])
    seen.code, seen.out, seen.err, seen.answers

What is sent are bytes, so that a client can be as strange as a test wants.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.support.cli import run

CLAUDE = "claude-cli/2.1.197 (external, sdk-cli)"
ENVIRONMENT = {"PATH": os.environ.get("PATH", ""), "HOME": "/nonexistent-home", "COLUMNS": "100"}
"""What a process is given, and nothing else."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How `trace` ended, and what each client got back."""

    code: int
    out: str
    err: str
    answers: tuple[bytes, ...] = ()

    @property
    def all(self) -> str:
        """Everything that was written anywhere."""
        return self.out + self.err


def free_port() -> int:
    """A loopback port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


def request(
    method: str, target: str | bytes, agent: str | bytes | None = CLAUDE, *headers: str | bytes, body: bytes = b""
) -> bytes:
    """A whole HTTP/1.1 request that wants the connection closed. `headers` are whole lines."""
    lines: list[str | bytes] = [f"{method} ", target, " HTTP/1.1\r\n", "Host: 127.0.0.1\r\nConnection: close\r\n"]
    if agent is not None:
        lines += ["User-Agent: ", agent, "\r\n"]
    for each in headers:
        lines += [each, "\r\n"]
    if body or method == "POST":
        lines += ["Content-Type: application/json\r\n", f"Content-Length: {len(body)}\r\n"]
    return b"".join(each.encode() if isinstance(each, str) else each for each in [*lines, "\r\n"]) + body


def send(port: int, raw: bytes, patience: float = 10.0) -> bytes:
    """Sends bytes as soon as something listens on the port, and gives back all that comes until the other side ends."""
    deadline = time.monotonic() + patience
    while True:
        try:
            peer = socket.create_connection(("127.0.0.1", port), timeout=patience)
            break
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)
    got = b""
    with peer, contextlib.suppress(ConnectionError):
        peer.sendall(raw)
        while piece := peer.recv(65536):
            got += piece
    return got


def traced(
    *argv: str,
    requests: Sequence[bytes] = (),
    env: Mapping[str, str] | None = None,
    tty: bool = False,
    port: int | None = None,
    encoding: str = "utf-8",
) -> Seen:
    """`agdoctor trace ARGV… --listen PORT --count N` in this process, while a client sends these requests one after
    the other. The count is left out where ARGV ends the run by itself."""
    port = port or free_port()
    answers: list[bytes] = []

    def client() -> None:
        with contextlib.suppress(OSError):
            for each in requests:
                answers.append(send(port, each))

    ends = {"--once", "--count", "--for", "--replay"} & set(argv)
    more = [] if ends else ["--count", str(len(requests)), "--for", "10"]
    thread = threading.Thread(target=client, daemon=True)
    thread.start()
    result = run("trace", *argv, "--listen", str(port), *more, env=env, tty=tty, encoding=encoding)
    thread.join(10)
    return Seen(result.code, result.out, result.err, tuple(answers))


@contextlib.contextmanager
def tracing(*argv: str, env: Mapping[str, str] | None = None) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`agdoctor trace` as a process, and the port that it listens on (or soon will)."""
    port = free_port()
    before, after = (argv, ()) if "--" not in argv else (argv[: argv.index("--")], argv[argv.index("--") :])
    command = [sys.executable, "-m", "antigravity_doctor", "trace", *before, "--listen", str(port), *after]
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**ENVIRONMENT, **(env or {})},
    )
    try:
        yield child, port
    finally:
        child.kill()
        child.communicate()


def process(*argv: str, env: Mapping[str, str] | None = None, requests: Sequence[bytes] = ()) -> Seen:
    """`agdoctor trace` as a process until it ends by itself, while a client sends these."""
    with tracing(*argv, env=env) as (child, port):
        answers = tuple(send(port, each) for each in requests)
        out, err = child.communicate(timeout=30)
    return Seen(child.returncode, out.decode(), err.decode(), answers)


def on_terminal(
    *argv: str, during: Callable[[int, subprocess.Popen[bytes]], None], env: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """`agdoctor trace ARGV… --listen PORT` on a pseudo-terminal of 100 columns while `during(port, process)` happens.
    Gives the exit code and everything that the terminal got."""
    import pty

    port = free_port()
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "antigravity_doctor", "trace", "--listen", str(port), *argv],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**ENVIRONMENT, "TERM": "xterm-256color", "LINES": "40", **(env or {})},
    )
    os.close(theirs)
    written = bytearray()

    def read() -> None:
        with contextlib.suppress(OSError):  # Linux says so when the other side has closed
            while piece := os.read(ours, 65536):
                written.extend(piece)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        during(port, child)
        code = child.wait(20)
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        reader.join(5)
        os.close(ours)
    return code, written.decode()


def screen(written: str) -> list[str]:
    """What stands on a terminal that got this: its lines, without colours and without spaces at their ends.

    Knows what `trace` and rich write: line feeds, carriage returns, colours, cursor up, erase line, show and hide the
    cursor. Raises ValueError for any other escape, and for a control character.
    """
    lines: list[list[str]] = [[]]
    row = column = 0
    for escape, ch in re.findall(r"(\x1b\[[?\d;]*[A-Za-z])|(.)", written, re.DOTALL):
        if re.fullmatch(r"\x1b\[[\d;]*m|\x1b\[\?25[lh]", escape):
            continue
        if up := re.fullmatch(r"\x1b\[(\d*)A", escape):
            row = max(0, row - int(up[1] or 1))
        elif escape == "\x1b[2K":
            lines[row] = []
        elif escape:
            raise ValueError(f"an escape that is not known here: {escape!r}")
        elif ch == "\r":
            column = 0
        elif ch == "\n":
            row, column = row + 1, 0
            lines += [[] for _ in range(row + 1 - len(lines))]
        elif not ch.isprintable():
            raise ValueError(f"a control character: {ch!r}")
        else:
            line = lines[row]
            line += " " * (column + 1 - len(line))
            line[column] = ch
            column += 1
    return ["".join(line).rstrip() for line in lines]
