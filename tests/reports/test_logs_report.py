"""The terminal report of `logs`, character for character, and what must never be in it.

Write the golden files anew with  AGDOCTOR_GOLDEN=write python -m pytest tests/reports/test_logs_report.py
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from antigravity_doctor.diagnosis import tallying
from antigravity_doctor.diagnosis.explaining import explain
from antigravity_doctor.diagnosis.tallying import FailedStart, LogFile, NotRead, Observation, blind_spots, tally
from antigravity_doctor.knowledge.files import load_json
from antigravity_doctor.knowledge.routes import table_for
from antigravity_doctor.reports import logs as logs_report
from antigravity_doctor.reports.logs import event_lines, reading_lines, skipped_text, span_text, tally_lines
from antigravity_doctor.reports.paint import Terminal, render
from antigravity_doctor.sources import log_fast, traffic_database
from tests.support.cli import run

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data" / "logs"
GOLDEN = ROOT / "tests" / "golden"
WRITE = os.environ.get("AGDOCTOR_GOLDEN") == "write"

CASES: dict[str, list[str]] = {
    "logs-own": ["logs"],
    "logs-access": ["logs", "tests/data/logs/access.log"],
    "logs-access-all": ["logs", "tests/data/logs/access.log", "--all", "--client", "openai-python"],
    "logs-not-there": ["logs", "tests/data/logs/access.log", "tests/data/logs/nowhere.log"],
}
TERMINALS: dict[str, dict[str, str]] = {
    "80 columns": {"COLUMNS": "80", "NO_COLOR": "1"},
    "120 columns": {"COLUMNS": "120", "NO_COLOR": "1"},
    "80 columns, ASCII": {"COLUMNS": "80", "AGDOCTOR_ASCII": "1"},
}


@pytest.fixture(autouse=True)
def _in_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("TZ", "UTC0")
    if hasattr(time, "tzset"):
        time.tzset()
    yield
    monkeypatch.undo()
    if hasattr(time, "tzset"):
        time.tzset()


def report(argv: list[str]) -> str:
    home = {"HOME": str(DATA / "home"), "USERPROFILE": str(DATA / "home"), "TZ": "UTC0"}
    parts = [f"$ agdoctor {' '.join(argv)}\n"]
    for name, environment in TERMINALS.items():
        result = run(*argv, env={**home, **environment})
        parts.append(f"=== {name}: exit code {result.code}\n{result.out}")
    return "".join(parts).replace("\x1b", "␛")


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="times are shown by this machine's clock")
@pytest.mark.parametrize("name", CASES)
def test_the_report_is_the_one_that_was_read_and_found_good(name: str) -> None:
    path = GOLDEN / f"{name}.txt"
    shown = report(CASES[name])
    if WRITE:
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")


def test_there_is_no_file_of_a_report_that_is_gone() -> None:
    assert sorted(path.stem for path in GOLDEN.glob("logs-*.txt")) == sorted(CASES)


@pytest.mark.parametrize("name", CASES)
def test_no_line_is_wider_than_the_terminal(name: str) -> None:
    result = run(*CASES[name], env={"HOME": str(DATA / "home"), "COLUMNS": "80", "TZ": "UTC0"})
    assert max(map(len, result.out.splitlines())) <= 80


def shown(*observations: Observation, width: int = 100, **more: int) -> str:
    found = tally(observations, table=table_for(), origin="http://127.0.0.1:8045")
    files = [LogFile("a.log", "combined", 1, 1, None, None)]
    return render(tally_lines(found, blind_spots(files), width, **more), Terminal(width=width))


def test_what_the_sources_do_not_show_is_said_when_nothing_is_wrong_most_of_all() -> None:
    text = shown(Observation("access-log", "POST", "/v1/messages", 200, 3))
    assert "✓ No wrong request was seen. That is no proof that all is well" in " ".join(text.split())
    assert "What these sources do not show" in text


def test_a_client_that_speaks_tls_to_the_plain_port_is_told_what_to_change() -> None:
    text = " ".join(shown(Observation("access-log", "GET", "/v1/models", 200, 1), tls=2, garbled=1).split())
    assert "3 connections were no HTTP. 2 came from a client that speaks https to the plain http port" in text


def test_files_of_one_folder_are_named_without_it() -> None:
    files = [LogFile(f"/var/log/nginx/access.log.{number}", "combined", 1, 1, None, None) for number in range(12)]
    text = render(reading_lines(files, (), None, 80), Terminal())
    assert text.count("/var/log/nginx") == 1
    assert "access.log.7 " in text
    assert "and 4 more files" in text


def test_requests_that_were_too_many_to_be_told_apart_are_said() -> None:
    found = tally([], table=table_for(), origin="http://127.0.0.1:8045", others=1234)
    said = render(tally_lines(found, (), 100), Terminal(width=100))
    assert f"1,234 not looked at: there were more than {tallying.MOST_PATHS:,} different paths" in said


@pytest.mark.parametrize("place", [log_fast, traffic_database])
def test_the_bound_that_is_told_is_the_one_that_is_kept(place: ModuleType) -> None:
    assert place.MOST_PATHS is tallying.MOST_PATHS


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (None, None, ""),
        (1770109920.0, 1770109920.0, "2026-02-03 09:12"),
        (1770109920.0, 1770113520.0, "2026-02-03 09:12 – 10:12"),
        (1770109920.0, 1770200120.0, "2026-02-03 09:12 – 2026-02-04 10:15"),
        (1e300, 1e300, "?"),
    ],
)
def test_a_span_of_time_says_no_more_than_it_needs(first: float | None, last: float | None, text: str) -> None:
    assert span_text(first, last) == text


@pytest.mark.parametrize("when", [1e300, -1e300, float("inf"), float("nan")])
def test_a_time_that_no_clock_knows_is_no_reason_to_stop_watching(when: float) -> None:
    one = Observation("database", "POST", "/v1/messages", 200, 1, when, when)
    found = explain(one.path, table=table_for(), method=one.method)
    assert render(event_lines(one, found, 100), Terminal()).startswith("  --:--:--  ")


def test_a_time_before_the_machines_calendar_is_told_as_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def windows(_: float) -> time.struct_time:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(time, "localtime", windows)
    assert span_text(-1.0, -1.0) == "?"


def test_right_paths_that_failed_are_not_called_wrong_ones() -> None:
    failed = shown(Observation("access-log", "POST", "/v1/messages", 401, 1))
    assert "The path was right, and the answer was a failure" in failed
    assert "· none was answered well" in failed
    assert "none to a right path" not in failed
    assert "· none to a right path" in shown(Observation("access-log", "POST", "/v1/v1/messages", 404, 1))


@pytest.mark.parametrize(
    ("when", "text"),
    [(1770109920.0, "at its last start (2026-02-03 09:12) the proxy"), (None, "at its last start the proxy")],
)
def test_a_start_that_failed_is_told_with_what_the_proxy_says_of_it(when: float | None, text: str) -> None:
    failed = FailedStart(when, "127.0.0.1:8045", "Address already in use\x1b[31m")
    lines = tally_lines(tally([], table=table_for(), origin="http://127.0.0.1:8045"), (), 300, failed_start=failed)
    assert f"{text} could not listen on 127.0.0.1:8045 (Address already in use\\x1b[31m)" in render(lines, Terminal())


@pytest.mark.parametrize(
    ("number", "text"),
    [(5, "and one more path like it, 1 × (--all shows it)"), (7, "and 3 more paths like it, 3 × in all (--all shows")],
)
def test_paths_that_are_not_shown_are_counted(number: int, text: str) -> None:
    some = [Observation("access-log", "POST", f"/v1/v1/models/m{each}", 404, 1) for each in "abcdefg"[:number]]
    assert text in " ".join(shown(*some).split())


def test_one_group_that_is_not_shown_is_spoken_of_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs_report, "_MOST_GROUPS", 1)
    some = [Observation("access-log", "POST", path, 404, 2) for path in ("/v1/v1/messages", "/chat/completions")]
    assert "and 2 × in one more group (--all shows it)" in shown(*some)


@pytest.mark.parametrize(
    ("unread", "text"),
    [(1, "a.log: one line was one too many"), (3, "a.log: 3 lines were too many or too long to be read one by one")],
)
def test_lines_that_were_not_read_are_counted(unread: int, text: str) -> None:
    files = [LogFile("a.log", "combined", 9, 1, None, None, None, unread)]
    assert text in render(reading_lines(files, (), None, 100), Terminal())


def test_one_file_that_is_not_shown_is_spoken_of_as_one() -> None:
    files = [LogFile(f"a.log.{each}", "combined", 1, 1, None, None) for each in range(9)]
    assert "and one more file" in render(reading_lines(files, (), None, 80), Terminal())


def test_a_database_in_standard_input_is_told_from_other_binary_files() -> None:
    assert skipped_text(NotRead("-", "binary")) == (
        "Not read: standard input, it is no text (a database is read by its name: agdoctor logs proxy_logs.db)."
    )
    assert skipped_text(NotRead("a.log", "binary")) == "Not read: a.log, it is no text."


NASTY = "/v1/v1/\x1b[31mmessages\u202e[bold]"


def test_nothing_raw_of_a_log_reaches_the_terminal() -> None:
    seen = Observation("access-log", "POST", NASTY, 404, 1, agents=(("\x1b]0;title\x07agent\u202e", 1),))
    files = [LogFile("\x1b[2J.log", "combined", 1, 1, None, None, "cut-off", 3)]
    lines = [*reading_lines(files, (), "/home/\x1b[31m", 80), []]
    text = shown(seen) + render(lines, Terminal())
    assert "\\x1b" in text
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)


def test_a_path_as_long_as_a_book_is_cut() -> None:
    text = shown(Observation("access-log", "POST", "/v1/v1/" + "a" * 9000, 404, 1))
    assert max(map(len, text.splitlines())) < 200


def test_every_blind_spot_and_every_problem_has_its_words() -> None:
    phrases = load_json("texts", "en", "logs.json")
    formats = ("proxy", "database", "combined", "gin", "caddy", "quoted", "text")
    spots = {spot for name in formats for spot in blind_spots([LogFile("a", name, 1, 1, None, None)])}
    assert {f"blind-{spot}" for spot in spots} == {key for key in phrases if key.startswith("blind-")} - {"blind-title"}
    assert {f"format-{name}" for name in formats} == {key for key in phrases if key.startswith("format-")}


def test_every_phrase_is_asked_for() -> None:
    phrases = load_json("texts", "en", "logs.json")
    package = ROOT / "antigravity_doctor"
    sources = "".join(
        path.read_text(encoding="utf-8")
        for path in (package / "reports" / "logs.py", package / "cli" / "logs.py", package / "reports" / "logs_json.py")
    )
    prefixes = ("blind-", "format-", "problem-", "why-", "follow-")
    unused = [key for key in phrases if f'"{key}"' not in sources and not key.startswith(prefixes)]
    unused = [key for key in unused if key not in ("harmless", "foreign", "answered")]
    assert unused == []
