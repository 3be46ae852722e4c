"""The JSON contract, version 1: what the fields are called and how results become them (docs/json-contract.md).

Fields may be added here; none is renamed or removed without a new `SCHEMA_VERSION`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from antigravity_doctor.diagnosis.explaining import Explanation
from antigravity_doctor.diagnosis.model import CheckReport, Finding, Fix
from antigravity_doctor.diagnosis.recommending import Outcome, Recommendation, Setting
from antigravity_doctor.knowledge.clients import Client
from antigravity_doctor.knowledge.routes import Route
from antigravity_doctor.knowledge.texts import code as code_entry
from antigravity_doctor.knowledge.texts import finding_text
from antigravity_doctor.reports.check_words import STAGES, because, counts, distinct_findings, summary, title
from antigravity_doctor.reports.words import note_text

SCHEMA_VERSION = 1
DOCS = "docs/findings.md#{code}"


def dump(value: Any) -> str:
    """One JSON document, ready to be written. Non-ASCII is escaped, so no control character reaches a terminal."""
    return json.dumps(value, indent=2) + "\n"


def finding_object(finding: Finding) -> dict[str, Any]:
    """A finding: code, name, severity, confidence, summary, title, evidence."""
    entry = code_entry(finding.code)
    return {
        "code": finding.code,
        "name": entry.name,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "summary": finding_text(finding.code, "summary", finding.facts),
        "title": finding_text(finding.code, "title"),
        "evidence": list(finding.evidence),
    }


def fix_object(fix: Fix) -> dict[str, Any]:
    """A fix: the base URL to type, how sure, and what it leads to."""
    return {
        "base_url": fix.base_url,
        "confidence": fix.confidence,
        "appends": fix.appends,
        "configured_base_url": fix.configured_base_url,
        "resulting_path": fix.resulting_path,
        "route": fix.route,
        "clients": list(fix.clients),
        "note": note_text(fix),
    }


def route_object(route: Route | None) -> dict[str, Any] | None:
    """A route: path pattern, methods, protocol."""
    if route is None:
        return None
    return {"path": route.path, "methods": list(route.methods), "protocol": route.protocol}


def explanation_object(text: str, found: Explanation) -> dict[str, Any]:
    """One element of explain-path's `results`. `text` is the excerpt that the request was found in."""
    return {
        "input": text,
        "method": found.method,
        "path": found.path,
        "query": found.query,
        "verdict": found.verdict,
        "route": route_object(found.route),
        "findings": [finding_object(each) for each in found.findings],
        "fixes": [fix_object(each) for each in found.fixes],
    }


def nothing_found_object(text: str, codes: Iterable[str] = ()) -> dict[str, Any]:
    """The element for an input in which no request was found, with the codes that its words suggest."""
    findings = []
    for code in codes:
        entry, title = code_entry(code), finding_text(code, "title")
        findings.append(
            {
                "code": code,
                "name": entry.name,
                "severity": entry.severity,
                "confidence": 0.6,
                "summary": title,
                "title": title,
                "evidence": [],
            }
        )
    return {
        "input": text,
        "method": None,
        "path": "",
        "query": None,
        "verdict": "no-request-found",
        "route": None,
        "findings": findings,
        "fixes": [],
    }


def explain_path_document(origin: str, proxy_version: str | None, results: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The whole document in pieces, so that ten thousand results need no ten thousand objects at once."""
    target = json.dumps({"origin": origin, "proxy_version": proxy_version})
    head = f'"schema_version": {SCHEMA_VERSION},\n  "command": "explain-path",\n  "target": {target}'
    yield f'{{\n  {head},\n  "results": ['
    first = True
    for result in results:
        text = json.dumps(result, indent=2)
        yield ("\n    " if first else ",\n    ") + text.replace("\n", "\n    ")
        first = False
    yield "\n  ]\n}\n"


def client_object(client: Client) -> dict[str, Any]:
    """A client by id and name."""
    return {"id": client.id, "name": client.name}


def setting_object(setting: Setting) -> dict[str, Any]:
    """One place where a value is typed."""
    return {"kind": setting.kind, "name": setting.name, "value": setting.value, "where": setting.where}


def recommendation_object(found: Recommendation) -> dict[str, Any]:
    """One element of `recommendations`."""
    provenance = found.mode.raw.get("provenance", {})
    requests = found.proof.requests if found.proof is not None else ()
    return {
        "mode": found.mode.id,
        "name": found.mode.name,
        "protocol": found.mode.protocol,
        "preferred": found.mode.preferred,
        "works": found.works,
        "base_url": found.base_url,
        "versions": {"from": found.mode.versions[0], "below": found.mode.versions[1]},
        "settings": [setting_object(each) for each in found.settings],
        "also": [setting_object(each) for each in found.also],
        "key": [setting_object(each) for each in found.key],
        "ignored": [{"name": name, "because": because} for name, because in found.ignored],
        "requests": [
            {"method": each.method, "path": each.path, "route": each.route, "required": each.required}
            for each in requests
        ],
        "snippet": found.snippet,
        "findings": [finding_object(found.finding)] if found.finding is not None else [],
        "provenance": {
            "kind": provenance.get("kind"),
            "version": provenance.get("version"),
            "date": provenance.get("date"),
            "source": provenance.get("source"),
        },
        "warnings": list(found.warnings),
    }


def recommend_document(client: Client, found: Iterable[Recommendation]) -> dict[str, Any]:
    """The whole document of `recommend --client`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "command": "recommend",
        "client": client_object(client),
        "recommendations": [recommendation_object(each) for each in found],
    }


def recommend_all_document(found: Mapping[Client, Iterable[Recommendation]]) -> dict[str, Any]:
    """The whole document of `recommend --all`: the same objects, one `clients` element a client."""
    return {
        "schema_version": SCHEMA_VERSION,
        "command": "recommend",
        "clients": [
            {"client": client_object(client), "recommendations": [recommendation_object(one) for one in each]}
            for client, each in found.items()
        ],
    }


def simulate_document(client: Client, base_url: str, found: Iterable[Outcome]) -> dict[str, Any]:
    """The whole document of `simulate`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "command": "simulate",
        "client": client_object(client),
        "base_url": base_url,
        "modes": [
            {
                "mode": each.simulation.mode.id,
                "name": each.simulation.mode.name,
                "requests": [
                    {
                        "method": request.method,
                        "path": request.path,
                        "verdict": request.verdict,
                        "route": request.route,
                        "required": request.required,
                    }
                    for request in each.simulation.requests
                ],
                "works": each.works,
                "findings": [finding_object(one) for one in each.findings],
                "fixes": [fix_object(one) for one in each.fixes],
            }
            for each in found
        ],
    }


def check_document(report: CheckReport, exit_code: int) -> dict[str, Any]:
    """The whole document of `check`."""
    stages = []
    for stage in STAGES:
        checks = [
            {
                "id": check.id,
                "title": title(check),
                "status": check.status,
                "because": because(check),
                "summary": summary(check),
                "findings": [each.code for each in check.findings],
                "requests": [
                    {
                        "method": each.method,
                        "url": each.url,
                        "status": each.status,
                        "elapsed_ms": None if each.elapsed_ms is None else round(each.elapsed_ms, 1),
                        "curl": each.curl,
                        "powershell": each.powershell,
                    }
                    for each in check.requests
                ],
            }
            for check in report.checks
            if check.stage == stage
        ]
        stages.append({"id": stage, "checks": checks})
    return {
        "schema_version": SCHEMA_VERSION,
        "command": "check",
        "target": {
            "url": report.url,
            "proxy_version": report.proxy_version,
            "served_by": report.served_by,
            "auth": report.auth,
        },
        "stages": stages,
        "findings": [
            {
                **finding_object(each),
                "fixes": [fix_object(fix) for fix in each.fixes],
                "fix": finding_text(each.code, "fix", each.facts),
                "docs": DOCS.format(code=each.code.lower()),
            }
            for each in distinct_findings(report)
        ],
        "summary": counts(report),
        "exit_code": exit_code,
    }
