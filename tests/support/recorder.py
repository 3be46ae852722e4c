"""A loopback server that writes down what a client really sends and answers just enough for it to go on.

Used by the SDK tests and by `tests/lab/measure_sdks.py`. Standard library only, because the lab runs it outside the
project's environment as well. What is recorded is the *raw* request target: `http.server` folds a leading `//` in
`self.path` into `/`, and a doubled slash is one of the things to see, so the target is cut from the request line.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal, Self

Mode = Literal["answer", "not-found", "method-not-allowed", "html"]

KEY = "sk-planted-0123456789abcdef"
"""The key that clients are given, so that the place it turns up in can be told."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One request. `target` is the raw request target; `key_places` are the lower-case names of the headers that
    held `KEY`, and `"query:NAME"` for a query parameter that did."""

    method: str
    target: str
    key_places: tuple[str, ...]
    user_agent: str | None


class Recorder:
    """The server, as a context manager. `mode` may be changed between requests:

    - `answer`: 200 with a minimal valid body for the endpoint that the target ends in (SSE if a stream was asked for);
    - `not-found`: 404, empty, no content type, as the proxy answers a route miss;
    - `method-not-allowed`: 405, empty, `Allow: GET,HEAD`, as the proxy with a web UI answers a POST route miss;
    - `html`: 200 with a web page, as the proxy with a web UI answers a GET route miss.
    """

    def __init__(self, mode: Mode = "answer") -> None:
        self.mode: Mode = mode
        self._seen: list[Seen] = []
        self._lock = threading.Lock()
        recorder = self

        class Handler(_Handler):
            owner = recorder

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def origin(self) -> str:
        """`http://127.0.0.1:PORT`, no slash at the end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def take(self) -> list[Seen]:
        """What was seen since the last call, in order."""
        with self._lock:
            seen, self._seen = self._seen, []
        return seen

    def note(self, seen: Seen) -> None:
        with self._lock:
            self._seen.append(seen)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)


class _Handler(BaseHTTPRequestHandler):
    owner: Recorder
    protocol_version = "HTTP/1.1"
    # Without this a keep-alive client waits 40 ms for each answer (Nagle against delayed ACK).
    disable_nagle_algorithm = True

    def handle_any(self) -> None:
        body = self._body()
        target = self.requestline.split(" ", 1)[1].rsplit(" ", 1)[0]
        self.owner.note(
            Seen(
                method=self.command,
                target=target,
                key_places=self._key_places(target),
                user_agent=self.headers.get("user-agent"),
            )
        )
        if self.owner.mode == "not-found":
            self._send(404, b"", {})
        elif self.owner.mode == "method-not-allowed":
            self._send(405, b"", {"Allow": "GET,HEAD"})
        elif self.owner.mode == "html":
            self._send(200, b"<!doctype html><html><body>web UI</body></html>", {"Content-Type": "text/html"})
        else:
            kind, text = answer(self.command, target, body)
            self._send(200, text.encode(), {"Content-Type": kind})

    do_GET = do_POST = do_HEAD = do_OPTIONS = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0].strip() or b"0", 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _key_places(self, target: str) -> tuple[str, ...]:
        pairs = (pair.partition("=") for pair in target.partition("?")[2].split("&"))
        return (
            *(name.lower() for name, value in self.headers.items() if KEY in value),
            *(f"query:{name}" for name, _, value in pairs if value == KEY),
        )

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silent: what was seen is in `Recorder.take`."""


def answer(method: str, target: str, body: bytes) -> tuple[str, str]:
    """(content type, text) that a client of any of the three protocols accepts for this request.

    Chosen by the *last* endpoint name in the target, so that it also fits a path that is joined wrong.
    """
    try:
        sent = json.loads(body) if body else {}
    except ValueError:
        sent = {}
    stream = isinstance(sent, dict) and bool(sent.get("stream"))
    # by where a name ends, then by its length: /chat/completions ends in /completions, too
    ends = {name: (target.rfind(name) + len(name), len(name)) for name in _ANSWERS if name in target}
    endpoint = max(ends, key=lambda name: ends[name], default=None)
    if endpoint is None:
        return "application/json", "{}"
    plain, events = _ANSWERS[endpoint]
    if method == "GET":
        return "application/json", _dump(_MODELS)
    if endpoint == "streamGenerateContent":
        if "alt=sse" in target:
            return "text/event-stream", "".join(f"data: {_dump(event)}\n\n" for event in events)
        return "application/json", _dump(events)
    if not stream:
        return "application/json", _dump(plain)
    lines = []
    for event in events:
        name = event.get("type") if isinstance(event, dict) else None
        lines.append((f"event: {name}\n" if name else "") + f"data: {_dump(event)}\n\n")
    if "completions" in endpoint:
        lines.append("data: [DONE]\n\n")
    return "text/event-stream", "".join(lines)


def _dump(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


_CHAT = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
_CHAT_CHUNK = {
    "id": "c1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}],
}
_COMPLETION = {
    "id": "c1",
    "object": "text_completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "text": "ok", "finish_reason": "stop", "logprobs": None}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
_RESPONSE = {
    "id": "r1",
    "object": "response",
    "created_at": 1,
    "model": "m",
    "status": "completed",
    "output": [
        {
            "id": "o1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "ok", "annotations": []}],
        }
    ],
    "parallel_tool_calls": False,
    "tool_choice": "auto",
    "tools": [],
    "usage": {
        "input_tokens": 1,
        "output_tokens": 1,
        "total_tokens": 2,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    },
}
_MESSAGE = {
    "id": "m1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "ok"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
_MESSAGE_EVENTS = [
    {"type": "message_start", "message": {**_MESSAGE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "ok"}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 1},
    },
    {"type": "message_stop"},
]
_CANDIDATES = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "ok"}]}, "finishReason": "STOP", "index": 0}],
    "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},
}
_EMBEDDINGS = {
    "object": "list",
    "model": "m",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.5]}],
    "usage": {"prompt_tokens": 1, "total_tokens": 1},
}
# A model and an empty list of models in all three protocols at once; `data` and `models` are what each one reads.
_MODELS = {
    "object": "list",
    "data": [],
    "models": [],
    "has_more": False,
    "first_id": None,
    "last_id": None,
    "id": "m",
    "name": "models/m",
    "type": "model",
    "created": 1,
    "owned_by": "o",
    "display_name": "m",
    "created_at": "2026-01-01T00:00:00Z",
}
_IMAGES = {"created": 1, "data": [{"b64_json": "aWc="}]}

_ANSWERS: dict[str, tuple[object, list[dict[str, object]]]] = {
    "/chat/completions": (_CHAT, [_CHAT_CHUNK]),
    "/completions": (_COMPLETION, [_COMPLETION]),
    "/responses": (
        _RESPONSE,
        [
            {"type": "response.created", "sequence_number": 0, "response": {**_RESPONSE, "status": "in_progress"}},
            {"type": "response.completed", "sequence_number": 1, "response": _RESPONSE},
        ],
    ),
    "/messages": (_MESSAGE, _MESSAGE_EVENTS),
    "/messages/count_tokens": ({"input_tokens": 1}, []),
    "/embeddings": (_EMBEDDINGS, []),
    "/images/": (_IMAGES, []),
    "/audio/": ({"text": "ok"}, []),
    "/models": (_MODELS, []),
    "generateContent": (_CANDIDATES, []),
    "streamGenerateContent": (_CANDIDATES, [_CANDIDATES]),
    "countTokens": ({"totalTokens": 1}, []),
    "embedContent": ({"embedding": {"values": [0.5]}}, []),
    "batchEmbedContents": ({"embeddings": [{"values": [0.5]}]}, []),
    ":predict": ({"predictions": []}, []),
}
