"""The words of a check: its title, and what its outcome means in one sentence."""

from __future__ import annotations

from antigravity_doctor.diagnosis.model import CheckReport, CheckResult, Finding, Fix
from antigravity_doctor.knowledge.texts import check_text, phrase, reason_text

STAGES = ("reach", "identity", "auth", "routes", "client")


def title(check: CheckResult) -> str:
    """What the check looked at."""
    return check_text(check.id, "title", check.facts)


def because(check: CheckResult) -> str | None:
    """Why it was skipped or is inconclusive, None where it is neither."""
    return reason_text(check.because, check.facts) if check.because is not None else None


def summary(check: CheckResult) -> str:
    """One sentence about the outcome."""
    if check.status in ("skipped", "inconclusive") and check.because is not None:
        said = because(check) or ""
        return phrase("skipped-because" if check.status == "skipped" else "inconclusive-because", {"because": said})
    return check_text(check.id, check.status, check.facts)


def distinct_findings(report: CheckReport) -> list[Finding]:
    """The findings of all checks, errors first; one of the same code and facts is said once."""
    rank = {"error": 0, "warning": 1, "info": 2}
    found: dict[tuple[str, tuple[tuple[str, str], ...]], Finding] = {}
    for check in report.checks:
        for finding in check.findings:
            found.setdefault((finding.code, tuple(sorted(finding.facts.items()))), finding)
    return sorted(found.values(), key=lambda each: rank[each.severity])


def best_fix(finding: Finding) -> Fix | None:
    """The fix to show with a finding, None if it has none."""
    return finding.fixes[0] if finding.fixes else None


def counts(report: CheckReport) -> dict[str, int]:
    """How many checks ended how, by status."""
    found = {"pass": 0, "warn": 0, "fail": 0, "skipped": 0, "inconclusive": 0}
    for check in report.checks:
        found[check.status] += 1
    return found
