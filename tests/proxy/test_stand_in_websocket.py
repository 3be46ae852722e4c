"""The stand-in's WebSocket on GET /v1/responses over real sockets, spoken to by two client libraries and by hand."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import replace
from typing import Any, TypeVar

import aiohttp
import httpx
import pytest
import websockets
from websockets.asyncio.client import connect

from antigravity_doctor.diagnosis.proxy_model import VARY, ServerConfig
from antigravity_doctor.servers.replies import SENTENCE
from antigravity_doctor.servers.stand_in import Running, StandIn, run_in_thread
from antigravity_doctor.servers.stand_in_websocket import MAX_MESSAGE

RIGHT = "sk-right-key"
STRICT = ServerConfig("4.5.8", "strict", api_key=RIGHT)
KEY = {"authorization": f"Bearer {RIGHT}"}
PATH = "/v1/responses"
CREATE: dict[str, Any] = {"type": "response.create", "model": "m-1", "input": []}
WARM_UP = {"type": "response.create", "model": "m-1", "generate": False}
TURN = [
    "response.created",
    "response.output_item.added",
    "response.content_part.added",
    *["response.output_text.delta"] * len(SENTENCE),
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]

Start = Callable[[ServerConfig], Running]
Socket = aiohttp.ClientWebSocketResponse
Json = dict[str, Any]
T = TypeVar("T")


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    """Starts a stand-in for a config once, and gives the same one to every test that asks for it."""
    with ExitStack() as stack:
        running: dict[ServerConfig, Running] = {}

        def get(config: ServerConfig) -> Running:
            if config not in running:
                running[config] = stack.enter_context(run_in_thread(config))
            return running[config]

        yield get


@pytest.fixture(scope="module")
def newest(start: Start) -> Running:
    return start(STRICT)


@asynccontextmanager
async def opened(url: str, **more: Any) -> AsyncIterator[Socket]:
    """A WebSocket of aiohttp's client. What it receives is bounded to five seconds."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            url + PATH, headers=KEY, timeout=aiohttp.ClientWSTimeout(ws_receive=5, ws_close=5), **more
        ) as ws,
    ):
        yield ws


async def turn(ws: Socket, request: Json | None = None) -> list[Json]:
    """Sends a request, and reads until it is answered."""
    await ws.send_json(CREATE if request is None else request)
    return await answer(ws)


async def answer(ws: Socket) -> list[Json]:
    events: list[Json] = []
    while not events or events[-1]["type"] not in ("response.completed", "error"):
        events.append(await ws.receive_json())
    return events


def types(events: list[Json]) -> list[str]:
    return [event["type"] for event in events]


def said(events: list[Json]) -> str:
    return "".join(event.get("delta", "") for event in events)


def talk(server: Running, scenario: Callable[[Socket], Awaitable[T]], **more: Any) -> T:
    """What a scenario makes of a fresh WebSocket."""

    async def main() -> T:
        async with opened(server.url, **more) as ws:
            return await scenario(ws)

    return asyncio.run(main())


HANDSHAKE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}
"""The handshake of RFC 6455, section 1.3."""
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def head(method: str = "GET", version: str = "1.1", path: str = PATH, **changed: str | None) -> bytes:
    """An upgrade request. `changed` replaces headers (underscores for dashes), None leaves one out."""
    headers = {"host": "127.0.0.1", **KEY, **HANDSHAKE}
    headers |= {name.replace("_", "-"): value for name, value in changed.items() if value is not None}
    for name in (name.replace("_", "-") for name, value in changed.items() if value is None):
        del headers[name]
    lines = [f"{method} {path} HTTP/{version}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode()


def frame(payload: bytes, opcode: int = 1, *, final: bool = True, masked: bool = True) -> bytes:
    """A client's frame of up to 65535 bytes; its mask is all zeros, which leaves the payload as it is."""
    length = len(payload)
    size = bytes([length]) if length < 126 else b"\x7e" + length.to_bytes(2, "big")
    first, *rest = size
    mask = b"\x00" * 4 if masked else b""
    return bytes([(0x80 if final else 0) | opcode, first | (0x80 if masked else 0), *rest]) + mask + payload


def raw(port: int, *pieces: bytes) -> bytes:
    """What a server sends for some bytes until it closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


BYE = frame((1000).to_bytes(2, "big"), 8)
END = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
"""A request that ends a connection, and shows that it could still be used."""

# -- the handshake


def test_an_upgrade_is_answered_with_exactly_these_headers(newest: Running) -> None:
    lines = raw(newest.port, head(), BYE).split(b"\r\n\r\n")[0].decode().split("\r\n")
    assert lines[:-1] == [
        "HTTP/1.1 101 Switching Protocols",
        "connection: upgrade",
        "upgrade: websocket",
        f"sec-websocket-accept: {ACCEPT}",
        f"vary: {VARY}",
        "access-control-allow-origin: *",
    ]
    assert lines[-1].startswith("date: ")


@pytest.mark.parametrize(
    "changed",
    [
        {"connection": "keep-alive, Upgrade"},
        {"upgrade": "WebSocket"},
        {"sec_websocket_key": "any text"},
        {"origin": "https://elsewhere.example"},
    ],
)
def test_the_handshake_is_as_forgiving_as_axum(newest: Running, changed: dict[str, str]) -> None:
    assert raw(newest.port, head(**changed), BYE).startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize(
    ("changed", "status", "text"),
    [
        ({"connection": None}, 400, "Connection header did not include 'upgrade'"),
        ({"connection": "keep-alive", "upgrade": None}, 400, "Connection header did not include 'upgrade'"),
        ({"upgrade": None}, 400, "`Upgrade` header did not include 'websocket'"),
        ({"upgrade": "h2c"}, 400, "`Upgrade` header did not include 'websocket'"),
        ({"sec_websocket_version": None}, 400, "`Sec-WebSocket-Version` header did not include '13'"),
        ({"sec_websocket_version": "8"}, 400, "`Sec-WebSocket-Version` header did not include '13'"),
        ({"sec_websocket_key": None}, 400, "`Sec-WebSocket-Key` header missing"),
        ({"version": "1.0"}, 426, "WebSocket request couldn't be upgraded since no upgrade state was present"),
    ],
)
def test_a_wrong_handshake_is_refused_in_axums_words(
    newest: Running, changed: dict[str, Any], status: int, text: str
) -> None:
    received = raw(newest.port, head(**changed), END)
    first, _, rest = received.partition(b"\r\n\r\n")
    assert first.startswith(f"HTTP/1.1 {status} ".encode())
    assert rest.startswith(text.encode())
    assert rest[len(text) :][:13] == (b"HTTP/1.1 401 " if status == 400 else b"")


def test_an_upgrade_by_head_is_not_allowed(newest: Running) -> None:
    response = httpx.head(newest.url + PATH, headers={**KEY, **HANDSHAKE})
    assert (response.status_code, response.headers.get("allow")) == (405, None)
    assert response.headers["content-length"] == str(len("Request method must be `GET`"))


@pytest.mark.parametrize(
    ("config", "key", "status"),
    [
        (STRICT, RIGHT, 101),
        (STRICT, None, 401),
        (STRICT, "sk-wrong", 403),
        (replace(STRICT, version="4.3.0"), RIGHT, 101),
        (replace(STRICT, version="4.2.9"), RIGHT, 405),
        (replace(STRICT, auth="off"), None, 101),
        (replace(STRICT, running=False), RIGHT, 503),
        (replace(STRICT, web_ui=True), RIGHT, 101),
        (replace(STRICT, ip_blocked=True), RIGHT, 403),
    ],
)
def test_an_upgrade_passes_the_same_gates_as_every_request(
    start: Start, config: ServerConfig, key: str | None, status: int
) -> None:
    request = head(authorization=None if key is None else f"Bearer {key}")
    received = raw(start(config).port, request, BYE if status == 101 else END)
    assert received.split(b" ", 2)[1] == str(status).encode()


@pytest.mark.parametrize("path", ["/v1/models", "/api/health"])
def test_other_routes_ignore_an_upgrade(newest: Running, path: str) -> None:
    received = raw(newest.port, head(path=path), END)
    assert received.startswith(b"HTTP/1.1 200 OK")
    assert received.count(b"HTTP/1.1 ") == 2


def test_no_subprotocol_and_no_extension_is_taken(newest: Running) -> None:
    async def scenario(ws: Socket) -> tuple[str | None, int, str]:
        return ws.protocol, ws.compress, said(await turn(ws))

    assert talk(newest, scenario, protocols=["realtime"], compress=15) == (None, 0, "".join(SENTENCE))


def test_the_websocket_library_is_loaded_only_when_an_upgrade_comes() -> None:
    script = """
import sys, urllib.request
from antigravity_doctor.servers.stand_in import run_in_thread
with run_in_thread() as server:
    urllib.request.urlopen(server.url + "/v1/models").read()
    print("wsproto" in sys.modules)
    import http.client
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", "/v1/responses", headers={"connection": "upgrade", "upgrade": "websocket",
                       "sec-websocket-version": "13", "sec-websocket-key": "x"})
    print(connection.getresponse().status, "wsproto" in sys.modules)
    connection.close()
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.split() == ["False", "101", "True"]


# -- turns


def test_a_turn_comes_as_one_event_a_message(newest: Running) -> None:
    events = talk(newest, turn)
    assert types(events) == TURN
    assert said(events) == "".join(SENTENCE)
    assert (events[-1]["response"]["model"], events[-1]["response"]["status"]) == ("m-1", "completed")


def test_another_client_library_gets_the_same(newest: Running) -> None:
    async def scenario() -> list[Json]:
        async with connect(newest.url.replace("http", "ws") + PATH, additional_headers=KEY) as ws:
            await ws.send(json.dumps(CREATE))
            return [json.loads(await asyncio.wait_for(ws.recv(), 5)) for _ in TURN]

    assert types(asyncio.run(scenario())) == TURN


def test_the_connection_stays_open_for_further_turns(newest: Running) -> None:
    async def scenario(ws: Socket) -> list[list[str]]:
        return [types(await turn(ws)) for _ in range(3)]

    assert talk(newest, scenario) == [TURN] * 3


@pytest.mark.parametrize(
    ("requests", "models"),
    [
        ([CREATE, {"type": "response.create"}], ["m-1", "m-1"]),
        ([CREATE, {"type": "response.append", "input": []}], ["m-1", "m-1"]),
        ([CREATE, CREATE | {"model": "m-2"}, {"type": "response.append"}], ["m-1", "m-2", "m-2"]),
        ([WARM_UP, {"type": "response.create"}], ["m-1", "m-1"]),
    ],
)
def test_a_later_turn_need_not_name_the_model_again(newest: Running, requests: list[Json], models: list[str]) -> None:
    async def scenario(ws: Socket) -> list[str]:
        return [(await turn(ws, request))[-1]["response"]["model"] for request in requests]

    assert talk(newest, scenario) == models


@pytest.mark.parametrize(("model", "shown"), [({"model": "m-1"}, "m-1"), ({}, "unknown")])
def test_warming_up_generates_nothing(newest: Running, model: Json, shown: str) -> None:
    async def scenario(ws: Socket) -> list[Json]:
        return await turn(ws, {"type": "response.create", "generate": False, **model})

    events = talk(newest, scenario)
    assert types(events) == ["response.created", "response.completed"]
    assert [event["sequence_number"] for event in events] == [0, 1]
    done = events[-1]["response"]
    assert (done["output"], done["usage"]["total_tokens"], done["model"]) == ([], 0, shown)


def test_only_the_first_request_warms_up(newest: Running) -> None:
    async def scenario(ws: Socket) -> list[str]:
        await turn(ws, WARM_UP)
        return types(await turn(ws, WARM_UP))

    assert talk(newest, scenario) == TURN


@pytest.mark.parametrize(
    ("message", "said_back", "kind"),
    [
        ("{", "Invalid JSON: ", "invalid_request_error"),
        ("", "Invalid JSON: ", "invalid_request_error"),
        ("[" * 100_000, "Invalid JSON: ", "invalid_request_error"),
        ("[]", "unsupported websocket request type: ", "invalid_request_error"),
        ("{}", "unsupported websocket request type: ", "invalid_request_error"),
        ('{"type": 7}', "unsupported websocket request type: ", "invalid_request_error"),
        ('{"type":"session.update"}', "unsupported websocket request type: session.update", "invalid_request_error"),
        (r'{"type":"\ud800"}', "unsupported websocket request type: \ud800", "invalid_request_error"),
        ('{"type":"response.create"}', "missing model in response.create request", "invalid_request_error"),
        (
            '{"type":"response.append","model":"m"}',
            "websocket request received before response.create",
            "invalid_request_error",
        ),
        (
            '{"type":"response.create","model":"missing-1"}',
            "Upstream returned status 404 Not Found",
            "server_error",
        ),
    ],
)
def test_a_mistake_is_answered_and_the_connection_goes_on(
    newest: Running, message: str, said_back: str, kind: str
) -> None:
    async def scenario(ws: Socket) -> tuple[list[Json], list[str]]:
        await ws.send_str(message)
        return await answer(ws), types(await turn(ws))

    (event,), after = talk(newest, scenario)
    assert event["type"] == "error"
    assert event["error"]["type"] == kind
    assert event["error"]["message"].startswith(said_back)
    assert after == TURN


def test_binary_that_is_text_is_read_as_text(newest: Running) -> None:
    async def scenario(ws: Socket) -> list[Json]:
        await ws.send_bytes(json.dumps(CREATE).encode())
        return await answer(ws)

    assert types(talk(newest, scenario)) == TURN


def test_binary_that_is_no_text_is_passed_over(newest: Running) -> None:
    async def scenario(ws: Socket) -> list[Json]:
        await ws.send_bytes(b"\xff\xfe\x00")
        return await turn(ws)

    assert types(talk(newest, scenario)) == TURN


def test_every_turn_waits_for_the_delay() -> None:
    async def scenario(ws: Socket) -> list[float]:
        waits = []
        for _ in range(2):
            begun = time.perf_counter()
            await turn(ws)
            waits.append(time.perf_counter() - begun)
        return waits

    with run_in_thread(STRICT, delay=0.2) as server:
        assert all(0.2 <= waited < 2 for waited in talk(server, scenario))


# -- frames


@pytest.mark.parametrize("size", [125, 126, 65_535, 65_536, 5_000_000])
def test_a_message_may_be_large(newest: Running, size: int) -> None:
    async def scenario(ws: Socket) -> list[Json]:
        return await turn(ws, CREATE | {"instructions": "é" * (size // 2)})

    assert types(talk(newest, scenario)) == TURN


def test_a_message_may_come_in_fragments_that_cut_characters(newest: Running) -> None:
    message = json.dumps(CREATE | {"instructions": "é" * 50}, ensure_ascii=False).encode()
    fragments = [message[:70], message[70:71], b"", message[71:]]
    frames = [
        frame(piece, 0 if number else 1, final=number == len(fragments) - 1) for number, piece in enumerate(fragments)
    ]
    ping = frame(b"between", 9)
    received = raw(newest.port, head(), frames[0], ping, *frames[1:], BYE).partition(b"\r\n\r\n")[2]
    assert received.startswith(b"\x8a\x07between")  # the pong does not wait for the message's end
    assert received.count(b'"type":"response.completed"') == 1


def test_frames_may_come_behind_the_request_in_one_packet(newest: Running) -> None:
    received = raw(newest.port, head() + frame(json.dumps(CREATE).encode()) * 2 + BYE)
    assert received.startswith(b"HTTP/1.1 101 ")
    assert received.count(b'"type":"response.completed"') == 2


def test_frames_may_come_byte_by_byte(newest: Running) -> None:
    sent = head() + frame(json.dumps(CREATE).encode()) + BYE
    received = raw(newest.port, *(bytes([byte]) for byte in sent))
    assert received.count(b'"type":"response.completed"') == 1


def test_a_ping_is_answered_with_its_own_bytes(newest: Running) -> None:
    async def scenario() -> float:
        async with connect(newest.url.replace("http", "ws") + PATH, additional_headers=KEY) as ws:
            return await asyncio.wait_for(await ws.ping(b"are you there"), 5)

    assert asyncio.run(scenario()) >= 0


@pytest.mark.parametrize("fragments", [1, 20])
def test_a_message_that_is_too_large_is_refused(newest: Running, fragments: int) -> None:
    async def scenario() -> tuple[int | None, str | None]:
        async with connect(newest.url.replace("http", "ws") + PATH, additional_headers=KEY) as ws:
            with suppress(websockets.ConnectionClosed):  # which may be seen before everything is sent
                await ws.send(["x" * (MAX_MESSAGE // fragments + 1)] * fragments)
            await asyncio.wait_for(ws.wait_closed(), 5)
            return ws.close_code, ws.close_reason

    assert asyncio.run(scenario()) == (1009, f"A message may have {MAX_MESSAGE} bytes.")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(b"{}", masked=False), 1002),
        (frame(b"{}", opcode=3), 1002),
        (frame(b"x" * 126, opcode=9), 1002),
        (frame(b"{}", opcode=0), 1002),
        (frame(b"\xff"), 1007),
        (frame((999).to_bytes(2, "big"), 8), 1002),
    ],
)
def test_a_broken_frame_ends_the_connection_with_the_reason(newest: Running, sent: bytes, code: int) -> None:
    received = raw(newest.port, head(), sent, frame(json.dumps(CREATE).encode())).partition(b"\r\n\r\n")[2]
    assert received[0] == 0x88  # a close frame, and nothing before it
    assert int.from_bytes(received[2:4], "big") == code
    assert len(received) == 2 + received[1]


# -- the end


@pytest.mark.parametrize("code", [1000, 1001, 4321])
def test_a_close_is_answered_with_the_same_code(newest: Running, code: int) -> None:
    received = raw(newest.port, head(), frame(code.to_bytes(2, "big") + b"bye", 8)).partition(b"\r\n\r\n")[2]
    assert received == b"\x88\x05" + code.to_bytes(2, "big") + b"bye"


def test_a_close_without_a_code_is_answered_without_one(newest: Running) -> None:
    assert raw(newest.port, head(), frame(b"", 8)).partition(b"\r\n\r\n")[2] == b"\x88\x00"


def test_a_client_library_sees_a_clean_close(newest: Running) -> None:
    async def scenario(ws: Socket) -> int | None:
        await turn(ws)
        begun = time.perf_counter()
        await ws.close()
        assert time.perf_counter() - begun < 1
        return ws.close_code

    assert talk(newest, scenario) == 1000


def complaints_of(scenario: Callable[[], Awaitable[None]]) -> list[Json]:
    """What a scenario leaves for asyncio to complain about: failed tasks, unclosed sockets."""
    complaints: list[Json] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        await scenario()
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1

    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        asyncio.run(main())
        gc.collect()
    return complaints


def test_closing_the_server_says_goodbye() -> None:
    async def scenario() -> None:
        server = await StandIn(STRICT).start()
        async with opened(server.url) as ws:
            await turn(ws)
            closing = asyncio.create_task(server.close())
            message = await ws.receive()
            assert (message.type, message.data, message.extra) == (
                aiohttp.WSMsgType.CLOSE,
                1001,
                "The stand-in ends.",
            )
            await asyncio.wait_for(closing, 5)

    assert complaints_of(scenario) == []


def test_closing_the_server_does_not_wait_for_a_delayed_turn() -> None:
    async def scenario() -> None:
        server = await StandIn(STRICT, delay=0.6).start()
        async with opened(server.url) as ws:
            await ws.send_json(CREATE)
            await asyncio.sleep(0.05)
            closing = asyncio.create_task(server.close())
            assert (await ws.receive()).data == 1001
            await asyncio.wait_for(closing, 0.3)

    assert complaints_of(scenario) == []


async def deaf(port: int) -> tuple[asyncio.StreamWriter, asyncio.Task[None]]:
    """A client that asks on and on and reads nothing; and the task in which it asks."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader, writer = await asyncio.open_connection(sock=connection, limit=1024)
    writer.write(head())
    await reader.readuntil(b"\r\n\r\n")

    async def ask() -> None:
        while True:
            writer.write(frame(json.dumps(CREATE).encode()) * 100)
            await writer.drain()

    return writer, asyncio.create_task(ask())


async def hang_up(writer: asyncio.StreamWriter, asking: asyncio.Task[None]) -> None:
    asking.cancel()
    writer.transport.abort()
    await asyncio.gather(asking, writer.wait_closed(), return_exceptions=True)


def test_closing_the_server_does_not_wait_for_a_client_that_does_not_read() -> None:
    async def scenario() -> None:
        server = await StandIn(STRICT).start()
        writer, asking = await deaf(server.port)
        await asyncio.sleep(0.5)
        await asyncio.wait_for(server.close(), 5)
        await hang_up(writer, asking)

    assert complaints_of(scenario) == []


def test_a_client_that_does_not_read_is_let_go() -> None:
    async def scenario() -> None:
        async with StandIn(STRICT, idle_timeout=0.3) as server:
            writer, asking = await deaf(server.port)
            with pytest.raises(ConnectionError):
                await asyncio.wait_for(asking, 20)
            await hang_up(writer, asking)

    assert complaints_of(scenario) == []


def test_a_client_that_says_nothing_is_told_and_left() -> None:
    async def scenario() -> None:
        async with StandIn(STRICT, idle_timeout=0.2) as server, opened(server.url) as ws:
            message = await ws.receive()
            assert (message.data, message.extra) == (1001, "Nothing was said for too long.")

    assert complaints_of(scenario) == []


def test_a_client_that_pings_is_kept() -> None:
    async def scenario() -> None:
        async with StandIn(STRICT, idle_timeout=0.5) as server, opened(server.url) as ws:
            for _ in range(8):
                await asyncio.sleep(0.1)
                await ws.ping()
            assert types(await turn(ws)) == TURN

    assert complaints_of(scenario) == []


@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize("sent", [b"", frame(b'{"type":', final=False), frame(json.dumps(CREATE).encode()) * 50])
def test_a_client_that_vanishes_does_no_harm(reset: bool, sent: bytes) -> None:
    async def scenario() -> None:
        async with StandIn(STRICT) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(head() + sent)
            await reader.readuntil(b"\r\n\r\n")
            if reset:
                linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)
            for _ in range(100):
                if not server._tasks:
                    break
                await asyncio.sleep(0.02)
            assert not server._tasks

    assert complaints_of(scenario) == []


# -- records


def test_the_record_shows_the_upgrade_and_never_a_key() -> None:
    with run_in_thread(STRICT) as server:

        async def scenario(ws: Socket) -> None:
            await turn(ws, CREATE | {"instructions": RIGHT})
            await turn(ws)

        talk(server, scenario)
        received = raw(server.port, head(path=f"{PATH}?key={RIGHT}", user_agent="codex_exec/1"), BYE)
        assert received.startswith(b"HTTP/1.1 101 ")
    assert [(r.method, r.target, r.status, r.key_header, r.route, r.handler) for r in server.records] == [
        ("GET", PATH, 101, "authorization", PATH, True),
        ("GET", f"{PATH}?key=***", 101, "authorization", PATH, True),
    ]
    assert server.records[1].user_agent == "codex_exec/1"
    assert RIGHT not in repr(server.records)


def test_the_upgrade_is_recorded_before_its_answer_arrives(newest: Running) -> None:
    async def scenario(ws: Socket) -> int | None:
        return newest.records[-1].status

    assert talk(newest, scenario) == 101
