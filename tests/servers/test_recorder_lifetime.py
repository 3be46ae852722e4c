"""Starting and ending the recorder: at once, whatever is under way, and without leaving anything behind."""

from __future__ import annotations

import asyncio
import gc
import socket
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest

from antigravity_doctor.diagnosis.recording import Exchange
from antigravity_doctor.servers.recorder import Recorder
from tests.support.wire import (
    OK,
    Origin,
    Peer,
    answering,
    chunked,
    connected,
    get,
    origin,
    post,
    read_head,
    read_message,
    recording,
    until,
    within,
)

SSE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: " + "A" * 22 + "==",
)
AT_ONCE = 0.5
"""Seconds. It takes 0.12 on a quiet machine; aiohttp's own shutdown would wait for a minute."""


@asynccontextmanager
async def busy_proxy() -> AsyncIterator[Origin]:
    """A proxy for every way in which a request can be under way: /sse streams on, /silent never answers, /slow-read
    never reads on, /ws becomes a WebSocket that nobody closes, anything else is answered."""

    async def serve(peer: Peer) -> None:
        while True:
            head = await read_head(peer.reader)
            peer.origin.requests.append(head)
            if head.target == "/sse":
                await peer.say(SSE_HEAD)
                while True:
                    await peer.say(b"9\r\ndata: 1\n\n\r\n")
                    await asyncio.sleep(0.001)
            elif head.target == "/silent":
                await peer.left()
                return
            elif head.target == "/slow-read":
                await asyncio.sleep(60)
            elif head.target == "/ws":
                accept = "uvgCg4tzJbVTc2nEjPYwHTXcFTo="
                await peer.say(
                    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + f"Sec-WebSocket-Accept: {_accept(head.get('sec-websocket-key') or accept)}\r\n\r\n".encode()
                )
                await peer.left()
                return
            await peer.say(OK)

    async with origin(serve) as upstream:
        yield upstream


def _accept(key: str) -> str:
    import base64
    import hashlib

    guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    return base64.b64encode(hashlib.sha1((key + guid).encode()).digest()).decode()  # noqa: S324 - RFC 6455


UNDER_WAY = {
    "nothing": b"",
    "idle": get("/idle"),
    "half-a-head": b"GET / HTTP/1.1\r\nHost:",
    "stream": get("/sse"),
    "no-answer-yet": get("/silent"),
    "upload": get("/slow-read", "Content-Length: 100000000", method="POST") + b"x" * 1_000_000,
    "upload-not-read": get("/silent", "Transfer-Encoding: chunked", method="POST") + b"5\r\nhello\r\n",
    "websocket": get("/ws", *UPGRADE),
}


async def closing_takes(recorder: Recorder) -> float:
    began = time.perf_counter()
    await recorder.close()
    return time.perf_counter() - began


@pytest.mark.parametrize("what", UNDER_WAY)
def test_it_ends_at_once_with_this_under_way(what: str) -> None:
    async def test() -> None:
        async with busy_proxy() as upstream:
            recorder = Recorder(upstream.url)
            await recorder.start()
            port = recorder.port
            async with connected(port) as (reader, writer):
                writer.write(UNDER_WAY[what])
                if what in ("idle", "stream", "websocket"):
                    await read_head(reader)
                elif what in ("no-answer-yet", "upload", "upload-not-read"):
                    await until(lambda: upstream.requests)
                await asyncio.sleep(0.02)
                assert await closing_takes(recorder) < AT_ONCE
                try:  # the client's connection is gone
                    async with asyncio.timeout(3):
                        while await reader.read(65536):
                            pass
                except ConnectionError:
                    pass
            await until(lambda: upstream.open == 0 or what == "upload", 3)
            again = await asyncio.start_server(lambda *_: None, "127.0.0.1", port)  # its port is free
            again.close()

    within(test())


def test_it_ends_at_once_with_everything_under_way_many_times() -> None:
    async def test() -> None:
        async with busy_proxy() as upstream, AsyncExitStack() as stack:
            recorder = Recorder(upstream.url)
            await recorder.start()
            for _ in range(10):
                for request in UNDER_WAY.values():
                    _, writer = await stack.enter_async_context(connected(recorder.port))
                    writer.write(request)
            await until(lambda: len(recorder.pending) == 50)
            assert await closing_takes(recorder) < 2 * AT_ONCE
            await until(lambda: not recorder.pending, 3)

    within(test())


@pytest.mark.parametrize("what", ["stream", "no-answer-yet", "upload", "websocket"])
def test_what_is_cut_by_the_end_is_told_as_not_whole(what: str) -> None:
    async def test() -> None:
        async with busy_proxy() as upstream:
            told: list[Exchange] = []
            recorder = Recorder(upstream.url, on_exchange=told.append)
            await recorder.start()
            async with connected(recorder.port) as (_, writer):
                writer.write(UNDER_WAY[what])
                await until(lambda: upstream.requests)
                await asyncio.sleep(0.05)
                await recorder.close()
            assert [each.outcome for each in told] == ["ended"]
            assert told[0].observed.failure is None

    within(test())


def test_closing_twice_and_closing_what_never_started_is_harmless() -> None:
    async def test() -> None:
        recorder = Recorder("http://127.0.0.1:9")
        await recorder.close()
        await recorder.start()
        await recorder.close()
        await recorder.close()
        with pytest.raises(RuntimeError, match="not running"):
            _ = recorder.port

    within(test())


def test_a_port_that_is_taken_is_said_with_host_and_port() -> None:
    async def test() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(OSError, match=f"Cannot listen on 127.0.0.1 port {port}: it is already in use"):
                await Recorder("http://127.0.0.1:9", port=port).start()

    within(test())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_the_url_is_one_that_reaches_it(host: str) -> None:
    async def test() -> None:
        async with (
            origin(answering(OK)) as upstream,
            recording(upstream.url, host=host) as (recorder, _),
            aiohttp.ClientSession() as session,
            session.get(recorder.url + "/x") as answer,
        ):
            assert answer.status == 200

    within(test())


def test_it_listens_on_loopback_only_unless_told_otherwise() -> None:
    async def test() -> None:
        async with recording("http://127.0.0.1:9") as (recorder, _):
            assert recorder._server is not None
            assert [each.getsockname()[0] for each in recorder._server.sockets] == ["127.0.0.1"]

    within(test())


def test_thousands_of_requests_leave_nothing_behind() -> None:
    async def test() -> None:
        ways = [
            get("/a"),
            post("/b", b"{}"),
            get("/c", "Transfer-Encoding: chunked", method="POST") + chunked(b"x"),
            get("/d", method="HEAD"),
        ]

        async def some(port: int, number: int) -> None:
            async with connected(port) as (reader, writer):
                for each in range(number):
                    request = ways[each % len(ways)]
                    writer.write(request)
                    await read_message(reader, asked=request.split(b" ")[0].decode())

        def objects() -> Counter[str]:
            gc.collect()
            return Counter(type(each).__name__ for each in gc.get_objects())

        async with origin(answering(OK)) as upstream:
            seen = 0

            def count(_: Exchange) -> None:
                nonlocal seen
                seen += 1

            async with Recorder(upstream.url, on_exchange=count) as recorder:
                await some(recorder.port, 50)
                upstream.requests.clear()
                before = objects()
                for _ in range(20):
                    await some(recorder.port, 100)
                upstream.requests.clear()
                grown = objects() - before
                assert seen == 2050
                assert not recorder.pending
                assert {name: number for name, number in grown.items() if number > 400} == {}

    within(test(), 60)


def test_clients_that_leave_leave_nothing_behind() -> None:
    async def test() -> None:
        async with busy_proxy() as upstream, recording(upstream.url) as (recorder, told):

            async def leave(request: bytes) -> None:
                async with connected(recorder.port) as (reader, writer):
                    writer.write(request)
                    if b"/sse" in request or b"/ws" in request:
                        await read_head(reader)
                    else:
                        await asyncio.sleep(0.02)

            for _ in range(10):
                await asyncio.gather(*(leave(request) for request in UNDER_WAY.values()))
            await until(lambda: not recorder.pending)
            await until(lambda: len(told) == 60)
            assert recorder._session is not None
            connector = recorder._session.connector
            assert connector is not None
            assert not connector._acquired

    within(test())


def test_it_ends_without_a_word_even_where_warnings_are_errors() -> None:
    """In a process of its own, where asyncio's and aiohttp's complaints about what was left open reach stderr."""
    script = """
        import asyncio, gc
        from antigravity_doctor.servers.recorder import Recorder
        from antigravity_doctor.servers.stand_in import StandIn
        from antigravity_doctor.diagnosis.proxy_model import ServerConfig

        async def main():
            asyncio.get_running_loop().slow_callback_duration = 60
            async def hold(reader, writer):
                await reader.read(1)
                writer.write(b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n2\\r\\nhi\\r\\n")
                await reader.read()
                writer.close()
            server = await asyncio.start_server(hold, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            async with StandIn(ServerConfig("4.5.8", "off")) as proxy:
                for upstream in (f"http://127.0.0.1:{port}", proxy.url):
                    async with Recorder(upstream) as recorder:
                        kept = []
                        for request in (
                            b"", b"GET /v1/models HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n",
                            b"POST /x HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 9999999\\r\\n\\r\\nabc",
                            b"GET /v1/responses HTTP/1.1\\r\\nHost: x\\r\\nConnection: Upgrade\\r\\n"
                            b"Upgrade: websocket\\r\\n"
                            b"Sec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n",
                            b"\\x16\\x03\\x01", b"nonsense\\r\\n\\r\\n",
                        ):
                            reader, writer = await asyncio.open_connection("127.0.0.1", recorder.port)
                            writer.write(request)
                            kept.append(writer)
                        await asyncio.sleep(0.1)
                    for writer in kept:
                        writer.close()
                        try:
                            await writer.wait_closed()
                        except ConnectionError:
                            pass
            server.close()
            await server.wait_closed()

        asyncio.run(main(), debug=True)
        gc.collect()
    """
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
