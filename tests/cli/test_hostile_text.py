"""Whatever is typed, piped in or answered: nothing that a terminal acts on is ever written, and JSON stays JSON."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antigravity_doctor.reports.paint import printable
from tests.support.cli import Result, run
from tests.support.hostile import hostile
from tests.support.reports import parsed

NASTY = (
    "\x1b[31mred\x1b[0m",  # colours
    "\x1b]0;title\x07",  # sets the window's title
    "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",  # a link
    "\x9b31m",  # the same in one C1 character
    "\x90q\x9c",
    "\r\x1b[2K",  # overwrites the line
    "[bold red]markup[/]",
    "\u202eesrever\u202c",  # right-to-left override
    "\u2066isolate\u2069",
    "\u200bzero\u200dwidth\ufeff",
    "\x00\x01\x7f\x85\xad",
    "\u2028line\u2029",
    "\ud800\udfff\udc80",  # lone surrogates
    "\U000e0041\U000e007f",  # tag characters
    "\ufffe\uffff\U0010ffff",
)

COMMANDS = [
    ["explain-path", "{}"],
    ["explain-path", "/v1/v1/{}"],
    ["explain-path", "http://host/{}"],
    ["explain-path", "POST /v1/v1/chat/completions?x={} 404"],
    ["explain-path", "/v1/v1/messages", "--body", "{}"],
    ["explain-path", "/v1/v1/messages", "--method", "{}"],
    ["explain-path", "/v1/v1/messages", "--base-url", "http://host/{}"],
    ["explain-path", "/v1/v1/messages", "--client", "{}"],
    ["explain-path", "/v1/v1/messages", "--host", "{}"],
    ["explain-path", "/v1/v1/messages", "--url", "http://{}"],
    ["explain-path", "/v1/v1/messages", "--status", "{}"],
    ["explain-path", "/v1/v1/messages", "--format", "{}"],
    ["simulate", "--client", "cline", "--base-url", "http://host/{}"],
    ["simulate", "--client", "cline", "--base-url", "http://host/?{}"],
    ["simulate", "--client", "cline", "--base-url", "http://host", "--mode", "{}"],
    ["recommend", "--client", "{}"],
    ["recommend", "--all", "--host", "{}"],
    ["recommend", "--all", "--protocol", "{}"],
    ["check", "--host", "{}", "--timeout", "0.2", "--total-timeout", "0.3"],
    ["check", "--port", "{}"],
    ["check", "--port", "1", "--base-url", "http://host/{}"],
    ["check", "--port", "1", "--api-key", "{}"],
    ["check", "--port", "1", "--fail-on", "{}"],
    ["check", "--port", "1", "--timeout", "{}"],
    ["check", "--{}"],
    ["explain", "{}"],
    ["routes", "--proxy-version", "{}"],
    ["routes", "{}"],
    ["clients", "{}"],
    ["stand-in", "--port", "{}"],
    ["stand-in", "--host", "{}", "--port", "0", "--for", "0"],
    ["stand-in", "--as", "{}"],
    ["{}"],
    ["--{}"],
]


def assert_tame(result: Result) -> None:
    """Asserts that nothing but printable characters and line feeds was written, in a known way of ending."""
    for text in (result.out, result.err):
        wild = {ch for ch in text if not ch.isprintable() and ch != "\n"}
        assert not wild, sorted(map(ascii, wild))
    assert "Traceback" not in result.all
    assert result.code in (0, 1, 2, 3)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_control_character_comes_back(command: list[str]) -> None:
    for nasty in NASTY:
        assert_tame(run(*(each.replace("{}", nasty) for each in command)))


@pytest.mark.parametrize("command", [each for each in COMMANDS if each[0] in ("explain-path", "simulate", "recommend")])
def test_json_stays_json(command: list[str]) -> None:
    for nasty in NASTY:
        result = run(*(each.replace("{}", nasty) for each in command), "--json")
        assert_tame(result)
        assert result.out.isascii()
        if result.out:
            assert json.loads(result.out)["schema_version"] == 1


@pytest.mark.parametrize("environment", [{}, {"FORCE_COLOR": "1"}, {"AGDOCTOR_ASCII": "1"}])
def test_standard_input_is_as_harmless(environment: dict[str, str]) -> None:
    lines = [f"POST /v1/v1/{each}/messages?x={each} 404 {each}" for each in NASTY]
    content = "\n".join(lines).encode("utf-8", "surrogatepass")
    result = run("explain-path", "-", stdin=content, env=environment)
    assert_tame(Result(result.code, _without_colours(result.out), result.err))


def _without_colours(text: str) -> str:
    """The text without the escapes that this program itself writes: a known style, or the end of one."""
    from antigravity_doctor.reports.paint import STYLES

    for style in ("0", *STYLES.values()):
        text = text.replace(f"\x1b[{style}m", "")
    return text


@pytest.mark.parametrize("markup", ["[red]x[/red]", "[bold", "[/]", "[link=http://evil]x[/link]"])
def test_markup_is_shown_as_it_is(markup: str) -> None:
    assert markup in run("clients", markup).err


@pytest.mark.parametrize("format_", ["terminal", "json", "junit", "github"])
@pytest.mark.parametrize("kind", ["escapes", "garbage", "endless-head"])
def test_a_server_cannot_write_to_the_terminal(kind: str, format_: str) -> None:
    with hostile(kind) as server:
        url = f"http://127.0.0.1:{server.port}/v1/\u202e\x9b31m"
        result = run(
            "check", "--port", str(server.port), "--base-url", url, "--client", "cline", "--timeout", "0.5",
            "--verbose", "--format", format_,
        )  # fmt: skip
    assert_tame(result)
    if format_ == "json":
        json.loads(result.out)
    if format_ == "junit":
        parsed(result.out)


# --- printable -------------------------------------------------------------------------------------------------------


@given(st.text(st.characters()), st.integers(40, 400))
def test_printable_leaves_nothing_that_a_terminal_acts_on(text: str, limit: int) -> None:
    shown = printable(text, limit)
    assert shown.isprintable()
    assert not any(unicodedata.category(ch) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for ch in shown)
    shown.encode("utf-8")


@given(st.text(st.characters(categories=("L", "N", "P", "S"))))
def test_printable_keeps_every_visible_character(text: str) -> None:
    assert printable(text, max(len(text), 40)) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("\n\r\t\0", "\\n\\r\\t\\x00"),
        ("\x9b", "\\x9b"),
        ("\u202e", "\\u202e"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("你好 ü 😀", "你好 ü 😀"),
        ("a\\b", "a\\b"),
        ("[red]", "[red]"),
    ],
)
def test_printable_shows_the_code_of_what_it_hides(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_printable_cuts_a_long_text_and_says_how_long_it_was() -> None:
    shown = printable("x" * 1_000_000, 100)
    assert shown.startswith("x" * 70)
    assert shown.endswith("… (1000000 characters)")
    assert len(shown) <= 100


# --- properties ------------------------------------------------------------------------------------------------------

_PIECES = st.sampled_from(
    ["/v1", "/v1beta", "/chat/completions", "/messages", "/models/", ":generateContent", "?key=", "//", "http://",
     "POST ", " 404", " 200", "\n", "\t", "127.0.0.1:8045", "[::1]", "%2F", "#", "\\", '"', "'", "`", "{", "}", *NASTY]
)  # fmt: skip
_TEXTS = st.lists(_PIECES | st.text(st.characters(), max_size=8), min_size=1, max_size=8).map("".join)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_TEXTS, st.sampled_from([None, "80", "200"]))
def test_explain_path_is_tame_for_any_text(text: str, columns: str | None) -> None:
    text = text if text != "-" else "/-"
    environment = {"COLUMNS": columns} if columns else {}
    assert_tame(run("explain-path", "--", text, env=environment))
    as_json = run("explain-path", "--json", "--", text)
    assert_tame(as_json)
    if as_json.out:
        json.loads(as_json.out)


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=300) | _TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_explain_path_is_tame_for_any_bytes_on_standard_input(content: bytes) -> None:
    assert_tame(run("explain-path", "-", stdin=content))


@settings(max_examples=80, deadline=None)
@given(_TEXTS)
def test_a_base_url_is_tame_in_every_report(text: str) -> None:
    assert_tame(run("simulate", "--client", "cherry-studio", "--base-url", text))
    assert_tame(run("explain-path", "/v1/v1/messages", "--base-url", text, "--json"))
