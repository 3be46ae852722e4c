"""What `trace` knows so far: every request judged when it comes, and what all of them together say. Bounded memory.

Requests come by the hundred thousand, but a client has a few kinds of them: the inference is worked out again only when
there is a new kind, and for no more than MOST_KINDS of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from antigravity_doctor.diagnosis.anatomy import dissect
from antigravity_doctor.diagnosis.explaining import Explanation
from antigravity_doctor.diagnosis.matching import allows, match
from antigravity_doctor.diagnosis.model import Finding
from antigravity_doctor.diagnosis.recording import Exchange, Recorded
from antigravity_doctor.diagnosis.symptoms import on_failure
from antigravity_doctor.diagnosis.tracing import SHARED, Inference, Observed, infer, judge
from antigravity_doctor.diagnosis.urls import host_and_port
from antigravity_doctor.knowledge.clients import Client
from antigravity_doctor.knowledge.routes import RouteTable

MOST_KINDS = 80
"""Different requests that the inference looks at: far more than any client has, and few enough to stay quick."""

_MOST_AGENTS = 20

_OTHER_SETTING = "AGD319"
"""What is found where a path cannot come from the base URL that is said to be in use."""

_PATH_IS_RIGHT = ("routed", "not-a-path-problem")


class Summary(NamedTuple):
    """What all requests so far say. `landed` went to a route of the proxy, whatever came of them; `harmless` look like
    faults and are none. `misses` holds the first miss of each User-Agent, `problems` what was wrong with requests whose
    path was right, one finding a code. `recorder` and `origin` are as in `Watch`."""

    total: int
    landed: int
    missed: int
    harmless: int
    inferences: tuple[Inference, ...]
    misses: Mapping[str | None, Explanation]
    problems: tuple[Finding, ...]
    recorder: str
    given: str | None
    origin: str
    answered: bool = True


class _Episode:
    """The kinds of requests that one program made with one base URL, and every base URL that can have been that one."""

    __slots__ = ("kinds", "readings")

    def __init__(self, kinds: dict[Observed, None], readings: frozenset[str]) -> None:
        self.kinds = kinds
        self.readings = readings


class Watch:
    """Everything seen since the start. `add` takes one request and gives the verdict on it.

    `origin` is the proxy's (fixes are made for it), `recorder` the origin that the client was told, `given` the base
    URL that it was told (recorder + base path), `client` the one that was named, if any.
    """

    def __init__(
        self,
        *,
        table: RouteTable,
        origin: str,
        recorder: str,
        given: str | None = None,
        client: Client | None = None,
    ) -> None:
        self.errors = 0
        """Requests with a finding of severity error."""
        self._total = self._landed = self._missed = self._harmless = 0
        self._misses: dict[str | None, Explanation] = {}
        self._problems: dict[str, Finding] = {}
        self._endpoints: dict[tuple[str | None, str, str], str] = {}
        self._answered = False
        self._given = given
        self._table = table
        self._origin = origin
        self._recorder = recorder
        self._client = client
        self._episodes: dict[tuple[str | None, str | None], _Episode] = {}
        self._inferences: tuple[Inference, ...] | None = ()

    @property
    def summary(self) -> Summary:
        """What all requests so far say."""
        return Summary(
            total=self._total,
            landed=self._landed,
            missed=self._missed,
            harmless=self._harmless,
            inferences=self.inferences,
            misses=self._misses,
            problems=tuple(self._problems.values()),
            recorder=self._recorder,
            given=self._given,
            origin=self._origin,
            answered=self._answered,
        )

    @property
    def inferences(self) -> tuple[Inference, ...]:
        """What all requests so far say, one for each client, the busiest first."""
        if self._inferences is None:
            kinds = tuple(kind for each in self._episodes.values() for kind in each.kinds)
            self._inferences = self._infer(kinds)
        return self._inferences

    def add(self, exchange: Exchange) -> Recorded:
        """The verdict on one more request, with what is known of its client by now."""
        self._total += 1
        self._answered = self._answered or exchange.observed.status is not None
        seen = exchange.observed
        if exchange.note is not None:
            found, known = self._no_request(exchange), None
            self.errors += not found.findings  # it came to nothing, although there is no code for it
        else:
            self._take(seen)
            known = self.inference_for(seen.user_agent)
            found = self._judge(seen, known)
        self._count(found, seen.user_agent)
        return Recorded(exchange, found, known, self._recorder, self._given)

    def _take(self, seen: Observed) -> None:
        """Takes a request into account if it is of a new kind.

        Whoever reads the answer changes the setting and tries again: as soon as a request cannot have been made with
        the base URL of those before it, they tell about the past, and are forgotten. (For each User-Agent and
        protocol: one program may have a base URL for each protocol that it speaks.)
        """
        for episode in self._episodes.values():
            if seen in episode.kinds:
                return
        if sum(len(each.kinds) for each in self._episodes.values()) >= MOST_KINDS:
            return
        alone = self._infer((seen,))
        who = alone[0].identity if alone else None
        if who is None or who.confidence < SHARED:
            self._forget_other_prefixes(seen)
        protocol = who.modes[0].protocol if who is not None and who.modes else None
        readings = frozenset(alone[0].readings) if alone else frozenset()
        episode = self._episodes.setdefault((seen.user_agent, protocol), _Episode({}, readings))
        if readings and episode.readings and not readings & episode.readings:
            episode.kinds.clear()
            episode.readings = readings
            self._misses.pop(seen.user_agent, None)
        elif readings:
            episode.readings = readings & episode.readings or readings
        episode.kinds[seen] = None
        self._inferences = None

    def _forget_other_prefixes(self, seen: Observed) -> None:
        """Of a client that is not known, the same endpoint behind another prefix means that its base URL was
        changed."""
        endpoint = dissect(seen.path, self._table).endpoint
        before = self._endpoints.get((seen.user_agent, seen.method, endpoint))
        if endpoint and before is not None and before != seen.path:
            for key in [key for key in self._episodes if key[0] == seen.user_agent]:
                del self._episodes[key]
            self._endpoints = {key: path for key, path in self._endpoints.items() if key[0] != seen.user_agent}
            self._misses.pop(seen.user_agent, None)
        if endpoint:
            self._endpoints[seen.user_agent, seen.method, endpoint] = seen.path

    def _infer(self, kinds: tuple[Observed, ...]) -> tuple[Inference, ...]:
        return infer(
            kinds,
            table=self._table,
            origin=self._origin,
            recorder=self._recorder,
            given=self._given,
            client=self._client,
        )

    def inference_for(self, user_agent: str | None) -> Inference | None:
        """What is known of the client that sends this User-Agent, None if nothing is."""
        return next((each for each in self.inferences if user_agent in each.user_agents), None)

    def rewritten(self, method: str, path: str) -> str | None:
        """The path that this request was meant for; None where it is right, or where it is not certain enough."""
        found = judge(Observed(method, path, None, None), table=self._table, origin=self._origin)
        if found.verdict != "misrouted" or not found.fixes:
            return None
        best = found.fixes[0]
        rivals = {each.route for each in found.fixes if each.confidence >= best.confidence / 2 and each.note is None}
        reached = match(self._table, best.resulting_path)
        if len(rivals) != 1 or reached is None or not allows(reached.route, method):
            return None
        return best.resulting_path

    def _judge(self, seen: Observed, known: Inference | None) -> Explanation:
        base_url = known.configured if known is not None and known.configured_exact else None
        client = known.identity.client if known is not None and known.identity is not None and base_url else None
        found = judge(seen, table=self._table, origin=self._origin, base_url=base_url, client=client)
        if any(each.code == _OTHER_SETTING for each in found.findings):
            # This base URL was read from other requests: the user has changed it since, and that is no fault.
            return judge(seen, table=self._table, origin=self._origin)
        return found

    def _no_request(self, exchange: Exchange) -> Explanation:
        findings: tuple[Finding, ...] = ()
        if exchange.note == "tls":
            findings = (on_failure("tls", *host_and_port(self._recorder)),)
        seen = exchange.observed
        return Explanation(seen.method or None, seen.path, seen.query, "no-request-found", None, findings, ())

    def _count(self, found: Explanation, user_agent: str | None) -> None:
        harmless = bool(found.findings) and all(each.severity == "info" for each in found.findings)
        if found.verdict == "routed" or (found.route is not None and found.verdict == "not-a-path-problem"):
            self._landed += 1
        elif harmless:
            self._harmless += 1
        else:
            self._missed += 1
            if len(self._misses) < _MOST_AGENTS:
                self._misses.setdefault(user_agent, found)
        if any(each.severity == "error" for each in found.findings):
            self.errors += 1
        for each in found.findings:
            # What is wrong besides the path: no answer, the key, the model.
            if each.severity != "info" and (found.verdict in _PATH_IS_RIGHT or each.code.startswith("AGD1")):
                self._problems.setdefault(each.code, each)
