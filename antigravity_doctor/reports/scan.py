"""The terminal report of `scan`: every client that is set up on this machine, the wrong ones first."""

from __future__ import annotations

from collections.abc import Sequence

from antigravity_doctor.diagnosis.machine import Surroundings
from antigravity_doctor.diagnosis.model import Finding, Fix
from antigravity_doctor.diagnosis.scanning import ClientScan, Judged, JudgedVariable, Scan, Spot, Unreadable
from antigravity_doctor.knowledge.clients import Client
from antigravity_doctor.knowledge.texts import code as code_entry
from antigravity_doctor.knowledge.texts import file_reason, finding_text, room_phrase
from antigravity_doctor.reports.paint import Line, Span, line_width, printable, wrap
from antigravity_doctor.reports.words import note_text, safe_facts

_SYMBOL: dict[str, Span] = {
    "right": ("✓", "good"),
    "wrong": ("✗", "bad"),
    "stale": ("✗", "bad"),
    "unreadable": ("!", "warn"),
    "shared": ("!", "warn"),
    "unclear": ("?", "warn"),
    "elsewhere": ("·", "dim"),
    "overridden": ("–", "dim"),
    "ignored": ("–", "dim"),
    "closed": ("·", "dim"),
    "none": ("·", "dim"),
}
_NAMES_SHOWN = 4
_COUNTED = ("right", "wrong", "stale", "shared", "elsewhere", "overridden", "unclear", "unreadable")


def scan_lines(
    found: Scan,
    width: int,
    *,
    source: str,
    answering: str,
    version: str | None,
    only: Client | None = None,
    around: Surroundings = Surroundings(),  # noqa: B008 - an immutable value
    advise: bool = True,
) -> list[Line]:
    """The whole report. `source` and `answering` are those of `probes.target.Target`; `advise`: name what corrects
    it."""
    facts = {"origin": found.origin, "source": _say("source-" + source)}
    lines: list[Line] = [[], *wrap([(_say("title", **facts), "bold")], width, "  ")]
    state = "answers" if answering == "proxy" and version else {"proxy": "answers-unknown"}.get(answering)
    said = _say(state or "answers-" + answering, version=version or "")
    lines += wrap([(said, "dim" if answering in ("proxy", "unasked") else "warn")], width, "  ")
    where = around.container or ("wsl" if around.wsl == 2 else around.remote)
    if where is not None and answering in ("nothing", "other"):
        lines += wrap([(_say("around-" + where), "warn")], width, "  ")
    for client in found.clients:
        lines += [[], *_client_lines(client, width)]
    if found.variables:
        lines += [[], *wrap([(_say("variables"), "bold")], width, "  ")]
        for each in found.variables:
            lines += _variable_lines(each, width)
    if not found.clients and not found.variables:
        key = "nothing" if only is None else "nothing-for"
        facts = {"files": str(found.files)}
        if only is not None:
            facts |= {"client": only.name, "id": only.id}
        lines += [[], *wrap([(_say(key, **facts), "")], width, "  ")]
        return [*lines, []]
    counts = [_say("count-" + state, count=str(count)) for state, count in _counts(found).items() if count]
    lines += [[], *wrap([(" · ".join(counts), "")], width, "  ")] if counts else []
    judged = any(each.fixable for client in found.clients for each in client.judged)
    if advise and (judged or any(each.fixable for each in found.variables)):
        lines += wrap([(_say("fixable"), "note")], width, "  ")
    return [*lines, []]


def _counts(found: Scan) -> dict[str, int]:
    """How many places are in each state: a file or variable that several clients read is one place."""
    states: dict[tuple[object, str], None] = {}
    for client in found.clients:
        states |= {(each.found.spot, each.state): None for each in client.judged}
        states |= {(each.file, "unreadable"): None for each in client.unreadable}
    read = {spot for spot, _ in states}
    states |= {(each.variable.spot, each.state): None for each in found.variables if each.variable.spot not in read}
    every = [state for _, state in states]
    return {name: every.count(name) for name in _COUNTED}


def _client_lines(scanned: ClientScan, width: int) -> list[Line]:
    worst = scanned.worst
    main = next((each.findings[0] for each in scanned.judged if each.findings and each.state == worst), None)
    head: list[Span] = [("  ", ""), _SYMBOL[worst], (" ", ""), (scanned.client.name, "bold")]
    said: list[Span] = [("  ", ""), (_say("state-" + worst, client=scanned.client.name), _SYMBOL[worst][1])]
    tag: list[Span] = [("  ", ""), (f"{main.code} {code_entry(main.code).name}", "code")] if main is not None else []
    first = [*head, *said, *tag]
    lines: list[Line] = [first] if line_width(first) <= width else [[*head, *said], [("  ", ""), *tag]]
    for each in scanned.judged:
        lines += _judged_lines(each, scanned.client, width, alone=len(scanned.judged) == 1)
    for broken in scanned.unreadable:
        lines += _unreadable_lines(broken, width)
    for closed in scanned.closed:
        facts = {"client": scanned.client.id, "type_it": closed.type_it}
        text = f"{_say('closed-' + closed.because)} ({printable(closed.file, 160)}). "
        text += _say("set-ui", **facts) + "; " + _say("compare", **facts)
        lines += wrap([(text, "dim")], width, "      ", "        ")
    return lines


def _judged_lines(each: Judged, client: Client, width: int, *, alone: bool) -> list[Line]:
    spans = _setting(each.found.spot, each.found.shown)
    if not alone:
        spans = [_SYMBOL[each.state], (" ", ""), *spans]
    lines: list[Line] = [*wrap(spans, width, "      ", "        ")]
    if each.state in ("wrong", "shared") and each.request is not None:
        text = _say("will-request", method=each.request.method, path=printable(each.request.path, 160))
        spans = [(text, "")]
        why = next((finding for finding in each.findings if finding.code[3] == "3"), None)
        if why is not None:
            spans += [("  ", ""), (why.code, "code"), (" ", ""), (finding_text(why.code, "title"), "dim")]
        lines += wrap(spans, width, "        ", "          ")
    for finding in each.findings:
        if finding.code in ("AGD514", "AGD515", "AGD503", "AGD104", "AGD105"):
            lines += _finding_lines(finding, width)
    if each.facts.get("why") == "only-loopback":
        said = _say("only-loopback", host=printable(each.facts["host"], 120))
        lines += wrap([(said, "")], width, "        ", "          ")
    lines += _doubts(each, width)
    if each.state == "stale":
        said = _say("nothing-listens", port=each.facts["port"])
        lines += wrap([(said, "")], width, "        ", "          ")
        if each.facts.get("why") == "any-port":
            lines += wrap([(_say("if-meant"), "")], width, "        ", "          ")
    if each.state == "shared":
        facts = {"others": each.facts["others"], "client": client.name, "id": client.id}
        lines += wrap([(_say("shared", **facts), "")], width, "        ", "          ")
    if each.state in ("wrong", "stale") and each.fixes:
        lines += _fix_lines(each.fixes[0], width)
        if each.found.type_it:
            lines += wrap([(_say("set-ui", type_it=each.found.type_it), "")], width, "        ", "          ")
    if each.state == "overridden" and each.by is not None:
        key = "winner" if each.findings else "same-as-winner"
        winner = _spot(each.by)
        lines += wrap([(_say(key, winner=winner), "dim")], width, "        ", "          ")
    elif each.state in ("ignored", "elsewhere", "unclear"):
        why_text = _why(each.state, dict(each.facts), client.name)
        lines += wrap([(why_text, "dim")], width, "        ", "          ")
    return lines


def _doubts(each: Judged, width: int) -> list[Line]:
    """What else is to be known of a value that counts."""
    lines: list[Line] = []
    if "maybe" in each.facts:
        lines += wrap([(_say("maybe"), "dim")], width, "        ", "          ")
    if "entry" in each.facts and each.state != "ignored":
        facts = {name: printable(each.facts[name], 80) for name in ("chosen_by", "entry")}
        lines += wrap([(_say("not-in-use", **facts), "dim")], width, "        ", "          ")
    return lines


def _why(state: str, facts: dict[str, str], client: str) -> str:
    """Why a value is left alone or cannot be judged."""
    shown = {name: printable(value, 120) for name, value in facts.items()}
    why = facts.get("why", "ignored" if state == "ignored" else "other-host")
    if why == "ignored":
        return _say("state-ignored", client=client)
    if why == "program" and not facts.get("who"):
        why = "program-unknown"
    return _say("why-" + why, **shown)


def _variable_lines(each: JudgedVariable, width: int) -> list[Line]:
    spans: list[Span] = [_SYMBOL[each.state], (" ", ""), *_setting(each.variable.spot, each.variable.shown)]
    lines: list[Line] = [*wrap(spans, width, "  ", "      ")]
    for key, names, style in (("good", each.good, "good"), ("bad", each.bad, "bad")):
        if names:
            lines += wrap([(_say(key, names=_few(names)), style)], width, "      ", "        ")
    if each.state == "stale":
        said = _say("nothing-listens", port=each.facts["port"])
        lines += wrap([(said, "")], width, "      ", "        ")
    elif each.state in ("elsewhere", "unclear", "ignored") and not each.good:
        lines += wrap([(_why(each.state, dict(each.facts), ""), "dim")], width, "      ", "        ")
    for finding in each.findings:
        if finding.code == "AGD515":
            lines += _finding_lines(finding, width)
    if "maybe" in each.facts:
        lines += wrap([(_say("maybe"), "dim")], width, "      ", "        ")
    for fix in each.fixes[:2] if each.state == "wrong" else ():
        lines += _fix_lines(fix, width)
    return lines


def _few(names: Sequence[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (" " + _say("more", count=str(more)) if more > 0 else "")


def _setting(spot: Spot, value: str) -> list[Span]:
    """`~/.claude/settings.json:3:27  env.NAME = value`."""
    where: list[Span] = []
    if spot.file is not None:
        numbers = "".join(f":{number}" for number in (spot.line, spot.column) if number is not None)
        where = [(printable(spot.file, 200) + numbers, ""), ("  ", "")]
    name = spot.name if spot.file is not None else _say("spot-env", name=spot.name)
    return [*where, (printable(name, 120), "note"), (" = ", "dim"), (printable(value, 200), "value")]


def _spot(spot: Spot) -> str:
    name = printable(spot.name, 120)
    if spot.file is None:
        return _say("spot-env", name=name)
    return _say("spot-file", name=name, file=printable(spot.file, 200)) if name else printable(spot.file, 200)


def _finding_lines(finding: Finding, width: int) -> list[Line]:
    said = finding_text(finding.code, "summary", safe_facts(finding))
    return [*wrap([(f"{finding.code} ", "code"), (said, "")], width, "        ", "          ")]


def _fix_lines(fix: Fix, width: int) -> list[Line]:
    spans: list[Span] = [(_say("set"), ""), (" ", ""), (fix.base_url, "value")]
    note = note_text(fix)
    if note is not None:
        spans += [(" ", ""), (note, "")]
    return [*wrap(spans, width, "        ", "          ")]


def _unreadable_lines(broken: Unreadable, width: int) -> list[Line]:
    facts = {"detail": printable(broken.detail, 100)}
    said = file_reason(broken.reason, "said", facts)
    spans: list[Span] = [("AGD513 ", "code"), (f"{printable(_place(broken), 200)}: {said}", "")]
    lines: list[Line] = [*wrap(spans, width, "      ", "        ")]
    step = file_reason(broken.reason, "next", facts)
    return [*lines, *wrap([("→ ", "note"), (step, "dim")], width, "        ", "          ")] if step else lines


def _place(broken: Unreadable) -> str:
    return broken.file + "".join(f":{number}" for number in (broken.line, broken.column) if number is not None)


def unread_lines(broken: Unreadable, width: int) -> list[Line]:
    """A file that was to be corrected and could not be read: where, why, and what to do."""
    return reason_lines("fix-unread", broken.reason, width, file=_place(broken), detail=broken.detail)


def diff_lines(diff: Sequence[str], width: int) -> list[Line]:
    """One file's change, as `diff -u` shows it. Nothing is wrapped: a diff is read by its columns."""
    styles = {"+": "good", "-": "bad", "@": "note", " ": "dim", "\\": "dim"}
    lines: list[Line] = [[]]
    for each in diff:
        heading = each.startswith(("--- ", "+++ "))
        lines.append([("    ", ""), (printable(each, 400), "bold" if heading else styles.get(each[:1], ""))])
    return lines


def note_line(key: str, width: int, style: str = "", **facts: str) -> list[Line]:
    """One sentence about a file that is being corrected."""
    shown = {name: printable(value, 300) for name, value in facts.items()}
    return [*wrap([(_say(key, **shown), style)], width, "    ", "      ")]


def reason_lines(key: str, reason: str, width: int, **facts: str) -> list[Line]:
    """One sentence about a file that could not be read, changed or written, why, and what to do."""
    shown = {name: printable(value, 300) for name, value in facts.items()}
    why = file_reason(reason, "said", shown)
    lines: list[Line] = [*wrap([(_say(key, **shown, why=why), "bad")], width, "    ", "      ")]
    step = file_reason(reason, "next", shown)
    return [*lines, *wrap([("→ ", "note"), (step, "")], width, "      ", "        ")] if step else lines


def _say(key: str, **facts: str) -> str:
    return room_phrase("scan", key, facts)
