"""What `run_check` says when the proxy cannot be reached, or something else answers in its place."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Mapping
from typing import Any

import pytest

from antigravity_doctor.diagnosis.machine import Listening
from antigravity_doctor.diagnosis.model import CheckReport, CheckResult
from antigravity_doctor.diagnosis.proxy_model import ServerConfig
from antigravity_doctor.diagnosis.settings import Fault, ProxySettings, Secret
from antigravity_doctor.knowledge.texts import finding_text
from antigravity_doctor.probes import discover, run
from antigravity_doctor.probes.run import CheckOptions, run_check_sync
from antigravity_doctor.probes.session import Asker, Session, Verdict
from antigravity_doctor.reports.check_words import summary
from antigravity_doctor.servers.stand_in import run_in_thread
from tests.support.fronted import fronted
from tests.support.hostile import KINDS, hostile

TIMEOUT = 0.5
LISTENING_PORTS = discover.listening_ports
"""The function itself, which conftest.py puts out of the tests' way."""


def check(origin: str, **more: Any) -> CheckReport:
    """A run with short time-outs that looks at no other port and takes itself to be outside of containers."""
    wanted: dict[str, Any] = {"timeout": TIMEOUT, "total_timeout": 6.0, "ports": (), "in_container": False}
    return run_check_sync(CheckOptions(origin=origin, **(wanted | more)))


def result(report: CheckReport, check_id: str) -> CheckResult:
    """One check's result."""
    return next(each for each in report.checks if each.id == check_id)


def codes(report: CheckReport) -> list[str]:
    """All finding codes, in order of the checks."""
    return [each.code for check in report.checks for each in check.findings]


def statuses(report: CheckReport) -> dict[str, str]:
    """Status by check id."""
    return {each.id: each.status for each in report.checks}


# --- hostile and foreign servers -------------------------------------------------------------------------------------

FOREIGN = {
    "refused": "AGD101",
    "silent": "AGD102",
    "close": "AGD112",
    "reset": "AGD112",
    "slow-head": "AGD112",
    "slow-body": "AGD112",
    "endless-body": "AGD112",
    "endless-head": "AGD112",
    "endless-line": "AGD112",
    "endless-interim": "AGD112",
    "too-short": "AGD112",
    "bad-length": "AGD112",
    "bad-chunks": "AGD112",
    "bad-status": "AGD112",
    "http-0.9": "AGD111",
    "garbage": "AGD111",
    "ssh": "AGD111",
    "tls": "AGD111",
    "redirect-loop": "AGD113",
    "redirect-elsewhere": "AGD113",
    "gzip-bomb": "AGD106",
    "too-long": "AGD106",
    "escapes": "AGD106",
    "web-page": "AGD106",
    "ollama": "AGD106",
    "lm-studio": "AGD106",
    "vite": "AGD106",
    "old-second-server": "AGD106",
    "healthy-stranger": "AGD106",
}


def test_every_hostile_server_has_its_line_here() -> None:
    assert set(FOREIGN) == set(KINDS)


@pytest.mark.parametrize(("kind", "code"), FOREIGN.items())
def test_a_foreign_server_gets_its_code_and_nothing_else_is_claimed(kind: str, code: str) -> None:
    with hostile(kind) as server:
        started = time.perf_counter()
        report = check(server.origin)
        elapsed = time.perf_counter() - started
    assert codes(report) == [code]
    assert report.unreachable
    assert (report.proxy_version, report.served_by, report.auth) == (None, "unknown", "unknown")
    assert {result(report, each).status for each in ("version", "key", "routes-openai", "models")} == {"skipped"}
    assert elapsed < 4.0


@pytest.mark.parametrize("kind", ["ollama", "web-page", "healthy-stranger", "silent", "redirect-loop"])
def test_a_foreign_server_never_sees_the_key_nor_more_than_a_few_requests(kind: str) -> None:
    with hostile(kind) as server:
        report = check(server.origin, api_key=Secret("sk-planted"))
        assert "sk-planted" not in repr(report)
        assert len(server.requests) <= 12
        assert not any(line.startswith(("POST", "PUT", "DELETE", "PATCH")) for line in server.requests)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("ollama", "Ollama"),
        ("lm-studio", "LM Studio"),
        ("vite", "a Vite development server"),
        ("web-page", "nginx"),
        ("old-second-server", "the proxy's own old HTTP API (v3.3.33 to v3.3.50, port 19527)"),
        ("ssh", "SSH"),
        ("tls", "https (TLS)"),
        ("http-0.9", "HTTP/0.9 (a page without a header)"),
    ],
)
def test_a_program_that_is_known_is_named(kind: str, name: str) -> None:
    with hostile(kind) as server:
        report = check(server.origin)
    finding = next(each for check in report.checks for each in check.findings)
    assert finding.facts["program"] == name


def test_the_first_cause_is_given_for_everything_that_was_skipped() -> None:
    with hostile("refused") as server:
        report = check(server.origin)
    skipped = {each.id: each.because for each in report.checks if each.status == "skipped"}
    assert {skipped[each] for each in ("http", "proxy", "version", "service", "key", "models", "client")} == {
        "needs-port"
    }


def test_all_of_a_silent_server_takes_one_time_out_and_a_short_look() -> None:
    with hostile("silent") as server:
        started = time.perf_counter()
        check(server.origin, timeout=1.0)
        assert time.perf_counter() - started < 3.0


def test_the_total_time_ends_everything() -> None:
    with hostile("silent") as server:
        started = time.perf_counter()
        report = check(server.origin, timeout=30.0, total_timeout=0.5)
        assert time.perf_counter() - started < 2.5
    assert len(report.checks) == len(run.CHECKS)


# --- the scheme ------------------------------------------------------------------------------------------------------


def test_https_on_the_proxys_port_is_told_with_the_url_that_works() -> None:
    with run_in_thread(ServerConfig()) as running:
        report = check(running.url.replace("http:", "https:"))
    assert codes(report) == ["AGD105"]
    assert result(report, "http").findings[0].facts["plain_url"] == running.url


def test_an_untrusted_certificate_is_said_to_be_that() -> None:
    with hostile("tls") as server:
        report = check(server.origin.replace("http:", "https:"))
    assert codes(report) == ["AGD114"]


def test_https_on_a_port_without_http_or_tls_is_not_http() -> None:
    with hostile("ssh") as server:
        report = check(server.origin.replace("http:", "https:"))
    assert codes(report) == ["AGD111"]


# --- names and addresses ---------------------------------------------------------------------------------------------


def _resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    def look_up(host: str, port: int, *_: object, **__: object) -> list[object]:
        return [
            (socket.AF_INET6, 1, 6, "", (each, port, 0, 0)) if ":" in each else (socket.AF_INET, 1, 6, "", (each, port))
            for each in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def test_localhost_that_goes_to_ipv6_first_is_a_warning_and_the_check_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with run_in_thread(ServerConfig("4.5.8")) as running:
        _resolving(monkeypatch, "::1", "127.0.0.1")
        report = check(f"http://localhost:{running.port}")
    assert codes(report) == ["AGD104"]
    assert result(report, "port").status == "warn"
    assert report.proxy_version == "4.5.8"
    assert not report.unreachable


def test_localhost_that_goes_to_ipv4_first_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    with run_in_thread(ServerConfig("4.5.8")) as running:
        _resolving(monkeypatch, "127.0.0.1", "::1")
        report = check(f"http://localhost:{running.port}")
    assert codes(report) == []


def test_the_ipv6_loopback_alone_is_refused_and_the_ipv4_one_is_named() -> None:
    with run_in_thread(ServerConfig()) as running:
        report = check(f"http://[::1]:{running.port}")
    assert codes(report) == ["AGD104", "AGD101"]
    assert report.unreachable


def test_a_name_without_an_address_is_said_to_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    report = check("http://no-such-host.invalid:8045")
    assert codes(report) == ["AGD103"]
    assert report.unreachable


# --- containers ------------------------------------------------------------------------------------------------------


def test_in_a_container_a_refused_loopback_is_explained() -> None:
    with hostile("refused") as server:
        assert codes(check(server.origin, in_container=True)) == ["AGD101", "AGD108"]


@pytest.mark.parametrize("environment", [{"container": "podman"}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}])
def test_containers_are_known_by_their_marks(environment: dict[str, str]) -> None:
    with hostile("refused") as server:
        assert "AGD108" in codes(check(server.origin, in_container=None, environment=environment))


REMOTE = {
    "over SSH": {"SSH_CONNECTION": "192.168.1.7 52022 192.168.1.20 22"},
    "in WSL 2": {"WSL_DISTRO_NAME": "Ubuntu", "WSL_INTEROP": "/run/WSL/1_interop"},
    "in a GitHub codespace": {"CODESPACES": "true"},
    "in a remote editor window": {"VSCODE_IPC_HOOK_CLI": "/run/user/1000/vscode-ipc.sock"},
}


@pytest.mark.parametrize("where", REMOTE)
def test_a_refused_loopback_of_another_machine_is_explained(where: str) -> None:
    with hostile("refused") as server:
        report = check(server.origin, environment=REMOTE[where])
    assert codes(report) == ["AGD101", "AGD118"]
    said = [each.facts["where"] for result in report.checks for each in result.findings if each.code == "AGD118"]
    assert said == [where]


@pytest.mark.parametrize("where", REMOTE)
def test_where_the_proxy_answers_nothing_is_said_of_other_machines(where: str) -> None:
    with run_in_thread(ServerConfig("4.5.8")) as running:
        assert "AGD118" not in codes(check(running.url, environment=REMOTE[where]))


# --- HTTP proxy variables --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, []),
        ({"HTTP_PROXY": "http://user:hidden@proxy:3128"}, ["AGD107"]),
        ({"all_proxy": "socks5://proxy:1080"}, ["AGD107"]),
        ({"HTTPS_PROXY": "http://proxy:3128"}, []),
        ({"http_proxy": "http://proxy:3128", "no_proxy": "127.0.0.1"}, []),
    ],
)
def test_a_proxy_variable_for_loopback_is_reported_and_not_used(
    environment: Mapping[str, str], expected: list[str]
) -> None:
    with run_in_thread(ServerConfig("4.5.8")) as running:
        report = check(running.url, environment=environment)
    assert codes(report) == expected
    assert report.proxy_version == "4.5.8"
    assert "hidden" not in repr(report)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "none is set"),
        ({"HTTPS_PROXY": " ", "https_proxy": ""}, "none is set"),
        (
            {"HTTPS_PROXY": "http://user:hidden@proxy:3128"},
            "HTTPS_PROXY is set, which counts for https only; a client that takes it for everything needs "
            "NO_PROXY=127.0.0.1",
        ),
        (
            {"https_proxy": "http://proxy:3128", "NO_PROXY": "localhost,127.0.0.1"},
            "https_proxy is set, and NO_PROXY takes 127.0.0.1 out",
        ),
    ],
)
def test_a_proxy_variable_for_the_other_scheme_is_named_and_no_fault(environment: Mapping[str, str], said: str) -> None:
    with run_in_thread(ServerConfig("4.5.8")) as running:
        found = result(check(running.url, environment=environment), "http-proxy")
    assert (found.status, found.findings, summary(found)) == ("pass", (), said)


def test_http_proxy_says_nothing_about_an_https_address() -> None:
    with hostile("refused") as dead:
        report = check(f"https://127.0.0.1:{dead.port}", environment={"HTTP_PROXY": "http://proxy:3128"})
    assert summary(result(report, "http-proxy")) == "HTTP_PROXY is set, which counts for http only"


def test_a_host_on_the_internet_is_reached_through_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _resolving(monkeypatch, "93.184.216.34")
    with hostile("web-page") as proxy:
        report = check("http://proxy.example:8045", environment={"HTTP_PROXY": proxy.origin})
        lines = list(proxy.requests)
    assert lines
    assert all(" http://proxy.example:8045/" in line for line in lines)
    assert result(report, "http-proxy").status == "pass"
    assert "--noproxy" not in result(report, "http").requests[0].curl


def test_a_name_that_only_the_http_proxy_knows_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def only_local(host: str, *rest: Any, **more: Any) -> Any:
        if host == "proxy.example":
            raise socket.gaierror(-2, "Name or service not known")
        return real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", only_local)
    with hostile("web-page") as proxy:
        report = check("http://proxy.example:8045", environment={"HTTP_PROXY": proxy.origin})
    assert result(report, "name").status == "pass"
    assert result(report, "http").status == "pass"


def test_a_dead_http_proxy_is_the_one_that_is_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolving(monkeypatch, "93.184.216.34")
    with hostile("refused") as nobody:
        report = check("http://proxy.example:8045", environment={"HTTP_PROXY": nobody.origin})
    assert codes(report) == ["AGD107"]
    assert report.unreachable


# --- which port does answer? -----------------------------------------------------------------------------------------


def test_a_dead_port_leads_to_the_one_that_answers_as_the_proxy() -> None:
    with (
        run_in_thread(ServerConfig("4.5.8", "strict")) as running,
        hostile("ollama") as other,
        hostile("refused") as no,
    ):
        report = check(no.origin, ports=(other.port, running.port, 9))
    assert codes(report) == ["AGD116"]  # not AGD101: to start a proxy that runs is no advice
    assert result(report, "port").findings[0].evidence
    facts = result(report, "port").findings[0].facts
    assert (facts["found"], facts["version"]) == (str(running.port), "4.5.8")


def test_another_program_on_the_port_leads_there_too() -> None:
    with run_in_thread(ServerConfig("3.3.50", "strict")) as running, hostile("ollama") as other:
        report = check(other.origin, ports=(running.port,))
    assert codes(report) == ["AGD116", "AGD106"]


def test_the_search_sends_no_key_and_asks_nothing_with_an_effect() -> None:
    with run_in_thread(ServerConfig("4.5.8", "strict")) as running, hostile("refused") as no:
        check(no.origin, ports=(running.port,), api_key=Secret("sk-stand-in"))
        assert {each.method for each in running.records} == {"GET", "OPTIONS"}
        assert not any(each.key_header for each in running.records)


def test_other_machines_are_never_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discover, "identify", lambda *_: pytest.fail("searched"))
    _resolving(monkeypatch, "127.0.0.1")
    with hostile("refused") as no:
        assert codes(check(f"http://nas.local:{no.port}", ports=None)) == ["AGD101"]


def test_whatever_listens_on_this_machine_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    with run_in_thread(ServerConfig("4.5.8")) as running, hostile("refused") as no:
        found = (Listening(running.port, "127.0.0.1", "python3", 1), Listening(7, "::1", "echo", 2))
        monkeypatch.setattr(discover, "listening_ports", LISTENING_PORTS)
        monkeypatch.setattr(discover, "listeners", lambda: found)
        report = check(no.origin, ports=None)
    assert codes(report) == ["AGD116"]


def test_where_the_system_does_not_let_us_look_the_usual_ports_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    async def identify(_: Session, port: int) -> None:
        asked.append(port)

    monkeypatch.setattr(discover, "listeners", lambda: None)
    monkeypatch.setattr(discover, "identify", identify)
    with hostile("refused") as no:
        check(no.origin, ports=None)
    assert tuple(asked) == discover.USUAL_PORTS


def test_a_program_that_does_not_say_its_name_is_called_what_the_system_calls_it() -> None:
    with hostile("escapes") as server:
        report = check(server.origin)
    said = [each.facts["program"] for result in report.checks for each in result.findings if each.code == "AGD106"]
    assert said
    assert f"(process {os.getpid()})" in said[0]


def test_a_machine_with_many_listeners_is_not_searched_to_its_last_corner(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    async def identify(_: Session, port: int) -> None:
        asked.append(port)

    monkeypatch.setattr(discover, "identify", identify)
    with hostile("refused") as no:
        check(no.origin, ports=tuple(range(20_000, 20_500)))
    assert len(asked) == discover.MOST


# --- the settings file -----------------------------------------------------------------------------------------------


def test_a_settings_file_with_the_same_port_agrees() -> None:
    with run_in_thread(ServerConfig()) as running:
        report = check(running.url, settings=ProxySettings("gui_config.json", port=running.port))
    assert result(report, "settings").status == "pass"


def test_a_settings_port_that_nothing_answers_on_means_a_restart_is_due() -> None:
    with run_in_thread(ServerConfig()) as running, hostile("refused") as nobody:
        report = check(running.url, settings=ProxySettings("gui_config.json", port=nobody.port))
    assert codes(report) == ["AGD110"]
    assert result(report, "settings").status == "warn"


def test_two_proxies_on_two_ports_are_no_fault() -> None:
    with run_in_thread(ServerConfig()) as one, run_in_thread(ServerConfig()) as two:
        report = check(one.url, settings=ProxySettings("gui_config.json", port=two.port))
    assert codes(report) == []


def test_a_dead_port_and_a_settings_file_with_the_right_one() -> None:
    with run_in_thread(ServerConfig()) as running, hostile("refused") as nobody:
        report = check(nobody.origin, settings=ProxySettings("gui_config.json", port=running.port))
    assert codes(report) == ["AGD116", "AGD110"]


def said_of_the_file(report: CheckReport) -> list[str]:
    """The summaries of what the settings check found."""
    return [finding_text(each.code, "summary", each.facts) for each in result(report, "settings").findings]


@pytest.mark.parametrize("kind", ["refused", "ollama"])
def test_a_port_that_is_only_in_the_file_means_a_restart_whoever_named_it(kind: str) -> None:
    """The port was taken from the file, nothing or another program is there, and the proxy answers elsewhere."""
    with run_in_thread(ServerConfig()) as running, hostile(kind) as dead:
        settings = ProxySettings("gui_config.json", port=dead.port)
        report = check(dead.origin, settings=settings, ports=(running.port,))
    assert codes(report)[:2] == (["AGD116", "AGD110"] if kind == "refused" else ["AGD110", "AGD116"])
    assert "AGD101" not in codes(report)
    assert said_of_the_file(report) == [
        f"The proxy's settings file (gui_config.json) says port {dead.port}, not {running.port}. The proxy answers on "
        f"port {running.port}: restart the app to make {dead.port} true, or use {running.port} now."
    ]


def test_a_port_from_the_file_on_which_nothing_answers_proves_nothing() -> None:
    with hostile("refused") as dead:
        report = check(dead.origin, settings=ProxySettings("gui_config.json", port=dead.port))
    assert codes(report) == ["AGD101"]
    assert summary(result(report, "settings")) == f"gui_config.json names port {dead.port}, too"


AUTH_MODE = Fault("proxy.auth_mode", "no-auth-mode", "3.3.8", '"Strict"')


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (AUTH_MODE, 'proxy.auth_mode is "Strict", and must be one of "off", "strict", "all_except_health", "auto"'),
        (Fault("proxy.port", "no-port", "3.0.0", "80500"), "proxy.port is 80500, and must be a number from 0 to 65535"),
        (Fault("proxy.api_key", "missing", "3.0.0"), "it lacks proxy.api_key"),
        (Fault("", "no-object", "3.0.0"), "the file must be an object in braces"),
    ],
)
def test_a_field_that_the_proxy_refuses_is_named(fault: Fault, said: str) -> None:
    with run_in_thread(ServerConfig()) as running:
        report = check(running.url, settings=ProxySettings("gui_config.json", port=running.port, faults=(fault,)))
    assert codes(report) == ["AGD117"]
    assert f"will not load: {said}" in said_of_the_file(report)[0]
    assert summary(result(report, "settings")).startswith(f"gui_config.json will not load: {said}")


def test_a_proxy_that_does_not_know_a_field_yet_does_not_refuse_it() -> None:
    with run_in_thread(ServerConfig("3.3.0")) as running:
        settings = ProxySettings("gui_config.json", port=running.port, faults=(AUTH_MODE,))
        assert codes(check(running.url, settings=settings)) == []


def test_a_file_that_does_not_load_and_another_port_are_both_said() -> None:
    with run_in_thread(ServerConfig()) as running, hostile("refused") as nobody:
        report = check(running.url, settings=ProxySettings("gui_config.json", port=nobody.port, faults=(AUTH_MODE,)))
    assert codes(report) == ["AGD117", "AGD110"]
    assert "mend the file before you restart the app" in said_of_the_file(report)[1]


def test_a_damaged_settings_file_is_an_error_of_its_own() -> None:
    with hostile("refused") as nobody:
        report = check(nobody.origin, settings=ProxySettings("gui_config.json", problem="not-json"))
    assert codes(report) == ["AGD101", "AGD117"]


def test_a_settings_file_of_somebody_else_is_no_fault() -> None:
    with run_in_thread(ServerConfig()) as running:
        report = check(running.url, settings=ProxySettings("gui_config.json", problem="unreadable"))
    assert codes(report) == []
    assert result(report, "settings").because == "settings-unreadable"


def test_a_settings_file_without_a_port_says_nothing() -> None:
    with run_in_thread(ServerConfig()) as running:
        report = check(running.url, settings=ProxySettings("gui_config.json"))
    assert result(report, "settings").because == "settings-without-port"


def test_the_settings_of_this_machine_say_nothing_about_another(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolving(monkeypatch, "127.0.0.1")
    with run_in_thread(ServerConfig("4.5.8", "strict")) as running:
        settings = ProxySettings("gui_config.json", port=running.port, api_key=Secret("sk-stand-in"))
        report = check(f"http://nas.local:{running.port}", settings=settings)
        assert not any(each.key_header for each in running.records)
    assert result(report, "settings").because == "not-this-machine"
    assert codes(report) == ["AGD201"]


def test_the_key_of_the_settings_file_is_used_for_its_own_port() -> None:
    with run_in_thread(ServerConfig("4.5.8", "strict")) as running:
        settings = ProxySettings("/home/ada/gui_config.json", port=running.port, api_key=Secret("sk-stand-in"))
        report = check(running.url, settings=settings)
    assert result(report, "key").status == "pass"
    assert result(report, "key").facts["source"] == "/home/ada/gui_config.json"


def test_the_key_of_the_settings_file_is_kept_from_another_port() -> None:
    with run_in_thread(ServerConfig("4.5.8", "strict")) as running, hostile("refused") as nobody:
        settings = ProxySettings("gui_config.json", port=nobody.port, api_key=Secret("sk-stand-in"))
        report = check(running.url, settings=settings)
        assert not any(each.key_header for each in running.records)
    assert "AGD201" in codes(report)


def test_a_given_key_beats_the_one_of_the_settings_file() -> None:
    with run_in_thread(ServerConfig("4.5.8", "strict")) as running:
        settings = ProxySettings("gui_config.json", port=running.port, api_key=Secret("sk-stand-in"))
        report = check(running.url, settings=settings, api_key=Secret("sk-other"), key_source="--api-key")
    assert codes(report) == ["AGD202"]
    (said,) = result(report, "key").findings[0].evidence
    assert said == "The key that was sent is that of --api-key; gui_config.json holds another one."


def test_a_rejected_key_of_the_settings_file_is_said_to_be_that() -> None:
    with run_in_thread(ServerConfig("4.5.8", "strict", api_key="sk-of-the-environment")) as running:
        settings = ProxySettings("/x/gui_config.json", port=running.port, api_key=Secret("sk-of-the-file"))
        report = check(running.url, settings=settings)
    (said,) = result(report, "key").findings[0].evidence
    assert said.startswith(
        "The key that was sent is the one in /x/gui_config.json: the running proxy has another one ("
    )
    assert summary(result(report, "key")) == "the key (/x/gui_config.json) does not get in (status 403)"


def test_a_rejected_key_that_is_in_the_file_as_well_is_not_called_another_one() -> None:
    with run_in_thread(ServerConfig("4.5.8", "strict")) as running:
        settings = ProxySettings("gui_config.json", port=running.port, api_key=Secret("sk-other"))
        report = check(running.url, settings=settings, api_key=Secret("sk-other"), key_source="AGDOCTOR_API_KEY")
    assert result(report, "key").findings[0].evidence == ("The key that was sent is that of AGDOCTOR_API_KEY.",)


def test_an_empty_key_in_the_settings_file_explains_the_401() -> None:
    with run_in_thread(ServerConfig("4.1.0", "strict", api_key_empty=True)) as running:
        settings = ProxySettings("gui_config.json", port=running.port, api_key=Secret(""), auth_mode="strict")
        report = check(running.url, settings=settings)
    assert codes(report) == ["AGD206"]


# --- somebody in front -----------------------------------------------------------------------------------------------


def test_a_front_that_answers_options_itself_leaves_routes_undecided_never_passed() -> None:
    with fronted(ServerConfig("4.5.8", "strict", api_key="K")) as url:
        report = check(url, api_key=Secret("K"))
    found = statuses(report)
    assert report.proxy_version == "4.5.8"
    assert report.served_by == "unknown"
    assert (found["proxy"], found["version"], found["key"], found["models"]) == ("pass",) * 4
    # POST-only routes show Allow to a GET; routes that take GET cannot be asked without running them.
    assert found["routes-anthropic"] == "inconclusive"
    assert found["routes-gemini"] == "inconclusive"
    assert codes(report) == []


@pytest.mark.parametrize("auth", ["off", "strict", "all_except_health"])
def test_a_front_before_a_proxy_that_does_not_name_its_version_leaves_even_that_undecided(auth: Any) -> None:
    with fronted(ServerConfig("3.3.50", auth, api_key="K")) as url:
        report = check(url, api_key=Secret("K"))
    assert (result(report, "proxy").status, result(report, "proxy").because) == ("inconclusive", "options-in-front")
    assert result(report, "version").because == "options-in-front"
    assert codes(report) == []


def test_behind_a_front_the_second_oracle_still_finds_the_post_routes() -> None:
    with fronted(ServerConfig("4.5.8", "off")) as url:
        report = check(url)
    assert result(report, "routes-anthropic").facts["present"] == "2"


def test_a_front_that_lets_only_some_paths_in_is_found_by_what_is_missing() -> None:
    paths = ("/health", "/v1/models", "/v1/chat", "/agdoctor-")
    with fronted(ServerConfig("4.5.8"), own_options=False, only=paths) as url:
        report = check(url)
    assert "AGD115" in codes(report)
    assert "/v1/messages" in result(report, "routes-anthropic").facts["missing"]


# --- answers out of the ordinary -------------------------------------------------------------------------------------


def odd(config: ServerConfig, instead: Mapping[str, tuple[int, str] | None], **more: Any) -> CheckReport:
    """A run against a proxy that has these GET answers in place of its own."""
    with fronted(config, own_options=False, instead=instead) as url:
        return check(url, **more)


def test_a_version_that_no_proxy_ever_had_is_shown_and_not_believed() -> None:
    report = odd(ServerConfig("4.5.8"), dict.fromkeys(("/healthz", "/health", "/api/health"), (200, FORK)))
    assert (result(report, "version").status, result(report, "version").because) == (
        "inconclusive",
        "version-unknown-form",
    )
    assert result(report, "version").facts["strange"] == "fork-of-mine"
    assert report.proxy_version is None
    assert result(report, "routes-openai").status == "pass"


FORK = '{"status":"ok","version":"fork-of-mine"}'


def test_routes_that_fit_no_version_and_no_version_in_the_answer_leave_it_open() -> None:
    config = ServerConfig("4.5.8")
    health = dict.fromkeys(("/healthz", "/health", "/api/health"), (200, '{"status":"ok"}'))
    with fronted(config, own_options=False, only=("/health", "/v1/models", "/v1/chat", "/agd"), instead=health) as url:
        report = check(url)
    assert (result(report, "version").status, result(report, "version").because) == ("inconclusive", "version-hidden")
    assert result(report, "routes-anthropic").because == "version-hidden"
    assert codes(report) == []


def test_a_list_that_does_not_come_is_explained() -> None:
    report = odd(ServerConfig("4.5.8"), {"/v1/models/claude": (503, '{"error":{"message":"No available accounts"}}')})
    assert result(report, "models").status == "fail"
    assert codes(report) == ["AGD408"]


def test_a_list_of_an_odd_form_is_a_warning() -> None:
    report = odd(ServerConfig("4.5.8"), {"/v1beta/models": (200, '{"pages":[]}')})
    assert result(report, "models").status == "warn"


def test_a_list_that_is_cut_off_is_undecided() -> None:
    report = odd(ServerConfig("4.5.8"), {"/v1/models/claude": None})
    assert (result(report, "models").status, result(report, "models").because) == ("inconclusive", "no-answer")


def test_a_server_error_where_auth_would_show_leaves_auth_open() -> None:
    report = odd(ServerConfig("4.5.8", "strict", api_key="K"), {"/v1/models": (500, "{}")}, api_key=Secret("K"))
    assert report.auth == "unknown"
    assert result(report, "auth-mode").because == "auth-unclear"
    assert result(report, "key").because == "auth-unclear"
    assert result(report, "models").because == "auth-unclear"


def test_silence_where_auth_would_show_leaves_auth_open() -> None:
    report = odd(ServerConfig("4.5.8"), {"/v1/models": None}, api_key=Secret("K"))
    assert [result(report, each).because for each in ("service", "auth-mode", "key")] == ["no-answer"] * 3


def test_a_key_that_http_cannot_carry_is_said_to_be_that() -> None:
    with run_in_thread(ServerConfig("4.5.8", "strict")) as running:
        report = check(running.url, api_key=Secret("sk-planted…"))
    assert result(report, "key").because == "key-unsendable"
    assert "planted" not in repr(report)


def test_what_a_server_echoes_of_the_key_is_hidden() -> None:
    secret = "sk-planted-0123456789"
    refusal = json.dumps({"error": {"message": f"bad key {secret}", "type": "token_rejected"}})
    with fronted(ServerConfig("4.5.8", "strict"), own_options=False, keyed=(403, refusal)) as url:
        report = check(url, api_key=Secret(secret))
    assert codes(report) == ["AGD202"]
    assert secret not in repr(report)
    assert "bad key ***" in repr(report)


# --- checks that fail themselves -------------------------------------------------------------------------------------


def test_a_check_that_crashes_is_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    async def crash(_: Session, __: Asker) -> Verdict:
        raise ZeroDivisionError("sk-secret")

    broken = tuple(
        run.Check(each.id, each.stage, crash, each.needs, each.after) if each.id == "version" else each
        for each in run.CHECKS
    )
    monkeypatch.setattr(run, "CHECKS", broken)
    with run_in_thread(ServerConfig("4.5.8")) as running:
        report = check(running.url)
    assert (result(report, "version").status, result(report, "version").because) == ("inconclusive", "crashed")
    assert result(report, "version").facts == {"error": "ZeroDivisionError"}
    assert len(report.checks) == len(run.CHECKS)
    assert result(report, "served-by").status == "pass"
