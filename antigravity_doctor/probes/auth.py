"""Stage `auth`: is a key wanted, is the given one good, and does it travel in a header that counts?"""

from __future__ import annotations

from antigravity_doctor.diagnosis.answers import Failure, Outcome, Reply
from antigravity_doctor.diagnosis.judging import ANCHORS, disabled, judge_auth, judge_key, kind_of, message_of
from antigravity_doctor.diagnosis.model import Finding
from antigravity_doctor.diagnosis.urls import BadUrlError, host_and_port, parse_base_url
from antigravity_doctor.probes.client_paths import carrier_of, client_headers
from antigravity_doctor.probes.identify import carries_key
from antigravity_doctor.probes.lists import lists_of
from antigravity_doctor.probes.session import Asker, Session, Verdict, finding, words

_MODELS = ANCHORS[0]


async def check_auth_mode(session: Session, ask: Asker) -> Verdict:
    """Does the proxy ask for a key? From requests without one."""
    models = await ask.ask("GET", _MODELS)
    health = await ask.ask("GET", "/health")
    session.auth = judge_auth(models, health)
    if session.auth == "unknown":
        return Verdict("inconclusive", _why_unknown(models))
    return Verdict("pass", facts={"auth": words(f"auth-{session.auth}")})


def _why_unknown(models: Outcome) -> str:
    if isinstance(models, Failure):
        return "no-answer"
    if disabled(models):
        return "service-disabled"
    if models.status == 403 and kind_of(models) == "ip-blocked":
        return "ip-blocked"
    return "auth-unclear"


async def check_key(session: Session, ask: Asker) -> Verdict:
    """What does the proxy think of the key? Asked for with harmless requests: the lists of models."""
    facts = {"url": session.origin, "path": _MODELS, "source": session.key_source or "", "status": ""}
    version = session.known.table.version if session.known and session.known.source != "assumed" else None
    models = await ask.ask("GET", _MODELS)
    path = "/health" if disabled(models) else _MODELS  # all else is 503 then
    bare = await ask.ask("GET", path)
    keyed = None
    if session.key is not None and session.auth != "off":
        # all lists at once, so that a right key costs no further round
        lists = lists_of(session.identity.health) if path == _MODELS and session.identity is not None else [path]
        keyed = (await ask.ask_all("GET", lists, "Authorization"))[path]
    ask.judge("GET", path, "Authorization" if keyed is not None else None)
    verdict = judge_key(session.auth, session.key is not None, bare, keyed, version)
    session.key_verdict = verdict
    settings = session.local_settings
    if (
        verdict in ("missing", "rejected", "empty-in-proxy")
        and settings is not None
        and settings.port == session.port
        and settings.api_key is not None
        and not settings.api_key
    ):
        verdict = "empty-in-proxy"
    answer = keyed if keyed is not None else bare
    if isinstance(answer, Reply):
        facts |= {"status": str(answer.status), "message": session.hidden(message_of(answer))}
    facts["source"] = session.key_source or words("key-given")
    facts["sent"] = words("key-sent" if keyed is not None else "key-unsent", source=facts["source"])
    if verdict == "missing":
        return Verdict("warn", facts=facts, findings=(finding("AGD201", **facts),))
    code = {"rejected": "AGD202", "ip-blocked": "AGD203", "empty-in-proxy": "AGD206", "limited": "AGD208"}.get(verdict)
    if code is not None:
        evidence = (_whose_key(session),) if code == "AGD202" and session.key_source is not None else ()
        return Verdict("fail", facts=facts, findings=(finding(code, **facts)._replace(evidence=evidence),))
    if verdict == "undecided":
        unsendable = isinstance(answer, Failure) and answer.kind == "unsendable"
        because = "key-unsendable" if unsendable else _why_unknown(models)
        return Verdict("inconclusive", because, facts)
    return Verdict("pass", facts=facts | {"state": words(f"key-{verdict}", source=facts["source"])})


def _whose_key(session: Session) -> str:
    """Where the key that was rejected is from, and what that means: the user may not know that it was sent."""
    source, settings = session.key_source or "", session.local_settings
    if settings is not None and source == settings.path:
        return words("key-of-file", source=source)
    if settings is not None and settings.port == session.port and settings.api_key and settings.api_key != session.key:
        return words("key-not-of-file", source=source, file=settings.path)
    return words("key-of", source=source)


async def check_key_carriers(session: Session, ask: Asker) -> Verdict:
    """Does the client's key arrive? Its header must be one that this version reads, and no other may hide it."""
    if session.auth == "off":
        return Verdict("skipped", "no-key-wanted")
    findings: list[Finding] = [*_hidden_by_authorization(session), *_in_query(session)]
    checked: list[str] = []
    undecided = False
    for header, mode in client_headers(session).items():
        facts = {"header": header, "mode": mode.name, "status": "", "path": _MODELS, "source": session.key_source or ""}
        if header.startswith("query:"):
            # AGD205 is for a key that is in the URL as well; here it is nowhere else, so it never arrives
            query = words("in-query", parameter=header.partition(":")[2])
            findings.append(finding("AGD209", 0.9, **facts | {"header": query}))
            continue
        checked.append(header)
        carrier = carrier_of(header)
        reads = carries_key(session, header)
        if carrier is not None and session.key is not None and session.auth == "on":
            outcome = await ask.ask("GET", _MODELS, carrier)
            if session.key_verdict == "accepted":
                reads = outcome.status not in (401, 403) if isinstance(outcome, Reply) else None
                facts["status"] = str(outcome.status) if isinstance(outcome, Reply) else ""
        if reads is False:
            if carrier is not None:
                ask.judge("GET", _MODELS, carrier)
            findings.append(finding("AGD209", **facts))
        undecided = undecided or reads is None
    shown = {"headers": ", ".join(checked) or "-"}
    if any(each.severity == "error" for each in findings):
        return Verdict("fail", facts=shown, findings=tuple(findings))
    if findings:
        return Verdict("warn", facts=shown, findings=tuple(findings))
    if undecided:
        return Verdict("inconclusive", "version-hidden", shown)
    if not checked:
        return Verdict("skipped", "no-client")
    return Verdict("pass", facts=shown)


def _hidden_by_authorization(session: Session) -> list[Finding]:
    """AGD204: two different keys in this shell's Anthropic variables; the Authorization one wins and hides the other.

    Only where ANTHROPIC_BASE_URL points to this very proxy: otherwise the variables are none of our business.
    """
    environment = session.options.environment
    token, key = environment.get("ANTHROPIC_AUTH_TOKEN", ""), environment.get("ANTHROPIC_API_KEY", "")
    if not token or not key or token == key or not _points_here(session, environment.get("ANTHROPIC_BASE_URL", "")):
        return []
    if session.key is not None and session.key_verdict == "accepted" and session.key.reveal() == token:
        return []  # the one that wins is the right one
    return [finding("AGD204", 0.8, wins="ANTHROPIC_AUTH_TOKEN", hidden="ANTHROPIC_API_KEY", status="", path="")]


def _points_here(session: Session, base_url: str) -> bool:
    try:
        host, port = host_and_port(parse_base_url(base_url).origin)
    except BadUrlError:
        return False
    return port == session.port and (host == session.host or (session.loopback and host in ("localhost", "127.0.0.1")))


def _in_query(session: Session) -> list[Finding]:
    """AGD205 for a key that was typed into the base URL."""
    _, _, query = (session.options.base_url or "").partition("?")
    names = [pair.partition("=")[0] for pair in query.split("&") if pair.partition("=")[2]]
    return [
        finding("AGD205", parameter=name, header="", mode="", status="", path="")
        for name in names
        if name.lower() in ("key", "api_key", "apikey", "api-key", "token")
    ][:1]
