"""From wrong values to changed files: which span of which file becomes what. Plans only; `writing` writes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from antigravity_doctor.diagnosis.scanning import Judged, Scan
from antigravity_doctor.sources.client_settings import Machine
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
    """One value that changes: the client, the key, what it is and what it becomes."""

    client: str
    name: str
    old: str
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


def fixable(found: Scan) -> tuple[Judged, ...]:
    """The values that are wrong or stale, stand in a file that can be changed, and have something to change to."""
    return tuple(
        each
        for client in found.clients
        for each in client.judged
        if each.state in ("wrong", "stale") and each.found.format is not None and each.fixes
    )


def repairs(machine: Machine, values: Iterable[Judged]) -> tuple[Repair, ...]:
    """The plans for these values, a file each. Reads the files, writes nothing."""
    files: dict[str, list[Judged]] = {}
    for each in values:
        if each.found.spot.file is not None:
            files.setdefault(each.found.spot.file, []).append(each)
    return tuple(_repair(machine, file, judged) for file, judged in files.items())


def _repair(machine: Machine, file: str, judged: list[Judged]) -> Repair:
    changes = tuple(
        Change(each.found.client, each.found.spot.name, each.found.value, each.fixes[0].base_url) for each in judged
    )
    path = Path(absolute(machine, file))
    format: Format = judged[0].found.format  # type: ignore[assignment]  # not None: see `fixable`
    try:
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
    format: Format = each.found.format  # type: ignore[assignment]  # not None: see `fixable`
    value = next((one for one in read_values(text, format) if one.at == each.found.at), None)
    if value is None or str(value.value).strip() != each.found.value:
        raise CannotReplaceError("not-this-text")
    return replaced(text, format, value, each.fixes[0].base_url)


def absolute(machine: Machine, shown: str) -> str:
    """The path behind one that is shown with `~`."""
    if shown[:2] in ("~/", "~\\"):
        return machine.home.rstrip("/\\") + shown[1:]
    return shown
