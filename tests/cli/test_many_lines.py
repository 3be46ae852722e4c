"""`explain-path -` on a long log: it streams, in flat memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

ENVIRONMENT = {"PATH": os.environ.get("PATH", ""), "HOME": "/nonexistent-home", "COLUMNS": "80"}
LINES = 10_000


def log() -> bytes:
    """10,000 distinct lines of an access log, every other one wrong."""
    lines = []
    for n in range(LINES):
        when, path = "[22/Nov/2026:10:00:00 +0000]", f"/v1{'/v1' * (n % 2)}/models/m-{n}:generateContent"
        lines.append(f'10.0.{n // 256}.{n % 256} - - {when} "POST {path} HTTP/1.1" 404 0 "-" "client/{n}"\n')
    return "".join(lines).encode()


MEASURED = """
import resource, subprocess, sys
code = subprocess.run([sys.executable, "-m", "antigravity_doctor", *sys.argv[1:]]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
sys.stderr.write(f"{code} {used * 1024 if sys.platform == 'linux' else used}")
"""
"""Runs agdoctor as its only child, so that the memory of the children is that of agdoctor."""


@pytest.mark.skipif(os.name == "nt", reason="the resource module is Unix's")
@pytest.mark.parametrize("format_", ["terminal", "json"])
def test_ten_thousand_lines_in_less_than_80_mb(format_: str) -> None:
    command = [sys.executable, "-c", MEASURED, "explain-path", "-", "--format", format_]
    result = subprocess.run(command, input=log(), capture_output=True, env=ENVIRONMENT, timeout=120)
    code, used = map(int, result.stderr.split())
    assert code == 1
    assert used < 80_000_000
    if format_ == "json":
        assert len(json.loads(result.stdout)["results"]) == LINES
    else:
        assert result.stdout.count("✗".encode()) == LINES


def test_results_come_while_the_input_is_still_open() -> None:
    command = [sys.executable, "-u", "-m", "antigravity_doctor", "explain-path", "-", "--json"]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT)
    assert child.stdin is not None
    assert child.stdout is not None
    os.set_blocking(child.stdout.fileno(), False)
    try:
        child.stdin.write(log()[:20_000])
        child.stdin.flush()
        written = b""
        deadline = time.monotonic() + 20
        while b'"results"' not in written or written.count(b'"verdict"') < 10:
            assert time.monotonic() < deadline, written[-300:]
            written += child.stdout.read() or b""
            time.sleep(0.01)
        assert child.poll() is None
    finally:
        child.kill()
        child.stdin.close()
        child.stdout.close()
        child.wait()
