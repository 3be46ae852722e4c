"""`run("check", "--port", "8045")`: the command line in this process, with streams and environment of its own.

What a process costs (~0.2 s) buys nothing in most tests: `run` calls the console script's own function with `sys.argv`,
the three streams and `os.environ` replaced, and gives back what it wrote and its exit code.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from unittest import mock

HOME = "/nonexistent-home"
"""Where the commands look for settings: nowhere, unless a test says otherwise."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended: exit code, standard output and standard error as text."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        """Everything that was written anywhere."""
        return self.out + self.err


class Stream(io.TextIOWrapper):
    """A text stream that is, or is not, a terminal."""

    def __init__(self, content: bytes = b"", *, tty: bool = False, encoding: str = "utf-8") -> None:
        self._tty = tty
        super().__init__(io.BytesIO(content), encoding=encoding, newline="\n", write_through=True)

    def isatty(self) -> bool:
        return self._tty

    def text(self) -> str:
        """What was written so far."""
        self.flush()
        raw: Any = self.buffer
        return str(raw.getvalue().decode(self.encoding))


def run(
    *argv: str,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    tty: bool = False,
    err_tty: bool = False,
    encoding: str = "utf-8",
) -> Result:
    """Runs `agdoctor ARGV…`. `env` is the whole environment, but for HOME and COLUMNS=80 where it lacks them.

    `tty` makes stdout, `err_tty` stderr a terminal; `encoding` is that of both.
    """
    from antigravity_doctor.cli.main import run as console_script

    environment = {"HOME": HOME, "USERPROFILE": HOME, "COLUMNS": "80", **(env or {})}
    out, err = Stream(tty=tty, encoding=encoding), Stream(tty=err_tty, encoding=encoding)
    with (
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch.object(sys, "argv", ["agdoctor", *argv]),
        mock.patch.object(sys, "stdin", Stream(stdin)),
        mock.patch.object(sys, "stdout", out),
        mock.patch.object(sys, "stderr", err),
    ):
        code: object = 0
        try:
            console_script()
        except SystemExit as end:
            code = end.code
    assert code is None or isinstance(code, int), code
    return Result(int(code or 0), out.text(), err.text())
