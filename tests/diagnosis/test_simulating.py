"""What a client would request with a base URL."""

from __future__ import annotations

import pytest

from antigravity_doctor.diagnosis.simulating import fill, simulate
from antigravity_doctor.knowledge.clients import find_client
from antigravity_doctor.knowledge.routes import table_for

ORIGIN = "http://127.0.0.1:8045"


def run(client: str, mode: str, base: str, version: str | None = None) -> tuple[bool, list[tuple[str, str, str]]]:
    """Whether it works, and (method, path, verdict) of the required requests."""
    chosen = next(each for each in find_client(client).modes if each.id == mode)
    found = simulate(chosen, ORIGIN + base, table_for(version))
    return found.works, [(each.method, each.path, each.verdict) for each in found.requests if each.required]


@pytest.mark.parametrize(
    ("client", "mode", "base", "works", "path"),
    [
        ("claude-code", "messages", "", True, "/v1/messages"),
        ("claude-code", "messages", "/", True, "/v1/messages"),
        ("claude-code", "messages", "/v1", False, "/v1/v1/messages"),
        ("openai-python", "chat", "/v1", True, "/v1/chat/completions"),
        ("openai-python", "chat", "/v1/", True, "/v1/chat/completions"),
        ("openai-python", "chat", "", False, "/chat/completions"),
        ("openai-python", "chat", "/v1/chat/completions", False, "/v1/chat/completions/chat/completions"),
        ("codex", "responses", "/v1/chat/completions", False, "/v1/chat/completions/responses"),
        ("cherry-studio", "openai", "", True, "/v1/chat/completions"),
        ("cherry-studio", "openai", "/v1", True, "/v1/chat/completions"),
        ("nextchat", "openai", "/v1", False, "/v1/v1/chat/completions"),
    ],
)
def test_the_paths_of_a_client(client: str, mode: str, base: str, works: bool, path: str) -> None:
    verdict = "routed" if works else "misrouted"
    assert run(client, mode, base) == (works, [("POST", path, verdict)])


def test_the_version_of_the_proxy_counts() -> None:
    assert run("codex", "responses", "", "4.3.8")[0] is False
    assert run("codex", "responses", "", "4.3.9")[0] is True


def test_a_request_that_is_taken_for_a_model_does_not_land() -> None:
    assert run("ai-sdk-anthropic", "messages", "/v1beta/models") == (
        False,
        [("POST", "/v1beta/models/messages", "misrouted")],
    )


def test_a_list_that_two_protocols_share_lands() -> None:
    mode = next(each for each in find_client("anthropic-python").modes if each.id == "messages")
    listed = next(each for each in simulate(mode, ORIGIN, table_for(None)).requests if each.path == "/v1/models")
    assert (listed.verdict, listed.route) == ("routed", "/v1/models")


def test_a_route_with_another_method_is_told_apart_from_a_miss() -> None:
    mode = next(each for each in find_client("codex").modes if each.id == "responses")
    verdicts = {each.method: each.verdict for each in simulate(mode, ORIGIN + "/v1", table_for("4.2.0")).requests[:2]}
    assert verdicts == {"POST": "routed", "GET": "wrong-method"}


def test_the_query_is_kept_apart() -> None:
    mode = find_client("claude-code").modes[0]
    first = simulate(mode, ORIGIN, table_for(None)).requests[0]
    assert (first.url, first.path, first.query) == (ORIGIN + "/v1/messages?beta=true", "/v1/messages", "beta=true")


def test_what_is_not_required_does_not_decide() -> None:
    mode = next(each for each in find_client("openai-python").modes if each.id == "chat")
    found = simulate(mode, ORIGIN + "/v1", table_for(None))
    assert found.works
    assert "misrouted" in {each.verdict for each in found.requests if not each.required}


def test_placeholders_are_filled_with_what_can_stand_in_a_path() -> None:
    assert fill("/v1/models") == "/v1/models"
    filled = fill("/projects/{id}/models/{model}:x/{deployment}")
    assert "{" not in filled
    assert filled.count("/") == 5
