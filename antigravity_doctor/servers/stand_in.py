"""The stand-in: a server that answers as the proxy of a chosen version and mode would (`diagnosis.proxy_model`).

For the demo, for tests, and for other projects' CI. Requests are parsed and answers framed by h11; only what h11 sees
differently from the proxy's parser (hyper) is decided here: a request line is judged as soon as it cannot become one
any more (a TLS ClientHello gets `400` at once), an HTTP/2 preface is met with silence, a missing Host is forgiven.
Bodies are read and thrown away. Keys are looked at, never kept: a record says only which header carried one.
What follows an upgrade to a WebSocket is `stand_in_websocket`'s, which is loaded when the first one comes.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from types import TracebackType
from typing import Any, NamedTuple, Self

import h11

from antigravity_doctor.diagnosis.matching import match
from antigravity_doctor.diagnosis.proxy_model import (
    HTML,
    JSON,
    VARY,
    Answer,
    RequestHead,
    ServerConfig,
    answer,
    split_target,
)
from antigravity_doctor.diagnosis.secrets import redact as mask_keys
from antigravity_doctor.knowledge.behaviour import Behaviour, behaviour_of, text
from antigravity_doctor.knowledge.routes import table_for
from antigravity_doctor.servers.listening import cannot_listen, url_of
from antigravity_doctor.servers.replies import PIXEL_BYTES, Call, Reply, plain, reply_to

MAX_LINE = 65_536
MAX_HEAD = 417_792
"""Bytes of a request line and of a whole head; hyper's own limits, beyond which it answers 414 and 431."""

_CHUNK = 65_536
_KEPT = 4 * 1024 * 1024  # of a body, for reading its `model` and `stream`; the rest is thrown away as it comes
_TAIL = 65_536
_LINGER = 2.0  # seconds to let a peer read the last answer before its unread bytes reset the connection

_PREFACE = b"PRI * HTTP/2.0\r\n"
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_LINE = re.compile(rb"%s+ [\x21-\x7e]+ HTTP/1\.[01]\r?\n" % _TOKEN)
_PARTIAL = re.compile(
    rb"%s+(?: (?:[\x21-\x7e]+(?: (?:H(?:T(?:T(?:P(?:/(?:1(?:\.(?:[01]\r?)?)?)?)?)?)?)?)?)?)?)?" % _TOKEN
)
_HEAD_END = re.compile(rb"\n\r?\n")
_HOST = re.compile(rb"\nhost[ \t]*:", re.IGNORECASE)
_STREAMS = re.compile(rb'(?<!\\)"stream"\s*:\s*true')
_SECRET = re.compile(r"(?i)((?:^|[?&])(?:[\w.\-]*key|[\w.\-]*token|[\w.\-]*secret|password|code)=)[^&#]*")
_USERINFO = re.compile(r"(?<=://)[^/?#@]*@")

_UNREAD_LIMIT = 100 * 1024 * 1024  # of a body that no handler wants; hyper would close on it, which loses the answer
_FILE_HEADERS = (("accept-ranges", "bytes"), ("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT"))

_REASONS = {
    101: "Switching Protocols",
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Payload Too Large",
    414: "URI Too Long",
    415: "Unsupported Media Type",
    426: "Upgrade Required",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}

INDEX = b"""<!doctype html>
<html lang="en"><head><meta charset="UTF-8" /><title>Antigravity Tools</title></head>
<body><div id="root"></div></body></html>
"""


@dataclass(frozen=True, slots=True)
class Record:
    """One request that was answered. `target` has secrets blanked out. `key_header` is the header (or "query") that
    carried a key, None if none did. `status` None means closed without an answer. `note` is set for what was no HTTP/1
    request ("tls", "http2", "garbage"); `method` and `target` are then empty."""

    method: str
    target: str
    status: int | None
    key_header: str | None
    user_agent: str | None
    route: str | None
    handler: bool
    note: str | None = None


OnRequest = Callable[[Record], None]


class _Head(NamedTuple):
    """A request's head, and what followed it on the wire; or why there is none ("closed", "tls", …)."""

    data: bytes
    problem: str | None = None


class StandIn:
    """The server. `start` binds (port 0: a free one), `close` ends every connection; or use `async with`.

    `delay` is in seconds before each answer; `idle_timeout` is how long a silent peer is kept. `on_request` is called
    in the server's thread for each request, before its answer is sent.
    """

    def __init__(
        self,
        config: ServerConfig | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        delay: float = 0.0,
        on_request: OnRequest | None = None,
        idle_timeout: float = 60.0,
    ) -> None:
        self.config = config or ServerConfig()
        self.host = host
        self._asked_port = port
        self._delay = delay
        self._on_request = on_request
        self._idle = idle_timeout
        self._behaviour: Behaviour = behaviour_of(self.config.version)
        self._table = table_for(self.config.version)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port it listens on. Raises RuntimeError before `start` and after `close`."""
        if self._server is None or not self._server.sockets:
            raise RuntimeError("the stand-in is not running")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """The bare origin, without a slash at its end; of an "any" address, the loopback one."""
        return url_of(self.host, self.port)

    async def start(self) -> Self:
        """Binds and serves. Raises OSError, with a sentence that names host and port, if that is not possible."""
        try:
            self._server = await asyncio.start_server(self._connected, self.host, self._asked_port, limit=_CHUNK)
        except OSError as error:
            found = cannot_listen(error, self.host, self._asked_port)
            hint = " Port 0 takes a free one." if self._asked_port else ""
            raise OSError(found.errno, f"{found.strerror}{hint}") from error
        return self

    async def close(self) -> None:
        """Stops listening and ends all connections; returns when they are gone. Harmless if it is not running."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Own tasks: those that asyncio makes of a coroutine log a traceback when they are cancelled (Python 3.11).
        task = asyncio.get_running_loop().create_task(_Connection(self, reader, writer).serve())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def note(self, record: Record) -> None:
        """Hands a record on. A callback that fails is reported to the loop's exception handler, not to the client."""
        if self._on_request is None:
            return
        try:
            self._on_request(record)
        except Exception as error:
            context = {"message": "on_request of the stand-in failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)

    def answer(self, head: RequestHead) -> Answer:
        """What the model says to a request."""
        return answer(self.config, head)

    def reply(self, found: Answer, head: RequestHead, body: _Body, upgradable: bool) -> Reply:
        """The whole reply to a request that the model has answered; handlers have their own say. `upgradable` as in
        `replies.Call`."""
        if found.body == "html":
            return Reply(200, HTML, (INDEX,), headers=_FILE_HEADERS)
        if found.body == "file":
            return Reply(200, found.content_type, (PIXEL_BYTES,), headers=_FILE_HEADERS)
        if found.text is not None:
            return Reply(found.status, found.content_type, (found.text.encode(),))
        refused = self._refused(found, head, body)
        if refused is not None:
            return refused
        target = split_target(head.target)
        reached = match(self._table, target.path) if target else None
        assert target is not None and reached is not None  # noqa: S101, PT018 - the model found a route
        call = Call(
            head.method,
            reached,
            target.query,
            head.headers,
            body.fields,
            self._behaviour,
            self.config.running,
            self.port,
            upgradable,
        )
        return reply_to(call)

    def _refused(self, found: Answer, head: RequestHead, body: _Body) -> Reply | None:
        """What a handler's extractors refuse a body with, in the order in which axum does it."""
        if head.method != "POST" or found.route is None:
            return None
        content_type = head.headers.get("content-type", "").partition(";")[0].strip().lower()
        if found.route.body == "json":
            if content_type != JSON and not re.fullmatch(r"application/.+\+json", content_type):
                return plain(415, text("no_json_content_type"))
            if body.too_large:
                return plain(413, text("too_large"))
            if body.problem is not None:
                return plain(400, f"Failed to parse the request body as JSON: {body.problem}")
        elif found.route.body == "multipart":
            if content_type != "multipart/form-data" or "boundary=" not in head.headers.get("content-type", ""):
                return plain(400, text("no_form"))
            if body.too_large:
                return plain(413, text("too_large"))
        return None


@dataclass(slots=True)
class _Body:
    """A request body on its way to the bin: its size, and as much of it as is worth a look."""

    limit: int
    size: int = 0
    _head: bytearray = field(default_factory=bytearray)
    _tail: bytes = b""

    def add(self, data: bytes) -> None:
        self.size += len(data)
        room = _KEPT - len(self._head)
        self._head += data[:room]
        if len(data) > room:
            self._tail = (self._tail + data[max(room, 0) :])[-_TAIL:]

    @property
    def too_large(self) -> bool:
        return self.size > self.limit

    @property
    def problem(self) -> str | None:
        """Why it is no JSON, None if it is or is too long to tell."""
        if self.size > _KEPT:
            return None
        try:
            json.loads(self._head)
        except (ValueError, RecursionError) as error:
            return str(error)
        return None

    @property
    def fields(self) -> dict[str, Any]:
        """The JSON object it is, {} for anything else; of one too long to keep only whether it asks for a stream."""
        if self.size > _KEPT:
            asks = _STREAMS.search(self._head[:_TAIL]) or _STREAMS.search(self._tail)
            return {"stream": True} if asks else {}
        with suppress(ValueError, RecursionError):
            value = json.loads(self._head)
            if isinstance(value, dict):
                return value
        return {}


class _Connection:
    """One client's connection: request after request until one side has had enough."""

    def __init__(self, owner: StandIn, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._owner = owner
        self._reader = reader
        self._writer = writer
        self._pending = b""

    async def serve(self) -> None:
        try:
            while await self._exchange():
                pass
            await self._linger()
        except (OSError, TimeoutError):
            pass  # the client went away, or never said what it wanted
        finally:
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()

    async def _read(self) -> bytes:
        async with asyncio.timeout(self._owner._idle):
            return await self._reader.read(_CHUNK)

    async def _head(self) -> _Head:
        """Reads up to the end of a head, and judges its first line before that."""
        data = self._pending
        while True:
            data = data.lstrip(b"\r\n")  # hyper skips empty lines before a request
            problem = _problem_of(data)
            if problem is not None:
                return _Head(data, problem)
            if _HEAD_END.search(data):
                return _Head(data)
            if len(data) > MAX_HEAD:
                return _Head(data, "too long")
            more = await self._read()
            if not more:
                return _Head(data, "closed")
            data += more

    async def _exchange(self) -> bool:
        """One request and its answer; True if the connection can carry another."""
        head = await self._head()
        if head.problem == "closed":
            return False
        if head.problem is not None:
            return await self._refuse(head.problem)
        line_end = head.data.index(b"\n") + 1
        end = _HEAD_END.search(head.data)
        data = head.data
        if end is not None and not _HOST.search(data, line_end - 1, end.end()):
            data = data[:line_end] + b"host: -\r\n" + data[line_end:]
        conn = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        conn.receive_data(data)
        try:
            event = conn.next_event()
            if not isinstance(event, h11.Request):
                return await self._refuse("garbage")
            return await self._answer(conn, event)
        except h11.RemoteProtocolError:
            return await self._refuse("garbage")

    async def _refuse(self, problem: str) -> bool:
        """Ends a connection that speaks something else; an HTTP/2 preface gets no answer at all."""
        status = {"http2": None, "long line": 414, "too long": 431}.get(problem, 400)
        self._owner.note(Record("", "", status, None, None, None, handler=False, note=problem))
        if status is not None:
            head = (
                f"HTTP/1.1 {status} {_REASONS[status]}\r\nconnection: close\r\ncontent-length: 0\r\n{_date()}\r\n\r\n"
            )
            self._writer.write(head.encode())
            await self._writer.drain()
        return False

    async def _answer(self, conn: h11.Connection, request: h11.Request) -> bool:
        headers: dict[str, str] = {}
        for name, value in request.headers:
            headers.setdefault(name.decode("latin-1"), value.decode("latin-1"))
        head = RequestHead(request.method.decode("latin-1"), request.target.decode("latin-1"), headers)
        found = self._owner.answer(head)
        body = _Body(self._owner._behaviour.body_limit if found.handler else _UNREAD_LIMIT)
        wanted = found.handler or not conn.they_are_waiting_for_100_continue
        complete = wanted and await self._read_body(conn, body)
        reply = self._owner.reply(found, head, body, complete and request.http_version == b"1.1")
        self._owner.note(
            Record(
                head.method,
                redact(head.target),
                reply.status,
                key_carrier(head),
                headers.get("user-agent"),
                found.route.path if found.route else None,
                found.handler,
            )
        )
        if self._owner._delay:
            await asyncio.sleep(self._owner._delay)
        if reply.status == 101:
            await self._upgrade(conn, found, reply)
            return False
        last = not complete or split_target(head.target) is None
        await self._send(conn, head.method, found, reply, last)
        if conn.our_state is not h11.DONE or conn.their_state is not h11.DONE:
            return False
        self._pending = bytes(conn.trailing_data[0])
        return True

    async def _read_body(self, conn: h11.Connection, body: _Body) -> bool:
        """Reads a body to its end (True), or until it is longer than is allowed."""
        while not body.too_large:
            if conn.they_are_waiting_for_100_continue:
                self._writer.write(conn.send(h11.InformationalResponse(status_code=100, headers=[], reason="Continue")))
            event = conn.next_event()
            if event is h11.NEED_DATA:
                conn.receive_data(await self._read())
            elif isinstance(event, h11.Data):
                body.add(event.data)
            else:
                return True
        return False

    async def _send(self, conn: h11.Connection, method: str, found: Answer, reply: Reply, last: bool) -> None:
        headers = _headers(found, reply)
        if found.body == "preflight":
            headers += (self._owner._behaviour.cors or {}).items()
        if not reply.stream:
            headers.append(("content-length", str(sum(map(len, reply.pieces)))))
        if last:
            headers.append(("connection", "close"))
        headers.append(("date", formatdate(usegmt=True)))
        response = h11.Response(status_code=reply.status, headers=headers, reason=_REASONS[reply.status])
        # hyper writes every header name in lower case; h11 capitalises the two that it adds itself.
        out = conn.send(response)
        out = out.replace(b"\r\nConnection:", b"\r\nconnection:").replace(b"\r\nTransfer-", b"\r\ntransfer-")
        for piece in reply.pieces if method != "HEAD" else ():
            out += conn.send(h11.Data(data=piece))
            if reply.stream:
                self._writer.write(out)
                await self._writer.drain()
                out = b""
        self._writer.write(out + conn.send(h11.EndOfMessage()))
        await self._writer.drain()

    async def _upgrade(self, conn: h11.Connection, found: Answer, reply: Reply) -> None:
        """Changes to a WebSocket, and talks until it is closed."""
        from antigravity_doctor.servers.stand_in_websocket import converse

        headers = [*_headers(found, reply), ("date", formatdate(usegmt=True))]
        switch = h11.InformationalResponse(status_code=101, headers=headers, reason=_REASONS[101])
        self._writer.write(conn.send(switch))
        early = bytes(conn.trailing_data[0])
        await converse(self._reader, self._writer, early, delay=self._owner._delay, idle_timeout=self._owner._idle)

    async def _linger(self) -> None:
        """Lets the peer read the last answer: closing over bytes that were not read would reset the connection."""
        if self._writer.is_closing() or self._reader.at_eof():
            return
        with suppress(OSError, RuntimeError):
            if self._writer.can_write_eof():
                self._writer.write_eof()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER):
                while await self._reader.read(_CHUNK):
                    pass


def _headers(found: Answer, reply: Reply) -> list[tuple[str, str]]:
    """The headers of a reply, in the proxy's order: the handler's own, then those of the layers around it."""
    headers: list[tuple[str, str]] = []
    if reply.content_type is not None:
        headers.append(("content-type", reply.content_type))
    headers += reply.headers
    if found.allow is not None:
        headers.append(("allow", found.allow))
    if found.cors:
        headers += (("vary", VARY), ("access-control-allow-origin", "*"))
    return headers


def _problem_of(data: bytes) -> str | None:
    """Why these first bytes can never become a request line of HTTP/1, None if they can or do."""
    if data.startswith(_PREFACE):
        return "http2"
    if data[:1] == b"\x16":
        return "tls"
    if _LINE.match(data) or not data or _PARTIAL.fullmatch(data) or _PREFACE.startswith(data):
        return "long line" if data.find(b"\n", 0, MAX_LINE) < 0 and len(data) > MAX_LINE else None
    return "garbage"


def redact(target: str) -> str:
    """A request target with the values of key-like query parameters and any user:password blanked out."""
    return mask_keys(_USERINFO.sub("***@", _SECRET.sub(r"\1***", target)))


def key_carrier(head: RequestHead) -> str | None:
    """Which header carried a key (also those that the proxy does not read), "query" for ?key=, None if nothing did."""
    for name in ("authorization", "x-api-key", "x-goog-api-key", "api-key"):
        if head.headers.get(name):
            return name
    target = split_target(head.target)
    return "query" if target and target.query and re.search(r"(?:^|&)(?:api_)?key=[^&]", target.query) else None


def _date() -> str:
    return f"date: {formatdate(usegmt=True)}"


@dataclass(frozen=True, slots=True)
class Running:
    """A stand-in that runs in a thread. `records` grows with each request, in the order of the answers."""

    url: str
    host: str
    port: int
    records: list[Record]


@contextmanager
def run_in_thread(
    config: ServerConfig | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    delay: float = 0.0,
    on_request: OnRequest | None = None,
) -> Iterator[Running]:
    """Runs a stand-in in a thread of its own while the block lasts. Raises OSError as `StandIn.start` does."""
    started: Future[tuple[Running, asyncio.AbstractEventLoop, asyncio.Event]] = Future()
    records: list[Record] = []

    def on_each(record: Record) -> None:
        records.append(record)
        if on_request is not None:
            on_request(record)

    async def serve() -> None:
        stop = asyncio.Event()
        async with StandIn(config, host=host, port=port, delay=delay, on_request=on_each) as server:
            running = Running(server.url, host, server.port, records)
            started.set_result((running, asyncio.get_running_loop(), stop))
            await stop.wait()

    def main() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=main, name="agdoctor-stand-in", daemon=True)
    thread.start()
    running, loop, stop = started.result()
    try:
        yield running
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
