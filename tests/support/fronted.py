"""The proxy behind a server of somebody's own, which answers OPTIONS itself or lets only some paths in."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from antigravity_doctor.diagnosis.proxy_model import Answer, RequestHead, ServerConfig, answer

LIST = b'{"object":"list","data":[{"id":"gemini-2.5-flash"}],"models":[{"name":"models/gemini-2.5-flash"}]}'


@contextlib.contextmanager
def fronted(
    config: ServerConfig,
    *,
    own_options: bool = True,
    only: tuple[str, ...] = ("/",),
    instead: Mapping[str, tuple[int, str] | None] | None = None,
    keyed: tuple[int, str] | None = None,
) -> Iterator[str]:
    """The URL of a front that answers OPTIONS with 204 by itself (`own_options`) and passes on paths that begin with
    one of `only`; every other path is its own 404 page. `instead` has GET answers of its own (status, JSON) by path;
    None hangs up. `keyed` is its own answer (status, JSON) to every request with an Authorization header."""
    own = instead or {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            if keyed is not None and self.headers.get("Authorization"):
                self._send(keyed[0], keyed[1].encode(), {"Content-Type": "application/json"})
            elif self.command == "GET" and self.path in own:
                found = own[self.path]
                if found is None:
                    self.close_connection = True
                else:
                    self._send(found[0], found[1].encode(), {"Content-Type": "application/json"})
            elif not self.path.startswith(only):
                self._send(404, b"<h1>404 Not Found</h1>", {"Content-Type": "text/html", "Server-Name": "front"})
            elif self.command == "OPTIONS" and own_options:
                self._send(204, b"", {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "*"})
            else:
                head = RequestHead(self.command, self.path, {name.lower(): each for name, each in self.headers.items()})
                self._pass(answer(config, head))

        do_GET = do_OPTIONS = do_PUT = do_HEAD = do_POST = _handle  # noqa: N815

        def _pass(self, found: Answer) -> None:
            headers = {"Content-Type": found.content_type} if found.content_type else {}
            if found.allow is not None:
                headers["Allow"] = found.allow
            if found.cors:
                headers["Access-Control-Allow-Origin"] = "*"
            body = found.text.encode() if found.text is not None else LIST
            self._send(found.status, body, headers)

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if status != 204 and self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Silence."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128  # the checks come all at once

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
