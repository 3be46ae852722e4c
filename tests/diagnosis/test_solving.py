"""The base URL that makes a client work, solved from its rule and the route table of a version."""

from __future__ import annotations

from typing import Any

import pytest

from antigravity_doctor.diagnosis.simulating import simulate
from antigravity_doctor.diagnosis.solving import candidate_paths, is_version, solve
from antigravity_doctor.knowledge.clients import Mode, all_clients, client_from_json, find_client
from antigravity_doctor.knowledge.routes import table_for

TABLE = table_for(None)
ORIGIN = "http://127.0.0.1:8045"


def solved(client: str, mode: str, version: str | None = None) -> list[str]:
    chosen = next(each for each in find_client(client).modes if each.id == mode)
    return [each.base_path for each in solve(chosen, table_for(version))]


def mode_of(join: Any, *requests: tuple[str, str, bool], protocol: str = "openai") -> Mode:
    entry = {
        "id": "x", "name": "X", "kind": "app",
        "modes": [
            {
                "id": "m", "name": "M", "protocol": protocol, "join": join,
                "requests": [{"method": m, "suffix": s, "required": r, "when": ""} for m, s, r in requests],
            }
        ],
    }  # fmt: skip
    return client_from_json(entry).modes[0]


@pytest.mark.parametrize(
    ("client", "mode", "bases"),
    [
        ("openai-python", "chat", ["/v1"]),
        ("anthropic-python", "messages", [""]),
        ("claude-code", "messages", [""]),
        ("gemini-cli", "gemini", [""]),
        ("ai-sdk-google", "gemini", ["/v1beta"]),
        ("ai-sdk-anthropic", "messages", ["/v1"]),
        ("nextchat", "openai", [""]),
        ("kilo-code", "gemini", [""]),
        ("cherry-studio", "openai", ["", "/v1"]),
        ("google-genai-python", "gemini-no-version", []),
        ("google-genai-python", "vertex-key", []),
    ],
)
def test_the_base_url_of_a_client(client: str, mode: str, bases: list[str]) -> None:
    assert solved(client, mode) == bases


def test_the_route_that_is_there_since_the_oldest_version_comes_first() -> None:
    assert solved("codex", "responses") == ["/v1", ""]


def test_an_older_version_has_fewer_answers() -> None:
    assert solved("codex", "responses", "4.3.8") == ["/v1"]
    assert solved("codex", "responses", "3.2.0") == []
    assert solved("claude-code", "messages", "3.0.0") == []


def test_requests_that_are_not_required_decide_between_equals() -> None:
    mode = mode_of("append", ("POST", "/responses", True), ("GET", "/models", False))
    assert [(each.base_path, each.optional) for each in solve(mode, TABLE)] == [("/v1", 1), ("", 0)]


def test_landing_on_another_protocol_is_no_solution() -> None:
    # /v1beta/models/messages would be taken for a model that is called "messages".
    mode = mode_of("append", ("POST", "/messages", True), protocol="anthropic")
    assert [each.base_path for each in solve(mode, TABLE)] == ["/v1"]
    assert solve(mode_of("append", ("POST", "/messages", True), protocol="openai"), TABLE) == ()


def test_the_method_must_be_taken() -> None:
    assert solve(mode_of("append", ("GET", "/chat/completions", True)), TABLE) == ()


@pytest.mark.parametrize(
    ("join", "base"),
    [
        ("whole", "/v1/chat/completions"),
        ("resolve", ""),
        ([{"keep-if": "/completions$"}, "append"], "/v1"),
        ([{"add-unless": {"text": "/v1", "pattern": "#$"}}, {"drop-end": "#"}, "append"], ""),
    ],
)
def test_rules_that_do_not_simply_add(join: Any, base: str) -> None:
    suffix = "/v1/chat/completions" if join == "resolve" else "/chat/completions"
    mode = mode_of(join, ("POST", suffix, True))
    assert solve(mode, TABLE)[0].base_path == base


def test_a_sign_that_a_rule_reads_is_tried_as_well() -> None:
    rule = [{"add-unless": {"text": "/wibble", "pattern": "#$"}}, {"drop-end": "#"}, "append"]
    assert solve(mode_of(rule, ("POST", "/chat/completions", True)), TABLE)[0].base_path == "/v1#"
    slash = [{"add-unless": {"text": "/wibble/", "pattern": "/$"}}, "strip-slash", "append"]
    assert solve(mode_of(slash, ("POST", "/chat/completions", True)), TABLE)[0].base_path == "/v1/"


@pytest.mark.parametrize("client", all_clients(), ids=lambda client: client.id)
def test_a_solution_is_proved_by_simulating(client: Any) -> None:
    for mode in client.modes:
        for solution in solve(mode, TABLE):
            assert simulate(mode, ORIGIN + solution.base_path, TABLE).works


def test_every_client_has_a_mode_that_works() -> None:
    assert [each.id for each in all_clients() if not any(solve(mode, TABLE) for mode in each.modes)] == []


def test_candidates_come_from_the_table() -> None:
    plain, longer = candidate_paths(TABLE)
    assert plain == ("", "/v1", "/v1beta")
    assert "/v1/chat/completions" in longer
    assert "/mcp" not in longer
    assert candidate_paths(table_for("3.0.0"))[0] == ("", "/v1")


@pytest.mark.parametrize("segment", ["v1", "V1", "v1beta", "v1alpha", "v1beta1", "v4", "v10", "V1Beta2"])
def test_what_is_a_version(segment: str) -> None:
    assert is_version(segment)


@pytest.mark.parametrize("segment", ["", "v", "vx", "v1x", "1", "v1.5", "version", "v1betamax", "v²", "v1-beta"])
def test_what_is_no_version(segment: str) -> None:
    assert not is_version(segment)
