"""The exit code of a `check` report: what was asked to fail on, and what was found."""

from __future__ import annotations

from antigravity_doctor.diagnosis.model import CheckReport, CheckResult

FAIL_ON = ("error", "warning", "inconclusive")


def exit_code(report: CheckReport, fail_on: str = "error") -> int:
    """0 nothing wrong, 1 something at or above `fail_on` (error < warning < inconclusive), 3 not reached."""
    if report.unreachable:
        return 3
    return 1 if any(is_failure(check, fail_on) for check in report.checks) else 0


def is_failure(check: CheckResult, fail_on: str) -> bool:
    """Whether this check alone makes the exit code 1."""
    level = FAIL_ON.index(fail_on)
    severities = {finding.severity for finding in check.findings}
    if check.status == "fail" or "error" in severities:
        return True
    if level >= 1 and (check.status == "warn" or "warning" in severities):
        return True
    return level >= 2 and check.status == "inconclusive"
