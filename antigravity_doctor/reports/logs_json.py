"""The JSON of `logs`: one document, or with --follow a line a request (docs/json-contract.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from antigravity_doctor.diagnosis.explaining import Explanation
from antigravity_doctor.diagnosis.tallying import Asked, Group, LogFile, NotRead, Observation, Tally
from antigravity_doctor.reports.json_v1 import (
    SCHEMA_VERSION,
    client_object,
    explanation_object,
    finding_object,
    fix_object,
)
from antigravity_doctor.reports.logs import request_text, said

MOST_LISTED = 1_000
"""Different requests of each kind that are listed, unless all are asked for."""


def moment(when: float | None) -> str | None:
    """Seconds since 1970 as a date and time in UTC."""
    if when is None:
        return None
    from datetime import UTC, datetime

    try:
        return datetime.fromtimestamp(when, UTC).isoformat(timespec="seconds")
    except (OverflowError, OSError, ValueError):
        return None


def asked_object(each: Asked) -> dict[str, Any]:
    """One kind of request: how often, when, how it was answered, by whom it was sent, in what it stands."""
    return {
        "method": each.method,
        "path": each.path,
        "count": each.times,
        "variants": each.variants,
        "statuses": [{"status": status, "count": count} for status, count in each.statuses],
        "first": moment(each.first),
        "last": moment(each.last),
        "user_agents": [{"user_agent": agent, "count": count} for agent, count in each.agents],
        "seen_in": list(each.kinds),
    }


def group_object(group: Group, most: int | None) -> dict[str, Any]:
    """Requests with one finding and one way out."""
    return {
        "code": group.code,
        "severity": group.severity,
        "count": group.times,
        "first": moment(group.first),
        "last": moment(group.last),
        "client": client_object(group.client) if group.client is not None else None,
        "findings": [finding_object(each) for each in group.explanation.findings],
        "fixes": [fix_object(each) for each in group.fixes],
        "distinct_requests": len(group.requests),
        "requests": [asked_object(each) for each in group.requests[:most]],
    }


def _counted(every: Sequence[Asked], most: int | None) -> dict[str, Any]:
    return {
        "count": sum(each.times for each in every),
        "distinct_requests": len(every),
        "requests": [asked_object(each) for each in every[:most]],
    }


def logs_document(
    found: Tally,
    files: Sequence[LogFile],
    not_read: Sequence[NotRead],
    blind: Sequence[str],
    *,
    origin: str,
    proxy_version: str | None,
    folder: str | None,
    exit_code: int,
    everything: bool = False,
    tls: int = 0,
    garbled: int = 0,
) -> dict[str, Any]:
    """The whole document of `logs --json`."""
    most = None if everything else MOST_LISTED
    return {
        "schema_version": SCHEMA_VERSION,
        "command": "logs",
        "target": {"origin": origin, "proxy_version": proxy_version},
        "folder": folder,
        "files": [
            {
                "name": each.name,
                "format": each.format,
                "lines": each.lines,
                "requests": each.requests,
                "first": moment(each.first),
                "last": moment(each.last),
                "problem": each.problem,
                "unread_lines": each.unread,
            }
            for each in files
        ],
        "not_read": [{"name": each.name, "why": each.why} for each in not_read],
        "first": moment(found.first),
        "last": moment(found.last),
        "wrong": [group_object(each, most) for each in found.wrong],
        "failed": [group_object(each, most) for each in found.failed],
        "right": _counted(found.right, most),
        "harmless": _counted(found.harmless, most),
        "answered": _counted(found.answered, most),
        "foreign": _counted(found.foreign, most),
        "others": found.others,
        "not_http": {"count": tls + garbled, "tls": tls},
        "not_shown": [{"id": each, "text": said("blind-" + each)} for each in blind],
        "summary": {"requests": found.total, "errors": found.errors},
        "exit_code": exit_code,
    }


def event_object(one: Observation, found: Explanation, name: str, *, origin: str, proxy_version: str) -> dict[str, Any]:
    """A line of `logs --follow --format jsonl`: one request as it came."""
    return {
        "schema_version": SCHEMA_VERSION,
        "command": "logs",
        "target": {"origin": origin, "proxy_version": proxy_version},
        "at": moment(one.first),
        "source": name,
        "seen_in": one.kind,
        **explanation_object(request_text(found.method, found.path), found),
        "status": one.status,
        "user_agent": one.agents[0][0] if one.agents else None,
    }
