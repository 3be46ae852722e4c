"""What a User-Agent names, and what a path can have been made of."""

from __future__ import annotations

import pytest

from antigravity_doctor.diagnosis.identifying import in_version, made_by, made_with, named_by
from antigravity_doctor.diagnosis.joining import rule_of, run
from antigravity_doctor.diagnosis.urls import split_url
from antigravity_doctor.knowledge.clients import all_clients, client_of_program, find_client


@pytest.mark.parametrize(
    ("user_agent", "clients", "version"),
    [
        ("claude-cli/2.1.197 (external, sdk-cli)", ["claude-code"], "2.1.197"),
        ("codex_exec/0.169.0 (Debian 12.0.0; x86_64) dumb (codex_exec; 0.169.0)", ["codex"], "0.169.0"),
        ("GeminiCLI-tui/0.61.0/gemini-2.5-flash (linux; x64; terminal)", ["gemini-cli"], "0.61.0"),
        ("OpenAI/Python 3.54.0", ["openai-python", "langchain-openai"], "3.54.0"),
        ("OpenAI/v1 PythonBindings/0.28.1", ["openai-python"], "0.28.1"),
        ("google-genai-sdk/3.4.0+afc+chat gl-python/3.11.7", ["google-genai-python"], "3.4.0"),
        ("google-genai-sdk/1.52.0 gl-node/v20.20.2", ["google-genai-node"], "1.52.0"),
        ("google-genai-sdk/1.0.0 gl-go/1.24", ["google-genai-python", "google-genai-node"], "1.0.0"),
        ("ai-sdk/openai/3.0.141 ai-sdk/provider-utils/4.0.66 runtime/node.js/v20", ["ai-sdk-openai"], "3.0.141"),
        ("ai-sdk/openai-compatible/2.0.91 ai-sdk/provider-utils/4.0.64", ["ai-sdk-openai-compatible"], "2.0.91"),
        ("opencode/1.18.33 (linux 6.18; x64) ai-sdk/provider-utils/4.0.40", ["opencode"], "1.18.33"),
        ("kilo/latest/7.7.7/cli ai-sdk/provider-utils/4.0.27", ["kilo-cli"], "7.7.7"),
        ("my-app/1.0 OpenAI/JS 7.57.0", ["openai-node"], "7.57.0"),
        ("Anthropic/Python 2.0.0-beta.1", ["anthropic-python"], "2.0.0-beta.1"),
    ],
)
def test_a_user_agent_names_its_clients_and_the_version(
    user_agent: str, clients: list[str], version: str | None
) -> None:
    """The best-known first; frameworks that send their SDK's own User-Agent follow, as many as the catalogue has."""
    named = named_by(user_agent)
    found = [client.id for client in named.clients]
    assert found[0] == clients[0]
    assert set(clients) <= set(found)
    alone = {"claude-code", "codex", "gemini-cli", "opencode", "openai-python", "openai-node", "anthropic-python"}
    assert not (alone - set(clients)) & set(found)
    assert named.version == version


def test_a_number_of_another_package_is_no_version() -> None:
    named = named_by("ai/6.0.326 ai-sdk/provider-utils/4.0.66 runtime/node.js/v20.20.2")
    assert {client.id.rpartition("-")[0] for client in named.clients} == {"ai-sdk", "ai-sdk-openai"}
    assert named.version is None


@pytest.mark.parametrize("user_agent", ["python-requests/2.34.2", "Mozilla/5.0 (X11)", "xclaude-cli/1.0", "", None])
def test_a_user_agent_of_nobody_known_names_nobody(user_agent: str | None) -> None:
    assert named_by(user_agent).clients == ()


def test_a_user_agent_without_a_number_has_no_version() -> None:
    assert named_by("claude-cli/dev").version is None


def test_a_product_is_the_first_word() -> None:
    assert [named_by(each).product for each in ("my-app/1.0 (x)", "curl", None)] == ["my-app", "curl", ""]


@pytest.mark.parametrize(
    ("version", "holds"),
    [("0.28.1", False), ("1.0.0", True), ("3.19.9", True), ("3.20.0-beta.1", False), ("4", False), (None, True)],
)
def test_a_mode_holds_from_a_version_and_below_another(version: str | None, holds: bool) -> None:
    (mode,) = [each for each in find_client("openai-python").modes if each.id == "chat-1"]
    assert in_version(mode, version) is holds


@pytest.mark.parametrize(
    ("client", "method", "path", "bases"),
    [
        ("openai-python", "POST", "/x/chat/completions", {"/x"}),
        ("openai-python", "GET", "/v1beta/models/models", {"/v1beta/models", "/v1beta"}),
        ("openai-python", "POST", "//chat/completions", {"/", "//"}),
        ("openai-python", "GET", "/x/chat/completions", set()),
        ("claude-code", "POST", "/v1/v1/messages", {"/v1"}),
        ("cherry-studio", "POST", "/v1/chat/completions", {"", "/v1"}),
        ("google-genai-python", "POST", "/v1/models/m:generateContent", {"", "/v1"}),
        ("claude-code", "POST", "/v1/wibble", set()),
    ],
)
def test_a_path_is_read_backwards_with_the_clients_own_rule(
    client: str, method: str, path: str, bases: set[str]
) -> None:
    assert {each.base_path for each in made_by(path, method, find_client(client))} == bases


def test_a_suffix_that_another_one_ends_in_is_not_what_was_meant() -> None:
    found = made_by("/v1/chat/completions", "POST", find_client("openai-python"))
    assert {each.request.suffix for each in found} == {"/chat/completions"}


def test_a_version_more_may_be_the_base_urls_as_well() -> None:
    found = made_by("/v1/responses", "POST", find_client("kilo-code"))
    assert {each.base_path for each in found if each.mode.id == "openai-responses"} == {"", "/v1"}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "//v1/messages", "/v1beta/models/m:countTokens", "/x/models"])
def test_every_reading_joins_to_the_path(path: str) -> None:
    for method in ("GET", "POST"):
        for each in made_by(path, method, None):
            joined = run(rule_of(each.mode), "http://h" + each.base_path, each.suffix)
            assert split_url(joined).path == path, each


def test_a_given_base_url_is_read_as_it_is() -> None:
    client = find_client("openai-python")
    assert made_with("/v1/chat/completions", "POST", "/v1/", client)[0].base_path == "/v1/"
    assert made_with("/v1/chat/completions", "POST", "/v2", client) == ()
    (legacy,) = {each.request.suffix for each in made_with("/v1/chat/completions", "POST", "/v1/chat", client)}
    assert legacy == "/completions"


@pytest.mark.parametrize(
    ("program", "client"),
    [
        ("claude", "claude-code"),
        ("/usr/local/bin/codex", "codex"),
        (r"C:\Users\x\AppData\Roaming\npm\gemini.cmd", "gemini-cli"),
        ("kilocode", "kilo-cli"),
        ("python", None),
        ("", None),
    ],
)
def test_an_executable_starts_its_client(program: str, client: str | None) -> None:
    found = client_of_program(program)
    assert (found.id if found else None) == client


def test_every_entry_of_the_catalogue_is_found_by_its_own_words() -> None:
    for client in all_clients():
        for entry in client.raw["user_agents"]:
            agent = entry.rstrip("*").replace(" … ", " 1.0 ")
            assert client in named_by(agent).clients, entry
