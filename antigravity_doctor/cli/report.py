"""Make a report for an issue: no keys, no names, no home path."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from antigravity_doctor import __version__
from antigravity_doctor.cli import options
from antigravity_doctor.cli.errors import BadInputError, say

if TYPE_CHECKING:
    import zipfile

    from antigravity_doctor.diagnosis.anonymising import Who
    from antigravity_doctor.diagnosis.settings import ProxySettings
    from antigravity_doctor.knowledge.clients import Client
    from antigravity_doctor.reports.bundle import Section
    from antigravity_doctor.reports.paint import Line
    from antigravity_doctor.sources.client_settings import Machine

WIDTH = 100
"""Columns of the texts in the report: what a terminal would have shown."""


def command(
    client: options.ClientOption = None,
    base_url: options.BaseUrlOption = None,
    host: options.HostOption = None,
    port: options.PortOption = None,
    url: options.UrlOption = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write it to this new file as well.")] = None,
    zip_: Annotated[
        Path | None, typer.Option("--zip", help="Write it to this new archive as well, with its parts as files.")
    ] = None,
    no_logs: Annotated[bool, typer.Option("--no-logs", help="Leave out what the proxy's logs say.")] = False,
) -> None:
    """Prints check, scan and a summary of the proxy's logs as Markdown: you see all of it before you send it."""
    chosen = options.client_of(client)
    for place in (out, zip_):
        if place is not None:
            _must_be_new(place)
    origin, source = options.origin_and_source(host, port, url)
    checked = options.base_url_of(base_url) if base_url is not None else None
    from antigravity_doctor.diagnosis.anonymising import anonymous
    from antigravity_doctor.reports.bundle import Section, markdown
    from antigravity_doctor.sources.proxy_settings import read_proxy_settings

    machine = options.machine()
    settings = read_proxy_settings(machine.environment)
    who = _who(machine, settings)
    version, check = _check(origin, source, checked, chosen, settings, machine)
    raw = [check, _scan(host, port, url, machine, chosen)]
    raw.append(Section("logs", "", "logs-left-out") if no_logs else _logs(origin))
    sections = [each._replace(text=anonymous(each.text, who)) for each in raw]
    facts = [(key, anonymous(value, who)) for key, value in _facts(machine, origin, source, version, settings)]
    if chosen is not None:
        facts.append(("client", chosen.name))
    document = anonymous(markdown(facts, sections), who)
    options.write(document)
    if out is not None:
        _save(out, document.encode("utf-8"))
    if zip_ is not None:
        _save(zip_, _archive(document, sections))


def _facts(
    machine: Machine, origin: str, source: options.Source, version: str | None, settings: ProxySettings | None
) -> Iterable[tuple[str, str]]:
    """The table at the top: versions, system, where this runs, the proxy and its settings (never a key)."""
    from antigravity_doctor.knowledge.texts import reason_text, room_phrase
    from antigravity_doctor.sources.surroundings import surroundings

    yield "agdoctor", __version__
    yield "python", f"{platform.python_version()} ({platform.python_implementation()})"
    yield "system", f"{platform.system()} {platform.release()} {platform.machine()}"
    around = surroundings(machine.environment)
    where = [each for each in (around.container, f"WSL {around.wsl}" if around.wsl else None, around.remote) if each]
    if where:
        yield "where", ", ".join(where)
    where_from = "" if source == "given" else f" ({room_phrase('scan', 'source-' + source)})"
    yield "proxy", f"{origin}{where_from}, version {version or 'not known'}"
    if settings is not None:
        if settings.problem is not None:
            yield "settings", reason_text(f"words.file-{settings.problem}")
        else:
            lan = {True: "on", False: "off", None: "not said"}[settings.allow_lan]
            key = "set" if settings.api_key else "empty or not said"
            said = f"port {settings.port}, auth_mode {settings.auth_mode}, LAN access {lan}, key {key}"
            yield "settings", f"{said}; does not load" if settings.faults else said


def _check(
    origin: str,
    source: options.Source,
    base_url: str | None,
    client: Client | None,
    settings: ProxySettings | None,
    machine: Machine,
) -> tuple[str | None, Section]:
    """The proxy's version, and the check as a terminal shows it. What clients are set to is left to the scan."""
    from antigravity_doctor.probes.run import run_check_sync
    from antigravity_doctor.probes.session import CheckOptions
    from antigravity_doctor.reports.bundle import Section
    from antigravity_doctor.reports.check import check_lines

    key, key_source = options.key_of(None)
    checking = CheckOptions(
        origin=origin,
        base_url=base_url,
        client=client,
        api_key=key,
        key_source=key_source,
        environment=machine.environment,
        settings=settings,
    )
    report = run_check_sync(checking)
    # What clients are set to is the next section.
    report = report._replace(checks=tuple(each for each in report.checks if each.id != "client-settings"))
    return report.proxy_version, Section("check", _plain(check_lines(report, WIDTH, source=source)))


def _scan(host: str | None, port: str | None, url: str | None, machine: Machine, only: Client | None) -> Section:
    from antigravity_doctor.cli.scan import Asked, scan_machine
    from antigravity_doctor.reports.bundle import Section
    from antigravity_doctor.reports.scan import scan_lines

    found = scan_machine(machine, Asked(host, port, url, None, False), only)
    lines = scan_lines(
        found.scan, WIDTH, source=found.source, answering=found.answering, version=found.version, only=only
    )
    return Section("scan", _plain(lines))


def _logs(origin: str) -> Section:
    """A summary of the proxy's own logs: sentences, no lines of them."""
    from antigravity_doctor.cli.logs import own_seen
    from antigravity_doctor.reports.bundle import Section
    from antigravity_doctor.reports.logs import summary_texts

    try:
        seen = own_seen(options.table_of(None), origin)
    except OSError:  # all else of the report is worth having
        return Section("logs", "", "logs-unreadable")
    if seen is None:
        return Section("logs", "", "logs-unreadable" if _logs_are_closed() else "logs-none")
    return Section("logs", "\n".join(summary_texts(seen.tally)))


def _logs_are_closed() -> bool:
    """Whether there is a folder of logs that this user may not look into."""
    from antigravity_doctor.sources.data_folder import data_folder

    try:
        os.scandir(Path(data_folder(os.environ) or os.devnull, "logs")).close()
    except PermissionError:
        return True
    except (OSError, ValueError):
        pass
    return False


def _plain(lines: Iterable[Line]) -> str:
    from antigravity_doctor.reports.paint import Terminal, render

    return render(lines, Terminal(WIDTH, colour=False, unicode=True))


def _who(machine: Machine, settings: ProxySettings | None) -> Who:
    """What is private here. The proxy's own key is among it, in case something repeats it."""
    from antigravity_doctor.diagnosis.anonymising import Who

    users = {machine.environment.get(name, "") for name in ("USER", "USERNAME", "LOGNAME", "SUDO_USER")}
    users.add(machine.home.replace("\\", "/").rstrip("/").rpartition("/")[2])
    hosts = {platform.node(), platform.node().partition(".")[0], machine.environment.get("COMPUTERNAME", "")}
    key = settings.api_key.reveal() if settings is not None and settings.api_key else ""
    given = machine.environment.get(options.KEY_VARIABLE, "").strip()
    keys = tuple(each for each in (key, given) if len(each) > 5)
    return Who(machine.home, tuple(filter(None, users)), tuple(filter(None, hosts)), keys)


def _must_be_new(place: Path) -> None:
    """Raises BadInputError where a file exists, or where nobody may look whether it does."""
    try:
        place.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, ValueError) as error:
        raise _unwritable(place, error) from None
    raise BadInputError(f"{options.printable_input(str(place))} exists already: give the name of a new file.")


def _unwritable(place: Path, error: Exception) -> BadInputError:
    why = getattr(error, "strerror", None) or str(error)
    return BadInputError(f"{options.printable_input(str(place))} cannot be written ({why}): give another place.")


def _save(place: Path, content: bytes) -> None:
    """Writes a new file. Raises BadInputError where it cannot be made."""
    try:
        with place.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise _unwritable(place, error) from None
    say(f"written: {place}")


def _archive(document: str, sections: Iterable[Section]) -> bytes:
    """report.md, and its sections as files of their own; nothing that the document does not show."""
    import io
    import zipfile

    from antigravity_doctor.reports.bundle import archive_names

    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_member("report.md"), document)
        for name, text in archive_names(sections).items():
            archive.writestr(_member(name), text)
    return content.getvalue()


def _member(name: str) -> zipfile.ZipInfo:
    """A member with a fixed date: the archive says nothing of when and by whom it was made."""
    import zipfile

    found = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    found.compress_type = zipfile.ZIP_DEFLATED
    found.external_attr = 0o644 << 16
    return found
