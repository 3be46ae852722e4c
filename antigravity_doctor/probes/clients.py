"""Stage `client`: do the very requests of the user's client land, with the base URL that is set?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from antigravity_doctor.diagnosis.judging import (
    RequestVerdict,
    judge_request,
    needs_another_setting,
    scheme_missing,
    seen_by_options,
)
from antigravity_doctor.diagnosis.model import Finding, Fix
from antigravity_doctor.diagnosis.simulating import SimulatedRequest, Simulation
from antigravity_doctor.diagnosis.solving import solve
from antigravity_doctor.diagnosis.urls import (
    host_and_port,
    is_loopback_host,
    is_private_host,
    parse_base_url,
    split_url,
)
from antigravity_doctor.knowledge.clients import Mode, all_clients
from antigravity_doctor.knowledge.paths import vendor_of
from antigravity_doctor.probes.client_paths import fixes_at, likeliest, modes, plan, required_paths
from antigravity_doctor.probes.discover import Listener, look
from antigravity_doctor.probes.identify import seen_at
from antigravity_doctor.probes.routes import read_as, table_of
from antigravity_doctor.probes.session import Asker, FoundProxy, Session, Verdict, finding, words
from antigravity_doctor.probes.transport import Address, connect

_MOST_NAMES = 6
_MISSES: frozenset[RequestVerdict] = frozenset({"misses", "wrong-method", "not-here"})


@dataclass(frozen=True, slots=True)
class ModeVerdict:
    """One mode with one base URL: what each of its required requests came to."""

    simulation: Simulation
    requests: tuple[tuple[SimulatedRequest, RequestVerdict], ...]

    @property
    def works(self) -> bool | None:
        """True if all land, False if one does not, None if that cannot be told."""
        verdicts = {verdict for _, verdict in self.requests}
        if verdicts & _MISSES:
            return False
        return None if "undecided" in verdicts else True

    @property
    def miss(self) -> tuple[SimulatedRequest, RequestVerdict]:
        """The first request that does not land. Raises StopIteration unless `works` is False."""
        return next(each for each in self.requests if each[1] in _MISSES)


async def check_base_url(session: Session, ask: Asker) -> Verdict:
    """Does the base URL point to the server that is being checked? Says what is there instead, where it can look."""
    base_url = session.base_url
    if base_url is None:
        return Verdict("skipped", "no-base-url")
    typed = session.options.scheme_missing
    unschemed = scheme_missing(typed) if typed is not None else None
    verdict = await _place_of(session, base_url)
    if unschemed is None:
        return verdict
    said = verdict.facts.get("said") or words("base-no-scheme", typed=unschemed.facts["typed"])
    return Verdict("fail", facts={**verdict.facts, "said": said}, findings=(*verdict.findings, unschemed))


async def _place_of(session: Session, base_url: str) -> Verdict:
    """Where the base URL points, for `session.base_place` and for the report."""
    origin = parse_base_url(base_url).origin
    host, port = host_and_port(origin)
    facts = {"base_url": base_url, "base_origin": origin, "url": session.origin, "port": str(port), "host": host}
    is_proxy = session.identity is not None and session.identity.proxy is True
    fixes = fixes_at(session, session.origin, table_of(session)) if is_proxy else ()
    who = vendor_of(host)
    if who is not None:
        session.base_place = "vendor"
        return _elsewhere(facts, who, finding("AGD501", who=who, host=origin, origin=session.origin), fixes)
    same_host = host == session.host or (is_loopback_host(host) and session.loopback)
    if same_host and port == session.port:
        if origin.partition("://")[0].lower() == session.scheme:
            if host == "::1" and session.address is not None and session.address.family == 4:
                return await _by_ipv6(session, facts, port, fixes)
            session.base_place = "here"
            return Verdict("pass", facts=facts) if is_proxy else Verdict("skipped", "no-proxy-to-point-to", facts)
        if is_proxy and session.scheme == "http":
            session.base_place = "elsewhere"
            found = finding("AGD105", host=host, port=str(port), url=origin, plain_url=session.origin)
            return _elsewhere(facts, words("plain-http"), found, fixes)
    elif same_host and session.loopback:
        return await _other_port(session, facts, is_proxy, fixes)
    return Verdict("inconclusive", "base-url-not-checked", facts)


async def _by_ipv6(session: Session, facts: dict[str, str], port: int, fixes: tuple[Fix, ...]) -> Verdict:
    """The base URL names the IPv6 loopback, while the proxy was found on IPv4, the only one that it listens on."""
    assert session.address is not None  # noqa: S101 - the caller has looked
    if isinstance(await connect(Address("::1", 6), port, session.budget(1.0)), float):
        return Verdict("inconclusive", "base-url-not-checked", facts)
    session.base_place = "elsewhere"
    observed = words("is-ipv6", refused="::1")
    found = finding("AGD104", **facts, works=session.address.ip, observed=observed)
    return _elsewhere(facts, words("nothing-there"), found, fixes)


async def _other_port(session: Session, facts: dict[str, str], is_proxy: bool, fixes: tuple[Fix, ...]) -> Verdict:
    """What listens on the other loopback port that the base URL names?"""
    there = await look(session, int(facts["port"]))
    plain = facts["base_origin"].startswith("http:")
    if isinstance(there, FoundProxy) and plain:
        if not is_proxy:
            return Verdict("inconclusive", "base-url-is-the-proxy", facts)
        what = words("the-proxy-there", version=there.version or words("unknown-version"))
    elif isinstance(there, Listener) and there.kind == "nothing":
        what = words("nothing-there")
    elif isinstance(there, Listener) and there.kind == "program" and plain:
        what = there.program.name if there.program is not None else words("another-program")
    else:  # who speaks TLS, or says nothing that tells, may stand in front of the proxy
        return Verdict("inconclusive", "base-url-not-checked", facts)
    session.base_place = "elsewhere"
    return _elsewhere(facts, what, finding("AGD504", **facts, what=what), fixes)


def _elsewhere(facts: dict[str, str], what: str, found: Finding, fixes: tuple[Fix, ...]) -> Verdict:
    said = words("base-elsewhere", base_url=facts["base_url"], what=what)
    return Verdict("fail", facts=facts | {"said": said}, findings=(found._replace(fixes=fixes),))


async def check_client(session: Session, ask: Asker) -> Verdict:
    """Asks the server by OPTIONS for each path that the client would request, and judges the answers.

    With a base URL that leads elsewhere only its path is judged: a wrong one is said, a right one is no pass.
    """
    options = session.options
    if options.client is None and session.base_url is None:
        return Verdict("skipped", "no-client")
    facts = {"base_url": session.base_url or "", "url": session.origin}
    if session.base_place == "vendor":
        return Verdict("skipped", "base-url-elsewhere", facts)
    judged = await _judged(session, ask)
    of_whom = _base_url_alone if options.client is None else _client_verdict
    verdict = await of_whom(session, ask, judged)
    if session.base_url is None or session.base_place == "here" or verdict.status == "fail":
        return verdict
    because = "base-url-elsewhere" if session.base_place == "elsewhere" else "base-url-unknown-place"
    return Verdict("skipped", because, facts)


async def _judged(session: Session, ask: Asker) -> list[ModeVerdict]:
    """Every required request of every mode, asked for once a path and judged."""
    plans = [plan(mode, session, table_of(session)) for mode in modes(session)]
    paths = required_paths(plans)
    canary = await ask.ask("OPTIONS", session.canary)
    outcomes = await ask.ask_all("OPTIONS", paths)
    known = session.known
    certain = known is not None and known.source != "assumed"
    verdicts = []
    for simulation in plans:
        judged = []
        for request in simulation.requests:
            if not request.required:
                continue
            seen = seen_at(session, request.path)
            if request.path in outcomes:
                live = seen_by_options(outcomes[request.path], canary)
                seen = live if live.exists is not None else seen
            judged.append((request, judge_request(request, seen, certain)))
        verdicts.append(ModeVerdict(simulation, tuple(judged)))
    return verdicts


async def _client_verdict(session: Session, ask: Asker, verdicts: list[ModeVerdict]) -> Verdict:
    client = session.options.client
    good = [each for each in verdicts if each.works]
    bad = [each for each in verdicts if each.works is False]
    facts = {
        "client": client.name if client else "",
        "base_url": verdicts[0].simulation.base_url if verdicts else "",
        "modes": _names(each.simulation.mode.name for each in good),
        "not_modes": _names(each.simulation.mode.name for each in bad),
    }
    if session.base_url is None:  # those that are right; where none is, those that were tried
        facts["base_url"] = ", ".join(dict.fromkeys(each.simulation.base_url for each in good or verdicts))
    preferred = next((each for each in verdicts if each.simulation.mode.preferred), verdicts[0] if verdicts else None)
    if preferred is None:
        return Verdict("inconclusive", "mode-unknown", facts)
    if preferred.works is None:
        return Verdict("inconclusive", "options-in-front", facts)
    working = preferred if preferred.works else next((each for each in good if _meant(session, each)), None)
    if working is not None and _out_of_reach(session, working.simulation.mode):
        facts |= {"not_modes": working.simulation.mode.name, "what": words("requests-outside")}
        facts["read_as"] = words("options-right", status="200")
        return Verdict("fail", facts=facts, findings=(_out_of_reach_finding(session, facts["client"]),))
    if working is not None:
        failing = [each.simulation.mode for each in bad]
        extra = needs_another_setting(facts["client"], working.simulation.mode, failing)
        more = (extra,) if extra is not None else ()
        if working is preferred:
            return Verdict("warn" if more else "pass", facts=facts, findings=more)
        findings = _mode_findings(session, preferred)
        softer = tuple(each._replace(severity="warning") if each.severity == "error" else each for each in findings)
        return Verdict("warn", facts=facts, findings=(*more, *softer))
    wanted = likeliest([each.simulation.mode for each in bad], session, table_of(session))
    subject = next(each for each in bad if each.simulation.mode is wanted)
    findings = _mode_findings(session, subject)
    if _out_of_reach(session, wanted):
        findings = (_out_of_reach_finding(session, facts["client"]), *findings)
    facts |= {"what": words("requests-miss"), **await _reading(ask, subject)}
    return Verdict("fail", facts=facts, findings=findings)


async def _reading(ask: Asker, verdict: ModeVerdict) -> dict[str, str]:
    """Shows the request that does not land; the fact `read_as` says how to read its answer."""
    request, outcome = verdict.miss
    answer = await ask.ask("OPTIONS", request.path)
    ask.judge("OPTIONS", request.path)
    return read_as(answer, missing=outcome != "wrong-method")


def _out_of_reach(session: Session, mode: Mode) -> bool:
    """Whether the mode's requests come from the internet (`reach` of its entry), where this address is unknown."""
    if mode.raw.get("reach") != "public":
        return False
    host, _ = host_and_port(_origin_in_use(session))
    if host == session.host and session.addresses:
        return all(each.private for each in session.addresses)
    return is_private_host(host)


def _out_of_reach_finding(session: Session, client: str) -> Finding:
    return finding("AGD506", client=client, url=_origin_in_use(session))


def _origin_in_use(session: Session) -> str:
    """Where the client's requests go: the base URL's origin, else the checked one."""
    return parse_base_url(session.base_url).origin if session.base_url is not None else session.origin


def _meant(session: Session, verdict: ModeVerdict) -> bool:
    """True if this base URL is the one to type for a mode that works: then the user may well use that mode.

    A mode that only happens to work (Responses at the bare origin, since v4.3.9) does not excuse the preferred one.
    """
    solutions = solve(verdict.simulation.mode, table_of(session))
    typed = split_url(verdict.simulation.base_url).path.rstrip("/")
    return bool(solutions) and solutions[0].base_path.rstrip("/") == typed


def _mode_findings(session: Session, verdict: ModeVerdict) -> tuple[Finding, ...]:
    """The findings for the first request of a mode that does not land, with the fixes on the first of them."""
    request, outcome = verdict.miss
    if outcome == "not-here":
        table = table_of(session)
        return (finding("AGD115", 0.8, missing=request.path, version=table.version.text, total="1", present="0"),)
    from antigravity_doctor.diagnosis.explaining import explain  # costly to import, and rarely needed

    explanation = explain(
        request.path,
        table=table_of(session),
        origin=session.origin,
        method=request.method,
        query=request.query,
        base_url=session.base_url,
        client=session.options.client,
    )
    findings = explanation.findings
    if findings and explanation.fixes:
        findings = (findings[0]._replace(fixes=explanation.fixes), *findings[1:])
    return findings


async def _base_url_alone(session: Session, ask: Asker, judged: list[ModeVerdict]) -> Verdict:
    """Without a client: for which of the known clients is this base URL right?"""
    base_url = session.base_url or ""
    verdicts = [each for each in judged if not _out_of_reach(session, each.simulation.mode)]
    names = {client.id: client.name for client in all_clients()}
    good = [names[each.simulation.mode.client] for each in verdicts if each.works]
    bad = [names[each.simulation.mode.client] for each in verdicts if each.works is False]
    facts = {
        "client": words("any-client"),
        "base_url": verdicts[0].simulation.base_url if verdicts else base_url,
        "modes": _names(good),
        "not_modes": _names(bad),
    }
    if good:
        return Verdict("pass", facts=facts)
    if not bad:
        return Verdict("inconclusive", "options-in-front", facts)
    wrong = [each for each in verdicts if each.works is False]
    wanted = likeliest([each.simulation.mode for each in wrong], session, table_of(session))
    likely = next(each for each in wrong if each.simulation.mode is wanted)
    facts |= {"what": words("requests-miss"), **await _reading(ask, likely)}
    return Verdict("fail", facts=facts, findings=_mode_findings(session, likely))


def _names(names: Iterable[str]) -> str:
    """Names as one phrase, the first few of many."""
    distinct = list(dict.fromkeys(names))
    shown = " · ".join(distinct[:_MOST_NAMES])
    more = len(distinct) - _MOST_NAMES
    return shown if more <= 0 else words("and-more", names=shown, count=str(more))
