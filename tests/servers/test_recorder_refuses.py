"""What comes to the recorder and is no request for the proxy: other protocols, and requests for other hosts."""

from __future__ import annotations

import asyncio
import json
import ssl

import pytest

from antigravity_doctor.diagnosis.recording import Exchange
from tests.support.wire import OK, answering, ask, connected, get, only, origin, read_message, recording, until, within

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"


def empty(exchange: Exchange) -> bool:
    seen = exchange.observed
    return (seen.method, seen.path, seen.query, seen.status, seen.header_names) == ("", "", None, None, ())


async def answered(port: int, data: bytes) -> bytes:
    """Everything that comes back until the connection ends."""
    async with connected(port) as (reader, writer):
        writer.write(data)
        try:
            return await asyncio.wait_for(reader.read(), 2)
        except ConnectionError:
            return b""


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40), "tls"),
        (PREFACE, "http2"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "garbage"),
        (b"hello\r\n\r\n", "garbage"),
        (b"\x00\x01\x02\x03\r\n\r\n", "garbage"),
        (b"GET / HTTP/9.9\r\n\r\n", "garbage"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n", "garbage"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", "garbage"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "garbage"),
        (get("/caf\xe9"), "garbage"),
        (get("/", "X: " + "y" * 70_000), "garbage"),
        (get("/" + "y" * 70_000), "garbage"),
    ],
)
def test_what_is_no_http_1_request_is_told_as_what_it_is_and_goes_nowhere(data: bytes, note: str) -> None:
    async def test() -> None:
        async with origin(answering(OK)) as upstream, recording(upstream.url) as (recorder, told):
            answer = await answered(recorder.port, data)
            assert answer == b"" if note != "garbage" else answer.startswith(b"HTTP/1.")
            done = await only(told)
            assert (done.outcome, done.note, empty(done)) == ("not-http", note, True)
            assert upstream.connections == 0
            assert (await ask(recorder.port, get("/"))).status == 200

    within(test())


def test_a_garbage_answer_says_400_and_that_the_connection_ends() -> None:
    async def test() -> None:
        async with recording("http://127.0.0.1:9") as (recorder, _):
            assert (await ask(recorder.port, b"hello\r\n\r\n")).status == 400

    within(test())


def test_a_real_tls_client_fails_at_once() -> None:
    async def test() -> None:
        async with recording("http://127.0.0.1:9") as (recorder, told):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await asyncio.wait_for(
                    asyncio.open_connection("127.0.0.1", recorder.port, ssl=ssl.create_default_context()), 2
                )
            assert (await only(told)).note == "tls"

    within(test())


def test_garbage_behind_a_request_does_not_cost_the_request_its_answer() -> None:
    async def test() -> None:
        async with origin(answering(OK)) as upstream, recording(upstream.url) as (recorder, told):
            async with connected(recorder.port) as (reader, writer):
                writer.write(get("/"))
                assert (await read_message(reader)).status == 200
                writer.write(b"nonsense\r\n\r\n")
                assert (await read_message(reader)).status == 400
            assert [each.outcome for each in told] == ["answered", "not-http"]

    within(test())


def test_a_connection_that_says_nothing_is_not_told() -> None:
    async def test() -> None:
        async with recording("http://127.0.0.1:9") as (recorder, told):
            for part in (b"", b"GET / HT", b"\r\n"):
                async with connected(recorder.port) as (_, writer):
                    writer.write(part)
                    await asyncio.sleep(0.02)
            await asyncio.sleep(0.05)
            assert told == []

    within(test())


@pytest.mark.parametrize(
    "request_line",
    [
        "CONNECT {other} HTTP/1.1",
        "CONNECT example.com:443 HTTP/1.1",
        "GET http://{other}/v1/models HTTP/1.1",
        "GET https://{other}/v1/models HTTP/1.1",
        "POST http://example.com/v1/messages HTTP/1.1",
        "GET http://{own}@{other}/v1/models HTTP/1.1",
    ],
)
def test_a_request_for_another_host_leaves_the_machine_nowhere(request_line: str) -> None:
    async def test() -> None:
        async with (
            origin(answering(OK)) as other,
            origin(answering(OK)) as upstream,
            recording(upstream.url) as (recorder, told),
        ):
            line = request_line.format(other=f"127.0.0.1:{other.port}", own=f"127.0.0.1:{recorder.port}")
            answer = await ask(recorder.port, f"{line}\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
            error = json.loads(answer.body)["error"]
            assert (answer.status, error["code"]) == (501, 501)
            assert f"http://127.0.0.1:{recorder.port} is a base URL, not an HTTP proxy" in error["message"]
            done = await only(told)
            assert (done.outcome, done.note, done.observed.status) == ("refused", "as-http-proxy", None)
            assert other.connections == upstream.connections == 0

    within(test())


@pytest.mark.parametrize(
    ("path", "arrives"), [("/v1/models?a=1", "/v1/models?a=1"), ("/", "/"), ("", "/"), ("?a=1", "/?a=1")]
)
def test_a_target_that_names_the_recorder_itself_is_its_path(path: str, arrives: str) -> None:
    async def test() -> None:
        async with origin(answering(OK)) as upstream, recording(upstream.url) as (recorder, told):
            answer = await ask(recorder.port, get(recorder.url + path))
            assert answer.status == 200
            assert [each.target for each in upstream.requests] == [arrives]
            assert (await only(told)).observed.path == "/" + arrives[1:].partition("?")[0]

    within(test())


def test_a_host_header_leads_nowhere_else() -> None:
    async def test() -> None:
        async with (
            origin(answering(OK)) as other,
            origin(answering(OK)) as upstream,
            recording(upstream.url) as (recorder, _),
        ):
            request = f"GET //127.0.0.1:{other.port}/x HTTP/1.1\r\nHost: 127.0.0.1:{other.port}\r\n\r\n".encode()
            assert (await ask(recorder.port, request)).status == 200
            await until(lambda: upstream.requests)
            assert other.connections == 0

    within(test())
