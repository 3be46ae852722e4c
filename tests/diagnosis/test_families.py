"""Which suffixes a path ends in, and what base was in front of them."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from antigravity_doctor.diagnosis.families import client_ids, from_base, hypotheses
from antigravity_doctor.diagnosis.joining import join
from antigravity_doctor.diagnosis.simulating import fill
from antigravity_doctor.diagnosis.urls import split_url
from antigravity_doctor.knowledge.clients import all_clients, find_client

ORIGIN = "http://h"
MODES = [mode for client in all_clients() for mode in client.modes if mode.protocol not in ("azure", "ollama")]


def readings(
    path: str, client: str | None = None, method: str | None = None, endpoint: str = ""
) -> set[tuple[str, str]]:
    """(base path, what was added to it) of every hypothesis."""
    chosen = find_client(client) if client else None
    return {(each.base_path, each.appends) for each in hypotheses(path, chosen, method, endpoint)}


@pytest.mark.parametrize(
    ("path", "client", "expected"),
    [
        (
            "/v1/v1/chat/completions",
            "openai-python",
            {("/v1/v1", "/chat/completions"), ("/v1/v1/chat", "/completions")},
        ),
        ("/v1/v1/chat/completions", "nextchat", {("/v1", "/v1/chat/completions")}),
        ("/v1/v1/messages", "claude-code", {("/v1", "/v1/messages")}),
        ("/v1/messages", "claude-code", {("", "/v1/messages")}),
        ("/v1/models/a-b.c:streamGenerateContent", "opencode", {("/v1", "/models/a-b.c:streamGenerateContent")}),
        ("/v1/chat/completions/responses", "codex", {("/v1/chat/completions", "/responses")}),
        ("/v1/messages", "codex", set()),
        ("/wibble", None, set()),
    ],
)
def test_every_reading_of_a_path(path: str, client: str | None, expected: set[tuple[str, str]]) -> None:
    assert readings(path, client) == expected


def test_a_rule_that_adds_the_version_has_two_readings() -> None:
    found = readings("/x/v1/chat/completions", "cherry-studio", endpoint="/chat/completions")
    assert ("/x", "/v1/chat/completions") in found
    assert ("/x/v1", "/chat/completions") in found


def test_a_suffix_must_cover_the_whole_endpoint() -> None:
    assert ("/v1/chat", "/completions") not in readings("/v1/chat/completions", endpoint="/chat/completions")


def test_a_closing_slash_in_front_of_the_suffix_is_of_those_clients_that_simply_add() -> None:
    found = hypotheses("/v1//chat/completions", find_client("openai-python"), None, "/chat/completions")
    assert {(each.base_path, mode.id) for each in found for mode in each.modes} == {("/v1/", "chat-0.28")}


def test_where_no_client_simply_adds_there_is_still_the_reading_but_nobody_to_name() -> None:
    found = hypotheses("//v1/messages", find_client("claude-code"), None, "/messages")
    assert [(each.base_path, each.modes) for each in found] == [("/", ())]


def test_the_method_decides_where_it_can() -> None:
    both = {each.family.method for each in hypotheses("/v1/v1/responses", None, None)}
    assert both == {"GET", "POST"}
    assert {each.family.method for each in hypotheses("/v1/v1/responses", None, "GET")} == {"GET"}
    assert {each.family.method for each in hypotheses("/v1/v1/models", None, "HEAD")} == {"GET"}
    assert {each.family.method for each in hypotheses("/v1/v1/messages", None, "GET")} == {"POST"}


def test_clients_are_named_once_in_order() -> None:
    modes = [*find_client("cline").modes, *find_client("codex").modes]
    assert client_ids(modes) == ("cline", "codex")


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(MODES),
    st.sampled_from(
        ["", "/v1", "/v1beta", "/v1/", "/x", "/openai/v1", "/v1/v1", "/v1/chat/completions", "/x/y/", "/V1"]
    ),
    st.data(),
)
def test_what_a_client_makes_of_its_base_url_is_recognised(mode: object, base: str, data: st.DataObject) -> None:
    """Joined, and read backwards: with the base known always, without it among the readings of its own client."""
    chosen = next(each for each in MODES if each is mode)
    # Two placeholders stand in the paths of Vertex AI alone, which are known by their style; a client that adds nothing
    # (its setting takes the whole endpoint) has no suffix that could be recognised (AGD317).
    requests = [each for each in chosen.requests if each.suffix and each.suffix.count("{") < 2]
    assume(requests)
    request = data.draw(st.sampled_from(requests))
    client = find_client(chosen.client)
    path = split_url(join(chosen.steps, ORIGIN + base, fill(request.suffix))).path
    exact = from_base(path, base, client, request.method)
    assert any(chosen in each.modes for each in exact)
    assert all(each.base_path == base for each in exact)
    guessed = hypotheses(path, client, request.method)
    found = [each for each in guessed if chosen in each.family.modes]
    # A rule that takes a part of the base away leaves no trace of it: then a base that comes to the same is as good.
    same = [split_url(join(chosen.steps, ORIGIN + each.base_path, fill(request.suffix))).path for each in found]
    # A base that is used as typed, since it holds the endpoint of another mode, shows nothing of this one's suffix.
    kept = path == base and not path.endswith(request.suffix)
    assert any(each.base_path.rstrip("/") == base.rstrip("/") for each in found) or path in same or kept
