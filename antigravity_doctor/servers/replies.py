"""What the stand-in's handlers answer: the smallest replies that real clients take for a success.

Each protocol's shapes follow its public API documentation; what is a quirk of the proxy itself says so. A model whose
name starts with "missing" answers as the proxy does when the model's host does not know it: a 404 *with* a body.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from antigravity_doctor.diagnosis.matching import Match
from antigravity_doctor.diagnosis.proxy_model import JSON, PLAIN
from antigravity_doctor.knowledge.behaviour import Behaviour, text

SENTENCE = ("Hello", " from", " the", " stand-in.")
"""What every model says, in the pieces in which a stream brings it."""

MODELS = ("gemini-3-flash", "gemini-3-pro-high", "claude-sonnet-4-5", "gpt-4o")
"""What the model lists name; any other model is served too."""

EMAIL = "stand-in@example.invalid"
CREATED = 1706745600
SSE = "text/event-stream"
_ACCEPT = "sec-websocket-accept"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # 1 x 1 PNG

Json = dict[str, Any]
PIXEL_BYTES = base64.b64decode(PIXEL)


@dataclass(frozen=True, slots=True)
class Reply:
    """A handler's answer: a body as a whole, or (`stream`) piece by piece. `headers` are beyond content type. Status
    101 has no body: the connection goes on as a WebSocket."""

    status: int
    content_type: str | None
    pieces: tuple[bytes, ...] = ()
    stream: bool = False
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A request that reached a handler. `body` is its JSON object, empty for another or no JSON;
    `running` and `port` are the stand-in's own. `upgradable` says whether the connection can change its protocol: the
    request is HTTP/1.1 and was read to its end."""

    method: str
    match: Match
    query: str | None
    headers: Mapping[str, str]
    body: Json
    behaviour: Behaviour
    running: bool
    port: int
    upgradable: bool = False

    @property
    def model(self) -> str:
        """The model that the body names."""
        model = self.body.get("model")
        return model if isinstance(model, str) and model else MODELS[0]

    @property
    def streams(self) -> bool:
        """True if the body asks for a stream."""
        return self.body.get("stream") is True


def reply_to(call: Call) -> Reply:
    """The reply of the handler that a call reached."""
    return _HANDLERS.get(call.match.route.path, _admin)(call)


def plain(status: int, body: str) -> Reply:
    """A text answer, as axum's rejections are."""
    return Reply(status, PLAIN, (body.encode(),))


def as_json(value: object, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """A JSON answer."""
    return Reply(status, JSON, (dump(value),), headers=headers)


def dump(value: object) -> bytes:
    """Compact JSON in UTF-8; half a surrogate pair, which UTF-8 has no bytes for, stays the escape that it came as."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")


def is_missing(model: str) -> bool:
    """True for a model that the model's host does not know."""
    return model.startswith("missing")


def _served_by(model: str) -> tuple[tuple[str, str], ...]:
    safe = "".join(c for c in model if "!" <= c <= "~")
    return ("x-account-email", EMAIL), ("x-mapped-model", safe)


def _events(model: str, events: list[tuple[str | None, object]], done: bool = False) -> Reply:
    """A stream of server-sent events (name, data); `done` ends it as OpenAI does."""
    pieces = [(b"event: " + name.encode() + b"\n" if name else b"") + b"data: " + dump(data) + b"\n\n"
              for name, data in events]  # fmt: skip
    if done:
        pieces.append(b"data: [DONE]\n\n")
    return Reply(200, SSE, tuple(pieces), True, (("cache-control", "no-cache"), *_served_by(model)))


def _modelled(unknown: Callable[[str], Json]) -> Callable[[Callable[[Call], Reply]], Callable[[Call], Reply]]:
    """Gives a handler the 404 of a model that the model's host does not know, in its protocol's shape."""

    def wrap(handler: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
        def handle(call: Call) -> Reply:
            model = call.match.params["model"].rpartition(":")[0] if call.match.params else call.model
            if not is_missing(model):
                return handler(call)
            message = f"Requested entity was not found: {model}"
            if call.behaviour.json_errors:
                return as_json(unknown(message), 404, _served_by(model))
            return Reply(404, PLAIN, (message.encode(),), headers=_served_by(model))

        return handle

    return wrap


_openai = _modelled(lambda message: {"error": {"message": message, "type": "upstream_error", "code": 404}})
_anthropic = _modelled(lambda message: {"type": "error", "error": {"type": "not_found_error", "message": message}})
_gemini = _modelled(lambda message: {"error": {"code": 404, "message": message, "status": "UPSTREAM_ERROR"}})


@_openai
def _chat(call: Call) -> Reply:
    usage = {"prompt_tokens": 1, "completion_tokens": 4, "total_tokens": 5}
    base: Json = {"id": "chatcmpl-stand-in", "object": "chat.completion", "created": CREATED, "model": call.model}
    if not call.streams:
        message = {"role": "assistant", "content": "".join(SENTENCE)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return as_json(base | {"choices": [choice], "usage": usage}, headers=_served_by(call.model))
    base["object"] = "chat.completion.chunk"
    deltas: list[Json] = [{"role": "assistant", "content": ""}, *({"content": piece} for piece in SENTENCE)]
    chunks = [base | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append(base | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": usage})
    return _events(call.model, [(None, chunk) for chunk in chunks], done=True)


@_openai
def _completions(call: Call) -> Reply:
    base: Json = {"id": "cmpl-stand-in", "object": "text_completion", "created": CREATED, "model": call.model}
    if not call.streams:
        choice = {"index": 0, "text": "".join(SENTENCE), "finish_reason": "stop", "logprobs": None}
        usage = {"prompt_tokens": 1, "completion_tokens": 4, "total_tokens": 5}
        return as_json(base | {"choices": [choice], "usage": usage}, headers=_served_by(call.model))
    ends = [None] * (len(SENTENCE) - 1) + ["stop"]
    choices = [
        {"index": 0, "text": piece, "finish_reason": end, "logprobs": None}
        for piece, end in zip(SENTENCE, ends, strict=True)
    ]
    return _events(call.model, [(None, base | {"choices": [choice]}) for choice in choices], done=True)


_PART: Json = {"type": "output_text", "text": "".join(SENTENCE), "annotations": []}
_ITEM: Json = {"id": "msg_stand_in", "type": "message", "role": "assistant", "status": "completed", "content": [_PART]}
_RESPONSE_USAGE: Json = {
    "input_tokens": 1,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 4,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 5,
}


def _response(model: str) -> Json:
    return {
        "id": "resp_stand_in",
        "object": "response",
        "created_at": CREATED,
        "status": "completed",
        "model": model,
        "output": [_ITEM],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": _RESPONSE_USAGE,
    }


def response_events(model: str) -> list[Json]:
    """The events of one streamed turn of the Responses API, in order and not numbered."""
    response = _response(model)
    begun = response | {"status": "in_progress", "output": [], "usage": None}
    at = {"item_id": "msg_stand_in", "output_index": 0, "content_index": 0}
    return [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": _ITEM | {"status": "in_progress", "content": []},
        },
        {"type": "response.content_part.added", **at, "part": _PART | {"text": ""}},
        *({"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []} for piece in SENTENCE),
        {"type": "response.output_text.done", **at, "text": _PART["text"], "logprobs": []},
        {"type": "response.content_part.done", **at, "part": _PART},
        {"type": "response.output_item.done", "output_index": 0, "item": _ITEM},
        {"type": "response.completed", "response": response},
    ]


@_openai
def _responses(call: Call) -> Reply:
    if not call.streams:
        return as_json(_response(call.model), headers=_served_by(call.model))
    numbered = [event | {"sequence_number": number} for number, event in enumerate(response_events(call.model))]
    return _events(call.model, [(str(event["type"]), event) for event in numbered])


@_openai
def _compact(call: Call) -> Reply:
    compacted = {
        "id": "resp_stand_in",
        "object": "response.compaction",
        "created_at": CREATED,
        "output": [_ITEM],
        "usage": _RESPONSE_USAGE,
    }
    return as_json(compacted, headers=_served_by(call.model))


def _images(call: Call) -> Reply:
    wants_url = call.body.get("response_format") == "url"
    image = {"url": "data:image/png;base64," + PIXEL} if wants_url else {"b64_json": PIXEL}
    return as_json({"created": CREATED, "data": [image]})


def _transcription(call: Call) -> Reply:
    return as_json({"text": "".join(SENTENCE)})


def _models(call: Call) -> Reply:
    entries = [{"id": name, "object": "model", "created": CREATED, "owned_by": "antigravity"} for name in MODELS]
    return as_json({"object": "list", "data": entries})


def _detect(call: Call) -> Reply:
    if not isinstance(call.body.get("model"), str) or not call.body["model"]:
        return plain(400, text("no_model"))
    features = {"has_web_search": False, "is_image_gen": False}
    return as_json({"model": call.model, "mapped_model": call.model, "type": "agent", "features": features})


@_anthropic
def _messages(call: Call) -> Reply:
    message: Json = {
        "id": "msg_stand_in",
        "type": "message",
        "role": "assistant",
        "model": call.model,
        "content": [{"type": "text", "text": "".join(SENTENCE)}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 4},
    }
    if not call.streams:
        return as_json(message, headers=_served_by(call.model))
    begun = message | {"content": [], "stop_reason": None, "usage": {"input_tokens": 1, "output_tokens": 0}}
    events: list[Json] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
            for piece in SENTENCE
        ),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 4},
        },
        {"type": "message_stop"},
    ]
    return _events(call.model, [(str(event["type"]), event) for event in events])


def _count_tokens(call: Call) -> Reply:
    return as_json({"input_tokens": 0, "output_tokens": 0})


def _gemini_model(name: str) -> Json:
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name,
        "description": "",
        "inputTokenLimit": 128000,
        "outputTokenLimit": 8192,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
    }


def _gemini_models(call: Call) -> Reply:
    return as_json({"models": [_gemini_model(name) for name in MODELS]})


def _gemini_route(call: Call) -> Reply:
    if call.method != "POST":
        return as_json(_gemini_model(call.match.params["model"]))
    return _generate(call)


@_gemini
def _generate(call: Call) -> Reply:
    model, colon, method = call.match.params["model"].rpartition(":")
    if not colon:  # the proxy takes a bare model name for generateContent
        model, method = method, "generateContent"
    if method == "countTokens" and call.behaviour.count_tokens_colon:
        return _gemini_count(call)
    if method not in ("generateContent", "streamGenerateContent"):
        return plain(400, text("unsupported_method") % method)
    usage = {"promptTokenCount": 1, "candidatesTokenCount": 4, "totalTokenCount": 5}

    def candidate(said: str, **more: object) -> Json:
        return {"candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": said}]}, **more}],
                "modelVersion": model, "responseId": "stand-in"}  # fmt: skip

    if method == "generateContent":
        whole = candidate("".join(SENTENCE), finishReason="STOP") | {"usageMetadata": usage}
        return as_json(whole, headers=_served_by(model))
    # Server-sent events with and without ?alt=sse: handlers/gemini.rs looks at the method only, in every version.
    chunks = [candidate(piece) for piece in SENTENCE[:-1]]
    chunks.append(candidate(SENTENCE[-1], finishReason="STOP") | {"usageMetadata": usage})
    return _events(model, [(None, chunk) for chunk in chunks])


def _gemini_count(call: Call) -> Reply:
    return as_json({"totalTokens": 1}, headers=_served_by(call.match.params["model"]))


def _websocket(call: Call) -> Reply:
    """GET /v1/responses: a WebSocket, or what axum 0.7.9 refuses in the order in which it looks (extract/ws.rs; the
    same release in every version of the proxy since v4.3.0). No subprotocol is ever chosen: the handler names none."""
    headers = call.headers
    if call.method != "GET":  # a HEAD, which axum hands to the handler of GET
        return plain(405, "Request method must be `GET`")
    if "upgrade" not in headers.get("connection", "").lower():
        return plain(400, text("no_upgrade"))
    if headers.get("upgrade", "").lower() != "websocket":
        return plain(400, "`Upgrade` header did not include 'websocket'")
    if headers.get("sec-websocket-version") != "13":
        return plain(400, "`Sec-WebSocket-Version` header did not include '13'")
    key = headers.get("sec-websocket-key")
    if key is None:
        return plain(400, "`Sec-WebSocket-Key` header missing")
    if not call.upgradable:
        return plain(426, "WebSocket request couldn't be upgraded since no upgrade state was present")
    from wsproto.utilities import generate_accept_token

    accept = generate_accept_token(key.encode("latin-1")).decode()
    return Reply(101, None, headers=(("connection", "upgrade"), ("upgrade", "websocket"), (_ACCEPT, accept)))


def _responses_route(call: Call) -> Reply:
    return _responses(call) if call.method == "POST" else _websocket(call)


def _warmup(call: Call) -> Reply:
    return as_json({"success": True, "message": "The stand-in has no accounts to warm up."})


def _silent(call: Call) -> Reply:
    return Reply(200, None)


def _callback(call: Call) -> Reply:
    return Reply(200, "text/html; charset=utf-8", (b"<html><body><h1>Stand-in</h1></body></html>",))


def _mcp(call: Call) -> Reply:
    return as_json({"jsonrpc": "2.0", "id": call.body.get("id"), "result": {}})


def _status(call: Call) -> Reply:
    state: Json = {"running": call.running, "active_accounts": 1}
    if call.behaviour.status_port:
        return as_json(state | {"port": call.port, "base_url": f"http://127.0.0.1:{call.port}"})
    return as_json(state | {"url": ""})


def _logs(call: Call) -> Reply:
    return as_json([])


def _log_count(call: Call) -> Reply:
    return as_json(0)


def _admin(call: Call) -> Reply:
    """The other admin routes: an empty object, since the stand-in has no settings and no accounts."""
    return as_json({})


_HANDLERS: Mapping[str, Callable[[Call], Reply]] = {
    "/v1/chat/completions": _chat,
    "/v1/completions": _completions,
    "/v1/responses": _responses_route,
    "/responses": _responses,
    "/responses/compact": _compact,
    "/v1/images/generations": _images,
    "/v1/images/edits": _images,
    "/v1/audio/transcriptions": _transcription,
    "/v1/models": _models,
    "/v1/models/claude": _models,
    "/v1/models/detect": _detect,
    "/v1/messages": _messages,
    "/v1/messages/count_tokens": _count_tokens,
    "/v1beta/models": _gemini_models,
    "/v1beta/models/:model": _gemini_route,
    "/v1beta/models/:model/countTokens": _gemini_count,
    "/v1/api/event_logging": _silent,
    "/v1/api/event_logging/batch": _silent,
    "/internal/warmup": _warmup,
    "/auth/callback": _callback,
    "/mcp/web_search_prime/mcp": _mcp,
    "/mcp/web_reader/mcp": _mcp,
    "/mcp/zai-mcp-server/mcp": _mcp,
    "/api/proxy/status": _status,
    "/api/logs": _logs,
    "/api/logs/count": _log_count,
    "/api/debug/logs": _logs,
    "/api/security/logs": _logs,
}
