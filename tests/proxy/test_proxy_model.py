"""The model of the proxy's layers: every recorded answer, and the rules that the records have no probe for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replica_cells import ADMIN, CELLS, KEYS, ORACLES, RIGHT, WRONG, oracle_probes, probes

from antigravity_doctor.diagnosis.proxy_model import (
    Answer,
    RequestHead,
    ServerConfig,
    answer,
    effective_auth,
    health_json,
    split_target,
)

STRICT = ServerConfig("4.5.8", "strict", api_key=RIGHT)


def ask(config: ServerConfig, method: str, target: str, **headers: str) -> Answer:
    return answer(
        config, RequestHead(method, target, {name.replace("_", "-"): value for name, value in headers.items()})
    )


def seen(found: Answer, expected: dict[str, Any]) -> dict[str, Any]:
    """An answer in the words of the records; with those of length and type that were recorded."""
    words: dict[str, Any] = {"status": found.status, "cors": found.cors}
    if found.allow is not None:
        words["allow"] = found.allow
    if found.handler and found.route is not None:
        words["route"] = found.route.path.removeprefix("/api")  # inside the nest the prefix is off
    if "content_length" in expected:
        words["content_length"] = found.content_length
    if found.content_type is not None and not found.handler and found.body != "file":
        words["content_type"] = found.content_type
    return words


# -- the records


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("cell", CELLS)
def test_every_recorded_answer_is_predicted(cell: str, key: str) -> None:
    cases = [probe for probe in probes(cell) if probe.key == key]
    assert len(cases) == 102
    wrong = []
    for method, target, _, recorded in cases:
        expected = {name: value for name, value in recorded.items() if name != "mw_inner_to_outer"}
        predicted = seen(answer(CELLS[cell], RequestHead(method, target, KEYS[key])), expected)
        if predicted != expected:
            wrong.append((method, target, predicted, expected))
    assert wrong == []


@pytest.mark.parametrize("name", ORACLES)
def test_every_answer_of_the_key_free_oracle_is_predicted(name: str) -> None:
    cases = oracle_probes(name)
    assert len(cases) == 57
    wrong = []
    for method, path, recorded in cases:
        found = ask(ORACLES[name], method, path)
        predicted = (found.status, found.allow, "cors" if found.cors else "nocors")
        if predicted != (recorded["status"], recorded["allow"], recorded["cors"]):
            wrong.append((method, path, predicted, recorded))
    assert wrong == []


def test_the_records_are_23_cells() -> None:
    assert len(CELLS) == 23


# -- keys


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": f"Bearer {RIGHT}"}, 200),
        ({"authorization": RIGHT}, 200),
        ({"authorization": f"bearer {RIGHT}"}, 403),
        ({"authorization": f"Bearer  {RIGHT}"}, 403),
        ({"authorization": f"Basic {RIGHT}"}, 403),
        ({"authorization": "Bearer"}, 403),
        ({"authorization": ""}, 403),
        ({"x-api-key": RIGHT}, 200),
        ({"x-api-key": f"Bearer {RIGHT}"}, 403),
        ({"x-goog-api-key": RIGHT}, 200),
        ({"x-goog-api-key": WRONG}, 403),
        ({"authorization": "Basic abc", "x-api-key": RIGHT}, 403),
        ({"x-api-key": WRONG, "x-goog-api-key": RIGHT}, 403),
        ({"authorization": "Bearer schlüssel", "x-api-key": RIGHT}, 200),  # not readable: passed over
        ({"api-key": RIGHT}, 401),
        ({"cookie": f"key={RIGHT}"}, 401),
    ],
)
def test_which_header_carries_the_key(headers: dict[str, str], status: int) -> None:
    assert answer(STRICT, RequestHead("GET", "/v1/models", headers)).status == status


@pytest.mark.parametrize("version", ["3.3.8", "3.3.50", "4.0.0", "4.5.8"])
def test_a_key_in_the_query_is_never_read(version: str) -> None:
    assert ask(replace(STRICT, version=version), "GET", f"/v1/models?key={RIGHT}&api_key={RIGHT}").status == 401


@pytest.mark.parametrize(("version", "status"), [("3.3.8", 401), ("3.3.42", 401), ("3.3.43", 200)])
def test_x_goog_api_key_counts_from_3_3_43(version: str, status: int) -> None:
    assert ask(replace(STRICT, version=version), "GET", "/v1/models", x_goog_api_key=RIGHT).status == status


@pytest.mark.parametrize(("version", "status"), [("3.3.8", 401), ("4.1.11", 401), ("4.1.12", 403), ("5.0.0", 403)])
def test_a_wrong_key_is_403_from_4_1_12(version: str, status: int) -> None:
    found = ask(replace(STRICT, version=version), "GET", "/v1/models", x_api_key=WRONG)
    assert found.status == status
    assert found.body == ("token-rejected" if status == 403 else "empty")


@pytest.mark.parametrize("version", ["3.0.0", "3.1.1", "3.2.0", "3.3.7"])
def test_before_3_3_8_no_key_is_asked_for(version: str) -> None:
    assert ask(replace(STRICT, version=version), "GET", "/v1/models").status == 200


@pytest.mark.parametrize("key", ["none", "wrong", "right"])
def test_an_empty_api_key_denies_everybody(key: str) -> None:
    config = replace(STRICT, api_key_empty=True)
    assert answer(config, RequestHead("GET", "/v1/models", KEYS[key])).status == 401
    assert answer(config, RequestHead("GET", "/api/logs", KEYS[key])).status == 401


def test_an_empty_api_key_beside_an_admin_password_rejects_keys() -> None:
    config = replace(STRICT, api_key_empty=True, admin_password=ADMIN)
    assert ask(config, "GET", "/v1/models", x_api_key=RIGHT).status == 403
    assert ask(config, "GET", "/api/logs", x_api_key=ADMIN).status == 200


@pytest.mark.parametrize(
    ("mode", "allow_lan", "effective"),
    [
        ("off", True, "off"),
        ("strict", False, "strict"),
        ("auto", False, "off"),
        ("auto", True, "all_except_health"),
    ],
)
def test_auto_follows_the_lan_setting(mode: Any, allow_lan: bool, effective: str) -> None:
    assert effective_auth(ServerConfig("4.5.8", mode, allow_lan=allow_lan)) == effective


@pytest.mark.parametrize(
    ("version", "path", "status"),
    [
        ("3.3.50", "/healthz", 200),
        ("4.0.1", "/healthz", 404),  # open, but no route
        ("4.0.1", "/health", 401),
        ("4.0.2", "/health", 404),
        ("4.0.10", "/health", 200),
        ("4.0.10", "/healthz/", 401),
        ("4.0.15", "/internal/warmup", 401),
        ("4.1.0", "/internal/nope", 404),
    ],
)
def test_what_all_except_health_leaves_open(version: str, path: str, status: int) -> None:
    assert ask(ServerConfig(version, "all_except_health"), "GET", path).status == status


# -- the admin API


@pytest.mark.parametrize(
    ("version", "mode", "path", "status"),
    [
        ("4.0.0", "off", "/api/health", 401),
        ("4.0.2", "strict", "/api/health", 200),
        ("4.0.1", "off", "/api/logs", 401),
        ("4.0.2", "off", "/api/logs", 200),
        ("4.2.1", "off", "/api/logs", 200),
        ("4.2.2", "off", "/api/logs", 401),
        ("4.5.8", "strict", "/auth/callback", 200),
    ],
)
def test_the_admin_api_without_a_key(version: str, mode: Any, path: str, status: int) -> None:
    assert ask(ServerConfig(version, mode), "GET", path).status == status


@pytest.mark.parametrize(
    ("version", "password", "key", "status"),
    [
        ("4.0.1", ADMIN, RIGHT, 200),
        ("4.0.1", ADMIN, ADMIN, 401),
        ("4.0.2", ADMIN, ADMIN, 200),
        ("4.0.2", ADMIN, RIGHT, 401),
        ("4.5.8", None, RIGHT, 200),
        ("4.5.8", "", RIGHT, 200),
        ("4.5.8", ADMIN, WRONG, 401),  # never 403 here
    ],
)
def test_the_admin_password_takes_the_place_of_the_key(
    version: str, password: str | None, key: str, status: int
) -> None:
    config = ServerConfig(version, "strict", api_key=RIGHT, admin_password=password)
    assert ask(config, "GET", "/api/logs", x_api_key=key).status == status


# -- switched off, blocked, MCP


@pytest.mark.parametrize(
    ("version", "path", "status"),
    [
        ("4.0.0", "/api/health", 503),
        ("4.0.0", "/auth/callback", 503),
        ("4.0.1", "/auth/callback", 200),
        ("4.0.2", "/api/health", 200),
        ("4.0.9", "/health", 404),
        ("4.0.10", "/health", 200),
        ("4.0.10", "/healthz", 503),
        ("4.5.6", "/internal/nope", 503),
        ("4.5.7", "/internal/nope", 404),
        ("4.5.8", "/api", 503),
        ("4.5.8", "/api/", 404),
        ("4.5.8", "/v1/v1/models", 503),
        ("3.3.50", "/v1/models", 200),  # a stopped v3 has no listener: nothing to answer with
    ],
)
def test_what_is_answered_while_the_service_is_switched_off(version: str, path: str, status: int) -> None:
    assert ask(ServerConfig(version, "off", running=False), "GET", path).status == status


@pytest.mark.parametrize(
    ("version", "path", "status"),
    [
        ("4.0.9", "/v1/models", 200),
        ("4.0.10", "/v1/models", 403),
        ("4.5.8", "/healthz", 403),
        ("4.5.8", "/nope", 403),
        ("4.5.8", "/api/health", 200),
        ("4.5.8", "/auth/callback", 200),
    ],
)
def test_a_blocked_address_gets_403_before_auth(version: str, path: str, status: int) -> None:
    assert (
        ask(ServerConfig(version, "strict" if status == 403 else "off", ip_blocked=True), "GET", path).status == status
    )


def test_a_blocked_address_is_named_as_the_headers_give_it() -> None:
    config = ServerConfig("4.5.8", ip_blocked=True)
    assert '"ip":"10.1.1.1"' in (ask(config, "GET", "/", x_forwarded_for="10.1.1.1, 10.2.2.2").text or "")
    assert '"ip":"10.3.3.3"' in (ask(config, "GET", "/", x_real_ip="10.3.3.3").text or "")
    assert ask(config, "GET", "/").body == "ip-blocked"


def test_mcp_that_is_switched_off_is_an_empty_404_on_a_path_that_exists() -> None:
    found = ask(ServerConfig("4.5.8"), "POST", "/mcp/web_reader/mcp")
    assert (found.status, found.text, found.content_type, found.handler) == (404, "", None, True)
    assert found.route is not None


# -- the web UI


@pytest.mark.parametrize(
    ("version", "method", "path", "status", "body"),
    [
        ("3.3.50", "GET", "/nope", 401, "empty"),  # v3 has no web UI
        ("4.0.0", "GET", "/nope", 200, "html"),
        ("4.0.5", "GET", "/healthz", 200, "html"),
        ("4.5.8", "HEAD", "/v1/v1/models", 200, "html"),
        ("4.5.8", "POST", "/v1/v1/messages", 405, "empty"),
        ("4.5.8", "GET", "/icon.png", 200, "file"),
        ("4.5.8", "GET", "/v1/chat/completions", 401, "empty"),
    ],
)
def test_what_a_web_ui_makes_of_a_path(version: str, method: str, path: str, status: int, body: str) -> None:
    found = ask(ServerConfig(version, "strict", web_ui=True), method, path)
    assert (found.status, found.body) == (status, body)


# -- CORS


@pytest.mark.parametrize("version", ["3.0.0", "3.1.1"])
def test_before_3_2_0_options_is_a_wrong_method(version: str) -> None:
    found = ask(ServerConfig(version), "OPTIONS", "/v1/models")
    assert (found.status, found.allow, found.cors) == (405, "GET,HEAD", False)


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize(
    ("path", "allow"),
    [("/v1/models", "GET,HEAD"), ("/v1/responses", "POST,GET,HEAD"), ("/mcp/web_reader/mcp", None), ("/nope", None)],
)
def test_options_needs_no_key_and_no_running_service(path: str, allow: str | None, running: bool) -> None:
    found = ask(replace(STRICT, running=running, ip_blocked=True), "OPTIONS", path)
    assert (found.status, found.allow, found.cors, found.body) == (200, allow, True, "preflight")


# -- targets


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/v1/models", "/v1/models", None),
        ("/v1/models?", "/v1/models", ""),
        ("/v1/models?a=1?b#c", "/v1/models", "a=1?b"),
        ("/a#b?c", "/a", None),
        ("http://127.0.0.1/v1/models?x", "/v1/models", "x"),
        ("http://host", "/", None),
        ("http://host?x=1", "/", "x=1"),
        ("//v1/models", "//v1/models", None),
        ("*", "*", None),
        ("127.0.0.1:443", "", None),
    ],
)
def test_a_target_is_split_into_path_and_query(target: str, path: str, query: str | None) -> None:
    assert split_target(target) == (path, query)


@pytest.mark.parametrize("target", ["v1/models", "", "?x=1", "http:///x", "a b"])
def test_a_target_that_the_parser_refuses(target: str) -> None:
    assert split_target(target) is None
    found = ask(STRICT, "GET", target)
    assert (found.status, found.cors, found.content_length) == (400, False, 0)


# -- health


@pytest.mark.parametrize(
    ("version", "body"),
    [
        ("3.0.0", '{"status":"ok"}'),
        ("4.0.9", '{"status":"ok"}'),
        ("4.0.10", '{"status":"ok","version":"4.0.10"}'),
        ("4.1.18", '{"status":"ok","version":"4.1.17"}'),
        ("5.0.0", '{"status":"ok","version":"5.0.0"}'),
    ],
)
def test_the_health_json(version: str, body: str) -> None:
    assert health_json(version) == body


def test_a_version_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not a proxy version"):
        ask(ServerConfig("latest"), "GET", "/")


@given(st.text(), st.text(), st.dictionaries(st.sampled_from(["authorization", "x-api-key"]), st.text()))
def test_any_request_has_an_answer(method: str, target: str, headers: dict[str, str]) -> None:
    found = answer(STRICT, RequestHead(method, target, headers))
    assert found.status in (200, 400, 401, 403, 404, 405)


def test_a_key_is_never_shown() -> None:
    config = ServerConfig(api_key="sk-planted", admin_password="sk-planted")
    assert "sk-planted" not in repr((config, RequestHead("GET", "/", {"x-api-key": "sk-planted"})))
