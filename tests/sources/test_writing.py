"""A settings file is replaced whole or not at all, whatever happens, and can be had back."""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from antigravity_doctor.knowledge.files import load_json
from antigravity_doctor.sources import writing
from antigravity_doctor.sources.settings_text import LIMIT
from antigravity_doctor.sources.writing import (
    CannotWriteError,
    ChangedError,
    Entry,
    NotUndone,
    Plan,
    Undone,
    Written,
    cannot_be_undone,
    diff,
    journal_path,
    plan,
    undo,
    undoable,
    write,
)
from tests.support import killing

NOW = datetime(2026, 11, 22, 11, 11, 12, tzinfo=timezone(timedelta(hours=1)))
OLD, NEW = b'{"u": "http://h/v1"}\r\n', b'{"u": "http://h"}\r\n'
POSIX = pytest.mark.skipif(os.name != "posix", reason="permissions of Unix")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "home" / "settings.json"
    path.parent.mkdir()
    path.write_bytes(OLD)
    return path


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "state" / "agdoctor"


def names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def refusal(path: Path, before: bytes = OLD, after: bytes = NEW) -> CannotWriteError:
    with pytest.raises(CannotWriteError) as refused:
        plan(path, before, after)
    return refused.value


# --- a write ---------------------------------------------------------------------------------------------------------


def test_a_write_changes_the_file_and_leaves_a_backup_and_an_entry(file: Path, journal: Path) -> None:
    written = write(plan(file, OLD, NEW), journal=journal, now=NOW)
    assert file.read_bytes() == NEW
    assert written.backup == file.with_name("settings.json.agdoctor-20261122T101112Z.bak")
    assert written.backup.read_bytes() == OLD
    assert names(file.parent) == {"settings.json", written.backup.name}
    (entry,) = undoable(journal)
    assert (entry.id, entry.path, entry.backup) == (written.id, file, written.backup)
    assert entry.at == datetime(2026, 11, 22, 10, 11, 12, tzinfo=UTC)
    assert written.not_kept == ()


def test_nothing_of_the_files_content_goes_into_the_journal(file: Path, journal: Path) -> None:
    write(plan(file, OLD, NEW), journal=journal, now=NOW)
    assert names(journal) == {"journal.jsonl", "lock"}
    assert "http" not in (journal / "journal.jsonl").read_text(encoding="utf-8")


@POSIX
def test_the_journal_is_for_its_user_only(file: Path, journal: Path) -> None:
    write(plan(file, OLD, NEW), journal=journal, now=NOW)
    assert stat.S_IMODE(journal.stat().st_mode) == 0o700
    assert stat.S_IMODE((journal / "journal.jsonl").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content",
    [b"", b"a\r\nb\r\n", b"\xef\xbb\xbf{}", b"\xff\xfe{\0}\0", bytes(range(256)) * 100, b"x" * LIMIT],
    ids=["empty", "crlf", "bom", "utf-16", "binary", "8 MB"],
)
def test_bytes_are_written_as_they_are(file: Path, journal: Path, content: bytes) -> None:
    write(plan(file, OLD, content), journal=journal, now=NOW)
    assert file.read_bytes() == content
    (entry,) = undoable(journal)
    assert isinstance(undo(entry, journal=journal), Undone)
    assert file.read_bytes() == OLD


@POSIX
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o200, 0o755])
def test_the_mode_is_kept_by_file_and_backup_and_brought_back(file: Path, journal: Path, mode: int) -> None:
    if mode == 0o200 and os.geteuid() != 0:
        pytest.skip("only root reads what nobody may read")
    file.chmod(mode)
    old_umask = os.umask(0o077)
    try:
        written = write(plan(file, OLD, NEW), journal=journal, now=NOW)
        assert stat.S_IMODE(file.stat().st_mode) == stat.S_IMODE(written.backup.stat().st_mode) == mode
        undo(undoable(journal)[0], journal=journal)
    finally:
        os.umask(old_umask)
    assert stat.S_IMODE(file.stat().st_mode) == mode


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="extended attributes of Linux")
def test_extended_attributes_are_kept(file: Path, journal: Path) -> None:
    try:
        os.setxattr(file, "user.note", b"mine")
    except OSError:
        pytest.skip("this file system has none")
    written = write(plan(file, OLD, NEW), journal=journal, now=NOW)
    assert os.getxattr(file, "user.note") == os.getxattr(written.backup, "user.note") == b"mine"


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="extended attributes of Linux")
def test_an_attribute_that_cannot_be_kept_is_said(file: Path, journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "listxattr", lambda _: ["user.lost", "security.selinux"])
    assert write(plan(file, OLD, NEW), journal=journal, now=NOW).not_kept == ("xattr user.lost",)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")
def test_root_leaves_a_file_to_its_owner(file: Path, journal: Path) -> None:
    os.chown(file, 12345, 23456)
    written = write(plan(file, OLD, NEW), journal=journal, now=NOW)
    for each in (file, written.backup):
        assert (each.stat().st_uid, each.stat().st_gid) == (12345, 23456)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")
def test_rights_of_a_group_that_cannot_be_kept_go_to_no_other_group(
    file: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chown(file, -1, 23456)
    file.chmod(0o660)

    def refuse(descriptor: int, owner: int, group: int) -> None:
        raise PermissionError(1, "no")

    monkeypatch.setattr(os, "fchown", refuse)
    assert write(plan(file, OLD, NEW), journal=journal, now=NOW).not_kept == ("group",)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@POSIX
def test_a_link_stays_a_link_and_its_file_is_written(file: Path, journal: Path, tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to(file)
    link = tmp_path / "two"
    link.symlink_to("one")
    made = plan(link, OLD, NEW)
    assert (made.path, made.real) == (link, file)
    write(made, journal=journal, now=NOW)
    assert link.is_symlink()
    assert file.read_bytes() == NEW
    assert names(tmp_path) == {"home", "state", "one", "two"}
    assert isinstance(undo(undoable(journal)[0], journal=journal), Undone)
    assert link.is_symlink()
    assert file.read_bytes() == OLD


def test_a_backup_never_takes_the_place_of_another(file: Path, journal: Path) -> None:
    taken = file.with_name("settings.json.agdoctor-20261122T101112Z.bak")
    taken.write_bytes(b"of somebody")
    first = write(plan(file, OLD, NEW), journal=journal, now=NOW)
    second = write(plan(file, NEW, OLD), journal=journal, now=NOW)
    assert taken.read_bytes() == b"of somebody"
    assert first.backup.name.endswith("Z-2.bak")
    assert second.backup.name.endswith("Z-3.bak")
    assert (first.backup.read_bytes(), second.backup.read_bytes()) == (OLD, NEW)


@POSIX
def test_a_backup_is_made_where_there_are_no_hard_links(
    file: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    written = write(plan(file, OLD, NEW), journal=journal, now=NOW)
    assert written.backup.read_bytes() == OLD
    assert names(file.parent) == {"settings.json", written.backup.name}
    again = write(plan(file, NEW, OLD), journal=journal, now=NOW)
    assert again.backup.name.endswith("Z-2.bak")


@POSIX
def test_where_there_are_no_hard_links_a_failing_backup_leaves_no_empty_one(
    file: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(CannotWriteError):
        write(plan(file, OLD, NEW), journal=journal, now=NOW)
    assert names(file.parent) == {"settings.json"}


# --- what is refused before anything is touched ----------------------------------------------------------------------


def test_a_file_that_is_something_else_by_now_is_refused(file: Path) -> None:
    assert isinstance(refusal(file, before=b"other"), ChangedError)


def test_what_is_no_file_to_replace_is_refused(file: Path, tmp_path: Path) -> None:
    assert refusal(tmp_path / "nothing").reason == "gone"
    assert refusal(file / "below").reason == "gone"
    assert refusal(tmp_path).reason == "a-folder"
    assert refusal(file, after=OLD).reason == "nothing-to-change"
    assert refusal(file, after=b"x" * (LIMIT + 1)).reason == "too-large"
    assert refusal(tmp_path / ("x" * 300)).reason == "name-too-long"
    assert refusal(Path("a\0b")).reason == "os-error"


@POSIX
def test_what_only_looks_like_a_file_is_refused(file: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe").reason == "not-a-plain-file"
    assert refusal(Path("/dev/null")).reason == "not-a-plain-file"
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert refusal(tmp_path / "a").reason == "links-in-a-circle"
    (tmp_path / "dangling").symlink_to("nowhere")
    assert refusal(tmp_path / "dangling").reason == "gone"


@POSIX
def test_a_file_with_a_second_name_is_refused(file: Path, tmp_path: Path) -> None:
    os.link(file, tmp_path / "second")
    assert refusal(file).reason == "hard-linked"


def test_a_protected_file_is_refused_even_to_root(file: Path) -> None:
    file.chmod(0o444)
    assert refusal(file).reason == "write-protected"


def test_a_huge_file_is_not_read(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(10 * LIMIT)
    assert refusal(file).reason == "too-large"


AS_NOBODY = """
import os, sys
from pathlib import Path
from antigravity_doctor.sources import settings_text, writing
folder = Path(sys.argv[1])
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
def reason(path):
    try:
        return writing.plan(path, b"old", b"new").reason
    except writing.CannotWriteError as error:
        return error.reason
print(reason(folder / "closed" / "f"), reason(folder / "unreadable"), reason(folder / "foreign"))
"""


@POSIX
def test_what_the_user_may_not_write_is_refused() -> None:
    """Root may do everything, so another user looks."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:  # tmp_path is closed to other users
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "closed").mkdir()
        if os.geteuid() == 0:
            os.chown(folder, 65534, 65534)
        files = {folder / "closed" / "f": 0o644, folder / "unreadable": 0o200, folder / "foreign": 0o666}
        for each, mode in files.items():
            each.write_bytes(b"old")
            each.chmod(mode)
            if os.geteuid() == 0 and each.name != "foreign":
                os.chown(each, 65534, 65534)
        (folder / "closed").chmod(0o555)
        run = subprocess.run([sys.executable, "-c", AS_NOBODY, name], capture_output=True, text=True, check=False)
        (folder / "closed").chmod(0o755)
    assert run.returncode == 0, run.stderr
    closed, unreadable, foreign = run.stdout.split()
    assert closed == "folder-write-protected"
    assert unreadable == "not-permitted"
    if os.geteuid() == 0:
        assert foreign == "other-owner"


# --- what goes wrong on the way --------------------------------------------------------------------------------------


def test_a_change_between_plan_and_write_is_not_overwritten(file: Path, journal: Path) -> None:
    made = plan(file, OLD, NEW)
    file.write_bytes(b"by the client")
    with pytest.raises(ChangedError):
        write(made, journal=journal, now=NOW)
    assert file.read_bytes() == b"by the client"
    assert names(file.parent) == {"settings.json"}
    assert undoable(journal) == []


@pytest.mark.parametrize("how", ["in place", "replaced", "removed", "linked"])
def test_a_change_in_the_last_moment_is_not_overwritten(
    file: Path, journal: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Another program saves after everything is prepared."""
    note = writing._note

    def meddle(folder: Path, what: str, entry: Entry) -> None:
        note(folder, what, entry)
        if what != "write":
            return
        if how == "in place":
            file.write_bytes(b"theirs")
        elif how == "removed":
            file.unlink()
        else:
            other = file.with_name("other")
            other.write_bytes(OLD if how == "linked" else b"theirs")
            if how == "linked":
                file.unlink()
                file.symlink_to(other)
            else:
                other.replace(file)

    monkeypatch.setattr(writing, "_note", meddle)
    with pytest.raises(CannotWriteError) as refused:
        write(plan(file, OLD, NEW), journal=journal, now=NOW)
    assert refused.value.reason == ("gone" if how == "removed" else "changed-meanwhile")
    assert not [each for each in names(file.parent) if "agdoctor" in each]
    assert NEW not in [each.read_bytes() for each in file.parent.iterdir()]
    monkeypatch.undo()
    assert undoable(journal) == []


@pytest.mark.parametrize("name", ["open", "write", "fsync", "replace"])
@pytest.mark.parametrize("number", range(1, 7))
def test_any_failing_operation_leaves_the_file_as_it_was(
    file: Path, journal: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    made, real, count = plan(file, OLD, NEW), getattr(os, name), 0

    def fail(*args: Any, **more: Any) -> Any:
        nonlocal count
        count += 1
        if count == number:
            raise OSError(5, "Input/output error")
        return real(*args, **more)

    monkeypatch.setattr(os, name, fail)
    error = None
    try:
        write(made, journal=journal, now=NOW)
    except CannotWriteError as raised:
        error = raised
    monkeypatch.undo()
    if error is None:  # fewer operations than that, or one that does not matter: the sync of a folder
        assert file.read_bytes() == NEW
        assert len(undoable(journal)) == 1
        assert count < number or name in ("open", "fsync")
    else:
        assert error.reason in ("os-error", "no-journal")
        assert error.detail
        assert file.read_bytes() == OLD
        assert names(file.parent) == {"settings.json"}
        assert undoable(journal) == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_interruption_leaves_no_state_in_between(
    file: Path, journal: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    real = os.replace

    def interrupted(*args: Any) -> None:
        if when == "after":
            real(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(plan(file, OLD, NEW), journal=journal, now=NOW)
    monkeypatch.undo()
    if when == "before":
        assert file.read_bytes() == OLD
        assert names(file.parent) == {"settings.json"}
        assert undoable(journal) == []
    else:
        assert file.read_bytes() == NEW
        assert isinstance(undo(undoable(journal)[0], journal=journal), Undone)
        assert file.read_bytes() == OLD


FULL = """
import resource, sys
from datetime import datetime, UTC
from pathlib import Path
from antigravity_doctor.sources import settings_text
from antigravity_doctor.sources.writing import CannotWriteError, plan, undoable, write
file, journal = Path(sys.argv[1]), Path(sys.argv[2])
made = plan(file, file.read_bytes(), b"n" * int(sys.argv[3]))
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write(made, journal=journal, now=datetime(2026, 11, 22, tzinfo=UTC))
except CannotWriteError as error:
    print(error.reason, "/", error.detail)
"""


@POSIX
@pytest.mark.parametrize(
    ("old", "new", "noted", "reason"),
    [(8000, 10, 0, "disk-full"), (10, 8000, 0, "disk-full"), (10, 20, 4000, "no-journal")],
    ids=["in the backup", "in the new file", "in the journal"],
)
def test_a_full_disk_leaves_the_file_as_it_was(
    file: Path, journal: Path, old: int, new: int, noted: int, reason: str
) -> None:
    file.write_bytes(b"o" * old)
    journal.mkdir(parents=True)
    (journal / "journal.jsonl").write_bytes(b" " * noted)
    run = subprocess.run(
        [sys.executable, "-c", FULL, str(file), str(journal), str(new)], capture_output=True, text=True, check=False
    )
    assert run.stdout.startswith(f"{reason} / File too large"), run.stderr
    assert file.read_bytes() == b"o" * old
    assert names(file.parent) == {"settings.json"}
    assert undoable(journal) == []


def test_without_a_journal_nothing_is_written(file: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_bytes(b"a file where a folder is needed")
    with pytest.raises(CannotWriteError) as refused:
        write(plan(file, OLD, NEW), journal=blocked / "agdoctor", now=NOW)
    assert (refused.value.reason, refused.value.path) == ("no-journal", file)
    assert file.read_bytes() == OLD
    assert names(file.parent) == {"settings.json"}


@pytest.mark.parametrize(
    ("number", "reason"),
    [(16, "mounted"), (30, "read-only-file-system"), (28, "disk-full"), (13, "not-permitted"), (5, "os-error")],
)
@POSIX
def test_the_reason_why_a_file_cannot_be_replaced_is_told(
    file: Path, journal: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(CannotWriteError) as refused:
        write(plan(file, OLD, NEW), journal=journal, now=NOW)
    assert (refused.value.reason, refused.value.detail) == (reason, os.strerror(number))
    assert file.read_bytes() == OLD


def test_on_windows_an_open_file_is_left_alone(file: Path, journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There, replacing a file that a program has open is refused; and there is no owner and no folder to sync."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Access is denied")

    def absent(*_: object) -> None:
        raise AssertionError("Windows does not have this")

    monkeypatch.setattr(writing, "_posix", lambda: False)
    for name in ("fchmod", "fchown", "link", "geteuid", "kill"):
        monkeypatch.setattr(os, name, absent, raising=False)
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(CannotWriteError) as refused:
        write(plan(file, OLD, NEW), journal=journal, now=NOW)
    assert refused.value.reason == "in-use"
    assert file.read_bytes() == OLD
    assert names(file.parent) == {"settings.json"}


def test_on_windows_a_write_and_its_undo_do_without_what_is_not_there(
    file: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_posix", lambda: False)
    for name in ("fchmod", "fchown", "link", "geteuid", "kill"):
        monkeypatch.delattr(os, name, raising=False)  # os.kill would send Ctrl+C there
    left = file.with_name(".settings.json.agdoctor-999999999-01234567.tmp")
    left.write_bytes(b"")
    written = write(plan(file, OLD, NEW), journal=journal, now=NOW)
    assert (file.read_bytes(), written.backup.read_bytes()) == (NEW, OLD)
    assert not left.exists()
    assert isinstance(undo(undoable(journal)[0], journal=journal), Undone)
    assert file.read_bytes() == OLD


# --- killed ----------------------------------------------------------------------------------------------------------


def killed(tmp_path: Path, action: str, how: str) -> Iterator[dict[str, Any]]:
    run = subprocess.run(
        [sys.executable, "-m", "tests.support.killing", str(tmp_path), action, how],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    yield from (json.loads(line) for line in run.stdout.splitlines())


@POSIX
@pytest.mark.parametrize("how", ["whole", "half"])
@pytest.mark.parametrize("action", ["write", "undo"])
def test_killed_before_any_operation_the_file_is_the_old_one_or_the_new_one(
    tmp_path: Path, action: str, how: str
) -> None:
    before, after = killing.BEFORE.decode(), killing.AFTER.decode()
    start, end = (before, after) if action == "write" else (after, before)
    states = list(killed(tmp_path, action, how))
    *interrupted, whole = states
    assert all(each["killed"] for each in interrupted)
    assert whole["status"] == 0
    assert {"open", "write", "fsync", "link" if action == "write" else "read", "replace", "unlink"} <= {
        each["at"] for each in interrupted
    }
    # first the one, then the other, and nothing else in between
    files = [each["file"] for each in states]
    turn = files.index(end)
    assert files == [start] * turn + [end] * (len(files) - turn)
    assert interrupted[turn - 1]["at"] == "replace"
    for each in states:
        assert each["mode"] == 0o640
        assert each["link"]
        # the backup is whole or is not there
        assert set(each["backups"]) <= {before}
        left = [name for name in each["names"] if name != "settings.json" and not name.endswith(".bak")]
        assert all(re.fullmatch(r"\.settings\.json\.agdoctor-\d+-[0-9a-f]{8}\.tmp", name) for name in left)
        # what is new can be undone, what is old needs no undo, and the next one is not held up
        assert each["undoable"] == (each["file"] == after)
        assert each["recovered"] == ("Undone" if each["file"] == after else "Written")
        assert each["after"] == (before if each["file"] == after else killing.LATER.decode())
        assert not [name for name in each["names_after"] if name.endswith(".tmp")]
        assert each["seconds"] < writing.WAIT


def test_what_another_agdoctor_is_about_to_write_is_not_swept_away(file: Path, journal: Path) -> None:
    """A temporary file of a living process stays; so does everything that is only named alike."""
    alive = file.with_name(f".settings.json.agdoctor-{os.getppid()}-01234567.tmp")
    others = [
        file.with_name(".settings.json.agdoctor-999999999-01234567.tmp.txt"),
        file.with_name(".other.json.agdoctor-999999999-01234567.tmp"),
        file.with_name("settings.json.agdoctor-20200101T000000Z.bak"),
    ]
    dead = file.with_name(".settings.json.agdoctor-999999999-01234567.tmp")
    for each in (alive, dead, *others):
        each.write_bytes(b"")
    write(plan(file, OLD, NEW), journal=journal, now=NOW)
    assert all(each.exists() for each in others)
    assert not dead.exists()
    if os.name == "posix":
        assert alive.exists()
        os.utime(alive, (time.time() - 3600, time.time() - 3600))  # not of an agdoctor that is still writing
        write(plan(file, NEW, OLD), journal=journal, now=NOW)
        assert not alive.exists()


# --- two at once -----------------------------------------------------------------------------------------------------

HOLD = """
import sys, time
from pathlib import Path
from antigravity_doctor.sources import writing
with writing._locked(Path(sys.argv[1]), Path("x")):
    print("held", flush=True)
    time.sleep(60)
"""


def holding(journal: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(journal)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_while_another_agdoctor_writes_this_one_waits_and_then_gives_up(
    file: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "WAIT", 0.2)
    with holding(journal) as holder:
        with pytest.raises(CannotWriteError) as refused:
            write(plan(file, OLD, NEW), journal=journal, now=NOW)
        holder.kill()
    assert refused.value.reason == "another-is-writing"
    assert file.read_bytes() == OLD


def test_the_lock_of_one_that_was_killed_holds_up_nobody(file: Path, journal: Path) -> None:
    with holding(journal) as holder:
        holder.kill()
    write(plan(file, OLD, NEW), journal=journal, now=NOW)
    assert file.read_bytes() == NEW


@POSIX
def test_a_disk_that_knows_no_locks_is_written_to(file: Path, journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def refuse(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    write(plan(file, OLD, NEW), journal=journal, now=NOW)
    assert file.read_bytes() == NEW


# --- undo ------------------------------------------------------------------------------------------------------------


def written_twice(file: Path, journal: Path) -> tuple[Written, Written]:
    first = write(plan(file, OLD, NEW), journal=journal, now=NOW)
    return first, write(plan(file, NEW, b"third"), journal=journal, now=NOW + timedelta(seconds=5))


def test_writes_are_undone_newest_first(file: Path, journal: Path) -> None:
    first, second = written_twice(file, journal)
    entries = undoable(journal)
    assert [each.id for each in entries] == [second.id, first.id]
    assert undo(entries[0], journal=journal) == Undone(entries[0], ())
    assert file.read_bytes() == NEW
    assert [each.id for each in undoable(journal)] == [first.id]
    undo(entries[1], journal=journal)
    assert file.read_bytes() == OLD
    assert undoable(journal) == []
    assert names(file.parent) == {"settings.json"}


def test_an_older_write_is_not_undone_over_a_newer_one(file: Path, journal: Path) -> None:
    first, _ = written_twice(file, journal)
    entry = undoable(journal)[1]
    assert undo(entry, journal=journal) == NotUndone(entry, "changed-since")
    assert file.read_bytes() == b"third"
    assert first.backup.read_bytes() == OLD


def test_a_file_that_was_changed_since_is_left_alone_and_the_backup_stays(file: Path, journal: Path) -> None:
    written = write(plan(file, OLD, NEW), journal=journal, now=NOW)
    file.write_bytes(NEW + b" ")
    (entry,) = undoable(journal)
    assert undo(entry, journal=journal) == NotUndone(entry, "changed-since")
    assert file.read_bytes() == NEW + b" "
    assert entry.backup == written.backup
    assert written.backup.read_bytes() == OLD


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda file, backup: backup.unlink(), "backup-gone"),
        (lambda file, backup: backup.write_bytes(b"forged"), "backup-changed"),
        (lambda file, backup: file.unlink(), "gone-since"),
        (lambda file, backup: (file.unlink(), backup.unlink()), "gone"),
        (lambda file, backup: file.write_bytes(b"x"), "changed-since"),
        (lambda file, backup: (file.write_bytes(b"x"), backup.unlink()), "backup-gone"),
        (lambda file, backup: file.write_bytes(OLD), "already-undone"),
        (lambda file, backup: file.chmod(0o444), "write-protected"),
    ],
)
def test_an_undo_that_cannot_be_says_why(file: Path, journal: Path, damage: Any, reason: str) -> None:
    written = write(plan(file, OLD, NEW), journal=journal, now=NOW)
    (entry,) = undoable(journal)
    assert cannot_be_undone(entry) is None
    damage(file, written.backup)
    before = file.read_bytes() if file.exists() else None
    expected = cannot_be_undone(entry)
    result = undo(entry, journal=journal)
    assert result == expected
    assert isinstance(result, NotUndone)
    assert result.reason == reason
    assert (file.read_bytes() if file.exists() else None) == before


@POSIX
def test_a_link_that_took_the_files_place_is_left_alone(file: Path, journal: Path, tmp_path: Path) -> None:
    write(plan(file, OLD, NEW), journal=journal, now=NOW)
    (entry,) = undoable(journal)
    file.replace(tmp_path / "moved")
    file.symlink_to(tmp_path / "moved")
    assert undo(entry, journal=journal) == NotUndone(entry, "changed-since")
    assert (tmp_path / "moved").read_bytes() == NEW


def test_what_belongs_together_is_what_one_run_wrote(file: Path, journal: Path) -> None:
    for text, run in ((b"1", "a"), (b"2", "b"), (b"3", "b")):
        write(plan(file, file.read_bytes(), text), journal=journal, now=NOW, run=run)
    assert [each.run for each in undoable(journal)] == ["b", "b", "a"]


def test_a_write_of_no_run_is_one_by_itself(file: Path, journal: Path) -> None:
    write(plan(file, OLD, NEW), journal=journal, now=NOW)
    write(plan(file, NEW, b"3"), journal=journal, now=NOW)
    assert len({each.run for each in undoable(journal)}) == 2


def test_in_a_journal_of_an_earlier_version_one_second_is_one_run(file: Path, journal: Path) -> None:
    for number, text in enumerate((b"1", b"2", b"3")):
        write(plan(file, file.read_bytes(), text), journal=journal, now=NOW + timedelta(seconds=number // 2))
    place = journal / "journal.jsonl"
    noted = [json.loads(line) for line in place.read_text(encoding="utf-8").splitlines()]
    for each in noted:
        del each["run"]
    place.write_text("".join(json.dumps(each) + "\n" for each in noted), encoding="utf-8")
    third, second, first = undoable(journal)
    assert first.run == second.run != third.run
    assert isinstance(undo(third, journal=journal), Undone)


def test_a_write_that_somebody_else_took_back_needs_no_undo(file: Path, journal: Path) -> None:
    write(plan(file, OLD, NEW), journal=journal, now=NOW)
    file.write_bytes(OLD)
    assert undoable(journal) == []


@pytest.mark.parametrize(
    "rubbish",
    [
        b"not json\n", b'{"what": "write"}\n', b"[]\n", b"null\n", b'{"what": "write", "id": "x', b"\xff\xfe\n",
        b'{"what": "write", "id": 1, "at": "x", "path": [], "real": {}, "backup": 0, "mode": "7", "before": 1}\n',
        b"[" * 100_000 + b"\n", b"\n\n\n",
    ],
)  # fmt: skip
def test_a_damaged_journal_loses_only_what_is_damaged(file: Path, journal: Path, rubbish: bytes) -> None:
    first = write(plan(file, OLD, NEW), journal=journal, now=NOW)
    with (journal / "journal.jsonl").open("ab") as opened:
        opened.write(rubbish)
    second = write(plan(file, NEW, b"third"), journal=journal, now=NOW)
    assert [each.id for each in undoable(journal)] == [second.id, first.id]


def test_without_a_journal_there_is_nothing_to_undo(tmp_path: Path) -> None:
    assert undoable(tmp_path / "nothing") == []


def test_of_a_huge_journal_the_end_is_read(file: Path, journal: Path) -> None:
    journal.mkdir(parents=True)
    (journal / "journal.jsonl").write_bytes(b'{"what": "old"}\n' * 700_000)
    written = write(plan(file, OLD, NEW), journal=journal, now=NOW)
    assert [each.id for each in undoable(journal)] == [written.id]


@pytest.mark.parametrize(
    ("platform", "environment", "path"),
    [
        ("linux", {"HOME": "/home/me"}, "/home/me/.local/state/agdoctor"),
        ("linux", {"HOME": "/home/me", "XDG_STATE_HOME": "/s"}, "/s/agdoctor"),
        ("linux", {"HOME": "/home/me", "XDG_STATE_HOME": "relative"}, "/home/me/.local/state/agdoctor"),
        ("linux", {"HOME": "/home/me", "XDG_STATE_HOME": ""}, "/home/me/.local/state/agdoctor"),
        ("darwin", {"HOME": "/Users/me", "XDG_STATE_HOME": "/s"}, "/Users/me/Library/Application Support/agdoctor"),
        ("win32", {"USERPROFILE": "C:/Users/me", "LOCALAPPDATA": "D:/Local"}, "D:/Local/agdoctor"),
        ("win32", {"USERPROFILE": "C:/Users/me"}, "C:/Users/me/AppData/Local/agdoctor"),
    ],
)
def test_the_journal_lies_where_the_system_wants_it(platform: str, environment: dict[str, str], path: str) -> None:
    assert journal_path(environment, platform).as_posix() == path


# --- the diff --------------------------------------------------------------------------------------------------------


def planned(before: str, after: str) -> Plan:
    path = Path("/home/me/settings.json")
    return Plan(path, path, before.encode(), after.encode(), writing.Signature(0o600, 0, 0, 1))


def test_a_diff_shows_the_change_and_three_lines_around() -> None:
    before = "\r\n".join(str(number) for number in range(1, 21))
    after = before.replace("10", "ten")
    assert diff(planned(before, after)) == [
        "--- /home/me/settings.json",
        "+++ /home/me/settings.json",
        "@@ -7,7 +7,7 @@",
        " 7", " 8", " 9", "-10", "+ten", " 11", " 12", " 13",
    ]  # fmt: skip


LINES = [str(number) for number in range(1, 41)]


def changed(*numbers: int) -> str:
    return "\n".join("new" if number in numbers else str(number) for number in range(1, 41)) + "\n"


def applied(before: str, made: list[str], folder: Path) -> str:
    """What `patch` makes of a file with a diff; it must need no guess."""
    (folder / "f").write_bytes(before.encode())
    given = ("\n".join(made) + "\n").encode()
    run = subprocess.run(["patch", "--fuzz=0", "f"], cwd=folder, input=given, capture_output=True, check=False)
    assert run.returncode == 0, run
    assert b"offset" not in run.stdout
    return (folder / "f").read_bytes().decode() if (folder / "f").exists() else ""  # patch removes what is empty


@pytest.mark.skipif(shutil.which("patch") is None, reason="no patch on this machine")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\nb\nc", "a\nc"), ("x", ""), ("", "x\ny"), ("a\na", "a\na\na"), ("a\nb", "c\nd"), ("x\n", ""),
        ("x", "x\n"), ("a\nb\n", "a\nc\n"), ("a\nb", "a\nc"), ("a\nb", "c\nb"), ("\n", "x"), ("\n\n", "\n"),
        ("a\n\nb\n", "a\n\nc\n"), (changed(), changed(1, 40)), (changed(), changed(2, 9, 16)),
        (changed(), changed(2, 8, 16)[:-1]), (changed(20), changed(3, 20, 30) + "more"), (changed(5), changed(6)[4:]),
        ("x\n" * 3000, "y\n" * 2999),
    ],
)  # fmt: skip
def test_with_a_diff_patch_makes_the_new_file_of_the_old_one(tmp_path: Path, before: str, after: str) -> None:
    assert applied(before, diff(planned(before, after)), tmp_path) == after
    assert applied(after, diff(planned(after, before)), tmp_path) == before


@pytest.mark.parametrize("numbers", [(5,), (5, 6), (5, 10), (5, 12), (5, 13), (1, 40), (3, 5, 7, 30)])
@pytest.mark.parametrize("end", ["\n", ""])
def test_a_diff_is_the_one_that_everybody_makes(numbers: tuple[int, ...], end: str) -> None:
    before, after = "\n".join(LINES) + end, changed(*numbers).removesuffix("\n") + end
    usual = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="")
    made = [each for each in diff(planned(before, after)) if each != writing.NO_NEWLINE]
    assert made[2:] == list(usual)[2:]


def test_unchanged_lines_between_two_changes_stay_what_they_are() -> None:
    made = diff(planned(changed(), changed(10, 15)))
    assert [each for each in made[3:] if each[0] in "-+"] == ["-10", "+new", "-15", "+new"]


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("a\nb\n", "a\nc\n", ["@@ -1,2 +1,2 @@", " a", "-b", "+c"]),
        ("a\nb", "a\nc", ["@@ -1,2 +1,2 @@", " a", "-b", writing.NO_NEWLINE, "+c", writing.NO_NEWLINE]),
        ("a\nb", "c\nb", ["@@ -1,2 +1,2 @@", "-a", "+c", " b", writing.NO_NEWLINE]),
        ("b", "b\n", ["@@ -1 +1 @@", "-b", writing.NO_NEWLINE, "+b"]),
        ("", "b\n", ["@@ -0,0 +1 @@", "+b"]),
    ],
)  # fmt: skip
def test_how_a_file_ends_is_said_as_patch_wants_it(before: str, after: str, shown: list[str]) -> None:
    assert diff(planned(before, after))[2:] == shown


def test_two_changes_among_added_lines_are_found_apart() -> None:
    """As where a value of several lines becomes one of one line."""
    before = "a: |\n  x\n  y\nb: 1\nc: 2\nd: old\n"
    made = diff(planned(before, "a: x\nb: 1\nc: 2\nd: new\n"))
    assert made[3:] == ["-a: |", "-  x", "-  y", "+a: x", " b: 1", " c: 2", "-d: old", "+d: new"]


def test_changes_near_each_other_are_one_hunk_and_far_ones_are_two() -> None:
    lines = [str(number) for number in range(40)]
    near, far = list(lines), list(lines)
    near[5], near[10] = far[5], far[30] = "x", "y"
    text = "\n".join(lines)
    assert sum(each.startswith("@@") for each in diff(planned(text, "\n".join(near)))) == 1
    assert sum(each.startswith("@@") for each in diff(planned(text, "\n".join(far)))) == 2


SECRET = "Zq93-not-of-any-known-shape"


@pytest.mark.parametrize(
    ("format", "text"),
    [
        ("json", '{{\n "apiKey": "{}",\n "u": "{}"\n}}'),
        ("json", '{{"env": {{"GITHUB_TOKEN":\n\n"{}"}},\n "u": "{}"}}'),
        ("json", '{{"apiKeys": ["x", "{}"], "u": "{}"}}'),
        ("json", '{{"headers": {{"Authorization": "{}"}}, "u": "{}"}}'),
        ("jsonc", '{{"auth": {{"value": "{}"}}, // comment\n "u": "{}"}}'),
        ("toml", "bearer = '{}'\nu = \"{}\""),
        ("toml", 'http_headers = {{ "X-Secret" = """\n{}""" }}\nu = "{}"'),
        ("yaml", "master_key: {}\nu: {}"),
        ("yaml", "password: >-\n  {}\nu: {}"),
        ("yaml", "x: &k {}\napi_key: *k\nu: {}"),
        ("dotenv", "WEBUI_SECRET={}\nU={}"),
        ("dotenv", "export API_KEY = '{}' # c\nU={}"),
        ("json", '{{\n// was {0}\n "apiKey": "{0}",\n "u": "{1}"\n}}'),
    ],
)
def test_a_diff_shows_no_secret(format: Any, text: str) -> None:
    before, after = text.format(SECRET, "http://h:1/v1"), text.format(SECRET, "http://h:1")
    shown = "\n".join(diff(planned(before, after), format))
    assert SECRET not in shown
    assert "***" in shown
    assert "http://h:1/v1" in shown


@pytest.mark.parametrize(
    "line",
    ['  "apiKey": "{}"', "OPENAI_API_KEY={}", 'api_key = "{}"', "Authorization: Bearer {}", "api_key: {}"],
)
def test_keys_are_masked_even_in_a_file_that_does_not_parse(line: str) -> None:
    secret = "sk-0123456789abcdef"
    text = "{\n" + line.format(secret) + "\n"
    shown = "\n".join(diff(planned(text + "old", text + "new"), "json"))
    assert "+new" in shown
    assert secret not in shown


def test_the_number_of_lines_stays_when_a_secret_of_several_is_masked() -> None:
    text = "KEY='one\ntwo\nthree'\nA=1\nU={}\n"
    shown = diff(planned(text.format("x"), text.format("y")), "dotenv")
    assert shown[2:] == ["@@ -2,4 +2,4 @@", " ", " ", " A=***", "-U=x", "+U=y"]


BESIDE = "Zq93 of no shape"


@pytest.mark.parametrize(
    ("format", "text"),
    [
        ("dotenv", "PLAIN={}\nU={}"),
        ("dotenv", "export PLAIN='{}'\nU={}"),
        ("dotenv", "DB=postgres://bob:{}@h/x\nU={}"),
        ("dotenv", "# my password: {}\nU={}"),
        ("dotenv", "# the Token is {}\nU={}"),
        ("dotenv", "# pw {}\nU={}"),
        ("dotenv", "#OLD={}\nU={}"),
        ("dotenv", "P=http://h # key {}\nU={}"),
        ("dotenv", "PEM=-----BEGIN X-----\n{}\n-----END X-----\nU={}"),
        ("dotenv", 'PEM="-----BEGIN X-----\n{}\nQUFB==\nU={}'),
        ("dotenv", "A={}\nA=2\nU={}"),
        ("json", '{{"env": {{"PLAIN": "{}"}},\n "u": "{}"}}'),
        ("json", '{{"mcp": {{"environment": {{"a": ["{}"]}}}},\n "u": "{}"}}'),
        ("json", '{{"headers": {{"X-Plain": "{}"}},\n "u": "{}"}}'),
        ("json", '{{"requestOptions": {{"extra_headers": {{"a": "{}"}}}},\n "u": "{}"}}'),
        ("json", '{{"customHeaders": [{{"name": "X", "value": "{}"}}],\n "u": "{}"}}'),
        ("jsonc", '{{"terminal.integrated.env.linux": {{"a": "{}"}}, // c\n "u": "{}"}}'),
        ("json", '{{"env": {{"A": "http://bob:{}@h"}},\n "u": "{}"}}'),
        ("json", '{{"a": "{}", "a": "x",\n "u": "{}"}}'),
        ("toml", '[x.http_headers]\nX-Plain = "{}"\n[y]\nu = "{}"'),
        ("toml", "env = {{ PLAIN = '{}' }}\nu = \"{}\""),
        ("yaml", "environment:\n  PLAIN: {}\nu: {}"),
        ("yaml", "env:\n  - {}\nu: {}"),
        ("yaml", "customHeaders:\n  a: |\n    {}\nu: {}"),
    ],
)
def test_a_diff_shows_nothing_of_what_merely_stands_beside_the_change(format: Any, text: str) -> None:
    before, after = text.format(BESIDE, "http://h:1/v1"), text.format(BESIDE, "http://h:1")
    assert diff(planned(before, after))[3:]
    shown = diff(planned(before, after), format)
    assert not [each for each in shown if "Zq93" in each or "of no shape" in each or "QUFB" in each]
    assert any("***" in each for each in shown)
    assert [each for each in shown if each.startswith("-") and "http://h:1/v1" in each]
    assert [each for each in shown if each.startswith("+") and "http://h:1" in each]
    assert sum(each[0] in " -" for each in shown[3:]) == len(before.split("\n"))


@pytest.mark.parametrize(
    ("format", "text"),
    [
        ("dotenv", "OTHER=http://h:2/v1\nU={}"),
        ("dotenv", "# as the manual says\nU={}"),
        ("dotenv", "U={}"),
        ("json", '{{"env": {{"OTHER": "https://h/x", "U":\n"{}"}}}}'),
        ("json", '{{"model": "gpt-4o",\n "u": "{}"}}'),
        ("json", '{{"environment": [{{"name": "OTHER_URL",\n "value": "{}"}}]}}'),
        ("toml", '[env]\nA = 1\nU = "{}"'),
        ("yaml", "headers:\n  U: {}\nmodel: x"),
    ],
)
@pytest.mark.parametrize("address", ["http://h:1", "h:1"])
def test_a_diff_shows_what_the_reader_needs(format: Any, text: str, address: str) -> None:
    before, after = text.format(address + "/v1"), text.format(address)
    assert diff(planned(before, after), format) == diff(planned(before, after))


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("http://bob:pw@h:1/v1", "http://h:1", "http://***@h:1/v1"),
        ("http://tok@h:1/v1?user=bob&b=c", "http://h:1", "http://***@h:1/v1?user=***&b=***"),
        ("bob@h:1/v1", "http://h:1", "***@h:1/v1"),
        ("h:1?user=bob", "http://h:1", "h:1?user=***"),
    ],
)
@pytest.mark.parametrize(
    ("format", "text"),
    [("json", '{{"env": {{"U": "{}"}}}}'), ("json", '{{"u": "{}"}}'), ("dotenv", "U={}"), ("toml", "auth_url = '{}'")],
)
def test_of_the_value_that_changes_user_information_and_query_values_are_masked_on_both_sides(
    format: Any, text: str, before: str, after: str, shown: str
) -> None:
    secret_name = "auth" in text and not before.startswith("http")
    there, back = (text.format(each) for each in (before, after))
    old = text.format("***" if secret_name else shown)
    open_end = writing.NO_NEWLINE
    assert diff(planned(there, back), format)[3:] == ["-" + old, open_end, "+" + back, open_end]
    assert diff(planned(back, there), format)[3:] == ["-" + back, open_end, "+" + old, open_end]


def test_of_a_long_line_the_part_that_changes_is_shown() -> None:
    text = '{"a": "' + "x" * 100_000 + '", "u": "http://h:1/OLD", "b": "' + "y" * 100_000 + '"}'
    shown = diff(planned(text, text.replace("OLD", "NEW")), "json")
    assert max(map(len, shown)) <= writing.WIDEST + 3
    assert [each for each in shown if each.startswith("-…") and "OLD" in each]
    assert [each for each in shown if each.startswith("+…") and "NEW" in each]


def test_every_reason_that_a_system_error_becomes_has_a_sentence() -> None:
    assert set(writing._REASONS.values()) <= set(load_json("texts", "en", "settings.json"))


def test_an_undo_gives_back_no_right_that_was_taken_since(file: Path, journal: Path) -> None:
    file.write_bytes(OLD)
    file.chmod(0o644)
    write(plan(file, OLD, NEW), journal=journal, now=NOW)
    file.chmod(0o600)
    (entry,) = undoable(journal)
    assert isinstance(undo(entry, journal=journal), Undone)
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (OLD, 0o600)


def test_a_comment_full_of_quotes_is_masked_in_no_time(file: Path) -> None:
    old = b'{"a": "x", "b": 1, "b": 2 // ' + b'\\"' * 60_000 + b"\n}"
    file.write_bytes(old)
    began = time.monotonic()
    diff(plan(file, old, old.replace(b'"x"', b'"y"')), "json")
    assert time.monotonic() - began < 3
