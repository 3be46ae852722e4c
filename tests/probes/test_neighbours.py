"""What the local ports are that settings name, asked of real servers."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import os
import socket
import threading
from collections.abc import Iterator

import pytest

from antigravity_doctor.diagnosis.proxy_model import ServerConfig
from antigravity_doctor.diagnosis.scanning import Neighbour
from antigravity_doctor.diagnosis.settings import ProxySettings
from antigravity_doctor.probes import discover
from antigravity_doctor.probes.neighbours import look_around, neighbours, proxy_here
from antigravity_doctor.probes.session import CheckOptions, Session
from antigravity_doctor.servers.stand_in import run_in_thread
from antigravity_doctor.sources.listeners import own_hosts
from tests.support.hostile import hostile


def asked(*ports: int) -> dict[int, Neighbour]:
    async def ask() -> dict[int, Neighbour]:
        return await neighbours(Session(CheckOptions("http://127.0.0.1:8045", timeout=0.5, total_timeout=3)), ports)

    return asyncio.run(ask())


@contextlib.contextmanager
def on_ipv6() -> Iterator[int]:
    """A web server that listens on ::1 and nowhere else."""

    class Server(http.server.ThreadingHTTPServer):
        address_family = socket.AF_INET6

    with Server(("::1", 0), http.server.SimpleHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_each_port_is_what_answers_there() -> None:
    with run_in_thread(ServerConfig("4.5.8")) as running, hostile("ollama") as other, hostile("refused") as closed:
        ports = [int(each.rpartition(":")[2]) for each in (running.url, other.origin, closed.origin)]
        found = asked(*ports)
    assert found[ports[0]] == Neighbour("proxy", "4.5.8")
    assert found[ports[1]] == Neighbour("program", None, "Ollama")
    assert found[ports[2]] == Neighbour("nothing")


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_a_program_on_the_ipv6_loopback_alone_is_one() -> None:
    with contextlib.ExitStack() as stack:
        try:
            port = stack.enter_context(on_ipv6())
        except OSError:
            pytest.skip("there is no ::1 here")
        assert asked(port)[port].kind == "program"


def test_a_silent_port_is_not_claimed_to_be_anything() -> None:
    with hostile("silent") as server:
        port = int(server.origin.rpartition(":")[2])
        assert asked(port)[port].kind == "unclear"


def test_at_most_twenty_ports_are_asked() -> None:
    assert len(asked(*range(2, 60))) == 20


def test_the_settings_file_says_where_the_proxy_is_though_another_one_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    with run_in_thread(ServerConfig()) as another, hostile("refused") as closed:
        monkeypatch.setattr(discover, "listening_ports", lambda: (another.port,))
        settings = ProxySettings("gui_config.json", port=int(closed.origin.rpartition(":")[2]))
        options = CheckOptions("http://127.0.0.1:8045", settings=settings, timeout=0.5, total_timeout=3)
        target, _ = look_around(options, given=False, ports=lambda _: ())
    assert (target.origin, target.source, target.answering) == (closed.origin, "gui_config.json", "nothing")
    assert another.port in target.elsewhere


def test_without_a_settings_file_whichever_answers_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with run_in_thread(ServerConfig()) as running, hostile("refused") as closed:
        monkeypatch.setattr(discover, "listening_ports", lambda: (running.port,))
        options = CheckOptions(closed.origin, timeout=0.5, total_timeout=3)
        target, _ = look_around(options, given=False, ports=lambda _: ())
    assert (target.origin, target.source) == (running.url, "found")


def test_the_proxy_of_a_scan_knows_its_ports_and_this_machines_names() -> None:
    proxy = proxy_here("http://127.0.0.1:9000", ProxySettings("x", port=9001), {"container": "podman"}, answers=True)
    assert proxy.ports == {9000, 9001, 8045, 19527}
    assert proxy.in_container
    assert proxy.own_hosts == own_hosts()


def test_a_machine_knows_its_own_name_and_not_loopback() -> None:
    assert socket.gethostname().lower() in own_hosts() or os.name == "nt"
    assert not {"127.0.0.1", "::1", "localhost", ""} & own_hosts()
