"""The rows and the summary of `trace`: every way a request can end has its words, at every width, whatever it holds."""

from __future__ import annotations

import io
from typing import get_args

import pytest

from antigravity_doctor.diagnosis.recording import Exchange, Outcome, Recorded
from antigravity_doctor.diagnosis.tracing import Observed
from antigravity_doctor.diagnosis.watching import Watch
from antigravity_doctor.knowledge.routes import table_for
from antigravity_doctor.reports.paint import Line, Terminal, line_width, render
from antigravity_doctor.reports.trace import folded, opening_lines, pending_lines, row_lines, summary_lines
from antigravity_doctor.reports.trace_live import LiveTable
from tests.support.reports import WILD
from tests.support.traced import CLAUDE, screen

ORIGIN, RECORDER = "http://127.0.0.1:8045", "http://127.0.0.1:18045"
PLAIN = Terminal(100, False, True)
FAILURES = ("refused", "timeout", "name", "certificate", "not-http", "reset")
NOTES = ("tls", "http2", "garbage", "as-http-proxy", "target")


def watching() -> Watch:
    return Watch(table=table_for(None), origin=ORIGIN, recorder=RECORDER, given=RECORDER)


def exchange(
    path: str = "/v1/messages",
    status: int | None = 200,
    outcome: Outcome = "answered",
    *,
    method: str = "POST",
    note: str | None = None,
    failure: str | None = None,
    agent: str | None = CLAUDE,
    forwarded: str | None = None,
) -> Exchange:
    seen = Observed(method, path, None, status, None, agent, (), failure=failure)
    return Exchange(1, 1763840000.0, seen, outcome, 1.0, 2.0, note=note, forwarded=forwarded)


def row(one: Exchange, width: int = 100) -> str:
    return text(row_lines(watching().add(one), width))


def text(lines: list[Line]) -> str:
    return render(lines, PLAIN)


@pytest.mark.parametrize(
    ("one", "shown"),
    [
        (exchange(), ("✓ 200  POST /v1/messages", "Anthropic")),
        (exchange("/v1/v1/messages", 404), ("✗ 404  ", "AGD301 duplicate-version-prefix → http://127.0.0.1:8045")),
        (exchange("/v1/messages", 401), ("! 401  ", "AGD201")),
        (exchange("/", 404, method="HEAD"), ("· 404  HEAD /", "AGD602")),
        (exchange(status=None, outcome="no-answer", failure="refused"), ("--- ", "AGD101")),
        (exchange(status=None, outcome="timeout", failure="timeout"), ("--- ", "AGD102")),
        (exchange(outcome="client-left"), ("the client went away first",)),
        (exchange("/v1/v1/messages", 200, forwarded="/v1/messages"), ("sent on as /v1/messages",)),
        (exchange("", None, "not-http", method="", note="tls"), ("must start with http://", RECORDER)),
        (exchange("", None, "not-http", method="", note="http2"), ("HTTP/2",)),
        (exchange("", None, "not-http", method="", note="garbage"), ("not an HTTP/1 request",)),
        (exchange("http://x/", None, "refused", note="as-http-proxy"), ("HTTP_PROXY",)),
    ],
)
def test_a_row_says_how_it_ended(one: Exchange, shown: tuple[str, ...]) -> None:
    said = " ".join(row(one).split()).replace("✓ 200 ", "✓ 200  ")
    for each in shown:
        assert " ".join(each.split()) in " ".join(said.split())


@pytest.mark.parametrize("outcome", get_args(Outcome))
@pytest.mark.parametrize("failure", [None, *FAILURES])
def test_every_outcome_and_failure_can_be_shown(outcome: Outcome, failure: str | None) -> None:
    watch = watching()
    one = watch.add(exchange(status=None, outcome=outcome, failure=failure))
    assert "POST /v1/messages" in text(row_lines(one, 100))
    assert text(summary_lines(watch.summary, 100))


@pytest.mark.parametrize("note", NOTES)
def test_every_note_can_be_shown(note: str) -> None:
    method = "" if note in ("tls", "http2", "garbage") else "GET"
    watch = watching()
    one = watch.add(exchange("", None, "not-http", method=method, note=note))
    assert len(row_lines(one, 200)) == 1
    assert "One request" in text(summary_lines(watch.summary, 100))


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        ([], "No request came to http://127.0.0.1:18045."),
        (["/v1/messages"], "One request, to a route of the proxy."),
        (["/v1/v1/messages"], "One request, to no route of the proxy."),
        (["/favicon.ico"], "One request, a harmless one."),
        (["/v1/messages", "/v1/v1/messages", "/"], "3 requests: 1 to a route of the proxy, 1 to no route, 1 harmless."),
        (["/v1/messages"] * 2, "2 requests: 2 to a route of the proxy."),
    ],
)
def test_the_summary_counts(paths: list[str], said: str) -> None:
    watch = watching()
    for path in paths:
        watch.add(exchange(path, 200 if path == "/v1/messages" else 404, method="POST" if "m" in path else "GET"))
    assert said in " ".join(text(summary_lines(watch.summary, 100)).split())


def test_a_client_with_two_protocols_gets_a_base_url_for_each() -> None:
    watch = watching()
    for path in ("/v1/v1/messages", "/v1beta/v1/messages"):
        watch.add(exchange(path, 404))
    watch.add(exchange("/chat/completions", 404, agent="OpenAI/Python 3.54.0"))
    said = text(summary_lines(watch.summary, 100))
    assert said.count("→ Set the base URL to") == 2
    assert said.index("Claude Code") < said.index("OpenAI SDK")


@pytest.mark.parametrize("width", [40, 80, 120])
def test_every_line_fits(width: int) -> None:
    watch = watching()
    ones = [
        exchange(), exchange("/v1/v1/messages", 404), exchange("/" + "deep/" * 60, 404),
        exchange(status=None, outcome="no-answer", failure="refused"), exchange("", None, "not-http", method="",
        note="tls"), exchange("/chat/completions", 404, agent="x" * 300), exchange("/v1/embeddings", 404, agent=None),
    ]  # fmt: skip
    lines: list[Line] = []
    for one in ones:
        lines += row_lines(watch.add(one), width)
    lines += summary_lines(watch.summary, width, rewriting=True)
    lines += pending_lines([("POST", "/" + "x" * 300, 3.0)], width)
    facts = {"url": RECORDER, "base_url": RECORDER + "/v1", "origin": ORIGIN}
    for source in ("given", "default", "found", "gui_config.json", "stand-in"):
        lines += opening_lines(facts, width, source=source, version="4.5.8", rewriting=True)
    # What cannot be broken without making it useless may stand out: a URL, a path.
    assert max(line_width(each) for each in lines if "/" not in "".join(part for part, _ in each)) <= width


def test_nothing_wild_reaches_the_terminal() -> None:
    watch = watching()
    for path in ("/" + WILD, "/v1/v1/" + WILD + "/messages"):
        for agent in (WILD, None):
            watch.add(exchange(path, 404, agent=agent, forwarded="/" + WILD))
    one = watch.add(exchange("/v1/v1/messages" + WILD, 404, method="G" + WILD))
    lines = [*row_lines(one, 80), *summary_lines(watch.summary, 80), *pending_lines([(WILD, WILD, 1.0)], 80)]
    shown = text(lines)
    assert all(ch.isprintable() or ch == "\n" for ch in shown)


# --- the live table --------------------------------------------------------------------------------------------------


class Screen(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def recorded(path: str) -> Recorded:
    return watching().add(exchange(path, 404))


def test_rows_stay_and_what_is_below_is_replaced() -> None:
    stream, clock = Screen(), iter(range(1000))
    with LiveTable(stream, PLAIN, lambda: float(next(clock))) as live:
        for number in range(5):
            live.add(recorded(f"/nowhere/{number}"))
            live.show(lambda number=number: [[], [(f"below {number}", "")], []])  # type: ignore[misc]
    lines = screen(stream.getvalue().replace("\n", "\r\n"))
    assert [line.split("/nowhere/")[1][0] for line in lines if "/nowhere/" in line] == ["0", "1", "2", "3", "4"]
    assert not any("below" in line for line in lines)


def test_it_paints_no_more_than_a_few_times_a_second() -> None:
    stream, now = Screen(), [0.0]
    with LiveTable(stream, PLAIN, lambda: now[0]) as live:
        for number in range(1000):
            now[0] = number / 1000
            live.show(lambda number=number: [[(f"below {number}", "")]])  # type: ignore[misc]
    assert stream.getvalue().count("below") <= 6


def test_what_has_not_changed_is_not_painted_again() -> None:
    stream, clock = Screen(), iter(range(1000))
    with LiveTable(stream, PLAIN, lambda: float(next(clock))) as live:
        for _ in range(50):
            live.show(lambda: [[("below", "")]])
        assert stream.getvalue().count("below") == 1


def test_rows_that_were_not_painted_yet_are_when_it_ends() -> None:
    stream = Screen()
    with LiveTable(stream, PLAIN, lambda: 0.0) as live:
        live.show(list)
        live.add(recorded("/nowhere"))
    assert any("/nowhere" in line for line in screen(stream.getvalue().replace("\n", "\r\n")))


def test_a_flood_is_not_painted_row_by_row() -> None:
    stream = Screen()
    with LiveTable(stream, PLAIN, lambda: 0.0) as live:
        for number in range(5_000):
            live.add(recorded(f"/nowhere/{number % 7}"))
    lines = screen(stream.getvalue().replace("\n", "\r\n"))
    assert sum("/nowhere" in line for line in lines) == 100
    assert any("4900 more" in line for line in lines)


def test_the_same_request_again_and_again_is_one_row_with_its_number() -> None:
    wrong, right = recorded("/v1/v1/messages"), recorded("/v1/messages")
    assert folded([wrong, wrong, wrong, right, wrong]) == [(wrong, 3), (right, 1), (wrong, 1)]
    assert "/v1/v1/messages ×3" in text(row_lines(wrong, 120, 3))
    assert "×" not in text(row_lines(wrong, 120, 1))
