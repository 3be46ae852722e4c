"""The terminal report of `logs`: what was read, what is wrong most often and what to set, and what stays unseen."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import PurePath

from antigravity_doctor.diagnosis.explaining import Explanation
from antigravity_doctor.diagnosis.model import Fix
from antigravity_doctor.diagnosis.tallying import (
    MOST_PATHS,
    Asked,
    FailedStart,
    Group,
    LogFile,
    NotRead,
    Observation,
    Tally,
)
from antigravity_doctor.knowledge.texts import code as code_entry
from antigravity_doctor.knowledge.texts import finding_text, phrase, room_phrase
from antigravity_doctor.reports.explain_path import verdict_symbol
from antigravity_doctor.reports.paint import (
    Line,
    Span,
    cell_width,
    fitted_columns,
    line_width,
    printable,
    wrap,
)
from antigravity_doctor.reports.words import client_names, note_text, protocol_name, safe_facts

_ROOM = "logs"
_MOST_FILES = 8
_MOST_GROUPS = 10
_MOST_PATHS = 4
_MOST_AGENTS = 3
_MOST_EXAMPLES = 3
_SURE = 0.9
_SHOWN_FIXES = 2
_LEAST = 0.1
"""Fixes below this confidence are left to `explain-path`."""


def said(key: str, facts: dict[str, str] | None = None) -> str:
    """A phrase of this command (texts/<language>/logs.json)."""
    return room_phrase(_ROOM, key, facts)


def number(value: int) -> str:
    """A count as people write it: 1,204."""
    return f"{value:,}"


def span_text(first: float | None, last: float | None) -> str:
    """A span of time in the local time of this machine, to the minute: "2026-02-03 09:12 – 10:15". "" for none."""
    if first is None or last is None:
        return ""
    start, end = _clock(first), _clock(last)
    if start == end:
        return start
    if start[:10] == end[:10]:
        end = end[11:]
    return said("span", {"first": start, "last": end})


def _clock(when: float) -> str:
    return _local(when, "%Y-%m-%d %H:%M") or "?"


def _local(when: float, shape: str) -> str:
    """Seconds since 1970 in the local time of this machine, in a shape of `strftime`; "" for what this machine takes
    for no time: a database can hold any number, and Windows knows none before 1970 or after the year 3000."""
    try:
        return time.strftime(shape, time.localtime(when))
    except (OverflowError, OSError, ValueError):
        return ""


# --- what was read ---------------------------------------------------------------------------------------------------


def reading_lines(
    files: Sequence[LogFile],
    not_read: Sequence[NotRead],
    folder: str | None,
    width: int,
    *,
    only_newer: bool = False,
) -> list[Line]:
    """The sources: what each is, how many requests it holds, and what span of time they cover. `only_newer`: older
    requests were left out."""
    none = said("no-requests-since" if only_newer else "no-requests")
    lines: list[Line] = [[]]
    rows: list[list[Span]] = []
    folders = {str(PurePath(each.name).parent) for each in files}
    if folder is None and len(files) > 1 and len(folders) == 1 and folders != {"."}:
        # All are in one folder: it is named once.
        folder = folders.pop()
        files = [each._replace(name=PurePath(each.name).name) for each in files]
    # Where there are many, those that say nothing are the first that need no line.
    shown = sorted(files, key=lambda each: not (each.requests or each.problem))[:_MOST_FILES]
    for each in files:
        if each not in shown:
            continue
        name = said("stdin") if each.name == "-" else printable(each.name, 100)
        count = said("requests" if each.requests != 1 else "requests-one", {"count": number(each.requests)})
        rows.append(
            [
                (name, "bold"),
                (said("format-" + each.format), "dim"),
                (count if each.requests else none, "" if each.requests else "dim"),
                (span_text(each.first, each.last), "dim"),
            ]
        )
    lead = said("read") + " "
    for index, line in enumerate(fitted_columns(rows, width, "  " + " " * cell_width(lead))):
        lines.append([("  ", ""), (lead, "dim"), *line[1:]] if index == 0 else line)
    indent = "  " + " " * cell_width(lead)
    if len(files) > len(shown):
        more = len(files) - len(shown)
        text = said("more-files" if more > 1 else "more-files-one", {"count": number(more)})
        lines.append([(indent, ""), (text, "dim")])
    if folder is not None and files:
        lines += wrap([(said("in-folder", {"folder": printable(folder, 200)}), "dim")], width, indent)
    for each in files:
        name = said("stdin") if each.name == "-" else printable(each.name, 100)
        if each.problem is not None:
            lines += _note(f"{name}: {said('problem-' + each.problem)}.", width)
        if each.unread:
            key = "problem-unread" if each.unread > 1 else "problem-unread-one"
            lines += _note(f"{name}: {said(key, {'count': number(each.unread)})}.", width)
    for one in not_read:
        lines += _note(skipped_text(one), width)
    return lines


def skipped_text(one: NotRead) -> str:
    """What was not read, and why, in a sentence. A stream can hold what can be read where it lies, a database."""
    name = said("stdin") if one.name == "-" else printable(one.name, 100)
    why = "binary-stream" if (one.name, one.why) == ("-", "binary") else one.why
    return said("skipped", {"name": name, "why": said("why-" + why)})


def _note(text: str, width: int) -> list[Line]:
    return list(wrap([("! ", "warn"), (text, "")], width, "  ", "    "))


# --- what was requested ----------------------------------------------------------------------------------------------


def tally_lines(
    found: Tally,
    blind: Sequence[str],
    width: int,
    *,
    everything: bool = False,
    tls: int = 0,
    garbled: int = 0,
    failed_start: FailedStart | None = None,
) -> list[Line]:
    """The groups, most frequent error first; the rest in a line each; what the sources do not show."""
    lines: list[Line] = [[]]
    if not found.total:
        lines += wrap([("? ", "warn"), (said("empty"), "bold")], width, "  ", "    ")
    else:
        lines += wrap([(_headline(found), "bold")], width, "  ")
    groups = found.wrong if everything else found.wrong[:_MOST_GROUPS]
    for each in groups:
        lines += [[], *_group_lines(each, width, everything=everything)]
    hidden = found.wrong[len(groups) :]
    if hidden:
        facts = {"count": number(sum(each.times for each in hidden)), "paths": number(len(hidden))}
        text = said("more-groups" if len(hidden) > 1 else "more-groups-one", facts)
        lines += [[], *wrap([(text, "dim")], width, "  ", "    ")]
    if found.wrong and any(each.client is None and each.fixes for each in found.wrong):
        lines += [[], *wrap([(said("certain"), "dim")], width, "  ", "    ")]
    if found.failed:
        lines += [[], *wrap([(said("failed"), "bold")], width, "  ", "    ")]
        for each in found.failed if everything else found.failed[:_MOST_GROUPS]:
            lines += _failed_lines(each, width)
    lines += _rest_lines(found, width, everything=everything, tls=tls, garbled=garbled)
    if failed_start is not None:
        lines += [[], *wrap([("! ", "warn"), (_start_text(failed_start), "")], width, "  ", "    ")]
    if found.total and not found.wrong:
        lines += [[], *wrap([("✓ ", "good"), (said("all-right"), "good"), (" ", ""),
                             (said("all-right-limits"), "")], width, "  ", "    ")]  # fmt: skip
    lines += [[], *wrap([(said("blind-title"), "dim")], width, "  ", "    ")]
    for spot in blind:
        lines += wrap([("· ", "dim"), (said("blind-" + spot), "dim")], width, "    ", "      ")
    return [*lines, []]


def _start_text(failed: FailedStart) -> str:
    when = _clock(failed.when) if failed.when is not None else ""
    facts = {"address": printable(failed.address, 80), "why": printable(failed.why, 100), "when": when}
    return said("failed-start" if when else "failed-start-untimed", facts)


def summary_texts(found: Tally, most: int = 10) -> list[str]:
    """The same in plain sentences, one a group, most frequent error first: for a report that is sent to somebody."""
    texts = [_headline(found)]
    for group in (*found.wrong, *found.failed)[:most]:
        first = group.requests[0]
        request = request_text(first.method, first.path)
        times = said("times", {"count": number(group.times)})
        text = f"{times} {group.code} {finding_text(group.code, 'title')}: {request}"
        statuses, when = statuses_text(first), span_text(group.first, group.last)
        details = [said("answered-with", {"statuses": statuses})] if statuses else []
        details += [when] if when else []
        if group.client is not None:
            details.append(group.client.name)
        text += f" ({', '.join(details)})" if details else ""
        if group.fixes:
            text += f" → {group.fixes[0].base_url}"
        texts.append(text)
    return texts


def _headline(found: Tally) -> str:
    count = said("requests" if found.total != 1 else "requests-one", {"count": number(found.total)})
    span = span_text(found.first, found.last)
    if not span:
        return count + ". " + said("no-times")
    return count + ", " + span


def _group_lines(group: Group, width: int, *, everything: bool) -> list[Line]:
    symbol: Span = ("✗", "bad") if group.severity == "error" else ("!", "warn")
    finding = group.finding
    head: list[Span] = [(said("times", {"count": number(group.times)}), "bold"), (" ", ""), (group.code, "code")]
    lines: list[Line] = list(
        _hung([("  ", ""), symbol, (" ", "")], [*head, (" ", ""), (code_entry(group.code).name, "code")], width)
    )
    lines += wrap([(finding_text(group.code, "summary", safe_facts(finding)), "")], width, "    ")
    shown = group.requests if everything else group.requests[:_MOST_PATHS]
    lines.append([])
    widest = max(cell_width(number(each.times)) for each in shown)
    for each in shown:
        lines += _asked_lines(each, width, widest)
    hidden = group.requests[len(shown) :]
    if hidden:
        facts = {"count": number(sum(each.times for each in hidden)), "paths": number(len(hidden))}
        text = said("more-paths" if len(hidden) > 1 else "more-paths-one", facts)
        lines += wrap([(text, "dim")], width, "      ")
    lines.append([])
    lines += _advice(group, width)
    return lines


def _hung(start: list[Span], spans: list[Span], width: int) -> list[Line]:
    first, *others = wrap(spans, width, " " * line_width(start))
    return [[*start, *first[1:]], *others]


def _asked_lines(each: Asked, width: int, widest: int) -> list[Line]:
    count = number(each.times)
    start: list[Span] = [("      " + " " * (widest - cell_width(count)), ""), (count, "bold"), (" × ", "dim")]
    subject = request_text(each.method, each.path)
    when = span_text(each.first, each.last)
    lines: list[Line]
    taken = line_width(start) + cell_width(subject)
    if when and taken + 2 + cell_width(when) <= width:
        lines = [[*start, (subject, "bold"), ("  ", ""), (when, "dim")]]
        when = ""
    else:
        lines = _hung(start, [(subject, "bold")], width)
    below = " " * line_width(start)
    details = [when] if when else []
    if each.variants > 1:
        details.append(said("variants", {"count": number(each.variants)}))
    statuses = statuses_text(each)
    if statuses:
        details.append(said("answered-with", {"statuses": statuses}))
    agents = agents_text(each.agents)
    if agents:
        details.append(said("from-clients", {"names": agents}))
    if details:
        lines += wrap([(" · ".join(details), "dim")], width, below)
    return lines


def request_text(method: str | None, path: str) -> str:
    """`POST /v1/x`, ready for a terminal."""
    return printable(f"{method} {path}" if method else path, 160)


def statuses_text(each: Asked) -> str:
    """How the requests were answered: "404", or "404 (10 ×), 401 (2 ×)"; "" where nothing says it."""
    known = [(status, count) for status, count in each.statuses if status is not None]
    if len(known) == 1 and known[0][1] == each.times:
        return str(known[0][0])
    shown = [said("status-times", {"status": str(status), "count": number(count)}) for status, count in known]
    return ", ".join(shown[:4])


def agents_text(agents: Sequence[tuple[str, int]]) -> str:
    """Who sent them, most often first: "node (3 ×), curl/8.5.0 (1 ×)"; one alone without its number.

    What stands in brackets behind the name (platforms, engines) is left to the JSON.
    """
    if len(agents) == 1:
        return _program(agents[0][0])
    shown = [
        said("some-agents", {"agent": _program(agent), "count": number(count)})
        for agent, count in agents[:_MOST_AGENTS]
    ]
    return ", ".join(shown) + (", …" if len(agents) > _MOST_AGENTS else "")


def _program(agent: str) -> str:
    return printable(agent.partition(" (")[0], 60)


def _advice(group: Group, width: int) -> list[Line]:
    """What to type: for the client where it is known, else for which kind of client each base URL holds."""
    if not group.fixes:
        fix = finding_text(group.code, "fix", safe_facts(group.finding))
        return list(wrap([("→ ", "note"), (fix, "")], width, "    ", "      "))
    lines: list[Line] = []
    best = group.fixes[0]
    lines += wrap(
        [("→ ", "note"), (phrase("set"), "bold"), (" ", ""), (best.base_url, "value")], width, "    ", "      "
    )
    lines += _for_whom(group, best, width, first=True)
    certain = group.client is not None or best.confidence >= _SURE
    others = [each for each in group.fixes[1:] if each.base_url != best.base_url and each.confidence >= _LEAST]
    for other in [] if certain else others[: _SHOWN_FIXES - 1]:
        lines += wrap([(phrase("or"), ""), (" ", ""), (other.base_url, "value")], width, "      ", "        ")
        lines += _for_whom(group, other, width, first=False)
    return lines


def _for_whom(group: Group, fix: Fix, width: int, *, first: bool) -> list[Line]:
    lines: list[Line] = []
    note = note_text(fix)
    if note is not None:
        lines += wrap([(note, "")], width, "      ")
    if group.client is not None:
        name = said("from-client", {"name": group.client.name})
        where = phrase("trace-where", {"id": group.client.id})
        return [*lines, *wrap([(f"{name}; {where}", "dim")], width, "      ", "        ")]
    if note is None and fix.appends:
        key = "only-if-adds" if first else "for-clients-that-add"
        key += "" if fix.clients else "-alone"
        facts = {"appends": printable(fix.appends, 100), "clients": client_names(fix.clients)}
        lines += wrap([(phrase(key, facts), "dim")], width, "      ", "        ")
    return lines


def _failed_lines(group: Group, width: int) -> list[Line]:
    """Right requests with a failure for an answer, a line or two a finding."""
    symbol: Span = ("✗", "bad") if group.severity == "error" else ("!", "warn")
    examples = ", ".join(request_text(each.method, each.path) for each in group.requests[:2])
    statuses = ", ".join(
        dict.fromkeys(str(status) for each in group.requests for status, _ in each.statuses if status is not None)
    )
    more = ", …" if len(group.requests) > 2 else ""
    head: list[Span] = [
        (said("times", {"count": number(group.times)}), "bold"),
        (" ", ""),
        (statuses, ""),
        (" ", ""),
        (group.code, "code"),
        (" ", ""),
        (finding_text(group.code, "title"), ""),
    ]
    lines = _hung([("    ", ""), symbol, (" ", "")], head, width)
    when = span_text(group.first, group.last)
    lines += wrap([(f"{examples}{more}" + (f" · {when}" if when else ""), "dim")], width, "      ")
    return lines


def _rest_lines(found: Tally, width: int, *, everything: bool, tls: int, garbled: int) -> list[Line]:
    """What is right, harmless, or not the proxy's business: a line each."""
    rows: list[tuple[Span, str]] = []
    if found.total:
        right = sum(each.times for each in found.right)
        # What stands above may have been to right paths, and was answered with a failure.
        none = said("right-none-well" if found.failed else "right-none")
        rows.append((("✓", "good"), said("right", {"count": number(right)})) if right else (("·", "dim"), none))
    for name, every in (("harmless", found.harmless), ("foreign", found.foreign), ("answered", found.answered)):
        if every:
            facts = {"count": number(sum(each.times for each in every)), "examples": _examples(every, everything)}
            rows.append((("!", "warn") if name == "answered" else ("·", "dim"), said(name, facts)))
    if found.others:
        rows.append((("!", "warn"), said("others", {"count": number(found.others), "limit": number(MOST_PATHS)})))
    odd = tls + garbled
    if odd:
        text = said("not-http" if odd > 1 else "not-http-one", {"count": number(odd)})
        rows.append(
            (("·", "dim"), text) if not tls else (("!", "warn"), f"{text} {said('tls', {'count': number(tls)})}")
        )
    lines: list[Line] = [[]] if rows else []
    for symbol, text in rows:
        lines += wrap([symbol, (" ", ""), (text, "")], width, "  ", "    ")
    return lines


def _examples(every: Sequence[Asked], everything: bool) -> str:
    most = len(every) if everything else _MOST_EXAMPLES
    shown = ", ".join(request_text(each.method, each.path) for each in every[:most])
    return shown + (", …" if len(every) > most else "")


# --- live ------------------------------------------------------------------------------------------------------------


def event_lines(one: Observation, found: Explanation, width: int) -> list[Line]:
    """One request as it comes: time, verdict, status, method and path, what to set; two lines where it is narrow."""
    clock = (_local(one.first, "%H:%M:%S") if one.first is not None else "") or "--:--:--"
    status = "---" if one.status is None else str(one.status)
    style = "dim" if one.status is None or one.status < 400 else "warn"
    start: list[Span] = [("  ", ""), (clock, "dim"), ("  ", ""), verdict_symbol(found), (" ", ""), (status, style)]
    start.append(("  ", ""))
    subject: list[Span] = [(request_text(found.method, found.path), "bold")]
    tail: list[Span] = []
    main = found.findings[0] if found.findings else None
    if main is not None:
        tail += [(main.code, "code"), (" ", ""), (code_entry(main.code).name, "")]
    elif found.route is not None:
        tail.append((protocol_name(found.route.protocol), "good"))
    if found.fixes:
        tail += [(" → ", "dim"), (found.fixes[0].base_url, "value")]
    agent = agents_text(one.agents)
    if agent:
        tail += [("  ", ""), (agent, "dim")]
    if line_width(start) + line_width(subject) + 2 + line_width(tail) <= width:
        return [[*start, *subject, ("  ", ""), *tail]]
    return [*_hung(start, subject, width), *wrap(tail, width, " " * line_width(start))]


def note_lines(key: str, facts: dict[str, str], width: int) -> list[Line]:
    """A word about what is watched."""
    safe = {name: printable(value, 200) for name, value in facts.items()}
    return list(wrap([(said(key, safe), "dim")], width, "  ", "    "))
