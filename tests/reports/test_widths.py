"""Every terminal report fits every width from 80 to 200 columns, with nothing behind the last word of a line."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antigravity_doctor.diagnosis.explaining import explain
from antigravity_doctor.diagnosis.model import CheckReport, Finding
from antigravity_doctor.diagnosis.proxy_model import ServerConfig
from antigravity_doctor.diagnosis.recommending import outcome, recommend
from antigravity_doctor.diagnosis.settings import Secret
from antigravity_doctor.knowledge.clients import all_clients, find_client
from antigravity_doctor.knowledge.routes import all_routes, table_for
from antigravity_doctor.knowledge.texts import all_codes
from antigravity_doctor.probes.run import run_check_sync
from antigravity_doctor.probes.session import CheckOptions
from antigravity_doctor.reports import catalogue, explain_code
from antigravity_doctor.reports.check import check_lines, finding_lines
from antigravity_doctor.reports.explain_path import compact_line, explanation_lines
from antigravity_doctor.reports.paint import Terminal, render
from antigravity_doctor.reports.recommend import overview_lines, recommendation_lines, simulation_lines
from antigravity_doctor.servers.stand_in import run_in_thread
from tests.support.fitting import assert_fits
from tests.support.hostile import hostile
from tests.support.reports import wild_report

ORIGIN = "http://127.0.0.1:8045"
TABLE = table_for(None)
WIDTHS = st.integers(80, 200)
SOME_WIDTHS = [80, 100, 120, 200]


def shown(lines: Any, width: int) -> str:
    return render(lines, Terminal(width))


# --- explain-path ----------------------------------------------------------------------------------------------------

_PREFIXES = [
    "",
    "/v1",
    "/v1beta",
    "/openai",
    "/api/paas/v4",
    "/some/quite/long/prefix/of/a/vendor",
    "/v1/v1",
    "/V1",
    "//",
]
_SUFFIXES = [
    "/chat/completions",
    "/messages",
    "/responses",
    "/models",
    "/models/gemini-2.5-flash-preview-with-a-long-name:streamGenerateContent",
    "/openai/deployments/gpt-4o/chat/completions",
    "/api/chat",
    "/embeddings",
    "/chat/completions/responses",
    "/" + "x" * 90,
    "/favicon.ico",
    "/你好/世界",
    "/v1/messages/",
]


@settings(max_examples=250, deadline=None)
@given(
    st.sampled_from(_PREFIXES),
    st.sampled_from(_SUFFIXES),
    st.sampled_from([None, "GET", "POST"]),
    st.sampled_from([None, 200, 401, 404, 405, 503]),
    st.sampled_from([None, "claude-code", "cherry-studio", "openai-python"]),
    st.sampled_from([None, ORIGIN, ORIGIN + "/v1", "https://a-proxy-with-a-long-name.example.org:8443/antigravity/v1"]),
    st.sampled_from([ORIGIN, "https://a-proxy-with-a-long-name.example.org:8443"]),
    WIDTHS,
)
def test_explain_path(
    prefix: str,
    suffix: str,
    method: str | None,
    status: int | None,
    client: str | None,
    base_url: str | None,
    origin: str,
    width: int,
) -> None:
    found = explain(
        prefix + suffix,
        table=TABLE,
        origin=origin,
        method=method,
        status=status,
        client=find_client(client) if client else None,
        base_url=base_url,
    )
    assert_fits(shown(explanation_lines(found, width, exact=base_url is not None), width), width)
    assert_fits(shown(compact_line(found, width), width), width)


# --- check -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def reports() -> tuple[CheckReport, ...]:
    """Reports of many kinds of servers."""
    return tuple(_reports())


def _reports() -> Iterator[CheckReport]:
    for config in (
        ServerConfig(),
        ServerConfig(auth="strict", web_ui=True),
        ServerConfig(running=False),
        ServerConfig(version="4.0.3", auth="strict"),
        ServerConfig(version="3.0.0"),
    ):
        for key, client in ((None, "nextchat"), ("sk-wrong", "kilo-code")):
            with run_in_thread(config) as running:
                yield run_check_sync(
                    CheckOptions(
                        running.url,
                        base_url=running.url + "/v1/v1",
                        client=find_client(client),
                        api_key=Secret(key) if key else None,
                        key_source="--api-key",
                    )
                )
    for kind in ("refused", "web-page", "escapes", "tls", "redirect-elsewhere"):
        with hostile(kind) as server:
            yield run_check_sync(CheckOptions(server.origin, timeout=0.5))
    yield run_check_sync(CheckOptions("http://no-such-host-in-any-network.with-a-long-name.invalid:8045", timeout=0.5))
    yield wild_report()


@settings(max_examples=150, deadline=None)
@given(st.data(), WIDTHS, st.booleans())
def test_check(data: st.DataObject, width: int, verbose: bool) -> None:
    report = data.draw(st.sampled_from(reports()))
    assert_fits(shown(check_lines(report, width, verbose=verbose), width), width)


def test_of_many_clients_the_first_few_are_named_and_of_few_all() -> None:
    names = [f"Client {n}" for n in range(12)]
    facts = {"setting": "OPENAI_BASE_URL", "base_url": "http://h/a, b", "good": ", ".join(names[:5]), "bad": "–"}
    few = " ".join(render(finding_lines(Finding("AGD509", "warning", 0.9, facts), 400), Terminal(400)).split())
    assert f"Right for: {', '.join(names[:5])}. Wrong for: –." in few
    many = facts | {"bad": ", ".join(names)}
    shown = " ".join(render(finding_lines(Finding("AGD509", "warning", 0.9, many), 400), Terminal(400)).split())
    assert "http://h/a, b. Right for" in shown
    assert "Wrong for: Client 0, Client 1, Client 2, Client 3 and 8 more." in shown


def test_nothing_disappears_from_the_report_of_a_check() -> None:
    from antigravity_doctor.reports.check_words import title

    for report in reports():
        for verbose in (False, True):
            text = " ".join(shown(check_lines(report, 120, verbose=verbose), 120).split())
            for check in report.checks:
                assert title(check) in text
            for finding in (finding for check in report.checks for finding in check.findings):
                assert finding.code in text


# --- the others ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("client", all_clients(), ids=lambda each: each.id)
def test_recommend(client: Any) -> None:
    found = recommend(client, TABLE, ORIGIN)
    snippets = frozenset(line.strip() for each in found for line in (each.snippet or "").splitlines())
    for width in SOME_WIDTHS:
        for every in (False, True):
            assert_fits(shown(recommendation_lines(client, found, width, None, every=every), width), width, snippets)


def test_recommend_all() -> None:
    found = {client: recommend(client, TABLE, ORIGIN) for client in all_clients()}
    for width in range(80, 201):
        assert_fits(shown(overview_lines(found, width), width), width)


@pytest.mark.parametrize(
    "base_url", [ORIGIN, ORIGIN + "/v1", "https://a-proxy-with-a-long-name.example.org:8443/v1/v1"]
)
@pytest.mark.parametrize("client", all_clients(), ids=lambda each: each.id)
def test_simulate(client: Any, base_url: str) -> None:
    for typed in (base_url, base_url.partition("://")[2]):
        found = [outcome(client, mode, TABLE, base_url, typed) for mode in client.modes]
        for width in SOME_WIDTHS:
            assert_fits(shown(simulation_lines(client, typed, found, width), width), width)


@pytest.mark.parametrize("width", SOME_WIDTHS)
def test_the_catalogues(width: int) -> None:
    assert_fits(shown(catalogue.routes_lines("4.5.8", TABLE.routes, width), width), width)
    assert_fits(shown(catalogue.history_lines(all_routes(), width), width), width)
    found = {each: recommend(each, TABLE, ORIGIN) for each in all_clients()}
    assert_fits(shown(catalogue.clients_lines(found, width, None), width), width)
    assert_fits(shown(catalogue.clients_lines(found, width, "any"), width), width)
    assert_fits(shown(explain_code.list_lines(all_codes(), width), width), width)
    for client in all_clients():
        assert_fits(shown(catalogue.client_lines(client, width), width), width)
    for code in all_codes():
        assert_fits(shown(explain_code.page_lines(code, width), width), width)
