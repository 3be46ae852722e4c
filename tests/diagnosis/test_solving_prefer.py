"""`prefer_base` of a client's mode: which of the proved base paths comes first, and that it proves none."""

from __future__ import annotations

from typing import Any

import pytest

from antigravity_doctor.diagnosis.solving import Solution, solve
from antigravity_doctor.knowledge.clients import Mode, all_clients, client_from_json, find_client
from antigravity_doctor.knowledge.routes import table_for

TABLE = table_for(None)


def mode_with(prefer_base: str | None) -> Mode:
    """Adds /v1 to an address without a path and nothing to another one, so "" and "/v1" both work."""
    mode: dict[str, Any] = {
        "id": "m",
        "name": "M",
        "protocol": "openai",
        "join": ["strip-slash", {"add-unless": {"text": "/v1", "pattern": "^[a-z]+://[^/]+/"}}, "append"],
        "requests": [{"method": "POST", "suffix": "/chat/completions", "required": True, "when": ""}],
    }
    if prefer_base is not None:
        mode["prefer_base"] = prefer_base
    return client_from_json({"id": "x", "name": "X", "kind": "app", "modes": [mode]}).modes[0]


def bases(solutions: tuple[Solution, ...]) -> list[str]:
    return [each.base_path for each in solutions]


@pytest.mark.parametrize(
    ("prefer_base", "expected"),
    [
        pytest.param(None, ["", "/v1"], id="without it the shortest comes first"),
        pytest.param("/v1", ["/v1", ""], id="the preferred one comes first"),
        pytest.param("", ["", "/v1"], id="the bare origin can be preferred"),
        pytest.param("/v1beta", ["", "/v1"], id="one that does not work is not added"),
        pytest.param("/mcp", ["", "/v1"], id="one that is no candidate is not added"),
    ],
)
def test_a_preferred_base_path_comes_first_if_it_is_proved(prefer_base: str | None, expected: list[str]) -> None:
    assert bases(solve(mode_with(prefer_base), TABLE)) == expected


@pytest.mark.parametrize("prefer_base", ["/v1", "", "/v1beta", "/v1/"])
def test_preferring_only_reorders_what_is_proved(prefer_base: str) -> None:
    assert sorted(solve(mode_with(prefer_base), TABLE)) == sorted(solve(mode_with(None), TABLE))


def test_every_base_path_that_an_entry_prefers_is_proved_and_first() -> None:
    preferring = [mode for each in all_clients() for mode in each.modes if "prefer_base" in mode.raw]
    assert preferring
    for mode in preferring:
        assert bases(solve(mode, TABLE))[0] == mode.raw["prefer_base"], f"{mode.client} {mode.id}"


@pytest.mark.parametrize("protocol", ["openai", "anthropic", "gemini"])
def test_both_engines_of_cline_are_given_one_answer(protocol: str) -> None:
    modes = [mode for mode in find_client("cline").modes if mode.protocol == protocol]
    assert len(modes) == 2
    assert len({bases(solve(mode, TABLE))[0] for mode in modes}) == 1
