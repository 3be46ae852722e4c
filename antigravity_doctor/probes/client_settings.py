"""The last check: the base URLs that are set in the clients of this machine. Reads files, asks ports of this
machine."""

from __future__ import annotations

import asyncio

from antigravity_doctor.diagnosis.model import Finding
from antigravity_doctor.diagnosis.scanning import Evidence, Scan, ports_in, scan
from antigravity_doctor.probes.discover import discover
from antigravity_doctor.probes.neighbours import neighbours, proxy_here
from antigravity_doctor.probes.routes import table_of
from antigravity_doctor.probes.session import Asker, Session, Verdict
from antigravity_doctor.sources.client_settings import Machine, read_client_settings


async def check_client_settings(session: Session, ask: Asker) -> Verdict:
    """Are the clients of this machine (the one that was named, or all) set to base URLs that reach the proxy's
    routes?"""
    machine = session.options.machine
    if not session.loopback:
        return Verdict("skipped", "not-this-machine")
    if machine is None:
        return Verdict("skipped", "settings-not-read")
    evidence = await asyncio.to_thread(read_client_settings, machine, session.options.client)
    found = await _judged(session, machine, evidence)
    values = [each for client in found.clients for each in client.judged]
    states = [each.state for each in values] + [each.state for each in found.variables]
    if not states and not evidence.unreadable:
        return Verdict("skipped", "no-client-settings", {"files": str(evidence.files)})
    right = states.count("right")
    bad = [client.client.name for client in found.clients if client.worst in ("wrong", "stale")]
    facts = {
        "right": str(right),
        "wrong": str(states.count("wrong") + states.count("stale")),
        "clients": ", ".join(bad) or "-",
    }
    findings = _findings(found)
    if any(each.severity == "error" for each in findings):
        return Verdict("fail", facts=facts, findings=findings)
    if any(each.severity == "warning" for each in findings):
        return Verdict("warn", facts=facts, findings=findings)
    return Verdict("pass", facts=facts, findings=findings)


async def _judged(session: Session, machine: Machine, evidence: Evidence) -> Scan:
    """The scan against the proxy that answers: the checked one, or, where that is none, whichever does here."""
    origin, table = session.origin, table_of(session)
    answers = session.identity is not None and session.identity.proxy is True
    if not answers:
        others = await discover(session)
        if others:
            origin, answers = f"http://127.0.0.1:{others[0].port}", True
    proxy = proxy_here(origin, session.local_settings, machine.environment, answers=answers)
    return scan(evidence, table, proxy, await neighbours(session, ports_in(evidence, origin)))


def _findings(found: Scan) -> tuple[Finding, ...]:
    """What is to be said, each with what to set instead: what a path is called that a client would ask for belongs to
    `scan`."""
    findings = [
        one._replace(fixes=each.fixes if index == 0 else ())
        for client in found.clients
        for each in client.judged
        for index, one in enumerate(each.findings)
        if one.code[3] == "5" and one.severity != "info"
    ]
    variables = [
        one._replace(fixes=each.fixes) for each in found.variables for one in each.findings if one.severity != "info"
    ]
    unreadable = [one for one in found.findings if one.code == "AGD513"]
    return (*findings, *variables, *unreadable)
