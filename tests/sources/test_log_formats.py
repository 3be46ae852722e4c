"""Every format of log that is known, line by line and in bulk: what was requested, when, how answered, by whom."""

from __future__ import annotations

import io
import time
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antigravity_doctor.sources.log_fast import Bulk, Store, read_blocks
from antigravity_doctor.sources.log_formats import formats
from antigravity_doctor.sources.log_lines import may_hold_request, read_line
from antigravity_doctor.sources.log_times import parse_time, time_in

AUTH = "antigravity_tools_lib::proxy::middleware::auth: "
MONITOR = "antigravity_tools_lib::proxy::monitor: "
FEB_4 = 1770171330.0  # 2026-02-04T02:15:30Z


class Case(NamedTuple):
    line: str
    kind: str
    method: str
    path: str
    status: int
    when: float | None
    agent: str = ""
    admin: bool = False


NGINX = '"POST /v1/v1/messages?beta=true HTTP/1.1" 404 0 "-" "claude-cli/2.1.197 (external, cli)"'
ESCAPED = r"\"the\" tool"
CLAUDE = "claude-cli/2.1.197 (external, cli)"
CADDY = (
    '{"level":"info","ts":1770171330.0,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":'
    '"10.0.0.1","proto":"HTTP/2.0","method":"POST","host":"h","uri":"/v1/v1/messages?beta=true","headers":'
    '{"User-Agent":["node \\"x\\""],"Accept":["*/*"]}},"duration":0.1,"size":0,"status":404,"resp_headers":{}}'
)

CASES: dict[str, Case] = {
    # the proxy's own, by era (facts: proxy-config-and-logs.md, section 4)
    "proxy, 3.3.5 and newer": Case(
        f"2026-02-04T10:15:30.000000000+08:00  INFO {AUTH}Request: POST /v1/v1/messages",
        "proxy-log", "POST", "/v1/v1/messages", 0, FEB_4,
    ),
    "proxy, 3.2.2 to 3.3.4: UTC, whole URI": Case(
        f"2026-02-04T02:15:30.000000Z  INFO {AUTH}Request: POST /v1/v1/messages?key=sk-secret",
        "proxy-log", "POST", "/v1/v1/messages", 0, FEB_4,
    ),
    "proxy, no fraction of a second": Case(
        f"2026-02-04T02:15:30Z  INFO {AUTH}Request: GET /v1/models", "proxy-log", "GET", "/v1/models", 0, FEB_4,
    ),
    "proxy, its monitor": Case(
        f"2026-02-04T10:15:30.000+08:00  INFO {MONITOR}[Monitor] Logging request: POST /v1/v1/messages?beta=true",
        "monitor", "POST", "/v1/v1/messages", 0, FEB_4,
    ),
    "proxy, docker logs: coloured, no target": Case(
        "\x1b[2m2026-02-04T10:15:30.000000000+08:00\x1b[0m \x1b[32m INFO\x1b[0m Request: POST /v1/v1/messages",
        "proxy-log", "POST", "/v1/v1/messages", 0, FEB_4,
    ),
    "proxy, docker compose": Case(
        f"antigravity-manager  | 2026-02-04T02:15:30.000000Z  INFO {AUTH}Request: POST /v1/v1/messages",
        "proxy-log", "POST", "/v1/v1/messages", 0, FEB_4,
    ),
    "proxy, its admin API": Case(
        f"2026-02-04T02:15:30.000Z  INFO {AUTH}Request: GET /logs", "proxy-log", "GET", "/logs", 0, FEB_4, "", True,
    ),
    # access logs
    "nginx, combined": Case(
        f"10.0.0.1 - - [04/Feb/2026:10:15:30 +0800] {NGINX}",
        "access-log", "POST", "/v1/v1/messages", 404, FEB_4, CLAUDE,
    ),
    "Apache, with the virtual host in front": Case(
        f"proxy.example:80 10.0.0.1 - bob [04/Feb/2026:02:15:30 +0000] {NGINX}",
        "access-log", "POST", "/v1/v1/messages", 404, FEB_4, CLAUDE,
    ),
    "common log format": Case(
        '10.0.0.1 - - [04/Feb/2026:02:15:30 +0000] "GET /models HTTP/1.0" 404 153',
        "access-log", "GET", "/models", 404, FEB_4,
    ),
    "a right request needs no agent": Case(
        '10.0.0.1 - - [04/Feb/2026:02:15:30 +0000] "GET /v1/models HTTP/1.1" 200 9 "-" "curl/8.5.0"',
        "access-log", "GET", "/v1/models", 200, FEB_4,
    ),
    "nginx, a number and an address between time and request": Case(
        f"[04/Feb/2026:02:15:30 +0000] 0.002 10.0.0.1 {NGINX}",
        "access-log", "POST", "/v1/v1/messages", 404, FEB_4, CLAUDE,
    ),
    "nginx, a field between request and status": Case(
        '[04/Feb/2026:02:15:30 +0000] 10.0.0.1 "POST /v1/v1/messages HTTP/1.1" upstream=127.0.0.1:8045 404 "node"',
        "access-log", "POST", "/v1/v1/messages", 404, FEB_4,
    ),
    "Apache, quotes in the User-Agent": Case(
        f"10.0.0.1 - - [04/Feb/2026:02:15:30 +0000] {NGINX.replace('(external, cli)', ESCAPED)}",
        "access-log", "POST", "/v1/v1/messages", 404, FEB_4, 'claude-cli/2.1.197 "the" tool',
    ),
    "Werkzeug": Case(
        '127.0.0.1 - - [04/Feb/2026 02:15:30] "POST /v1/v1/messages HTTP/1.1" 404 -',
        "access-log", "POST", "/v1/v1/messages", 404, FEB_4,
    ),
    "absolute form": Case(
        '10.0.0.1 - - [04/Feb/2026:02:15:30 +0000] "GET http://127.0.0.1:8045/v1/models?x=1 HTTP/1.1" 200 9',
        "access-log", "GET", "/v1/models", 200, FEB_4,
    ),
    "Caddy": Case(CADDY, "access-log", "POST", "/v1/v1/messages", 404, FEB_4, 'node "x"'),
    "Caddy, no agent": Case(
        CADDY.replace('"User-Agent":["node \\"x\\""],', ""), "access-log", "POST", "/v1/v1/messages", 404, FEB_4,
    ),
    "uvicorn": Case(
        'INFO:     127.0.0.1:52344 - "POST /v1/v1/messages?beta=true HTTP/1.1" 404 Not Found',
        "access-log", "POST", "/v1/v1/messages", 404, None,
    ),
    "uvicorn, coloured": Case(
        '\x1b[32mINFO\x1b[0m:     127.0.0.1:1 - "\x1b[1mGET /models HTTP/1.1\x1b[0m" \x1b[31m404 Not Found\x1b[0m',
        "access-log", "GET", "/models", 404, None,
    ),
    "uvicorn, docker logs -t": Case(
        '2026-02-04T02:15:30.000000000Z INFO:     127.0.0.1:1 - "GET /models HTTP/1.1" 404 Not Found',
        "access-log", "GET", "/models", 404, FEB_4,
    ),
    "gin": Case(
        '[GIN] 2026/02/04 - 02:15:30 | 404 |       1.213µs |       127.0.0.1 | POST     "/v1/v1/messages?beta=true"',
        "access-log", "POST", "/v1/v1/messages", 404, FEB_4,
    ),
    "gin, coloured": Case(
        '[GIN] 2026/02/04 - 02:15:30 |\x1b[90;43m 404 \x1b[0m|  1.2ms | 127.0.0.1 |\x1b[97;46m POST    \x1b[0m '
        '"/v1/v1/messages"',
        "access-log", "POST", "/v1/v1/messages", 404, FEB_4,
    ),
}  # fmt: skip
"""Formats that are read in bulk."""

ONE_BY_ONE: dict[str, Case] = {
    "nginx, its own JSON": Case(
        '{"time_iso8601":"2026-02-04T02:15:30+00:00","request_method":"POST","request_uri":"/v1/v1/messages?a=b",'
        '"status":"404","http_user_agent":"node"}',
        "access-log", "POST", "/v1/v1/messages", 404, FEB_4, "node",
    ),
    "Traefik: its time and agent stand far behind": Case(
        '{"ClientAddr":"10.0.0.1:4","DownstreamStatus":404,"Filler":"' + "x" * 400 + '","RequestMethod":"POST",'
        '"RequestPath":"/v1/v1/messages","StartLocal":"2026-02-04T10:15:30+08:00","StartUTC":"2026-02-04T02:15:30Z",'
        '"request_User-Agent":"node","time":"2026-02-04T02:15:30Z"}',
        "access-log", "POST", "/v1/v1/messages", 404, FEB_4, "node",
    ),
    "Elastic common schema": Case(
        '{"@timestamp":"2026-02-04T02:15:30Z","http":{"request":{"method":"POST"},"response":{"status_code":404}},'
        '"url":{"path":"/v1/v1/messages","original":"/v1/v1/messages?a=b"},"user_agent":{"original":"node"}}',
        "access-log", "POST", "/v1/v1/messages", 404, FEB_4, "node",
    ),
    "Elastic common schema, with dots": Case(
        '{"@timestamp":"2026-02-04T02:15:30Z","http.request.method":"POST","http.response.status_code":404,'
        '"url.original":"/v1/v1/messages?a=b","user_agent.original":"node"}',
        "access-log", "POST", "/v1/v1/messages", 404, FEB_4, "node",
    ),
    **{
        f"JSON, its time in {name}": Case(
            f'{{"{name}":{value},"method":"POST","uri":"/v1/v1/messages","status":404}}',
            "access-log", "POST", "/v1/v1/messages", 404, FEB_4,
        )
        for name, value in {
            "ts": "1770171330.0", "msec": '"1770171330.000"', "timestamp": "1770171330000",
            "time_local": '"04/Feb/2026:02:15:30 +0000"', "time_iso8601": '"2026-02-04T02:15:30+00:00"',
        }.items()
    },
    "the proxy's web framework, when it has answered": Case(
        "2026-02-04T02:15:30Z DEBUG request{method=POST uri=/v1/v1/messages?beta=true version=HTTP/1.1}: "
        "tower_http::trace::on_response: finished processing request latency=0 ms status=404",
        "span", "POST", "/v1/v1/messages", 404, FEB_4,
    ),
    "the same in docker logs, coloured and without a target": Case(
        "\x1b[2m2026-02-04T02:15:30Z\x1b[0m \x1b[34mDEBUG\x1b[0m \x1b[1mrequest\x1b[0m\x1b[1m{\x1b[0m\x1b[3mmethod"
        "\x1b[0m\x1b[2m=\x1b[0mPOST \x1b[3muri\x1b[0m\x1b[2m=\x1b[0m/v1/v1/messages\x1b[1m}\x1b[0m\x1b[2m:\x1b[0m "
        "finished processing request \x1b[3mstatus\x1b[0m\x1b[2m=\x1b[0m404",
        "span", "POST", "/v1/v1/messages", 404, FEB_4,
    ),
    "httpx, in a log with times": Case(
        '2026-02-04 02:15:30,000 - httpx - INFO - HTTP Request: POST http://127.0.0.1:8045/v1/v1/messages?beta=true '
        '"HTTP/1.1 404 Not Found"',
        "text", "POST", "/v1/v1/messages", 404, FEB_4,
    ),
    "httpx, in what Docker keeps of a container": Case(
        '{"log":"INFO:httpx:HTTP Request: POST http://host.docker.internal:8045/v1/v1/messages \\"HTTP/1.1 404 Not '
        'Found\\"\\n","stream":"stderr","time":"2026-02-04T02:15:30.0Z"}',
        "text", "POST", "/v1/v1/messages", 404, FEB_4,
    ),
    "a program that says what it called": Case(
        "2026-02-04 02:15:30 ERROR request failed: POST http://127.0.0.1:8045/v1/v1/messages returned 404",
        "text", "POST", "/v1/v1/messages", 404, FEB_4,
    ),
    "a program that does not say how it ended": Case(
        "2026-02-04T02:15:30Z debug: POST http://192.168.1.5:8045/v1/v1/messages, model 42",
        "text", "POST", "/v1/v1/messages", 0, FEB_4,
    ),
    "what Docker keeps of a container": Case(
        '{"log":"INFO:  127.0.0.1:1 - \\"GET /models HTTP/1.1\\" 404 Not Found\\n","stream":"stdout",'
        '"time":"2026-02-04T02:15:30.0Z"}',
        "access-log", "GET", "/models", 404, FEB_4,
    ),
    "fields": Case(
        "time=2026-02-04T02:15:30Z level=info method=POST uri=/v1/v1/messages status=404",
        "access-log", "POST", "/v1/v1/messages", 404, FEB_4,
    ),
    "an escaped quote in the request": Case(
        '10.0.0.1 - - [04/Feb/2026:02:15:30 +0000] "GET /a\\"b HTTP/1.1" 404 0',
        "access-log", "GET", '/a\\"b', 404, FEB_4,
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _in_greenwich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC0")
    if hasattr(time, "tzset"):
        time.tzset()


def bulk_of(text: str | bytes, since: float | None = None) -> Store:
    store = Store()
    raw = text.encode() if isinstance(text, str) else text
    read_blocks(io.BytesIO(raw), Bulk(store, since), store)
    return store


def assert_is(store: Store, case: Case, times: int) -> None:
    assert list(store.entries) == [(case.kind, case.method, case.path, case.status, case.admin)]
    (entry,) = store.entries.values()
    assert entry.count == store.requests == times
    assert (entry.first, entry.last) == (case.when, case.when)
    assert entry.agents == ({case.agent: times} if case.agent else {})


@pytest.mark.parametrize("name", CASES)
def test_a_log_of_this_format_is_read_in_bulk(name: str) -> None:
    case = CASES[name]
    store = bulk_of((case.line + "\n") * 5)
    assert_is(store, case, 5)
    assert store.lines == 5


@pytest.mark.parametrize("name", {**CASES, **ONE_BY_ONE})
def test_a_line_of_this_format_is_read_in_a_log_of_another(name: str) -> None:
    case = {**CASES, **ONE_BY_ONE}[name]
    other = '10.9.9.9 - - [04/Feb/2026:02:15:30 +0000] "GET /other HTTP/1.1" 200 9'
    if case.kind == "access-log" and case.path == "/other":
        other = CASES["gin"].line
    store = bulk_of("\n".join([other, case.line, other, other]))
    store.entries.pop(("access-log", "GET", "/other", 200, False))
    store.requests -= 3
    assert_is(store, case, 1)


@pytest.mark.parametrize("name", {**CASES, **ONE_BY_ONE})
def test_a_single_line_says_the_same(name: str) -> None:
    case = {**CASES, **ONE_BY_ONE}[name]
    assert may_hold_request(case.line.encode())
    (read,) = read_line(case.line.encode())
    assert read.parts.method.decode() == case.method
    assert (read.parts.kind, read.parts.status or 0, read.time) == (case.kind, case.status, case.when)


@pytest.mark.parametrize(
    "line",
    [
        "2026-02-04T10:15:31.000001000+08:00  WARN x::auth: UserToken rejected: Invalid token.",
        "2026-02-04T10:15:31Z  INFO x: someone writes about Request: POST /v1/messages, and goes on",
        "2026-02-04T10:15:31Z  WARN upstream https://cloudcode-pa.googleapis.com/v1internal:generateContent said 404",
        "[GIN-debug] GET    /v1/models    --> main.list (3 handlers)",
        "2026-02-04T10:15:31Z DEBUG request{method=POST uri=/v1/messages}: tower_http::trace::on_request: started",
        "2026-02-04T10:15:31Z  INFO request{method=POST uri=/v1/messages}: x::handlers::claude: Using account: 1",
        '2026-02-04 10:15:31 - httpx - INFO - HTTP Request: POST https://api.openai.com/v1/x "HTTP/1.1 404 Not Found"',
        "2026-02-04 10:15:31 - openai._base_client - DEBUG - Sending HTTP Request: POST http://127.0.0.1:8045/v1/x",
        "127.0.0.1 - - [x] nothing",
        "",
    ],
)
def test_a_line_without_a_request_holds_none(line: str) -> None:
    assert not bulk_of(line + "\n").entries


def test_a_request_whose_span_is_logged_is_counted_once_and_with_its_status() -> None:
    span = "request{method=POST uri=/v1/messages version=HTTP/1.1}: "
    lines = [
        f"INFO {AUTH}Request: POST /v1/messages",
        f"DEBUG {span}tower_http::trace::on_request: started processing request",
        f"INFO {span}antigravity_tools_lib::proxy::handlers::claude: Using account: x@example.com",
        f"DEBUG {span}tower_http::trace::on_response: finished processing request latency=1 ms status=200",
        f"INFO {span}{MONITOR}[Monitor] Logging request: POST /v1/messages",
    ]
    store = bulk_of("".join(f"2026-02-04T02:15:30Z {line}\n" for line in lines * 3))
    assert {(key[0], key[3]): entry.count for key, entry in store.entries.items()} == {
        ("proxy-log", 0): 3,
        ("monitor", 0): 3,
        ("span", 200): 3,
    }


def test_what_is_older_is_left_out_wherever_a_line_has_its_time() -> None:
    for name in ("Traefik: its time and agent stand far behind", "httpx, in a log with times"):
        assert not bulk_of(ONE_BY_ONE[name].line + "\n", since=FEB_4 + 1).entries
    for name in ("Werkzeug", "nginx, a number and an address between time and request"):
        assert not bulk_of(CASES[name].line + "\n", since=FEB_4 + 1).entries


def test_plain_text_with_paths_is_read_as_prose() -> None:
    store = bulk_of("Today it failed with 404 Not Found: POST http://127.0.0.1:8045/v1/v1/chat/completions\nBye.\n")
    assert [key[:3] for key in store.entries] == [("text", "POST", "/v1/v1/chat/completions")]


@pytest.mark.parametrize("request_", [r"\x16\x03\x01\x02\x00", "\x16\x03\x01"])
def test_tls_on_a_plain_port_is_counted_apart(request_: str) -> None:
    line = f'10.0.0.1 - - [04/Feb/2026:02:15:30 +0000] "{request_}" 400 150 "-" "-"\n'
    store = bulk_of(line * 3)
    assert (store.tls, store.garbled, len(store.entries)) == (3, 0, 0)


@pytest.mark.parametrize("request_", ["", "-", "SSH-2.0-Go", "GET"])
def test_what_is_no_http_is_counted_apart(request_: str) -> None:
    line = f'10.0.0.1 - - [04/Feb/2026:02:15:30 +0000] "{request_}" 400 150 "-" "-"\n'
    store = bulk_of(line * 2)
    assert (store.tls, store.garbled, len(store.entries)) == (0, 2, 0)


# --- times -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2026-02-04T10:15:30.123456789+08:00", FEB_4 + 0.123456789),
        ("2026-02-04T02:15:30Z", FEB_4),
        ("2026-02-04 02:15:30,500", FEB_4 + 0.5),
        ("2026/02/04 - 02:15:30", FEB_4),
        ("2026/02/04 02:15:30", FEB_4),
        ("04/Feb/2026:02:15:30 +0000", FEB_4),
        ("04/Feb/2026:02:15:30 -0530", FEB_4 + 5.5 * 3600),
        ("1770171330", FEB_4),
        ("1770171330.25", FEB_4 + 0.25),
        ("1770171330000", FEB_4),
        ("04/Foo/2026:02:15:30 +0000", None),
        ("2026-13-04T02:15:30Z", None),
        ("2026-02-04T25:15:30Z", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_timestamp_is_seconds_since_1970(text: str, when: float | None) -> None:
    assert parse_time(text.encode()) == (when if when is None else pytest.approx(when, abs=1e-6))


@given(st.binary(max_size=200))
def test_no_bytes_are_too_odd_for_the_clock(raw: bytes) -> None:
    parse_time(raw)
    time_in(raw)


@given(st.binary(max_size=2000))
def test_no_bytes_are_too_odd_to_be_read(raw: bytes) -> None:
    store = bulk_of(raw)
    assert store.requests >= 0
    read_line(raw[:300], prose=True)


@pytest.mark.parametrize(
    "piece",
    ["[", "]", '"', '[x] "', '"ts":1,', '"ts":1,"method":"GET","uri":"/"', '"status":', "2026-02-04T02:15:30Z INFO ",
     " Request: ", "[GIN] ", "request{method=uri=", "GET http://a:1/ ", " status ", "0.1 ", '" 0 ',
     "|", "GET /", ' HTTP/1.1" 4', "\x1b[0m", "\\", '\\"', "a=/"],
    ids=repr,
)  # fmt: skip
def test_hostile_lines_take_linear_time(piece: str) -> None:
    raw = (piece * (200_000 // len(piece)) + "\n").encode() * 3
    started = time.process_time()
    bulk_of(raw)
    read_line(raw)
    assert time.process_time() - started < 5


def test_first_and_last_are_those_of_the_lines() -> None:
    line = '1.1.1.1 - - [{} +0000] "GET /models HTTP/1.1" 404 0 "-" "x"\n'
    times = [f"0{day}/Feb/2026:0{hour}:00:00" for day in (1, 2, 3) for hour in range(9)]
    store = bulk_of("".join(line.format(each) for each in times))
    (entry,) = store.entries.values()
    assert (entry.first, entry.last) == (
        parse_time(times[0].encode() + b" +0000"),
        parse_time(times[-1].encode() + b" +0000"),
    )
    assert (store.first, store.last) == (entry.first, entry.last)


def test_what_is_older_is_left_out_and_what_says_no_time_is_not() -> None:
    old = '1.1.1.1 - - [03/Feb/2026:02:15:30 +0000] "GET /old HTTP/1.1" 404 0\n'
    new = '1.1.1.1 - - [04/Feb/2026:02:15:30 +0000] "GET /new HTTP/1.1" 404 0\n'
    untimed = 'INFO:     127.0.0.1:1 - "GET /untimed HTTP/1.1" 404 Not Found\n'
    store = bulk_of(old * 3 + new * 2 + untimed, since=FEB_4)
    assert {key[2]: entry.count for key, entry in store.entries.items()} == {"/new": 2, "/untimed": 1}


def test_the_formats_agree_with_the_exact_reader_on_every_line() -> None:
    """In bulk and one by one, the same lines say the same."""
    for case in CASES.values():
        fast = bulk_of(case.line + "\n")
        slow = Store()
        for read in read_line(case.line.encode()):
            slow.take(read)
        assert {key: entry.count for key, entry in fast.entries.items()} == {
            key: entry.count for key, entry in slow.entries.items()
        }, case.line
    assert len({each.pattern for each in formats()}) == len(formats())
