"""The client catalogue: what each client appends to a base URL, loaded from `clients/*.json`.

The format is described in docs/add-a-client.md and held by tests/clients/test_client_entries.py.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from antigravity_doctor.knowledge.files import load_json

Step = str | Mapping[str, object]


class Request(NamedTuple):
    """One request a client sends. `suffix` may hold one placeholder: {model}, {id} or {deployment}."""

    method: str
    suffix: str
    required: bool
    when: str


class Mode(NamedTuple):
    """One protocol or provider setting of a client. `raw` is the JSON object, for what only texts need.

    Compared and hashed by identity: there is one object a mode, and caches are keyed by it.
    """

    client: str
    id: str
    name: str
    protocol: str
    preferred: bool
    versions: tuple[str | None, str | None]
    steps: tuple[Step, ...]
    requests: tuple[Request, ...]
    raw: Mapping[str, Any]

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


class Client(NamedTuple):
    """A client: its names and its modes. `raw` is the JSON object, for what only texts need."""

    id: str
    name: str
    kind: str
    names: tuple[str, ...]
    modes: tuple[Mode, ...]
    raw: Mapping[str, Any]

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


class UnknownClientError(KeyError):
    """No client has this name. `nearest` holds the ids of the clients whose names look most like it, best first."""

    def __init__(self, name: str, nearest: Sequence[str]) -> None:
        super().__init__(name)
        self.name = name
        self.nearest = tuple(nearest)


@lru_cache(maxsize=1)
def join_rules() -> dict[str, Any]:
    """The named join rules: name -> {"steps": [...], "summary": str}."""
    rules: dict[str, Any] = load_json("join-rules.json")
    return rules


def client_from_json(data: Mapping[str, Any]) -> Client:
    """A Client of one entry's JSON object. Raises KeyError where the entry lacks a required field."""
    rules = join_rules()
    modes = []
    for mode in data["modes"]:
        rule = mode["join"]
        versions = mode.get("versions") or {}
        modes.append(
            Mode(
                client=data["id"],
                id=mode["id"],
                name=mode["name"],
                protocol=mode["protocol"],
                preferred=bool(mode.get("preferred")),
                versions=(versions.get("from"), versions.get("below")),
                steps=tuple(rules[rule]["steps"] if isinstance(rule, str) else rule),
                requests=tuple(
                    Request(r["method"], r["suffix"], bool(r.get("required")), r.get("when", ""))
                    for r in mode["requests"]
                ),
                raw=mode,
            )
        )
    packages = [p.partition(":")[2] or p for p in data.get("packages", ())]
    names = (data["id"], data["name"], *data.get("aliases", ()), *packages, *data.get("packages", ()))
    return Client(data["id"], data["name"], data["kind"], tuple(dict.fromkeys(names)), tuple(modes), data)


@lru_cache(maxsize=1)
def all_clients() -> tuple[Client, ...]:
    """Every client of the catalogue, the best-known first (client-order.json), the others by id."""
    # os, not pathlib: this is on the way of every command, and pathlib's objects cost more than the files.
    folder = os.path.join(os.path.dirname(__file__), "clients")  # noqa: PTH118, PTH120
    files = sorted(name for name in os.listdir(folder) if name.endswith(".json"))  # noqa: PTH208
    clients = {name: client_from_json(load_json("clients", name)) for name in files}
    first = [name + ".json" for name in load_json("client-order.json")["order"]]
    return tuple(clients[name] for name in dict.fromkeys([*first, *files]) if name in clients)


def find_client(name: str) -> Client:
    """The client with this id, name, alias or package (case, spaces and punctuation do not matter).

    Raises UnknownClientError, with the nearest clients, where there is none.
    """
    wanted = _fold(name)
    known: dict[str, Client] = {
        _fold(each): client for client in reversed(all_clients()) for each in reversed(client.names)
    }
    for client in all_clients():
        if client.id == name:
            return client
    if wanted and wanted in known:
        return known[wanted]
    import difflib

    near = difflib.get_close_matches(wanted, known, n=6, cutoff=0.65)
    near += [key for key in known if wanted and len(wanted) > 2 and wanted in key]
    raise UnknownClientError(name, list(dict.fromkeys(known[key].id for key in near))[:4])


def search_clients(text: str) -> tuple[Client, ...]:
    """The clients in which every word of `text` is found: in their names, packages, protocols, modes, or in the names
    of the settings that they read or ignore; in the catalogue's order. () for a text without any letter or digit."""
    words = [folded for word in text.split() if (folded := _fold(word))]
    if not words:
        return ()
    return tuple(each for each in all_clients() if all(word in _searched(each) for word in words))


@lru_cache(maxsize=256)
def _searched(client: Client) -> str:
    texts = [*client.names, client.kind]
    for mode in client.modes:
        texts += [mode.id, mode.name, mode.protocol]
        texts += [str(each["name"]) for part in ("settings", "ignored") for each in mode.raw.get(part, ())]
        texts += [str(each["name"]) for each in mode.raw.get("key", {}).get("settings", ())]
    return "\n".join(map(_fold, texts))


def client_of_program(program: str) -> Client | None:
    """The client that this executable starts, by its name or path ("claude", "C:\\bin\\codex.cmd"); None if unknown."""
    name = program.replace("\\", "/").rpartition("/")[2].lower()
    for ending in (".exe", ".cmd", ".bat", ".ps1", ".js"):
        name = name.removesuffix(ending)
    return next((client for client in all_clients() if name in client.raw.get("programs", ())), None)


def _fold(name: str) -> str:
    return "".join(ch for ch in name.casefold() if ch.isalnum())
