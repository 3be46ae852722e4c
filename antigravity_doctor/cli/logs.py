"""Find wrong requests in logs, and the fix for each."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, NamedTuple, cast

import typer

from antigravity_doctor.cli import options
from antigravity_doctor.cli.errors import BadInputError, Exit, say
from antigravity_doctor.sources.home_paths import with_tilde

if TYPE_CHECKING:
    from antigravity_doctor.diagnosis.explaining import Explanation
    from antigravity_doctor.diagnosis.tallying import FailedStart, LogFile, NotRead, Observation, Tally
    from antigravity_doctor.knowledge.clients import Client
    from antigravity_doctor.knowledge.routes import RouteTable
    from antigravity_doctor.reports.paint import Line
    from antigravity_doctor.sources.log_files import Found
    from antigravity_doctor.sources.log_following import Event

FORMATS = ("terminal", "json", "jsonl")
EVERY = 0.5
"""Seconds between two looks at what is followed."""

_AGO = re.compile(r"(\d{1,6})\s*(s|sec|m|min|h|hours?|d|days?|w|weeks?)")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_BAR_FROM = 30 << 20
"""Bytes from which on reading takes long enough for a progress bar."""


def command(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE | DIR | -]...",
            help="Logs, folders of logs, the proxy's proxy_logs.db, or - for standard input.",
            show_default="the proxy's own",
        ),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Watch: a row for each request as it comes.")] = False,
    since: Annotated[
        str | None, typer.Option("--since", help="Only what is newer: 2h, 3d, 2026-02-03, 2026-02-03T09:00.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show every path and every group.")] = False,
    client: options.ClientOption = None,
    base_url: options.BaseUrlOption = None,
    host: options.HostOption = None,
    port: options.PortOption = None,
    url: options.UrlOption = None,
    proxy_version: options.ProxyVersionOption = None,
    format_: Annotated[
        str, typer.Option("--format", "-f", help="terminal or json; with --follow terminal or jsonl.")
    ] = "terminal",
    json_: options.JsonOption = False,
) -> None:
    """Reads logs and the traffic database; exit code 1 if a request in them was wrong."""
    output = options.wants_json(format_, json_, FORMATS)
    if follow and json_:
        output = "jsonl"
    if (output == "jsonl") is not follow and output != "terminal":
        raise BadInputError("--format jsonl is for --follow, and json for what is read once.")
    if follow and since is not None:
        raise BadInputError("--follow shows what comes from now on: leave out --since.")
    checked = None
    if base_url is not None:
        checked = options.base_url_of(base_url)
        options.say_if_scheme_is_missing(base_url)
    asked = _Asked(
        origin=options.origin_of(host, port, url),
        table=options.table_of(proxy_version),
        version=proxy_version,
        client=options.client_of(client),
        base_url=checked,
        everything=everything,
        output=output,
    )
    started = None if since is None else since_of(since, time.time())
    if files is not None and files.count("-") > 1:
        raise BadInputError("Standard input can be read only once: give a single - .")
    if follow:
        raise typer.Exit(_follow(asked, files or []))
    raise typer.Exit(_read(asked, _found(files or []), started))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked for, checked. `version` is None where the newest is taken."""

    origin: str
    table: RouteTable
    version: str | None
    client: Client | None
    base_url: str | None
    everything: bool
    output: str


def since_of(text: str, now: float) -> float:
    """--since in seconds since 1970. Raises BadInputError for text that is neither a time nor a stretch of time."""
    from antigravity_doctor.sources.log_times import parse_time

    typed = text.strip()
    ago = _AGO.fullmatch(typed.lower())
    if ago is not None:
        return now - int(ago[1]) * _UNITS[ago[2][0]]
    full = typed
    if re.fullmatch(r"\d{4}-\d\d-\d\d", typed):
        full += "T00:00:00"
    elif re.fullmatch(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", typed):
        full += ":00"
    when = parse_time(full.encode("utf-8", "replace")) if full[:4].isdigit() and len(full) >= 19 else None
    if when is None:
        shown = options.printable_input(text)
        raise BadInputError(f"--since {shown} is no time: give one such as 2h, 3d, 2026-02-03 or 2026-02-03T09:00.")
    return when


def _found(files: list[str]) -> Found:
    """What there is to read. Raises BadInputError where there is nothing at all."""
    from antigravity_doctor.sources.log_files import named_logs, own_logs

    if not files:
        found = own_logs(os.environ)
        if not found.sources and not found.unreadable:
            raise BadInputError(_nothing_found(found.folder))
        return found
    if any(not each.strip() for each in files):
        raise BadInputError("An empty name was given: give a log such as access.log, or nothing for the proxy's own.")
    return named_logs(files)


def _nothing_found(folder: Path | None) -> str:
    from antigravity_doctor.knowledge.texts import room_phrase

    if folder is None:
        return room_phrase("logs", "nothing-found-anywhere")
    return room_phrase("logs", "nothing-found", {"folder": str(folder)})


# --- reading ---------------------------------------------------------------------------------------------------------


class Seen(NamedTuple):
    """What a look at logs came to: everything that `reports.logs` and `reports.logs_json` need. `folder` is the proxy's
    data directory as people write it, None where files were named."""

    tally: Tally
    files: tuple[LogFile, ...]
    not_read: tuple[NotRead, ...]
    blind: tuple[str, ...]
    folder: str | None
    tls: int
    garbled: int
    failed_start: FailedStart | None = None


def own_seen(table: RouteTable, origin: str, since: float | None = None) -> Seen | None:
    """The same for the proxy's own logs of this machine, for other commands; None where there are none. Never asks,
    never prints, never raises for what is in a file."""
    from antigravity_doctor.sources.log_files import own_logs

    found = own_logs(os.environ)
    return look(found, table=table, origin=origin, since=since) if found.sources else None


def look(
    found: Found,
    *,
    table: RouteTable,
    origin: str,
    base_url: str | None = None,
    client: Client | None = None,
    since: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> Seen:
    """Reads what was found, and sorts what was requested."""
    from antigravity_doctor.diagnosis.tallying import blind_spots, tally
    from antigravity_doctor.sources.log_reading import read_logs

    stdin = cast("BinaryIO", sys.stdin.buffer) if any(each.kind == "stdin" for each in found.sources) else None
    read = read_logs(found.sources, since=since, stdin=stdin, progress=progress)
    seen = tally(
        read.observations,
        table=table,
        origin=origin,
        base_url=base_url,
        client=client,
        others=read.others,
        keys=_keys(),
    )
    folder = None if found.folder is None else _at_home(found.folder)
    not_read = (*found.unreadable, *read.unreadable)
    return Seen(seen, read.files, not_read, blind_spots(read.files), folder, read.tls, read.garbled, read.failed_start)


def _keys() -> tuple[str, ...]:
    """Keys that are known on this machine, so that they are masked whatever they look like. One that is a word of the
    proxy's own paths is not among them: it would hide what was requested."""
    from antigravity_doctor.knowledge.routes import all_routes
    from antigravity_doctor.sources.proxy_settings import read_proxy_settings

    settings = read_proxy_settings(os.environ)
    own = settings.api_key.reveal() if settings is not None and settings.api_key else ""
    known = {own, os.environ.get("AGDOCTOR_API_KEY", "").strip()}
    return tuple(each for each in known if len(each) > 5 and not any(each in route.path for route in all_routes()))


def _nothing_read(not_read: Iterable[NotRead]) -> BadInputError:
    """The end, after a word about each thing that could not be read."""
    from antigravity_doctor.reports.logs import said

    _say_skipped(not_read)
    return BadInputError(said("nothing-to-read"))


def _read(asked: _Asked, found: Found, since: float | None) -> int:
    if not found.sources:
        raise _nothing_read(found.unreadable)
    bar = _Bar(sum(each.size for each in found.sources))
    with bar:
        seen = look(
            found,
            table=asked.table,
            origin=asked.origin,
            base_url=asked.base_url,
            client=asked.client,
            since=since,
            progress=bar.add if bar.shown else None,
        )
    if not seen.files:
        raise _nothing_read(seen.not_read)
    unusable = not seen.tally.total and all(each.problem not in (None, "cut-off") for each in seen.files)
    # A file that was named and could not be read is bad input, whatever the others say.
    missed = bool(seen.not_read) and seen.folder is None
    code = Exit.FINDINGS if seen.tally.errors else Exit.BAD_INPUT if unusable or missed else Exit.OK
    if asked.output == "json":
        from antigravity_doctor.reports.json_v1 import dump
        from antigravity_doctor.reports.logs_json import logs_document

        document = logs_document(
            seen.tally,
            seen.files,
            seen.not_read,
            seen.blind,
            origin=asked.origin,
            proxy_version=str(asked.table.version) if asked.version is not None else None,
            folder=seen.folder,
            exit_code=int(code),
            everything=asked.everything,
            tls=seen.tls,
            garbled=seen.garbled,
        )
        options.write(dump(document))
        return int(code)
    from antigravity_doctor.reports.logs import reading_lines, tally_lines

    width = options.stdout_terminal().width
    _write(reading_lines(seen.files, seen.not_read, seen.folder, width, only_newer=since is not None))
    _write(
        tally_lines(
            seen.tally,
            seen.blind,
            width,
            everything=asked.everything,
            tls=seen.tls,
            garbled=seen.garbled,
            failed_start=seen.failed_start,
        )
    )
    return int(code)


def _at_home(folder: Path) -> str:
    return with_tilde(str(folder), os.environ.get("HOME") or os.environ.get("USERPROFILE") or "")


def _write(lines: Iterable[Line]) -> None:
    from antigravity_doctor.reports.paint import render

    options.write(render(lines, options.stdout_terminal()))


class _Bar:
    """A progress bar on stderr, for what takes a while; nothing where stderr is no terminal."""

    def __init__(self, total: int) -> None:
        self.shown = total >= _BAR_FROM and sys.stderr.isatty()
        self._total = total
        self._done = 0
        self._painted = 0.0

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        if self.shown and self._painted:
            sys.stderr.write("\r" + " " * 60 + "\r")
            sys.stderr.flush()

    def add(self, count: int) -> None:
        """So many bytes more are done."""
        self._done += count
        now = time.monotonic()
        if now - self._painted < 0.1:
            return
        self._painted = now
        from antigravity_doctor.knowledge.texts import room_phrase

        part = min(1.0, self._done / self._total)
        filled = int(part * 24)
        facts = {"done": str(min(self._done, self._total) >> 20), "total": str(self._total >> 20)}
        bar = "#" * filled + "." * (24 - filled)
        sys.stderr.write(f"\r[{bar}] " + room_phrase("logs", "progress", facts) + " ")
        sys.stderr.flush()


# --- following -------------------------------------------------------------------------------------------------------


def _follow(asked: _Asked, files: list[str]) -> int:
    from antigravity_doctor.diagnosis.secrets import redact
    from antigravity_doctor.diagnosis.tallying import clients_of, explained, shown_kind
    from antigravity_doctor.reports.logs import event_lines, note_lines
    from antigravity_doctor.sources.log_following import OnceEach

    watched = _watched(files)
    width = options.stdout_terminal().width
    names = ", ".join(each.path.name for each in watched if each.is_there)
    once = OnceEach()
    keys = _keys()
    wrong = False

    def judged(one: Observation) -> Explanation:
        return explained(
            one.path,
            table=asked.table,
            origin=asked.origin,
            method=one.method,
            status=one.status,
            headers=(("x-admin-stripped", "yes"),) if one.admin else (),
            base_url=asked.base_url,
            clients=(asked.client,) if asked.client is not None else clients_of(one.agents),
            keys=keys,
        )

    def show(event: Event) -> None:
        nonlocal wrong
        if event.request is None:
            _say_lines(note_lines(f"follow-{event.note}", {"name": event.name}, width))
            return
        if not once.is_new(event.request):
            return
        agents = tuple((redact(agent, *keys), count) for agent, count in event.request.agents)
        one = event.request._replace(kind=shown_kind(event.request.kind), agents=agents)
        found = judged(one)
        wrong = wrong or any(each.severity == "error" for each in found.findings)
        if asked.output == "jsonl":
            from antigravity_doctor.reports.logs_json import event_object
            from antigravity_doctor.reports.trace_json import json_line

            version = str(asked.table.version)
            options.write(json_line(event_object(one, found, event.name, origin=asked.origin, proxy_version=version)))
        else:
            _write(event_lines(one, found, width))
        sys.stdout.flush()

    try:
        _say_lines(note_lines("follow", {"names": names}, width))
        while True:
            for each in watched:
                for event in each.poll():
                    show(event)
            time.sleep(EVERY)
    except KeyboardInterrupt:
        return int(Exit.FINDINGS if wrong else Exit.OK)
    except BrokenPipeError:
        return options.reader_gone()


def _watched(files: list[str]) -> list[_Watched]:
    """What is followed. Raises BadInputError where nothing is there that grows."""
    from antigravity_doctor.knowledge.texts import room_phrase
    from antigravity_doctor.sources.proxy_settings import data_directory

    if not files:
        folder = data_directory(os.environ)
        watched, not_read = _watched_in(folder) if folder is not None else ([], [])
        if not any(each.is_there for each in watched):
            raise _nothing_read(not_read) if not_read else BadInputError(_nothing_found(folder))
        return watched
    watched, not_read = [], []
    for name in files:
        some, problems = _watched_at(name)
        watched += some
        not_read += problems
    if not any(each.is_there for each in watched):
        if not_read:
            raise _nothing_read(not_read)
        names = ", ".join(options.printable_input(each) for each in files)
        raise BadInputError(room_phrase("logs", "follow-nothing", {"names": names}))
    _say_skipped(not_read)
    return watched


def _watched_at(name: str) -> tuple[list[_Watched], list[NotRead]]:
    """What a name stands for, and what of it cannot be watched; archives, pipes and standard input are neither."""
    from antigravity_doctor.sources.log_files import Source, is_folder, look_at
    from antigravity_doctor.sources.log_following import Rows, Tail

    path = Path(name)
    if is_folder(path):
        return _watched_in(path)
    if name == "-" or path.suffix in (".gz", ".bz2", ".xz"):
        return [], []
    found = look_at(path)
    if isinstance(found, Source):
        if found.kind == "database":
            return [Rows(path)], []
        return ([Tail(path)], []) if found.kind == "text" and found.packing is None else ([], [])
    if found.why == "empty":
        return [Rows(path) if path.suffix == ".db" else Tail(path)], []
    return [], [found._replace(name=name)]


def _watched_in(folder: Path) -> tuple[list[_Watched], list[NotRead]]:
    """The log of a folder that is written now, and the traffic database; each may come later, if the other is there."""
    from antigravity_doctor.diagnosis.tallying import NotRead
    from antigravity_doctor.sources.log_files import DATABASE, is_file, look_at, may_list, newest_in
    from antigravity_doctor.sources.log_following import Rows, Tail

    logs, database = folder / "logs", folder / DATABASE
    closed = [each for each in (folder, logs) if not may_list(each)]
    if closed:
        return [], [NotRead(_at_home(closed[0]), "denied")]
    newest = newest_in(logs) or newest_in(folder)
    home = newest.parent if newest is not None else logs
    watched: list[_Watched] = []
    not_read: list[NotRead] = []
    is_proxys = is_file(database) or home == logs
    if newest is not None or is_proxys:
        watched.append(Tail(newest or logs / "app.log", lambda: newest_in(home)))
    if is_proxys:
        watched.append(Rows(database))
    for each in watched:
        found = look_at(each.path) if each.is_there else None
        if isinstance(found, NotRead) and found.why != "empty":
            not_read.append(found)
    refused = {each.name for each in not_read}
    return [each for each in watched if str(each.path) not in refused], not_read


def _say_skipped(not_read: Iterable[NotRead]) -> None:
    from antigravity_doctor.reports.logs import skipped_text

    for each in not_read:
        say(skipped_text(each))


def _say_lines(lines: Iterable[Line]) -> None:
    from antigravity_doctor.reports.paint import render, terminal_for

    sys.stderr.write(render(lines, terminal_for(sys.stderr)))
    sys.stderr.flush()


if TYPE_CHECKING:
    from antigravity_doctor.sources.log_following import Rows, Tail

    _Watched = Rows | Tail
