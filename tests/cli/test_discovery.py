"""Where the proxy is, for a command that was not told: the proxy's own settings file, with its source said."""

from __future__ import annotations

import json
from pathlib import Path

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
    ["", "{", "[]", "{}", '{"proxy": 1}', '{"proxy": {"port": "x"}}', '{"proxy": {"port": 0}}',
     '{"proxy": {"port": true}}', '{"proxy": {"port": 70000}}', '{"proxy": {"port": 8045}}'],
)  # fmt: skip
def test_a_file_that_says_nothing_else_leaves_the_usual_port_and_nothing_is_said(tmp_path: Path, settings: str) -> None:
    ended = at_home(tmp_path, settings).run("explain-path", "/v1/v1/messages")
    assert "http://127.0.0.1:8045" in ended.out
    assert ended.err == ""


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
