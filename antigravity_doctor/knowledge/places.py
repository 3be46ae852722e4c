"""Where each client keeps its base URL on a machine, loaded from `places/*.json`; read by `agdoctor scan` only.

Nothing here touches the machine: `expand` turns the placeholders of an entry into paths by string work, for any of the
three systems on any of them. The format is described in docs/add-a-client.md ("Where its settings are on the machine")
and held by tests/knowledge/test_places.py.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from antigravity_doctor.knowledge.files import load_json

System = Literal["linux", "macos", "windows"]
SYSTEMS: tuple[System, ...] = ("linux", "macos", "windows")

PARENTS = 12
"""How many parents of the current folder `expand` goes up at most."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Root(NamedTuple):
    """A folder or file that the variable `env` moves. `default` by system; without one there is none but the moved."""

    env: str
    default: Mapping[str, str]


class ValueAt(NamedTuple):
    """A place inside a file's content, and how the mode of the base URL found there is told. See `mode_of`.

    `at`, `mode_by_at` and `only_if_at` are keys from the top; `*` is any key of an object or any item of a list. The
    n-th `*` of a neighbour (`mode_by_at`, `only_if_at`) stands for what the n-th `*` of `at` stood for; one more at the
    end stands for any item. `only_if_at`: the value counts only where the text there is one of `only_if`. `chosen_by`:
    places, in any of the client's files, that name the entry in use, which is what the first `*` of `at` stands for.
    `prefix_at`: a neighbour whose text up to `up_to` tells the mode where `mode_by_at` has none.
    """

    at: tuple[str, ...]
    mode: str | None
    mode_by_at: tuple[str, ...] | None
    mode_by: Mapping[str, str]
    mode_by_key: Mapping[str, str]
    otherwise: str | None
    only_if_at: tuple[str, ...] | None
    only_if: tuple[str, ...]
    chosen_by: tuple[tuple[str, ...], ...] = ()
    prefix_at: tuple[str, ...] | None = None
    up_to: str = ""


class Source(NamedTuple):
    """One source of a client's base URL. Fields that its `kind` does not have are empty or None.

    "file": `scope`, `paths` (by system), `upwards`, `format`, `merge`, `values`; "env": `names`, `mode`, which another
    variable (`mode_by_variable`) may decide by its text (`mode_by`); "editor-state": `key` of the table ItemTable,
    `values` in its JSON, `type_it`: where the user types it. `merge`: "first" (the first file that has the value),
    "deep" (all of them), "last" (of the files of one glob the last by name), "exists" (the client opens only the first
    file that exists, over all such sources).
    `known_from` says where all this is known from.
    """

    kind: str
    scope: str | None
    paths: Mapping[str, tuple[str, ...]]
    upwards: bool
    format: str | None
    merge: str
    values: tuple[ValueAt, ...]
    names: tuple[str, ...]
    mode: str | None
    key: str | None
    type_it: str | None
    roots: Mapping[str, Root]
    known_from: str
    mode_by_variable: str | None = None
    mode_by: Mapping[str, str] = MappingProxyType({})


class Place(NamedTuple):
    """A setting that exists on the machine, but that no other program can or should read; `because` says why.

    `because` is "leveldb", "keychain", "encrypted", "server" or "sqlite"; `type_it` is where the user types it.
    """

    paths: Mapping[str, tuple[str, ...]]
    because: str
    type_it: str
    roots: Mapping[str, Root]
    known_from: str


class ClientPlaces(NamedTuple):
    """All places of a client (`client` is its id in the catalogue): `sources` with the one that wins first."""

    client: str
    sources: tuple[Source, ...]
    closed: tuple[Place, ...]


class Editor(NamedTuple):
    """VS Code or a fork. `user`: its user folder by system; `settings` and `state` are relative to it."""

    id: str
    name: str
    user: Mapping[str, str]
    settings: str
    state: str


class SyncFault(NamedTuple):
    """A base URL that releases of the proxy wrote wrong by one-click sync: `path` is the path of that base URL.

    `versions` are those of the proxy: from (inclusive) and below (exclusive), None is open.
    """

    id: str
    client: str
    at: tuple[str, ...]
    path: str
    versions: tuple[str | None, str | None]
    mode: str
    known_from: str


@lru_cache(maxsize=1)
def places() -> tuple[ClientPlaces, ...]:
    """The places of every client that has any, by client id."""
    folder = os.path.join(os.path.dirname(__file__), "places")  # noqa: PTH118, PTH120 - as in clients.py
    names = sorted(name for name in os.listdir(folder) if name.endswith(".json"))  # noqa: PTH208
    return tuple(places_from_json(load_json("places", name)) for name in names if not name.startswith("_"))


def places_of(client: str) -> ClientPlaces | None:
    """The places of the client with this id; None where it keeps its base URL nowhere that we know of."""
    return next((each for each in places() if each.client == client), None)


def places_from_json(data: Mapping[str, Any]) -> ClientPlaces:
    """The places of one entry's JSON object. Raises KeyError where the entry lacks a required field."""
    roots = {
        name: Root(each["env"], _by_system(each.get("default", {}))) for name, each in data.get("roots", {}).items()
    }
    return ClientPlaces(
        data["client"],
        tuple(_source(each, roots) for each in data.get("sources", ())),
        tuple(
            Place(_paths(each["paths"]), each["because"], each["type_it"], roots, each["source"])
            for each in data.get("closed", ())
        ),
    )


@lru_cache(maxsize=1)
def editors() -> tuple[Editor, ...]:
    """VS Code and its forks, the best-known first."""
    listed = load_json("places", "_editors.json")["editors"]
    return tuple(Editor(e["id"], e["name"], e["user"], e["settings"], e["state"]) for e in listed)


@lru_cache(maxsize=1)
def terminals() -> tuple[Source, ...]:
    """Where editors keep variables for the terminals that they open: files; the last `*` of `at` is the variable."""
    return tuple(_source(each, {}) for each in load_json("places", "_terminals.json")["terminals"])


@lru_cache(maxsize=1)
def sync_faults() -> tuple[SyncFault, ...]:
    """What releases of the proxy's own one-click sync wrote wrong."""
    return tuple(
        SyncFault(
            each["id"],
            each["client"],
            tuple(each["at"]),
            each["path"],
            (each["versions"].get("from"), each["versions"].get("below")),
            each["mode"],
            each["source"],
        )
        for each in load_json("places", "_sync.json")["written"]
    )


def mode_of(value: ValueAt, neighbour: str | None, key: str | None) -> str | None:
    """The id of the mode of a base URL that was found at `value`; None: it cannot be told, so it is not judged.

    `neighbour` is the text at `value.mode_by_at` (None: there is none), `key` what the first `*` of `value.at` stood
    for. A neighbour decides, and one that says something unknown leaves it open; without one the key decides, and
    `otherwise` where the key does not.
    """
    if value.mode is not None:
        return value.mode
    if neighbour is not None:
        return value.mode_by.get(neighbour)
    return value.mode_by_key.get(key or "", value.otherwise)


def expand(
    source: Source | Place, system: System, environment: Mapping[str, str], home: str, project: str
) -> tuple[str, ...]:
    """The paths that an entry names on this system, in its order and each once; none for a variable.

    `home` and `project` (the current folder) are absolute paths of that system. Globs are left as they are. Upwards,
    the parents of `project` follow it, nearest first, to the root or to the last below `home`, twelve at most; all
    paths of one folder come before those of the next. Where `project` is `home`, a client's sources may name the
    same path twice.
    """
    here = _Here(system, environment, _slashes(home, system), _slashes(project, system), source.roots)
    patterns: Iterable[str] = source.paths.get(system, ())
    upwards = False
    if isinstance(source, Source):
        upwards = source.upwards
        if source.kind == "editor-state":
            patterns = here.states()
    folders = tuple(here.folders()) if upwards else (here.project,)
    # a path that names no folder of the project is the same for each of them: kept once
    found = dict.fromkeys(path for folder in folders for each in patterns for path in here.fill(each, folder))
    return tuple(path.replace("/", "\\") if system == "windows" else path for path in found)


class _Here(NamedTuple):
    """A machine as `expand` sees it; all its paths are written with `/`."""

    system: System
    environment: Mapping[str, str]
    home: str
    project: str
    roots: Mapping[str, Root]

    def folders(self) -> Iterator[str]:
        """The current folder and its parents, nearest first. Never the home folder: entries name that themselves."""
        folder = self.project
        for _ in range(PARENTS + 1):
            yield folder
            parent = _parent(folder)
            if parent == folder or self._same(folder, self.home) or self._same(parent, self.home):
                return
            folder = parent

    def states(self) -> list[str]:
        """The pattern of each editor's state database."""
        return [f"{user}/{each.state}" for each in editors() if (user := each.user.get(self.system))]

    def fill(self, pattern: str, folder: str) -> Iterator[str]:
        """The paths of one pattern: one, or one an editor; none where something in it is nowhere on this system."""
        patterns = [pattern]
        if "{editor}" in pattern:
            users = [each.user[self.system] for each in editors() if self.system in each.user]
            patterns = [pattern.replace("{editor}", user) for user in users]
        for each in patterns:
            path = self._fill(each, folder)
            if path is not None:
                yield path

    def _fill(self, pattern: str, folder: str) -> str | None:
        values = {name: self._value(name, folder) for name in _PLACEHOLDER.findall(pattern)}
        if None in values.values():
            return None
        return _PLACEHOLDER.sub(lambda match: values[match[1]] or "", pattern)

    def _value(self, name: str, folder: str) -> str | None:
        if name == "home":
            return self.home
        if name == "project":
            return folder.rstrip("/")
        if name in _FOLDERS:
            env, default = _FOLDERS[name]
            moved = self._variable(env)
            # XDG and Windows both mean absolute paths here; what is not one is to be ignored
            return moved if moved and _absolute(moved) else self._fill(default, folder)
        root = self.roots[name]
        moved = self._variable(root.env)
        if moved:
            if moved == "~" or moved.startswith("~/"):
                moved = self.home + moved[1:]
            return moved if _absolute(moved) else f"{self.project.rstrip('/')}/{moved}"
        unmoved = root.default.get(self.system)
        return None if unmoved is None else self._fill(unmoved, folder)

    def _variable(self, name: str) -> str:
        value = self.environment.get(name, "").strip()
        return _slashes(value, self.system) if value else ""

    def _same(self, one: str, other: str) -> bool:
        # Windows and (by default) macOS do not tell the cases of a path apart
        return one == other if self.system == "linux" else one.casefold() == other.casefold()


_FOLDERS: Mapping[str, tuple[str, str]] = {
    "config": ("XDG_CONFIG_HOME", "{home}/.config"),
    "data": ("XDG_DATA_HOME", "{home}/.local/share"),
    "appdata": ("APPDATA", "{home}/AppData/Roaming"),
    "localappdata": ("LOCALAPPDATA", "{home}/AppData/Local"),
    "programdata": ("PROGRAMDATA", "C:/ProgramData"),
}
"""Placeholders that a variable of the system moves: name -> (variable, default)."""


def _slashes(path: str, system: System) -> str:
    """A path written with `/` and without one at its end, except for a root."""
    if system == "windows":
        path = path.replace("\\", "/")
    stripped = path.rstrip("/")
    return stripped + "/" if not stripped or re.fullmatch(r"[A-Za-z]:", stripped) else stripped


def _absolute(path: str) -> bool:
    return path.startswith("/") or re.match(r"[A-Za-z]:/", path) is not None


def _parent(folder: str) -> str:
    """The folder above; of a root (`/`, `C:/`, `//server/share`) itself."""
    if folder.endswith("/") or re.fullmatch(r"//[^/]+/[^/]+", folder):
        return folder
    above = folder.rpartition("/")[0]
    return above + "/" if not above or re.fullmatch(r"[A-Za-z]:", above) else above


def _source(data: Mapping[str, Any], roots: Mapping[str, Root]) -> Source:
    return Source(
        kind=data["kind"],
        scope=data.get("scope"),
        paths=_paths(data.get("paths", {})),
        upwards=bool(data.get("upwards")),
        format=data.get("format"),
        merge=data.get("merge", "first"),
        values=tuple(_value_at(each) for each in data.get("values", ())),
        names=tuple(data.get("names", ())),
        mode=data.get("mode"),
        key=data.get("key"),
        type_it=data.get("type_it"),
        roots=roots,
        known_from=data["source"],
        mode_by_variable=data["mode_by"]["variable"] if "mode_by" in data else None,
        mode_by=data["mode_by"]["is"] if "mode_by" in data else {},
    )


def _value_at(data: Mapping[str, Any]) -> ValueAt:
    mode_by, only_if = data.get("mode_by"), data.get("only_if")
    prefix = mode_by.get("or_prefix") if mode_by else None
    return ValueAt(
        at=tuple(data["at"]),
        mode=data.get("mode"),
        mode_by_at=tuple(mode_by["at"]) if mode_by else None,
        mode_by=mode_by["is"] if mode_by else {},
        mode_by_key=data.get("also_mode_by_key", {}),
        otherwise=mode_by.get("else") if mode_by else None,
        only_if_at=tuple(only_if["at"]) if only_if else None,
        only_if=tuple(only_if["is"]) if only_if else (),
        chosen_by=tuple(map(tuple, data.get("chosen_by", ()))),
        prefix_at=tuple(prefix["at"]) if prefix else None,
        up_to=prefix["up_to"] if prefix else "",
    )


def _paths(data: Any) -> Mapping[str, tuple[str, ...]]:
    """Paths by system: a list holds for all three."""
    if isinstance(data, list):
        return dict.fromkeys(SYSTEMS, tuple(data))
    return {system: tuple(paths) for system, paths in data.items()}


def _by_system(data: Any) -> Mapping[str, str]:
    return dict.fromkeys(SYSTEMS, data) if isinstance(data, str) else data
