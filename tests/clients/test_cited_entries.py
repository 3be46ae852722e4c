"""What the sources of cited entries say, as examples: this base URL in this mode becomes this request."""

from __future__ import annotations

import pytest

from antigravity_doctor.diagnosis.simulating import simulate
from antigravity_doctor.knowledge.clients import find_client
from antigravity_doctor.knowledge.places import mode_of, places_of
from antigravity_doctor.knowledge.routes import table_for

H = "http://127.0.0.1:8045"

EXAMPLES = [
    # client, mode, base URL, the first request's URL
    ("cherry-studio", "openai", H, f"{H}/v1/chat/completions"),
    ("cherry-studio", "openai", f"{H}/", f"{H}/v1/chat/completions"),
    ("cherry-studio", "openai", f"{H}/v1", f"{H}/v1/chat/completions"),
    ("cherry-studio", "openai", f"{H}/v1#", f"{H}/v1/chat/completions"),
    ("cherry-studio", "openai", f"{H}#", f"{H}/chat/completions"),
    ("cherry-studio", "openai", f"{H}/v1/chat/completions", f"{H}/v1/chat/completions/chat/completions"),
    ("cherry-studio", "openai", f"{H}/v1/chat/completions#", f"{H}/v1/chat/completions/chat/completions"),
    ("cherry-studio", "openai-1.7", f"{H}/v1/chat/completions#", f"{H}/v1/chat/completions"),
    ("cherry-studio", "openai-1.6", f"{H}/v1", f"{H}/v1/v1/chat/completions"),
    ("cherry-studio", "gemini", H, f"{H}/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"),
    ("chatbox", "openai", H, f"{H}/v1/chat/completions"),
    ("chatbox", "openai", f"{H}/v1/", f"{H}/v1/chat/completions"),
    ("chatbox", "openai", f"{H}/v1/chat/completions", f"{H}/v1/chat/completions"),
    ("chatbox", "openai", f"{H}/chat/completions", f"{H}/chat/completions"),
    ("chatbox", "openai", "127.0.0.1:8045", "https://127.0.0.1:8045/v1/chat/completions"),
    ("chatbox", "openai-responses", f"{H}/v1/responses", f"{H}/v1/responses"),
    ("chatbox", "openai-responses", f"{H}/responses", f"{H}/responses"),
    ("open-webui", "openai", f"{H}/v1/", f"{H}/v1/chat/completions"),
    ("open-webui", "openai-urls", f"{H}/v1", f"{H}/v1/chat/completions"),
    ("open-webui", "openai-urls", f"{H}/v1/", f"{H}/v1//chat/completions"),
    ("sillytavern", "custom", f"{H}/v1/", f"{H}/v1//chat/completions"),
    ("vscode-copilot-chat", "chat-completions", H, f"{H}/v1/chat/completions"),
    ("vscode-copilot-chat", "chat-completions", f"{H}/v1/", f"{H}/v1/chat/completions"),
    ("vscode-copilot-chat", "chat-completions", f"{H}/v1/chat/completions", f"{H}/v1/chat/completions"),
    ("vscode-copilot-chat", "messages", f"{H}/v1", f"{H}/v1/messages"),
    ("goose", "openai-host", f"{H}/v1", f"{H}/v1/v1/chat/completions"),
    ("goose", "openai-base-url", H, f"{H}/v1/chat/completions"),
    ("goose", "openai-base-url", f"{H}/v1/", f"{H}/v1/chat/completions"),
    ("goose", "openai-base-url", f"{H}/x", f"{H}/x/chat/completions"),
    ("goose", "custom-openai", f"{H}/x", f"{H}/x/v1/chat/completions"),
    ("goose", "custom-openai", f"{H}/v1/chat/completions", f"{H}/v1/chat/completions"),
    ("goose", "anthropic", H, f"{H}/v1/messages"),
    ("deepchat", "openai-completions", f"{H}/v1/", f"{H}/v1/chat/completions"),
    ("deepchat", "anthropic", H, f"{H}/v1/messages"),
    ("deepchat", "anthropic", f"{H}/v1/messages", f"{H}/v1/messages"),
    ("deepchat", "gemini", f"{H}/v1", f"{H}/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"),
    ("big-agi", "openai", f"{H}/v1", f"{H}/v1/chat/completions"),
    ("big-agi", "openai", "127.0.0.1:8045", "https://127.0.0.1:8045/v1/chat/completions"),
    ("big-agi", "openai-env", f"{H}/v1", f"{H}/v1/v1/chat/completions"),
    ("page-assist", "openai", f"{H}/v1/", f"{H}/v1/chat/completions"),
    ("5ire", "openai", f"{H}/v1//", f"{H}/v1/chat/completions"),
    ("5ire", "anthropic", f"{H}/v1", f"{H}/v1/messages"),
    ("void", "openai-compatible", f"{H}/v1", f"{H}/v1/chat/completions"),
    ("bolt-diy", "openai-like", f"{H}/v1/", f"{H}/v1/chat/completions"),
    ("flowise", "openai-custom", f"{H}/v1", f"{H}/v1/chat/completions"),
    ("flowise", "gemini", f"{H}/", f"{H}//v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"),
    ("new-api", "openai", f"{H}/", f"{H}//v1/chat/completions"),
    ("one-api", "openai", f"{H}/", f"{H}/v1/chat/completions"),
    ("one-api", "openai-compatible", f"{H}/v1", f"{H}/v1/chat/completions"),
]


@pytest.mark.parametrize(("client", "mode", "base_url", "url"), EXAMPLES)
def test_the_request_is_the_one_that_the_source_says(client: str, mode: str, base_url: str, url: str) -> None:
    found = next(each for each in find_client(client).modes if each.id == mode)
    assert simulate(found, base_url, table_for(None)).requests[0].url == url


def test_every_version_of_cherry_studio_has_one_rule_of_a_mode() -> None:
    named: dict[str, list[tuple[str | None, str | None]]] = {}
    for mode in find_client("cherry-studio").modes:
        named.setdefault(mode.name, []).append(mode.versions)
    assert named["OpenAI"] == [("1.7.2", None), ("1.7.0", "1.7.2"), (None, "1.7.0")]
    assert all(versions[:2] == [("1.7.2", None), ("1.7.0", "1.7.2")] for versions in named.values())


def test_continue_reads_config_json_only_where_there_is_no_config_yaml() -> None:
    places = places_of("continue")
    assert places is not None
    exclusive = [each.paths["linux"] for each in places.sources if each.merge == "exists"]
    assert exclusive == [("{continue}/config.yaml",), ("{continue}/config.json",)]


def test_cherry_studio_2_keeps_its_providers_in_a_database() -> None:
    places = places_of("cherry-studio")
    assert places is not None
    assert [each.because for each in places.closed] == ["sqlite", "leveldb"]


def test_vs_code_tells_the_kind_of_api_from_the_address_where_no_type_is_given_so_that_is_not_judged() -> None:
    places = places_of("vscode-copilot-chat")
    assert places is not None
    custom = places.sources[0].values[0]
    assert mode_of(custom, "messages", None) == "messages"
    assert mode_of(custom, None, None) is None
