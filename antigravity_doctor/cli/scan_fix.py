"""`scan --fix` and `scan --undo`: show the change, ask, write safely, look again."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

import typer

from antigravity_doctor.cli import options
from antigravity_doctor.cli.errors import Exit, say
from antigravity_doctor.cli.scan import Asked, Scanned, exit_code, scan_machine, show
from antigravity_doctor.reports.paint import Line, render
from antigravity_doctor.reports.scan import diff_lines, note_line, reason_lines, unread_lines
from antigravity_doctor.sources.home_paths import with_tilde
from antigravity_doctor.sources.repairing import Repair, fixable, repairs
from antigravity_doctor.sources.writing import (
    CannotWriteError,
    NotUndone,
    Undone,
    can_be_undone,
    cannot_be_undone,
    journal_path,
    undo,
    undoable,
    write,
)

if TYPE_CHECKING:
    from antigravity_doctor.knowledge.clients import Client
    from antigravity_doctor.sources.client_settings import Machine


def fix_files(machine: Machine, asked: Asked, only: Client | None, found: Scanned, *, yes: bool, dry_run: bool) -> int:
    """Corrects what the scan found wrong in files. Exit code: the scan's afterwards; 2 if one was not written."""
    named = only is not None
    planned = repairs(machine, fixable(found.scan, named=named))
    closed = dict.fromkeys(each for client in found.scan.clients for each in client.unreadable)
    if named or not planned:  # else the report that stands above is enough
        for each in closed:
            _write([[], *unread_lines(each, options.stdout_terminal().width)])
    # What the user asked for by name and could not be looked at is not done.
    failed = len(closed) if named else 0
    if not planned:
        by_hand = any(each.state in ("wrong", "stale") for client in found.scan.clients for each in client.judged)
        by_hand = by_hand or any(each.state == "wrong" for each in found.scan.variables)
        _write(_note("fix-by-hand-only" if by_hand else "fix-nothing-else" if closed else "fix-nothing"))
        return int(Exit.BAD_INPUT if failed else exit_code(found.scan))
    done = 0
    now, run = datetime.now(UTC), token_hex(8)  # of the whole run: by that --undo knows what belongs together
    for repair in planned:
        result = _one(machine, repair, now, run, yes=yes, dry_run=dry_run)
        done += result is True
        failed += result is None
    if done:
        again = scan_machine(machine, asked, only)
        _write(_note("fix-checked"))
        show(again, only, fixing=True)
        found = again
    elif dry_run:
        _write(_note("fix-dry-run"))
    return int(Exit.BAD_INPUT if failed else exit_code(found.scan))


def _one(machine: Machine, repair: Repair, now: datetime, run: str, *, yes: bool, dry_run: bool) -> bool | None:
    """Shows one file's change, asks, writes. True: written, False: not wanted, None: could not be done."""
    width = options.stdout_terminal().width
    file, *others = repair.files
    if repair.plan is None:
        reason = repair.problem or "os-error"
        key, name = ("fix-cannot-value" if repair.part else "fix-cannot"), repair.changes[0].name
        _write([[], *reason_lines(key, reason, width, file=file, name=name, detail=repair.detail)])
        for change in repair.changes:
            _write(note_line("fix-by-hand", width, "", name=change.name, new=change.new, place=change.place))
        return None
    _write(diff_lines(repair.diff, width))
    if others:
        _write(note_line("fix-other-names", width, "", file=file, others=", ".join(others)))
    if dry_run:
        return False
    if not yes and not _agreed("fix-ask", file):
        _write(_note("fix-left", file=file))
        return False
    try:
        written = write(repair.plan, journal=_journal(machine), now=now, run=run)
    except CannotWriteError as error:
        _write(reason_lines("fix-cannot", error.reason, width, file=file, detail=error.detail))
        return None
    _write(note_line("fix-done", width, "good", file=file, backup=_shown(machine, written.backup)))
    if _in_repository(written.backup):
        _write(note_line("fix-in-git", width, "warn", backup=_shown(machine, written.backup)))
    if written.not_kept:
        _write(note_line("fix-not-kept", width, "warn", what=", ".join(written.not_kept)))
    return True


def undo_last(machine: Machine, *, yes: bool, dry_run: bool) -> int:
    """Takes back what was written last: all files of one run. Exit code 2 where one could not be restored."""
    journal = _journal(machine)
    entries = undoable(journal)
    if not entries:
        _write(_note("undo-nothing"))
        return int(Exit.OK)
    runs = {entry.run: [each for each in entries if each.run == entry.run] for entry in entries}
    # A run of which nothing can be taken back any more (a folder that was removed) does not stand before an older one.
    newest = next((run for run, several in runs.items() if any(map(can_be_undone, several))), entries[0].run)
    width = options.stdout_terminal().width
    failed = False
    for entry in runs[newest]:
        file, backup = _shown(machine, entry.path), _shown(machine, entry.backup)
        result: Undone | NotUndone | None = cannot_be_undone(entry)  # nothing is promised or asked that will not be
        if result is None:
            when = entry.at.astimezone().strftime("%Y-%m-%d %H:%M")
            _write([[], *note_line("undo-what", width, "", file=file, when=when, backup=backup)])
            if dry_run:
                continue
            if not yes and not _agreed("undo-ask", file):
                _write(_note("fix-left", file=file))
                continue
            result = undo(entry, journal=journal)
        else:
            _write([[]])
        if isinstance(result, NotUndone):
            failed = True
            _write(reason_lines("undo-cannot", result.reason, width, file=file, detail=result.detail, backup=backup))
        else:
            _write(note_line("undo-done", width, "good", file=file))
    if dry_run:
        _write(_note("fix-dry-run"))
    return int(Exit.BAD_INPUT if failed else Exit.OK)


_INTERRUPTED = 130
"""The exit code of what Ctrl-C has ended, as shells have it."""


def _agreed(key: str, file: str) -> bool:
    """Asks on stderr, and reads a line. No answer is a no. Ctrl-C ends the command."""
    from antigravity_doctor.knowledge.texts import room_phrase

    sys.stdout.flush()
    sys.stderr.write(room_phrase("scan", key, {"file": options.printable_input(file)}) + " ")
    sys.stderr.flush()
    try:
        answer = sys.stdin.readline()
    except KeyboardInterrupt:
        say("nothing more was written.")
        raise typer.Exit(_INTERRUPTED) from None
    return answer.strip().lower() in ("y", "yes")


def _in_repository(file: Path) -> bool:
    """Whether a file lies in a Git repository, from which it could be published by accident."""
    return any((folder / ".git").exists() for folder in file.parents)


def _journal(machine: Machine) -> Path:
    return journal_path({**os.environ, "HOME": machine.home}, sys.platform)


def _shown(machine: Machine, path: Path) -> str:
    return with_tilde(str(path), machine.home)


def _note(key: str, **facts: str) -> list[Line]:
    return [[], *note_line(key, options.stdout_terminal().width, "", **facts)]


def _write(lines: Iterable[Line]) -> None:
    options.write(render(lines, options.stdout_terminal()))
