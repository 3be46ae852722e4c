"""A WebSocket through the recorder: the handshake, messages, pings, both ends' closing, and what is told of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, ConnectionClosedError

from antigravity_doctor.diagnosis.proxy_model import ServerConfig
from antigravity_doctor.servers.stand_in import Running, run_in_thread
from tests.support.hostile import hostile
from tests.support.wire import (
    Message,
    Peer,
    ask,
    connected,
    end_to_end,
    get,
    only,
    origin,
    read_head,
    recording,
    until,
    within,
)

KEY = "sk-right-key"
PATH = "/v1/responses"
UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
CREATE = {"type": "response.create", "model": "m-1", "input": []}


@pytest.fixture(scope="module")
def proxies() -> Iterator[dict[str, Running]]:
    with ExitStack() as stack:
        yield {
            version: stack.enter_context(run_in_thread(ServerConfig(version, "strict", api_key=KEY)))
            for version in ("4.5.8", "4.2.0")
        }


@asynccontextmanager
async def opened(url: str, **more: Any) -> AsyncIterator[aiohttp.ClientWebSocketResponse[bool]]:
    """A WebSocket of aiohttp's client, with the right key."""
    headers = {"Authorization": f"Bearer {KEY}", "OpenAI-Beta": "responses_websockets=2026-02-06"}
    async with aiohttp.ClientSession() as session, session.ws_connect(url + PATH, headers=headers, **more) as ws:
        yield ws


Talk = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def talking(talk: Talk, **more: Any) -> AsyncIterator[str]:
    """A WebSocket server that does as it is told; gives its origin."""
    async with serve(talk, "127.0.0.1", 0, max_size=None, **more) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


# --- to the stand-in ------------------------------------------------------------------------------------------------


def test_turns_are_the_same_as_without_the_recorder(proxies: dict[str, Running]) -> None:
    async def turns(url: str) -> list[str]:
        seen = []
        async with opened(url) as ws:
            for _ in range(3):
                await ws.send_str(json.dumps(CREATE))
                while True:
                    seen.append(await ws.receive_str(timeout=5))
                    if json.loads(seen[-1])["type"] == "response.completed":
                        break
            await ws.send_bytes(b'{"type":"nonsense"}')
            seen.append(await ws.receive_str(timeout=5))
            await ws.send_str("no json")
            seen.append(await ws.receive_str(timeout=5))
        return seen

    async def test() -> None:
        async with recording(proxies["4.5.8"].url) as (recorder, told):
            passed = await turns(recorder.url)
            assert passed == await turns(proxies["4.5.8"].url)
            done = await only(told)
            assert (done.websocket, done.outcome, done.observed.status) == (True, "answered", 101)
            assert (done.observed.method, done.observed.path, done.observed.key_header) == (
                "GET",
                PATH,
                "authorization",
            )
            assert done.request_bytes >= 3 * len(json.dumps(CREATE))
            assert done.answer_bytes >= sum(map(len, passed))
            assert done.first_byte_ms is not None

    within(test())


def test_the_handshake_is_answered_to_the_letter(proxies: dict[str, Running]) -> None:
    async def head(port: int) -> Message:
        async with connected(port) as (reader, writer):
            writer.write(get(PATH, *UPGRADE, f"Authorization: Bearer {KEY}"))
            return await read_head(reader)

    def sorted_fields(message: Message) -> list[tuple[str, str]]:
        fields = [
            (name.lower(), value.lower() if name.lower() == "connection" else value) for name, value in message.fields
        ]
        return sorted(each for each in fields if each[0] != "date")

    async def test() -> None:
        async with recording(proxies["4.5.8"].url) as (recorder, _):
            direct, passed = await head(proxies["4.5.8"].port), await head(recorder.port)
            assert passed.line == direct.line == "HTTP/1.1 101 Switching Protocols"
            assert sorted_fields(passed) == sorted_fields(direct)

    within(test())


@pytest.mark.parametrize(
    ("version", "path", "headers", "status"),
    [
        ("4.2.0", PATH, (f"Authorization: Bearer {KEY}",), 405),
        ("4.5.8", PATH, (), 401),
        ("4.5.8", PATH, ("Authorization: Bearer sk-wrong",), 403),
        ("4.5.8", "/v1/v1/responses", (f"Authorization: Bearer {KEY}",), 404),
    ],
)
def test_a_refused_handshake_comes_back_as_the_proxy_refused_it(
    version: str, path: str, headers: tuple[str, ...], status: int, proxies: dict[str, Running]
) -> None:
    async def test() -> None:
        async with recording(proxies[version].url) as (recorder, told):
            request = get(path, *UPGRADE, *headers)
            direct, passed = await ask(proxies[version].port, request), await ask(recorder.port, request)
            assert (passed.status, passed.line, passed.body) == (status, direct.line, direct.body)
            assert end_to_end(passed, but=("date",)) == end_to_end(direct, but=("date",))
            done = await only(told)
            assert (done.outcome, done.observed.status, done.websocket) == ("answered", status, True)

    within(test())


@pytest.mark.parametrize("size", [0, 7, 300_000])
def test_a_refusal_s_body_may_come_in_pieces(size: int) -> None:
    async def test() -> None:
        async def refuse(peer: Peer) -> None:
            await peer.request()
            await peer.say(b"HTTP/1.1 403 Forbidden\r\nX-Why: no\r\nContent-Length: %d\r\n\r\n" % size)
            for _ in range(7):
                await asyncio.sleep(0.005)
                await peer.say(b"x" * (size // 7))
            await peer.say(b"x" * (size % 7))

        async with origin(refuse) as upstream, recording(upstream.url) as (recorder, _):
            answer = await ask(recorder.port, get(PATH, *UPGRADE))
            assert (answer.status, answer.get("x-why"), len(answer.body), answer.whole) == (403, "no", size, True)

    within(test())


def test_the_connection_can_be_used_on_after_a_refusal(proxies: dict[str, Running]) -> None:
    async def test() -> None:
        async with recording(proxies["4.2.0"].url) as (recorder, told):
            async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as session:
                with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
                    await session.ws_connect(recorder.url + PATH)
                assert raised.value.status == 405
                body = json.dumps({"model": "m-1", "input": "hi"})
                async with session.post(
                    recorder.url + PATH, data=body, headers={"Content-Type": "application/json"}
                ) as it:
                    assert it.status == 200
                    await it.read()
            assert [each.observed.status for each in told] == [405, 200]

    within(test())


# --- to any server --------------------------------------------------------------------------------------------------


def test_text_and_binary_and_large_messages_pass() -> None:
    async def test() -> None:
        async with talking(echo) as url, recording(url) as (recorder, _), opened(recorder.url, max_msg_size=0) as ws:
            for text in ("", "hi", "\u4f60\u597d \U0001f600", "x" * 3_000_000):
                await ws.send_str(text)
                assert await ws.receive_str(timeout=5) == text
            for data in (b"", bytes(range(256)), bytes(3_000_000)):
                await ws.send_bytes(data)
                assert await ws.receive_bytes(timeout=5) == data

    within(test())


@pytest.mark.parametrize("server", [None, "deflate"])
@pytest.mark.parametrize("client", [0, 15])
def test_messages_pass_whether_or_not_either_side_compresses(client: int, server: str | None) -> None:
    async def test() -> None:
        async with (
            talking(echo, compression=server) as url,
            recording(url) as (recorder, _),
            opened(recorder.url, compress=client) as ws,
        ):
            for number in range(20):
                await ws.send_str("again and again " * number)
                assert await ws.receive_str(timeout=5) == "again and again " * number

    within(test())


def test_a_ping_goes_to_the_other_end_and_its_pong_comes_back() -> None:
    async def test() -> None:
        pings: list[bytes] = []

        async def talk(connection: ServerConnection) -> None:
            answer = connection.protocol.recv_frame

            def noting(frame: Any) -> None:
                if frame.opcode.name == "PING":
                    pings.append(bytes(frame.data))
                answer(frame)

            connection.protocol.recv_frame = noting  # type: ignore[method-assign]
            waiter = await connection.ping(b"from the proxy")
            await waiter
            await connection.send("ponged")
            await connection.wait_closed()

        async with talking(talk) as url, recording(url) as (recorder, _), opened(recorder.url, autoping=False) as ws:
            ping = await ws.receive(timeout=5)
            assert (ping.type, ping.data) == (aiohttp.WSMsgType.PING, b"from the proxy")
            await ws.pong(ping.data)
            assert await ws.receive_str(timeout=5) == "ponged"
            await ws.ping(b"from the client")
            pong = await ws.receive(timeout=5)
            assert (pong.type, bytes(pong.data)) == (aiohttp.WSMsgType.PONG, b"from the client")
            assert pings == [b"from the client"]

    within(test())


@pytest.mark.parametrize(("offered", "taken"), [(("a", "b"), "b"), (("b",), "b"), ((), None)])
def test_the_subprotocol_is_the_proxy_s_choice(offered: tuple[str, ...], taken: str | None) -> None:
    async def test() -> None:
        def choose(connection: ServerConnection, subprotocols: Any) -> Any:
            return "b" if "b" in subprotocols else None

        async with (
            talking(echo, select_subprotocol=choose) as url,
            recording(url) as (recorder, _),
            opened(recorder.url, protocols=offered) as ws,
        ):
            assert ws.protocol == taken

    within(test())


def test_headers_and_target_of_the_handshake_arrive_as_they_were_sent() -> None:
    async def test() -> None:
        seen: list[Any] = []

        async def talk(connection: ServerConnection) -> None:
            seen.append(connection.request)

        async with talking(talk) as url, recording(url) as (recorder, _):
            request = get("//v1/responses?x=%2F?", *UPGRADE, f"x-api-key: {KEY}", "X-Own: 1", "Cookie: a=1")
            async with connected(recorder.port) as (reader, writer):
                writer.write(request)
                await read_head(reader)
            assert seen[0].path == "//v1/responses?x=%2F?"
            names = [name.lower() for name in seen[0].headers]
            assert sorted(names) == sorted(
                [
                    "host",
                    "connection",
                    "upgrade",
                    "sec-websocket-version",
                    "sec-websocket-key",
                    "x-api-key",
                    "x-own",
                    "cookie",
                ]
            )

    within(test())


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1001, "going"), (1011, "broken"), (4321, "own")])
def test_the_proxy_s_close_reaches_the_client(code: int, reason: str) -> None:
    async def test() -> None:
        async def talk(connection: ServerConnection) -> None:
            await connection.send("last")
            await connection.close(code, reason)

        async with talking(talk) as url, recording(url) as (recorder, told):
            async with opened(recorder.url) as ws:
                assert await ws.receive_str(timeout=5) == "last"
                end = await ws.receive(timeout=5)
                assert (end.type, end.data, end.extra or "") == (aiohttp.WSMsgType.CLOSE, code, reason)
            assert (await only(told)).outcome == "answered"

    within(test())


@pytest.mark.parametrize(("code", "reason"), [(1000, "done"), (1001, ""), (4321, "own")])
def test_the_client_s_close_reaches_the_proxy(code: int, reason: str) -> None:
    async def test() -> None:
        ends: list[tuple[int | None, str | None]] = []

        async def talk(connection: ServerConnection) -> None:
            await connection.wait_closed()
            ends.append((connection.close_code, connection.close_reason))

        async with talking(talk) as url, recording(url) as (recorder, told):
            async with opened(recorder.url) as ws:
                await ws.close(code=code, message=reason.encode())
            await until(lambda: ends)
            assert ends == [(code, reason)]
            assert (await only(told)).outcome == "answered"

    within(test())


def test_a_client_that_drops_its_connection_takes_the_proxy_s_with_it() -> None:
    async def test() -> None:
        ends: list[int | None] = []

        async def talk(connection: ServerConnection) -> None:
            try:
                await connection.recv()
            except ConnectionClosed:
                ends.append(connection.close_code)

        async with talking(talk) as url, recording(url) as (recorder, told):
            async with connected(recorder.port) as (reader, writer):
                writer.write(get(PATH, *UPGRADE))
                await read_head(reader)
            await until(lambda: ends, 3)
            assert ends == [1006]  # no close frame: none came from the client
            assert (await only(told)).outcome == "client-left"

    within(test())


def test_a_proxy_that_drops_its_connection_takes_the_client_s_with_it() -> None:
    async def test() -> None:
        async def talk(connection: ServerConnection) -> None:
            await connection.send("first")
            connection.transport.abort()

        async with talking(talk) as url, recording(url) as (recorder, told):
            async with connected(recorder.port) as (reader, writer):
                writer.write(get(PATH, *UPGRADE))
                await read_head(reader)
                assert await reader.readexactly(7) == b"\x81\x05first"
                assert await asyncio.wait_for(reader.read(), 3) == b""  # no close frame: none came from the proxy
            done = await only(told)
            assert (done.outcome, done.observed.failure, done.observed.status) == ("cut-short", "reset", 101)

    within(test())


def test_a_connection_that_says_nothing_is_not_ended_by_the_answer_timeout() -> None:
    async def test() -> None:
        async with (
            talking(echo) as url,
            recording(url, answer_timeout=0.2) as (recorder, _),
            opened(recorder.url) as ws,
        ):
            await asyncio.sleep(0.5)
            await ws.send_str("still here")
            assert await ws.receive_str(timeout=5) == "still here"

    within(test())


def test_a_reader_that_is_slow_holds_the_other_end_up() -> None:
    async def test() -> None:
        sent = 0

        async def talk(connection: ServerConnection) -> None:
            nonlocal sent
            with_limit = bytes(1_000_000)
            for _ in range(100):
                await connection.send(with_limit)
                sent += 1

        async with (
            talking(talk, compression=None) as url,
            recording(url) as (recorder, _),
            connected(recorder.port, limit=65536) as (reader, writer),
        ):
            writer.write(get(PATH, *UPGRADE))
            await read_head(reader)
            last = -1
            while last != sent:
                last = sent
                await asyncio.sleep(0.15)
            assert sent < 40

    within(test())


def test_a_broken_frame_of_the_client_ends_both() -> None:
    async def test() -> None:
        ends: list[bool] = []

        async def talk(connection: ServerConnection) -> None:
            try:
                await connection.recv()
            except ConnectionClosedError:
                ends.append(True)

        async with talking(talk) as url, recording(url) as (recorder, told):
            async with connected(recorder.port) as (reader, writer):
                writer.write(get(PATH, *UPGRADE))
                await read_head(reader)
                writer.write(b"\xff\xff\xff\xff")  # reserved bits
                frame = await asyncio.wait_for(reader.read(), 3)
                assert frame[:1] == b"\x88"
                assert int.from_bytes(frame[2:4], "big") == 1002
            await until(lambda: ends, 3)
            await only(told)

    within(test())


@pytest.mark.parametrize(
    ("kind", "status", "outcome"),
    [
        ("refused", 502, "no-answer"),
        ("silent", 504, "timeout"),
        ("garbage", 502, "no-answer"),
        ("close", 502, "no-answer"),
    ],
)
def test_a_proxy_that_gives_no_answer_is_said_in_words(kind: str, status: int, outcome: str) -> None:
    async def test() -> None:
        with hostile(kind) as server:
            async with recording(server.origin, answer_timeout=0.2) as (recorder, told):
                answer = await ask(recorder.port, get(PATH, *UPGRADE))
                assert (answer.status, (await only(told)).outcome) == (status, outcome)
                assert json.loads(answer.body)["error"]["message"].startswith("agdoctor trace: ")

    within(test())


def test_bodies_hold_the_messages_if_they_are_kept() -> None:
    async def test() -> None:
        async with talking(echo) as url, recording(url, keep_bodies=True) as (recorder, told):
            async with opened(recorder.url) as ws:
                await ws.send_str("one")
                await ws.receive_str(timeout=5)
                await ws.send_str("two")
                await ws.receive_str(timeout=5)
            assert (await only(told)).bodies == ("one\ntwo\n", "one\ntwo\n")

    within(test())
