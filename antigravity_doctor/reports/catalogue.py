"""What is known, printed: routes and clients, with where it is known from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from antigravity_doctor.diagnosis.recommending import Recommendation
from antigravity_doctor.knowledge.clients import Client, Mode, join_rules, reads
from antigravity_doctor.knowledge.routes import Route, RouteHistory
from antigravity_doctor.knowledge.texts import phrase
from antigravity_doctor.reports.paint import Line, Span, columns, fitted_columns, line_width, printable, wrap
from antigravity_doctor.reports.recommend import heading, versions_text
from antigravity_doctor.reports.words import protocol_name


def routes_lines(version: str, routes: Sequence[Route], width: int) -> list[Line]:
    """A line a route."""
    rows: list[list[Span]] = [
        [
            (",".join(each.methods), "dim"),
            (each.path, "bold"),
            (protocol_name(each.protocol), "note"),
            (phrase("since", {"version": each.since}), "dim"),
            (each.summary, "dim"),
        ]
        for each in sorted(routes, key=_by_protocol)
    ]
    title = phrase("routes-of", {"version": version})
    return [[], [("  ", ""), (title, "bold")], [], *_fitting(rows, width), [], *_routes_source(width), []]


def _by_protocol(route: Route | RouteHistory) -> int:
    """The protocols that clients speak first; within one, the order of the table."""
    order = ("openai", "anthropic", "gemini", "health")
    return order.index(route.protocol) if route.protocol in order else len(order)


def history_lines(routes: Iterable[RouteHistory], width: int) -> list[Line]:
    """A line a span of versions in which a route had the same methods."""
    rows: list[list[Span]] = []
    for each in sorted(routes, key=_by_protocol):
        for span in each.spans:
            until = span.until or phrase("still")
            rows.append(
                [
                    (",".join(span.methods), "dim"),
                    (each.path, "bold"),
                    (protocol_name(each.protocol), "note"),
                    (f"{span.since} – {until}", ""),
                ]
            )
    return [[], *_fitting(rows, width), [], *_routes_source(width), []]


def _routes_source(width: int) -> list[list[Span]]:
    return wrap([(phrase("routes-source"), "dim")], width, "  ")


def _fitting(rows: list[list[Span]], width: int) -> list[list[Span]]:
    """The rows with as many columns as fit the width."""
    lines = columns(rows, "  ")
    while rows and max(map(line_width, lines)) > width and len(rows[0]) > 2:
        rows = [row[:-1] for row in rows]
        lines = columns(rows, "  ")
    return lines


def routes_document(version: str, routes: Iterable[Route]) -> dict[str, Any]:
    """The JSON of `routes`."""
    return {
        "schema_version": 1,
        "command": "routes",
        "proxy_version": version,
        "routes": [
            {
                "path": each.path,
                "methods": list(each.methods),
                "protocol": each.protocol,
                "since": each.since,
                "until": each.until,
                "auth": each.auth,
                "probe": each.probe,
                "summary": each.summary,
            }
            for each in routes
        ],
    }


def history_document(routes: Iterable[RouteHistory]) -> dict[str, Any]:
    """The JSON of `routes --history`."""
    return {
        "schema_version": 1,
        "command": "routes",
        "proxy_version": None,
        "routes": [
            {
                "path": each.path,
                "protocol": each.protocol,
                "auth": each.auth,
                "spans": [
                    {"since": span.since, "until": span.until, "methods": list(span.methods)} for span in each.spans
                ],
            }
            for each in routes
        ],
    }


class _Answer(NamedTuple):
    """One base URL of a client ("" where none works), and for what it is right."""

    base_url: str
    protocols: list[str]
    settings: list[str]


def _answers(found: Sequence[Recommendation]) -> list[_Answer]:
    """The different base URLs that the client's current versions want, the preferred mode's first."""
    answers: dict[str, _Answer] = {}
    current = [each for each in found if each.mode.versions[1] is None]  # the client's own page has the older ones
    for each in current or found:
        answer = answers.setdefault(each.base_url if each.works else "", _Answer(each.base_url, [], []))
        answer.protocols.append(protocol_name(each.mode.protocol))
        answer.settings.extend(setting.name for setting in each.settings)
    return list(answers.values())


def clients_lines(found: Mapping[Client, Sequence[Recommendation]], width: int, searched: str | None) -> list[Line]:
    """A table: a line for each base URL that a client wants, with its protocols and where it is typed."""
    rows: list[list[Span]] = [[(phrase("clients-head-" + name), "dim") for name in _COLUMNS]]
    ignoring = [each for each in found if searched is not None and not reads(each, searched)]
    for client in [each for each in found if each not in ignoring]:
        kinds = dict.fromkeys(str(mode.raw.get("provenance", {}).get("kind", "")) for mode in client.modes)
        known = ", ".join(phrase("kind-" + kind) for kind in kinds)
        for index, answer in enumerate(_answers(found[client])):
            url: Span = (answer.base_url, "value") if answer.base_url else (phrase("recommend-none-short"), "bad")
            rows.append(
                [
                    (client.id if index == 0 else "", "bold"),
                    url,
                    (", ".join(dict.fromkeys(answer.protocols)), "note"),
                    (known if index == 0 else "", "dim"),
                    (_few(answer.settings, searched), ""),
                ]
            )
    lines: list[Line] = [[], *_table(rows, width), []] if len(rows) > 1 else [[]]
    if searched is not None:
        facts = {"count": str(len(found) - len(ignoring)), "text": printable(searched, 60)}
        lines.extend(wrap([(phrase("clients-found", facts), "dim")], width, "  "))
        if ignoring:
            names = ", ".join(each.id for each in ignoring)
            lines.extend(
                wrap([(phrase("clients-ignoring", facts), "warn"), (" ", ""), (names, "")], width, "  ", "    ")
            )
    return [*lines, *wrap([(phrase("clients-more"), "dim")], width, "  "), []]


_COLUMNS = ("client", "base-url", "protocol", "known", "settings")
_SETTINGS_SHOWN = 3


def _few(names: Sequence[str], searched: str | None) -> str:
    """The first few names, one that was searched for before the others, and how many more there are."""
    distinct = list(dict.fromkeys(names))
    if searched is not None:
        distinct.sort(key=lambda name: searched.casefold() not in name.casefold())
    more = len(distinct) - _SETTINGS_SHOWN
    return ", ".join(distinct[:_SETTINGS_SHOWN]) + (f" +{more}" if more > 0 else "")


def _table(rows: list[list[Span]], width: int) -> list[list[Span]]:
    """All columns where the names of the settings find room beside the others, else a line of their own for them."""
    heads = columns([row[:-1] for row in rows], "  ")
    widest = max(map(line_width, heads))
    if widest + _ROOM <= width:
        return fitted_columns(rows, width, "  ")
    lines = fitted_columns([row[:2] for row in rows], width, "  ")
    if len(lines) != len(rows):
        lines = columns([row[:1] for row in rows], "  ")  # a very narrow terminal: the base URL goes below, too
    out: list[list[Span]] = [lines[0]]
    for row, line in zip(rows[1:], lines[1:], strict=True):
        below = [row[2], (" " + phrase("clients-in") + " ", "dim"), (row[-1][0], "")] if row[-1][0] else [row[2]]
        above = [] if len(line) > len(row[:1]) + 1 or not row[1][0] else [row[1], (" · ", "dim")]
        out += [line, *wrap([*above, *below], width, "      ", "        ")]
    return out


_ROOM = 30
"""Columns that the names of settings want."""


def client_lines(client: Client, width: int, also: Sequence[Client] = ()) -> list[Line]:
    """Everything about one client. `also`: others that the name fits."""
    head = [(client.name, "bold"), (" · ", "dim"), (client.id, "dim")]
    lines: list[Line] = [[], *wrap(head, width, "  ")]
    names = [each for each in client.names if each not in (client.id, client.name)]
    if names:
        lines.extend(wrap([(phrase("also-called", {"names": ", ".join(names)}), "dim")], width, "  ", "    "))
    for mode in client.modes:
        lines += [[], *_mode_lines(mode, width)]
    lines += [[], *wrap([(phrase("clients-recommend", {"id": client.id}), "dim")], width, "  ")]
    if also:
        shown = ", ".join(each.id for each in also[:_ALSO_SHOWN]) + (" …" if len(also) > _ALSO_SHOWN else "")
        lines += wrap([(phrase("clients-also", {"names": shown}), "dim")], width, "  ", "    ")
    return [*lines, []]


_ALSO_SHOWN = 6


def _mode_lines(mode: Mode, width: int) -> list[Line]:
    head: list[Span] = [*heading(mode), (f" · --mode {mode.id}", "dim")]
    versions = versions_text(mode)
    if versions:
        head.append((f" · {versions}", "dim"))
    lines: list[Line] = [*wrap(head, width, "  ", "    ")]
    rows: list[list[Span]] = [
        [
            (each.method, "dim"),
            (each.suffix or phrase("nothing-added"), ""),
            (phrase("simulate-required") if each.required else "", "dim"),
            (each.when, "dim"),
        ]
        for each in mode.requests
    ]
    lines.extend(_fitting([[("   ", ""), *row] for row in rows], width))
    lines.extend(wrap([(phrase("join-rule"), "dim"), (" ", ""), (join_text(mode), "")], width, "    ", "      "))
    default = mode.raw.get("default_base_url")
    if default:
        lines.extend(
            wrap([(phrase("default-base-url"), "dim"), (" ", ""), (str(default), "")], width, "    ", "      ")
        )
    provenance = mode.raw.get("provenance", {})
    facts = {name: str(provenance.get(name) or "") for name in ("version", "date", "source")}
    said = phrase("recommend-provenance-" + str(provenance["kind"]), facts)
    lines.extend(wrap([(said, "dim")], width, "    ", "      "))
    return lines


def join_text(mode: Mode) -> str:
    """The mode's join rule in words: the named rule's summary, or its steps."""
    rule = mode.raw["join"]
    if isinstance(rule, str):
        return str(join_rules()[rule]["summary"])
    said = []
    for step in rule:
        name, value = (step, {}) if isinstance(step, str) else next(iter(step.items()))
        said.append(phrase("join-" + name, value if isinstance(value, dict) else {"text": str(value)}))
    return phrase("join-then").join(said)


def clients_document(found: Mapping[Client, Sequence[Recommendation]]) -> dict[str, Any]:
    """The JSON of `clients`: the entries as they are, and the base URL that was solved for each mode (null: none)."""
    return {
        "schema_version": 1,
        "command": "clients",
        "clients": [dict(each.raw) for each in found],
        "base_urls": [
            {
                "client": client.id,
                "mode": one.mode.id,
                "protocol": one.mode.protocol,
                "base_url": one.base_url or None,
            }
            for client, each in found.items()
            for one in each
        ],
    }
