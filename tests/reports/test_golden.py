"""Whole terminal reports, character for character: what a user sees, kept in tests/golden/ and compared.

Where a report changed on purpose, write the files anew, read the difference, and commit it:

    AGDOCTOR_GOLDEN=write python -m pytest tests/reports/test_golden.py && git diff tests/golden

A file holds the same report as it looks in several terminals. Escapes of colours are written as ␛.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.support.cli import run

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "golden"
WRITE = os.environ.get("AGDOCTOR_GOLDEN") == "write"

CASES: dict[str, list[str]] = {
    # the four symptoms of the classic guide
    "duplicate-version": ["explain-path", "/v1/v1/chat/completions"],
    "stacked-endpoint": ["explain-path", "/v1/chat/completions/responses"],
    "wrong-port": ["explain-path", "POST http://127.0.0.1:8080/v1/chat/completions"],
    "404-or-401": ["explain-path", "/v1/chat/completions", "--status", "401"],
    # what else people bring
    "405-docker": ["explain-path", "POST /chat/completions", "--status", "405"],
    "200-html": ["explain-path", "GET /models", "--status", "200", "--body", "<!doctype html><html></html>"],
    "401-missing-path": ["explain-path", "/v1/v1/messages", "--status", "401"],
    "404-json-body": ["explain-path", "POST /v1/messages", "--status", "404", "--body", '{"error":{"type":"x"}}'],
    "gemini-under-v1": ["explain-path", "/v1/models/gemini-2.5-pro:generateContent"],
    "unknown-path": ["explain-path", "/some/other/thing"],
    "right-path": ["explain-path", "/v1/chat/completions"],
    "exact": [
        "explain-path", "/v1/v1/messages", "--client", "claude-code", "--base-url", "http://127.0.0.1:8045/v1",
    ],
    "many-paths": [
        "explain-path", "/v1/v1/messages", "/v1/messages", "/openai/v1/responses", "/favicon.ico", "/some/other/thing",
    ],
    "recommend-kilo-code": ["recommend", "--client", "kilo-code"],
    "recommend-claude-code": ["recommend", "--client", "claude-code"],
    "simulate-nextchat": ["simulate", "--client", "nextchat", "--base-url", "http://127.0.0.1:8045/v1"],
    "explain-AGD301": ["explain", "AGD301"],
    "check-demo": ["check", "--demo"],
    "check-demo-wrong-base-url": ["check", "--demo", "--client", "nextchat", "--base-url", "http://127.0.0.1:8045/v1"],
    "check-demo-wrong-key": ["check", "--demo", "--api-key", "sk-wrong"],
    # what real clients sent, recorded once
    "trace-claude-code": ["trace", "--replay", "tests/data/traces/claude-code-wrong.jsonl"],
    "trace-corrected": ["trace", "--replay", "tests/data/traces/claude-code.jsonl"],
    "trace-openai-python": ["trace", "--replay", "tests/data/traces/openai-python.jsonl"],
    "trace-gemini-cli": ["trace", "--replay", "tests/data/traces/gemini-cli.jsonl"],
    # settings of clients in a home folder of tests/data/homes
    "scan": ["scan", "--offline"],
    "scan-one-client": ["scan", "codex", "--offline"],
    "scan-fix": ["scan", "--fix", "--dry-run", "--offline"],
}  # fmt: skip

HOMES = {name: str(ROOT / "tests/data/homes/many") for name in ("scan", "scan-one-client", "scan-fix")}
"""Report -> the home folder that it is about."""

TERMINALS: dict[str, dict[str, str]] = {
    "80 columns": {"COLUMNS": "80", "NO_COLOR": "1"},
    "120 columns": {"COLUMNS": "120", "NO_COLOR": "1"},
    "80 columns, ASCII": {"COLUMNS": "80", "AGDOCTOR_ASCII": "1"},
    "80 columns, colour": {"COLUMNS": "80", "FORCE_COLOR": "1"},
}


def normalised(text: str) -> str:
    """The text without what differs from run to run, between time zones, or with each client that is added: free ports
    (all of five digits), times, the canary's name, how many names are left out."""
    text = re.sub(r"(?m)^((?:\x1b\[[\d;]*m)*  (?:\x1b\[[\d;]*m)*)\d\d:\d\d:\d\d\b", r"\g<1>12:00:00", text)
    text = re.sub(r"(127\.0\.0\.1:|port )\d{5}\b", r"\g<1>54321", text)
    text = re.sub(r"answers in \d+ ms", "answers in 12 ms", text)
    text = re.sub(r"\band \d{1,2}(\s+more\b)", r"and 99\1", text)  # clients that the catalogue has besides
    return re.sub(r"agdoctor-[0-9a-f]{16}", "agdoctor-0123456789abcdef", text)


@pytest.fixture(autouse=True)
def _files_are_named_as_from_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def of_home(name: str) -> dict[str, str]:
    """What the environment has besides: the home folder of the report, if it is about one."""
    return {"HOME": HOMES[name], "USERPROFILE": HOMES[name]} if name in HOMES else {}


def report(case: str) -> str:
    """The report in every terminal, one below the other."""
    argv = CASES[case]
    parts = [f"$ agdoctor {' '.join(argv)}\n"]
    for name, environment in TERMINALS.items():
        result = run(*argv, env=environment | of_home(case))
        parts.append(f"=== {name}: exit code {result.code}\n{result.out}")
    return normalised("".join(parts)).replace("\x1b", "␛")


@pytest.mark.parametrize("name", CASES)
def test_the_report_is_the_one_that_was_read_and_found_good(name: str) -> None:
    path = FOLDER / f"{name}.txt"
    shown = report(name)
    if WRITE:
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8"), "see the top of this file for how to accept a change"


@pytest.mark.parametrize("columns", ["80", "120"])
@pytest.mark.parametrize("name", CASES)
def test_colour_adds_nothing_but_colour(name: str, columns: str) -> None:
    plain = run(*CASES[name], env={"COLUMNS": columns, "NO_COLOR": "1", **of_home(name)})
    coloured = run(*CASES[name], env={"COLUMNS": columns, **of_home(name)}, tty=True)
    assert plain.code == coloured.code
    assert normalised(re.sub(r"\x1b\[[0-9;]*m", "", coloured.out)) == normalised(plain.out)
    assert "\x1b[" in coloured.out


def test_there_is_no_file_of_a_report_that_is_gone() -> None:
    # What `logs` shows is compared in test_logs_report.py.
    names = {path.stem for path in FOLDER.glob("*.txt") if not path.stem.startswith("logs-")}
    assert sorted(names) == sorted(CASES)
