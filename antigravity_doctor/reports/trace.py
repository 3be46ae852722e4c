"""The terminal report of `trace`: a row a request, and below what all of them together say."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from antigravity_doctor.diagnosis.explaining import Explanation
from antigravity_doctor.diagnosis.launching import Launch
from antigravity_doctor.diagnosis.recording import Recorded
from antigravity_doctor.diagnosis.tracing import Inference
from antigravity_doctor.diagnosis.watching import Summary
from antigravity_doctor.knowledge.clients import Client
from antigravity_doctor.knowledge.texts import code as code_entry
from antigravity_doctor.knowledge.texts import finding_text, phrase
from antigravity_doctor.reports.explain_path import verdict_symbol
from antigravity_doctor.reports.paint import Line, Span, cell_width, line_width, printable, wrap
from antigravity_doctor.reports.words import client_names, note_text, protocol_name, safe_facts

_SHOWN_SUFFIXES = 4
_SHOWN_VARIABLES = 3
_COLUMNS = (42, 32, 26)
"""Columns that method and path take before the verdict, where they need no more: the first that leaves it room."""
_SURE, _LIKELY = 0.9, 0.6
"""From this confidence a client is named as a fact, from that one as likely; below as possible."""


def opening_lines(
    facts: Mapping[str, str],
    width: int,
    *,
    source: str,
    version: str | None,
    own_path: bool = True,
    rewriting: bool = False,
) -> list[Line]:
    """What stands above the requests: the URL to give to the client, and where its requests go on to.

    `facts` are url, base_url and origin; `source` says where the origin is from (`probes.target`), or "stand-in";
    `own_path`: the client is to keep the path that it has.
    """
    known = {**facts, "source": source, "version": version or ""}
    known["of"] = phrase("trace-version", known) if version else ""
    to = phrase(f"trace-to-{source}" if source in ("given", "default", "found", "stand-in") else "trace-to-file", known)
    lines: list[Line] = [[]]
    lead: list[Span] = [(phrase("trace-recording"), "bold"), (" ", ""), (facts["url"], "value")]
    lines += wrap([*lead, (" → ", "dim"), (to, "")], width, "  ", "    ")
    lines.append([])
    lines += wrap([(phrase("trace-set"), ""), (" ", ""), (facts["base_url"], "value")], width, "  ", "    ")
    lines += wrap([(phrase("trace-how-own-path" if own_path else "trace-how"), "dim")], width, "  ")
    if rewriting:
        lines += wrap([("! ", "warn"), (phrase("trace-rewriting"), "warn")], width, "  ", "    ")
    return [*lines, []]


def launch_lines(found: Launch, recorder: str, client: Client | None, width: int) -> list[Line]:
    """What a command gets to see: the variables that are set for it, and the files that only the user can change."""
    lines: list[Line] = []
    name = client.name if client is not None else phrase("trace-any-client")
    shown = [each for each in found.variables if each.why != "key"]
    said = phrase("trace-launch" if shown else "trace-launch-none", {"url": recorder, "client": name})
    lines += wrap([(said, "dim")], width, "  ", "    ")
    usual = [each for each in shown if each.why == "right"]
    more = usual[_SHOWN_VARIABLES:]
    for each in shown:
        if each in more:
            continue
        said = phrase(f"trace-variable-{each.why}", {"was": printable(each.was or "", 120)})
        spans: list[Span] = [(f"{each.name}=", ""), (printable(each.value, 160), "value"), (" ", ""), (said, "dim")]
        lines += wrap(spans, width, "    ", "      ")
    if more:
        lines += wrap([(phrase("trace-variables-more", {"names": ", ".join(each.name for each in more)}), "dim")],
                      width, "    ", "      ")  # fmt: skip
    keys = [each.name for each in found.variables if each.why == "key"]
    if keys:
        lines += wrap([(phrase("trace-variables-key", {"names": ", ".join(keys)}), "dim")], width, "    ", "      ")
    for file in found.files:
        facts = {"client": name, "name": file.name, "where": file.where or "", "value": file.value}
        lines += wrap([("! ", "warn"), (phrase("trace-file", facts), "")], width, "    ", "      ")
    return [*lines, []]


def folded(rows: Iterable[Recorded]) -> list[tuple[Recorded, int]]:
    """Requests that follow each other and show the same but for the time: the first of them, and how many."""
    found: list[tuple[Recorded, int]] = []
    last: tuple[object, ...] | None = None
    for one in rows:
        seen = one.exchange.observed
        same = (seen.method, seen.path, seen.status, one.exchange.outcome, one.exchange.forwarded, one.found)
        if same == last:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((one, 1))
        last = same
    return found


def row_lines(one: Recorded, width: int, times: int = 1) -> list[Line]:
    """One request, or several alike, on a line (two where the terminal is narrow or the verdict long)."""
    seen = one.exchange.observed
    clock = time.strftime("%H:%M:%S", time.localtime(one.exchange.started))
    start: list[Span] = [("  ", ""), (clock, "dim"), ("  ", "")]
    if not seen.method:
        said = phrase(f"trace-note-{one.exchange.note}", {"recorder": one.recorder})
        return _beside([*start, ("✗", "bad"), (" ", "")], said, width)
    status = "---" if seen.status is None else str(seen.status)
    subject = printable(f"{seen.method} {seen.path}", 160)
    start += [verdict_symbol(one.found), (" ", ""), (status, _status_style(seen.status)), ("  ", "")]
    if times > 1:
        subject += f" ×{times}"
    tail = _tail(one)
    room = width - line_width(start)
    taken = cell_width(subject) + 2 + line_width(tail)
    # The longest name of a finding has thirty letters: on a narrow terminal it stands further left.
    below = " " * min(line_width(start), max(4, width - 32))
    if taken > room:
        return [*_beside_spans(start, [(subject, "bold")], width), *wrap(tail, width, below)]
    # The verdicts stand below each other as long as the paths are short enough, and the verdicts themselves.
    column = next((each for each in _COLUMNS if each + line_width(tail) <= room), 0)
    return [[*start, (subject, "bold"), (" " * max(2, column - cell_width(subject)), ""), *tail]]


def _status_style(status: int | None) -> str:
    return "bad" if status is None else "dim" if status < 400 else "warn"


def _beside(start: list[Span], said: str, width: int) -> list[Line]:
    return _beside_spans(start, [(said, "")], width)


def _beside_spans(start: list[Span], spans: list[Span], width: int) -> list[Line]:
    first, *others = wrap(spans, width, " " * line_width(start))
    return [[*start, *first[1:]], *others]


def _tail(one: Recorded) -> list[Span]:
    """The verdict in a few words: the route's protocol, or the finding and what to set."""
    exchange, found = one.exchange, one.found
    if exchange.note is not None:
        return [(phrase(f"trace-note-{exchange.note}", {"recorder": one.recorder}), "")]
    tail: list[Span] = []
    if exchange.outcome in ("client-left", "ended"):
        tail += [(phrase(f"trace-{exchange.outcome}"), "warn"), (" ", "")]
    main = found.findings[0] if found.findings else None
    if main is not None:
        tail += [(main.code, "code"), (" ", ""), (code_entry(main.code).name, "")]
    elif found.route is not None:
        said = protocol_name(found.route.protocol)
        tail += [(f"{said}, WebSocket" if exchange.websocket else said, "good")]
    if exchange.forwarded is not None:
        tail += [(" ", ""), (phrase("trace-rewritten", {"path": printable(exchange.forwarded, 120)}), "warn")]
    elif found.fixes:
        tail += [(" → ", "dim"), (found.fixes[0].base_url, "value")]
    return tail


def summary_lines(found: Summary, width: int, *, rewriting: bool = False, given_by_trace: bool = False) -> list[Line]:
    """What all requests together say: for each client who it was, what it adds, and the base URL that it needs.

    `given_by_trace`: the client had its base URL from `trace` itself, so nothing is known of the user's own.
    """
    if found.total == 0:
        said = phrase("trace-nothing-came", {"url": found.recorder})
        return [[], *wrap([("? ", "warn"), (said, "")], width, "  ", "    "), []]
    lines: list[Line] = [[]]
    lines += wrap([(_counted(found), "bold")], width, "  ")
    for each in found.inferences:
        if each.seen:
            miss = next((found.misses[agent] for agent in each.user_agents if agent in found.misses), None)
            lines += [
                [],
                *inference_lines(
                    each,
                    miss,
                    width,
                    recorder=found.recorder,
                    origin=found.origin,
                    answered=found.answered,
                    given_by_trace=given_by_trace,
                ),
            ]
    for problem in found.problems:
        facts = safe_facts(problem)
        lead: list[Span] = [("! ", "warn"), (f"{problem.code} ", "code")]
        lines += [[], *wrap([*lead, (finding_text(problem.code, "summary", facts), "")], width, "  ", "    ")]
        lines += wrap([(finding_text(problem.code, "fix", facts), "dim")], width, "    ")
    if rewriting and found.missed:
        lines += [[], *wrap([("! ", "warn"), (phrase("trace-rewriting-end"), "warn")], width, "  ", "    ")]
    return [*lines, []]


def _counted(found: Summary) -> str:
    """How many requests there were, and how many of them landed."""
    counts = {"landed": found.landed, "missed": found.missed, "harmless": found.harmless}
    there = {key: count for key, count in counts.items() if count}
    if found.total == 1:
        return phrase(f"trace-one-{next(iter(there))}")
    parts = [phrase(f"trace-{key}", {"count": str(count)}) for key, count in there.items()]
    return f"{phrase('trace-total', {'count': str(found.total)})}: {', '.join(parts)}."


def inference_lines(
    found: Inference,
    miss: Explanation | None,
    width: int,
    *,
    recorder: str,
    origin: str,
    answered: bool = True,
    given_by_trace: bool = False,
) -> list[Line]:
    """One client: who it was, what it adds, what was configured, what was wrong with that, and what to set."""
    lines: list[Line] = []
    rows: list[tuple[str, list[Span]]] = [(phrase("trace-client"), _client(found))]
    if found.appends:
        shown = [printable(suffix or phrase("nothing-added"), 100) for _, suffix in found.appends]
        more = len(shown) - _SHOWN_SUFFIXES
        text = ", ".join(dict.fromkeys(shown[:_SHOWN_SUFFIXES]))
        rows.append((phrase("trace-adds"), [(text, "bold"), *([(f" +{more}", "dim")] if more > 0 else [])]))
    if found.configured is not None:
        sure = "trace-configured-exact" if found.configured_exact else "trace-configured-guess"
        style = "good" if found.works else "bad"
        shown_url = printable(found.configured, 160)
        rows.append((phrase("trace-configured"), [(shown_url, style), (" ", ""), (f"({phrase(sure)})", "dim")]))
    margin = max(cell_width(name) for name, _ in rows) + 2
    for name, spans in rows:
        pad = " " * (margin - cell_width(name))
        lines += [*_labelled(name + pad, spans, width)]
    lines.append([])
    if miss is not None and miss.findings and not found.works:
        main = next((each for each in miss.findings if not each.code.startswith("AGD1")), miss.findings[0])
        said = finding_text(main.code, "summary", safe_facts(main))
        lines += wrap([("✗ ", "bad"), (f"{main.code} ", "code"), (said, "")], width, "  ", "    ")
    if found.works and not answered:
        return [*lines, *wrap([("? ", "warn"), (phrase("trace-works-unproved"), "")], width, "  ", "    ")]
    if found.works and given_by_trace:
        key = "trace-works-given" if found.configured_exact else "trace-works-given-alone"
        said = phrase(key, {"url": origin + (found.configured or recorder).removeprefix(recorder)})
        return [*lines, *wrap([("✓ ", "good"), (said, "")], width, "  ", "    ")]
    return [*lines, *_advice(found, miss, width, recorder=recorder, origin=origin)]


def _labelled(label: str, spans: list[Span], width: int) -> list[Line]:
    below = "  " + " " * cell_width(label)
    first, *others = wrap(spans, width, below)
    return [[("  ", ""), (label, "dim"), *first[1:]], *others]


def _client(found: Inference) -> list[Span]:
    who = found.identity
    if who is None:
        agent = printable(found.user_agent, 80) if found.user_agent else phrase("trace-no-user-agent")
        return [(phrase("trace-unknown-client"), "bold"), (" ", ""), (f"({agent})", "dim")]
    sure = "" if who.confidence >= _SURE else "trace-likely" if who.confidence >= _LIKELY else "trace-possible"
    name = who.client.name + (f" {printable(who.version, 40)}" if who.version else "")
    spans: list[Span] = [(phrase(sure, {"name": name}) if sure else name, "bold")]
    if who.modes:
        spans += [(", ", ""), (who.modes[0].name, "")]
    reasons = [phrase(f"trace-by-{each}") for each in who.because if each != "given"][:2]
    said = [phrase("trace-by-given")] if "given" in who.because else []
    said += [phrase("trace-by", {"reasons": ", ".join(reasons)})] if reasons else []
    if said:
        spans += [(" ", ""), (f"({', '.join(said)})", "dim")]
    if who.rivals:
        names = client_names([each.id for each in who.rivals], most=3)
        spans += [(" ", ""), (phrase("trace-rivals", {"names": names}), "dim")]
    return spans


def _advice(found: Inference, miss: Explanation | None, width: int, *, recorder: str, origin: str) -> list[Line]:
    """The one thing to type. While it is traced, the recorder's address stands where the proxy's will."""
    lines: list[Line] = []
    if found.works:
        lines += wrap([("✓ ", "good"), (phrase("trace-works"), "good")], width, "  ", "    ")
        if found.configured is not None and found.configured.startswith(recorder):
            url = origin + found.configured[len(recorder) :]
            lines += wrap([(phrase("trace-keep"), ""), (" ", ""), (printable(url, 160), "value")], width, "    ")
        return lines
    if not found.fixes and found.partial:
        return _by_protocol(found, width)
    if not found.fixes:
        return _unserved(found, miss, width) or list(
            wrap([("✗ ", "bad"), (phrase("trace-no-fix"), "")], width, "  ", "    ")
        )
    best = found.fixes[0]
    lines.append([])
    lines += wrap([("→ ", "note"), (phrase("set"), "bold"), (" ", ""), (best.base_url, "value")], width, "  ", "    ")
    note = note_text(best)
    if note is not None:
        lines += wrap([(note, "")], width, "    ")
    if best.base_url.startswith(origin):
        here = recorder + best.base_url[len(origin) :]
        lines += wrap([(phrase("trace-try-here", {"url": here}), "dim")], width, "    ", "      ")
    if found.identity is not None and found.identity.confidence >= _SURE:
        said = phrase("trace-where", {"id": found.identity.client.id})
        lines += wrap([(said, "dim")], width, "    ", "      ")
    for other in found.fixes[1:3]:
        if other.base_url != best.base_url:
            said = phrase("trace-other", {"appends": printable(other.appends, 100)})
            lines += wrap([(said, "dim"), (" ", ""), (other.base_url, "value")], width, "    ", "      ")
    return [*lines, *_unserved(found, miss, width)]


def _unserved(found: Inference, miss: Explanation | None, width: int) -> list[Line]:
    """The requests that no base URL brings to a route: nothing that the user could set is wrong about them."""
    if not found.unserved:
        return []
    if miss is not None and [path for _, path in found.unserved] == [miss.path] and miss.findings:
        # The one that has just been explained.
        return list(
            wrap([(finding_text(miss.findings[0].code, "fix", safe_facts(miss.findings[0])), "")], width, "    ")
        )
    shown = [printable(f"{method} {path}", 100) for method, path in found.unserved[:_SHOWN_SUFFIXES]]
    more = len(found.unserved) - len(shown)
    text = ", ".join(shown) + (f" +{more}" if more > 0 else "")
    return list(wrap([("! ", "warn"), (phrase("trace-unserved", {"requests": text}), "")], width, "  ", "    "))


def _by_protocol(found: Inference, width: int) -> list[Line]:
    """Where no one base URL is right for all protocols that a client speaks: one for each."""
    lines: list[Line] = list(wrap([("! ", "warn"), (phrase("trace-by-protocol"), "")], width, "  ", "    "))
    for each in found.partial:
        said = protocol_name(each.protocol)
        if each.works:
            lines += wrap([(f"{said}: ", ""), (phrase("trace-protocol-works"), "good")], width, "    ", "      ")
        elif each.fixes:
            spans: list[Span] = [(f"{said}: {phrase('set')} ", ""), (each.fixes[0].base_url, "value")]
            lines += wrap(spans, width, "    ", "      ")
        else:
            lines += wrap([(f"{said}: ", ""), (phrase("trace-no-fix"), "")], width, "    ", "      ")
    return lines


def pending_lines(pending: Iterable[tuple[str, str, float]], width: int) -> list[Line]:
    """Requests under way: (method, path, seconds so far)."""
    lines: list[Line] = []
    for method, path, seconds in pending:
        subject = printable(f"{method} {path}", 100)
        said = phrase("trace-pending", {"seconds": f"{seconds:.0f}"})
        lines += wrap([("… ", "dim"), (subject, ""), (" ", ""), (said, "dim")], width, "  ", "    ")
    return lines
