"""Reports of `check`: made by hand, for what no server can be made to answer, and read back."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from antigravity_doctor.diagnosis.model import CheckReport, CheckResult, Finding, Fix, RequestTrace

WILD = "\x1b[31m\u202e\x00<&\"'>\ud800%\n::error::,:"


def wild_report() -> CheckReport:
    """A report in which every text from outside is hostile."""
    fix = Fix("http://h/" + WILD, 0.5, WILD, WILD, "/" + WILD, "/v1/messages", ("cline",), None)
    facts = dict.fromkeys(("path", "host", "port", "program", "base_url", "prefix", "url", "appends", "said"), WILD)
    finding = Finding("AGD301", "error", 1.0, facts, evidence=(WILD,), fixes=(fix,))
    trace = RequestTrace("GET", "http://h/" + WILD, 200, 1.25, "curl " + WILD, "Invoke-WebRequest " + WILD)
    return CheckReport(
        "http://h:1/" + WILD,
        WILD,
        "web-ui",
        "on",
        (
            CheckResult("name", "reach", "fail", None, {"host": WILD}, (finding,), (trace,)),
            CheckResult("proxy", "identity", "fail", None, {"program": WILD}, (Finding("AGD106", "error", 1, facts),)),
            CheckResult("version", "identity", "inconclusive", "version-unknown-form", {"strange": WILD}),
            CheckResult("key", "auth", "warn", None, {}, (Finding("AGD201", "warning", 1, facts),)),
            CheckResult("models", "routes", "skipped", "needs-service"),
            CheckResult("client", "client", "pass", None, {"client": WILD, "base_url": WILD, "modes": WILD}),
        ),
    )


def parsed(xml: str) -> ET.Element:
    """The root of an XML document that `check` wrote. Raises ParseError where it is not well-formed."""
    return ET.fromstring(xml)  # noqa: S314 - our own output, and a test's
