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


class AmbiguousClientError(KeyError):
    """More than one client is called so (client-order.json). `meant` are their ids."""

    def __init__(self, name: str, meant: Sequence[str]) -> None:
        super().__init__(name)
        self.name = name
        self.meant = tuple(meant)


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

    Raises UnknownClientError, with the nearest clients, where there is none, and AmbiguousClientError for a name that
    people use for more than one.
    """
    wanted = _fold(name)
    shared = load_json("client-order.json")["ambiguous"].get(wanted)
    if shared is not None:
        raise AmbiguousClientError(name, shared)
    known: dict[str, Client] = {
        _fold(each): client for client in reversed(all_clients()) for each in reversed(client.names)
    }
    for client in all_clients():
        if client.id == name:
            return client
    if wanted and wanted in known:
        return known[wanted]
    import difflib

    near = difflib.get_close_matches(wanted, known, n=6, cutoff=_ALIKE)
    if len(wanted) > 2:
        # Not in "vscode:Publisher.name" and its like: there the word in front says nothing of the client.
        parts = {_fold(each): each for client in all_clients() for each in client.names if ":" not in each}
        near += sorted((key for key in parts if wanted in key), key=lambda key: not key.startswith(wanted))
    raise UnknownClientError(name, list(dict.fromkeys(known[key].id for key in near))[:4])


_ALIKE = 0.78
"""How alike two names must be for a guess: a slip of the fingers is, another word with the same beginning is not."""


def reads(client: Client, text: str) -> bool:
    """False for a client in which a search finds `text` only among the settings that it ignores."""
    words = [folded for word in text.split() if (folded := _fold(word))]
    return all(word in _searched(client, ignored=False) for word in words)


def search_clients(text: str) -> tuple[Client, ...]:
    """The clients in which every word of `text` is found: in their names, packages, protocols, modes, or in the names
    of the settings that they read or ignore; in the catalogue's order. () for a text without any letter or digit."""
    words = [folded for word in text.split() if (folded := _fold(word))]
    if not words:
        return ()
    return tuple(each for each in all_clients() if all(word in _searched(each) for word in words))


@lru_cache(maxsize=512)
def _searched(client: Client, ignored: bool = True) -> str:
    texts = [*client.names, client.kind]
    parts = ("settings", "ignored") if ignored else ("settings", "also")
    for mode in client.modes:
        texts += [mode.id, mode.name, mode.protocol]
        texts += [str(each["name"]) for part in parts for each in mode.raw.get(part, ())]
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
