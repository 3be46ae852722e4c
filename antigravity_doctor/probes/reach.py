"""Stage `reach`: is there anything, and does it speak HTTP?"""

from __future__ import annotations

import asyncio

from antigravity_doctor.diagnosis.answers import Failure, Outcome, Reply
from antigravity_doctor.diagnosis.model import Finding
from antigravity_doctor.diagnosis.settings import ProxySettings
from antigravity_doctor.diagnosis.urls import is_loopback_host, is_private_host, without_credentials
from antigravity_doctor.knowledge.programs import Program, by_bytes
from antigravity_doctor.knowledge.routes import table_for, within
from antigravity_doctor.probes.client_paths import fixes_at
from antigravity_doctor.probes.discover import discover, identify
from antigravity_doctor.probes.session import Asker, Session, Verdict, finding, first_round, words
from antigravity_doctor.probes.transport import (
    Address,
    Transport,
    connect,
    excepted,
    first_bytes,
    proxy_from,
    proxy_variable,
    resolve,
    speaks_tls,
)
from antigravity_doctor.sources.surroundings import surroundings

_MOST_ADDRESSES = 6
_SNIFF = 1.0


# --- name ------------------------------------------------------------------------------------------------------------


async def check_name(session: Session, ask: Asker) -> Verdict:
    """Does the host name lead to an address? Decides as well whether an HTTP proxy is in between."""
    facts = {"host": session.host, "port": str(session.port)}
    found = await resolve(session.host, session.port, session.budget())
    public = not is_private_host(session.host) and not (isinstance(found, list) and all(each.private for each in found))
    if public:
        session.http_proxy = proxy_from(session.options.environment, session.scheme, session.host, session.port)
    if isinstance(found, Failure):
        if session.out_of_time():
            return _too_short(session, facts)
        if session.http_proxy is not None:
            return Verdict("pass", facts=facts | {"addresses": words("left-to-proxy")})
        return Verdict("fail", facts=facts, findings=(finding("AGD103", **facts)._replace(evidence=(found.detail,)),))
    session.addresses = found[:_MOST_ADDRESSES]
    return Verdict("pass", facts=facts | {"addresses": ", ".join(each.ip for each in session.addresses)})


def _too_short(session: Session, facts: dict[str, str]) -> Verdict:
    """Nothing is known, because the user's own limit ended the check before one request could."""
    return Verdict("inconclusive", "limit-too-short", facts)


# --- port ------------------------------------------------------------------------------------------------------------


async def check_port(session: Session, ask: Asker) -> Verdict:
    """Does something accept connections? On loopback every address is tried: clients differ in theirs."""
    facts = {"host": session.host, "port": str(session.port), "url": session.origin}
    if session.http_proxy is not None:
        return Verdict("pass", facts=facts | {"address": without_credentials(session.http_proxy[1])})
    addresses = list(session.addresses)
    only_v6 = all(each.family == 6 and each.loopback for each in addresses)
    if only_v6:  # the proxy never listens there (facts §9): look where it would
        addresses.append(Address("127.0.0.1", 4))
    outcomes = await _connect_all(session, addresses)
    working = [each for each in addresses if isinstance(outcomes.get(each), float)]
    asked = [each for each in working if each in session.addresses]
    first = addresses[0]
    if asked:
        session.address = asked[0]
        facts["address"] = session.address.ip
        if first.family == 6 and first.loopback and first not in working:
            # the name works, if late: clients that try one address only are few
            found = _ipv6_first(session, facts, first.ip, session.address.ip)._replace(severity="warning")
            return Verdict("warn", facts=facts, findings=(found,))
        return Verdict("pass", facts=facts)
    failure = next(each for each in (outcomes[address] for address in addresses) if isinstance(each, Failure))
    if failure.kind != "refused" and not working and session.out_of_time():
        return _too_short(session, facts)
    if failure.kind == "refused" or (working and only_v6):
        found = finding("AGD101", **facts)
    else:
        found = finding("AGD102", **facts, seconds=f"{session.options.timeout:g}")
    evidence = (failure.detail,)
    another = await elsewhere(session)
    if another and found.code == "AGD101" and not working:
        # to start a proxy that runs, on a port that is not its own, is no advice
        return Verdict("fail", facts=facts, findings=(another[0]._replace(evidence=evidence), *another[1:]))
    findings = [found._replace(evidence=evidence)]
    if working and only_v6:
        another = [_ipv6_first(session, facts, first.ip, working[0].ip), *another]
    if not another:  # whatever answers on this very loopback is nearer than the computer outside
        findings += _elsewhere_here(session, facts)
    return Verdict("fail", facts=facts, findings=(*another, *findings))


def _ipv6_first(session: Session, facts: dict[str, str], refused: str, works: str) -> Finding:
    """AGD104, for a name that leads to an IPv6 address first or for that address itself."""
    key = "is-ipv6" if session.host == refused else "leads-to-ipv6"
    return finding("AGD104", **facts, works=works, observed=words(key, host=session.host, refused=refused))


async def _connect_all(session: Session, addresses: list[Address]) -> dict[Address, Failure | float]:
    """Connects to all addresses at once. For a remote host the first that works is enough."""
    budget = session.budget()
    tasks = {asyncio.create_task(connect(each, session.port, budget)): each for each in addresses}
    outcomes: dict[Address, Failure | float] = {}
    pending: set[asyncio.Task[Failure | float]] = set(tasks)
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            outcomes[tasks[task]] = task.result()
        if not session.loopback and any(isinstance(each, float) for each in outcomes.values()):
            break
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    return outcomes


def _elsewhere_here(session: Session, facts: dict[str, str]) -> list[Finding]:
    """AGD108 in a container, AGD118 in WSL 2 and in a remote session: loopback is not the user's own computer there."""
    if not session.loopback:
        return []
    around = surroundings(session.options.environment)
    inside = session.options.in_container
    if inside or (inside is None and around.container is not None):
        return [finding("AGD108", 0.7, **facts)]
    where = "wsl" if around.wsl == 2 else around.remote
    return [finding("AGD118", 0.5, **facts, where=words("in-" + where))] if where is not None else []


async def elsewhere(session: Session) -> list[Finding]:
    """AGD116 for the likeliest local port that does answer as this proxy, with the base URL for it.

    A fix is made only where the client or the base URL is known: else nobody can tell the base URL's path.
    """
    found = await discover(session)
    if not found:
        return []
    best = found[0]
    url = f"http://127.0.0.1:{best.port}"
    try:
        table = table_for(best.version)
    except ValueError:  # it names a version that no proxy has
        table = table_for(None)
    return [
        finding(
            "AGD116",
            0.9,
            host=session.host,
            port=str(session.port),
            found=str(best.port),
            found_url=url,
            version=best.version or words("unknown-version"),
            others=", ".join(str(each.port) for each in found[1:]) or "-",
        )._replace(fixes=fixes_at(session, url, table))
    ]


# --- http ------------------------------------------------------------------------------------------------------------


async def check_http(session: Session, ask: Asker) -> Verdict:
    """Does the port speak HTTP, in time and to the end? Starts the first round of requests."""
    await session.open()
    facts = {"host": session.host, "port": str(session.port), "url": session.origin}
    asked = first_round(session.canary)
    for method, path in asked:
        session.send(method, path, None)
    outcomes = [await ask.ask(*asked[0])]
    if not _whole(outcomes[0]):
        outcomes += [await asyncio.shield(session.send(method, path, None)) for method, path in asked[1:]]
    whole = next((each for each in outcomes if isinstance(each, Reply) and _whole(each)), None)
    if whole is not None:
        return Verdict("pass", facts=facts | {"elapsed": f"{whole.elapsed_ms:.0f}"})
    if session.out_of_time():
        return _too_short(session, facts)
    broken = await _broken(session, outcomes, facts)
    another = await elsewhere(session) if broken.code in ("AGD111", "AGD112", "AGD102") else []
    return Verdict("fail", facts=facts, findings=(*another, broken))


def _whole(outcome: Outcome) -> bool:
    """True for an answer that is complete, or so long that reading on would be no use and says so."""
    if not isinstance(outcome, Reply):
        return False
    return outcome.whole == "whole" or (outcome.whole == "limited" and outcome.header("content-length") is not None)


async def _broken(session: Session, outcomes: list[Outcome], facts: dict[str, str]) -> Finding:
    """Which finding it is that no request got a complete answer."""
    reply = next((each for each in outcomes if isinstance(each, Reply)), None)
    if reply is not None:
        return finding("AGD112", **facts, detail=words(f"body-{reply.whole}", status=str(reply.status)))
    failure = next(each for each in outcomes if isinstance(each, Failure))
    detail = words(f"failure-{failure.kind}")
    evidence = (session.hidden(failure.detail),)
    if failure.kind == "proxy" and session.http_proxy is not None:
        name, value = session.http_proxy
        more = {"variable": name, "proxy": without_credentials(value)}
        return finding("AGD107", 1.0, "error", **facts, **more)._replace(evidence=evidence)
    if failure.kind in ("certificate", "tls"):
        return finding("AGD114", **facts, detail=detail)._replace(evidence=evidence)
    if failure.kind == "no-tls":
        return await _no_tls(session, facts, detail)
    program, raw = await _sniff(session)
    said = _shown(raw)
    if program is not None:
        return finding("AGD111", **facts, program=program.name, detail=said or detail)
    if raw and not raw.startswith(b"HTTP"[: len(raw)]):
        return finding("AGD111", **facts, program=words("not-http"), detail=said or detail)
    place = _location(raw)
    if place:  # HTTP libraries refuse the whole answer for a character in it that no header may have
        return finding("AGD113", **facts, location=session.hidden(place))
    if failure.kind in ("timeout", "connect-timeout") and (not raw or _has_head(raw)):
        # a whole head comes to another request: then this one was not broken, only late
        return finding("AGD102", **facts, seconds=f"{session.options.timeout:g}")
    return finding("AGD112", **facts, detail=detail)._replace(evidence=evidence)


def _has_head(raw: bytes) -> bool:
    """Whether the whole head of a final answer is among these bytes (1xx only announces one)."""
    return b"\r\n\r\n" in raw and raw.startswith(b"HTTP/") and raw.partition(b" ")[2][:1] != b"1"


def _location(raw: bytes) -> str:
    """Where an answer of raw bytes redirects to, with `?` for what cannot be shown; "" if it does not."""
    head, _, _ = raw.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    if not status.startswith("HTTP/") or status.partition(" ")[2][:1] != "3":
        return ""
    place = next((line.partition(":")[2] for line in lines if line.lower().startswith("location:")), "")
    return "".join(each if each.isascii() and each.isprintable() else "?" for each in place.strip())[:200]


async def _no_tls(session: Session, facts: dict[str, str], detail: str) -> Finding:
    """https was asked for and TLS is not spoken: AGD105 if plain HTTP is."""
    plain = f"http://{session.origin.partition('://')[2]}"
    async with Transport(
        plain, address=session.address, timeout=session.budget(), deadline=session.deadline
    ) as transport:
        outcome = await transport.ask("GET", "/healthz")
    if isinstance(outcome, Reply):
        return finding("AGD105", **facts, plain_url=plain)
    program, raw = await _sniff(session)
    name = program.name if program is not None else words("not-http")
    return finding("AGD111", **facts, program=name, detail=_shown(raw) or detail)


async def _sniff(session: Session) -> tuple[Program | None, bytes]:
    """What the port says in its own protocol, and which program that is."""
    if session.address is None:
        return None, b""
    hello = b"GET / HTTP/1.0\r\n\r\n"
    budget = session.budget(_SNIFF)
    raw, tls = await asyncio.gather(
        first_bytes(session.address, session.port, hello, budget),
        speaks_tls(session.address, session.port, budget) if session.scheme == "http" else _false(),
    )
    if tls:
        return by_bytes(b"\x15\x03"), b""
    return by_bytes(raw), raw


async def _false() -> bool:
    return False


def _shown(raw: bytes) -> str:
    """The first line of raw bytes as a short phrase; "" for what is hardly text."""
    line = raw.strip().partition(b"\n")[0].strip()[:60]
    text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in line)
    return words("it-said", text=text) if text.count(".") * 2 < len(text) else ""


# --- HTTP proxy variables --------------------------------------------------------------------------------------------


async def check_http_proxy(session: Session, ask: Asker) -> Verdict:
    """Would other programs send requests for this host through an HTTP proxy?"""
    environment = session.options.environment
    facts = {"host": session.host, "port": str(session.port), "url": session.origin}
    found = proxy_variable(environment, session.scheme)
    if session.http_proxy is not None:
        name, value = session.http_proxy
        facts |= {"variable": name, "proxy": without_credentials(value)}
        return Verdict("pass", facts=facts | {"state": words("proxy-used", **facts)})
    excluded = excepted(environment, session.host, session.port)
    if found is None:
        # Most programs go by the scheme, so this is no fault; some clients take HTTPS_PROXY for everything.
        other = proxy_variable(environment, "https" if session.scheme == "http" else "http")
        if other is None:
            return Verdict("pass", facts=facts | {"state": words("proxy-none")})
        key = "proxy-excepted" if excluded else f"proxy-not-for-{session.scheme}"
        return Verdict("pass", facts=facts | {"state": words(key, variable=other[0], **facts)})
    name, value = found
    if excluded:
        return Verdict("pass", facts=facts | {"state": words("proxy-excepted", variable=name, **facts)})
    more = {"variable": name, "proxy": without_credentials(value)}
    return Verdict("warn", facts=facts | more, findings=(finding("AGD107", 0.8, **facts, **more),))


# --- the settings file -----------------------------------------------------------------------------------------------

_MOST_FAULTS = 3


async def check_settings(session: Session, ask: Asker) -> Verdict:
    """Does the proxy load its own settings file, and is the port in it the one on which it answers?"""
    settings = session.local_settings
    if not is_loopback_host(session.host):
        return Verdict("skipped", "not-this-machine")
    if settings is None:
        return Verdict("skipped", "no-settings-file")
    facts = {"file": settings.path, "host": session.host, "port": str(session.port)}
    if settings.problem == "unreadable":  # the proxy may well run as somebody who can read it
        return Verdict("inconclusive", "settings-unreadable", facts)
    problem = words(f"file-{settings.problem}") if settings.problem is not None else _refused(session, settings)
    findings = []
    if problem:
        facts["problem"] = problem
        findings.append(finding("AGD117", 0.9, **facts))
    if settings.port is not None:
        facts["settings_port"] = str(settings.port)
        differs, facts["state"] = await _port_in_file(session, settings.port, facts)
        findings += [differs] if differs is not None else []
    if problem:
        return Verdict("fail", facts=facts, findings=tuple(findings))
    if settings.port is None:
        return Verdict("inconclusive", "settings-without-port", facts)
    return Verdict("warn" if findings else "pass", facts=facts, findings=tuple(findings))


def _refused(session: Session, settings: ProxySettings) -> str:
    """Why the proxy would not load the file, as a phrase; "" where it would. A version that is known to be older than
    a field does not read it."""
    known = session.known if session.known is not None and session.known.source != "assumed" else None
    faults = [each for each in settings.faults if known is None or within(known.table.version, each.since, None)]
    if not faults:
        return ""
    missing = [each.field for each in faults if each.kind == "missing"]
    said = [
        words("fault-" + each.kind, field=each.field or words("the-file"), shown=session.hidden(each.shown))
        for each in faults
        if each.kind != "missing"
    ][:_MOST_FAULTS]
    if missing:
        said.append(words("fault-missing", fields=", ".join(missing)))
    return words("file-refused", faults="; ".join(said))


async def _port_in_file(session: Session, named: int, facts: dict[str, str]) -> tuple[Finding | None, str]:
    """AGD110 where the port in the file is not the one on which the proxy answers, and what to say else."""
    here = session.identity is not None and session.identity.proxy is True
    if named == session.port and here:
        return None, words("settings-agree")
    # Where the port check looked around: the port was perhaps taken from this very file, and proves nothing then.
    found = await discover(session) if session.found_ports is not None else []
    answers = any(each.port == named for each in found) or (
        named != session.port and await identify(session, named) is not None
    )
    if here and answers:
        return None, words("settings-of-another", **facts)  # two proxies, each on its own port
    actual = session.port if here else next((each.port for each in found), None)
    if named == session.port and actual is None:
        return None, words("settings-name-it", **facts)
    if answers or actual is None:
        said = words("answers-there" if answers else "silent-there")
        return finding("AGD110", 0.9, **facts, answers=said), ""
    facts |= {"port": str(actual)}
    key = "mend-or-now" if "problem" in facts else "restart-or-now"  # with a broken file, no restart helps
    return finding("AGD110", 0.8, **facts, answers=words(key, **facts)), ""
