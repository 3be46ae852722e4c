"""Stage `client`: the very requests of a client with its base URL, asked of a running proxy."""

from __future__ import annotations

from typing import Any

import pytest

from antigravity_doctor.diagnosis.model import CheckReport, CheckResult
from antigravity_doctor.diagnosis.proxy_model import ServerConfig
from antigravity_doctor.diagnosis.settings import Secret
from antigravity_doctor.knowledge.clients import find_client
from antigravity_doctor.probes.run import CheckOptions, run_check_sync
from antigravity_doctor.servers.stand_in import run_in_thread
from tests.support.fronted import fronted

KEY = "sk-stand-in"


def check(url: str, base: str | None, client: str | None = None, **more: Any) -> CheckReport:
    """A run with this base URL ({url} is the server's) and client."""
    chosen = find_client(client) if client else None
    base_url = base.format(url=url) if base is not None else None
    return run_check_sync(CheckOptions(origin=url, base_url=base_url, client=chosen, ports=(), **more))


def result(report: CheckReport, check_id: str = "client") -> CheckResult:
    """One check's result."""
    return next(each for each in report.checks if each.id == check_id)


def codes(report: CheckReport, check_id: str = "client") -> list[str]:
    """The finding codes of one check."""
    return [each.code for each in result(report, check_id).findings]


CASES = [
    # client, base URL, status, first code, base URL of the first fix
    ("openai-python", "{url}/v1", "pass", None, None),
    ("openai-python", "{url}/v1/v1", "fail", "AGD301", "{url}/v1"),
    ("openai-python", "{url}", "fail", "AGD303", "{url}/v1"),
    ("openai-python", "{url}/v1/chat/completions", "fail", "AGD302", "{url}/v1"),
    ("anthropic-python", "{url}", "pass", None, None),
    ("anthropic-python", "{url}/v1", "fail", "AGD301", "{url}"),
    ("claude-code", "{url}", "pass", None, None),
    ("claude-code", "{url}/v1", "fail", "AGD301", "{url}"),
    ("gemini-cli", "{url}", "pass", None, None),
    ("gemini-cli", "{url}/v1", "fail", "AGD301", "{url}"),
]


@pytest.mark.parametrize("config", [
    ServerConfig("4.5.8", "strict"),
    ServerConfig("4.5.8", "all_except_health", web_ui=True),
    ServerConfig("4.5.8", "strict", running=False),
    ServerConfig("4.0.3", "off"),
], ids=["strict", "web-ui", "switched-off", "4.0.3"])  # fmt: skip
@pytest.mark.parametrize(("client", "base", "status", "code", "fix"), CASES)
def test_a_misrouted_client_fails_with_its_finding_and_fix_in_every_mode_of_the_proxy(
    config: ServerConfig, client: str, base: str, status: str, code: str | None, fix: str | None
) -> None:
    with run_in_thread(config) as running:
        report = check(running.url, base, client, mode=preferred(client))
    found = result(report)
    assert found.status == status
    assert codes(report)[:1] == ([code] if code else [])
    if fix is not None:
        assert found.findings[0].fixes[0].base_url == fix.format(url=running.url)


def preferred(client: str) -> str:
    """The mode that is told to a user who named none."""
    return next(mode.id for mode in find_client(client).modes if mode.preferred)


@pytest.mark.parametrize(
    "client", ["openai-python", "anthropic-python", "claude-code", "gemini-cli", "codex", "opencode"]
)
def test_without_a_base_url_the_right_one_is_shown_and_proved(client: str) -> None:
    with run_in_thread(ServerConfig("4.5.8")) as running:
        report = check(running.url, None, client)
    assert result(report).status == "pass"
    assert running.url in result(report).facts["base_url"]


def test_the_paths_of_the_client_are_really_asked_for() -> None:
    with run_in_thread(ServerConfig("4.5.8")) as running:
        check(running.url, "{url}/v1//", "openai-python")
        asked = {each.target for each in running.records if each.method == "OPTIONS"}
    assert any(target.endswith("/chat/completions") and target.startswith("/v1") for target in asked)


def test_a_base_url_alone_is_tried_with_the_whole_catalogue() -> None:
    with run_in_thread(ServerConfig("4.5.8")) as running:
        right = check(running.url, "{url}/v1")
        wrong = check(running.url, "{url}/v1/v1")
    assert result(right).status == "pass"
    assert "OpenAI SDK" in result(right).facts["modes"]
    assert result(wrong).status == "fail"
    assert codes(wrong) == ["AGD301"]


def test_neither_client_nor_base_url_is_a_skipped_check() -> None:
    with run_in_thread(ServerConfig("4.5.8")) as running:
        report = check(running.url, None)
    assert (result(report).status, result(report).because) == ("skipped", "no-client")
    assert (result(report, "base-url").status, result(report, "base-url").because) == ("skipped", "no-base-url")


@pytest.mark.parametrize(
    ("base", "status", "code"),
    [
        ("{url}/v1", "pass", None),
        ("http://localhost:{port}/v1", "pass", None),
        ("https://api.openai.com/v1", "fail", "AGD501"),
        ("http://127.0.0.1:1/v1", "fail", "AGD504"),
        ("http://192.168.7.7:8045/v1", "inconclusive", None),
    ],
)
def test_a_base_url_that_points_elsewhere_is_noticed(base: str, status: str, code: str | None) -> None:
    with run_in_thread(ServerConfig("4.5.8")) as running:
        report = check(running.url, base.replace("{port}", str(running.port)))
    assert result(report, "base-url").status == status
    assert codes(report, "base-url") == ([code] if code else [])


def test_a_client_that_works_in_another_mode_only_is_a_warning() -> None:
    with run_in_thread(ServerConfig("4.5.8")) as running:
        report = check(running.url, "{url}/v1", "kilo-code")
    found = result(report)
    assert found.status == "warn"
    assert all(each.severity != "error" for each in found.findings)
    assert found.facts["modes"] != "-"
    assert found.facts["not_modes"] != "-"


def test_a_route_that_the_version_does_not_have_yet_fails_the_client() -> None:
    with run_in_thread(ServerConfig("3.2.0")) as running:
        report = check(running.url, "{url}/v1", "codex", mode="responses")
    assert result(report).status == "fail"
    assert codes(report)[:1] == ["AGD403"]


def test_behind_a_front_that_answers_options_a_right_path_is_undecided_and_a_wrong_one_fails() -> None:
    with fronted(ServerConfig("4.5.8")) as url:
        assert result(check(url, "{url}/v1beta", "gemini-cli")).status == "fail"
        right = result(check(url, "{url}", "gemini-cli"))
    assert (right.status, right.because) == ("inconclusive", "options-in-front")


def test_a_mode_that_does_not_exist_is_said() -> None:
    with run_in_thread(ServerConfig("4.5.8")) as running:
        report = check(running.url, "{url}/v1", "openai-python", mode="no-such-mode")
    assert (result(report).status, result(report).because) == ("inconclusive", "mode-unknown")


@pytest.mark.parametrize(
    ("base", "client"),
    [
        ("{url}/%1b[red]x[/]", "openai-python"),
        ("{url}/" + "a" * 5000, None),
        ("{url}/v1?x=1", "cursor"),
    ],
)
def test_an_odd_base_url_is_a_verdict_not_a_crash(base: str, client: str | None) -> None:
    with run_in_thread(ServerConfig("4.5.8")) as running:
        report = check(running.url, base, client)
    assert all(each.because != "crashed" for each in report.checks)
    assert result(report).status in ("fail", "warn")


# --- where the key travels -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "client", "mode", "status", "code"),
    [
        ("4.5.8", "openai-python", None, "pass", None),
        ("4.5.8", "claude-code", None, "pass", None),
        ("4.5.8", "gemini-cli", None, "pass", None),
        ("3.3.43", "gemini-cli", None, "pass", None),
        ("3.3.42", "gemini-cli", None, "fail", "AGD209"),
        ("4.5.8", "continue", "gemini-1.1", "fail", "AGD209"),
    ],
)
def test_the_clients_own_key_header_is_tried(
    version: str, client: str, mode: str | None, status: str, code: str | None
) -> None:
    with run_in_thread(ServerConfig(version, "strict")) as running:
        report = check(running.url, None, client, mode=mode, api_key=Secret(KEY))
    assert result(report, "key-carriers").status == status
    assert codes(report, "key-carriers") == ([code] if code else [])


@pytest.mark.parametrize(("version", "status"), [("4.5.8", "pass"), ("3.3.20", "fail")])
def test_without_a_key_the_version_tells_whether_the_header_is_read(version: str, status: str) -> None:
    with run_in_thread(ServerConfig(version, "strict")) as running:
        report = check(running.url, None, "gemini-cli")
    assert result(report, "key-carriers").status == status


def test_where_no_key_is_wanted_its_header_does_not_matter() -> None:
    with run_in_thread(ServerConfig("4.5.8", "off")) as running:
        report = check(running.url, None, "gemini-cli")
    assert result(report, "key-carriers").because == "no-key-wanted"


ANTHROPIC = {"ANTHROPIC_AUTH_TOKEN": "sk-other", "ANTHROPIC_API_KEY": KEY}


@pytest.mark.parametrize(
    ("environment", "key", "expected"),
    [
        ({"ANTHROPIC_BASE_URL": "{url}", **ANTHROPIC}, KEY, ["AGD204"]),
        ({"ANTHROPIC_BASE_URL": "http://localhost:{port}/", **ANTHROPIC}, None, ["AGD204"]),
        ({"ANTHROPIC_BASE_URL": "https://api.anthropic.com", **ANTHROPIC}, KEY, []),
        ({"ANTHROPIC_BASE_URL": "not a url", **ANTHROPIC}, KEY, []),
        (ANTHROPIC, KEY, []),
        ({"ANTHROPIC_BASE_URL": "{url}", "ANTHROPIC_AUTH_TOKEN": KEY, "ANTHROPIC_API_KEY": "sk-other"}, KEY, []),
        ({"ANTHROPIC_BASE_URL": "{url}", "ANTHROPIC_AUTH_TOKEN": KEY, "ANTHROPIC_API_KEY": KEY}, KEY, []),
        ({"ANTHROPIC_BASE_URL": "{url}", "ANTHROPIC_API_KEY": KEY}, KEY, []),
    ],
)
def test_two_anthropic_keys_that_hide_each_other_are_noticed_only_where_they_come_here(
    environment: dict[str, str], key: str | None, expected: list[str]
) -> None:
    with run_in_thread(ServerConfig("4.5.8", "strict")) as running:
        filled = {name: each.format(url=running.url, port=running.port) for name, each in environment.items()}
        report = check(running.url, None, environment=filled, api_key=Secret(key) if key else None)
    assert codes(report, "key-carriers") == expected
    assert "sk-other" not in repr(report)


def test_a_key_in_the_base_url_is_said_to_be_read_by_nobody_and_not_shown() -> None:
    with run_in_thread(ServerConfig("4.5.8", "strict")) as running:
        report = check(running.url, "{url}/v1?key=sk-planted-in-url", api_key=Secret(KEY))
    assert codes(report, "key-carriers") == ["AGD205"]
    assert "sk-planted-in-url" not in repr(report)


def test_a_mode_that_only_happens_to_work_does_not_excuse_the_preferred_one() -> None:
    """At the bare origin the Responses API of the OpenAI SDK lands on /responses, but chat, its main use, misses."""
    with run_in_thread(ServerConfig(version="4.5.8")) as running:
        found = result(check(running.url, "{url}", "openai-python"))
    assert found.status == "fail"
    assert [each.code for each in found.findings] == ["AGD303"]
