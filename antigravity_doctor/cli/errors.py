"""Bad input ends in one sentence on stderr and exit code 2, never in a traceback."""

from __future__ import annotations

import errno
import os
import sys
from enum import IntEnum


class Exit(IntEnum):
    """The exit codes that are promised."""

    OK = 0
    FINDINGS = 1
    BAD_INPUT = 2
    UNREACHABLE = 3


class BadInputError(Exception):
    """The message is one sentence that names the input, what was expected and what to do next."""


FAULT = 70
"""The exit code where there is no result and the user's input is not to blame: a fault of agdoctor, a full disk."""


_OUTPUT_ERRORS = (
    errno.ENOSPC,
    errno.EIO,
    errno.EFBIG,
    errno.EBADF,
    errno.EPIPE,
    errno.EINVAL,
    getattr(errno, "EDQUOT", 0),
)
"""What writing to stdout can end in: a full disk, a quota, a terminal that has gone."""


def ended_by(error: Exception) -> int:
    """Says on stderr what ended the command, in one sentence, and gives its exit code.

    Keys are masked and nothing raw reaches the terminal, whatever was typed in the wrong place.
    """
    from antigravity_doctor.diagnosis.urls import BadUrlError

    if isinstance(error, (BadInputError, BadUrlError)):
        say(str(error))
        return Exit.BAD_INPUT
    if hasattr(error, "format_message"):  # what Typer says of an option or argument that does not fit
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "agdoctor"
        message = str(error.format_message()).rstrip(".")
        message = message.replace("not a valid int", "not a whole number").replace("not a valid float", "not a number")
        say(f"{message}: `{command} --help` shows what it takes.")
        return Exit.BAD_INPUT
    if os.environ.get("AGDOCTOR_DEBUG"):
        raise error
    if isinstance(error, OSError) and error.filename is not None:
        # A file that was to be read or written; stdout has no name.
        say(f"{error.filename} cannot be used: {error.strerror or error}.")
        return Exit.BAD_INPUT
    if isinstance(error, OSError) and error.errno in _OUTPUT_ERRORS:
        from antigravity_doctor.cli.options import drop_output

        drop_output()
        say(f"The output cannot be written: {error.strerror or error}.")
        return FAULT
    hint = "please report it with the command you typed; AGDOCTOR_DEBUG=1 shows where."
    say(f"A fault of agdoctor itself ({type(error).__name__}: {error}): {hint}")
    return FAULT


def say(message: str) -> None:
    """Writes one sentence to stderr, with keys masked and nothing raw in it."""
    from antigravity_doctor.diagnosis.secrets import redact
    from antigravity_doctor.reports.paint import printable, to_ascii

    key = os.environ.get("AGDOCTOR_API_KEY", "").strip()
    text = f"agdoctor: {printable(redact(message, key if len(key) > 5 else ''), 1000)}\n"
    try:
        sys.stderr.write(text)
    except UnicodeEncodeError:
        sys.stderr.write(to_ascii(text))
