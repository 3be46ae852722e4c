"""The JSON of `trace`: one object a request (`--format jsonl`, `--save`), or all of them in one document (`--json`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from antigravity_doctor.diagnosis.recording import Recorded
from antigravity_doctor.diagnosis.tracing import Identity, Inference
from antigravity_doctor.diagnosis.watching import Summary
from antigravity_doctor.reports.json_v1 import SCHEMA_VERSION, explanation_object, finding_object, fix_object


def recorded_object(one: Recorded, *, origin: str, proxy_version: str) -> dict[str, Any]:
    """One request: the fields of an `explain-path` result, and what a recorder sees besides.

    `needs` is the base URL that the client needs as far as the requests up to this one say; null while none is known.
    """
    exchange, inference = one.exchange, one.inference
    seen = exchange.observed
    explained = explanation_object(f"{seen.method} {seen.path}".strip(), one.found)
    found = {
        "schema_version": SCHEMA_VERSION,
        "command": "trace",
        "target": {"origin": origin, "proxy_version": proxy_version},
        "recorder": {"url": one.recorder, "base_url": one.given},
        "number": exchange.number,
        "at": datetime.fromtimestamp(exchange.started, UTC).isoformat(timespec="milliseconds"),
        **explained,
        "query": seen.query,
        "status": seen.status,
        "outcome": exchange.outcome,
        "failure": seen.failure,
        "note": exchange.note,
        "websocket": exchange.websocket,
        "forwarded_path": exchange.forwarded,
        "key_header": seen.key_header,
        "user_agent": seen.user_agent,
        "headers": list(seen.header_names),
        "answer": {"content_type": seen.answer_type, "kind": seen.answer_kind},
        "first_byte_ms": None if exchange.first_byte_ms is None else round(exchange.first_byte_ms, 2),
        "total_ms": round(exchange.total_ms, 2),
        "request_bytes": exchange.request_bytes,
        "answer_bytes": exchange.answer_bytes,
        "client": identity_object(inference.identity) if inference is not None else None,
        "configured_base_url": inference.configured if inference is not None else None,
        "needs": fix_object(inference.fixes[0]) if inference is not None and inference.fixes else None,
    }
    if exchange.bodies is not None:
        found["bodies"] = exchange.bodies._asdict()
    return found


def identity_object(who: Identity | None) -> dict[str, Any] | None:
    """A client that was recognised, how sure that is, and by what."""
    if who is None:
        return None
    return {
        "id": who.client.id,
        "name": who.client.name,
        "version": who.version,
        "mode": who.modes[0].id if who.modes else None,
        "confidence": who.confidence,
        "because": list(who.because),
        "rivals": [each.id for each in who.rivals],
    }


def inference_object(found: Inference) -> dict[str, Any]:
    """What all requests of one client say together."""
    return {
        "user_agent": found.user_agent,
        "client": identity_object(found.identity),
        "appends": [{"method": method, "suffix": suffix} for method, suffix in found.appends],
        "configured_base_url": found.configured,
        "configured_exact": found.configured_exact,
        "works": found.works,
        "distinct_requests": found.seen,
        "fixes": [fix_object(each) for each in found.fixes],
        "unserved": [{"method": method, "path": path} for method, path in found.unserved],
        "by_protocol": [
            {
                "protocol": each.protocol,
                "configured_base_url": each.configured,
                "works": each.works,
                "fixes": [fix_object(fix) for fix in each.fixes],
            }
            for each in found.partial
        ],
    }


def json_line(value: dict[str, Any]) -> str:
    """One object on a line of its own."""
    return json.dumps(value, separators=(",", ":")) + "\n"


def trace_document(
    requests: Sequence[dict[str, Any]], summary: Summary, proxy_version: str, exit_code: int
) -> dict[str, Any]:
    """The whole document of `trace --json`. `requests` may be fewer than there were: `summary` counts all."""
    return {
        "schema_version": SCHEMA_VERSION,
        "command": "trace",
        "target": {"origin": summary.origin, "proxy_version": proxy_version},
        "recorder": {"url": summary.recorder, "base_url": summary.given},
        "requests": list(requests),
        "clients": [inference_object(each) for each in summary.inferences],
        "findings": [finding_object(each) for each in summary.problems],
        "summary": {
            "requests": summary.total,
            "landed": summary.landed,
            "missed": summary.missed,
            "harmless": summary.harmless,
        },
        "exit_code": exit_code,
    }
