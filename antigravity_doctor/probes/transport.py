"""HTTP with limits: every request ends as a `Reply` or a `Failure`, in time, whatever the peer does.

The only module that imports httpx, and only when a client is made. What is guaranteed:

- a total deadline for each request and one for all of them together (connecting, waiting and reading included);
- the request target reaches the wire character for character (`//`, `%6d`, a trailing slash: they are the finding);
- redirects are not followed, bodies are never decompressed, at most `BODY_LIMIT` bytes of one are read, and the header
  is bounded (by h11, at about 100 KB);
- variables such as HTTP_PROXY are looked at only for hosts outside this machine and its private networks;
- a name is looked up once, in a thread that cannot keep the program from ending, and the address that answered is
  the one that every request goes to.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import socket
import ssl
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from antigravity_doctor import __version__
from antigravity_doctor.diagnosis.answers import Failure, FailureKind, Outcome, Reply, Whole
from antigravity_doctor.diagnosis.urls import host_and_port, without_credentials

if TYPE_CHECKING:
    import httpx

BODY_LIMIT = 64 * 1024
"""Bytes of a body that are read at most; what the proxy says about a fault is far shorter."""

CONNECTIONS = 32
"""Connections at a time. Enough for every route of a version in two rounds, few enough for a small server."""

USER_AGENT = f"agdoctor/{__version__}"


@dataclass(frozen=True, slots=True)
class Address:
    """One address of a host name. `family` is 4 or 6; `ip` is without brackets."""

    ip: str
    family: int

    @property
    def loopback(self) -> bool:
        return ipaddress.ip_address(self.ip.partition("%")[0]).is_loopback

    @property
    def private(self) -> bool:
        """True for this machine and for networks that no proxy on the internet can reach."""
        found = ipaddress.ip_address(self.ip.partition("%")[0])
        return not found.is_global


# --- names -----------------------------------------------------------------------------------------------------------


async def resolve(host: str, port: int, timeout: float) -> list[Address] | Failure:
    """The addresses of a host, in the order in which a client would try them.

    The look-up runs in a daemon thread: a resolver that hangs is left behind, it does not hold up the end of the run.
    """
    started = time.perf_counter()
    bare = host.strip("[]")
    try:
        literal = ipaddress.ip_address(bare.partition("%")[0])
        return [Address(bare, literal.version)]
    except ValueError:
        pass
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Address] | Failure] = loop.create_future()

    def finish(value: list[Address] | Failure) -> None:
        if not answer.done():
            answer.set_result(value)

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(bare, port, type=socket.SOCK_STREAM)
            wanted = {socket.AF_INET: 4, socket.AF_INET6: 6}
            seen = [Address(str(each[4][0]), wanted[each[0]]) for each in found if each[0] in wanted]
            value: list[Address] | Failure = list(dict.fromkeys(seen))
            if not value:
                value = Failure("name", "no address of a usable kind", _ms(started))
        except (OSError, UnicodeError) as error:
            value = Failure("name", _short(error), _ms(started))
        try:
            loop.call_soon_threadsafe(finish, value)
        except RuntimeError:  # the run is over: nobody waits for this name any more
            return

    threading.Thread(target=look_up, daemon=True, name="agdoctor-resolve").start()
    try:
        async with asyncio.timeout(timeout):
            return await answer
    except TimeoutError:
        return Failure("name", f"the name server did not answer within {timeout:g} s", _ms(started))


async def connect(address: Address, port: int, timeout: float) -> Failure | float:
    """Opens a TCP connection and closes it again: milliseconds that it took, or why it failed."""
    started = time.perf_counter()
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(address.ip, port)
    except Exception as error:
        return _failure(error, started, "connect")
    elapsed = _ms(started)
    writer.transport.abort()
    return elapsed


async def first_bytes(address: Address, port: int, send: bytes, timeout: float, limit: int = 512) -> bytes:
    """What a port answers to `send` (or says by itself), as raw bytes; b"" for nothing or an error."""
    got = bytearray()
    writer = None
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(address.ip, port)
            writer.write(send)
            while len(got) < limit:
                some = await reader.read(limit - len(got))
                if not some:
                    break
                got += some
    except (OSError, TimeoutError, ssl.SSLError):
        pass
    finally:
        if writer is not None:
            writer.transport.abort()
    return bytes(got)


async def speaks_tls(address: Address, port: int, timeout: float) -> bool:
    """Whether a TLS handshake succeeds on the port, whatever its certificate; nothing is sent over it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(address.ip, port, ssl=context)
    except (OSError, TimeoutError):
        return False
    writer.transport.abort()
    return True


# --- HTTP proxies from the environment -------------------------------------------------------------------------------


def proxy_from(environment: Mapping[str, str], scheme: str, host: str, port: int) -> tuple[str, str] | None:
    """(variable, value) of the HTTP proxy that most programs would use for this host; None for a direct connection."""
    found = proxy_variable(environment, scheme)
    if found is None or excepted(environment, host, port):
        return None
    return found


def proxy_variable(environment: Mapping[str, str], scheme: str) -> tuple[str, str] | None:
    """(variable, value) of the first proxy variable that counts for this scheme. Lower case wins, as in most tools."""
    for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper(), "all_proxy", "ALL_PROXY"):
        value = environment.get(name, "").strip()
        if value:
            return name, value
    return None


def excepted(environment: Mapping[str, str], host: str, port: int) -> bool:
    """True where NO_PROXY takes this host out: `*`, the name, a parent domain, an address, a network, with port."""
    entries = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    host = host.strip("[]").rstrip(".").lower()
    for entry in entries.replace(",", " ").split():
        name = entry.lower()
        if name == "*":
            return True
        if not name.startswith("[") and name.count(":") == 1:
            name, _, only = name.partition(":")
            if only != str(port):
                continue
        name = name.strip("[]").removeprefix("*").strip(".")
        if name and (host == name or host.endswith("." + name)):
            return True
        if "/" in name:
            try:
                if ipaddress.ip_address(host) in ipaddress.ip_network(name, strict=False):
                    return True
            except (ValueError, TypeError):
                continue
    return False


# --- the client ------------------------------------------------------------------------------------------------------


def wire_target(path: str, query: str | None = None) -> str:
    """A request target as it goes out. Only what HTTP cannot carry (control, space, non-ASCII) is percent-encoded."""
    target = path if query is None else f"{path}?{query}"
    target = target or "/"
    if target.isascii() and target.isprintable() and " " not in target:
        return target
    encoded = target.encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if 0x21 <= byte <= 0x7E else f"%{byte:02X}" for byte in encoded)


class Transport:
    """Sends requests to one origin. An async context manager.

    `address` pins the connection (None: the HTTP proxy, or httpx, looks the name up). `proxy` is the URL of an HTTP
    proxy or None. `deadline` is the loop time at which everything must have ended.
    """

    def __init__(
        self,
        origin: str,
        *,
        address: Address | None,
        timeout: float = 3.0,
        deadline: float | None = None,
        proxy: str | None = None,
        connections: int = CONNECTIONS,
    ) -> None:
        self.origin = origin
        self.timeout = timeout
        self._deadline = deadline
        self._proxy = proxy
        self._address = address
        self._scheme = origin.partition("://")[0].lower()
        self._host, self._port = host_and_port(origin)
        self._slots = asyncio.Semaphore(connections)
        self._client: httpx.AsyncClient | None = None
        self._broken: Failure | None = None

    async def __aenter__(self) -> Self:
        import httpx

        limits = httpx.Limits(max_connections=None, max_keepalive_connections=CONNECTIONS, keepalive_expiry=5.0)
        try:
            self._client = httpx.AsyncClient(
                # no certificate store is loaded for plain http: it costs more than all requests together
                verify=ssl.create_default_context() if self._scheme == "https" else False,
                trust_env=False,
                proxy=self._proxy,
                follow_redirects=False,
                timeout=None,  # noqa: S113 (the deadline of `ask` is a total one; httpx's are per read)
                limits=limits,
            )
            self._client.headers.clear()
        except (ImportError, ValueError, httpx.InvalidURL) as error:
            # a SOCKS proxy without the package for it, or a variable that is no URL
            self._broken = Failure("proxy", _short(error), 0.0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            with contextlib.suppress(Exception):  # closing is a courtesy: what it runs into changes no verdict
                async with asyncio.timeout(1.0):
                    await self._client.aclose()

    def _connect_url(self) -> str:
        if self._address is None:
            return f"{self._scheme}://{_ascii_host(self._host)}:{self._port}/"
        ip = f"[{self._address.ip}]" if self._address.family == 6 else self._address.ip
        return f"{self._scheme}://{ip}:{self._port}/"

    async def ask(self, method: str, target: str, headers: Mapping[str, str] | None = None) -> Outcome:
        """One request. `target` as from `wire_target`; `headers` are added to Host, User-Agent and Accept."""
        async with self._slots:
            started = time.perf_counter()
            budget = self.timeout
            if self._deadline is not None:
                budget = min(budget, self._deadline - asyncio.get_running_loop().time())
            if budget <= 0:
                return Failure("timeout", "the time for the whole check was used up", 0.0)
            if self._broken is not None or self._client is None:
                return self._broken or Failure("unsendable", "the transport is not open", 0.0)
            progress = _Progress()
            try:
                async with asyncio.timeout(budget):
                    return await self._send(self._client, method, target, headers or {}, started, progress)
            except TimeoutError:
                if progress.reply is not None:
                    return progress.finish("slow", started)
                kind: FailureKind = "timeout" if progress.connected else "connect-timeout"
                if self._proxy is not None and not progress.connected:
                    kind = "proxy"
                return Failure(kind, f"nothing complete within {budget:.3g} s", _ms(started))
            except Exception as error:
                if progress.reply is not None:
                    return progress.finish("cut", started)
                return self._explained(error, started)

    async def _send(
        self,
        client: httpx.AsyncClient,
        method: str,
        target: str,
        headers: Mapping[str, str],
        started: float,
        progress: _Progress,
    ) -> Reply:
        default_port = {"http": 80, "https": 443}.get(self._scheme)
        shown = f"[{self._host}]" if ":" in self._host else _ascii_host(self._host)
        host = shown if self._port == default_port else f"{shown}:{self._port}"
        url = self._connect_url()
        extensions: dict[str, Any] = {"trace": progress.trace}
        if self._proxy is None:
            extensions["target"] = target.encode("ascii")
        elif self._scheme == "http":  # a plain request through an HTTP proxy names the whole URL
            extensions["target"] = f"http://{host}{target}".encode("ascii")
        else:  # httpcore would put the target into its CONNECT as well: here the URL carries it
            url = url.rstrip("/") + target
        if self._scheme == "https":
            extensions["sni_hostname"] = _ascii_host(self._host)
        sent = {"Host": host, "User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity", **headers}
        request = client.build_request(method, url, headers=sent, extensions=extensions)
        async with _Closing(await client.send(request, stream=True)) as response:
            progress.reply = Reply(
                status=response.status_code,
                headers=tuple((key.lower(), value) for key, value in response.headers.multi_items()),
                body=b"",
                elapsed_ms=_ms(started),
            )
            async for chunk in response.aiter_raw():
                progress.body += chunk[: BODY_LIMIT - len(progress.body)]
                if len(progress.body) >= BODY_LIMIT:
                    return progress.finish("limited", started)
            return progress.finish("whole", started)

    def _explained(self, error: Exception, started: float) -> Failure:
        failure = _failure(error, started, "request")
        if self._proxy is not None and failure.kind in ("refused", "no-route", "connect-timeout", "name", "not-http"):
            return Failure("proxy", f"{without_credentials(self._proxy)}: {failure.detail}", failure.elapsed_ms)
        return failure


class _Progress:
    """How far a request came, so that a deadline in the middle still says what was seen."""

    def __init__(self) -> None:
        self.connected = False
        self.reply: Reply | None = None
        self.body = bytearray()

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith(("connect_tcp.complete", "send_request_headers.started")):
            self.connected = True

    def finish(self, whole: Whole, started: float) -> Reply:
        if self.reply is None:  # pragma: no cover (both callers looked)
            raise AssertionError("no reply to finish")
        return Reply(self.reply.status, self.reply.headers, bytes(self.body), _ms(started), whole)


class _Closing:
    """Closes a response without letting the close hang or replace what was already learned."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    async def __aenter__(self) -> httpx.Response:
        return self._response

    async def __aexit__(self, *_: object) -> None:
        with contextlib.suppress(Exception):
            await self._response.aclose()


# --- errors ----------------------------------------------------------------------------------------------------------

_ERRNO: dict[int, FailureKind] = {
    errno.ECONNREFUSED: "refused",
    errno.EADDRNOTAVAIL: "no-route",
    errno.ENETUNREACH: "no-route",
    errno.EHOSTUNREACH: "no-route",
    errno.ENETDOWN: "no-route",
    errno.EACCES: "no-route",
    errno.EPERM: "no-route",
    errno.ETIMEDOUT: "connect-timeout",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ECONNABORTED: "reset",
}
if sys.platform == "win32":  # pragma: no cover
    _ERRNO |= {10061: "refused", 10051: "no-route", 10065: "no-route", 10060: "connect-timeout", 10054: "reset"}


def _chain(error: BaseException) -> list[BaseException]:
    """The error and everything that it came from, outermost first."""
    found: list[BaseException] = []
    todo: list[BaseException | None] = [error]
    while todo:
        each = todo.pop(0)
        if each is None or each in found:
            continue
        found.append(each)
        if isinstance(each, BaseExceptionGroup):
            todo.extend(each.exceptions)
        todo += [each.__cause__, each.__context__]
    return found


def _failure(error: Exception, started: float, while_: str) -> Failure:
    """The kind of failure that an exception of asyncio, ssl, h11 or httpx stands for."""
    chain = _chain(error)
    elapsed = _ms(started)
    for each in chain:
        if isinstance(each, ssl.SSLCertVerificationError):
            return Failure("certificate", _short(each), elapsed)
        if isinstance(each, ssl.SSLError):
            reason = (each.reason or "").upper()
            plain = any(word in reason for word in ("WRONG_VERSION", "HTTP_REQUEST", "UNEXPECTED_EOF", "RECORD_LAYER"))
            return Failure("no-tls" if plain else "tls", _short(each), elapsed)
    for each in chain:
        if isinstance(each, socket.gaierror):
            return Failure("name", _short(each), elapsed)
        if isinstance(each, OSError) and each.errno in _ERRNO:
            return Failure(_ERRNO[each.errno], _short(each), elapsed)
    if while_ == "connect" and isinstance(error, TimeoutError):
        return Failure("connect-timeout", "nothing answered the connection attempt", elapsed)
    name, text = type(error).__name__, str(error)
    if name in ("LocalProtocolError", "InvalidURL", "UnsupportedProtocol") or isinstance(error, UnicodeError):
        # no text of the error: it may quote a header's value
        return Failure("unsendable", "the address or a header holds a character that HTTP cannot carry", elapsed)
    if name == "ProxyError":
        return Failure("proxy", _short(error), elapsed)
    if name == "RemoteProtocolError":
        if "disconnected" in text or "closed connection" in text or "without sending" in text:
            return Failure("closed", _short(error), elapsed)
        if "Receive buffer" in text or "too long" in text:
            return Failure("too-large", _short(error), elapsed)
        return Failure("not-http", _short(error), elapsed)
    if name in ("ReadError", "WriteError", "EndOfStream", "BrokenResourceError", "ConnectError"):
        return Failure("reset" if name != "ConnectError" else "no-route", _short(error) or "connection lost", elapsed)
    return Failure("not-http", _short(error), elapsed)


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 160 else text[:157] + "..."


def _ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000.0


def _ascii_host(host: str) -> str:
    """A host name as HTTP and TLS carry it. What IDNA refuses is sent percent-encoded, and simply not found."""
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return wire_target(host)
