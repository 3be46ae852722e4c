"""When one of the two ends fails: what the other end gets, what the recorder says of it, and that nothing hangs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest

from antigravity_doctor.diagnosis.recording import Exchange
from tests.support.hostile import hostile
from tests.support.wire import (
    OK,
    Message,
    Origin,
    Peer,
    answering,
    ask,
    chunked,
    connected,
    get,
    only,
    origin,
    post,
    read_chunk,
    read_head,
    read_message,
    recording,
    until,
    within,
)

SSE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def said(answer: Message) -> dict[str, Any]:
    """The error object of an answer of the recorder's own, checked for its shape."""
    assert answer.get("content-type") == "application/json; charset=utf-8"
    assert answer.whole
    body = json.loads(answer.body)
    assert body["type"] == "error"
    error: dict[str, Any] = body["error"]
    assert error["code"] == answer.status
    assert error["message"].startswith("agdoctor trace: ")
    assert answer.get("x-agdoctor-trace")
    return error


# --- the proxy gives no answer --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "status", "outcome", "failure", "sentence"),
    [
        ("refused", 502, "no-answer", "refused", "nothing listens on 127.0.0.1 port {port}"),
        ("silent", 504, "timeout", "timeout", "the proxy at http://127.0.0.1:{port} did not answer in time"),
        ("slow-head", 504, "timeout", "timeout", "did not answer in time"),
        ("close", 502, "no-answer", "reset", "closed the connection before its answer was whole"),
        ("reset", 502, "no-answer", "reset", "closed the connection before its answer was whole"),
        ("garbage", 502, "no-answer", "not-http", "what answers on 127.0.0.1 port {port} does not speak HTTP"),
        ("ssh", 502, "no-answer", "not-http", "does not speak HTTP"),
        ("http-0.9", 502, "no-answer", "not-http", "does not speak HTTP"),
        ("bad-status", 502, "no-answer", "not-http", "does not speak HTTP"),
        ("bad-length", 502, "no-answer", "not-http", "does not speak HTTP"),
        ("endless-head", 502, "no-answer", "not-http", "does not speak HTTP"),
        ("endless-line", 502, "no-answer", "not-http", "does not speak HTTP"),
        ("too-short", 502, "cut-short", "reset", "closed the connection before its answer was whole"),
        ("slow-body", 504, "timeout", "timeout", "did not answer in time"),
        ("tls", 502, "no-answer", "reset", "closed the connection before its answer was whole"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_proxy_that_gives_no_answer_is_said_in_words(
    kind: str, method: str, status: int, outcome: str, failure: str, sentence: str
) -> None:
    async def test() -> None:
        with hostile(kind) as server:
            # slow-head and slow-body send a byte every 0.2 seconds
            async with recording(server.origin, answer_timeout=0.15) as (recorder, told):
                answer = await ask(recorder.port, get() if method == "GET" else post("/v1/messages", b"{}"))
                done = await only(told)
                assert (answer.status, done.outcome, done.observed.failure) == (status, outcome, failure)
                assert sentence.format(port=server.port) in said(answer)["message"]
                assert done.observed.status is None
                assert done.first_byte_ms is None or outcome == "cut-short" or kind == "slow-body"
                assert done.total_ms < 3000

    within(test())


def test_an_answer_that_only_trickles_is_left_after_the_timeout_of_silence_not_before() -> None:
    async def test() -> None:
        async def serve(peer: Peer) -> None:
            await peer.request()
            await peer.say(SSE_HEAD)
            for _ in range(8):
                await asyncio.sleep(0.1)
                await peer.say(b"2\r\nhi\r\n")
            await peer.say(b"0\r\n\r\n")

        async with origin(serve) as upstream, recording(upstream.url, answer_timeout=0.6) as (recorder, told):
            answer = await ask(recorder.port, get())
            assert (answer.body, answer.whole) == (b"hi" * 8, True)
            assert (await only(told)).outcome == "answered"

    within(test())


@pytest.mark.parametrize(
    ("upstream", "failure", "sentence"),
    [
        ("http://no-such-host.invalid:8045", "name", "the name no-such-host.invalid leads to no address"),
        (
            "https://127.0.0.1:{port}",
            "certificate",
            "the https connection to https://127.0.0.1:{port} cannot be trusted",
        ),
        ("https://localhost:{port}", "certificate", "cannot be trusted"),
    ],
)
def test_a_proxy_that_cannot_be_reached_is_said_in_words(upstream: str, failure: str, sentence: str) -> None:
    async def test() -> None:
        with hostile("tls") as server:
            async with recording(upstream.format(port=server.port)) as (recorder, told):
                answer = await ask(recorder.port, get())
                done = await only(told)
                assert (answer.status, done.outcome, done.observed.failure) == (502, "no-answer", failure)
                assert sentence.format(port=server.port) in said(answer)["message"]

    within(test())


def test_https_to_a_plain_http_port_is_said_in_words() -> None:
    async def test() -> None:
        with hostile("web-page") as server:
            async with recording(f"https://127.0.0.1:{server.port}") as (recorder, told):
                answer = await ask(recorder.port, get())
                done = await only(told)
                assert (answer.status, done.outcome, done.observed.failure) == (502, "no-answer", "certificate")
                assert "Give the proxy's own http:// address" in said(answer)["message"]

    within(test())


EVENT = b"9\r\ndata: 1\n\n\r\n"
CUT = {
    "bad-chunks": (SSE_HEAD + EVENT, b"not-a-size\r\n"),
    "chunk-cut": (SSE_HEAD + b"a\r\nhalf", b""),
    "sse-cut": (SSE_HEAD, EVENT),
    "sse-reset": (SSE_HEAD + EVENT, b""),
    "length-cut": (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x" * 70_000),
    "gzip-cut": (SSE_HEAD.replace(b"Transfer", b"Content-Encoding: gzip\r\nTransfer") + b"3\r\n\x1f\x8b\x08\r\n", b""),
}


@pytest.mark.parametrize("kind", CUT)
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_an_answer_that_is_cut_short_never_looks_whole(kind: str, version: str) -> None:
    async def test() -> None:
        async def serve(peer: Peer) -> None:
            await peer.request()
            first, second = CUT[kind]
            await peer.say(first)
            await asyncio.sleep(0.05)
            await peer.say(second)
            if kind == "sse-reset":
                sock = peer.writer.get_extra_info("socket")
                sock.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER 0: the close is a reset

        async with origin(serve) as upstream, recording(upstream.url) as (recorder, told):
            async with connected(recorder.port) as (reader, writer):
                writer.write(get().replace(b"HTTP/1.1", b"HTTP/" + version.encode()))
                head = await read_head(reader)
                broken = False
                rest = b""
                try:
                    while piece := await reader.read(65536):
                        rest += piece
                except ConnectionError:
                    broken = True
            if head.get("transfer-encoding") == "chunked":
                assert not rest.endswith(b"0\r\n\r\n")
            elif head.get("content-length"):
                assert len(rest) < int(head.get("content-length") or 0)
            else:
                assert broken  # nothing but a reset tells such a client that there was more
            done = await only(told)
            assert (done.outcome, done.observed.failure, done.observed.status) == ("cut-short", "reset", 200)

    within(test())


def test_a_stream_that_falls_silent_is_cut_after_the_timeout() -> None:
    async def test() -> None:
        async def serve(peer: Peer) -> None:
            await peer.request()
            await peer.say(SSE_HEAD + b"9\r\ndata: 1\n\n\r\n")
            await peer.left()

        async with origin(serve) as upstream, recording(upstream.url, answer_timeout=0.2) as (recorder, told):
            answer = await ask(recorder.port, get())
            assert (answer.body, answer.whole) == (b"data: 1\n\n", False)
            done = await only(told)
            assert (done.outcome, done.observed.failure, done.observed.status) == ("timeout", "timeout", 200)
            async with asyncio.timeout(3):
                await upstream.gone.wait()

    within(test())


def test_the_recorder_serves_on_after_every_failure() -> None:
    async def test() -> None:
        broken = True

        async def serve(peer: Peer) -> None:
            while True:
                await peer.request()
                if broken:
                    return
                await peer.say(OK)

        async with (
            origin(serve) as upstream,
            recording(upstream.url) as (recorder, _),
            connected(recorder.port) as (reader, writer),
        ):
            writer.write(get())
            assert (await read_message(reader)).status == 502
            broken = False
            writer.write(get())  # on the same connection
            assert (await read_message(reader)).status == 200

    within(test())


def test_a_proxy_that_starts_later_is_found() -> None:
    async def test() -> None:
        async with origin(answering(OK)) as later:
            pass
        async with recording(later.url) as (recorder, told):
            assert (await ask(recorder.port, get())).status == 502
            server = await asyncio.start_server(_ok, "127.0.0.1", later.port)
            try:
                assert (await ask(recorder.port, get())).status == 200
            finally:
                server.close()
            assert [each.outcome for each in told] == ["no-answer", "answered"]

    async def _ok(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_message(reader)
        writer.write(OK)
        writer.close()

    within(test())


# --- the client goes ------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def waiting_proxy(first: bytes = b"") -> AsyncIterator[Origin]:
    """A proxy that reads a request, sends `first`, and then only waits until it is left."""

    async def serve(peer: Peer) -> None:
        await peer.request()
        await peer.say(first)
        await peer.left()

    async with origin(serve) as upstream:
        yield upstream


async def left(told: list[Exchange], upstream: Origin) -> Exchange:
    """The exchange that the client has left, once the proxy was left as well; promptly."""
    async with asyncio.timeout(3):
        await upstream.gone.wait()
    done = await only(told)
    assert done.outcome == "client-left"
    assert done.observed.failure is None
    return done


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_client_that_leaves_before_the_answer_takes_the_request_with_it(how: str) -> None:
    async def test() -> None:
        async with (
            waiting_proxy() as upstream,
            recording(upstream.url) as (recorder, told),
            connected(recorder.port) as (_, writer),
        ):
            writer.write(post("/v1/messages", b"{}"))
            await until(lambda: upstream.requests)
            if how == "close":
                writer.close()
            else:
                sock = writer.get_extra_info("socket")
                sock.setsockopt(1, 13, struct.pack("ii", 1, 0))
                writer.transport.abort()
            assert (await left(told, upstream)).observed.status is None

    within(test())


@pytest.mark.parametrize(
    "first", [SSE_HEAD + b"9\r\ndata: 1\n\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\nx"]
)
def test_a_client_that_leaves_in_mid_stream_takes_the_request_with_it(first: bytes) -> None:
    async def test() -> None:
        async with waiting_proxy(first) as upstream, recording(upstream.url) as (recorder, told):
            async with connected(recorder.port) as (reader, writer):
                writer.write(get())
                await read_head(reader)
                await reader.read(1)
            assert (await left(told, upstream)).observed.status == 200

    within(test())


def test_a_client_that_leaves_a_stream_that_runs_on_takes_the_request_with_it() -> None:
    async def test() -> None:
        async def serve(peer: Peer) -> None:
            await peer.request()
            try:
                await peer.say(SSE_HEAD)
                while True:
                    await peer.say(b"9\r\ndata: 1\n\n\r\n")
                    await asyncio.sleep(0.001)
            except ConnectionError:
                peer.origin.gone.set()

        async with origin(serve) as upstream, recording(upstream.url) as (recorder, told):
            async with connected(recorder.port) as (reader, writer):
                writer.write(get())
                await read_head(reader)
                await read_chunk(reader)
            await left(told, upstream)

    within(test())


@pytest.mark.parametrize("framing", ["Content-Length: 1000000", "Content-Length: 20", "Transfer-Encoding: chunked"])
def test_a_client_that_leaves_in_the_middle_of_its_upload_is_told_as_gone(framing: str) -> None:
    async def test() -> None:
        async with origin(lambda peer: _take(peer)) as upstream, recording(upstream.url) as (recorder, told):
            async with connected(recorder.port) as (_, writer):
                writer.write(get("/x", framing, method="POST") + b"5\r\nhello\r\n")
                await asyncio.sleep(0.05)
            done = await only(told)
            assert (done.outcome, done.observed.status) == ("client-left", None)
            await until(lambda: upstream.open == 0, 3)
            # The proxy must not take what it has got for the whole.
            assert not any(each.whole for each in upstream.requests)

    async def _take(peer: Peer) -> None:
        await peer.request()
        await peer.say(OK)

    within(test())


def test_a_body_that_is_none_is_not_passed_on_as_a_whole_one() -> None:
    async def test() -> None:
        async with origin(answering(OK)) as upstream, recording(upstream.url) as (recorder, told):
            async with connected(recorder.port) as (reader, writer):
                writer.write(get("/x", "Transfer-Encoding: chunked", method="POST") + b"5\r\nhello\r\nnot-a-size\r\n")
                with contextlib.suppress(EOFError, ConnectionError):
                    assert (await read_message(reader)).status in (400, 502)
            await until(lambda: told)
            assert told[0].outcome != "answered"
            assert not any(each.whole for each in upstream.requests)

    within(test())


def test_an_answer_after_the_client_has_left_disturbs_nobody() -> None:
    async def test() -> None:
        async def serve(peer: Peer) -> None:
            await peer.request()
            await asyncio.sleep(0.0 if peer.origin.connections > 20 else 0.1)
            await peer.say(OK)
            await peer.left()

        async with origin(serve) as upstream, recording(upstream.url) as (recorder, told):
            for _ in range(20):
                async with connected(recorder.port) as (_, writer):
                    writer.write(get())
                    await until(lambda: recorder.pending)
                await until(lambda: not recorder.pending)
            assert (await ask(recorder.port, get())).status == 200
            await until(lambda: len(told) == 21)
            assert {each.outcome for each in told[:20]} == {"client-left"}
            assert not recorder.pending

    within(test())


def test_a_pipelining_client_that_leaves_ends_what_is_under_way() -> None:
    async def test() -> None:
        async with waiting_proxy() as upstream, recording(upstream.url) as (recorder, told):
            async with connected(recorder.port) as (_, writer):
                writer.write(get("/1") + get("/2"))
                await until(lambda: upstream.requests)
            await left(told, upstream)

    within(test())


def test_a_callback_that_fails_does_not_reach_the_client() -> None:
    async def test() -> None:
        complaints: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))

        def fails(exchange: Exchange) -> None:
            raise ValueError("no")

        async with origin(answering(OK)) as upstream:
            from antigravity_doctor.servers.recorder import Recorder

            async with Recorder(upstream.url, on_exchange=fails) as recorder:
                assert (await ask(recorder.port, get())).status == 200
                assert (await ask(recorder.port, get())).status == 200
        assert [each["message"] for each in complaints] == ["on_exchange of the recorder failed"] * 2

    within(test())


def test_chunked_is_the_only_thing_that_a_chunked_upload_becomes() -> None:
    """Sizes of chunks are each connection's own; what they hold is not."""

    async def test() -> None:
        async with origin(answering(OK)) as upstream, recording(upstream.url) as (recorder, _):
            body = chunked(b"a" * 100_000, b"b", b"c" * 70_000)
            await ask(recorder.port, get("/x", "Transfer-Encoding: chunked", method="POST") + body)
            assert upstream.requests[0].body == b"a" * 100_000 + b"b" + b"c" * 70_000

    within(test())
