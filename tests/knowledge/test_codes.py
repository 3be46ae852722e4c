"""The registry of finding codes: unique, documented, emitted, shown by an example and silent on its twin.

The examples of 1xx and 2xx need servers; tests/probes/test_reach_and_auth_codes.py runs them.
"""

from __future__ import annotations

import difflib
import re
import string
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from antigravity_doctor.cli.main import COMMANDS, load
from antigravity_doctor.diagnosis.client_errors import explain_client_error
from antigravity_doctor.diagnosis.explaining import explain
from antigravity_doctor.diagnosis.model import Finding
from antigravity_doctor.diagnosis.naming import explain_setting
from antigravity_doctor.diagnosis.simulating import simulate
from antigravity_doctor.knowledge.clients import all_clients
from antigravity_doctor.knowledge.files import load_json
from antigravity_doctor.knowledge.paths import unsupported
from antigravity_doctor.knowledge.routes import table_for
from antigravity_doctor.knowledge.texts import GROUPS, Code, all_codes, code, finding_text
from tests.diagnosis import test_explaining
from tests.support.examples import codes_in, run_example

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "antigravity_doctor"
CODES = all_codes()
PATH_CODES = [each for each in CODES if each.example["kind"] == "explain-path"]
PARTS = ("title", "summary", "symptom", "cause", "fix")
TABLE = table_for(None)


def texts(language: str = "en") -> Iterator[tuple[str, str]]:
    """Every text of a language: (where it is, text)."""

    def walk(where: str, value: Any) -> Iterator[tuple[str, str]]:
        if isinstance(value, str):
            yield where, value
        elif isinstance(value, dict):
            for name, each in value.items():
                yield from walk(f"{where} {name}", each)

    for file in sorted((PACKAGE / "knowledge" / "texts" / language).glob("*.json")):
        yield from walk(file.name, load_json("texts", language, file.name))


# --- the registry ----------------------------------------------------------------------------------------------------


def test_codes_and_names_are_unique() -> None:
    assert (
        len({each.code for each in CODES}) == len(CODES) == sum(len(load_json("findings", g + ".json")) for g in GROUPS)
    )
    assert len({each.name for each in CODES}) == len(CODES)


@pytest.mark.parametrize("entry", CODES, ids=lambda entry: entry.code)
def test_an_entry_is_well_formed(entry: Code) -> None:
    assert re.fullmatch(r"AGD[1-6]\d\d", entry.code)
    assert entry.group.startswith(entry.code[3])
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry.name)
    assert entry.severity in ("error", "warning", "info")
    assert entry.example["kind"] in ("explain-path", "check", "scan", "unit")
    assert entry.twin["kind"] == entry.example["kind"]


@pytest.mark.parametrize("entry", CODES, ids=lambda entry: entry.code)
def test_a_code_has_every_part_of_its_text(entry: Code) -> None:
    for part in PARTS:
        text = finding_text(entry.code, part)
        assert text.strip() == text != ""
    assert finding_text(entry.code, "title")[-1] not in ".:"


@pytest.mark.parametrize("entry", CODES, ids=lambda entry: entry.code)
def test_only_the_summary_has_placeholders(entry: Code) -> None:
    """The page of a code is printed without facts, so everything else must read well without them."""
    for part in PARTS:
        text = load_json("texts", "en", f"findings-{entry.group}.json")[entry.code][part]
        names = {name for _, name, _, _ in string.Formatter().parse(text) if name}
        assert part == "summary" or not names


def test_there_are_no_texts_without_a_code() -> None:
    for group in GROUPS:
        assert set(load_json("texts", "en", f"findings-{group}.json")) == set(load_json("findings", f"{group}.json"))


def test_an_unknown_code_is_an_error() -> None:
    for wrong in ("AGD399", "AGD999", "AGD", "", "X"):
        with pytest.raises(KeyError):
            code(wrong)


def test_every_code_is_emitted_by_something_and_every_emitted_code_exists() -> None:
    source = "\n".join(file.read_text(encoding="utf-8") for file in PACKAGE.rglob("*.py"))
    emitted = set(re.findall(r'"(AGD\d{3})"', source)) | {each["code"] for each in load_json("paths.json")["styles"]}
    assert emitted == {each.code for each in CODES}


# --- examples and twins ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", PATH_CODES, ids=lambda entry: entry.code)
def test_the_example_shows_the_code_with_its_severity(entry: Code) -> None:
    _, document = run_example(entry.example)
    assert codes_in(document).get(entry.code) == entry.severity


@pytest.mark.parametrize("entry", PATH_CODES, ids=lambda entry: entry.code)
def test_the_twin_is_silent(entry: Code) -> None:
    _, document = run_example(entry.twin)
    assert entry.code not in codes_in(document)


@pytest.mark.parametrize("entry", PATH_CODES, ids=lambda entry: entry.code)
def test_the_exit_code_of_an_example_follows_from_its_findings(entry: Code) -> None:
    exit_code, document = run_example(entry.example)
    assert exit_code == int("error" in codes_in(document).values())


@pytest.mark.parametrize(
    "entry", [each for each in CODES if each.example["kind"] == "unit"], ids=lambda entry: entry.code
)
def test_a_code_that_is_proved_elsewhere_names_the_test(entry: Code) -> None:
    assert f'"{entry.code}"' in (ROOT / entry.example["test"]).read_text(encoding="utf-8")


# --- what is said ----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def spoken() -> tuple[Finding, ...]:
    return tuple(_spoken())


def _spoken() -> Iterator[Finding]:
    """The findings of every row of the big table, and of everything that any client requests with odd base URLs."""
    for name in dir(test_explaining):
        for mark in getattr(getattr(test_explaining, name), "pytestmark", ()):
            for row in mark.args[1]:
                request = row if isinstance(row, str) else row[0]
                known = next((dict(each) for each in row if isinstance(each, dict)), {})
                if len(request) < 1000:
                    yield from test_explaining.ask(request, **known).findings
    yield from test_explaining.ask("/v1/v1/chat/completions", base="/proxy").findings
    yield from test_explaining.ask("/v1/v1/chat/completions", client="claude-code").findings
    for setting in ("ANTHROPIC_BASE_URL", "OPENAI_BASE_URL", "GOOGLE_GEMINI_BASE_URL"):
        named = explain_setting(setting, "http://127.0.0.1:8045/v1", table_for(None), "http://127.0.0.1:8045")
        yield from named.findings if named is not None else ()
    for text in ("There's an issue with the selected model", "404", "404 {'message': 'no such model'}"):
        complaint = explain_client_error(text, table=table_for(None), origin="http://127.0.0.1:8045", not_found=True)
        yield from complaint.findings if complaint is not None else ()
    for client in all_clients():
        for mode in client.modes:
            for base in ("", "/v1", "/v1/v1", "/openai/v1", "/v1/chat/completions", "/V1/"):
                for version in ("3.0.0", "4.2.0", None):
                    table = table_for(version)
                    base_url = "http://127.0.0.1:8045" + base
                    for request in simulate(mode, base_url, table).requests[:4]:
                        for known in ({}, {"base_url": base_url}, {"base_url": base_url, "client": client}):
                            yield from explain(request.path, table=table, method=request.method, **known).findings


def test_no_summary_shows_a_missing_or_an_empty_fact() -> None:
    said = {}
    for finding in spoken():
        template = load_json("texts", "en", f"findings-{code(finding.code).group}.json")[finding.code]["summary"]
        names = {name for _, name, _, _ in string.Formatter().parse(template) if name}
        said[finding.code] = {name for name in names if not finding.facts.get(name)} | said.get(finding.code, set())
    assert {each: missing for each, missing in said.items() if missing} == {}
    assert {each.code for each in PATH_CODES} <= set(said)


def test_every_confidence_lies_between_nothing_and_certainty() -> None:
    assert all(0 < finding.confidence <= 1 for finding in spoken())


# --- every command that a text suggests ------------------------------------------------------------------------------


def options_of(command: str) -> set[str]:
    return {name for each in load(command).params for name in (*each.opts, *each.secondary_opts)}


SUGGESTED = [
    (where, found[0])
    for where, text in texts()
    for found in re.finditer(r"\bagdoctor [a-z][a-z-]+(?: (?:--?[a-z][a-z-]*|[A-Z]{3,}\w*|\{\w+\}|\d+))*", text)
    # Outside of backticks "agdoctor runs in a container" is a sentence about agdoctor, no command.
    if found[0].split(" ")[1] in COMMANDS
    or text[: found.start()].endswith("`")
    or difflib.get_close_matches(found[0].split(" ")[1], COMMANDS, cutoff=0.8)
]


def test_texts_do_suggest_commands() -> None:
    assert len(SUGGESTED) > 10


@pytest.mark.parametrize(("where", "line"), SUGGESTED, ids=[where for where, _ in SUGGESTED])
def test_a_suggested_command_and_its_options_exist(where: str, line: str) -> None:
    _, command, *rest = line.split(" ")
    assert command in COMMANDS
    assert {each for each in rest if each.startswith("-")} <= options_of(command)


# --- what paths.json knows -------------------------------------------------------------------------------------------


def test_everything_that_a_client_asks_for_in_vain_has_a_name() -> None:
    """A request that no base URL can bring to a route, of a mode that works otherwise, is said to be not served."""
    nameless = set()
    for client in all_clients():
        for mode in client.modes:
            for base in ("", "/v1", "/v1beta"):
                found = simulate(mode, "http://h" + base, TABLE)
                for request in found.requests if found.works else ():
                    if request.route is None:
                        answer = explain(
                            request.path, table=TABLE, method=request.method, base_url="http://h" + base, client=client
                        )
                        if answer.findings[0].code in ("AGD316", "AGD410"):
                            nameless.add((client.id, request.path))
    assert nameless == set()


def test_nothing_that_is_served_is_called_unserved() -> None:
    served = {tuple(part for part in route.path.split("/")[1:]) for route in TABLE.routes}
    unversioned = {words[1:] if words[0] in ("v1", "v1beta") else words for words in served}
    assert not (set(unsupported()) & unversioned) - {("responses", "compact")}
