"""Are the base URLs that are set on this machine right? (settings found + proxy + table -> a verdict each)

What was found (`Evidence`) and what listens here (`Neighbours`) is handed in by `sources` and `probes`; nothing here
looks at the machine. A value is judged by simulating its client with it, as everywhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from antigravity_doctor.diagnosis.explaining import explain
from antigravity_doctor.diagnosis.launching import leads_to
from antigravity_doctor.diagnosis.model import NO_FACTS, Finding, Fix
from antigravity_doctor.diagnosis.naming import explain_setting
from antigravity_doctor.diagnosis.recommending import fixes_for
from antigravity_doctor.diagnosis.secrets import redact
from antigravity_doctor.diagnosis.simulating import SimulatedRequest, simulate
from antigravity_doctor.diagnosis.solving import solve
from antigravity_doctor.diagnosis.urls import (
    EXAMPLE,
    BadUrlError,
    host_and_port,
    is_loopback_host,
    parse_base_url,
    split_url,
    without_credentials,
)
from antigravity_doctor.knowledge.clients import Client, Mode, all_clients
from antigravity_doctor.knowledge.paths import vendor_of
from antigravity_doctor.knowledge.places import SyncFault, sync_faults
from antigravity_doctor.knowledge.programs import usual_program
from antigravity_doctor.knowledge.routes import RouteTable
from antigravity_doctor.knowledge.texts import file_reason, reason_text

Kind = Literal["file", "env", "shell", "editor-state"]
State = Literal["right", "wrong", "stale", "shared", "elsewhere", "overridden", "ignored", "unclear"]
"""right: every required request lands · wrong: one does not · stale: nothing listens there · shared: a variable, wrong
for this client and right for another one that is here · elsewhere: not this proxy, left alone · overridden: another
source wins · ignored: the client does not read it, or right and not in use · unclear: cannot be told."""

CONTAINER_HOSTS = ("host.docker.internal", "host.containers.internal", "gateway.docker.internal")
"""Names by which a container reaches the machine that it runs on."""


class Spot(NamedTuple):
    """Where a value stands. `name`: the key (dotted) or the variable; `file` as the user writes it (None: a variable of
    this process); line and column from 1, None where the place has none; `scope`: managed, project, user or None."""

    kind: Kind
    name: str
    file: str | None
    line: int | None
    column: int | None
    scope: str | None


class FoundBaseUrl(NamedTuple):
    """One value that a client reads. `order`: the lower, the stronger; of those with the same `slot` one wins.

    `mode` is None where it cannot be told. `format` and `at` say how to find the value again in its file (None and ():
    not to be changed by a program). `literal`: it says itself what it is. `hidden_by`: a file in front of this one is
    the only one that the client opens. `common`: the place is nobody's in particular (a project's `.env`). `unused`:
    the setting that would have to name this entry for it to be used and nowhere does, and the name of the entry.
    `maybe`: it stands inside an `if`, a loop or a function of a start-up file.
    """

    client: str
    mode: str | None
    value: str
    spot: Spot
    order: int
    slot: tuple[str, ...]
    literal: bool = True
    ignored: bool = False
    format: str | None = None
    at: tuple[str | int, ...] = ()
    type_it: str | None = None
    hidden_by: str | None = None
    common: bool = False
    unused: tuple[str, str] | None = None
    maybe: bool = False

    @property
    def shown(self) -> str:
        """The value for people: without a key that may be in it."""
        return redact(self.value)


class Unreadable(NamedTuple):
    """A settings file that could not be read. `reason` is the key of a text (texts/en/settings.json)."""

    clients: tuple[str, ...]
    file: str
    line: int | None
    column: int | None
    reason: str
    detail: str


class Closed(NamedTuple):
    """Settings that are here, and that only the client itself can read. `because` as in knowledge.places."""

    client: str
    file: str
    because: str
    type_it: str


class Variable(NamedTuple):
    """A base URL variable, for whatever reads it: in this process, a start-up file, an editor's terminal or the
    project's `.env`. `shell`: whose start-up file it is ("": of every session); `exported`: programs get to see it;
    `maybe`, `format` and `at` as for a FoundBaseUrl."""

    name: str
    value: str
    spot: Spot
    literal: bool = True
    shell: str = ""
    exported: bool = True
    maybe: bool = False
    format: str | None = None
    at: tuple[str | int, ...] = ()

    @property
    def shown(self) -> str:
        """The value for people: without a key that may be in it."""
        return redact(self.value)


class Evidence(NamedTuple):
    """All that was found. `here`: clients of which there is any sign on this machine (a file of theirs, a program)."""

    found: tuple[FoundBaseUrl, ...] = ()
    variables: tuple[Variable, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    closed: tuple[Closed, ...] = ()
    here: frozenset[str] = frozenset()
    files: int = 0


class Neighbour(NamedTuple):
    """What a loopback port of this machine is. `program`: its name, where another program answers."""

    kind: Literal["proxy", "nothing", "program", "unclear"]
    version: str | None = None
    program: str | None = None


class Proxy(NamedTuple):
    """The proxy that everything is compared with. `answers`: it was seen to answer there.

    `ports`: where this machine's proxy is or used to be, whether it runs or not; `own_hosts`: names and addresses of
    this machine, lower case; `in_container`: whether a container's name for the computer around it means anything here;
    `only_loopback`: it was seen to listen on 127.0.0.1 and on no other address; `taken`: another program answers there.
    """

    origin: str
    answers: bool = False
    ports: frozenset[int] = frozenset()
    own_hosts: frozenset[str] = frozenset()
    in_container: bool = False
    only_loopback: bool = False
    taken: bool = False

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine, by its own address."""
        host = host_and_port(self.origin)[0]
        return is_loopback_host(host) or host.lower() in self.own_hosts


class Judged(NamedTuple):
    """One value and what is to be said of it. `request`: the first required request, None where none was worked out.

    `by`: the source that wins (overridden). `fixes`: what to set instead, best first. `sure`: that they are right needs
    no user to say so; only then they may be written without being asked for by the client's name.
    """

    found: FoundBaseUrl
    state: State
    findings: tuple[Finding, ...] = ()
    fixes: tuple[Fix, ...] = ()
    request: SimulatedRequest | None = None
    by: Spot | None = None
    facts: Mapping[str, str] = NO_FACTS
    sure: bool = True

    @property
    def fixable(self) -> bool:
        """Whether a program may write the fix: it is wrong, it stands in a file, and what is right is known."""
        return self.state in ("wrong", "stale") and self.sure and self.found.format is not None and bool(self.fixes)


class JudgedVariable(NamedTuple):
    """One variable. `good`, `bad`: the clients (names) for which its value is right and wrong."""

    variable: Variable
    state: State
    findings: tuple[Finding, ...] = ()
    fixes: tuple[Fix, ...] = ()
    good: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()
    facts: Mapping[str, str] = NO_FACTS
    sure: bool = True

    @property
    def fixable(self) -> bool:
        """Whether a program may write the fix: it is wrong for whatever reads it, stands in a file, and one value alone
        is right. What becomes of a password in it is the user's to say."""
        known = self.variable.format is not None and "@" not in self.variable.value
        wanted = {fix.base_url for fix in self.fixes}
        return self.state == "wrong" and self.sure and known and not self.good and len(wanted) == 1


class ClientScan(NamedTuple):
    """Everything about one client, its values in the order in which they win."""

    client: Client
    judged: tuple[Judged, ...]
    unreadable: tuple[Unreadable, ...]
    closed: tuple[Closed, ...]

    @property
    def worst(self) -> str:
        """What to say of the client as a whole."""
        states = [each.state for each in self.judged]
        for state in ("wrong", "stale"):
            if state in states:
                return state
        if self.unreadable:
            return "unreadable"
        for state in ("shared", "unclear", "right", "elsewhere", "overridden", "ignored"):
            if state in states:
                return state
        return "closed" if self.closed else "none"


class Scan(NamedTuple):
    """The result: the proxy that everything was compared with, the clients and the variables."""

    origin: str
    clients: tuple[ClientScan, ...]
    variables: tuple[JudgedVariable, ...]
    files: int

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, in the order of the report."""
        found = [finding for client in self.clients for each in client.judged for finding in each.findings]
        found += [_unreadable(each) for client in self.clients for each in client.unreadable]
        return (*found, *(finding for each in self.variables for finding in each.findings))


_RANK = (
    "wrong",
    "stale",
    "unreadable",
    "shared",
    "unclear",
    "right",
    "overridden",
    "elsewhere",
    "ignored",
    "closed",
    "none",
)


def scan(evidence: Evidence, table: RouteTable, proxy: Proxy, neighbours: Mapping[int, Neighbour]) -> Scan:
    """Judges everything that was found, against this proxy; the worst first.

    `neighbours`: what the local ports are that the values name (a port that is missing was not looked at).
    """
    judge = _Judge(table, proxy, neighbours)
    variables = tuple(judge.variable(each, evidence.here) for each in evidence.variables)
    names = {client.name for client in all_clients() if client.id in evidence.here}
    right_for = {(each.variable.name, each.variable.value): each.good for each in variables}

    def shared(each: Judged) -> Judged:
        """A variable that is wrong for this client and right for another one must not be changed for it."""
        is_variable = each.found.spot.kind != "file" or each.found.common
        others = right_for.get((each.found.spot.name, each.found.value), ()) if is_variable else ()
        if each.state != "wrong" or not others:
            return each
        here = [name for name in others if name in names]
        if not here:
            return each._replace(sure=False)  # who else reads it is not known
        return each._replace(
            state="shared", findings=_softer(each.findings), fixes=(), facts={**each.facts, "others": here[0]}
        )

    clients = []
    for client in all_clients():
        found = sorted((each for each in evidence.found if each.client == client.id), key=lambda each: each.order)
        unreadable = tuple(each for each in evidence.unreadable if client.id in each.clients)
        here = client.id in evidence.here
        closed = tuple(each for each in evidence.closed if each.client == client.id)
        # A variable is read by dozens of programs: it is told under its own name, and under a client's only where that
        # client is here. So is what a project's .env says.
        if not here:
            found = [each for each in found if not _of_everybody(each)]
            unreadable = tuple(each for each in unreadable if not each.file.endswith(".env"))
        if found or unreadable or closed:
            judged = judge.all_of(client, found)
            clients.append(ClientScan(client, tuple(map(shared, judged)), unreadable, closed))
    clients.sort(key=lambda each: _RANK.index(each.worst))
    return Scan(proxy.origin, tuple(clients), variables, evidence.files)


def _of_everybody(found: FoundBaseUrl) -> bool:
    """Whether the place of a value belongs to no client in particular."""
    return found.spot.kind in ("env", "shell") or found.common


class _Judge:
    def __init__(self, table: RouteTable, proxy: Proxy, neighbours: Mapping[int, Neighbour]) -> None:
        self._table = table
        self._proxy = proxy
        self._origin = proxy.origin
        self._neighbours = neighbours

    def all_of(self, client: Client, found: Iterable[FoundBaseUrl]) -> tuple[Judged, ...]:
        """Each value of one client, in the order in which they win."""
        winners: dict[tuple[str, ...], FoundBaseUrl] = {}
        judged = []
        for each in found:
            if each.ignored:
                facts = {"client": client.name, "setting": each.spot.name}
                judged.append(Judged(each, "ignored", facts=facts))
                continue
            winner = winners.setdefault(each.slot, each)
            if winner is not each or each.hidden_by is not None:
                judged.append(self._overridden(client, each, winner))
            else:
                judged.append(self._doubted(self._one(client, each)))
        return tuple(judged)

    def _doubted(self, judged: Judged) -> Judged:
        """What else is known of a value: it is not in use, it may not be set, what answers is not the proxy."""
        found, facts = judged.found, dict(judged.facts)
        if found.maybe:
            facts["maybe"] = "maybe"
        if found.unused is not None:
            facts |= {"chosen_by": found.unused[0], "entry": found.unused[1]}
            if judged.state == "right":
                return judged._replace(state="ignored", facts={**facts, "why": "not-chosen"})
        if judged.state == "right" and self._proxy.taken and facts.get("port") == str(host_and_port(self._origin)[1]):
            return judged._replace(state="unclear", facts={**facts, "why": "not-the-proxy"})
        findings = judged.findings if found.unused is None else _softer(judged.findings)
        sure = judged.sure and found.unused is None and not self._proxy.taken
        return judged._replace(findings=findings, facts=facts, sure=sure)

    def _overridden(self, client: Client, found: FoundBaseUrl, winner: FoundBaseUrl) -> Judged:
        if found.hidden_by is not None and winner is found:
            by = Spot("file", "", found.hidden_by, None, None, None)
        else:
            by = winner.spot
            if winner.value == found.value:
                return Judged(found, "overridden", by=by)
        facts = {"client": client.name, "setting": found.spot.name, "base_url": found.shown}
        finding = Finding("AGD511", "info", 0.9, {**facts, "place": place(found.spot), "winner": place(by)})
        return Judged(found, "overridden", (finding,), by=by)

    def _one(self, client: Client, found: FoundBaseUrl) -> Judged:
        facts = {"client": client.name, "setting": found.spot.name, "place": place(found.spot), "base_url": found.shown}
        if not found.literal:
            return Judged(found, "unclear", facts={**facts, "why": "not-literal"})
        typed, missing = _with_scheme(found.value)
        url = without_credentials(typed)
        if url != typed:
            found = found._replace(format=None)  # what becomes of the password is the user's to say
        where = self._where(url)
        facts |= where.facts
        if where.state == "no-url":
            # What was meant is not certain enough to be written by a program, whoever asks for it.
            found = found._replace(format=None)
            finding = self._no_url(found.value, facts)
            usual = self._fixes(client, found, self._origin, self._origin) if finding.severity == "error" else ()
            return Judged(found, "wrong", (finding,), usual, facts=facts, sure=False)
        if where.state == "stale":
            fixes = self._fixes(client, found, self._origin, url)
            sure = _is_own_port(facts) and self._proxy.answers
            return Judged(found, "stale", (_stale(facts),), fixes, facts=facts, sure=sure)
        if where.state == "unreachable":
            return self._unreachable(client, found, url, facts)
        if where.state != "here":
            return Judged(found, where.state, facts=facts)
        modes = [mode for mode in client.modes if mode.id == found.mode] or _current(client)
        results = [simulate(mode, url, self._table) for mode in modes]
        works = [each for each in results if each.works]
        if works and (found.mode is not None or len(works) == len(results)):
            request = next(each for each in works[0].requests if each.required)
            if not missing:
                return Judged(found, "right", request=request, facts=facts)
            fix = self._fixes(client, found, split_url(url).origin, url)
            facts["right"] = redact(url)
            return Judged(found, "wrong", (Finding("AGD503", "error", 0.8, {**facts, "typed": found.shown}),), fix)
        if works:
            names = ", ".join(each.mode.name for each in works)
            return Judged(found, "unclear", facts={**facts, "why": "mode-unknown", "modes": names})
        if (
            found.mode is None
            and len({tuple(each.base_path for each in solve(mode, self._table)) for mode in modes}) > 1
        ):
            # Its provider is one that is not known: what it appends is not, either.
            return Judged(found, "unclear", facts={**facts, "why": "mode-none"})
        wrong = next((each for each in results if each.mode.preferred), results[0])
        request = next(each for each in wrong.requests if each.required and each.verdict != "routed")
        explained = explain(
            request.path,
            table=self._table,
            origin=split_url(url).origin,
            method=request.method,
            query=request.query,
            base_url=redact(url),
            client=client,
        )
        facts |= {"method": request.method, "path": request.path}
        finding = Finding("AGD510", "error", 0.95 if found.mode is not None else 0.7, facts)
        fault = self._sync_fault(found, url)
        faults: tuple[Finding, ...] = ()
        if fault is not None:
            versions = {"from": fault.versions[0] or "", "below": fault.versions[1] or ""}
            faults = (Finding("AGD514", "warning", 0.8, {**facts, **versions}),)
        fixes = self._fixes(client, found, split_url(url).origin, url)
        return Judged(found, "wrong", (finding, *explained.findings[:1], *faults), fixes, request, facts=facts)

    def _unreachable(self, client: Client, found: FoundBaseUrl, url: str, facts: dict[str, str]) -> Judged:
        """The proxy's port by an address or a scheme under which it is not there: ::1, the machine's own, https."""
        host, port = facts["host"], facts["port"]
        plain = f"http://{host if facts['why'] == 'https-loopback' else '127.0.0.1'}:{port}"
        if facts["why"] == "only-loopback":
            finding = Finding("AGD512", "error", 0.9, facts)
        elif facts["why"] == "ipv6":
            said = reason_text("words.is-ipv6", {"refused": "::1"})
            finding = Finding("AGD104", "error", 0.9, {**facts, "observed": said, "works": "127.0.0.1"})
        else:
            finding = Finding("AGD105", "error", 0.9, {**facts, "plain_url": plain})
        fixes = self._fixes(client, found, plain, url)
        return Judged(found, "wrong", (finding,), fixes, facts=facts)

    def _no_url(self, value: str, facts: Mapping[str, str]) -> Finding:
        """AGD515: an error where this proxy was meant, by all appearances."""
        host, port = host_and_port(self._origin)
        meant = any(each in value for each in (host, "127.0.0.1", "localhost", str(port)))
        return Finding("AGD515", "error" if meant else "warning", 0.9 if meant else 0.5, facts)

    def _fixes(self, client: Client, found: FoundBaseUrl, origin: str, url: str) -> tuple[Fix, ...]:
        """What to set instead: for the mode that the value belongs to, else for the client's usual one."""
        modes = [mode for mode in client.modes if mode.id == found.mode]
        modes = modes or [mode for mode in _current(client) if mode.preferred]
        return tuple(fix for mode in modes for fix in fixes_for(mode, self._table, origin, redact(url)))[:1]

    def _sync_fault(self, found: FoundBaseUrl, url: str) -> SyncFault | None:
        path = url[len(split_url(url).origin) :].rstrip("/")
        for fault in sync_faults():
            if fault.client == found.client and fault.at == found.at and fault.path == path:
                return fault
        return None

    def variable(self, variable: Variable, here: frozenset[str]) -> JudgedVariable:
        """A variable for whatever reads it. What clients that are here make of it is said under their names: then
        it is a finding here only as far as it concerns others."""
        facts = {"setting": variable.name, "base_url": variable.shown, "place": place(variable.spot)}
        if variable.maybe:
            facts["maybe"] = "maybe"
        if not variable.exported:
            return JudgedVariable(variable, "ignored", facts={**facts, "why": "not-exported"})
        if not variable.literal:
            return JudgedVariable(variable, "unclear", facts={**facts, "why": "not-literal"})
        url = without_credentials(_with_scheme(variable.value)[0])
        where = self._where(url)
        facts |= where.facts
        if where.state == "stale":
            return JudgedVariable(variable, "stale", (_stale(facts),), facts=facts)
        if where.state == "unreachable":
            return JudgedVariable(variable, "unclear", facts=facts)
        if where.state == "no-url":
            return JudgedVariable(variable, "wrong", (self._no_url(variable.value, facts),), facts=facts)
        if where.state != "here":
            return JudgedVariable(variable, where.state, facts=facts)
        explained = explain_setting(variable.name, redact(url), self._table, split_url(url).origin)
        if explained is None:
            return JudgedVariable(variable, "unclear", facts={**facts, "why": "nobody"})
        finding = explained.findings[0]
        good = _names(finding.facts["good"])
        bad = _names(finding.facts["bad"])
        if not bad:
            return JudgedVariable(variable, "right", (), (), good, bad, facts)
        concerned = {client.name for client in all_clients() if client.id in here} & {*good, *bad}
        if concerned:
            finding = finding._replace(severity="info" if not concerned & set(bad) else "warning")
        state: State = "wrong" if not good else "unclear"
        if state == "unclear":
            facts |= {"why": "shared"}
        sure = not self._proxy.taken  # it may be meant for the program that answers there
        return JudgedVariable(variable, state, (finding,), explained.fixes, good, bad, facts, sure)

    def _where(self, url: str) -> _Where:
        """Whose address this is: the proxy's ("here", or "unreachable" by this scheme or address), or another state."""
        try:
            parse_base_url(url)
            host, port = host_and_port(split_url(url).origin)
        except (BadUrlError, ValueError) as error:
            return _Where("no-url", {"detail": redact(str(error)).removesuffix(EXAMPLE).rstrip()})
        proxy, secure = self._proxy, not url.lower().startswith("http://")
        facts = {"host": host, "port": str(port), "origin": proxy.origin}
        proxy_port = host_and_port(proxy.origin)[1]
        neighbour = self._neighbours.get(port)
        vendor = vendor_of(host)
        if vendor is not None:
            return _Where("elsewhere", {**facts, "who": vendor, "why": "vendor"})
        here = is_loopback_host(host) or host == "0.0.0.0" or host.lower() in proxy.own_hosts  # noqa: S104 - compared only
        if host.lower() in CONTAINER_HOSTS:
            if not proxy.in_container:
                return _Where("unclear", {**facts, "why": "container-host"})
            # From inside a container this is the computer around it; its port is that of the proxy or it is not.
            same = port == proxy_port or port in proxy.ports
            return _Where("here", facts) if same else _Where("elsewhere", {**facts, "why": "other-host"})
        if not here:
            return _Where("here" if leads_to(url, proxy.origin) else "elsewhere", {**facts, "why": "other-host"})
        is_proxy = (port == proxy_port and proxy.is_local) or (neighbour is not None and neighbour.kind == "proxy")
        if is_proxy and proxy.only_loopback and not (is_loopback_host(host) or host == "0.0.0.0"):  # noqa: S104
            return _Where("unreachable", {**facts, "why": "only-loopback"})
        if is_proxy and secure:
            return _Where("unreachable", {**facts, "why": "https-loopback"})
        if is_proxy and host == "::1":
            return _Where("unreachable", {**facts, "why": "ipv6"})
        if is_proxy:
            return _Where("here", facts)
        if secure:
            return _Where("elsewhere", {**facts, "why": "other-service"})
        if neighbour is None or neighbour.kind == "unclear":
            return _Where("unclear", {**facts, "why": "port-unknown" if neighbour is None else "port-unclear"})
        if neighbour.kind == "nothing":
            usual = usual_program(port)
            if port in proxy.ports:
                return _Where("stale", {**facts, "why": "own-port"})
            if usual is not None:
                return _Where("elsewhere", {**facts, "who": usual, "why": "usual-port"})
            return _Where("stale", {**facts, "why": "any-port"})
        return _Where("elsewhere", {**facts, "who": neighbour.program or "", "why": "program"})


def _softer(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings with each error as a warning."""
    return tuple(each._replace(severity="warning") if each.severity == "error" else each for each in findings)


def _is_own_port(facts: Mapping[str, str]) -> bool:
    return facts["why"] == "own-port"


def _stale(facts: Mapping[str, str]) -> Finding:
    """AGD512: an error only where the proxy is or was expected on that port."""
    sure = _is_own_port(facts)
    return Finding("AGD512", "error" if sure else "warning", 0.9 if sure else 0.4, facts)


_BARE_HOST = re.compile(r"(?!(?i:https?)[:/])(?:\[[0-9A-Fa-f:]+\]|[\w.-]+)(?::\d+)?(?=[/?#]|$)")


def _with_scheme(value: str) -> tuple[str, bool]:
    """The value as a URL, and whether its `http://` was missing (`127.0.0.1:8045/v1`)."""
    missing = "://" not in value and _BARE_HOST.match(value) is not None
    return ("http://" + value if missing else value), missing


class _Where(NamedTuple):
    state: Literal["here", "unreachable", "stale", "elsewhere", "unclear", "no-url"]
    facts: dict[str, str]


def place(spot: Spot) -> str:
    """A place as people write it: `file:line:column key`, or the variable's name."""
    if spot.file is None:
        return spot.name
    numbers = "".join(f":{number}" for number in (spot.line, spot.column) if number is not None)
    return f"{spot.file}{numbers} {spot.name}".rstrip()


def ports_in(evidence: Evidence, origin: str) -> tuple[int, ...]:
    """The local ports that the values name and that are not the proxy's own: what has to be looked at."""
    found: dict[int, None] = {}
    proxy_host, proxy_port = host_and_port(origin)
    known = proxy_port if is_loopback_host(proxy_host) else None  # a proxy elsewhere says nothing of this machine
    for value in (*(each.value for each in evidence.found), *(each.value for each in evidence.variables)):
        url = without_credentials(_with_scheme(value)[0])
        try:
            host, port = host_and_port(split_url(url).origin)
        except ValueError:
            continue
        if is_loopback_host(host) and port != known:
            found.setdefault(port)
    return tuple(found)


def _current(client: Client) -> list[Mode]:
    """The modes of the client's current version; all where there is none."""
    return [mode for mode in client.modes if mode.versions[1] is None] or list(client.modes)


def _names(joined: str) -> tuple[str, ...]:
    return tuple(each for each in joined.split(", ") if each != "–")


def _unreadable(each: Unreadable) -> Finding:
    line = "".join(f":{number}" for number in (each.line, each.column) if number is not None)
    reason = file_reason(each.reason, "said", {"detail": each.detail})
    return Finding("AGD513", "warning", 1.0, {"file": each.file + line, "reason": reason})
