"""What came back from one request: an answer, or the way in which there was none.

Plain values, so that judging (pure) and probing (I/O) share them without importing each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FailureKind = Literal[
    "refused",  # the host says that nothing listens on the port
    "no-route",  # the network has no way to the host
    "connect-timeout",  # nothing answered the connection attempt in time
    "timeout",  # connected, but no status line came in time
    "closed",  # connected, and the peer hung up before an answer was complete
    "reset",  # connected, and the peer broke the connection off
    "no-tls",  # https was spoken to a port that speaks something else
    "certificate",  # TLS works, the certificate is not trusted for this name
    "tls",  # TLS failed in another way
    "not-http",  # bytes came back that are no HTTP/1.x answer
    "too-large",  # the header never ended
    "name",  # the host name has no address
    "proxy",  # an HTTP proxy stood in between and failed
    "unsendable",  # the request cannot be put into HTTP at all
]

Whole = Literal["whole", "limited", "cut", "slow"]
"""How a body ended: complete · more than was wanted (not read on) · broken off · not finished in time."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer. Header names are lower case; `body` holds the raw bytes, at most `transport.BODY_LIMIT`.

    `elapsed_ms` is the time until the body ended (or was left), in milliseconds.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    elapsed_ms: float
    whole: Whole = "whole"

    def header(self, name: str) -> str | None:
        """The first header of this (lower-case) name."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def media_type(self) -> str:
        """The content type without parameters, lower case, "" if there is none."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    @property
    def allow(self) -> frozenset[str] | None:
        """The methods of the `Allow` header, upper case; None where there is no such header."""
        value = self.header("allow")
        if value is None:
            return None
        return frozenset(each.strip().upper() for each in value.split(",") if each.strip())

    @property
    def cors(self) -> bool:
        """True where the answer carries `Access-Control-Allow-Origin`, as all of the proxy's own answers do."""
        return self.header("access-control-allow-origin") is not None

    def text(self, limit: int = 4096) -> str:
        """The start of the body as text; what is no UTF-8 becomes a replacement character."""
        return self.body[:limit].decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer. `detail` is a short technical phrase for the report (not yet safe to print)."""

    kind: FailureKind
    detail: str
    elapsed_ms: float


Outcome = Reply | Failure
