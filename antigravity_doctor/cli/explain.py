"""Explain a finding code such as AGD301."""

from __future__ import annotations

from typing import Annotated

import typer

from antigravity_doctor.cli import options
from antigravity_doctor.cli.errors import BadInputError
from antigravity_doctor.knowledge import texts


def command(
    code: Annotated[
        str | None, typer.Argument(metavar="CODE", help="A code, its number or its name.", show_default=False)
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="List every code.")] = False,
    format_: options.FormatOption = "terminal",
    json_: options.JsonOption = False,
) -> None:
    """Prints symptom, cause, fix and an example of a finding code."""
    output = options.wants_json(format_, json_)
    if all_ == (code is not None):
        raise BadInputError("Give one code such as AGD301, or --all for the list.")
    from antigravity_doctor.reports import explain_code
    from antigravity_doctor.reports.paint import render

    terminal = options.stdout_terminal()
    if code is None:
        if output == "json":
            from antigravity_doctor.reports.json_v1 import dump

            options.write(dump(explain_code.codes_document(texts.all_codes())))
        else:
            options.write(render(explain_code.list_lines(texts.all_codes(), terminal.width), terminal))
        return
    entry = _find(code)
    if output == "json":
        from antigravity_doctor.reports.json_v1 import dump

        options.write(dump(explain_code.codes_document((entry,))))
    else:
        options.write(render(explain_code.page_lines(entry, terminal.width), terminal))


def _find(typed: str) -> texts.Code:
    wanted = typed.strip().lower()
    number = wanted.removeprefix("agd")
    for each in texts.all_codes():
        if each.name == wanted or (number.isdigit() and each.code[3:] == number):
            return each
    import difflib

    names = [name for each in texts.all_codes() for name in (each.name, each.code.lower())]
    # Another number is no likelier code: only words have near ones.
    near = [] if number.isdigit() else difflib.get_close_matches(wanted, names, n=2, cutoff=0.6)
    shown = [each.upper() if each.startswith("agd") else each for each in near]
    hint = f"did you mean {' or '.join(shown)}?" if near else "`agdoctor explain --all` lists them."
    raise BadInputError(f"There is no finding code {options.printable_input(typed)}: {hint}")
