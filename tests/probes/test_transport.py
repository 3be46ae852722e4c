"""Every peer, however hostile, ends as one typed outcome in time, and a request goes out as it was written."""

from __future__ import annotations

import asyncio
import resource
import socket
import sys
import threading
import time
from collections.abc import Mapping

import pytest

from antigravity_doctor.diagnosis.answers import Failure, Outcome, Reply
from antigravity_doctor.diagnosis.urls import is_private_host
from antigravity_doctor.probes import transport
from antigravity_doctor.probes.transport import (
    BODY_LIMIT,
    Address,
    Transport,
    connect,
    excepted,
    first_bytes,
    proxy_from,
    resolve,
    speaks_tls,
    wire_target,
)
from tests.support.hostile import KINDS, hostile

LOCAL = Address("127.0.0.1", 4)
TIMEOUT = 0.6


def ask(
    origin: str,
    method: str = "GET",
    target: str = "/healthz",
    *,
    timeout: float = TIMEOUT,
    headers: Mapping[str, str] | None = None,
    address: Address | None = LOCAL,
    proxy: str | None = None,
) -> Outcome:
    async def run() -> Outcome:
        async with Transport(origin, address=address, timeout=timeout, proxy=proxy) as client:
            return await client.ask(method, target, headers)

    return asyncio.run(run())


# --- hostile peers ---------------------------------------------------------------------------------------------------

FAILURES = {
    "refused": "refused",
    "silent": "timeout",
    "close": "closed",
    "reset": "reset",
    "slow-head": "timeout",
    "endless-head": "too-large",
    "endless-line": "too-large",
    "endless-interim": "timeout",
    "bad-status": "not-http",
    "bad-length": "not-http",
    "http-0.9": "closed",  # h11 waits for a header; `reach` looks at the raw bytes
    "garbage": "not-http",
    "ssh": "timeout",  # it says its banner and then waits, as h11 does
}


@pytest.mark.parametrize(("kind", "failure"), FAILURES.items())
def test_a_peer_without_an_answer_is_a_failure_of_its_kind(kind: str, failure: str) -> None:
    with hostile(kind) as server:
        outcome = ask(server.origin)
    assert isinstance(outcome, Failure)
    assert outcome.kind == failure
    assert outcome.detail


REPLIES = {
    "slow-body": (200, "slow"),
    "endless-body": (200, "limited"),
    "too-short": (200, "cut"),
    "too-long": (200, "whole"),
    "bad-chunks": (200, "cut"),
    "gzip-bomb": (200, "whole"),
    "escapes": (200, "whole"),
    "redirect-loop": (302, "whole"),
    "redirect-elsewhere": (301, "whole"),
    "web-page": (404, "whole"),
}


@pytest.mark.parametrize(("kind", "expected"), REPLIES.items())
def test_an_answer_says_how_whole_its_body_is(kind: str, expected: tuple[int, str]) -> None:
    with hostile(kind) as server:
        outcome = ask(server.origin)
    assert isinstance(outcome, Reply)
    assert (outcome.status, outcome.whole) == expected


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_peer_holds_a_request_beyond_its_time_or_raises(kind: str) -> None:
    with hostile(kind) as server:
        started = time.perf_counter()
        outcome = ask(server.origin)
        elapsed = time.perf_counter() - started
    assert isinstance(outcome, Reply | Failure)
    assert elapsed < TIMEOUT + 1.0


def test_a_redirect_is_reported_and_not_followed() -> None:
    with hostile("redirect-loop") as server:
        outcome = ask(server.origin, target="/start")
    assert isinstance(outcome, Reply)
    assert outcome.header("location") == "/start"
    assert server.requests == ["GET /start HTTP/1.1"]


def test_at_most_the_limit_of_a_body_is_kept() -> None:
    with hostile("endless-body") as server:
        outcome = ask(server.origin)
    assert isinstance(outcome, Reply)
    assert len(outcome.body) == BODY_LIMIT


def test_a_compressed_body_is_not_unpacked() -> None:
    with hostile("gzip-bomb") as server:
        outcome = ask(server.origin)
    assert isinstance(outcome, Reply)
    assert outcome.body[:2] == b"\x1f\x8b"
    assert len(outcome.body) <= BODY_LIMIT


@pytest.mark.skipif(sys.platform == "win32", reason="no getrusage")
@pytest.mark.parametrize("kind", ["endless-body", "endless-head", "endless-line", "gzip-bomb"])
def test_memory_stays_flat_whatever_is_poured_in(kind: str) -> None:
    with hostile(kind) as server:
        ask(server.origin)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(5):
            ask(server.origin)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 20_000  # KiB; one unpacked bomb would be 64 MB


def test_the_deadline_of_all_requests_ends_each_of_them() -> None:
    async def run() -> list[Outcome]:
        deadline = asyncio.get_running_loop().time() + 0.4
        async with Transport(server.origin, address=LOCAL, timeout=30, deadline=deadline, connections=2) as client:
            return list(await asyncio.gather(*(client.ask("GET", "/") for _ in range(8))))

    with hostile("silent") as server:
        started = time.perf_counter()
        outcomes = asyncio.run(run())
        elapsed = time.perf_counter() - started
    assert elapsed < 1.4
    assert {each.kind for each in outcomes if isinstance(each, Failure)} == {"timeout"}
    assert len(outcomes) == 8


# --- TLS -------------------------------------------------------------------------------------------------------------


def test_https_on_a_plain_port_is_told_from_a_broken_tls() -> None:
    with hostile("web-page") as server:
        outcome = ask(server.origin.replace("http:", "https:"))
    assert isinstance(outcome, Failure)
    assert outcome.kind == "no-tls"


def test_a_certificate_that_nobody_signed_is_its_own_failure() -> None:
    with hostile("tls") as server:
        outcome = ask(server.origin.replace("http:", "https:"))
    assert isinstance(outcome, Failure)
    assert outcome.kind == "certificate"


# --- what reaches the wire -------------------------------------------------------------------------------------------

TARGETS = [
    "/v1/models",
    "//v1/models",
    "/v1//models",
    "/v1/models/",
    "/v1/%6dodels",
    "/v1%2fmodels",
    "/V1/Models",
    "/../etc",
    "/v1/./models/../models",
    "/%2e%2e/etc",
    "/v1/models?key=a%20b&x=1",
    "/v1/models?",
    "/v1/models;a=b,c'd\"e<f>g|h\\i^j`k{l}",
    "/v1/[red]",
    "*",
    "/http://127.0.0.1:8045/v1/models",
    "/" + "a" * 4000,
]


@pytest.mark.parametrize("target", TARGETS)
def test_the_target_goes_out_character_for_character(target: str) -> None:
    with hostile("web-page") as server:
        ask(server.origin, "OPTIONS", target)
    assert server.requests == [f"OPTIONS {target} HTTP/1.1"]


@pytest.mark.parametrize(
    ("path", "query", "target"),
    [
        ("/v1/models", None, "/v1/models"),
        ("", None, "/"),
        ("/a", "", "/a?"),
        ("/a b", None, "/a%20b"),
        ("/模型", "q=é", "/%E6%A8%A1%E5%9E%8B?q=%C3%A9"),
        ("/a\r\nX: y", None, "/a%0D%0AX:%20y"),
        ("/\x1b[31m", None, "/%1B[31m"),
        ("/%zz", None, "/%zz"),
    ],
)
def test_only_what_http_cannot_carry_is_encoded(path: str, query: str | None, target: str) -> None:
    assert wire_target(path, query) == target


def _recorded(headers: Mapping[str, str], origin_host: str | None = None) -> bytes:
    """The raw bytes of one request to a port that reads and then hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))
    got: list[bytes] = []

    def serve() -> None:
        peer, _ = listener.accept()
        got.append(peer.recv(65536))
        peer.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    ask(f"http://{origin_host or '127.0.0.1'}:{listener.getsockname()[1]}", headers=headers)
    thread.join(2)
    listener.close()
    return got[0]


def test_no_compressed_answer_is_asked_for() -> None:
    assert b"Accept-Encoding: identity\r\n" in _recorded({})


def test_the_host_header_names_what_was_asked_not_the_pinned_address() -> None:
    assert b"Host: proxy.example:" in _recorded({}, "proxy.example")


def test_an_international_host_name_goes_out_as_ascii() -> None:
    assert b"Host: xn--bcher-kva.example:" in _recorded({}, "bücher.example")


def test_headers_are_added_and_no_cookie_or_credential_is_made_up() -> None:
    raw = _recorded({"x-api-key": "K"}).decode()
    names = {line.partition(":")[0].lower() for line in raw.split("\r\n")[1:] if line}
    assert names == {"host", "user-agent", "accept", "accept-encoding", "x-api-key"}


@pytest.mark.parametrize("key", ["sk-secret\r\nX: y", "sk-secret…", "sk-secret\0"])
def test_a_header_that_http_cannot_carry_is_a_failure_without_its_value(key: str) -> None:
    with hostile("web-page") as server:
        outcome = ask(server.origin, headers={"x-api-key": key})
    assert isinstance(outcome, Failure)
    assert outcome.kind == "unsendable"
    assert "secret" not in outcome.detail
    assert server.requests == []


# --- names and addresses ---------------------------------------------------------------------------------------------


def test_an_address_needs_no_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("looked up"))
    assert asyncio.run(resolve("127.0.0.1", 1, 1)) == [LOCAL]
    assert asyncio.run(resolve("[::1]", 1, 1)) == [Address("::1", 6)]


def test_addresses_come_in_the_order_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    def both(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET6, 1, 6, "", ("::1", 1, 0, 0)), (socket.AF_INET, 1, 6, "", ("127.0.0.1", 1))]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    assert asyncio.run(resolve("localhost", 1, 1)) == [Address("::1", 6), LOCAL]


def test_a_name_that_does_not_exist_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    outcome = asyncio.run(resolve("no-such-host.invalid", 1, 1))
    assert isinstance(outcome, Failure)
    assert outcome.kind == "name"


@pytest.mark.parametrize("host", ["." * 300, "a" * 70 + ".example", "exa\udce4mple", "bü" * 90])
def test_a_name_that_cannot_be_one_is_a_failure(host: str) -> None:
    outcome = asyncio.run(resolve(host, 1, 2))
    assert isinstance(outcome, Failure)
    assert outcome.kind == "name"


def test_a_name_server_that_hangs_does_not_hold_up_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(20) and [])
    started = time.perf_counter()
    outcome = asyncio.run(resolve("slow.example", 1, 0.2))
    elapsed = time.perf_counter() - started
    over.set()
    assert isinstance(outcome, Failure)
    assert outcome.kind == "name"
    assert elapsed < 1.0


def test_connecting_says_how_long_it_took_or_why_not() -> None:
    with hostile("silent") as server, hostile("refused") as nobody:
        assert isinstance(asyncio.run(connect(LOCAL, server.port, 1)), float)
        refused = asyncio.run(connect(LOCAL, nobody.port, 1))
    assert isinstance(refused, Failure)
    assert refused.kind == "refused"


def test_the_first_bytes_of_any_protocol_can_be_read() -> None:
    with hostile("ssh") as server:
        assert asyncio.run(first_bytes(LOCAL, server.port, b"", 0.3)).startswith(b"SSH-2.0")
    with hostile("refused") as nobody:
        assert asyncio.run(first_bytes(LOCAL, nobody.port, b"", 0.3)) == b""


def test_a_port_that_speaks_tls_is_told_from_one_that_does_not() -> None:
    with hostile("tls") as secure, hostile("web-page") as plain, hostile("silent") as silent:
        assert asyncio.run(speaks_tls(LOCAL, secure.port, 2)) is True
        assert asyncio.run(speaks_tls(LOCAL, plain.port, 2)) is False
        assert asyncio.run(speaks_tls(LOCAL, silent.port, 0.2)) is False


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("[::1]", True),
        ("192.168.1.20", True),
        ("10.0.0.1", True),
        ("172.16.5.5", True),
        ("169.254.1.1", True),
        ("fd00::5", True),
        ("nas", True),
        ("nas.local", True),
        ("host.docker.internal", True),
        ("8.8.8.8", False),
        ("2606:4700::1111", False),
        ("proxy.example.com", False),
    ],
)
def test_private_hosts_are_known(host: str, private: bool) -> None:
    assert is_private_host(host) is private


# --- HTTP proxies ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"HTTP_PROXY": "http://p:1"}, ("HTTP_PROXY", "http://p:1")),
        ({"http_proxy": "http://p:1"}, ("http_proxy", "http://p:1")),
        ({"HTTPS_PROXY": "http://p:1"}, None),
        ({"ALL_PROXY": "socks5://p:1"}, ("ALL_PROXY", "socks5://p:1")),
        ({"HTTP_PROXY": "  "}, None),
        ({"HTTP_PROXY": "http://p:1", "NO_PROXY": "localhost"}, ("HTTP_PROXY", "http://p:1")),
        ({"HTTP_PROXY": "http://p:1", "NO_PROXY": "localhost, 127.0.0.1"}, None),
        ({"HTTP_PROXY": "http://p:1", "no_proxy": "*"}, None),
        ({"HTTP_PROXY": "http://p:1", "no_proxy": "127.0.0.0/8"}, None),
        ({"HTTP_PROXY": "http://p:1", "no_proxy": "127.0.0.1:8045"}, None),
        ({"HTTP_PROXY": "http://p:1", "no_proxy": "127.0.0.1:9"}, ("HTTP_PROXY", "http://p:1")),
    ],
)
def test_the_proxy_for_loopback_is_found_in_the_variables(
    environment: dict[str, str], expected: tuple[str, str] | None
) -> None:
    assert proxy_from(environment, "http", "127.0.0.1", 8045) == expected


@pytest.mark.parametrize(
    ("entry", "host", "out"),
    [
        ("example.com", "api.example.com", True),
        (".example.com", "api.example.com", True),
        ("*.example.com", "api.example.com", True),
        ("example.com", "badexample.com", False),
        ("::1", "::1", True),
        ("[::1]", "::1", True),
        ("not/a/network", "127.0.0.1", False),
    ],
)
def test_no_proxy_takes_out_names_domains_and_addresses(entry: str, host: str, out: bool) -> None:
    assert excepted({"NO_PROXY": entry}, host, 80) is out


def test_the_environment_of_the_process_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with hostile("refused") as nobody, hostile("web-page") as server:
        monkeypatch.setenv("HTTP_PROXY", nobody.origin)
        monkeypatch.setenv("ALL_PROXY", nobody.origin)
        assert isinstance(ask(server.origin), Reply)


def test_a_given_http_proxy_gets_the_whole_url() -> None:
    with hostile("web-page") as proxy:
        ask("http://far.example:8045", target="//v1/models", address=None, proxy=proxy.origin)
    assert proxy.requests == ["GET http://far.example:8045//v1/models HTTP/1.1"]


def test_https_through_an_http_proxy_asks_it_for_a_tunnel() -> None:
    with hostile("web-page") as proxy:
        outcome = ask("https://far.example", target="/v1/models", address=None, proxy=proxy.origin)
    assert proxy.requests == ["CONNECT far.example:443 HTTP/1.1"]
    assert isinstance(outcome, Failure)
    assert outcome.kind == "proxy"


@pytest.mark.parametrize("value", ["socks5://127.0.0.1:1080", "gopher://x", "http://[bad", "http://127.0.0.1:x"])
def test_a_proxy_that_cannot_be_used_is_a_failure(value: str) -> None:
    outcome = ask("http://far.example:8045", address=None, proxy=value)
    assert isinstance(outcome, Failure)
    assert outcome.kind == "proxy"


def test_a_dead_http_proxy_is_blamed_without_its_password() -> None:
    with hostile("refused") as nobody:
        proxy = nobody.origin.replace("://", "://user:hidden@")
        outcome = ask("http://far.example:8045", address=None, proxy=proxy)
    assert isinstance(outcome, Failure)
    assert outcome.kind == "proxy"
    assert "hidden" not in outcome.detail


def test_an_unexpected_error_is_an_outcome_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(transport.Transport, "_send", broken)
    outcome = ask("http://127.0.0.1:9")
    assert isinstance(outcome, Failure)
