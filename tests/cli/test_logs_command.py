"""`agdoctor logs` as it is typed: what it finds by itself, what it refuses, how it ends, and how it watches."""

from __future__ import annotations

import errno
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from antigravity_doctor.cli import logs as logs_command
from antigravity_doctor.cli.errors import BadInputError
from antigravity_doctor.cli.logs import since_of
from antigravity_doctor.knowledge.routes import table_for
from antigravity_doctor.reports.logs import summary_texts
from tests.cli.test_hostile_text import NASTY, assert_tame
from tests.sources.test_traffic_database import create
from tests.support.cli import Result, run
from tests.support.schemas import assert_valid, validator

DATA = Path(__file__).parents[1] / "data" / "logs"
HOME = {"HOME": str(DATA / "home"), "USERPROFILE": str(DATA / "home")}
KEY = "sk-planted-0123456789abcdef"
WRONG = '10.0.0.1 - - [04/Feb/2026:02:15:30 +0000] "POST /v1/v1/messages HTTP/1.1" 404 0 "-" "node"\n'
RIGHT = '10.0.0.1 - - [04/Feb/2026:02:15:30 +0000] "POST /v1/messages HTTP/1.1" 200 9 "-" "node"\n'

posix = pytest.mark.skipif(os.name == "nt", reason="signals are needed")


def document(*argv: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> dict[str, Any]:
    result = run("logs", *argv, "--json", stdin=stdin, env=env)
    found: dict[str, Any] = json.loads(result.out)
    assert_valid(found)
    assert found["exit_code"] == result.code
    return found


# --- what it finds by itself -----------------------------------------------------------------------------------------


def test_without_arguments_the_proxys_own_logs_are_read() -> None:
    found = document(env=HOME)
    assert [each["name"] for each in found["files"]] == ["app.log.2026-02-03", "app.log.2026-02-04"]
    assert [(each["code"], each["count"]) for each in found["wrong"]] == [("AGD301", 8)]
    assert found["folder"] == str(Path("~") / ".antigravity_tools")
    assert found["exit_code"] == 1


def test_log_and_database_speak_of_the_same_requests(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "logs").mkdir(parents=True)
    line = "2026-02-03T12:00:0{}Z  INFO x::auth: Request: POST /v1/v1/messages\n"
    (folder / "logs" / "app.log.2026-02-03").write_text("".join(line.format(each) for each in range(3)))
    create(folder / "proxy_logs.db")
    found = document(env={"ABV_DATA_DIR": str(folder)})
    (group,) = found["wrong"]
    assert group["count"] == 3
    assert group["requests"][0]["statuses"] == [{"status": 404, "count": 2}, {"status": None, "count": 1}]
    assert group["requests"][0]["seen_in"] == ["proxy-log", "database"]


def test_fixes_have_the_port_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "app.log").write_text("2026-02-03T12:00:00Z  INFO x::auth: Request: POST /v1/v1/messages\n")
    (tmp_path / "gui_config.json").write_text('{"proxy":{"port":9123}}')
    environment = {"ABV_DATA_DIR": str(tmp_path)}
    assert document(env=environment)["target"]["origin"] == "http://127.0.0.1:9123"
    assert document("--port", "8046", env=environment)["target"]["origin"] == "http://127.0.0.1:8046"


def test_without_any_logs_it_says_where_they_would_be_and_what_to_do(tmp_path: Path) -> None:
    result = run("logs", env={"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)})
    assert result.code == 2
    assert str(tmp_path / ".antigravity_tools") in result.err
    assert "docker logs CONTAINER 2>&1 | agdoctor logs -" in result.err


def test_other_commands_get_the_same_without_any_output(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in HOME.items():
        monkeypatch.setenv(name, value)
    seen = logs_command.own_seen(table_for(), "http://127.0.0.1:8045")
    assert seen is not None
    texts = summary_texts(seen.tally)
    assert texts[0].startswith("19 requests, 2026-02-03")
    assert texts[1].startswith("8 × AGD301 Two version prefixes stand one after another in the path: POST /v1/v1/chat")
    assert texts[1].endswith(" → http://127.0.0.1:8045")
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.setenv("USERPROFILE", "/nonexistent")
    assert logs_command.own_seen(table_for(), "http://127.0.0.1:8045") is None


# --- how it ends -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [(WRONG, 1), (RIGHT, 0), (RIGHT.replace("200", "429"), 0), (RIGHT.replace("200", "401"), 1), ("nothing\n", 0)],
    ids=["wrong", "right", "the upstream's fault", "no key", "no request"],
)
def test_the_exit_code_says_whether_a_setting_is_wrong(text: str, code: int) -> None:
    assert run("logs", "-", stdin=text.encode()).code == code


def test_a_named_file_that_cannot_be_read_is_bad_input_whatever_the_others_say(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(RIGHT)
    result = run("logs", str(tmp_path / "a.log"), str(tmp_path / "nowhere.log"))
    assert result.code == 2
    assert "nowhere.log, there is no such file" in " ".join(result.out.split())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty."),
        (b"\x7fELF\0", "it is no text"),
        (b"SQLite format 3\0", "a database is read by its name"),
        (b"PK\x03\x04", "it is a zip archive: unpack it first."),
    ],
)
def test_standard_input_that_is_no_text_is_bad_input(content: bytes, said: str) -> None:
    result = run("logs", "-", stdin=content)
    assert result.code == 2
    assert said in result.err
    assert result.out == ""


def test_a_packed_log_is_piped_in() -> None:
    assert document("-", stdin=gzip.compress(WRONG.encode() * 3))["wrong"][0]["count"] == 3


def test_a_database_that_cannot_be_read_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "proxy_logs.db").write_bytes(b"SQLite format 3\0" + b"x" * 4000)
    result = run("logs", str(tmp_path / "proxy_logs.db"))
    assert result.code == 2
    assert "the database is damaged" in result.out


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["/nowhere/at/all.log"], "there is no such file"),
        (["-"], "Not read: standard input, it is empty."),
        (["--follow", "/nowhere/at/all.log"], "there is no such file"),
        (["-", "-"], "Standard input can be read only once"),
        ([""], "An empty name was given"),
        (["-", "--since", "soon"], "is no time"),
        (["-", "--since", "2026-02-31x"], "is no time"),
        (["-", "--format", "xml"], "There is no format"),
        (["-", "--format", "jsonl"], "jsonl is for --follow"),
        (["--follow", "--format", "json"], "jsonl is for --follow"),
        (["--follow", "--since", "2h"], "leave out --since"),
        (["--follow", "-"], "There is nothing to watch"),
        (["-", "--base-url", "ftp://x"], "--base-url"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else None,
)
def test_bad_input_ends_in_one_sentence(argv: list[str], said: str) -> None:
    result = run("logs", *argv)
    assert result.code == 2
    assert said in result.err
    assert result.out == ""
    assert "Traceback" not in result.err


NOW = 1770171330.0


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2h", NOW - 7200),
        ("30m", NOW - 1800),
        ("45 s", NOW - 45),
        ("3 days", NOW - 3 * 86_400),
        ("1w", NOW - 7 * 86_400),
        ("2026-02-03T09:00:00Z", 1770109200.0),
        ("2026-02-03T09:00:00+01:00", 1770105600.0),
    ],
)
def test_since_is_a_time_or_a_stretch_of_time(text: str, when: float) -> None:
    assert since_of(text, NOW) == when


@pytest.mark.parametrize("text", ["2026-02-03", "2026-02-03 09:00", "2026-02-03T09:00:00"])
def test_since_without_a_zone_is_local_time(text: str) -> None:
    moment = time.strptime(text.replace("T", " ").ljust(16, "_").replace("_" * 6, " 00:00")[:16], "%Y-%m-%d %H:%M")
    assert since_of(text, NOW) == time.mktime(moment)


@pytest.mark.parametrize("text", ["", "h", "2x", "-2h", "1970", "9" * 400, "2026-02-30T99:00:00"])
def test_since_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        since_of(text, NOW)


def test_only_what_is_newer_counts() -> None:
    old = WRONG.replace("04/Feb", "03/Feb") * 3
    assert document("-", "--since", "2026-02-04T00:00:00Z", stdin=(old + WRONG).encode())["wrong"][0]["count"] == 1


def test_a_log_in_which_nothing_is_new_enough_is_not_said_to_be_empty() -> None:
    result = run("logs", "-", "--since", "2026-02-05", stdin=WRONG.encode())
    assert result.code == 0
    assert "nothing that new" in result.out


# --- what it says ----------------------------------------------------------------------------------------------------


def test_packed_logs_of_a_folder_are_read(tmp_path: Path) -> None:
    (tmp_path / "access.log.2.gz").write_bytes(gzip.compress(WRONG.encode() * 4))
    (tmp_path / "access.log").write_text(WRONG)
    assert document(str(tmp_path))["wrong"][0]["count"] == 5


def test_all_shows_every_path() -> None:
    paths = [f"/v1/v1/{name}" for name in ("messages", "chat/completions", "responses", "models", "completions")]
    text = "".join(WRONG.replace("/v1/v1/messages", path) for path in paths).encode()
    assert "and one more path like it, 1 × (--all shows it)" in run("logs", "-", stdin=text).out
    everything = run("logs", "-", "--all", stdin=text).out
    assert "--all" not in everything
    assert all(path in everything for path in paths)


def test_the_base_url_in_use_makes_the_answer_exact() -> None:
    found = document(
        "-", "--base-url", "http://127.0.0.1:8045/v1/v1", stdin=WRONG.replace("messages", "models").encode()
    )
    assert found["wrong"][0]["fixes"][0]["configured_base_url"] == "http://127.0.0.1:8045/v1/v1"


def test_the_version_decides_what_is_a_route() -> None:
    text = WRONG.replace("/v1/v1/messages", "/responses").encode()
    assert document("-", stdin=text)["wrong"] == []
    assert document("-", "--proxy-version", "4.0.0", stdin=text)["wrong"][0]["count"] == 1


@pytest.mark.parametrize("argv", [[], ["--all"], ["--json"], ["--json", "--all"]], ids=" ".join)
def test_keys_and_queries_are_never_shown(argv: list[str]) -> None:
    text = (
        WRONG.replace("/v1/v1/messages", f"/v1/v1/messages?key={KEY}&private=words")
        + WRONG.replace("/v1/v1/messages", f"/v1/{KEY}/messages")
        + WRONG.replace('"node"', f'"node {KEY}"')
        + f"2026-02-03T12:00:00Z  INFO x: 🔑 Current API Key: {KEY}\n"
    )
    result = run("logs", "-", *argv, stdin=text.encode())
    assert result.code == 1
    assert KEY not in result.all
    assert "private" not in result.all


@pytest.mark.parametrize("argv", [[], ["--all"], ["--json"]], ids=" ".join)
def test_the_proxys_own_key_is_never_shown_whatever_it_looks_like(argv: list[str], tmp_path: Path) -> None:
    own = "my-own-words"
    (tmp_path / "gui_config.json").write_text(f'{{"proxy":{{"port":8045,"api_key":"{own}"}}}}')
    text = WRONG.replace("/v1/v1/messages", f"/v1/models/{own}").replace('"node"', f'"node {own}"') + WRONG
    result = run("logs", "-", *argv, stdin=text.encode(), env={"ABV_DATA_DIR": str(tmp_path)})
    assert result.code == 1
    assert own not in result.all
    assert "/v1/models/***" in result.out


def test_a_key_that_is_a_word_of_the_proxys_paths_hides_none_of_them(tmp_path: Path) -> None:
    (tmp_path / "gui_config.json").write_text('{"proxy":{"port":8045,"api_key":"messages"}}')
    result = run("logs", "-", stdin=WRONG.encode(), env={"ABV_DATA_DIR": str(tmp_path)})
    assert "POST /v1/v1/messages" in result.out


@pytest.mark.parametrize("nasty", NASTY)
def test_nothing_raw_of_a_log_reaches_the_terminal(nasty: str) -> None:
    text = WRONG.replace("/v1/v1/messages", "/v1/v1/messages" + nasty.replace("\n", "")).replace("node", nasty)
    result = run("logs", "-", "--all", stdin=text.encode("utf-8", "surrogatepass"))
    assert_tame(result)


def test_a_progress_bar_is_shown_on_a_terminal_and_gone_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs_command, "_BAR_FROM", 1000)
    path = tmp_path / "access.log"
    path.write_text(WRONG * 20_000)
    shown = run("logs", str(path), err_tty=True)
    assert "reading" in shown.err
    assert shown.err.endswith("\r" + " " * 60 + "\r")
    assert run("logs", str(path)).err == ""


# --- watching --------------------------------------------------------------------------------------------------------


class Following:
    """A running `agdoctor logs --follow`."""

    def __init__(self, *argv: str, env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "antigravity_doctor", "logs", "--follow", *argv],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **env, "NO_COLOR": "1", "COLUMNS": "120", "TZ": "UTC0"},
        )
        assert self.process.stderr is not None
        assert self.process.stdout is not None
        self.started = self.process.stderr.readline()
        self.out = self.process.stdout

    def end(self) -> Result:
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=20)
        return Result(self.process.returncode, out, err)


@contextmanager
def following(*argv: str, env: dict[str, str]) -> Iterator[Following]:
    running = Following(*argv, env=env)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()
        for stream in (running.process.stdout, running.process.stderr):
            if stream is not None:
                stream.close()


@posix
def test_a_row_is_shown_for_each_request_as_it_comes(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "app.log.2026-02-04"
    line = "2026-02-04T12:00:00Z  INFO x::auth: Request: POST {}\n"
    log.write_text(line.format("/old"))
    with following(env={"ABV_DATA_DIR": str(tmp_path)}) as watch:
        assert "Watching app.log.2026-02-04. Ctrl-C ends." in watch.started
        with log.open("a") as file:
            file.write(line.format("/v1/v1/messages?key=" + KEY))
        assert watch.out.readline() == (
            "  12:00:00  ✗ ---  POST /v1/v1/messages  AGD301 duplicate-version-prefix → http://127.0.0.1:8045\n"
        )
        (tmp_path / "logs" / "app.log.2026-02-05").write_text(line.format("/v1/messages"))
        assert watch.out.readline() == "  12:00:00  ✓ ---  POST /v1/messages  Anthropic\n"
        ended = watch.end()
    assert ended.code == 1
    assert "now app.log.2026-02-05" in ended.err


@posix
def test_a_program_gets_a_line_of_json_a_request(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(WRONG)
    with following(str(log), "--format", "jsonl", env={}) as watch:
        with log.open("a") as file:
            file.write(RIGHT + WRONG)
        found = [json.loads(watch.out.readline()) for _ in range(2)]
        assert watch.end().code == 1
    for each in found:
        assert not list(validator("logs-request").iter_errors(each))
    assert [each["verdict"] for each in found] == ["routed", "misrouted"]
    assert found[1]["user_agent"] == "node"
    assert found[1]["at"] == "2026-02-04T02:15:30+00:00"


@posix
def test_a_key_in_a_path_is_judged_as_a_model_and_shown_as_a_mask(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(WRONG)
    with following(str(log), env={}) as watch:
        with log.open("a") as file:
            file.write(WRONG.replace("POST /v1/v1/messages", f"GET /v1/models/{KEY}"))
        row = watch.out.readline()
        watch.end()
    assert "GET /v1/models/***  AGD402" in row


@posix
def test_a_pipe_beside_the_logs_is_not_followed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "proxy_logs.db")
    os.mkfifo(tmp_path / "access.log")
    result = run("logs", "--follow", str(tmp_path))
    assert result.code == 2


@posix
def test_a_database_that_is_made_later_is_watched(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "app.log.2026-02-04").touch()
    with following(env={"ABV_DATA_DIR": str(tmp_path)}) as watch:
        assert "Watching app.log.2026-02-04. Ctrl-C ends." in watch.started
        create(tmp_path / "new.db")
        (tmp_path / "new.db").rename(tmp_path / "proxy_logs.db")
        assert "POST /v1/v1/messages" in watch.out.readline()
        watch.end()


@posix
def test_a_log_that_is_made_later_is_watched_beside_the_database(tmp_path: Path) -> None:
    create(tmp_path / "proxy_logs.db")
    with following(env={"ABV_DATA_DIR": str(tmp_path)}) as watch:
        assert "Watching proxy_logs.db. Ctrl-C ends." in watch.started
        (tmp_path / "logs").mkdir()
        (tmp_path / "logs" / "app.log.2026-02-04").write_text(
            "2026-02-04T12:00:00Z  INFO x: Request: POST /v1/v1/models\n"
        )
        assert "POST /v1/v1/models" in watch.out.readline()
        watch.end()


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"\x7fELF\0", "it is no text"), (gzip.compress(b"x"), "nothing to watch")],
    ids=["a program", "an archive"],
)
def test_what_cannot_be_read_is_not_watched(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "a.log").write_bytes(content)
    result = run("logs", "--follow", str(tmp_path / "a.log"))
    assert result.code == 2
    assert why in result.err


def _unless(call: Callable[..., Any], folder: str, whole: bool, place: object, *rest: Any, **options: Any) -> Any:
    """A call of the system that is refused inside of a folder, and for the folder itself if it is `whole`."""
    if str(place).startswith(folder + os.sep) or (whole and str(place) == folder):
        raise PermissionError(errno.EACCES, "Permission denied", str(place))
    return call(place, *rest, **options)


@pytest.mark.parametrize("follow", [[], ["--follow"]], ids=["", "follow"])
@pytest.mark.parametrize("name", ["nd/access.log", "nd"])
def test_a_folder_that_may_not_be_entered_is_bad_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, follow: list[str]
) -> None:
    (tmp_path / "nd").mkdir()
    for each in ("stat", "scandir"):
        call = getattr(os, each)
        monkeypatch.setattr(os, each, partial(_unless, call, str(tmp_path / "nd"), each == "scandir"))
    result = run("logs", *follow, str(tmp_path / name))
    assert result.code == 2
    assert f"Not read: {tmp_path / name}, it may not be read (permissions)." in result.err


@posix
def test_watching_ends_well_where_nothing_was_wrong(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(WRONG)
    with following(str(log), env={}) as watch:
        assert watch.end().code == 0


def test_there_is_nothing_to_watch_without_logs(tmp_path: Path) -> None:
    result = run("logs", "--follow", env={"ABV_DATA_DIR": str(tmp_path)})
    assert result.code == 2
    assert "no logs of the proxy" in result.err
