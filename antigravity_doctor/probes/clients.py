"""Stage `client`: do the very requests of the user's client land, with the base URL that is set?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from antigravity_doctor.diagnosis.judging import RequestVerdict, judge_request, seen_by_options
from antigravity_doctor.diagnosis.model import Finding
from antigravity_doctor.diagnosis.simulating import SimulatedRequest, Simulation
from antigravity_doctor.diagnosis.solving import solve
from antigravity_doctor.diagnosis.urls import host_and_port, is_loopback_host, parse_base_url, split_url
from antigravity_doctor.knowledge.clients import all_clients
from antigravity_doctor.probes.client_paths import modes, plan, required_paths
from antigravity_doctor.probes.identify import seen_at
from antigravity_doctor.probes.routes import table_of
from antigravity_doctor.probes.session import Asker, Session, Verdict, finding, words

_MOST_NAMES = 6


@dataclass(frozen=True, slots=True)
class ModeVerdict:
    """One mode with one base URL: what each of its required requests came to."""

    simulation: Simulation
    requests: tuple[tuple[SimulatedRequest, RequestVerdict], ...]

    @property
    def works(self) -> bool | None:
        """True if all land, False if one does not, None if that cannot be told."""
        verdicts = {verdict for _, verdict in self.requests}
        if verdicts & {"misses", "wrong-method", "not-here"}:
            return False
        return None if "undecided" in verdicts else True


async def check_base_url(session: Session, ask: Asker) -> Verdict:
    """Does the base URL point to the server that is being checked?"""
    base_url = session.base_url
    if base_url is None:
        return Verdict("skipped", "no-base-url")
    origin = parse_base_url(base_url).origin
    facts = {"base_url": base_url, "url": session.origin}
    if _same_place(origin, session.origin):
        return Verdict("pass", facts=facts)
    from antigravity_doctor.diagnosis.explaining import explain  # costly to import, and rarely needed

    explanation = explain("/v1/models", table=table_of(session), origin=session.origin, host=origin)
    elsewhere = tuple(each for each in explanation.findings if each.code in ("AGD501", "AGD502"))
    if any(each.severity == "error" for each in elsewhere):
        return Verdict("fail", facts=facts, findings=elsewhere)
    return Verdict("warn", facts=facts, findings=elsewhere)


def _same_place(one: str, other: str) -> bool:
    (host_one, port_one), (host_other, port_other) = host_and_port(one), host_and_port(other)
    schemes = one.partition("://")[0].lower() == other.partition("://")[0].lower()
    hosts = host_one == host_other or (is_loopback_host(host_one) and is_loopback_host(host_other))
    return schemes and hosts and port_one == port_other


async def check_client(session: Session, ask: Asker) -> Verdict:
    """Asks the server by OPTIONS for each path that the client would request, and judges the answers."""
    options = session.options
    if options.client is None and session.base_url is None:
        return Verdict("skipped", "no-client")
    if options.client is None:
        return await _base_url_alone(session, ask)
    return _client_verdict(session, await _judged(session, ask))


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


def _client_verdict(session: Session, verdicts: list[ModeVerdict]) -> Verdict:
    client = session.options.client
    base_url = session.base_url
    good = [each for each in verdicts if each.works]
    bad = [each for each in verdicts if each.works is False]
    facts = {
        "client": client.name if client else "",
        "base_url": verdicts[0].simulation.base_url if verdicts else "",
        "modes": _names(each.simulation.mode.name for each in good) or "-",
        "not_modes": _names(each.simulation.mode.name for each in bad) or "-",
    }
    if base_url is None:
        bases = dict.fromkeys(each.simulation.base_url for each in good)
        facts["base_url"] = ", ".join(bases) or "-"
    preferred = next((each for each in verdicts if each.simulation.mode.preferred), verdicts[0] if verdicts else None)
    if preferred is None:
        return Verdict("inconclusive", "mode-unknown", facts)
    if preferred.works:
        return Verdict("pass", facts=facts)
    if preferred.works is None and not bad:
        return Verdict("inconclusive", "options-in-front", facts)
    subject = preferred if preferred.works is False else bad[0]
    findings = _mode_findings(session, subject)
    if any(_meant(session, each) for each in good):
        softer = tuple(each._replace(severity="warning") if each.severity == "error" else each for each in findings)
        return Verdict("warn", facts=facts, findings=softer)
    return Verdict("fail", facts=facts, findings=findings)


def _meant(session: Session, verdict: ModeVerdict) -> bool:
    """True if this base URL is the one to type for a mode that works: then the user may well use that mode.

    A mode that only happens to work (Responses at the bare origin, since v4.3.9) does not excuse the preferred one.
    """
    solutions = solve(verdict.simulation.mode, table_of(session))
    typed = split_url(verdict.simulation.base_url).path.rstrip("/")
    return bool(solutions) and solutions[0].base_path.rstrip("/") == typed


def _mode_findings(session: Session, verdict: ModeVerdict) -> tuple[Finding, ...]:
    """The findings for the first request of a mode that does not land, with the fixes on the first of them."""
    request, outcome = next((r, v) for r, v in verdict.requests if v in ("misses", "wrong-method", "not-here"))
    if outcome == "not-here":
        table = table_of(session)
        return (finding("AGD115", 0.8, missing=request.path, version=table.version.text, total="1", present="0"),)
    host = split_url(request.url).origin
    from antigravity_doctor.diagnosis.explaining import explain  # costly to import, and rarely needed

    explanation = explain(
        request.path,
        table=table_of(session),
        origin=session.origin,
        method=request.method,
        query=request.query,
        base_url=session.base_url,
        client=session.options.client,
        host=host if not _same_place(host, session.origin) else None,
    )
    findings = explanation.findings
    if findings and explanation.fixes:
        findings = (findings[0]._replace(fixes=explanation.fixes), *findings[1:])
    return findings


async def _base_url_alone(session: Session, ask: Asker) -> Verdict:
    """Without a client: for which of the known clients is this base URL right?"""
    base_url = session.base_url or ""
    verdicts = await _judged(session, ask)
    names = {client.id: client.name for client in all_clients()}
    good = [names[each.simulation.mode.client] for each in verdicts if each.works]
    bad = [names[each.simulation.mode.client] for each in verdicts if each.works is False]
    facts = {
        "client": words("any-client"),
        "base_url": verdicts[0].simulation.base_url if verdicts else base_url,
        "modes": _names(good) or "-",
        "not_modes": _names(bad) or "-",
    }
    if good:
        return Verdict("pass", facts=facts)
    if not bad:
        return Verdict("inconclusive", "options-in-front", facts)
    likely = next(
        (each for each in verdicts if each.works is False and each.simulation.mode.protocol == "openai"),
        next(each for each in verdicts if each.works is False),
    )
    return Verdict("fail", facts=facts, findings=_mode_findings(session, likely))


def _names(names: Iterable[str]) -> str:
    """Names as one phrase, the first few of many."""
    distinct = list(dict.fromkeys(names))
    shown = " · ".join(distinct[:_MOST_NAMES])
    more = len(distinct) - _MOST_NAMES
    return shown if more <= 0 else words("and-more", names=shown, count=str(more))
