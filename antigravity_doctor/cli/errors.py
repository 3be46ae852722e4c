"""Bad input ends in one sentence on stderr and exit code 2, never in a traceback."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes that are promised."""

    OK = 0
    FINDINGS = 1
    BAD_INPUT = 2
    UNREACHABLE = 3


class BadInputError(Exception):
    """The message is one sentence that names the input, what was expected and what to do next."""
