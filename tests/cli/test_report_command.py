"""`agdoctor report`: what is attached to an issue, and what is not in it."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from antigravity_doctor.diagnosis.proxy_model import ServerConfig
from antigravity_doctor.servers.stand_in import run_in_thread
from tests.support import gui_config
from tests.support.settings_home import Home, claude

KEY = "sk-planted-0123456789abcdef"
LOG = "2026-02-04T10:15:30.123456789+08:00  INFO antigravity_tools_lib::proxy::middleware::auth: Request: {}\n"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    folder = tmp_path / "zebulon"  # the home folder is named like its user
    folder.mkdir()
    return Home(folder)


def private(home: Home, port: int) -> dict[str, str]:
    """Settings, logs and variables that are full of what nobody should publish; the environment for the run."""
    settings = {"proxy": {"port": port, "api_key": KEY, "auth_mode": "strict", "allow_lan_access": False}}
    home.put({
        ".claude/settings.json": claude(f"http://127.0.0.1:{port}/v1", token=KEY),
        ".antigravity_tools/gui_config.json": json.dumps(settings),
        ".antigravity_tools/logs/app.log.2026-02-04": LOG.format("POST /v1/v1/messages") * 3
        + LOG.format(f"POST /v1/messages?key={KEY}") + LOG.format("GET /home/zebulon/secret.txt"),
    })  # fmt: skip
    return {"USER": "zebulon", "AGDOCTOR_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY}


def test_it_has_every_part(home: Home) -> None:
    with run_in_thread(ServerConfig("4.5.8", auth="strict", api_key=KEY)) as running:
        env = private(home, running.port)
        ended = home.run("report", "--client", "claude-code", env=env)
    assert ended.code == 0
    for part in ("# agdoctor report", "| agdoctor | `0.1.0` |", "version 4.5.8", "auth_mode strict", "key set",
                 "| Client in question | `Claude Code` |", "## Check of the proxy", "## Settings of clients",
                 "AGD510", "## What the proxy's logs say", "3 ×"):  # fmt: skip
        assert part in ended.out, part


def test_nothing_private_is_in_it(home: Home) -> None:
    with run_in_thread(ServerConfig("4.5.8", auth="strict", api_key=KEY)) as running:
        env = private(home, running.port)
        ended = home.run("report", "--zip", "r.zip", "--out", "r.md", env=env)
    archive = zipfile.ZipFile(io.BytesIO(home.read("r.zip")))
    texts = [ended.all, home.read("r.md").decode(), *(archive.read(name).decode() for name in archive.namelist())]
    for text in texts:
        assert KEY not in text
        assert "planted" not in text
        assert "zebulon" not in text.lower()
        assert str(home.folder) not in text


def test_the_file_and_the_archive_hold_what_was_shown(home: Home) -> None:
    ended = home.run("report", "--no-logs", "--zip", "r.zip", "--out", "r.md", "--port", "1")
    assert home.read("r.md").decode() == ended.out
    archive = zipfile.ZipFile(io.BytesIO(home.read("r.zip")))
    assert archive.namelist() == ["report.md", "check.txt", "scan.txt"]
    assert archive.read("report.md").decode() == ended.out
    for name in ("check.txt", "scan.txt"):
        assert archive.read(name).decode().strip("\n") in ended.out
    assert {each.date_time for each in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("option", ["--out", "--zip"])
def test_a_file_that_exists_is_not_overwritten(home: Home, option: str) -> None:
    home.put({"r": "mine"})
    ended = home.run("report", option, "r")
    assert ended.code == 2
    assert ended.out == ""
    assert "exists already" in ended.err
    assert home.read("r") == b"mine"


def test_a_place_that_cannot_be_written_is_said(home: Home) -> None:
    ended = home.run("report", "--no-logs", "--out", "no/such/folder/r.md", "--port", "1")
    assert ended.code == 2
    assert "cannot be written" in ended.err


@pytest.mark.parametrize("option", ["--out", "--zip"])
@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(36, "File name too long")])
def test_a_place_that_cannot_even_be_looked_at_is_said_before_anything_is_done(
    home: Home, monkeypatch: pytest.MonkeyPatch, option: str, error: OSError
) -> None:
    really = Path.lstat

    def lstat(self: Path) -> object:
        if self.name == "r.md":
            raise error
        return really(self)

    monkeypatch.setattr(Path, "lstat", lstat)
    ended = home.run("report", option, "closed/r.md")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"agdoctor: 'closed/r.md' cannot be written ({error.strerror}): give another place.\n"


def test_a_link_that_leads_nowhere_is_not_written_through(home: Home) -> None:
    (home.folder / "r").symlink_to(home.folder / "elsewhere")
    ended = home.run("report", "--out", "r")
    assert ended.code == 2
    assert "exists already" in ended.err


def test_logs_that_may_not_be_read_do_not_end_the_report(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def own_seen(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/home/zebulon/.antigravity_tools/logs")

    monkeypatch.setattr("antigravity_doctor.cli.logs.own_seen", own_seen)
    ended = home.run("report", "--port", "1")
    assert ended.code == 0
    assert "The proxy's logs cannot be read by this user." in ended.out


def test_a_folder_of_logs_that_is_closed_is_not_called_missing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def scandir(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("antigravity_doctor.cli.logs.own_seen", lambda *_: None)
    monkeypatch.setattr("antigravity_doctor.cli.report.os.scandir", scandir)
    assert "The proxy's logs cannot be read by this user." in home.run("report", "--port", "1").out


def test_the_key_of_the_variable_is_used_as_check_does(home: Home) -> None:
    with run_in_thread(ServerConfig("4.5.8", auth="strict", api_key=KEY)) as running:
        good = home.run("report", "--no-logs", "--port", str(running.port), env={"AGDOCTOR_API_KEY": KEY})
        none = home.run("report", "--no-logs", "--port", str(running.port))
    assert "accepted (AGDOCTOR_API_KEY)" in good.out
    assert KEY not in good.all
    assert "a key is wanted, and none was given" in none.out


def test_a_variable_that_no_header_can_carry_is_bad_input(home: Home) -> None:
    ended = home.run("report", "--no-logs", "--port", "1", env={"AGDOCTOR_API_KEY": "sk-\x07"})
    assert ended.code == 2
    assert "no header can carry" in ended.err


def test_where_the_port_is_from_is_in_the_report(home: Home) -> None:
    home.put({".antigravity_tools/gui_config.json": gui_config.text(port=9123, auth_mode="Off")})
    out = home.run("report", "--no-logs").out
    assert "| Proxy | `http://127.0.0.1:9123 (from gui_config.json), version not known` |" in out
    assert "auth_mode Off, LAN access not said, key set; does not load" in out


def test_without_logs_that_is_said(home: Home) -> None:
    assert "This machine has no logs of the proxy." in home.run("report", "--port", "1").out
    assert "Left out (`--no-logs`)." in home.run("report", "--no-logs", "--port", "1").out


def test_backticks_in_a_setting_do_not_end_the_block(home: Home) -> None:
    home.put({".claude/settings.json": claude("http://127.0.0.1:8045/```/x")})
    out = home.run("report", "--no-logs", "--port", "8045").out
    block = out[out.index("## Settings of clients") :]
    fence = block[block.index("\n`") + 1 :].partition("text\n")[0]
    assert fence == "````"
    assert block.count(f"\n{fence}\n") == 1


@pytest.mark.parametrize("settings", ["{", '{"proxy": {}}', "[]"])
def test_settings_of_the_proxy_that_say_nothing_do_no_harm(home: Home, settings: str) -> None:
    home.put({".antigravity_tools/gui_config.json": settings})
    assert "Its settings file here" in home.run("report", "--no-logs", "--port", "1").out
