"""The terminal report of `check`: every check in order, then what is wrong and what to do, where the eye ends up."""

from __future__ import annotations

from antigravity_doctor.diagnosis.model import CheckReport, CheckResult, Finding
from antigravity_doctor.knowledge.texts import code as code_entry
from antigravity_doctor.knowledge.texts import finding_text, phrase, reason_text, room_phrase
from antigravity_doctor.reports.check_words import STAGES, best_fix, counts, distinct_findings, summary, title
from antigravity_doctor.reports.paint import Line, Span, cell_width, line_width, printable, wrap

_SYMBOL: dict[str, Span] = {
    "pass": ("✓", "good"),
    "warn": ("!", "warn"),
    "fail": ("✗", "bad"),
    "skipped": ("–", "dim"),
    "inconclusive": ("?", "warn"),
}
_MOST_NAMES = 4
_SEVERITY: dict[str, Span] = {"error": ("✗", "bad"), "warning": ("!", "warn"), "info": ("·", "dim")}


def check_lines(report: CheckReport, width: int, *, verbose: bool = False, source: str = "given") -> list[Line]:
    """The whole report. `verbose` shows the request of every check, not only of those that did not pass. `source` is
    where the port is from, as `cli.options.origin_and_source` says it."""
    lines: list[Line] = [[]]
    where: list[Span] = [(phrase("check-of", {"url": printable(report.url)}), "bold")]
    if source == "gui_config.json":
        where.append((f" ({room_phrase('scan', 'source-' + source)})", "note"))
    version = report.proxy_version or next(
        (each.facts.get("range") for each in report.checks if each.id == "version"), ""
    )
    if version:
        where.append((" · " + phrase("check-version", {"version": printable(version, 40)}), "note"))
    if report.served_by != "unknown":
        where.append((" · " + phrase("served-by-" + report.served_by), "dim"))
    if report.auth != "unknown":
        where.append((" · " + phrase("auth-" + report.auth), "dim"))
    lines.extend(wrap(where, width, "  ", "    "))
    names = min(max(cell_width(title(each)) for each in report.checks), 28)
    for stage in STAGES:
        checks = [each for each in report.checks if each.stage == stage]
        if not checks:
            continue
        lines += [[], [("  ", ""), (phrase("stage-" + stage), "bold")]]
        for group in _groups(checks, verbose):
            lines.extend(_check_lines(group[0], width, names, verbose) if len(group) == 1 else _skipped(group, width))
    found = distinct_findings(report)
    if found:
        lines += [[], [("  ", ""), (phrase("what-is-wrong" if _wrong(found) else "worth-knowing"), "bold")]]
    for finding in found:
        lines.append([])
        lines.extend(finding_lines(finding, width))
    lines += [[], *_closing(report, found, width), []]
    return lines


def _wrong(found: list[Finding]) -> bool:
    return any(each.severity != "info" for each in found)


def _groups(checks: list[CheckResult], verbose: bool) -> list[list[CheckResult]]:
    """The checks one by one; neighbours that were skipped for the same reason together, unless `verbose`."""
    groups: list[list[CheckResult]] = []
    for each in checks:
        before = groups[-1][0] if groups else None
        if (
            before is not None
            and not verbose
            and (each.status, each.because) == ("skipped", before.because)
            and before.status == "skipped"
            and summary(each) == summary(before)
        ):
            groups[-1].append(each)
        else:
            groups.append([each])
    return groups


def _skipped(group: list[CheckResult], width: int) -> list[Line]:
    """Several checks that were skipped for one reason."""
    names = ", ".join(title(each) for each in group)
    first, *others = wrap([(names, "")], width, "      ")
    reason = wrap([(printable(summary(group[0]), 400), "dim")], width, "        ")
    return [[("    ", ""), _SYMBOL["skipped"], (" ", ""), *first[1:]], *others, *reason]


def _check_lines(check: CheckResult, width: int, names: int, verbose: bool) -> list[Line]:
    name = title(check)
    pad = " " * max(names - cell_width(name), 0)
    style = "dim" if check.status in ("skipped", "pass") else ""
    head: list[Span] = [_SYMBOL[check.status], (f" {name}{pad}  ", "")]
    indent = " " * (6 + names + 2)
    lines: list[Line]
    codes: list[Span] = []
    for code in dict.fromkeys(finding.code for finding in check.findings):
        codes += [(" ", ""), (code, "code")]
    said = [(printable(summary(check), 400), style), *codes]
    body = wrap(said, width, indent)
    if cell_width(name) > names or max(map(line_width, body)) > width:
        # What does not fit beside the name (a long host) stands below it.
        lines = [[("    ", ""), _SYMBOL[check.status], (f" {name}", "")], *wrap(said, width, "        ")]
    else:
        lines = [[("    ", ""), *head, *body[0][1:]], *body[1:]]
    if check.requests and (verbose or check.status in ("fail", "inconclusive")):
        # The request that was judged stands last (probes.session.Asker).
        shown = check.requests if verbose else check.requests[-1:]
        if "read_as" in check.facts and check.status == "fail" and not verbose:
            lines.extend(wrap([(printable(check.facts["read_as"]), "dim")], width, "      "))
        for request in shown:
            outcome = str(request.status) if request.status is not None else "–"
            lines.append([("      ", ""), (f"{outcome}  ", "dim"), (printable(request.curl, 600), "dim")])
            if verbose:
                lines.append([("           ", ""), (printable(request.powershell, 600), "dim")])
    return lines


def finding_lines(finding: Finding, width: int) -> list[Line]:
    """A finding in full: what is wrong, what to do, and what to type."""
    facts = finding.facts
    if finding.code == "AGD509":
        facts = {name: _few(value) if name in ("good", "bad") else value for name, value in facts.items()}
    safe = {name: printable(value, 300) for name, value in facts.items()}
    entry = code_entry(finding.code)
    head: list[Span] = [
        _SEVERITY[finding.severity],
        (" ", ""),
        (finding_text(finding.code, "title"), "bold"),
        (" · ", "dim"),
        (f"{finding.code} {entry.name}", "code"),
    ]
    lines: list[Line] = [*wrap(head, width, "  ", "    ")]
    lines.extend(wrap([(finding_text(finding.code, "summary", safe), "")], width, "    "))
    for each in finding.evidence:
        lines.extend(wrap([(printable(each), "dim")], width, "      "))
    fix = best_fix(finding)
    if fix is not None:
        lines.extend(wrap([(phrase("set"), ""), (" ", ""), (fix.base_url, "value")], width, "    ", "      "))
        sum_ = printable(f"{fix.base_url} + {fix.appends}")
        lines.extend(wrap([(sum_, "dim"), (" → ", "dim"), (printable(fix.route), "good")], width, "      "))
    else:
        lines.extend(wrap([("→ ", "note"), (finding_text(finding.code, "fix", safe), "")], width, "    ", "      "))
    return lines


def _few(value: str) -> str:
    """A list of clients with its first few names: whoever wants all of them has the JSON."""
    names = value.split(", ")
    more = len(names) - _MOST_NAMES
    if more < 2:  # "and 1 more" is no shorter than the name
        return value
    return reason_text("words.and-more", {"names": ", ".join(names[:_MOST_NAMES]), "count": str(more)})


def _closing(report: CheckReport, found: list[Finding], width: int) -> list[Line]:
    numbers = {name: str(count) for name, count in counts(report).items()}
    lines: list[Line] = [*wrap([(phrase("summary-checks", numbers), "bold")], width, "  ", "    ")]
    if not found and all(numbers[each] == "0" for each in ("warn", "fail", "inconclusive")):
        lines.extend(wrap([(phrase("all-well"), "good")], width, "  "))
    if found:
        lines.extend(wrap([(phrase("more-about", {"code": found[0].code}), "dim")], width, "  "))
    return lines
