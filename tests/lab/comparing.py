"""Sets a catalogue entry beside what was measured: every difference is a sentence.

Pure: entries and measurements in, sentences out. `python -m tests.lab compare` prints them, and
`tests/clients/test_measurements.py` asserts that there are none, for each of `CHECKS` by itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from antigravity_doctor.diagnosis.joining import join
from antigravity_doctor.diagnosis.matching import allows, match
from antigravity_doctor.diagnosis.urls import split_url
from antigravity_doctor.knowledge.clients import Client, Mode, Request, UnknownClientError, find_client
from antigravity_doctor.knowledge.routes import table_for
from tests.lab.frame import version_key
from tests.lab.measuring import Row

DATA = Path(__file__).resolve().parent.parent / "data" / "measurements"
ORIGIN = "http://127.0.0.1:8045"
_PLACEHOLDER = re.compile(r"\{(?:model|id|deployment)\}")
_MARK = "PLACEHOLDER"


class Measured(NamedTuple):
    """One version of one client as it was measured. `raw` is the JSON object."""

    client: str
    version: str
    rows: tuple[Row, ...]
    raw: dict[str, Any]

    @property
    def modes(self) -> list[str]:
        return list(dict.fromkeys(row.mode for row in self.rows))

    def of(self, mode: str) -> list[Row]:
        return [row for row in self.rows if row.mode == mode]


@cache
def measured(client: str) -> tuple[Measured, ...]:
    """Every measured version of this client, as the file has them (oldest first)."""
    data = json.loads((DATA / f"{client}.json").read_text(encoding="utf-8"))
    return tuple(
        Measured(client, each["version"], tuple(Row(*row) for row in each["rows"]), each) for each in data["measured"]
    )


def measured_clients() -> list[str]:
    return sorted(path.stem for path in DATA.glob("*.json"))


def holds_for(mode: Mode, version: str) -> bool:
    first, below = mode.versions
    key = version_key(version)
    return (first is None or version_key(first) <= key) and (below is None or key < version_key(below))


def entry_mode(client: Client, mode_id: str, version: str) -> Mode | None:
    """The entry's mode for what the lab calls `mode_id`: the one with that id, or, where its rule holds for other
    versions only, the one of the same name that holds for this version."""
    named = next((mode for mode in client.modes if mode.id == mode_id), None)
    if named is None or holds_for(named, version):
        return named
    return next((mode for mode in client.modes if mode.name == named.name and holds_for(mode, version)), None)


# --- predicting -----------------------------------------------------------------------------------------------------


def predicts(mode: Mode, request: Request, base: str, method: str, target: str) -> bool:
    """Whether the entry's request, joined to this base, is what was sent. A placeholder stands for any one segment; the
    query must be the same once percent-escapes are undone."""
    if request.method != method:
        return False
    said = split_url(join(mode.steps, ORIGIN + base, _PLACEHOLDER.sub(_MARK, request.suffix)))
    path, _, query = target.partition("?")
    pattern = re.escape(said.path or "/").replace(_MARK, "[^/?:]+")
    return re.fullmatch(pattern, path) is not None and unquote(said.query or "") == unquote(query)


def is_extra(mode: Mode, base: str, method: str, target: str) -> bool:
    """Whether it is one of the entry's harmless extras: at the root, or behind the base URL."""
    path = target.partition("?")[0]
    for extra in mode.raw["extras"]:
        behind = base.rstrip("/") + extra["path"]
        if method == extra["method"] and path in (extra["path"], behind, base if extra["path"] == "/" else behind):
            return True
    return False


def found_requests(mode: Mode, row: Row) -> list[Request]:
    """The entry's requests that this row shows."""
    return [
        request
        for request in mode.requests
        if any(predicts(mode, request, row.base, str(method), str(target)) for method, target, _ in row.requests)
    ]


def reaches(method: str, target: str, protocol: str) -> bool:
    """Whether it reaches a route of this protocol of the newest proxy, with a method that the route takes."""
    found = match(table_for(None), target.partition("?")[0])
    return found is not None and found.route.protocol == protocol and allows(found.route, method)


def works(mode: Mode, row: Row) -> bool:
    """Whether this run was a success with the proxy's own answers: the client was content, and every request of it that
    the entry calls required reached its route. Where it got along without those (Codex over its WebSocket), the others
    of the entry that it sent must have."""
    if row.answers != "proxy" or row.error is not None:
        return False

    def sent(required: bool) -> list[bool]:
        return [
            all(reaches(str(method), str(target), mode.protocol) for method, target, _ in hits)
            for request in mode.requests
            if request.required is required
            and (
                hits := [each for each in row.requests if predicts(mode, request, row.base, str(each[0]), str(each[1]))]
            )
        ]

    seen = sent(True) or sent(False)
    return bool(seen) and all(seen)


def working_bases(mode: Mode, rows: Iterable[Row]) -> list[str]:
    """The base paths that were measured to work in this mode."""
    return list(dict.fromkeys(row.base for row in rows if works(mode, row)))


# --- the comparison -------------------------------------------------------------------------------------------------


def _pairs(client: Client) -> Iterator[tuple[Measured, str, Mode, list[Row]]]:
    for item in measured(client.id):
        for mode_id in item.modes:
            mode = entry_mode(client, mode_id, item.version)
            if mode is not None:
                yield item, f"{client.id} {item.version} {mode.id}", mode, item.of(mode_id)


def _declared(settings: Iterable[dict[str, Any]], version: str) -> list[str]:
    """`kind:name` of the settings that hold for this version; a `where` of "from 1.3.0 on" says since when."""
    found = []
    for each in settings:
        since = re.search(r"from ([\d.]*\d) on", each.get("where") or "")
        if not (since and version_key(version) < version_key(since[1])):
            found.append(f"{each['kind']}:{each['name']}")
    return list(dict.fromkeys(found))


def modes_are_measured(client: Client) -> Iterator[str]:
    """Every mode that was measured is in the entry, and every mode whose provenance says so was measured."""
    seen = set()
    for item in measured(client.id):
        for mode_id in item.modes:
            mode = entry_mode(client, mode_id, item.version)
            if mode is None:
                yield f"{client.id} {item.version}: the entry has no mode {mode_id!r} for this version"
            else:
                seen.add((mode.id, item.version))
    for mode in client.modes:
        source = mode.raw["provenance"]
        here = f"tests/data/measurements/{client.id}.json"
        if source["kind"] == "measured" and here in source["source"] and (mode.id, source["version"]) not in seen:
            yield f"{client.id} {mode.id}: provenance names version {source['version']}, which was not measured"


def requests_are_predicted(client: Client) -> Iterator[str]:
    """Whatever the base URL: every request that was sent is one of the entry's, joined by the entry's rule."""
    for _, name, mode, rows in _pairs(client):
        for row in rows:
            for method, target, key in row.requests:
                known = any(predicts(mode, each, row.base, str(method), str(target)) for each in mode.requests)
                if not known and not (is_extra(mode, row.base, str(method), str(target))):
                    where = f"{row.setting}, base {row.base!r}, {row.call}, answered {row.answers}"
                    yield f"{name}: {method} {target} ({where}) is no request and no extra of the entry (key: {key})"


def requests_were_sent(client: Client) -> Iterator[str]:
    """Every request of the entry was seen (but those that the lab says it does not bring about), and a required one
    with every base path with which its call was made."""
    for item, name, mode, rows in _pairs(client):
        answered = [row for row in rows if row.answers == "any" and row.requests]
        left_out = {suffix for suffixes in item.raw["not_driven"].values() for suffix in suffixes}
        for request in mode.requests:
            calls = {(row.call, row.setting) for row in answered if request in found_requests(mode, row)}
            if not calls and request.suffix not in left_out:
                yield f"{name}: {request.method} {request.suffix} was never sent"
            if request.required:
                for row in answered:
                    if (row.call, row.setting) in calls and request not in found_requests(mode, row):
                        yield f"{name}: {row.setting}, base {row.base!r}: {request.suffix} was not sent"


def settings_have_their_effect(client: Client) -> Iterator[str]:
    """A setting that was honoured is one of the entry's; one that the entry names was measured and honoured; one that
    it calls ignored was measured and ignored, and the request went to the host that it names."""
    for item, name, mode, rows in _pairs(client):
        tried: dict[str, list[Row]] = {}
        for row in rows:
            if row.answers == "any":
                tried.setdefault(row.setting, []).append(row)
        honoured = {setting for setting, found in tried.items() if any(row.requests for row in found)}
        declared = [each for each in _declared(mode.raw["settings"], item.version) if not each.startswith("ui:")]
        for setting in declared:
            if setting not in tried:
                yield f"{name}: the entry's setting {setting} was not measured"
            elif setting not in honoured:
                yield f"{name}: the entry's setting {setting} was ignored by the client"
        for setting in honoured - set(declared):
            yield f"{name}: {setting} was honoured, but the entry does not name it"
        for each in mode.raw["ignored"]:
            setting = f"{each['kind']}:{each['name']}"
            if setting not in tried:
                yield f"{name}: the entry calls {setting} ignored, but it was not measured"
                continue
            hosts = sorted({host for row in tried[setting] for host in row.hosts})
            says = re.search(r"\bgo(?:es)? to ([\w.-]+\w)", each["because"])
            if says and says[1] not in hosts:
                yield f"{name}: {setting}: the entry says that requests go to {says[1]}, measured were {hosts}"


def settings_are_in_order(client: Client) -> Iterator[str]:
    """Of two settings, the entry names first the one that wins when both are set."""
    for item, name, mode, rows in _pairs(client):
        ids = {row.mode for row in rows}
        declared = _declared(mode.raw["settings"], item.version)
        for mode_id, winner, loser in item.raw["wins"]:
            named = mode_id in ids and winner in declared and loser in declared
            if named and declared.index(winner) > declared.index(loser):
                yield f"{name}: {winner} wins over {loser}, but the entry names it after"


def keys_travel_as_said(client: Client) -> Iterator[str]:
    """The key came in the header that the entry names; the variables that the entry names for it are read, and no other
    of those that were tried is."""
    for item, name, mode, rows in _pairs(client):
        header = mode.raw["key"]["header"].lower()
        for row in rows:
            for method, target, key in row.requests:
                sent = any(predicts(mode, each, row.base, str(method), str(target)) for each in mode.requests)
                if sent and key != header and row.answers == "any":
                    yield f"{name}: {method} {target}: the key came in {key}, the entry says {header}"
        tried: dict[str, str | None] = item.raw["keys"].get(rows[0].mode, {})
        declared = {each.partition(":")[2] for each in _declared(mode.raw["key"]["settings"], item.version)}
        declared = {
            each
            for each in declared
            if any(s["kind"] == "env" and s["name"] == each for s in mode.raw["key"]["settings"])
        }
        read = {variable for variable, place in tried.items() if place is not None}
        for variable in sorted(read ^ declared if tried else ()):
            what = "is read for the key, but not in the entry" if variable in read else "is not read for the key"
            yield f"{name}: {variable} {what}"


def user_agents_are_known(client: Client) -> Iterator[str]:
    """Every User-Agent that came with a key is covered by the entry, if it names any. (A bare HTTP library's name tells
    no client and belongs in no entry.)"""
    entries = client.raw["user_agents"]
    for item in measured(client.id) if entries else ():
        for agent in item.raw["user_agents"]:
            if not agent.startswith("python-requests/") and not any(_agent_fits(entry, agent) for entry in entries):
                yield f"{client.id} {item.version}: User-Agent {agent!r} is not covered by user_agents"


def _agent_fits(entry: str, agent: str) -> bool:
    start, *words = entry.rstrip("*").split(" … ")
    return any(f" {agent}".find(f" {start}") >= 0 for _ in (0,)) and all(f" {word}" in agent for word in words)


def error_texts_were_said(client: Client) -> Iterator[str]:
    """Every error text of the entry was really said by some measured version. (A Python traceback puts the module in
    front of the name of an exception's class; the lab has the name alone.)"""
    said = [row.error for item in measured(client.id) for row in item.rows if row.error]
    for text in client.raw["error_texts"]:
        bare = re.sub(r"^(?:[a-z_0-9]+\.)+(?=[A-Z])", "", text)
        if not any(bare in each for each in said):
            yield f"{client.id}: nothing that was measured says {text!r}"


def right_base_was_measured(client: Client) -> Iterator[str]:
    """What agdoctor recommends was put into the real client, and worked."""
    from antigravity_doctor.diagnosis.recommending import recommend

    right = {each.mode.id: each for each in recommend(client, table_for(None), ORIGIN)}
    for _, name, mode, rows in _pairs(client):
        told = right[mode.id]
        if told.works:
            base = told.base_url.removeprefix(ORIGIN)
            found = working_bases(mode, rows)
            if base not in found:
                yield f"{name}: recommended is {base!r}, measured to work are {found}"
        elif working_bases(mode, rows):
            yield f"{name}: nothing is recommended, but {working_bases(mode, rows)} were measured to work"


def explained_base_was_measured(client: Client) -> Iterator[str]:
    """For every wrong base URL of the matrix: what agdoctor says to the path that was sent, given the base URL and the
    client, is a base URL that was measured to work in that mode."""
    from antigravity_doctor.diagnosis.explaining import explain

    for _, name, mode, rows in _pairs(client):
        good = working_bases(mode, rows)
        if not good:
            continue
        for row in rows:
            wrong = row.answers == "any" and row.base not in good
            for method, target, _ in row.requests if wrong else ():
                if not any(
                    predicts(mode, each, row.base, str(method), str(target)) for each in mode.requests if each.required
                ):
                    continue
                path, _, query = str(target).partition("?")
                found = explain(
                    path,
                    table=table_for(None),
                    origin=ORIGIN,
                    method=str(method),
                    query=query or None,
                    base_url=ORIGIN + row.base,
                    client=client,
                )
                told = found.fixes[0].base_url.removeprefix(ORIGIN) if found.fixes else None
                if told not in good and not (found.route is not None and found.verdict == "routed"):
                    yield f"{name}: base {row.base!r}, {method} {target}: told {told!r}, measured to work are {good}"


CHECKS: Sequence[Callable[[Client], Iterator[str]]] = (
    modes_are_measured,
    requests_are_predicted,
    requests_were_sent,
    settings_have_their_effect,
    settings_are_in_order,
    keys_travel_as_said,
    user_agents_are_known,
    error_texts_were_said,
    right_base_was_measured,
    explained_base_was_measured,
)


def problems(client: str) -> list[str]:
    """Everything in which the entry and the measurements of this client differ."""
    try:
        entry = find_client(client)
    except UnknownClientError:
        return [f"{client}: the catalogue has no entry for it"]
    return [problem for check in CHECKS for problem in check(entry)]


# --- two measurements -----------------------------------------------------------------------------------------------


def changes(old: Measured, new: Measured) -> list[str]:
    """What is different in the newer measurement: requests, settings, hosts, errors, User-Agents, keys."""
    found = []
    rows = {row[:5]: row for row in old.rows}
    again = {row[:5]: row for row in new.rows}
    for place in [*rows, *(each for each in again if each not in rows)]:
        before, after = rows.get(place), again.get(place)
        where = " · ".join(map(repr, place))
        if before is None or after is None:
            found.append(f"{'only the newer has' if before is None else 'only the older has'} {where}")
        elif before.requests != after.requests:
            found.append(f"{where}: {before.requests} -> {after.requests}")
        elif _timeless(before.error) != _timeless(after.error) and place[4] != "any":
            found.append(f"{where}: {before.error!r} -> {after.error!r}")
        elif not after.requests and before.hosts != after.hosts:
            found.append(f"{where}: went to {before.hosts} -> {after.hosts}")
    names = [_unnumbered(item.raw["user_agents"], item.version) for item in (old, new)]
    if names[0] != names[1]:
        found.append(f"User-Agent: {old.raw['user_agents']} -> {new.raw['user_agents']}")
    for part in ("keys", "wins", "headers", "with"):
        if (old.raw.get(part) or {}) != (new.raw.get(part) or {}):  # the oldest measurements lack some parts
            found.append(f"{part}: {old.raw.get(part)} -> {new.raw.get(part)}")
    return found


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?")


def _timeless(error: str | None) -> str | None:
    """What was said, without when: some clients print their log."""
    return error and _TIME.sub("{time}", error)


def _unnumbered(agents: Iterable[str], version: str) -> set[str]:
    return {re.sub(r"\d+(?:\.\d+)+", "N", agent.replace(version, "N")) for agent in agents}
