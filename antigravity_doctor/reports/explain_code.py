"""The page of a finding code, and the list of all."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Any

from antigravity_doctor.knowledge.texts import Code, finding_text, phrase
from antigravity_doctor.reports.paint import Line, fitted_columns, wrap

PARTS = ("symptom", "cause", "fix")


def example_command(entry: Code) -> str | None:
    """The command line of the code's example, None where only a unit test can show it."""
    argv = entry.example.get("argv")
    if not argv:
        return None
    return "agdoctor " + " ".join(shlex.quote(str(each).replace("{port}", "8045")) for each in argv)


def page_lines(entry: Code, width: int) -> list[Line]:
    """Everything about one code."""
    lines: list[Line] = [
        [],
        *wrap(
            [
                (entry.code, "code"),
                (" ", ""),
                (entry.name, "code"),
                (f" · {phrase('severity-' + entry.severity)}", "dim"),
            ],
            width,
            "  ",
        ),
        *wrap([(finding_text(entry.code, "title"), "bold")], width, "  "),
    ]
    for part in PARTS:
        lines += [[], [("  ", ""), (phrase("part-" + part), "note")]]
        lines.extend(wrap([(finding_text(entry.code, part), "")], width, "    "))
    example = example_command(entry)
    if example is not None:
        lines += [[], [("  ", ""), (phrase("part-example"), "note")], [("    ", ""), (example, "value")]]
    return [*lines, []]


def list_lines(codes: Iterable[Code], width: int) -> list[Line]:
    """A line a code."""
    rows = [
        [(each.code, "code"), (phrase("severity-" + each.severity), "dim"), (finding_text(each.code, "title"), "")]
        for each in codes
    ]
    return [[], *fitted_columns(rows, width, "  "), []]


def codes_document(codes: Iterable[Code]) -> dict[str, Any]:
    """The JSON of `explain`."""
    return {
        "schema_version": 1,
        "command": "explain",
        "codes": [
            {
                "code": each.code,
                "name": each.name,
                "severity": each.severity,
                "title": finding_text(each.code, "title"),
                **{part: finding_text(each.code, part) for part in PARTS},
                "example": example_command(each),
            }
            for each in codes
        ],
    }
