"""A place with no network but loopback, where every host name of the world leads to a sink that notes who called.

`enter` starts the program again in name spaces of its own (network, mounts, processes; `unshare`, Linux): /etc/hosts
knows only localhost, and /etc/resolv.conf names the sink's own name server, which gives each host an address of
127.1.0.0/16. Nothing can leave the machine, no list of vendors is needed, and processes that a client leaves behind
end with the run.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

_INSIDE = "AGDOCTOR_LAB_INSIDE"
_PORTS = (80, 443)


def inside() -> bool:
    """Whether this process is in the closed place already."""
    return os.environ.get(_INSIDE) == "1"


def enter(arguments: Sequence[str]) -> int:
    """Runs `python -m tests.lab ARGUMENTS` in the closed place; its exit code."""
    if shutil.which("unshare") is None:
        print("The lab needs `unshare` (util-linux): clients are only run where they cannot reach anybody.")
        return 2
    with tempfile.TemporaryDirectory(prefix="agdoctor-lab-etc-") as folder:
        hosts, resolver = Path(folder, "hosts"), Path(folder, "resolv.conf")
        hosts.write_text("127.0.0.1 localhost\n::1 localhost\n")
        resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        own = [] if os.geteuid() == 0 else ["--map-root-user"]
        mounts = f'mount --bind {hosts} /etc/hosts && mount --bind {resolver} "$(readlink -f /etc/resolv.conf)"'
        script = f'ip link set lo up && {mounts} && exec "$@"'
        spaces = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        command = ["unshare", *own, *spaces, "sh", "-c", script, "sh", sys.executable, "-m", "tests.lab", *arguments]
        return subprocess.run(command, env={**os.environ, _INSIDE: "1"}, check=False).returncode


class World:
    """Everything that is not this machine. `take` says which hosts were connected to since the last call."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._addresses: dict[str, str] = {}
        self._called: list[str] = []
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._dns.bind(("127.0.0.1", 53))
        self._selector.register(self._dns, selectors.EVENT_READ)
        for port in _PORTS:
            self._selector.register(socket.create_server(("0.0.0.0", port)), selectors.EVENT_READ)
        threading.Thread(target=self._run, daemon=True).start()

    def take(self) -> list[str]:
        with self._lock:
            called, self._called = self._called, []
        return sorted(set(called))

    def waiting(self) -> bool:
        """Whether a host was connected to since the last `take`."""
        with self._lock:
            return bool(self._called)

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                sock = key.fileobj
                assert isinstance(sock, socket.socket)
                with contextlib.suppress(OSError):  # whoever asked has gone
                    self._name_asked() if sock is self._dns else self._connected(sock)

    def _connected(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            name = self._names.get(connection.getsockname()[0])
            if name is not None:
                with self._lock:
                    self._called.append(name)

    def _name_asked(self) -> None:
        query, peer = self._dns.recvfrom(4096)
        labels, place = [], 12
        while query[place]:
            labels.append(query[place + 1 : place + 1 + query[place]].decode("ascii", "replace"))
            place += 1 + query[place]
        question = query[12 : place + 5]
        (kind,) = struct.unpack("!H", query[place + 1 : place + 3])
        answers = b""
        if kind == 1:
            address = socket.inet_aton(self._address_of(".".join(labels).lower()))
            answers = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + address
        head = query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1 if answers else 0, 0, 0)
        self._dns.sendto(head + question + answers, peer)

    def _address_of(self, name: str) -> str:
        if name not in self._addresses:
            number = len(self._addresses) + 1
            address = f"127.1.{number // 250}.{number % 250 + 1}"
            self._addresses[name], self._names[address] = address, name
        return self._addresses[name]
