"""The JSON of `scan`."""

from __future__ import annotations

from typing import Any

from antigravity_doctor.diagnosis.scanning import ClientScan, Judged, JudgedVariable, Scan, Spot
from antigravity_doctor.knowledge.texts import file_reason
from antigravity_doctor.reports.json_v1 import SCHEMA_VERSION, finding_object, fix_object


def scan_document(found: Scan, *, source: str, answering: str, version: str | None, exit_code: int) -> dict[str, Any]:
    """The whole document. Values that are set are shown with keys masked."""
    states = [each.state for client in found.clients for each in client.judged]
    return {
        "schema_version": SCHEMA_VERSION,
        "command": "scan",
        "target": {"origin": found.origin, "source": source, "answering": answering, "proxy_version": version},
        "files_read": found.files,
        "clients": [_client_object(each) for each in found.clients],
        "variables": [_variable_object(each) for each in found.variables],
        "findings": [finding_object(each) for each in found.findings],
        "summary": {
            state: states.count(state)
            for state in ("right", "wrong", "stale", "shared", "elsewhere", "overridden", "ignored", "unclear")
        },
        "exit_code": exit_code,
    }


def _client_object(scanned: ClientScan) -> dict[str, Any]:
    return {
        "client": {"id": scanned.client.id, "name": scanned.client.name},
        "state": scanned.worst,
        "settings": [_judged_object(each) for each in scanned.judged],
        "unreadable": [
            {
                "file": each.file,
                "line": each.line,
                "column": each.column,
                "reason": each.reason,
                "text": file_reason(each.reason, "said", {"detail": each.detail}),
            }
            for each in scanned.unreadable
        ],
        "closed": [{"file": each.file, "because": each.because, "type_it": each.type_it} for each in scanned.closed],
    }


def _judged_object(each: Judged) -> dict[str, Any]:
    request = each.request
    return {
        **_spot_object(each.found.spot),
        "mode": each.found.mode,
        "base_url": each.found.shown,
        "state": each.state,
        "because": each.facts.get("why"),
        "request": {"method": request.method, "path": request.path, "verdict": request.verdict} if request else None,
        "overridden_by": _spot_object(each.by) if each.by is not None else None,
        "findings": [finding_object(finding) for finding in each.findings],
        "fixes": [fix_object(fix) for fix in each.fixes],
        "can_be_fixed": each.fixable,
    }


def _variable_object(each: JudgedVariable) -> dict[str, Any]:
    return {
        **_spot_object(each.variable.spot),
        "base_url": each.variable.shown,
        "state": each.state,
        "because": each.facts.get("why"),
        "right_for": list(each.good),
        "wrong_for": list(each.bad),
        "findings": [finding_object(finding) for finding in each.findings],
        "fixes": [fix_object(fix) for fix in each.fixes],
        "can_be_fixed": each.fixable,
    }


def _spot_object(spot: Spot) -> dict[str, Any]:
    return {
        "kind": spot.kind,
        "name": spot.name,
        "file": spot.file,
        "line": spot.line,
        "column": spot.column,
        "scope": spot.scope,
    }
