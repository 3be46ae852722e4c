"""The safe write of a settings file, and its undo.

A file is only ever replaced as a whole, by a complete and synced one, in one step of the file system (`os.replace`), so
whoever reads it, or switches the machine off, finds the old bytes or the new ones. Before that step there is a backup
beside the file and an entry in the journal; tests/sources/test_writing.py kills the process before each single
operation and looks.

Bytes in, bytes out: what to write is decided elsewhere (`settings_text.replaced`). The keys of `reason` have their
sentences in knowledge/texts/en/settings.json.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets as chance
import stat
import sys
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from difflib import SequenceMatcher
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from antigravity_doctor.diagnosis.secrets import MASK, redact
from antigravity_doctor.sources.settings_text import (
    LIMIT,
    At,
    CannotReadError,
    Format,
    Value,
    decoded,
    read,
    read_values,
)

WAIT = 5.0
"""Seconds to wait for another agdoctor that is writing."""

CONTEXT = 3
"""Unchanged lines shown around a change."""

WIDEST = 240
"""Characters of a line that a diff shows; settings that were written by a program can be one line of a megabyte."""

NO_NEWLINE = "\\ No newline at end of file"
"""What a diff says below a last line that does not end; every program that applies diffs knows it by its backslash."""

_MOST_COMPARED = 1000
"""Changed lines that are compared with each other where lines were added or taken away; more are shown as one block."""

_STALE = 600.0
"""Seconds after which a temporary file is nobody's, whatever process has its number now."""

_JOURNAL_LIMIT = 4 * 1024 * 1024
"""Bytes of the journal that are read, from its end; an entry has about 600."""


class CannotWriteError(Exception):
    """Nothing was changed. `path` is the file it is about; `detail` is the system's own word for it, or ""."""

    def __init__(self, reason: str, path: Path, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path
        self.detail = detail


class ChangedError(CannotWriteError):
    """The file is not any more what the plan was made for; somebody else has written it. Nothing was changed."""

    def __init__(self, path: Path) -> None:
        super().__init__("changed-meanwhile", path)


class Signature(NamedTuple):
    """What a file is, beside its bytes: permission bits, owner and group as numbers (0 on Windows), its inode."""

    mode: int
    owner: int
    group: int
    inode: int


class Plan(NamedTuple):
    """One file, what it holds and what it is to hold. `path` is as the user knows it, `real` with links followed."""

    path: Path
    real: Path
    before: bytes
    after: bytes
    signature: Signature


class Written(NamedTuple):
    """A write that was done. `not_kept`: what the new file could not take over from the old ("group",
    "xattr user.comment", ...); nearly always empty."""

    id: str
    path: Path
    real: Path
    backup: Path
    not_kept: tuple[str, ...]


class Entry(NamedTuple):
    """A write in the journal. The hashes are SHA-256 in hex of the file before and after; `run` is the same for all
    writes that are undone together."""

    id: str
    run: str
    at: datetime
    path: Path
    real: Path
    backup: Path
    mode: int
    before: str
    after: str


class Undone(NamedTuple):
    """The file is again what it was before `entry`. `not_kept` as for `Written`."""

    entry: Entry
    not_kept: tuple[str, ...]


class NotUndone(NamedTuple):
    """Nothing was changed. The bytes from before are in `entry.backup`, unless the reason says otherwise."""

    entry: Entry
    reason: str
    detail: str = ""


# --- the plan --------------------------------------------------------------------------------------------------------


def plan(path: Path, before: bytes, after: bytes) -> Plan:
    """Checks that this file can be replaced. Raises CannotWriteError, and ChangedError where it is not `before`.

    Refused, because a replacement would not be what the user expects: a file without write permission (also for root:
    somebody meant it), a file of another user (but for root), a file with other hard links (they would keep the old
    bytes), and everything that is no plain file.
    """
    if before == after:
        raise CannotWriteError("nothing-to-change", path)
    if len(after) > LIMIT:
        raise CannotWriteError("too-large", path)
    real, found = _looked_at(path)
    if _read(real) != before:
        raise ChangedError(path)
    return Plan(path, real, before, after, _signature(found))


def _looked_at(path: Path) -> tuple[Path, os.stat_result]:
    """The file behind a path. Raises CannotWriteError where it is none that could be replaced."""
    try:
        real = Path(os.path.realpath(path, strict=True))
        found = os.stat(real)  # noqa: PTH116 - every operation on files goes through os here, so that tests can count
    except (OSError, ValueError) as error:
        raise _error(error, path) from None
    if stat.S_ISDIR(found.st_mode):
        raise CannotWriteError("a-folder", path)
    if not stat.S_ISREG(found.st_mode):
        raise CannotWriteError("not-a-plain-file", path)
    if not found.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        raise CannotWriteError("write-protected", path)
    if found.st_nlink > 1:
        raise CannotWriteError("hard-linked", path)
    if _posix() and os.geteuid() not in (0, found.st_uid):
        raise CannotWriteError("other-owner", path)
    if not os.access(real, os.W_OK):
        raise CannotWriteError("write-protected", path)
    if not os.access(real.parent, os.W_OK):
        raise CannotWriteError("folder-write-protected", path)
    return real, found


def _signature(found: os.stat_result) -> Signature:
    return Signature(stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid, found.st_ino)


def _posix() -> bool:
    return os.name == "posix"


_REASONS = {
    errno.ENOENT: "gone",
    errno.ENOTDIR: "gone",
    errno.ELOOP: "links-in-a-circle",
    errno.EACCES: "not-permitted",
    errno.EPERM: "not-permitted",
    errno.EROFS: "read-only-file-system",
    errno.ENOSPC: "disk-full",
    errno.EDQUOT: "disk-full",
    errno.EFBIG: "disk-full",
    errno.EBUSY: "mounted",
    errno.ENAMETOOLONG: "name-too-long",
}


def _error(error: Exception, path: Path, in_use: bool = False) -> CannotWriteError:
    """`in_use`: the file itself was to be replaced, which Windows refuses while a program has it open."""
    number = error.errno if isinstance(error, OSError) else None
    if in_use and not _posix() and isinstance(error, PermissionError):
        return CannotWriteError("in-use", path)
    detail = (os.strerror(number) if number else "") or type(error).__name__
    return CannotWriteError(_REASONS.get(number or 0, "os-error"), path, detail)


# --- what would change -----------------------------------------------------------------------------------------------


def diff(plan: Plan, format: Format | None = None) -> list[str]:
    """The change as a unified diff without a header's dates: lines without their ends, keys masked.

    Masked is what `redact` knows, user information and values of queries in URLs; with `format` also every text under a
    key that is named like a secret, every variable and header that is set for somebody else (plain URLs are shown), and
    in a .env file what lies between. The values that change are shown, whatever they are called, unless it is a secret.
    Long lines are cut to the part that changes. Control characters are still in: whoever prints takes them out.
    Where nothing is masked or cut, `patch` makes the new file of the old one with it.
    """
    before, after = _ended(plan.before), _ended(plan.after)
    changing = _changing(plan, format)
    old, new = _Shown(plan.before, format, changing), _Shown(plan.after, format, changing)
    name = str(plan.path)
    lines = [f"--- {name}", f"+++ {name}"]
    for hunk in _hunks(before, after):
        (head, _, new_head, _), (_, tail, _, new_tail) = hunk[0], hunk[-1]
        head, new_head = max(0, head - CONTEXT), max(0, new_head - CONTEXT)
        tail, new_tail = min(len(before), tail + CONTEXT), min(len(after), new_tail + CONTEXT)
        lines.append(f"@@ -{_range(head, tail)} +{_range(new_head, new_tail)} @@")
        here = head
        for first, end, new_first, new_end in hunk:
            lines += _marked(" ", old.lines(here, first), before[here:first])
            taken, given = old.lines(first, end), new.lines(new_first, new_end)
            spots = [_differ(*pair) for pair in zip(taken, given, strict=True)] if len(taken) == len(given) else []
            lines += _marked("-", taken, before[first:end], spots)
            lines += _marked("+", given, after[new_first:new_end], spots)
            here = end
        lines += _marked(" ", old.lines(here, tail), before[here:tail])
    return lines


def _marked(sign: str, shown: Sequence[str], lines: Sequence[_Line], spots: Sequence[int] = ()) -> Iterator[str]:
    """Lines of a diff. `spots`: where in each line the interesting part begins."""
    for number, (text, line) in enumerate(zip(shown, lines, strict=True)):
        yield sign + _cut(text, spots[number] if spots else 0)
        if not line.ends:
            yield NO_NEWLINE


class _Line(NamedTuple):
    """`ends`: with a line end, which the last one of a file may not have."""

    text: str
    ends: bool


_Span = tuple[int, int, int, int]
"""First line and end of what changes, before and after."""


def _ended(raw: bytes) -> list[_Line]:
    *lines, last = _lines(raw)
    return [_Line(each, True) for each in lines] + ([_Line(last, False)] if last else [])


def _lines(raw: bytes) -> list[str]:
    """The lines; behind the end of the last one there is an empty one more."""
    try:
        text, _ = decoded(raw)
    except CannotReadError:
        text = raw.decode("utf-8", "replace")
    return _split(text)


def _split(text: str) -> list[str]:
    return re.split(r"\r\n?|\n", text)


def _hunks(before: Sequence[_Line], after: Sequence[_Line]) -> list[list[_Span]]:
    """What changes; changes with little between them are in one hunk, and what is between them is in none."""
    hunks: list[list[_Span]] = []
    for change in _changes(before, after):
        if hunks and change[0] - hunks[-1][-1][1] <= 2 * CONTEXT:
            hunks[-1].append(change)
        else:
            hunks.append([change])
    return hunks


def _changes(before: Sequence[_Line], after: Sequence[_Line]) -> Iterator[_Span]:
    head = 0
    while head < min(len(before), len(after)) and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < min(len(before), len(after)) - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    end, new_end = len(before) - tail, len(after) - tail
    if len(before) == len(after):  # the usual case: values became others, line by line
        for same, numbers in groupby(range(head, end), key=lambda number: before[number] == after[number]):
            if not same:
                changed = list(numbers)
                yield changed[0], changed[-1] + 1, changed[0], changed[-1] + 1
    elif max(end, new_end) - head > _MOST_COMPARED:
        yield head, end, head, new_end
    else:
        matcher = SequenceMatcher(None, before[head:end], after[head:new_end])
        for kind, *place in matcher.get_opcodes():
            if kind != "equal":
                yield place[0] + head, place[1] + head, place[2] + head, place[3] + head


def _range(head: int, tail: int) -> str:
    """Lines as a diff counts them; none at all are counted from the line in front of them."""
    if tail == head:
        return f"{head},0"
    return f"{head + 1},{tail - head}" if tail - head != 1 else f"{head + 1}"


def _differ(old: str, new: str) -> int:
    """Where two lines begin to differ."""
    return next((n for n, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), 0)


def _cut(line: str, spot: int) -> str:
    """At most WIDEST characters of a line, those around the spot."""
    if len(line) <= WIDEST:
        return line
    first = max(0, min(spot - WIDEST // 3, len(line) - WIDEST))
    return ("…" if first else "") + line[first : first + WIDEST] + ("…" if first + WIDEST < len(line) else "")


_SECRET_NAME = re.compile(r"(?i)key|token|secret|passw|passphrase|credential|auth|bearer|cookie|private")
_URL = re.compile(r"(?i)https?://")


class _Shown:
    """A text as it may be shown: the same lines, without what is secret. `changing`: the paths of the values that the
    change is about, which are shown wherever they stand."""

    def __init__(self, raw: bytes, format: Format | None, changing: Set[At] = frozenset()) -> None:
        self._keys: set[str] = set()
        self._lines = _lines(raw)
        if format is None:
            return
        try:
            text, _ = decoded(raw)
            settings = read(text, format)
        except CannotReadError:
            return
        between = _beside_dotenv if format == "dotenv" else _as_it_is
        if any(each.reason == "duplicate-key" for each in settings.notes) and format != "dotenv":
            between = _beside_duplicates
        pieces, here, last = [], 0, None
        for each in sorted(settings.values, key=lambda each: each.start):
            if each.start < here:
                continue
            written = text[each.start : each.end]
            shown = self._shown(each, written, format, each.at in changing)
            if shown != written:
                shown += "\n" * (len(_split(written)) - len(_split(shown)))
            pieces += [between(text[here : each.start], last, written), shown]
            here, last = each.end, written
        self._lines = _split("".join(pieces) + between(text[here:], last, None))

    def _shown(self, each: Value, written: str, format: Format, changes: bool) -> str:
        """What stands for one value."""
        if not isinstance(each.value, str) or not each.value or _is_plain_url(each.value):
            return written
        quote = written[0] if written[0] in "\"'`" else ""
        masked = quote + MASK + quote
        if any(isinstance(part, str) and _SECRET_NAME.search(part) for part in each.at):
            if changes and _URL.match(each.value):
                return _without_credentials(written)
            if len(each.value) >= 8:
                self._keys.add(each.value)  # it may also stand in a comment
            return masked
        if changes:
            return _without_credentials(written)
        return masked if format == "dotenv" or _in_environment(each.at) else written

    def lines(self, first: int, end: int) -> list[str]:
        from antigravity_doctor.diagnosis.anonymising import bare_urls

        found = []
        for line in self._lines[first:end]:
            for key in self._keys:
                line = line.replace(key, MASK)  # before anything is cut out of the middle of it
            found.append(redact(bare_urls(line)))
        return found


def _changing(plan: Plan, format: Format | None) -> Set[At]:
    """The paths of the values that are not the same before and after."""
    if format is None:
        return frozenset()
    try:
        before, after = (
            {each.at: each.value for each in read_values(decoded(raw)[0], format)} for raw in (plan.before, plan.after)
        )
    except CannotReadError:
        return frozenset()
    return {at for at, value in before.items() if at in after and after[at] != value}


_PLAIN_URL = re.compile(r"(?i)[a-z][a-z0-9+.-]*://[^\s@]+")


def _is_plain_url(value: str) -> bool:
    """Whether a value is a URL and nothing else, and nobody's name or password stands in it."""
    return _PLAIN_URL.fullmatch(value) is not None


def _in_environment(at: At) -> bool:
    """Whether a value is a variable or a header for somebody else; of a list of them the names may be shown."""
    if len(at) > 1 and at[-1] == "name" and isinstance(at[-2], int):
        return False
    return any(_ENVIRONMENT.search(part) for part in at if isinstance(part, str))


_ENVIRONMENT = re.compile(r"(?i)(?:^|[._-])(?:env(?:s|[_-]?vars?)?|environment(?:[_-]?variables)?)(?:[._]|$)|headers?$")


def _without_credentials(written: str) -> str:
    """A written value without user information and values of a query, also where its scheme is missing."""
    from antigravity_doctor.diagnosis.anonymising import bare_urls

    bare = bare_urls(written)
    if "://" not in bare:
        bare = re.sub(r"^([\"'`]?)[^\s/\"'`]+@", rf"\g<1>{MASK}@", bare)
    return re.sub(r"([?&][^=&\s\"'`]*=)[^&\s\"'`]+", rf"\g<1>{MASK}", bare)


# What stands between the values; the same number of lines comes out. `last` and `follows` are the values in front of it
# and behind it, as they are written.


def _as_it_is(text: str, last: str | None, follows: str | None) -> str:
    return text


def _beside_duplicates(text: str, last: str | None, follows: str | None) -> str:
    """Of a key that is there twice the reader gives the last: the earlier value is among what is left."""
    return re.sub(
        r"\\.|(\"(?:[^\"\\\r\n]|\\.)*+\"|'[^'\r\n]*+')(\s*+[:=])?",
        lambda found: found[0] if not found[1] or found[2] or _is_plain_url(found[1][1:-1]) else f'"{MASK}"',
        text,
    )


_ASSIGNED = re.compile(r"(\s*(?:#\s*)*(?:export\s+)?[A-Za-z_][\w.-]*\s*=\s*)(.+)")
_TELLING = re.compile(r"(?i)key|token|secret|pass|pw|credential|auth")


_USUAL_NAME = re.compile(r"\s*(?:export\s+)?[A-Z_][A-Z0-9_]*\s*=\s*")


def _beside_dotenv(text: str, last: str | None, follows: str | None) -> str:
    """Comments without what may be a key, and nothing of the lines that are none, such as the rest of a value of
    several lines without quotes; its last one may end with `=`, and look like a name."""
    parts = re.split(r"(\r\n?|\n)", text)
    goes_over = last is not None and (
        last.startswith("-----BEGIN") or (last[:1] in ('"', "'") and last[-1:] != last[0])
    )
    for number in range(0, len(parts), 2):
        line = parts[number]
        if follows is not None and number == len(parts) - 1:
            if goes_over and (follows in ("", "=") or not _USUAL_NAME.fullmatch(line)):
                parts[number] = MASK + "="
        elif line.strip():
            parts[number] = _beside_dotenv_line(line)
            goes_over = goes_over or parts[number] == MASK
    return "".join(parts)


def _beside_dotenv_line(line: str) -> str:
    assigned = _ASSIGNED.fullmatch(line)
    if assigned:
        value = assigned[2].strip().strip("\"'`")
        return line if _is_plain_url(value) else assigned[1] + MASK
    if line.lstrip().startswith("#"):
        return line[: line.index("#") + 1] + " " + MASK if _TELLING.search(line) else line
    return MASK


# --- the write -------------------------------------------------------------------------------------------------------


def write(plan: Plan, *, journal: Path, now: datetime, run: str | None = None) -> Written:
    """Carries out a plan. `journal` is the folder of `journal_path`; `now` names the backup, in UTC. Writes with the
    same `run` (any text that no other run has) are undone together.

    Raises CannotWriteError, and ChangedError where the file is not what the plan was made for; nothing is changed then,
    and nothing is left behind.
    """
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    with _locked(journal, plan.path):
        _sweep(plan.real)
        _unchanged(plan)
        backup = _backup(plan, stamp)
        number = f"{stamp}-{chance.token_hex(4)}"
        entry = Entry(
            number,
            run or number,
            now.astimezone(UTC).replace(microsecond=0),
            plan.path,
            plan.real,
            backup,
            plan.signature.mode,
            _hash(plan.before),
            _hash(plan.after),
        )
        temporary = None
        try:
            temporary, not_kept = _temporary(plan.real, plan.path, plan.after, plan.signature)
            _note(journal, "write", entry)
            _unchanged(plan)
            _replace(temporary, plan.real, plan.path)
        except BaseException:
            # An interruption can come when the step is done: the temporary file is the file then, and all is kept.
            if temporary is None or os.path.lexists(temporary):
                if temporary is not None:
                    _remove(temporary)
                    with suppress(CannotWriteError):
                        _note(journal, "dropped", entry)
                _remove(backup)
            raise
        return Written(entry.id, plan.path, plan.real, backup, not_kept)


def _unchanged(plan: Plan) -> None:
    """Raises ChangedError unless everything is still as it was when the plan was made."""
    real, found = _looked_at(plan.path)
    if real != plan.real or _signature(found) != plan.signature or _read(real) != plan.before:
        raise ChangedError(plan.path)


def _read(real: Path) -> bytes:
    """The bytes of a file. Raises CannotWriteError; also for a file that has grown beyond all limits."""
    try:
        descriptor = os.open(real, os.O_RDONLY | _FLAGS | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # a pipe would be waited for
                raise CannotWriteError("not-a-plain-file", real)
            raw = file.read(LIMIT + 1)
    except OSError as error:
        raise _error(error, real) from None
    if len(raw) > LIMIT:
        raise CannotWriteError("too-large", real)
    return raw


_FLAGS = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def _hash(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _temporary(real: Path, path: Path, content: bytes, signature: Signature) -> tuple[Path, tuple[str, ...]]:
    """A complete and synced new file beside `real`, with its mode, owner and extended attributes; what it could not
    take over. Leaves nothing behind if it raises."""
    temporary = real.with_name(f".{real.name}.agdoctor-{os.getpid()}-{chance.token_hex(4)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600)
    except OSError as error:
        raise _error(error, path) from None
    try:
        try:
            not_kept = _take_over(descriptor, real, signature) if _posix() else ()
            view = memoryview(content)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if not _posix():
            os.chmod(temporary, signature.mode)  # noqa: PTH101 - as above
    except BaseException as error:
        _remove(temporary)
        if isinstance(error, OSError):
            raise _error(error, path) from None
        raise
    return temporary, not_kept


def _take_over(descriptor: int, real: Path, signature: Signature) -> tuple[str, ...]:
    """Gives a new file the owner, mode and extended attributes (access lists are such, on Linux) of `real`."""
    lost = []
    made = os.fstat(descriptor)
    if made.st_uid != signature.owner:
        os.fchown(descriptor, signature.owner, -1)
    if made.st_gid != signature.group:
        try:
            os.fchown(descriptor, -1, signature.group)
        except OSError:
            lost.append("group")
    if sys.platform == "linux":
        try:
            names = os.listxattr(real)
        except OSError:  # a file system without any
            names = []
        for name in names:
            try:
                value = os.getxattr(real, name)
                os.setxattr(descriptor, name, value)
            except OSError:
                if name != "security.selinux":  # the folder's own rule gives the new file its label
                    lost.append(f"xattr {name}")
    # A group that is not the old one gets no right that was meant for the old one.
    os.fchmod(descriptor, signature.mode & ~0o070 if "group" in lost else signature.mode)
    return tuple(lost)


def _replace(temporary: Path, real: Path, path: Path) -> None:
    try:
        os.replace(temporary, real)  # noqa: PTH105 - as above
    except OSError as error:
        raise _error(error, path, in_use=True) from None
    _sync_folder(real.parent)


def _sync_folder(folder: Path) -> None:
    """Makes names durable. The step itself is done: a file system that cannot sync folders changes nothing of that."""
    if not _posix():
        return
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | _FLAGS)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove(path: Path) -> None:
    with suppress(OSError):
        os.unlink(path)  # noqa: PTH108 - as above


def _backup(plan: Plan, stamp: str) -> Path:
    """A complete copy of the old bytes beside the file, under a name that nothing had before."""
    temporary, _ = _temporary(plan.real, plan.path, plan.before, plan.signature)
    try:
        for number in range(1, 100):
            more = f"-{number}" if number > 1 else ""
            backup = plan.real.with_name(f"{plan.real.name}.agdoctor-{stamp}{more}.bak")
            with suppress(FileExistsError):
                _give_name(temporary, backup, plan)
                _sync_folder(backup.parent)
                return backup
        raise CannotWriteError("too-many-backups", plan.path)
    except OSError as error:
        raise _error(error, plan.path) from None
    finally:
        _remove(temporary)


def _give_name(temporary: Path, backup: Path, plan: Plan) -> None:
    """Moves a complete file to a name that must be free. Raises FileExistsError, OSError."""
    if not _posix():
        os.rename(temporary, backup)  # noqa: PTH104 - fails on Windows where the name is taken
        return
    try:
        os.link(temporary, backup)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        descriptor = os.open(backup, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600)
        try:
            os.close(descriptor)
            os.replace(temporary, backup)  # noqa: PTH105 - the name is ours now
        except BaseException:
            if os.path.lexists(temporary):  # else the step is done, and the backup is whole
                _remove(backup)  # an empty file would pass for one
            raise


_TEMPORARY = r"\.{}\.agdoctor-(\d+)-[0-9a-f]{{8}}\.tmp"


def _sweep(real: Path) -> None:
    """Removes what an agdoctor that was killed while it wrote this file has left."""
    pattern = re.compile(_TEMPORARY.format(re.escape(real.name)))
    with suppress(OSError):
        for name in os.listdir(real.parent):  # noqa: PTH208 - as above
            match = pattern.fullmatch(name)
            left = real.parent / name
            if match and _is_nobodys(left, int(match[1])):
                _remove(left)


def _is_nobodys(left: Path, process: int) -> bool:
    """Whether the process that made a file is over. It may have been that of another container, hence the age."""
    with suppress(OSError):
        if time.time() - os.stat(left).st_mtime > _STALE:  # noqa: PTH116 - as above
            return True
    if not _posix() or process == os.getpid():
        return True  # Windows does not let an open file be removed
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


# --- the journal -----------------------------------------------------------------------------------------------------


def journal_path(environment: Mapping[str, str], platform: str) -> Path:
    """The folder in which agdoctor notes what it has written; `platform` as sys.platform."""
    home = environment.get("HOME") or environment.get("USERPROFILE")
    base = Path(home) if home else Path.home()
    if platform == "win32":
        local = environment.get("LOCALAPPDATA")
        return (Path(local) if local else base / "AppData" / "Local") / "agdoctor"
    if platform == "darwin":
        return base / "Library" / "Application Support" / "agdoctor"
    state = environment.get("XDG_STATE_HOME", "")
    # the specification wants an absolute path, and any other ignored
    return (Path(state) if state.startswith("/") else base / ".local" / "state") / "agdoctor"


@contextmanager
def _locked(journal: Path, path: Path) -> Iterator[None]:
    """Holds the journal's lock, which the system takes back from a process that dies. Raises CannotWriteError."""
    try:
        _make_journal(journal)
        descriptor = os.open(journal / "lock", os.O_RDWR | os.O_CREAT | _FLAGS, 0o600)
        _give_to_owner(descriptor, journal)
    except OSError as error:
        raise CannotWriteError("no-journal", path, _error(error, path).detail) from None
    try:
        end = time.monotonic() + WAIT
        while not _lock(descriptor):
            if time.monotonic() > end:
                raise CannotWriteError("another-is-writing", path)
            time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


def _make_journal(journal: Path) -> None:
    """Makes the folder. Under sudo it belongs to whom the folder around it belongs to, who will want to undo."""
    missing = [each for each in (journal, *journal.parents) if not os.path.lexists(each)]
    os.makedirs(journal, mode=0o700, exist_ok=True)  # noqa: PTH103 - as above
    if _posix() and os.geteuid() == 0 and missing:
        around = os.stat(missing[-1].parent)  # noqa: PTH116 - as above
        for each in missing:
            with suppress(OSError):
                os.chown(each, around.st_uid, around.st_gid)


def _give_to_owner(descriptor: int, journal: Path) -> None:
    """Under sudo: a file of the journal belongs to whom its folder belongs to."""
    if _posix() and os.geteuid() == 0:
        with suppress(OSError):
            owner = os.stat(journal)  # noqa: PTH116 - as above
            if os.fstat(descriptor).st_uid != owner.st_uid:
                os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _lock(descriptor: int) -> bool:
    """Whether the lock is ours now. A file system that knows no locks is no reason not to write."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
    return True


def _note(journal: Path, what: str, entry: Entry) -> None:
    """Adds one line to the journal, for good. Raises CannotWriteError."""
    line = json.dumps(
        {
            "what": what,
            "id": entry.id,
            "run": entry.run,
            "at": entry.at.isoformat(),
            "path": str(entry.path),
            "real": str(entry.real),
            "backup": str(entry.backup),
            "mode": entry.mode,
            "before": entry.before,
            "after": entry.after,
        }
    )
    try:
        file = journal / "journal.jsonl"
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | _FLAGS, 0o600)
        _give_to_owner(descriptor, journal)
        try:
            size = os.lseek(descriptor, 0, os.SEEK_END)
            if size:
                os.lseek(descriptor, size - 1, os.SEEK_SET)
                if os.read(descriptor, 1) != b"\n":  # somebody was killed in the middle of a line
                    line = "\n" + line
            view = memoryview((line + "\n").encode("ascii"))
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if not size:
            _sync_folder(journal)
    except OSError as error:
        raise CannotWriteError("no-journal", entry.path, _error(error, entry.path).detail) from None


def undoable(journal: Path) -> list[Entry]:
    """The writes that were not undone yet and have something to undo, newest first. Never raises.

    A write that never came to be, or whose file is already what it was before, is not among them; one whose file was
    changed since is, and `undo` says so.
    """
    entries: dict[str, Entry] = {}
    try:
        descriptor = os.open(journal / "journal.jsonl", os.O_RDONLY | _FLAGS)
        with os.fdopen(descriptor, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _JOURNAL_LIMIT))
            lines = file.read(_JOURNAL_LIMIT).split(b"\n")
    except OSError:
        return []
    for line in lines:
        with suppress(ValueError, KeyError, TypeError, RecursionError, OverflowError):
            noted = json.loads(line)
            entry = _entry(noted)
            if noted["what"] == "write":
                entries[entry.id] = entry
            elif noted["what"] in ("undone", "dropped"):
                entries.pop(entry.id, None)
    return [each for each in reversed(entries.values()) if _hash_of(each.real) != each.before]


def can_be_undone(entry: Entry) -> bool:
    """Whether the file still is what was written. (Something else may be in the way: `cannot_be_undone`.)"""
    return _hash_of(entry.real) == entry.after


def cannot_be_undone(entry: Entry) -> NotUndone | None:
    """Why an undo would be refused as things are now; None where nothing is in its way. Looks only."""
    try:
        before = _before(entry)
    except CannotWriteError as error:
        return NotUndone(entry, error.reason, error.detail)
    return before if isinstance(before, NotUndone) else None


def _entry(noted: Any) -> Entry:
    """A line of the journal. Raises ValueError, KeyError, TypeError for one that is none."""
    texts = [noted[name] for name in ("id", "path", "real", "backup", "before", "after")]
    if not all(isinstance(each, str) for each in texts) or not isinstance(noted["mode"], int):
        raise TypeError
    name, path, real, backup, before, after = texts
    at = datetime.fromisoformat(noted["at"])
    # Earlier versions noted no run: what was written in one second was one.
    run = str(noted.get("run") or at.isoformat())
    return Entry(name, run, at, Path(path), Path(real), Path(backup), noted["mode"] & 0o7777, before, after)


def _hash_of(file: Path) -> str | None:
    try:
        return _hash(_read(file))
    except (CannotWriteError, ValueError):
        return None


# --- the undo --------------------------------------------------------------------------------------------------------


def undo(entry: Entry, *, journal: Path) -> Undone | NotUndone:
    """Brings back the bytes from before a write, if the file still is what was written; the backup is removed then,
    since the file is it. Its mode is the one from before, without what the file was denied since. As atomic as
    `write`. Never raises for what a file system can do."""
    try:
        with _locked(journal, entry.path):
            return _undo(entry, journal)
    except CannotWriteError as error:
        return NotUndone(entry, error.reason, error.detail)


def _before(entry: Entry) -> tuple[os.stat_result, bytes] | NotUndone:
    """The file as it is now and the bytes that it had before, or why they cannot be brought back. Raises
    CannotWriteError for a file that cannot be replaced."""
    try:
        real, found = _looked_at(entry.real)
        now = _hash(_read(real))
    except CannotWriteError as error:
        if error.reason == "gone" and _hash_of(entry.backup) == entry.before:
            return NotUndone(entry, "gone-since")  # where its content is can be said at least
        raise
    if now == entry.before and real == entry.real:
        return NotUndone(entry, "already-undone")
    try:
        old = _read(entry.backup)
    except CannotWriteError:
        return NotUndone(entry, "backup-gone")
    if _hash(old) != entry.before:
        return NotUndone(entry, "backup-changed")
    if now != entry.after or real != entry.real:  # or a link has taken the file's place
        return NotUndone(entry, "changed-since")
    return found, old


def _undo(entry: Entry, journal: Path) -> Undone | NotUndone:
    real = entry.real
    _sweep(real)
    before = _before(entry)
    if isinstance(before, NotUndone):
        return before
    found, old = before
    # No right that the file has lost since is given back: somebody has closed it, or it has another group now.
    mode = entry.mode & stat.S_IMODE(found.st_mode)
    temporary, not_kept = _temporary(real, entry.path, old, _signature(found)._replace(mode=mode))
    try:
        _note(journal, "undo", entry)
        if _hash(_read(real)) != entry.after:
            raise ChangedError(entry.path)
        _replace(temporary, real, entry.path)
    except BaseException:
        _remove(temporary)
        raise
    with suppress(CannotWriteError):  # it is undone all the same, and the file shows it
        _note(journal, "undone", entry)
    _remove(entry.backup)
    return Undone(entry, not_kept)
