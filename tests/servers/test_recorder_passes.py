"""The recorder changes nothing: what the client gets through it is what the proxy sent, and the other way round.

Compared over raw sockets: first lines, headers in their order and spelling, bodies. Each side's own are Connection and
Transfer-Encoding (and, in front of the proxy, Host); Date is another second's.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from antigravity_doctor.diagnosis.proxy_model import ServerConfig
from antigravity_doctor.servers.stand_in import Running, run_in_thread
from tests.support.wire import (
    OK,
    Message,
    Peer,
    answering,
    ask,
    chunked,
    connected,
    end_to_end,
    get,
    only,
    origin,
    post,
    read_head,
    read_message,
    recording,
    within,
)

KEY = "sk-right-key"
CHAT = b'{"model":"m-1","messages":[{"role":"user","content":"hi"}]}'
STREAM = b'{"model":"m-1","stream":true,"messages":[{"role":"user","content":"hi"}]}'
JSON = "Content-Type: application/json"
BEARER = f"Authorization: Bearer {KEY}"


@pytest.fixture(scope="module")
def proxies() -> Iterator[dict[str, Running]]:
    with ExitStack() as stack:
        yield {
            "desktop": stack.enter_context(run_in_thread(ServerConfig("4.5.8", "strict", api_key=KEY))),
            "web-ui": stack.enter_context(run_in_thread(ServerConfig("4.5.8", "off", web_ui=True))),
            "old": stack.enter_context(run_in_thread(ServerConfig("3.3.0", "off"))),
            "stopped": stack.enter_context(run_in_thread(ServerConfig("4.5.8", "off", running=False))),
        }


ASKED = {
    "models": get("/v1/models", BEARER),
    "models-without-key": get("/v1/models"),
    "models-wrong-key": get("/v1/models", "Authorization: Bearer sk-wrong"),
    "health": get("/healthz"),
    "chat": post("/v1/chat/completions", CHAT, JSON, BEARER),
    "chat-stream": post("/v1/chat/completions", STREAM, JSON, BEARER),
    "chat-chunked": get("/v1/chat/completions", "Transfer-Encoding: chunked", JSON, BEARER, method="POST")
    + chunked(CHAT[:10], CHAT[10:]),
    "messages-stream": post("/v1/messages", STREAM, JSON, f"x-api-key: {KEY}"),
    "count-tokens": post("/v1/messages/count_tokens", CHAT, JSON, f"x-api-key: {KEY}"),
    "gemini": post("/v1beta/models/m-1:generateContent", b'{"contents":[]}', JSON, f"x-goog-api-key: {KEY}"),
    "gemini-stream": post(
        f"/v1beta/models/m-1:streamGenerateContent?alt=sse&key={KEY}", b'{"contents":[]}', JSON, BEARER
    ),
    "no-json": post("/v1/chat/completions", b"not json", JSON, BEARER),
    "no-content-type": post("/v1/chat/completions", CHAT, BEARER),
    "empty-post": post("/v1/chat/completions", b"", JSON, BEARER),
    "post-without-length": get("/v1/chat/completions", JSON, BEARER, method="POST"),
    "missing-path": get("/v1/v1/models", BEARER),
    "missing-path-post": post("/chat/completions", CHAT, JSON, BEARER),
    "wrong-method": get("/v1/chat/completions", BEARER),
    "head": get("/v1/models", BEARER, method="HEAD"),
    "head-missing": get("/nowhere", BEARER, method="HEAD"),
    "options": get(
        "/v1/messages", "Origin: http://localhost:3000", "Access-Control-Request-Method: POST", method="OPTIONS"
    ),
    "options-plain": get("/v1/models", method="OPTIONS"),
    "options-asterisk": get("*", method="OPTIONS"),
    "delete": get("/v1/models", BEARER, method="DELETE"),
    "put": get("/v1/models", BEARER, "Content-Length: 2", method="PUT") + b"{}",
    "patch": get("/v1/models", BEARER, "Content-Length: 2", method="PATCH") + b"{}",
    "own-method": get("/v1/models", BEARER, method="PURGE"),
    "root": get("/"),
    "web-page": get("/settings/accounts", "Accept: text/html"),
    "long-target": get("/v1/models?" + "x" * 60_000, BEARER),
    "long-field": get("/v1/models", BEARER, "X-Long: " + "y" * 64_000),
    "websocket-missing": get("/v1/models", BEARER, "Connection: Upgrade", "Upgrade: websocket"),
}


def seen_alike(direct: Message, passed: Message) -> None:
    assert passed.line == direct.line
    assert end_to_end(passed, but=("date",)) == end_to_end(direct, but=("date",))
    assert len(passed.all("date")) == len(direct.all("date"))
    assert passed.body == direct.body
    assert passed.whole
    assert direct.whole


@pytest.mark.parametrize("kind", ["desktop", "web-ui", "old", "stopped"])
def test_an_answer_of_the_proxy_comes_as_the_proxy_gives_it(kind: str, proxies: dict[str, Running]) -> None:
    async def test() -> None:
        async with recording(proxies[kind].url) as (recorder, _):
            for name, request in ASKED.items():
                direct = await ask(proxies[kind].port, request)
                passed = await ask(recorder.port, request)
                try:
                    seen_alike(direct, passed)
                except AssertionError as error:
                    raise AssertionError(f"{name}: {error}") from error

    within(test(), 20)


ANSWERS = {
    "empty-404": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "405": b"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET,HEAD\r\nContent-Length: 0\r\n\r\n",
    "204": b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n",
    "304": b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n',
    "304-with-length": b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 5\r\n\r\n',
    "redirect": b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /v1/models/\r\nContent-Length: 0\r\n\r\n",
    "own-reason": b"HTTP/1.1 200 Certainly\r\nContent-Length: 2\r\n\r\nok",
    "no-reason": b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok",
    "odd-status": b"HTTP/1.1 799 Odd\r\nContent-Length: 2\r\n\r\nok",
    "two-cookies": b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\nX-B: 2\r\nSet-Cookie: b=2\r\n"
    b"Content-Length: 2\r\n\r\nok",
    "same-name-twice": b"HTTP/1.1 200 OK\r\nvary: origin\r\nVary: accept\r\nvary: origin\r\n"
    b"content-length: 2\r\n\r\nok",
    "empty-value": b"HTTP/1.1 200 OK\r\nX-Empty:\r\nContent-Length: 2\r\n\r\nok",
    "utf-8-value": "HTTP/1.1 200 OK\r\nX-Name: \u00e9\u4f60\r\nContent-Length: 2\r\n\r\nok".encode(),
    "no-content-type": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\x00\xff\x01",
    "own-server-and-date": b"HTTP/1.1 200 OK\r\nServer: me\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
    b"Content-Length: 2\r\n\r\nok",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n"
    + chunked(b"data: 1\n\n", b"data: 2\n\n"),
    "chunked-empty": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(),
    "chunked-gzip": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
    + chunked(gzip.compress(b"data: 1\n\n", mtime=0)),
    "gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 22\r\n\r\n" + gzip.compress(b"ok", mtime=0),
    "gzip-that-is-none": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
    "unknown-encoding": b"HTTP/1.1 200 OK\r\nContent-Encoding: zz\r\nContent-Length: 2\r\n\r\nok",
    "error-json": b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n"
    b'Content-Length: 13\r\n\r\n{"error":"x"}',
    "after-100": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "after-103": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "long-fields": b"HTTP/1.1 200 OK\r\nX-Long: " + b"z" * 60_000 + b"\r\nContent-Length: 2\r\n\r\nok",
    "many-fields": b"HTTP/1.1 200 OK\r\n"
    + b"".join(b"X-%d: v\r\n" % n for n in range(300))
    + b"Content-Length: 0\r\n\r\n",
    "large": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + bytes(range(250)) * 4000,
    "close-delimited": b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nuntil the end",
    "http-1.0-answer": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_any_answer_comes_with_its_own_status_headers_and_bytes(name: str) -> None:
    async def test() -> None:
        closes = name in ("close-delimited", "http-1.0-answer")

        async def serve(peer: Peer) -> None:
            await peer.request()
            await peer.say(ANSWERS[name])
            if not closes:
                await peer.left()

        async with origin(serve) as upstream, recording(upstream.url) as (recorder, told):
            direct = await ask(upstream.port, get())
            passed = await ask(recorder.port, get())
            if name == "http-1.0-answer":  # the version is each connection's own
                direct = direct._replace(line="HTTP/1.1 200 OK")
            seen_alike(direct, passed)
            done = await only(told)
            assert (done.outcome, done.observed.status, done.answer_bytes) == (
                "answered",
                direct.status,
                len(direct.body),
            )

    within(test())


async def read_all(raw: bytes) -> Message:
    reader = asyncio.StreamReader()
    reader.feed_data(raw)
    reader.feed_eof()
    return await read_message(reader)


REQUESTS = {
    "get": get("/v1/models", BEARER, "Accept: */*", "User-Agent: x/1"),
    "no-headers-at-all": get("/v1/models"),
    "post": post("/v1/messages", CHAT, JSON, "X-Api-Key: k", "anthropic-version: 2023-06-01"),
    "post-empty": post("/v1/messages", b""),
    "post-without-length": get("/v1/messages", method="POST"),
    "post-chunked": get("/v1/messages", "Transfer-Encoding: chunked", method="POST") + chunked(b"one", b"two"),
    "post-chunked-empty": get("/v1/messages", "Transfer-Encoding: chunked", method="POST") + chunked(),
    "post-large": post("/v1/messages", bytes(range(256)) * 1000, "Content-Type: application/octet-stream"),
    "post-gzip": post("/v1/messages", gzip.compress(CHAT, mtime=0), JSON, "Content-Encoding: gzip"),
    "post-gzip-that-is-none": post("/v1/messages", CHAT, JSON, "Content-Encoding: gzip"),
    "post-chunked-gzip": get("/v1/messages", "Transfer-Encoding: chunked", "Content-Encoding: gzip", method="POST")
    + chunked(gzip.compress(CHAT, mtime=0)),
    "get-with-body": get("/v1/models", "Content-Length: 2") + b"{}",
    "head": get("/v1/models", method="HEAD"),
    "options": get("/v1/models", "Origin: null", method="OPTIONS"),
    "options-asterisk": get("*", method="OPTIONS"),
    "delete": get("/v1/models/m", method="DELETE"),
    "delete-with-body": get("/v1/models/m", "Content-Length: 2", method="DELETE") + b"{}",
    "put": get("/v1/models/m", "Content-Length: 2", method="PUT") + b"{}",
    "patch-without-length": get("/v1/models/m", method="PATCH"),
    "own-method": get("/v1/models/m", method="PURGE"),
    "trace": get("/v1/models/m", method="TRACE"),
    "spelling": get("/v1/models", "aCCept: A", "X-UPPER: B", "x-lower: c"),
    "same-name-twice": get("/v1/models", "Accept: a", "X-Other: b", "accept: c", "Cookie: a=1", "Cookie: b=2"),
    "empty-value": get("/v1/models", "X-Empty:"),
    "origin-and-forwarded": get("/v1/models", "X-Forwarded-For: 10.0.0.1", "Via: 1.1 me", "Referer: http://a/"),
    "long-field": get("/v1/models", "X-Long: " + "y" * 64_000),
    "many-fields": get("/v1/models", *(f"X-{number}: v" for number in range(400))),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_arrives_as_the_client_sent_it(name: str) -> None:
    async def test() -> None:
        async with origin(answering(OK)) as upstream, recording(upstream.url) as (recorder, told):
            sent = await read_all(REQUESTS[name])
            await ask(recorder.port, REQUESTS[name])
            [arrived] = upstream.requests
            assert arrived.line == sent.line
            assert arrived.get("host") == f"127.0.0.1:{upstream.port}"
            assert end_to_end(arrived, but=("host",)) == end_to_end(sent, but=("host",))
            assert arrived.get("transfer-encoding") == sent.get("transfer-encoding")
            assert arrived.body == sent.body
            assert (await only(told)).request_bytes == len(sent.body)

    within(test())


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "//",
        "//v1/models",
        "/v1//models",
        "/v1/models/",
        "/v1/../x",
        "/v1/./x",
        "/..",
        "/v1/%2e%2e/x",
        "/v1%2Fmodels",
        "/v1%2fmodels",
        "/%",
        "/%zz",
        "/a%20b",
        "/a+b",
        "/x?",
        "/x?a=1?",
        "/x#fragment",
        "/x?a#b",
        "/x?a=1&a=2",
        "/x?a=b?c=d",
        "/x?a=%26&b=+",
        "/x?&&",
        "/x?a",
        "/v1/models/m:generateContent",
        "/@",
        "/a;b=c",
        "/a,b!$'()*",
        '/a"b',
        "/a|b^c`d{e}",
        "/a\\b",
        "/[v1]",
        "/http://localhost/v1",
        "//evil.example/v1",
        "/?x=http://evil.example/",
        "/a:80",
        "/v1/models?" + "x" * 60_000,
    ],
)
def test_a_target_arrives_to_the_letter(target: str) -> None:
    async def test() -> None:
        async with origin(answering(OK)) as upstream, recording(upstream.url) as (recorder, told):
            answer = await ask(recorder.port, get(target))
            assert answer.status == 200
            assert [each.target for each in upstream.requests] == [target]
            seen = (await only(told)).observed
            path, mark, query = target.partition("?")
            assert (seen.path, seen.query) == (path, query if mark else None)

    within(test())


def test_a_header_that_is_not_utf_8_arrives_as_utf_8() -> None:
    async def test() -> None:
        raw = b"HTTP/1.1 200 OK\r\nX-Name: caf\xe9\r\nContent-Length: 2\r\n\r\nok"
        async with origin(answering(raw)) as upstream, recording(upstream.url) as (recorder, _):
            answer = await ask(recorder.port, get("/v1/models", "X-Name: caf\xe9"))
            assert [upstream.requests[0].get("x-name"), answer.get("x-name")] == ["caf\xc3\xa9", "caf\xc3\xa9"]

    within(test())


def test_what_belongs_to_one_connection_stays_there() -> None:
    async def test() -> None:
        raw = OK.replace(b"\r\n\r\n", b"\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\n\r\n")
        async with origin(answering(raw)) as upstream, recording(upstream.url) as (recorder, _):
            request = get(
                "/", "Connection: close, X-Mine", "X-Mine: 1", "TE: trailers", "Proxy-Connection: x", "X-A: 2"
            )
            answer = await ask(recorder.port, request)
            assert [name for name, _ in upstream.requests[0].fields] == ["Host", "X-A"]
            assert [name for name, _ in answer.fields] == ["Content-Type", "Content-Length", "Connection"]
            assert answer.get("connection") == "close"

    within(test())


def test_an_http_1_0_client_gets_its_answer_and_the_end_of_the_connection() -> None:
    async def test() -> None:
        raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"data: 1\n\n", b"data: 2\n\n")
        async with (
            origin(answering(raw)) as upstream,
            recording(upstream.url) as (recorder, _),
            connected(recorder.port) as (reader, writer),
        ):
            writer.write(b"GET /v1/models HTTP/1.0\r\n\r\n")
            answer = await read_message(reader)
            assert answer.line == "HTTP/1.0 200 OK"
            assert answer.get("transfer-encoding") is None
            assert answer.body == b"data: 1\n\ndata: 2\n\n"

    within(test())


def test_a_connection_carries_request_after_request() -> None:
    async def test() -> None:
        async with origin(answering(OK)) as upstream, recording(upstream.url) as (recorder, told):
            async with connected(recorder.port) as (reader, writer):
                for number in range(20):
                    writer.write(post(f"/{number}", CHAT) if number % 2 else get(f"/{number}"))
                    assert (await read_message(reader)).body == b'{"ok":true}'
            assert [each.target for each in upstream.requests] == [f"/{number}" for number in range(20)]
            assert upstream.connections == 1
            assert [each.number for each in told] == list(range(1, 21))

    within(test())


def test_pipelined_requests_are_answered_in_their_order() -> None:
    async def test() -> None:
        async def serve(peer: Peer) -> None:
            while True:
                target = (await peer.request()).target.encode()
                await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(target), target))

        async with (
            origin(serve) as upstream,
            recording(upstream.url) as (recorder, _),
            connected(recorder.port) as (reader, writer),
        ):
            writer.write(b"".join(post(f"/{number}", CHAT) for number in range(50)))
            assert [(await read_message(reader)).body for _ in range(50)] == [b"/%d" % n for n in range(50)]

    within(test())


@pytest.mark.parametrize("size", [10, 200_000])
def test_a_client_that_waits_for_100_continue_is_told_to_go_on(size: int) -> None:
    async def test() -> None:
        async with origin(answering(OK)) as upstream, recording(upstream.url) as (recorder, _):
            async with connected(recorder.port) as (reader, writer):
                writer.write(get("/x", f"Content-Length: {size}", "Expect: 100-continue", method="POST"))
                assert (await read_head(reader)).line == "HTTP/1.1 100 Continue"
                writer.write(b"b" * size)
                answer = await read_message(reader)
            assert answer.status == 200
            assert upstream.requests[0].body == b"b" * size
            assert upstream.requests[0].get("expect") is None

    within(test())


def test_a_body_that_comes_without_waiting_needs_no_100_continue() -> None:
    async def test() -> None:
        async with origin(answering(OK)) as upstream, recording(upstream.url) as (recorder, _):
            answer = await ask(recorder.port, post("/x", b"{}", "Expect: 100-continue"))
            assert answer.status == 200
            assert upstream.requests[0].body == b"{}"

    within(test())


def test_a_redirect_is_not_followed_and_a_cookie_not_kept() -> None:
    async def test() -> None:
        raw = b"HTTP/1.1 302 Found\r\nLocation: /login\r\nSet-Cookie: session=1\r\nContent-Length: 0\r\n\r\n"
        async with origin(answering(raw)) as upstream, recording(upstream.url) as (recorder, _):
            for _ in range(2):
                assert (await ask(recorder.port, get("/"))).status == 302
            assert [each.target for each in upstream.requests] == ["/", "/"]
            assert [each.get("cookie") for each in upstream.requests] == [None, None]

    within(test())


def test_an_http_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with origin(answering(OK)) as upstream, recording(upstream.url) as (recorder, _):
            assert (await ask(recorder.port, get("/"))).status == 200

    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    within(test())
