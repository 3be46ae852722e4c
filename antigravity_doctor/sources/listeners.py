"""The TCP ports that programs of this machine listen on, and which program it is, by psutil."""

from __future__ import annotations

from contextlib import suppress

from antigravity_doctor.diagnosis.machine import Listening

_LOOPBACK = ("127.0.0.1", "0.0.0.0", "::", "::1")  # noqa: S104 - addresses that are compared, not bound


def listeners() -> tuple[Listening, ...] | None:
    """Every port that answers on loopback, by number; None where the system does not let us look (macOS without root).

    A port on which two programs listen (one an address) is there twice.
    """
    found = _listening()
    if found is None:
        return None
    listening = {
        (port, address): Listening(port, address, _program(pid), pid)
        for port, address, pid in found
        if address in _LOOPBACK
    }
    return tuple(listening[key] for key in sorted(listening))


def only_on_loopback(port: int) -> bool:
    """Whether a program listens on this port at 127.0.0.1 and none at any other address; False where the system does
    not say."""
    addresses = {address for each, address, _ in _listening() or () if each == port}
    return "127.0.0.1" in addresses and addresses <= {"127.0.0.1", "::1"}


def _listening() -> list[tuple[int, str, int | None]] | None:
    """Port, address and process of everything that listens; None where the system does not let us look."""
    import psutil  # costs 15 ms, and only commands that look for the proxy need it

    try:
        connections = psutil.net_connections("tcp")
    except (psutil.Error, OSError, RuntimeError):
        return None
    return [
        (each.laddr.port, each.laddr.ip, each.pid)
        for each in connections
        if each.status == psutil.CONN_LISTEN and each.laddr
    ]


def _program(pid: int | None) -> str | None:
    import psutil

    if pid is None:
        return None
    with suppress(psutil.Error, OSError):
        return str(psutil.Process(pid).name())[:80] or None
    return None


def own_hosts() -> frozenset[str]:
    """The names and addresses of this machine, in lower case, without loopback. Asks no name server."""
    import socket

    import psutil

    name = socket.gethostname().lower()
    found = {name, name.partition(".")[0], name.partition(".")[0] + ".local"}
    with suppress(psutil.Error, OSError):
        for addresses in psutil.net_if_addrs().values():
            inet = (socket.AF_INET, socket.AF_INET6)
            found |= {each.address.partition("%")[0].lower() for each in addresses if each.family in inet}
    return frozenset(found - {"", ".local", "127.0.0.1", "::1", "localhost", "localhost.local"})
