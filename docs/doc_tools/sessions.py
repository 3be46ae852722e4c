"""Runs the command lines that the documentation shows, and returns what a reader would see.

A session is run in this process, so a page with twenty of them is built in a moment. What differs from run to run
(ports, times, random paths, this machine's home directory) is normalised; everything else is the real output.

A block may say what must be there while it runs, as JSON in a comment above it (`<!-- with {...} -->`):

    {"server":      {...}            a stand-in with these fields of ServerConfig; the command line calls its port 8045
     "hostile":     "refused",       instead of it, nothing that listens on that port
     "environment": {"NAME": "…"},   variables that are set (none is otherwise)
     "stdin":       "…",             what the command reads from standard input
     "requests":    ["POST /v1/…"]}  what a client sends to `agdoctor stand-in` before Ctrl-C; see `_send`
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import io
import json
import os
import re
import shlex
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

from antigravity_doctor.cli import main as cli
from antigravity_doctor.diagnosis.proxy_model import ServerConfig
from antigravity_doctor.servers import stand_in

ROOT = Path(__file__).resolve().parents[2]
SHOWN_PORT = "8045"
WIDTH = 100
HOME = "/home/of-a-reader"
"""A home directory without any settings in it: one that does not exist."""
_FIRST_PORT, _LAST_PORT = 8701, 8999
"""Four digits, as 8045 has, so that columns and line breaks are the same; not a number that any text names."""

_VOLATILE = (
    # between a number and its unit there may be a change of colour
    (re.compile(r"(?<![\d.])\d+(?:\.\d+)?((?:\x1b\[[\d;]*m)* (?:\x1b\[[\d;]*m)*ms\b)"), r"2\1"),
    (re.compile(r'("elapsed_ms": )[\d.]+'), r"\g<1>2.0"),
    (re.compile(r'(<testcase [^>]*time=)"[\d.]+"'), r'\g<1>"0.002"'),
    (re.compile(r"/agdoctor-[0-9a-f]{16}"), "/agdoctor-0123456789abcdef"),
    (re.compile(r"\[Errno \d+\]"), "[Errno 111]"),
)


_CRASH = "A fault of agdoctor itself"
"""What `cli.main.run` says instead of a traceback; no page may show it."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command line of a page, taken apart. `cuts` are the filters behind it: what lets only some lines through."""

    argv: tuple[str, ...]
    stderr: bool = True
    cuts: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Session:
    """What came out: the text on the terminal, and the exit code."""

    text: str
    exit_code: int


def parse(line: str) -> CommandLine | None:
    """The `agdoctor` call in a shell line, None if there is none.

    What is piped into it is given by the block's `stdin`; behind it only `2>/dev/null`, `&`, `head -n N`, `tail -n N`
    and `sed -n '/PATTERN/,$p'` are known. Raises ValueError for anything else.
    """
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    stages: list[list[str]] = [[]]
    for word in lexer:
        if word in ("|", "||", "&&", ";"):
            stages.append([])
        elif word != "&":
            stages[-1].append(word)
    calls = [index for index, stage in enumerate(stages) if stage and stage[0] == "agdoctor"]
    if not calls:
        return None
    words = stages[calls[-1]][1:]
    found = CommandLine(())
    if words[-3:] == ["2", ">", "/dev/null"]:
        words, found = words[:-3], replace(found, stderr=False)
    if len(words) > 1 and words[-2] in (">", "<"):
        words = words[:-2]
    found = replace(found, argv=tuple(words))
    cuts = tuple(map(tuple, stages[calls[-1] + 1 :]))
    _cut([], cuts)
    return replace(found, cuts=cuts)


def _cut(lines: list[str], cuts: tuple[tuple[str, ...], ...]) -> list[str]:
    """What is left of the lines behind these filters. Raises ValueError for a filter that is not known."""
    for words in cuts:
        from_match = re.fullmatch(r"/([^/]+)/,\$p", words[-1]) if words else None
        if words[:2] == ("head", "-n") and len(words) == 3:
            lines = lines[: int(words[2])]
        elif words[:2] == ("tail", "-n") and len(words) == 3:
            lines = lines[-int(words[2]) :]
        elif words[:2] == ("sed", "-n") and from_match:
            start = next((index for index, line in enumerate(lines) if re.search(from_match[1], line)), len(lines))
            lines = lines[start:]
        else:
            raise ValueError(f"`{' '.join(words)}` may not follow agdoctor in a page")
    return lines


def run(
    command: CommandLine, context: Mapping[str, Any] | None = None, *, colour: bool = False, width: int = WIDTH
) -> Session:
    """Runs a command line as a reader's terminal of this width would."""
    context = context or {}
    argv = list(command.argv)
    if argv[:1] == ["check"] and not {"--demo", "--help"} & set(argv) and not {"server", "hostile"} & set(context):
        raise ValueError(f"agdoctor {shlex.join(argv)}: say what answers, with <!-- with {{…}} -->")
    with contextlib.ExitStack() as stack:
        port = free_port()
        stack.enter_context(_serving(context, port))
        environment = {"HOME": HOME, "USERPROFILE": HOME, "COLUMNS": str(width), "PATH": os.environ.get("PATH", "")}
        environment |= {"FORCE_COLOR": "1"} if colour else {"NO_COLOR": "1"}
        environment |= {name: str(value) for name, value in context.get("environment", {}).items()}
        if "server" in context or "hostile" in context:
            argv = [re.sub(rf"\b{SHOWN_PORT}\b", str(port), word) for word in argv]
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True, newline="\n")
        stdin = io.TextIOWrapper(io.BytesIO(str(context.get("stdin", "")).encode()), encoding="utf-8")
        for patch in (
            mock.patch.dict(os.environ, environment, clear=True),
            mock.patch.object(sys, "argv", ["agdoctor", *argv]),
            mock.patch.object(sys, "stdin", stdin),
            mock.patch.object(cli, "app", functools.partial(cli.app, prog_name="agdoctor")),
            *_no_surprises(port, context),
        ):
            stack.enter_context(patch)
        stack.enter_context(contextlib.redirect_stdout(out))
        # A terminal shows both streams as they come; behind a pipe it shows stderr before what the filters let through.
        err = io.StringIO()
        stack.enter_context(contextlib.redirect_stderr(out if command.stderr and not command.cuts else err))
        try:
            cli.run()
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
        out.flush()
        lines = _cut(out.buffer.getvalue().decode("utf-8").splitlines(keepends=True), command.cuts)
        text = (err.getvalue() if command.stderr else "") + "".join(lines)
    if _CRASH in text:
        raise RuntimeError(f"agdoctor {shlex.join(argv)}: {text}")
    text = re.sub(rf"(?<!\d){port}(?!\d)", SHOWN_PORT, text)
    for pattern, shown in _VOLATILE:
        text = pattern.sub(shown, text)
    return Session(text, code)


def free_port() -> int:
    """A loopback port of four digits that nothing listens on; processes that run side by side begin elsewhere."""
    ports = range(_FIRST_PORT, _LAST_PORT + 1)
    for index in range(len(ports)):
        port = ports[(os.getpid() * 7 + index) % len(ports)]
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(f"no free port from {_FIRST_PORT} to {_LAST_PORT}")


@contextlib.contextmanager
def _serving(context: Mapping[str, Any], port: int) -> Iterator[None]:
    if context.get("hostile", "refused") != "refused":
        raise ValueError("of the servers that misbehave, only the closed port can be shown")
    if "server" in context:
        with stand_in.run_in_thread(ServerConfig(**context["server"]), port=port):
            yield
    else:
        yield


def _no_surprises(port: int, context: Mapping[str, Any]) -> list[Any]:
    """Takes this machine out of the picture: what else listens here, whether it is a container, where servers go."""
    run_in_thread = stand_in.run_in_thread

    def on_our_port(*args: Any, **options: Any) -> Any:
        return run_in_thread(*args, **options | {"port": port})

    patches = [
        mock.patch("antigravity_doctor.probes.discover.USUAL_PORTS", ()),
        mock.patch("antigravity_doctor.probes.discover.listening_ports", return_value=None),
        mock.patch("antigravity_doctor.probes.reach.runs_in_container", return_value=False),
        mock.patch("antigravity_doctor.servers.stand_in.run_in_thread", on_our_port),
    ]
    if "requests" in context:
        patches.append(mock.patch("antigravity_doctor.cli.stand_in.time", _Clients(port, context["requests"])))
    return patches


class _Clients:
    """Stands in for the `time` of `agdoctor stand-in`: while it waits, the clients call, and then comes Ctrl-C."""

    def __init__(self, port: int, requests: list[str]) -> None:
        self.port = port
        self.requests = requests
        self.monotonic = time.monotonic

    def sleep(self, _seconds: float) -> None:
        for request in self.requests:
            before = sys.stdout.buffer.tell()
            self._send(request)
            end = time.monotonic() + 5
            while sys.stdout.buffer.tell() == before and time.monotonic() < end:
                time.sleep(0.002)
        raise KeyboardInterrupt

    def _send(self, request: str) -> None:
        """`METHOD PATH [KEY]`: a POST carries a small JSON body, KEY travels as `Authorization: Bearer`."""
        method, path, *key = request.split()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        headers = {"Authorization": f"Bearer {key[0]}"} if key else {}
        body = None
        if method == "POST":
            headers["Content-Type"] = "application/json"
            body = json.dumps({"model": "gemini-2.5-flash", "messages": []})
        connection.request(method, path, body, headers)
        connection.getresponse().read()
        connection.close()
