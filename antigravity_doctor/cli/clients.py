"""List the clients that agdoctor knows."""

from __future__ import annotations

from typing import Annotated

import typer

from antigravity_doctor.cli import options


def command(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Show all that is known of this client.", show_default=False)
    ] = None,
    format_: options.FormatOption = "terminal",
    json_: options.JsonOption = False,
) -> None:
    """Prints the catalogue, or everything that is known of one client, with where it is known from."""
    output = options.wants_json(format_, json_)
    from antigravity_doctor.knowledge.clients import all_clients
    from antigravity_doctor.reports import catalogue
    from antigravity_doctor.reports.paint import render

    chosen = options.client_of(name)
    if output == "json":
        from antigravity_doctor.reports.json_v1 import dump

        options.write(dump(catalogue.clients_document((chosen,) if chosen is not None else all_clients())))
        return
    terminal = options.stdout_terminal()
    if chosen is not None:
        lines = catalogue.client_lines(chosen, terminal.width)
    else:
        lines = catalogue.clients_lines(all_clients(), terminal.width)
    options.write(render(lines, terminal))
