"""List what the proxy serves, by version."""

from __future__ import annotations

from typing import Annotated

import typer

from antigravity_doctor.cli import options
from antigravity_doctor.cli.errors import BadInputError


def command(
    proxy_version: options.ProxyVersionOption = None,
    history: Annotated[
        bool, typer.Option("--history", help="Every route of every version, with since and until.")
    ] = False,
    protocol: Annotated[str | None, typer.Option("--protocol", help="Only routes of this protocol.")] = None,
    format_: options.FormatOption = "terminal",
    json_: options.JsonOption = False,
) -> None:
    """Prints the route table of a proxy version, or the history of every route."""
    output = options.wants_json(format_, json_)
    table = options.table_of(proxy_version)
    if history and proxy_version is not None:
        raise BadInputError("--history is about all versions: leave out --proxy-version.")
    from antigravity_doctor.knowledge.routes import all_routes
    from antigravity_doctor.reports import catalogue
    from antigravity_doctor.reports.paint import render

    known = sorted({each.protocol for each in all_routes()})
    if protocol is not None and protocol.lower() not in known:
        raise BadInputError(
            f"There is no protocol {options.printable_input(protocol)}: give one of {', '.join(known)}."
        )
    wanted = protocol.lower() if protocol is not None else None
    routes = [each for each in table.routes if wanted in (None, each.protocol)]
    past = [each for each in all_routes() if wanted in (None, each.protocol)]
    if output == "json":
        from antigravity_doctor.reports.json_v1 import dump

        document = (
            catalogue.history_document(past) if history else catalogue.routes_document(str(table.version), routes)
        )
        options.write(dump(document))
        return
    terminal = options.stdout_terminal()
    if history:
        lines = catalogue.history_lines(past, terminal.width)
    else:
        lines = catalogue.routes_lines(str(table.version), routes, terminal.width)
    options.write(render(lines, terminal))
