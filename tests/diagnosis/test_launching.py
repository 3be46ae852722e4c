"""`trace -- COMMAND`: the variables that lead a client to the recorder, and what becomes of those that were there."""

from __future__ import annotations

import pytest

from antigravity_doctor.diagnosis.launching import Launch, launch, leads_to
from antigravity_doctor.diagnosis.recommending import KEY_PLACEHOLDER, recommend
from antigravity_doctor.diagnosis.simulating import simulate
from antigravity_doctor.knowledge.clients import Client, all_clients, client_of_program, find_client
from antigravity_doctor.knowledge.routes import table_for

PROXY = "http://127.0.0.1:8045"
RECORDER = "http://127.0.0.1:18045"
TABLE = table_for(None)


def launched(client: str | None, base_path: str | None = None, **environment: str) -> Launch:
    named = find_client(client) if client else None
    return launch(named, TABLE, RECORDER, PROXY, environment, base_path=base_path)


def values(found: Launch) -> dict[str, str]:
    return {each.name: each.value for each in found.variables}


@pytest.mark.parametrize(
    ("client", "name", "value"),
    [
        ("claude-code", "ANTHROPIC_BASE_URL", RECORDER),
        ("anthropic-python", "ANTHROPIC_BASE_URL", RECORDER),
        ("openai-python", "OPENAI_BASE_URL", RECORDER + "/v1"),
        ("gemini-cli", "GOOGLE_GEMINI_BASE_URL", RECORDER),
    ],
)
def test_a_known_client_gets_the_right_base_url(client: str, name: str, value: str) -> None:
    found = launched(client)
    assert values(found)[name] == value
    assert {each.why for each in found.variables} <= {"right", "key", "also"}


@pytest.mark.parametrize("client", [each for each in all_clients() if each.kind != "app"], ids=lambda each: each.id)
def test_with_what_is_set_every_required_request_of_the_client_lands(client: Client) -> None:
    for each in launch(client, TABLE, RECORDER, PROXY, {}).variables:
        if each.why != "right":
            continue
        readers = [
            found.mode
            for found in recommend(client, TABLE, RECORDER)
            if any((one.kind, one.name) == ("env", each.name) for one in found.settings)
        ]
        assert any(simulate(mode, each.value, TABLE).works for mode in readers)


def test_an_unknown_client_gets_the_variables_of_all() -> None:
    found = values(launched(None))
    assert {"OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL"} <= set(found)


def test_a_client_that_reads_only_a_file_is_named_with_that_file() -> None:
    found = launched("codex")
    assert found.variables == ()
    assert any(each.value == RECORDER + "/v1" and each.where and "config.toml" in each.where for each in found.files)


def test_a_client_with_a_variable_needs_no_file() -> None:
    assert launched("claude-code").files == ()


# --- what was there before -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "becomes", "why"),
    [
        (PROXY + "/v1", RECORDER + "/v1", "kept"),
        (PROXY, RECORDER, "kept"),
        (PROXY + "/", RECORDER + "/", "kept"),
        ("http://localhost:8045/v1/messages", RECORDER + "/v1/messages", "kept"),
        ("http://[::1]:8045/v1", RECORDER + "/v1", "kept"),
        ("http://127.0.0.1:8045/v1?x=1", RECORDER + "/v1?x=1", "kept"),
        ("https://api.anthropic.com", RECORDER, "replaced"),
        ("http://127.0.0.1:8046/v1", RECORDER, "replaced"),
        ("http://192.168.1.20:8045/v1", RECORDER, "replaced"),
        ("127.0.0.1:8045/v1", RECORDER, "replaced"),
        ("nonsense", RECORDER, "replaced"),
        ("http://", RECORDER, "replaced"),
        ("http://127.0.0.1:99999", RECORDER, "replaced"),
        ("", RECORDER, "right"),
    ],
)
def test_the_user_s_own_value(own: str, becomes: str, why: str) -> None:
    (found,) = [
        each for each in launched("claude-code", ANTHROPIC_BASE_URL=own).variables if each.name == "ANTHROPIC_BASE_URL"
    ]
    assert (found.value, found.why, found.was) == (becomes, why, own or None)


@pytest.mark.parametrize(("base_path", "value"), [("/v1", RECORDER + "/v1"), ("", RECORDER), ("/x/", RECORDER + "/x/")])
def test_the_path_that_was_asked_for_wins(base_path: str, value: str) -> None:
    found = launched("claude-code", base_path, ANTHROPIC_BASE_URL=PROXY + "/other")
    (url,) = [each for each in found.variables if each.name == "ANTHROPIC_BASE_URL"]
    assert (url.value, url.why) == (value, "asked")


# --- keys ------------------------------------------------------------------------------------------------------------


def test_a_client_without_a_key_gets_a_placeholder() -> None:
    keys = [each for each in launched("claude-code").variables if each.why == "key"]
    assert [(each.name, each.value) for each in keys] == [("ANTHROPIC_API_KEY", KEY_PLACEHOLDER)]


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"])
def test_a_key_that_is_there_is_left_alone(name: str) -> None:
    found = launched("claude-code", **{name: "sk-mine"})
    assert not [each for each in found.variables if each.why == "key"]
    assert "sk-mine" not in repr(found)


def test_a_client_without_a_variable_gets_no_key_that_would_go_elsewhere() -> None:
    assert not [each for each in launched("codex").variables if each.why == "key"]


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "client"),
    [
        ("claude", "claude-code"),
        ("/usr/local/bin/claude", "claude-code"),
        ("gemini", "gemini-cli"),
        ("codex", "codex"),
        ("C:\\Users\\me\\AppData\\npm\\claude.cmd", "claude-code"),
        ("Claude.exe", "claude-code"),
        ("python", None),
        ("node", None),
        ("", None),
        ("claude-wrapper", None),
    ],
)
def test_a_program_tells_its_client(program: str, client: str | None) -> None:
    found = client_of_program(program)
    assert (found.id if found else None) == client


@pytest.mark.parametrize(
    ("url", "proxy", "leads"),
    [
        ("http://127.0.0.1:8045/v1", PROXY, True),
        ("HTTP://LocalHost:8045", PROXY, True),
        ("http://127.0.0.1:8045", "http://192.168.1.20:8045", False),
        ("http://192.168.1.20:8045/v1", "http://192.168.1.20:8045", True),
        ("https://proxy.example/v1", "https://proxy.example", True),
        ("https://proxy.example:443/v1", "https://proxy.example", True),
        ("http://proxy.example", "https://proxy.example", False),
        ("http://127.0.0.1", PROXY, False),
    ],
)
def test_what_leads_to_the_proxy(url: str, proxy: str, leads: bool) -> None:
    assert leads_to(url, proxy) is leads


def test_https_to_the_proxy_s_plain_port_is_not_the_proxy() -> None:
    assert not leads_to("https://127.0.0.1:8045/v1", PROXY)
    found = launched("openai-python", OPENAI_BASE_URL="https://127.0.0.1:8045/v1")
    assert next(each for each in found.variables if each.name == "OPENAI_BASE_URL").why == "replaced"


def test_without_a_key_to_give_no_variable_holds_one() -> None:
    found = launch(find_client("openai-python"), TABLE, RECORDER, PROXY, {}, with_key=False)
    assert all(each.why != "key" for each in found.variables)
