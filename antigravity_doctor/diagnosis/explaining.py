"""What happened with this path, and which base URL would have been right? (observed path -> base + suffix)

The inverse problem of the algebra. Every way in which a catalogued client can have made the path is tried; for each,
the right base URL is solved and proved; then they are ranked. With the base URL in use known, the answer is exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from antigravity_doctor.diagnosis import symptoms
from antigravity_doctor.diagnosis.anatomy import Anatomy, dissect
from antigravity_doctor.diagnosis.families import Family, Hypothesis, client_ids, from_base, hypotheses
from antigravity_doctor.diagnosis.joining import join
from antigravity_doctor.diagnosis.matching import allow_header, allows, match
from antigravity_doctor.diagnosis.model import Finding, Fix, Verdict
from antigravity_doctor.diagnosis.solving import candidate_paths, is_version, solve
from antigravity_doctor.diagnosis.urls import DEFAULT_ORIGIN, host_and_port, is_loopback_host, split_url
from antigravity_doctor.knowledge import paths
from antigravity_doctor.knowledge.clients import Client, Mode
from antigravity_doctor.knowledge.routes import Route, RouteTable, history, table_for
from antigravity_doctor.knowledge.versions import parse_version

# How far a hypothesis is believed that nothing but the path supports (an ordering, not a measurement).
_ALONE, _WITH_CLIENT, _EXACT = 0.9, 0.95, 1.0
_TYPED_FOREIGN, _TYPED_TWICE, _TYPED_ODD = 0.5, 0.08, 0.2
# Client versions that have been superseded, and readings in which the client adds something else than before.
_OLD = 0.25


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer for one request. `route` is the route reached, or the one that was meant; `fixes` best first."""

    method: str | None
    path: str
    query: str | None
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
    headers: Iterable[tuple[str, str]] = (),
    base_url: str | None = None,
    client: Client | None = None,
    host: str | None = None,
) -> Explanation:
    """Explains one request; never raises, whatever the path.

    `path` is the raw request path without its query; `origin` is where the proxy is, and what every fix is made for;
    `base_url` is the base URL that is in use (then the answer is exact); `host` is the origin that the request was
    sent to, where that is known and may be another.
    """
    if not path.startswith("/"):
        path = "/" + path
    if method is not None:
        method = method.upper()
    found = match(table, path)
    if found is not None and status is None and query is None and host is None and method is None:
        return Explanation(None, path, None, "routed", found.route, (), ())
    kind = symptoms.body_kind(body, headers) if body is not None or headers else "unknown"
    extra = _around(host, origin, query)
    if found is not None:
        return _routed(found.route, path, method, query, status, kind, table, extra)
    verdict, route, findings, fixes = _missed(path, method, query, table, origin, base_url, client)
    if verdict not in ("not-a-path-problem",) or status is not None:
        extra = symptoms.on_a_miss(path, method, status, kind) + extra
    return Explanation(method, path, query, verdict, route, findings + extra, fixes)


def _around(host: str | None, origin: str, query: str | None) -> tuple[Finding, ...]:
    """Findings about what surrounds the path: the host it went to, and a key in the query."""
    findings: tuple[Finding, ...] = ()
    if host is not None and host != origin:
        finding = _elsewhere(host, origin)
        if finding is not None:
            findings += (finding,)
    if query is not None and ("key=" in query):
        for pair in query.split("&"):
            if pair.partition("=")[0].lower() in ("key", "api_key", "apikey"):
                findings += (Finding("AGD205", "warning", 0.8, {"parameter": pair.partition("=")[0]}),)
                break
    return findings


def _elsewhere(host: str, origin: str) -> Finding | None:
    """AGD501 where the request was sent to a host or port that is not the proxy's."""
    try:
        sent_host, sent_port = host_and_port(host)
        proxy_host, proxy_port = host_and_port(origin)
    except ValueError:
        return None
    vendor = paths.vendor_of(sent_host)
    if vendor is not None:
        return Finding("AGD501", "error", 0.95, {"host": host, "who": vendor, "origin": origin})
    both_local = is_loopback_host(sent_host) and is_loopback_host(proxy_host)
    if sent_port != proxy_port and (both_local or sent_host == proxy_host):
        return Finding("AGD502", "warning", 0.6, {"host": host, "port": str(sent_port), "origin": origin})
    return None


def _routed(
    route: Route,
    path: str,
    method: str | None,
    query: str | None,
    status: int | None,
    kind: str,
    table: RouteTable,
    extra: tuple[Finding, ...],
) -> Explanation:
    if method == "OPTIONS" or (method is not None and allows(route, method)) or method is None:
        findings = symptoms.on_a_route(route, method, status, kind, table)
        verdict: Verdict = "not-a-path-problem" if findings else "routed"
        if findings and findings[0].code == "AGD403":
            verdict = "other-version"
        if method is None and status == 405:
            # Without the method, a 405 on a real path is most simply a wrong method (a GET from a browser).
            verdict = "wrong-method"
            findings = (_wrong_method(route, None, 0.8),)
        return Explanation(method, path, query, verdict, route, findings + extra, ())
    since = _method_since(route, method)
    if since is not None:
        facts = {"path": f"{method} {path}", "since": since, "version": str(table.version), "method": method}
        finding = Finding("AGD403", "error", 0.9, facts)
        return Explanation(method, path, query, "other-version", route, (finding, *extra), ())
    findings = (_wrong_method(route, method, 1.0),)
    if status in (401, 403):
        findings += symptoms.on_a_route(route, None, status, kind, table)
    return Explanation(method, path, query, "wrong-method", route, findings + extra, ())


def _wrong_method(route: Route, method: str | None, confidence: float) -> Finding:
    facts = {"path": route.path, "method": method or "", "allowed": allow_header(route) or ""}
    return Finding("AGD401", "error", confidence, facts)


def _method_since(route: Route, method: str) -> str | None:
    past = history(route.path)
    return next((each.since for each in past.spans if method in each.methods), None) if past is not None else None


_Missed = tuple[Verdict, Route | None, tuple[Finding, ...], tuple[Fix, ...]]


def _missed(
    path: str,
    method: str | None,
    query: str | None,
    table: RouteTable,
    origin: str,
    base_url: str | None,
    client: Client | None,
) -> _Missed:
    harmless = paths.harmless().get(path) or _harmless_extra(path, client)
    if harmless is not None:
        finding = Finding("AGD601", "info", 0.95, {"path": path, "why": harmless})
        return "not-a-path-problem", None, (finding,), ()
    anatomy = dissect(path, table)
    for style in paths.styles():
        styled = style.pattern.search(path)
        if styled is not None:
            return _styled(style, styled.expand(style.resource), path, table, origin)

    exact = base_url is not None
    guesses = from_base(path, base_url, client, method) if base_url is not None else []
    mismatch: tuple[Finding, ...] = ()
    if base_url is not None and not guesses:
        generic = _generic(path, base_url, table, origin, anatomy)
        if generic is not None:
            return generic
        mismatch = (Finding("AGD319", "warning", 0.8, {"path": path, "base_url": base_url}),)
        exact = False
    if not guesses:
        guesses = hypotheses(path, client, method)
        if not guesses and client is not None and base_url is None:
            guesses = hypotheses(path, None, method)
            client = None if guesses else client
    if anatomy.endpoint and not exact:
        # "/completions" also ends in "/chat/completions": only a suffix that covers the whole endpoint is one.
        guesses = [each for each in guesses if each.appends.endswith(anatomy.endpoint)]

    fixes, best_route = _fixes(guesses, table, origin, exact, client is not None)
    if not fixes:
        fixes, best_route = _by_endpoint(anatomy, method, client, table, origin)
    later = _other_version(path, method, table)
    if later is not None:
        return "other-version", later[1], (later[0], *mismatch), fixes
    if fixes and best_route is not None:
        findings = _path_findings(anatomy, best_route, fixes[0], exact)
        return "misrouted", best_route, findings + mismatch, fixes
    return _no_fix(path, method, anatomy, table, origin, mismatch)


def _harmless_extra(path: str, client: Client | None) -> str | None:
    if client is None:
        return _all_extras().get(path)
    for mode in client.modes:
        for extra in mode.raw.get("extras", ()):
            if extra["path"].partition("?")[0] == path and path != "/":
                return str(extra["why"])
    return None


@lru_cache(maxsize=1)
def _all_extras() -> dict[str, str]:
    from antigravity_doctor.knowledge.clients import all_clients

    return {
        extra["path"].partition("?")[0]: extra["why"]
        for client in all_clients()
        for mode in client.modes
        for extra in mode.raw.get("extras", ())
        if extra["path"].partition("?")[0] not in ("", "/")
    }


def _styled(style: paths.Style, resource: str, path: str, table: RouteTable, origin: str) -> _Missed:
    """Azure, Ollama and Vertex paths: no base URL alone helps, the provider type of the client must change."""
    facts = {"path": path}
    fixes: tuple[Fix, ...] = ()
    route = None
    if resource:
        fixes, route = _by_endpoint(dissect(resource, table), None, None, table, origin, note=style.id)
    confidence = 0.95
    finding = Finding(style.code, "error", confidence, facts)
    return ("misrouted" if fixes else "unsupported"), route, (finding,), fixes


def _generic(path: str, base_url: str, table: RouteTable, origin: str, anatomy: Anatomy) -> _Missed | None:
    """A base URL in use, and a suffix that no catalogued client has: solved for that very suffix."""
    base_path = split_url(base_url).path.rstrip("/")
    if not path.startswith(base_path + "/") and path != base_path:
        return None
    suffix = path[len(base_path) :]
    for group in candidate_paths(table)[:1]:
        for candidate in group:
            found = match(table, candidate + suffix)
            if found is not None:
                fix = Fix(origin + candidate, _EXACT, suffix, base_url, candidate + suffix, found.route.path)
                return "misrouted", found.route, _path_findings(anatomy, found.route, fix, True), (fix,)
    return None


def _fixes(
    guesses: list[Hypothesis], table: RouteTable, origin: str, exact: bool, has_client: bool
) -> tuple[tuple[Fix, ...], Route | None]:
    """The proved fixes of these hypotheses, one for each base URL and suffix, ranked; and the best one's route."""
    merged: dict[tuple[str, str], _Candidate] = {}
    for guess in guesses:
        typed = _weight(guess.base_path)
        for landing in _landings(guess, table):
            key = (landing.base_path, landing.path[len(landing.base_path.rstrip("/")) :])
            weight = typed * landing.weight
            known = merged.get(key)
            if known is None:
                merged[key] = _Candidate(weight, guess.base_path, [landing])
                continue
            known.landings.append(landing)
            if weight > known.weight:
                # The same advice for several typed bases: the likeliest one is shown as what happened.
                known.weight, known.configured = weight, guess.base_path
    if not merged:
        return (), None
    ranked = list(merged.items())
    if len(ranked) > 1:
        ranked.sort(key=lambda each: (-each[1].weight, -len(each[1].landings), each[0]))
    total = sum(each.weight for each in merged.values())
    ceiling = _EXACT if exact and has_client else 0.97 if exact else _WITH_CLIENT if has_client else _ALONE
    fixes = tuple(
        Fix(
            origin + base_path,
            round(ceiling * each.weight / total, 2),
            appends,
            origin + each.configured,
            each.landings[0].path,
            each.landings[0].route.path,
            each.landings[0].clients if len(each.landings) == 1 else _all_of(each.landings),
        )
        for (base_path, appends), each in ranked[:6]
    )
    return fixes, ranked[0][1].landings[0].route


class _Candidate:
    """A fix in the making: the likeliest typed base path, and every landing that proves the fix."""

    __slots__ = ("configured", "landings", "weight")

    def __init__(self, weight: float, configured: str, landings: list[Landing]) -> None:
        self.weight = weight
        self.configured = configured
        self.landings = landings


def _all_of(landings: list[Landing]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for landing in landings for each in landing.clients))


class Landing(NamedTuple):
    """A proof: with this base path the suffix reaches this route, for these clients (weighed: are they current?)."""

    base_path: str
    path: str
    route: Route
    clients: tuple[str, ...]
    weight: float


def _landings(guess: Hypothesis, table: RouteTable) -> list[Landing]:
    """Where this very suffix lands with each solved base: a mode may work while this request of it does not."""
    family = guess.family
    value = guess.suffix[len(family.head) : len(guess.suffix) - len(family.tail)] if family.has_placeholder else ""
    found: list[Landing] = []
    for options in _templates(family, table):
        best = None
        for template in options:
            if value:
                path = template.path.replace(_MODEL, value)
                reached = match(table, path)
                if reached is None:
                    continue
                landing = Landing(template.base_path, path, reached.route, template.clients, template.weight)
            else:
                landing = template
            if template.base_path.rstrip("/") + guess.appends == landing.path:
                # The plainest reading: the client adds the same text to the right base as it did to the wrong one.
                best = landing
                break
            best = best or landing._replace(weight=landing.weight * _OLD)
        if best is not None:
            found.append(best)
    return found


# Stands for the placeholder's value in a joined path; no path can hold it, since it is no character of a URL.
_MODEL = "\x00"


@lru_cache(maxsize=4096)
def _templates(family: Family, table: RouteTable) -> tuple[tuple[Landing, ...], ...]:
    """For each group of the family's modes that share their solutions: where the suffix lands, best base first."""
    by_bases: dict[tuple[str, ...], list[Mode]] = {}
    for mode in family.modes:
        solutions = tuple(each.base_path for each in solve(mode, table))
        if solutions:
            by_bases.setdefault(solutions, []).append(mode)
    weight = 1.0 if any(mode.versions[1] is None for mode in family.modes) else _OLD
    suffix = family.head + (_MODEL if family.has_placeholder else "") + family.tail
    found = []
    for bases, modes in sorted(by_bases.items(), key=lambda each: -len(each[1])):
        options = []
        for base_path in bases:
            joined = {split_url(join(mode.steps, DEFAULT_ORIGIN + base_path, suffix)).path for mode in modes}
            path = min(joined)
            reached = match(table, path)
            if len(joined) == 1 and reached is not None and allows(reached.route, family.method):
                options.append(Landing(base_path, path, reached.route, client_ids(modes), weight))
        if options:
            found.append(tuple(options))
    return tuple(found)


@lru_cache(maxsize=4096)
def _weight(base_path: str) -> float:
    """How readily somebody types this base path (see knowledge/paths.json, typed_bases)."""
    known = paths.typed_bases().get(base_path)
    if known is not None:
        return known
    if base_path.rstrip("/") in paths.foreign_prefixes():
        return _TYPED_FOREIGN
    segments = base_path.strip("/").split("/")
    if any(is_version(one) and is_version(two) for one, two in pairwise(segments)):
        return _TYPED_TWICE
    return _TYPED_ODD


def _by_endpoint(
    anatomy: Anatomy,
    method: str | None,
    client: Client | None,
    table: RouteTable,
    origin: str,
    note: str | None = None,
) -> tuple[tuple[Fix, ...], Route | None]:
    """Fixes from the endpoint alone, for a path whose very spelling is broken: no base URL is claimed to be in use."""
    if not anatomy.endpoint or (":" not in anatomy.endpoint and _not_served(anatomy.endpoint) is not None):
        return (), None
    prefixes = candidate_paths(table)[0]
    versions = [part.text for part in anatomy.parts if part.kind == "version"]
    ordered = [each for each in prefixes if each in versions] + [each for each in prefixes if each not in versions]
    for prefix in ordered:
        found = match(table, prefix + anatomy.endpoint)
        if found is None or (method not in (None, "OPTIONS") and not allows(found.route, method or "")):
            continue
        full = prefix + anatomy.endpoint
        guesses = [
            guess
            for cut in prefixes
            if full.startswith(cut + "/")
            for guess in hypotheses(full[len(cut) :], client, None)
            if not guess.base_path
        ]
        fixes, _ = _fixes(guesses, table, origin, False, False)
        if not fixes:
            fixes = (Fix(origin + prefix, 0.5, anatomy.endpoint, None, full, found.route.path),)
        unclaimed = tuple(
            Fix(
                each.base_url,
                round(each.confidence * 0.8, 2),
                each.appends,
                None,
                each.resulting_path,
                each.route,
                each.clients,
                note,
            )
            for each in fixes
        )
        return tuple(sorted(unclaimed, key=lambda each: -len(each.clients))), found.route
    return (), None


def _other_version(path: str, method: str | None, table: RouteTable) -> tuple[Finding, Route] | None:
    """AGD403 for a path that this version does not route but another one does."""
    newest = table_for(None)
    if newest is table:
        return None
    found = match(newest, path)
    past = history(path) if found is not None else None
    if found is None or past is None:
        return None
    since = next((each.since for each in past.spans if parse_version(each.since) > table.version), past.since)
    facts = {"path": path, "since": since, "version": str(table.version), "method": method or ""}
    return Finding("AGD403", "error", 0.95, facts), found.route


def _path_findings(anatomy: Anatomy, route: Route, fix: Fix, exact: bool) -> tuple[Finding, ...]:
    """The faults of a misrouted path, the one that explains most first."""
    parts = anatomy.parts
    confidence = _EXACT if exact else _ALONE
    wanted = route.path.split("/")[1]
    facts = {
        "path": anatomy.canonical,
        "endpoint": anatomy.endpoint,
        "prefix": anatomy.prefix or "/",
        "route": route.path,
        "wanted": "/" + wanted if is_version(wanted) else "",
        "under": "under /" + wanted if is_version(wanted) else "without a version prefix",
    }
    codes: list[Finding] = []

    def add(code: str, **more: str) -> None:
        codes.append(Finding(code, "error", confidence, {**facts, **more}))

    kinds = [part.kind for part in parts]
    stacked = [part.text for part in parts if part.kind == "endpoint"]
    versions = [index for index, kind in enumerate(kinds) if kind == "version"]
    twice = next((one for one, two in pairwise(versions) if two == one + 1), None)
    foreign = [part.text for part in parts[: len(parts) - 1] if part.kind == "other"]
    if "url" in kinds:
        add("AGD309")
    if len(stacked) > 1:
        add("AGD302", first=stacked[-2], second=stacked[-1])
        if exact or stacked[-2] != "/models":
            codes.append(Finding("AGD310", "error", confidence if exact else 0.8, {**facts, "first": stacked[-2]}))
    if twice is not None:
        add("AGD301", first=parts[twice].text, second=parts[twice + 1].text)
    if foreign and "url" not in kinds:
        prefix = anatomy.prefix
        known = max((each for each in paths.foreign_prefixes() if prefix.startswith(each)), key=len, default="")
        add("AGD305", prefix=prefix, who=paths.foreign_prefixes().get(known, ""))
    elif len(stacked) == 1 and "url" not in kinds and (facts["wanted"] or versions):
        if not versions:
            add("AGD303")
        elif twice is None and parts[versions[-1]].text != facts["wanted"]:
            add("AGD304", found=parts[versions[-1]].text)
    for fault, code in (
        ("double-slash", "AGD306"),
        ("trailing-slash", "AGD307"),
        ("case", "AGD308"),
        ("escape", "AGD308"),
        ("stray", "AGD311"),
    ):
        if fault in anatomy.faults and not (fault == "double-slash" and "url" in kinds):
            if code == "AGD308" and codes and codes[-1].code == "AGD308":
                continue
            add(code)
    if not codes:
        # Nothing in the path itself is odd: then the prefix simply is not what this client needs.
        add("AGD305", prefix=anatomy.prefix or "/", who="")
    return tuple(codes)


def _no_fix(
    path: str, method: str | None, anatomy: Anatomy, table: RouteTable, origin: str, mismatch: tuple[Finding, ...]
) -> _Missed:
    """No base URL helps: an endpoint that is not served, the base URL itself, a misspelling, or something unknown."""
    facts = {"path": path, "canonical": anatomy.canonical, "endpoint": anatomy.endpoint}
    if all(part.kind == "version" for part in anatomy.parts):
        if method in (None, "GET", "HEAD", "OPTIONS"):
            return "not-a-path-problem", None, (Finding("AGD602", "info", 0.9, facts), *mismatch), ()
        return _adds_nothing(path, table, origin, facts, mismatch)
    last = anatomy.parts[-1]
    if last.kind == "other" and ":" in last.text and "/models/" in anatomy.canonical:
        return "misrouted", None, (Finding("AGD318", "error", 0.9, facts), *mismatch), ()
    what = _not_served(anatomy.endpoint)
    if what is not None:
        finding = Finding("AGD402", "error", 0.95, {**facts, "what": what})
        return "unsupported", None, (finding, *mismatch), ()
    near = _nearest(anatomy.canonical, table)
    if near is not None:
        finding = Finding("AGD315", "error", 0.7, {**facts, "meant": near.path})
        fixes, _ = _by_endpoint(dissect(near.path, table), method, None, table, origin)
        return "misrouted", near, (finding, *mismatch), fixes
    if anatomy.endpoint:
        # A real endpoint with a method that nobody sends there, behind a prefix that routes nowhere.
        fixes, route = _by_endpoint(anatomy, None, None, table, origin)
        if route is not None:
            return "misrouted", route, (*_path_findings(anatomy, route, fixes[0], False), *mismatch), fixes
    stacked = [part for part in anatomy.parts if part.kind == "endpoint"]
    if stacked:
        finding = Finding("AGD302", "error", 0.5, {**facts, "first": stacked[-1].text, "second": last.text})
        return "misrouted", None, (finding, *mismatch), ()
    return "unsupported", None, (Finding("AGD316", "error", 0.9, facts), *mismatch), ()


def _adds_nothing(
    path: str, table: RouteTable, origin: str, facts: dict[str, str], mismatch: tuple[Finding, ...]
) -> _Missed:
    """AGD317: a POST to what can only be a base URL comes from a setting that wants the full endpoint."""
    fixes = []
    for target, confidence in (("/v1/chat/completions", 0.5), ("/v1/messages", 0.2), ("/v1/responses", 0.15)):
        found = match(table, target)
        if found is not None:
            fixes.append(Fix(origin + target, confidence, "", origin + path, target, found.route.path))
    finding = Finding("AGD317", "error", 0.8, facts)
    first = match(table, fixes[0].resulting_path) if fixes else None
    return "misrouted", first.route if first else None, (finding, *mismatch), tuple(fixes)


def _not_served(endpoint: str) -> str | None:
    if not endpoint:
        return None
    words = tuple(endpoint.strip("/").lower().split("/"))
    known = paths.unsupported()
    return known.get(words) or (known.get((*words[:-1], "*")) if len(words) > 1 else None)


@lru_cache(maxsize=4096)
def _nearest(canonical: str, table: RouteTable) -> Route | None:
    """The route that a misspelt or cut path most likely meant."""
    if len(canonical) > 120:
        return None
    routes = {each.path: each for each in table.routes if ":" not in each.path and each.methods != ("ANY",)}
    cut = [each for each in routes if each.startswith(canonical + "/") and canonical.count("/") > 1]
    if cut:
        return routes[min(cut, key=len)]
    import difflib

    spellings = {each: each for each in routes if each.count("/") > 1 or len(each) > 7}
    for prefix in candidate_paths(table)[0]:
        spellings |= {each.removeprefix(prefix): each for each in routes if prefix and each.startswith(prefix + "/")}
    near = difflib.get_close_matches(canonical, spellings, n=1, cutoff=0.86)
    return routes[spellings[near[0]]] if near else None
