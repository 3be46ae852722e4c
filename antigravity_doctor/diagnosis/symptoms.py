"""What a status and body say about a request whose path is right (and what they add where it is wrong).

Status codes of this proxy lie in known ways (facts/proxy-semantics.md §0 and §4); every rule here names its fact.
"""

from __future__ import annotations

from collections.abc import Iterable

from antigravity_doctor.diagnosis.model import Finding
from antigravity_doctor.knowledge import paths
from antigravity_doctor.knowledge.routes import Route, RouteTable
from antigravity_doctor.knowledge.texts import reason_text
from antigravity_doctor.knowledge.versions import NEWEST, known_versions, parse_version

Headers = Iterable[tuple[str, str]]


def body_kind(body: str | None, headers: Headers = ()) -> str:
    """What a response body is: unknown, empty, html, token-rejected, token-limited, ip-blocked, disabled, foreign (one
    that only other servers send), error, other.

    `None` means that nobody saw the body ("unknown"), which is not the same as an empty one.
    """
    content_type = next((value for name, value in headers if name.lower() == "content-type"), "").lower()
    if content_type.startswith("text/html"):
        return "html"
    if body is None:
        return "unknown"
    text = body.strip()[:4096]
    folded = text.lower()
    if not text or folded in ("(no body)", "status code (no body)"):
        return "empty"
    # A client that wanted JSON quotes the page: Unexpected token '<', "<!doctype "... is not valid JSON.
    if folded.startswith("<html") or "<!doctype" in folded or "unexpected token '<'" in folded:
        return "html"
    if "token_rejected" in folded:
        limited = ("expired", "ip limit", "curfew", "not available between")
        return "token-limited" if any(word in folded for word in limited) else "token-rejected"
    if "ip_blocked" in folded:
        return "ip-blocked"
    if "proxy service is currently disabled" in folded:
        return "disabled"
    if any(mark in folded for mark in paths.foreign_bodies()):
        return "foreign"
    if text[0] in "{[" or "error" in folded:
        return "error"
    return "other"


def in_query(query: str) -> tuple[Finding, ...]:
    """AGD205 where a key is in the query: no version of the proxy reads one there."""
    if "key=" not in query.lower():
        return ()
    for pair in query.split("&"):
        name = pair.partition("=")[0]
        if name.lower() in ("key", "api_key", "apikey", "api-key"):
            return (Finding("AGD205", "warning", 0.8, {"parameter": name}),)
    return ()


def on_a_route(
    route: Route, method: str | None, status: int | None, kind: str, table: RouteTable
) -> tuple[Finding, ...]:
    """Why a request with a right path failed. () where the status is no failure or there is none."""
    facts = {"path": route.path, "status": str(status), "method": method or "", "since": route.since}
    facts["served"] = f"{route.since}–{route.until}" if route.until else f"{route.since}+"
    if kind == "html":
        return _without_the_route(route, facts, web_ui=status in (None, 200, 405), table=table)
    if kind == "disabled":
        return (Finding("AGD109", "error", 1.0, facts),)
    if status is None or status < 400:
        return ()
    if kind == "foreign" or (status == 401 and kind in ("error", "other")):
        # The proxy's own 401 has no body (facts/proxy-semantics.md §4).
        return (Finding("AGD411", "error", 0.8, facts),)
    if status in (401, 403) and table.version < parse_version("3.3.8"):
        # No key is asked for before v3.3.8 (facts/proxy-semantics.md §3): something else did.
        return (Finding("AGD411", "error", 0.8, facts),)
    if status == 401:
        # From v4.1.12 a wrong key is 403, so a 401 means that no key arrived; before, it can mean either.
        if _wrong_key_is_403(table):
            return (Finding("AGD201", "error", 0.8, facts),)
        return (Finding("AGD201", "error", 0.5, facts), Finding("AGD202", "error", 0.5, facts))
    if status == 403:
        if kind == "ip-blocked":
            return (Finding("AGD203", "error", 1.0, facts),)
        if kind == "token-limited":
            return (Finding("AGD208", "error", 1.0, facts),)
        if kind == "token-rejected":
            return (Finding("AGD202", "error", 1.0, facts),)
        return (Finding("AGD202", "error", 0.6, facts), Finding("AGD203", "error", 0.3, facts))
    if status == 404:
        if route.protocol == "mcp":
            return (Finding("AGD406", "error", 0.9, facts),)
        if kind == "empty":
            # An empty 404 is a route miss: this server has not got the route that the table has.
            return _without_the_route(route, facts, web_ui=False, table=table)
        return (Finding("AGD405", "error", 0.6 if kind == "unknown" else 0.95, facts),)
    if status == 405:
        # The table allows this method here, so what answered has another table. A proxy without the route says 405
        # only with a web UI, which came with 4.0.0 (facts/proxy-semantics.md §6).
        return _without_the_route(route, facts, web_ui=True, table=table, page=False)
    if status in (400, 406, 413, 415, 422, 426):
        return (Finding("AGD409", "error", 0.9, facts),)
    if status == 503 and kind == "unknown":
        return (Finding("AGD109", "error", 0.5, facts), Finding("AGD408", "error", 0.5, facts))
    return (Finding("AGD408", "error", 0.8, facts),)


def _without_the_route(
    route: Route, facts: dict[str, str], *, web_ui: bool, table: RouteTable, page: bool = True
) -> tuple[Finding, ...]:
    """The server that answered has not got this route: it is an older proxy where there was one, or no proxy at all.

    `web_ui`: the answer is one as a web UI gives it (v4.0.0 and newer, facts/proxy-semantics.md §6). `table` of
    another version than the newest means that the user named the version, and that one has the route.
    """
    first = known_versions()[0].tag
    named = table.version != NEWEST
    if named or route.since == first or (web_ui and parse_version(route.since) <= parse_version("4.0.0")):
        return (Finding("AGD411", "error", 0.7, facts),)
    findings = (Finding("AGD403", "error", 0.6, facts),)
    return (*findings, Finding("AGD404", "info", 0.7, facts)) if web_ui and page else findings


def on_a_miss(path: str, method: str | None, status: int | None, kind: str, verdict: str) -> tuple[Finding, ...]:
    """What the answer adds to a path that is wrong: why it does not look like a 404, or whose answer it is."""
    facts = {"path": path, "status": str(status), "method": method or ""}
    if kind == "disabled":
        return (Finding("AGD109", "error", 1.0, facts),)
    if kind == "ip-blocked":
        return (Finding("AGD203", "error", 1.0, facts),)
    if kind == "token-rejected":
        # The path is wrong and so is the key: whoever corrects only one of them meets the other.
        return (Finding("AGD202", "error", 1.0, facts),)
    if verdict == "not-a-path-problem":
        return ()
    if kind == "html":
        if status is not None and status >= 400:
            return (Finding("AGD411", "warning", 0.5, facts),)
        return (Finding("AGD404", "info", 0.9, facts),)
    if status in (401, 403):
        return (Finding("AGD207", "info", 0.95, facts),)
    if status == 405:
        return (Finding("AGD407", "info", 0.9, facts),)
    if kind == "foreign" or (status == 404 and kind in ("error", "other")):
        # The proxy's own 404 for an unknown path is empty (facts/proxy-semantics.md §4).
        return (Finding("AGD411", "warning", 0.4, facts),)
    return ()


def _wrong_key_is_403(table: RouteTable) -> bool:
    return table.version >= parse_version("4.1.12")


FAILURES = {
    "refused": "AGD101",
    "timeout": "AGD102",
    "name": "AGD103",
    "tls": "AGD105",
    "not-http": "AGD111",
    "reset": "AGD112",
    "certificate": "AGD114",
}
"""Why a request got no answer -> the code of the finding."""


def on_failure(failure: str, host: str, port: int) -> Finding:
    """What a client's connection error says: there was no answer that could be judged.

    `failure` is refused, timeout, name, tls or reset, as `sources.pasted_text` finds them in a text, or one of those
    and not-http and certificate, as the recorder of `trace` meets them itself.
    """
    detail = (
        reason_text("words.failure-" + failure) if failure in ("refused", "reset", "not-http", "certificate") else ""
    )
    facts = {
        "host": host,
        "port": str(port),
        "seconds": "?",
        "detail": detail,
        "program": reason_text("words.another-program"),
        "url": f"https://{host}:{port}",
        "plain_url": f"http://{host}:{port}",
    }
    if failure == "refused" and host == "::1":
        works = "127.0.0.1"
        return Finding("AGD104", "error", 0.8, {**facts, "observed": f"[::1]:{port}: {detail}", "works": works})
    return Finding(FAILURES[failure], "error", 0.9, facts)
