"""The codes of groups 1xx and 2xx: each is documented, shown by its example, silent on its twin, and well worded."""

from __future__ import annotations

import re
import string
from typing import Any

import pytest

from antigravity_doctor.cli.main import COMMANDS
from antigravity_doctor.knowledge.files import load_json
from antigravity_doctor.probes.run import CHECKS
from antigravity_doctor.probes.session import Severities
from tests.support.examples import codes_in, run_example

REGISTRY: dict[str, dict[str, Any]] = {
    **load_json("findings", "1xx-reach.json"),
    **load_json("findings", "2xx-auth.json"),
}
TEXTS: dict[str, dict[str, str]] = {
    **load_json("texts", "en", "findings-1xx-reach.json"),
    **load_json("texts", "en", "findings-2xx-auth.json"),
}
EXAMPLES: dict[str, dict[str, Any]] = {
    code: each
    for code, each in (REGISTRY | load_json("findings", "5xx-settings.json")).items()
    if each["example"]["kind"] == "check"
}
"""The codes whose example is a run of `check`: those of the two groups, and what it finds out about a base URL."""

CHECK_TEXTS: dict[str, dict[str, str]] = load_json("texts", "en", "checks.json")
REASONS: dict[str, str] = load_json("texts", "en", "reasons.json")


@pytest.mark.parametrize("code", sorted(EXAMPLES))
def test_the_example_shows_the_code(code: str) -> None:
    _, document = run_example(EXAMPLES[code]["example"])
    assert codes_in(document)[code] == EXAMPLES[code]["severity"]


@pytest.mark.parametrize("code", sorted(EXAMPLES))
def test_the_twin_does_not(code: str) -> None:
    _, document = run_example(EXAMPLES[code]["twin"])
    assert code not in codes_in(document)


def test_the_probes_and_the_registry_agree_on_severities() -> None:
    emitted_elsewhere = {"AGD207"}  # by explain-path
    softer = {code: each["severity"] for code, each in REGISTRY.items() if each["severity"] != "error"}
    assert {code: each for code, each in softer.items() if code not in emitted_elsewhere} == dict(Severities)


def test_every_code_has_its_texts_and_the_other_way_round() -> None:
    assert set(TEXTS) == set(REGISTRY)
    assert all(set(each) == {"title", "summary", "symptom", "cause", "fix"} for each in TEXTS.values())


def test_names_are_unique_and_in_kebab_case() -> None:
    names = [each["name"] for each in REGISTRY.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in names)


@pytest.mark.parametrize("code", sorted(TEXTS))
def test_only_the_summary_has_placeholders(code: str) -> None:
    """The page of a code is printed without any facts, so everything else must read well without them."""
    for part, text in TEXTS[code].items():
        names = {name for _, name, _, _ in string.Formatter().parse(text) if name}
        assert part == "summary" or not names


@pytest.mark.parametrize("code", sorted(TEXTS))
def test_every_command_that_a_text_suggests_exists(code: str) -> None:
    for text in TEXTS[code].values():
        for command in re.findall(r"\bagdoctor ([a-z-]+)", text):
            assert command in {*COMMANDS, "runs", "again"}


@pytest.mark.parametrize("check", CHECKS, ids=lambda each: each.id)
def test_every_check_has_words_for_every_outcome(check: Any) -> None:
    assert set(CHECK_TEXTS[check.id]) == {"title", "pass", "warn", "fail", "skipped", "inconclusive"}


def test_every_need_has_a_reason_text() -> None:
    assert {f"needs-{need}" for check in CHECKS for need in check.needs} <= set(REASONS)
