"""Both ends of the recorder, held in the hand: raw bytes as a client, a scripted origin as the proxy.

Everything runs in one event loop, over real sockets on 127.0.0.1. `within` bounds a whole test; nothing here waits
longer than LIMIT seconds by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from antigravity_doctor.diagnosis.recording import Exchange
from antigravity_doctor.servers.recorder import Recorder

T = TypeVar("T")

LIMIT = 20.0
"""Seconds after which a test has hung."""


def within(test: Coroutine[Any, Any, T], seconds: float = LIMIT) -> T:
    """Runs an asynchronous test. Raises TimeoutError if it takes longer; what the event loop has to complain about
    (an exception that nobody took) fails it, too."""

    async def bounded() -> T:
        complaints: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        async with asyncio.timeout(seconds):
            result = await test
        assert not complaints, complaints
        return result

    return asyncio.run(bounded())


async def until(true: Callable[[], object], seconds: float = 5.0) -> None:
    """Waits until something is true. Raises TimeoutError if that does not come."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


class Message(NamedTuple):
    """A request or an answer as it was on the wire. `line` is its first line, `fields` the headers in their order and
    spelling, `body` without chunk framing, `whole` whether its end was seen."""

    line: str
    fields: tuple[tuple[str, str], ...]
    body: bytes
    whole: bool

    def all(self, name: str) -> list[str]:
        """The values of every header of this name."""
        return [value for each, value in self.fields if each.lower() == name.lower()]

    def get(self, name: str) -> str | None:
        """The value of the first header of this name, None if there is none."""
        return next(iter(self.all(name)), None)

    @property
    def status(self) -> int:
        """The status of an answer."""
        return int(self.line.split(" ")[1])

    @property
    def target(self) -> str:
        """The target of a request."""
        return self.line.split(" ")[1]


async def read_head(reader: asyncio.StreamReader) -> Message:
    """Reads up to the end of a head. Raises EOFError if nothing comes any more."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        raise EOFError(error.partial) from None
    line, *rest = raw[:-4].decode("latin-1").split("\r\n")
    fields = tuple((name, value.strip()) for name, _, value in (each.partition(":") for each in rest))
    return Message(line, fields, b"", whole=False)


async def read_chunk(reader: asyncio.StreamReader) -> bytes:
    """One chunk of a chunked body, b"" for the last. Raises EOFError if the connection ends before."""
    try:
        size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
        return (await reader.readexactly(size + 2))[:-2]
    except asyncio.IncompleteReadError:
        raise EOFError from None


async def read_message(reader: asyncio.StreamReader, *, asked: str = "GET") -> Message:
    """Reads a request, or the answer to a request of the method `asked`, to its end or to the end of the
    connection. Interim answers (100, 103) are left out."""
    head = await read_head(reader)
    while head.line.startswith("HTTP/1.1 1") and head.status != 101:
        head = await read_head(reader)
    answer = head.line.startswith("HTTP/")
    length = head.get("content-length")
    body = bytearray()
    try:
        if answer and (asked == "HEAD" or head.status in (101, 204, 304)):
            pass
        elif "chunked" in (head.get("transfer-encoding") or ""):
            while chunk := await read_chunk(reader):
                body += chunk
        elif length is not None:
            while len(body) < int(length):
                piece = await reader.read(int(length) - len(body))
                if not piece:
                    raise EOFError
                body += piece
        elif answer:
            while piece := await reader.read(65536):
                body += piece
    except (EOFError, ConnectionError):
        return head._replace(body=bytes(body))
    return head._replace(body=bytes(body), whole=True)


HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding")


def end_to_end(message: Message, *, but: tuple[str, ...] = ()) -> tuple[tuple[str, str], ...]:
    """The headers that are not one connection's own, in their order and spelling, without those named in `but`."""
    return tuple(each for each in message.fields if each[0].lower() not in (*HOP_BY_HOP, *but))


# --- the client's end -----------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def connected(port: int, *, limit: int = 2**20) -> AsyncIterator[tuple[asyncio.StreamReader, Any]]:
    """A raw connection to a port of 127.0.0.1; dropped at the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=limit)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def ask(port: int, request: bytes) -> Message:
    """Sends one request and reads its answer."""
    async with connected(port) as (reader, writer):
        writer.write(request)
        return await read_message(reader, asked=request.split(b" ", 1)[0].decode())


def get(target: str = "/v1/models", *headers: str, method: str = "GET") -> bytes:
    """A request without a body."""
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode("latin-1")


def post(target: str, body: bytes, *headers: str) -> bytes:
    """A request with a body of known length."""
    return get(target, f"Content-Length: {len(body)}", *headers, method="POST") + body


def chunked(*chunks: bytes) -> bytes:
    """A body in these chunks."""
    return b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in chunks) + b"0\r\n\r\n"


# --- the proxy's end ------------------------------------------------------------------------------------------------

Serve = Callable[["Peer"], Awaitable[None]]


@dataclass
class Peer:
    """One connection at the origin. `gone` is set when the other side has closed it, as far as reading shows it."""

    origin: Origin
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def request(self) -> Message:
        """Reads one request and keeps it in the origin's `requests`."""
        found = await read_message(self.reader)
        self.origin.requests.append(found)
        return found

    async def say(self, data: bytes) -> None:
        """Sends bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def left(self) -> None:
        """Waits until the other side has closed, and notes it."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(65536):
                pass
        self.origin.gone.set()


@dataclass
class Origin:
    """A scripted proxy. `requests` holds what came, `gone` is set when a peer waited for has left."""

    port: int = 0
    requests: list[Message] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Its origin."""
        return f"http://127.0.0.1:{self.port}"


@contextlib.asynccontextmanager
async def origin(serve: Serve) -> AsyncIterator[Origin]:
    """A server on a free port that runs `serve` for each connection and then closes it."""
    found = Origin()
    tasks: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.connections += 1
        found.open += 1
        try:
            with contextlib.suppress(ConnectionError, EOFError, asyncio.IncompleteReadError):
                await serve(Peer(found, reader, writer))
        finally:
            found.open -= 1
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(one(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=2**20)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def answering(raw: bytes) -> Serve:
    """Answers every request on a connection with these bytes."""

    async def serve(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.say(raw)

    return serve


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n" + b'{"ok":true}'


# --- the recorder in between ----------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def recording(upstream: str, **options: Any) -> AsyncIterator[tuple[Recorder, list[Exchange]]]:
    """A running recorder, and the exchanges that it has told of so far."""
    told: list[Exchange] = []
    async with Recorder(upstream, on_exchange=told.append, **options) as recorder:
        yield recorder, told


async def only(told: list[Exchange]) -> Exchange:
    """The one exchange that there is, waited for."""
    await until(lambda: told)
    assert len(told) == 1, told
    return told[0]
