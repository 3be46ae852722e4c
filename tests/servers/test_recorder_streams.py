"""The recorder holds nothing back and piles nothing up: streams, large bodies, slow and fast ends."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import pathlib

import pytest

from tests.support.wire import (
    OK,
    Peer,
    answering,
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
MEGABYTE = 1 << 20
PATTERN = bytes(range(256)) * 4096  # a megabyte
HUGE = 100


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def resident() -> int:
    """Bytes of this process in memory; 0 where that cannot be told."""
    with contextlib.suppress(OSError):
        return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096
    return 0


def test_each_event_is_at_the_client_before_the_next_is_sent() -> None:
    async def test() -> None:
        got = [asyncio.Event() for _ in range(6)]

        async def serve(peer: Peer) -> None:
            await peer.request()
            await peer.say(SSE_HEAD)
            for number, seen in enumerate(got):
                await seen.wait()
                await peer.say(chunk(b"data: %d\n\n" % number))
            await peer.say(b"0\r\n\r\n")
            await peer.left()

        async with (
            origin(serve) as upstream,
            recording(upstream.url) as (recorder, told),
            connected(recorder.port) as (reader, writer),
        ):
            writer.write(get("/v1/events"))
            assert (await read_head(reader)).status == 200  # the head comes while there is no event yet
            for number, seen in enumerate(got):
                seen.set()
                assert await read_chunk(reader) == b"data: %d\n\n" % number
            assert await read_chunk(reader) == b""
            assert (await only(told)).outcome == "answered"

    within(test())


@pytest.mark.parametrize("framing", [b"Content-Length: 200000", b"Connection: close"])
def test_the_head_of_a_long_answer_does_not_wait_for_its_body(framing: bytes) -> None:
    async def test() -> None:
        go = asyncio.Event()

        async def serve(peer: Peer) -> None:
            await peer.request()
            await peer.say(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\nfirst")
            await go.wait()
            await peer.say(b"x" * 199_995)

        async with (
            origin(serve) as upstream,
            recording(upstream.url) as (recorder, _),
            connected(recorder.port) as (reader, writer),
        ):
            writer.write(get())
            head = await read_head(reader)
            chunks = head.get("transfer-encoding") == "chunked"
            assert (await read_chunk(reader) if chunks else await reader.readexactly(5)) == b"first"
            go.set()
            rest = 0
            if chunks:
                while piece := await read_chunk(reader):
                    rest += len(piece)
            else:
                rest = len(await reader.readexactly(199_995))
            assert rest == 199_995

    within(test())


def test_a_chunk_may_be_split_or_joined_but_no_byte_is_lost_in_ten_thousand() -> None:
    async def test() -> None:
        events = [b"data: {%d}\n\n" % number for number in range(10_000)]

        async def serve(peer: Peer) -> None:
            await peer.request()
            await peer.say(SSE_HEAD)
            for event in events:
                await peer.say(chunk(event))
            await peer.say(b"0\r\n\r\n")
            await peer.left()

        async with (
            origin(serve) as upstream,
            recording(upstream.url) as (recorder, told),
            connected(recorder.port) as (reader, writer),
        ):
            writer.write(get())
            answer = await read_message(reader)
            assert answer.whole
            assert answer.body == b"".join(events)
            assert (await only(told)).answer_bytes == len(answer.body)

    within(test())


def test_a_client_that_does_not_read_stops_the_proxy() -> None:
    async def test() -> None:
        sent = 0

        async def serve(peer: Peer) -> None:
            nonlocal sent
            await peer.request()
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (200 * MEGABYTE))
            for _ in range(200):
                await peer.say(PATTERN)
                sent += MEGABYTE

        async with origin(serve) as upstream, recording(upstream.url) as (recorder, told):
            before = resident()
            async with connected(recorder.port, limit=65536) as (reader, writer):
                writer.write(get())
                await read_head(reader)
                last = -1
                while last != sent:
                    last = sent
                    await asyncio.sleep(0.15)
                assert sent < 40 * MEGABYTE  # what fits into the sockets of the two connections
                assert resident() - before < 40 * MEGABYTE
                # It goes on where it stopped as soon as the client reads.
                await reader.readexactly(60 * MEGABYTE // 4)
                await until(lambda: sent > last)
            assert (await only(told)).outcome == "client-left"

    within(test())


def test_a_slow_client_gets_every_byte() -> None:
    async def test() -> None:
        async def serve(peer: Peer) -> None:
            await peer.request()
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (20 * MEGABYTE))
            for _ in range(20):
                await peer.say(PATTERN)
            await peer.left()

        async with (
            origin(serve) as upstream,
            recording(upstream.url) as (recorder, told),
            connected(recorder.port, limit=65536) as (reader, writer),
        ):
            writer.write(get())
            await read_head(reader)
            digest, length = hashlib.sha256(), 0
            while length < 20 * MEGABYTE:
                piece = await reader.read(2 * MEGABYTE)
                digest.update(piece)
                length += len(piece)
                if length % 7 == 0:
                    await asyncio.sleep(0.01)
            assert digest.digest() == hashlib.sha256(PATTERN * 20).digest()
            assert (await only(told)).answer_bytes == 20 * MEGABYTE

    within(test())


@pytest.mark.parametrize("framing", ["Content-Length: 104857600", "Transfer-Encoding: chunked"])
def test_an_upload_of_100_megabytes_arrives_whole_and_is_not_piled_up(framing: str) -> None:
    async def test() -> None:
        digest = hashlib.sha256()
        peak = 0

        async def serve(peer: Peer) -> None:
            nonlocal peak
            head = await read_head(peer.reader)
            peer.origin.requests.append(head)
            length = 0
            if head.get("content-length"):
                while length < HUGE * MEGABYTE and (piece := await peer.reader.read(MEGABYTE)):
                    digest.update(piece)
                    length += len(piece)
                    peak = max(peak, resident())
            else:
                while piece := await read_chunk(peer.reader):
                    digest.update(piece)
                    length += len(piece)
                    peak = max(peak, resident())
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n%09d" % length)
            await peer.left()

        async with (
            origin(serve) as upstream,
            recording(upstream.url) as (recorder, told),
            connected(recorder.port) as (reader, writer),
        ):
            before = resident()
            writer.write(get("/v1/audio/transcriptions", framing, method="POST"))
            for _ in range(HUGE):
                writer.write(PATTERN if framing.startswith("Content") else chunk(PATTERN))
                await writer.drain()
            if not framing.startswith("Content"):
                writer.write(b"0\r\n\r\n")
            answer = await read_message(reader, asked="POST")
            assert int(answer.body) == HUGE * MEGABYTE
            expected = hashlib.sha256()
            for _ in range(HUGE):
                expected.update(PATTERN)
            assert digest.digest() == expected.digest()
            name, _, value = framing.partition(": ")
            assert upstream.requests[0].get(name) == value
            assert peak - before < 48 * MEGABYTE
            assert (await only(told)).request_bytes == HUGE * MEGABYTE

    within(test(), 20)


@pytest.mark.parametrize("framing", ["Content-Length: 600000", "Transfer-Encoding: chunked"])
def test_a_slow_upload_goes_on_piece_by_piece(framing: str) -> None:
    async def test() -> None:
        arrived = 0

        async def serve(peer: Peer) -> None:
            nonlocal arrived
            await read_head(peer.reader)
            counts = framing.startswith("Content")
            while arrived < 600_000:
                arrived += len(await peer.reader.read(65536) if counts else await read_chunk(peer.reader))
            await peer.say(OK)
            await peer.left()

        async with (
            origin(serve) as upstream,
            recording(upstream.url) as (recorder, _),
            connected(recorder.port) as (reader, writer),
        ):
            writer.write(get("/x", framing, method="POST"))
            for number in range(1, 7):
                piece = b"x" * 100_000
                writer.write(piece if framing.startswith("Content") else chunk(piece))
                await until(lambda number=number: arrived == number * 100_000)  # type: ignore[misc]
            if not framing.startswith("Content"):
                writer.write(b"0\r\n\r\n")
            assert (await read_message(reader)).status == 200

    within(test())


def test_the_proxy_may_answer_while_the_client_still_sends() -> None:
    async def test() -> None:
        async def serve(peer: Peer) -> None:
            await read_head(peer.reader)
            await peer.say(SSE_HEAD)
            while piece := await read_chunk(peer.reader):
                await peer.say(chunk(piece))
            await peer.say(b"0\r\n\r\n")
            await peer.left()

        async with (
            origin(serve) as upstream,
            recording(upstream.url) as (recorder, _),
            connected(recorder.port) as (reader, writer),
        ):
            writer.write(get("/echo", "Transfer-Encoding: chunked", method="POST"))
            assert (await read_head(reader)).status == 200
            for number in range(5):
                writer.write(chunk(b"turn %d" % number))
                assert await read_chunk(reader) == b"turn %d" % number
            writer.write(b"0\r\n\r\n")
            assert await read_chunk(reader) == b""

    within(test())


@pytest.mark.parametrize("closes", [False, True])
def test_an_answer_that_comes_before_the_upload_has_ended_reaches_the_client(closes: bool) -> None:
    async def test() -> None:
        async def serve(peer: Peer) -> None:
            await read_head(peer.reader)
            close = b"Connection: close\r\n" if closes else b""
            await peer.say(b"HTTP/1.1 413 Payload Too Large\r\n" + close + b"Content-Length: 8\r\n\r\ntoo long")
            if not closes:
                await peer.left()
            await asyncio.sleep(0.05)

        async with (
            origin(serve) as upstream,
            recording(upstream.url) as (recorder, told),
            connected(recorder.port) as (reader, writer),
        ):
            writer.write(get("/x", "Content-Length: 10000000", method="POST"))

            async def send() -> None:
                with contextlib.suppress(ConnectionError):
                    for _ in range(100):
                        writer.write(b"x" * 100_000)
                        await writer.drain()

            sending = asyncio.create_task(send())
            answer = await read_message(reader, asked="POST")
            assert (answer.status, answer.body) == (413, b"too long")
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            assert (await only(told)).observed.status == 413

    within(test())


def test_many_streams_run_side_by_side() -> None:
    async def test() -> None:
        meeting = asyncio.Barrier(100)

        async def serve(peer: Peer) -> None:
            await peer.request()
            await peer.say(SSE_HEAD + chunk(b"begin"))
            await meeting.wait()  # nobody goes on before everybody has begun
            await peer.say(chunk(b"end") + b"0\r\n\r\n")
            await peer.left()

        async def one(port: int) -> bytes:
            async with connected(port) as (reader, writer):
                writer.write(get())
                return (await read_message(reader)).body

        async with origin(serve) as upstream, recording(upstream.url) as (recorder, told):
            bodies = await asyncio.gather(*(one(recorder.port) for _ in range(100)))
            assert set(bodies) == {b"beginend"}
            await until(lambda: len(told) == 100)

    within(test())


def test_a_post_is_sent_once_even_if_the_proxy_closes_on_it() -> None:
    async def test() -> None:
        async def serve(peer: Peer) -> None:
            await peer.request()
            await peer.say(OK)
            await peer.request()  # and no answer

        async with origin(serve) as upstream, recording(upstream.url) as (recorder, _):
            for expected in (200, 502):
                async with connected(recorder.port) as (reader, writer):
                    writer.write(post("/x", b"{}"))
                    assert (await read_message(reader)).status == expected
            assert len(upstream.requests) == 2

    within(test())


def test_a_connection_that_the_proxy_has_closed_meanwhile_is_not_used_again() -> None:
    async def test() -> None:
        async def serve(peer: Peer) -> None:
            await peer.request()
            await peer.say(OK)  # and closes, without having said so

        async with origin(serve) as upstream, recording(upstream.url) as (recorder, _):
            for _ in range(5):
                async with connected(recorder.port) as (reader, writer):
                    writer.write(post("/x", b"{}"))
                    assert (await read_message(reader)).status == 200
                await until(lambda: upstream.open == 0)
                await asyncio.sleep(0.01)

    within(test())


def test_what_is_answered_is_told_with_its_times() -> None:
    async def test() -> None:
        async def serve(peer: Peer) -> None:
            await peer.request()
            await asyncio.sleep(0.05)
            await peer.say(SSE_HEAD)
            await asyncio.sleep(0.1)
            await peer.say(b"0\r\n\r\n")
            await peer.left()

        async with (
            origin(serve) as upstream,
            recording(upstream.url) as (recorder, told),
            connected(recorder.port) as (reader, writer),
        ):
            writer.write(get())
            await until(lambda: recorder.pending)
            assert [(each.method, each.path) for each in recorder.pending.values()] == [("GET", "/v1/models")]
            await read_message(reader)
            done = await only(told)
            assert done.first_byte_ms is not None
            assert 45 <= done.first_byte_ms < done.total_ms - 90
            assert not recorder.pending

    within(test())


def test_the_answering_helper_itself_is_honest() -> None:
    """Without a recorder, so that a fault of these tests' own origin is not taken for one of the recorder's."""

    async def test() -> None:
        async with origin(answering(OK)) as upstream, connected(upstream.port) as (reader, writer):
            writer.write(get())
            assert (await read_message(reader)).body == b'{"ok":true}'

    within(test())
