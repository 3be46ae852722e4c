"""`check --format junit` and `--format github`: well-formed, counted right, and deaf to what a server says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from antigravity_doctor.diagnosis.model import CheckReport, CheckResult, Finding
from antigravity_doctor.diagnosis.proxy_model import ServerConfig
from antigravity_doctor.reports.exit_code import FAIL_ON, exit_code
from antigravity_doctor.reports.github import github_annotations
from antigravity_doctor.reports.junit import junit_xml
from antigravity_doctor.servers.stand_in import run_in_thread
from tests.support.cli import run
from tests.support.reports import parsed, wild_report

STATUSES = (
    CheckResult("name", "reach", "pass", None, {"host": "h", "addresses": "a"}),
    CheckResult("proxy", "identity", "fail", None, {"program": "nginx"}, (Finding("AGD106", "error", 1.0),)),
    CheckResult("key", "auth", "warn", None, {}, (Finding("AGD201", "warning", 1.0),)),
    CheckResult("models", "routes", "skipped", "needs-service"),
    CheckResult("version", "identity", "inconclusive", "version-hidden"),
)
REPORT = CheckReport("http://127.0.0.1:8045", None, "unknown", "unknown", STATUSES)


@pytest.fixture(scope="module")
def locked_proxy() -> Iterator[str]:
    with run_in_thread(ServerConfig(auth="strict")) as running:
        yield running.url


# --- exit code: what counts as a failure ---


@pytest.mark.parametrize(
    ("status", "severity", "codes"),
    [
        ("pass", None, (0, 0, 0)),
        ("skipped", None, (0, 0, 0)),
        ("inconclusive", None, (0, 0, 1)),
        ("warn", "warning", (0, 1, 1)),
        ("warn", None, (0, 1, 1)),
        ("pass", "info", (0, 0, 0)),
        ("pass", "warning", (0, 1, 1)),
        ("pass", "error", (1, 1, 1)),
        ("fail", "error", (1, 1, 1)),
        ("fail", None, (1, 1, 1)),
    ],
)
def test_fail_on_maps_statuses_and_severities(status: str, severity: str | None, codes: tuple[int, ...]) -> None:
    findings = (Finding("AGD106", severity, 1.0),) if severity else ()  # type: ignore[arg-type]
    because = "needs-service" if status in ("skipped", "inconclusive") else None
    check = CheckResult("proxy", "identity", status, because, {"program": "x"}, findings)  # type: ignore[arg-type]
    report = CheckReport("http://h:1", None, "unknown", "unknown", (check,))
    assert tuple(exit_code(report, each) for each in FAIL_ON) == codes
    failures = tuple(int(parsed(junit_xml(report, each)).get("failures", "")) for each in FAIL_ON)
    assert failures == codes


@pytest.mark.parametrize("fail_on", FAIL_ON)
def test_not_reached_is_3_whatever_counts_as_failure(fail_on: str) -> None:
    assert exit_code(CheckReport("http://h:1", None, "unknown", "unknown", (), unreachable=True), fail_on) == 3


# --- junit ---


@pytest.mark.parametrize(
    ("fail_on", "failed", "skipped"),
    [("error", 1, 2), ("warning", 2, 2), ("inconclusive", 3, 1)],
)
def test_junit_counts(fail_on: str, failed: int, skipped: int) -> None:
    root = parsed(junit_xml(REPORT, fail_on))
    assert root.tag == "testsuites"
    assert root.get("tests") == "5"
    assert root.get("failures") == str(failed)
    suites = root.findall("testsuite")
    assert sum(int(each.get("tests", "")) for each in suites) == len(root.findall(".//testcase")) == 5
    assert sum(int(each.get("failures", "")) for each in suites) == len(root.findall(".//failure")) == failed
    assert sum(int(each.get("skipped", "")) for each in suites) == len(root.findall(".//skipped")) == skipped


def test_junit_says_what_to_do() -> None:
    root = parsed(junit_xml(REPORT))
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.get("message") == "it is nginx"
    assert (failure.text or "").startswith("AGD106 ")


def test_junit_of_a_real_check(locked_proxy: str) -> None:
    result = run("check", "--url", locked_proxy, "--format", "junit", "--fail-on", "warning")
    root = parsed(result.out)
    assert result.code == 1
    assert root.get("failures") == "1"
    assert root.findall(".//failure/..")[0].get("name") == "Key"
    assert all(float(each.get("time", "")) >= 0 for each in root.iter("testcase"))


def test_junit_is_ascii_so_that_any_encoding_of_the_output_is_right() -> None:
    text = junit_xml(REPORT)
    assert text.isascii()
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')


def test_junit_of_hostile_facts_is_well_formed() -> None:
    text = junit_xml(wild_report(), "inconclusive")
    root = parsed(text)
    assert root.get("tests") == "6"
    assert not set(re.findall(r"&#x?[0-9a-f]+;", text)) & {"&#0;", "&#27;", "&#8238;", "&#55296;"}


# --- github ---


def test_github_says_each_finding_once_and_the_numbers_last() -> None:
    lines = github_annotations(REPORT).splitlines()
    assert [each.partition(" ")[0] for each in lines] == ["::error", "::warning", "::notice", "Checks:"]
    assert lines[0].startswith("::error title=AGD106 ")
    assert re.findall(r"\d+ [a-z]+", lines[-1]) == ["1 passed", "1 with", "1 failed", "1 skipped", "1 inconclusive"]


def test_github_escapes_what_has_a_meaning_there() -> None:
    lines = github_annotations(wild_report()).splitlines()
    commands = [each for each in lines if each.startswith("::")]
    assert len(commands) == len(lines) - 1
    for each in commands:
        matched = re.fullmatch(r"::(error|warning|notice) title=([^:,\r\n]*)::([^\r\n]*)", each)
        assert matched, each
        assert not re.search(r"%(?!25|0A|0D|3A|2C)", each)
        assert each.isprintable()
    assert "%25" in commands[0]


def test_github_puts_the_advice_on_a_line_of_its_own(locked_proxy: str) -> None:
    result = run("check", "--url", locked_proxy, "--base-url", locked_proxy + "/v1/v1", "--format", "github")
    annotations = [each for each in result.out.splitlines() if each.startswith(("::error", "::warning"))]
    assert annotations
    assert all(each.count("%0A") == 1 for each in annotations)


def test_github_of_a_healthy_proxy_is_one_line() -> None:
    assert run("check", "--demo", "--format", "github").out.count("\n") == 1
