"""Saved traces read back: what was written comes again, and a file that is none is refused with its line."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from antigravity_doctor.diagnosis.recording import Bodies, Exchange, Recorded
from antigravity_doctor.diagnosis.tracing import Observed
from antigravity_doctor.diagnosis.watching import Watch
from antigravity_doctor.knowledge.routes import table_for
from antigravity_doctor.reports.trace_json import json_line, recorded_object
from antigravity_doctor.sources.saved_trace import LONGEST_LINE, SavedTraceError, read_saved
from tests.support.schemas import validator

TRACES = Path(__file__).parent.parent / "data" / "traces"
ORIGIN, RECORDER = "http://127.0.0.1:8045", "http://127.0.0.1:18045"
LINE: dict[str, Any] = json.loads((TRACES / "claude-code.jsonl").read_text(encoding="utf-8").splitlines()[1])

EXCHANGES = {
    "plain": Exchange(
        7, 1763840000.25, Observed("POST", "/v1/messages", "beta=true&key=***", 200, "x-api-key", "claude-cli/2.1.197",
        ("host", "x-api-key"), "application/json", None), "answered", 1.25, 2.5, 10, 20,
    ),
    "no answer": Exchange(
        1, 1763840000.0, Observed("POST", "/v1/messages", None, None, failure="refused"), "no-answer", None, 0.5
    ),
    "no request": Exchange(2, 1763840000.0, Observed("", "", None, None), "not-http", None, 0.0, note="tls"),
    "rewritten": Exchange(
        3, 1763840000.0, Observed("POST", "/v1/v1/messages", None, 200), "answered", 1.0, 1.0, forwarded="/v1/messages"
    ),
    "websocket": Exchange(
        4, 1763840000.0, Observed("GET", "/v1/responses", None, 101), "answered", 1.0, 1.0, websocket=True
    ),
    "bodies": Exchange(
        5, 1763840000.0, Observed("POST", "/v1/messages", None, 200), "answered", 1.0, 1.0, 4, 5,
        bodies=Bodies('{"é":1}', "data: x\n"),
    ),
}  # fmt: skip


def recorded(exchange: Exchange) -> Recorded:
    watch = Watch(table=table_for(None), origin=ORIGIN, recorder=RECORDER, given=RECORDER + "/v1")
    return watch.add(exchange)


def saved_line(**changes: Any) -> str:
    """A good line with these fields in place of its own; a name with dots is a field of a field."""
    value = copy.deepcopy(LINE)
    for name, new in changes.items():
        *owners, last = name.split("__")
        place = value
        for owner in owners:
            place = place[owner]
        place[last] = new
    return json.dumps(value)


@pytest.mark.parametrize("exchange", EXCHANGES.values(), ids=list(EXCHANGES))
def test_what_was_written_is_read_back(exchange: Exchange) -> None:
    line = json_line(recorded_object(recorded(exchange), origin=ORIGIN, proxy_version="4.5.8"))
    assert not list(validator("trace-request").iter_errors(json.loads(line)))
    (saved,) = read_saved([line], "x")
    assert saved.exchange == exchange
    assert (saved.origin, saved.proxy_version, saved.recorder) == (ORIGIN, "4.5.8", RECORDER)
    assert saved.given == RECORDER + "/v1"


@pytest.mark.parametrize("path", sorted(TRACES.glob("*.jsonl")), ids=lambda path: path.stem)
def test_a_recorded_file_written_again_is_the_same(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for saved, line in zip(read_saved(lines, "x"), lines, strict=True):
        again = recorded_object(recorded(saved.exchange), origin=saved.origin, proxy_version=saved.proxy_version)
        old = json.loads(line)
        same = ("number", "at", "method", "path", "query", "status", "outcome", "key_header", "user_agent", "headers")
        assert {name: again[name] for name in same} == {name: old[name] for name in same}


def test_empty_lines_are_passed_over() -> None:
    assert len(list(read_saved(["\n", saved_line(), "  \n", saved_line()], "x"))) == 2


def test_fields_of_a_newer_version_are_ignored() -> None:
    (saved,) = read_saved([json.dumps({**LINE, "something_new": {"a": 1}})], "x")
    assert saved.exchange.observed.path == LINE["path"]


def test_lines_are_read_one_after_the_other() -> None:
    """A trace of a gigabyte is no gigabyte of memory."""

    def lines() -> Iterator[str]:
        yield saved_line()
        raise AssertionError("the second line was read before the first was used")

    assert next(read_saved(lines(), "x")).exchange.number == LINE["number"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("hello", "it is not JSON"),
        ("[1]", "it is not a request that"),
        ("null", "it is not a request that"),
        ('{"command": "check"}', "it is not a request that"),
        ('{"command": "trace", "requests": []}', "it is not a request that"),
        ('{"command": "trace"}', "the field 'answer' is missing"),
        ("[" * 100_000, ""),
        ('{"command": "trace", "answer": "' + "x" * LONGEST_LINE + '"}', "it is too long"),
    ],
    ids=lambda value: value[:30],
)
def test_a_line_that_is_none_is_refused(line: str, why: str) -> None:
    with pytest.raises(SavedTraceError, match=rf"^NAME, line 2: .*{why}"):
        list(read_saved([saved_line(), line], "NAME"))


WRONG: list[tuple[str, Any]] = [
    ("method", 5), ("method", None), ("path", None), ("path", ["/"]), ("query", 1), ("status", "404"),
    ("status", True), ("status", 4.5), ("status", -1), ("status", 10**400), ("outcome", "fine"), ("outcome", None),
    ("failure", "x"), ("failure", 1), ("note", "x"), ("note", ["tls"]), ("number", 0), ("number", "1"),
    ("headers", [1]), ("headers", None),
    ("user_agent", {}), ("key_header", 1), ("at", "yesterday"), ("at", 5), ("first_byte_ms", "1"),
    ("first_byte_ms", float("nan")), ("total_ms", float("inf")), ("total_ms", -1), ("total_ms", None),
    ("total_ms", 10**400), ("request_bytes", -1), ("answer_bytes", 1.5), ("answer", None), ("answer", []),
    ("answer__kind", 1), ("target", None), ("target__origin", "x"), ("target__origin", "\x1b[31m"),
    ("target__origin", "http://user:secret@h"), ("target__proxy_version", None), ("recorder__url", "javascript:1"),
    ("recorder__base_url", "http://a b"), ("bodies", "x"), ("bodies", {"request": 1, "answer": ""}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG, ids=[f"{name}={str(value)[:12]!r}" for name, value in WRONG])
def test_a_field_of_the_wrong_kind_is_refused(name: str, value: Any) -> None:
    with pytest.raises(SavedTraceError, match=r"^NAME, line 1: ") as caught:
        list(read_saved([saved_line(**{name: value})], "NAME"))
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("name", sorted(set(LINE) - {"schema_version"}))
def test_a_field_that_is_read_must_be_there(name: str) -> None:
    poorer = json.dumps({each: value for each, value in LINE.items() if each != name})
    judged_anew = {"input", "verdict", "route", "findings", "fixes", "client", "configured_base_url", "needs"}
    if name in judged_anew:
        assert list(read_saved([poorer], "x"))
    else:
        with pytest.raises(SavedTraceError, match=r"^x, line 1: "):
            list(read_saved([poorer], "x"))
