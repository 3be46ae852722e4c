"""The evidence around a request: the body of its answer, why it never got one, the setting it was made from."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from antigravity_doctor.knowledge.files import load_json
from antigravity_doctor.sources.pasted_text import FoundRequest, find_requests, iter_requests, symptoms_in
from antigravity_doctor.sources.text_failures import failure_kinds

CHAT = "/v1/chat/completions"


def one(text: str) -> FoundRequest:
    (request,) = find_requests(text)
    return request


# --- bodies on the line of the request ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behind", "status", "body"),
    [
        ("503 No available accounts", 503, "No available accounts"),
        ("503 Token error: x", 503, "Token error: x"),
        ("503 Proxy service is currently disabled", 503, "Proxy service is currently disabled"),
        ("→ 503 Proxy service is currently disabled", 503, "Proxy service is currently disabled"),
        ("returned 503: Proxy service is currently disabled", 503, "Proxy service is currently disabled"),
        ("503 Service Unavailable: No available accounts: all", 503, "No available accounts: all"),
        ('503 Service Unavailable "Token error: x"', 503, "Token error: x"),
        ("404 <html><center>nginx</center></html>", 404, "<html><center>nginx</center></html>"),
        ("404 404 page not found", 404, "404 page not found"),
        ('404 {"detail":"Not Found"}', 404, '{"detail":"Not Found"}'),
        ("404 Not Found {'detail': 'Not Found'}", 404, "{'detail': 'Not Found'}"),
        (
            '401 {"error":{"message":"Incorrect API key provided"}}',
            401,
            '{"error":{"message":"Incorrect API key provided"}}',
        ),
        ("200 <!doctype html>", 200, "<!doctype html>"),
        ("502 body: something of their own", 502, "something of their own"),
    ],
)
def test_what_stands_behind_the_status_is_the_body(behind: str, status: int, body: str) -> None:
    request = one(f"POST {CHAT} {behind}")
    assert (request.path, request.status, request.body) == (CHAT, status, body)


def test_a_path_without_a_method_has_its_body_on_the_line_too() -> None:
    request = one("/healthz 200 <!doctype html>")
    assert (request.path, request.status, request.body) == ("/healthz", 200, "<!doctype html>")


def test_the_answer_may_stand_on_the_next_line() -> None:
    request = one(f"POST http://127.0.0.1:8045{CHAT}\n503 No available accounts")
    assert (request.status, request.body) == (503, "No available accounts")


def test_each_request_of_a_line_keeps_its_own_body() -> None:
    found = find_requests("POST /v1/messages 503 No available accounts; POST /v1/responses 404 404 page not found")
    assert [item.body for item in found] == ["No available accounts", "404 page not found"]


@pytest.mark.parametrize(
    "line",
    [
        f"POST {CHAT} 404",
        f"POST {CHAT} 404 Not Found",
        f"POST {CHAT} 404 (Not Found)",
        f"POST {CHAT} 503 Service Unavailable",
        f"POST {CHAT} 404 when I use Cursor",
        f"POST {CHAT} 404 3.214 ms - 150",
        f"POST {CHAT} 404 162 - 3.2 ms",
        f'127.0.0.1 - - [04/Feb/2026:10:15:30 +0800] "POST {CHAT} HTTP/1.1" 404 162 "-" "OpenAI/Python 2.9.0"',
        f'10.0.0.1 - - [04/Feb/2026:10:15:30 +0800] "POST {CHAT} HTTP/1.1" 503 9 "<html>" "No available accounts"',
        f'INFO:     127.0.0.1:5000 - "POST {CHAT} HTTP/1.1" 404 Not Found',
        f'[GIN] 2026/01/01 - 12:00:00 | 404 |       1.234ms |       127.0.0.1 | POST     "{CHAT}"',
    ],
)
def test_reasons_log_columns_and_remarks_are_no_body(line: str) -> None:
    assert one(line).body is None


def test_a_key_in_an_inline_body_is_masked() -> None:
    body = one(f"POST {CHAT} 401 Incorrect API key provided: sk-PLANTED01").body
    assert body is not None
    assert "PLANTED01" not in body


# --- connections that failed --------------------------------------------------------------------------------------

FAILURES: dict[str, tuple[str, str | None, str, str | None, str]] = {
    # text, url, path, host, failure
    "node-with-url": (
        "connect ECONNREFUSED ::1:8045 http://localhost:8045/v1/messages",
        "http://localhost:8045",
        "/v1/messages",
        "localhost:8045",
        "refused",
    ),
    "requests": (
        "requests.exceptions.ConnectionError: HTTPConnectionPool(host='127.0.0.1', port=8046): Max retries exceeded "
        "with url: /v1/models (Caused by NewConnectionError('<urllib3.connection.HTTPConnection object at 0x7f>: "
        "Failed to establish a new connection: [Errno 111] Connection refused'))",
        None,
        "/v1/models",
        "127.0.0.1:8046",
        "refused",
    ),
    "go": (
        'Post "http://127.0.0.1:8046/v1/messages": dial tcp 127.0.0.1:8046: connect: connection refused',
        "http://127.0.0.1:8046",
        "/v1/messages",
        "127.0.0.1:8046",
        "refused",
    ),
    "nginx-error-log": (
        "2026/02/04 10:15:30 [error] 29#29: *1 connect() failed (111: Connection refused) while connecting to upstream,"
        ' client: 172.18.0.1, server: _, request: "POST /v1/chat/completions HTTP/1.1", '
        'upstream: "http://127.0.0.1:8045/v1/chat/completions", host: "localhost"',
        None,
        CHAT,
        "127.0.0.1:8045",
        "refused",
    ),
    "reqwest": (
        "error sending request for url (http://127.0.0.1:8046/v1/responses): error trying to connect: tcp connect "
        "error: Connection refused (os error 111)",
        "http://127.0.0.1:8046",
        "/v1/responses",
        "127.0.0.1:8046",
        "refused",
    ),
    "chromium": (
        "POST http://127.0.0.1:8046/v1/messages net::ERR_CONNECTION_REFUSED",
        "http://127.0.0.1:8046",
        "/v1/messages",
        "127.0.0.1:8046",
        "refused",
    ),
    "russian": (
        "Подключение к http://127.0.0.1:8046/v1/messages: в соединении отказано",
        "http://127.0.0.1:8046",
        "/v1/messages",
        "127.0.0.1:8046",
        "refused",
    ),
    "chinese-timeout": (
        "http://127.0.0.1:8046/v1/messages 请求超时",
        "http://127.0.0.1:8046",
        "/v1/messages",
        "127.0.0.1:8046",
        "timeout",
    ),
    "tls": (
        "write EPROTO error:0A00010B:SSL routines::wrong version number https://127.0.0.1:8045/v1/messages",
        "https://127.0.0.1:8045",
        "/v1/messages",
        "127.0.0.1:8045",
        "tls",
    ),
    "hang-up": (
        "Error: socket hang up, url: http://127.0.0.1:8045/v1/messages",
        "http://127.0.0.1:8045",
        "/v1/messages",
        "127.0.0.1:8045",
        "reset",
    ),
    "curl-after-its-command": (
        "$ curl http://localhost:8046/v1/models\ncurl: (7) Failed to connect to localhost port 8046 after 0 ms",
        "http://localhost:8046",
        "/v1/models",
        "localhost:8046",
        "refused",
    ),
    "curl-verbose": (
        "> POST /v1/messages HTTP/1.1\n> Host: 127.0.0.1:8045\n>\n* Empty reply from server\n"
        "* Closing connection 0\ncurl: (52) Empty reply from server",
        None,
        "/v1/messages",
        "127.0.0.1:8045",
        "reset",
    ),
    "error-before-the-url": (
        "APIConnectionError: Connection error.\n  cause: connect ECONNREFUSED 127.0.0.1:8046\n    at x (node:net:1:2)\n"
        "  method: POST http://127.0.0.1:8046/v1/messages",
        "http://127.0.0.1:8046",
        "/v1/messages",
        "127.0.0.1:8046",
        "refused",
    ),
    "base-url-in-the-error": (
        "Cannot reach http://127.0.0.1:8046/v1: connection refused",
        "http://127.0.0.1:8046",
        "/v1",
        "127.0.0.1:8046",
        "refused",
    ),
}


@pytest.mark.parametrize("name", sorted(FAILURES))
def test_a_request_knows_why_it_met_no_server(name: str) -> None:
    text, url, path, host, failure = FAILURES[name]
    request = one(text)
    assert (request.url, request.path, request.host, request.failure) == (url, path, host, failure)


@pytest.mark.parametrize(
    ("text", "host", "failure"),
    [
        (
            "curl: (7) Failed to connect to 127.0.0.1 port 8046 after 0 ms: Couldn't connect",
            "127.0.0.1:8046",
            "refused",
        ),
        ("Error: connect ECONNREFUSED 127.0.0.1:8046", "127.0.0.1:8046", "refused"),
        ("Error: connect ECONNREFUSED ::1:8045", "[::1]:8045", "refused"),
        ("dial tcp [::1]:8045: connect: connection refused", "[::1]:8045", "refused"),
        ("dial tcp 127.0.0.1:8046: connect: connection refused", "127.0.0.1:8046", "refused"),
        ("dial tcp antigravity:8045: connect: connection refused", "antigravity:8045", "refused"),
        ("java.net.ConnectException: Failed to connect to localhost/127.0.0.1:8046", "127.0.0.1:8046", "refused"),
        ("java.net.ConnectException: Failed to connect to /127.0.0.1:8046", "127.0.0.1:8046", "refused"),
        ("the target machine actively refused it. (127.0.0.1:8046)", "127.0.0.1:8046", "refused"),
        ("[Errno 111] Connect call failed ('127.0.0.1', 8046)", "127.0.0.1:8046", "refused"),
        ("无法连接：127.0.0.1:8046 拒绝连接", "127.0.0.1:8046", "refused"),
        ("Connection refused on port 8046", "localhost:8046", "refused"),
        ("  code: 'ECONNREFUSED', address: '127.0.0.1', port: 8046", "127.0.0.1:8046", "refused"),
        ("getaddrinfo ENOTFOUND my-proxy.lan", "my-proxy.lan", "name"),
        ("curl: (6) Could not resolve host: antigravity", "antigravity", "name"),
        ("dial tcp: lookup antigravity on 127.0.0.53:53: no such host", "antigravity", "name"),
        ("read tcp 127.0.0.1:54321->127.0.0.1:8046: read: connection reset by peer", "127.0.0.1:8046", "reset"),
        ("curl: (28) Failed to connect to 10.0.0.9 port 8045 after 3000 ms: Timeout", "10.0.0.9:8045", "timeout"),
        ("Connect Timeout Error (attempted address: 10.0.0.9:8045)", "10.0.0.9:8045", "timeout"),
        ("curl: (35) localhost:8045 packet length too long", "localhost:8045", "tls"),
    ],
)
def test_an_error_that_names_only_an_address_is_a_find_of_its_own(text: str, host: str, failure: str) -> None:
    request = one(text)
    assert (request.path, request.source, request.host, request.failure) == ("/", "connection", host, failure)


def test_a_scheme_before_the_address_gives_the_url() -> None:
    assert one("http://127.0.0.1:8046: connection refused, sorry").url == "http://127.0.0.1:8046"


def test_two_addresses_that_refused_are_two_finds() -> None:
    text = "Error: connect ECONNREFUSED ::1:8046\nError: connect ECONNREFUSED 127.0.0.1:8045\n"
    assert [item.host for item in find_requests(text)] == ["[::1]:8046", "127.0.0.1:8045"]


def test_an_address_that_failed_often_is_one_find() -> None:
    lines = ["Error: connect ECONNREFUSED 127.0.0.1:8046", "retrying"] * 10
    assert len(list(iter_requests(lines))) == 1


def test_two_addresses_of_one_port_are_one_find() -> None:
    text = "Error: connect ECONNREFUSED ::1:8046\nError: connect ECONNREFUSED 127.0.0.1:8046\n"
    assert one(text).host == "[::1]:8046"


@pytest.mark.parametrize(
    "text", ["400: connect ECONNREFUSED 10.0.0.9:8046", "ECONNREFUSED 10.0.0.9:8046\nError code: 404"]
)
def test_where_nobody_answered_there_is_no_status(text: str) -> None:
    request = one(text)
    assert (request.source, request.status, request.failure) == ("connection", None, "refused")


def test_a_status_behind_a_failed_address_belongs_to_the_next_request() -> None:
    request = one("connect ECONNREFUSED 127.0.0.1:7890\nError code: 404\nurl: http://127.0.0.1:8045/v1/v1/models")
    assert (request.path, request.status, request.failure) == ("/v1/v1/models", 404, None)


def test_an_address_counts_only_if_there_is_no_request() -> None:
    text = "connect ECONNREFUSED 127.0.0.1:7890\nGET http://127.0.0.1:8045/v1/v1/models 404"
    request = one(text)
    assert (request.path, request.failure) == ("/v1/v1/models", None)


@pytest.mark.parametrize(
    "text",
    [
        "POST http://127.0.0.1:8045/v1/messages\nconnect ECONNREFUSED 127.0.0.1:5432",
        f"POST {CHAT} 404\nconnect ECONNREFUSED 127.0.0.1:8045",
        f'POST {CHAT} 503 {{"error":{{"message":"upstream: Connection refused"}}}}',
        "* connect to ::1 port 8045 failed: Connection refused\n* Connected to localhost\n"
        "> GET /v1/models HTTP/1.1\n> Host: localhost:8045\n>\n< HTTP/1.1 200 OK\n",
        '127.0.0.1 - - [04/Feb/2026:10:15:30 +0000] "GET /v1/models HTTP/1.1" 200 5 "-" "x"\nconnection refused\n',
        f"POST {CHAT}\n  timeout: 600,\n",
        f"POST {CHAT}\n    for res in socket.getaddrinfo(host, port):\n",
    ],
    ids=["another-port", "it-was-answered", "in-a-body", "one-of-two-addresses", "log", "option", "source-line"],
)
def test_a_failure_of_something_else_is_not_the_requests_own(text: str) -> None:
    assert all(request.failure is None for request in find_requests(text))


def test_an_error_without_an_address_is_no_request() -> None:
    assert find_requests("httpx.ConnectError: [Errno 111] Connection refused") == []


# --- settings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "path"),
    [
        ("export ANTHROPIC_BASE_URL=http://127.0.0.1:8045/v1", "ANTHROPIC_BASE_URL", "/v1"),
        ('$env:OPENAI_BASE_URL="http://127.0.0.1:8045/v1"', "OPENAI_BASE_URL", "/v1"),
        ('$env:OPENAI_BASE_URL = "http://127.0.0.1:8045"', "OPENAI_BASE_URL", "/"),
        ("set OPENAI_BASE_URL=http://127.0.0.1:8045/v1", "OPENAI_BASE_URL", "/v1"),
        ('setx OPENAI_BASE_URL "http://127.0.0.1:8045/v1"', "OPENAI_BASE_URL", "/v1"),
        ("OPENAI_BASE_URL=http://127.0.0.1:8045/v1/v1", "OPENAI_BASE_URL", "/v1/v1"),
        ('client = OpenAI(base_url="http://127.0.0.1:8045/v1", api_key="x")', "base_url", "/v1"),
        ('  baseURL: "http://127.0.0.1:8045/v1/chat/completions",', "baseURL", CHAT),
        ("api_base=http://127.0.0.1:8045", "api_base", "/"),
        ('"apiBase": "http://127.0.0.1:8045/v1",', "apiBase", "/v1"),
        ('{"env": {"ANTHROPIC_BASE_URL": "http://127.0.0.1:8045/v1"}}', "ANTHROPIC_BASE_URL", "/v1"),
        ('{\n  "models": [\n    {"apiBase": "http://127.0.0.1:8045/v1"}\n  ]\n}', "apiBase", "/v1"),
        ("GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8045", "GOOGLE_GEMINI_BASE_URL", "/"),
        ("aider --openai-api-base http://127.0.0.1:8045/v1", "openai-api-base", "/v1"),
        ("  api_base: https://ai.example.com/proxy", "api_base", "/proxy"),
        ("Base URL: http://127.0.0.1:8045/v1", "Base URL", "/v1"),
    ],
)
def test_a_base_url_in_a_setting_is_named(text: str, name: str, path: str) -> None:
    request = one(text)
    assert (request.setting, request.source, request.path) == (name, "setting", path)
    assert request.url is not None


@pytest.mark.parametrize(
    "text",
    [
        "POST http://127.0.0.1:8045/v1/v1/messages 404",
        "the base_url http://127.0.0.1:8045/v1/messages is wrong",
        "http://127.0.0.1:8045/v1",
        '{"method":"POST","baseURL":"http://127.0.0.1:8045/v1","url":"/messages"}',
    ],
)
def test_other_urls_are_no_settings(text: str) -> None:
    assert one(text).setting is None


def test_a_setting_counts_only_if_there_is_no_request() -> None:
    request = one("OPENAI_BASE_URL=http://127.0.0.1:8045/v1\nPOST /v1/v1/chat/completions 404")
    assert (request.path, request.setting) == ("/v1/v1/chat/completions", None)


def test_two_settings_with_one_url_are_two_finds() -> None:
    text = "OPENAI_BASE_URL=http://127.0.0.1:8045/v1\nANTHROPIC_BASE_URL=http://127.0.0.1:8045/v1\n"
    assert [item.setting for item in find_requests(text)] == ["OPENAI_BASE_URL", "ANTHROPIC_BASE_URL"]


# --- the admin API in the proxy's own log -------------------------------------------------------------------------

AUTH = "2026-02-04T10:15:30.1+08:00  INFO antigravity_tools_lib::proxy::middleware::auth: Request: GET "
STRIPPED = ("x-admin-stripped", "yes")


@pytest.mark.parametrize("path", ["/logs", "/logs/count", "/proxy/status", "/config", "/accounts", "/health"])
def test_a_path_of_the_admin_api_is_hinted_at(path: str) -> None:
    request = one(AUTH + path)
    assert (request.path, request.headers) == (path, (STRIPPED,))


@pytest.mark.parametrize(
    "line",
    [
        AUTH + "/v1/v1/models",
        AUTH + "/api/logs",
        AUTH + "/chat/completions",
        "2026-02-04T10:15:30.1+08:00  INFO antigravity_tools_lib::proxy::monitor: [Monitor] Logging request: GET /logs",
        '127.0.0.1 - - [04/Feb/2026:10:15:30 +0000] "GET /logs HTTP/1.1" 404 0',
        "GET /logs 404",
    ],
)
def test_no_other_line_is(line: str) -> None:
    assert STRIPPED not in one(line).headers


# --- symptoms -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Connection refused", ("AGD101",)),
        ("Error: connect ECONNREFUSED 127.0.0.1:8045", ("AGD101",)),
        ("无法连接，拒绝连接", ("AGD101",)),
        ("openai.APIConnectionError: Connection error.", ("AGD101",)),
        ("Request timed out.", ("AGD102",)),
        ("请求超时", ("AGD102",)),
        ("getaddrinfo ENOTFOUND", ("AGD103",)),
        ("SSL routines: wrong version number", ("AGD105",)),
        ("certificate verify failed: self-signed certificate", ("AGD114",)),
        ("Proxy service is currently disabled", ("AGD109",)),
        ('"code":"token_rejected"', ("AGD202",)),
        ("Invalid token. Please check your API key.", ("AGD202",)),
        ("401 Invalid token. Please check your API key.", ("AGD202",)),
        ("Your token has expired. (token_rejected)", ("AGD208",)),
        ("ip_blocked", ("AGD203",)),
        ("API Error: 401 Unauthorized", ("AGD201",)),
        ("Incorrect API key provided: sk-x", ("AGD501",)),
        ("503 No available accounts", ("AGD408",)),
        ("Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON", ("AGD404",)),
        ("SyntaxError: Unexpected token < in JSON at position 0", ("AGD404",)),
        ("<!doctype html><html lang=en>", ("AGD404",)),
        ("405 Method Not Allowed", ("AGD407",)),
        ("There's an issue with the selected model (claude-opus-4). It may not exist", ("path-unknown",)),
        ("openai.NotFoundError: Error code: 404", ("path-unknown",)),
        ("404 model_not_found", ("path-unknown",)),
        ("404", ("path-unknown",)),
        ("一直返回404怎么办", ("path-unknown",)),
        ("\x1b[31m405\x1b[0m Method Not Allowed", ("AGD407",)),
        ("", ()),
        ("my proxy does not work", ()),
        ("on port 4040, line 404", ()),
        ("timeout: 30", ()),
    ],
)
def test_words_alone_suggest_findings(text: str, codes: tuple[str, ...]) -> None:
    assert symptoms_in(text) == codes


def test_the_surest_symptom_comes_first() -> None:
    assert symptoms_in("404, and then Proxy service is currently disabled, connection refused") == (
        "AGD109",
        "AGD101",
        "path-unknown",
    )


# --- the data -----------------------------------------------------------------------------------------------------

DATA = load_json("text-symptoms.json")
FINDINGS = Path(__file__).parents[2] / "antigravity_doctor" / "knowledge" / "findings"
CODES = {code for file in FINDINGS.glob("*.json") for code in json.loads(file.read_text(encoding="utf-8"))}


def test_every_code_exists() -> None:
    assert {entry["code"] for entry in DATA["symptoms"]} - {"path-unknown"} <= CODES


def test_everything_says_where_it_is_from() -> None:
    entries = [*DATA["failures"], *DATA["symptoms"], DATA["answers"], DATA["admin_segments"]]
    assert all(entry["source"] for entry in entries)


@pytest.mark.parametrize("entry", DATA["failures"], ids=lambda entry: str(entry["kind"]))
def test_every_wording_of_a_failure_is_lower_case_and_recognised(entry: dict[str, Any]) -> None:
    # an upper-case letter would never match; a wording may hold one of an earlier kind only if that is meant
    assert [word for word in entry["any"] if word != word.lower()] == []
    assert [word for word in entry["any"] if entry["kind"] not in failure_kinds(word.upper())] == []


def test_every_pattern_of_a_symptom_is_one() -> None:
    for entry in DATA["symptoms"]:
        for pattern in (*entry["any"], *entry.get("unless", [])):
            assert re.compile(pattern).search("") is None
