"""Run a server that answers like the proxy, to practise."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from antigravity_doctor.cli import options
from antigravity_doctor.cli.errors import BadInputError
from antigravity_doctor.diagnosis.urls import is_loopback_host, port_number

if TYPE_CHECKING:
    from antigravity_doctor.knowledge.routes import RouteTable
    from antigravity_doctor.servers.stand_in import Record

DEFAULT_KEY = "sk-stand-in"
"""The stand-in's own key where none is given: no secret, it opens nothing but the stand-in."""


def command(
    as_: Annotated[
        str | None,
        typer.Option("--as", help="Version to answer as.", show_default="newest", callback=options.typed_version),
    ] = None,
    auth: Annotated[str, typer.Option("--auth", help="off, strict, all_except_health or auto.")] = "off",
    web_ui: Annotated[bool, typer.Option("--web-ui", help="Answer as a Docker or headless install does.")] = False,
    disabled: Annotated[bool, typer.Option("--disabled", help="Answer as a proxy that is switched off.")] = False,
    mcp: Annotated[bool, typer.Option("--mcp", help="Switch the MCP routes on.")] = False,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[str, typer.Option("--port", "-p", help="Port to listen on; 0 for any free one.")] = "8045",
    api_key: Annotated[
        str | None, typer.Option("--api-key", "-k", help="Key that it accepts.", show_default=DEFAULT_KEY)
    ] = None,
    delay: Annotated[float, typer.Option("--delay", help="Seconds to wait before every answer.")] = 0.0,
    for_: Annotated[
        float | None, typer.Option("--for", help="End after this many seconds.", show_default="Ctrl-C")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Do not print the requests.")] = False,
) -> None:
    """Prints its address, then each request with its verdict, until Ctrl-C."""
    from antigravity_doctor.diagnosis.proxy_model import AuthMode, ServerConfig
    from antigravity_doctor.servers.stand_in import run_in_thread

    table = options.table_of(as_, "--as")
    modes: tuple[AuthMode, ...] = get_args(AuthMode)
    wanted = next((each for each in modes if each == auth.strip().lower().replace("-", "_")), None)
    if wanted is None:
        raise BadInputError(f"--auth {options.printable_input(auth)}: give one of {', '.join(modes)}.")
    if not 0 <= delay <= 60:
        raise BadInputError(f"--delay {delay:g} is out of range: give seconds from 0 to 60.")
    number = 0 if port.strip() == "0" else port_number(port.strip())
    if not is_loopback_host(host):
        shown = options.printable_input(host)
        sys.stderr.write(f"agdoctor: listening on {shown}, which other machines may reach; the default is loopback.\n")
    config = ServerConfig(
        version=str(table.version),
        auth=wanted,
        web_ui=web_ui,
        running=not disabled,
        api_key=api_key if api_key is not None else DEFAULT_KEY,
        mcp_on=mcp,
    )

    printer = _Printer(table)
    try:
        with run_in_thread(
            config, host=host, port=number, delay=delay, on_request=None if quiet else printer
        ) as running:
            printer.origin = running.url
            shown = "" if wanted == "off" else f", key {DEFAULT_KEY}" if api_key is None else ", with the given key"
            kind = "with web UI" if web_ui else "desktop"
            options.write(
                f"Stand-in of Antigravity Tools {table.version} ({kind}, auth {wanted}{shown}) on {running.url}\n"
            )
            sys.stdout.flush()
            end = None if for_ is None else time.monotonic() + for_
            while end is None or time.monotonic() < end:
                time.sleep(0.2 if end is None else min(0.2, max(end - time.monotonic(), 0)))
    except KeyboardInterrupt:
        sys.stderr.write("\n")
    except OSError as error:
        raise BadInputError(error.strerror or str(error)) from None
    except ValueError:  # a name that no resolver takes, such as one with a NUL
        raise BadInputError(f"--host {options.printable_input(host)} is no host name: leave it out.") from None


class _Printer:
    """Prints each request with its verdict: what explain-path says about it, on a line."""

    def __init__(self, table: RouteTable) -> None:
        self.table = table
        self.origin = ""  # known only when the server listens

    def __call__(self, record: Record) -> None:
        try:
            self._print(record)
            sys.stdout.flush()
        except typer.Exit:
            pass  # whoever read the output (head) has gone: the server goes on, and says nothing more
        except BrokenPipeError:
            options.drop_output()

    def _print(self, record: Record) -> None:
        from antigravity_doctor.diagnosis.explaining import explain
        from antigravity_doctor.diagnosis.urls import split_url
        from antigravity_doctor.knowledge.texts import phrase
        from antigravity_doctor.reports.explain_path import compact_line
        from antigravity_doctor.reports.paint import render

        terminal = options.stdout_terminal()
        if record.note is not None:
            said = phrase("stand-in-not-http", {"note": record.note})
            options.write(render([[("  ", ""), ("?", "warn"), (f" {said}", "dim")]], terminal))
        else:
            _, path, query = split_url(record.target)
            found = explain(
                path or "/",
                table=self.table,
                origin=self.origin,
                method=record.method,
                query=query,
                status=record.status if record.route is not None else None,
            )
            status = str(record.status) if record.status is not None else "---"
            first, *rest = compact_line(found, terminal.width - 5)
            options.write(render([[("  ", ""), (status, "dim"), *first], *rest], terminal))
