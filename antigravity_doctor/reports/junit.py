"""`check --format junit`: a test case a check, for the test tab of any CI."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from antigravity_doctor.diagnosis.model import CheckReport, Finding
from antigravity_doctor.knowledge.texts import finding_text, phrase
from antigravity_doctor.reports.check_words import STAGES, best_fix, counts, summary, title
from antigravity_doctor.reports.exit_code import is_failure
from antigravity_doctor.reports.paint import printable


def junit_xml(report: CheckReport, fail_on: str = "error") -> str:
    """A JUnit XML document: a suite a stage. A check that `--fail-on` counts is a failure, a skipped one is skipped.

    Inconclusive checks are skipped with their reason unless `fail_on` is "inconclusive".
    """
    numbers = counts(report)
    root = ET.Element("testsuites", name="agdoctor check", tests=str(sum(numbers.values())))
    failures = 0
    for stage in STAGES:
        checks = [each for each in report.checks if each.stage == stage]
        suite = ET.SubElement(root, "testsuite", name=phrase("stage-" + stage), tests=str(len(checks)))
        failed = skipped = 0
        for check in checks:
            elapsed = sum(each.elapsed_ms or 0.0 for each in check.requests) / 1000
            case = ET.SubElement(
                suite, "testcase", classname=f"agdoctor.{stage}", name=printable(title(check)), time=f"{elapsed:.3f}"
            )
            said = printable(summary(check), 600)
            if is_failure(check, fail_on):
                failed += 1
                failure = ET.SubElement(case, "failure", message=said, type=check.status)
                failure.text = _details(check.findings)
            elif check.status in ("skipped", "inconclusive"):
                skipped += 1
                ET.SubElement(case, "skipped", message=said)
            else:
                ET.SubElement(case, "system-out").text = said
        suite.set("failures", str(failed))
        suite.set("skipped", str(skipped))
        failures += failed
    root.set("failures", str(failures))
    ET.indent(root)
    # ASCII with character references: right whatever the encoding of the file that stdout goes to.
    text: bytes = ET.tostring(root, encoding="us-ascii")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + text.decode() + "\n"


def _details(findings: tuple[Finding, ...]) -> str:
    lines = []
    for each in findings:
        lines.append(f"{each.code} {printable(finding_text(each.code, 'summary', each.facts), 600)}")
        fix = best_fix(each)
        if fix is not None:
            lines.append(f"{phrase('set')} {printable(fix.base_url)}")
        else:
            lines.append(printable(finding_text(each.code, "fix", each.facts), 600))
    return "\n".join(lines)
