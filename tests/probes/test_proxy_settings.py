"""The proxy's settings file: every era is read, nothing makes it raise, and the key in it cannot be printed."""

from __future__ import annotations

import dataclasses
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from antigravity_doctor.diagnosis.settings import ProxySettings, Secret
from antigravity_doctor.sources.proxy_settings import LIMIT, data_directory, read_proxy_settings
from tests.support.gui_config import whole

KEY = "sk-0123456789abcdef0123456789abcdef"

V3_0 = {"language": "zh", "proxy": {"enabled": False, "port": 8045, "api_key": KEY, "auto_start": False}}
V3_3_8 = {"proxy": {"port": 9000, "api_key": KEY, "allow_lan_access": True, "auth_mode": "strict"}}
V4_5_8 = {
    "proxy": {"port": 8045, "api_key": KEY, "allow_lan_access": False, "auth_mode": "auto", "admin_password": "hush"},
    "cloudflared": {"enabled": False, "port": 8099},
}


def write(folder: Path, content: Any) -> dict[str, str]:
    """Writes the file and returns the environment in which it is found."""
    folder.mkdir(parents=True, exist_ok=True)
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    (folder / "gui_config.json").write_bytes(data)
    return {"ABV_DATA_DIR": str(folder)}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (V3_0, (8045, None, None)),
        (V3_3_8, (9000, "strict", True)),
        (V4_5_8, (8045, "auto", False)),
    ],
)
def test_every_era_is_read(tmp_path: Path, content: object, expected: tuple[object, ...]) -> None:
    settings = read_proxy_settings(write(tmp_path, content))
    assert settings is not None
    assert (settings.port, settings.auth_mode, settings.allow_lan) == expected
    assert settings.api_key == Secret(KEY)
    assert settings.problem is None


def test_no_file_is_no_settings(tmp_path: Path) -> None:
    assert read_proxy_settings({"HOME": str(tmp_path)}) is None


def test_the_home_directory_is_where_the_file_lies_by_default(tmp_path: Path) -> None:
    write(tmp_path / ".antigravity_tools", V3_0)
    settings = read_proxy_settings({"HOME": str(tmp_path), "ABV_DATA_DIR": "  "})
    assert settings is not None
    assert settings.port == 8045


def test_the_variable_wins_over_the_home_directory(tmp_path: Path) -> None:
    write(tmp_path / ".antigravity_tools", V3_0)
    environment = write(tmp_path / "elsewhere", V3_3_8) | {"HOME": str(tmp_path)}
    settings = read_proxy_settings(environment)
    assert settings is not None
    assert settings.port == 9000


def test_windows_has_its_own_name_for_the_home() -> None:
    folder = data_directory({"USERPROFILE": "C:\\Users\\ada"})
    assert folder is not None
    assert folder.name == ".antigravity_tools"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "not-json"),
        (b"", "not-json"),
        (b"\xff\xfe\x00\x01", "not-json"),
        (b'{"port": NaN}', "not-json"),
        (b"[" * 100_000, "not-json"),
        (b" " * (LIMIT + 1), "too-large"),
    ],
)
def test_a_file_that_is_of_no_use_says_why(tmp_path: Path, content: bytes, problem: str) -> None:
    settings = read_proxy_settings(write(tmp_path, content))
    assert settings is not None
    assert settings.problem == problem


@pytest.mark.parametrize(
    "content",
    [
        [],
        None,
        1,
        {},
        {"proxy": None},
        {"proxy": []},
        {"proxy": {"port": "8045", "api_key": 5, "auth_mode": True, "allow_lan_access": "yes"}},
        {"proxy": {"port": True}},
        {"proxy": {"port": 0}},
        {"proxy": {"port": 70000}},
        {"proxy": {"port": 80.5}},
    ],
)
def test_a_value_of_the_wrong_kind_is_unknown_and_a_reason_not_to_load(tmp_path: Path, content: object) -> None:
    settings = read_proxy_settings(write(tmp_path, content))
    assert settings is not None
    assert settings.faults
    assert settings == ProxySettings(str(tmp_path / "gui_config.json"), faults=settings.faults)


def faults(tmp_path: Path, content: object) -> list[tuple[str, str, str]]:
    """(field, kind, what is shown of it) for each reason why the proxy would not load the file."""
    settings = read_proxy_settings(write(tmp_path, content))
    assert settings is not None
    return [(each.field, each.kind, each.shown) for each in settings.faults]


@pytest.mark.parametrize(
    ("proxy", "fault"),
    [
        ({"auth_mode": "Strict"}, ("proxy.auth_mode", "no-auth-mode", '"Strict"')),
        ({"auth_mode": ["off"]}, ("proxy.auth_mode", "no-auth-mode", '["off"]')),
        ({"port": "8050"}, ("proxy.port", "no-port", '"8050"')),
        ({"port": 80500}, ("proxy.port", "no-port", "80500")),
        ({"port": 8045.0}, ("proxy.port", "no-port", "8045.0")),
        ({"port": None}, ("proxy.port", "missing", "")),
        ({"enabled": 1}, ("proxy.enabled", "no-bool", "")),
        ({"api_key": 12345}, ("proxy.api_key", "no-text", "")),
        ({"api_key": None}, ("proxy.api_key", "missing", "")),
        ({"auto_start": None}, ("proxy.auto_start", "missing", "")),
        ({"request_timeout": "120"}, ("proxy.request_timeout", "no-whole-number", "")),
        ({"request_timeout": -1}, ("proxy.request_timeout", "no-whole-number", "")),
        ({"allow_lan_access": "yes"}, ("proxy.allow_lan_access", "no-bool", "")),
    ],
)
def test_what_the_proxy_refuses_is_named(tmp_path: Path, proxy: dict[str, Any], fault: tuple[str, str, str]) -> None:
    assert faults(tmp_path, whole(**proxy)) == [fault]


def test_a_file_without_a_field_that_has_no_default_does_not_load(tmp_path: Path) -> None:
    content = whole(auth_mode="STRICT")
    del content["language"], content["sync_interval"]
    # what is wrong comes before what is missing
    assert [field for field, *_ in faults(tmp_path, content)] == ["proxy.auth_mode", "language", "sync_interval"]


@pytest.mark.parametrize("content", [[], None, 1, "text"])
def test_a_file_that_is_no_object_does_not_load(tmp_path: Path, content: object) -> None:
    assert faults(tmp_path, content) == [("", "no-object", "")]


@pytest.mark.parametrize("proxy", [None, [], 5])
def test_a_section_that_is_no_object_does_not_load(tmp_path: Path, proxy: object) -> None:
    assert faults(tmp_path, whole() | {"proxy": proxy}) == [("proxy", "no-object", "")]


@pytest.mark.parametrize(
    "proxy",
    [
        {},
        {"auth_mode": "auto", "request_timeout": 120, "allow_lan_access": True, "enable_logging": False},
        {"auth_mode": "all_except_health", "port": 1, "api_key": ""},
        {"custom_mapping": "", "new_in_v9": [1], "zai": None},  # nobody looked at those
    ],
)
def test_a_file_that_loads_has_no_faults(tmp_path: Path, proxy: dict[str, Any]) -> None:
    assert faults(tmp_path, whole(**proxy) | {"new_in_v9": 1}) == []


def test_a_file_without_the_section_is_good_and_means_the_usual_port(tmp_path: Path) -> None:
    content = whole()
    del content["proxy"]
    settings = read_proxy_settings(write(tmp_path, content))
    assert settings == ProxySettings(str(tmp_path / "gui_config.json"), port=8045)


def test_a_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    settings = read_proxy_settings(write(tmp_path, b"\xef\xbb\xbf" + json.dumps(V3_0).encode()))
    assert settings is not None
    assert settings.port == 8045


def test_a_folder_in_place_of_the_file_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "gui_config.json").mkdir()
    settings = read_proxy_settings({"ABV_DATA_DIR": str(tmp_path)})
    assert settings is not None
    assert settings.problem == "unreadable"


def test_a_data_directory_that_is_a_file_is_no_settings(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert read_proxy_settings({"ABV_DATA_DIR": str(tmp_path / "file")}) is None


def test_a_data_directory_that_cannot_be_a_path_is_unreadable() -> None:
    settings = read_proxy_settings({"ABV_DATA_DIR": "a\0b"})
    assert settings is not None
    assert settings.problem == "unreadable"


@pytest.mark.parametrize(
    ("mode", "lan", "wants"),
    [
        ("off", True, False),
        ("strict", False, True),
        ("all_except_health", None, True),
        ("auto", False, False),
        ("auto", True, True),
        ("auto", None, None),
        (None, True, None),
        ("new-in-v9", True, None),
    ],
)
def test_whether_a_key_is_wanted_follows_the_mode(mode: str | None, lan: bool | None, wants: bool | None) -> None:
    assert ProxySettings("x", auth_mode=mode, allow_lan=lan).wants_key is wants


def test_an_empty_key_is_told_from_no_key(tmp_path: Path) -> None:
    settings = read_proxy_settings(write(tmp_path, {"proxy": {"api_key": " "}}))
    assert settings is not None
    assert settings.api_key is not None
    assert not settings.api_key


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{!r}".format])
def test_a_key_never_becomes_text(show: Callable[[object], str]) -> None:
    assert KEY not in show(Secret(KEY))


@pytest.mark.parametrize("show", [repr, str])
def test_what_holds_a_key_does_not_show_it_either(show: Callable[[object], str]) -> None:
    settings = ProxySettings("x", api_key=Secret(KEY))
    assert KEY not in show(settings)
    assert KEY not in show(dataclasses.asdict(settings))


@pytest.mark.parametrize("write_out", [pickle.dumps, json.dumps])
def test_a_key_cannot_be_written_by_accident(write_out: Callable[[object], object]) -> None:
    with pytest.raises(TypeError):
        write_out(Secret(KEY))


def test_a_key_is_hidden_in_what_a_server_echoes() -> None:
    assert Secret(KEY).hidden_in(f"bad key {KEY}!") == "bad key ***!"
    assert Secret("").hidden_in("text") == "text"


def test_keys_compare_by_value() -> None:
    assert Secret("a") == Secret("a")
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
