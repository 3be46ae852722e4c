"""Say which base URL to set in a client, and where."""

from __future__ import annotations

from typing import Annotated

import typer

from antigravity_doctor.cli import options
from antigravity_doctor.cli.errors import BadInputError, Exit
from antigravity_doctor.diagnosis.recommending import recommend

PROTOCOLS = ("openai", "anthropic", "gemini")


def command(
    client: options.ClientOption = None,
    all_: Annotated[bool, typer.Option("--all", help="Every client that is known, a line each.")] = False,
    protocol: Annotated[str | None, typer.Option("--protocol", help="Only openai, anthropic or gemini.")] = None,
    mode: Annotated[
        str | None, typer.Option("--mode", "-m", help="Only this mode; all for every mode in full.")
    ] = None,
    host: options.HostOption = None,
    port: options.PortOption = None,
    url: options.UrlOption = None,
    proxy_version: options.ProxyVersionOption = None,
    format_: options.FormatOption = "terminal",
    json_: options.JsonOption = False,
) -> None:
    """Solves the base URL for every mode of the client and proves it; exit code 1 where none works."""
    output = options.wants_json(format_, json_)
    origin = options.origin_of(host, port, url)
    table = options.table_of(proxy_version)
    if protocol is not None and protocol.lower() not in PROTOCOLS:
        typed = options.printable_input(protocol)
        raise BadInputError(f"There is no protocol {typed}: give one of {', '.join(PROTOCOLS)}.")
    wanted = protocol.lower() if protocol is not None else None
    if all_ == (client is not None):
        raise BadInputError("Give one client with --client NAME, or --all: `agdoctor clients` lists the names.")
    from antigravity_doctor.knowledge.clients import all_clients

    chosen = options.client_of(client)
    found = {
        each: recommend(each, table, origin, wanted) for each in ((chosen,) if chosen is not None else all_clients())
    }
    every = mode is not None
    if mode is not None and mode != "all":
        if chosen is None:
            raise BadInputError("--mode names a mode of a client: give --client NAME as well.")
        found[chosen] = tuple(each for each in found[chosen] if each.mode.id == mode)
        if not found[chosen]:
            known = ", ".join(each.id for each in chosen.modes)
            raise BadInputError(f"{chosen.name} has no mode {options.printable_input(mode)}: give one of {known}.")
    works = any(one.works for each in found.values() for one in each)
    if output == "json":
        from antigravity_doctor.reports import json_v1

        if chosen is not None:
            document = json_v1.recommend_document(chosen, found[chosen])
        else:
            document = json_v1.recommend_all_document(found)
        options.write(json_v1.dump(document))
    else:
        from antigravity_doctor.reports.paint import render
        from antigravity_doctor.reports.recommend import overview_lines, recommendation_lines

        terminal = options.stdout_terminal()
        if chosen is not None:
            lines = recommendation_lines(chosen, found[chosen], terminal.width, wanted, every=every)
        else:
            lines = overview_lines(found, terminal.width)
        options.write(render(lines, terminal))
    raise typer.Exit(int(Exit.OK if works else Exit.FINDINGS))
