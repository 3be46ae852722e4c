"""`agdoctor simulate`: with what the client makes of the base URL as it is typed, and whether that gets here at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.cli import Result, run

H = "http://127.0.0.1:8045"


def simulated(client: str, base_url: str, *more: str) -> Result:
    return run("simulate", "--client", client, "--base-url", base_url, *more, env={"COLUMNS": "80", "NO_COLOR": "1"})


def modes(client: str, base_url: str) -> dict[str, Any]:
    document = json.loads(simulated(client, base_url, "--json").out)
    return {each["mode"]: each for each in document["modes"]}


@pytest.mark.parametrize("base_url", [H + "/v1", "http://192.168.1.5:8045/v1", "localhost:8045/v1"])
def test_an_address_that_the_clients_servers_cannot_reach_does_not_work(base_url: str) -> None:
    result = simulated("cursor", base_url)
    assert result.code == 1
    assert "AGD506" in result.out
    assert "✓ Override" not in result.out
    assert "works" not in result.out.split("does not work")[0]
    mode = modes("cursor", base_url)["openai"]
    assert (mode["works"], [each["code"] for each in mode["findings"]]) == (False, ["AGD506"])
    assert mode["requests"][0]["verdict"] == "routed"


def test_a_public_address_works() -> None:
    result = simulated("cursor", "https://proxy.example.org/v1")
    assert result.code == 0
    assert "AGD506" not in result.out


def test_a_wrong_path_and_an_unreachable_address_are_both_said() -> None:
    mode = modes("cursor", H)["openai"]
    assert [each["code"] for each in mode["findings"]] == ["AGD506"]
    assert mode["fixes"][0]["base_url"] == H + "/v1"


@pytest.mark.parametrize(("client", "mode"), [("chatbox", "openai"), ("nextchat", "openai"), ("big-agi", "openai")])
def test_a_client_that_puts_https_in_front_does_not_work_without_a_scheme(client: str, mode: str) -> None:
    result = simulated(client, "127.0.0.1:8045", "--mode", mode)
    assert result.code == 1
    assert "https://127.0.0.1:8045/v1/chat/completions" in result.out
    assert "AGD105" in result.out
    assert f"Set the base URL to {H}" in result.out
    assert "AGD503" not in result.err  # this client does not refuse it
    assert simulated(client, H, "--mode", mode).code == 0


def test_where_some_modes_put_https_in_front_the_others_are_still_warned_of() -> None:
    result = simulated("chatbox", "127.0.0.1:8045")
    assert "AGD503" in result.err
    assert {name for name, mode in modes("chatbox", "127.0.0.1:8045").items() if mode["findings"]} == {
        "openai",
        "openai-responses",
    }


def test_a_server_of_ones_own_may_well_speak_https() -> None:
    assert simulated("nextchat", "proxy.example.org", "--mode", "openai").code == 0


def test_a_key_in_the_typed_base_url_is_masked() -> None:
    result = simulated("nextchat", "127.0.0.1:8045/v1?key=sk-0123456789abcdef0123", "--mode", "openai")
    assert "sk-0123456789abcdef0123" not in result.all


def test_a_mode_with_its_key_in_the_query_is_marked() -> None:
    result = simulated("zed", H, "--mode", "google")
    assert result.code == 0
    assert "! Google AI lands, but its key goes into the query" in " ".join(result.out.split())
