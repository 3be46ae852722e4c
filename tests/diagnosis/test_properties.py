"""What holds for every client, version and path: the promises of the algebra, on generated input."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from antigravity_doctor.diagnosis.explaining import Explanation, explain
from antigravity_doctor.diagnosis.fixing import API_VERSION
from antigravity_doctor.diagnosis.matching import allows, match
from antigravity_doctor.diagnosis.recommending import recommend
from antigravity_doctor.diagnosis.simulating import simulate
from antigravity_doctor.diagnosis.solving import solve
from antigravity_doctor.knowledge.clients import Client, Mode, all_clients
from antigravity_doctor.knowledge.routes import RouteTable, table_for

ORIGIN = "http://127.0.0.1:8045"
CLIENTS = {client.id: client for client in all_clients()}
MODES = [mode for client in all_clients() for mode in client.modes]
TAGS = ["3.0.0", "3.0.2", "3.2.0", "3.3.0", "3.3.10", "3.3.50", "4.0.0", "4.0.5", "4.1.12", "4.2.9", "4.3.0", "4.3.9"]
TABLES = [table_for(tag) for tag in TAGS] + [table_for(None)]

BASES = [
    "", "/", "/v1", "/v1/", "/v1beta", "/v1beta/", "/v1/v1", "/v1/v1beta", "/V1", "/v1//", "//v1", "/v2", "/openai",
    "/openai/v1", "/api/v1", "/api/paas/v4", "/compatible-mode/v1", "/v1beta/openai", "/anthropic", "/proxy/v1/",
    "/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1beta/models", "/v1/models", "/chat/completions",
    "/v1%20", "/v1%22", "/x", "/x/y/z", "/http://127.0.0.1:8045/v1", "/127.0.0.1:8045", "/v1,", "/models", "/v1/chat",
    "/v1/chat/completions/", "/openai/deployments/d", "/projects/p/locations/l",
]  # fmt: skip
ENDINGS = [
    "/chat/completions", "/completions", "/messages", "/messages/count_tokens", "/responses", "/responses/compact",
    "/models", "/models/m:generateContent", "/models/m:streamGenerateContent", "/models/a/b:generateContent",
    "/images/generations", "/audio/transcriptions", "/embeddings", "/healthz", "/Chat/Completions", "/chat", "/wibble",
    "/chat/completion", "/api/chat", "/favicon.ico", "",
]  # fmt: skip
CODE_3XX = "AGD3"

tables = st.sampled_from(TABLES)
segments = st.sampled_from(
    [
        "/", "//", "/v1", "/v1beta", "/V1", "/api", "/openai", "/x", "/chat", "/completions", "/messages", "/models",
        "/responses", "%20", ".", ",", "/%2F", ":", "?", "#", "\x00", "é",
    ]
)  # fmt: skip
junk = st.lists(segments, max_size=5).map("".join)
bases = st.one_of(
    st.sampled_from(BASES),
    st.builds(lambda one, two: one + two, st.sampled_from(BASES), st.sampled_from(BASES)),
    st.builds(lambda one, two: one + two, st.sampled_from(BASES), junk),
).filter(lambda base: base == "" or base.startswith("/"))
paths = st.one_of(
    st.builds(lambda base, end: base + end, bases, st.sampled_from(ENDINGS)),
    st.builds(lambda base, end, more: base + end + more, bases, st.sampled_from(ENDINGS), junk),
    st.text(max_size=60),
    st.text(alphabet="/v1beta.:%2Fchompletinsg", max_size=40),
)
methods = st.sampled_from([None, "GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "X"])
quick = settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))


def typed(base: str) -> str:
    """A base URL as the program passes it on: no query, no fragment."""
    return ORIGIN + base.partition("?")[0].partition("#")[0]


def client_of(mode: Mode) -> Client:
    return CLIENTS[mode.client]


# (a) what is solved for an observed path works for the whole client


@quick
@given(st.sampled_from(MODES), tables, bases)
def test_the_best_fix_makes_every_required_request_of_the_client_land(mode: Mode, table: RouteTable, base: str) -> None:
    if not solve(mode, table):
        return
    base_url = typed(base)
    before = simulate(mode, base_url, table)
    for request in before.requests:
        if match(table, request.path) is not None:
            continue
        found = explain(
            request.path, table=table, origin=ORIGIN, method=request.method, base_url=base_url, client=client_of(mode)
        )
        if found.findings[0].code in ("AGD312", "AGD313", "AGD314", "AGD601"):
            continue
        works = {
            each.id
            for each in client_of(mode).modes
            if any(one.path == request.path for one in simulate(each, base_url, table).requests)
        }
        if before.works and not found.fixes:
            continue
        assert found.fixes, (base_url, request.path, found)
        proofs = [simulate(mode, fix.base_url, table).works for fix in found.fixes]
        # Where several modes of the client make this path and no one base URL serves all, each has its own fix.
        assert proofs[0] or (len(works) > 1 and any(proofs)), (base_url, request.path, found.fixes)


# (b) every fix proves itself


def assert_proved(found: Explanation, table: RouteTable, origin: str) -> None:
    for fix in found.fixes:
        assert fix.base_url.startswith(origin)
        base_path = fix.base_url.removeprefix(origin)
        assert base_path + fix.appends == fix.resulting_path
        reached = match(table, fix.resulting_path)
        assert reached is not None
        assert reached.route.path == fix.route


@settings(quick, max_examples=700)
@given(paths, tables, methods)
@example("/v1/v1/chat/completions", table_for(None), None)
def test_every_fix_is_a_sum_that_comes_out_at_its_route(path: str, table: RouteTable, method: str | None) -> None:
    assert_proved(explain(path, table=table, method=method), table, ORIGIN)


@quick
@given(paths, tables, st.sampled_from(list(CLIENTS.values())), bases)
def test_so_is_every_fix_with_more_known(path: str, table: RouteTable, client: Client, base: str) -> None:
    assert_proved(explain(path, table=table, client=client), table, ORIGIN)
    assert_proved(explain(path, table=table, base_url=typed(base)), table, ORIGIN)
    assert_proved(explain(path, table=table, base_url=typed(base), client=client), table, ORIGIN)


@quick
@given(paths, tables, st.sampled_from(["GET", "POST"]))
def test_a_fix_takes_the_method_where_the_endpoint_takes_it_at_all(path: str, table: RouteTable, method: str) -> None:
    found = explain(path, table=table, method=method)
    routes = [table.static.get(fix.route) for fix in found.fixes]
    if any(route is not None and allows(route, method) for route in routes):
        first = match(table, found.fixes[0].resulting_path)
        assert first is not None
        assert allows(first.route, method)


# (c) what is recommended works


@pytest.mark.parametrize("client", list(CLIENTS.values()), ids=list(CLIENTS))
def test_every_recommended_base_url_makes_its_mode_work_on_its_own_protocol(client: Client) -> None:
    for table in TABLES:
        for found in recommend(client, table, ORIGIN):
            if found.finding is not None and found.finding.code == "AGD410":
                assert found.base_url == ""
                continue
            proof = simulate(found.mode, found.base_url, table)
            assert proof.works
            for request in proof.requests:
                reached = match(table, request.path)
                if request.required:
                    assert reached is not None
                    assert reached.route.protocol == found.mode.protocol


# (d) it never raises


@settings(quick, max_examples=500)
@given(
    path=st.one_of(paths, st.text(), st.binary(max_size=80).map(lambda raw: raw.decode("latin-1"))),
    method=st.one_of(methods, st.text(max_size=5)),
    query=st.one_of(st.none(), st.text(max_size=30), st.just("key=abc")),
    status=st.one_of(st.none(), st.sampled_from([0, 200, 301, 400, 401, 403, 404, 405, 422, 429, 500, 503, 999])),
    body=st.one_of(st.none(), st.text(max_size=40), st.sampled_from(["", "<html>", "{}", "token_rejected"])),
    base_url=st.one_of(st.none(), st.text(max_size=30), bases.map(typed)),
    client=st.one_of(st.none(), st.sampled_from(list(CLIENTS.values()))),
    host=st.one_of(st.none(), st.text(max_size=20), st.sampled_from(["https://api.openai.com", "http://[::1]:1"])),
    table=tables,
)
def test_explaining_never_raises(table: RouteTable, path: str, **known: Any) -> None:
    found = explain(path, table=table, **known)
    assert found.verdict != "no-request-found"
    assert all(0 <= each.confidence <= 1 for each in (*found.findings, *found.fixes))


# (e) a right path is never blamed


@settings(quick, max_examples=400)
@given(
    st.one_of(paths, st.sampled_from(sorted(TABLES[-1].static))),
    tables,
    methods,
    st.sampled_from([None, 200, 400, 401, 403, 404, 405, 429, 500, 503]),
    st.sampled_from([None, "", "<html>", '{"error":{}}']),
    st.one_of(st.none(), bases.map(typed)),
    st.one_of(st.none(), st.sampled_from(list(CLIENTS.values()))),
)
def test_a_path_that_is_routed_is_never_blamed(
    path: str,
    table: RouteTable,
    method: str | None,
    status: int | None,
    body: str | None,
    base_url: str | None,
    client: Client | None,
) -> None:
    if match(table, path) is None:
        return
    found = explain(path, table=table, method=method, status=status, body=body, base_url=base_url, client=client)
    assert found.verdict not in ("misrouted", "unsupported")
    assert not [each for each in found.findings if each.code.startswith(CODE_3XX)]
    assert found.fixes == ()
    assert found.route is not None


# (f) fixes are for the origin that was asked for


@quick
@given(
    paths, st.sampled_from(["http://10.0.0.5:1", "https://proxy.example", "http://[::1]:8045", "http://bücher.de:80"])
)
def test_fixes_are_always_for_the_proxy_that_was_named(path: str, origin: str) -> None:
    for host in (None, "https://api.openai.com", "http://127.0.0.1:8045"):
        for fix in explain(path, table=TABLES[-1], origin=origin, host=host).fixes:
            rest = fix.base_url.removeprefix(origin)
            assert rest != fix.base_url
            assert rest == "" or rest.startswith("/")


# (g) it is a function


@quick
@given(paths, tables, methods, st.one_of(st.none(), bases.map(typed)))
def test_the_same_question_gets_the_same_answer(
    path: str, table: RouteTable, method: str | None, base_url: str | None
) -> None:
    once = explain(path, table=table, method=method, base_url=base_url)
    assert explain(path, table=table, method=method, base_url=base_url) == once


# and: nothing is left unsaid


@settings(quick, max_examples=400)
@given(paths, tables, methods)
def test_every_path_that_is_not_routed_gets_a_finding(path: str, table: RouteTable, method: str | None) -> None:
    found = explain(path, table=table, method=method)
    if found.verdict != "routed":
        assert found.findings
    if found.verdict == "misrouted" and not found.fixes:
        assert found.findings[0].code in ("AGD302", "AGD318")


@quick
@given(st.sampled_from([mode for mode in MODES if not solve(mode, TABLES[-1])]))
def test_a_mode_that_no_base_url_helps_gets_another_way_out_or_none(mode: Mode) -> None:
    for request in simulate(mode, ORIGIN, TABLES[-1]).requests:
        found = explain(request.path, table=TABLES[-1], method=request.method, base_url=ORIGIN, client=client_of(mode))
        if request.verdict == "misrouted":
            assert all(fix.note is not None for fix in found.fixes)
            assert {fix.note for fix in found.fixes} <= {API_VERSION, "vertex", "azure", "ollama"}
