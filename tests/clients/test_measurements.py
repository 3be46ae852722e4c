"""Every entry of the catalogue that was measured in the lab says what the measurements say (docs/measure-a-client.md).

The lab's own comparison, one test for each client and kind of difference; the last two are what it is all for: what
agdoctor recommends was put into the real client and worked, and what it says to every wrong base URL did so, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from antigravity_doctor.knowledge.clients import Client, client_from_json, find_client
from tests.lab import comparing
from tests.lab.catalogue import ids, subject
from tests.lab.comparing import CHECKS, DATA, Measured, measured, measured_clients
from tests.lab.measuring import Row

CLIENTS = measured_clients()
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("client", CLIENTS)
def test_the_entry_says_what_was_measured(client: str, check: Callable[[Client], Iterator[str]]) -> None:
    assert list(check(find_client(client))) == []


@pytest.mark.parametrize("client", CLIENTS)
def test_every_file_can_be_measured_again(client: str) -> None:
    assert subject(client).package in find_client(client).raw["packages"]
    assert {each.version for each in measured(client)} >= set(subject(client).versions)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_mode_measured_here_is_measured_with_its_first_setting_and_three_kinds_of_refusal(client: str) -> None:
    for item in measured(client):
        for mode in item.modes:
            seen = {row.answers for row in item.of(mode) if row.requests}
            assert {"any", "empty-404", "empty-405"} <= seen, f"{item.version} {mode}: {seen}"


@pytest.mark.parametrize("client", CLIENTS)
def test_no_key_and_no_home_is_in_the_data(client: str) -> None:
    text = (DATA / f"{client}.json").read_text(encoding="utf-8")
    assert re.findall(r"sk-planted|(?<!bunfs)/root/|/home/\w+|agdoctor-home-", text) == []


def test_what_is_measured_has_an_entry_and_a_definition() -> None:
    assert set(CLIENTS) <= set(ids())
    assert [find_client(client).id for client in CLIENTS] == CLIENTS


# --- the comparison itself finds what is wrong -----------------------------------------------------------------------


def entry_with(change: Callable[[dict[str, object]], None]) -> Client:
    """Claude Code's entry, with a mistake in it."""
    import copy

    raw = copy.deepcopy(dict(find_client("claude-code").raw))
    change(raw["modes"][0])
    return client_from_json(raw)


def set_to(name: str, value: object) -> Callable[[dict[str, object]], None]:
    def change(mode: dict[str, object]) -> None:
        mode[name] = value

    return change


def named(kind: str, name: str, **more: str) -> list[dict[str, str | None]]:
    return [{"kind": kind, "name": name, "where": None, **more}]


@pytest.mark.parametrize(
    ("check", "change", "told"),
    [
        (comparing.requests_are_predicted, set_to("join", "concat"), "POST /v1/messages?beta=true"),
        (comparing.requests_are_predicted, set_to("join", "append"), "base '/v1//'"),
        (comparing.requests_are_predicted, set_to("extras", []), "HEAD / "),
        (
            comparing.requests_were_sent,
            set_to("requests", [{"method": "POST", "suffix": "/v1/complete", "required": True, "when": "never"}]),
            "/v1/complete was never sent",
        ),
        (
            comparing.settings_have_their_effect,
            set_to("settings", named("env", "ANTHROPIC_API_BASE")),
            "setting env:ANTHROPIC_API_BASE was ignored",
        ),
        (
            comparing.settings_have_their_effect,
            set_to("settings", named("env", "CLAUDE_URL")),
            "setting env:CLAUDE_URL was not measured",
        ),
        (
            comparing.settings_have_their_effect,
            set_to("ignored", named("env", "ANTHROPIC_API_URL", because="not read; requests go to api.openai.com")),
            "measured were ['api.anthropic.com']",
        ),
        (
            comparing.settings_are_in_order,
            set_to("settings", named("env", "ANTHROPIC_BASE_URL") + named("file", "env.ANTHROPIC_BASE_URL")),
            "file:env.ANTHROPIC_BASE_URL wins over env:ANTHROPIC_BASE_URL",
        ),
        (
            comparing.keys_travel_as_said,
            set_to("key", {"header": "Authorization", "settings": named("env", "ANTHROPIC_API_KEY")}),
            "the key came in x-api-key",
        ),
        (
            comparing.keys_travel_as_said,
            set_to("key", {"header": "x-api-key", "settings": named("env", "CLAUDE_API_KEY")}),
            "ANTHROPIC_API_KEY is read for the key",
        ),
        (comparing.right_base_was_measured, set_to("join", "whole"), "recommended is '/v1/messages'"),
    ],
)
def test_a_mistake_in_an_entry_is_told(
    check: Callable[[Client], Iterator[str]], change: Callable[[dict[str, object]], None], told: str
) -> None:
    found = list(check(entry_with(change)))
    assert any(told in each for each in found), found


def changed(rows: tuple[Row, ...], **raw: object) -> Measured:
    item = measured("claude-code")[-1]
    return item._replace(version="9.9.9", rows=rows, raw={**item.raw, **raw})


def test_two_measurements_that_agree_have_no_changes() -> None:
    item = measured("claude-code")[-1]
    assert comparing.changes(item, changed(item.rows, user_agents=["claude-cli/9.9.9 (external, sdk-cli)"])) == []


def test_another_request_another_error_and_another_host_are_changes() -> None:
    item = measured("claude-code")[-1]
    other = [
        row._replace(requests=[["POST", "/v2/messages", "x-api-key"]]) if row.requests else row for row in item.rows
    ]
    assert all("/v2/messages" in each for each in comparing.changes(item, changed(tuple(other))))
    refused = tuple(row._replace(error="new words") if row.answers == "empty-404" else row for row in item.rows)
    assert ["new words" in each for each in comparing.changes(item, changed(refused))] == [True]
    ignored = tuple(row if row.requests else row._replace(hosts=["example.com"]) for row in item.rows)
    assert all("example.com" in each for each in comparing.changes(item, changed(ignored)))
