"""Stage `identity`: is it this proxy, which version, is its service switched on, and how is it served?"""

from __future__ import annotations

from antigravity_doctor.diagnosis.answers import Failure, Reply
from antigravity_doctor.diagnosis.judging import (
    ANCHORS,
    HEALTH_PATHS,
    UNDECIDED,
    KnownVersion,
    Seen,
    disabled,
    fingerprint,
    judge_identity,
    judge_served_by,
    judge_version,
    kind_of,
    probed_paths,
    redirect_of,
    seen_by_options,
    seen_by_wrong_method,
)
from antigravity_doctor.knowledge.behaviour import behaviour_of
from antigravity_doctor.knowledge.routes import all_routes
from antigravity_doctor.knowledge.versions import Version, parse_version, reported_by
from antigravity_doctor.probes.client_paths import carrier_of, client_headers, client_paths
from antigravity_doctor.probes.discover import owner
from antigravity_doctor.probes.lists import lists_of
from antigravity_doctor.probes.reach import elsewhere
from antigravity_doctor.probes.session import Asker, Session, Verdict, finding, first_round, words


async def check_proxy(session: Session, ask: Asker) -> Verdict:
    """Is it this proxy? The routes decide; `{"status":"ok"}` alone is what half of all programs say."""
    asked = first_round(session.canary)
    answers = {(method, path): await ask.ask(method, path) for method, path in asked}
    facts = {"host": session.host, "port": str(session.port), "url": session.origin}
    identity = judge_identity(answers, session.canary)
    place = redirect_of(answers.values())
    if place is not None and not identity.proxy:
        found = finding("AGD113", **facts, location=session.hidden(place)[:200])
        return Verdict("fail", facts=facts, findings=(found,))
    if identity.proxy is None:
        silent = any(isinstance(each, Failure) for each in answers.values())
        return Verdict("inconclusive", "no-answer" if silent else "options-in-front", facts)
    if not identity.proxy:
        answers["GET", "/"] = await ask.ask("GET", "/")
        identity = judge_identity(answers, session.canary)
    session.identity = identity
    if identity.proxy:
        _second_round(session)
        return Verdict("pass", facts=facts)
    program = identity.program
    if program is not None and program.id == "tls":
        found = finding("AGD111", **facts, program=program.name, detail=words("said-so"))
    else:
        found = finding("AGD106", 0.9, **facts, program=program.name if program else _owner(session))
    findings = (*await elsewhere(session), found)
    return Verdict("fail", facts=facts | {"program": found.facts["program"]}, findings=findings)


def _owner(session: Session) -> str:
    """What the system calls the program on the port, for one that does not say its own name."""
    listening = owner(session.port) if session.loopback else None
    if listening is None:
        return words("another-program")
    return words("program-of", program=listening.program or "", pid=str(listening.pid))


def _second_round(session: Session) -> None:
    """Starts, at once, what the later checks are going to ask for anyway; a check that asks finds it under way."""
    for path in probed_paths():
        session.send("OPTIONS", path, None)
    for path in client_paths(session):
        session.send("OPTIONS", path, None)
    lists = lists_of(session.identity.health) if session.identity is not None else []
    if session.answered("GET", ANCHORS[0], 200):
        for path in lists:
            session.send("GET", path, None)
    elif session.answered("GET", ANCHORS[0], 401) and session.key is not None:
        for path in lists:
            session.send("GET", path, "Authorization")
        for header in client_headers(session):
            carrier = carrier_of(header)
            if carrier is not None:
                session.send("GET", ANCHORS[0], carrier)


async def check_version(session: Session, ask: Asker) -> Verdict:
    """Which version? From the health JSON; without one, from which routes exist (no key needed, nothing logged)."""
    if session.identity is None:
        return Verdict("inconclusive", "no-answer")
    for path in HEALTH_PATHS:
        await ask.ask("GET", path)
    canary = await ask.ask("OPTIONS", session.canary)
    outcomes = await ask.ask_all("OPTIONS", list(probed_paths()))
    session.seen = {path: seen_by_options(outcome, canary) for path, outcome in outcomes.items()}
    told = session.options.proxy_version
    span = fingerprint(session.seen, canary)
    known = judge_version(session.identity.health, span, told)
    session.known = known
    if all(each.exists is None for each in session.seen.values()):
        session.seen |= await _second_oracle(session, ask)
    facts = {"version": known.exact or "", "range": "", "newest": ""}
    if span is not None:
        facts["range"] = words("from-to", oldest=span.oldest.text, newest=span.newest.text)
        if span.open_ended:
            facts["range"] = words("from-on", oldest=span.oldest.text)
        if span.oldest == span.newest:
            facts["range"] = span.oldest.text
    if known.strange is not None:
        facts["strange"] = session.hidden(known.strange)
        return Verdict("inconclusive", "version-unknown-form", facts)
    if known.source == "assumed":
        return Verdict("inconclusive", "version-hidden", facts | {"version": known.table.version.text})
    if known.source == "told" and span is not None and not span.oldest <= known.table.version <= span.newest:
        return Verdict("warn", facts=facts | {"told": facts["version"], "observed": words("routes-say", **facts)})
    if known.source == "health" and told is not None and not _reports(parse_version(told), known):
        shown = parse_version(told).text
        return Verdict("warn", facts=facts | {"told": shown, "observed": words("proxy-says", **facts)})
    shown = known.exact or facts["range"]
    return Verdict("pass", facts=facts | {"version": shown, "source": words(f"version-{known.source}")})


def _reports(told: Version, known: KnownVersion) -> bool:
    """Whether a proxy of the version that was given would name the version that this one names."""
    return known.exact is not None and known.exact in (told.text, reported_by(told))


async def _second_oracle(session: Session, ask: Asker) -> dict[str, Seen]:
    """Where OPTIONS shows nothing (somebody in front answers it): GET on routes that take only POST shows Allow.

    GET is not among the methods of these routes in any version, so no handler ever runs.
    """
    canary = await ask.ask("GET", session.canary)
    only_post = [
        route.path
        for route in all_routes()
        if ":" not in route.path
        and route.protocol not in ("mcp", "admin", "oauth")
        and all(span.methods == ("POST",) for span in route.spans)
    ]
    outcomes = await ask.ask_all("GET", only_post)
    return {path: seen_by_wrong_method(outcome, canary) for path, outcome in outcomes.items()}


async def check_service(session: Session, ask: Asker) -> Verdict:
    """Is the proxy's service switched on? Off, it answers 503 on every route, whatever the key."""
    models = await ask.ask("GET", ANCHORS[0])
    facts = {"url": session.origin, "host": session.host, "port": str(session.port)}
    if disabled(models):
        facts |= {"path": ANCHORS[0], "status": "503"}
        return Verdict("fail", facts=facts, findings=(finding("AGD109", **facts),))
    if isinstance(models, Failure):
        return Verdict("inconclusive", "no-answer", facts)
    if models.status == 403 and kind_of(models) == "ip-blocked":
        return Verdict("inconclusive", "ip-blocked", facts)
    return Verdict("pass", facts=facts)


async def check_served_by(session: Session, ask: Asker) -> Verdict:
    """The desktop app, or a web UI that answers every unknown path with a page?"""
    options = await ask.ask("OPTIONS", session.canary)
    get = await ask.ask("GET", session.canary)
    served = judge_served_by(options, get)
    session.served_by = served
    if served == "unknown":
        return Verdict("inconclusive", "no-answer" if isinstance(options, Failure) else "options-in-front")
    status = str(get.status) if isinstance(get, Reply) else ""
    return Verdict(
        "pass", facts={"served_by": words(served), "meaning": words(f"unknown-path-{served}", status=status)}
    )


def carries_key(session: Session, header: str) -> bool | None:
    """Whether this version reads a key from a header; None where the version is not known."""
    if session.known is None or session.known.source == "assumed":
        return None
    return header.lower() in behaviour_of(session.known.table.version).key_headers


def seen_at(session: Session, path: str) -> Seen:
    """What was seen at a probed path."""
    return session.seen.get(path, UNDECIDED)
