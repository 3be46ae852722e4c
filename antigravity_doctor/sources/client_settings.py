"""Finds the base URLs that clients are set to on this machine: files, variables, start-up files, editors' databases.

Where to look is knowledge (`knowledge/places`); this module looks. It reads only the files that are named there, each
once and never more than a few megabytes of it, writes nothing, runs nothing and connects to nothing.
"""

from __future__ import annotations

import errno
import glob
import os
import re
import sqlite3
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from antigravity_doctor.diagnosis.scanning import Closed, Evidence, FoundBaseUrl, Spot, Unreadable, Variable
from antigravity_doctor.knowledge.clients import Client, all_clients
from antigravity_doctor.knowledge.places import (
    ClientPlaces,
    Source,
    System,
    ValueAt,
    expand,
    mode_of,
    places,
    terminals,
)
from antigravity_doctor.sources.home_paths import with_tilde
from antigravity_doctor.sources.settings_text import (
    LIMIT,
    At,
    CannotReadError,
    Format,
    Settings,
    Value,
    decoded,
    find,
    read,
    read_values,
)
from antigravity_doctor.sources.shell_files import Started, read_assignments, read_started, start_up_files

MOST_FILES = 400
"""Files of one glob or one scan's project folders; a real machine has a few dozen."""

_URL = re.compile(
    r"[\s\"'`“”‘’<]*+(?:[A-Za-z][A-Za-z0-9+.-]*:/|https?/|(?:localhost|[\w.-]+\.\w+|\[[0-9a-fA-F:]+\]):\d"
    r"|(?:localhost|\d{1,3}(?:\.\d{1,3}){3})(?:[/?#\s]|$))"
)
"""What can be meant as a base URL, be it written wrong: some settings hold a word such as `default` in its place."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where to look. Paths are absolute and of `system`; `platform` as sys.platform; `environment` is the whole one."""

    system: System
    platform: str
    environment: Mapping[str, str] = field(repr=False)
    home: str
    project: str


def this_machine(environment: Mapping[str, str], platform: str, project: str) -> Machine:
    """The machine that this program runs on, with the home folder that the environment names."""
    system: System = "windows" if platform == "win32" else "macos" if platform == "darwin" else "linux"
    home = environment.get("USERPROFILE" if system == "windows" else "HOME") or environment.get("HOME") or ""
    if not home:
        try:
            home = str(Path.home())
        except RuntimeError:  # a user without a home directory
            home = project
    return Machine(system, platform, environment, home, project)


def read_client_settings(machine: Machine, only: Client | None = None) -> Evidence:
    """Every base URL that is set on this machine for a client of the catalogue (or for this one). Never raises."""
    reader = _Reader(machine)
    for each in places():
        if only is None or each.client == only.id:
            reader.client(each)
    return reader.evidence(only)


class _Reader:
    """One scan: files are read once, whoever asks for them."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._files: dict[tuple[str, str], tuple[Value, ...] | None] = {}
        self._unreadable: dict[tuple[str, str], tuple[CannotReadError, dict[str, None]]] = {}
        self._waiting: list[tuple[str, Source, str, int]] = []  # variables that this process has not
        self._read_by: dict[tuple[str, str], tuple[Source, int]] = {}  # (client, variable) -> how it is read
        self._chosen: dict[str, set[str]] = {}  # client -> the entries that its files say are in use
        self._to_choose: dict[int, tuple[str, str]] = {}  # number in found -> its entry, and what has to name that
        self._started: list[tuple[str, Started]] = []  # commands with variables of their own, each with its file
        self._found: list[FoundBaseUrl] = []
        self._closed: list[Closed] = []
        self._here: set[str] = set()
        self._names: dict[str, None] = {}
        self._ignored = {client.id: _ignored(client) for client in all_clients()}

    # --- one client ---------------------------------------------------------------------------------------------------

    def client(self, known: ClientPlaces) -> None:
        order = 0
        first: str | None = None  # of the files of which the client opens only one
        own: str | None = None  # a file of the client's own, before which an editor's copy is not read any more
        seen: set[tuple[str, tuple[At, ...]]] = set()  # a project that is the home folder names a file twice
        for source in known.sources:
            if source.kind == "env":
                self._names |= dict.fromkeys(source.names)
                for name in source.names:
                    order += 1
                    self._read_by.setdefault((known.client, name), (source, order))
                    self._variable(known.client, source, name, order)
                continue
            for path in self._existing(source, known.client):
                wanted = (path, tuple(each.at for each in source.values))
                if wanted in seen:
                    continue
                seen.add(wanted)
                order += 1
                if source.kind == "editor-state":
                    self._state(known.client, source, path, order, own)
                    continue
                if not self._is_common(source, path):
                    own = own or self._shown(path)
                hidden = first if source.merge == "exists" else None
                if source.merge == "exists" and first is None:
                    first = self._shown(path)
                self._file(known.client, source, path, order, hidden)
        for place in known.closed:
            for path in self._paths(expand(place, *self._where())):
                self._here.add(known.client)
                self._closed.append(Closed(known.client, self._shown(path), place.because, place.type_it))
                break

    def _where(self) -> tuple[System, Mapping[str, str], str, str]:
        machine = self._machine
        return machine.system, machine.environment, machine.home, machine.project

    def _existing(self, source: Source, client: str) -> Iterator[str]:
        for path in self._paths(expand(source, *self._where()), last_first=source.merge == "last"):
            if source.format == "dotenv" and os.path.isdir(path):  # noqa: PTH112 - a virtual environment of that name
                continue
            if source.kind == "file" and not self._is_common(source, path):
                self._here.add(client)
            yield path

    def _is_common(self, source: Source, path: str) -> bool:
        """An editor's settings, or a `.env` of the home folder or the project: that it is there says nothing of a
        client."""
        if source.format != "dotenv":
            return "{editor}" in _patterns(source) or "/.vscode/" in _patterns(source)
        separator = "\\" if self._machine.system == "windows" else "/"
        folder, _, name = path.rpartition(separator)
        above = (self._machine.project + separator).startswith(folder + separator)
        return name == ".env" and (above or folder == self._machine.home.rstrip(separator))

    def _paths(self, patterns: Iterable[str], *, last_first: bool = False) -> Iterator[str]:
        for pattern in patterns:
            if "*" in pattern:
                escaped = "*".join(glob.escape(part) for part in pattern.split("*"))
                found = sorted(glob.glob(escaped), reverse=last_first)[:MOST_FILES]  # noqa: PTH207
                yield from (path for path in found if os.path.isfile(path))  # noqa: PTH113
            elif _is_there(pattern):
                yield pattern

    def _variable(self, client: str, source: Source, name: str, order: int) -> None:
        value = self._machine.environment.get(name, "").strip()
        if not value:
            self._waiting.append((client, source, name, order))
        elif _URL.match(value):
            self._set(client, source, Variable(name, value, Spot("env", name, None, None, None, None)), order)

    def _set(self, client: str, source: Source, variable: Variable, order: int) -> None:
        """A variable that this client reads, with the mode that another variable may decide."""
        mode = _mode_with(source, self._machine.environment)
        ignored = ("env", variable.name) in self._ignored[client]
        found = FoundBaseUrl(client, mode, variable.value, variable.spot, order, (mode or "",), ignored=ignored)
        self._found.append(found._replace(maybe=variable.maybe))

    def _started_with(self, client: Client, path: str, started: Started) -> None:
        """The base URLs that a start-up file gives to this one command: what the client's own files say still wins,
        variables of the shell do not, and two commands do not touch each other."""
        environment = {**self._machine.environment, **{each.name: each.value or "" for each in started.variables}}
        for each in started.variables:
            source, order = self._read_by.get((client.id, each.name), (None, 0))
            value = (each.value if each.value is not None else each.written).strip()
            if source is None or not (each.value is None or _URL.match(value)):
                continue
            self._here.add(client.id)
            mode = _mode_with(source, environment)
            rivals = [one for one in self._found if one.client == client.id and one.slot == (mode or "",)]
            stronger = [one for one in rivals if one.order < order and one.spot.kind == "file" and not one.ignored]
            self._found.append(
                FoundBaseUrl(
                    client.id,
                    mode,
                    value,
                    Spot("shell", each.name, self._shown(path), each.line, each.column, "user"),
                    order,
                    ("command", path, str(each.start), each.name),
                    literal=each.value is not None,
                    ignored=("env", each.name) in self._ignored[client.id],
                    hidden_by=min(stronger, key=lambda one: one.order).spot.file if stronger else None,
                )
            )

    def _file(self, client: str, source: Source, path: str, order: int, hidden: str | None) -> None:
        format: Format = source.format  # type: ignore[assignment]  # held by tests/knowledge/test_places.py
        values = self._values(path, format, client)
        for place in {each for wanted in source.values for each in wanted.chosen_by}:
            self._chosen.setdefault(client, set()).update(str(each.value) for each, _ in find(values, place))
        for value, mode, slot, wanted in self._matching(client, source, values):
            name = ".".join(map(str, value.at))
            spot = Spot("file", name, self._shown(path), value.line, value.column, source.scope)
            if "{editor}" in _patterns(source):
                slot = (path, *slot)  # each editor has its own
            self._found.append(
                FoundBaseUrl(
                    client,
                    mode,
                    str(value.value).strip(),
                    spot,
                    order,
                    slot,
                    literal=value.literal,
                    ignored=("file", name) in self._ignored[client],
                    format=format if not value.why_fixed else None,
                    at=value.at,
                    hidden_by=hidden,
                    common=format == "dotenv" and self._is_common(source, path),
                )
            )
            if wanted.chosen_by:
                entry = str(value.at[wanted.at.index("*")])
                self._to_choose[len(self._found) - 1] = (entry, ".".join(wanted.chosen_by[0]))

    def _matching(
        self, client: str, source: Source, values: tuple[Value, ...]
    ) -> Iterator[tuple[Value, str | None, tuple[str, ...], ValueAt]]:
        """The client's base URLs among the values of a file, each with its mode, its slot and what describes it."""
        for wanted in source.values:
            for value, stars in find(values, wanted.at):
                found = self._one(wanted, values, value, stars)
                if found is not None:
                    yield value, *found, wanted

    def _one(
        self, wanted: ValueAt, values: tuple[Value, ...], value: Value, stars: At
    ) -> tuple[str | None, tuple[str, ...]] | None:
        """The mode and the slot of a value; None where it is not one of this client's base URLs."""
        if not isinstance(value.value, str) or not (_URL.match(value.value) or not value.literal):
            return None
        if wanted.only_if_at is not None and _neighbour(values, wanted.only_if_at, stars, wanted.only_if) is None:
            return None
        neighbour = None
        if wanted.mode_by_at is not None:
            neighbour = _neighbour(values, wanted.mode_by_at, stars, tuple(wanted.mode_by)) or _neighbour(
                values, wanted.mode_by_at, stars, None
            )
        if neighbour is None and wanted.prefix_at is not None:
            text = _neighbour(values, wanted.prefix_at, stars, None) or ""
            neighbour = text.partition(wanted.up_to)[0] if wanted.up_to in text else None
        key = str(stars[0]) if stars else None
        mode = mode_of(wanted, neighbour, key)
        # A built-in provider (named by its key) is what the variable is for; one of the user's own is not.
        built_in = key is not None and key in wanted.mode_by_key
        named = not any(isinstance(each, int) for each in stars)
        if not stars or built_in or (wanted.only_if_at is not None and named):
            return mode, (mode or "",)
        # An entry of a table is one setting, wherever it is written; an item of a list has no name to tell it by.
        return mode, ("entry" if named else f"item {self._count()}", mode or "", *map(str, value.at))

    def _state(self, client: str, source: Source, path: str, order: int, own: str | None) -> None:
        """A key of an editor's state database: a JSON text in a table of SQLite."""
        key = source.key or ""
        try:
            text = _state_value(path, key)
        except sqlite3.Error as error:
            # Not the error's own words: they can hold a piece of the database.
            self._cannot((path, key), client, CannotReadError("state-unreadable", detail=type(error).__name__))
            return
        if text is None:
            return
        self._here.add(client)
        try:
            values = read_values(text, "json")
        except CannotReadError as error:
            self._cannot((path, key), client, CannotReadError(error.reason))
            return
        for value, mode, slot, _ in self._matching(client, source, values):
            spot = Spot("editor-state", ".".join(map(str, value.at)), self._shown(path), None, None, "user")
            self._found.append(
                FoundBaseUrl(
                    client,
                    mode,
                    str(value.value).strip(),
                    spot,
                    order,
                    (path, *slot),  # each editor has its own
                    literal=value.literal,
                    type_it=source.type_it,
                    hidden_by=own,
                )
            )

    def _count(self) -> int:
        return len(self._found)

    # --- files --------------------------------------------------------------------------------------------------------

    def _values(self, path: str, format: Format, client: str) -> tuple[Value, ...]:
        """The values of a file, () where it cannot be read (which is noted)."""
        key = (path, format)
        if key not in self._files:
            try:
                self._files[key] = _strictly(read(_text(path), format), format)
            except CannotReadError as error:
                self._files[key] = None
                self._cannot(key, client, error)
        elif self._files[key] is None:
            self._unreadable[key][1].setdefault(client)
        return self._files[key] or ()

    def _cannot(self, place: tuple[str, str], client: str, error: CannotReadError) -> None:
        """`place`: the file, and what it was read as."""
        self._unreadable.setdefault(place, (error, {}))[1].setdefault(client)

    def _shown(self, path: str) -> str:
        return with_tilde(path, self._machine.home)

    # --- variables ----------------------------------------------------------------------------------------------------

    def _variables(self, only: Client | None) -> Iterator[Variable]:
        """The base URL variables that are set: in this process, in start-up files, for the terminals that editors open,
        in the project's `.env`."""
        for name in self._names:
            value = self._machine.environment.get(name, "").strip()
            if value and _URL.match(value):
                yield Variable(name, value, Spot("env", name, None, None, None, None))
        yield from self._start_up()
        yield from self._terminals()
        if only is not None:
            return
        separator = "\\" if self._machine.system == "windows" else "/"
        path = self._machine.project.rstrip(separator) + separator + ".env"
        if os.path.isfile(path):  # noqa: PTH113 - it may be a folder
            for each in self._values(path, "dotenv", ""):
                yield from self._variable_of(each, str(each.at[0]), path, "dotenv", "project")

    def _variable_of(self, value: Value, name: str, path: str, format: Format, scope: str | None) -> Iterator[Variable]:
        """A value of a file that holds variables: the base URL variable of this name, or nothing."""
        text = value.value
        if name in self._names and isinstance(text, str) and (_URL.match(text) or not value.literal):
            spot = Spot("file", ".".join(map(str, value.at)), self._shown(path), value.line, value.column, scope)
            writable = None if value.why_fixed else format
            yield Variable(name, text.strip(), spot, value.literal, format=writable, at=value.at)

    def _terminals(self) -> Iterator[Variable]:
        """What editors set in the terminals that they open: a client that is started there sees it, and no other."""
        for source in terminals():
            format: Format = source.format  # type: ignore[assignment]  # held by tests/knowledge/test_places.py
            for path in self._paths(expand(source, *self._where())):
                values = self._values(path, format, "")
                for each in (value for wanted in source.values for value, _ in find(values, wanted.at)):
                    yield from self._variable_of(each, str(each.at[-1]), path, format, source.scope)

    def _start_up(self) -> Iterator[Variable]:
        """What start-up files set to something else than this process has: it holds from the next shell on."""
        environment = {**self._machine.environment, "HOME": self._machine.home}
        last: dict[tuple[str, str], Variable] = {}  # of each shell: none reads the files of another
        for each in start_up_files(environment, self._machine.platform):
            for path in self._paths([each.path]):
                try:
                    text = _text(path)
                    found = read_assignments(text, each.dialect, tuple(self._names))
                    self._started += [(path, one) for one in read_started(text, each.dialect)]
                except CannotReadError:
                    continue  # a shell's own file that is no text is no settings file of a client
                for one in found:
                    value = one.value if one.value is not None else one.written
                    if one.value is None or _URL.match(one.value):
                        spot = Spot("shell", one.name, self._shown(path), one.line, one.column, "user")
                        said = Variable(one.name, value.strip(), spot, one.value is not None, each.shell)
                        last[each.shell, one.name] = said._replace(exported=one.exported, maybe=not one.certain)
        yield from last.values()

    # --- all of it ----------------------------------------------------------------------------------------------------

    def evidence(self, only: Client | None) -> Evidence:
        variables = self._merged(list(self._variables(only)))
        start_up = self._next_shell(variables)
        for name, source, variable, order in self._waiting:
            if variable in start_up:
                self._set(name, source, start_up[variable], order)
        if only is not None:
            self._here.add(only.id)  # it was asked for: what everybody may read concerns it
        for client in all_clients():
            programs = client.raw.get("programs", ())
            if any(_on_path(program, self._machine) for program in programs):
                self._here.add(client.id)
            for path, started in self._started:
                if started.program in programs:
                    self._started_with(client, path, started)
        for number, (entry, setting) in self._to_choose.items():
            found = self._found[number]
            if entry not in self._chosen.get(found.client, ()):
                self._found[number] = found._replace(unused=(setting, entry))
        unreadable = []
        for (path, _), (error, clients) in self._unreadable.items():
            readers = tuple(each for each in clients if each)
            place = (self._shown(path), error.line, error.column)
            unreadable.append(Unreadable(readers, *place, error.reason, error.detail))
        files = len({path for path, _ in self._files})
        return Evidence(
            tuple(self._found), tuple(variables), tuple(unreadable), tuple(self._closed), frozenset(self._here), files
        )

    def _next_shell(self, variables: list[Variable]) -> dict[str, Variable]:
        """What the next shell of this user has, by name: what its own files say, else those of every session, else
        those of another shell, which may be the one that is used after all."""
        environment = self._machine.environment
        usual = "powershell" if self._machine.system == "windows" else environment.get("SHELL", "").rpartition("/")[2]
        found: dict[str, Variable] = {}
        said = [each for each in variables if each.spot.kind == "shell" and each.literal and each.exported]
        for each in sorted(said, key=lambda one: (one.shell != usual, one.shell != "")):
            found.setdefault(each.name, each)
        return found

    def _merged(self, variables: list[Variable]) -> list[Variable]:
        """A variable of this process that a start-up file sets to the same is shown where it is set."""
        set_in = {(each.name, each.value) for each in variables if each.spot.kind == "shell" and each.exported}
        return [each for each in variables if each.spot.kind != "env" or (each.name, each.value) not in set_in]


def _mode_with(source: Source, environment: Mapping[str, str]) -> str | None:
    """The mode of a variable, which another variable may decide."""
    if source.mode_by_variable is None:
        return source.mode
    return source.mode_by.get(environment.get(source.mode_by_variable, "").strip(), source.mode)


def _ignored(client: Client) -> set[tuple[str, str]]:
    """(kind, name) of the settings that look right and that no mode of the client's current version reads."""
    current = [mode for mode in client.modes if mode.versions[1] is None] or client.modes
    read = {(each["kind"], each["name"]) for mode in current for each in mode.raw.get("settings", ())}
    return {(each["kind"], each["name"]) for mode in current for each in mode.raw.get("ignored", ())} - read


def _patterns(source: Source) -> str:
    return "\n".join(path for paths in source.paths.values() for path in paths)


def _is_there(path: str) -> bool:
    """Whether there is something of this name, be it a link that leads nowhere or in a folder that is closed to us."""
    try:
        os.lstat(path)  # hundreds of paths, nearly all of which are not there
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        return True
    return True


def _text(path: str) -> str:
    """The text of a file. Raises CannotReadError for one that cannot be read, is too large or no text."""
    try:
        kind = Path(path).stat().st_mode
        if not stat.S_ISREG(kind):  # a folder or a pipe in a file's place
            raise CannotReadError("a-folder" if stat.S_ISDIR(kind) else "not-a-plain-file")
        with Path(path).open("rb") as file:
            raw = file.read(LIMIT + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise CannotReadError("link-broken") from None
    except OSError as error:
        reason = "link-broken" if error.errno == errno.ELOOP else "not-permitted"
        raise CannotReadError(reason, detail=error.strerror or "") from None
    return decoded(raw)[0]


def _strictly(settings: Settings, format: Format) -> tuple[Value, ...]:
    """The values of a file, none of a JSON file with comments or a comma too many: a client that reads plain JSON drops
    the whole file (measured: Claude Code 2.1.332). Raises CannotReadError."""
    for note in settings.notes if format == "json" else ():
        if note.reason in _DROPPED_FOR:
            raise CannotReadError(_DROPPED_FOR[note.reason], note.line)
    return settings.values


_DROPPED_FOR = {"json-comment": "json-strict-comment", "json-trailing-comma": "json-strict-comma"}


def _neighbour(values: tuple[Value, ...], at: tuple[str, ...], stars: At, wanted: tuple[str, ...] | None) -> str | None:
    """The text of a neighbour; with `wanted`, only one of these. Its n-th `*` is what the value's n-th stood for, one
    more is any item."""
    rest = iter(stars)
    concrete = tuple(next(rest, "*") if part == "*" else part for part in at)
    for value, _ in find(values, concrete):
        text = str(value.value).lower() if isinstance(value.value, bool) else value.value
        if isinstance(text, str) and (wanted is None or text in wanted):
            return text
    return None


def _state_value(path: str, key: str) -> str | None:
    """A value of an editor's state database, which may be open in that editor. Raises sqlite3.Error."""
    # Without a write-ahead log nobody has it open; SQLite would leave files of its own beside it otherwise.
    at_rest = "" if os.path.exists(path + "-wal") else "&immutable=1"  # noqa: PTH110
    uri = Path(path).absolute().as_uri() + "?mode=ro" + at_rest
    with closing(sqlite3.connect(uri, uri=True, timeout=0.5)) as database:
        database.text_factory = bytes  # what an editor wrote may be no UTF-8
        row = database.execute(
            "SELECT value FROM ItemTable WHERE key = ? AND length(value) < ?", (key, LIMIT)
        ).fetchone()
    if row is None:
        return None
    return row[0].decode("utf-8", "replace") if isinstance(row[0], bytes) else str(row[0])


def _on_path(program: str, machine: Machine) -> bool:
    """Whether a program can be started by its name, with the PATH of the environment."""
    windows = machine.system == "windows"
    endings = (".exe", ".cmd", ".bat", ".ps1", "") if windows else ("",)
    folders = machine.environment.get("PATH", "").split(";" if windows else ":")
    return any(
        os.access(os.path.join(folder, program + ending), os.X_OK)  # noqa: PTH118
        for folder in folders
        if folder
        for ending in endings
    )
