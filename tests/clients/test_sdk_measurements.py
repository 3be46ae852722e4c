"""The entries of the SDKs against what the SDKs were seen to send (tests/lab/measure_sdks.py wrote it down)."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from antigravity_doctor.knowledge.clients import Mode, find_client
from tests.support.predicting import NOT_JOINED, Sent, concrete, fitting, mode_for, unexplained, version_key

FILE = Path(__file__).parent.parent / "data" / "sdk-measurements.json"
MEASURED: list[dict[str, Any]] = json.loads(FILE.read_text())
CLIENTS = sorted({item["client"] for item in MEASURED})

UNESCAPES = {("openai-python", "0.28.1"), ("google-generativeai", "0.8.6"), ("google-genai-python", "1.0.0")}
"""These send with `requests`, which undoes needless percent-escapes (`/v%31` becomes `/v1`) after joining."""

every_version = pytest.mark.parametrize("item", MEASURED, ids=lambda item: f"{item['client']}-{item['version']}")
every_client = pytest.mark.parametrize("client", CLIENTS)


def calls(item: dict[str, Any]) -> dict[tuple[str, str], list[Sent]]:
    """(mode name, call) -> what it sent with each base that agdoctor takes as typed."""
    found: dict[tuple[str, str], list[Sent]] = defaultdict(list)
    for mode, base, call, method, target, _ in item["matrix"]:
        escaped = "%31" in base and (item["client"], item["version"]) in UNESCAPES
        if method is not None and not escaped and not any(mark in base for mark in NOT_JOINED):
            found[mode, call].append((base, method, target))
    return found


def modes_of(item: dict[str, Any]) -> list[Mode]:
    names = dict.fromkeys(row[0] for row in item["matrix"])
    return [mode_for(find_client(item["client"]), name, item["version"]) for name in names]


def declared(mode: Mode, part: str, version: str) -> list[str]:
    """The variables that the mode declares for this version. A `where` of "from 1.3.0 on" says since when."""
    names = []
    for setting in mode.raw[part] if part != "key" else mode.raw["key"]["settings"]:
        since = re.search(r"from ([\d.]+\d) on", setting.get("where") or "")
        if setting["kind"] == "env" and not (since and version_key(version) < version_key(since[1])):
            names.append(setting["name"])
    return names


@every_version
def test_one_request_of_the_entry_predicts_what_a_call_sends_with_every_base(item: dict[str, Any]) -> None:
    for (name, call), sent in calls(item).items():
        mode = mode_for(find_client(item["client"]), name, item["version"])
        assert fitting(mode, sent), f"{name}: {call}: {unexplained(mode, sent)[:5] or 'no single request fits'}"


@every_version
def test_every_request_of_the_entry_was_really_sent(item: dict[str, Any]) -> None:
    if not item["errors"]:
        pytest.skip("a version beside a change: only its first calls were measured")
    for mode in modes_of(item):
        seen = {sent[0][1:] for (name, _), sent in calls(item).items() if name == mode.name and sent[0][0] == ""}
        for request in mode.requests:
            sent_too = (request.method, concrete(request.suffix)) in seen
            assert sent_too or request_is_newer(item, request.suffix), f"{mode.id}: {request} was not seen"


def request_is_newer(item: dict[str, Any], suffix: str) -> bool:
    """openai 1.0.0 refuses the arguments that the lab gives to the image calls; later versions take them."""
    return (item["client"], item["version"]) == ("openai-python", "1.0.0") and suffix.startswith("/images/")


@every_version
def test_a_variable_that_the_entry_names_for_the_base_url_is_honoured(item: dict[str, Any]) -> None:
    for mode in modes_of(item):
        tried = item["env"].get(mode.name, {})
        for name in declared(mode, "settings", item["version"]):
            assert not tried or tried[name]["honoured"], f"{mode.id}: {name}"


@every_version
def test_a_variable_that_the_entry_calls_ignored_is_ignored(item: dict[str, Any]) -> None:
    for mode in modes_of(item):
        tried = item["env"].get(mode.name, {})
        for name in declared(mode, "ignored", item["version"]):
            assert not tried or not tried[name]["honoured"], f"{mode.id}: {name}"


@every_version
def test_a_variable_that_is_honoured_is_named_by_the_entry(item: dict[str, Any]) -> None:
    for name, tried in item["env"].items():
        mode = mode_for(find_client(item["client"]), name, item["version"])
        honoured = {variable for variable, found in tried.items() if found["honoured"]}
        assert honoured == set(declared(mode, "settings", item["version"]))


@every_version
def test_an_ignored_variable_sends_the_request_to_the_host_that_the_entry_names(item: dict[str, Any]) -> None:
    for name, tried in item["env"].items():
        mode = mode_for(find_client(item["client"]), name, item["version"])
        reasons = {each["name"]: each["because"] for each in mode.raw["ignored"]}
        for variable, found in tried.items():
            if found["vendor"] and variable in reasons:
                assert reasons[variable].endswith(f"go to {found['vendor']}"), variable


@every_version
def test_a_base_url_given_in_code_wins_over_the_variable(item: dict[str, Any]) -> None:
    assert item["argument_beats_env"] in (True, None)
    kinds = [setting["kind"] for mode in modes_of(item) for setting in mode.raw["settings"][:1]]
    assert set(kinds) == {"argument"}


@every_version
def test_the_key_travels_in_the_header_that_the_entry_names(item: dict[str, Any]) -> None:
    for name, _, call, method, _, place in item["matrix"]:
        if method is not None:
            mode = mode_for(find_client(item["client"]), name, item["version"])
            assert place == mode.raw["key"]["header"].lower(), f"{name}: {call}"


@every_version
def test_the_variables_that_the_entry_names_for_the_key_are_read(item: dict[str, Any]) -> None:
    mode = modes_of(item)[0]
    read = {name for name, place in item["keys"].items() if place and "+" not in name}
    assert read == set(declared(mode, "key", item["version"]))


@every_version
def test_every_user_agent_that_was_seen_is_known_to_the_entry(item: dict[str, Any]) -> None:
    known = tuple(find_client(item["client"]).raw["user_agents"])
    own = [agent for agent in item["user_agents"] if not agent.startswith(("ai/", "python-requests/"))]
    assert [agent for agent in own if not agent.startswith(known)] == []
    assert bool(own) == bool(known), "a client that only shows its HTTP library's name has no name to be known by"


@every_client
def test_every_error_text_of_the_entry_was_really_raised(client: str) -> None:
    raised = [
        text
        for item in MEASURED
        if item["client"] == client
        for texts in item["errors"].values()
        for text in texts.values()
        if text
    ]
    for text in find_client(client).raw["error_texts"]:
        bare = re.sub(r"^(?:[a-z_0-9]+\.)+(?=[A-Z])", "", text)  # a traceback puts the module in front of the class
        assert any(bare in each for each in raised), text


@every_client
def test_each_mode_says_which_measured_version_it_rests_on(client: str) -> None:
    versions = {item["version"] for item in MEASURED if item["client"] == client}
    for mode in find_client(client).modes:
        assert mode.raw["provenance"]["kind"] == "measured"
        assert mode.raw["provenance"]["version"] in versions
        assert mode_for(find_client(client), mode.name, mode.raw["provenance"]["version"]) is mode


@pytest.mark.parametrize("client", ["google-genai-python", "google-genai-node"])
def test_the_api_version_can_be_set_by_a_variable_as_the_warning_says(client: str) -> None:
    newest = [item for item in MEASURED if item["client"] == client][-1]
    warning = " ".join(find_client(client).modes[0].raw["warnings"])
    assert "GOOGLE_GENAI_API_VERSION=v1beta" in warning
    assert newest["also"]["GOOGLE_GENAI_API_VERSION=v1beta"] == "/v1beta/models/m:generateContent"


@pytest.mark.parametrize(
    ("client", "version", "wrong_rule"),
    [
        ("openai-python", "0.28.1", ("strip-slashes", "append")),
        ("openai-python", "3.54.0", ("append",)),
        ("openai-python", "3.54.0", ("strip-slashes", "append")),
        ("openai-python", "3.54.0", ("strip-slash", "append")),
        ("openai-node", "7.57.0", ("strip-slash", "append")),
        ("google-genai-python", "3.4.0", ("strip-slash", "append")),
        ("anthropic-python", "2.12.0", ("resolve",)),
    ],
)
def test_the_measurements_refute_a_wrong_join_rule(client: str, version: str, wrong_rule: tuple[str, ...]) -> None:
    item = next(each for each in MEASURED if (each["client"], each["version"]) == (client, version))
    (name, _), sent = next(iter(calls(item).items()))
    mode = mode_for(find_client(client), name, version)
    assert fitting(mode, sent)
    assert not fitting(mode._replace(steps=wrong_rule), sent)
