"""Small word forms that several reports share: client names, lists of names, protocol names."""

from __future__ import annotations

from collections.abc import Sequence

from antigravity_doctor.knowledge.clients import all_clients
from antigravity_doctor.knowledge.texts import phrase


def client_names(ids: Sequence[str], most: int = 2) -> str:
    """The names of the first clients, with "…" where there are more: "Claude Code, NextChat, …"."""
    names = {client.id: client.name for client in all_clients()}
    shown = [names.get(each, each) for each in ids[:most]]
    return ", ".join([*shown, phrase("more-clients")] if len(ids) > most else shown)


def protocol_name(protocol: str) -> str:
    """What people call a protocol: "OpenAI" for "openai"."""
    return phrase("protocol-" + protocol)
