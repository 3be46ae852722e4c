"""Proves that a client cannot tell the recorder of `agdoctor trace` from the proxy: `python -m tests.lab trace-proof`.

Each command-line client is run twice with the same settings: directly against the stand-in, and through the recorder.
A tap (a TCP relay on loopback) stands right in front of the client both times, so what is compared is what arrived in
the client's socket: every byte of every head and of every body, but for the value of Date. How a body is cut into
chunks belongs to each connection (RFC 9112, 7.1): chunks that arrive together may go on as one, and the name of the
header may be spelled in another case; that is counted, not compared. The client's own output and exit code must be the
same, too.
"""

from __future__ import annotations

import difflib
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.lab.catalogue import subject
from tests.lab.frame import Mode, Subject
from tests.lab.installing import Installed, place_of
from tests.lab.running import Ran, run_program
from tests.lab.watching import Watch

CLIENTS = {
    "claude-code": {"messages": ""},
    "gemini-cli": {"gemini": ""},
    "codex": {"responses": "/v1"},
    "qwen-code": {"openai": "/v1"},
    "opencode": {"anthropic": "/v1", "openai-compatible": "/v1", "openai": "/v1", "google": "/v1beta"},
}
"""Client -> mode -> the base path that is right for it."""

WRONG = "/v1/v1"
"""A base path that is wrong for all of them: the proxy's empty 404 must arrive unchanged, too."""

_DATE = re.compile(rb"(?im)^date: [^\r]*")
_CHUNKED = re.compile(rb"(?im)^transfer-encoding: chunked(?=\r|$)")
_LENGTH = re.compile(rb"(?im)^content-length: (\d+)")
_VOLATILE = re.compile(r"127\.0\.0\.1:\d+|[0-9a-f]{8}-[0-9a-f-]{27}|\b\d+(?:\.\d+)?m?s\b|\d{4}-\d\d-\d\dT[\d:.-]+Z")
"""What differs between two runs of one client whatever it talks to: the port, ids of sessions, durations, times."""

_NOISE = re.compile(r"^\[STARTUP\].*\n", re.MULTILINE)
"""What Gemini CLI says of its own start now and then."""


class Answered(NamedTuple):
    """One exchange in the tap: the request's first line, and the bytes that came back for it."""

    request: bytes
    answer: bytes


@dataclass(slots=True)
class _Wire:
    """One connection's bytes, in the order in which they passed: (from the client?, bytes)."""

    passed: list[tuple[bool, bytes]] = field(default_factory=list)


class Tap:
    """A TCP relay. `answers` says what came back, request by request."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._wires: list[_Wire] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._upstream))
            wire = _Wire()
            self._wires.append(wire)
            for source, sink, ours in ((client, server, True), (server, client, False)):
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pump, args=(source, sink, wire, ours), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket, wire: _Wire, from_client: bool) -> None:
        try:
            while data := source.recv(65_536):
                wire.passed.append((from_client, data))
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            sink.close()

    def answers(self) -> list[Answered]:
        """Every exchange, ordered by its request line, so that parallel connections compare."""
        found = []
        for wire in list(self._wires):
            line, answer, speaking = b"", b"", False
            for from_client, data in wire.passed:
                if from_client and not speaking:
                    if line:
                        found.append(Answered(line, answer))
                    line, answer = data.split(b"\r\n", 1)[0], b""
                speaking = from_client
                if not from_client:
                    answer += data
            if line:
                found.append(Answered(line, answer))
        return sorted(found)


class Result(NamedTuple):
    """One client, mode and base path. `problems` is empty when nothing differs."""

    client: str
    version: str
    mode: str
    base: str
    exchanges: int
    answer_bytes: int
    same_chunks: int
    code: int | None
    problems: tuple[str, ...]


@contextmanager
def _tap(origin: str) -> Iterator[Tap]:
    tap = Tap(int(origin.rpartition(":")[2]))
    try:
        yield tap
    finally:
        tap.close()


def _comparable(data: bytes) -> bytes:
    """One or more answers as they came, with Date blanked out and chunks put together."""
    rest, found = _DATE.sub(b"date: X", data), b""
    while rest:
        head, mark, rest = rest.partition(b"\r\n\r\n")
        coding, length = _CHUNKED.search(head), _LENGTH.search(head)
        found += _CHUNKED.sub(b"transfer-encoding: chunked", head) + mark
        if coding:
            size = -1
            while size:
                line, _, rest = rest.partition(b"\r\n")
                size = int(line.split(b";")[0] or b"0", 16)
                found, rest = found + rest[:size], rest[size + 2 :]
        else:
            size = int(length[1]) if length else len(rest)
            if not rest.startswith(b"HTTP/1.1 "):  # the answer to HEAD has a length and no body
                found, rest = found + rest[:size], rest[size:]
    return found


def _said(ran: Ran) -> str:
    return _VOLATILE.sub("X", _NOISE.sub("", ran.output))


def _run(client: Subject, installed: Installed, mode: Mode, base: str, origin: str) -> tuple[Ran, list[Answered]]:
    with _tap(origin) as tap:
        ran = run_program(client, installed, mode, mode.settings[0], f"http://127.0.0.1:{tap.port}{base}")
        return ran, tap.answers()


def prove(client: Subject, version: str, mode: Mode, base: str, watch: Watch) -> Result:
    """Runs the client directly and through the recorder; the stand-in behind both is the same one."""
    installed = place_of(client, version)
    watch.answer("proxy")
    direct, there = _run(client, installed, mode, base, watch.stand_in)
    watch.take()
    traced, here = _run(client, installed, mode, base, watch.origin)
    seen = watch.take()
    problems = []
    if [_comparable(each.answer) for each in there] != [_comparable(each.answer) for each in here]:
        problems.append("answers differ: " + _difference(there, here))
    if len(seen) < len(here) or not seen:
        problems.append(f"the recorder saw {len(seen)} of {len(here)} requests")
    if direct.code != traced.code:
        problems.append(f"exit code {direct.code} directly, {traced.code} through the recorder")
    if _said(direct) != _said(traced):
        lines = difflib.unified_diff(_said(direct).splitlines(), _said(traced).splitlines(), lineterm="", n=0)
        problems.append("output differs:\n" + "\n".join(lines))
    same = sum(
        _DATE.sub(b"", one.answer) == _DATE.sub(b"", other.answer) for one, other in zip(there, here, strict=False)
    )
    length = sum(len(each.answer) for each in here)
    return Result(client.id, version, mode.id, base, len(here), length, same, traced.code, tuple(problems))


def _difference(there: list[Answered], here: list[Answered]) -> str:
    asked, again = [each.request for each in there], [each.request for each in here]
    if asked != again:
        return f"asked {asked} directly, {again} through the recorder"
    for one, other in zip(there, here, strict=True):
        if _comparable(one.answer) != _comparable(other.answer):
            return f"{one.request!r}: {one.answer!r}\nagainst {other.answer!r}"
    return "nothing"


def prove_all(only: list[str]) -> list[Result]:
    """Every installed client of `CLIENTS` (or those named), with the right base path and with a wrong one."""
    results = []
    with Watch() as watch:
        for name, modes in CLIENTS.items():
            if only and name not in only:
                continue
            client = subject(name)
            version = client.versions[-1]
            for mode in client.modes:
                for base in (modes[mode.id], WRONG) if mode.id in modes else ():
                    result = prove(client, version, mode, base, watch)
                    print(describe(result), flush=True)
                    results.append(result)
    return results


def describe(result: Result) -> str:
    """One line for people, more if something differs."""
    what = f"{result.client} {result.version} {result.mode} {result.base or '(bare)'}"
    verdict = "DIFFERENT" if result.problems else "identical"
    passed = f"{result.exchanges} exchanges, {result.answer_bytes} bytes, exit code {result.code}"
    passed += f", {result.same_chunks} with the same chunks"
    return "\n".join([f"{verdict}: {what}: {passed}", *result.problems])
