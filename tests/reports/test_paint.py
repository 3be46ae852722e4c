"""The painter: widths, wrapping, colours and ASCII twins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antigravity_doctor.reports.paint import (
    MAX_WIDTH,
    MIN_WIDTH,
    STYLES,
    Line,
    Terminal,
    cell_width,
    columns,
    fitted_columns,
    line_width,
    render,
    terminal_for,
    to_ascii,
    wrap,
)
from tests.support.cli import Stream


def text_of(line: Line) -> str:
    return "".join(text for text, _ in line)


# --- what a stream can show ---


@pytest.mark.parametrize(
    ("tty", "environment", "colour"),
    [
        (True, {}, True),
        (True, {"TERM": "xterm-256color"}, True),
        (True, {"TERM": "dumb"}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        (False, {}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": "0"}, False),
        (False, {"FORCE_COLOR": ""}, False),
        (False, {"FORCE_COLOR": "1", "TERM": "dumb"}, True),
        (False, {"TERM": "xterm"}, False),
    ],
)
def test_colour_follows_the_terminal_and_the_variables(tty: bool, environment: dict[str, str], colour: bool) -> None:
    assert terminal_for(Stream(tty=tty), environment).colour is colour


@pytest.mark.parametrize(
    ("encoding", "environment", "unicode"),
    [
        ("utf-8", {}, True),
        ("utf-16", {}, True),
        ("ascii", {}, False),
        ("cp1252", {}, False),
        ("cp437", {}, False),
        ("latin-1", {}, False),
        ("utf-8", {"AGDOCTOR_ASCII": "1"}, False),
    ],
)
def test_symbols_follow_the_encoding(encoding: str, environment: dict[str, str], unicode: bool) -> None:
    assert terminal_for(Stream(encoding=encoding), environment).unicode is unicode


@pytest.mark.parametrize(
    ("columns_", "width"),
    [("80", 80), ("120", 120), ("10", MIN_WIDTH), ("9999999999", MAX_WIDTH), ("0", 100), ("-5", 100), ("wide", 100)],
)
def test_the_width_follows_columns(columns_: str, width: int) -> None:
    assert terminal_for(Stream(), {"COLUMNS": columns_}).width == width


# --- text ---


@pytest.mark.parametrize(
    ("text", "width"),
    [("abc", 3), ("你好", 4), ("é", 1), ("e\u0301", 1), ("😀", 2), ("", 0), ("ｆｕｌｌ", 8), ("✗→…", 3)],
)
def test_cell_width(text: str, width: int) -> None:
    assert cell_width(text) == width


def test_every_symbol_has_an_ascii_twin_of_its_own() -> None:
    assert to_ascii("✓ ✗ ? ! – → … · “x” ’") == 'v x ? ! - -> ... - "x" \''


def test_other_characters_are_shown_by_their_code() -> None:
    assert to_ascii("ü 你 😀") == "\\xfc \\u4f60 \\U0001f600"


def test_render_colours_only_where_the_terminal_can() -> None:
    line = [[("  ", ""), ("✗", "bad"), (" no", "")]]
    assert render(line, Terminal(80, colour=True)) == "  \x1b[1;31m✗\x1b[0m no\n"
    assert render(line, Terminal(80)) == "  ✗ no\n"
    assert render(line, Terminal(80, unicode=False)) == "  x no\n"


def test_render_makes_a_forgotten_control_character_harmless() -> None:
    assert render([[("a\x1b[31m\u202e", "bold")]], Terminal(80)) == "a\\x1b[31m\\u202e\n"


@given(st.lists(st.lists(st.tuples(st.text(), st.sampled_from(sorted(STYLES))), max_size=4), max_size=4))
def test_render_gives_a_line_for_a_line(lines: list[list[tuple[str, str]]]) -> None:
    plain = render(lines, Terminal(80))
    assert plain.count("\n") == len(lines)
    assert render(lines, Terminal(80, unicode=False)).isascii()


# --- wrapping ---

_SPANS = st.lists(st.tuples(st.text("ab 你é", max_size=30), st.sampled_from(["", "bold"])), max_size=6)


@given(_SPANS, st.integers(40, 200), st.integers(0, 12))
def test_wrap_keeps_every_word_and_no_line_is_too_long(
    spans: list[tuple[str, str]], width: int, indent: int
) -> None:  # fmt: skip
    lines = wrap(spans, width, " " * indent)
    assert " ".join(text_of(each) for each in lines).split() == "".join(text for text, _ in spans).split()
    for each in lines:
        words = text_of(each).split()
        assert line_width(each) <= width or len(words) == 1


def test_wrap_never_breaks_a_url() -> None:
    url = "http://127.0.0.1:8045/" + "x" * 100
    assert [text_of(each) for each in wrap([("Set it to ", ""), (url, "value"), (" now", "")], 40, "  ")] == [
        "  Set it to",
        f"  {url}",
        "  now",
    ]


def test_wrap_keeps_styles_inside_a_line() -> None:
    assert wrap([("a b", "bold"), (" c", "")], 80) == [
        [("", ""), ("a", "bold"), (" ", "bold"), ("b", "bold"), (" ", ""), ("c", "")]
    ]


def test_columns_align_and_leave_no_blanks_behind() -> None:
    rows = [[("a", ""), ("bb", ""), ("", "")], [("你好", ""), ("c", ""), ("d", "")]]
    assert [text_of(each) for each in columns(rows, "  ")] == ["  a     bb", "  你好  c   d"]


_ROWS = st.lists(
    st.tuples(st.text("ab", min_size=1, max_size=6), st.text("cd", max_size=25), st.text("e f", max_size=90)),
    min_size=1, max_size=5,
)  # fmt: skip


@given(_ROWS, st.integers(60, 200))
def test_fitted_columns_fit(rows: list[tuple[str, str, str]], width: int) -> None:
    cells = [[(each, "") for each in row] for row in rows]
    lines = fitted_columns(cells, width, "    ")
    said = "".join(text_of(each) for each in lines)
    assert sorted(said.replace(" ", "")) == sorted("".join("".join(row) for row in rows).replace(" ", ""))
    for each in lines:
        longest = max((len(word) for word in text_of(each).split()), default=0)
        assert line_width(each) <= width or longest > 20


def test_fitted_columns_break_the_last_column_beside_or_below_the_others() -> None:
    rows = [[("✓", ""), ("x" * 20, ""), ("a sentence that has to be broken into two", "")]]
    assert [text_of(each) for each in fitted_columns(rows, 60, "  ", " ")] == [
        "  ✓ xxxxxxxxxxxxxxxxxxxx a sentence that has to be broken",
        "                         into two",
    ]
    assert [text_of(each) for each in fitted_columns(rows, 45, "  ", " ")] == [
        "  ✓ xxxxxxxxxxxxxxxxxxxx",
        "    a sentence that has to be broken into two",
    ]
