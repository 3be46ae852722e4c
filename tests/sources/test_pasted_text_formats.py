"""What is found in one line of each format. The expectations are written by hand from the text, never by the code.

A row is (text, [(method, path, query, status), …]).
"""

# ruff: noqa: E501  (a sample is one line, as in the log it stands for)

from __future__ import annotations

import pytest

from antigravity_doctor.sources.pasted_text import find_requests

Row = tuple[str, list[tuple[str | None, str, str | None, int | None]]]

CHAT2 = "/v1/v1/chat/completions"


def found(text: str) -> list[tuple[str | None, str, str | None, int | None]]:
    return [(item.method, item.path, item.query, item.status) for item in find_requests(text)]


BARE: dict[str, Row] = {
    "path": ("/v1/v1/chat/completions", [(None, CHAT2, None, None)]),
    "path-with-blanks-around": ("  /v1/v1/chat/completions \n", [(None, CHAT2, None, None)]),
    "path-without-leading-slash": ("v1/chat/completions", [(None, "/v1/chat/completions", None, None)]),
    "relative-model-path": (
        "models/gemini-pro:generateContent",
        [(None, "/models/gemini-pro:generateContent", None, None)],
    ),
    "method-and-path": ("POST /v1/x", [("POST", "/v1/x", None, None)]),
    "method-and-url": ("POST http://host:8045/v1/x", [("POST", "/v1/x", None, None)]),
    "status-and-path": ("404 /v1/x", [(None, "/v1/x", None, 404)]),
    "status-method-path": ("405 POST /v1/models", [("POST", "/v1/models", None, 405)]),
    "host-port-path": ("127.0.0.1:8045/v1/v1/models", [(None, "/v1/v1/models", None, None)]),
    "localhost-port-path": ("localhost:8045/v1", [(None, "/v1", None, None)]),
    "host-name-port-path": ("antigravity:8045/v1/v1/messages", [(None, "/v1/v1/messages", None, None)]),
    "ipv6-url": ("http://[::1]:8045/v1/v1/models", [(None, "/v1/v1/models", None, None)]),
    "url-without-path": ("http://127.0.0.1:8045", [(None, "/", None, None)]),
    "url-with-query-only": ("http://127.0.0.1:8045?key=abc", [(None, "/", "key=abc", None)]),
    "root": ("/", [(None, "/", None, None)]),
    "double-slash-kept": ("//v1/chat/completions", [(None, "//v1/chat/completions", None, None)]),
    "inner-double-slash-kept": ("/v1//chat/completions", [(None, "/v1//chat/completions", None, None)]),
    "trailing-slash-kept": ("/v1/chat/completions/", [(None, "/v1/chat/completions/", None, None)]),
    "case-kept": ("/V1/Chat/Completions", [(None, "/V1/Chat/Completions", None, None)]),
    "escapes-kept": ("/v1%2Fchat%2fcompletions", [(None, "/v1%2Fchat%2fcompletions", None, None)]),
    "url-inside-path": (
        "/v1/http://127.0.0.1:8045/v1/messages",
        [(None, "/v1/http://127.0.0.1:8045/v1/messages", None, None)],
    ),
    "action-and-query": (
        "/v1beta/models/gemini-3-pro-preview:streamGenerateContent?alt=sse",
        [(None, "/v1beta/models/gemini-3-pro-preview:streamGenerateContent", "alt=sse", None)],
    ),
    "escaped-model": (
        "/v1beta/models/models%2Fgemini-3-pro:generateContent",
        [(None, "/v1beta/models/models%2Fgemini-3-pro:generateContent", None, None)],
    ),
    "azure": (
        "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
        [(None, "/openai/deployments/gpt-4o/chat/completions", "api-version=2024-10-21", None)],
    ),
    "vertex": (
        "/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-opus-4@20250514:rawPredict",
        [
            (
                None,
                "/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-opus-4@20250514:rawPredict",
                None,
                None,
            )
        ],
    ),
    "unknown-path-alone": ("/foo/bar", [(None, "/foo/bar", None, None)]),
    "fragment-is-not-sent": ("http://127.0.0.1:8045/v1/models#top", [(None, "/v1/models", None, None)]),
    "idn-host": ("http://пример.рф:8045/v1/v1/models", [(None, "/v1/v1/models", None, None)]),
    "git-bash-rewrites-an-argument": (
        "C:/Program Files/Git/v1/v1/chat/completions",
        [(None, CHAT2, None, None)],
    ),
}

SERVER_LOGS: dict[str, Row] = {
    "nginx-combined": (
        '127.0.0.1 - - [04/Feb/2026:10:15:30 +0800] "POST /v1/v1/chat/completions HTTP/1.1" 404 162 "-" "OpenAI/Python 2.9.0"',
        [("POST", CHAT2, None, 404)],
    ),
    "nginx-combined-with-referer": (
        '10.0.0.7 - - [04/Feb/2026:10:15:30 +0000] "GET /v1/models?limit=20 HTTP/1.1" 200 512 '
        '"http://127.0.0.1:3000/chat/v1/x" "Mozilla/5.0 (compatible; bot; +https://example.com/v1/bot)"',
        [("GET", "/v1/models", "limit=20", 200)],
    ),
    "nginx-main": (
        '192.168.1.5 - alice [04/Feb/2026:10:15:30 +0000] "HEAD /api/hello HTTP/2.0" 405 0 "-" "axios/1.7" "-"',
        [("HEAD", "/api/hello", None, 405)],
    ),
    "nginx-json": (
        '{"time_local":"04/Feb/2026:10:15:30 +0000","remote_addr":"127.0.0.1","request":"POST /v1/v1/messages HTTP/1.1",'
        '"status":"404","body_bytes_sent":"0","http_referrer":"","http_user_agent":"curl/8.5.0"}',
        [("POST", "/v1/v1/messages", None, 404)],
    ),
    "nginx-error-log": (
        "2026/02/04 10:15:30 [error] 29#29: *1 connect() failed (111: Connection refused) while connecting to upstream, "
        'client: 172.18.0.1, server: _, request: "POST /v1/chat/completions HTTP/1.1", '
        'upstream: "http://172.18.0.2:8045/v1/chat/completions", host: "localhost"',
        [("POST", "/v1/chat/completions", None, None)],
    ),
    "apache-common": (
        '::1 - - [04/Feb/2026:10:15:30 +0100] "PUT /v1beta/models/gemini-pro HTTP/1.1" 405 -',
        [("PUT", "/v1beta/models/gemini-pro", None, 405)],
    ),
    "apache-vhost-combined": (
        'ai.lan:80 10.0.0.9 - - [04/Feb/2026:10:15:30 +0100] "GET /openai/v1/models HTTP/1.1" 404 437 "-" "curl/8.5.0"',
        [("GET", "/openai/v1/models", None, 404)],
    ),
    "apache-no-status": (
        '::1 - - [04/Feb/2026:10:15:30 +0100] "POST /v1/responses HTTP/1.1" - -',
        [("POST", "/v1/responses", None, None)],
    ),
    "caddy-json": (
        '{"level":"info","ts":1770171330.1,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":'
        '"127.0.0.1","remote_port":"5000","proto":"HTTP/1.1","method":"POST","host":"ai.lan:8443","uri":"/v1/v1/responses",'
        '"headers":{"User-Agent":["codex/0.90"],"Referer":["http://ai.lan/v1/other"]}},"bytes_read":12,"duration":0.001,'
        '"size":0,"status":404}',
        [("POST", "/v1/v1/responses", None, 404)],
    ),
    "caddy-console": (
        '2026/02/04 10:15:30.123\tINFO\thttp.log.access\thandled request\t{"request": {"method": "GET", "host": "ai.lan", '
        '"uri": "/v1/v1/models"}, "status": 404}',
        [("GET", "/v1/v1/models", None, 404)],
    ),
    "tower-http": (
        "2026-02-04T02:15:30.123456Z DEBUG request{method=POST uri=/v1/v1/messages?beta=true version=HTTP/1.1}: "
        "tower_http::trace::on_response: finished processing request latency=0 ms status=404",
        [("POST", "/v1/v1/messages", "beta=true", 404)],
    ),
    "tower-http-uri-last": (
        "DEBUG request{method=GET version=HTTP/1.1 uri=/v1/v1/models}: tower_http::trace::on_request: started",
        [("GET", "/v1/v1/models", None, None)],
    ),
    "uvicorn": (
        'INFO:     127.0.0.1:5000 - "POST /v1/v1/chat/completions HTTP/1.1" 404 Not Found',
        [("POST", CHAT2, None, 404)],
    ),
    "uvicorn-colours": (
        '\x1b[32mINFO\x1b[0m:     127.0.0.1:5000 - "\x1b[1mGET /v1beta/v1beta/models HTTP/1.1\x1b[0m" \x1b[31m404 Not Found\x1b[0m',
        [("GET", "/v1beta/v1beta/models", None, 404)],
    ),
    "gunicorn": (
        '127.0.0.1 - - [04/Feb/2026:10:15:30 +0000] "POST /v1/messages/count_tokens HTTP/1.1" 404 0 "-" "claude-cli/2.1"',
        [("POST", "/v1/messages/count_tokens", None, 404)],
    ),
    "hypercorn": (
        '[2026-02-04 10:15:30 +0000] 127.0.0.1:5000 - - [04/Feb/2026:10:15:30 +0000] "GET /v1/v1/models 1.1" 404 22 "-" "x"',
        [("GET", "/v1/v1/models", None, 404)],
    ),
    "gin": (
        '[GIN] 2026/01/01 - 12:00:00 | 404 |       1.234ms |       127.0.0.1 | POST     "/v1/v1/chat/completions"',
        [("POST", CHAT2, None, 404)],
    ),
    "gin-old-without-quotes": (
        "[GIN] 2019/01/01 - 12:00:00 | 200 |     204.1µs |             ::1 | GET      /v1/models",
        [("GET", "/v1/models", None, 200)],
    ),
    "gin-new-api-request-id": (
        "[GIN] 2026/01/01 - 12:00:00 | 2026010112000012345 | 404 | 1.2ms | 127.0.0.1 | POST /v1/v1/embeddings",
        [("POST", "/v1/v1/embeddings", None, 404)],
    ),
    "gin-colours": (
        '[GIN] 2026/01/01 - 12:00:00 |\x1b[90;43m 404 \x1b[0m|  1.2ms |  127.0.0.1 |\x1b[97;46m POST    \x1b[0m "/v1/v1/responses"',
        [("POST", "/v1/v1/responses", None, 404)],
    ),
    "gin-debug-lists-routes-only": ("[GIN-debug] POST   /v1/chat/completions      --> main.relay (5 handlers)", []),
    "fiber": (
        "12:00:00 | 404 |  1ms | 127.0.0.1 | POST | /v1/v1/completions | -",
        [("POST", "/v1/v1/completions", None, 404)],
    ),
    "morgan-dev": ("POST /v1/v1/chat/completions 404 3.214 ms - 150", [("POST", CHAT2, None, 404)]),
    "morgan-dev-colours": (
        "\x1b[0mPOST /v1/v1/chat/completions \x1b[33m404\x1b[0m 3.214 ms - 150\x1b[0m",
        [("POST", CHAT2, None, 404)],
    ),
    "morgan-tiny": ("GET /v1/models 200 150 - 3.2 ms", [("GET", "/v1/models", None, 200)]),
    "morgan-short": ("::1 - POST /v1/x HTTP/1.1 404 150 - 3.2 ms", [("POST", "/v1/x", None, 404)]),
    "morgan-combined": (
        '::1 - - [04/Feb/2026:10:15:30 +0000] "DELETE /v1/responses/resp_1 HTTP/1.1" 405 0 "-" "node"',
        [("DELETE", "/v1/responses/resp_1", None, 405)],
    ),
    "werkzeug": (
        '127.0.0.1 - - [04/Feb/2026 10:15:30] "GET /v1/models/ HTTP/1.1" 404 -',
        [("GET", "/v1/models/", None, 404)],
    ),
    "werkzeug-colours": (
        '127.0.0.1 - - [04/Feb/2026 10:15:30] "\x1b[33mPOST /api/chat HTTP/1.1\x1b[0m" 404 -',
        [("POST", "/api/chat", None, 404)],
    ),
    "go-net-http": ("2026/02/04 10:15:30 POST /v1/v1/chat/completions 404", [("POST", CHAT2, None, 404)]),
    "traefik-clf": (
        '172.18.0.1 - - [04/Feb/2026:10:15:30 +0000] "GET /v1/v1/models HTTP/1.1" 404 19 "-" "-" 7 "agt@docker" '
        '"http://172.18.0.3:8045" 1ms',
        [("GET", "/v1/v1/models", None, 404)],
    ),
    "traefik-json": (
        '{"ClientAddr":"172.18.0.1:5000","DownstreamStatus":404,"RequestHost":"ai.lan","RequestMethod":"POST",'
        '"RequestPath":"/v1/v1/messages","RequestProtocol":"HTTP/1.1","level":"info","msg":""}',
        [("POST", "/v1/v1/messages", None, 404)],
    ),
    "haproxy-status-before": (
        "haproxy[1]: 10.0.0.1:5000 [04/Feb/2026:10:15:30.000] fe be/srv1 0/0/0/1/1 404 111 - - ---- 1/1/0/0/0 0/0 "
        '"POST /v1/v1/messages HTTP/1.1"',
        [("POST", "/v1/v1/messages", None, 404)],
    ),
    "logfmt": (
        'at=info method=POST path="/v1/v1/chat/completions" host=x.example.com fwd="1.2.3.4" status=404 bytes=0',
        [("POST", CHAT2, None, 404)],
    ),
    "quoted-request-field": (
        'time=x host=127.0.0.1:8045 request="POST /v1/v1/messages HTTP/1.1" code=404',
        [("POST", "/v1/v1/messages", None, 404)],
    ),
    "field-that-is-no-method": (
        'request="not a line" path=/v1/v1/models status=404',
        [(None, "/v1/v1/models", None, 404)],
    ),
    "tls-on-a-plain-port": ('127.0.0.1 - - [04/Feb/2026:10:15:30 +0000] "\\x16\\x03\\x01" 400 0 "-" "-"', []),
    "rails": (
        'Started POST "/v1/v1/chat/completions" for 127.0.0.1 at 2026-02-04 10:15:30 +0000',
        [("POST", CHAT2, None, None)],
    ),
    "gcp-json": (
        '{"httpRequest":{"requestMethod":"POST","requestUrl":"http://ai.lan/v1/v1/messages","status":404},"severity":"WARNING"}',
        [("POST", "/v1/v1/messages", None, 404)],
    ),
    "absolute-form-target": (
        '127.0.0.1 - - [04/Feb/2026:10:15:30 +0000] "GET http://127.0.0.1:8045/v1/models HTTP/1.1" 200 1',
        [("GET", "/v1/models", None, 200)],
    ),
    "log-target-is-not-trimmed": (
        '127.0.0.1 - - [04/Feb/2026:10:15:30 +0000] "POST /v1/chat/completions). HTTP/1.1" 404 0',
        [("POST", "/v1/chat/completions).", None, 404)],
    ),
    "log-target-with-a-blank": (
        '127.0.0.1 - - [04/Feb/2026:10:15:30 +0000] "POST /v1 /chat/completions HTTP/1.1" 400 0',
        [("POST", "/v1 /chat/completions", None, 400)],
    ),
    "log-target-with-entity": (
        '127.0.0.1 - - [04/Feb/2026:10:15:30 +0000] "GET /v1/models?a=1&amp;b=2 HTTP/1.1" 200 9',
        [("GET", "/v1/models", "a=1&amp;b=2", 200)],
    ),
    "docker-compose-prefix": (
        'app_1  | INFO:     172.18.0.1:5000 - "POST /v1/v1/responses HTTP/1.1" 404 Not Found',
        [("POST", "/v1/v1/responses", None, 404)],
    ),
    "docker-timestamps-prefix": (
        "2026-02-04T02:15:30.123456789Z POST /v1/v1/responses 404 1.2 ms - 0",
        [("POST", "/v1/v1/responses", None, 404)],
    ),
    "docker-json-file": (
        '{"log":"127.0.0.1 - - [04/Feb/2026:10:15:30 +0000] \\"GET /v1/v1/models HTTP/1.1\\" 404 0\\n",'
        '"stream":"stdout","time":"2026-02-04T02:15:30.1Z"}',
        [("GET", "/v1/v1/models", None, 404)],
    ),
    "journal-prefix": (
        'Feb 04 10:15:30 box nginx[812]: 127.0.0.1 - - [04/Feb/2026:10:15:30 +0000] "POST /v1/v1/messages HTTP/1.1" 404 0',
        [("POST", "/v1/v1/messages", None, 404)],
    ),
    "kubectl-prefix": (
        '[pod/agt-5d8/agt] 10.42.0.1 - - [04/Feb/2026:10:15:30 +0000] "GET /v1/v1/models HTTP/1.1" 404 0',
        [("GET", "/v1/v1/models", None, 404)],
    ),
}

PROXY_LOGS: dict[str, Row] = {
    "v4-file": (
        "2026-02-04T10:15:30.123456789+08:00  INFO antigravity_tools_lib::proxy::middleware::auth: "
        "Request: POST /v1/v1/chat/completions",
        [("POST", CHAT2, None, None)],
    ),
    "v4-monitor": (
        "2026-02-04T10:15:30.124012345+08:00  INFO antigravity_tools_lib::proxy::monitor: "
        "[Monitor] Logging request: POST /v1/v1/messages?beta=true",
        [("POST", "/v1/v1/messages", "beta=true", None)],
    ),
    "v4-docker-colours": (
        "\x1b[2m2026-02-04T10:15:30.123456789+08:00\x1b[0m \x1b[32m INFO\x1b[0m Request: GET /v1/v1/models",
        [("GET", "/v1/v1/models", None, None)],
    ),
    "v4-docker-colours-without-escape-byte": (
        "[2m2026-02-04T10:15:30.123456789+08:00[0m [32m INFO[0m Request: GET /v1/v1/models",
        [("GET", "/v1/v1/models", None, None)],
    ),
    "v4-docker-colours-in-caret-notation": (
        "^[[2m2026-02-04T10:15:30.1+08:00^[[0m ^[[32m INFO^[[0m Request: GET /v1/v1/models",
        [("GET", "/v1/v1/models", None, None)],
    ),
    "v3-2-2-utc-with-query": (
        "2025-12-26T02:15:30.123456Z  INFO antigravity_tools_lib::proxy::middleware::auth: "
        "Request: POST /v1beta/models/gemini-3-pro:generateContent?key=x",
        [("POST", "/v1beta/models/gemini-3-pro:generateContent", "key=x", None)],
    ),
    "v3-0": (
        "[2025-12-20 10:00:00] [INFO] Request: POST /v1/chat/completions",
        [("POST", "/v1/chat/completions", None, None)],
    ),
    "compose-prefix": (
        "antigravity-1  | 2026-02-04T10:15:30.1+08:00  INFO Request: POST /v1/responses/responses",
        [("POST", "/v1/responses/responses", None, None)],
    ),
    "target-is-not-trimmed": (
        "2026-02-04T10:15:30.1+08:00  INFO Request: POST /v1/chat/completions,",
        [("POST", "/v1/chat/completions,", None, None)],
    ),
    "quoted-in-a-sentence-is-trimmed": (
        'The proxy log says "Request: POST /v1/v1/chat/completions".',
        [("POST", CHAT2, None, None)],
    ),
    "start-up-line-is-no-request": ("2026-02-04T10:15:29+08:00  INFO 反代服务器启动在 http://127.0.0.1:8045", []),
    "warning-line-is-no-request": (
        "2026-02-04T10:15:31+08:00  WARN antigravity_tools_lib::proxy::middleware::auth: UserToken rejected: Invalid token.",
        [],
    ),
}

CLIENTS: dict[str, Row] = {
    "chrome-console": (
        "POST http://127.0.0.1:8045/v1/v1/chat/completions 404 (Not Found)",
        [("POST", CHAT2, None, 404)],
    ),
    "chrome-console-with-place": (
        "index-BxY1.js:12  POST http://127.0.0.1:8045/v1/v1/chat/completions 404 (Not Found)",
        [("POST", CHAT2, None, 404)],
    ),
    "chrome-failed-to-load": (
        "127.0.0.1:8045/v1/v1/models:1  Failed to load resource: the server responded with a status of 404 (Not Found)",
        [(None, "/v1/v1/models", None, 404)],
    ),
    "firefox-console": (
        "XHRPOST http://127.0.0.1:8045/v1/v1/messages [HTTP/1.1 405 Method Not Allowed 5ms]",
        [("POST", "/v1/v1/messages", None, 405)],
    ),
    "chrome-cors": (
        "Access to fetch at 'http://127.0.0.1:8045/v1/v1/models' from origin 'http://localhost:3000' has been blocked by CORS policy",
        [(None, "/v1/v1/models", None, None)],
    ),
    "httpx-info": (
        "2026-02-04 10:15:30,123 - httpx - INFO - HTTP Request: POST http://127.0.0.1:8045/v1/v1/chat/completions "
        '"HTTP/1.1 404 Not Found"',
        [("POST", CHAT2, None, 404)],
    ),
    "httpx-status-error": (
        "httpx.HTTPStatusError: Client error '404 Not Found' for url 'http://127.0.0.1:8045/v1/v1/models'",
        [(None, "/v1/v1/models", None, 404)],
    ),
    "requests": (
        "requests.exceptions.HTTPError: 404 Client Error: Not Found for url: http://127.0.0.1:8045/v1/v1/embeddings",
        [(None, "/v1/v1/embeddings", None, 404)],
    ),
    "urllib3-pool": (
        "HTTPConnectionPool(host='127.0.0.1', port=8045): Max retries exceeded with url: /v1/v1/models (Caused by x)",
        [(None, "/v1/v1/models", None, None)],
    ),
    "aiohttp": (
        "aiohttp.client_exceptions.ClientResponseError: 404, message='Not Found', url='http://127.0.0.1:8045/v1/v1/messages'",
        [(None, "/v1/v1/messages", None, 404)],
    ),
    "aiohttp-old": (
        "ClientResponseError: 404, message='Not Found', url=URL('http://127.0.0.1:8045/v1/v1/messages')",
        [(None, "/v1/v1/messages", None, 404)],
    ),
    "openai-error-with-url": (
        "openai.NotFoundError: Error code: 404 - {'detail': 'Not Found'} (POST http://127.0.0.1:8045/v1/v1/responses)",
        [("POST", "/v1/v1/responses", None, 404)],
    ),
    "openai-invalid-url": (
        '{"error":{"message":"Invalid URL (POST /v1/v1/chat/completions)","type":"invalid_request_error"}}',
        [("POST", CHAT2, None, None)],
    ),
    "express-cannot": ("<pre>Cannot POST /v1/v1/chat/completions</pre>", [("POST", CHAT2, None, None)]),
    "codex": (
        "unexpected status 404 Not Found: , url: http://127.0.0.1:8045/responses",
        [(None, "/responses", None, 404)],
    ),
    "codex-retry": (
        "stream error: unexpected status 405 Method Not Allowed: , url: http://127.0.0.1:8045/v1/v1/responses; retrying 1/5 in 204ms…",
        [(None, "/v1/v1/responses", None, 405)],
    ),
    "codex-with-body": (
        'unexpected status 404 Not Found: {"error":{"message":"nope"}}, url: http://127.0.0.1:8045/v1/v1/responses, request id: 1',
        [(None, "/v1/v1/responses", None, 404)],
    ),
    "gaxios": (
        "GaxiosError: Not Found url: 'http://127.0.0.1:8045/v1beta/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse', status: 404",
        [(None, "/v1beta/v1beta/models/gemini-3-pro:streamGenerateContent", "alt=sse", 404)],
    ),
    "google-genai": (
        "google.genai.errors.ClientError: 404 Not Found. POST http://127.0.0.1:8045/v1/v1beta/models/gemini-2.5-flash:generateContent",
        [("POST", "/v1/v1beta/models/gemini-2.5-flash:generateContent", None, 404)],
    ),
    "go-client": (
        'Post "http://127.0.0.1:8045/v1/v1/chat/completions": dial tcp 127.0.0.1:8045: connect: connection refused',
        [("POST", CHAT2, None, None)],
    ),
    "openai-go": (
        'POST "http://127.0.0.1:8045/v1/v1/chat/completions": 404 Not Found',
        [("POST", CHAT2, None, 404)],
    ),
    "spring": (
        'HttpClientErrorException$NotFound: 404 Not Found on POST request for "http://127.0.0.1:8045/v1/v1/chat/completions": [no body]',
        [("POST", CHAT2, None, 404)],
    ),
    "okhttp-request": ("--> POST http://127.0.0.1:8045/v1/v1/messages", [("POST", "/v1/v1/messages", None, None)]),
    "okhttp-response": (
        "<-- 404 Not Found http://127.0.0.1:8045/v1/v1/messages (12ms)",
        [(None, "/v1/v1/messages", None, 404)],
    ),
    "reqwest": (
        "error sending request for url (http://127.0.0.1:8045/v1/v1/messages): connection closed",
        [(None, "/v1/v1/messages", None, None)],
    ),
    "axios-call-in-code": (
        "await axios.post('http://127.0.0.1:8045/v1/v1/messages', body)",
        [("POST", "/v1/v1/messages", None, None)],
    ),
    "spring-error-json": (
        '{"timestamp":"2026-02-04T02:15:30Z","status":404,"error":"Not Found","path":"/v1/v1/chat/completions"}',
        [(None, CHAT2, None, 404)],
    ),
    "axios-config-json": (
        '{"config":{"method":"post","baseURL":"http://127.0.0.1:8045/v1","url":"/v1/messages"},"response":{"status":404}}',
        [("POST", "/v1/v1/messages", None, 404)],
    ),
    "json-query-apart": (
        '{"method":"GET","path":"/v1/v1/models","query":"?limit=5","status":404}',
        [("GET", "/v1/v1/models", "limit=5", 404)],
    ),
    "json-file-path": ('{"error":"ENOENT","path":"/home/u/.codex/config.toml"}', []),
    "json-page": ('{"message":"Not Found","url":"https://docs.github.com/rest/reference","status":"404"}', []),
    "json-behind-a-sentence": (
        'POST http://127.0.0.1:8045/v1/v1/messages 404 {"type":"error","error":{"message":"Not found: /v1/v1/messages"}}',
        [("POST", "/v1/v1/messages", None, 404)],
    ),
    "json-with-another-request-behind-a-sentence": (
        'POST /v1/v1/messages failed {"method":"GET","path":"/v1/v1/models","status":404}',
        [("POST", "/v1/v1/messages", None, None), ("GET", "/v1/v1/models", None, 404)],
    ),
    "json-in-a-string-of-json": (
        '{"error":"{\\"message\\":\\"Invalid URL (POST /v1/v1/messages)\\"}"}',
        [("POST", "/v1/v1/messages", None, None)],
    ),
    "escaped-slashes-json": (
        '{"error":"Not Found","url":"http:\\/\\/127.0.0.1:8045\\/v1\\/v1\\/models","status":404}',
        [(None, "/v1/v1/models", None, 404)],
    ),
    "unicode-escapes-json": (
        '{"msg":"\\u8bf7\\u6c42\\u5931\\u8d25 404 \\u002fv1\\u002fv1\\u002fmodels\\u4e0d\\u5b58\\u5728"}',
        [(None, "/v1/v1/models", None, 404)],
    ),
    "unicode-escapes-not-json": (
        "ERR \\u8bf7\\u6c42\\u8def\\u5f84/v1/v1/models\\u4e0d\\u5b58\\u5728 404",
        [(None, "/v1/v1/models", None, 404)],
    ),
    "admin-api-logs": (
        '[{"id":"a","method":"POST","url":"/v1/v1/messages?beta=true","status":404,"error":null},'
        '{"id":"b","method":"GET","url":"/v1/models","status":200,"error":null}]',
        [("POST", "/v1/v1/messages", "beta=true", 404), ("GET", "/v1/models", None, 200)],
    ),
}

COMMANDS: dict[str, Row] = {
    "curl-get": ("curl http://127.0.0.1:8045/v1/v1/models", [("GET", "/v1/v1/models", None, None)]),
    "curl-data-means-post": (
        "curl http://127.0.0.1:8045/v1/v1/messages -H 'x-api-key: sk-1' -d '{\"model\":\"m\"}'",
        [("POST", "/v1/v1/messages", None, None)],
    ),
    "curl-x": (
        'curl -X POST "http://127.0.0.1:8045/v1/v1/chat/completions" -H "Content-Type: application/json" -d @body.json',
        [("POST", CHAT2, None, None)],
    ),
    "curl-bundled-flags": (
        "$ curl -sSXDELETE localhost:8045/v1/responses/r1",
        [("DELETE", "/v1/responses/r1", None, None)],
    ),
    "curl-get-with-data": ("curl -G -d a=1 http://127.0.0.1:8045/v1/models", [("GET", "/v1/models", None, None)]),
    "curl-head": ("curl -I http://127.0.0.1:8045/healthz", [("HEAD", "/healthz", None, None)]),
    "curl-json": ("curl --json '{}' http://127.0.0.1:8045/v1/v1/responses", [("POST", "/v1/v1/responses", None, None)]),
    "curl-url-option": (
        "curl --request POST --url http://127.0.0.1:8045/v1/v1/messages",
        [("POST", "/v1/v1/messages", None, None)],
    ),
    "curl-value-options-are-skipped": (
        "curl -m 5 -o /dev/null -w '%{http_code}' -x http://proxy:3128/ http://127.0.0.1:8045/v1/v1/models",
        [("GET", "/v1/v1/models", None, None)],
    ),
    "curl-windows-quotes": (
        'curl.exe -X POST "http://127.0.0.1:8045/v1/v1/messages" -d "{\\"model\\":\\"m\\"}"',
        [("POST", "/v1/v1/messages", None, None)],
    ),
    "curl-copied-for-cmd": (
        'curl ^"http://127.0.0.1:8045/v1/v1/messages?beta=true^" --data-raw ^"^{^}^"',
        [("POST", "/v1/v1/messages", "beta=true", None)],
    ),
    "curl-with-result-behind": (
        "curl http://127.0.0.1:8045/v1/v1/models -> 404",
        [("GET", "/v1/v1/models", None, 404)],
    ),
    "curl-in-a-sentence": (
        "I ran curl http://127.0.0.1:8045/v1/v1/models, it doesn't work",
        [("GET", "/v1/v1/models", None, None)],
    ),
    "curl-in-backticks": (
        "Run `curl http://127.0.0.1:8045/v1/v1/models` first.",
        [("GET", "/v1/v1/models", None, None)],
    ),
    "curl-long-head": ("curl --head --silent http://127.0.0.1:8045/healthz", [("HEAD", "/healthz", None, None)]),
    "curl-long-get": ("curl --get --data a=1 http://127.0.0.1:8045/v1/models", [("GET", "/v1/models", None, None)]),
    "curl-upload": ("curl -T x.json http://127.0.0.1:8045/v1/v1/files", [("PUT", "/v1/v1/files", None, None)]),
    "curl-url-with-equals-sign": (
        "curl --url=http://127.0.0.1:8045/v1/v1/models",
        [("GET", "/v1/v1/models", None, None)],
    ),
    "curl-two-urls": (
        "curl http://127.0.0.1:8045/v1/v1/models http://127.0.0.1:8045/v1/models",
        [("GET", "/v1/v1/models", None, None), ("GET", "/v1/models", None, None)],
    ),
    "curl-in-parentheses": ("(curl http://127.0.0.1:8045/v1/v1/models)", [("GET", "/v1/v1/models", None, None)]),
    "curl-glued-to-chinese": (
        "执行curl http://127.0.0.1:8045/v1/v1/models返回404",
        [("GET", "/v1/v1/models", None, 404)],
    ),
    "curl-and-a-second-request": (
        "curl -X POST http://127.0.0.1:8045/v1/v1/a instead of GET /v1/v1/b",
        [("POST", "/v1/v1/a", None, None), ("GET", "/v1/v1/b", None, None)],
    ),
    "curl-error-is-no-command": (
        "curl: (7) Failed to connect to 127.0.0.1 port 8045",
        [(None, "/", None, None)],  # an address; see test_pasted_text_evidence.py
    ),
    "wget-method": ("wget --method=PUT http://127.0.0.1:8045/v1/v1/x", [("PUT", "/v1/v1/x", None, None)]),
    "wget-spider": ("wget --spider http://127.0.0.1:8045/v1/v1/models", [("HEAD", "/v1/v1/models", None, None)]),
    "httpie-with-headers": (
        "http -v POST :8045/v1/v1/messages x-api-key:abc model=x",
        [("POST", "/v1/v1/messages", None, None)],
    ),
    "httpie-word-in-prose": ("the http server of mine does not answer", []),
    "powershell-piped": (
        "Invoke-WebRequest http://127.0.0.1:8045/v1/v1/models | Select-Object StatusCode",
        [("GET", "/v1/v1/models", None, None)],
    ),
    "powershell-without-address": ("Invoke-RestMethod -Method Post", []),
    "wget": (
        "wget -qO- --post-data='{}' http://127.0.0.1:8045/v1/v1/messages",
        [("POST", "/v1/v1/messages", None, None)],
    ),
    "powershell": (
        'PS C:\\> Invoke-RestMethod -Method Post -Uri "http://127.0.0.1:8045/v1/v1/chat/completions" -Body $b',
        [("POST", CHAT2, None, None)],
    ),
    "powershell-alias": ("irm http://127.0.0.1:8045/v1/v1/models", [("GET", "/v1/v1/models", None, None)]),
    "httpie": ("http POST :8045/v1/v1/messages model=claude", [("POST", "/v1/v1/messages", None, None)]),
    "httpie-items-mean-post": (
        "$ http localhost:8045/v1/v1/responses model=x",
        [("POST", "/v1/v1/responses", None, None)],
    ),
    "httpie-get": ("http :8045/v1/v1/models", [("GET", "/v1/v1/models", None, None)]),
    "variable-as-base-is-unknown": ('curl "$BASE_URL/chat/completions"', []),
}

SENTENCES: dict[str, Row] = {
    "chinese": ("请求失败：404，请求路径/v1/v1/chat/completions不存在", [(None, CHAT2, None, 404)]),
    "chinese-method": ("POST http://127.0.0.1:8045/v1/v1/messages 返回404", [("POST", "/v1/v1/messages", None, 404)]),
    "chinese-fields": (
        "请求方法：POST，路径：/v1/v1/responses，状态码：405",
        [("POST", "/v1/v1/responses", None, 405)],
    ),
    "chinese-brackets": ("接口（/v1/v1/models）报错「404」。", [(None, "/v1/v1/models", None, 404)]),
    "chinese-list": (
        "访问/v1/v1/models、/v1/v1/messages都是404",
        [(None, "/v1/v1/models", None, None), (None, "/v1/v1/messages", None, 404)],
    ),
    "traditional-chinese": ("請求 /v1/v1/chat/completions 失敗，伺服器回傳 404。", [(None, CHAT2, None, 404)]),
    "japanese": ("POST /v1/v1/chat/completionsで404エラーが発生しました。", [("POST", CHAT2, None, 404)]),
    "korean": ("요청 경로 /v1/v1/chat/completions에서 404 오류가 발생했습니다", [(None, CHAT2, None, 404)]),
    "russian": (
        "Запрос к /v1/chat/completions/responses вернул 404.",
        [(None, "/v1/chat/completions/responses", None, 404)],
    ),
    "russian-error": ("Ошибка 405: метод POST, путь /v1/v1/messages", [("POST", "/v1/v1/messages", None, 405)]),
    "vietnamese": ("Lỗi 404: không tìm thấy đường dẫn /v1/v1/chat/completions.", [(None, CHAT2, None, 404)]),
    "spanish": (
        "La solicitud POST a /v1/v1/messages devolvió 404 (no encontrado).",
        [("POST", "/v1/v1/messages", None, 404)],
    ),
    "german": ("Die Anfrage an „/v1/v1/models“ wurde mit 404 beantwortet.", [(None, "/v1/v1/models", None, 404)]),
    "french": ("Erreur 404 : la ressource « /v1/v1/models » est introuvable.", [(None, "/v1/v1/models", None, 404)]),
    "portuguese": ("Erro 404 ao acessar /v1/v1/chat/completions!", [(None, CHAT2, None, 404)]),
    "full-stop": ("It calls /v1/v1/chat/completions.", [(None, CHAT2, None, None)]),
    "comma": ("With /v1/v1/models, nothing works", [(None, "/v1/v1/models", None, None)]),
    "semicolon": ("I see /v1/v1/models; why?", [(None, "/v1/v1/models", None, None)]),
    "parentheses": ("(see /v1/v1/models)", [(None, "/v1/v1/models", None, None)]),
    "square-brackets": ("[/v1/v1/models]", [(None, "/v1/v1/models", None, None)]),
    "double-quotes": ('It says "/v1/v1/models".', [(None, "/v1/v1/models", None, None)]),
    "single-quotes": ("It says '/v1/v1/models',", [(None, "/v1/v1/models", None, None)]),
    "angle-brackets": ("at <http://127.0.0.1:8045/v1/v1/models>.", [(None, "/v1/v1/models", None, None)]),
    "backticks": ("`POST /v1/v1/messages` gives `404`", [("POST", "/v1/v1/messages", None, 404)]),
    "sentence-colon": ("/v1/v1/chat/completions: 404 Not Found", [(None, CHAT2, None, 404)]),
    "action-colon-is-kept": (
        "/v1/models/gemini-pro:generateContent: 404",
        [(None, "/v1/models/gemini-pro:generateContent", None, 404)],
    ),
    "status-glued-by-colon": ("/v1/v1/chat/completions:404", [(None, CHAT2, None, 404)]),
    "question-mark": ("Why does it call /v1/v1/models?", [(None, "/v1/v1/models", None, None)]),
    "exclamation-marks": ("Not /v1/v1/models!!", [(None, "/v1/v1/models", None, None)]),
    "bold": ("**POST /v1/v1/messages** returns **404**", [("POST", "/v1/v1/messages", None, 404)]),
    "markdown-link": (
        "[http://127.0.0.1:8045/v1/v1/models](http://127.0.0.1:8045/v1/v1/models)",
        [(None, "/v1/v1/models", None, None)],
    ),
    "markdown-link-text": (
        "see [the request](http://127.0.0.1:8045/v1/v1/models).",
        [(None, "/v1/v1/models", None, None)],
    ),
    "markdown-underscores": ("_/v1/v1/models_", [(None, "/v1/v1/models", None, None)]),
    "markdown-table": ("| POST | `/v1/v1/messages` | 404 |", [("POST", "/v1/v1/messages", None, 404)]),
    "html-entity": (
        "GET /v1beta/models/x:streamGenerateContent?alt=sse&amp;a=1 404",
        [("GET", "/v1beta/models/x:streamGenerateContent", "alt=sse&a=1", 404)],
    ),
    "html-link": ('<a href="http://127.0.0.1:8045/v1/v1/models">link</a>', [(None, "/v1/v1/models", None, None)]),
    "escaped-url": ("http%3A%2F%2F127.0.0.1%3A8045%2Fv1%2Fv1%2Fmodels", [(None, "/v1/v1/models", None, None)]),
    "tab-separated": ("POST\t/v1/v1/messages\t404", [("POST", "/v1/v1/messages", None, 404)]),
    "bom": ("\ufeff/v1/v1/models", [(None, "/v1/v1/models", None, None)]),
    "zero-width": ("\u200b/v1/v1/\u200bmodels\u200b", [(None, "/v1/v1/models", None, None)]),
    "nul-bytes": ("P\0O\0S\0T\0 \0/\0v\0001\0/\0x\0", [("POST", "/v1/x", None, None)]),
    "no-break-space": ("POST\u00a0/v1/v1/messages\u00a0404", [("POST", "/v1/v1/messages", None, 404)]),
    "method-glued": ("POST/v1/v1/messages 404", [("POST", "/v1/v1/messages", None, 404)]),
    "method-in-parentheses-behind": ("/v1/v1/messages (POST) 404", [("POST", "/v1/v1/messages", None, 404)]),
    "method-loose-before": (
        "I sent a POST request to /v1/v1/messages and got 404",
        [("POST", "/v1/v1/messages", None, 404)],
    ),
    "any-path-with-method": ("GET /favicon.ico 404", [("GET", "/favicon.ico", None, 404)]),
    "relative-with-method": ("POST chat/completions 404", [("POST", "/chat/completions", None, 404)]),
    "host-without-scheme": ("it goes to 192.168.1.9:8045/v1/v1/models now", [(None, "/v1/v1/models", None, None)]),
    "domain-without-scheme": ("api.example.com/v1/v1/models fails", [(None, "/v1/v1/models", None, None)]),
    "two-with-statuses-after": (
        "GET /v1/models returned 200 but POST /v1/v1/chat/completions returned 404",
        [("GET", "/v1/models", None, 200), ("POST", CHAT2, None, 404)],
    ),
    "two-with-statuses-before": (
        "404: /v1/v1/models, 405: /v1/v1/messages",
        [(None, "/v1/v1/models", None, 404), (None, "/v1/v1/messages", None, 405)],
    ),
    "glued-list": (
        "/v1/v1/models,/v1/v1/messages",
        [(None, "/v1/v1/models", None, None), (None, "/v1/v1/messages", None, None)],
    ),
    "model-placeholder": (
        "POST /v1beta/models/{model}:generateContent",
        [("POST", "/v1beta/models/{model}:generateContent", None, None)],
    ),
    "model-in-ellipsis": (
        "…/models/models%2Fx:generateContent",
        [(None, "/models/models%2Fx:generateContent", None, None)],
    ),
    "page-beside-a-request": (
        "404 at http://127.0.0.1:8045/v1/v1/models, see https://docs.example.com/api/v1/models",
        [(None, "/v1/v1/models", None, 404)],
    ),
    "vendor-host": ("Error 404 https://api.openai.com/v1/v1/models", [(None, "/v1/v1/models", None, 404)]),
    "base-url-beside-a-request": (
        "base_url=http://127.0.0.1:8045/v1 and it requests /v1/v1/chat/completions",
        [(None, CHAT2, None, None)],
    ),
    "base-url-with-the-status-beside-it": (
        "我在 Cherry Studio 里填 http://127.0.0.1:8045/v1/ 报错404，日志：Request: POST /v1/v1/chat/completions",
        [("POST", CHAT2, None, 404)],
    ),
    "two-requests-with-reasons": (
        "GET /v1/models 200 OK, POST /v1/v1/chat/completions 404 Not Found",
        [("GET", "/v1/models", None, 200), ("POST", CHAT2, None, 404)],
    ),
    "web-page": (
        "<title>404 Not Found</title> <p>The requested URL /v1/v1/models was not found on this server.</p>",
        [(None, "/v1/v1/models", None, 404)],
    ),
    "web-socket": (
        "WebSocket connection to 'ws://127.0.0.1:8045/v1/responses' failed: Unexpected response code: 405",
        [(None, "/v1/responses", None, 405)],
    ),
    "status-far-from-port": ("port 8045: /v1/v1/models gives 404", [(None, "/v1/v1/models", None, 404)]),
    "number-that-is-no-status": ("/v1/v1/models took 404 ms", [(None, "/v1/v1/models", None, None)]),
}

NOTHING: dict[str, str] = {
    "empty": "",
    "blank": " \n\t\n",
    "prose": "My proxy does not work, please help.",
    "unix-file": "/usr/lib/python3/dist-packages/openai/_base_client.py",
    "home-file": "see /home/u/x.py",
    "traceback-frame": '  File "/opt/venv/lib/python3.11/site-packages/openai/_base_client.py", line 1047, in request',
    "node-frame": "    at async OpenAI.makeRequest (file:///app/node_modules/openai/client.mjs:300:23)",
    "browser-frame": "    at http://127.0.0.1:3000/assets/index-1.js:12:404",
    "windows-file": "C:\\Users\\me\\v1\\chat",
    "windows-file-with-slashes": "C:/Users/me/project/api/v1/chat.py",
    "relative-file": "./src/api/v1/chat.ts",
    "home-relative-file": "~/.codex/config.toml and ~/api/v1/models",
    "date": "2026/01/01 12:00:00",
    "and-or": "use chat and/or responses",
    "mime": "Content-Type: application/json; Accept: text/html, */*",
    "fractions": "1/2 of 3/4",
    "http-version": "HTTP/1.1",
    "bare-status": "HTTP/1.1 404 Not Found",
    "user-agent": "Mozilla/5.0 AppleWebKit/537.36 Chrome/144.0",
    "version": "v4.5.8",
    "units": "12 req/s at 3 MB/s",
    "github": "https://github.com/lbjlaq/Antigravity-Manager/issues/404",
    "docs": "See https://docs.example.com/guides/errors for more.",
    "mdn": "For more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/404",
    "listening": "Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)",
    "model-names": "models: openai/gpt-4o, google/gemini-3-pro, anthropic/claude-opus-4",
    "docker-image": "lbjlaq/antigravity-manager:latest",
    "git-remote": "git@github.com:lbjlaq/v1/models.git",
    "regex": "s/foo/bar/g",
    "html": "<div><p>hello</p></div>",
    "code-comment": "// POST and/or GET",
    "timezone": "Asia/Shanghai",
    "tcp-ip": "TCP/IP I/O n/a w/o",
}

ROWS = [
    pytest.param(text, expected, id=f"{group}-{name}")
    for group, rows in (
        ("bare", BARE),
        ("server", SERVER_LOGS),
        ("proxy", PROXY_LOGS),
        ("client", CLIENTS),
        ("command", COMMANDS),
        ("sentence", SENTENCES),
    )
    for name, (text, expected) in rows.items()
]


@pytest.mark.parametrize(("text", "expected"), ROWS)
def test_finds_the_request(text: str, expected: list[tuple[str | None, str, str | None, int | None]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in NOTHING.items()])
def test_finds_nothing_in_what_is_no_request(text: str) -> None:
    assert found(text) == []
