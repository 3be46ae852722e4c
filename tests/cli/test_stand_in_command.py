"""`agdoctor stand-in`: says where it listens, then what each request was worth, until it is told to end."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.cli import run

ENVIRONMENT = {"PATH": os.environ.get("PATH", ""), "HOME": "/nonexistent-home", "COLUMNS": "100"}


@contextmanager
def standing_in(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The command as a process, and the port that it says it listens on."""
    command = [sys.executable, "-m", "antigravity_doctor", "stand-in", "--port", "0", "--for", "30", *arguments]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
    assert child.stdout is not None
    first = child.stdout.readline().decode()
    found = re.search(r"http://127\.0\.0\.1:(\d+)", first)
    assert found, first
    try:
        yield child, int(found[1])
    finally:
        child.kill()
        child.communicate()


def ask(port: int, method: str, path: str, headers: dict[str, str] | None = None) -> int:
    """The status of a request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, headers=headers or {})
        return connection.getresponse().status
    finally:
        connection.close()


def test_each_request_is_shown_with_its_verdict() -> None:
    with standing_in("--auth", "strict") as (child, port):
        bearer = {"Authorization": "Bearer sk-stand-in"}
        assert ask(port, "POST", "/v1/v1/messages", bearer) == 404
        assert ask(port, "GET", "/v1/models", bearer) == 200
        assert ask(port, "GET", "/v1/models") == 401
        assert ask(port, "GET", "/v1/models?key=sk-planted-SECRET-0123456789") == 401
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=10)
    lines = out.decode().splitlines()
    assert lines[0] == f"  404  ✗ POST /v1/v1/messages  AGD301 → http://127.0.0.1:{port}"
    assert lines[1].startswith("  200  ✓ GET /v1/models")
    assert lines[2].startswith("  401  ")
    assert "AGD201" in lines[2]
    assert b"SECRET" not in out + err
    assert err == b"\n"


@pytest.mark.parametrize("arguments", [["--web-ui"], ["--web-ui", "--quiet"]])
def test_a_reader_that_goes_away_does_not_stop_it(arguments: list[str]) -> None:
    with standing_in(*arguments) as (child, port):
        assert child.stdout is not None
        child.stdout.close()
        assert [ask(port, "POST", "/v1/v1/messages") for _ in range(3)] == [405, 405, 405]
        child.send_signal(signal.SIGINT)
        assert child.stderr is not None
        assert child.stderr.read() == b"\n"
        assert child.wait(10) == 0


def test_what_is_no_http_is_shown_too() -> None:
    with standing_in() as (child, port):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as peer:
            peer.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
            peer.recv(100)
        assert child.stdout is not None
        assert child.stdout.readline().decode() == "  ? not an HTTP request (tls)\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "(desktop, auth off)"),
        (["--auth", "Strict"], "(desktop, auth strict, key sk-stand-in)"),
        (["--auth", "all-except-health", "--api-key", "k"], "(desktop, auth all_except_health, with the given key)"),
        (["--web-ui", "--as", "4.1.0"], "Antigravity Tools 4.1.0 (with web UI, auth off)"),
    ],
)
def test_it_says_what_it_is(arguments: list[str], said: str) -> None:
    result = run("stand-in", "--port", "0", "--for", "0", *arguments)
    assert result.code == 0
    assert said in result.out.replace(" v", " ")
    assert result.err == ""


@pytest.mark.parametrize(("version", "taken"), [("9.9.9", "4.5.8"), ("4.0.999", "4.0.15"), ("v3.9.9", "3.3.50")])
def test_a_version_that_is_not_known_is_said(version: str, taken: str) -> None:
    result = run("stand-in", "--port", "0", "--for", "0", "--as", version)
    assert f"Antigravity Tools {taken} " in result.out
    known = f"{version.lstrip('v')} is not known here (3.0.0 to 4.5.8 are): taken for {taken}"
    assert result.err == f"agdoctor: proxy version {known}\n"


def test_a_version_that_is_none_is_refused_under_the_name_of_the_option() -> None:
    result = run("stand-in", "--as", "banana")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("agdoctor: --as: 'banana' is not a proxy version")


def test_it_warns_where_other_machines_may_reach_it() -> None:
    result = run("stand-in", "--port", "0", "--for", "0", "--host", "0.0.0.0")
    assert result.code == 0
    assert "other machines may reach" in result.err
