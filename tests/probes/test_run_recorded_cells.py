"""`run_check` against real sockets, in every recorded cell and in combinations: the verdicts by hand-written rule.

The rules below are read off facts/proxy-semantics.md, not off the code: which version names itself, where a key is
asked for, what the service switch hides.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest

from antigravity_doctor.diagnosis.model import CheckReport, CheckResult
from antigravity_doctor.diagnosis.proxy_model import ServerConfig
from antigravity_doctor.diagnosis.settings import Secret
from antigravity_doctor.probes.run import CHECKS, CheckOptions, run_check_sync
from antigravity_doctor.servers.stand_in import Record, run_in_thread
from tests.proxy.replica_cells import CELLS, RIGHT, WRONG

KEYS = {"none": None, "wrong": WRONG, "right": RIGHT}

EPOCH_VERSIONS = (  # the newest of each run of versions with the same routes (facts §8 and proxy-routes.json)
    "3.0.0", "3.1.1", "3.2.9-test", "3.3.5", "3.3.7", "3.3.9", "3.3.15", "3.3.21", "3.3.50", "4.0.9",
    "4.1.11", "4.1.12", "4.2.9", "4.3.8", "4.5.8",
)  # fmt: skip

SAFE_HANDLERS = {"/healthz", "/health", "/api/health", "/v1/models", "/v1/models/claude", "/v1beta/models"}


def number(version: str | None) -> tuple[int, ...]:
    """The three numbers of a version, for comparing by hand."""
    assert version is not None
    return tuple(int(part) for part in version.removeprefix("v").partition("-")[0].split("."))


@dataclass(frozen=True)
class Expected:
    """What must come out, by rule."""

    version: str | None
    served_by: str
    service: str
    auth: str
    key: str
    key_code: str | None
    models: str


def expected(config: ServerConfig, key: str) -> Expected:
    """The rules. `config.auth` is never "auto" here."""
    version = number(config.version)
    asks = version >= (3, 3, 8) and config.auth != "off"
    # §5: only v4 has the 503 state.
    disabled = not config.running and version >= (4, 0, 0)
    # §2: the version is in the health JSON from v4.0.10 on, and /api/health is open in every mode and state since
    # v4.0.1. v3.0.0 alone has its three routes, so its fingerprint is exact.
    names_itself = version >= (4, 0, 10)
    text = ".".join(map(str, version))
    exact = text if names_itself or version == (3, 0, 0) else None
    auth = "on" if asks else "off"
    if disabled:
        # Only /health gets past the switch (v4.0.1+): it is 401 where health wants a key too. Until v4.0.9 that path
        # is no route, so with a web UI it is a page; and until v4.0.1 all_except_health left only /healthz open.
        guarded = config.auth == "strict" or (config.auth == "all_except_health" and version < (4, 0, 2))
        visible = version >= (4, 0, 10) or (version >= (4, 0, 1) and not config.web_ui)
        auth = "on" if asks and guarded and visible else "unknown"
    if auth == "off":
        verdict, code = "pass", None
    elif auth == "unknown":
        verdict, code = "inconclusive", None
    else:
        verdict, code = {"none": ("warn", "AGD201"), "wrong": ("fail", "AGD202"), "right": ("pass", None)}[key]
    models = "pass" if not disabled and (auth == "off" or (auth == "on" and key == "right")) else "skipped"
    return Expected(
        version=exact,
        served_by="web-ui" if config.web_ui and version >= (4, 0, 0) else "desktop",
        service="fail" if disabled else "pass",
        auth=auth,
        key=verdict,
        key_code=code,
        models=models,
    )


def check(config: ServerConfig, key: str) -> tuple[CheckReport, list[Record]]:
    """One run against a stand-in of this configuration, and the requests that it saw."""
    secret = KEYS[key]
    with run_in_thread(config) as running:
        options = CheckOptions(origin=running.url, api_key=Secret(secret) if secret else None, key_source="--api-key")
        return run_check_sync(options), list(running.records)


def result(report: CheckReport, check_id: str) -> CheckResult:
    """One check's result."""
    return next(each for each in report.checks if each.id == check_id)


def assert_as_ruled(config: ServerConfig, key: str, report: CheckReport) -> None:
    """Compares a report with the rules."""
    wanted = expected(config, key)
    assert report.proxy_version == wanted.version
    assert report.served_by == wanted.served_by
    assert report.auth == wanted.auth
    assert not report.unreachable
    service, key_check = result(report, "service"), result(report, "key")
    assert service.status == wanted.service
    assert [each.code for each in service.findings] == (["AGD109"] if wanted.service == "fail" else [])
    assert key_check.status == wanted.key
    assert [each.code for each in key_check.findings] == ([wanted.key_code] if wanted.key_code else [])
    assert result(report, "models").status == wanted.models
    for each in ("name", "port", "http", "proxy", "version"):
        assert result(report, each).status == "pass"
    version = number(config.version)
    since = {"openai": (3, 0, 0), "anthropic": (3, 0, 2), "gemini": (3, 2, 0), "other": (3, 0, 0)}
    for name, first in since.items():
        # Every route is judged present in every mode: OPTIONS needs neither key nor a running service.
        assert result(report, f"routes-{name}").status == ("pass" if version >= first else "skipped")


def assert_harmless(records: list[Record]) -> None:
    """Only requests that change nothing: no body, no method that a handler of a client route takes, no MCP."""
    assert {each.method for each in records} <= {"GET", "OPTIONS"}
    assert {each.target for each in records if each.handler} <= SAFE_HANDLERS
    assert not any("/mcp/" in each.target for each in records)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("cell", CELLS)
def test_every_verdict_is_right_in_every_recorded_cell(cell: str, key: str) -> None:
    report, records = check(CELLS[cell], key)
    assert_as_ruled(CELLS[cell], key, report)
    assert_harmless(records)


COMBINATIONS = [
    (version, web_ui, auth, running, key)
    for version, web_ui, auth, running, key in itertools.product(
        EPOCH_VERSIONS, (False, True), ("off", "strict", "all_except_health"), (True, False), KEYS
    )
    if number(version) >= (4, 0, 0) or (running and not web_ui)
]


@pytest.mark.parametrize("version", EPOCH_VERSIONS)
def test_every_verdict_is_right_in_combinations(version: str) -> None:
    for _, web_ui, auth, running, key in [each for each in COMBINATIONS if each[0] == version]:
        config = ServerConfig(version, auth, web_ui=web_ui, running=running, api_key=RIGHT)  # type: ignore[arg-type]
        report, records = check(config, key)
        assert_as_ruled(config, key, report)
        assert_harmless(records)


RANGES = {
    "3.1.1": "3.0.2 to 3.1.1",
    "3.2.9-test": "3.2.0-beta.1 to 3.2.9-test",
    "3.3.5": "3.3.0 to 3.3.5",
    "3.3.7": "3.3.6 to 3.3.7",
    "3.3.9": "3.3.8 to 3.3.9",
    "3.3.15": "3.3.10 to 3.3.15",
    "3.3.21": "3.3.16 to 3.3.21",
    "3.3.50": "3.3.22 to 3.3.50",
    "4.0.9": "4.0.0 to 4.0.9",
}


@pytest.mark.parametrize(("version", "span"), RANGES.items())
def test_without_a_version_in_the_answer_the_routes_give_a_range(version: str, span: str) -> None:
    report, _ = check(ServerConfig(version, "strict", api_key=RIGHT), "none")
    assert result(report, "version").facts["version"] == span
    assert report.proxy_version is None


def test_a_version_that_is_told_is_believed_where_the_proxy_does_not_name_its_own() -> None:
    with run_in_thread(ServerConfig("4.0.3")) as running:
        report = run_check_sync(CheckOptions(origin=running.url, proxy_version="4.0.3"))
    assert report.proxy_version == "4.0.3"
    assert result(report, "version").status == "pass"


def test_a_told_version_that_does_not_fit_the_routes_is_a_warning() -> None:
    with run_in_thread(ServerConfig("4.0.3")) as running:
        report = run_check_sync(CheckOptions(origin=running.url, proxy_version="4.5.8"))
    assert result(report, "version").status == "warn"
    assert [each.code for each in result(report, "routes-openai").findings] == ["AGD115"]


def test_the_version_of_the_health_answer_beats_the_told_one() -> None:
    with run_in_thread(ServerConfig("4.5.8")) as running:
        report = run_check_sync(CheckOptions(origin=running.url, proxy_version="4.0.3"))
    assert report.proxy_version == "4.5.8"


def test_a_blocked_address_is_told_from_a_wrong_key() -> None:
    report, _ = check(ServerConfig("4.5.8", "strict", ip_blocked=True, api_key=RIGHT), "right")
    assert [each.code for each in result(report, "key").findings] == ["AGD203"]
    assert report.auth == "unknown"


@pytest.mark.parametrize(("version", "code"), [("4.5.8", "AGD206"), ("4.1.11", "AGD202")])
def test_a_proxy_without_a_key_is_recognised_where_a_wrong_key_would_be_403(version: str, code: str) -> None:
    report, _ = check(ServerConfig(version, "strict", api_key_empty=True), "right")
    assert [each.code for each in result(report, "key").findings] == [code]


def test_the_order_and_number_of_checks_never_change() -> None:
    reports = [
        check(ServerConfig("4.5.8"), "none")[0],
        check(ServerConfig("4.0.0", "strict", running=False), "wrong")[0],
        run_check_sync(CheckOptions(origin="http://127.0.0.1:9", timeout=0.2, ports=())),
    ]
    for report in reports:
        assert [each.id for each in report.checks] == [each.id for each in CHECKS]


def test_progress_counts_every_check_once() -> None:
    seen: list[tuple[str, int, int]] = []
    with run_in_thread(ServerConfig("4.5.8")) as running:
        run_check_sync(CheckOptions(origin=running.url), lambda *each: seen.append(each))
    assert sorted(each[0] for each in seen) == sorted(check.id for check in CHECKS)
    assert [each[1] for each in seen] == list(range(1, len(CHECKS) + 1))


def test_no_request_is_sent_twice() -> None:
    _, records = check(ServerConfig("4.5.8", "strict", api_key=RIGHT), "right")
    sent = [(each.method, each.target, each.key_header) for each in records]
    assert len(sent) == len(set(sent))


def test_the_key_goes_only_where_it_decides_something() -> None:
    _, records = check(ServerConfig("4.5.8", "strict", api_key=RIGHT), "right")
    keyed = {(each.method, each.target) for each in records if each.key_header}
    assert keyed == {("GET", "/v1/models"), ("GET", "/v1/models/claude"), ("GET", "/v1beta/models")}


def test_a_key_that_is_not_needed_is_not_sent() -> None:
    report, records = check(ServerConfig("4.5.8", "off", api_key=RIGHT), "right")
    assert not any(each.key_header for each in records)
    assert result(report, "key").status == "pass"


def test_old_gemini_lists_are_left_alone_because_they_asked_upstream() -> None:
    _, records = check(ServerConfig("3.3.10"), "none")
    assert ("GET", "/v1beta/models") not in {(each.method, each.target) for each in records}


def test_every_request_in_the_report_has_its_two_lines() -> None:
    report, _ = check(ServerConfig("4.5.8", "strict", api_key=RIGHT), "right")
    traces = [trace for each in report.checks for trace in each.requests]
    assert len(traces) > 30
    for trace in traces:
        assert trace.curl.startswith("curl ")
        assert trace.powershell.startswith(("Invoke-WebRequest ", "curl.exe "))
        assert trace.url.partition("?")[0] in trace.curl
        assert trace.status is not None
        assert trace.elapsed_ms is not None


@pytest.mark.parametrize("config", [ServerConfig("4.5.8", "strict"), ServerConfig("4.1.11", "strict")])
def test_a_planted_key_is_nowhere_in_the_report(config: ServerConfig) -> None:
    planted = "sk-planted-0123456789abcdef"
    with run_in_thread(config) as running:
        report = run_check_sync(CheckOptions(origin=running.url, api_key=Secret(planted)))
    assert planted not in repr(report)
    assert any("$AGDOCTOR_API_KEY" in trace.curl for each in report.checks for trace in each.requests)
