"""Judging is pure: tables of answers and what they mean, the recorded ones first."""

from __future__ import annotations

import json
from typing import Any

import pytest

from antigravity_doctor.diagnosis.answers import Failure, Outcome, Reply
from antigravity_doctor.diagnosis.judging import (
    ANCHORS,
    HEALTH_PATHS,
    Health,
    Seen,
    can_tell,
    disabled,
    filled,
    fingerprint,
    judge_auth,
    judge_health,
    judge_identity,
    judge_key,
    judge_request,
    judge_routes,
    judge_served_by,
    judge_version,
    list_length,
    message_of,
    probed_paths,
    redirect_of,
    seen_by_options,
    seen_by_wrong_method,
)
from antigravity_doctor.diagnosis.proxy_model import RequestHead, ServerConfig, answer
from antigravity_doctor.diagnosis.simulating import SimulatedRequest
from antigravity_doctor.knowledge.routes import table_for
from antigravity_doctor.knowledge.versions import known_versions, parse_version
from tests.proxy.replica_cells import CELLS, DATA, KEYS

CANARY = "/agdoctor-0123456789abcdef"
NO_ANSWER = Failure("timeout", "", 3000.0)


def reply(status: int, body: str | bytes = b"", **headers: str) -> Reply:
    """An answer; header names with underscores for hyphens."""
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Reply(status, pairs, body.encode() if isinstance(body, str) else body, 1.0)


def recorded(found: dict[str, Any]) -> Reply:
    """A recorded answer of the replica, as a reply (bodies were not recorded, only their length)."""
    headers = {}
    if found.get("allow"):
        headers["allow"] = found["allow"]
    if found.get("content_type"):
        headers["content_type"] = found["content_type"]
    if found.get("cors") in (True, "cors"):
        headers["access_control_allow_origin"] = "*"
    return reply(found["status"], b"x" * (found.get("content_length") or 0), **headers)


def modelled(config: ServerConfig, method: str, path: str, key: str = "none") -> Reply:
    """What a proxy of this configuration answers, by the model that is proved against the recordings."""
    found = answer(config, RequestHead(method, path, KEYS[key]))
    headers = {"content_type": found.content_type} if found.content_type else {}
    if found.allow is not None:
        headers["allow"] = found.allow
    if found.cors:
        headers["access_control_allow_origin"] = "*"
    body = {"html": "<!doctype html><title>Antigravity Tools</title>", "handler": '{"data":[{"id":"m"}]}'}
    return reply(found.status, found.text if found.text is not None else body.get(found.body, ""), **headers)


# --- the oracle, on what was recorded --------------------------------------------------------------------------------

ROUTED_IN = {  # recorded path -> (first version that routes it, first without it) by facts/proxy-routes.json
    "/v1/models": ("3.0.0", None),
    "/v1/chat/completions": ("3.0.0", None),
    "/v1/responses": ("3.3.0", None),
    "/responses": ("4.3.9", None),
    "/v1/messages": ("3.0.2", None),
    "/v1/models/claude": ("3.2.0", None),
    "/v1beta/models": ("3.2.0", None),
    "/v1beta/models/x:generateContent": ("3.2.0", None),
    "/internal/warmup": ("3.3.22", None),
    "/health": ("4.0.10", None),
    "/api/health": ("4.0.0", None),
    "/api/logs": ("4.0.0", None),
    "/auth/callback": ("4.0.0", None),
    "/nope": (None, None),
    "/v1/v1/chat/completions": (None, None),
    "/v1/chat/completions/responses": (None, None),
    "/api/nope": (None, None),
}

ORACLE_ROWS = [
    (cell, row["path"])
    for cell, rows in DATA["options_oracle"].items()
    for row in rows
    if row["path"] in ROUTED_IN and row["path"] != "/nope"
]


@pytest.mark.parametrize(("cell", "path"), ORACLE_ROWS)
def test_options_tells_in_every_recording_whether_a_path_is_routed(cell: str, path: str) -> None:
    rows = {row["path"]: recorded(row["OPTIONS"]) for row in DATA["options_oracle"][cell]}
    version = parse_version(cell.split(" ")[0])
    since = ROUTED_IN[path][0]
    routed = since is not None and version >= parse_version(since)
    assert seen_by_options(rows[path], rows["/nope"]).exists is routed


@pytest.mark.parametrize(("cell", "path"), ORACLE_ROWS)
def test_a_wrong_method_shows_a_route_and_never_denies_one(cell: str, path: str) -> None:
    rows = {row["path"]: recorded(row["PUT_no_key"]) for row in DATA["options_oracle"][cell]}
    version = parse_version(cell.split(" ")[0])
    since = ROUTED_IN[path][0]
    routed = since is not None and version >= parse_version(since)
    web_ui = "docker" in cell  # there the canary itself is 405 with Allow, and nothing can be told
    assert seen_by_wrong_method(rows[path], rows["/nope"]).exists is (True if routed and not web_ui else None)


@pytest.mark.parametrize("cell", CELLS)
def test_a_401_or_403_on_a_path_never_proves_it(cell: str) -> None:
    for probe in DATA["cases"][cell]["probes"]:
        for key in ("none", "wrong"):
            found = probe.get(key)
            if found and found["status"] in (401, 403) and not found.get("allow"):
                assert seen_by_wrong_method(recorded(found), recorded(found)).exists is None


@pytest.mark.parametrize(
    ("canary", "usable"),
    [
        (reply(200, access_control_allow_origin="*"), True),
        (reply(404), True),
        (reply(405, allow="GET,HEAD"), True),
        (reply(405, allow="GET, HEAD"), True),
        (reply(200), False),
        (reply(200, access_control_allow_origin="*", allow="GET,POST"), False),
        (reply(204, access_control_allow_origin="*"), False),
        (reply(405, allow="GET,HEAD", access_control_allow_origin="*"), False),
        (reply(405, allow="POST"), False),
        (reply(404, allow="GET"), False),
        (reply(401), False),
        (reply(403), False),
        (reply(500), False),
        (NO_ANSWER, False),
    ],
)
def test_only_the_known_shapes_of_not_routed_calibrate(canary: Outcome, usable: bool) -> None:
    assert can_tell(canary) is usable


@pytest.mark.parametrize(
    "found", [NO_ANSWER, reply(500), reply(401), reply(200, allow="", access_control_allow_origin="*")]
)
def test_an_answer_of_an_unknown_shape_decides_nothing(found: Outcome) -> None:
    assert seen_by_options(found, reply(200, access_control_allow_origin="*")).exists is None


def test_a_404_to_options_is_somebody_in_front_who_denies_the_path() -> None:
    assert seen_by_options(reply(404), reply(200, access_control_allow_origin="*")).exists is False


# --- version ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("web_ui", [False, True])
@pytest.mark.parametrize("version", [each.text for each in known_versions()])
def test_the_fingerprint_of_every_version_contains_it(version: str, web_ui: bool) -> None:
    config = ServerConfig(version, "strict", web_ui=web_ui, running=False)
    canary = modelled(config, "OPTIONS", CANARY)
    seen = {path: seen_by_options(modelled(config, "OPTIONS", path), canary) for path in probed_paths()}
    span = fingerprint(seen, canary)
    assert span is not None
    assert span.oldest <= parse_version(version) <= span.newest


def test_the_fingerprint_needs_the_two_routes_that_all_versions_have() -> None:
    canary = reply(200, access_control_allow_origin="*")
    assert fingerprint({path: Seen(False) for path in probed_paths()}, canary) is None
    assert fingerprint({}, canary) is None


def test_routes_that_fit_no_version_give_no_version() -> None:
    config = ServerConfig("4.5.8")
    canary = modelled(config, "OPTIONS", CANARY)
    seen = {path: seen_by_options(modelled(config, "OPTIONS", path), canary) for path in probed_paths()}
    assert fingerprint(seen | {"/v1/messages": Seen(False)}, canary) is None


@pytest.mark.parametrize(
    ("health", "told", "exact", "source", "strange"),
    [
        (Health(True, "4.5.8"), None, "4.5.8", "health", None),
        (Health(True, "4.5.8"), "4.0.0", "4.5.8", "health", None),
        (Health(True, "4.9.0"), None, "4.9.0", "health", None),
        (Health(True, "4.1.17"), None, "4.1.17", "health", None),
        (Health(True, None), "4.0.3", "4.0.3", "told", None),
        (Health(True, "dev"), None, None, "assumed", "dev"),
        (Health(True, "dev"), "4.5.8", "4.5.8", "told", "dev"),
        (Health(False), None, None, "assumed", None),
    ],
)
def test_the_version_comes_from_the_surest_source(
    health: Health, told: str | None, exact: str | None, source: str, strange: str | None
) -> None:
    known = judge_version(health, None, told)
    assert (known.exact, known.source, known.strange) == (exact, source, strange)


def test_a_version_newer_than_all_known_ones_gets_the_newest_table() -> None:
    assert judge_version(Health(True, "9.9.9"), None, None).table is table_for(None)


# --- health and identity ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ('{"status":"ok","version":"4.5.8"}', 200, (True, "4.5.8")),
        ('{"status":"ok"}', 200, (True, None)),
        ('{"status":"ok","version":4}', 200, (True, None)),
        ('{"status":"ok","version":""}', 200, (True, None)),
        ('{"status":"error","version":"4.5.8"}', 200, (False, None)),
        ('{"status":"ok"}', 503, (False, None)),
        ("<!doctype html>", 200, (False, None)),
        ("[1]", 200, (False, None)),
        ('"ok"', 200, (False, None)),
        ("", 200, (False, None)),
        ("{" * 5000, 200, (False, None)),
        ("[" * 60000, 200, (False, None)),
    ],
)
def test_health_is_judged_by_its_json_not_by_its_status(body: str, status: int, expected: tuple[object, ...]) -> None:
    found = judge_health({"/healthz": reply(status, body)})
    assert (found.ok, found.version) == expected


def test_a_health_answer_with_a_version_beats_one_without() -> None:
    found = judge_health(
        {"/healthz": reply(200, '{"status":"ok"}'), "/api/health": reply(200, '{"status":"ok","version":"4.5.8"}')}
    )
    assert (found.version, found.path) == ("4.5.8", "/api/health")


def test_a_health_answer_that_was_cut_is_not_believed() -> None:
    cut = Reply(200, (), b'{"status":"ok"}', 1.0, "cut")
    assert not judge_health({"/healthz": cut}).ok


def first_round(config: ServerConfig) -> dict[tuple[str, str], Outcome]:
    """The answers to the first, key-free requests."""
    asked = [("GET", path) for path in (*HEALTH_PATHS, CANARY, "/v1/models")]
    asked += [("OPTIONS", path) for path in (*ANCHORS, CANARY)]
    return {(method, path): modelled(config, method, path) for method, path in asked}


@pytest.mark.parametrize("cell", CELLS)
def test_every_recorded_proxy_is_recognised_without_a_key(cell: str) -> None:
    assert judge_identity(first_round(CELLS[cell]), CANARY).proxy is True


def same(outcome: Outcome) -> dict[tuple[str, str], Outcome]:
    """A server that answers everything in one way."""
    return dict.fromkeys(first_round(ServerConfig()), outcome)


@pytest.mark.parametrize(
    ("outcome", "proxy"),
    [
        (reply(200, '{"status":"ok"}', content_type="application/json"), False),
        (reply(200, '{"status":"ok"}', access_control_allow_origin="*"), False),
        (reply(200, "<!doctype html>", content_type="text/html"), False),
        (reply(404, "Not Found"), False),
        (reply(405, allow="GET,HEAD"), False),
        (reply(401, www_authenticate="Basic"), False),
        (reply(401), None),
        (NO_ANSWER, None),
        (reply(503, "Proxy service is currently disabled", content_type="text/plain"), True),
        (reply(503, "upstream down"), False),
    ],
)
def test_a_server_that_always_says_the_same_is_not_taken_for_the_proxy(outcome: Outcome, proxy: bool | None) -> None:
    assert judge_identity(same(outcome), CANARY).proxy is proxy


def test_silence_on_the_deciding_requests_leaves_identity_open() -> None:
    answers = first_round(ServerConfig("4.5.8")) | {("OPTIONS", CANARY): NO_ANSWER, ("GET", "/v1/models"): NO_ANSWER}
    assert judge_identity(answers, CANARY).proxy is None


@pytest.mark.parametrize(
    ("answers", "place"),
    [
        ([reply(301, location="https://e/"), NO_ANSWER], "https://e/"),
        ([reply(301, location="https://e/"), reply(200)], None),
        ([NO_ANSWER], None),
        ([], None),
        ([reply(302)], None),
    ],
)
def test_a_redirect_counts_only_if_everything_is_redirected(answers: list[Outcome], place: str | None) -> None:
    assert redirect_of(answers) == place


@pytest.mark.parametrize("cell", CELLS)
def test_how_it_is_served_is_right_in_every_recording(cell: str) -> None:
    config = CELLS[cell]
    served = judge_served_by(modelled(config, "OPTIONS", CANARY), modelled(config, "GET", CANARY))
    assert served == ("web-ui" if config.web_ui else "desktop")


@pytest.mark.parametrize(
    ("options", "get"),
    [
        (reply(204), reply(404)),
        (reply(404), reply(404, "<h1>nginx</h1>", content_type="text/html")),
        (reply(405, allow="GET,HEAD"), reply(404, "no")),
        (reply(200, access_control_allow_origin="*"), NO_ANSWER),
        (NO_ANSWER, reply(404)),
    ],
)
def test_how_it_is_served_stays_open_where_nothing_settles_it(options: Outcome, get: Outcome) -> None:
    assert judge_served_by(options, get) == "unknown"


@pytest.mark.parametrize(
    ("outcome", "off"),
    [
        (reply(503, "Proxy service is currently disabled"), True),
        (reply(503, "No available accounts: add one"), False),
        (reply(503), False),
        (reply(200, "Proxy service is currently disabled"), False),
        (NO_ANSWER, False),
    ],
)
def test_the_switch_is_told_from_other_503s(outcome: Outcome, off: bool) -> None:
    assert disabled(outcome) is off


# --- auth ------------------------------------------------------------------------------------------------------------

OFF_503 = reply(503, "Proxy service is currently disabled", content_type="text/plain")
MODELS = reply(200, '{"object":"list","data":[{"id":"m"}]}')
REJECTED = reply(403, '{"error":{"message":"Invalid token. Please check your API key.","type":"token_rejected"}}')
BLOCKED = reply(403, '{"error":{"message":"Access denied. Your IP is not in the whitelist.","type":"ip_blocked"}}')


def limited(message: str) -> Reply:
    """A user token that is not let in now."""
    return reply(403, json.dumps({"error": {"message": message, "type": "token_rejected", "code": "token_rejected"}}))


@pytest.mark.parametrize(
    ("models", "health", "auth"),
    [
        (MODELS, reply(200), "off"),
        (reply(401), reply(401), "on"),
        (reply(401), reply(200), "on"),
        (OFF_503, reply(401), "on"),
        (OFF_503, reply(200), "unknown"),
        (OFF_503, OFF_503, "unknown"),
        (BLOCKED, BLOCKED, "unknown"),
        (reply(401, "login", content_type="text/html"), reply(200), "unknown"),
        (reply(200, "<!doctype html>", content_type="text/html"), reply(200), "unknown"),
        (reply(500), reply(200), "unknown"),
        (NO_ANSWER, NO_ANSWER, "unknown"),
    ],
)
def test_whether_a_key_is_wanted(models: Outcome, health: Outcome, auth: str) -> None:
    assert judge_auth(models, health) == auth


@pytest.mark.parametrize(
    ("auth", "has_key", "bare", "keyed", "version", "verdict"),
    [
        ("off", False, MODELS, None, "4.5.8", "not-needed"),
        ("off", True, MODELS, None, "4.5.8", "not-needed"),
        ("on", False, reply(401), None, "4.5.8", "missing"),
        ("on", True, reply(401), MODELS, "4.5.8", "accepted"),
        ("on", True, reply(401), REJECTED, "4.5.8", "rejected"),
        ("on", True, reply(401), reply(401), "4.1.11", "rejected"),
        ("on", True, reply(401), reply(401), "4.1.12", "empty-in-proxy"),
        ("on", True, reply(401), reply(401), None, "rejected"),
        ("on", True, reply(401), BLOCKED, "4.5.8", "ip-blocked"),
        ("unknown", False, BLOCKED, None, "4.5.8", "ip-blocked"),
        ("on", True, reply(401), limited("Your token has expired."), "4.5.8", "limited"),
        ("on", True, reply(401), limited("IP limit reached (3/3)."), "4.5.8", "limited"),
        (
            "on",
            True,
            reply(401),
            limited("Service is not available between 1 and 2 (Curfew enabled)"),
            "4.5.8",
            "limited",
        ),
        ("on", True, reply(401), reply(403, "Forbidden by WAF"), "4.5.8", "undecided"),
        ("on", True, reply(401), NO_ANSWER, "4.5.8", "undecided"),
        ("on", True, reply(401), OFF_503, "4.5.8", "undecided"),
        ("on", True, reply(401), reply(503, "No available accounts: x"), "4.5.8", "accepted"),
        ("unknown", False, OFF_503, None, "4.5.8", "undecided"),
        ("unknown", True, reply(200), reply(200), "4.5.8", "undecided"),
    ],
)
def test_what_the_proxy_thinks_of_the_key(
    auth: Any, has_key: bool, bare: Outcome, keyed: Outcome | None, version: str | None, verdict: str
) -> None:
    parsed = parse_version(version) if version else None
    assert judge_key(auth, has_key, bare, keyed, parsed) == verdict


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        (REJECTED, "Invalid token. Please check your API key."),
        (reply(403, '{"error":"plain"}'), '{"error":"plain"}'),
        (reply(403, "a\nb"), "a b"),
        (reply(403, "[" * 2000), "[" * 300),
        (NO_ANSWER, ""),
    ],
)
def test_the_message_of_a_refusal_is_one_short_line(outcome: Outcome, message: str) -> None:
    assert message_of(outcome) == message


# --- lists, routes, requests -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "count"),
    [
        (MODELS, 1),
        (reply(200, '{"data":[]}'), 0),
        (reply(200, '{"models":[{"name":"a"},{"name":"b"}]}'), 2),
        (reply(200, '{"data":{}}'), None),
        (reply(200, "[]"), None),
        (reply(200, "<!doctype html>"), None),
        (reply(503, '{"data":[]}'), None),
        (Reply(200, (), b'{"data":[{"id":"a"},{"id":"b"},', 1.0, "limited"), 2),
        (NO_ANSWER, None),
    ],
)
def test_a_list_of_models_is_counted(outcome: Outcome, count: int | None) -> None:
    assert list_length(outcome) == count


def test_routes_are_sorted_by_what_was_seen() -> None:
    table = table_for("4.5.8")
    seen = {filled(route.path): Seen(True, frozenset((route.allow or "").split(","))) for route in table.routes}
    seen["/v1/messages"] = Seen(False)
    seen["/v1/messages/count_tokens"] = Seen(True, frozenset({"GET"}))
    del seen["/v1/models/claude"]
    found = judge_routes(table, frozenset({"anthropic"}), seen)
    assert (found.present, found.missing, found.unlike, found.undecided) == (
        (), ("/v1/messages",), ("/v1/messages/count_tokens",), ("/v1/models/claude",),
    )  # fmt: skip


def test_the_mcp_routes_are_never_among_the_probed_paths() -> None:
    assert not any(path.startswith("/mcp") for path in probed_paths())


def test_of_the_apps_own_api_only_the_health_path_is_probed() -> None:
    assert [path for path in probed_paths() if path.startswith("/api/")] == ["/api/health"]


def request(verdict: Any, method: str = "POST") -> SimulatedRequest:
    """A simulated request with this verdict of the table."""
    return SimulatedRequest(method, "http://h/p", "/p", None, True, verdict, "/p" if verdict == "routed" else None)


@pytest.mark.parametrize(
    ("table_says", "seen", "certain", "verdict"),
    [
        ("routed", Seen(True, frozenset({"POST"})), True, "lands"),
        ("misrouted", Seen(True, frozenset({"POST"})), True, "lands"),
        ("wrong-method", Seen(True, frozenset({"GET", "HEAD"})), True, "wrong-method"),
        ("routed", Seen(True, frozenset({"GET"})), True, "wrong-method"),
        ("misrouted", Seen(False), True, "misses"),
        ("routed", Seen(False), True, "not-here"),
        ("misrouted", Seen(None), True, "misses"),
        ("misrouted", Seen(None), False, "undecided"),
        ("routed", Seen(None), True, "undecided"),
    ],
)
def test_what_the_server_shows_beats_the_table(table_says: str, seen: Seen, certain: bool, verdict: str) -> None:
    assert judge_request(request(table_says), seen, certain) == verdict
