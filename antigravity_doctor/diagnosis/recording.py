"""What a recorder saw, as plain values: one exchange, and the same with the verdict on it."""

from __future__ import annotations

from typing import Literal, NamedTuple

from antigravity_doctor.diagnosis.explaining import Explanation
from antigravity_doctor.diagnosis.tracing import Inference, Observed

Outcome = Literal["answered", "client-left", "ended", "no-answer", "timeout", "cut-short", "not-http", "refused"]
"""How an exchange ended. answered: whole · client-left: the client closed first · ended: the recording ended first ·
no-answer: the proxy gave none (the client got 502) · timeout: not in time (504) · cut-short: the proxy stopped in the
middle · not-http: what came was no HTTP/1 request · refused: the recorder itself refused it (a request for another
host)."""


class Bodies(NamedTuple):
    """What passed, up to a limit each, as text with keys masked (a byte that is no UTF-8 as \\xNN); of a WebSocket its
    messages."""

    request: str
    answer: str


class Exchange(NamedTuple):
    """One request and how it ended.

    `started` is in seconds since 1970; `first_byte_ms` until the answer's head came (None: none came), `total_ms` until
    everything had passed. `forwarded` is the path that was asked for instead (`--rewrite`), None if the client's own
    was. `request_bytes` and `answer_bytes` count bodies. `note` says what it was if it was no HTTP/1 request ("tls",
    "http2", "garbage"; `observed` is then empty), or why the recorder refused it ("as-http-proxy", "target").
    """

    number: int
    started: float
    observed: Observed
    outcome: Outcome
    first_byte_ms: float | None
    total_ms: float
    request_bytes: int = 0
    answer_bytes: int = 0
    forwarded: str | None = None
    note: str | None = None
    websocket: bool = False
    bodies: Bodies | None = None


class Recorded(NamedTuple):
    """An exchange with the verdict on it, and what was known of its client by then. `recorder` is the origin that it
    was sent to, `given` the base URL that the client was told, None where it was to keep its own path."""

    exchange: Exchange
    found: Explanation
    inference: Inference | None
    recorder: str
    given: str | None
