"""Stage `routes`: does the server have every route of its version, and do the harmless ones answer?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from antigravity_doctor.diagnosis.answers import Failure, Outcome, Reply
from antigravity_doctor.diagnosis.judging import filled, judge_routes, list_length
from antigravity_doctor.diagnosis.model import Finding
from antigravity_doctor.knowledge.routes import RouteTable, table_for
from antigravity_doctor.knowledge.versions import Version
from antigravity_doctor.probes.lists import harmless_lists
from antigravity_doctor.probes.session import Asker, Carrier, Session, Verdict, finding, words

GROUPS: dict[str, frozenset[str]] = {
    "openai": frozenset({"openai"}),
    "anthropic": frozenset({"anthropic"}),
    "gemini": frozenset({"gemini"}),
    "other": frozenset({"health", "telemetry", "internal", "oauth"}),
}
"""Check id `routes-NAME` -> protocols of the routes that it covers."""


def check_routes(group: str) -> Callable[[Session, Asker], Awaitable[Verdict]]:
    """The check of one group: every route of the version, by OPTIONS (no key, no effect, not logged)."""

    async def check(session: Session, ask: Asker) -> Verdict:
        table = table_of(session)
        protocols = GROUPS[group]
        mine = [route for route in table.routes if route.protocol in protocols and route.allow is not None]
        if not mine:
            return Verdict("skipped", "not-in-version", {"version": table.version.text})
        await ask.ask_all("OPTIONS", [filled(route.path) for route in mine])
        verdicts = judge_routes(table, protocols, session.seen)
        facts = {
            "version": table.version.text,
            "versions": _versions(session, table),
            "total": str(len(mine)),
            "present": str(len(verdicts.present)),
            "missing": ", ".join((*verdicts.missing, *verdicts.unlike)) or "-",
            "undecided": ", ".join(verdicts.undecided) or "-",
        }
        gone = (*verdicts.missing, *verdicts.unlike)
        if gone and _version_is_sure(session):
            path = filled(gone[0])
            ask.judge("OPTIONS", path)
            facts |= read_as(await ask.ask("OPTIONS", path), gone[0] in verdicts.missing)
            return Verdict("fail", facts=facts, findings=(finding("AGD115", 0.9, **facts),))
        if gone:
            return Verdict("inconclusive", "version-hidden", facts)
        if verdicts.undecided:
            return Verdict("inconclusive", "options-in-front", facts)
        return Verdict("pass", facts=facts)

    return check


def _versions(session: Session, table: RouteTable) -> str:
    """Which versions' routes were looked for, as a phrase: one, or those that the routes cannot tell apart."""
    known = session.known
    if known is None or known.source != "fingerprint" or known.span is None or known.exact is not None:
        return words("of-version", version=table.version.text)
    if known.span.open_ended:
        return words("of-version-on", version=known.span.oldest.text)
    return words("of-versions", oldest=known.span.oldest.text, newest=known.span.newest.text)


def read_as(outcome: Outcome, missing: bool) -> dict[str, str]:
    """The fact `read_as` for an OPTIONS answer behind a failure: how to read a status that looks like another thing."""
    if not isinstance(outcome, Reply) or outcome.status not in (200, 405):
        return {}
    if missing:
        return {"read_as": words(f"options-{outcome.status}-missing")}
    return {
        "read_as": words("options-methods", status=str(outcome.status), allow=", ".join(sorted(outcome.allow or ())))
    }


def table_of(session: Session) -> RouteTable:
    """The route table of the version that was found, else of the newest."""
    return session.known.table if session.known is not None else table_for(None)


def _version_is_sure(session: Session) -> bool:
    return session.known is not None and session.known.source in ("health", "told") and session.known.strange is None


async def check_mcp(session: Session, ask: Asker) -> Verdict:
    """The MCP routes are never called: they answer every method, and calling one reaches a third party."""
    if not any(route.protocol == "mcp" for route in table_of(session).routes):
        return Verdict("skipped", "not-in-version", {"version": table_of(session).version.text})
    return Verdict("skipped", "never-called")


async def check_models(session: Session, ask: Asker) -> Verdict:
    """Do the lists of models come, with the key if one is wanted? The only handlers that `check` lets run."""
    if session.auth == "unknown":
        return Verdict("skipped", "auth-unclear")
    if session.auth == "on" and session.key_verdict != "accepted":
        return Verdict("skipped", "needs-good-key")
    carrier: Carrier | None = "Authorization" if session.auth == "on" else None
    outcomes = await ask.ask_all("GET", harmless_lists(_oldest(session)), carrier)
    counts: list[str] = []
    findings: list[Finding] = []
    odd = False
    for path, outcome in outcomes.items():
        if isinstance(outcome, Failure):
            return Verdict("inconclusive", "no-answer", {"path": path})
        count = list_length(outcome)
        if count is not None:
            counts.append(words("models-at", path=path, count=str(count)))
            continue
        odd = True
        findings += _explained(session, path, outcome)
    facts = {"counts": ", ".join(counts) or "-"}
    if any(each.severity == "error" for each in findings):
        return Verdict("fail", facts=facts, findings=tuple(findings))
    if odd:
        return Verdict("warn", facts=facts, findings=tuple(findings))
    return Verdict("pass", facts=facts)


def _oldest(session: Session) -> Version | None:
    """The oldest version that it can be; None where nothing is known."""
    known = session.known
    if known is None:
        return None
    if known.source in ("health", "told"):
        return known.table.version
    return known.span.oldest if known.span is not None else None


def _explained(session: Session, path: str, reply: Reply) -> tuple[Finding, ...]:
    from antigravity_doctor.diagnosis.explaining import explain  # costly to import, and rarely needed

    explanation = explain(
        path,
        table=table_of(session),
        origin=session.origin,
        method="GET",
        status=reply.status,
        body=session.hidden(reply.text()),
        headers=reply.headers,
    )
    return explanation.findings
