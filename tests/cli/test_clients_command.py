"""`agdoctor clients`: the table, the search, and one client."""

from __future__ import annotations

import json

import pytest

from antigravity_doctor.knowledge.clients import all_clients, search_clients
from tests.support.cli import run


def listed(*argv: str) -> list[str]:
    result = run("clients", *argv, "--json")
    assert result.code == 0, result.all
    return [each["id"] for each in json.loads(result.out)["clients"]]


def row_of(out: str, client: str) -> str:
    return next(line for line in out.splitlines() if line.split()[:1] == [client])


@pytest.mark.parametrize(
    ("client", "base_url", "protocol", "setting"),
    [
        ("claude-code", "http://127.0.0.1:8045", "Anthropic", "ANTHROPIC_BASE_URL"),
        ("openai-python", "http://127.0.0.1:8045/v1", "OpenAI", "OPENAI_BASE_URL"),
        ("gemini-cli", "http://127.0.0.1:8045", "Gemini", "GOOGLE_GEMINI_BASE_URL"),
        ("nextchat", "http://127.0.0.1:8045", "OpenAI", "OpenAI Endpoint"),
    ],
)
def test_the_table_says_base_url_protocol_and_setting(client: str, base_url: str, protocol: str, setting: str) -> None:
    out = run("clients", env={"COLUMNS": "160", "NO_COLOR": "1"}, tty=True).out
    row = row_of(out, client).split()
    assert row[1] == base_url
    assert protocol in row_of(out, client)
    assert setting in out[out.index(f"  {client} ") :].split("\n\n")[0]


def test_a_narrow_terminal_has_the_settings_below() -> None:
    lines = run("clients", "claude-code", "codex", "--search", "x", env={"COLUMNS": "80", "NO_COLOR": "1"}, tty=True)
    assert lines.code == 2
    lines = run("clients", "--search", "GOOGLE_GEMINI_BASE_URL", env={"COLUMNS": "80", "NO_COLOR": "1"}, tty=True)
    assert "in GOOGLE_GEMINI_BASE_URL" in " ".join(lines.out.split())


def test_the_port_of_the_proxy_is_in_every_base_url() -> None:
    out = run("clients", "--port", "9000").out
    assert "http://127.0.0.1:9000/v1" in out
    assert "8045" not in out


@pytest.mark.parametrize(
    ("words", "has", "has_not"),
    [
        (["langchain", "google"], "langchain-google-genai", "langchain-openai"),
        (["ANTHROPIC_BASE_URL"], "claude-code", "gemini-cli"),
        (["--search", "claude"], "claude-code", "codex"),
        (["--search", "pypi"], "openai-python", "openai-node"),
        (["--search", "baseURL @ai-sdk"], "opencode", "claude-code"),
    ],
    ids=" ".join,
)
def test_a_search_finds_names_packages_and_settings(words: list[str], has: str, has_not: str) -> None:
    found = listed(*words)
    assert has in found
    assert has_not not in found


def test_a_name_that_fits_one_client_shows_that_client_and_names_the_others() -> None:
    out = run("clients", "langchain").out
    assert "langchain-openai" in out
    assert "Also found for this name:" in out
    assert "langchain-anthropic" in out


def test_a_name_of_two_words_needs_no_quotes() -> None:
    assert listed("claude", "code") == ["claude-code"]


@pytest.mark.parametrize("argv", [["zzzzzzzz"], ["--search", "zzzzzzzz"], ["--search", "!!"]], ids=" ".join)
def test_nothing_found_is_one_sentence(argv: list[str]) -> None:
    result = run("clients", *argv)
    assert result.code == 2
    assert result.out == ""
    assert argv[-1] in result.err
    assert "agdoctor clients" in result.err


def test_json_has_the_solved_base_url_of_every_mode() -> None:
    document = json.loads(run("clients", "claude-code", "--json").out)
    assert document["base_urls"] == [
        {"client": "claude-code", "mode": "messages", "protocol": "anthropic", "base_url": "http://127.0.0.1:8045"}
    ]


@pytest.mark.parametrize("client", all_clients(), ids=lambda each: each.id)
def test_every_client_is_found_by_its_own_names(client) -> None:  # type: ignore[no-untyped-def]
    for name in (client.id, client.name, *client.names[2:]):
        assert client in search_clients(name)


def test_who_does_not_read_the_variable_is_named_below_the_table() -> None:
    out = run("clients", "ANTHROPIC_BASE_URL", env={"COLUMNS": "160", "NO_COLOR": "1"}, tty=True).out
    table, _, below = out.partition("ANTHROPIC_BASE_URL has no effect in these")
    assert row_of(table, "claude-code")
    for client in ("continue", "zed", "copilot-cli"):
        assert client not in [line.split()[0] for line in table.splitlines() if line.split()]
        assert client in below


def test_the_variable_that_was_searched_for_is_the_first_that_is_shown() -> None:
    out = run("clients", "ANTHROPIC_BASE_URL", env={"COLUMNS": "80", "NO_COLOR": "1"}, tty=True).out
    opencode = out[out.index("  opencode ") :].splitlines()
    assert "set it in ANTHROPIC_BASE_URL" in opencode[1]


def test_a_search_that_only_ignored_settings_fit_shows_no_empty_table() -> None:
    ignored = run("clients", "COPILOT_API_URL").out
    assert "CLIENT" not in ignored
    assert "0 found for COPILOT_API_URL." in ignored
    assert "copilot-cli" in ignored


def test_the_best_known_clients_come_first() -> None:
    out = run("clients", env={"COLUMNS": "160", "NO_COLOR": "1"}, tty=True).out
    assert out.index("  claude-code ") < out.index("  agno ")
