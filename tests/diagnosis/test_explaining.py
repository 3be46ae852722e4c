"""What `explain` says, as a table: a request (and what is known about it) -> verdict, codes in order, best base URL.

The best base URL is written as its path: "" is the bare origin, None means that there is nothing to type.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from antigravity_doctor.diagnosis.explaining import Explanation, explain
from antigravity_doctor.diagnosis.fixing import API_VERSION
from antigravity_doctor.knowledge.clients import find_client
from antigravity_doctor.knowledge.routes import table_for

ORIGIN = "http://127.0.0.1:8045"
MODEL = "gemini-2.5-pro"
HTML = "<!doctype html><html><head><title>Antigravity</title>"
UPSTREAM = '{"error":{"message":"Requested entity was not found.","type":"upstream_error"}}'
REJECTED = '{"error":{"message":"Invalid token.","type":"token_rejected","code":"token_rejected"}}'
EXPIRED = '{"error":{"message":"Your token has expired.","type":"token_rejected","code":"token_rejected"}}'
BLOCKED = '{"error":{"message":"Access denied.","type":"ip_blocked","code":"ip_blocked"}}'
DISABLED = "Proxy service is currently disabled"


def ask(request: str, **known: Any) -> Explanation:
    """`[METHOD] path[?query] [status]`, and what else is known: client and version by name, base by its path."""
    words = request.split(" ")
    method = words.pop(0) if words[0].isalpha() and words[0].isupper() else None
    status = int(words.pop()) if len(words) > 1 else None
    path, mark, query = words[0].partition("?")
    client = known.pop("client", None)
    base = known.pop("base", None)
    return explain(
        path,
        table=table_for(known.pop("version", None)),
        method=method,
        status=status,
        query=query if mark else None,
        client=find_client(client) if client else None,
        base_url=ORIGIN + base if base is not None else None,
        **known,
    )


def best(found: Explanation) -> str | None:
    """The path of the best fix's base URL."""
    return found.fixes[0].base_url.removeprefix(ORIGIN) if found.fixes else None


def codes(found: Explanation) -> list[str]:
    return [each.code.removeprefix("AGD") for each in found.findings]


def check(request: str, known: dict[str, Any], verdict: str, expected: str, base: str | None) -> None:
    found = ask(request, **known)
    assert (found.verdict, " ".join(codes(found)), best(found)) == (verdict, expected, base)


# --- the path alone --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "expected", "base"),
    [
        # 301: the version twice
        ("/v1/v1/chat/completions", "301", ""),
        ("/v1/v1/messages", "301", ""),
        ("/v1/v1/models", "301", ""),
        ("/v1/v1/responses", "301", ""),
        ("/v1/v1/completions", "301", ""),
        ("/v1/v1/messages/count_tokens", "301", ""),
        ("/v1/v1/images/generations", "301", ""),
        ("/v1/v1/audio/transcriptions", "301", ""),
        (f"/v1/v1beta/models/{MODEL}:generateContent", "301", ""),
        (f"/v1beta/v1beta/models/{MODEL}:streamGenerateContent", "301", ""),
        (f"/v1beta/v1beta/models/{MODEL}:countTokens", "301", ""),
        ("/v1/v1beta/models", "301", ""),
        ("/v1beta/v1/chat/completions", "301", ""),
        ("/v1/v1/v1/chat/completions", "301", ""),
        # 302, 310: an endpoint behind an endpoint
        ("/v1/chat/completions/responses", "302 310", "/v1"),
        ("/v1/chat/completions/chat/completions", "302 310", "/v1"),
        ("/v1/chat/completions/v1/chat/completions", "302 310", ""),
        ("/v1/chat/completions/messages", "302 310", "/v1"),
        ("/v1/chat/completions/v1/messages", "302 310", ""),
        ("/v1/chat/completions/models", "302 310", "/v1"),
        ("/v1/chat/completions/completions", "302 310", "/v1"),
        ("/v1/messages/v1/messages", "302 310", ""),
        ("/v1/messages/messages", "302 310", "/v1"),
        ("/v1/messages/v1/messages/count_tokens", "302 310", ""),
        ("/v1/messages/chat/completions", "302 310", "/v1"),
        ("/v1/responses/responses", "302 310", "/v1"),
        ("/v1/responses/v1/responses", "302 310", ""),
        ("/v1/completions/chat/completions", "302 310", "/v1"),
        ("/v1/models/chat/completions", "302 310", "/v1"),
        (f"/v1beta/models/v1beta/models/{MODEL}:generateContent", "302 310", ""),
        (f"/v1beta/models/models/{MODEL}:generateContent", "302 318", "/v1beta"),
        (f"/v1beta/models/models/{MODEL}:streamGenerateContent", "302 318", "/v1beta"),
        # 303: no version
        ("/chat/completions", "303", "/v1"),
        ("/completions", "303", "/v1"),
        ("/messages", "303", "/v1"),
        ("/models", "303", "/v1"),
        ("/images/generations", "303", "/v1"),
        ("/audio/transcriptions", "303", "/v1"),
        ("/messages/count_tokens", "303", ""),
        ("/models/claude", "303", "/v1"),
        ("/models/detect", "303", "/v1"),
        (f"/models/{MODEL}:generateContent", "303", "/v1beta"),
        (f"/models/{MODEL}:streamGenerateContent", "303", "/v1beta"),
        # 304: another protocol's version
        (f"/v1/models/{MODEL}:generateContent", "304", "/v1beta"),
        (f"/v1/models/{MODEL}:streamGenerateContent", "304", "/v1beta"),
        (f"/v1/models/{MODEL}:countTokens", "304", ""),
        (f"/v1alpha/models/{MODEL}:generateContent", "304", "/v1beta"),
        ("/v1beta/chat/completions", "304", "/v1"),
        ("/v1beta/messages", "304", "/v1"),
        ("/v1beta/responses", "304", "/v1"),
        ("/v2/chat/completions", "304", "/v1"),
        ("/v4/chat/completions", "304", "/v1"),
        ("/v1/responses/compact", "304", ""),
        ("/v1/healthz", "304", ""),
        ("/v1/health", "304", ""),
        # 305: somebody else's prefix
        ("/openai/v1/chat/completions", "305", "/v1"),
        ("/openai/v1/models", "305", "/v1"),
        ("/openai/v1/responses", "305", "/v1"),
        ("/openai/chat/completions", "305", "/v1"),
        ("/api/v1/chat/completions", "305", "/v1"),
        ("/api/v1/models", "305", "/v1"),
        ("/api/paas/v4/chat/completions", "305", "/v1"),
        ("/api/paas/v4/models", "305", "/v1"),
        ("/api/coding/paas/v4/chat/completions", "305", "/v1"),
        ("/compatible-mode/v1/chat/completions", "305", "/v1"),
        ("/inference/v1/chat/completions", "305", "/v1"),
        ("/api/v3/chat/completions", "305", "/v1"),
        ("/v1beta/openai/chat/completions", "305", "/v1"),
        ("/v1/openai/chat/completions", "305", "/v1"),
        ("/api/anthropic/v1/messages", "305", ""),
        ("/anthropic/v1/messages", "305", ""),
        ("/apps/anthropic/v1/messages", "305", ""),
        ("/anthropic/messages", "305", "/v1"),
        ("/proxy/v1/chat/completions", "305", "/v1"),
        ("/my/gateway/v1/messages", "305", ""),
        ("/my/gateway/chat/completions", "305", "/v1"),
        (f"/gemini/v1beta/models/{MODEL}:generateContent", "305", ""),
        ("/v1/wibble/chat/completions", "305", "/v1"),
        # 306, 307: slashes
        ("//v1/chat/completions", "306", ""),
        ("//v1/messages", "306", ""),
        ("//v1/models", "306", ""),
        ("/v1//chat/completions", "306", "/v1"),
        ("/v1//messages", "306", "/v1"),
        ("/v1//models", "306", "/v1"),
        (f"//v1beta/models/{MODEL}:generateContent", "306", ""),
        ("/v1/chat//completions", "306", "/v1"),
        ("/v1/chat/completions/", "307", "/v1"),
        ("/v1/models/", "307", "/v1"),
        ("/v1/messages/", "307", ""),
        ("/v1beta/models/", "307", ""),
        ("/healthz/", "307", ""),
        ("/mcp/web_reader/mcp/", "307", ""),
        # 308: capitals and escapes
        ("/V1/chat/completions", "308", "/v1"),
        ("/V1/messages", "308", "/v1"),
        ("/v1/Chat/Completions", "308", "/v1"),
        ("/V1/Models", "308", "/v1"),
        ("/V1BETA/models/x:generateContent", "308", "/v1beta"),
        ("/v1%2Fchat%2Fcompletions", "308", "/v1"),
        ("/v1/%63hat/completions", "308", "/v1"),
        ("/v1/m%6fdels", "308", "/v1"),
        # 309: a URL inside
        ("/v1/http://127.0.0.1:8045/v1/chat/completions", "309", "/v1"),
        ("/http://127.0.0.1:8045/v1/messages", "309", ""),
        ("/127.0.0.1:8045/v1/chat/completions", "309", "/v1"),
        ("/localhost:8045/v1/models", "309", "/v1"),
        ("/v1/localhost:8045/v1/chat/completions", "309", "/v1"),
        ("/http:/127.0.0.1:8045/v1/chat/completions", "309", "/v1"),
        ("/http%3A%2F%2F127.0.0.1%3A8045/v1/chat/completions", "309 308", "/v1"),
        ("/192.168.1.20/v1/chat/completions", "309", "/v1"),
        # 311: what was copied with it
        ("/v1/chat/completions%20", "311", "/v1"),
        ("/v1%20/chat/completions", "311", "/v1"),
        ("/v1/chat/completions%22", "311", "/v1"),
        ('/v1/chat/completions"', "311", "/v1"),
        ("/v1/models。", "311", "/v1"),
        ("/v1/chat/completions.", "311", "/v1"),
        ("/v1/chat/completions),", "311", "/v1"),
        ("/v1,/chat/completions", "311", "/v1"),
        ("/%E2%80%9Cv1/messages", "311", "/v1"),
        # several at once
        ("/api/v1/v1/chat/completions", "301 305", ""),
        ("/openai/v1/v1/chat/completions", "301 305", ""),
        ("/V1/v1/chat/completions", "301 308", ""),
        ("/v1/v1//chat/completions", "301 306", "/v1"),
        ("/v1//v1/chat/completions", "301 306", ""),
        ("//v1/v1/messages", "301 306", ""),
        ("/v1/v1/chat/completions/", "301 307", "/v1"),
        ("/v1/v1/Chat/Completions%20", "301 308 311", "/v1"),
        ("/openai/v1/chat/completions/responses", "302 310 305", "/v1"),
        ("/v1/v1/chat/completions/responses", "302 310 301", "/v1"),
        ("/api/paas/v4//chat/completions", "305 306", "/v1"),
        ("/v1beta/v1/chat/completions/", "301 307", "/v1"),
        ("/V1/Chat/Completions/", "307 308", "/v1"),
    ],
)
def test_a_misrouted_path(request_: str, expected: str, base: str | None) -> None:
    check(request_, {}, "misrouted", expected, base)


@pytest.mark.parametrize(
    ("request_", "verdict", "expected", "base"),
    [
        # another vendor's path style: the provider has to change, and then this base URL
        ("/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21", "misrouted", "312", "/v1"),
        ("/v1/openai/deployments/gpt-4o/chat/completions", "misrouted", "312", "/v1"),
        ("/openai/deployments/e/embeddings", "unsupported", "312", None),
        ("/api/chat", "misrouted", "313", "/v1"),
        ("/api/generate", "misrouted", "313", "/v1"),
        ("/v1/api/chat", "misrouted", "313", "/v1"),
        ("/api/show", "unsupported", "313", None),
        (f"/v1beta1/projects/p/locations/l/publishers/google/models/{MODEL}:generateContent", "misrouted", "314", ""),
        ("/v1/projects/p/locations/l/publishers/anthropic/models/c:rawPredict", "misrouted", "314", ""),
        ("/v1/projects/p/locations/l/endpoints/openapi/chat/completions", "misrouted", "314", "/v1"),
        (f"/v1beta1/publishers/google/models/{MODEL}:generateContent", "misrouted", "314", ""),
        ("GET /v1beta1/publishers/google/models", "misrouted", "314", ""),
        ("/v1internal:streamGenerateContent", "misrouted", "314", ""),
        ("/v1internal:loadCodeAssist", "unsupported", "314", None),
        # misspelt or cut off
        ("/v1/chat", "misrouted", "315", "/v1"),
        ("/v1/chat/completion", "misrouted", "315", "/v1"),
        ("/v1/chat/compeltions", "misrouted", "315", "/v1"),
        ("/v1/chatcompletions", "misrouted", "315", "/v1"),
        ("/v1/chat-completions", "misrouted", "315", "/v1"),
        ("/v1/message", "misrouted", "315", ""),
        ("/v1/mesages", "misrouted", "315", ""),
        ("/v1/response", "misrouted", "315", "/v1"),
        ("/v1/model", "misrouted", "315", "/v1"),
        ("/v1/images", "misrouted", "315", "/v1"),
        ("/v1/image/generation", "misrouted", "315", "/v1"),
        ("/v1/audio/transcription", "misrouted", "315", "/v1"),
        (f"/v1beta/model/{MODEL}:generateContent", "misrouted", "315", ""),
        (f"/v1beta/models/{MODEL}/generateContent", "misrouted", "315", ""),
        ("/v1/v1/chat/completion", "misrouted", "315 301", ""),
        ("/openai/v1/chat/completion", "misrouted", "315 305", "/v1"),
        ("/chat/completion", "misrouted", "315 303", "/v1"),
        ("/v1/embedding", "unsupported", "315 402", None),
        # a model with a slash in its name: the base URL is right
        (f"/v1beta/models/google/{MODEL}:generateContent", "misrouted", "318", None),
        (f"/v1beta/models/openrouter/google/{MODEL}:streamGenerateContent", "misrouted", "318", None),
        (f"/v1/models/google/{MODEL}:generateContent", "misrouted", "318 304", "/v1beta"),
        (f"/v1/v1beta/models/google/{MODEL}:generateContent", "misrouted", "318 301", ""),
        # nothing that anybody knows
        ("/wibble/wobble", "unsupported", "316", None),
        ("/index.php", "unsupported", "316", None),
        ("/wp-login.php", "unsupported", "316", None),
        ("/v1/wibble", "unsupported", "316", None),
        ("/graphql", "unsupported", "316", None),
        ("/v1/messages/wibble", "misrouted", "302", None),
        # served by no version
        ("/v1/embeddings", "unsupported", "402", None),
        ("/embeddings", "unsupported", "402", None),
        ("/v1/models/gpt-4o", "unsupported", "402", None),
        ("GET /v1/models/claude-sonnet-4-5", "unsupported", "402", None),
        ("/models/gpt-4o", "unsupported", "402", None),
        ("/v1/audio/speech", "unsupported", "402", None),
        ("/v1/images/variations", "unsupported", "402", None),
        ("/v1/moderations", "unsupported", "402", None),
        ("/v1/files", "unsupported", "402", None),
        ("GET /v1/responses/resp_123", "unsupported", "402", None),
        ("/v1/messages/batches", "unsupported", "402", None),
        ("/v1/complete", "unsupported", "402", None),
        ("/v1/rerank", "unsupported", "402", None),
        ("/v1/v1/embeddings", "unsupported", "402 301", None),
        ("/openai/v1/embeddings", "unsupported", "402 305", None),
        ("/v1/embeddings/", "unsupported", "402 307", None),
        # noise
        ("/favicon.ico", "not-a-path-problem", "601", None),
        ("/robots.txt", "not-a-path-problem", "601", None),
        ("/api/tags", "not-a-path-problem", "601", None),
        ("POST /api/event_logging/batch", "not-a-path-problem", "601", None),
        ("HEAD /api/hello", "not-a-path-problem", "601", None),
        ("/v1/api/hello", "not-a-path-problem", "601", None),
        ("/api/claude_code/settings", "not-a-path-problem", "601", None),
        ("/dashboard/billing/usage", "not-a-path-problem", "601", None),
        ("/.well-known/oauth-authorization-server", "not-a-path-problem", "601", None),
        ("/favicon.ico 401", "not-a-path-problem", "601", None),
        # a base URL opened by itself
        ("/", "not-a-path-problem", "602", None),
        ("/v1", "not-a-path-problem", "602", None),
        ("/v1/", "not-a-path-problem", "602", None),
        ("GET /v1beta", "not-a-path-problem", "602", None),
        ("HEAD /", "not-a-path-problem", "602", None),
        ("OPTIONS /v1", "not-a-path-problem", "602", None),
        ("GET /openai/v1", "not-a-path-problem", "602", None),
        ("GET /api/paas/v4", "not-a-path-problem", "602", None),
        # the client adds nothing to what was typed
        ("POST /", "misrouted", "317", "/v1/chat/completions"),
        ("POST /v1", "misrouted", "317", "/v1/chat/completions"),
        ("POST /v1/", "misrouted", "317", "/v1/chat/completions"),
        ("POST /openai/v1", "misrouted", "317", "/v1/chat/completions"),
        # the app's own pages
        ("GET /api/accounts", "not-a-path-problem", "603", None),
        ("POST /api/zai/models/fetch", "not-a-path-problem", "603", None),
    ],
)
def test_a_path_that_no_base_url_helps_or_that_is_not_what_it_seems(
    request_: str, verdict: str, expected: str, base: str | None
) -> None:
    check(request_, {}, verdict, expected, base)


@pytest.mark.parametrize(
    "request_",
    [
        "/v1/chat/completions", "POST /v1/chat/completions", "GET /v1/models", "HEAD /v1/models", "POST /v1/messages",
        "POST /v1/messages?beta=true", "POST /v1/messages/count_tokens", "POST /v1/responses", "GET /v1/responses",
        f"POST /v1beta/models/{MODEL}:generateContent", f"POST /v1beta/models/{MODEL}:streamGenerateContent?alt=sse",
        f"GET /v1beta/models/{MODEL}", "GET /v1beta/models", "POST /responses", "POST /responses/compact",
        "GET /healthz", "GET /health", "GET /api/health", "GET /v1/models/claude", "POST /v1/models/detect",
        "GET /mcp/web_reader/mcp", "DELETE /mcp/web_reader/mcp", "POST /v1/api/event_logging/batch",
        "OPTIONS /v1/chat/completions", "POST /v1/chat/completions 200", "GET /v1/models 200",
        "POST /v1beta/models/models%2Fgemini:generateContent", "GET /api/logs/123",
    ],
)  # fmt: skip
def test_a_right_request_is_never_blamed(request_: str) -> None:
    check(request_, {}, "routed", "", None)


# --- what else is known: method, status, body, host ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "known", "verdict", "expected", "base"),
    [
        # the four symptoms of the classic guide
        ("POST /v1/v1/chat/completions 404", {"body": ""}, "misrouted", "301", ""),
        ("POST /v1/chat/completions/responses 404", {}, "misrouted", "302 310", "/v1"),
        ("POST /v1/chat/completions", {"host": "http://127.0.0.1:8046"}, "not-a-path-problem", "502", "/v1"),
        ("POST /v1/chat/completions 401", {"body": ""}, "not-a-path-problem", "201", None),
        ("POST /v1/v1/messages 401", {"body": ""}, "misrouted", "301 207", ""),
        # Docker: never 404
        ("POST /v1/v1/chat/completions 405", {"body": ""}, "misrouted", "301 407", ""),
        ("POST /chat/completions 405", {}, "misrouted", "303 407", "/v1"),
        ("/v1/v1/messages 405", {}, "misrouted", "301 407", ""),
        ("GET /v1/v1/models 200", {"body": HTML}, "misrouted", "301 404", ""),
        ("GET /models 200", {"body": HTML}, "misrouted", "303 404", "/v1"),
        ("GET /models", {"headers": [("Content-Type", "text/html; charset=utf-8")]}, "misrouted", "303 404", "/v1"),
        ("GET /v1/embeddings 200", {"body": HTML}, "unsupported", "402 404", None),
        # 401 and 403 on a path that does not exist
        ("GET /v1/models/ 401", {}, "misrouted", "307 207", "/v1"),
        ("POST /v1/v1/messages 403", {"body": REJECTED}, "misrouted", "301 202", ""),
        ("POST /v1/v1/messages 403", {"body": BLOCKED}, "misrouted", "301 203", ""),
        ("GET /wibble 401", {}, "unsupported", "316 207", None),
        # a status on a right path is about something else
        ("POST /v1/chat/completions 404", {"body": UPSTREAM}, "not-a-path-problem", "405", None),
        ("POST /v1/chat/completions 404", {}, "not-a-path-problem", "405", None),
        (f"POST /v1beta/models/{MODEL}:generateContent 404", {"body": UPSTREAM}, "not-a-path-problem", "405", None),
        ("POST /v1/messages 429", {}, "not-a-path-problem", "408", None),
        ("POST /v1/messages 529", {}, "not-a-path-problem", "408", None),
        ("POST /v1/chat/completions 500", {}, "not-a-path-problem", "408", None),
        ("POST /v1/chat/completions 502", {}, "not-a-path-problem", "408", None),
        ("POST /v1/chat/completions 400", {}, "not-a-path-problem", "409", None),
        ("POST /v1/chat/completions 413", {}, "not-a-path-problem", "409", None),
        ("POST /v1/chat/completions 415", {}, "not-a-path-problem", "409", None),
        ("POST /v1/chat/completions 422", {}, "not-a-path-problem", "409", None),
        ("GET /v1/responses 400", {}, "not-a-path-problem", "409", None),
        ("POST /v1/chat/completions 503", {"body": DISABLED}, "not-a-path-problem", "109", None),
        ("POST /v1/chat/completions 503", {"body": "No available accounts"}, "not-a-path-problem", "408", None),
        ("POST /v1/chat/completions 503", {}, "not-a-path-problem", "109 408", None),
        ("POST /v1/v1/messages 503", {"body": DISABLED}, "misrouted", "301 109", ""),
        ("GET /favicon.ico 503", {"body": DISABLED}, "not-a-path-problem", "601 109", None),
        # the key
        ("POST /v1/chat/completions 403", {"body": REJECTED}, "not-a-path-problem", "202", None),
        ("POST /v1/chat/completions 403", {"body": EXPIRED}, "not-a-path-problem", "208", None),
        ("POST /v1/chat/completions 403", {"body": BLOCKED}, "not-a-path-problem", "203", None),
        ("POST /v1/chat/completions 403", {}, "not-a-path-problem", "202 203", None),
        ("POST /v1/chat/completions 401", {"version": "4.1.0"}, "not-a-path-problem", "201 202", None),
        (f"POST /v1beta/models/{MODEL}:generateContent?key=x 401", {}, "not-a-path-problem", "205 201", None),
        (f"POST /v1beta/models/{MODEL}:generateContent?alt=sse&key=x", {}, "routed", "205", None),
        ("POST /v1/models?monkey=1", {}, "wrong-method", "401", None),
        (f"POST /v1/models/{MODEL}:generateContent?key=x", {}, "misrouted", "304 205", "/v1beta"),
        # the method
        ("GET /v1/chat/completions", {}, "wrong-method", "401", None),
        ("GET /v1/chat/completions 405", {}, "wrong-method", "401", None),
        ("GET /v1/chat/completions 401", {}, "wrong-method", "401 201", None),
        ("HEAD /v1/messages", {}, "wrong-method", "401", None),
        ("POST /v1/models", {}, "wrong-method", "401", None),
        ("PUT /v1beta/models/x", {}, "wrong-method", "401", None),
        ("/v1/chat/completions 405", {}, "wrong-method", "401", None),
        ("get /v1/models".replace("get", "GET"), {}, "routed", "", None),
        ("GET /v1/v1/chat/completions", {}, "misrouted", "301", ""),
        ("OPTIONS /v1/v1/chat/completions", {}, "misrouted", "301", ""),
        ("HEAD /v1/v1/models", {}, "misrouted", "301", ""),
        ("PUT /v1/chat/completions/", {}, "misrouted", "307", "/v1"),
        ("DELETE /v1/v1/models", {}, "misrouted", "301", ""),
        # Codex tries a WebSocket first
        ("GET /v1/responses 405", {"version": "4.2.0"}, "other-version", "403 601", None),
        ("GET /responses 405", {}, "not-a-path-problem", "601", None),
        ("GET /v1/v1/responses", {}, "misrouted", "301", ""),
        # an answer that the proxy does not give
        ("POST /v1/chat/completions 405", {}, "not-a-path-problem", "411", None),
        ("POST /v1/chat/completions 404", {"body": ""}, "not-a-path-problem", "411", None),
        ("GET /v1/models 200", {"body": HTML}, "not-a-path-problem", "411", None),
        ("GET /v1/models 502", {"body": "<html><h1>502 Bad Gateway"}, "not-a-path-problem", "411", None),
        ("POST /v1/v1/messages 404", {"body": '{"detail":"Not Found"}'}, "misrouted", "301 411", ""),
        ("POST /v1/v1/messages 404", {"body": "<html><title>404 Not Found"}, "misrouted", "301 411", ""),
        # an older proxy than the table
        ("POST /responses 404", {"body": ""}, "other-version", "403", None),
        ("POST /responses 405", {}, "other-version", "403", None),
        ("GET /healthz 200", {"body": HTML}, "other-version", "403 404", None),
        ("GET /mcp/web_reader/mcp 404", {"body": ""}, "not-a-path-problem", "406", None),
        # another host or port
        ("POST /v1/chat/completions 401", {"host": "https://api.openai.com"}, "not-a-path-problem", "501", "/v1"),
        ("POST /v1/messages 404", {"host": "https://api.anthropic.com"}, "not-a-path-problem", "501", ""),
        (
            f"POST /v1beta/models/{MODEL}:generateContent 429",
            {"host": "https://generativelanguage.googleapis.com"},
            "not-a-path-problem",
            "501",
            "",
        ),
        ("POST /api/v1/chat/completions 401", {"host": "https://openrouter.ai"}, "misrouted", "501 305", "/v1"),
        ("POST /v1/embeddings", {"host": "https://api.openai.com"}, "unsupported", "501 402", None),
        ("GET /api/hello", {"host": "https://api.anthropic.com"}, "not-a-path-problem", "601 501", None),
        ("POST /v1/v1/messages 404", {"host": "http://localhost:8046"}, "misrouted", "301 502", ""),
        ("POST /v1/v1/messages", {"host": "http://192.168.1.20:8045"}, "misrouted", "301 508", ""),
        ("POST /v1/v1/messages", {"host": "http://proxy.home.arpa"}, "misrouted", "301 508", ""),
        ("POST /v1/messages", {"host": "http://localhost:8045"}, "routed", "", None),
        ("POST /v1/messages", {"host": "http://localhost:abc"}, "routed", "", None),
    ],
)
def test_what_status_body_and_host_add(
    request_: str, known: dict[str, Any], verdict: str, expected: str, base: str | None
) -> None:
    check(request_, dict(known), verdict, expected, base)


# --- the version of the proxy ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "version", "verdict", "expected", "base"),
    [
        ("POST /responses", "4.2.0", "other-version", "403", "/v1"),
        ("POST /responses/compact", "4.3.8", "other-version", "403", None),
        ("GET /healthz", "4.0.5", "other-version", "403", None),
        ("GET /health", "4.0.9", "other-version", "403", None),
        ("POST /v1/responses", "3.2.0", "other-version", "403", None),
        ("POST /v1/messages", "3.0.0", "other-version", "403", None),
        (f"POST /v1beta/models/{MODEL}:generateContent", "3.1.0", "other-version", "403", None),
        ("POST /v1/responses/compact", "4.2.0", "unsupported", "402", None),
        ("POST /v1/v1/responses", "4.2.0", "misrouted", "301", ""),
        ("POST /v1/v1/chat/completions", "3.0.0", "misrouted", "301", ""),
        ("POST /v1/messages/v1/messages", "4.0.0", "misrouted", "302 310", ""),
        ("POST /v1/v1/messages", "3.0.0", "other-version", "403 301", None),
        ("POST /x/v1/responses", "3.2.0", "other-version", "403 305", None),
        ("POST /completions", "3.2.0", "other-version", "403 303", None),
        (f"POST /v1/models/{MODEL}:generateContent", "3.1.0", "other-version", "403 304", None),
        ("GET /api/accounts", "3.3.0", "unsupported", "316", None),
        ("GET /healthz", "3.3.0", "routed", "", None),
        ("POST /responses", "9.9.9", "routed", "", None),
    ],
)
def test_another_version_of_the_proxy(
    request_: str, version: str, verdict: str, expected: str, base: str | None
) -> None:
    check(request_, {"version": version}, verdict, expected, base)


# --- client and base URL known ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "client", "expected", "base"),
    [
        ("/v1/v1/chat/completions", "openai-python", "301", "/v1"),
        ("/v1/v1/chat/completions", "nextchat", "301", ""),
        ("/v1/v1/messages", "claude-code", "301", ""),
        ("/v1/v1/messages", "opencode", "301", "/v1"),
        ("/x/v1/chat/completions", "nextchat", "305", ""),
        ("/x/v1/chat/completions", "openai-node", "305", "/v1"),
        ("/v1/chat/completions/responses", "kilo-code", "302 310", "/v1"),
        ("/v1/chat/completions/responses", "codex", "302 310", "/v1"),
        (f"/v1/models/{MODEL}:generateContent", "ai-sdk-google", "304", "/v1beta"),
        (f"/v1/models/{MODEL}:generateContent", "google-genai-python", "304", ""),
        (f"/v1/models/{MODEL}:generateContent", "google-genai-node", "304", ""),
        (f"/v1/v1beta/models/{MODEL}:generateContent", "gemini-cli", "301", ""),
        (f"/models/{MODEL}:streamGenerateContent", "kilo-code", "303", "/v1beta"),
        ("//v1/messages", "anthropic-python", "306", ""),
        # a request that this client never makes is explained as any client's
        ("/v1/chat/completions/responses", "claude-code", "302 310 320", "/v1"),
        ("/v1/v1/chat/completions", "gemini-cli", "301 320", ""),
    ],
)
def test_with_the_client_known(request_: str, client: str, expected: str, base: str | None) -> None:
    check(request_, {"client": client}, "misrouted", expected, base)


@pytest.mark.parametrize(
    ("request_", "base", "expected", "right"),
    [
        ("/v1/v1/chat/completions", "/v1", "301", ""),
        ("/v1/v1/chat/completions", "/v1/", "301", ""),
        ("/v1/v1/chat/completions", "/v1/v1", "301", "/v1"),
        ("/chat/completions", "", "303", "/v1"),
        ("/v1/chat/completions/responses", "/v1/chat/completions", "302 310", "/v1"),
        ("/v1/messages/v1/messages", "/v1/messages", "302 310", ""),
        ("/api/paas/v4/chat/completions", "/api/paas/v4", "305", "/v1"),
        ("/openai/v1/messages", "/openai", "305", ""),
        ("/openai/v1/messages", "/openai/v1", "305", "/v1"),
        (f"/v1beta/models/models/{MODEL}:generateContent", "/v1beta/models", "302 310", "/v1beta"),
        (f"/v1/models/{MODEL}:generateContent", "/v1", "304", "/v1beta"),
        (f"/v1/models/{MODEL}:generateContent", "", "304", ""),
        ("/V1/chat/completions", "/V1", "308", "/v1"),
        ("/v1//chat/completions", "/v1/", "306", "/v1"),
        ("/v1/v1/completions", "/v1", "301", ""),
        # a suffix that nobody in the catalogue adds is taken as it is
        ("/x/v1/audio/transcriptions", "/x", "305", ""),
        ("/x/healthz", "/x", "305", ""),
        # the base URL is used whole, and is no route
        ("POST /v1/chat/completions/", "/v1/chat/completions/", "307", "/v1/chat/completions"),
        ("POST /v1", "/v1", "317", "/v1/chat/completions"),
        ("/chat/completions", "/chat/completions", "303", "/v1/chat/completions"),
        # the base URL that was named is not the one in use
        ("/v1/v1/chat/completions", "/proxy", "301 319", ""),
        ("/v1/v1/chat/completions", "", "301 319", ""),
        ("/chat/completions", "/v1", "303 319", "/v1"),
    ],
)
def test_with_the_base_url_known(request_: str, base: str, expected: str, right: str) -> None:
    check(request_, {"base": base}, "misrouted", expected, right)


@pytest.mark.parametrize(
    ("request_", "client", "base", "verdict", "expected", "right"),
    [
        ("POST /v1/v1/chat/completions", "openai-python", "/v1/v1", "misrouted", "301", "/v1"),
        ("POST /v1/v1/messages", "claude-code", "/v1", "misrouted", "301", ""),
        ("POST /chat/completions", "openai-python", "", "misrouted", "303", "/v1"),
        ("POST /x/chat/completions", "cline", "/x", "misrouted", "305", "/v1"),
        ("POST /x/v1/chat/completions", "cherry-studio", "/x", "misrouted", "305", ""),
        ("POST /v1/responses/compact", "codex", "/v1", "misrouted", "304", ""),
        (f"POST /v1/models/{MODEL}:generateContent", "google-genai-python", "", "misrouted", "304", ""),
        # the base URL is right already, this request of the client is simply not served
        ("POST /v1/embeddings", "openai-python", "/v1", "unsupported", "402", None),
        ("GET /v1/models/gpt-4o", "openai-python", "/v1", "unsupported", "402", None),
        ("POST /v1/audio/speech", "nextchat", "", "unsupported", "402", None),
        # it is not served either, but the base URL is wrong as well
        ("POST /v1/v1/embeddings", "openai-python", "/v1/v1", "unsupported", "402 301", "/v1"),
        ("POST /v1/v1/audio/speech", "nextchat", "/v1", "unsupported", "402 301", ""),
        # a second try after a first one that was right: no base URL is to blame
        ("POST /v1/v1/responses", "kilo-code", "/v1", "not-a-path-problem", "601", None),
        ("POST /v1/v1/responses", "kilo-code", "/v1/v1", "misrouted", "301", "/v1"),
        # a model with a slash: what was typed as base URL is not doubted
        (
            f"POST /v1beta/models/google/{MODEL}:generateContent",
            "google-genai-python",
            "",
            "misrouted",
            "318",
            None,
        ),
        # this client cannot have made the path with this base URL
        ("POST /v1/v1/chat/completions", "openai-python", "/v1", "misrouted", "301 319", "/v1"),
    ],
)
def test_with_client_and_base_url_known(
    request_: str, client: str, base: str, verdict: str, expected: str, right: str | None
) -> None:
    check(request_, {"client": client, "base": base}, verdict, expected, right)


def test_with_client_and_base_url_known_the_answer_is_certain() -> None:
    found = ask("POST /v1/v1/messages", client="claude-code", base="/v1")
    assert len(found.fixes) == 1
    assert found.fixes[0].confidence == 1.0
    assert found.fixes[0].clients == ("claude-code",)


def test_with_the_base_url_alone_it_is_almost_certain() -> None:
    found = ask("POST /v1/v1/messages", base="/v1")
    assert [each.confidence for each in found.fixes] == [0.97]


# --- what a fix holds ------------------------------------------------------------------------------------------------


def test_a_fix_shows_the_sum_before_and_after() -> None:
    fix = ask("/v1/v1/chat/completions").fixes[0]
    assert (fix.configured_base_url, fix.appends) == (ORIGIN + "/v1", "/v1/chat/completions")
    assert (fix.base_url, fix.resulting_path, fix.route) == (ORIGIN, "/v1/chat/completions", "/v1/chat/completions")
    assert "nextchat" in fix.clients


def test_a_fix_is_for_the_proxy_and_shows_the_host_that_was_asked() -> None:
    fix = ask("/v1/v1/messages", host="http://192.168.1.20:8045", origin="http://10.0.0.5:9000").fixes[0]
    assert fix.base_url == "http://10.0.0.5:9000"
    assert fix.configured_base_url == "http://192.168.1.20:8045/v1"


def test_the_other_reading_comes_second_with_its_own_clients() -> None:
    first, second = ask("/v1/v1/chat/completions").fixes
    assert first.confidence > 5 * second.confidence
    assert (second.base_url, second.configured_base_url) == (ORIGIN + "/v1", ORIGIN + "/v1/v1")
    assert "openai-python" in second.clients


def test_a_gemini_sdk_with_the_wrong_api_version_gets_both_ways_out() -> None:
    first, second = ask(f"/v1/models/{MODEL}:generateContent").fixes
    assert (first.base_url, first.note) == (ORIGIN + "/v1beta", None)
    assert (second.base_url, second.configured_base_url, second.note) == (ORIGIN, ORIGIN, API_VERSION)
    assert second.resulting_path == f"/v1beta/models/{MODEL}:generateContent"


def test_with_the_sdk_known_the_api_version_comes_first() -> None:
    fix = ask(f"/v1/models/{MODEL}:generateContent", client="google-genai-python").fixes[0]
    assert (fix.base_url, fix.note) == (ORIGIN, API_VERSION)


def test_a_path_style_of_another_vendor_names_what_has_to_change_as_well() -> None:
    assert {each.note for each in ask("/openai/deployments/x/chat/completions").fixes} == {"azure"}
    assert {each.note for each in ask("/api/chat").fixes} == {"ollama"}
    assert {each.note for each in ask("/v1internal:generateContent").fixes} == {"vertex"}


def test_where_only_the_spelling_is_known_no_base_url_is_claimed_to_be_in_use() -> None:
    for request in ("/v1/chat/completions/", "/v1/Chat/Completions", "/v1/chat/completion", "/api/chat"):
        assert {each.configured_base_url for each in ask(request).fixes} == {None}


def test_the_same_advice_is_given_once() -> None:
    for request in ("/v1/v1/chat/completions", "/models", f"/v1/v1beta/models/{MODEL}:generateContent"):
        fixes = [(each.base_url, each.appends, each.note) for each in ask(request).fixes]
        assert len(fixes) == len(set(fixes))


def test_confidences_fall_and_never_add_up_to_more_than_one() -> None:
    for request in ("/v1/v1/chat/completions", "/models", "/x/v1/messages", "/v1/chat/completions/responses"):
        shares = [each.confidence for each in ask(request).fixes]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) <= 1.0


# --- odd input -------------------------------------------------------------------------------------------------------


def test_a_path_without_its_slash_gets_one() -> None:
    assert ask("v1/v1/messages").path == "/v1/v1/messages"


def test_a_correction_is_not_corrected_again() -> None:
    found = explain("/v1/chat/chat/completion:/messages:?", table=table_for(None))
    assert codes(found) == ["315", "402", "305"]


def test_the_method_may_be_in_small_letters() -> None:
    assert explain("/v1/models", table=table_for(None), method="get").verdict == "routed"


@pytest.mark.parametrize(
    "path",
    [
        "/" * 1_000_000,
        "/v1" * 300_000,
        "/" + "a" * 1_000_000,
        "/v1/" + "%41" * 300_000 + "/chat/completions",
        "/x" * 100_000 + "/chat/completions",
        "/v1/models/" + "g" * 1_000_000 + ":generateContent",
        "/" + "[" * 500_000 + "/v1/chat/completions",
        "/projects/" * 100_000,
        "/http://" * 100_000,
    ],
    ids=["slashes", "versions", "letters", "escapes", "segments", "model", "brackets", "vertex", "urls"],
)
def test_a_path_of_a_megabyte_is_no_work(path: str) -> None:
    explain("/v1/v1/models", table=table_for(None))
    begin = time.process_time()
    for known in ({}, {"base_url": ORIGIN + "/v1"}, {"client": find_client("cline"), "body": path, "status": 404}):
        found = explain(path, table=table_for(None), **known)
        assert (found.verdict, codes(found)[0]) == ("unsupported", "316")
    assert time.process_time() - begin < 0.5


def test_nor_are_very_many_segments() -> None:
    assert codes(ask("/x" * 65 + "/chat/completions")) == ["316"]
    assert codes(ask("/x" * 60 + "/chat/completions")) == ["305"]


def test_a_right_path_that_went_elsewhere_keeps_its_path_and_gets_the_proxys_address() -> None:
    found = explain(
        "/v1/chat/completions", table=table_for(None), origin="http://10.0.0.5:9000", host="https://api.openai.com"
    )
    bases = {(each.configured_base_url, each.base_url) for each in found.fixes}
    assert ("https://api.openai.com/v1", "http://10.0.0.5:9000/v1") in bases
    assert all(each.resulting_path == "/v1/chat/completions" for each in found.fixes)
