"""Show what a client would request with a base URL."""

from __future__ import annotations

from typing import Annotated

import typer

from antigravity_doctor.cli import options
from antigravity_doctor.cli.errors import BadInputError, Exit
from antigravity_doctor.diagnosis.recommending import completes, outcome
from antigravity_doctor.diagnosis.secrets import redact


def command(
    client: options.ClientOption = None,
    base_url: options.BaseUrlOption = None,
    mode: Annotated[
        str | None, typer.Option("--mode", "-m", help="Only this mode of the client; the exit code is about it alone.")
    ] = None,
    proxy_version: options.ProxyVersionOption = None,
    format_: options.FormatOption = "terminal",
    json_: options.JsonOption = False,
) -> None:
    """Joins the base URL with everything that the client appends; exit code 1 if no mode works."""
    output = options.wants_json(format_, json_)
    if client is None or base_url is None:
        raise BadInputError("Give --client NAME and --base-url URL: `agdoctor clients` lists the names.")
    chosen = options.client_of(client)
    assert chosen is not None  # noqa: S101 - client_of returns None only for None
    table = options.table_of(proxy_version)
    shown = options.base_url_of(base_url, query=True)
    modes = [each for each in chosen.modes if mode is None or mode.lower() in (each.id.lower(), each.name.lower())]
    if not modes:
        known = ", ".join(each.id for each in chosen.modes)
        raise BadInputError(f"{chosen.name} has no mode {options.printable_input(mode or '')}: give one of {known}.")
    if not all(completes(each, base_url) for each in modes):
        options.say_if_scheme_is_missing(base_url)
    found = [outcome(chosen, each, table, shown, base_url) for each in modes]
    if output == "json":
        from antigravity_doctor.reports import json_v1

        options.write(json_v1.dump(json_v1.simulate_document(chosen, shown, found)))
    else:
        from antigravity_doctor.reports.paint import render
        from antigravity_doctor.reports.recommend import simulation_lines

        terminal = options.stdout_terminal()
        typed = shown if "://" in base_url else redact(base_url.strip())
        options.write(render(simulation_lines(chosen, typed, found, terminal.width), terminal))
    raise typer.Exit(int(Exit.OK if any(each.works for each in found) else Exit.FINDINGS))
