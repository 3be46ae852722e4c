"""Every text that the reports ask for exists, every text that exists is asked for, and a language is a folder."""

from __future__ import annotations

import ast
import json
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from antigravity_doctor.diagnosis.joining import compile_rule
from antigravity_doctor.diagnosis.model import CheckReport, Severity, Status, Verdict
from antigravity_doctor.knowledge import files, texts
from antigravity_doctor.knowledge.clients import all_clients
from antigravity_doctor.knowledge.files import load_json
from antigravity_doctor.knowledge.routes import all_routes
from antigravity_doctor.probes.run import CHECKS

PACKAGE = Path(files.__file__).parents[1]
PHRASES: dict[str, str] = load_json("texts", "en", "reports.json")
CHECK_TEXTS: dict[str, dict[str, str]] = load_json("texts", "en", "checks.json")
REASONS: dict[str, str] = load_json("texts", "en", "reasons.json")


def _sources(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for folder in folders:
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            yield f"{folder}/{path.name}", ast.parse(path.read_text(encoding="utf-8"))


def _literals(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def _calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for each in ast.walk(tree):
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == name:
            yield each


# --- phrases ---------------------------------------------------------------------------------------------------------

_ASKED = [
    (where, call.args[0]) for where, tree in _sources("reports", "cli", "servers") for call in _calls(tree, "phrase")
]


def test_the_sources_ask_for_phrases() -> None:
    assert len(_ASKED) > 60


@pytest.mark.parametrize(
    ("where", "key"),
    sorted(
        {
            (where, key)
            for where, argument in _ASKED
            if not isinstance(argument, (ast.Compare, ast.BinOp))
            for key in (
                [argument.value]
                if isinstance(argument, ast.Constant)
                else [str(part.value) for part in (argument.body, argument.orelse) if isinstance(part, ast.Constant)]
                if isinstance(argument, ast.IfExp)
                else []
            )
        }
    ),
)
def test_a_phrase_that_is_asked_for_exists(where: str, key: str) -> None:
    assert key in PHRASES, where


def test_every_phrase_is_asked_for() -> None:
    literals = {text for _, tree in _sources("reports", "cli", "servers") for text in _literals(tree)}
    prefixes = {each for each in literals if each.endswith("-") and len(each) > 3}
    verdicts = set(get_args(Verdict))
    unused = [
        key
        for key in PHRASES
        if key not in literals
        and key not in verdicts
        and key.removesuffix("-alone") not in literals
        and not any(key.startswith(prefix) for prefix in prefixes)
    ]
    assert unused == []


@pytest.mark.parametrize(
    ("prefix", "values"),
    [
        ("", set(get_args(Verdict)) - {"no-request-found"}),
        ("severity-", set(get_args(Severity))),
        ("simulate-", {"misrouted", "wrong-method"}),
        ("stage-", {check.stage for check in CHECKS}),
        ("served-by-", set(get_args(CheckReport.__annotations__["served_by"])) or {"desktop", "web-ui"}),
        ("auth-", {"on", "off"}),
        ("setting-", {"env", "file", "ui", "argument"}),
        ("kind-", {"measured", "cited", ""}),
        ("recommend-provenance-", {"measured", "cited"}),
        ("protocol-", {each.protocol for each in all_routes()}),
        ("join-", {step[0] for client in all_clients() for mode in client.modes for step in compile_rule(mode.steps)}),
    ],
)
def test_every_value_that_a_key_is_made_of_has_its_phrase(prefix: str, values: set[str]) -> None:
    assert values
    assert {prefix + each for each in values} <= set(PHRASES)


# --- checks and reasons ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check", [check.id for check in CHECKS])
def test_a_check_has_a_title_and_a_sentence_for_every_status(check: str) -> None:
    assert CHECK_TEXTS[check]["title"]
    assert set(get_args(Status)) <= set(CHECK_TEXTS[check])


def test_there_is_no_text_of_a_check_that_does_not_exist() -> None:
    assert set(CHECK_TEXTS) == {check.id for check in CHECKS}


def test_every_reason_that_a_probe_gives_has_a_text() -> None:
    given = {f"needs-{need}" for check in CHECKS for need in check.needs}
    for _, tree in _sources("probes"):
        for call in (*_calls(tree, "Verdict"), *_calls(tree, "CheckResult")):
            status = [each for each in _literals(call) if each in ("skipped", "inconclusive")]
            if status:
                given |= {each for each in _literals(call) if re.fullmatch(r"[a-z]+(-[a-z]+)+|crashed", each)}
    given -= {check.id for check in CHECKS} | {"inconclusive"}
    assert "out-of-time" in given
    assert sorted(given - set(REASONS)) == []


# --- all of them -----------------------------------------------------------------------------------------------------


def _all_texts() -> Iterator[tuple[str, str]]:
    for path in sorted((PACKAGE / "knowledge" / "texts").rglob("*.json")):
        pending: list[tuple[str, Any]] = [(path.stem, json.loads(path.read_text(encoding="utf-8")))]
        while pending:
            where, value = pending.pop()
            if isinstance(value, dict):
                pending += [(f"{where}.{name}", each) for name, each in value.items()]
            else:
                yield where, value


def test_every_text_is_well_formed_and_printable() -> None:
    for where, text in _all_texts():
        assert text.isprintable(), where
        assert text == text.strip() or where in ("reports.join-then",), where
        for _, field, spec, conversion in string.Formatter().parse(text):
            assert field is None or re.fullmatch(r"[a-z_]+", field), where
            assert not spec, where
            assert conversion is None, where


def test_every_character_of_the_texts_has_an_ascii_twin() -> None:
    from antigravity_doctor.reports.paint import to_ascii

    lacking = {ch for _, text in _all_texts() for ch in text if "\\" in to_ascii(ch) and ch != "\\"}
    assert lacking == set()


# --- languages -------------------------------------------------------------------------------------------------------


@pytest.fixture
def two_languages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A half-done translation, in a folder of its own beside the English one."""
    folder = tmp_path / "texts" / "de"
    folder.mkdir(parents=True)
    (folder / "reports.json").write_text('{"nothing-wrong": "Der Pfad stimmt."}', encoding="utf-8")
    (folder / "checks.json").write_text('{"name": {"title": "Rechnername"}}', encoding="utf-8")

    def load(*parts: str) -> Any:
        own = tmp_path.joinpath(*parts)
        if parts[:2] == ("texts", "de"):
            return json.loads(own.read_text(encoding="utf-8"))
        return load_json(*parts)

    monkeypatch.setattr(texts, "load_json", load)
    texts._texts.cache_clear()
    yield
    texts._texts.cache_clear()


@pytest.mark.usefixtures("two_languages")
def test_a_language_is_a_folder_of_texts() -> None:
    assert texts.phrase("nothing-wrong", language="de") == "Der Pfad stimmt."
    assert texts.phrase("nothing-wrong") == PHRASES["nothing-wrong"]
    assert texts.check_text("name", "title", language="de") == "Rechnername"


@pytest.mark.usefixtures("two_languages")
def test_what_a_translation_lacks_is_said_in_english() -> None:
    assert texts.phrase("worth-knowing", language="de") == PHRASES["worth-knowing"]
    assert texts.finding_text("AGD301", "title", language="de") == texts.finding_text("AGD301", "title")
    assert texts.check_text("port", "title", language="de") == CHECK_TEXTS["port"]["title"]
    assert texts.reason_text("no-client", language="de") == REASONS["no-client"]


@pytest.mark.usefixtures("two_languages")
def test_an_entry_may_be_translated_in_part() -> None:
    assert texts.check_text("name", "fail", language="de") == texts.check_text("name", "fail")


def test_a_fact_that_is_missing_shows_its_name() -> None:
    assert texts.phrase("check-of") == "Check of <url>"
