"""Where the base URL points: what does not lead to the checked proxy is never called right, and why is said."""

from __future__ import annotations

from typing import Any

import pytest

from antigravity_doctor.diagnosis.model import CheckReport, CheckResult, Finding
from antigravity_doctor.diagnosis.proxy_model import ServerConfig
from antigravity_doctor.diagnosis.settings import Secret
from antigravity_doctor.knowledge.clients import Client, client_from_json, find_client
from antigravity_doctor.knowledge.routes import table_for
from antigravity_doctor.knowledge.texts import finding_text
from antigravity_doctor.probes.client_paths import tail_protocol
from antigravity_doctor.probes.run import CheckOptions, run_check_sync
from antigravity_doctor.reports.check import check_lines
from antigravity_doctor.servers.stand_in import run_in_thread
from tests.support.hostile import hostile


def check(origin: str, base_url: str | None, client: str | Client | None = None, **more: Any) -> CheckReport:
    """A run with this base URL and client that looks at no other port by itself."""
    chosen = find_client(client) if isinstance(client, str) else client
    wanted: dict[str, Any] = {"ports": (), "in_container": False, "timeout": 1.0}
    return run_check_sync(CheckOptions(origin=origin, base_url=base_url, client=chosen, **(wanted | more)))


def result(report: CheckReport, check_id: str) -> CheckResult:
    """One check's result."""
    return next(each for each in report.checks if each.id == check_id)


def only(report: CheckReport, check_id: str) -> Finding:
    """The one finding of a check."""
    (found,) = result(report, check_id).findings
    return found


def shown(report: CheckReport) -> str:
    """The terminal report as plain text, one long line a paragraph."""
    return "\n".join("".join(text for text, _ in line) for line in check_lines(report, 400))


# --- another port ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "what"), [("refused", "nothing listens there"), ("ollama", "Ollama"), ("web-page", "nginx")]
)
def test_a_base_url_with_another_port_fails_and_says_what_is_there(there: str, what: str) -> None:
    with run_in_thread(ServerConfig()) as running, hostile(there) as other:
        report = check(running.url, f"{other.origin}/v1", "openai-python")
    found = only(report, "base-url")
    assert result(report, "base-url").status == "fail"
    assert (found.code, found.severity, found.facts["what"]) == ("AGD504", "error", what)
    assert found.fixes[0].base_url == f"{running.url}/v1"
    said = finding_text(found.code, "summary", found.facts)
    assert said.startswith(f"The base URL points to port {other.port}")


def test_a_second_proxy_on_the_base_urls_port_is_named_as_one() -> None:
    with run_in_thread(ServerConfig()) as running, run_in_thread(ServerConfig("4.3.0")) as other:
        report = check(running.url, f"{other.url}/v1", "openai-python")
    assert "another Antigravity proxy" in only(report, "base-url").facts["what"]
    assert result(report, "client").status == "skipped"


def test_a_silent_port_is_not_called_another_program() -> None:
    with run_in_thread(ServerConfig()) as running, hostile("silent") as other:
        report = check(running.url, f"{other.origin}/v1", "openai-python", timeout=0.3)
    assert result(report, "base-url").status == "inconclusive"


def test_a_base_url_that_is_right_while_the_checked_port_is_dead_is_not_blamed() -> None:
    with run_in_thread(ServerConfig()) as running, hostile("refused") as dead:
        report = check(dead.origin, f"{running.url}/v1", "openai-python", ports=(running.port,))
    assert (result(report, "base-url").status, result(report, "base-url").because) == (
        "inconclusive",
        "base-url-is-the-proxy",
    )
    assert result(report, "port").findings[0].fixes[0].base_url == f"{running.url}/v1"


def test_a_base_url_at_a_dead_port_is_not_said_to_point_to_a_proxy() -> None:
    with hostile("refused") as dead:
        report = check(dead.origin, f"{dead.origin}/v1", "openai-python")
    assert result(report, "base-url").status == "skipped"


# --- another scheme, address or host ---------------------------------------------------------------------------------


def test_https_to_the_plain_proxy_is_told_with_the_right_base_url() -> None:
    with run_in_thread(ServerConfig()) as running:
        report = check(running.url, f"https://127.0.0.1:{running.port}/v1", "openai-python")
    found = only(report, "base-url")
    assert (found.code, found.severity) == ("AGD105", "error")
    assert found.fixes[0].base_url == f"{running.url}/v1"


def test_the_ipv6_loopback_is_not_where_the_proxy_listens() -> None:
    with run_in_thread(ServerConfig()) as running:
        report = check(running.url, f"http://[::1]:{running.port}", "claude-code")
    assert only(report, "base-url").code == "AGD104"
    assert result(report, "client").status == "skipped"


@pytest.mark.parametrize("host", ["192.168.7.7", "nas.local", "proxy.example"])
def test_another_host_is_not_judged_but_named_as_what_to_check(host: str) -> None:
    with run_in_thread(ServerConfig()) as running:
        report = check(running.url, f"http://{host}:{running.port}", "claude-code")
    text = shown(report)
    assert result(report, "base-url").status == "inconclusive"
    assert f"agdoctor check --url http://{host}:{running.port}" in text
    assert "Nothing is wrong" not in text


def test_a_vendors_host_gets_the_base_url_of_this_proxy() -> None:
    with run_in_thread(ServerConfig()) as running:
        report = check(running.url, "https://api.anthropic.com", "claude-code")
        asked = [each.target for each in running.records if each.method == "OPTIONS"]
    assert only(report, "base-url").code == "AGD501"
    assert only(report, "base-url").fixes[0].base_url == running.url
    assert result(report, "client").status == "skipped"
    assert asked  # the checked proxy was asked, and nobody else


ELSEWHERE = ["http://127.0.0.1:1", "https://127.0.0.1:{port}", "http://10.1.2.3:8045", "https://api.openai.com"]


@pytest.mark.parametrize("origin", ELSEWHERE)
@pytest.mark.parametrize("client", ["openai-python", None])
def test_a_right_path_at_the_wrong_place_is_never_a_pass(origin: str, client: str | None) -> None:
    with run_in_thread(ServerConfig()) as running:
        report = check(running.url, origin.replace("{port}", str(running.port)) + "/v1", client)
    assert result(report, "client").status == "skipped"
    assert result(report, "base-url").status in ("fail", "inconclusive")


@pytest.mark.parametrize("origin", ELSEWHERE[:3])
def test_a_wrong_path_at_the_wrong_place_is_said_as_well(origin: str) -> None:
    with run_in_thread(ServerConfig()) as running:
        report = check(running.url, origin.replace("{port}", str(running.port)) + "/v1/v1", "openai-python")
    assert result(report, "client").status == "fail"
    assert result(report, "client").findings[0].fixes[0].base_url == f"{running.url}/v1"
    assert all(each.code == "AGD301" for each in result(report, "client").findings)


@pytest.mark.parametrize(
    ("client", "path", "right"),
    [
        ("kilo-code", "/v1", "/v1"),
        ("kilo-code", "", ""),
        ("claude-code", "/v1", ""),
        ("openai-python", "", "/v1"),
        ("opencode", "/v1beta", "/v1beta"),
        (None, "/v1", "/v1"),
        (None, "/v1beta", "/v1beta"),
        (None, "/v1/messages", None),
    ],
)
def test_the_fix_keeps_a_path_that_suits_the_client(client: str | None, path: str, right: str | None) -> None:
    with run_in_thread(ServerConfig()) as running:
        report = check(running.url, f"http://127.0.0.1:1{path}", client)
    fix = only(report, "base-url").fixes[0]
    if right is None:  # an endpoint: the base of a client with that protocol
        assert fix.route == "/v1/messages"
    else:
        assert fix.base_url == running.url + right


# --- without http:// -------------------------------------------------------------------------------------------------


def test_a_base_url_without_scheme_fails_while_its_path_is_still_judged() -> None:
    with run_in_thread(ServerConfig()) as running:
        typed = f"127.0.0.1:{running.port}/v1"
        report = check(running.url, f"http://{typed}", "openai-python", scheme_missing=typed)
    found = only(report, "base-url")
    assert (found.code, found.severity) == ("AGD503", "error")
    assert f"http://{typed}" in finding_text(found.code, "summary", found.facts)
    assert result(report, "client").status == "pass"


# --- more than a base URL --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("client", ["google-genai-python", "google-genai-node"])
@pytest.mark.parametrize("base", ["{url}", None])
def test_a_client_that_needs_another_setting_is_a_warning_that_names_it(client: str, base: str | None) -> None:
    with run_in_thread(ServerConfig()) as running:
        report = check(running.url, base and base.format(url=running.url), client)
    found = only(report, "client")
    assert (result(report, "client").status, found.code, found.severity) == ("warn", "AGD505", "warning")
    assert "v1beta" in found.facts["setting"]
    assert found.facts["where"]


def test_with_the_mode_named_the_setting_is_taken_as_done() -> None:
    with run_in_thread(ServerConfig()) as running:
        assert result(check(running.url, running.url, "google-genai-python", mode="gemini"), "client").status == "pass"


def synthetic(*modes: dict[str, Any]) -> Client:
    """A client with these modes, each on top of a plain OpenAI one."""
    plain = {
        "protocol": "openai",
        "preferred": False,
        "join": "append",
        "requests": [{"method": "POST", "suffix": "/chat/completions", "required": True}],
    }
    entry = {"id": "made-up", "name": "Made Up", "kind": "app"}
    return client_from_json(
        entry | {"modes": [plain | {"id": f"m{n}", "name": f"M{n}"} | each for n, each in enumerate(modes)]}
    )


ALSO = {"preferred": True, "also": [{"kind": "file", "name": "wire", "value": "chat", "where": "~/.x"}]}
MISSES = [{"method": "POST", "suffix": "/nowhere", "required": True}]


@pytest.mark.parametrize(
    ("other", "status"),
    [
        ({"requests": MISSES}, "warn"),
        ({}, "pass"),
        ({"requests": MISSES, "protocol": "gemini"}, "pass"),
        ({"requests": MISSES, "also": [{"kind": "file", "name": "wire", "value": "x", "where": None}]}, "pass"),
        ({"requests": MISSES, "versions": {"from": None, "below": "1.10.0"}}, "pass"),
        ({"requests": MISSES, "versions": {"from": None, "below": "1.10.1"}}, "warn"),
    ],
)
def test_the_warning_comes_only_with_a_plain_mode_of_the_same_versions_that_misses(
    other: dict[str, Any], status: str
) -> None:
    client = synthetic(ALSO | {"versions": {"from": "1.10.0", "below": None}}, other)
    with run_in_thread(ServerConfig()) as running:
        report = check(running.url, f"{running.url}/v1", client)
    assert result(report, "client").status == status


@pytest.mark.parametrize("base", ["{url}/v1", "http://192.168.7.7:8045/v1", "http://nas.local:8045/v1", None])
def test_a_client_whose_requests_come_from_the_internet_cannot_use_a_private_address(base: str | None) -> None:
    client = synthetic({"preferred": True, "reach": "public"})
    with run_in_thread(ServerConfig()) as running:
        report = check(running.url, base and base.format(url=running.url), client)
    assert (result(report, "client").status, only(report, "client").code) == ("fail", "AGD506")


def test_with_a_public_address_such_a_client_is_left_open() -> None:
    with run_in_thread(ServerConfig()) as running:
        report = check(running.url, "https://tunnel.example.com/v1", synthetic({"preferred": True, "reach": "public"}))
    assert result(report, "client").status == "skipped"


def test_a_wrong_path_of_such_a_client_is_said_beside_it() -> None:
    with run_in_thread(ServerConfig()) as running:
        report = check(running.url, running.url, synthetic({"preferred": True, "reach": "public"}))
    codes = [each.code for each in result(report, "client").findings]
    assert codes[0] == "AGD506"
    assert "AGD303" in codes


# --- which mode was meant --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "protocol"),
    [
        ("/v1/chat/completions", "openai"),
        ("/chat/completions", "openai"),
        ("/v1/responses", "openai"),
        ("/x/v1/completions/", "openai"),
        ("/v1/messages", "anthropic"),
        ("/messages", "anthropic"),
        ("/v1beta", "gemini"),
        ("/v1beta/models", "gemini"),
        ("/v1beta/models/x:generateContent", "gemini"),
        ("/v1/models", "openai"),
        ("/models", None),
        ("/v1", None),
        ("/whatever", None),
        ("", None),
    ],
)
def test_the_tail_of_a_base_url_tells_the_protocol_where_only_one_has_it(path: str, protocol: str | None) -> None:
    assert tail_protocol(path, table_for(None)) == protocol


@pytest.mark.parametrize(
    ("path", "right"), [("/v1/chat/completions", "/v1"), ("/v1/responses", "/v1"), ("/v1beta/models", "/v1beta")]
)
def test_a_full_endpoint_is_put_right_for_the_mode_that_it_belongs_to(path: str, right: str) -> None:
    with run_in_thread(ServerConfig()) as running:
        report = check(running.url, running.url + path, "kilo-code")
    assert result(report, "client").findings[0].fixes[0].base_url == running.url + right


def test_where_no_base_url_works_the_one_that_was_tried_is_named() -> None:
    client = synthetic({"preferred": True, "requests": MISSES})
    with run_in_thread(ServerConfig()) as running:
        report = check(running.url, None, client)
    assert result(report, "client").status == "fail"
    assert result(report, "client").facts["base_url"] == running.url
    assert f"Made Up with {running.url}: the requests miss" in shown(report)


# --- what to repeat --------------------------------------------------------------------------------------------------


def test_the_request_to_repeat_is_the_one_that_misses_and_its_200_is_explained() -> None:
    with run_in_thread(ServerConfig()) as running:
        report = check(running.url, f"{running.url}/v1/v1", "openai-python")
    assert result(report, "client").requests[-1].url == f"{running.url}/v1/v1/chat/completions"
    assert "200 without Allow: no such path" in shown(report)


def test_with_a_web_ui_the_405_of_an_unknown_path_is_explained() -> None:
    with run_in_thread(ServerConfig(web_ui=True)) as running:
        report = check(running.url, f"{running.url}/v1/v1", "openai-python")
    assert "405 as on any unknown path: no such path" in shown(report)


def test_what_repeats_a_refused_key_sends_the_key_and_never_shows_it() -> None:
    with run_in_thread(ServerConfig("4.5.8", "strict")) as running:
        report = check(running.url, None, api_key=Secret("sk-wrong"))
    request = result(report, "key").requests[-1]
    assert (request.status, request.url) == (403, f"{running.url}/v1/models")
    assert '-H "Authorization: Bearer $AGDOCTOR_API_KEY"' in request.curl
    assert f"403  {request.curl}" in shown(report)
    assert "sk-wrong" not in shown(report)


def test_a_missing_route_is_what_is_repeated_in_its_group() -> None:
    with run_in_thread(ServerConfig("4.0.3")) as running:
        report = check(running.url, None, proxy_version="4.5.8")
    failed = next(each for each in report.checks if each.id.startswith("routes-") and each.status == "fail")
    assert failed.requests[-1].url.removeprefix(running.url) in failed.facts["missing"]
    assert failed.facts["read_as"] == "200 without Allow: no such path"
