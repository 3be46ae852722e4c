"""Matching a path against the table: exact, as the proxy's router does it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antigravity_doctor.diagnosis.matching import allow_header, allows, decode, match
from antigravity_doctor.knowledge.routes import Route, table_for

NEWEST = table_for(None)


def routed(path: str) -> str | None:
    found = match(NEWEST, path)
    return found.route.path if found else None


@pytest.mark.parametrize("path", sorted(NEWEST.static))
def test_a_fixed_path_is_its_own_match(path: str) -> None:
    assert routed(path) == path


@pytest.mark.parametrize("path", sorted(route.path for route in NEWEST.static.values() if not route.admin))
@pytest.mark.parametrize("spoil", ["{}/", "/{}", "{}//", "{}%20", "{} ", "{}.", "/x{}", "{}/x/y/z", "{}?x=1"])
def test_a_fixed_path_with_anything_added_is_a_miss(path: str, spoil: str) -> None:
    assert routed(spoil.format(path)) is None


@pytest.mark.parametrize(
    "path",
    ["", "/", "*", "/V1/models", "/v1/Models", "/v1/%6dodels", "/v1%2fmodels", "/v1//models", "/v1/models/gpt-4o"],
)
def test_nothing_is_normalised(path: str) -> None:
    assert routed(path) is None


@pytest.mark.parametrize(
    ("path", "route", "value"),
    [
        ("/v1beta/models/gemini-x", "/v1beta/models/:model", "gemini-x"),
        ("/v1beta/models/gemini-x:generateContent", "/v1beta/models/:model", "gemini-x:generateContent"),
        ("/v1beta/models/gemini-x%3AgenerateContent", "/v1beta/models/:model", "gemini-x:generateContent"),
        (
            "/v1beta/models/models%2Fgemini-x:generateContent",
            "/v1beta/models/:model",
            "models/gemini-x:generateContent",
        ),
        ("/v1beta/models/gemini-x/countTokens", "/v1beta/models/:model/countTokens", "gemini-x"),
        ("/v1beta/models/countTokens", "/v1beta/models/:model", "countTokens"),
        ("/v1beta/models/%E4%B8%AD", "/v1beta/models/:model", "中"),
        ("/v1beta/models/%FF%", "/v1beta/models/:model", "�%"),
    ],
)
def test_a_parameter_is_one_segment_and_comes_decoded(path: str, route: str, value: str) -> None:
    found = match(NEWEST, path)
    assert found is not None
    assert (found.route.path, dict(found.params)) == (route, {"model": value})


@pytest.mark.parametrize(
    "path",
    [
        "/v1beta/models/",
        "/v1beta/models//countTokens",
        "/v1beta/models/models/gemini-x:generateContent",
        "/v1beta/models/gemini-x:generateContent/",
        "/v1beta/models/x/counttokens",
        "/v1/models/gemini-x:generateContent",
    ],
)
def test_a_parameter_is_neither_empty_nor_two_segments(path: str) -> None:
    assert routed(path) is None


def test_a_fixed_segment_wins_over_a_parameter() -> None:
    assert routed("/api/logs/clear") == "/api/logs/clear"
    assert routed("/api/logs/clear2") == "/api/logs/:logId"


@given(st.text())
def test_matching_never_raises_and_a_match_is_always_true(path: str) -> None:
    found = match(NEWEST, path)
    assert found is None or found.route.path == path or ":" in found.route.path


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_decoding_undoes_percent_encoding(text: str) -> None:
    encoded = "".join(f"%{byte:02X}" for byte in text.encode())
    assert decode(encoded) == text


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("/v1/models", "GET", True),
        ("/v1/models", "HEAD", True),
        ("/v1/models", "POST", False),
        ("/v1/models", "get", False),
        ("/v1/chat/completions", "HEAD", False),
        ("/mcp/web_reader/mcp", "DELETE", True),
        ("/v1beta/models/:model", "POST", True),
    ],
)
def test_get_serves_head_and_any_serves_all(path: str, method: str, allowed: bool) -> None:
    assert allows(route_of(path), method) is allowed


@pytest.mark.parametrize(
    ("path", "allow"),
    [("/v1/models", "GET,HEAD"), ("/v1/responses", "POST,GET,HEAD"), ("/mcp/web_reader/mcp", None)],
)
def test_the_allow_header_of_a_route(path: str, allow: str | None) -> None:
    assert allow_header(route_of(path)) == allow


def route_of(pattern: str) -> Route:
    return next(route for route in NEWEST.routes if route.path == pattern)
