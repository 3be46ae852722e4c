"""The proxy's traffic database of every era, read while the proxy writes it, and never written.

Facts: proxy-config-and-logs.md, section 5.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path

import pytest

from antigravity_doctor.sources import traffic_database
from antigravity_doctor.sources.traffic_database import last_row, read_traffic, rows_after

FIRST = (
    "id TEXT PRIMARY KEY, timestamp INTEGER, method TEXT, url TEXT, status INTEGER, duration INTEGER, model TEXT, "
    "error TEXT, request_body TEXT, response_body TEXT, input_tokens INTEGER, output_tokens INTEGER"
)
ERAS: dict[str, tuple[str, ...]] = {
    "3.3.8": (),
    "3.3.16": ("account_email TEXT", "mapped_model TEXT"),
    "3.3.42": ("account_email TEXT", "mapped_model TEXT", "protocol TEXT"),
    "4.0.10": ("account_email TEXT", "mapped_model TEXT", "protocol TEXT", "client_ip TEXT"),
    "4.1.0": ("account_email TEXT", "mapped_model TEXT", "protocol TEXT", "client_ip TEXT", "username TEXT"),
    "4.3.4": (
        "account_email TEXT", "mapped_model TEXT", "protocol TEXT", "client_ip TEXT", "username TEXT",
        "cached_tokens INTEGER",
    ),
}  # fmt: skip
"""Version -> the columns that had been added by then."""

NOON = 1770120000  # 2026-02-03T12:00:00Z
ROWS = [
    ("a", NOON * 1000, "POST", "/v1/v1/messages?beta=true", 404),
    ("b", NOON * 1000 + 1000, "POST", "/v1/v1/messages?key=sk-planted-0123456789", 404),
    ("c", NOON * 1000 + 2000, "POST", "/v1/messages", 200),
    ("d", NOON * 1000 + 3000, "POST", "/v1/messages", 429),
]


def create(path: Path, era: str = "4.3.4", *, wal: bool = True) -> None:
    with closing(sqlite3.connect(path)) as connection:
        if wal:
            connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"CREATE TABLE request_logs ({FIRST})")
        for column in ERAS[era]:
            connection.execute(f"ALTER TABLE request_logs ADD COLUMN {column}")
        insert(connection, ROWS)


def insert(connection: sqlite3.Connection, rows: list[tuple[str, int, str, str, int]]) -> None:
    connection.executemany(
        "INSERT INTO request_logs (id, timestamp, method, url, status, request_body, response_body)"
        " VALUES (?, ?, ?, ?, ?, 'SECRET request', 'SECRET answer')",
        rows,
    )
    connection.commit()


@pytest.mark.parametrize("wal", [True, False], ids=["wal", "no wal"])
@pytest.mark.parametrize("era", ERAS)
def test_every_era_is_counted_by_method_path_and_status(tmp_path: Path, era: str, wal: bool) -> None:
    path = tmp_path / "proxy_logs.db"
    create(path, era, wal=wal)
    found = read_traffic(path)
    assert found.problem is None
    assert (found.requests, found.others) == (4, 0)
    assert sorted(found.traffic) == [
        ("POST", "/v1/messages", 200, 1, NOON + 2, NOON + 2),
        ("POST", "/v1/messages", 429, 1, NOON + 3, NOON + 3),
        ("POST", "/v1/v1/messages", 404, 2, NOON, NOON + 1),
    ]


def test_bodies_and_queries_never_leave_the_file(tmp_path: Path) -> None:
    create(tmp_path / "proxy_logs.db")
    said = repr(read_traffic(tmp_path / "proxy_logs.db")) + repr(rows_after(tmp_path / "proxy_logs.db", 0))
    assert "SECRET" not in said
    assert "planted" not in said
    assert "?" not in said


def test_only_what_is_newer_counts(tmp_path: Path) -> None:
    create(tmp_path / "proxy_logs.db")
    found = read_traffic(tmp_path / "proxy_logs.db", NOON + 2)
    assert found.requests == 2
    assert {each.path for each in found.traffic} == {"/v1/messages"}


@pytest.mark.parametrize("wal", [True, False], ids=["wal", "no wal"])
def test_reading_leaves_nothing_in_the_folder(tmp_path: Path, wal: bool) -> None:
    path = tmp_path / "proxy_logs.db"
    create(path, wal=wal)
    before = path.read_bytes()
    read_traffic(path)
    assert [each.name for each in tmp_path.iterdir()] == ["proxy_logs.db"]
    assert path.read_bytes() == before


WRITER = """
    import sqlite3, sys, time
    connection = sqlite3.connect(sys.argv[1])
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    number = 0
    while True:
        connection.execute(
            "INSERT INTO request_logs (id, timestamp, method, url, status) VALUES (?, ?, 'GET', '/models', 404)",
            (f"live-{number}", 1770130000000 + number),
        )
        connection.commit()
        number += 1
        if number == 50:
            print("ready", flush=True)
        time.sleep(0.001)
"""


def test_a_proxy_that_is_writing_is_read_with_what_is_only_in_its_wal(tmp_path: Path) -> None:
    path = tmp_path / "proxy_logs.db"
    create(path)
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), str(path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        seen = [read_traffic(path) for _ in range(5)]
        mark = last_row(path)
        assert mark is not None
        new = rows_after(path, mark - 10)
    finally:
        writer.kill()
        writer.wait()
        if writer.stdout is not None:
            writer.stdout.close()
    live = [next(each.times for each in found.traffic if each.path == "/models") for found in seen]
    assert all(found.problem is None for found in seen)
    assert live[0] >= 50
    assert live == sorted(live)
    assert len(new) >= 10
    assert {(each.method, each.path, each.status) for each in new} == {("GET", "/models", 404)}


@pytest.mark.skipif(os.name == "nt", reason="permissions of folders")
@pytest.mark.parametrize("wal", [True, False], ids=["wal", "no wal"])
def test_a_folder_that_may_not_be_written_is_read(tmp_path: Path, wal: bool) -> None:
    path = tmp_path / "proxy_logs.db"
    create(path, wal=wal)
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        assert read_traffic(path).requests == 4
    finally:
        tmp_path.chmod(0o755)


def test_a_locked_database_is_said_to_be_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic_database, "_BUSY_SECONDS", 0.05)
    path = tmp_path / "proxy_logs.db"
    create(path, wal=False)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert read_traffic(path).problem == "locked"
        assert rows_after(path, 0) == []
        assert last_row(path) is None


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda path: sqlite3.connect(path).execute("CREATE TABLE other (a)").connection.close(), "not-the-proxys"),
        (
            lambda path: sqlite3.connect(path).execute("CREATE TABLE request_logs (a)").connection.close(),
            "not-the-proxys",
        ),
        (lambda path: path.write_bytes(b"SQLite format 3\0" + b"x" * 5000), "broken"),
        (lambda path: None, "denied"),
    ],
    ids=["another table", "other columns", "broken", "not there"],
)
def test_what_is_no_traffic_database_is_said(tmp_path: Path, make: object, problem: str) -> None:
    path = tmp_path / "proxy_logs.db"
    assert callable(make)
    make(path)
    assert read_traffic(path).problem in (problem, "broken" if problem == "denied" else problem)


def test_odd_values_are_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "proxy_logs.db"
    create(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO request_logs (id, timestamp, method, url, status) VALUES ('n', 5, NULL, '', NULL)"
        )
        connection.execute(
            "INSERT INTO request_logs (id, timestamp, method, url, status) VALUES ('m', 'x', 'get', ?, 'y')",
            (b"\xff\xfe" * 3000,),
        )
        connection.execute(
            "INSERT INTO request_logs (id, timestamp, method, url, status)"
            " VALUES ('u', 6, 'GET', 'http://h:1/v1/models?x', 99999)"
        )
        connection.commit()
    found = read_traffic(path)
    assert found.problem is None
    assert found.requests == 7
    assert ("GET", "/v1/models", None, 1, 0.006, 0.006) in found.traffic
    assert max(len(each.path) for each in found.traffic) <= 1025


def test_more_different_paths_than_are_kept_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "proxy_logs.db"
    create(path)
    with closing(sqlite3.connect(path)) as connection:
        insert(connection, [(f"x{number}", NOON * 1000, "GET", f"/scan/{number}", 404) for number in range(20_010)])
    found = read_traffic(path)
    assert len(found.traffic) == 20_000
    assert found.others == found.requests - sum(each.times for each in found.traffic) > 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_in_the_place_of_the_database_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "proxy_logs.db"
    os.mkfifo(path)
    assert read_traffic(path).problem == "not-the-proxys"
    assert last_row(path) is None
    assert rows_after(path, 0) == []
