"""The terminal report of `explain-path`: what happened, why, and what to type, best answer first."""

from __future__ import annotations

from collections.abc import Sequence

from antigravity_doctor.diagnosis.explaining import Explanation
from antigravity_doctor.diagnosis.model import Finding, Fix
from antigravity_doctor.knowledge.routes import history
from antigravity_doctor.knowledge.texts import code as code_entry
from antigravity_doctor.knowledge.texts import finding_text, phrase
from antigravity_doctor.reports.paint import Line, Span, columns, line_width, printable, wrap
from antigravity_doctor.reports.words import client_names, note_text, protocol_name, safe_facts

_SYMBOL: dict[str, Span] = {
    "routed": ("✓", "good"),
    "misrouted": ("✗", "bad"),
    "wrong-method": ("✗", "bad"),
    "unsupported": ("✗", "bad"),
    "other-version": ("✗", "bad"),
    "not-a-path-problem": ("!", "warn"),
    "no-request-found": ("?", "warn"),
}
_SHOWN_FIXES = 3
_ELSEWHERE = ("AGD501", "AGD502")
"""With these the first thing to say is where the request went, whatever its path."""
_CLIENT_ERRORS = ("AGD321", "AGD322", "AGD412")
"""With these there is no path: the words of the text stand in its place."""
_SURE, _EVEN = 0.75, 0.5
"""Up to this confidence a finding is said to be likely, and up to that one only to be possible."""


def explanation_lines(found: Explanation, width: int, *, exact: bool = False, hint: bool = True) -> list[Line]:
    """One explanation in full. `exact`: the base URL in use was known. `hint`: close with how to be certain."""
    lines: list[Line] = []
    subject = _subject(found)
    headline: list[Span] = [verdict_symbol(found), (" ", ""), (printable(subject), "bold"), (" ", "")]
    main = found.findings[0] if found.findings else None
    if main is not None and main.code in _ELSEWHERE:
        headline.append((phrase("went-elsewhere", safe_facts(main)), ""))
    elif main is not None and main.code == "AGD509":
        headline.append((phrase("setting-" + main.severity), ""))
    elif main is not None and main.code in _CLIENT_ERRORS:
        headline.append((phrase("client-error"), ""))
    elif main is not None and main.code.startswith("AGD1") and main.code != "AGD109":
        headline.append((phrase("no-answer"), ""))
    else:
        headline.append((phrase(found.verdict), ""))
    tag: list[Span] = [(f"{main.code} {code_entry(main.code).name}", "code")] if main is not None else []
    room = width - 2 - line_width(headline) - line_width(tag)
    if tag and room >= 4:
        lines.append([("  ", ""), *headline, (" " * min(room, 8), ""), *tag])
    else:
        lines.extend(_marked(found, headline[2:], width))
        if tag:
            lines.append([("    ", ""), *tag])
    lines.append([])
    if main is None:
        if found.route is not None:
            methods = ", ".join(found.route.methods)
            facts = {"methods": methods, "route": found.route.path, "protocol": protocol_name(found.route.protocol)}
            lines.extend(wrap([(phrase("served-by", facts), "note")], width, "    "))
        lines.extend(wrap([(phrase("nothing-wrong"), "")], width, "    "))
        return lines
    lines.extend(wrap([(_said(main), "")], width, "    "))
    best = found.fixes[0] if found.fixes else None
    if best is not None:
        lines.extend(_equation(found, best, width))
    else:
        lines.append([])
        lines.extend(wrap([(finding_text(main.code, "fix", safe_facts(main)), "")], width, "    "))
    for other in found.findings[1:]:
        lead: list[Span] = [(f"{other.code} ", "code")]
        lines.append([])
        lines.extend(wrap([*lead, (_said(other), "")], width, "    ", "      "))
    if best is not None:
        lines.append([])
        lines.extend(_advice(found.fixes, width))
        if main.code in _ELSEWHERE:
            lines += [[], *wrap([(finding_text(main.code, "fix"), "")], width, "    ")]
    if hint:
        lines.append([])
        settled = exact and not any(each.code == "AGD319" for each in found.findings)
        if main.code in _CLIENT_ERRORS:
            lines.extend(wrap([(phrase("be-certain-client-error"), "dim")], width, "    "))
        elif settled and best is not None and best.confidence >= 0.9:
            lines.extend(wrap([(phrase("exact"), "dim")], width, "    "))
        elif best is not None and best.confidence < 0.95:
            lines.extend(wrap([(phrase("be-certain"), "dim")], width, "    "))
        else:
            lines.extend(wrap([(phrase("more-about", {"code": main.code}), "dim")], width, "    "))
    return lines


def _subject(found: Explanation) -> str:
    """What the headline is about: the request, or the place where only that is known, or the setting."""
    main = found.findings[0] if found.findings else None
    if main is not None and main.code == "AGD509":
        return main.facts["setting"]
    if main is not None and main.code in _CLIENT_ERRORS:
        return f"“{main.facts.get('words') or main.facts['message']}”"
    if main is not None and main.code.startswith("AGD1") and found.path == "/" and "host" in main.facts:
        return f"{main.facts['host']}:{main.facts['port']}"
    return f"{found.method} {found.path}" if found.method else found.path


def symptom_lines(codes: Sequence[str], width: int) -> list[Line]:
    """What a text without any path suggests by its words alone, the surest first."""
    lines: list[Line] = [[], *wrap([("? ", "warn"), (phrase("no-path"), "bold")], width, "  ", "    ")]
    for code in codes[:_SHOWN_FIXES]:
        lines.append([])
        lines.extend(wrap([(f"{code} ", "code"), (finding_text(code, "title"), "")], width, "    ", "      "))
        lines.extend(wrap([("→ ", "note"), (finding_text(code, "fix"), "")], width, "      ", "        "))
    return [*lines, []]


def compact_line(found: Explanation, width: int) -> list[Line]:
    """One explanation on a line or two: for long lists of paths."""
    subject = printable(_subject(found), 120)
    main = found.findings[0] if found.findings else None
    line: list[Span] = [("  ", ""), verdict_symbol(found), (" ", ""), (subject, "bold")]
    tail: list[Span] = []
    if main is not None:
        tail += [("  ", ""), (main.code, "code")]
    if found.fixes:
        tail += [(" → ", ""), (found.fixes[0].base_url, "value")]
        if found.fixes[0].note is not None:
            tail += [(" ", ""), (note_text(found.fixes[0]) or "", "")]
    elif main is not None:
        tail += [(" ", ""), (finding_text(main.code, "title"), "")]
    elif found.route is not None:
        tail += [("  ", ""), (phrase("routed"), "good")]
    if line_width(line) + line_width(tail) <= width:
        return [[*line, *tail]]
    return [*_marked(found, line[3:], width), *wrap(tail[1:], width, "     ")]


def verdict_symbol(found: Explanation) -> Span:
    """The verdict's symbol; for a path that is right, that of the worst thing that was found all the same."""
    if found.verdict not in ("routed", "not-a-path-problem") or not found.findings:
        return _SYMBOL[found.verdict]
    harmless = all(each.severity == "info" for each in found.findings)
    return ("·", "dim") if harmless else ("!", "warn")


def _marked(found: Explanation, spans: Line, width: int) -> list[Line]:
    """The verdict's symbol before a wrapped text: beside its first word, however long that is."""
    first, *others = wrap(spans, width, "    ")
    return [[("  ", ""), verdict_symbol(found), (" ", ""), *first[1:]], *others]


def closing_lines(width: int) -> list[Line]:
    """What stands below a long list of explanations."""
    return [[], *wrap([(phrase("more-paths"), "dim")], width, "  "), []]


def _said(finding: Finding) -> str:
    said = finding_text(finding.code, "summary", safe_facts(finding))
    if finding.severity == "info" or finding.confidence > _SURE:
        return said
    return phrase("likely" if finding.confidence > _EVEN else "perhaps", {"said": said})


def _equation(found: Explanation, best: Fix, width: int) -> list[Line]:
    """The two sums, one below the other: what happened, and what will."""
    if found.route is None or not best.appends:
        return []
    facts = {
        "methods": found.method if found.method in found.route.methods and found.method else found.route.methods[0],
        "route": best.route,
        "protocol": protocol_name(found.route.protocol),
    }
    rows: list[list[Span]] = []
    appended = printable(best.appends, 120)
    if best.configured_base_url is not None:
        happened = printable(best.configured_base_url, 160)
        added = printable(_added(found, best), 120)
        rows.append([(happened, "bad"), ("+", "dim"), (added, ""), (phrase("what-happened"), "dim")])
    for key in ("reaches", "reaches-short"):
        shown = [*rows, [(best.base_url, "value"), ("+", "dim"), (appended, ""), (phrase(key, facts), "good")]]
        lines: list[Line] = [*columns(shown, "      ")]
        if max(map(line_width, lines)) <= width:
            return lines
    rows = shown
    narrow: list[Line] = []
    for row in rows:
        narrow += wrap([row[0], (" + ", "dim"), row[2]], width, "      ", "        ")
        narrow += wrap([row[3]], width, "        ")
    return narrow


def _added(found: Explanation, fix: Fix) -> str:
    """What the client did add to the base URL that this fix takes for typed: with it, the sum is the observed path."""
    typed = _configured_path(fix)
    for base in (typed, typed.rstrip("/")):
        if found.path.startswith(base + "/"):
            return found.path[len(base) :]
    return fix.appends


def _advice(fixes: Sequence[Fix], width: int) -> list[Line]:
    """What to type, best first, and for which kind of client each one holds."""
    lines: list[Line] = []
    shown = [each for each in fixes if each.confidence >= 0.04][:_SHOWN_FIXES] or list(fixes[:1])
    for index, fix in enumerate(shown):
        note = note_text(fix)
        if note is not None and fix.base_url == (fix.configured_base_url or "").rstrip("/"):
            lead = phrase("leave" if index == 0 else "or-leave")
        elif index == 0:
            lead = phrase("set" if fix.appends else "set-full")
        elif _typed_path(fix) and fix.configured_base_url != shown[0].configured_base_url:
            lead = phrase("or-if-typed", {"typed": printable(_typed_path(fix), 100)})
        else:
            lead = phrase("or")
        lines.extend(wrap([(lead, ""), (" ", ""), (fix.base_url, "value")], width, "    ", "      "))
        if note is not None:
            lines.extend(wrap([(note, "")], width, "      "))
            continue
        key = "only-if-nothing" if not fix.appends else "only-if-adds" if index == 0 else "for-clients-that-add"
        if fix.appends and not fix.clients:
            key += "-alone"
        # A client that another answer is about is not named here as well: it has one way out, not two.
        others = {each for other in fixes if other.note is not None for each in other.clients}
        clients = [each for each in fix.clients if each not in others] or fix.clients
        facts = {"appends": printable(fix.appends, 120), "clients": client_names(clients)}
        if not fix.appends and len(shown) > 1 and (route := history(fix.route)) is not None:
            key, facts = "only-if-protocol", {"protocol": protocol_name(route.protocol)}
        said = phrase(key, facts)
        lines.extend(wrap([(said, "dim")], width, "      "))
    return lines


def _configured_path(fix: Fix) -> str:
    """The path of the base URL that this fix takes for typed, as it stands there."""
    _, slash, rest = (fix.configured_base_url or "").partition("://")[2].partition("/")
    return slash + rest


def _typed_path(fix: Fix) -> str:
    """The path of the base URL that this fix takes for typed, "" for a bare origin."""
    path = _configured_path(fix)
    return "" if path == "/" else path
