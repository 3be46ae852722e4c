"""Terminals, pipes and files: colour, progress, encodings, and what goes to which stream."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from antigravity_doctor import __version__
from antigravity_doctor.cli import errors
from antigravity_doctor.diagnosis.proxy_model import ServerConfig
from antigravity_doctor.servers.stand_in import run_in_thread
from tests.support.cli import run
from tests.support.hostile import hostile

WRONG = ["explain-path", "/v1/v1/chat/completions"]
PATH_ONLY = {"PATH": os.environ.get("PATH", ""), "HOME": "/nonexistent-home"}


def process(*argv: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    """`python -m antigravity_doctor ARGV…` as a process of its own."""
    command = [sys.executable, "-m", "antigravity_doctor", *argv]
    return subprocess.run(command, input=stdin, capture_output=True, env={**PATH_ONLY, **(env or {})}, timeout=60)


# --- colour and symbols ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tty", "environment", "coloured"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (True, {"TERM": "dumb"}, False),
    ],
)
@pytest.mark.parametrize("command", [WRONG, ["recommend", "--client", "cline"], ["check", "--port", "1"], ["routes"]])
def test_colour(command: list[str], tty: bool, environment: dict[str, str], coloured: bool) -> None:
    result = run(*command, tty=tty, env=environment)
    assert ("\x1b[" in result.out) is coloured


@pytest.mark.parametrize("format_", ["json", "junit", "github"])
def test_only_the_terminal_format_has_colour(format_: str) -> None:
    assert "\x1b" not in run("check", "--port", "1", "--format", format_, tty=True, env={"FORCE_COLOR": "1"}).all


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
@pytest.mark.parametrize(
    "command", [WRONG, ["explain-path", "/v1/v1/你好"], ["clients", "cherry-studio"], ["explain", "AGD301"]]
)
def test_an_encoding_that_lacks_the_symbols_gets_their_twins(command: list[str], encoding: str) -> None:
    result = run(*command, encoding=encoding)
    assert result.code in (0, 1)
    assert result.out.isascii()
    assert result.out == run(*command, env={"AGDOCTOR_ASCII": "1"}).out


def test_an_error_with_letters_that_the_encoding_lacks() -> None:
    result = run("clients", "клиент", encoding="ascii")
    assert result.code == 2
    assert "\\u043a" in result.err


# --- streams ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [WRONG, ["recommend", "--client", "cline"], ["simulate", "--client", "cline", "--base-url", "http://a"],
     ["explain", "AGD301"], ["routes"], ["clients"], ["check", "--port", "1"]],
    ids=lambda value: value[0],
)  # fmt: skip
def test_json_is_the_same_as_format_json(command: list[str]) -> None:
    short, long = run(*command, "--json"), run(*command, "--format", "json")
    assert short.code == long.code
    assert _without_times(short.out) == _without_times(long.out)
    assert short.err == long.err == ""


def _without_times(text: str) -> list[str]:
    return [line for line in text.splitlines() if "elapsed_ms" not in line]


@pytest.mark.parametrize("format_", ["terminal", "json", "junit", "github"])
def test_the_note_about_the_demo_is_no_part_of_the_result(format_: str) -> None:
    result = run("check", "--demo", "--format", format_)
    assert result.err.startswith("A stand-in of Antigravity Tools ")
    assert result.err.count("\n") == 1
    assert "for this demo" not in result.out


# --- progress --------------------------------------------------------------------------------------------------------


def test_progress_shows_on_a_terminal_after_half_a_second_and_goes_away_again() -> None:
    with run_in_thread(ServerConfig(), delay=0.25) as running:
        result = run("check", "--url", running.url, err_tty=True)
    assert result.err.startswith(f"\rChecking {running.url} … ")
    last = result.err.split("\r")
    assert last[-1] == ""
    assert last[-2].strip() == ""
    assert len(last[-2]) >= max(len(each) for each in last)
    assert "Checking" not in result.out


def test_no_progress_where_nobody_watches() -> None:
    with hostile("silent") as server:
        result = run("check", "--port", str(server.port), "--timeout", "0.4", "--total-timeout", "0.8", tty=True)
    assert result.err == ""


def test_no_progress_for_a_quick_check() -> None:
    with run_in_thread() as running:
        started = time.monotonic()
        result = run("check", "--url", running.url, err_tty=True)
        took = time.monotonic() - started
    assert result.err == "" or took >= 0.5


def test_the_address_in_the_progress_line_is_harmless() -> None:
    with hostile("silent") as server:
        url = f"http://\u202elocalhost.localhost:{server.port}"
        result = run("check", "--url", url, "--timeout", "1", "--total-timeout", "1", err_tty=True)
    assert "\u202e" not in result.all


# --- processes -------------------------------------------------------------------------------------------------------


def test_python_m_is_the_command() -> None:
    result = process("--version")
    assert result.stdout.decode() == f"agdoctor {__version__}{os.linesep}"
    assert result.returncode == 0


def test_exit_code_and_streams_of_a_real_process() -> None:
    result = process("explain-path", "-", "--json", stdin=b"POST /v1/v1/messages 404\n")
    assert result.returncode == 1
    assert result.stderr == b""
    assert b'"AGD301"' in result.stdout


def test_lone_surrogates_in_a_real_argument_of_a_real_process() -> None:
    if os.name == "nt":
        pytest.skip("arguments are text there")
    command = [sys.executable.encode(), b"-m", b"antigravity_doctor", b"explain-path", b"/v1/v1/\xff\x1b[31m/messages"]
    result = subprocess.run(command, capture_output=True, env={**PATH_ONLY, "LC_ALL": "C.UTF-8"}, timeout=60)
    assert result.returncode == 1
    assert b"\x1b" not in result.stdout
    assert b"Traceback" not in result.stderr


@pytest.mark.parametrize(
    "arguments", [["routes", "--history"], ["clients", "--json"], ["explain-path", "-"], ["explain", "AGD301"]]
)
def test_a_reader_that_goes_away_gets_no_traceback(arguments: list[str]) -> None:
    if os.name == "nt":
        pytest.skip("a shell's head is needed")
    lines = "".join(f"POST /v1/v1/messages/{number} 404\\n" for number in range(3000))
    words = " ".join([sys.executable, "-m", "antigravity_doctor", *arguments])
    shell = f"printf '{lines}' | {{ {words}; echo code $? >&2; }} | head -n 1"
    result = subprocess.run(["bash", "-c", shell], capture_output=True, env=PATH_ONLY, timeout=60)
    assert b"Traceback" not in result.stderr
    assert b"Broken" not in result.stderr
    # A result that fits the pipe is written before the reader goes away.
    assert result.stderr in (b"code 141\n", b"code 0\n", b"code 1\n")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [("routes >&-", 0), ("frob 2>&-", 2), ("explain-path - <&-", 2), ("explain-path /v1/v1/messages >&- 2>&-", 1)],
)
def test_a_closed_stream_changes_nothing_else(arguments: str, code: int) -> None:
    if os.name == "nt":
        pytest.skip("a shell is needed to close it")
    shell = f"{sys.executable} -m antigravity_doctor {arguments}"
    result = subprocess.run(["bash", "-c", shell], capture_output=True, env=PATH_ONLY, timeout=60)
    assert b"Traceback" not in result.stderr
    assert result.returncode == code


def test_a_full_disk_is_said() -> None:
    if not os.path.exists("/dev/full"):  # noqa: PTH110
        pytest.skip("/dev/full is Linux's")
    shell = f"{sys.executable} -m antigravity_doctor routes > /dev/full"
    result = subprocess.run(["bash", "-c", shell], capture_output=True, env=PATH_ONLY, timeout=60)
    assert result.stderr == b"agdoctor: The output cannot be written: No space left on device.\n"
    assert result.returncode == errors.FAULT


def test_a_terminal_gets_colour_and_progress() -> None:
    if os.name == "nt":
        pytest.skip("there is no pty")
    import pty

    with run_in_thread(ServerConfig(), delay=0.3) as running:
        ours, theirs = pty.openpty()
        child = subprocess.Popen(
            [sys.executable, "-m", "antigravity_doctor", "check", "--url", running.url],
            stdin=theirs, stdout=theirs, stderr=theirs, env={**PATH_ONLY, "TERM": "xterm", "COLUMNS": "80"},
        )  # fmt: skip
        os.close(theirs)
        written = b""
        try:
            while piece := os.read(ours, 65536):
                written += piece
        except OSError:  # Linux says so when the other side has closed
            pass
        assert child.wait(30) == 0
        os.close(ours)
    text = written.decode()
    assert f"\rChecking {running.url} …" in text
    assert "\x1b[32m✓\x1b[0m" in text
