"""Where the proxy is, for a command that was not told: the proxy's own settings file, with its source said."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.settings_home import Home

SETTINGS = ".antigravity_tools/gui_config.json"


def at_home(tmp_path: Path, settings: str) -> Home:
    home = Home(tmp_path)
    home.put({SETTINGS: settings})
    return home


@pytest.mark.parametrize(
    "argv",
    [
        ("explain-path", "/v1/v1/messages"),
        ("recommend", "--client", "claude-code"),
        ("clients", "--search", "claude-code"),
        ("check", "--timeout", "0.2"),
        ("scan", "--offline"),
        ("report", "--no-logs"),
    ],
    ids=lambda argv: argv[0],
)
def test_the_port_is_that_of_the_settings_file(tmp_path: Path, argv: tuple[str, ...]) -> None:
    ended = at_home(tmp_path, '{"proxy": {"port": 9123}}').run(*argv)
    assert "127.0.0.1:9123" in ended.out
    assert "127.0.0.1:8045" not in ended.out
    assert "gui_config.json" in ended.all


@pytest.mark.parametrize("argv", [("explain-path", "/v1/v1/messages"), ("recommend", "--client", "claude-code")])
def test_what_is_given_wins(tmp_path: Path, argv: tuple[str, ...]) -> None:
    ended = at_home(tmp_path, '{"proxy": {"port": 9123}}').run(*argv, "--port", "7000")
    assert "127.0.0.1:7000" in ended.out
    assert ended.err == ""


@pytest.mark.parametrize(
    "settings",
    ["{}", '{"proxy": {"port": 0}}', '{"proxy": {"port": 8045}}'],
)
def test_a_file_that_says_nothing_else_leaves_the_usual_port_and_nothing_is_said(tmp_path: Path, settings: str) -> None:
    ended = at_home(tmp_path, settings).run("explain-path", "/v1/v1/messages")
    assert "http://127.0.0.1:8045" in ended.out
    assert ended.err == ""


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("", "is not valid JSON"),
        ("{", "is not valid JSON"),
        ("[]", "names no usable port"),
        ('{"proxy": 1}', "names no usable port"),
        ('{"proxy": {}}', "names no usable port"),
        ('{"proxy": {"port": "8050"}}', "names no usable port"),
        ('{"proxy": {"port": true}}', "names no usable port"),
        ('{"proxy": {"port": 70000}}', "names no usable port"),
    ],
)
@pytest.mark.parametrize("argv", [("explain-path", "/v1/v1/messages"), ("scan", "--offline")], ids=lambda argv: argv[0])
def test_a_file_that_could_not_be_used_is_said(tmp_path: Path, argv: tuple[str, ...], settings: str, said: str) -> None:
    ended = at_home(tmp_path, settings).run(*argv)
    assert "http://127.0.0.1:8045" in ended.out
    assert ended.err.startswith("agdoctor: port 8045 (the default: ")
    assert f"gui_config.json {said}" in ended.err


@pytest.mark.parametrize("error", [PermissionError, OSError])
@pytest.mark.parametrize("argv", [("recommend", "--client", "claude-code"), ("scan", "--offline")])
def test_a_file_that_may_not_be_read_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[OSError], argv: tuple[str, ...]
) -> None:
    home = at_home(tmp_path, '{"proxy": {"port": 9123}}')
    really_open, really_stat = Path.open, os.stat

    def no_open(self: Path, *args: Any, **more: Any) -> Any:
        if self.name == "gui_config.json":
            raise error(13, "Permission denied")
        return really_open(self, *args, **more)

    def no_stat(path: Any, *args: Any, **more: Any) -> Any:
        if str(path).endswith("gui_config.json"):  # the folder is closed as well
            raise error(13, "Permission denied")
        return really_stat(path, *args, **more)

    monkeypatch.setattr(Path, "open", no_open)
    monkeypatch.setattr(os, "stat", no_stat)
    ended = home.run(*argv)
    assert "http://127.0.0.1:8045" in ended.out
    assert "gui_config.json cannot be read; --port takes another" in ended.err


@pytest.mark.parametrize("command", ["check", "report"])
def test_the_title_says_where_the_port_is_from(tmp_path: Path, command: str) -> None:
    home = at_home(tmp_path, '{"proxy": {"port": 9123}}')
    assert "Check of http://127.0.0.1:9123 (from gui_config.json)" in home.run(command).out
    assert home.run(command).err == ""
    assert "gui_config.json)" not in home.run(command, "--port", "9123").out.partition("Can the proxy")[0]


def test_a_program_that_reads_the_check_gets_the_note_apart(tmp_path: Path) -> None:
    ended = at_home(tmp_path, '{"proxy": {"port": 9123}}').run("check", "--json")
    assert json.loads(ended.out)["target"]["url"] == "http://127.0.0.1:9123"
    assert ended.err.startswith("agdoctor: port 9123 (from gui_config.json")


def test_the_data_folder_can_be_moved(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.put({"elsewhere/gui_config.json": '{"proxy": {"port": 9123}}'})
    ended = home.run("explain-path", "/v1/v1/messages", env={"ABV_DATA_DIR": str(tmp_path / "elsewhere")})
    assert "127.0.0.1:9123" in ended.out


def test_a_program_gets_it_in_json_and_the_note_apart(tmp_path: Path) -> None:
    ended = at_home(tmp_path, '{"proxy": {"port": 9123}}').run("explain-path", "/v1/v1/messages", "--json")
    assert json.loads(ended.out)["target"]["origin"] == "http://127.0.0.1:9123"
    assert ended.err.startswith("agdoctor: port 9123 (from gui_config.json")


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"container": "podman"}, "host.containers.internal"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "this is a pod"),
    ],
)
def test_scan_says_where_loopback_is_something_else(tmp_path: Path, environment: dict[str, str], said: str) -> None:
    ended = Home(tmp_path).run("scan", "--port", "1", env=environment)
    assert said in " ".join(ended.out.split())
