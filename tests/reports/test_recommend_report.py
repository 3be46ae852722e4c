"""The reports of `recommend` and `simulate`: snippets that can be pasted, and versions told together or apart."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import pytest

from antigravity_doctor.diagnosis.recommending import Outcome, Setting, recommend
from antigravity_doctor.diagnosis.simulating import simulate
from antigravity_doctor.knowledge.clients import client_from_json, find_client
from antigravity_doctor.knowledge.routes import table_for
from antigravity_doctor.reports.paint import Terminal, render
from antigravity_doctor.reports.recommend import (
    posix_lines,
    powershell_lines,
    recommendation_lines,
    simulation_lines,
)
from tests.support.cli import run

TABLE = table_for(None)
ORIGIN = "http://127.0.0.1:8045"
VALUES = ["http://127.0.0.1:8045", "it's", 'a "b" $HOME `id` \\', "a b;c&d|e", ""]


@pytest.mark.parametrize("value", VALUES)
def test_an_export_line_gives_a_posix_shell_exactly_the_value(value: str) -> None:
    (line,) = posix_lines([Setting("env", "X", value, None)])
    shell = shutil.which("sh")
    if shell is None:
        pytest.skip("there is no sh")
    shown = subprocess.run([shell, "-c", line + '\nprintf %s "$X"'], capture_output=True, text=True, check=True)
    assert shown.stdout == value


@pytest.mark.parametrize(
    ("value", "line"),
    [("http://h/v1", "$env:X = 'http://h/v1'"), ("it's", "$env:X = 'it''s'"), ("$a`b", "$env:X = '$a`b'")],
)
def test_a_powershell_line_quotes_the_value(value: str, line: str) -> None:
    assert powershell_lines([Setting("env", "X", value, None)]) == [line]


def test_variables_come_for_both_kinds_of_shell() -> None:
    text = run("recommend", "--client", "claude-code").out
    assert "export ANTHROPIC_BASE_URL='http://127.0.0.1:8045'" in text
    assert "$env:ANTHROPIC_BASE_URL = 'http://127.0.0.1:8045'" in text


def _client(*versions: tuple[str | None, str | None], suffixes: tuple[str, ...] = ()) -> Any:
    """A client whose one mode holds for each of these version ranges, newest first."""
    raw = {**dict(find_client("codex").raw), "modes": []}
    template = dict(find_client("codex").raw["modes"][0])
    for number, (since, below) in enumerate(versions):
        suffix = suffixes[number] if suffixes else "/chat/completions"
        requests = [{"method": "POST", "suffix": suffix, "required": True, "when": ""}]
        held = {"from": since, "below": below}
        raw["modes"].append({**template, "id": f"m{number}", "name": "Chat", "versions": held, "requests": requests})
    return client_from_json(raw)


@pytest.mark.parametrize(
    ("versions", "said"),
    [
        ([("2.0", None), ("1.0", "2.0"), (None, "1.0")], ""),
        ([(None, "1.0"), ("1.0", "2.0"), ("2.0", None)], ""),
        ([("2.0", None), ("1.0", "2.0")], "for version 1.0 and newer"),
        ([("1.0", "2.0"), (None, "1.0")], "for versions below 2.0"),
        ([("3.0", None), ("1.0", "2.0")], "for version 3.0 and newer, for versions 1.0 up to, not including, 2.0"),
    ],
)
def test_neighbouring_versions_that_want_the_same_are_one_answer(versions: Any, said: str) -> None:
    client = _client(*versions)
    shown = render(recommendation_lines(client, recommend(client, TABLE, ORIGIN), 200, None), Terminal(200))
    heads = [line for line in shown.splitlines() if line.startswith("  Chat ")]
    assert len(heads) == 1
    assert said in heads[0]
    assert ("version" in heads[0]) == bool(said)


def test_versions_that_want_something_else_are_told_apart() -> None:
    client = _client(("2.0", None), (None, "2.0"), suffixes=("/chat/completions", "/v1/chat/completions"))
    shown = render(recommendation_lines(client, recommend(client, TABLE, ORIGIN), 200, None), Terminal(200))
    heads = [line for line in shown.splitlines() if line.startswith("  Chat ")]
    assert ["2.0 and newer" in heads[0], "below 2.0" in heads[1]] == [True, True]
    assert shown.count("Base URL  ") == 2


def test_a_simulation_tells_versions_together_that_do_the_same() -> None:
    for suffixes, blocks in [(("/chat/completions",) * 2, 1), (("/chat/completions", "/v1/chat/completions"), 2)]:
        client = _client(("2.0", None), (None, "2.0"), suffixes=suffixes)
        found = [Outcome(simulate(mode, ORIGIN + "/v1", TABLE)) for mode in client.modes]
        shown = render(simulation_lines(client, ORIGIN, found, 200), Terminal(200))
        assert len([line for line in shown.splitlines() if line[4:8] == "Chat"]) == blocks


def test_a_mode_that_no_base_url_helps_says_so() -> None:
    client = _client((None, None), suffixes=("/no/such/endpoint",))
    (found,) = recommend(client, TABLE, ORIGIN)
    shown = render(recommendation_lines(client, [found], 100, None), Terminal(100))
    assert "AGD410" in shown
    simulated = [Outcome(simulate(client.modes[0], ORIGIN, TABLE))]
    assert "AGD410" in render(simulation_lines(client, ORIGIN, simulated, 100), Terminal(100))


def in_words(*argv: str) -> str:
    return " ".join(run(*argv, env={"COLUMNS": "80", "NO_COLOR": "1"}).out.split())


def test_a_heading_names_the_protocol_only_where_the_mode_does_not() -> None:
    assert " OpenAI · recommended " in in_words("recommend", "--client", "cherry-studio")
    assert " Google Gemini · for version 7.0.0 and newer · recommended " in in_words(
        "recommend", "--client", "kilo-code"
    )
    assert " provider type openai, wire API responses · for " in in_words(
        "recommend", "--client", "copilot-cli", "--mode", "responses"
    )
    assert " Chat Completions · OpenAI · " in in_words("recommend", "--client", "openai-python")
    assert " ChatOpenAI · OpenAI · " in in_words("recommend", "--client", "langchain-openai-node")
    assert " @ai-sdk/anthropic · Anthropic · " in in_words("recommend", "--client", "opencode", "--mode", "all")


def test_notes_that_hold_for_some_of_the_versions_only_say_for_which() -> None:
    said = in_words("recommend", "--client", "cherry-studio")
    assert "Proof and notes: for version 1.7.2 and newer; for older ones: agdoctor recommend" in said
    assert "Proof and notes" not in in_words("recommend", "--client", "claude-code")


def test_the_other_modes_tell_versions_with_one_answer_together() -> None:
    said = in_words("recommend", "--client", "cherry-studio")
    assert said.count("OpenAI-Response, for version 1.7.0 and newer") == 1


def test_a_mode_with_its_key_in_the_query_is_no_plain_yes() -> None:
    said = in_words("recommend", "--client", "zed")
    assert "! http://127.0.0.1:8045 Google AI (Gemini), only while the proxy asks for no key" in said
    assert "✓ http://127.0.0.1:8045 Anthropic-compatible provider" in said


def test_a_key_that_has_a_field_and_a_variable_gets_both() -> None:
    said = in_words("recommend", "--client", "zed")
    assert "or the variable ANTIGRAVITY_API_KEY (for the provider of this name" in said


def test_the_current_versions_of_a_client_come_first() -> None:
    said = in_words("recommend", "--client", "kilo-code")
    assert said.index("7.0.0 and newer · recommended") < said.index("for versions below 7.0.0")
    assert "/v1/chat/completions/responses" not in said
