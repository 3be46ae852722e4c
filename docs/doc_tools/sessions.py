"""Runs the command lines that the documentation shows, and returns what a reader would see.

A session is run in this process, so a page with twenty of them is built in a moment. What differs from run to run
(ports, times, random paths, this machine's home directory) is normalised; everything else is the real output.

A block may say what must be there while it runs, as JSON in a comment above it (`<!-- with {...} -->`):

    {"server":      {...}            a stand-in with these fields of ServerConfig; the command line calls its port 8045
     "hostile":     "refused",       instead of it, nothing that listens on that port
     "environment": {"NAME": "…"},   variables that are set (none is otherwise)
     "set_up":      {"path": "…"},   files of the reader's home folder, which is also the current one
     "stdin":       "…",             what the command reads from standard input
     "requests":    ["POST /v1/…"],  what a client sends to `agdoctor stand-in` before Ctrl-C; see `_send`
     "files":       {"name": "…"},   files of this repository: a copy of each lies in the current folder, by this name
                                     (named by its path, the columns would depend on where the repository lies)
     "home":        "tests/data/…",  the home directory of the reader, a folder of this repository (none is otherwise)
     "plays":       "…jsonl",        what clients send to `agdoctor trace` before Ctrl-C: the requests of this saved
                                     trace (tests/data/traces), one after the other, with the headers that tell a client
     "program":     {"name": "claude", "variable": "NAME", "agent": "…", "requests": ["POST /suffix"], "says": "…"}}
                                     the command behind `agdoctor trace … --`: sends these to the base URL of this
                                     variable, prints what it says, and ends with 1 if one of them was not answered 200
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import io
import itertools
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

from antigravity_doctor.cli import main as cli
from antigravity_doctor.diagnosis.machine import Surroundings
from antigravity_doctor.diagnosis.proxy_model import ServerConfig
from antigravity_doctor.diagnosis.tracing import Observed
from antigravity_doctor.servers import stand_in, trace_run
from antigravity_doctor.sources.saved_trace import read_saved

ROOT = Path(__file__).resolve().parents[2]
SHOWN_PORT = "8045"
WIDTH = 100
HOME = "/home/of-a-reader"
"""A home directory without any settings in it: one that does not exist."""
TRACES = ROOT / "tests" / "data" / "traces"
SHOWN_RECORDER = "18045"
_RECORDERS = range(18701, 19000)
_FIRST_PORT, _LAST_PORT = 8701, 8999
"""Four digits, as 8045 has, so that columns and line breaks are the same; not a number that any text names."""

_VOLATILE = (
    # between a number and its unit there may be a change of colour
    (re.compile(r"(?<![\d.])\d+(?:\.\d+)?((?:\x1b\[[\d;]*m)* (?:\x1b\[[\d;]*m)*ms\b)"), r"2\1"),
    (re.compile(r'("elapsed_ms": )[\d.]+'), r"\g<1>2.0"),
    (re.compile(r'(<testcase [^>]*time=)"[\d.]+"'), r'\g<1>"0.002"'),
    (re.compile(r"/agdoctor-[0-9a-f]{16}"), "/agdoctor-0123456789abcdef"),
    (re.compile(r"\[Errno \d+\]"), "[Errno 111]"),
    (re.compile(r'("at": ?)"[^"]+"'), r'\g<1>"2026-11-22T12:00:01.000+00:00"'),
    (re.compile(r'("(?:first_byte|total)_ms": ?)[\d.]+'), r"\g<1>2.0"),
)

_CLOCK = re.compile(r"(?m)^((?:\x1b\[[\d;]*m)*  (?:\x1b\[[\d;]*m)*)\d\d:\d\d:\d\d\b")
"""The time of day at the beginning of a row of `trace`."""


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
    if argv[:1] == ["trace"] and "program" in context:
        return _with_program(argv, context, width)
    if argv[:1] == ["trace"] and not {"--replay", "--help"} & set(argv) and "plays" not in context:
        raise ValueError(f"agdoctor {shlex.join(argv)}: say what is sent, with <!-- with {{…}} -->")
    if argv[:1] == ["check"] and not {"--demo", "--help"} & set(argv) and not {"server", "hostile"} & set(context):
        raise ValueError(f"agdoctor {shlex.join(argv)}: say what answers, with <!-- with {{…}} -->")
    with contextlib.ExitStack() as stack:
        port, recorder = free_port(), free_port(_RECORDERS)
        stack.enter_context(_serving(context, port))
        environment = {"HOME": HOME, "USERPROFILE": HOME, "COLUMNS": str(width), "PATH": os.environ.get("PATH", "")}
        environment |= {"FORCE_COLOR": "1"} if colour else {"NO_COLOR": "1"}
        if "home" in context:
            environment["HOME"] = environment["USERPROFILE"] = str(ROOT / context["home"])
        here = str(port) if "server" in context else SHOWN_PORT
        for name, value in context.get("environment", {}).items():
            environment[name] = re.sub(rf"\b{SHOWN_PORT}\b", here, str(value)) if "set_up" in context else str(value)
        if "set_up" in context:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="agdoctor-home-")))
            for name, content in context["set_up"].items():
                (home / name).parent.mkdir(parents=True, exist_ok=True)
                (home / name).write_text(re.sub(rf"\b{SHOWN_PORT}\b", here, content), encoding="utf-8")
            environment["HOME"] = environment["USERPROFILE"] = str(home)
            stack.enter_context(contextlib.chdir(home))
        if argv[:1] == ["logs"]:
            stack.enter_context(_in_greenwich())
            environment["TZ"] = "UTC0"
        if "server" in context or "hostile" in context:
            argv = [re.sub(rf"\b{SHOWN_PORT}\b", str(port), word) for word in argv]
        if "files" in context:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="agdoctor-files-")))
            for name, file in context["files"].items():
                shutil.copyfile(ROOT / file, folder / name)
            stack.enter_context(contextlib.chdir(folder))
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True, newline="\n")
        stdin = io.TextIOWrapper(io.BytesIO(str(context.get("stdin", "")).encode()), encoding="utf-8")
        for patch in (
            mock.patch.dict(os.environ, environment, clear=True),
            mock.patch.object(sys, "argv", ["agdoctor", *argv]),
            mock.patch.object(sys, "stdin", stdin),
            mock.patch.object(cli, "app", functools.partial(cli.app, prog_name="agdoctor")),
            *_no_surprises(port, context, recorder),
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
    return Session(_normalised(text, {port: SHOWN_PORT, recorder: SHOWN_RECORDER}), code)


@contextlib.contextmanager
def _in_greenwich() -> Iterator[None]:
    """Times of logs are shown as the clock of the reader has them: one that is the same on every machine."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC0"
    if hasattr(time, "tzset"):
        time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        if hasattr(time, "tzset"):
            time.tzset()


def _normalised(text: str, ports: Mapping[int, str]) -> str:
    for port, shown in ports.items():
        text = re.sub(rf"(?<!\d){port}(?!\d)", shown, text)
    for pattern, shown in _VOLATILE:
        text = pattern.sub(shown, text)
    seconds = itertools.count(1)
    return _CLOCK.sub(lambda row: f"{row[1]}12:00:{next(seconds):02}", text)


def free_port(ports: range = range(_FIRST_PORT, _LAST_PORT + 1)) -> int:
    """A loopback port of these that nothing listens on; processes that run side by side begin elsewhere."""
    for index in range(len(ports)):
        port = ports[(os.getpid() * 7 + index) % len(ports)]
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(f"no free port in {ports}")


@contextlib.contextmanager
def _serving(context: Mapping[str, Any], port: int) -> Iterator[None]:
    if context.get("hostile", "refused") != "refused":
        raise ValueError("of the servers that misbehave, only the closed port can be shown")
    if "server" in context:
        with stand_in.run_in_thread(ServerConfig(**context["server"]), port=port):
            yield
    else:
        yield


def _no_surprises(port: int, context: Mapping[str, Any], recorder: int) -> list[Any]:
    """Takes this machine out of the picture: what else listens here, whether it is a container, where servers go."""
    run_in_thread = stand_in.run_in_thread

    def on_our_port(*args: Any, **options: Any) -> Any:
        return run_in_thread(*args, **options | {"port": port})

    patches = [
        mock.patch("antigravity_doctor.probes.discover.USUAL_PORTS", ()),
        mock.patch("antigravity_doctor.probes.discover.listening_ports", return_value=None),
        mock.patch("antigravity_doctor.probes.reach.surroundings", return_value=Surroundings()),
        mock.patch("antigravity_doctor.servers.stand_in.run_in_thread", on_our_port),
    ]
    if "plays" in context:
        patches.append(mock.patch("antigravity_doctor.servers.trace_run.run", _played(context["plays"], recorder)))
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


# --- trace -----------------------------------------------------------------------------------------------------------

_BY_KEY_HEADER = {"authorization": "Bearer sk-of-a-reader"}
"""How a key is written in a header; in all others it stands alone."""


def _played(name: str, port: int) -> Callable[..., Awaitable[trace_run.Ended]]:
    """`trace_run.run` with clients in front of it: as soon as it listens they send what was recorded, and then comes
    Ctrl-C."""
    with (TRACES / name).open(encoding="utf-8") as file:
        requests = [each.exchange.observed for each in read_saved(file, name)]
    real = trace_run.run

    async def run(plan: trace_run.Run, on_start: Callable[..., None], *others: Any) -> trace_run.Ended:
        def started(recorder: Any) -> None:
            on_start(recorder)
            threading.Thread(target=lambda: [_send_again(each, port) for each in requests], daemon=True).start()

        return await real(replace(plan, port=port, count=len(requests)), started, *others)

    return run


def _send_again(one: Observed, port: int) -> None:
    """Sends a recorded request as its client did: its User-Agent, the names of its headers, a key where it had one."""
    headers = {name: "1" for name in one.header_names if name.startswith(("x-", "anthropic-"))}
    if one.user_agent is not None:
        headers["User-Agent"] = one.user_agent
    if one.key_header not in (None, "query"):
        headers[str(one.key_header)] = _BY_KEY_HEADER.get(str(one.key_header), "sk-of-a-reader")
    body = None
    if one.method == "POST":
        headers["Content-Type"] = "application/json"
        body = json.dumps({"model": "gemini-2.5-flash", "messages": []})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(one.method, one.path + (f"?{one.query}" if one.query else ""), body, headers)
    connection.getresponse().read()
    connection.close()


_PROGRAM = """\
#!{python}
import os, sys, urllib.error, urllib.request
for request in {requests!r}:
    method, suffix = request.split()
    url = os.environ[{variable!r}].rstrip("/") + suffix
    headers = {{"User-Agent": {agent!r}, "Content-Type": "application/json", "x-api-key": "sk-of-a-reader"}}
    try:
        urllib.request.urlopen(urllib.request.Request(url, b"{{}}", headers, method=method)).read()
    except urllib.error.HTTPError:
        print({says!r})
        sys.exit(1)
print("Hello from the stand-in.")
"""


def _with_program(argv: list[str], context: Mapping[str, Any], width: int) -> Session:
    """Runs `agdoctor trace … -- PROGRAM` as a process, because the program writes to the same terminal."""
    if "--stand-in" not in argv:
        raise ValueError(f"agdoctor {shlex.join(argv)}: only with --stand-in, so that nothing of this machine is shown")
    port = free_port(_RECORDERS)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / context["program"]["name"]
        script.write_text(_PROGRAM.format(python=sys.executable, **context["program"]), encoding="utf-8")
        script.chmod(0o755)
        environment = {"HOME": HOME, "USERPROFILE": HOME, "COLUMNS": str(width), "NO_COLOR": "1"}
        environment["PATH"] = folder + os.pathsep + os.environ.get("PATH", "")
        here = str(port) if "server" in context else SHOWN_PORT
        for name, value in context.get("environment", {}).items():
            environment[name] = re.sub(rf"\b{SHOWN_PORT}\b", here, str(value)) if "set_up" in context else str(value)
        command = [sys.executable, "-m", "antigravity_doctor", argv[0], "--listen", str(port), *argv[1:]]
        done = subprocess.run(  # noqa: S603 - this program, with the words of our own page
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    if _CRASH in done.stdout:
        raise RuntimeError(f"agdoctor {shlex.join(argv)}: {done.stdout}")
    return Session(_normalised(done.stdout, {port: SHOWN_RECORDER}), done.returncode)
