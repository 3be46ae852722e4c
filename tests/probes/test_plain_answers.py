"""What a tired user reads first: the port that does answer, the limit that was too short, the version that runs."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from antigravity_doctor.diagnosis.judging import needs_another_setting, overlapping, scheme_missing
from antigravity_doctor.diagnosis.model import CheckReport, CheckResult
from antigravity_doctor.diagnosis.proxy_model import ServerConfig
from antigravity_doctor.knowledge.clients import find_client
from antigravity_doctor.knowledge.texts import finding_text
from antigravity_doctor.probes.run import CheckOptions, run_check_sync
from antigravity_doctor.reports.check import check_lines
from antigravity_doctor.reports.check_words import distinct_findings, summary
from antigravity_doctor.reports.exit_code import exit_code
from antigravity_doctor.servers.stand_in import run_in_thread
from tests.support.cli import run
from tests.support.hostile import hostile


def check(origin: str, **more: Any) -> CheckReport:
    """A run that looks at no other port by itself."""
    wanted: dict[str, Any] = {"ports": (), "in_container": False, "timeout": 1.0}
    return run_check_sync(CheckOptions(origin=origin, **(wanted | more)))


def result(report: CheckReport, check_id: str) -> CheckResult:
    """One check's result."""
    return next(each for each in report.checks if each.id == check_id)


def codes(report: CheckReport) -> list[str]:
    """The finding codes in the order in which the report explains them."""
    return [each.code for each in distinct_findings(report)]


def shown(report: CheckReport) -> str:
    """The terminal report as plain text, one long line a paragraph."""
    return "\n".join("".join(text for text, _ in line) for line in check_lines(report, 400))


# --- the proxy on another port ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("client", "base", "right"),
    [
        ("openai-python", None, "/v1"),
        ("claude-code", None, ""),
        (None, "{dead}/v1", "/v1"),
        ("kilo-code", "{dead}/v1", "/v1"),
        ("claude-code", "{dead}/v1", ""),
    ],
)
@pytest.mark.parametrize("kind", ["refused", "ollama", "close"])
def test_the_port_that_answers_comes_first_with_the_base_url_to_set(
    kind: str, client: str | None, base: str | None, right: str
) -> None:
    with run_in_thread(ServerConfig()) as running, hostile(kind) as dead:
        report = check(
            dead.origin,
            ports=(running.port,),
            client=find_client(client) if client else None,
            base_url=base and base.format(dead=dead.origin),
        )
    first = distinct_findings(report)[0]
    assert (first.code, first.severity) == ("AGD116", "error")
    assert first.fixes[0].base_url == running.url + right
    assert f"Set the base URL to {running.url}{right}" in shown(report)


def test_without_client_and_base_url_only_the_port_is_told_to_change() -> None:
    with run_in_thread(ServerConfig()) as running, hostile("refused") as dead:
        report = check(dead.origin, ports=(running.port,))
    assert distinct_findings(report)[0].fixes == ()
    assert f"use {running.url} in place of port {dead.port}" in shown(report)


def test_a_found_proxy_leaves_no_room_for_container_advice_which_else_comes_last() -> None:
    with run_in_thread(ServerConfig()) as running, hostile("refused") as dead:
        assert codes(check(dead.origin, in_container=True, ports=(running.port,))) == ["AGD116"]
        assert codes(check(dead.origin, in_container=True)) == ["AGD101", "AGD108"]


@pytest.mark.parametrize("code", ["AGD101", "AGD115", "AGD116"])
def test_no_advice_is_the_command_that_was_just_run(code: str) -> None:
    assert "agdoctor check --port" not in finding_text(code, "fix")


# --- limits and odd answers ------------------------------------------------------------------------------------------


def test_a_total_limit_that_is_too_short_is_blamed_and_not_the_proxy() -> None:
    with run_in_thread(ServerConfig()) as running:
        report = check(running.url, total_timeout=0.001)
    assert codes(report) == []
    stopped = next(each for each in report.checks if each.status == "inconclusive")
    assert stopped.because == "limit-too-short"
    assert "The time limit you gave is too short" in summary(stopped)
    assert exit_code(report) == 3
    assert "<" not in shown(report)


@contextmanager
def answering(answer: bytes, late: float = 0.0) -> Iterator[str]:
    """A server that gives every connection these bytes, to HTTP/1.1 after `late` seconds; its origin."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                peer.settimeout(1)
                try:
                    if b"HTTP/1.1" in peer.recv(4096):
                        time.sleep(late)
                    peer.sendall(answer)
                except OSError:
                    continue

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


def test_a_request_limit_that_is_too_short_is_no_broken_answer() -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", late=0.03) as origin:
        assert codes(check(origin, timeout=0.01)) == ["AGD102"]


def test_a_redirect_to_an_escape_sequence_is_a_redirect_and_shown_without_it() -> None:
    place = b"http://portal.example/\x1b[31mlogin"
    with answering(
        b"HTTP/1.1 302 Found\r\nLocation: " + place + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    ) as origin:
        report = check(origin)
    assert codes(report) == ["AGD113"]
    assert distinct_findings(report)[0].facts["location"] == "http://portal.example/?[31mlogin"


def test_the_ipv6_loopback_given_as_host_does_not_lead_to_itself() -> None:
    with run_in_thread(ServerConfig()) as running:
        report = check(f"http://[::1]:{running.port}", in_container=True)
    found = distinct_findings(report)[0]
    assert (found.code, codes(report)) == ("AGD104", ["AGD104", "AGD101"])
    assert finding_text("AGD104", "summary", found.facts) == ("Nothing listens on ::1; the proxy answers at 127.0.0.1.")


# --- versions --------------------------------------------------------------------------------------------------------


def test_a_version_that_was_given_and_is_not_the_one_that_answers_is_a_warning() -> None:
    with run_in_thread(ServerConfig("4.5.8")) as running:
        report = check(running.url, proxy_version="4.1.0")
    found = result(report, "version")
    assert (found.status, report.proxy_version) == ("warn", "4.5.8")
    assert summary(found) == "4.1.0 was given, but the proxy says that it is 4.5.8"
    assert result(report, "routes-openai").facts["version"] == "4.5.8"
    assert "Nothing is wrong" not in shown(report)


@pytest.mark.parametrize("version", ["4.5.8", "4.1.18"])  # 4.1.18 names itself 4.1.17
def test_the_version_that_answers_is_no_warning(version: str) -> None:
    with run_in_thread(ServerConfig(version)) as running:
        assert result(check(running.url, proxy_version=version), "version").status == "pass"


def test_a_range_of_versions_is_shown_wherever_the_version_would_be() -> None:
    with run_in_thread(ServerConfig("4.0.3")) as running:
        report = check(running.url)
    assert summary(result(report, "version")).startswith("4.0.0 to 4.0.9 ")
    assert summary(result(report, "routes-openai")) == "all 8 routes of versions 4.0.0 to 4.0.9 are there"
    assert "4.0.0 to 4.0.9" in shown(report).strip().splitlines()[0]


# --- pure parts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ("127.0.0.1:8045/v1", "http://127.0.0.1:8045/v1"),
        (" localhost:8045 ", "http://localhost:8045"),
        ("[::1]:8045/v1", "http://[::1]:8045/v1"),
    ],
)
def test_a_missing_scheme_is_an_error_that_names_what_to_type(typed: str, right: str) -> None:
    found = scheme_missing(typed)
    assert found is not None
    assert (found.code, found.severity, found.facts["right"]) == ("AGD503", "error", right)


@pytest.mark.parametrize("typed", ["http://127.0.0.1:8045", "HTTPS://x/v1"])
def test_a_base_url_with_a_scheme_is_not_blamed(typed: str) -> None:
    assert scheme_missing(typed) is None


def test_a_key_in_a_base_url_without_scheme_is_not_repeated() -> None:
    found = scheme_missing("127.0.0.1:8045/v1?key=sk-planted-in-the-url")
    assert found is not None
    assert "sk-planted" not in repr(found)


def test_a_mode_without_other_settings_needs_none() -> None:
    (mode,) = find_client("claude-code").modes[:1]
    assert needs_another_setting("Claude Code", mode, find_client("claude-code").modes) is None
    assert overlapping(mode, mode)


# --- the command line ------------------------------------------------------------------------------------------------


def test_a_base_url_typed_without_scheme_is_seen_by_the_command() -> None:
    with run_in_thread(ServerConfig()) as running:
        address = f"127.0.0.1:{running.port}"
        bare = run("check", "--port", str(running.port), "-c", "openai-python", "-b", f"{address}/v1")
        full = run("check", "--port", str(running.port), "-c", "openai-python", "-b", f"http://{address}/v1")
        pasted = run("check", "--url", f"{address}/v1", "-c", "openai-python")
    assert (bare.code, full.code, pasted.code) == (1, 0, 0)
    assert "AGD503" in bare.out
    assert "AGD503" not in full.out + pasted.out


def test_the_demo_says_that_only_the_path_of_a_base_url_counts() -> None:
    done = run("check", "--demo", "-c", "openai-python", "-b", "http://127.0.0.1:9/v1")
    assert done.code == 0
    assert "Of http://127.0.0.1:9/v1 only the path /v1 counts in a demo" in done.err
    assert "counts in a demo" not in run("check", "--demo").err
