"""What an answer's body is, and what status and body say about a right and about a wrong path."""

from __future__ import annotations

import pytest

from antigravity_doctor.diagnosis.symptoms import body_kind, in_query, on_a_miss, on_a_route
from antigravity_doctor.knowledge.routes import table_for

TABLE = table_for(None)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (None, "unknown"),
        ("", "empty"),
        ("  \n", "empty"),
        ("(no body)", "empty"),
        ("status code (no body)", "empty"),
        ("<!doctype html><html>", "html"),
        ("<!DOCTYPE HTML>", "html"),
        ("  <html lang=en>", "html"),
        ("Unexpected token '<', \"<!doctype \"... is not valid JSON", "html"),
        ('{"error":{"type":"token_rejected","message":"Invalid token. Please check your API key."}}', "token-rejected"),
        ('{"error":{"type":"token_rejected","message":"Your token has expired."}}', "token-limited"),
        ('{"error":{"type":"token_rejected","message":"IP limit reached (2/2)."}}', "token-limited"),
        (
            '{"error":{"type":"token_rejected","message":"Service is not available between 1 and 2 (Curfew)"}}',
            "token-limited",
        ),
        ('{"error":{"type":"ip_blocked","message":"Access denied."}}', "ip-blocked"),
        ("Proxy service is currently disabled", "disabled"),
        ('{"error":{"message":"model not found"}}', "error"),
        ("[1]", "error"),
        ("Token error: nothing left", "error"),
        ("404 page not found", "foreign"),
    ],
)
def test_what_a_body_is(body: str | None, kind: str) -> None:
    assert body_kind(body) == kind


def test_the_content_type_tells_html_without_a_body() -> None:
    assert body_kind(None, [("Content-Type", "text/html; charset=utf-8")]) == "html"
    assert body_kind(None, [("content-type", "application/json")]) == "unknown"


def test_an_empty_body_is_not_an_unknown_one() -> None:
    route = TABLE.static["/responses"]
    assert [each.code for each in on_a_route(route, "POST", 404, body_kind(""), TABLE)] == ["AGD403"]
    assert [each.code for each in on_a_route(route, "POST", 404, body_kind(None), TABLE)] == ["AGD405"]


@pytest.mark.parametrize("status", [None, 100, 200, 204, 301, 399])
def test_no_failure_no_finding(status: int | None) -> None:
    assert on_a_route(TABLE.static["/v1/models"], "GET", status, "unknown", TABLE) == ()


def test_a_wrong_key_is_403_from_4_1_12_and_401_before() -> None:
    route = TABLE.static["/v1/models"]
    assert [each.code for each in on_a_route(route, "GET", 401, "empty", table_for("4.1.12"))] == ["AGD201"]
    assert [each.code for each in on_a_route(route, "GET", 401, "empty", table_for("4.1.11"))] == ["AGD201", "AGD202"]


@pytest.mark.parametrize(
    ("status", "kind", "codes"),
    [
        (None, "unknown", []),
        (404, "empty", []),
        (404, "unknown", []),
        (401, "empty", ["AGD207"]),
        (403, "token-rejected", ["AGD202"]),
        (403, "ip-blocked", ["AGD203"]),
        (405, "empty", ["AGD407"]),
        (200, "html", ["AGD404"]),
        (None, "html", ["AGD404"]),
        (404, "html", ["AGD411"]),
        (404, "other", ["AGD411"]),
        (503, "disabled", ["AGD109"]),
    ],
)
def test_what_an_answer_adds_to_a_wrong_path(status: int | None, kind: str, codes: list[str]) -> None:
    assert [each.code for each in on_a_miss("/v1/v1/models", "GET", status, kind, "misrouted")] == codes


def test_noise_stays_noise_whatever_was_answered() -> None:
    assert on_a_miss("/favicon.ico", "GET", 401, "empty", "not-a-path-problem") == ()
    assert on_a_miss("/favicon.ico", "GET", 200, "html", "not-a-path-problem") == ()


@pytest.mark.parametrize("query", ["key=x", "alt=sse&key=x", "api_key=x", "APIKEY=x"])
def test_a_key_in_the_query(query: str) -> None:
    assert [each.code for each in in_query(query)] == ["AGD205"]


@pytest.mark.parametrize("query", ["", "alt=sse", "monkey=1", "x=key=1", "keys=1"])
def test_no_key_in_the_query(query: str) -> None:
    assert in_query(query) == ()
