"""The recorder of `trace`: stands between a client and the proxy, passes everything on, and says what it saw.

Requests are parsed and answers framed by aiohttp, on both sides (docs/architecture.md says why aiohttp). What passes is
not changed: method, target, headers and body go on as they came, an answer comes back with the headers and the bytes
that the proxy sent, piece by piece. Only what belongs to one connection (Connection, Transfer-Encoding, Host, Expect,
interim answers, …) is each side's own; and a header that is not UTF-8 goes on as UTF-8. No redirect is followed, no
cookie is kept, and no HTTP proxy of the environment is used.

Bodies pass through and are gone, unless `keep_bodies` asks for them; keys are looked at only for the name of the header
that carried one.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from inspect import signature
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

import aiohttp
from aiohttp import HttpVersion11, hdrs, web
from aiohttp.client_proto import ResponseHandler
from multidict import CIMultiDict
from yarl import URL

from antigravity_doctor.diagnosis.recording import Bodies, Exchange, Outcome
from antigravity_doctor.diagnosis.secrets import key_carrier, redact
from antigravity_doctor.diagnosis.symptoms import body_kind
from antigravity_doctor.diagnosis.tracing import Observed
from antigravity_doctor.diagnosis.urls import host_and_port
from antigravity_doctor.knowledge.texts import phrase
from antigravity_doctor.servers.listening import cannot_listen, url_of

if TYPE_CHECKING:
    from aiohttp.abc import AbstractStreamWriter
    from aiohttp.connector import Connection
    from aiohttp.http_parser import RawRequestMessage

WHOLE = 65_536
"""Bytes up to which a body of known length is read and sent in one piece; longer ones pass in pieces."""

HEAD_KEPT = 4_096
"""Bytes of an answer's beginning that are looked at where the answer is an error or a page, to say what it means."""

BODY_KEPT = 1_048_576
"""Bytes of each body that `keep_bodies` keeps."""

LONGEST_LINE = 65_536
MOST_HEADERS = 1_024
"""What a request line or a header field may hold: as much as the proxy's own parser takes, so that it decides."""

_IDLE = 2.0
"""Seconds that an idle connection to the proxy is kept: shorter than any server's own patience, so that a request never
runs into a connection that is just being closed."""

_GOODBYE = 2.0
"""Seconds that the other end of a WebSocket gets to answer a close."""

_HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade")
)
_NOT_FORWARDED = _HOP_BY_HOP | {"host", "expect"}
_AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_FRAMING = ("Connection", "Transfer-Encoding")
_HANDSHAKES = (
    "Upgrade",
    "Connection",
    "Sec-WebSocket-Accept",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Extensions",
)

_ASKED: ContextVar[_Asked | None] = ContextVar("asked", default=None)
_OPENED: ContextVar[_Opening | None] = ContextVar("opened", default=None)


@dataclass(slots=True)
class _Opening:
    """The proxy's answer to a WebSocket handshake, whatever it was."""

    status: int = 0
    reason: str = ""
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)
    body: bytes = b""


class _Asked(NamedTuple):
    """What is to be sent to the letter: the request target and, unless aiohttp has its own (None), the headers."""

    target: str
    headers: CIMultiDict[str] | None


class Pending(NamedTuple):
    """A request that is under way. `started` is `time.monotonic()`."""

    method: str
    path: str
    started: float


OnExchange = Callable[[Exchange], None]
Rewrite = Callable[[str, str], str | None]
"""(method, path) -> the path to ask for instead, None to leave it."""


class _Problem(NamedTuple):
    """Why the recorder answers by itself: the status that the client gets, the outcome, and the key of the sentence.

    For a failure of the proxy the key is its kind, as in `Observed.failure`.
    """

    status: int
    outcome: Outcome
    why: str


@dataclass(slots=True)
class _Course:
    """What happens to one request, while it happens."""

    number: int
    started: float = field(default_factory=time.time)
    began: float = field(default_factory=time.perf_counter)
    first_byte: float | None = None
    status: int | None = None
    content_type: str | None = None
    head: bytearray | None = None
    request_bytes: int = 0
    answer_bytes: int = 0
    outcome: Outcome = "answered"
    failure: str | None = None
    note: str | None = None
    forwarded: str | None = None
    websocket: bool = False
    over: bool = False
    sent: bytearray | None = None
    got: bytearray | None = None

    def took(self, data: bytes) -> None:
        """Counts a piece of the request's body."""
        self.request_bytes += len(data)
        if self.sent is not None and len(self.sent) < BODY_KEPT:
            self.sent += data[: BODY_KEPT - len(self.sent)]

    def gave(self, data: bytes) -> None:
        """Counts a piece of the answer's body."""
        self.answer_bytes += len(data)
        if self.head is not None and len(self.head) < HEAD_KEPT:
            self.head += data[: HEAD_KEPT - len(self.head)]
        if self.got is not None and len(self.got) < BODY_KEPT:
            self.got += data[: BODY_KEPT - len(self.got)]

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """Notes an answer's head."""
        self.first_byte = time.perf_counter()
        self.status = status
        self.content_type = headers.get("Content-Type")
        plain = headers.get("Content-Encoding", "identity").strip().lower() == "identity"
        if plain and (status >= 400 or (self.content_type or "").lower().startswith("text/html")):
            self.head = bytearray()


class Recorder:
    """The server. `start` binds (port 0: a free one), `close` ends every connection at once; or use `async with`.

    `upstream` is the origin that requests go on to. `on_exchange` is called for each request when it has ended.
    `answer_timeout` is how many seconds the proxy may be silent, before its answer and in the middle of it.
    """

    def __init__(
        self,
        upstream: str,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        on_exchange: OnExchange | None = None,
        rewrite: Rewrite | None = None,
        keep_bodies: bool = False,
        connect_timeout: float = 5.0,
        answer_timeout: float = 600.0,
    ) -> None:
        self.upstream = upstream.rstrip("/")
        self._url = URL(self.upstream)
        self.host = host
        self.pending: dict[int, Pending] = {}
        self._asked_port = port
        self._origin = ""
        self._on_exchange = on_exchange
        self._rewrite = rewrite
        self._keep_bodies = keep_bodies
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout, sock_read=answer_timeout)
        self._count = 0
        self._closing = False
        self._server: asyncio.Server | None = None
        self._handlers: web.Server | None = None
        self._session: aiohttp.ClientSession | None = None
        self._websockets: aiohttp.ClientSession | None = None

    @property
    def port(self) -> int:
        """The port it listens on. Raises RuntimeError before `start` and after `close`."""
        if self._server is None or not self._server.sockets:
            raise RuntimeError("the recorder is not running")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """The bare origin, without a slash at its end; of an "any" address, the loopback one."""
        return url_of(self.host, self.port)

    async def start(self) -> Self:
        """Binds and serves. Raises OSError, with a sentence that names host and port, if that is not possible."""
        loop = asyncio.get_running_loop()
        self._handlers = _Handlers(
            self._handle,
            self._not_http,
            request_factory=_request_factory(loop),
            handler_cancellation=True,
            access_log=None,
            logger=_silent_logger(),
            auto_decompress=False,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
            max_headers=MOST_HEADERS,
            lingering_time=2.0,
        )
        try:
            self._server = await loop.create_server(self._handlers, self.host, self._asked_port, backlog=512)
        except OSError as error:
            raise cannot_listen(error, self.host, self._asked_port) from error
        self._origin = self.url
        self._session = self._new_session()
        return self

    def _new_session(self, *traces: aiohttp.TraceConfig) -> aiohttp.ClientSession:
        # Newer releases of aiohttp take 128 headers and no more, unless they are told.
        more: dict[str, Any] = (
            {"max_headers": MOST_HEADERS} if "max_headers" in signature(aiohttp.ClientSession).parameters else {}
        )
        return aiohttp.ClientSession(
            request_class=_Question,
            connector=_Connector(limit=0, keepalive_timeout=_IDLE),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
            auto_decompress=False,
            skip_auto_headers=_AUTOMATIC,
            trust_env=False,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
            trace_configs=list(traces),
            **more,
        )

    async def close(self) -> None:
        """Stops listening and ends all connections at once. Harmless if it is not running."""
        server, self._server = self._server, None
        if server is None:
            return
        self._closing = True
        server.close()
        if self._handlers is not None:
            await self._handlers.shutdown(0.05)  # twice: once for handlers to end, once for those that were cancelled
        for session in (self._session, self._websockets):
            if session is not None:
                await session.close()
        await server.wait_closed()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # --- one request ------------------------------------------------------------------------------------------------

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._count += 1
        course = _Course(self._count)
        if self._keep_bodies:
            course.sent, course.got = bytearray(), bytearray()
        target = _path_of(request, self._origin)
        path = target.partition("?")[0]
        self.pending[course.number] = Pending(request.method, redact(path), time.monotonic())
        try:
            return await self._pass_on(request, target, course)
        except asyncio.CancelledError:
            if not course.over:
                course.outcome = "ended" if self._closing else "client-left"
            raise
        except (ConnectionError, web.RequestPayloadError):
            # Writing to or reading from the client failed: it has gone, or sent a body that is none.
            course.outcome = "client-left" if course.outcome == "answered" else course.outcome
            raise
        finally:
            if self._closing and course.outcome in ("no-answer", "timeout", "cut-short"):
                # It was the recorder's own end that cut it, not the proxy.
                course.outcome, course.failure = "ended", None
            del self.pending[course.number]
            self._ended(request, target, course)

    async def _pass_on(self, request: web.BaseRequest, target: str, course: _Course) -> web.StreamResponse:
        if request.method == "CONNECT" or not target.startswith(("/", "*")):
            # The client takes the recorder for an HTTP proxy: it would have it fetch from any host.
            return self._own_answer(course, _Problem(501, "refused", "as-http-proxy"))
        path, mark, query = target.partition("?")
        if self._rewrite is not None:
            course.forwarded = self._rewrite(request.method, path)
            if course.forwarded is not None:
                target = course.forwarded + mark + query
        if not target.isascii():
            # aiohttp drops raw bytes that are no UTF-8: another path would arrive than the client sent.
            return self._own_answer(course, _Problem(400, "refused", "target"))
        if _wants_websocket(request):
            _ASKED.set(_Asked(target, None))
            return await self._websocket(request, course)
        session = self._session
        assert session is not None  # noqa: S101 - there is one between start and close
        headers = _passed(request, _NOT_FORWARDED)
        length = headers.get(hdrs.CONTENT_LENGTH)
        _ASKED.set(_Asked(target, headers))
        try:
            answer = await session.request(
                request.method,
                self._url,
                headers=None if length is None else {hdrs.CONTENT_LENGTH: length},  # or else it sends chunks
                data=await _body(request, course),
                allow_redirects=False,
            )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return self._own_answer(course, self._problem(error))
        try:
            return await self._bring_back(request, answer, course)
        except (aiohttp.ClientError, TimeoutError) as error:
            return self._cut_short(request, course, error)
        finally:
            # Whatever is left of the answer is of no use to anybody: a connection in the middle of one is closed.
            answer.release()

    async def _bring_back(
        self, request: web.BaseRequest, answer: aiohttp.ClientResponse, course: _Course
    ) -> web.StreamResponse:
        course.answered(answer.status, answer.headers)
        headers = _passed(answer, _HOP_BY_HOP)
        if course.forwarded is not None:
            headers["X-Agdoctor-Rewritten"] = course.forwarded
        length = answer.content_length
        if length is not None and length <= WHOLE and request.method != "HEAD":
            body = await answer.read()
            course.gave(body)
            _as_sent(request, headers)
            return web.Response(status=answer.status, reason=answer.reason, headers=headers, body=body or None)
        _as_sent(request, headers)
        response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=headers)
        await response.prepare(request)
        async for piece in answer.content.iter_any():
            course.gave(piece)
            await response.write(piece)
        await response.write_eof()
        return response

    def _cut_short(self, request: web.BaseRequest, course: _Course, error: Exception) -> web.StreamResponse:
        """The proxy stopped in the middle of its answer: the client must see that what it got is not whole."""
        late = isinstance(error, TimeoutError)
        course.outcome, course.failure = ("timeout", "timeout") if late else ("cut-short", "reset")
        if not request.writer.output_size:
            # Nothing has gone out yet, so there is still room for a sentence.
            course.status = None
            return self._own_answer(
                course, _Problem(504, "timeout", "timeout") if late else _Problem(502, "cut-short", "reset")
            )
        if request.transport is not None:
            if request.version < HttpVersion11:
                _reset_on_close(request.transport)
            request.transport.close()
        raise ConnectionResetError("the proxy stopped in the middle of its answer")

    @staticmethod
    def _problem(error: Exception) -> _Problem:
        """What kept the proxy from answering, as aiohttp says it."""
        if isinstance(error, TimeoutError):
            return _Problem(504, "timeout", "timeout")
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            return _Problem(502, "no-answer", "name")
        if isinstance(error, aiohttp.ClientSSLError):
            return _Problem(502, "no-answer", "certificate")
        if isinstance(error, aiohttp.ClientConnectorError):
            return _Problem(502, "no-answer", "refused")
        if isinstance(error, aiohttp.ClientResponseError):
            return _Problem(502, "no-answer", "not-http")
        return _Problem(502, "no-answer", "reset")

    def _own_answer(self, course: _Course, problem: _Problem) -> web.StreamResponse:
        """An answer of the recorder itself, in a shape in which the clients of all three protocols show its
        sentence."""
        course.outcome = problem.outcome
        if problem.outcome == "refused":
            course.note = problem.why
        else:
            course.failure = problem.why
        host, port = host_and_port(self.upstream)
        facts = {"url": self.upstream, "host": host, "port": str(port), "recorder": self.url}
        said = "agdoctor trace: " + phrase(f"trace-answer-{problem.why}", facts)
        error = {"type": "agdoctor_trace", "code": problem.status, "message": said, "status": "UNAVAILABLE"}
        body = json.dumps({"type": "error", "error": error}, ensure_ascii=False).encode() + b"\n"
        headers = {"Content-Type": "application/json; charset=utf-8", "X-Agdoctor-Trace": problem.why}
        response = web.Response(status=problem.status, headers=headers, body=body)
        if problem.outcome == "refused":
            response.force_close()
        return response

    # --- WebSocket --------------------------------------------------------------------------------------------------

    async def _websocket(self, request: web.BaseRequest, course: _Course) -> web.StreamResponse:
        """Opens the same WebSocket at the proxy, then passes messages, pings and the close both ways."""
        course.websocket = True
        if self._websockets is None:
            trace = aiohttp.TraceConfig()
            trace.on_request_end.append(_note_opening)
            self._websockets = self._new_session(trace)
        offered = [
            each.strip() for each in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if each.strip()
        ]
        compress = "permessage-deflate" in request.headers.get("Sec-WebSocket-Extensions", "").lower()
        opening = _Opening()
        _OPENED.set(opening)
        try:
            there = await self._websockets.ws_connect(
                self._url,
                timeout=aiohttp.ClientWSTimeout(ws_close=_GOODBYE),
                protocols=offered,
                headers=_passed(request, _NOT_FORWARDED, drop="sec-websocket-"),
                compress=15 if compress else 0,
                autoclose=False,
                autoping=False,
                max_msg_size=0,
            )
        except aiohttp.WSServerHandshakeError:
            if opening.status == 101:
                return self._own_answer(course, _Problem(502, "no-answer", "not-http"))
            course.answered(opening.status, opening.headers)
            course.gave(opening.body)
            if opening.headers.get(hdrs.CONTENT_LENGTH) != str(len(opening.body)):
                opening.headers[hdrs.CONTENT_LENGTH] = str(len(opening.body))
            _as_sent(request, opening.headers)
            return web.Response(
                status=opening.status, reason=opening.reason, headers=opening.headers, body=opening.body or None
            )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return self._own_answer(course, self._problem(error))
        here = web.WebSocketResponse(
            timeout=_GOODBYE,
            protocols=(there.protocol,) if there.protocol else (),
            autoclose=False,
            autoping=False,
            max_msg_size=0,
            compress=compress,
        )
        _as_sent(request, opening.headers, _HANDSHAKES)
        try:
            await here.prepare(request)
            course.answered(101, {})
            if await _both_ways(here, there, course):
                return here
            # The proxy has gone without a word: so does the client's connection end.
            course.outcome, course.failure = "cut-short", "reset"
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError("the proxy left the WebSocket")
        finally:
            there._response.close()

    # --- what was seen ----------------------------------------------------------------------------------------------

    def _not_http(self, note: str) -> None:
        """What came was no HTTP/1 request at all."""
        self._count += 1
        course = _Course(self._count, outcome="not-http")
        self._tell(self._exchange(course, Observed("", "", None, None), note=note))

    def _ended(self, request: web.BaseRequest, target: str, course: _Course) -> None:
        self._tell(self._exchange(course, _observed(request, target, course)))

    def _exchange(self, course: _Course, observed: Observed, note: str | None = None) -> Exchange:
        now = time.perf_counter()
        first = None if course.first_byte is None else (course.first_byte - course.began) * 1000
        bodies = None
        if course.sent is not None and course.got is not None:
            bodies = Bodies(_masked(course.sent), _masked(course.got))
        return Exchange(
            number=course.number,
            started=course.started,
            observed=observed,
            outcome=course.outcome,
            first_byte_ms=first,
            total_ms=(now - course.began) * 1000,
            request_bytes=course.request_bytes,
            answer_bytes=course.answer_bytes,
            forwarded=course.forwarded,
            note=note or course.note,
            websocket=course.websocket,
            bodies=bodies,
        )

    def _tell(self, exchange: Exchange) -> None:
        """Hands an exchange on. A callback that fails is reported to the loop's exception handler, not to the
        client."""
        if self._on_exchange is None:
            return
        try:
            self._on_exchange(exchange)
        except Exception as error:
            context = {"message": "on_exchange of the recorder failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)


# --- aiohttp, told to leave things as they are ----------------------------------------------------------------------


class _Question(aiohttp.ClientRequest):
    """A request to the proxy that is sent as `_ASKED` says, whatever aiohttp and yarl would make of it."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """aiohttp calls this to write the request's head and begin with its body."""
        asked = _ASKED.get()
        if asked is None:
            return await super().send(conn)
        if asked.headers is not None:
            headers = CIMultiDict(((hdrs.HOST, self.headers[hdrs.HOST]), *asked.headers.items()))
            if hdrs.TRANSFER_ENCODING in self.headers:
                headers[hdrs.TRANSFER_ENCODING] = self.headers[hdrs.TRANSFER_ENCODING]
            self.headers = headers
        url = self.url
        self.url = cast(URL, _Literally(asked.target))  # all that `send` takes from it is the target
        try:
            return await super().send(conn)
        finally:
            self.url = url


class _Connector(aiohttp.TCPConnector):
    """Makes a `_Answering` for each connection to the proxy."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._factory = cast("partial[ResponseHandler]", partial(_Answering, loop=self._loop))


class _Answering(ResponseHandler):
    """One connection to the proxy. aiohttp leaves whoever reads an answer waiting for ever when it has met something in
    it that is no HTTP (a chunk without a size): here the reader is told as well."""

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        """aiohttp calls this when the connection is of no use any more."""
        payload = self._payload
        super().set_exception(exc, *cause)
        if payload is not None and not payload.is_eof() and payload.exception() is None:
            known = isinstance(exc, (aiohttp.ClientError, TimeoutError))
            payload.set_exception(exc if known else aiohttp.ClientPayloadError("the answer is broken"))


class _Literally(NamedTuple):
    """Stands for a URL whose path and query are to be sent as they are."""

    raw_path_qs: str


def _reset_on_close(transport: asyncio.BaseTransport) -> None:
    """Lets a connection end with a reset: to a client that takes its end for the answer's, any other looks right."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def _as_sent(request: web.BaseRequest, headers: CIMultiDict[str], own: tuple[str, ...] = _FRAMING) -> None:
    """Says that the answer to this request has these headers to the letter, and of aiohttp's `own` only these."""
    if isinstance(request, _Request):
        request.exact, request.own = headers.copy(), own


class _Request(web.BaseRequest):
    """A request whose answer gets the headers that the proxy sent, and none that aiohttp adds or takes away."""

    exact: CIMultiDict[str] | None = None
    own: tuple[str, ...] = ()

    async def _prepare_hook(self, resp: web.StreamResponse) -> None:
        """aiohttp calls this between preparing the headers and writing them."""
        if self.exact is None:
            return
        headers = resp.headers
        own = [(name, headers[name]) for name in self.own if name in headers]
        headers.clear()
        headers.extend(self.exact)
        headers.extend(own)


class _Connection(web.RequestHandler):
    """One client's connection; notices what is no HTTP/1, for which aiohttp has only a 400."""

    def __init__(self, owner: _Handlers, not_http: Callable[[str], None], **options: Any) -> None:
        super().__init__(owner, **options)
        self._not_http: Callable[[str], None] | None = not_http

    def data_received(self, data: bytes) -> None:
        """The first bytes tell a TLS handshake (https:// in the base URL) and HTTP/2 from a request."""
        tell, self._not_http = self._not_http, None
        if tell is not None:
            note = "tls" if data[:1] == b"\x16" else "http2" if data.startswith(b"PRI * HTTP/2") else None
            if note is not None:
                tell(note)
                if self.transport is not None:
                    self.transport.close()
                return
            self._tell = tell
        super().data_received(data)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What aiohttp's parser refuses: noted; the client gets aiohttp's own 400."""
        if status == 400 and request.method == "UNKNOWN":
            self._tell("garbage")
        return super().handle_error(request, status, exc, message)


class _Handlers(web.Server):
    """Makes a `_Connection` for each client."""

    def __init__(self, handler: Any, not_http: Callable[[str], None], **options: Any) -> None:
        own = {name: options.pop(name) for name in ("request_factory", "handler_cancellation")}
        super().__init__(handler, **own)
        self._not_http = not_http
        self._options = options

    def __call__(self) -> web.RequestHandler:
        """aiohttp calls this for each new connection."""
        return _Connection(self, self._not_http, loop=asyncio.get_running_loop(), **self._options)


def _silent_logger() -> logging.Logger:
    """A logger for aiohttp that writes nothing: what goes wrong with a connection is in the exchanges."""
    logger = logging.getLogger("antigravity_doctor.recorder")
    logger.disabled = not os.environ.get("AGDOCTOR_DEBUG")
    return logger


def _request_factory(loop: asyncio.AbstractEventLoop) -> Callable[..., _Request]:
    def make(
        message: RawRequestMessage,
        payload: aiohttp.StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> _Request:
        return _Request(message, payload, protocol, writer, task, loop)

    return make


async def _note_opening(session: aiohttp.ClientSession, context: object, params: aiohttp.TraceRequestEndParams) -> None:
    """Keeps what the proxy answered to a WebSocket handshake: aiohttp's own error has no body."""
    opening = _OPENED.get()
    if opening is None:
        return
    response = params.response
    opening.status, opening.reason = response.status, response.reason or ""
    opening.headers = _passed(response, _HOP_BY_HOP, drop="sec-websocket-")
    if response.status != 101:
        pieces = response.content.iter_any()
        while len(opening.body) < BODY_KEPT and (piece := await anext(pieces, b"")):
            opening.body += piece


_Message = web.BaseRequest | aiohttp.ClientResponse


def _passed(message: _Message, dropped: Collection[str], drop: str = "-") -> CIMultiDict[str]:
    """The headers that go on to the other side: all but those in `dropped`, those that start with `drop`, and those
    that the Connection header names. Names are spelled as they came, which `headers` does not keep."""
    named = message.headers.get("Connection", "")
    also = {each.strip().lower() for each in named.split(",")} if named else ()
    passed: CIMultiDict[str] = CIMultiDict()
    for raw_name, raw_value in message.raw_headers:
        name = raw_name.decode("utf-8", "surrogateescape")
        folded = name.lower()
        if folded not in dropped and folded not in also and not folded.startswith(drop):
            try:
                value = raw_value.decode()
            except UnicodeDecodeError:  # aiohttp writes UTF-8 only
                value = raw_value.decode("latin-1")
            passed.add(name, value)
    return passed


def _wants_websocket(request: web.BaseRequest) -> bool:
    return request.method == "GET" and request.headers.get("Upgrade", "").lower() == "websocket"


def _path_of(request: web.BaseRequest, own: str) -> str:
    """The request target; of one in absolute form that names the recorder itself, the part behind its origin."""
    target = request._message.path
    if target.startswith("/") or not target.startswith(own):
        return target
    rest = target.removeprefix(own)
    if rest and rest[0] not in "/?":  # another host or port that begins alike
        return target
    return rest if rest.startswith("/") else "/" + rest


async def _body(request: web.BaseRequest, course: _Course) -> bytes | AsyncIterator[bytes] | None:
    """The request's body: small ones whole, others in pieces as they come, None if there is none."""
    if not request.body_exists:
        return None
    length = request.content_length
    if length is None or length > WHOLE:
        return _pieces(request, course)
    await _go_on(request)
    data = await request.read()
    course.took(data)
    return data


async def _go_on(request: web.BaseRequest) -> None:
    """Tells a client that asks before it sends a body (Expect: 100-continue) to send it."""
    waits = request.headers.get(hdrs.EXPECT, "").lower() == "100-continue" and request.version >= HttpVersion11
    if waits and request.transport is not None and not request.content.total_bytes:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


async def _pieces(request: web.BaseRequest, course: _Course) -> AsyncIterator[bytes]:
    await _go_on(request)
    if not request.content.total_bytes:
        yield b""  # aiohttp sends the head with the first piece: with this one it need not wait for the client's
    async for piece in request.content.iter_any():
        course.took(piece)
        yield piece


def _observed(request: web.BaseRequest, target: str, course: _Course) -> Observed:
    path, mark, query = target.partition("?")
    headers = request.headers
    user_agent = headers.get("User-Agent")
    return Observed(
        method=request.method,
        path=redact(path),
        query=redact(query) if mark else None,
        status=course.status,
        key_header=key_carrier(headers, query),
        user_agent=redact(user_agent) if user_agent else None,
        header_names=tuple(dict.fromkeys(name.lower() for name in headers)),
        answer_type=course.content_type,
        answer_kind=_kind_of(course),
        failure=course.failure,
    )


def _masked(body: bytearray) -> str:
    return redact(body.decode("utf-8", "backslashreplace"))


def _kind_of(course: _Course) -> str | None:
    """What the answer's body was; None where it was not looked at, since its status is no error."""
    if course.head is None:
        return None
    headers = (("content-type", course.content_type),) if course.content_type else ()
    return body_kind(bytes(course.head).decode("utf-8", "replace"), headers)


_WebSocket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse[bool]


class _Goodbye(NamedTuple):
    """A close frame."""

    code: int
    reason: bytes


async def _both_ways(
    here: web.WebSocketResponse, there: aiohttp.ClientWebSocketResponse[bool], course: _Course
) -> bool:
    """Passes messages until one side closes, then closes the other with the same code. False if a side has gone
    without a close."""
    ways = {
        asyncio.create_task(_one_way(here, there, course.took)),
        asyncio.create_task(_one_way(there, here, course.gave)),
    }
    try:
        done, waiting = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        if waiting and all(way.exception() for way in done):
            # A message could not be delivered; what that side said before it went may still be on its way.
            more, _ = await asyncio.wait(waiting, timeout=_GOODBYE)
            done |= more
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
    said = next((way.result() for way in done if way.exception() is None and way.result() is not None), None)
    if said is None:
        return False
    course.over = True
    await asyncio.gather(
        here.close(code=said.code, message=said.reason),
        there.close(code=said.code, message=said.reason),
        return_exceptions=True,
    )
    return True


async def _one_way(source: _WebSocket, sink: _WebSocket, count: Callable[[bytes], None]) -> _Goodbye | None:
    """Passes what one side says until it says goodbye, or is gone (None)."""
    while True:
        message = await source.receive()
        kind = message.type
        if kind is aiohttp.WSMsgType.TEXT:
            count(message.data.encode() + b"\n")
            await sink.send_str(message.data)
        elif kind is aiohttp.WSMsgType.BINARY:
            count(message.data)
            await sink.send_bytes(message.data)
        elif kind is aiohttp.WSMsgType.PING:
            await sink.ping(message.data)
        elif kind is aiohttp.WSMsgType.PONG:
            await sink.pong(message.data)
        elif kind is aiohttp.WSMsgType.CLOSE:
            return _Goodbye(message.data or 1000, (message.extra or "").encode())
        else:
            return None
