"""The front door: the command group. Each command's module is imported only when that command runs."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from antigravity_doctor import __version__

COMMANDS: dict[str, tuple[str, str]] = {
    "check": ("check", "Find what is wrong with a running proxy or its client."),
    "explain-path": ("explain_path", "Explain a request path and give the right base URL."),
    "recommend": ("recommend", "Say which base URL to set in a client, and where."),
    "simulate": ("simulate", "Show what a client would request with a base URL."),
    "trace": ("trace", "See what a client really sends, and what base URL it needs."),
    "logs": ("logs", "Find wrong requests in logs, and the fix for each."),
    "scan": ("scan", "Check the base URLs that clients are set to on this machine."),
    "report": ("report", "Make a report for an issue: no keys, no names, no home path."),
    "explain": ("explain", "Explain a finding code such as AGD301."),
    "routes": ("routes", "List what the proxy serves, by version."),
    "clients": ("clients", "List the clients that agdoctor knows."),
    "stand-in": ("stand_in", "Run a server that answers like the proxy, to practise."),
}
"""Command name -> module in `cli`, help line. The help line is the module's own (a test compares them)."""


class LazyGroup(TyperGroup):
    """Knows the names and help lines of the commands; imports a command's module when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All command names, in the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """What `agdoctor --help` lists under this name: its help line, for which no module is needed."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        stub = typer.Typer(add_completion=False)
        stub.command(cmd_name, help=entry[1])(_stub)
        return typer.main.get_command(stub)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Name, command and what is left for it. Raises BadInputError with the nearest names for an unknown one."""
        name = args[0]
        if name in COMMANDS:
            return name, load(name), args[1:]
        import difflib

        from antigravity_doctor.cli.errors import BadInputError
        from antigravity_doctor.cli.options import printable_input

        near = difflib.get_close_matches(name, COMMANDS, n=2, cutoff=0.5)
        meant = f"did you mean {' or '.join(near)}?" if near else "`agdoctor --help` lists them."
        raise BadInputError(f"There is no command {printable_input(name)}: {meant}")


def _stub() -> None:
    """Stands in for a command while only its help line is wanted."""


def load(name: str) -> Any:
    """The command of this name, its module imported."""
    module = importlib.import_module("antigravity_doctor.cli." + COMMANDS[name][0])
    single = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    single.command(name, help=module.__doc__, no_args_is_help=False)(module.command)
    return typer.main.get_command(single)


app = typer.Typer(
    cls=LazyGroup,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        sys.stdout.write(f"agdoctor {__version__}\n")
        raise typer.Exit


@app.callback(
    invoke_without_command=True,
    help="The doctor for clients that get 404, 405, 401 or HTML from the Antigravity Tools proxy.\n\n"
    "Start with:  agdoctor check --port 8045\n\n"
    "or paste what you see:  agdoctor explain-path /v1/v1/chat/completions",
)
def root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and end.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Without a command there is nothing to do but to say which ones there are."""
    if context.invoked_subcommand is None:
        sys.stderr.write(context.get_help() + "\n")
        raise typer.Exit(2)


def run() -> None:
    """The console script: runs the command line and turns every way to end into an exit code.

    Beyond the promised 0 to 3: 70 for a fault of agdoctor itself, 130 after Ctrl-C, 141 when the reader of the output
    has gone. None of them can be mistaken for a result.
    """
    # A short run makes many objects and few cycles: looking for those less often saves a millisecond of every start.
    gc.set_threshold(50_000, 20, 20)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # the caller has closed it
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    try:
        code = app(prog_name="agdoctor", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        from antigravity_doctor.cli.options import reader_gone

        code = reader_gone()
    except Exception as error:
        from antigravity_doctor.cli.errors import ended_by

        code = ended_by(error)
    sys.exit(code or 0)


def entry() -> None:
    """What the `agdoctor` script calls: `run`, then an end without one last search for garbage.

    The interpreter looks through every object once more when it ends. For a process that is about to vanish that is
    lost time, and it was more than what explaining a path takes (tests/benchmarks/README.md).
    """
    try:
        run()
    finally:
        gc.freeze()
