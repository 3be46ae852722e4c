"""Kills a writing process before its n-th operation on files, for every n, and tells what was left each time.

    python -m tests.support.killing FOLDER write|undo whole|half

A program of its own, because it forks: each attempt is a real process that gets a real SIGKILL. Every function of `os`
that touches files counts as an operation; with `half`, a write that is killed has written half of its bytes before.
Prints one JSON object a line: {"n", "killed", "at" (the operation), "file", "mode", "names", "backups", "undoable",
"recovered" (what the next agdoctor did about it), "after" (the file then), "names_after", "seconds"}.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from antigravity_doctor.sources.writing import Undone, plan, undo, undoable, write

OPERATIONS = (
    "access", "chmod", "chown", "close", "fchmod", "fchown", "fsync", "getxattr", "link", "listdir", "listxattr",
    "lseek", "lstat", "makedirs", "mkdir", "open", "read", "remove", "rename", "replace", "setxattr", "stat", "unlink",
    "write",
)  # fmt: skip
BEFORE = b'{\r\n  "env": {"ANTHROPIC_BASE_URL": "http://127.0.0.1:8045/v1"}\r\n}\r\n' * 40
AFTER = BEFORE.replace(b"8045/v1", b"8045", 1)
LATER = BEFORE.replace(b"8045/v1", b"9045", 1)
NOW = datetime(2026, 11, 22, 10, 11, 12, tzinfo=UTC)
NEXT = datetime(2026, 11, 22, 10, 12, 0, tzinfo=UTC)


def arm(n: int, half: bool, tell: int) -> None:
    """From now on the n-th operation kills this process; its name goes to the descriptor `tell`."""
    count = 0
    real_write = os.write

    def armed(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def operation(*args: Any, **more: Any) -> Any:
            nonlocal count
            count += 1
            if count == n:
                if half and name == "write":
                    real_write(args[0], bytes(args[1])[: len(args[1]) // 2])
                real_write(tell, name.encode())
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **more)

        return operation

    for name in OPERATIONS:
        if hasattr(os, name):
            setattr(os, name, armed(name, getattr(os, name)))


def attempt(folder: Path, action: str, n: int, half: bool) -> dict[str, Any]:
    folder.mkdir()
    file, journal = folder / "dotfiles" / "settings.json", folder / "state"
    file.parent.mkdir()
    file.write_bytes(BEFORE)
    file.chmod(0o640)
    link = folder / "link.json"
    link.symlink_to(file)
    if action == "undo":
        write(plan(link, BEFORE, AFTER), journal=journal, now=NOW)
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            arm(n, half, tell)
            if action == "write":
                write(plan(link, BEFORE, AFTER), journal=journal, now=NOW)
            else:
                (entry,) = undoable(journal)
                assert isinstance(undo(entry, journal=journal), Undone)
        except BaseException as error:
            os.write(2, repr(error).encode())
            os._exit(3)
        os._exit(0)
    os.close(tell)
    _, status = os.waitpid(child, 0)
    at = os.read(told, 100).decode()
    os.close(told)
    begun = time.monotonic()
    entries = undoable(journal)
    state = {
        "n": n,
        "killed": os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL,
        "status": status,
        "at": at,
        "file": file.read_bytes().decode(),
        "mode": file.stat().st_mode & 0o7777,
        "link": link.is_symlink(),
        "names": sorted(each.name for each in file.parent.iterdir()),
        "backups": [each.read_bytes().decode() for each in file.parent.glob("*.bak")],
        "undoable": len(entries),
    }
    if entries:
        state["recovered"] = type(undo(entries[0], journal=journal)).__name__
    else:
        write(plan(link, file.read_bytes(), LATER), journal=journal, now=NEXT)
        state["recovered"] = "Written"
    state["after"] = file.read_bytes().decode()
    state["names_after"] = sorted(each.name for each in file.parent.iterdir())
    state["seconds"] = time.monotonic() - begun
    return state


def main() -> None:
    folder, action, how = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    for n in range(1, 1000):
        state = attempt(folder / str(n), action, n, how == "half")
        print(json.dumps(state), flush=True)
        if not state["killed"]:
            return


if __name__ == "__main__":
    main()
