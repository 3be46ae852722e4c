"""What each format allows, what is tolerated with a note, and where and why a text is refused."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml

from antigravity_doctor.sources.settings_text import (
    At,
    CannotReadError,
    CannotReplaceError,
    Format,
    find,
    read,
    read_values,
    replaced,
)

URL = "http://h:1/v1"


def values(text: str, format: Format) -> dict[At, Any]:
    return {each.at: each.value for each in read_values(text, format)}


def notes(text: str, format: Format) -> list[tuple[str, int]]:
    return [tuple(each) for each in read(text, format).notes]


def refused(text: str, format: Format) -> tuple[str, int | None, int | None]:
    with pytest.raises(CannotReadError) as error:
        read(text, format)
    return error.value.reason, error.value.line, error.value.column


def with_first(text: str, format: Format, new: str) -> str:
    return replaced(text, format, read_values(text, format)[0], new)


# --- JSON ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('"a\\u0041\\n\\"\\/"', 'aA\n"/'),
        ('"\\ud83d\\ude80"', "🚀"),
        ("-0.5e+3", -500.0),
        ("12", 12),
        ("true", True),
        ("null", None),
        ("9" * 5000, float("inf")),
    ],
)
def test_json_scalars(written: str, value: object) -> None:
    assert values(f"[{written}]", "json") == {(0,): value}
    assert values(written, "json") == {(): value}


@pytest.mark.parametrize(
    ("text", "reason", "line", "column"),
    [
        ("{", "json-ends-early", 1, 2),
        ('{"a": 1,', "json-ends-early", 1, 9),
        ('{"a"\n 1}', "json-colon-expected", 2, 2),
        ('{"a": 1\n "b": 2}', "json-comma-expected", 2, 2),
        ("[1,,2]", "json-comma-unexpected", 1, 4),
        ("{,}", "json-comma-unexpected", 1, 2),
        ("{a: 1}", "json-key-expected", 1, 2),
        ("{'a': 1}", "json-key-expected", 1, 2),
        ("{1: 1}", "json-key-expected", 1, 2),
        ("{\"a\": 'x'}", "json-value-expected", 1, 7),
        ('{"a": True}', "json-value-expected", 1, 7),
        ('{"a": "x\n"}', "json-string", 1, 7),
        ('{"a": "C:\\Users"}', "json-string", 1, 7),
        ('{"a": "x', "json-string", 1, 7),
        ("[01]", "json-number", 1, 2),
        ("[+1]", "json-number", 1, 2),
        ("[1] []", "json-more-after-the-end", 1, 5),
        ("[1]]", "json-more-after-the-end", 1, 4),
        ("[1}", "json-comma-expected", 1, 3),
        ("[1 /* x", "json-comment-open", 1, 4),
        ("[" * 200 + "]" * 200, "too-deep", 1, 129),
        ("[" * 3_000_000, "too-deep", 1, 129),
    ],
)
def test_json_that_is_none_is_refused_with_its_place(text: str, reason: str, line: int, column: int) -> None:
    assert refused(text, "json") == refused(text, "jsonc") == (reason, line, column)


def test_comments_and_trailing_commas_are_read_and_in_strict_json_noted() -> None:
    text = '// one\n{"a": [1, 2,], /* two */\n "b": 3, # three\n}'.replace("# three", "// three")
    assert values(text, "json") == values(text, "jsonc") == {("a", 0): 1, ("a", 1): 2, ("b",): 3}
    assert notes(text, "json") == [("json-comment", 1), ("json-trailing-comma", 2)]
    assert notes(text, "jsonc") == []


def test_only_comments_are_an_empty_file() -> None:
    assert notes("// nothing yet\n", "jsonc") == [("empty", 1)]


def test_of_a_name_that_is_there_twice_the_last_counts() -> None:
    text = '{"a": {"x": 1, "y": 2}, "b": 0,\n "a": {"x": 3}}'
    assert values(text, "json") == {("b",): 0, ("a", "x"): 3}
    assert notes(text, "json") == [("duplicate-key", 2)]
    second = find(read_values(text, "json"), ("a", "x"))[0][0]
    assert replaced(text, "json", second, URL) == text.replace("3", f'"{URL}"')


def test_json5_is_read_and_keeps_its_single_quotes() -> None:
    text = "{a: 'x\\'\\\n\\x41', $b_1: .5, 'c': 0x10, d: +1., e: -Infinity, f: [1,],}"
    assert values(text, "json5") == {
        ("a",): "x'A", ("$b_1",): 0.5, ("c",): 16, ("d",): 1.0, ("e",): float("-inf"), ("f", 0): 1,
    }  # fmt: skip
    assert with_first("{a: 'x', b: NaN}", "json5", 'it\'s "x"') == "{a: 'it\\'s \"x\"', b: NaN}"
    assert with_first('{a: "x"}', "json5", "it's") == '{a: "it\'s"}'


def test_json5_is_only_read_where_the_client_reads_it() -> None:
    assert refused("{a: 1}", "jsonc")[0] == "json-key-expected"


# --- TOML ------------------------------------------------------------------------------------------------------------


def test_toml_paths_of_every_kind_of_table() -> None:
    text = (
        'top.dotted."a.b" = 1\n[t.u]\nv = {w = {x = [1, {y = 2}]}}\n[[list]]\nn = 1\n[list.sub]\nm = 2\n'
        '[[list]]\nn = 3\n[[list.deep]]\nk = 4\n[[list.deep]]\nk = 5\n[\'q "q"\'."\\u0041"]\nz = 6\n'
    )
    assert values(text, "toml") == {
        ("top", "dotted", "a.b"): 1,
        ("t", "u", "v", "w", "x", 0): 1,
        ("t", "u", "v", "w", "x", 1, "y"): 2,
        ("list", 0, "n"): 1,
        ("list", 0, "sub", "m"): 2,
        ("list", 1, "n"): 3,
        ("list", 1, "deep", 0, "k"): 4,
        ("list", 1, "deep", 1, "k"): 5,
        ('q "q"', "A", "z"): 6,
    }


@pytest.mark.parametrize(
    ("old", "new", "written"),
    [
        ('"x"', URL, f'"{URL}"'),
        ("'x'", URL, f"'{URL}'"),
        ("'x'", "it's", '"it\'s"'),
        ('"x"', 'a"\\\n\x7f', '"a\\"\\\\\\n\\u007F"'),
        ('"""x"""', URL, f'"""{URL}"""'),
        ('"""\nx""y\n"""', URL, f'"""{URL}"""'),
        ("'''x'''", URL, f"'''{URL}'''"),
        ("1979-05-27 07:32:00", URL, f'"{URL}"'),
        ("true", URL, f'"{URL}"'),
    ],
)
def test_toml_quotes_are_kept_where_they_can_hold_the_value(old: str, new: str, written: str) -> None:
    assert with_first(f"a = {old} # c\r\nb = 1\r\n", "toml", new) == f"a = {written} # c\r\nb = 1\r\n"


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("a = 1\nb = \n", 2, 5), ("a = 1\na = 2\n", 2, 6), ("[a\nb = 1", 1, 3), ("a = [1", 1, 7), ('a = "x', 1, 7)],
)
def test_toml_that_is_none_is_refused_with_its_place(text: str, line: int, column: int) -> None:
    assert refused(text, "toml") == ("toml-syntax", line, column)


def test_the_parsers_own_words_come_along() -> None:
    with pytest.raises(CannotReadError) as error:
        read("a = 1\na = 2", "toml")
    assert "overwrite" in error.value.detail
    assert "line" not in error.value.detail


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 3000 + "]" * 3000,
        "a = " + "[" * 200 + "]" * 200,
        "a = " + "{a = " * 200 + "1" + "}" * 200,
        "a." * 200_000 + "a = 1",
        '["a"' + ' . "a"' * 300_000 + "]",
    ],
)
def test_toml_of_any_depth_is_refused_at_once(text: str) -> None:
    begun = time.monotonic()
    assert refused(text, "toml")[0] == "too-deep"
    assert time.monotonic() - begun < 5


# --- YAML ------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["libyaml", "python"])
def either_loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML with and without the C library give the same."""
    if request.param == "python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    elif not hasattr(yaml, "CSafeLoader"):
        pytest.skip("PyYAML is built without libyaml")


@pytest.mark.usefixtures("either_loader")
@pytest.mark.parametrize(
    ("written", "value", "place"),
    [
        ("http://h:1/v1", "http://h:1/v1", "http://h:1/v1"),
        ("'it''s'", "it's", "'it''s'"),
        ('"a\\tb"', "a\tb", '"a\\tb"'),
        ("&anchor http://h", "http://h", "http://h"),
        ("!!str 12", "12", "12"),
        ("&a !!str 'é🚀'", "é🚀", "'é🚀'"),
        ("|\n  one\n  two\n", "one\ntwo\n", "|\n  one\n  two"),
        (">-\n  one\n  two\n\n", "one two", ">-\n  one\n  two"),
        ("one\n  two", "one two", "one\n  two"),
        ("", None, ""),
        ("yes", "yes", "yes"),
        ("True", True, "True"),
        ("0x1F", 31, "0x1F"),
        ("1_000", "1_000", "1_000"),
        ("-.inf", float("-inf"), "-.inf"),
        ("1e3", 1000.0, "1e3"),
        ("12:30:45", "12:30:45", "12:30:45"),
        ("2026-01-01", "2026-01-01", "2026-01-01"),
    ],
)
def test_yaml_scalars_and_their_places(written: str, value: object, place: str) -> None:
    text = f"first: 1\na: {written}\nlast: [2]\n"
    found = find(read_values(text, "yaml"), ("a",))[0][0]
    assert (repr(found.value), text[found.start : found.end]) == (repr(value), place)
    after = replaced(text, "yaml", found, URL)
    assert values(after, "yaml") == {("first",): 1, ("a",): URL, ("last", 0): 2}


@pytest.mark.usefixtures("either_loader")
@pytest.mark.parametrize(
    ("old", "new", "written"),
    [
        ("http://a", URL, URL),
        ("'x'", URL, f"'{URL}'"),
        ('"x"', URL, f'"{URL}"'),
        ("'x'", "it's", "'it''s'"),
        ("'x'", "a\nb", '"a\\u000ab"'),
        ("x", URL, f'"{URL}"'),  # it may stand in {…}
        ("http://a", "http://a: b", '"http://a: b"'),
        ("http://a", "http://a #b", '"http://a #b"'),
        ("x", "no", '"no"'),
        ("x", "12", '"12"'),
        ("x", "", '""'),
        ("|-\n  http://a", URL, URL),
    ],
)
def test_yaml_style_is_kept_where_it_can_hold_the_value(old: str, new: str, written: str) -> None:
    assert with_first(f"a: {old}  # c\nb: 1\n" if "\n" not in old else f"a: {old}\nb: 1\n", "yaml", new) == (
        f"a: {written}  # c\nb: 1\n" if "\n" not in old else f"a: {written}\nb: 1\n"
    )


@pytest.mark.usefixtures("either_loader")
def test_an_aliased_value_is_read_and_not_replaced() -> None:
    text = "base: &u http://a\nuse: *u\n"
    base, use = read_values(text, "yaml")
    assert (use.value, use.why_fixed, text[use.start : use.end]) == ("http://a", "yaml-alias", "*u")
    with pytest.raises(CannotReplaceError, match="yaml-alias"):
        replaced(text, "yaml", use, URL)
    with pytest.raises(CannotReplaceError, match="changes-more"):
        replaced(text, "yaml", base, URL)


def test_merged_mappings_are_read_below_a_mappings_own_keys() -> None:
    text = "a: &a {x: 1, y: 2}\nb: &b {<<: *a, y: 3}\nc:\n  <<: [*b, {x: 9, z: 4}]\n  w: 5\n"
    assert values(text, "yaml") == {
        ("a", "x"): 1, ("a", "y"): 2, ("b", "x"): 1, ("b", "y"): 3,
        ("c", "x"): 1, ("c", "y"): 3, ("c", "z"): 4, ("c", "w"): 5,
    }  # fmt: skip


@pytest.mark.parametrize(
    "merged",
    ["{x: 1, y: 2, r: 10}", "{<<: *centre, r: 10}", "{<<: [*centre, *big]}", "{<<: [*big, *left, *small], x: 1}"],
)
def test_the_equal_maps_of_the_merge_keys_definition_are_equal(merged: str) -> None:
    """https://yaml.org/type/merge.html: earlier mappings of a list win, own keys win over all. PyYAML is no judge of
    it: until 6.0.3 it says so too, 6.0.4 lets the later mapping of a list win."""
    others = "c: &centre {x: 1, y: 2}\nl: &left {x: 0, y: 2}\nb: &big {r: 10}\ns: &small {r: 1}\n"
    found = values(f"{others}m: {merged}\n", "yaml")
    assert {at[1]: value for at, value in found.items() if at[0] == "m"} == {"x": 1, "y": 2, "r": 10}


def test_values_come_in_the_order_of_the_file() -> None:
    text = "a: &a {x: 1}\nb:\n  <<: *a\n  w: 5\n"
    starts = [each.start for each in read_values(text, "yaml")]
    assert starts == sorted(starts)


@pytest.mark.parametrize("tag", ["!secret", "!!binary", "!<tag:example.com,2026:x>", "!env_var"])
def test_a_tagged_value_is_read_as_text_and_left_alone(tag: str) -> None:
    text = f"a: {tag} aGk=\n"
    (value,) = read_values(text, "yaml")
    assert (value.value, value.why_fixed) == ("aGk=", "yaml-tag")


def test_an_anchor_without_a_value_is_left_alone() -> None:
    (value,) = read_values("a: &x\n", "yaml")
    assert (value.value, value.why_fixed) == (None, "yaml-tag")


def test_a_comment_in_a_block_header_is_not_lost() -> None:
    text = "a: |  # why\n  http://a\n"
    with pytest.raises(CannotReplaceError, match="yaml-block-comment"):
        with_first(text, "yaml", URL)


def test_only_the_first_document_counts() -> None:
    text = "a: 1\n---\na: 2\n"
    assert values(text, "yaml") == {("a",): 1}
    assert notes(text, "yaml") == [("yaml-documents", 2)]


def test_a_key_that_no_path_can_hold_is_passed_over() -> None:
    assert values("? [a, b]\n: 1\n? {c: d}\n: {e: 2}\n1: 3\n", "yaml") == {("1",): 3}


def test_of_a_yaml_key_that_is_there_twice_the_last_counts() -> None:
    assert values("a: {x: 1, y: 2}\nb: 0\na: {x: 3}\n", "yaml") == {("b",): 0, ("a", "x"): 3}
    assert notes("a: 1\na: 2\n", "yaml") == [("duplicate-key", 2)]


@pytest.mark.usefixtures("either_loader")
@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("a: [1\n", "yaml-syntax", 2),
        ("a: b: c\n", "yaml-syntax", 1),
        ("a:\n  b: 1\n c: 2\n", "yaml-syntax", 3),
        ("a:\n\tb: 1\n", "yaml-tab", 2),
        ("a: 'x\n", "yaml-syntax", 2),
        ("a: 1\nb: \x01\n", "yaml-character", 2),
        ("a: \ud800\n", "yaml-character", 1),
        ("a: 1\nb: *none\n", "yaml-alias-unknown", 2),
        ("a: &a [*a]\n", "too-deep", 1),
        ("a: &a {<<: *a}\n", "too-deep", 1),
        ("[" * 100_000, "too-deep", 1),
        ("- " * 100_000, "too-deep", 1),
        ("? " * 10_000, "too-deep", 1),
    ],
)
def test_yaml_that_is_none_is_refused_with_its_line(text: str, reason: str, line: int) -> None:
    assert refused(text, "yaml")[:2] == (reason, line)


BOMBS = {
    "laughs": "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)),
    "empty laughs": "a0: &a0 []\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 90)),
    "merges": "a0: &a0 {}\n" + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 60)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_of_aliases_is_harmless(name: str) -> None:
    begun = time.monotonic()
    assert refused(BOMBS[name], "yaml")[0] == "too-many-values"
    assert time.monotonic() - begun < 10


def test_nesting_times_width_is_bounded() -> None:
    """Each value holds its path: a hundred deep, and half a million wide, would be gigabytes."""
    text = "[" * 120 + "1," * 500_000 + "1" + "]" * 120
    assert refused(text, "json")[0] == "too-many-values"


# --- .env ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "value", "place"),
    [
        ("A=x", "x", "x"),
        ("export A=x", "x", "x"),
        ("  A = x  ", "x", "x"),
        ("A=http://h:1/v1 # c", "http://h:1/v1", "http://h:1/v1"),
        ('A="x y" # c', "x y", '"x y"'),
        ("A='x # y'", "x # y", "'x # y'"),
        ("A=`x`", "x", "`x`"),
        ('A="a\\nb"', "a\nb", '"a\\nb"'),
        ('A="one\ntwo"', "one\ntwo", '"one\ntwo"'),
        ("A=", "", ""),
        ("A= # c", "", ""),
        ("A=#c", "", ""),
        ("A='x'y", "'x'y", "'x'y"),
        ("A=it's", "it's", "it's"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_dotenv_values_and_their_places(line: str, value: str, place: str, end: str) -> None:
    text = f"# c{end or chr(10)}{line}{end}"
    (found,) = read_values(text, "dotenv")
    assert (found.at, found.value, text[found.start : found.end]) == (("A",), value, place)


@pytest.mark.parametrize("line", ["# A=x", "A", "A: x", "=x", "1A=x", "A B=x", "export", ""])
def test_a_dotenv_line_that_is_none_is_skipped(line: str) -> None:
    assert values(f"{line}\nB=1\n", "dotenv") == {("B",): "1"}


def test_the_last_line_of_a_name_wins_and_is_the_one_replaced() -> None:
    text = "A=1\r\nB=2\r\nA='3' # c\r\n"
    assert values(text, "dotenv") == {("B",): "2", ("A",): "3"}
    assert notes(text, "dotenv") == [("duplicate-key", 3)]
    last = find(read_values(text, "dotenv"), ("A",))[0][0]
    assert replaced(text, "dotenv", last, URL) == f"A=1\r\nB=2\r\nA='{URL}' # c\r\n"


@pytest.mark.parametrize(
    ("old", "new", "written"),
    [
        ("x", URL, URL),
        ('"x"', URL, f'"{URL}"'),
        ("'x'", "a b", "'a b'"),
        ("x", "a b", '"a b"'),
        ("x", "a#b", '"a#b"'),
        ("", URL, URL),
        ("x", "", '""'),
    ],
)
def test_dotenv_quotes_are_kept_and_set_where_needed(old: str, new: str, written: str) -> None:
    assert with_first(f"export A={old} # c\n", "dotenv", new) == f"export A={written} # c\n"


@pytest.mark.parametrize("new", ['"', "'", "`", "\\", "$A", "a\nb", "\x7f"])
def test_what_programs_read_differently_is_not_written(new: str) -> None:
    with pytest.raises(CannotReplaceError, match="dotenv-cannot-hold"):
        with_first("A=x\n", "dotenv", new)


@pytest.mark.parametrize(
    ("text", "note"),
    [('A="\\$x"', "dotenv-escape"), ('A="x', "dotenv-quote-open"), ("A=a#b", "dotenv-hash")],
)
def test_what_programs_read_differently_is_noted(text: str, note: str) -> None:
    assert notes(text, "dotenv") == [(note, 1)]


# --- whatever the format ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_lines_are_counted_as_editors_do(ends: str) -> None:
    text = ends.join(["{", '"ä🚀": 1,', '  "b": 2', "}"])
    assert [(each.line, each.column) for each in read_values(text, "json")] == [(2, 7), (3, 8)]


@pytest.mark.parametrize("properties", ["!!str", "&a"])
def test_a_comment_between_a_tag_and_its_value_is_not_the_values(properties: str) -> None:
    text = f"url: {properties} # keep me\n  http://localhost:9/v1\n"
    (value,) = read_values(text, "yaml")
    assert text[value.start : value.end].strip() == "http://localhost:9/v1"


@pytest.mark.parametrize("format", ["toml", "yaml", "json5"])
def test_a_huge_number_beside_it_does_no_harm(format: Format) -> None:
    number = "0x" + "f" * 3900
    text = {"toml": f'n = {number}\nu = "x"\n', "yaml": f"n: {number}\nu: x\n", "json5": f"{{n: {number}, u: 'x'}}"}[
        format
    ]
    value = next(each for each in read_values(text, format) if each.value == "x")
    assert "y" in replaced(text, format, value, "y")
