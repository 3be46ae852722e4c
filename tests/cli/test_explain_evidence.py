"""`explain-path` on what people really paste: connection errors, settings, and texts without any path."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.cli import run


def results(text: str, *more: str, stdin: bytes = b"") -> tuple[int, list[dict[str, Any]]]:
    """Exit code and results of `explain-path TEXT --json`."""
    ended = run("explain-path", "--json", text, *more, stdin=stdin)
    found: list[dict[str, Any]] = json.loads(ended.out)["results"]
    return ended.code, found


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("connect ECONNREFUSED 127.0.0.1:8045 http://127.0.0.1:8045/v1/messages", "AGD101"),
        ("connect ECONNREFUSED ::1:8045", "AGD104"),
        ("curl: (7) Failed to connect to 127.0.0.1 port 8046 after 0 ms: Couldn't connect to server", "AGD101"),
        ("https://127.0.0.1:8045/v1/chat/completions SSL: WRONG_VERSION_NUMBER", "AGD105"),
        ("getaddrinfo ENOTFOUND proxy.lan http://proxy.lan:8045/v1/messages", "AGD103"),
    ],
)
def test_a_connection_error_comes_first(text: str, code: str) -> None:
    exit_code, found = results(text)
    assert exit_code == 1
    assert found[0]["findings"][0]["code"] == code


def test_a_refused_request_to_another_port_names_that_port_too() -> None:
    _, found = results("Error: connect ECONNREFUSED 127.0.0.1:8046")
    assert [each["code"] for each in found[0]["findings"]] == ["AGD101", "AGD502"]


@pytest.mark.parametrize(
    ("text", "severity", "right", "fixes"),
    [
        ("export ANTHROPIC_BASE_URL=http://127.0.0.1:8045/v1", "warning", "OpenCode", ["http://127.0.0.1:8045"]),
        ("GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8045/v1", "error", "–", ["http://127.0.0.1:8045"]),
        ("OPENAI_BASE_URL=http://127.0.0.1:8045/v1", "info", "OpenAI SDK (Python)", []),
    ],
)
def test_a_pasted_setting_is_judged_for_the_clients_that_read_it(
    text: str, severity: str, right: str, fixes: list[str]
) -> None:
    _, found = results(text)
    finding = found[0]["findings"][0]
    assert (finding["code"], finding["severity"]) == ("AGD509", severity)
    assert right in finding["summary"]
    assert [each["base_url"] for each in found[0]["fixes"]][:1] == fixes


def test_a_pasted_setting_is_judged_for_one_client_alone_if_it_is_named() -> None:
    code, found = results("ANTHROPIC_BASE_URL=http://127.0.0.1:8045/v1", "--client", "claude-code")
    assert code == 1
    assert found[0]["fixes"][0]["clients"] == ["claude-code"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("401 Unauthorized", "AGD201"),
        ("Proxy service is currently disabled", "AGD109"),
        ("Unexpected token '<', \"<!doctype \"... is not valid JSON", "AGD404"),
        ("405 Method Not Allowed", "AGD407"),
    ],
)
def test_a_text_without_a_path_still_gets_what_its_words_suggest(text: str, code: str) -> None:
    exit_code, found = results(text)
    assert exit_code == 1
    assert found[0]["verdict"] == "no-request-found"
    assert found[0]["findings"][0]["code"] == code


def test_on_a_terminal_such_a_text_gets_the_advice() -> None:
    ended = run("explain-path", "Proxy service is currently disabled")
    assert "AGD109" in ended.out
    assert "press Start" in ended.out


def test_a_misleading_sentence_of_a_client_leads_to_the_base_url() -> None:
    ended = run("explain-path", "There's an issue with the selected model (gemini-3-pro). It may not exist")
    assert ended.code == 1
    assert "AGD321" in ended.out
    assert "Set the base URL to http://127.0.0.1:8045\n" in ended.out
    assert "Claude Code" in ended.out


def test_a_bare_404_gets_an_answer_for_each_kind_of_client_and_how_to_be_certain() -> None:
    ended = run("explain-path", "it only says 404")
    assert ended.code == 1
    assert "AGD322" in ended.out
    assert "http://127.0.0.1:8045/v1\n" in ended.out
    assert "agdoctor trace" in ended.out


def test_an_error_box_from_standard_input_is_read_as_one_text() -> None:
    box = b"+----+\n  There's an issue with the\n  selected model (x).\n+----+\n"
    exit_code, found = results("-", stdin=box)
    assert exit_code == 1
    assert found[0]["findings"][0]["code"] == "AGD321"
    assert found[0]["fixes"][0]["clients"][0] == "claude-code"


def test_with_client_and_base_url_such_a_text_is_explained_exactly() -> None:
    words = "There's an issue with the selected model (x)"
    _, wrong = results(words, "--client", "claude-code", "--base-url", "http://127.0.0.1:8045/v1")
    assert (wrong[0]["path"], wrong[0]["fixes"][0]["base_url"]) == ("/v1/v1/messages", "http://127.0.0.1:8045")
    _, right = results(words, "--client", "claude-code", "--base-url", "http://127.0.0.1:8045")
    assert right[0]["verdict"] == "not-a-path-problem"


def test_the_proxys_own_admin_log_line_is_no_wrong_path() -> None:
    line = (
        "2026-02-04T10:15:30.123456789+08:00  INFO antigravity_tools_lib::proxy::middleware::auth: Request: GET /logs"
    )
    code, found = results(line)
    assert code == 0
    assert found[0]["findings"][0]["code"] == "AGD603"


@pytest.mark.parametrize("command", [("explain-path", "/v1/v1/messages"), ("simulate", "--client", "claude-code")])
def test_a_base_url_without_a_scheme_is_completed_and_that_is_said(command: tuple[str, ...]) -> None:
    ended = run(*command, "--base-url", "127.0.0.1:8045/v1")
    assert "AGD503" in ended.err
    assert "http://127.0.0.1:8045/v1" in ended.err
    assert run(*command, "--base-url", "http://127.0.0.1:8045/v1").err == ""


def test_words_before_the_path_are_the_answers_too() -> None:
    _, found = results("403 token_rejected POST /v1/v1/chat/completions")
    assert [each["code"] for each in found[0]["findings"]] == ["AGD301", "AGD202"]


def test_what_another_port_answers_is_not_taken_for_the_proxys_answer() -> None:
    _, found = results("POST http://127.0.0.1:8046/v1/chat/completions 404")
    assert [each["code"] for each in found[0]["findings"]] == ["AGD502"]


def test_an_answer_for_another_base_url_than_the_one_given_is_not_called_exact() -> None:
    ended = run("explain-path", "/v1/v1/messages", "-c", "claude-code", "-b", "http://127.0.0.1:8045")
    assert "AGD319" in ended.out
    assert "This is exact" not in ended.out


def test_a_base_url_with_a_closing_slash_explains_the_double_slash() -> None:
    _, found = results("//v1/chat/completions", "--base-url", "http://127.0.0.1:8045/")
    fix = found[0]["fixes"][0]
    assert [each["code"] for each in found[0]["findings"]] == ["AGD306"]
    assert (fix["configured_base_url"], fix["appends"]) == ("http://127.0.0.1:8045/", "/v1/chat/completions")


def test_before_version_3_3_8_no_401_is_the_proxys() -> None:
    _, found = results("POST /v1/chat/completions 401", "--proxy-version", "3.2.0")
    assert [each["code"] for each in found[0]["findings"]] == ["AGD411"]


@pytest.mark.parametrize(
    ("agent", "appends"),
    [
        ("OpenAI/Python 1.99.0", "/chat/completions"),
        ("something/1.0", "/v1/chat/completions"),
        ("-", "/v1/chat/completions"),
    ],
)
def test_the_user_agent_of_a_log_line_says_what_was_appended(agent: str, appends: str) -> None:
    line = f'1.2.3.4 - - [03/Feb/2026:12:00:00 +0000] "POST /v1/v1/chat/completions HTTP/1.1" 404 0 "-" "{agent}"'
    _, found = results(line)
    assert found[0]["fixes"][0]["appends"] == appends
    _, told = results(line, "--client", "cherry-studio")
    assert told[0]["fixes"][0]["appends"] == "/v1/chat/completions"
