"""What the two servers share about listening: the address to show, and the sentence for a port that is not to be
had."""

from __future__ import annotations

import errno
import os
import socket

IN_USE = (errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", errno.EADDRINUSE))


def url_of(host: str, port: int) -> str:
    """The origin at which a server on this host and port is reached; for an "any" address, the loopback one."""
    shown = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def cannot_listen(error: OSError, host: str, port: int) -> OSError:
    """The same error with a sentence that names host and port."""
    why = error.strerror or str(error)
    if error.errno in IN_USE:
        why = "it is already in use"
    elif (
        error.errno is not None and error.errno in errno.errorcode
    ):  # what asyncio says names the address once more, as a tuple
        why = os.strerror(error.errno)
    return OSError(error.errno, f"Cannot listen on {host}{f' port {port}' if port else ''}: {why}.")


def free_port(host: str, wanted: int) -> int:
    """`wanted` if it is free, else any free port; 0 if not even that can be told. Freed again before it returns."""
    for port in (wanted, 0):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if os.name == "posix":  # as asyncio does, so that a port is free again as soon as its last server is gone
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    return 0
