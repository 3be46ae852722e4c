"""What is known, printed: routes and clients, with where it is known from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from antigravity_doctor.knowledge.clients import Client, Mode, join_rules
from antigravity_doctor.knowledge.routes import Route, RouteHistory
from antigravity_doctor.knowledge.texts import phrase
from antigravity_doctor.reports.paint import Line, Span, columns, line_width, wrap
from antigravity_doctor.reports.recommend import versions_text
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


def clients_lines(clients: Sequence[Client], width: int) -> list[Line]:
    """A line a client."""
    rows: list[list[Span]] = []
    for each in sorted(clients, key=lambda client: client.id):
        protocols = dict.fromkeys(protocol_name(mode.protocol) for mode in each.modes)
        kinds = dict.fromkeys(str(mode.raw.get("provenance", {}).get("kind", "")) for mode in each.modes)
        rows.append(
            [
                (each.id, "bold"),
                (each.name, ""),
                (", ".join(protocols), "note"),
                (", ".join(phrase("kind-" + kind) for kind in kinds), "dim"),
            ]
        )
    lines = columns(rows, "  ")
    if rows and max(map(line_width, lines)) > width:
        # The id says almost what the name says.
        lines = _fitting([[row[0], *row[2:]] for row in rows], width)
    return [[], *lines, [], *wrap([(phrase("clients-more"), "dim")], width, "  "), []]


def client_lines(client: Client, width: int) -> list[Line]:
    """Everything about one client."""
    head = [(client.name, "bold"), (" · ", "dim"), (client.id, "dim")]
    lines: list[Line] = [[], *wrap(head, width, "  ")]
    names = [each for each in client.names if each not in (client.id, client.name)]
    if names:
        lines.extend(wrap([(phrase("also-called", {"names": ", ".join(names)}), "dim")], width, "  ", "    "))
    for mode in client.modes:
        lines += [[], *_mode_lines(mode, width)]
    return [*lines, [], *wrap([(phrase("clients-recommend", {"id": client.id}), "dim")], width, "  "), []]


def _mode_lines(mode: Mode, width: int) -> list[Line]:
    head: list[Span] = [
        (mode.name, "bold"),
        (" · ", "dim"),
        (protocol_name(mode.protocol), "note"),
        (f" · --mode {mode.id}", "dim"),
    ]
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


def clients_document(clients: Iterable[Client]) -> dict[str, Any]:
    """The JSON of `clients`: the entries as they are."""
    return {"schema_version": 1, "command": "clients", "clients": [dict(each.raw) for each in clients]}
