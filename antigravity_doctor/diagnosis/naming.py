"""A base URL that was pasted with the name of its setting: who reads it, and is it right for them?

`ANTHROPIC_BASE_URL=http://127.0.0.1:8045/v1` is wrong for Claude Code and right for OpenCode: one variable, opposite
conventions. So the answer is given for each client that reads it.
"""

from __future__ import annotations

from antigravity_doctor.diagnosis.explaining import Explanation
from antigravity_doctor.diagnosis.fixing import API_VERSION
from antigravity_doctor.diagnosis.model import Finding, Fix, Severity, Verdict
from antigravity_doctor.diagnosis.recommending import fixes_for
from antigravity_doctor.diagnosis.simulating import simulate
from antigravity_doctor.diagnosis.urls import split_url
from antigravity_doctor.knowledge.clients import Client, Mode, all_clients
from antigravity_doctor.knowledge.routes import RouteTable


def explain_setting(
    setting: str, base_url: str, table: RouteTable, origin: str, client: Client | None = None
) -> Explanation | None:
    """What the current clients that read this variable make of the base URL; None where no known client reads it.

    `base_url` has a scheme. The verdict is "misrouted" where no reader gets anywhere with it.
    """
    good: list[str] = []
    bad: list[str] = []
    fixes: dict[tuple[str, str | None], Fix] = {}
    for each in (client,) if client is not None else all_clients():
        readers = [
            mode
            for mode in each.modes
            if mode.versions[1] is None and setting in {one["name"] for one in mode.raw.get("settings", ())}
        ]
        if not readers:
            continue
        # The main use decides: another mode that happens to work does not make the value right.
        judged = [mode for mode in readers if mode.preferred] or readers
        if any(simulate(mode, base_url, table).works for mode in judged):
            good.append(each.name)
            continue
        bad.append(each.name)
        for mode in judged:
            for fix in fixes_for(mode, table, origin, base_url):
                note = _note(mode, fix)
                known = fixes.get((fix.base_url, note))
                clients = fix.clients if known is None else tuple(dict.fromkeys((*known.clients, *fix.clients)))
                fixes[fix.base_url, note] = fix._replace(confidence=0.6, clients=clients, note=note)
    if not good and not bad:
        return None
    facts = {
        "setting": setting,
        "base_url": base_url,
        "good": ", ".join(good) or "–",
        "bad": ", ".join(bad) or "–",
    }
    severity: Severity = "info" if not bad else "warning" if good else "error"
    verdict: Verdict = "misrouted" if not good else "not-a-path-problem"
    finding = Finding("AGD509", severity, 0.9, facts)
    ranked = tuple(sorted(fixes.values(), key=lambda fix: -len(fix.clients)))
    return Explanation(None, split_url(base_url).path or "/", None, verdict, None, (finding,), ranked)


def _note(mode: Mode, fix: Fix) -> str | None:
    """API_VERSION where the mode works only with the API version of the fix's suffix set as well."""
    version = fix.appends.split("/")[1] if fix.appends.count("/") > 1 else ""
    return API_VERSION if any(each.get("value") == version for each in mode.raw.get("also", ())) else None
