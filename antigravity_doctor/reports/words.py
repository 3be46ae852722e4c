"""Small word forms that several reports share: client names, lists of names, protocol names."""

from __future__ import annotations

from collections.abc import Sequence

from antigravity_doctor.diagnosis.model import Finding, Fix
from antigravity_doctor.knowledge.clients import all_clients
from antigravity_doctor.knowledge.texts import phrase
from antigravity_doctor.reports.paint import printable


def client_names(ids: Sequence[str], most: int = 2) -> str:
    """The names of the first clients, with "…" where there are more: "Claude Code, NextChat, …"."""
    names = {client.id: client.name for client in all_clients()}
    shown = [names.get(each, each) for each in ids[:most]]
    return ", ".join([*shown, phrase("more-clients")] if len(ids) > most else shown)


def protocol_name(protocol: str) -> str:
    """What people call a protocol: "OpenAI" for "openai"."""
    return phrase("protocol-" + protocol)


def safe_facts(finding: Finding) -> dict[str, str]:
    """A finding's facts, each printable and of bearable length, for its texts."""
    return {name: printable(value, 160) for name, value in finding.facts.items()}


def note_text(fix: Fix) -> str | None:
    """What has to be done besides typing the base URL, in words; None where that is all."""
    if fix.note is None:
        return None
    version = fix.appends.split("/")[1] if fix.appends.count("/") > 1 else ""
    settings = _settings_for(fix, version)
    key = "note-api-version-alone" if fix.note == "api-version" and not settings else "note-" + fix.note
    return phrase(key, {"version": version, "settings": settings})


def _settings_for(fix: Fix, version: str) -> str:
    """The settings of the fix's clients that take this API version: "http_options.api_version (Google GenAI SDK …)"."""
    found: dict[str, str] = {}
    for client in all_clients():
        if client.id not in fix.clients:
            continue
        for mode in client.modes:
            for each in mode.raw.get("also", ()):
                if each.get("value") == version:
                    found.setdefault(f"{each['name']} = {version}", client.name)
    shown = [f"{setting} ({name})" for setting, name in list(found.items())[:2]]
    return ", ".join(shown)
