"""What happened with this path, and which base URL would have been right? (observed path -> base + suffix)

The inverse problem of the algebra. Every way in which a catalogued client can have made the path is tried; for each,
the right base URL is solved and proved (`fixing`); what is odd about the path itself is named (`faults`). With the
base URL in use known, the answer is exact.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

from antigravity_doctor.diagnosis import fixing, symptoms
from antigravity_doctor.diagnosis.anatomy import Anatomy, dissect, is_oversized
from antigravity_doctor.diagnosis.families import Hypothesis, from_base, hypotheses
from antigravity_doctor.diagnosis.faults import path_findings
from antigravity_doctor.diagnosis.matching import allow_header, allows, match
from antigravity_doctor.diagnosis.model import Finding, Fix, Verdict
from antigravity_doctor.diagnosis.simulating import simulate
from antigravity_doctor.diagnosis.solving import candidate_paths
from antigravity_doctor.diagnosis.spelling import corrected
from antigravity_doctor.diagnosis.urls import DEFAULT_ORIGIN, host_and_port, is_loopback_host, split_url
from antigravity_doctor.knowledge import paths
from antigravity_doctor.knowledge.clients import Client, Mode, all_clients
from antigravity_doctor.knowledge.routes import Route, RouteTable, history, table_for
from antigravity_doctor.knowledge.versions import parse_version


class Explanation(NamedTuple):
    """The answer for one request. `route` is the route reached, or the one that was meant; `fixes` best first."""

    method: str | None
    path: str
    query: str | None
    verdict: Verdict
    route: Route | None
    findings: tuple[Finding, ...]
    fixes: tuple[Fix, ...]


class _Asked(NamedTuple):
    """What is known about a request whose path is no route. `base_path` is "" with the bare origin, None if unknown.

    `sent_to` is the origin that it went to (where that is not known, the proxy's), `configured` the base URL in use.
    """

    path: str
    method: str | None
    table: RouteTable
    origin: str
    sent_to: str
    configured: str
    base_path: str | None
    client: Client | None


class _Missed(NamedTuple):
    """The answer as far as the path goes, before what status, body and host add to it."""

    verdict: Verdict
    route: Route | None
    findings: tuple[Finding, ...]
    fixes: tuple[Fix, ...]


def explain(
    path: str,
    *,
    table: RouteTable,
    origin: str = DEFAULT_ORIGIN,
    method: str | None = None,
    query: str | None = None,
    status: int | None = None,
    body: str | None = None,
    kind: str | None = None,
    headers: Collection[tuple[str, str]] = (),
    base_url: str | None = None,
    client: Client | None = None,
    host: str | None = None,
    failure: str | None = None,
) -> Explanation:
    """Explains one request; never raises, whatever the path.

    `path` is the raw request path without its query; `origin` is where the proxy is, and what every fix is made for;
    `base_url` is the base URL that is in use (then the answer is exact); `host` is the origin that the request was
    sent to, where that is known and may be another; `kind` is what `symptoms.body_kind` made of an answer's body, for
    a caller that has looked at it itself; `failure` is the connection error that it ended in (see
    `symptoms.on_failure`).
    """
    if failure is not None:
        found_anyway = explain(
            path, table=table, origin=origin, method=method, query=query, base_url=base_url, client=client, host=host
        )
        return _unanswered(found_anyway, failure, host or origin)
    if headers and any(name == "x-admin-stripped" for name, _ in headers):
        # The proxy's own log line of its admin API, which it writes without the /api in front.
        facts = {"path": "/api" + path}
        return Explanation(
            method, path, query, "not-a-path-problem", None, (Finding("AGD603", "info", 0.9, facts),), ()
        )
    if path[:1] != "/":
        path = "/" + path
    if method is not None:
        method = method.upper()
    found = match(table, path)
    around: tuple[Finding, ...] = ()
    elsewhere: tuple[Finding, ...] = ()
    if host is not None and host != origin:
        elsewhere = _elsewhere(host, origin)
        if elsewhere and (elsewhere[0].code == "AGD501" or (elsewhere[0].code == "AGD502" and status in (404, 405))):
            # Another server answered: nothing that it said tells anything about the proxy.
            status, body, kind, headers = None, None, None, ()
    if query:
        around = symptoms.in_query(query)
    if kind is None:
        kind = symptoms.body_kind(body, headers) if body is not None or headers else "unknown"
    if found is not None:
        routed = _routed(found.route, path, method, query, status, kind, table, elsewhere, around)
        if host is not None and elsewhere and elsewhere[0].code in ("AGD501", "AGD502"):
            return routed._replace(fixes=_same_path_here(path, method, table, origin, host, client))
        return routed
    base_path = None
    if base_url is not None:
        base_path = base_url[len(split_url(base_url).origin) :].partition("?")[0]
    asked = _Asked(path, method, table, origin, host or origin, base_url or "", base_path, client)
    missed = _missed(asked)
    findings = missed.findings
    if status is not None or kind != "unknown":
        findings += symptoms.on_a_miss(path, method, status, kind, missed.verdict)
    if elsewhere:
        first = elsewhere[0].code == "AGD501" and findings[0].code != "AGD601"
        findings = elsewhere + findings if first else findings + elsewhere
    return Explanation(method, path, query, missed.verdict, missed.route, findings + around, missed.fixes)


def _unanswered(found: Explanation, failure: str, place: str) -> Explanation:
    """The same explanation for a request that got no answer at all: that comes first, whatever the path."""
    try:
        host, port = host_and_port(place)
    except ValueError:
        return found
    finding = symptoms.on_failure(failure, host, port)
    others = tuple(each for each in found.findings if each.code not in ("AGD601", "AGD602"))
    verdict: Verdict = "not-a-path-problem" if found.verdict == "routed" else found.verdict
    return found._replace(verdict=verdict, findings=(finding, *others))


def _elsewhere(host: str, origin: str) -> tuple[Finding, ...]:
    """AGD501, AGD502 or AGD508 where the request went to a vendor, another port or another host than the proxy's."""
    try:
        sent_host, sent_port = host_and_port(host)
        proxy_host, proxy_port = host_and_port(origin)
    except ValueError:
        return ()
    vendor = paths.vendor_of(sent_host)
    if vendor is not None:
        return (Finding("AGD501", "error", 0.95, {"host": host, "who": vendor, "origin": origin}),)
    both_local = is_loopback_host(sent_host) and is_loopback_host(proxy_host)
    if sent_port != proxy_port and (both_local or sent_host == proxy_host):
        return (Finding("AGD502", "warning", 0.8, {"host": host, "port": str(sent_port), "origin": origin}),)
    if both_local or sent_host == proxy_host:
        return ()
    return (Finding("AGD508", "info", 0.9, {"host": host, "origin": origin}),)


# --- the path is a route ---------------------------------------------------------------------------------------------


def _same_path_here(
    path: str, method: str | None, table: RouteTable, origin: str, host: str, client: Client | None
) -> tuple[Fix, ...]:
    """The base URLs that ask the proxy for the same right path: only what is in front of it changes."""
    solved = fixing.guessed(hypotheses(path, client, method), table, origin, host, fixing.ALONE)
    return tuple(
        each
        for each in solved.fixes
        if each.configured_base_url is not None
        and each.note is None
        and each.base_url.removeprefix(origin) == each.configured_base_url.removeprefix(host)
    )


def _routed(
    route: Route,
    path: str,
    method: str | None,
    query: str | None,
    status: int | None,
    kind: str,
    table: RouteTable,
    elsewhere: tuple[Finding, ...],
    around: tuple[Finding, ...],
) -> Explanation:
    verdict: Verdict
    findings: tuple[Finding, ...]
    if method is None and status == 405:
        # Without the method, a 405 on a real path is most simply a wrong method (a GET from a browser).
        verdict, findings = "wrong-method", (_wrong_method(route, "", 0.8),)
    elif method is None or method == "OPTIONS" or allows(route, method):
        findings = symptoms.on_a_route(route, method, status, kind, table) if status or kind != "unknown" else ()
        verdict = "not-a-path-problem" if findings else "routed"
        if findings and findings[0].code == "AGD403":
            verdict = "other-version"
        if findings and around:
            # The proxy never reads a key from the query: where it asks for one, that comes first.
            findings = around + findings if status in (401, 403) else findings + around
            around = ()
    else:
        verdict, findings = _not_taken(route, path, method, status, kind, table)
    if elsewhere and elsewhere[0].code in ("AGD501", "AGD502"):
        # What is right about the path does not matter as long as the request goes somewhere else.
        findings = elsewhere + findings
        verdict = "not-a-path-problem" if verdict == "routed" else verdict
    else:
        findings += elsewhere
    return Explanation(method, path, query, verdict, route, findings + around, ())


def _not_taken(
    route: Route, path: str, method: str, status: int | None, kind: str, table: RouteTable
) -> tuple[Verdict, tuple[Finding, ...]]:
    """A route that does not take this method: another version may, or the client goes on with another by itself."""
    noise = paths.harmless_methods().get((method, path))
    harmless = (Finding("AGD601", "info", 0.9, {"path": f"{method} {path}", "why": noise}),) if noise else ()
    past = history(route.path)
    since = next((each.since for each in past.spans if method in each.methods), None) if past is not None else None
    if since is not None:
        served = f"{since}+"
        facts = {"path": f"{method} {path}", "since": since, "served": served, "version": str(table.version)}
        facts["method"] = method
        return "other-version", (Finding("AGD403", "info" if harmless else "error", 0.9, facts), *harmless)
    if harmless:
        return "not-a-path-problem", harmless
    findings: tuple[Finding, ...] = (_wrong_method(route, method, 1.0),)
    if status in (401, 403):
        findings += symptoms.on_a_route(route, None, status, kind, table)
    return "wrong-method", findings


def _wrong_method(route: Route, method: str, confidence: float) -> Finding:
    facts = {"path": route.path, "method": method, "allowed": allow_header(route) or ""}
    return Finding("AGD401", "error", confidence, facts)


# --- the path is no route --------------------------------------------------------------------------------------------


def _missed(asked: _Asked, anatomy: Anatomy | None = None) -> _Missed:
    path = asked.path
    why = _noise().get(path)
    if why is not None:
        return _Missed("not-a-path-problem", None, (_harmless(path, why, 0.95),), ())
    if is_oversized(path):
        return _Missed("unsupported", None, (Finding("AGD316", "error", 0.9, {"path": path}),), ())
    anatomy = anatomy or dissect(path, _newest())
    styled = _styled(path, asked)
    if styled is not None:
        return styled
    later = _other_version(asked)
    if asked.base_path is not None:
        answer = _with_base(asked, asked.base_path, anatomy)
        mismatch: tuple[Finding, ...] = ()
        if answer is None:
            mismatch = _mismatch(asked, asked.base_path, anatomy)
            answer = _without_base(asked, anatomy)
        answer = answer._replace(findings=answer.findings + mismatch)
    else:
        answer = _without_base(asked, anatomy)
    if later is not None:
        mismatch = tuple(each for each in answer.findings if each.code == "AGD319")
        return _Missed("other-version", later[1], (later[0], *mismatch), answer.fixes)
    return answer


@lru_cache(maxsize=1)
def _newest() -> RouteTable:
    """The table of the newest version: what a path is taken apart with, so that no endpoint is unknown."""
    return table_for(None)


def _harmless(path: str, why: str, confidence: float) -> Finding:
    return Finding("AGD601", "info", confidence, {"path": path, "why": why})


@lru_cache(maxsize=1)
def _noise() -> dict[str, str]:
    """Harmless requests, the extra ones of all clients among them: path -> why it is requested."""
    return paths.harmless() | {
        path: str(extra["why"])
        for client in all_clients()
        for mode in client.modes
        for extra in mode.raw.get("extras", ())
        if (path := extra["path"].partition("?")[0]) not in ("", "/")
    }


@lru_cache(maxsize=1)
def _noise_endings() -> dict[str, tuple[tuple[str, str], ...]]:
    """Harmless requests by the last segment of their path: ((path, why), …)."""
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for path, why in _noise().items():
        last = path.rpartition("/")[2]
        found[last] = (*found.get(last, ()), (path, why))
    return found


def _styled(path: str, asked: _Asked) -> _Missed | None:
    """Azure, Ollama and Vertex paths: no base URL alone helps, the provider type of the client must change."""
    folded = path.lower()
    for hint in paths.style_hints():
        if hint in folded:
            break
    else:
        return None
    for style in paths.styles():
        if style.hint not in folded:
            continue
        found = re.search(style.pattern, path, re.IGNORECASE)
        if found is None:
            continue
        solved = fixing.NOTHING
        resource = found.expand(style.resource)
        if resource:
            solved = fixing.by_endpoint(dissect(resource, _newest()), None, None, asked.table, asked.origin, style.id)
        finding = Finding(style.code, "error", 0.95, {"path": path})
        return _Missed("misrouted" if solved.fixes else "unsupported", solved.route, (finding,), solved.fixes)
    return None


def _other_version(asked: _Asked) -> tuple[Finding, Route] | None:
    """AGD403 for a path that this version does not route but a newer one does."""
    newest = _newest()
    found = match(newest, asked.path) if newest is not asked.table else None
    return _since(asked, asked.path, found.route) if found is not None else None


def _served_later(asked: _Asked, anatomy: Anatomy) -> tuple[Finding, Route] | None:
    """AGD403 for a path whose endpoint this version serves nowhere, but a newer one does."""
    newest = _newest()
    if newest is asked.table or not anatomy.endpoint:
        return None
    versions = [part.text for part in anatomy.parts if part.kind == "version"]
    for prefix in sorted(candidate_paths(newest)[0], key=lambda each: each not in versions):
        path = prefix + anatomy.endpoint
        found = match(newest, path)
        if found is not None and match(asked.table, path) is None:
            return _since(asked, path, found.route)
    return None


def _since(asked: _Asked, path: str, route: Route) -> tuple[Finding, Route] | None:
    past = history(route.path)
    version = asked.table.version
    spans = past.spans if past is not None else ()
    since = next((each.since for each in spans if parse_version(each.since) > version), None)
    if since is None:
        return None
    # Language-free: "v3.0.0–v3.3.50, v4.0.10+".
    served = ", ".join(f"{first}–{last}" if last else f"{first}+" for first, last in past.presence) if past else since
    facts = {"path": path, "since": since, "served": served, "version": str(version), "method": asked.method or ""}
    return Finding("AGD403", "error", 0.95, facts), route


def _mismatch(asked: _Asked, base_path: str, anatomy: Anatomy) -> tuple[Finding, ...]:
    """AGD319 where the path cannot have been made from the base URL that is said to be in use."""
    base = base_path.rstrip("/")
    behind = asked.path == base_path or asked.path.startswith(base + "/")
    if behind and (asked.path == base + anatomy.endpoint or not hypotheses(asked.path, asked.client, asked.method)):
        # It begins as it should; what follows is simply something that no catalogued client adds.
        return ()
    return (Finding("AGD319", "warning", 0.8, {"path": asked.path, "base_url": asked.configured}),)


def _with_base(asked: _Asked, base_path: str, anatomy: Anatomy) -> _Missed | None:
    """The exact answer: base path and suffix are both known. None where the base URL did not make this path."""
    path, table, client = asked.path, asked.table, asked.client
    if path == base_path and client is None:
        # Few clients take an endpoint off again, or keep one that is typed: a setting that wants all of it is likelier.
        whole = _whole(asked, anatomy)
        if whole is not None:
            return whole
    guesses = from_base(path, base_path, client, asked.method)
    # "/completions" also ends in "/chat/completions": a suffix that covers the whole endpoint is meant rather.
    guesses = [each for each in guesses if each.appends.endswith(anatomy.endpoint)] or guesses
    ceiling = fixing.EXACT if client is not None else fixing.WITH_BASE
    if guesses:
        again = _second_try(asked, guesses, anatomy) if client is not None else None
        if again is not None:
            return _Missed("not-a-path-problem", None, (_harmless(path, again, 0.8),), ())
        fixes = fixing.exact(guesses, table, asked.origin, asked.configured, ceiling)
        if fixes:
            reached = match(table, fixes[0].resulting_path)
            route = reached.route if reached is not None else None
            return _Missed("misrouted", route, path_findings(anatomy, route, ceiling, exact=True), fixes)
        return _unserved(asked, anatomy, guesses)
    if path == base_path:
        return _whole(asked, anatomy)
    if client is not None and hypotheses(path, client, asked.method, anatomy.endpoint):
        # This client makes such paths, but of another base URL.
        return None
    solved = fixing.generic(path, base_path, asked.method, table, asked.origin, asked.configured)
    if solved is None:
        return None
    fix, route = solved
    return _Missed("misrouted", route, path_findings(anatomy, route, fixing.WITH_BASE, exact=True), (fix,))


def _whole(asked: _Asked, anatomy: Anatomy) -> _Missed | None:
    """The request went to the base URL itself: the setting wants a full endpoint, and has a misspelt one."""
    named = _whole_of_client(asked, anatomy)
    if named is not None:
        return named
    if not anatomy.endpoint:
        return None
    solved = fixing.by_endpoint(anatomy, asked.method, None, asked.table, asked.origin)
    if solved.route is None or not solved.fixes:
        return None
    target = solved.fixes[0].resulting_path
    fix = Fix(asked.origin + target, fixing.WITH_BASE, "", asked.configured, target, solved.route.path)
    return _Missed("misrouted", solved.route, path_findings(anatomy, solved.route, fixing.WITH_BASE, True), (fix,))


def _whole_of_client(asked: _Asked, anatomy: Anatomy) -> _Missed | None:
    """Where the client that was named takes full endpoints: the one for each mode in which it does so, first that which
    is most like what was typed. AGD317 where that is no endpoint at all."""
    whole = [
        mode
        for mode in (asked.client.modes if asked.client is not None else ())
        if any(
            each.path == asked.path for each in simulate(mode, asked.configured, asked.table).requests if each.required
        )
    ]
    fixes = fixing.fixes_of_modes(whole, asked.table, asked.origin, asked.configured) if asked.configured else ()
    if not fixes:
        return None
    typed = set(asked.path.split("/"))
    fixes = tuple(sorted(fixes, key=lambda each: -len(typed.intersection(each.resulting_path.split("/")))))
    found = match(asked.table, fixes[0].resulting_path)
    route = found.route if found is not None else None
    findings: tuple[Finding, ...] = (Finding("AGD317", "error", fixing.EXACT, {"path": asked.path}),)
    if anatomy.endpoint and route is not None:
        findings = path_findings(anatomy, route, fixing.EXACT, exact=True)
    return _Missed("misrouted", route, findings, fixes)


def _second_try(asked: _Asked, guesses: list[Hypothesis], anatomy: Anatomy) -> str | None:
    """When the client makes this request, if it is another try at one that lands with the base URL in use; else None.

    Kilo Code with a right base URL asks for …/v1/v1/responses after …/v1/responses has failed for another reason.
    """
    when = None
    for mode in dict.fromkeys(mode for each in guesses for mode in each.modes):
        simulation = simulate(mode, asked.configured, asked.table)
        first = any(each.required and each.path.endswith(anatomy.endpoint) for each in simulation.requests)
        tries = (
            request.when
            for request, each in zip(mode.requests, simulation.requests, strict=True)
            if each.path == asked.path and not each.required
        )
        when = next(tries, None) if simulation.works and first else None
        if not when:
            return None
    return when


def _unserved(asked: _Asked, anatomy: Anatomy, guesses: list[Hypothesis]) -> _Missed:
    """A request that lands nowhere, whatever the base URL: of a mode that works otherwise, or that never does."""
    modes = list(dict.fromkeys(mode for each in guesses for mode in each.modes))
    fixes = fixing.fixes_of_modes(modes, asked.table, asked.origin, asked.configured)
    odd = path_findings(anatomy, None, fixing.EXACT, exact=True) if fixes else ()
    what = _not_served(anatomy.endpoint)
    if what is not None:
        return _Missed("unsupported", None, (_unsupported(asked.path, anatomy, what), *odd), fixes)
    later = _served_later(asked, anatomy)
    if later is not None:
        return _Missed("other-version", later[1], (later[0], *odd), fixes)
    return _Missed("unsupported", None, (_no_base_works(modes[0]), *odd), fixes)


def _no_base_works(mode: Mode) -> Finding:
    name = next((each.name for each in all_clients() if each.id == mode.client), mode.client)
    return Finding("AGD410", "error", 0.9, {"client": name, "mode": mode.name})


def _without_base(asked: _Asked, anatomy: Anatomy) -> _Missed:
    """The likeliest answers: every suffix that the path ends in, and every base that people type in front of it."""
    table, client = asked.table, asked.client
    if not anatomy.endpoint:
        return _nothing_fits(asked, anatomy)
    guesses = hypotheses(asked.path, client, asked.method, anatomy.endpoint)
    stranger: tuple[Finding, ...] = ()
    if not guesses and client is not None:
        # What follows is about other clients, and that has to be said.
        stranger = (Finding("AGD320", "info", 0.9, {"client": client.name, "path": asked.path}),)
        client = None
        guesses = hypotheses(asked.path, None, asked.method, anatomy.endpoint)
    ceiling = fixing.WITH_CLIENT if client is not None else fixing.ALONE
    whole = fixing.whole_route(asked.path, anatomy, asked.method, table) if client is None else None
    solved = fixing.guessed(guesses, table, asked.origin, asked.sent_to, ceiling, whole)
    unserved = solved.unserved > solved.served
    if unserved or not solved.fixes:
        what = _not_served(anatomy.endpoint)
        if what is not None and _may_be_admin(asked, anatomy):
            return _Missed("not-a-path-problem", None, (Finding("AGD603", "info", 0.5, {"path": asked.path}),), ())
        if what is not None:
            odd = path_findings(anatomy, None, 0.8, exact=False) if len(anatomy.parts) > 2 or anatomy.faults else ()
            return _Missed("unsupported", None, (_unsupported(asked.path, anatomy, what), *odd), ())
    # "/models/claude" is a route of its own, which no client's "/models/{model}" means.
    if not solved.fixes or (unserved and solved.route is not None and ":" in solved.route.path):
        solved = fixing.by_endpoint(anatomy, asked.method, client, table, asked.origin)
        if not solved.fixes and asked.method is not None:
            # A real endpoint, but a method that it does not take: the path is wrong in any case.
            solved = fixing.by_endpoint(anatomy, None, client, table, asked.origin)
    if solved.fixes and solved.route is not None:
        findings = path_findings(anatomy, solved.route, ceiling, False)
        return _Missed("misrouted", solved.route, findings + stranger, solved.fixes)
    later = _served_later(asked, anatomy)
    if later is not None:
        odd = path_findings(anatomy, later[1], ceiling, exact=False)
        return _Missed("other-version", later[1], (later[0], *odd), ())
    return _nothing_fits(asked, anatomy)


def _unsupported(path: str, anatomy: Anatomy, what: str) -> Finding:
    return Finding("AGD402", "error", 0.95, {"path": path, "endpoint": anatomy.endpoint, "what": what})


def _not_served(endpoint: str) -> str | None:
    """What an endpoint is for that no version serves; None for one that some version does, or an unknown one."""
    if not endpoint or (endpoint.startswith("/models/") and ":" in endpoint):
        return None
    words = tuple(endpoint.strip("/").lower().split("/"))
    known = paths.unsupported()
    what = known.get(words)
    if what is None and len(words) > 1 and not any(each.endswith(endpoint) for each in _newest().static):
        what = known.get((*words[:-1], "*"))
    return what


# --- nothing that ends in an endpoint --------------------------------------------------------------------------------


def _nothing_fits(asked: _Asked, anatomy: Anatomy) -> _Missed:
    """No base URL helps: noise, the base URL itself, a model name with a slash, a misspelling, or something unknown."""
    path, parts = asked.path, anatomy.parts
    facts = {"path": path}
    noise = _noise_behind_a_base(anatomy)
    if noise is not None:
        return _Missed("not-a-path-problem", None, (_harmless(path, noise, 0.8),), ())
    if _is_base(anatomy):
        if asked.method in (None, "GET", "HEAD", "OPTIONS"):
            return _Missed("not-a-path-problem", None, (Finding("AGD602", "info", 0.9, facts),), ())
        return _adds_nothing(asked)
    one_model = _without_slash_in_model(anatomy)
    if one_model is not None:
        finding = Finding("AGD318", "error", 0.9, {"path": anatomy.canonical})
        return _instead(asked, dissect(one_model, _newest()), finding, right=True)
    meant = corrected(anatomy, _newest())
    if meant is not None:
        finding = Finding("AGD315", "error", 0.7, {**facts, "meant": meant.canonical})
        return _instead(asked, meant, finding, right=False)
    stacked = next((part for part in reversed(parts[:-1]) if part.kind == "endpoint"), None)
    if stacked is not None and parts[-1].kind == "other":
        finding = Finding("AGD302", "error", 0.5, {**facts, "first": stacked.text, "second": parts[-1].text})
        return _Missed("misrouted", None, (finding,), ())
    if _may_be_admin(asked, anatomy):
        return _Missed("not-a-path-problem", None, (Finding("AGD603", "info", 0.6, facts),), ())
    return _Missed("unsupported", None, (Finding("AGD316", "error", 0.9, facts),), ())


def _may_be_admin(asked: _Asked, anatomy: Anatomy) -> bool:
    """True below a prefix where the proxy has routes of its own that the table does not list."""
    below = any(asked.path.startswith(each) for each in asked.table.unlisted)
    return below and "v" not in anatomy.kinds and anatomy.front not in paths.foreign_prefixes()


def _instead(asked: _Asked, anatomy: Anatomy, finding: Finding, *, right: bool) -> _Missed:
    """The answer for the path that was meant, behind the finding that leads to it.

    `right`: with nothing else wrong, the base URL is right, so that there is nothing to type for it.
    """
    path = anatomy.canonical
    reached = match(asked.table, path)
    if reached is not None:
        if right:
            return _Missed("misrouted", reached.route, (finding,), ())
        solved = fixing.by_endpoint(anatomy, asked.method, asked.client, asked.table, asked.origin)
        if not solved.fixes:
            solved = fixing.by_endpoint(anatomy, None, None, asked.table, asked.origin)
        return _Missed("misrouted", reached.route, (finding,), solved.fixes)
    answer = _missed(asked._replace(path=path), anatomy)
    findings = tuple(each for each in answer.findings if each.code != "AGD319")
    return answer._replace(findings=(finding, *findings), fixes=fixing.unclaimed(answer.fixes))


def _noise_behind_a_base(anatomy: Anatomy) -> str | None:
    """Why a harmless request was made that stands behind the path of a base URL (`/v1/api/hello`)."""
    path = anatomy.canonical
    for known, why in _noise_endings().get(path[path.rfind("/") + 1 :], ()):
        front = path.removesuffix(known)
        if front != path and (front in paths.foreign_prefixes() or _only_versions(front)):
            return why
    return None


def _is_base(anatomy: Anatomy) -> bool:
    return anatomy.kinds.strip("v") == "" or anatomy.canonical in paths.foreign_prefixes()


def _only_versions(prefix: str) -> bool:
    return prefix != "" and prefix in ("/v1", "/v1beta", "/v1/v1", "/v1alpha", "/v2", "/v4")


def _without_slash_in_model(anatomy: Anatomy) -> str | None:
    """`/v1beta/models/google/NAME:action` -> `/v1beta/models/NAME:action`; None where that is not the matter."""
    path = anatomy.canonical
    last = path.rfind("/")
    start = path.rfind("/models/", 0, last + 1)
    if start < 0 or ":" not in path[last:] or start + len("/models/") > last:
        return None
    return path[: start + len("/models/")] + path[last + 1 :]


def _adds_nothing(asked: _Asked) -> _Missed:
    """AGD317: a POST to what can only be a base URL comes from a setting that wants the full endpoint."""
    fixes = []
    route = None
    for target, confidence in (("/v1/chat/completions", 0.5), ("/v1/messages", 0.2), ("/v1/responses", 0.15)):
        found = match(asked.table, target)
        if found is not None and allows(found.route, "POST"):
            route = route or found.route
            configured = asked.configured or asked.sent_to + asked.path
            fixes.append(Fix(asked.origin + target, confidence, "", configured, target, found.route.path))
    finding = Finding("AGD317", "error", 0.8, {"path": asked.path})
    return _Missed("misrouted", route, (finding,), tuple(fixes))
