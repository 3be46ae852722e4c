"""Runs real clients: a command-line client once a run, an SDK as a worker that makes one call after the other."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from tests.lab.frame import KEY, Mode, Setting, Subject, filled
from tests.lab.installing import Installed

HERE = Path(__file__).resolve().parent
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")

QUIET = {
    "NO_COLOR": "1",
    "TERM": "dumb",
    "LANG": "C.UTF-8",
    "DO_NOT_TRACK": "1",
    "NO_UPDATE_NOTIFIER": "1",
    "PYTHONWARNINGS": "ignore",
}
"""What every client is started with, besides PATH and HOME: nothing else of the lab's own environment."""


class Ran(NamedTuple):
    """How a run ended. `code` None: it was stopped because its time was up."""

    code: int | None
    output: str


class Home:
    """A throw-away HOME, with the files of a mode and a setting. `work` is the folder to start a client in."""

    def __init__(self, mode: Mode, setting: Setting | None, base: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="agdoctor-home-"))
        self.work = self.path / "work"
        self.work.mkdir()
        (self.path / "tmp").mkdir()
        for name, text in {**mode.files, **(setting.files if setting else {})}.items():
            place = self.path / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(filled(text, base, KEY, mode.model, str(self.work)), encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def environment(
    subject: Subject, installed: Installed, home: Home, mode: Mode, setting: Setting | None, base: str
) -> dict[str, str]:
    """The whole environment of a run."""
    wanted = {**subject.env, **mode.env, **(setting.env if setting else {})}
    return {
        "HOME": str(home.path),
        "TMPDIR": str(home.path / "tmp"),
        "PATH": f"{installed.programs}{os.pathsep}{os.environ['PATH']}",
        **QUIET,
        **{name: filled(value, base, KEY, mode.model, str(home.work)) for name, value in wanted.items()},
    }


def run_program(
    subject: Subject,
    installed: Installed,
    mode: Mode,
    setting: Setting,
    base: str,
    enough: Callable[[], bool] = lambda: False,
) -> Ran:
    """One run of a command-line client. `enough` is asked five times a second whether it may be stopped."""
    assert subject.program is not None
    with Home(mode, setting, base) as home, tempfile.TemporaryFile() as output:
        words = [filled(word, base, KEY, mode.model, str(home.work)) for word in (*mode.argv, *setting.argv)]
        process = subprocess.Popen(
            [str(installed.programs / subject.program), *words],
            cwd=home.work,
            env=environment(subject, installed, home, mode, setting, base),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        until = time.monotonic() + subject.limit
        code: int | None = None
        while time.monotonic() < until and not enough():
            try:
                code = process.wait(0.2)
                break
            except subprocess.TimeoutExpired:
                continue
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        output.seek(0)
        text = _COLOURS.sub("", output.read().decode("utf-8", "replace"))
        text = text.replace(str(home.path), "~")
    return Ran(code, text)


class Worker:
    """An SDK in a process of its own: `call` makes one call after the other. To be closed, or used with `with`."""

    def __init__(self, subject: Subject, installed: Installed, mode: Mode, setting: Setting | None, base: str) -> None:
        self._home = Home(mode, setting, base)
        self._limit = subject.limit
        env = environment(subject, installed, self._home, mode, setting, base)
        if subject.registry == "pypi":
            command = [str(installed.programs / "python"), str(HERE / "python_worker.py"), subject.id]
        else:
            command = ["node", str(HERE / "node_worker.mjs"), subject.id, str(installed.folder)]
        self._process = subprocess.Popen(
            command,
            cwd=self._home.work,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if not os.environ.get("AGDOCTOR_LAB_DEBUG") else sys.stderr,
            text=True,
            start_new_session=True,
        )

    def call(self, name: str, given: Mapping[str, str], key: str | None, mode: Mode, options: Any) -> str | None:
        """Makes a call; the error that it raised, as `Type: text`, None if it raised none."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        case = {
            "call": name,
            "given": dict(given),
            "key": key,
            "model": mode.model,
            "options": {**mode.options, **options},
        }
        timer = threading.Timer(self._limit, process.kill)
        timer.start()
        try:
            process.stdin.write(json.dumps(case) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            timer.cancel()
        error: str | None = json.loads(line)["error"] if line else "the process ended"
        return error

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self._home.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
