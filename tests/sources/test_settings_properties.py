"""For any document: one value is replaced, and everything else is, to the letter and to other parsers, what it was."""

from __future__ import annotations

import json
import math
import tomllib
from contextlib import suppress
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antigravity_doctor.sources.settings_text import (
    CannotReadError,
    CannotReplaceError,
    Format,
    Value,
    decoded,
    encoded,
    read_values,
    replaced,
)
from antigravity_doctor.sources.shell_files import read_assignments
from tests.sources.test_settings_text import flat

LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXTS = st.text(LETTERS, max_size=12) | st.sampled_from(
    ["http://127.0.0.1:8045/v1", "it's", 'a"b', "#x", "a: b", "- x", "{y}", "true", "12", "", " ", "\\", "a\nb", "\t"]
)
URLS = st.from_regex(r"\Ahttps?://[a-z0-9.\[\]:]{1,20}(/[\w.~%-]{0,8}){0,3}\Z", fullmatch=False).filter(
    lambda each: "$" not in each and "%" not in each
)
NEWS = URLS | TEXTS
SCALARS = (
    TEXTS
    | st.integers(-(10**20), 10**20)
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
)
KEYS = st.text(LETTERS, min_size=1, max_size=6) | st.sampled_from(["baseURL", "env", "a.b", "x-y", "models"])
TREES = st.recursive(
    SCALARS, lambda below: st.lists(below, max_size=4) | st.dictionaries(KEYS, below, max_size=4), max_leaves=12
)
ROOTS = st.dictionaries(KEYS, TREES, min_size=1, max_size=5)
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def one_of(draw: Any, text: str, format: Format) -> Value | None:
    values = [each for each in read_values(text, format) if each.literal]
    return draw.draw(st.sampled_from(values)) if values else None


def same(first: Any, second: Any) -> bool:
    return repr(first) == repr(second)


def holds(text: str, format: Format, value: Value, new: str) -> str:
    """Replaces, looks at the text around, and gives the result."""
    after = replaced(text, format, value, new)
    assert after[: value.start] == text[: value.start]
    assert after[len(after) - len(text) + value.end :] == text[value.end :]
    return after


# --- JSON ------------------------------------------------------------------------------------------------------------

BLANKS = st.sampled_from(["", " ", "\n", "\r\n\t", "  "])
COMMENTED = BLANKS | st.sampled_from([" // \"a\": 'b'\n", "/* , } */", "//\r\n", "/**/ ", "/* // */\n"])


def written(draw: Any, data: Any, blank: st.SearchStrategy[str], commas: bool) -> str:
    """JSON as somebody may have typed it."""
    gap = lambda: draw.draw(blank)  # noqa: E731 - a word for what is drawn at each place anew
    if isinstance(data, (dict, list)):
        items = []
        for each in data:
            name = (
                json.dumps(each, ensure_ascii=draw.draw(st.booleans())) + gap() + ":"
                if data and isinstance(data, dict)
                else ""
            )
            below = data[each] if isinstance(data, dict) else each
            items.append(gap() + name + gap() + written(draw, below, blank, commas) + gap())
        last = "," + gap() if commas and items and draw.draw(st.booleans()) else ""
        opening, closing = "{}" if isinstance(data, dict) else "[]"
        return opening + ",".join(items) + last + (gap() if not items else "") + closing
    return json.dumps(data, ensure_ascii=draw.draw(st.booleans()))


@QUICK
@given(st.data(), ROOTS, NEWS)
def test_json(draw: Any, data: Any, new: str) -> None:
    text = draw.draw(BLANKS) + written(draw, data, BLANKS, commas=False) + draw.draw(BLANKS)
    expected = flat(json.loads(text))
    assert same(
        {each.at: each.value for each in read_values(text, "json")},
        {at: each for at, each in expected.items() if not isinstance(each, (dict, list))},
    )
    if value := one_of(draw, text, "json"):
        expected[value.at] = new
        assert same(flat(json.loads(holds(text, "json", value, new))), expected)


@QUICK
@given(st.data(), ROOTS, NEWS)
def test_jsonc(draw: Any, data: Any, new: str) -> None:
    text = draw.draw(COMMENTED) + written(draw, data, COMMENTED, commas=True) + draw.draw(COMMENTED)
    before = {each.at: each.value for each in read_values(text, "jsonc")}
    assert same(before, flat(data))
    assert same(before, {each.at: each.value for each in read_values(text, "json5")})
    if value := one_of(draw, text, "jsonc"):
        after = {each.at: each.value for each in read_values(holds(text, "jsonc", value, new), "jsonc")}
        assert same(after, before | {value.at: new})


# --- TOML ------------------------------------------------------------------------------------------------------------

TOML_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
TOML_SCALARS = st.one_of(
    TEXTS.map(lambda each: json.dumps(each).replace("\x7f", "\\u007f")),
    TOML_TEXT.filter(lambda each: "'" not in each).map(lambda each: f"'{each}'"),
    TOML_TEXT.filter(lambda each: "'" not in each).map(lambda each: f"'''\n{each}\n'{each}'''"),
    TOML_TEXT.filter(lambda each: '"' not in each and "\\" not in each).map(
        lambda each: f'"""{each}\\\n  "" {each}"""'
    ),
    st.integers(-(2**60), 2**60).map(str),
    st.sampled_from(["true", "inf", "-0.5e-3", "0xFF", "1_000", "2026-10-01", "2026-10-01 07:32:00Z", "07:32:00"]),
)
TOML_KEYS = st.from_regex(r"\A[A-Za-z0-9_-]{1,6}\Z") | TEXTS.map(
    lambda each: json.dumps(each).replace("\x7f", "\\u007f")
)
TOML_VALUES = st.recursive(
    TOML_SCALARS,
    lambda below: st.one_of(
        st.lists(below, max_size=4).map(lambda each: "[" + " , # ]\n".join(each) + ("\n]" if each else "]")),
        st.lists(st.tuples(st.integers(0, 99), below), max_size=3, unique_by=lambda each: each[0]).map(
            lambda each: "{ " + ", ".join(f"k{name} = {one}" for name, one in each) + " }"
        ),
    ),
    max_leaves=6,
).filter(lambda each: not ("{" in each and "\n" in each))
TOML_LINES = st.lists(
    st.one_of(
        st.tuples(TOML_KEYS, TOML_VALUES).map(lambda each: f"{each[0]} = {each[1]}"),
        st.tuples(TOML_KEYS, TOML_KEYS, TOML_VALUES).map(lambda each: f"  {each[0]} . {each[1]}={each[2]} # c = 1"),
        TOML_KEYS.map(lambda each: f"[{each}]"),
        st.tuples(TOML_KEYS, TOML_KEYS).map(lambda each: f"[ {each[0]}.{each[1]} ]  # [x]"),
        st.tuples(TOML_KEYS).map(lambda each: f"[[{each[0]}]]"),
        st.sampled_from(["", "# comment", "[[list]]", "[list.sub]", "[[list.deep]]"]),
    ),
    max_size=8,
)


@QUICK
@given(st.data(), TOML_LINES, st.sampled_from(["\n", "\r\n"]), NEWS)
def test_toml(draw: Any, lines: list[str], end: str, new: str) -> None:
    text = end.join(lines) + end
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        refused = ""
        try:
            read_values(text, "toml")
        except CannotReadError as error:
            refused = error.reason
        assert refused == "toml-syntax"
        return
    expected = flat(data)
    values = read_values(text, "toml")
    assert {each.at for each in values} == set(expected)
    for each in values:
        if isinstance(expected[each.at], (str, int, float)):
            assert same(each.value, expected[each.at])
    if value := one_of(draw, text, "toml"):
        expected[value.at] = new
        after = flat(tomllib.loads(holds(text, "toml", value, new)))
        assert {at: repr(each) for at, each in after.items()} == {at: repr(each) for at, each in expected.items()}


# --- YAML ------------------------------------------------------------------------------------------------------------

YAML_LETTERS = st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"], exclude_characters="\ufeff\u2028\u2029")
YAML_TEXTS = st.text(YAML_LETTERS, max_size=12) | TEXTS.filter(lambda each: each.isprintable() or each == "a\nb")
YAML_ROOTS = st.dictionaries(
    YAML_TEXTS,
    st.recursive(
        YAML_TEXTS | st.integers(-(10**20), 10**20) | st.booleans() | st.none(),
        lambda below: st.lists(below, max_size=4) | st.dictionaries(YAML_TEXTS, below, max_size=4),
        max_leaves=12,
    ),
    min_size=1,
    max_size=5,
)


@QUICK
@given(
    st.data(),
    YAML_ROOTS,
    st.sampled_from([None, True, False]),
    st.sampled_from([None, "'", '"', "|", ">"]),
    st.sampled_from([20, 80]),
    NEWS,
)
def test_yaml(draw: Any, data: Any, flow: bool | None, style: str | None, width: int, new: str) -> None:
    text = "# c\n" + yaml.safe_dump(
        data, default_flow_style=flow, default_style=style, width=width, allow_unicode=True, sort_keys=False
    )
    expected = flat(yaml.safe_load(text))
    values = read_values(text, "yaml")
    by_core_schema = {each.at: each.value for each in values if not each.why_fixed}
    assert {each.at for each in values} == set(expected)
    for at, each in by_core_schema.items():
        if isinstance(expected[at], str) and isinstance(each, str):  # 0E0 is a text in YAML 1.1 and a number in 1.2
            assert each == expected[at]
    choice = [each for each in values if each.literal and not each.why_fixed]
    if not choice:
        return
    value = draw.draw(st.sampled_from(choice))
    expected[value.at] = new
    refused = ""
    try:
        after = holds(text, "yaml", value, new)
    except CannotReplaceError as error:
        refused = error.reason
    if refused:
        assert refused == "changes-more"  # dump writes what is there twice once, with an anchor
        return
    assert same(flat(yaml.safe_load(after)), expected)


# --- .env ------------------------------------------------------------------------------------------------------------

ENV_LINES = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["", "export ", "  "]),
            st.sampled_from("ABCDEF"),
            st.sampled_from(["=", " = "]),
            st.sampled_from(["", "x", "http://h:1/v1", "'a b'", '"a # b"', "`c`", '"a\\"b"', "'two\nlines'", '"open']),
            st.sampled_from(["", " # c", "  ", " #"]),
        ).map("".join),
        st.sampled_from(["", "# A=1", "no line", "=", "#"]),
        TEXTS,
    ),
    max_size=8,
)


@QUICK
@given(st.data(), ENV_LINES, st.sampled_from(["\n", "\r\n"]), NEWS)
def test_dotenv(draw: Any, lines: list[str], end: str, new: str) -> None:
    text = end.join(lines)
    before = {each.at: each.value for each in read_values(text, "dotenv")}
    value = one_of(draw, text, "dotenv")
    if value is None:
        return
    refused = ""
    try:
        after = holds(text, "dotenv", value, new)
    except CannotReplaceError as error:
        refused = error.reason
    if refused:
        assert refused == "dotenv-cannot-hold"
        return
    assert {each.at: each.value for each in read_values(after, "dotenv")} == before | {value.at: new}


# --- anything --------------------------------------------------------------------------------------------------------

HOSTILE = st.text(st.sampled_from("{}[]\"'`:,#&*!|>-=\\/\n\r\t aA1.$%<?@~eE+_\ufeff\0\x1bä🚀\u2028\ud800"), max_size=60)


@QUICK
@given(HOSTILE | st.text(max_size=60), st.sampled_from(["json", "jsonc", "json5", "toml", "yaml", "dotenv"]), NEWS)
def test_any_text_is_read_or_refused_and_a_value_replaced_or_refused(text: str, format: Format, new: str) -> None:
    refused = ""
    values: tuple[Value, ...] = ()
    try:
        values = read_values(text, format)
    except CannotReadError as error:
        refused = error.reason
    assert refused != "not-proved"  # every text is of its format or is not
    for each in values:
        assert 0 <= each.start <= each.end <= len(text)
        assert each.line >= 1
        assert each.column >= 1
        with suppress(CannotReplaceError):
            holds(text, format, each, new)


@QUICK
@given(st.binary(max_size=60) | HOSTILE.map(lambda each: each.encode("utf-16", "surrogatepass")))
def test_any_bytes_are_text_that_gives_them_again_or_are_refused(raw: bytes) -> None:
    try:
        text, encoding = decoded(raw)
    except CannotReadError:
        return
    assert encoded(text, encoding) == raw


@QUICK
@given(
    st.text(st.sampled_from("A=xB \"'`$(){};&|<>#\\\n\rexporset-gxunif@[]:~"), max_size=60),
    st.sampled_from(["sh", "fish", "fish-variables", "powershell", "environment"]),
)
def test_any_start_up_file_is_read(text: str, dialect: Any) -> None:
    for each in read_assignments(text, dialect, {"A", "B"}):
        assert text[each.start : each.end] == each.written


@QUICK
@given(st.floats(), st.sampled_from(["json5", "toml", "yaml"]))
def test_numbers_that_equal_nothing_do_no_harm(number: float, format: Format) -> None:
    word = "NaN" if math.isnan(number) else "Infinity" if math.isinf(number) else repr(abs(number))
    if format != "json5":
        word = {"NaN": "nan", "Infinity": "inf"}.get(word, word)
    if format == "yaml":
        word = {"nan": ".nan", "inf": ".inf"}.get(word, word)
    text = {"json5": f"{{n: {word}, u: 'x'}}", "toml": f"n = {word}\nu = 'x'", "yaml": f"n: {word}\nu: 'x'"}[format]
    first, second = read_values(text, format)
    assert isinstance(first.value, float)
    assert holds(text, format, second, "y") == text.replace("'x'", "'y'")
    assert read_values(holds(text, format, first, "y"), format)[0].value == "y"
