"""The stand-in over real sockets: every recorded answer, the bytes around them, and real clients that go on."""

from __future__ import annotations

import asyncio
import gc
import http.client
import json
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import anthropic
import httpx
import openai
import pytest
from google import genai
from replica_cells import CELLS, KEYS, ORACLES, RIGHT, oracle_probes, probes, raw_probes

from antigravity_doctor.diagnosis.proxy_model import VARY, ServerConfig
from antigravity_doctor.knowledge.behaviour import behaviour_of
from antigravity_doctor.servers.replies import MODELS, SENTENCE
from antigravity_doctor.servers.stand_in import Record, Running, StandIn, redact, run_in_thread

SAID = "".join(SENTENCE)
STRICT = ServerConfig("4.5.8", "strict", api_key=RIGHT)
KEY = {"authorization": f"Bearer {RIGHT}"}
Start = Callable[[ServerConfig], Running]


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


class Wire:
    """A keep-alive connection that sends request lines as they are."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def ask(
        self, method: str, target: str, headers: dict[str, str], body: bytes = b""
    ) -> tuple[http.client.HTTPResponse, bytes]:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=10)
        lines = [f"{method} {target} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        response = http.client.HTTPResponse(self._socket, method=method)
        response.begin()
        read = response.read()
        if response.will_close:
            self.close()
        return response, read

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def raw(port: int, data: bytes) -> bytes:
    """What a server sends for some bytes until it closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(data)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


# A body that every handler takes: JSON where JSON is wanted, a form where a form is.
JSON_BODY = (b'{"model":"m"}', "application/json")
FORM_BODY = (b"--x--\r\n", "multipart/form-data; boundary=x")


def handlers_own(cell: str, method: str, target: str) -> int:
    """The status of a request that reached its handler: 200, but for two that the real handlers refuse and the
    replica's did not."""
    plain_get = (method, target) == ("GET", "/v1/responses")
    colon = target.endswith(":countTokens") and not behaviour_of(CELLS[cell].version).count_tokens_colon
    return 400 if plain_get or colon else 200


# -- the records


@pytest.mark.parametrize("cell", CELLS)
def test_every_recorded_answer_comes_back(cell: str, start: Start) -> None:
    server = start(CELLS[cell])
    wire = Wire(server.port)
    wrong = []
    for method, target, key, expected in probes(cell):
        body, content_type = (FORM_BODY if "/images/edits" in target else JSON_BODY) if method == "POST" else (b"", "x")
        response, read = wire.ask(method, target, {**KEYS[key], "content-type": content_type}, body)
        record = server.records[-1]
        reached = expected.get("route")
        wanted: dict[str, Any] = {
            "status": handlers_own(cell, method, target) if reached else expected["status"],
            "allow": expected.get("allow"),
            "cors": expected["cors"],
            "route": reached,
        }
        got: dict[str, Any] = {
            "status": response.status,
            "allow": response.getheader("allow"),
            "cors": response.getheader("access-control-allow-origin") == "*" and response.getheader("vary") == VARY,
            "route": (record.route or "").removeprefix("/api") if record.handler else None,
        }
        if "content_length" in expected:
            wanted["length"] = str(expected["content_length"])
            got["length"] = response.getheader("content-length")
            wanted["type"] = expected.get("content_type")
            got["type"] = response.getheader("content-type")
            if method != "HEAD" and len(read) != expected["content_length"]:
                wrong.append((method, target, key, read))
        if expected.get("content_type") == "text/html":
            wanted["type"], got["type"] = "text/html", response.getheader("content-type")
        if got != wanted:
            wrong.append((method, target, key, got, wanted))
    wire.close()
    assert wrong == []


@pytest.mark.parametrize("cell", CELLS)
def test_what_is_no_http_is_met_as_recorded(cell: str, start: Start) -> None:
    server = start(CELLS[cell])
    sent = {
        "TLS ClientHello bytes": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
        "garbage": b"\x00\x01\x02 what is this\r\n\r\n",
    }
    for name, first_line in raw_probes(cell):
        received = raw(server.port, sent[name])
        if first_line.startswith("("):
            assert received == b""
        else:
            assert received.split(b"\r\n")[0].decode() == first_line
            assert b"content-length: 0" in received


@pytest.mark.parametrize("name", ORACLES)
def test_the_key_free_oracle_works(name: str, start: Start) -> None:
    wire = Wire(start(ORACLES[name]).port)
    wrong = []
    for method, path, expected in oracle_probes(name):
        response, _ = wire.ask(method, path, {})
        cors = "cors" if response.getheader("access-control-allow-origin") else "nocors"
        if (response.status, response.getheader("allow"), cors) != (
            expected["status"],
            expected["allow"],
            expected["cors"],
        ):
            wrong.append((method, path, response.status, expected))
    wire.close()
    assert wrong == []


# -- the bytes around them


def test_a_refusal_has_exactly_the_bytes_of_the_recorded_sample(newest: Running) -> None:
    received = raw(newest.port, b"POST /v1/v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n" + END)
    lines = received.split(b"\r\n\r\n")[0].decode().split("\r\n")
    assert lines[:4] == [
        "HTTP/1.1 401 Unauthorized",
        f"vary: {VARY}",
        "access-control-allow-origin: *",
        "content-length: 0",
    ]
    assert [line.partition(":")[0] for line in lines[4:]] == ["date"]


END = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"


def test_header_names_are_in_lower_case_and_allow_has_no_spaces(newest: Running) -> None:
    received = raw(newest.port, b"PUT /v1/models HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert b"\r\nallow: GET,HEAD\r\n" in received
    names = [line.split(b":")[0] for line in received.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]]
    assert all(name == name.lower() for name in names)


def test_requests_on_one_connection_are_answered_in_turn(newest: Running) -> None:
    received = raw(newest.port, b"OPTIONS /v1/models HTTP/1.1\r\nhost: x\r\n\r\n" * 3 + END)
    assert received.count(b"HTTP/1.1 200 OK") == 3
    assert received.count(b"HTTP/1.1 401 Unauthorized") == 1


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\r\n\r\nGET /api/health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",  # empty lines before it
        b"GET /api/health HTTP/1.1\r\nconnection: close\r\n\r\n",  # no Host
        b"GET /api/health HTTP/1.0\r\n\r\n",
        b"GET http://other.example/api/health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    ],
)
def test_what_the_proxys_parser_forgives_is_forgiven(newest: Running, request_bytes: bytes) -> None:
    assert raw(newest.port, request_bytes).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /api/health\r\n", b"400"),
        (b"GET  /api/health HTTP/1.1\r\n", b"400"),
        (b"GET /api/health HTTP/3.0\r\n", b"400"),
        (b"GET /" + b"a" * 70_000, b"414"),
        (b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"a" * 430_000, b"431"),
        (b"GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", b"400"),
    ],
)
def test_a_broken_head_is_refused_at_once(newest: Running, request_bytes: bytes, status: bytes) -> None:
    assert raw(newest.port, request_bytes).split(b" ")[1] == status


def test_a_head_may_come_byte_by_byte(newest: Running) -> None:
    with socket.create_connection(("127.0.0.1", newest.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET /api/health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n":
            connection.sendall(bytes([byte]))
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")


def test_head_has_the_length_of_get_and_no_body(newest: Running) -> None:
    got, head = httpx.get(newest.url + "/v1/models", headers=KEY), httpx.head(newest.url + "/v1/models", headers=KEY)
    assert head.headers["content-length"] == got.headers["content-length"] == str(len(got.content))
    assert head.content == b""


# -- what handlers refuse


def post(
    server: Running, path: str, body: bytes = b"{}", content_type: str | None = "application/json"
) -> httpx.Response:
    headers = KEY if content_type is None else {**KEY, "content-type": content_type}
    return httpx.post(server.url + path, content=body, headers=headers)


JSON_ROUTES = [
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/responses",
    "/responses",
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/v1/images/generations",
    "/v1/models/detect",
    "/v1beta/models/m:generateContent",
    "/v1beta/models/m/countTokens",
    "/internal/warmup",
]


@pytest.mark.parametrize("path", JSON_ROUTES)
@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_json_without_its_content_type_is_415(newest: Running, path: str, content_type: str | None) -> None:
    response = post(newest, path, content_type=content_type)
    assert (response.status_code, response.headers["content-type"], response.text) == (
        415,
        "text/plain; charset=utf-8",
        "Expected request with `Content-Type: application/json`",
    )


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/vnd.x+json"])
def test_json_with_a_content_type_like_json_is_taken(newest: Running, content_type: str) -> None:
    assert post(newest, "/v1/messages/count_tokens", content_type=content_type).json()["input_tokens"] == 0


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_json_is_400_with_text(newest: Running, body: bytes) -> None:
    response = post(newest, "/v1/chat/completions", body)
    assert response.status_code == 400
    assert response.text.startswith("Failed to parse the request body as JSON: ")


@pytest.mark.parametrize("path", ["/v1/images/edits", "/v1/audio/transcriptions"])
def test_a_form_route_wants_a_form(newest: Running, path: str) -> None:
    assert (post(newest, path).status_code, post(newest, path).text[:8]) == (400, "Invalid ")
    assert post(newest, path, *FORM_BODY).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        ("/v1/models/detect", b"{}", 400, "Missing 'model' field"),
        ("/v1beta/models/x:foo", b"{}", 400, "Unsupported method: foo"),
        ("/v1/api/event_logging", b"anything", 200, ""),
    ],
)
def test_side_effect_free_probes_are_answered_as_known(
    newest: Running, path: str, body: bytes, status: int, text: str
) -> None:
    response = post(newest, path, body)
    assert (response.status_code, response.text) == (status, text)


@pytest.mark.parametrize(("version", "status"), [("4.2.9", 405), ("4.3.0", 400), ("4.5.8", 400)])
def test_a_plain_get_of_responses_is_refused_by_version(start: Start, version: str, status: int) -> None:
    response = httpx.get(start(replace(STRICT, version=version)).url + "/v1/responses", headers=KEY)
    assert response.status_code == status
    if status == 400:
        assert response.text == "Connection header did not include 'upgrade'"
    else:
        assert response.headers["allow"] == "POST"


def test_a_gemini_model_without_method_generates(newest: Running) -> None:
    assert post(newest, "/v1beta/models/gemini-x").json()["modelVersion"] == "gemini-x"


@pytest.mark.parametrize(("version", "status"), [("4.5.4", 400), ("4.5.5", 200)])
def test_counting_tokens_with_a_colon_works_from_4_5_5(start: Start, version: str, status: int) -> None:
    server = start(replace(STRICT, version=version))
    assert post(server, "/v1beta/models/m:countTokens").status_code == status
    assert post(server, "/v1beta/models/m/countTokens").json() == {"totalTokens": 1}


def test_a_model_that_is_not_known_is_a_404_with_a_body(start: Start) -> None:
    bodies = [
        ("/v1/chat/completions", {"model": "missing-1"}),
        ("/v1/messages", {"model": "missing-1"}),
        ("/v1beta/models/missing-1:generateContent", {}),
    ]
    for path, body in bodies:
        response = httpx.post(start(STRICT).url + path, json=body, headers=KEY)
        assert response.status_code == 404
        assert "missing-1" in response.json()["error"]["message"]
        assert response.headers["x-mapped-model"] == "missing-1"
        older = httpx.post(start(replace(STRICT, version="4.1.1")).url + path, json=body, headers=KEY)
        assert (older.status_code, older.headers["content-type"][:10]) == (404, "text/plain")


@pytest.mark.parametrize(("version", "limit"), [("4.0.2", 2 * 1024 * 1024), ("4.0.3", 100 * 1024 * 1024)])
def test_a_body_over_the_limit_is_413(start: Start, version: str, limit: int) -> None:
    server = start(replace(STRICT, version=version))

    def body(size: int) -> Iterator[bytes]:
        yield b'{"stream":true,"prompt":"'
        left = size - 27
        while left > 0:
            yield b"x" * min(left, 1 << 20)
            left -= 1 << 20
        yield b'"}'

    headers = {**KEY, "content-type": "application/json"}
    fits = httpx.post(server.url + "/v1/completions", content=body(limit), headers=headers, timeout=30)
    assert (fits.status_code, fits.headers["content-type"]) == (200, "text/event-stream")
    over = httpx.post(
        server.url + "/v1/completions",
        content=body(limit + 1),
        headers={**headers, "content-length": str(limit + 1)},
        timeout=30,
    )
    assert (over.status_code, over.text) == (413, "Failed to buffer the request body: length limit exceeded")


def test_a_form_over_the_limit_is_413(start: Start) -> None:
    form = (b"x" * (2 * 1024 * 1024 + 1), FORM_BODY[1])
    assert post(start(replace(STRICT, version="4.0.2")), "/v1/images/edits", *form).status_code == 413


def test_a_refused_upload_that_asked_first_is_refused_before_it_is_sent(newest: Running) -> None:
    head = b"POST /v1/nope HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 1000000\r\n\r\n"
    assert raw(newest.port, head).startswith(b"HTTP/1.1 401 ")


def test_a_wanted_upload_that_asked_first_is_asked_for(newest: Running) -> None:
    with socket.create_connection(("127.0.0.1", newest.port), timeout=10) as connection:
        connection.sendall(
            b"POST /internal/warmup HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n"
            b"content-type: application/json\r\nconnection: close\r\n\r\n"
        )
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")


# -- admin


def test_the_status_names_the_real_port_from_4_0_8(start: Start) -> None:
    for version, named in (("4.0.7", False), ("4.0.8", True)):
        server = start(replace(STRICT, version=version, running=False))
        status = httpx.get(server.url + "/api/proxy/status", headers=KEY).json()
        assert status["running"] is False
        assert status.get("port") == (server.port if named else None)


@pytest.mark.parametrize(("path", "value"), [("/api/logs?limit=5", []), ("/api/logs/count", 0), ("/api/logs/1", {})])
def test_the_admin_api_is_empty(newest: Running, path: str, value: object) -> None:
    assert httpx.get(newest.url + path, headers=KEY).json() == value


# -- records


def test_a_record_says_which_header_carried_a_key_and_never_which_key(newest: Running) -> None:
    asked: list[tuple[str, dict[str, str], str | None]] = [
        ("/v1/models", {}, None),
        ("/v1/models", {"authorization": "Bearer sk-planted"}, "authorization"),
        ("/v1/models", {"x-api-key": "sk-planted"}, "x-api-key"),
        ("/v1/models", {"x-goog-api-key": "sk-planted"}, "x-goog-api-key"),
        ("/v1beta/models?pageSize=1&key=sk-planted", {}, "query"),
    ]
    for path, headers, carrier in asked:
        httpx.get(newest.url + path, headers=headers)
        record = newest.records[-1]
        assert (record.method, record.key_header, record.route) == ("GET", carrier, path.partition("?")[0])
        assert "sk-planted" not in repr(record)


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/v1/models?key=abc&x=1", "/v1/models?key=***&x=1"),
        ("/v1/models?x=1&API_KEY=abc", "/v1/models?x=1&API_KEY=***"),
        ("/a?access_token=abc#f", "/a?access_token=***#f"),
        ("/auth/callback?code=abc&state=s", "/auth/callback?code=***&state=s"),
        ("http://u:p@host/v1/models", "http://***@host/v1/models"),
        ("/v1/models?keyword=x", "/v1/models?keyword=x"),
        ("/v1/keys", "/v1/keys"),
    ],
)
def test_secrets_in_a_target_are_blanked_out(target: str, shown: str) -> None:
    assert redact(target) == shown


def test_each_request_is_reported_before_its_answer_arrives() -> None:
    seen: list[Record] = []
    with run_in_thread(ServerConfig("4.5.8"), on_request=seen.append) as server:
        assert httpx.post(server.url + "/v1/v1/messages?beta=true").status_code == 404
        assert [(r.method, r.target, r.status, r.route, r.handler) for r in seen] == [
            ("POST", "/v1/v1/messages?beta=true", 404, None, False)
        ]
        assert server.records == seen
        raw(server.port, b"\x16\x03\x01")
        assert (seen[-1].note, seen[-1].status) == ("tls", 400)


def test_a_callback_that_fails_does_not_reach_the_client(caplog: pytest.LogCaptureFixture) -> None:
    def fail(record: Record) -> None:
        raise RuntimeError("boom")

    with run_in_thread(ServerConfig("4.5.8"), on_request=fail) as server:
        assert httpx.get(server.url + "/healthz").json() == {"status": "ok", "version": "4.5.8"}
    assert "on_request of the stand-in failed" in caplog.text


# -- life and death


def test_a_busy_port_is_a_clear_error(newest: Running) -> None:
    with (
        pytest.raises(OSError, match=rf"Cannot listen on 127\.0\.0\.1 port {newest.port}: it is already in use\."),
        run_in_thread(port=newest.port),
    ):
        pass


def test_a_host_that_is_not_here_is_a_clear_error() -> None:
    with pytest.raises(OSError, match=r"Cannot listen on 203\.0\.113\.1: "), run_in_thread(host="203.0.113.1"):
        pass


def test_an_unknown_version_is_refused_before_it_listens() -> None:
    with pytest.raises(ValueError, match="not a proxy version"), run_in_thread(ServerConfig("latest")):
        pass


def test_the_port_is_free_again_afterwards() -> None:
    with run_in_thread() as first:
        port = first.port
    with run_in_thread(port=port) as second:
        assert second.url == f"http://127.0.0.1:{port}"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()


def test_ipv6_loopback_is_written_as_a_url_has_it() -> None:
    try:
        with run_in_thread(ServerConfig("4.5.8"), host="::1") as server:
            assert server.url == f"http://[::1]:{server.port}"
            assert httpx.get(server.url + "/healthz").status_code == 200
    except OSError:
        pytest.skip("no IPv6 loopback here")


def test_every_answer_waits_for_the_delay() -> None:
    with run_in_thread(ServerConfig("4.5.8"), delay=0.2) as server:
        begun = time.perf_counter()
        threads = [threading.Thread(target=httpx.get, args=(server.url + "/healthz",)) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        elapsed = time.perf_counter() - begun
    assert elapsed >= 0.2
    assert elapsed < 10 * 0.2  # together, not one after the other


def test_a_silent_peer_is_let_go() -> None:
    async def scenario() -> bytes:
        async with StandIn(ServerConfig("4.5.8"), idle_timeout=0.1) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"GET /heal")
            received = await asyncio.wait_for(reader.read(), 5)
            writer.close()
            return received

    assert asyncio.run(scenario()) == b""


def test_closing_ends_open_connections_without_a_word() -> None:
    complaints: list[dict[str, Any]] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        server = await StandIn(ServerConfig("4.5.8"), delay=30).start()
        idle = await asyncio.open_connection("127.0.0.1", server.port)
        busy = await asyncio.open_connection("127.0.0.1", server.port)
        busy[1].write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await asyncio.sleep(0.05)
        await asyncio.wait_for(server.close(), 5)
        await server.close()  # twice is harmless
        assert await idle[0].read() == b""
        for _, writer in (idle, busy):
            writer.close()
        with pytest.raises(RuntimeError, match="not running"):
            _ = server.port
        assert len(asyncio.all_tasks()) == 1

    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        asyncio.run(scenario(), debug=True)
        gc.collect()
    assert complaints == []


def test_a_client_that_resets_does_no_harm(newest: Running) -> None:
    for _ in range(5):
        connection = socket.create_connection(("127.0.0.1", newest.port), timeout=5)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        connection.sendall(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\nabc")
        connection.close()
    assert httpx.get(newest.url + "/api/health").status_code == 200


# -- real clients


@pytest.fixture(scope="module")
def openai_client(newest: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=newest.url + "/v1", api_key=RIGHT, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def anthropic_client(newest: Running) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=newest.url, api_key=RIGHT, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def gemini_client(newest: Running) -> genai.Client:
    # Without api_version, google-genai 3 asks /v1/models/M:generateContent, which no proxy serves.
    return genai.Client(api_key=RIGHT, http_options={"base_url": newest.url, "api_version": "v1beta"})


def test_openai_chat(openai_client: openai.OpenAI) -> None:
    reply = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
    assert (reply.choices[0].message.content, reply.model) == (SAID, "m")


def test_openai_chat_stream(openai_client: openai.OpenAI) -> None:
    stream = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}], stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == SAID


def test_openai_completions(openai_client: openai.OpenAI) -> None:
    assert openai_client.completions.create(model="m", prompt="hi").choices[0].text == SAID
    stream = openai_client.completions.create(model="m", prompt="hi", stream=True)
    assert "".join(chunk.choices[0].text for chunk in stream) == SAID


def test_openai_responses(openai_client: openai.OpenAI) -> None:
    assert openai_client.responses.create(model="m", input="hi").output_text == SAID


def test_openai_responses_stream(openai_client: openai.OpenAI) -> None:
    with openai_client.responses.stream(model="m", input="hi") as stream:
        types = [event.type for event in stream]
        assert stream.get_final_response().output_text == SAID
    assert types[0] == "response.created"
    assert types.count("response.output_text.delta") == len(SENTENCE)
    assert types[-1] == "response.completed"


def test_openai_models_images_and_audio(openai_client: openai.OpenAI) -> None:
    assert [model.id for model in openai_client.models.list()] == list(MODELS)
    image = openai_client.images.generate(model="m", prompt="a dot")
    assert image.data
    assert image.data[0].b64_json
    edited = openai_client.images.edit(model="m", prompt="a dot", image=("a.png", b"x", "image/png"))
    assert edited.data
    assert openai_client.audio.transcriptions.create(model="m", file=("a.wav", b"x")).text == SAID


def test_anthropic_messages(anthropic_client: anthropic.Anthropic) -> None:
    reply = anthropic_client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}])
    assert [block.text for block in reply.content if block.type == "text"] == [SAID]
    assert reply.stop_reason == "end_turn"


def test_anthropic_messages_stream(anthropic_client: anthropic.Anthropic) -> None:
    with anthropic_client.messages.stream(
        model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
    ) as stream:
        assert list(stream.text_stream) == list(SENTENCE)
        assert stream.get_final_message().stop_reason == "end_turn"


def test_anthropic_count_tokens(anthropic_client: anthropic.Anthropic) -> None:
    counted = anthropic_client.messages.count_tokens(model="m", messages=[{"role": "user", "content": "hi"}])
    assert counted.input_tokens == 0


def test_gemini_generate(gemini_client: genai.Client) -> None:
    assert gemini_client.models.generate_content(model="m", contents="hi").text == SAID


def test_gemini_stream(gemini_client: genai.Client) -> None:
    chunks = gemini_client.models.generate_content_stream(model="m", contents="hi")
    assert [chunk.text for chunk in chunks] == list(SENTENCE)


def test_gemini_models_and_tokens(gemini_client: genai.Client) -> None:
    assert [model.name for model in gemini_client.models.list()] == [f"models/{name}" for name in MODELS]
    assert gemini_client.models.get(model="gemini-x").name == "models/gemini-x"
    assert gemini_client.models.count_tokens(model="m", contents="hi").total_tokens == 1


def test_gemini_streams_events_also_without_alt_sse(newest: Running) -> None:
    response = post(newest, "/v1beta/models/m:streamGenerateContent")
    assert response.headers["content-type"] == "text/event-stream"
    data = [json.loads(line.removeprefix("data: ")) for line in response.text.splitlines() if line]
    assert [chunk["candidates"][0]["content"]["parts"][0]["text"] for chunk in data] == list(SENTENCE)


def test_a_real_client_with_a_wrong_base_url_fails_as_it_does_on_the_proxy(newest: Running) -> None:
    with openai.OpenAI(base_url=newest.url + "/v1/v1", api_key=RIGHT, max_retries=0) as client:
        with pytest.raises(openai.NotFoundError):
            client.models.list()
        assert newest.records[-1].target == "/v1/v1/models"
    wrong = genai.Client(api_key=RIGHT, http_options={"base_url": newest.url, "api_version": "v1"})
    with pytest.raises(genai.errors.ClientError, match="404"):
        wrong.models.generate_content(model="m", contents="hi")
    assert newest.records[-1].target == "/v1/models/m:generateContent"
