"""What the answers of a running server mean. Pure: outcomes in, judgements out.

First calibrate, then judge: the answers to a path that cannot exist (the *canary*) show what "not routed" looks like
on this very server, and every other answer is compared with them. What looks the same as the canary *and* could be
either is undecided (None), never a pass (facts/proxy-semantics.md §0, §8).
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from antigravity_doctor.diagnosis.answers import Failure, Outcome, Reply
from antigravity_doctor.diagnosis.model import Finding
from antigravity_doctor.diagnosis.secrets import redact
from antigravity_doctor.diagnosis.simulating import SimulatedRequest
from antigravity_doctor.diagnosis.symptoms import body_kind
from antigravity_doctor.diagnosis.urls import parse_base_url
from antigravity_doctor.knowledge.behaviour import behaviour_of, features
from antigravity_doctor.knowledge.clients import Mode
from antigravity_doctor.knowledge.programs import Program, by_answers
from antigravity_doctor.knowledge.routes import RouteTable, all_routes, table_for
from antigravity_doctor.knowledge.versions import NEWEST, Version, known_versions, parse_version, tags_reporting

HEALTH_PATHS = ("/healthz", "/health", "/api/health")
"""The health endpoints of all eras; which of them exist depends on the version (facts §2)."""

ANCHORS = ("/v1/models", "/v1/chat/completions")
"""The two routes that every version has: what tells this proxy from any other program."""

PARAMETER = "agdoctor-probe"
"""Stands for a parameter in the path of a probed route; such a model does not exist, and OPTIONS asks for none."""

_READ = frozenset({"GET", "HEAD"})

ServedBy = Literal["desktop", "web-ui", "unknown"]
Auth = Literal["off", "on", "unknown"]


def kind_of(reply: Reply) -> str:
    """What the body is, as `symptoms.body_kind` names it."""
    return body_kind(reply.text(), reply.headers)


def disabled(outcome: Outcome) -> bool:
    """True for the 503 of a service that is switched off, told from other 503s by its body."""
    return isinstance(outcome, Reply) and outcome.status == 503 and kind_of(outcome) == "disabled"


# --- the OPTIONS oracle ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Seen:
    """What an answer shows about a path. `exists` None: cannot be told apart. `methods` as in Allow, if shown."""

    exists: bool | None
    methods: frozenset[str] = frozenset()

    def takes(self, method: str) -> bool | None:
        """Whether the path exists and takes the method (GET brings HEAD with it)."""
        return self.exists and method in self.methods


UNDECIDED = Seen(None)


def can_tell(canary: Outcome) -> bool:
    """Whether an OPTIONS answer to a path that cannot exist leaves room for a difference.

    Known shapes of "not routed": 200 without Allow (CORS layer, v3.2.0+), 404 (v3.0.0 to v3.1.1), 405 with
    Allow GET,HEAD and without CORS headers (web UI). Anything else is somebody in front who answers OPTIONS himself.
    """
    if not isinstance(canary, Reply):
        return False
    if canary.status == 200:
        return canary.cors and canary.allow is None
    if canary.status == 404:
        return canary.allow is None and not canary.cors
    return canary.status == 405 and canary.allow == _READ and not canary.cors


def seen_by_options(answer: Outcome, canary: Outcome) -> Seen:
    """What an OPTIONS answer shows about its path, beside the canary's."""
    if not isinstance(answer, Reply) or not isinstance(canary, Reply) or not can_tell(canary):
        return UNDECIDED
    same = (answer.status, answer.allow, answer.cors) == (canary.status, canary.allow, canary.cors)
    if (
        same or answer.status == 404
    ):  # the proxy's own OPTIONS is 404 in no version with CORS: somebody in front says so
        return Seen(False)
    if answer.allow and answer.status in (200, 405):
        return Seen(True, answer.allow)
    return UNDECIDED


def seen_by_wrong_method(answer: Outcome, canary: Outcome) -> Seen:
    """What a request with a method that the path does not take shows: `Allow` is there even on 401, 403 and 503.

    Without `Allow` nothing is decided: a path that is not routed and one that was asked with a right method may look
    the same. `canary` is the same method on a path that cannot exist.
    """
    if not isinstance(answer, Reply) or not isinstance(canary, Reply) or canary.allow is not None:
        return UNDECIDED
    if answer.allow and answer.status in (401, 403, 405, 503):
        return Seen(True, answer.allow)
    return UNDECIDED


# --- identity --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Health:
    """What the health endpoints said. `ok` only for JSON with status "ok", whatever the status code."""

    ok: bool
    version: str | None = None
    path: str | None = None


def judge_health(answers: Mapping[str, Outcome]) -> Health:
    """Judges the JSON of the health endpoints, by path. One that names a version counts most."""
    found = Health(False)
    for path, outcome in answers.items():
        data = _json(outcome)
        if not isinstance(data, dict) or data.get("status") != "ok":
            continue
        version = data.get("version")
        if isinstance(version, str) and 0 < len(version) <= 40:
            return Health(True, version, path)
        if not found.ok:
            found = Health(True, None, path)
    return found


def _json(outcome: Outcome) -> object:
    if not isinstance(outcome, Reply) or outcome.status != 200 or outcome.whole != "whole":
        return None
    try:
        return json.loads(outcome.body)
    except (ValueError, RecursionError):
        return None


def list_length(outcome: Outcome) -> int | None:
    """How many models a list of models holds (OpenAI `data`, Gemini `models`); None for anything that is no list."""
    data = _json(outcome)
    if isinstance(outcome, Reply) and outcome.whole == "limited" and outcome.status == 200:
        return outcome.body.count(b'"id"') or outcome.body.count(b'"name"') or None
    if not isinstance(data, dict):
        return None
    items = data.get("data", data.get("models"))
    return len(items) if isinstance(items, list) else None


@lru_cache(maxsize=1)
def probed_paths() -> tuple[str, ...]:
    """Every path that any version routes for clients, with parameters filled; /mcp/* and the app's /api left out.

    OPTIONS to these has no effect in any version and needs no key.
    """
    wanted = [each for each in all_routes() if each.protocol not in ("mcp", "admin")]
    return tuple(filled(each.path) for each in wanted)


def filled(pattern: str) -> str:
    """A route's path with its parameter filled in."""
    return "/".join(PARAMETER if part.startswith(":") else part for part in pattern.split("/"))


@dataclass(frozen=True, slots=True)
class VersionRange:
    """The known versions, both included, that serve exactly the routes that were seen."""

    oldest: Version
    newest: Version

    @property
    def open_ended(self) -> bool:
        """True where the newest known version is in it: then a newer one may be running."""
        return self.newest == NEWEST


@lru_cache(maxsize=1)
def _epochs() -> tuple[tuple[Version, Version, Mapping[str, frozenset[str]], bool], ...]:
    """(oldest, newest, methods by probed path, has CORS) of each run of versions that OPTIONS cannot tell apart.

    Routes change only where one begins or ends, so one table for each such point is enough.
    """
    versions = known_versions()
    starts = {versions[0]}
    spans = [(span.since, span.until) for each in all_routes() if each.protocol != "admin" for span in each.spans]
    spans += [(since, until) for since, until, _ in features()["cors"].spans]
    for since, until in spans:
        starts.add(parse_version(since))
        if until is not None and parse_version(until) < versions[-1]:
            starts.add(versions[bisect_right(versions, parse_version(until))])
    ordered = sorted(starts)
    ends = [versions[bisect_left(versions, start) - 1] for start in ordered[1:]] + [versions[-1]]
    epochs = []
    for oldest, newest in zip(ordered, ends, strict=True):
        routes = {
            filled(route.path): frozenset(route.allow.split(","))
            for route in table_for(oldest).routes
            if route.allow is not None and route.protocol != "admin"
        }
        epochs.append((oldest, newest, routes, behaviour_of(oldest).cors is not None))
    return tuple(epochs)


def fingerprint(seen: Mapping[str, Seen], canary: Outcome) -> VersionRange | None:
    """The versions whose routes are exactly those seen by OPTIONS; None where no version fits or nothing was seen."""
    decided = {path: each for path, each in seen.items() if each.exists is not None}
    if not isinstance(canary, Reply) or not all(decided.get(path, UNDECIDED).exists for path in ANCHORS):
        return None
    # With a web UI the canary's answer comes from outside the CORS layer, so it says nothing about it.
    cors = None if canary.status == 405 else canary.cors
    fitting = [
        (oldest, newest)
        for oldest, newest, routes, has_cors in _epochs()
        if (cors is None or cors == has_cors)
        and all(routes.get(path, frozenset()) == each.methods for path, each in decided.items())
    ]
    if not fitting:
        return None
    return VersionRange(fitting[0][0], fitting[-1][1])


@dataclass(frozen=True, slots=True)
class Identity:
    """Whether the server is this proxy (None: cannot be told), its health, and who it is if it is somebody else."""

    proxy: bool | None
    health: Health
    program: Program | None = None


def judge_identity(answers: Mapping[tuple[str, str], Outcome], canary_path: str) -> Identity:
    """Is this the proxy? `answers` by (method, path): the health endpoints, the anchors and the canary, without key.
    None where requests that decide it got no answer.

    The routes decide, not the health answer: `{"status":"ok"}` is what half of all programs say.
    """
    canary = answers["OPTIONS", canary_path]
    health = judge_health({path: answers[("GET", path)] for path in HEALTH_PATHS if ("GET", path) in answers})
    if any(disabled(each) for each in answers.values()):
        return Identity(True, health)
    if can_tell(canary):
        seen = [seen_by_options(answers[("OPTIONS", path)], canary) for path in ANCHORS]
        if all(each.exists for each in seen) and seen[0].methods == _READ and seen[1].methods == {"POST"}:
            return Identity(True, health)
    else:
        models = answers["GET", "/v1/models"]
        guarded = isinstance(models, Reply) and (models.status in (401, 403) or list_length(models) is not None)
        if guarded and health.version is not None and _is_proxy_version(health.version):
            return Identity(True, health)
        if guarded and health.version is None and (health.ok or _bare_401(models, answers["GET", canary_path])):
            return Identity(
                None, health
            )  # so may the proxy look behind somebody who answers OPTIONS, and so may others
    if any(isinstance(answers[("OPTIONS", path)], Failure) for path in (canary_path, *ANCHORS)):
        return Identity(None, health)
    program = by_answers(
        [(dict(each.headers), each.text()) for each in answers.values() if isinstance(each, Reply)],
        health.version,
    )
    return Identity(False, health, program)


def _bare_401(*outcomes: Outcome) -> bool:
    """True where all are the 401 that the proxy gives on every path: empty, and without WWW-Authenticate."""
    return all(
        isinstance(each, Reply)
        and each.status == 401
        and kind_of(each) == "empty"
        and each.header("www-authenticate") is None
        for each in outcomes
    )


def _is_proxy_version(text: str) -> bool:
    try:
        return parse_version(text) >= parse_version("4.0.10")  # the first that names its version (facts §2)
    except ValueError:
        return False


def redirect_of(answers: Iterable[Outcome]) -> str | None:
    """Where the server sends everybody, if every one of its answers is a redirect."""
    replies = [each for each in answers if isinstance(each, Reply)]
    places = [each.header("location") for each in replies if 300 <= each.status < 400]
    return places[0] if replies and len(places) == len(replies) else None


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """What is known about the version: `exact` as the server says it, `span` by fingerprint, and the table to use."""

    exact: str | None
    span: VersionRange | None
    table: RouteTable
    source: Literal["health", "fingerprint", "told", "assumed"]
    strange: str | None = None


def judge_version(health: Health, span: VersionRange | None, told: str | None) -> KnownVersion:
    """The version: from the health JSON, else what the user said, else by fingerprint, else taken for the newest.

    `strange` is a version that the server names and that no proxy has (a fork, or a version too new to be parsed).
    `told` must be a version that `parse_version` accepts.
    """
    strange = None
    if health.version is not None:
        try:
            version = parse_version(health.version)
        except ValueError:
            strange = health.version
        else:
            tags = tags_reporting(version.text)
            return KnownVersion(version.text, span, table_for(tags[-1] if tags else version), "health")
    if told is not None:
        return KnownVersion(parse_version(told).text, span, table_for(told), "told", strange)
    if span is not None:
        exact = span.newest.text if span.oldest == span.newest else None
        return KnownVersion(exact, span, table_for(span.newest), "fingerprint", strange)
    return KnownVersion(None, None, table_for(None), "assumed", strange)


def judge_served_by(canary_options: Outcome, canary_get: Outcome) -> ServedBy:
    """Desktop app or web UI (Docker, headless), from what an unknown path gets (facts §0.4, §6)."""
    if not isinstance(canary_options, Reply) or not can_tell(canary_options):
        return "unknown"
    html = isinstance(canary_get, Reply) and canary_get.status == 200 and canary_get.media_type == "text/html"
    if canary_options.status == 405:
        return "web-ui" if html else "unknown"
    own = isinstance(canary_get, Reply) and kind_of(canary_get) in ("empty", "token-rejected", "ip-blocked", "disabled")
    return "desktop" if own else "unknown"


# --- auth ------------------------------------------------------------------------------------------------------------


def judge_auth(models: Outcome, health: Outcome) -> Auth:
    """Whether a key is wanted, from GET /v1/models and GET /health without one.

    While the service is switched off only /health still passes auth, and there a 401 means strict mode; a 200 means
    strict mode is not on, which leaves all_except_health possible.
    """
    if isinstance(models, Reply):
        if models.status == 401 and kind_of(models) == "empty":
            return "on"
        if models.status == 200 and list_length(models) is not None:
            return "off"
    if disabled(models) and isinstance(health, Reply) and health.status == 401:
        return "on"
    return "unknown"


KeyVerdict = Literal[
    "not-needed", "missing", "accepted", "rejected", "empty-in-proxy", "ip-blocked", "limited", "undecided"
]


def judge_key(auth: Auth, has_key: bool, bare: Outcome, keyed: Outcome | None, version: Version | None) -> KeyVerdict:
    """What the proxy thinks of the key. `bare` and `keyed` are the same request without and with it.

    From v4.1.12 on a wrong key is 403, so a 401 in spite of a key means that the proxy itself has none set; before,
    a wrong key is 401 as well (facts §0.1, §3).
    """
    for each in (keyed, bare):
        if isinstance(each, Reply) and each.status == 403 and kind_of(each) == "ip-blocked":
            return "ip-blocked"
    if auth == "off":
        return "not-needed"
    if not has_key or keyed is None:
        return "missing" if auth == "on" else "undecided"
    if not isinstance(keyed, Reply):
        return "undecided"
    if keyed.status == 403:
        kind = kind_of(keyed)
        return "limited" if kind == "token-limited" else "rejected" if kind == "token-rejected" else "undecided"
    if keyed.status == 401:
        new = version is not None and version >= parse_version("4.1.12")
        return "empty-in-proxy" if new else "rejected"
    if disabled(keyed) or auth != "on":
        return "undecided"
    return "accepted"


def message_of(outcome: Outcome) -> str:
    """The message of an error body (`{"error": {"message": …}}`), else the start of its text; one line."""
    if not isinstance(outcome, Reply):
        return ""
    text = outcome.text(1000)
    try:
        data = json.loads(text)
        message = data["error"]["message"] if isinstance(data, dict) else text
    except (ValueError, KeyError, TypeError, RecursionError):
        message = text
    return " ".join(str(message).split())[:300]


# --- routes and clients ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RouteVerdicts:
    """Routes of the version by what the server showed: paths as patterns. `unlike`: there, with other methods."""

    present: tuple[str, ...]
    missing: tuple[str, ...]
    unlike: tuple[str, ...]
    undecided: tuple[str, ...]


def judge_routes(table: RouteTable, protocols: frozenset[str], seen: Mapping[str, Seen]) -> RouteVerdicts:
    """Compares the routes of these protocols with what was seen, by probed path."""
    present: list[str] = []
    missing: list[str] = []
    unlike: list[str] = []
    undecided: list[str] = []
    for route in table.routes:
        if route.protocol not in protocols or route.allow is None:
            continue
        each = seen.get(filled(route.path), UNDECIDED)
        if each.exists is None:
            undecided.append(route.path)
        elif not each.exists:
            missing.append(route.path)
        elif each.methods >= set(route.allow.split(",")):
            present.append(route.path)
        else:
            unlike.append(route.path)
    return RouteVerdicts(tuple(present), tuple(missing), tuple(unlike), tuple(undecided))


def scheme_missing(typed: str) -> Finding | None:
    """AGD503 for a base URL as a user typed it, without `http://`: this program adds it, most clients refuse it.

    `typed` must be one that `urls.parse_base_url` accepts.
    """
    if "://" in typed:
        return None
    url = parse_base_url(typed)
    right = redact(url.origin + url.path + (f"?{url.query}" if url.query is not None else ""))
    return Finding("AGD503", "error", 0.9, {"typed": redact(typed.strip()), "right": right})


def overlapping(one: Mode, other: Mode) -> bool:
    """Whether there are versions of the client that have both modes. None in a range is an open end."""

    def begins_before_end(first: Mode, second: Mode) -> bool:
        begin, end = first.versions[0], second.versions[1]
        return begin is None or end is None or _numbers(begin) < _numbers(end)

    return begins_before_end(one, other) and begins_before_end(other, one)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def needs_another_setting(client: str, mode: Mode, failing: Iterable[Mode]) -> Finding | None:
    """AGD505 where a mode that works needs a setting beside the base URL, and the client has a mode that is there
    without any such setting and does not work: then the base URL alone does not make the requests land."""
    also = mode.raw.get("also", ())
    plain = [
        each
        for each in failing
        if each.protocol == mode.protocol and not each.raw.get("also") and overlapping(mode, each)
    ]
    if not also or not plain:
        return None
    names = [each["name"] if "{" in each["value"] else f"{each['name']} = {each['value']}" for each in also]
    places = dict.fromkeys(each["where"] for each in also if each.get("where"))
    facts = {"client": client, "setting": ", ".join(names), "where": ", ".join(places) or mode.name}
    return Finding("AGD505", "warning", 0.9, facts | {"mode": plain[0].name})


RequestVerdict = Literal["lands", "misses", "wrong-method", "not-here", "undecided"]


def judge_request(request: SimulatedRequest, seen: Seen, certain: bool) -> RequestVerdict:
    """Whether a client's request lands: what the server shows counts, the table is asked where it shows nothing.

    `not-here`: the table of this version has the route, the server has not. `certain` says that the version, and so
    the table, is known; then a path that it does not have misses even if the server shows nothing.
    """
    if seen.exists is None:
        return "misses" if certain and request.verdict == "misrouted" else "undecided"
    if not seen.exists:
        return "not-here" if request.verdict == "routed" else "misses"
    if request.method == "OPTIONS" or seen.takes(request.method):
        return "lands"
    return "wrong-method"
