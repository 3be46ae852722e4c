"""What one `check` run knows and shares: options, the server it talks to, and every answer it already has.

A request is sent once, however many checks ask for it; each check that uses it shows it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from antigravity_doctor.diagnosis.answers import Outcome, Reply
from antigravity_doctor.diagnosis.judging import (
    ANCHORS,
    HEALTH_PATHS,
    Auth,
    Identity,
    KeyVerdict,
    KnownVersion,
    Seen,
    ServedBy,
)
from antigravity_doctor.diagnosis.model import Finding, RequestTrace, Severity, Status
from antigravity_doctor.diagnosis.secrets import redact
from antigravity_doctor.diagnosis.settings import ProxySettings, Secret
from antigravity_doctor.diagnosis.urls import host_and_port, is_loopback_host
from antigravity_doctor.knowledge.clients import Client
from antigravity_doctor.knowledge.texts import reason_text
from antigravity_doctor.probes.reproduce import KEY_MARK, curl_line, powershell_line
from antigravity_doctor.probes.transport import Address, Transport, wire_target
from antigravity_doctor.sources.client_settings import Machine

Carrier = Literal["Authorization", "x-api-key", "x-goog-api-key"]

BasePlace = Literal["here", "elsewhere", "vendor", "unknown"]
"""Where the base URL points: to the checked proxy, to something else, to a vendor's API, or nobody can tell."""

Severities: Mapping[str, Severity] = {
    "AGD107": "warning",
    "AGD108": "warning",
    "AGD118": "warning",
    "AGD110": "warning",
    "AGD201": "warning",
    "AGD204": "warning",
    "AGD205": "warning",
}
"""Severity of the codes that are no error; as in knowledge/findings (a test compares them)."""


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What to check, and how. Times in seconds.

    `origin` is `scheme://host:port` as `urls.parse_base_url` gives it. `base_url` must be one that it accepts, and
    `proxy_version` one that `parse_version` accepts. `settings` (the proxy's settings file) is looked at only when the
    target is a loopback address, and its key is used only when no other was given and the port is the same.
    `environment` is where HTTP proxy variables and client variables are read from. `canary` is a path that cannot
    exist (None: a random one), `ports` the local ports to look at when the asked one is no proxy (None: those that
    listen here, or a short list), and `in_container` whether this program runs in a container (None: look).
    `scheme_missing` is the base URL as typed where `http://` was missing and had to be added; None where it was there.
    `machine`: where to look for the settings of clients; None: nowhere.
    """

    origin: str
    base_url: str | None = None
    client: Client | None = None
    mode: str | None = None
    api_key: Secret | None = None
    key_source: str | None = None
    proxy_version: str | None = None
    timeout: float = 3.0
    total_timeout: float = 15.0
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    settings: ProxySettings | None = None
    canary: str | None = None
    ports: tuple[int, ...] | None = None
    in_container: bool | None = None
    scheme_missing: str | None = None
    machine: Machine | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found out; the runner makes a `CheckResult` of it."""

    status: Status
    because: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def finding(code: str, confidence: float = 1.0, severity: Severity | None = None, /, **facts: str) -> Finding:
    """A finding with the severity of its code, or a given one."""
    return Finding(code, severity or Severities.get(code, "error"), confidence, facts)


def words(key: str, **facts: str) -> str:
    """A phrase that goes into a fact, from the texts (reasons.json, `words.KEY`)."""
    return reason_text("words." + key, facts)


class Session:
    """One run. The attributes below the line are set by the checks, in the order of their needs."""

    def __init__(self, options: CheckOptions) -> None:
        self.options = options
        self.origin = options.origin
        self.scheme = options.origin.partition("://")[0].lower()
        self.host, self.port = host_and_port(options.origin)
        self.loopback = is_loopback_host(self.host)
        # a key in its query is masked: the paths that clients make of it stay the same
        self.base_url = redact(options.base_url) if options.base_url is not None else None
        self.canary = options.canary or f"/agdoctor-{os.urandom(8).hex()}"
        self.deadline = asyncio.get_running_loop().time() + options.total_timeout
        self.key, self.key_source = self._key()
        self._answers: dict[tuple[str, str, str | None], asyncio.Task[Outcome]] = {}
        self._transport: Transport | None = None
        # ---
        self.addresses: list[Address] = []
        self.address: Address | None = None
        self.http_proxy: tuple[str, str] | None = None
        self.identity: Identity | None = None
        self.known: KnownVersion | None = None
        self.served_by: ServedBy = "unknown"
        self.seen: dict[str, Seen] = {}
        self.auth: Auth = "unknown"
        self.key_verdict: KeyVerdict = "undecided"
        self.found_ports: asyncio.Task[list[FoundProxy]] | None = None
        self.base_place: BasePlace = "unknown"

    def _key(self) -> tuple[Secret | None, str | None]:
        """The key to use and where it is from. One from the settings file only goes to the port that file names."""
        if self.options.api_key:
            return self.options.api_key, self.options.key_source
        settings = self.options.settings
        if settings is not None and self.loopback and settings.port == self.port and settings.api_key:
            return settings.api_key, settings.path
        return None, None

    @property
    def local_settings(self) -> ProxySettings | None:
        """The settings file, if the target is this machine."""
        return self.options.settings if self.loopback else None

    def remaining(self) -> float:
        """Seconds until the whole check must be over."""
        return self.deadline - asyncio.get_running_loop().time()

    def out_of_time(self) -> bool:
        """True where the user's limit for the whole check, shorter than that for one request, ended a request."""
        return self.remaining() <= 0 and self.options.total_timeout < self.options.timeout

    def budget(self, at_most: float | None = None) -> float:
        """Seconds for one step: the time-out of a request, less where the end is near, more than zero."""
        return max(0.01, min(self.options.timeout if at_most is None else at_most, self.remaining()))

    async def open(self) -> None:
        """Opens the transport to the address that was found. Must be called before `ask`."""
        self._transport = Transport(
            self.origin,
            address=self.address,
            timeout=self.options.timeout,
            deadline=self.deadline,
            proxy=self.http_proxy[1] if self.http_proxy else None,
        )
        await self._transport.__aenter__()

    async def close(self) -> None:
        """Ends what is still under way."""
        tasks: list[asyncio.Task[Outcome] | asyncio.Task[list[FoundProxy]]] = [*self._answers.values()]
        if self.found_ports is not None:
            tasks.append(self.found_ports)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._transport is not None:
            await self._transport.__aexit__(None, None, None)

    def send(self, method: str, path: str, carrier: Carrier | None) -> asyncio.Task[Outcome]:
        """The task of a request, started if nobody has asked for it yet."""
        wanted = (method, path, carrier)
        if wanted not in self._answers:
            if self._transport is None:
                raise RuntimeError("asked before the server was reached")
            sent = self._transport.ask(method, wire_target(path), self._headers(carrier))
            self._answers[wanted] = asyncio.get_running_loop().create_task(sent)
        return self._answers[wanted]

    def answered(self, method: str, path: str, status: int) -> bool:
        """Whether a request without key has already been answered with this status."""
        task = self._answers.get((method, path, None))
        if task is None or not task.done() or task.cancelled():
            return False
        outcome = task.result()
        return isinstance(outcome, Reply) and outcome.status == status

    def _headers(self, carrier: Carrier | None) -> dict[str, str]:
        if carrier is None or self.key is None:
            return {}
        value = self.key.reveal()
        return {carrier: f"Bearer {value}" if carrier == "Authorization" else value}

    def trace(self, method: str, path: str, carrier: Carrier | None, outcome: Outcome) -> RequestTrace:
        """The record of a request, with the lines that repeat it."""
        url = self.origin + wire_target(path)
        headers: dict[str, str] = {}
        if carrier is not None:
            headers[carrier] = f"Bearer {KEY_MARK}" if carrier == "Authorization" else KEY_MARK
        timeout, direct = self.options.timeout, self.http_proxy is None
        return RequestTrace(
            method=method,
            url=url,
            status=outcome.status if isinstance(outcome, Reply) else None,
            elapsed_ms=round(outcome.elapsed_ms, 1),
            curl=curl_line(method, url, headers, timeout=timeout, direct=direct),
            powershell=powershell_line(method, url, headers, timeout=timeout, direct=direct),
        )

    def hidden(self, text: str) -> str:
        """A server's words without the key, should it have echoed it, or anything else that looks like one."""
        return redact(self.key.hidden_in(text) if self.key is not None else text)


class Asker:
    """How one check asks: it collects the traces of what it used."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._traces: dict[tuple[str, str, Carrier | None], RequestTrace] = {}
        self._judged: RequestTrace | None = None

    async def ask(self, method: str, path: str, carrier: Carrier | None = None) -> Outcome:
        """One request's outcome. `carrier` is the header that the key goes in; None sends none."""
        # shielded: another check may be waiting for the same answer
        outcome = await asyncio.shield(self._session.send(method, path, carrier))
        self._traces.setdefault((method, path, carrier), self._session.trace(method, path, carrier, outcome))
        return outcome

    def judge(self, method: str, path: str, carrier: Carrier | None = None) -> None:
        """Names the request that the verdict rests on; it must have been asked for."""
        self._judged = self._traces.get((method, path, carrier))

    @property
    def traces(self) -> tuple[RequestTrace, ...]:
        """Every request once, the one that the verdict rests on last: that is the one to repeat.

        Where a check names none it is the last that was refused, else the first; requests that calibrate never are.
        """
        traces = list(dict.fromkeys(self._traces.values()))
        telling = [each for each in traces if self._session.canary not in each.url] or traces
        refused = [each for each in telling if each.status is None or each.status >= 400]
        judged = self._judged or (refused[-1] if refused else telling[0] if telling else None)
        if judged is None:
            return ()
        return (*(each for each in traces if each != judged), judged)

    async def ask_all(self, method: str, paths: list[str], carrier: Carrier | None = None) -> dict[str, Outcome]:
        """The outcomes of one method on several paths, asked for at the same time, in the order of the paths."""
        for path in paths:
            self._session.send(method, path, carrier)
        return {path: await self.ask(method, path, carrier) for path in paths}


FIRST_ROUND: tuple[tuple[str, str], ...] = (
    *(("GET", path) for path in HEALTH_PATHS),
    ("OPTIONS", "{canary}"),
    ("GET", "{canary}"),
    *(("OPTIONS", path) for path in ANCHORS),
    ("GET", ANCHORS[0]),
)
"""What every server is asked at once, without a key: enough to tell the proxy from other programs and its state."""


def first_round(canary: str) -> list[tuple[str, str]]:
    """`FIRST_ROUND` with the canary's path."""
    return [(method, canary if path == "{canary}" else path) for method, path in FIRST_ROUND]


@dataclass(frozen=True, slots=True)
class FoundProxy:
    """A local port on which this proxy answers. `version` as its health JSON names it."""

    port: int
    version: str | None
