"""Watching logs: new lines, the next day's file, a file that was emptied or renamed, rows of the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from antigravity_doctor.diagnosis.tallying import Observation
from antigravity_doctor.sources.log_files import newest_in
from antigravity_doctor.sources.log_following import Event, OnceEach, Rows, Tail
from tests.sources.test_traffic_database import create, insert

LINE = "2026-02-04T02:15:30.000Z  INFO antigravity_tools_lib::proxy::middleware::auth: Request: POST {}\n"


def seen(events: Iterable[Event]) -> list[str]:
    return [each.note or (each.request.path if each.request is not None else "?") for each in events]


def append(path: Path, *paths: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(LINE.format(each) for each in paths))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "app.log.2026-02-04"
    append(path, "/old")
    return path


def test_only_what_comes_from_now_on_is_shown(log: Path) -> None:
    tail = Tail(log)
    assert seen(tail.poll()) == []
    append(log, "/a", "/b")
    assert seen(tail.poll()) == ["/a", "/b"]
    assert seen(tail.poll()) == []


def test_a_line_is_shown_when_it_is_whole(log: Path) -> None:
    tail = Tail(log)
    whole = LINE.format("/a")
    with log.open("a") as file:
        file.write(whole[:60])
    assert seen(tail.poll()) == []
    with log.open("a") as file:
        file.write(whole[60:])
    assert seen(tail.poll()) == ["/a"]


def test_the_next_days_file_is_followed_after_the_last_line_of_this_one(log: Path) -> None:
    tail = Tail(log, lambda: newest_in(log.parent))
    append(log, "/last")
    append(log.with_name("app.log.2026-02-05"), "/first")
    assert seen(tail.poll()) == ["/last", "new-file", "/first"]
    append(log.with_name("app.log.2026-02-05"), "/second")
    assert seen(tail.poll()) == ["/second"]


def test_a_file_that_was_emptied_is_read_from_its_beginning(log: Path) -> None:
    tail = Tail(log)
    log.write_text("")
    append(log, "/a")
    assert seen(tail.poll()) == ["truncated", "/a"]


def test_a_file_that_was_renamed_and_begun_anew_is_followed(log: Path) -> None:
    tail = Tail(log)
    log.rename(log.with_name("app.log.1"))
    assert seen(tail.poll()) == []
    append(log, "/a", "/b", "/c")
    assert seen(tail.poll()) == ["new-file", "/a", "/b", "/c"]


def test_what_is_written_between_the_last_look_and_the_renaming_is_shown(log: Path) -> None:
    tail = Tail(log)
    append(log, "/late")
    log.rename(log.with_name("app.log.1"))
    append(log, "/new")
    assert seen(tail.poll()) == ["/late", "new-file", "/new"]


def test_a_renamed_file_is_read_on_for_a_while(log: Path) -> None:
    clock = [0.0]
    tail = Tail(log, now=lambda: clock[0])
    old = log.with_name("app.log.1")
    log.rename(old)
    append(old, "/not reopened yet".replace(" ", "-"))
    assert seen(tail.poll()) == ["/not-reopened-yet"]
    append(log, "/new")
    assert seen(tail.poll()) == ["new-file", "/new"]
    append(old, "/still-there")
    assert seen(tail.poll()) == ["/still-there"]
    clock[0] = 1000.0
    assert seen(tail.poll()) == []
    append(old, "/nobody-looks")
    assert seen(tail.poll()) == []


def test_what_comes_late_into_yesterdays_file_is_shown(log: Path) -> None:
    tail = Tail(log, lambda: newest_in(log.parent))
    append(log.with_name("app.log.2026-02-05"), "/first")
    assert seen(tail.poll()) == ["new-file", "/first"]
    append(log, "/late")
    assert seen(tail.poll()) == ["/late"]


def test_a_file_that_was_emptied_and_has_grown_beyond_its_size_is_read_from_its_beginning(log: Path) -> None:
    tail = Tail(log)
    log.write_text("")
    append(log, "/a", "/b", "/c")
    assert seen(tail.poll()) == ["truncated", "/a", "/b", "/c"]


def test_a_log_that_is_not_there_yet_is_waited_for(log: Path) -> None:
    tail = Tail(log.with_name("app.log.2026-02-05"))
    assert not tail.is_there
    assert seen(tail.poll()) == []
    append(tail.path, "/a")
    assert seen(tail.poll()) == ["new-file", "/a"]
    assert tail.is_there


def test_new_rows_are_shown_and_old_ones_are_not(tmp_path: Path) -> None:
    path = tmp_path / "proxy_logs.db"
    create(path)
    rows = Rows(path)
    assert seen(rows.poll()) == []
    with closing(sqlite3.connect(path)) as connection:
        insert(connection, [(f"n{number}", 1, "GET", f"/{number}?key=x", 404) for number in range(700)])
        assert len(seen(rows.poll())) == 700
        connection.execute("DELETE FROM request_logs")
        insert(connection, [("again", 1, "GET", "/again", 404)])
        assert seen(rows.poll()) == ["/again"]


def test_a_database_that_is_made_later_is_shown_from_its_first_row_on(tmp_path: Path) -> None:
    rows = Rows(tmp_path / "proxy_logs.db")
    assert not rows.is_there
    assert seen(rows.poll()) == []
    create(tmp_path / "proxy_logs.db")
    assert rows.is_there
    assert len(seen(rows.poll())) == 4
    assert seen(rows.poll()) == []


def test_a_request_that_only_the_monitor_and_a_span_speak_of_is_shown_once() -> None:
    once = OnceEach()
    shown = [once.is_new(Observation(kind, "POST", "/a", None, 1)) for kind in ("monitor", "span", "span", "monitor")]
    assert shown == [True, False, True, True]


def test_a_request_is_shown_once_however_many_sources_speak_of_it() -> None:
    once = OnceEach()
    kinds = ["proxy-log", "monitor", "database", "proxy-log", "proxy-log", "database", "database", "database"]
    shown = [once.is_new(Observation(kind, "POST", "/a", None, 1)) for kind in kinds]
    assert shown == [True, False, False, True, True, False, False, True]
    assert once.is_new(Observation("database", "POST", "/b", 404, 1)), "the log does not speak of it"
    assert once.is_new(Observation("access-log", "POST", "/a", 404, 1))
