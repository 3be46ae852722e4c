"""From wrong values to changed files: which span of which file becomes what. Plans only; `writing` writes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from antigravity_doctor.diagnosis.scanning import Scan, Spot
from antigravity_doctor.sources.client_settings import Machine
from antigravity_doctor.sources.home_paths import without_tilde
from antigravity_doctor.sources.settings_text import (
    LIMIT,
    At,
    CannotReadError,
    CannotReplaceError,
    Format,
    Value,
    decoded,
    encoded,
    read_values,
    replaced,
)
from antigravity_doctor.sources.writing import CannotWriteError, Plan, diff, plan


class Wrong(NamedTuple):
    """One value to correct: where it stands, what it is and what it becomes."""

    spot: Spot
    value: str
    new: str
    format: Format
    at: At

    @property
    def file(self) -> str:
        """The file as the user knows it."""
        return self.spot.file or ""


class Change(NamedTuple):
    """One value that changes: its key, what it becomes, and `file:line:column` before that."""

    name: str
    new: str
    place: str


class Repair(NamedTuple):
    """What is to be done to one file. `files`: the names of it that the user knows, which links can make more than one;
    `diff` with keys masked. `problem` is the key of a text (texts/en/settings.json) where it cannot be done; then there
    is no plan. `part`: the problem is that of one value, and says nothing of the rest of the file."""

    files: tuple[str, ...]
    changes: tuple[Change, ...]
    plan: Plan | None = None
    diff: tuple[str, ...] = ()
    problem: str | None = None
    detail: str = ""
    part: bool = False


def fixable(found: Scan, *, named: bool) -> tuple[Wrong, ...]:
    """The values to correct. `named`: the user asked for this one client, so that what is not sure is meant as well."""
    of_clients = (
        _wrong(each.found.spot, each.found.value, each.fixes[0].base_url, each.found.format, each.found.at)
        for client in found.clients
        for each in client.judged
        if each.fixable or (named and each._replace(sure=True).fixable)
    )
    of_everybody = (
        _wrong(each.variable.spot, each.variable.value, each.fixes[0].base_url, each.variable.format, each.variable.at)
        for each in found.variables
        if each.fixable or (named and each._replace(sure=True).fixable)
    )
    return (*of_clients, *of_everybody)


def _wrong(spot: Spot, value: str, new: str, format: str | None, at: At) -> Wrong:
    known: Format = format  # type: ignore[assignment]  # not None: see `fixable`
    return Wrong(spot, value, new, known, at)


def repairs(machine: Machine, values: Iterable[Wrong]) -> tuple[Repair, ...]:
    """The plans for these values, a file each, whatever links lead to it. Reads the files, writes nothing."""
    files: dict[str, list[Wrong]] = {}
    for each in values:
        if each.file:
            files.setdefault(os.path.realpath(without_tilde(each.file, machine.home)), []).append(each)
    return tuple(repair for wrong in files.values() for repair in _repair(machine, wrong))


def _repair(machine: Machine, wrong: list[Wrong]) -> Iterator[Repair]:
    """What is to be done to a file: one plan for all that can be done, and a problem for each value that is left: of
    two clients that read it each wants another one, or it cannot be replaced where it stands."""
    files = tuple(dict.fromkeys(each.file for each in wrong))
    path = Path(without_tilde(files[0], machine.home))
    done: list[Wrong] = []
    left: list[Repair] = []
    problem = detail = ""
    try:
        before = _bytes(path)
        text, encoding = decoded(before)
        for several in _places(wrong):
            try:
                if len({each.new for each in several}) > 1:
                    raise CannotReplaceError("clients-differ")
                text = _changed(text, several[0])
            except CannotReplaceError as error:
                left.append(Repair(files, _changes(several), problem=error.reason, part=True))
            else:
                done.append(several[0])
        if done:
            planned = plan(path, before, encoded(text, encoding))
            shown = (f"--- {files[0]}", f"+++ {files[0]}", *diff(planned, done[0].format)[2:])
            yield Repair(files, _changes(done), planned, shown)
    except OSError as error:
        problem, detail = "not-permitted", error.strerror or ""
    except (CannotReadError, CannotWriteError) as error:
        problem, detail = error.reason, error.detail
    if problem:
        yield Repair(files, _changes(done or wrong), problem=problem, detail=detail)
    yield from left


def _bytes(path: Path) -> bytes:
    """Raises CannotReadError, OSError."""
    if not path.is_file():  # a pipe in its place would be waited for
        raise CannotReadError("not-a-plain-file")
    with path.open("rb") as opened:
        return opened.read(LIMIT + 1)


def _places(wrong: list[Wrong]) -> list[list[Wrong]]:
    """Who has something to say of the same value."""
    places: dict[At, list[Wrong]] = {}
    for each in wrong:
        places.setdefault(each.at, []).append(each)
    return list(places.values())


def _find(text: str, each: Wrong) -> Value | None:
    """The value in the text; None where it is not there as it was seen. Raises CannotReadError."""
    for one in read_values(text, each.format):
        if one.at == each.at and str(one.value).strip() == each.value:
            return one
    return None


def _changes(wrong: list[Wrong]) -> tuple[Change, ...]:
    """What is wanted; a value of a file with two names once."""
    changes: dict[object, Change] = {}
    for each in wrong:
        changes.setdefault((each.spot.name, each.spot.line, each.spot.column, each.new), _change(each))
    return tuple(changes.values())


def _change(each: Wrong) -> Change:
    numbers = "".join(f":{number}" for number in (each.spot.line, each.spot.column) if number is not None)
    return Change(each.spot.name, each.new, each.file + numbers)


def _changed(text: str, each: Wrong) -> str:
    """The text with this one value replaced. Raises CannotReplaceError where it is not there any more as it was
    seen."""
    value = _find(text, each)
    if value is None:
        raise CannotReplaceError("not-this-text")
    return replaced(text, each.format, value, each.new)
