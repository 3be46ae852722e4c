"""The stand-in's WebSocket: what GET /v1/responses becomes after its upgrade, as in the proxy from v4.3.0 on.

Frames are read and written by wsproto; no extension is taken, since the proxy takes none. What a message is answered
with follows the proxy's source (src-tauri/src/proxy/handlers/openai.rs, `handle_websocket_session`; the same in every
release from v4.3.0 to v4.5.8): text, or binary that is UTF-8, with one JSON object a message. `response.create` asks
for a turn, whose events come back one a message; the first one must name a model, later ones need not. `"generate":
false` in the first one is answered at once and without a model. Mistakes are answered with an event of type "error",
and the connection stays open.

Different from the proxy, for the client's sake: a broken frame, or a message longer than `MAX_MESSAGE`, is met with a
close frame that says why (the proxy takes 64 MiB and drops the connection without a word), and a client's close frame
is answered; a peer that is silent for too long is left, where the proxy waits for ever.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError

from antigravity_doctor.servers.replies import CREATED, MODELS, Json, dump, is_missing, response_events

MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes that a message may have: as many as the proxy takes in one frame, and far more than Codex sends."""

_CHUNK = 65_536
_NO_USAGE: Json = {
    "input_tokens": 0,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 0,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 0,
}


async def converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, early: bytes, *, delay: float, idle_timeout: float
) -> None:
    """Talks on a connection that has just been upgraded until one side closes; the caller closes the sockets.

    `early` is what came right behind the request; `delay` (seconds) is waited before each turn's answer. A peer that
    is silent for `idle_timeout` seconds is told so and left. Raises OSError if the peer goes away in the middle, and
    TimeoutError if it does not read what it is sent. When it is cancelled, it says goodbye (1001).
    """
    talk = _Talk(reader, writer, delay, idle_timeout)
    try:
        await talk.run(early)
    except asyncio.CancelledError:
        talk.leave()
        raise


class Turns:
    """What the messages of one connection are answered with. It knows the last model that was asked for."""

    def __init__(self) -> None:
        self._model: str | None = None
        self._begun = False

    def answer(self, message: bytes) -> list[Json]:
        """The events to send for a message; none for one that is no text at all."""
        try:
            request = json.loads(message.decode())
        except UnicodeDecodeError:
            return []
        except (ValueError, RecursionError) as error:
            return [_error(f"Invalid JSON: {error}")]
        if not isinstance(request, dict):
            request = {}
        kind, model = _text(request, "type"), _text(request, "model")
        if kind not in ("response.create", "response.append"):
            return [_error(f"unsupported websocket request type: {kind}")]
        if not self._begun:
            if kind == "response.append":
                return [_error("websocket request received before response.create")]
            if request.get("generate") is False:
                self._begun, self._model = True, model or None
                return _prewarmed(model or "unknown")
            if not model:
                return [_error("missing model in response.create request")]
        self._begun, self._model = True, model or self._model or MODELS[0]
        if is_missing(self._model):
            return [_error("Upstream returned status 404 Not Found", "server_error")]
        # The proxy says nothing between `created` and the first item here.
        return [event for event in response_events(self._model) if event["type"] != "response.in_progress"]


def _text(request: Json, name: str) -> str:
    value = request.get(name)
    return value if isinstance(value, str) else ""


def _error(message: str, kind: str = "invalid_request_error") -> Json:
    return {"type": "error", "error": {"message": message, "type": kind}}


def _prewarmed(model: str) -> list[Json]:
    """Codex warms a connection up before the user has said anything: nothing is to be generated."""
    base: Json = {"id": "resp_prewarm_stand_in", "object": "response", "created_at": CREATED, "model": model}
    begun = base | {"status": "in_progress", "output": []}
    done = base | {"status": "completed", "output": [], "usage": _NO_USAGE}
    return [
        {"type": "response.created", "sequence_number": 0, "response": begun},
        {"type": "response.completed", "sequence_number": 1, "response": done},
    ]


class _Talk:
    """One connection: frames in, frames out."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float, idle_timeout: float
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._delay = delay
        self._idle = idle_timeout
        self._conn = Connection(ConnectionType.SERVER)
        self._message = bytearray()
        self._turns = Turns()

    async def run(self, data: bytes) -> None:
        while await self._take(data):
            try:
                async with asyncio.timeout(self._idle):
                    data = await self._reader.read(_CHUNK)
            except TimeoutError:
                await self._send(CloseConnection(CloseReason.GOING_AWAY, "Nothing was said for too long."))
                return
            if not data:
                return

    def leave(self) -> None:
        """Says goodbye without waiting. A peer that has left more unread than the system buffers gets a reset, since
        the connection could not be closed before it reads on."""
        with suppress(LocalProtocolError):
            self._writer.write(self._conn.send(CloseConnection(CloseReason.GOING_AWAY, "The stand-in ends.")))
        if self._writer.transport.get_write_buffer_size():
            self._writer.transport.abort()

    async def _take(self, data: bytes) -> bool:
        """Answers what has come; False when the connection is to be closed."""
        self._conn.receive_data(data)
        for event in self._conn.events():
            if isinstance(event, Ping):
                await self._send(event.response())
            elif isinstance(event, CloseConnection):  # the peer's own, or wsproto's word about a broken frame
                await self._send(event.response())
                return False
            elif isinstance(event, TextMessage | BytesMessage):
                self._message += event.data.encode() if isinstance(event, TextMessage) else event.data
                if len(self._message) > MAX_MESSAGE:
                    too_big = f"A message may have {MAX_MESSAGE} bytes."
                    await self._send(CloseConnection(CloseReason.MESSAGE_TOO_BIG, too_big))
                    return False
                if event.message_finished:
                    message, self._message = bytes(self._message), bytearray()
                    await self._reply(message)
        return True

    async def _reply(self, message: bytes) -> None:
        events = self._turns.answer(message)
        if events and self._delay:
            await asyncio.sleep(self._delay)
        for event in events:
            await self._send(TextMessage(dump(event).decode()))

    async def _send(self, event: Event) -> None:
        self._writer.write(self._conn.send(event))
        try:
            async with asyncio.timeout(self._idle):
                await self._writer.drain()
        except TimeoutError:
            self._writer.transport.abort()  # or closing would wait for a peer that does not read
            raise
