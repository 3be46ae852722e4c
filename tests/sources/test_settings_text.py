"""Settings files: values are found where they are written, and one is replaced without touching anything else."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from antigravity_doctor.knowledge.files import load_json
from antigravity_doctor.sources import settings_text
from antigravity_doctor.sources.settings_text import (
    LIMIT,
    At,
    CannotReadError,
    CannotReplaceError,
    Format,
    Value,
    decoded,
    encoded,
    find,
    read,
    read_values,
    replaced,
)

SAMPLES = Path(__file__).parent.parent / "data" / "settings"
FORMATS: dict[str, Format] = {
    "claude-code.settings.json": "json",
    "codex.config.toml": "toml",
    "opencode.jsonc": "jsonc",
    "kilo.json": "json",
    "gemini-cli.env": "dotenv",
    "continue.config.yaml": "yaml",
    "litellm.config.yaml": "yaml",
    "aider.conf.yml": "yaml",
    "vscode.settings.json": "jsonc",
    "zed.settings.json": "jsonc",
    "librechat.yaml": "yaml",
    "compose.env": "dotenv",
    "openclaw.json5": "json5",
    "droid.settings.json": "json",
    "qwen-code.settings.json": "json",
}
NEW = "http://127.0.0.1:9999/v1"
ODD = "http://[::1]:8045/ä \"q\" 'q' \\n #x: {y}, 🚀\t\n"


def sample(name: str) -> str:
    return decoded((SAMPLES / name).read_bytes())[0]


def value_at(text: str, format: Format, *at: str | int) -> Value:
    (found,) = find(read_values(text, format), at)
    return found[0]


def flat(data: Any, at: At = ()) -> dict[At, Any]:
    """path -> scalar, of what an independent parser has read."""
    if isinstance(data, (dict, list)):
        items = data.items() if isinstance(data, dict) else enumerate(data)
        return {path: each for part, below in items for path, each in flat(below, (*at, part)).items()}
    return {at: data}


def said(values: tuple[Value, ...]) -> list[tuple[At, str]]:
    return [(each.at, repr(each.value)) for each in values]


# --- real files ------------------------------------------------------------------------------------------------------


def test_every_sample_is_read() -> None:
    assert {each.name for each in SAMPLES.iterdir()} == set(FORMATS) | {"README.md", ".gitattributes"}


BASE_URLS: list[tuple[str, At, str, int, int]] = [
    ("claude-code.settings.json", ("env", "ANTHROPIC_BASE_URL"), "http://127.0.0.1:8045/v1", 4, 27),
    ("codex.config.toml", ("model_providers", "custom", "base_url"), "http://127.0.0.1:8045", 10, 12),
    ("codex.config.toml", ("model_providers", "other.one", "base_url"), "http://localhost:11434/v1", 19, 12),
    ("opencode.jsonc", ("provider", "antigravity-manager", "options", "baseURL"), "http://127.0.0.1:8045", 12, 20),
    ("kilo.json", ("provider", "local", "options", "baseURL"), "http://127.0.0.1:8045/v1/chat/completions", 6, 28),
    ("gemini-cli.env", ("GOOGLE_GEMINI_BASE_URL",), "http://127.0.0.1:8045/v1beta", 2, 24),
    ("continue.config.yaml", ("models", 0, "apiBase"), "http://127.0.0.1:8045", 9, 14),
    ("continue.config.yaml", ("models", 1, "apiBase"), "http://127.0.0.1:8045/v1beta/", 18, 14),
    ("litellm.config.yaml", ("proxy_base", "api_base"), "http://127.0.0.1:8045/v1", 3, 13),
    ("litellm.config.yaml", ("model_list", 1, "litellm_params", "api_base"), "http://127.0.0.1:8045", 15, 15),
    ("litellm.config.yaml", ("model_list", 2, "litellm_params", "api_base"), "http://127.0.0.1:8045/v1/", 19, 15),
    ("aider.conf.yml", ("openai-api-base",), "http://127.0.0.1:8045/v1/", 5, 18),
    (
        "vscode.settings.json", ("terminal.integrated.env.linux", "ANTHROPIC_BASE_URL"), "http://127.0.0.1:8045/v1",
        11, 31,
    ),
    (
        "vscode.settings.json", ("claudeCode.environmentVariables", 0, "value"), "http://127.0.0.1:8045/v1/messages",
        19, 50,
    ),
    (
        "zed.settings.json", ("language_models", "openai_compatible", "Antigravity", "api_url"),
        "http://127.0.0.1:8045", 10, 20,
    ),
    (
        "librechat.yaml", ("endpoints", "custom", 0, "baseURL"),
        "http://host.docker.internal:8045/v1/chat/completions", 10, 16,
    ),
    ("compose.env", ("OPENAI_API_BASE_URL",), "http://host.docker.internal:8045/v1", 11, 21),
    ("openclaw.json5", ("models", "providers", "local", "baseUrl"), "http://127.0.0.1:8045/v1", 8, 18),
    ("droid.settings.json", ("customModels", 1, "baseUrl"), "http://127.0.0.1:8045", 1, 301),
    ("qwen-code.settings.json", ("security", "auth", "baseUrl"), "http://127.0.0.1:8045", 2, 64),
]  # fmt: skip


@pytest.mark.parametrize(("name", "at", "value", "line", "column"), BASE_URLS)
def test_a_base_url_is_found_with_its_line_and_column(name: str, at: At, value: str, line: int, column: int) -> None:
    found = value_at(sample(name), FORMATS[name], *at)
    assert (found.value, found.line, found.column) == (value, line, column)
    assert found.literal
    assert not found.why_fixed


@pytest.mark.parametrize(("name", "at", "value", "line", "column"), BASE_URLS)
def test_a_base_url_is_replaced_and_nothing_else(name: str, at: At, value: str, line: int, column: int) -> None:
    raw = (SAMPLES / name).read_bytes()
    text, encoding = decoded(raw)
    old = value_at(text, FORMATS[name], *at)
    if name == "litellm.config.yaml" and at[0] == "proxy_base":
        with pytest.raises(CannotReplaceError) as refused:
            replaced(text, FORMATS[name], old, NEW)
        assert refused.value.reason == "changes-more"
        return
    after = encoded(replaced(text, FORMATS[name], old, NEW), encoding)
    lines, lines_after = raw.split(b"\n"), after.split(b"\n")
    changed = [n for n, each in enumerate(lines) if n >= len(lines_after) or each != lines_after[n]]
    if len(lines) == len(lines_after):
        assert changed == [line - 1]
    assert NEW.encode() in after
    assert value_at(decoded(after)[0], FORMATS[name], *at).value == NEW


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("new", [NEW, ODD, ""])
def test_every_value_of_every_sample_can_be_replaced_or_says_why_not(name: str, new: str) -> None:
    text = sample(name)
    format = FORMATS[name]
    values = read_values(text, format)
    done = 0
    refused = set()
    for number, each in enumerate(values):
        try:
            after = replaced(text, format, each, new)
        except CannotReplaceError as error:
            refused.add(error.reason)
            continue
        done += 1
        assert after.startswith(text[: each.start])
        assert after.endswith(text[each.end :])
        expected = said(values)
        expected[number] = (each.at, repr(new))
        assert said(read_values(after, format)) == expected
    assert refused <= {"stands-for-else", "changes-more", "yaml-alias", "dotenv-cannot-hold"}
    assert done > len(values) // 2 or (format == "dotenv" and new == ODD)


@pytest.mark.parametrize("name", [name for name, format in FORMATS.items() if format == "json"])
def test_json_is_read_as_the_standard_library_reads_it(name: str) -> None:
    data = json.loads((SAMPLES / name).read_bytes().decode("utf-8-sig"))
    assert dict(said(read_values(sample(name), "json"))) == {at: repr(each) for at, each in flat(data).items()}


def test_toml_is_read_as_the_standard_library_reads_it() -> None:
    data = flat(tomllib.loads(sample("codex.config.toml")))
    found = {each.at: each.value for each in read_values(sample("codex.config.toml"), "toml")}
    assert found.pop(("tui", "last_seen")) == "2026-10-01T07:32:00Z"
    assert data.pop(("tui", "last_seen")).year == 2026
    assert found == data


@pytest.mark.parametrize("name", [name for name, format in FORMATS.items() if format == "yaml"])
def test_yaml_is_read_as_pyyaml_reads_it(name: str) -> None:
    data = flat(yaml.safe_load(sample(name)))
    found = {each.at: each.value for each in read_values(sample(name), "yaml")}
    if name == "aider.conf.yml":  # a text for the YAML of today, true for that of 2005
        assert (found.pop(("dark-mode",)), data.pop(("dark-mode",))) == ("yes", True)
    assert found == data


# --- paths -----------------------------------------------------------------------------------------------------------


def test_a_star_stands_for_any_key_and_says_which() -> None:
    values = read_values(sample("codex.config.toml"), "toml")
    assert [(each.value, stars) for each, stars in find(values, ["model_providers", "*", "base_url"])] == [
        ("http://127.0.0.1:8045", ("custom",)),
        ("http://localhost:11434/v1", ("other.one",)),
    ]


def test_a_star_stands_for_any_item_of_a_list() -> None:
    values = read_values(sample("droid.settings.json"), "json")
    assert [stars for _, stars in find(values, ("customModels", "*", "provider"))] == [(0,), (1,)]


def test_two_stars_are_told_apart() -> None:
    values = read_values('{"a": {"x": [1, 2]}, "b": {"x": [3]}}', "json")
    assert [(each.value, stars) for each, stars in find(values, ("*", "x", "*"))] == [
        (1, ("a", 0)),
        (2, ("a", 1)),
        (3, ("b", 0)),
    ]


def test_a_path_is_neither_longer_nor_shorter_than_it_says() -> None:
    values = read_values('{"a": {"b": 1}}', "json")
    assert find(values, ("a",)) == find(values, ("a", "b", "*")) == []


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("http://127.0.0.1:8045/v1", True),
        ("http://h/%20x?a=b%26", True),
        ("", True),
        ("${PROXY}/v1", False),
        ("$PROXY", False),
        ("{env:PROXY}", False),
        ("{file:~/.url}", False),
        ("os.environ/PROXY", False),
        ("${{ secrets.URL }}", False),
        ("%PROXY%/v1", False),
        ("$(cat url)", False),
    ],
)
def test_a_reference_to_something_else_is_not_literal_and_not_replaced(text: str, literal: bool) -> None:
    written = json.dumps({"u": text})
    (value,) = read_values(written, "json")
    assert value.literal is literal
    if not literal:
        with pytest.raises(CannotReplaceError) as refused:
            replaced(written, "json", value, NEW)
        assert refused.value.reason == "stands-for-else"


# --- bytes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        ("ä\r\nb\n".encode(), "utf-8"),
        (b"\xef\xbb\xbf{}\r\n", "utf-8-sig"),
        (b"\xff\xfe" + "ä🚀\r\n".encode("utf-16-le"), "utf-16-le"),
        (b"\xfe\xff" + "ä🚀\r\n".encode("utf-16-be"), "utf-16-be"),
        (b"", "utf-8"),
    ],
)
def test_bytes_become_text_and_the_same_bytes_again(raw: bytes, encoding: str) -> None:
    text, found = decoded(raw)
    assert found == encoding
    assert not text.startswith("\ufeff")
    assert encoded(text, found) == raw


@pytest.mark.parametrize(
    ("raw", "line", "column"),
    [
        (b"a\nb\xff", 2, 2),
        ("é = 1\r\nü".encode() + b"\xff", 2, 2),
        (b"\xff\xfea", None, None),
        (b"a\n\n\0", 3, None),
        (b"\xff\xfe\0\0a\0\0\0", 1, None),
        (bytes(range(256)), 3, 115),  # a CR alone ends a line, as in editors
    ],
)
def test_what_is_no_text_is_refused(raw: bytes, line: int | None, column: int | None) -> None:
    with pytest.raises(CannotReadError) as refused:
        decoded(raw)
    assert (refused.value.reason, refused.value.line, refused.value.column) == ("not-text", line, column)


def test_a_large_file_is_refused() -> None:
    with pytest.raises(CannotReadError, match="too-large"):
        decoded(b" " * (LIMIT + 1))
    with pytest.raises(CannotReadError, match="too-large"):
        read(" " * (LIMIT + 1), "json")


def test_half_a_character_is_not_written() -> None:
    (value,) = read_values('{"a": "x"}', "json")
    with pytest.raises(CannotReplaceError, match="new-value-unwritable"):
        replaced('{"a": "x"}', "json", value, "\ud800")
    with pytest.raises(CannotReplaceError, match="new-value-unwritable"):
        encoded("\ud800", "utf-8")


@pytest.mark.parametrize("format", ["json", "toml", "yaml", "dotenv"])
def test_a_byte_order_mark_moves_places_but_no_columns(format: Format) -> None:
    text = {"json": '{"a": "x"}', "toml": 'a = "x"', "yaml": 'a: "x"', "dotenv": 'a="x"'}[format]
    (plain,) = read_values(text, format)
    (marked,) = read_values("\ufeff" + text, format)
    assert marked == plain._replace(start=plain.start + 1, end=plain.end + 1)
    assert replaced("\ufeff" + text, format, marked, NEW) == "\ufeff" + replaced(text, format, plain, NEW)


@pytest.mark.parametrize("format", ["json", "toml"])
def test_any_number_of_byte_order_marks_does_no_harm(format: Format) -> None:
    with pytest.raises(CannotReadError, match=r"json-value-expected|toml-syntax"):
        read("\ufeff" * 100_000 + "{}", format)


# --- what a replacement refuses --------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["json", "jsonc", "json5", "toml", "yaml", "dotenv"])
@pytest.mark.parametrize("text", ["", " \n", "\ufeff"])
def test_an_empty_file_has_no_values_and_says_so(format: Format, text: str) -> None:
    settings = read(text, format)
    assert settings.values == ()
    assert settings.notes == (("empty", 1),)


def test_a_value_of_another_text_is_not_replaced() -> None:
    (value,) = read_values('{"a": "x"}', "json")
    with pytest.raises(CannotReplaceError, match="not-this-text"):
        replaced('{ "a": "x"}', "json", value, NEW)


def test_a_text_that_does_not_parse_is_never_written() -> None:
    (value,) = read_values('{"a": "x"}', "json")
    with pytest.raises(CannotReadError):
        replaced('{"a": "x"', "json", value, NEW)


def test_a_writer_that_damages_the_file_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof holds whatever the writers do."""
    text = '{"a": "x", "b": 1}'
    value = read_values(text, "json")[0]
    for damaged in ('"other"', f'"{NEW}', f'"{NEW}", "c": 2', f'"{NEW}", "b": 2', "1", ""):
        monkeypatch.setattr(settings_text, "_written", lambda *_, damaged=damaged: damaged)
        with pytest.raises(CannotReplaceError) as refused:
            replaced(text, "json", value, NEW)
        assert refused.value.reason in ("not-proved", "changes-more")


# --- sentences -------------------------------------------------------------------------------------------------------


def test_every_reason_has_its_sentence_and_every_sentence_its_reason() -> None:
    """Whatever looks like a reason in the modules whose business reasons are; others may give some, too."""
    folder = Path(settings_text.__file__).parent
    reasons: dict[str, set[str]] = {
        path.name: {
            node.value
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.fullmatch(r"[a-z]+(?:-[a-z]+)+|empty|gone|mounted", node.value)
        }
        for path in folder.glob("*.py")
    }
    texts = load_json("texts", "en", "settings.json")
    for name, found in reasons.items():
        if name.startswith("settings_") or name == "writing.py":
            assert found <= set(texts)
    assert set(texts) <= set.union(*reasons.values())
    for parts in texts.values():
        assert {"said"} <= set(parts) <= {"said", "next"}
        assert set(re.findall(r"\{(\w*)", " ".join(parts.values()))) <= {"detail", "backup"}
