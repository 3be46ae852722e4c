"""`check --format github`: workflow commands, which GitHub shows as annotations of the run."""

from __future__ import annotations

from antigravity_doctor.diagnosis.model import CheckReport
from antigravity_doctor.knowledge.texts import finding_text, phrase
from antigravity_doctor.reports.check_words import best_fix, counts, distinct_findings, summary, title
from antigravity_doctor.reports.paint import printable

_LEVEL = {"error": "error", "warning": "warning", "info": "notice"}


def github_annotations(report: CheckReport) -> str:
    """A line a finding, a notice a check that could not be decided, and the numbers at the end."""
    lines = []
    for finding in distinct_findings(report):
        fix = best_fix(finding)
        advice = (
            f"{phrase('set')} {fix.base_url}" if fix is not None else finding_text(finding.code, "fix", finding.facts)
        )
        said = f"{finding_text(finding.code, 'summary', finding.facts)}\n{advice}"
        name = f"{finding.code} {finding_text(finding.code, 'title')}"
        lines.append(f"::{_LEVEL[finding.severity]} title={_property(name)}::{_message(said)}")
    lines += [
        f"::notice title={_property(title(check))}::{_message(summary(check))}"
        for check in report.checks
        if check.status == "inconclusive"
    ]
    numbers = {name: str(count) for name, count in counts(report).items()}
    return "\n".join([*lines, phrase("summary-checks", numbers)]) + "\n"


def _message(text: str) -> str:
    """Escaped as GitHub's workflow commands want it, with nothing left that a log viewer acts on."""
    lines = [printable(line, 1000) for line in text.split("\n")]
    return "\n".join(lines).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
