"""Judging what was found on a machine: right, wrong, stale, elsewhere, overridden, ignored, shared, unclear."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antigravity_doctor.diagnosis.scanning import (
    Evidence,
    FoundBaseUrl,
    Judged,
    Neighbour,
    Proxy,
    Scan,
    Spot,
    Unreadable,
    Variable,
    place,
    ports_in,
    scan,
)
from antigravity_doctor.diagnosis.simulating import simulate
from antigravity_doctor.knowledge.clients import all_clients
from antigravity_doctor.knowledge.routes import table_for

ORIGIN = "http://127.0.0.1:8045"
TABLE = table_for(None)
FILE = Spot("file", "env.ANTHROPIC_BASE_URL", "~/.claude/settings.json", 3, 27, "user")
SHELL = Spot("env", "ANTHROPIC_BASE_URL", None, None, None, None)


def found(value: str, client: str = "claude-code", mode: str | None = "messages", **more: Any) -> FoundBaseUrl:
    wanted: dict[str, Any] = {"spot": FILE, "order": 1, "slot": (mode or "",), "format": "json", **more}
    return FoundBaseUrl(client, mode, value, **wanted)


PROXY = Proxy(ORIGIN, True, frozenset({8045, 8050}), frozenset({"my-laptop", "192.168.1.5"}))


def judge(*values: FoundBaseUrl, around: dict[int, Neighbour] | None = None, proxy: Proxy = PROXY, **more: Any) -> Scan:
    here = more.pop("here", frozenset(each.client for each in values))
    return scan(Evidence(values, here=here, **more), TABLE, proxy, around or {})


def only(value: str, client: str = "claude-code", mode: str | None = "messages", **more: Any) -> Judged:
    around, proxy = more.pop("around", None), more.pop("proxy", PROXY)
    return judge(found(value, client, mode, **more), around=around, proxy=proxy).clients[0].judged[0]


@pytest.mark.parametrize(
    ("value", "client", "mode", "state"),
    [
        (ORIGIN, "claude-code", "messages", "right"),
        (ORIGIN + "/", "claude-code", "messages", "right"),
        ("http://localhost:8045", "claude-code", "messages", "right"),
        (ORIGIN + "/v1", "claude-code", "messages", "wrong"),
        (ORIGIN + "/v1", "codex", "responses", "right"),
        (ORIGIN + "/v1beta", "opencode", "google", "right"),
        (ORIGIN + "/v1", "opencode", "google", "wrong"),
        (ORIGIN, "opencode", "anthropic", "wrong"),
        ("http://host.docker.internal:8045", "claude-code", "messages", "unclear"),
        ("http://0.0.0.0:8045/v1", "claude-code", "messages", "wrong"),
        ("http://my-laptop:8045", "claude-code", "messages", "right"),
        ("http://192.168.1.5:8045/v1", "claude-code", "messages", "wrong"),
        ("http://[::1]:8045", "claude-code", "messages", "wrong"),
        ("https://api.anthropic.com", "claude-code", "messages", "elsewhere"),
        ("https://openrouter.ai/api", "claude-code", "messages", "elsewhere"),
        ("http://192.168.1.20:8045", "claude-code", "messages", "elsewhere"),
        ("https://127.0.0.1:8045", "claude-code", "messages", "wrong"),
        ("https://127.0.0.1:9443", "claude-code", "messages", "elsewhere"),
        ("http://127.0.0.1:8046", "claude-code", "messages", "unclear"),
        ("http://127.0.0.1:99999", "claude-code", "messages", "wrong"),
        ("http//127.0.0.1:8045", "claude-code", "messages", "wrong"),
        ("http://user:word@127.0.0.1:8045", "claude-code", "messages", "right"),
        ("http://user:word@127.0.0.1:8045/v1", "claude-code", "messages", "wrong"),
        ("127.0.0.1", "claude-code", "messages", "unclear"),
    ],
)
def test_the_state_of_a_value(value: str, client: str, mode: str, state: str) -> None:
    assert only(value, client, mode).state == state


@pytest.mark.parametrize(
    ("url", "state"), [("http://host.docker.internal:8045", "right"), ("http://host.docker.internal:9000", "elsewhere")]
)
def test_in_a_container_the_computer_outside_has_a_name(url: str, state: str) -> None:
    assert only(url, proxy=PROXY._replace(in_container=True)).state == state


@pytest.mark.parametrize(
    ("value", "code", "fix"),
    [
        ("https://127.0.0.1:8045", "AGD105", ORIGIN),
        ("http://[::1]:8045/v1", "AGD104", ORIGIN),
        ("https://localhost:8045/v1", "AGD105", "http://localhost:8045"),
    ],
)
def test_an_address_under_which_the_proxy_never_is(value: str, code: str, fix: str) -> None:
    judged = only(value)
    assert [each.code for each in judged.findings] == [code]
    assert judged.fixes[0].base_url == fix


@pytest.mark.parametrize(
    ("port", "state", "severity", "fixable"),
    [
        (8050, "stale", "error", True),  # where the proxy used to be
        (8046, "stale", "warning", False),  # whose it was is not known
        (11434, "elsewhere", None, False),  # Ollama's usual port
        (1234, "elsewhere", None, False),  # LM Studio's
    ],
)
def test_a_port_where_nothing_listens_is_only_sometimes_the_proxys(
    port: int, state: str, severity: str | None, fixable: bool
) -> None:
    judged = only(f"http://127.0.0.1:{port}", around={port: Neighbour("nothing")})
    assert judged.state == state
    assert [each.severity for each in judged.findings] == ([severity] if severity else [])
    assert judged.fixable is fixable


def test_nothing_is_to_be_led_to_a_proxy_that_does_not_answer() -> None:
    judged = only("http://127.0.0.1:8050", around={8050: Neighbour("nothing")}, proxy=PROXY._replace(answers=False))
    assert judged.state == "stale"
    assert not judged.fixable


@pytest.mark.parametrize(
    ("neighbour", "state"),
    [
        (Neighbour("nothing"), "stale"),
        (Neighbour("proxy", "4.5.8"), "right"),
        (Neighbour("program", program="Ollama"), "elsewhere"),
        (Neighbour("unclear"), "unclear"),
    ],
)
def test_another_local_port_is_what_answers_there(neighbour: Neighbour, state: str) -> None:
    judged = only("http://127.0.0.1:8046", around={8046: neighbour})
    assert judged.state == state
    assert [each.code for each in judged.findings] == (["AGD512"] if state == "stale" else [])


def test_a_wrong_value_says_what_will_be_asked_for_and_what_to_set() -> None:
    judged = only(ORIGIN + "/v1")
    assert [each.code for each in judged.findings] == ["AGD510", "AGD301"]
    assert judged.findings[0].facts["path"] == "/v1/v1/messages"
    assert judged.request is not None
    assert judged.request.path == "/v1/v1/messages"
    assert judged.fixes[0].base_url == ORIGIN


def test_the_fix_keeps_the_host_as_the_user_spells_it() -> None:
    assert only("http://localhost:8045/v1").fixes[0].base_url == "http://localhost:8045"


def test_a_stale_value_is_sent_to_the_proxy() -> None:
    judged = only("http://127.0.0.1:8046/v1", "codex", "responses", around={8046: Neighbour("nothing")})
    assert judged.fixes[0].base_url == ORIGIN + "/v1"


@pytest.mark.parametrize(
    ("value", "severity", "fixes"),
    [
        ("http//127.0.0.1:8045/v1", "error", [ORIGIN]),
        ("http:/localhost:8045", "error", [ORIGIN]),
        ("http://127.0.0.1:80450/v1", "error", [ORIGIN]),
        ('"http://127.0.0.1:8045', "error", [ORIGIN]),
        ("https//api.example.com/v1", "warning", []),
    ],
)
def test_what_is_no_url_is_told_and_never_written_by_a_program(value: str, severity: str, fixes: list[str]) -> None:
    judged = only(value)
    assert [(each.code, each.severity) for each in judged.findings] == [("AGD515", severity)]
    assert [each.base_url for each in judged.fixes] == fixes
    assert not judged.sure
    assert not judged._replace(sure=True).fixable  # not for a client that was named, either
    assert "Type it like" not in judged.findings[0].facts["detail"]


def test_a_value_with_a_password_is_judged_without_it_and_left_to_the_user() -> None:
    judged = only("http://user:word@127.0.0.1:8045/v1")
    assert judged.request is not None
    assert (judged.request.path, judged.fixes[0].base_url) == ("/v1/v1/messages", ORIGIN)
    assert not judged.fixable


def test_loopback_is_not_the_proxy_where_that_is_on_another_machine() -> None:
    remote = Proxy("http://192.168.77.5:8045", True, frozenset({8045}))
    assert only("http://127.0.0.1:8045", proxy=remote).state == "unclear"
    nobody = only("http://127.0.0.1:8045", proxy=remote, around={8045: Neighbour("nothing")})
    assert (nobody.state, nobody.fixes[0].base_url) == ("stale", "http://192.168.77.5:8045")
    assert only("http://192.168.77.5:8045", proxy=remote).state == "right"


def test_a_machines_own_address_is_not_the_proxy_where_that_listens_on_loopback_alone() -> None:
    closed = PROXY._replace(only_loopback=True)
    judged = only("http://192.168.1.5:8045", proxy=closed)
    assert (judged.state, judged.fixes[0].base_url) == ("wrong", ORIGIN)
    assert [(each.code, each.severity) for each in judged.findings] == [("AGD512", "error")]
    assert only("http://localhost:8045", proxy=closed).state == "right"


def test_where_another_program_answers_nothing_is_called_right_or_written() -> None:
    taken = PROXY._replace(answers=False, taken=True)
    assert only(ORIGIN, proxy=taken).state == "unclear"
    wrong = only(ORIGIN + "/v1", proxy=taken)
    assert (wrong.state, wrong.fixable) == ("wrong", False)


def test_an_entry_that_no_setting_chooses_is_not_in_use() -> None:
    unused = {"unused": ("model_provider", "mine")}
    right = only(ORIGIN + "/v1", "codex", "responses", **unused)
    assert (right.state, right.facts["why"], right.facts["entry"]) == ("ignored", "not-chosen", "mine")
    wrong = only(ORIGIN + "/v1beta", "codex", "responses", **unused)
    assert (wrong.state, wrong.sure) == ("wrong", False)
    assert {each.severity for each in wrong.findings} == {"warning"}


def test_a_variable_that_is_not_exported_is_read_by_nobody() -> None:
    variable = Variable("ANTHROPIC_BASE_URL", ORIGIN + "/v1", FILE, exported=False)
    (judged,) = judge(variables=(variable,)).variables
    assert (judged.state, judged.facts["why"], judged.findings) == ("ignored", "not-exported", ())


@pytest.mark.parametrize(
    ("name", "value", "more", "fixable"),
    [
        ("GOOGLE_GEMINI_BASE_URL", ORIGIN + "/v1beta", {"format": "dotenv"}, True),
        ("GOOGLE_GEMINI_BASE_URL", ORIGIN + "/v1beta", {}, False),  # a start-up file
        ("GOOGLE_GEMINI_BASE_URL", "http://u:w@127.0.0.1:8045/v1beta", {"format": "dotenv"}, False),
        ("ANTHROPIC_BASE_URL", ORIGIN + "/v1", {"format": "dotenv"}, False),  # right for some
    ],
)
def test_a_variable_in_a_file_is_written_where_one_value_alone_is_right(
    name: str, value: str, more: dict[str, Any], fixable: bool
) -> None:
    variable = Variable(name, value, Spot("file", name, "~/work/.env", 1, 1, "project"), **more)
    assert judge(variables=(variable,)).variables[0].fixable is fixable
    assert not judge(variables=(variable,), proxy=PROXY._replace(taken=True)).variables[0].fixable


def test_what_may_not_happen_says_so() -> None:
    assert "maybe" in only(ORIGIN, maybe=True).facts
    assert "maybe" not in only(ORIGIN).facts
    (judged,) = judge(variables=(Variable("ANTHROPIC_BASE_URL", ORIGIN, FILE, maybe=True),)).variables
    assert "maybe" in judged.facts


def test_a_value_without_scheme_is_wrong_and_gets_one() -> None:
    judged = only("127.0.0.1:8045")
    assert judged.state == "wrong"
    assert judged.findings[0].code == "AGD503"
    assert judged.fixes[0].base_url == ORIGIN


def test_the_stronger_source_wins_and_the_weaker_is_said_to_have_no_effect() -> None:
    strong, weak = found(ORIGIN, order=1), found(ORIGIN + "/v1", order=2, spot=SHELL)
    first, second = judge(weak, strong).clients[0].judged
    assert (first.state, second.state) == ("right", "overridden")
    assert second.by == FILE
    assert second.findings[0].code == "AGD511"
    assert second.findings[0].severity == "info"


def test_the_same_value_in_a_weaker_source_is_no_finding() -> None:
    _, second = judge(found(ORIGIN, order=1), found(ORIGIN, order=2, spot=SHELL)).clients[0].judged
    assert (second.state, second.findings) == ("overridden", ())


def test_values_of_different_entries_do_not_override_each_other() -> None:
    one = found(ORIGIN + "/v1", "opencode", "anthropic", slot=("entry", "a"))
    other = found(ORIGIN + "/v1", "opencode", "openai", slot=("entry", "b"), order=2)
    assert [each.state for each in judge(one, other).clients[0].judged] == ["right", "right"]


def test_a_file_that_the_client_does_not_open_has_no_effect() -> None:
    judged = only(ORIGIN, hidden_by="~/project/.env")
    assert judged.state == "overridden"
    assert judged.findings[0].facts["winner"] == "~/project/.env"


def test_what_the_client_does_not_read_is_not_judged() -> None:
    assert only(ORIGIN + "/v1", ignored=True).state == "ignored"


def test_a_value_that_is_worked_out_elsewhere_is_not_judged() -> None:
    assert only("${PROXY}/v1", literal=False).facts["why"] == "not-literal"


@pytest.mark.parametrize(
    ("value", "client", "state"),
    [
        (ORIGIN + "/v1/v1", "opencode", "unclear"),
        (ORIGIN + "/v1", "opencode", "unclear"),
        (ORIGIN, "claude-code", "right"),
        (ORIGIN + "/v1", "claude-code", "wrong"),  # all of its modes want the same
    ],
)
def test_where_the_mode_is_unknown_only_what_holds_for_every_mode_is_said(value: str, client: str, state: str) -> None:
    judged = only(value, client, None)
    assert judged.state == state
    assert bool(judged.fixes) is (state == "wrong")


@pytest.mark.parametrize(
    ("at", "value", "mode", "versions"),
    [
        (("provider", "google", "options", "baseURL"), ORIGIN + "/v1", "google", ("4.1.12", "4.1.14")),
        (("provider", "google", "options", "baseURL"), ORIGIN, "google", ("4.1.7", "4.1.12")),
        (("provider", "anthropic", "options", "baseURL"), ORIGIN, "anthropic", ("4.1.7", "4.1.12")),
        (("provider", "mine", "options", "baseURL"), ORIGIN, "anthropic", None),
        (("provider", "google", "options", "baseURL"), ORIGIN + "/v1beta", "google", None),
    ],
)
def test_what_the_sync_wrote_wrong_is_recognised(
    at: tuple[str, ...], value: str, mode: str, versions: tuple[str, str] | None
) -> None:
    judged = only(value, "opencode", mode, at=at)
    said = [each for each in judged.findings if each.code == "AGD514"]
    assert [(each.facts["from"], each.facts["below"]) for each in said] == ([versions] if versions else [])


def test_a_variable_that_is_right_for_another_client_here_is_left_alone() -> None:
    env = Spot("env", "ANTHROPIC_BASE_URL", None, None, None, None)
    values = (found(ORIGIN, spot=env), found(ORIGIN, "opencode", "anthropic", spot=env))
    variable = Variable("ANTHROPIC_BASE_URL", ORIGIN, env)
    result = judge(*values, variables=(variable,))
    states = {each.client.id: each.judged[0] for each in result.clients}
    assert states["claude-code"].state == "right"
    assert states["opencode"].state == "shared"
    assert states["opencode"].fixes == ()
    assert {each.severity for each in result.findings} <= {"warning", "info"}


def test_a_variable_says_for_whom_it_is_right_and_wrong() -> None:
    result = judge(variables=(Variable("ANTHROPIC_BASE_URL", ORIGIN, SHELL),))
    variable = result.variables[0]
    assert "Claude Code" in variable.good
    assert "OpenCode" in variable.bad
    assert variable.findings[0].code == "AGD509"


@pytest.mark.parametrize(
    ("value", "state"),
    [
        (ORIGIN + "/v1", "wrong"),
        (ORIGIN, "unclear"),  # right for nearly all that read it
        ("https://generativelanguage.googleapis.com", "elsewhere"),
        ("http://", "wrong"),
    ],
)
def test_the_state_of_a_variable(value: str, state: str) -> None:
    assert judge(variables=(Variable("GOOGLE_GEMINI_BASE_URL", value, SHELL),)).variables[0].state == state


def test_a_projects_env_file_is_told_only_to_clients_that_are_here() -> None:
    dotenv = Spot("file", "ANTHROPIC_BASE_URL", "~/work/.env", 1, 20, "project")
    value = found(ORIGIN + "/v1", "crewai", "anthropic", spot=dotenv, format="dotenv", common=True)
    assert judge(value, here=frozenset()).clients == ()
    assert [each.client.id for each in judge(value).clients] == ["crewai"]


def test_a_variable_that_is_right_for_somebody_is_not_written_without_being_asked_to() -> None:
    dotenv = Spot("file", "ANTHROPIC_BASE_URL", "~/work/.env", 1, 20, "project")
    value = found(ORIGIN + "/v1", "claude-code", spot=dotenv, format="dotenv", common=True)
    judged = judge(value, variables=(Variable("ANTHROPIC_BASE_URL", ORIGIN + "/v1", dotenv),)).clients[0].judged[0]
    assert judged.state == "wrong"  # for Claude Code; right for the AI SDK, of which nobody knows whether it is here
    assert not judged.fixable


def test_a_client_that_is_not_here_is_not_told_of_a_variable() -> None:
    evidence = Evidence((found(ORIGIN, spot=SHELL),), (Variable("ANTHROPIC_BASE_URL", ORIGIN, SHELL),))
    assert scan(evidence, TABLE, PROXY, {}).clients == ()


def test_a_broken_file_is_a_finding_of_each_client_that_reads_it() -> None:
    broken = Unreadable(("claude-code",), "~/.claude/settings.json", 2, 11, "json-ends-early", "")
    result = scan(Evidence(unreadable=(broken,)), TABLE, PROXY, {})
    assert [each.client.id for each in result.clients] == ["claude-code"]
    assert result.findings[0].code == "AGD513"
    assert result.findings[0].facts["file"] == "~/.claude/settings.json:2:11"


def test_the_worst_comes_first() -> None:
    result = judge(
        found(ORIGIN + "/v1", "codex", "responses"),
        found(ORIGIN + "/v1"),
        found("https://generativelanguage.googleapis.com", "gemini-cli", "gemini"),
    )
    assert [each.worst for each in result.clients] == ["wrong", "right", "elsewhere"]


@pytest.mark.parametrize(
    ("value", "ports"),
    [
        (ORIGIN, ()),
        ("http://localhost:8045/v1", ()),
        ("http://127.0.0.1:8046/v1", (8046,)),
        ("localhost:11434", (11434,)),
        ("https://api.openai.com/v1", ()),
        ("http://127.0.0.1:port", ()),
    ],
)
def test_only_other_ports_of_this_machine_are_to_be_looked_at(value: str, ports: tuple[int, ...]) -> None:
    assert ports_in(Evidence((found(value),)), ORIGIN) == ports


def test_a_proxy_on_another_machine_says_nothing_of_the_ports_of_this_one() -> None:
    evidence = Evidence((found("http://127.0.0.1:8045"),))
    assert ports_in(evidence, "http://192.168.77.5:8045") == (8045,)


@pytest.mark.parametrize(
    ("spot", "text"),
    [
        (FILE, "~/.claude/settings.json:3:27 env.ANTHROPIC_BASE_URL"),
        (SHELL, "ANTHROPIC_BASE_URL"),
        (Spot("editor-state", "openAiBaseUrl", "/x/state.vscdb", None, None, "user"), "/x/state.vscdb openAiBaseUrl"),
    ],
)
def test_a_place_is_written_as_editors_take_it(spot: Spot, text: str) -> None:
    assert place(spot) == text


@pytest.mark.parametrize("client", all_clients(), ids=lambda each: each.id)
def test_what_is_called_right_works_and_what_a_fix_says_works(client) -> None:  # type: ignore[no-untyped-def]
    for mode in client.modes:
        for path in ("", "/", "/v1", "/v1/", "/v1beta", "/v1/v1", "/v1/chat/completions"):
            judged = only(ORIGIN + path, client.id, mode.id)
            assert (judged.state == "right") == simulate(mode, ORIGIN + path, TABLE).works
            for fix in judged.fixes:
                assert simulate(mode, fix.base_url, TABLE).works


@given(st.text(max_size=60), st.sampled_from(["claude-code", "opencode", "codex"]))
def test_no_value_whatever_raises(value: str, client: str) -> None:
    mode = next(each for each in all_clients() if each.id == client).modes[0].id
    assert only(value, client, mode).state
    assert judge(variables=(Variable("OPENAI_BASE_URL", value, SHELL),)).variables[0].state
