"""Check the base URLs that clients are set to on this machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from antigravity_doctor.cli import options
from antigravity_doctor.cli.errors import BadInputError, Exit
from antigravity_doctor.diagnosis.machine import Surroundings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from antigravity_doctor.diagnosis.scanning import Neighbour, Scan
    from antigravity_doctor.knowledge.clients import Client
    from antigravity_doctor.knowledge.routes import RouteTable
    from antigravity_doctor.sources.client_settings import Machine


def command(
    client: Annotated[
        str | None, typer.Argument(metavar="CLIENT", help="Only this client.", show_default=False)
    ] = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Correct what is wrong in files: shows each change, asks, keeps a backup.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --fix or --undo: do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --fix or --undo: show, and write nothing.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take back the last --fix.")] = False,
    host: options.HostOption = None,
    port: options.PortOption = None,
    url: options.UrlOption = None,
    proxy_version: options.ProxyVersionOption = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no port, not even of this machine.")] = False,
    format_: options.FormatOption = "terminal",
    json_: options.JsonOption = False,
) -> None:
    """Reads the settings of every known client, judges each base URL; exit code 1 where one is wrong."""
    output = options.wants_json(format_, json_)
    chosen = options.client_of(client)
    if undo and chosen is not None:
        raise BadInputError("--undo takes back the last --fix as a whole: leave out the client.")
    if (fix or undo) and not (yes or dry_run) and not sys.stdin.isatty():
        raise BadInputError("--fix and --undo ask first, and there is no terminal to ask at: add --yes, or --dry-run.")
    if fix and undo:
        raise BadInputError("--fix and --undo are opposites: give one of them.")
    if (yes or dry_run) and not (fix or undo):
        raise BadInputError("--yes and --dry-run belong to --fix or --undo: give one of those as well.")
    if output == "json" and (fix or undo):
        raise BadInputError("--fix and --undo speak to a person: leave out --json, and scan again afterwards with it.")
    asked = Asked(host, port, url, proxy_version, offline)
    machine = options.machine()
    if undo:
        from antigravity_doctor.cli.scan_fix import undo_last

        raise typer.Exit(undo_last(machine, yes=yes, dry_run=dry_run))
    found = scan_machine(machine, asked, chosen)
    if output == "json":
        from antigravity_doctor.reports.json_v1 import dump
        from antigravity_doctor.reports.scan_json import scan_document

        code = exit_code(found.scan)
        document = scan_document(
            found.scan, source=found.source, answering=found.answering, version=found.version, exit_code=int(code)
        )
        options.write(dump(document))
        raise typer.Exit(int(code))
    show(found, chosen, fixing=fix)
    if fix:
        from antigravity_doctor.cli.scan_fix import fix_files

        raise typer.Exit(fix_files(machine, asked, chosen, found, yes=yes, dry_run=dry_run))
    raise typer.Exit(int(exit_code(found.scan)))


def show(found: Scanned, only: Client | None, *, fixing: bool = False) -> None:
    """Prints the report. `fixing`: what `--fix` would do is shown next, and not advised."""
    from antigravity_doctor.reports.paint import render
    from antigravity_doctor.reports.scan import scan_lines

    terminal = options.stdout_terminal()
    lines = scan_lines(
        found.scan,
        terminal.width,
        source=found.source,
        answering=found.answering,
        version=found.version,
        only=only,
        around=found.around,
        advise=not fixing,
    )
    options.write(render(lines, terminal))


class Asked(NamedTuple):
    """What the command line says of the proxy."""

    host: str | None
    port: str | None
    url: str | None
    proxy_version: str | None
    offline: bool

    @property
    def given(self) -> bool:
        return self.host is not None or self.port is not None or self.url is not None


class Scanned(NamedTuple):
    """A scan, and what it was compared with (as `probes.target.Target` says it)."""

    scan: Scan
    source: str
    answering: str
    version: str | None
    around: Surroundings = Surroundings()


def scan_machine(machine: Machine, asked: Asked, only: Client | None = None) -> Scanned:
    """Reads what is set, finds the proxy, and judges the one against the other."""
    from antigravity_doctor.diagnosis.scanning import ports_in, scan
    from antigravity_doctor.probes.neighbours import proxy_here
    from antigravity_doctor.sources.client_settings import read_client_settings
    from antigravity_doctor.sources.proxy_settings import read_proxy_settings
    from antigravity_doctor.sources.surroundings import surroundings

    origin = options.origin_of(asked.host, asked.port, asked.url, quiet=True)
    table = options.table_of(asked.proxy_version)
    settings = read_proxy_settings(machine.environment)
    evidence = read_client_settings(machine, only)
    from_settings = settings is not None and settings.port is not None  # as `origin_of` has it then
    source = "given" if asked.given else "gui_config.json" if from_settings else "default"
    answering, version = "unasked", None
    neighbours: Mapping[int, Neighbour] = {}
    if not asked.offline:
        from antigravity_doctor.probes.neighbours import look_around
        from antigravity_doctor.probes.session import CheckOptions

        checking = CheckOptions(
            origin=origin, settings=settings, environment=machine.environment, timeout=1.0, total_timeout=3.0
        )
        target, neighbours = look_around(checking, given=asked.given, ports=lambda at: ports_in(evidence, at))
        origin, source, answering, version = target.origin, target.source, target.answering, target.version
        table = _table(table, asked, version)
    proxy = proxy_here(origin, settings, machine.environment, answers=answering == "proxy", taken=answering == "other")
    around = surroundings(machine.environment)
    return Scanned(scan(evidence, table, proxy, neighbours), source, answering, version, around)


def _table(table: RouteTable, asked: Asked, version: str | None) -> RouteTable:
    """The table of the proxy that answers; the asked one where it does not say its version, or none that is known."""
    if version is None or asked.proxy_version is not None:
        return table
    try:
        return options.table_of(version)
    except BadInputError:
        return table


def exit_code(found: Scan) -> Exit:
    """1 where something is wrong."""
    return Exit.FINDINGS if any(each.severity == "error" for each in found.findings) else Exit.OK
