"""List the clients that agdoctor knows."""

from __future__ import annotations

from typing import Annotated

import typer

from antigravity_doctor.cli import options
from antigravity_doctor.cli.errors import BadInputError


def command(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME", help="A client, or words to search for (langchain, ANTHROPIC_BASE_URL).", show_default=False
        ),
    ] = None,
    search: Annotated[
        str | None,
        typer.Option(
            "--search", "-s", help="List those that have these words in names, packages, protocols or settings."
        ),
    ] = None,
    host: options.HostOption = None,
    port: options.PortOption = None,
    url: options.UrlOption = None,
    proxy_version: options.ProxyVersionOption = None,
    format_: options.FormatOption = "terminal",
    json_: options.JsonOption = False,
) -> None:
    """Prints the catalogue with the base URL for each, what a search finds in it, or everything about one client."""
    output = options.wants_json(format_, json_)
    name = " ".join(words) if words else None
    if name is not None and search is not None:
        raise BadInputError("Give the name of a client or --search, not both.")
    origin = options.origin_of(host, port, url)
    table = options.table_of(proxy_version)
    from antigravity_doctor.diagnosis.recommending import recommend
    from antigravity_doctor.knowledge.clients import all_clients, search_clients
    from antigravity_doctor.reports import catalogue
    from antigravity_doctor.reports.paint import render

    wanted = search if search is not None else name
    found = search_clients(wanted) if wanted is not None else all_clients()
    chosen = None
    if name is not None:
        try:
            chosen = options.client_of(name)
        except BadInputError:
            if not found:
                raise
    elif not found:
        typed = options.printable_input(search or "")
        raise BadInputError(f"No client has {typed} in its names or settings: `agdoctor clients` lists them all.")
    listed = {each: recommend(each, table, origin) for each in ((chosen,) if chosen is not None else found)}
    if output == "json":
        from antigravity_doctor.reports.json_v1 import dump

        options.write(dump(catalogue.clients_document(listed)))
        return
    terminal = options.stdout_terminal()
    if chosen is not None:
        also = [each for each in found if each is not chosen]
        lines = catalogue.client_lines(chosen, terminal.width, also)
    else:
        lines = catalogue.clients_lines(listed, terminal.width, wanted)
    options.write(render(lines, terminal))
