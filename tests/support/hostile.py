"""Servers that misbehave, one name each: what a health check meets on other people's machines.

`with hostile("silent") as server:` gives `server.port` and `server.origin` on 127.0.0.1. Every connection is handled in
a daemon thread of its own; leaving the block closes everything, so a server that never answers holds up no test.
`server.requests` holds the first line of every request that was read.
"""

from __future__ import annotations

import contextlib
import gzip
import pathlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator

Answer = Callable[["Hostile", socket.socket], None]

CERTIFICATE = pathlib.Path(__file__).with_name("self-signed.pem")
"""Certificate and key for `localhost` and 127.0.0.1 that nobody trusts; made once with openssl, good until 2125."""


class Hostile:
    """One misbehaving server; made by `hostile()`."""

    def __init__(self, answer: Answer | None, host: str = "127.0.0.1") -> None:
        self.requests: list[str] = []
        self.connections = 0
        self.over = threading.Event()
        self._answer = answer
        self._open: list[socket.socket] = []
        self._listener = socket.create_server((host, 0)) if answer else _bound(host)
        self.port: int = self._listener.getsockname()[1]
        self.origin = f"http://{host}:{self.port}"
        if answer:
            threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(peer)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        assert self._answer is not None
        with contextlib.suppress(OSError, ssl.SSLError):
            self._answer(self, peer)
        with contextlib.suppress(OSError):
            peer.close()

    def close(self) -> None:
        self.over.set()
        for each in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                each.close()


def _bound(host: str) -> socket.socket:
    """A port that is taken but not listened on: every connection to it is refused, and nobody else can get it."""
    taken = socket.socket()
    taken.bind((host, 0))
    return taken


@contextlib.contextmanager
def hostile(name: str, host: str = "127.0.0.1") -> Iterator[Hostile]:
    """A running server of this kind (a key of `KINDS`). Raises KeyError for a kind that does not exist."""
    server = Hostile(KINDS[name], host)
    try:
        yield server
    finally:
        server.close()


# --- what they do ----------------------------------------------------------------------------------------------------


def _request(server: Hostile, peer: socket.socket) -> str:
    """Reads one request head and returns its first line."""
    got = b""
    while b"\r\n\r\n" not in got and len(got) < 65536:
        some = peer.recv(4096)
        if not some:
            break
        got += some
        if got[0] == 0x16:  # a TLS ClientHello: what hyper, nginx and others answer to it on a plain port
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            raise ConnectionError("TLS on a plain port")
    line = got.split(b"\r\n", 1)[0].decode("latin-1")
    if line:
        server.requests.append(line)
    return line


def _trickle(server: Hostile, peer: socket.socket, data: bytes, every: float) -> None:
    for byte in data:
        if server.over.wait(every):
            return
        peer.sendall(bytes([byte]))


def _raw(data: bytes, hang_up: bool = True) -> Answer:
    """Answers every connection with these bytes."""

    def answer(server: Hostile, peer: socket.socket) -> None:
        _request(server, peer)
        peer.sendall(data)
        if hang_up:
            peer.shutdown(socket.SHUT_WR)
            peer.settimeout(1)
            with contextlib.suppress(OSError):
                peer.recv(1024)
        else:
            server.over.wait(60)

    return answer


def page(status: str, body: bytes, *headers: str) -> bytes:
    """A complete HTTP/1.1 answer."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


def _silent(server: Hostile, peer: socket.socket) -> None:
    server.over.wait(60)


def _close(server: Hostile, peer: socket.socket) -> None:
    _request(server, peer)


def _reset(server: Hostile, peer: socket.socket) -> None:
    _request(server, peer)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _slow_head(server: Hostile, peer: socket.socket) -> None:
    _request(server, peer)
    _trickle(server, peer, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" * 10, 0.2)


def _slow_body(server: Hostile, peer: socket.socket) -> None:
    _request(server, peer)
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
    _trickle(server, peer, b'{"status":"ok"}' + b" " * 985, 0.2)


def _endless_body(server: Hostile, peer: socket.socket) -> None:
    _request(server, peer)
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    while not server.over.is_set():
        peer.sendall(b"x" * 65536)


def _endless_head(server: Hostile, peer: socket.socket) -> None:
    _request(server, peer)
    peer.sendall(b"HTTP/1.1 200 OK\r\n")
    while not server.over.is_set():
        peer.sendall(b"X-More: " + b"y" * 8000 + b"\r\n")


def _endless_line(server: Hostile, peer: socket.socket) -> None:
    _request(server, peer)
    while not server.over.is_set():
        peer.sendall(b"HTTP/1.1 200 " + b"z" * 8000)


def _endless_interim(server: Hostile, peer: socket.socket) -> None:
    _request(server, peer)
    while not server.over.is_set():
        peer.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        time.sleep(0.001)


def _gzip_bomb(server: Hostile, peer: socket.socket) -> None:
    _request(server, peer)
    peer.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
        + f"Content-Length: {len(_BOMB)}\r\n\r\n".encode()
        + _BOMB
    )


_BOMB = gzip.compress(b"\0" * 64_000_000, 9)


def _redirect_loop(server: Hostile, peer: socket.socket) -> None:
    path = [*_request(server, peer).split(" "), "/", "/"][1]
    peer.sendall(page("302 Found", b"", f"Location: {path}"))


def _tls(server: Hostile, peer: socket.socket) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with context.wrap_socket(peer, server_side=True) as secure:
        _request(server, secure)
        secure.sendall(page("200 OK", b'{"status":"ok"}', "Content-Type: application/json"))


def _ssh(server: Hostile, peer: socket.socket) -> None:
    peer.sendall(b"SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13\r\n")
    server.over.wait(60)


def _site(server_header: str, root: bytes, content_type: str, missing: bytes = b"404 page not found") -> Answer:
    """A small web server of another program: its front page at `/`, 404 elsewhere, 405 for OPTIONS."""

    def answer(server: Hostile, peer: socket.socket) -> None:
        method, path, *_ = [*_request(server, peer).split(" "), "/", "/"]
        extra = [f"Server: {server_header}"] if server_header else []
        if method == "OPTIONS":
            peer.sendall(page("405 Method Not Allowed", b"", *extra, "Allow: GET, HEAD"))
        elif path == "/":
            peer.sendall(page("200 OK", root, *extra, f"Content-Type: {content_type}"))
        else:
            peer.sendall(page("404 Not Found", missing, *extra, "Content-Type: text/plain"))

    return answer


def _old_second_server(server: Hostile, peer: socket.socket) -> None:
    """The "HTTP API" on 19527 of v3.3.33 to v3.3.50: healthy JSON with a version, and none of the /v1 routes."""
    method, path, *_ = [*_request(server, peer).split(" "), "/", "/"]
    if method in ("GET", "HEAD") and path == "/health":
        peer.sendall(page("200 OK", b'{"status":"ok","version":"3.3.45"}', "Content-Type: application/json"))
    else:
        peer.sendall(page("404 Not Found", b""))


def _healthy_stranger(server: Hostile, peer: socket.socket) -> None:
    """Another program whose health endpoint says just what the proxy's says."""
    method, path, *_ = [*_request(server, peer).split(" "), "/", "/"]
    if method in ("GET", "HEAD") and path in ("/health", "/healthz"):
        peer.sendall(page("200 OK", b'{"status":"ok","version":"1.2.3"}', "Content-Type: application/json"))
    elif method == "OPTIONS":
        peer.sendall(page("204 No Content", b"", "Access-Control-Allow-Origin: *"))
    else:
        peer.sendall(page("404 Not Found", b'{"detail":"Not Found"}', "Content-Type: application/json"))


_ESCAPES = b"\x1b[31mred\x1b[0m [bold red]markup[/] \x07\x00\x9b31m"

KINDS: dict[str, Answer | None] = {
    "refused": None,
    "silent": _silent,
    "close": _close,
    "reset": _reset,
    "slow-head": _slow_head,
    "slow-body": _slow_body,
    "endless-body": _endless_body,
    "endless-head": _endless_head,
    "endless-line": _endless_line,
    "endless-interim": _endless_interim,
    "gzip-bomb": _gzip_bomb,
    "too-short": _raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"),
    "too-long": _raw(b'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{"status":"ok"}'),
    "bad-length": _raw(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}"),
    "bad-chunks": _raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot-a-size\r\n{}"),
    "bad-status": _raw(b"HTTP/1.1 twohundred OK\r\n\r\n"),
    "http-0.9": _raw(b"<html>It works!</html>\n"),
    "garbage": _raw(bytes(range(256)) * 8),
    "escapes": _raw(page("200 OK", _ESCAPES, "Content-Type: text/plain", "Server: \x1b[31mevil[red]")),
    "tls": _tls,
    "ssh": _ssh,
    "redirect-loop": _redirect_loop,
    "redirect-elsewhere": _raw(page("301 Moved Permanently", b"", "Location: https://elsewhere.example/login")),
    "web-page": _site("nginx/1.27.0", b"<!doctype html><title>Welcome to nginx!</title>", "text/html"),
    "ollama": _site("", b"Ollama is running", "text/plain; charset=utf-8"),
    "lm-studio": _site("", b'{"error":"Unexpected endpoint or method. (GET /)"}', "application/json"),
    "vite": _site("", b'<script type="module" src="/@vite/client"></script>', "text/html"),
    "old-second-server": _old_second_server,
    "healthy-stranger": _healthy_stranger,
}
