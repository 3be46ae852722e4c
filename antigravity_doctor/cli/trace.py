"""See what a client really sends, and what base URL it needs."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from antigravity_doctor.cli import options
from antigravity_doctor.cli.errors import BadInputError, say
from antigravity_doctor.diagnosis.urls import host_and_port, is_loopback_host, port_number

if TYPE_CHECKING:
    from antigravity_doctor.diagnosis.recording import Exchange, Recorded
    from antigravity_doctor.diagnosis.settings import ProxySettings
    from antigravity_doctor.diagnosis.watching import Watch
    from antigravity_doctor.knowledge.clients import Client
    from antigravity_doctor.knowledge.routes import RouteTable
    from antigravity_doctor.probes.target import Target
    from antigravity_doctor.reports.paint import Line
    from antigravity_doctor.reports.trace_live import LiveTable
    from antigravity_doctor.servers.recorder import Recorder
    from antigravity_doctor.sources.saved_trace import Saved

FORMATS = ("terminal", "jsonl", "json")

USUAL_PORT = 18045
"""Where the recorder listens if it can: the same from run to run, so that a client keeps its setting."""

KEPT = 5_000
"""Requests that `--json` keeps for its one document, and rows that wait for a command's end; `--format jsonl` and
`--save` have no such limit."""

TRACE_KEY = "sk-agdoctor-trace"
"""The key that a command gets where there is no real one: no secret, it opens nothing."""


def command(
    command_: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- COMMAND …]", help="Run this with the right variables set, and end with it."),
    ] = None,
    port: options.PortOption = None,
    url: Annotated[str | None, typer.Option("--url", help="Address of the proxy as a URL, instead of --port.")] = None,
    stand_in: Annotated[
        bool, typer.Option("--stand-in", help="Answer by itself, as the proxy would: no proxy needed.")
    ] = False,
    client: options.ClientOption = None,
    base_path: Annotated[
        str | None, typer.Option("--base-path", help="Path of the URL to give to the client, such as /v1.")
    ] = None,
    rewrite: Annotated[
        bool, typer.Option("--rewrite", help="Send a request that misses on to the route it was meant for.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="End after one request.")] = False,
    count: Annotated[int | None, typer.Option("--count", "-n", help="End after this many requests.")] = None,
    for_: Annotated[
        float | None, typer.Option("--for", help="End after this many seconds.", show_default="Ctrl-C")
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save", help="Write every request to this file, as JSON lines.")
    ] = None,
    replay: Annotated[
        str | None, typer.Option("--replay", help="Show a saved trace again (a file, or - for standard input).")
    ] = None,
    bodies: Annotated[
        bool, typer.Option("--bodies", help="Keep bodies in what is saved: they hold what you and the model wrote.")
    ] = False,
    listen: Annotated[
        str | None, typer.Option("--listen", "-l", help="Port to listen on.", show_default=f"{USUAL_PORT} if free")
    ] = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds that the proxy may be silent.")] = 600.0,
    proxy_version: options.TakenVersionOption = None,
    format_: Annotated[str, typer.Option("--format", "-f", help="terminal, jsonl or json.")] = "terminal",
    json_: options.JsonOption = False,
) -> None:
    """Stands between a client and the proxy; says of each request whether it lands, and what base URL is needed."""
    output = options.wants_json(format_, json_, FORMATS)
    chosen = options.client_of(client)
    if command_ and port is not None and not port.strip().isdigit():
        raise BadInputError(f"Put -- before the command: agdoctor trace -- {command_[0]} …")
    table = options.table_of(proxy_version)
    for name, seconds, most in (("--for", for_, 10_000_000.0), ("--timeout", timeout, 86_400.0)):
        if seconds is not None and not 0 < seconds <= most:
            raise BadInputError(f"{name} {seconds:g} is out of range: give more than 0 and at most {most:.0f} seconds.")
    if once and count is not None:
        raise BadInputError("--once is --count 1: give one of the two.")
    if count is not None and count < 1:
        raise BadInputError(f"--count {count} is out of range: give a whole number from 1 on.")
    if replay is not None:
        others = (command_, save, stand_in, once, count, for_, rewrite, bodies, base_path, listen, port, url)
        if any(each is not None and each is not False for each in others):
            raise BadInputError("--replay only shows what was saved: leave out whatever records (COMMAND, --save, …).")
        raise typer.Exit(_replay(replay, output, chosen, table if proxy_version is not None else None))
    if url is not None and port is not None:
        raise BadInputError("--url already holds the port: give either --url or --port.")
    if not host.strip():
        raise BadInputError("--host '' is no host name: leave it out, or give one such as 127.0.0.1.")
    if bodies and save is None and output == "terminal":
        raise BadInputError("--bodies needs a place to keep them: give --save FILE, or --format jsonl.")
    settings = None
    if not stand_in:
        from antigravity_doctor.sources.proxy_settings import read_proxy_settings

        settings = read_proxy_settings(os.environ)
    asked = _Asked(
        origin=options.origin_of(None, port, url),
        given=port is not None or url is not None,
        stand_in=stand_in,
        client=chosen,
        table=table,
        version_given=proxy_version is not None,
        base_path=_base_path(base_path),
        rewrite=rewrite,
        count=1 if once else count,
        seconds=for_,
        bodies=bodies,
        listen=None if listen is None else 0 if listen.strip() == "0" else port_number(listen.strip()),
        host=host.strip(),
        timeout=timeout,
        command=tuple(command_ or ()),
        settings=settings,
    )
    if not is_loopback_host(asked.host):
        shown = options.printable_input(asked.host)
        say(f"listening on {shown}, which other machines may reach, and so the proxy; the default is loopback.")
    with _saving(save) as file:
        raise typer.Exit(_record(asked, output, file))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked for, checked. `base_path` None: not given. `listen` None: the usual port, or any free one."""

    origin: str
    given: bool
    stand_in: bool
    client: Client | None
    table: RouteTable
    version_given: bool
    base_path: str | None
    rewrite: bool
    count: int | None
    seconds: float | None
    bodies: bool
    listen: int | None
    host: str
    timeout: float
    command: tuple[str, ...]
    settings: ProxySettings | None


def _base_path(typed: str | None) -> str | None:
    """--base-path as it goes behind the recorder's origin. Raises BadInputError for what is no path."""
    if typed is None or typed in ("", "/"):
        return typed
    path = typed if typed.startswith("/") else "/" + typed
    if "://" in typed or "#" in typed or "?" in typed or not path.isascii() or not path.isprintable() or " " in path:
        shown = options.printable_input(typed)
        raise BadInputError(f"--base-path {shown} is no path: give what stands behind the port, such as /v1.")
    return path


# --- recording ------------------------------------------------------------------------------------------------------


def _record(asked: _Asked, output: str, file: TextIO | None) -> int:
    """Records until the end that was asked for, and gives the exit code."""
    import asyncio

    from antigravity_doctor.servers.listening import free_port
    from antigravity_doctor.servers.trace_run import NoSuchProgramError, Run, run

    with ExitStack() as stack:
        target = _target(asked, stack)
        show = _Show(asked, target, output, file)
        proxy_host, proxy_port = host_and_port(target.upstream)
        listen = asked.listen if asked.listen is not None else free_port(asked.host, USUAL_PORT)
        if listen == proxy_port and is_loopback_host(proxy_host):
            if asked.listen is not None:
                raise BadInputError(f"--listen {listen} is the proxy's own port: give another one, or leave it out.")
            listen = 0
        plan = Run(
            upstream=target.upstream,
            host=asked.host,
            port=listen,
            rewrite=show.rewrite if asked.rewrite else None,
            keep_bodies=asked.bodies,
            answer_timeout=asked.timeout,
            count=asked.count,
            seconds=asked.seconds,
            command=asked.command,
            environment=show.environment,
            output_to_stderr=output != "terminal",
        )
        try:
            with show:
                ended = asyncio.run(run(plan, show.start, show.exchange, show.tick if show.live is not None else None))
        except NoSuchProgramError as error:
            shown = options.printable_input(asked.command[0])
            raise BadInputError(
                f"{shown} cannot be started ({error.strerror}): give a program that is there."
            ) from None
        except OSError as error:
            free = free_port(asked.host, 0)
            offer = (
                f" Port {free} is free: --listen {free}" if asked.listen and free else " Leave out --listen and --host."
            )
            raise BadInputError(f"{error.strerror or error}{offer}") from None
        except ValueError:
            shown = options.printable_input(asked.host)
            raise BadInputError(f"--host {shown} is no host name: leave it out.") from None
        code = show.finish()
        return ended.code if ended.code is not None else code


@dataclass(frozen=True, slots=True)
class _Target:
    """Where requests go on to, and the proxy that fixes are made for: two addresses only with --stand-in."""

    upstream: str
    origin: str
    table: RouteTable
    source: str
    version: str | None


def _target(asked: _Asked, stack: ExitStack) -> _Target:
    if asked.stand_in:
        from antigravity_doctor.diagnosis.proxy_model import ServerConfig
        from antigravity_doctor.servers.stand_in import run_in_thread

        version = str(asked.table.version)
        running = stack.enter_context(run_in_thread(ServerConfig(version=version)))
        return _Target(running.url, asked.origin, asked.table, "stand-in", version)
    import asyncio

    from antigravity_doctor.probes.session import CheckOptions
    from antigravity_doctor.probes.target import find_target

    checking = CheckOptions(
        origin=asked.origin, settings=asked.settings, environment=os.environ, timeout=1.0, total_timeout=2.0
    )
    found = asyncio.run(find_target(checking, given=asked.given))
    _say_of(found)
    table = asked.table
    if found.version is not None and not asked.version_given:
        table = options.table_of(found.version)
    return _Target(found.origin, found.origin, table, found.source, found.version)


def _say_of(found: Target) -> None:
    """Says on stderr what is wrong with the target; the recorder starts all the same, for the proxy may come later."""
    from antigravity_doctor.knowledge.texts import phrase

    if found.answering in ("nothing", "other"):
        facts = {"url": found.origin, "ports": ", ".join(map(str, found.elsewhere))}
        key = "trace-elsewhere" if found.elsewhere else f"trace-{found.answering}-there"
        say(phrase(key, facts))


class _Show:
    """Everything that is shown and saved of one run; a context manager while requests come."""

    def __init__(self, asked: _Asked, target: _Target, output: str, file: TextIO | None) -> None:
        self.asked = asked
        self.target = target
        self.output = output
        self.file = file
        self.given_by_trace = False
        self.watch: Watch | None = None
        self.live: LiveTable | None = None
        self.objects: list[dict[str, Any]] = []
        self.late: deque[Recorded] = deque(maxlen=KEPT)
        self.terminal = options.stdout_terminal()
        if output == "terminal" and sys.stdout.isatty() and not asked.command:
            from antigravity_doctor.reports.trace_live import LiveTable

            self.live = LiveTable(sys.stdout, self.terminal, time.monotonic)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        if self.live is not None and self.watch is not None:
            self.live.__exit__()

    @property
    def seen(self) -> Watch:
        """What was seen. Raises RuntimeError before the recorder has started."""
        if self.watch is None:
            raise RuntimeError("the recorder has not started")
        return self.watch

    def start(self, recorder: Recorder) -> None:
        """The recorder listens: says where."""
        from antigravity_doctor.diagnosis.watching import Watch
        from antigravity_doctor.reports.trace import opening_lines

        given = None if self.asked.base_path is None else recorder.url + self.asked.base_path
        self.watch = Watch(
            table=self.target.table,
            origin=self.target.origin,
            recorder=recorder.url,
            given=given,
            client=self.asked.client,
        )
        if self.asked.command:
            return
        facts = {"url": recorder.url, "base_url": given or recorder.url, "origin": self.target.origin}
        lines = opening_lines(
            facts,
            self.terminal.width,
            source=self.target.source,
            version=self.target.version,
            own_path=given is None,
            rewriting=self.asked.rewrite,
        )
        self._write(lines, to_stderr=self.output != "terminal")
        if self.live is not None:
            self.live.__enter__()

    def environment(self, recorder: str) -> Mapping[str, str]:
        """The command's environment, said on stderr."""
        from antigravity_doctor.diagnosis.launching import launch
        from antigravity_doctor.diagnosis.secrets import redact
        from antigravity_doctor.knowledge.clients import client_of_program
        from antigravity_doctor.reports.trace import launch_lines

        client = self.asked.client or client_of_program(self.asked.command[0])
        key = self._key()
        found = launch(
            client,
            self.target.table,
            recorder,
            self.target.origin,
            os.environ,
            base_path=self.asked.base_path,
            with_key=key is not None,
        )
        self.given_by_trace = bool(found.variables) and not any(each.why == "kept" for each in found.variables)
        # Somebody's own base URL may hold a password or a key.
        shown = [each._replace(value=redact(each.value), was=each.was and redact(each.was)) for each in found.variables]
        lines = launch_lines(found._replace(variables=tuple(shown)), recorder, client, self.terminal.width)
        self._write(lines, to_stderr=True)
        return {
            **os.environ,
            **{each.name: key if each.why == "key" and key else each.value for each in found.variables},
        }

    def _key(self) -> str | None:
        """The key for a command that has none: the proxy's own, where it is known; with the stand-in any will do.

        None where there is none: a made-up one would win over the key in the client's own files, and be refused.
        """
        key = os.environ.get("AGDOCTOR_API_KEY", "").strip()
        settings = self.asked.settings
        if not key and settings is not None and settings.api_key and self.target.origin.endswith(f":{settings.port}"):
            key = settings.api_key.reveal()
        return key or (TRACE_KEY if self.asked.stand_in else None)

    def rewrite(self, method: str, path: str) -> str | None:
        """See `Recorder`: the path that a misrouted request was meant for."""
        return self.seen.rewritten(method, path)

    def exchange(self, exchange: Exchange) -> bool:
        """Shows and saves one request; False where there is nobody left to show it to."""
        one = self.seen.add(exchange)
        try:
            self._show(one)
        except typer.Exit:  # whoever read the output (head) has gone
            return False
        except BrokenPipeError:  # the same, noticed when what was written is passed on
            options.drop_output()
            return False
        return True

    def _show(self, one: Recorded) -> None:
        if self.file is not None or self.output != "terminal":
            from antigravity_doctor.reports.trace_json import json_line, recorded_object

            version = str(self.target.table.version)
            found = recorded_object(one, origin=self.target.origin, proxy_version=version)
            if self.file is not None:
                self.file.write(json_line(found))
                self.file.flush()
            if self.output == "jsonl":
                options.write(json_line(found))
                sys.stdout.flush()
            elif self.output == "json" and len(self.objects) < KEPT:
                self.objects.append(found)
        if self.output == "terminal":
            from antigravity_doctor.reports.trace import row_lines

            if self.asked.command:
                self.late.append(one)  # the terminal is the command's until it has ended
            elif self.live is not None:
                self.live.add(one)
            else:
                self._write(row_lines(one, self.terminal.width))
                sys.stdout.flush()

    def tick(self, recorder: Recorder) -> None:
        """Paints the lower part of the live table: what is under way, and what is known."""
        from antigravity_doctor.reports.trace import pending_lines, summary_lines

        live = self.live
        if live is None:
            return

        def lower() -> list[Line]:
            now = time.monotonic()
            under_way = [(each.method, each.path, now - each.started) for each in list(recorder.pending.values())[:3]]
            lines = pending_lines([each for each in under_way if each[2] >= 0.5], self.terminal.width)
            summary = self.seen.summary
            if summary.total:
                lines += summary_lines(summary, self.terminal.width, rewriting=self.asked.rewrite)
            return lines

        live.show(lower)

    def finish(self) -> int:
        """The report at the end, and the exit code."""
        from antigravity_doctor.knowledge.texts import phrase
        from antigravity_doctor.reports.trace import folded, row_lines, summary_lines

        code = _exit_code(self.seen)
        summary = self.seen.summary
        to_stderr = bool(self.asked.command) or self.output != "terminal"
        lines: list[Line] = [[]] if self.late else []
        if self.late and summary.total > len(self.late):
            skipped = phrase("trace-skipped", {"count": str(summary.total - len(self.late))})
            lines.append([("  ", ""), (skipped, "dim")])
        for one, times in folded(self.late):
            lines += row_lines(one, self.terminal.width, times)
        given = self.given_by_trace and self.asked.base_path is None
        lines += summary_lines(summary, self.terminal.width, rewriting=self.asked.rewrite, given_by_trace=given)
        self._write(lines, to_stderr=to_stderr)
        if self.output == "json":
            from antigravity_doctor.reports.json_v1 import dump
            from antigravity_doctor.reports.trace_json import trace_document

            options.write(dump(trace_document(self.objects, summary, str(self.target.table.version), code)))
        return code

    def _write(self, lines: Iterable[Line], *, to_stderr: bool = False) -> None:
        from antigravity_doctor.reports.paint import render, terminal_for

        if to_stderr:
            sys.stderr.write(render(lines, terminal_for(sys.stderr)))
            sys.stderr.flush()
        else:
            options.write(render(lines, self.terminal))


def _exit_code(seen: Watch) -> int:
    """1 where a request has an error finding, and where none came at all: what was not observed is no success."""
    return 1 if seen.errors or not seen.summary.total else 0


# --- files ----------------------------------------------------------------------------------------------------------


@contextmanager
def _saving(path: Path | None) -> Iterator[TextIO | None]:
    """The file of --save, for its owner's eyes only. Raises BadInputError for one that is something else than a
    trace."""
    if path is None:
        yield None
        return
    shown = options.printable_input(str(path))
    try:
        if path.exists() and path.stat().st_size > 0:
            with path.open("rb") as old:
                if not old.read(64).startswith(b'{"schema_version":1,"command":"trace"'):
                    raise BadInputError(f"--save {shown}: there is a file that is no saved trace: give another name.")
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8")
    except (OSError, ValueError) as error:
        raise BadInputError(f"--save {shown} cannot be written ({getattr(error, 'strerror', error)}).") from None
    with file:
        yield file


def _replay(name: str, output: str, client: Client | None, table: RouteTable | None) -> int:
    """Shows a saved trace again, judged with what is known today."""
    from antigravity_doctor.sources.saved_trace import SavedTraceError, read_saved

    shown = "standard input" if name == "-" else options.printable_input(name)
    try:
        with ExitStack() as stack:
            lines = sys.stdin if name == "-" else stack.enter_context(Path(name).open(encoding="utf-8"))
            return _replayed(read_saved(lines, shown), output, client, table)
    except SavedTraceError as error:
        raise BadInputError(f"{error}. Give a file that `agdoctor trace --save` has written.") from None
    except (OSError, UnicodeDecodeError, ValueError) as error:
        if isinstance(error, BadInputError):
            raise
        why = getattr(error, "strerror", None) or "it is not text"
        raise BadInputError(f"--replay {shown} cannot be read ({why}).") from None


def _replayed(saved: Iterable[Saved], output: str, client: Client | None, table: RouteTable | None) -> int:
    from antigravity_doctor.diagnosis.watching import Watch
    from antigravity_doctor.reports.json_v1 import dump
    from antigravity_doctor.reports.paint import render
    from antigravity_doctor.reports.trace import row_lines, summary_lines
    from antigravity_doctor.reports.trace_json import json_line, recorded_object, trace_document

    terminal = options.stdout_terminal()
    watch = None
    version = ""
    objects: list[dict[str, Any]] = []
    for each in saved:
        if watch is None:
            used = table or options.table_of(each.proxy_version)
            version = str(used.version)
            watch = Watch(table=used, origin=each.origin, recorder=each.recorder, given=each.given, client=client)
            options.write("\n" if output == "terminal" else "")
        one = watch.add(each.exchange)
        if output == "terminal":
            options.write(render(row_lines(one, terminal.width), terminal))
            continue
        found = recorded_object(one, origin=each.origin, proxy_version=version)
        if output == "jsonl":
            options.write(json_line(found))
        elif len(objects) < KEPT:
            objects.append(found)
    if watch is None:
        raise BadInputError("The saved trace is empty: no request came while it was written.")
    code = _exit_code(watch)
    if output == "terminal":
        options.write(render(summary_lines(watch.summary, terminal.width), terminal))
    elif output == "json":
        options.write(dump(trace_document(objects, watch.summary, version, code)))
    return code
