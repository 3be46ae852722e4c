"""What is found in whole pastes (tests/data/pasted): requests put together from several lines, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from antigravity_doctor.sources.pasted_text import FoundRequest, find_requests

PASTED = Path(__file__).parent.parent / "data" / "pasted"
PLANTED = ("sk-0123456789abcdef0123456789abcdef", "sk-planted-key-for-the-test", "planted-key-for-the-test")

CHAT2 = "/v1/v1/chat/completions"
LOCAL = "http://127.0.0.1:8045"

# file -> [(method, url, path, query, status)], in order
EXPECTED: dict[str, list[tuple[str | None, str | None, str, str | None, int | None]]] = {
    "ai-sdk-error": [(None, LOCAL, "/v1/v1/messages", None, 404)],
    "axios-error": [("POST", LOCAL, CHAT2, None, 404)],
    "claude-code": [("POST", None, "/v1/v1/messages", None, 404)],
    "copy-as-fetch": [("POST", LOCAL, CHAT2, None, None)],
    "curl-data-on-later-lines": [("POST", LOCAL, "/v1/v1/messages", None, None)],
    "curl-include-html": [("GET", "http://192.168.1.20:8045", "/v1/v1/models", None, 200)],
    "curl-include-redirect": [("POST", "https://ai.example.com", "/v1/v1/messages", None, 404)],
    "curl-multi-line": [("POST", LOCAL, CHAT2, None, 404)],
    "curl-verbose-404-json": [("POST", None, "/v1/chat/completions", None, 404)],
    "curl-verbose-405": [("POST", LOCAL, CHAT2, None, 405)],
    "devtools-headers": [("POST", LOCAL, CHAT2, None, 404)],
    "devtools-headers-old": [("GET", LOCAL, "/v1/v1/models", None, 200)],
    "docker-compose-logs": [("POST", None, CHAT2, None, None), ("GET", None, "/v1/models", None, 200)],
    "error-json-after-the-request": [("POST", LOCAL, "/v1/chat/completions", None, 404)],
    "gemini-cli": [
        (None, LOCAL, "/v1/v1beta/models/gemini-3-pro-preview:streamGenerateContent", "alt=sse", 404),
    ],
    "har-entry": [
        ("POST", LOCAL, "/v1/v1/messages", "beta=true", 404),
        ("GET", LOCAL, "/v1/models", None, 200),
    ],
    "httpx-status-error": [(None, LOCAL, "/v1beta/v1/messages", None, 405)],
    "issue-with-markdown": [("POST", LOCAL, "/v1/chat/completions/responses", None, 404)],
    "litellm-debug": [("POST", LOCAL, CHAT2, None, 404)],
    "method-and-path-on-two-lines": [("POST", None, CHAT2, None, 404)],
    "nginx-access.log": [
        ("POST", None, CHAT2, None, 404),
        ("POST", None, CHAT2, None, 401),
        ("GET", None, "/v1/v1/models", None, 404),
    ],
    "node-openai-no-body": [("POST", LOCAL, CHAT2, None, 404)],
    "only-a-base-url": [(None, LOCAL, "/v1", None, 404)],
    "openai-python-traceback": [("POST", LOCAL, CHAT2, None, 404)],
    "paths-one-a-line": [
        (None, None, CHAT2, None, None),
        (None, None, "/v1/chat/completions", None, None),
        ("POST", None, "/v1/v1/messages", None, None),
        (None, None, "/v1/v1/responses", None, 404),
        (None, LOCAL, "/openai/v1/models", None, None),
        (None, None, "/V1/models/", None, None),
    ],
    "powershell-multi-line": [("POST", LOCAL, "/v1/v1/responses", None, 404)],
    "pretty-json-record": [("POST", LOCAL, CHAT2, "key=planted-key-for-the-test", 404)],
    "raw-http-exchange": [("GET", None, "/v1beta/v1beta/models", None, 404)],
    "service-disabled": [("GET", LOCAL, "/v1/models", None, None)],
    "soft-wrapped-address": [("POST", LOCAL, CHAT2, None, 404)],
    "soft-wrapped-box": [("POST", LOCAL, CHAT2, None, 404)],
    "soft-wrapped-word": [(None, LOCAL, "/v1/v1/responses", None, 404)],
    "tower-http-trace": [("POST", None, CHAT2, None, 404)],
    "url-on-the-next-line": [(None, LOCAL, CHAT2, None, 404)],
}


def paste(name: str) -> str:
    return (PASTED / f"{name}.txt").read_text(encoding="utf-8")


def only(name: str) -> FoundRequest:
    (request,) = find_requests(paste(name))
    return request


def core(text: str) -> list[tuple[str | None, str | None, str, str | None, int | None]]:
    return [(item.method, item.url, item.path, item.query, item.status) for item in find_requests(text)]


def test_every_sample_has_an_expectation() -> None:
    assert {path.name.removesuffix(".txt") for path in PASTED.glob("*.txt")} == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_finds_the_requests_of_a_paste(name: str) -> None:
    assert core(paste(name)) == EXPECTED[name]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_line_ends_and_colours_do_not_change_what_is_found(name: str) -> None:
    text = paste(name)
    coloured = "\n".join(f"\x1b[32m{line[:3]}\x1b[0m{line[3:]}" if line else line for line in text.split("\n"))
    assert find_requests(text.replace("\n", "\r\n")) == find_requests(text)
    assert find_requests(coloured) == find_requests(text)


@pytest.mark.parametrize(
    "name",
    ["nginx-access.log", "tower-http-trace", "openai-python-traceback", "node-openai-no-body", "httpx-status-error"],
)
def test_a_compose_prefix_on_every_line_changes_nothing_that_a_log_says(name: str) -> None:
    prefixed = "".join(f"app_1  | {line}\n" for line in paste(name).splitlines())
    assert core(prefixed) == core(paste(name))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_no_key_is_kept_in_the_excerpt_or_the_body(name: str) -> None:
    kept = [(request.input, request.body or "") for request in find_requests(paste(name))]
    assert not any(key in part for parts in kept for part in parts for key in PLANTED)


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("curl-verbose-405", (("allow", "GET,HEAD"), ("content-length", "0"))),
        (
            "curl-verbose-404-json",
            (("content-type", "application/json"), ("x-mapped-model", "gemini-3-pro"), ("content-length", "71")),
        ),
        ("curl-include-html", (("content-type", "text/html"), ("content-length", "89"))),
        ("raw-http-exchange", (("access-control-allow-origin", "*"), ("content-length", "0"))),
        ("pretty-json-record", (("x-key-in-query", "yes"),)),
    ],
)
def test_headers_of_the_answer_are_kept(name: str, headers: tuple[tuple[str, str], ...]) -> None:
    assert only(name).headers == headers


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("curl-verbose-404-json", '{"error":{"message":"model not found","type":"upstream_error","code":404}}'),
        (
            "curl-data-on-later-lines",
            '{"error":{"message":"Invalid token. Please check your API key.","type":"token_rejected",'
            '"code":"token_rejected"}}',
        ),
        ("claude-code", '{"type":"error","error":{"type":"not_found_error","message":"Not Found"}}'),
        ("litellm-debug", "{'detail': 'Not Found'}"),
        ("service-disabled", "Proxy service is currently disabled"),
        ("gemini-cli", '{"error":{"message":"","code":404,"status":"Not Found"}}'),
    ],
)
def test_the_body_of_the_error_is_kept(name: str, body: str) -> None:
    assert only(name).body == body


def test_a_pretty_printed_body_is_kept_as_it_is() -> None:
    body = only("error-json-after-the-request").body
    assert body is not None
    assert body.splitlines()[2] == '    "message": "Requested entity was not found.",'


def test_a_page_that_came_as_the_answer_is_its_body() -> None:
    body = only("curl-include-html").body
    assert body is not None
    assert body.startswith("<!doctype html>")


@pytest.mark.parametrize(
    "name", ["curl-verbose-405", "ai-sdk-error", "node-openai-no-body", "raw-http-exchange", "curl-include-redirect"]
)
def test_an_answer_that_was_empty_has_the_empty_body(name: str) -> None:
    assert only(name).body == ""


@pytest.mark.parametrize(
    "name", ["nginx-access.log", "openai-python-traceback", "soft-wrapped-word", "only-a-base-url"]
)
def test_where_the_paste_shows_no_answer_the_body_is_unknown(name: str) -> None:
    assert all(request.body is None for request in find_requests(paste(name)))


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("nginx-access.log", "access-log"),
        ("tower-http-trace", "access-log"),
        ("claude-code", "proxy-log"),
        ("openai-python-traceback", "client-error"),
        ("curl-multi-line", "curl"),
        ("powershell-multi-line", "curl"),
        ("har-entry", "json"),
        ("pretty-json-record", "json"),
        ("raw-http-exchange", "text"),
        ("devtools-headers", "url"),
    ],
)
def test_the_source_says_what_kind_of_text_it_was(name: str, source: str) -> None:
    assert find_requests(paste(name))[0].source == source


def test_the_host_header_of_a_transcript_is_the_host() -> None:
    assert only("curl-verbose-404-json").host == "localhost:8045"
    assert only("curl-verbose-404-json").url is None
