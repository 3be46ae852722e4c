"""A client's own sentence, without any path, leads to the base URL that the client needs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antigravity_doctor.diagnosis.client_errors import clients_that_say, explain_client_error
from antigravity_doctor.diagnosis.explaining import Explanation
from antigravity_doctor.knowledge.clients import all_clients, find_client
from antigravity_doctor.knowledge.routes import table_for

ORIGIN = "http://127.0.0.1:8045"
CLAUDE = "There's an issue with the selected model (claude-x). It may not exist or you may not have access to it."


def ask(text: str, client: str | None = None, base: str | None = None, not_found: bool = False) -> Explanation | None:
    return explain_client_error(
        text,
        table=table_for(None),
        origin=ORIGIN,
        client=find_client(client) if client is not None else None,
        base_url=ORIGIN + base if base is not None else None,
        not_found=not_found,
    )


@pytest.mark.parametrize(
    ("text", "client", "base_url"),
    [
        (CLAUDE, "claude-code", ORIGIN),
        ("litellm.NotFoundError: AnthropicException", "litellm", ORIGIN + "/v1"),
        ("■ unexpected status 404 Not Found", "codex", ORIGIN + "/v1"),
        ("Error: Empty response received from LLM. Check your provider account?", "aider", ORIGIN + "/v1"),
        ("This may mean that you forgot to add '/v1' to the end of your 'apiBase' in config.json.", "continue",
         ORIGIN + "/v1"),
    ],
)  # fmt: skip
def test_the_words_of_a_client_lead_to_its_base_url(text: str, client: str, base_url: str) -> None:
    found = ask(text)
    assert found is not None
    assert found.findings[0].code == "AGD321"
    assert base_url in [fix.base_url for fix in found.fixes if client in fix.clients]


@pytest.mark.parametrize(
    "text",
    [CLAUDE.upper(), CLAUDE.replace(" ", "\n  "), CLAUDE.replace("'", "’"), f"│ {CLAUDE} │ (exit 1)"],
    ids=["upper case", "wrapped", "typographic quotes", "in a box"],
)
def test_how_it_was_copied_does_not_matter(text: str) -> None:
    assert find_client("claude-code") in clients_that_say(text)[1]


def test_the_longest_words_decide_who_it_was() -> None:
    _, clients = clients_that_say("litellm.NotFoundError: NotFoundError: OpenAIException - Error code: 404")
    ids = {each.id for each in clients}
    assert "litellm" in ids
    assert "langchain-openai" not in ids  # which says only the second half


@pytest.mark.parametrize(
    "client", [each for each in all_clients() if each.raw["error_texts"]], ids=lambda each: each.id
)
def test_every_client_that_has_words_is_found_by_its_own(client) -> None:  # type: ignore[no-untyped-def]
    texts = [text for text in client.raw["error_texts"] if len(text) >= 10]
    assert all(client in clients_that_say(f"[ {text} ]")[1] for text in texts)


def test_with_the_base_url_the_request_is_worked_out() -> None:
    found = ask(CLAUDE, "claude-code", "/v1")
    assert found is not None
    assert found.path == "/v1/v1/messages"
    assert [each.code for each in found.findings] == ["AGD301"]
    assert found.fixes[0].base_url == ORIGIN


def test_with_a_right_base_url_the_words_mean_what_they_say() -> None:
    found = ask(CLAUDE, "claude-code", "")
    assert found is not None
    assert found.verdict == "not-a-path-problem"
    assert [each.code for each in found.findings] == ["AGD405"]


def test_a_client_that_was_named_is_the_one_that_is_answered_for() -> None:
    found = ask("Error code: 404", "anthropic-python")
    assert found is not None
    assert [fix.base_url for fix in found.fixes] == [ORIGIN]


def test_a_bare_404_gets_the_base_url_for_each_kind_of_client() -> None:
    found = ask("it says 404", not_found=True)
    assert found is not None
    assert found.findings[0].code == "AGD322"
    assert {ORIGIN, ORIGIN + "/v1"} <= {fix.base_url for fix in found.fixes}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Error code: 404 - {'error': {'message': 'The model gpt-9 does not exist'}}", "AGD412"),
        ('NotFoundError: Error code: 404 {"error":{"code":"model_not_found","message":"no such model"}}', "AGD412"),
        ("ClientError: 404 Not Found. {'message': '', 'status': 'Not Found'}", "AGD321"),
        ('ApiError: {"error":{"message":"","code":404,"status":"Not Found"}}', "AGD321"),
    ],
)
def test_a_404_with_a_message_of_its_own_is_not_blamed_on_the_base_url(text: str, code: str) -> None:
    found = ask(text, not_found=True)
    assert found is not None
    assert found.findings[0].code == code
    assert bool(found.fixes) is (code == "AGD321")


@pytest.mark.parametrize("text", ["", "hello", "Error", "it does not work", "rate limit exceeded"])
def test_other_words_say_nothing(text: str) -> None:
    assert ask(text) is None


@given(st.text())
def test_no_text_whatever_raises(text: str) -> None:
    assert ask(text) is None or clients_that_say(text)[0]


def test_every_fix_leads_to_a_route() -> None:
    for client in all_clients():
        found = ask("404", client.id, not_found=True)
        assert found is not None
        assert all(fix.route and fix.resulting_path for fix in found.fixes)
