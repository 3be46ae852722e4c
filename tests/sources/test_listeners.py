"""Which program listens on which port: asked of the real system."""

from __future__ import annotations

import os
import socket

import psutil
import pytest

from antigravity_doctor.sources.listeners import listeners


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_port_of_this_process_is_found_with_its_program(address: str) -> None:
    with socket.create_server((address, 0)) as server:
        port = server.getsockname()[1]
        found = next(each for each in listeners() or () if each.port == port)
    assert (found.address, found.pid) == (address, os.getpid())
    assert found.program == psutil.Process().name()


def test_a_closed_port_and_a_connection_are_not_listed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        open_port, connected = server.getsockname()[1], client.getsockname()[1]
        ports = {each.port for each in listeners() or ()}
    assert open_port in ports
    assert connected not in ports
    assert open_port not in {each.port for each in listeners() or ()}


@pytest.mark.parametrize("error", [psutil.AccessDenied(), PermissionError("not yours"), RuntimeError("no /proc")])
def test_where_the_system_does_not_let_us_look_nothing_is_claimed(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(_: str) -> None:
        raise error

    monkeypatch.setattr(psutil, "net_connections", refuse)
    assert listeners() is None


def test_a_program_that_may_not_be_looked_at_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int) -> None:
        raise psutil.AccessDenied(pid)

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setattr(psutil, "Process", refuse)
        found = next(each for each in listeners() or () if each.port == port)
    assert found.program is None
