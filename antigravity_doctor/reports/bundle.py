"""The Markdown of `agdoctor report`: what was observed, in sections, ready to be attached to an issue."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from antigravity_doctor.knowledge.texts import room_phrase
from antigravity_doctor.reports.paint import to_ascii


class Section(NamedTuple):
    """One part. `name` is the key of its title and the name of its file in the archive; `text` is plain, as a terminal
    of 100 columns shows it. `because`: the key of a text that says why there is nothing."""

    name: str
    text: str
    because: str | None = None


def markdown(facts: Sequence[tuple[str, str]], sections: Iterable[Section]) -> str:
    """The document. `facts` are the rows of the table at its top: (key of the label, value)."""
    lines = [f"# {_say('title')}", "", _say("intro"), "", "| | |", "|---|---|"]
    lines += [f"| {_say('fact-' + key)} | {_cell(value)} |" for key, value in facts]
    for section in sections:
        lines += ["", f"## {_say('section-' + section.name)}", ""]
        if section.because is not None:
            lines.append(_say(section.because))
            continue
        fence = _fence(section.text)
        lines += [f"{fence}text", section.text.strip("\n"), fence]
    return "\n".join(lines) + "\n"


def _fence(text: str) -> str:
    """Backticks that do not occur in the text, so that nothing in it ends the block."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    return "`" * max(3, longest + 1)


def _cell(value: str) -> str:
    """A value in a table: nothing of it is Markdown."""
    return "`" + value.replace("`", "'").replace("|", "/").replace("\n", " ") + "`"


def _say(key: str) -> str:
    return room_phrase("report", key)


def archive_names(sections: Iterable[Section]) -> dict[str, str]:
    """File name -> text of the archive's parts beside report.md."""
    return {f"{to_ascii(each.name)}.txt": each.text for each in sections if each.because is None}
