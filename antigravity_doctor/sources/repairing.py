"""From wrong values to changed files: which span of which file becomes what. Plans only; `writing` writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from antigravity_doctor.diagnosis.scanning import Judged, Scan
from antigravity_doctor.sources.client_settings import Machine
from antigravity_doctor.sources.home_paths import without_tilde
from antigravity_doctor.sources.settings_text import (
    LIMIT,
    CannotReadError,
    CannotReplaceError,
    Format,
    decoded,
    encoded,
    read_values,
    replaced,
)
from antigravity_doctor.sources.writing import CannotWriteError, Plan, diff, plan


class Change(NamedTuple):
    """One value that changes: for which client, its key, what it becomes."""

    client: str
    name: str
    new: str


class Repair(NamedTuple):
    """What is to be done to one file. `file` as the user knows it; `diff` with keys masked. `problem` is the key of a
    text (texts/en/settings.json) where it cannot be done; then there is no plan."""

    file: str
    changes: tuple[Change, ...]
    plan: Plan | None = None
    diff: tuple[str, ...] = ()
    problem: str | None = None
    detail: str = ""


def fixable(found: Scan, *, named: bool) -> tuple[Judged, ...]:
    """The values to correct. `named`: the user asked for this one client, so that what is not sure is meant as well."""
    return tuple(
        each
        for client in found.clients
        for each in client.judged
        if each.fixable or (named and each._replace(sure=True).fixable)
    )


def repairs(machine: Machine, values: Iterable[Judged]) -> tuple[Repair, ...]:
    """The plans for these values, a file each. Reads the files, writes nothing."""
    files: dict[str, list[Judged]] = {}
    for each in values:
        if each.found.spot.file is not None:
            files.setdefault(each.found.spot.file, []).append(each)
    return tuple(repair for file, judged in files.items() for repair in _repair(machine, file, judged))


def _repair(machine: Machine, file: str, judged: list[Judged]) -> Iterator[Repair]:
    """What is to be done to a file: one plan for all that clients agree on, and a problem for each value in which they
    do not: it is right for one of them and wrong for the other, whatever it is."""
    places: dict[object, list[Judged]] = {}
    for each in judged:
        places.setdefault(each.found.at, []).append(each)
    agreed = [each[0] for each in places.values() if len({one.fixes[0].base_url for one in each}) == 1]
    if agreed:
        yield _planned(machine, file, agreed)
    for several in places.values():
        if several[0] not in agreed:
            yield Repair(file, tuple(map(_change, several)), problem="clients-differ")


def _change(each: Judged) -> Change:
    return Change(each.found.client, each.found.spot.name, each.fixes[0].base_url)


def _planned(machine: Machine, file: str, judged: list[Judged]) -> Repair:
    changes = tuple(map(_change, judged))
    path = Path(without_tilde(file, machine.home))
    format: Format = judged[0].found.format  # type: ignore[assignment]  # not None: see `Judged.fixable`
    try:
        if not path.is_file():  # a pipe in its place would be waited for
            raise CannotReadError("not-a-plain-file")
        with path.open("rb") as opened:
            before = opened.read(LIMIT + 1)
        text, encoding = decoded(before)
        for each in judged:
            text = _changed(text, each)
        planned = plan(path, before, encoded(text, encoding))
        shown = (f"--- {file}", f"+++ {file}", *diff(planned, format)[2:])
        return Repair(file, changes, planned, shown)
    except OSError as error:
        return Repair(file, changes, problem="not-permitted", detail=error.strerror or "")
    except (CannotReadError, CannotReplaceError, CannotWriteError) as error:
        return Repair(file, changes, problem=error.reason, detail=getattr(error, "detail", ""))


def _changed(text: str, each: Judged) -> str:
    """The text with this one value replaced. Raises CannotReplaceError where it is not there any more as it was
    seen."""
    format: Format = each.found.format  # type: ignore[assignment]  # not None: see `Judged.fixable`
    value = next((one for one in read_values(text, format) if one.at == each.found.at), None)
    if value is None or str(value.value).strip() != each.found.value:
        raise CannotReplaceError("not-this-text")
    return replaced(text, format, value, each.fixes[0].base_url)
