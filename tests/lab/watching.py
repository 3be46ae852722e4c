"""The recorder of `agdoctor trace` with a server behind it that answers as the measurement wants: the lab's eyes.

What was sent is what `servers.recorder.Recorder` says was sent, so the lab also proves the recorder with every client.
"""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future
from types import TracebackType
from typing import Literal, NamedTuple, Self

from antigravity_doctor.diagnosis.recording import Exchange
from antigravity_doctor.servers.recorder import Recorder
from antigravity_doctor.servers.stand_in import StandIn
from tests.support.recorder import Recorder as Answerer

Answers = Literal["proxy", "any", "empty-404", "empty-405", "html"]
"""proxy: the stand-in, as the newest proxy · any: 200 in the protocol that is asked for, whatever the path · empty-404:
a route miss of the proxy · empty-405: one of a POST, with the web UI (`Allow: GET,HEAD`) · html: one of a GET, with
the web UI."""

_ANSWERER_MODES = {"any": "answer", "empty-404": "not-found", "empty-405": "method-not-allowed", "html": "html"}

_SETTLE = 1.0
"""Seconds that a request which has been answered is waited for."""


class Sent(NamedTuple):
    """One request as it reached the recorder. `target` is raw, but for the values of keys in the query."""

    number: int
    method: str
    target: str
    key: str | None
    user_agent: str | None
    header_names: tuple[str, ...]
    status: int | None
    websocket: bool


class Watch:
    """Runs in a thread of its own: one recorder before the stand-in, one before a server that answers as it is told.

    `origin` is the one of the two that `answer` has chosen.
    """

    def __init__(self) -> None:
        self._sent: list[Sent] = []
        self._lock = threading.Lock()
        self._ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._answerer = Answerer("answer")
        self.stand_in = ""
        self._proxied, self._told = "", ""
        self.origin = ""
        self.planted: tuple[str, ...] = ()
        self._thread = threading.Thread(target=self._main, daemon=True)

    def __enter__(self) -> Self:
        self._answerer.__enter__()
        self._thread.start()
        self._loop, self._stop = self._ready.result(20)
        self.answer("proxy")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._answerer.__exit__(None, None, None)

    def answer(self, answers: Answers) -> None:
        """From now on it is answered so: at `origin`, which has no slash at its end."""
        self.origin = self._proxied if answers == "proxy" else self._told
        if answers != "proxy":
            self._answerer.mode = _ANSWERER_MODES[answers]  # type: ignore[assignment]

    def take(self) -> list[Sent]:
        """What was sent since the last call, in the order in which it came.

        A client may have its answer, and have ended, before the recorder has told of the request: what has reached the
        server behind it is waited for. `planted` is then where the planted key itself (no other value) was found.
        """
        seen = self._answerer.take()
        until = time.monotonic() + _SETTLE
        while self.count() < len(seen) and time.monotonic() < until:
            time.sleep(0.01)
        self.planted = tuple(dict.fromkeys(place for each in seen for place in each.key_places))
        with self._lock:
            sent, self._sent = self._sent, []
        return sorted(sent)

    def count(self) -> int:
        """How many requests have ended since the last `take`."""
        with self._lock:
            return len(self._sent)

    def _saw(self, exchange: Exchange) -> None:
        seen = exchange.observed
        target = seen.path + (f"?{seen.query}" if seen.query is not None else "")
        sent = Sent(
            exchange.number,
            seen.method or (exchange.note or "?"),
            target,
            seen.key_header,
            seen.user_agent,
            seen.header_names,
            seen.status,
            exchange.websocket,
        )
        with self._lock:
            self._sent.append(sent)

    def _main(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    async def _serve(self) -> None:
        stop = asyncio.Event()
        told = Recorder(self._answerer.origin, on_exchange=self._saw)
        async with StandIn() as stand_in, Recorder(stand_in.url, on_exchange=self._saw) as proxied, told:
            self.stand_in, self._proxied, self._told = stand_in.url, proxied.url, told.url
            self._ready.set_result((asyncio.get_running_loop(), stop))
            await stop.wait()
