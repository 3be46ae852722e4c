"""The blocks of a page: which commands it shows, and what it says they print.

In a ```console block a line that begins with `$ ` is a command, and everything up to the next one is what it printed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from doc_tools import sessions

_FENCE = re.compile(r"(?ms)^```(?P<language>[a-z]*)[^\n]*\n(?P<body>.*?)^```[ \t]*$")
_CONSOLE = re.compile(r"(?ms)(?P<open>(?:^<!-- with (?P<context>.*?) -->\n)?^```console\n)(?P<body>.*?)(?=^```[ \t]*$)")
_INLINE = re.compile(r"(?<!`)`(agdoctor(?: [^`\n]+)?)`(?!`)")


class Shown(NamedTuple):
    """A command line that a page shows, and the line of the page that it stands on (from 1)."""

    command: str
    line: int


def filled(page: str) -> str:
    """The page with the output of every command in its console blocks as it is now."""
    return _CONSOLE.sub(_filled, page)


def _filled(block: re.Match[str]) -> str:
    context: dict[str, Any] = json.loads(block["context"]) if block["context"] else {}
    out = [block["open"]]
    exit_code = 0
    for line in block["body"].split("\n"):
        if not line.startswith("$ "):
            continue
        out.append(line + "\n")
        if line == "$ echo $?":
            out.append(f"{exit_code}\n")
            continue
        command = sessions.parse(line[2:])
        if command is None:
            raise ValueError(f"{line!r}: a console block runs agdoctor; use a sh block for other commands")
        session = sessions.run(command, context)
        exit_code = session.exit_code
        out.append("\n".join(each.rstrip() for each in session.text.rstrip("\n").split("\n")) + "\n")
    return "".join(out)


def shown_commands(page: str) -> Iterator[Shown]:
    """Every `agdoctor …` command line of a page: in its shell, console, PowerShell and YAML blocks, and in its text."""
    for block in _FENCE.finditer(page):
        first = page.count("\n", 0, block.start("body")) + 1
        if block["language"] not in ("sh", "console", "powershell", "yaml"):
            continue
        for offset, line in enumerate(_joined(block["body"].split("\n"))):
            said = re.sub(r"^(?:\$ |\s*(?:- )?(?:run: )?)", "", line)
            if block["language"] == "console" and not line.startswith("$ "):
                continue
            for call in re.findall(r"(?:^|[|&;(]\s*)(agdoctor\b[^|&;#]*)", said):
                yield Shown(call.strip().rstrip(")"), first + offset)
    prose = _FENCE.sub(lambda block: "\n" * block[0].count("\n"), page)
    for found in _INLINE.finditer(prose):
        yield Shown(found[1].replace("\\|", "|"), prose.count("\n", 0, found.start()) + 1)


def _joined(lines: list[str]) -> list[str]:
    """Lines with a backslash at their end together with the next one; the places they leave stay empty."""
    joined = list(lines)
    for index in range(len(joined) - 2, -1, -1):
        if joined[index].endswith("\\"):
            joined[index] = joined[index][:-1].rstrip() + " " + joined[index + 1].strip()
            joined[index + 1] = ""
    return joined
