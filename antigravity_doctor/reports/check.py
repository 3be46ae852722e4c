"""The terminal report of `check`: the findings first, because they are the answer; then every check, in order."""

from __future__ import annotations

from antigravity_doctor.diagnosis.model import CheckReport, CheckResult, Finding
from antigravity_doctor.knowledge.texts import code as code_entry
from antigravity_doctor.knowledge.texts import finding_text, phrase
from antigravity_doctor.reports.check_words import STAGES, best_fix, counts, distinct_findings, summary, title
from antigravity_doctor.reports.paint import Line, Span, cell_width, printable, wrap

CANARY_MARK = "/agdoctor-"
"""What the path of a calibration request begins with (probes.session)."""

_SYMBOL: dict[str, Span] = {
    "pass": ("✓", "good"),
    "warn": ("!", "warn"),
    "fail": ("✗", "bad"),
    "skipped": ("–", "dim"),
    "inconclusive": ("?", "warn"),
}
_SEVERITY: dict[str, Span] = {"error": ("✗", "bad"), "warning": ("!", "warn"), "info": ("·", "dim")}


def check_lines(report: CheckReport, width: int, *, verbose: bool = False) -> list[Line]:
    """The whole report. `verbose` shows the request of every check, not only of those that did not pass."""
    lines: list[Line] = [[]]
    where: list[Span] = [(phrase("check-of", {"url": printable(report.url)}), "bold")]
    if report.proxy_version is not None:
        where.append((" · " + phrase("check-version", {"version": printable(report.proxy_version, 40)}), "note"))
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
        for each in checks:
            lines.extend(_check_lines(each, width, names, verbose))
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


def _check_lines(check: CheckResult, width: int, names: int, verbose: bool) -> list[Line]:
    name = title(check)
    pad = " " * max(names - cell_width(name), 0)
    style = "dim" if check.status in ("skipped", "pass") else ""
    head: list[Span] = [_SYMBOL[check.status], (f" {name}{pad}  ", "")]
    indent = " " * (6 + names + 2)
    # A long name keeps its sentence on the next line, instead of pushing the whole column to the right.
    lines: list[Line]
    codes: list[Span] = []
    for finding in check.findings:
        codes += [(" ", ""), (finding.code, "code")]
    said = [(printable(summary(check), 400), style), *codes]
    if cell_width(name) > names:
        lines = [[("    ", ""), *head], *wrap(said, width, indent)]
    else:
        body = wrap(said, width, indent)
        lines = [[("    ", ""), *head, *body[0][1:]], *body[1:]]
    if check.requests and (verbose or check.status in ("fail", "inconclusive")):
        # The canary only calibrates: what failed is among the others.
        telling = [each for each in check.requests if CANARY_MARK not in each.url] or list(check.requests)
        shown = check.requests if verbose else telling[:1]
        for request in shown:
            outcome = str(request.status) if request.status is not None else "–"
            lines.append([(indent, ""), (f"{outcome}  ", "dim"), (printable(request.curl, 600), "dim")])
    return lines


def finding_lines(finding: Finding, width: int) -> list[Line]:
    """A finding in full: what is wrong, what to do, and what to type."""
    safe = {name: printable(value, 300) for name, value in finding.facts.items()}
    entry = code_entry(finding.code)
    head: list[Span] = [
        _SEVERITY[finding.severity],
        (" ", ""),
        (finding_text(finding.code, "title"), "bold"),
        ("  ", ""),
        (f"{finding.code} {entry.name}", "code"),
    ]
    lines: list[Line] = [*wrap(head, width, "  ", "    ")]
    lines.extend(wrap([(finding_text(finding.code, "summary", safe), "")], width, "    "))
    lines += [[("      ", ""), (printable(each), "dim")] for each in finding.evidence]
    fix = best_fix(finding)
    if fix is not None:
        lines.extend(wrap([(phrase("set"), ""), (" ", ""), (fix.base_url, "value")], width, "    ", "      "))
        lines.append(
            [
                ("      ", ""),
                (printable(f"{fix.base_url}  +  {fix.appends}"), "dim"),
                ("  → ", "dim"),
                (printable(fix.route), "good"),
            ]
        )
    else:
        lines.extend(wrap([("→ ", "note"), (finding_text(finding.code, "fix", safe), "")], width, "    ", "      "))
    return lines


def _closing(report: CheckReport, found: list[Finding], width: int) -> list[Line]:
    numbers = {name: str(count) for name, count in counts(report).items()}
    lines: list[Line] = [*wrap([(phrase("summary-checks", numbers), "bold")], width, "  ", "    ")]
    if not found and numbers["fail"] == "0" and numbers["inconclusive"] == "0":
        lines.append([("  ", ""), (phrase("all-well"), "good")])
    if found:
        lines.append([("  ", ""), (phrase("more-about", {"code": found[0].code}), "dim")])
    return lines
