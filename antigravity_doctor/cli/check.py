"""Find what is wrong with a running proxy or its client."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from antigravity_doctor.cli import options
from antigravity_doctor.cli.errors import BadInputError
from antigravity_doctor.cli.options import KEY_VARIABLE
from antigravity_doctor.diagnosis.urls import split_url

if TYPE_CHECKING:
    from antigravity_doctor.diagnosis.model import CheckReport
    from antigravity_doctor.probes.session import CheckOptions

FORMATS = ("terminal", "json", "junit", "github")
_QUIET_FOR = 0.5
"""Seconds that a check may take before a terminal is told about its progress."""


def command(
    host: options.HostOption = None,
    port: options.PortOption = None,
    url: options.UrlOption = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            "--api-key",
            "-k",
            help=f"The proxy's key (or the variable {KEY_VARIABLE}; on the proxy's own machine its settings file).",
            show_default=False,
        ),
    ] = None,
    client: options.ClientOption = None,
    base_url: options.BaseUrlOption = None,
    mode: Annotated[str | None, typer.Option("--mode", "-m", help="Only this mode of the client.")] = None,
    proxy_version: options.TakenVersionOption = None,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds for one request.")] = 3.0,
    total_timeout: Annotated[float, typer.Option("--total-timeout", help="Seconds for the whole check.")] = 15.0,
    fail_on: Annotated[
        str, typer.Option("--fail-on", help="error, warning or inconclusive: exit code 1 from then on.")
    ] = "error",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the requests of every check.")] = False,
    demo: Annotated[bool, typer.Option("--demo", help="Check a stand-in proxy that is started for this run.")] = False,
    format_: Annotated[str, typer.Option("--format", "-f", help="terminal, json, junit or github.")] = "terminal",
    json_: options.JsonOption = False,
) -> None:
    """Runs the staged, side-effect-free checks; exit code 0 nothing wrong, 1 findings, 2 bad input, 3 not reached."""
    output = options.wants_json(format_, json_, FORMATS)
    from antigravity_doctor.reports.exit_code import FAIL_ON, exit_code

    fail_on = fail_on.strip().lower()
    if fail_on not in FAIL_ON:
        raise BadInputError(f"--fail-on {options.printable_input(fail_on)}: give one of {', '.join(FAIL_ON)}.")
    for name, seconds in (("--timeout", timeout), ("--total-timeout", total_timeout)):
        if not 0 < seconds <= 600:
            raise BadInputError(f"{name} {seconds:g} is out of range: give seconds between 0 and 600, such as 3.")
    origin, source = options.origin_and_source(host, port, url)
    if output != "terminal" and not demo:
        options.origin_of(host, port, url)  # says where the port is from, which else stands in the title
    else:
        options.say_if_path_is_dropped(url)
    if demo and (host is not None or port is not None or url is not None):
        raise BadInputError("--demo starts its own proxy: leave out --host, --port and --url.")
    if proxy_version is not None:
        options.table_of(proxy_version)
    chosen = options.client_of(client)
    if mode is not None:
        if chosen is None:
            raise BadInputError("--mode names a mode of a client: give --client NAME as well.")
        if mode not in {each.id for each in chosen.modes}:
            known = ", ".join(each.id for each in chosen.modes)
            raise BadInputError(f"{chosen.name} has no mode {options.printable_input(mode)}: give one of {known}.")
    typed = base_url
    if typed is None and url is not None and split_url(url).path.strip("/"):
        # Whoever pastes …/v1 here pasted the base URL of the client: judge that as well.
        typed = url
    checked = options.base_url_of(typed, query=True) if typed is not None else None

    from antigravity_doctor.probes.session import CheckOptions
    from antigravity_doctor.sources.proxy_settings import read_proxy_settings

    environment = dict(os.environ)
    key, key_source = options.key_of(api_key)
    checking = CheckOptions(
        origin=origin,
        base_url=checked,
        client=chosen,
        mode=mode,
        api_key=key,
        key_source=key_source,
        proxy_version=proxy_version,
        timeout=timeout,
        total_timeout=total_timeout,
        environment=environment,
        settings=None if demo else read_proxy_settings(environment),
        machine=None if demo else options.machine(),
        scheme_missing=base_url if base_url is not None and "://" not in base_url else None,
    )
    report = _demo(checking) if demo else _run(checking)
    code = exit_code(report, fail_on)
    options.write(_rendered(report, output, code, fail_on, verbose, "given" if demo else source))
    raise typer.Exit(code)


def _rendered(report: CheckReport, output: str, code: int, fail_on: str, verbose: bool, source: options.Source) -> str:
    if output == "json":
        from antigravity_doctor.reports.json_v1 import check_document, dump

        return dump(check_document(report, code))
    if output == "junit":
        from antigravity_doctor.reports.junit import junit_xml

        return junit_xml(report, fail_on)
    if output == "github":
        from antigravity_doctor.reports.github import github_annotations

        return github_annotations(report)
    from antigravity_doctor.reports.check import check_lines
    from antigravity_doctor.reports.paint import render

    terminal = options.stdout_terminal()
    return render(check_lines(report, terminal.width, verbose=verbose, source=source), terminal)


def _run(checking: CheckOptions) -> CheckReport:
    from antigravity_doctor.probes.run import run_check_sync

    with _progress(checking.origin) as on_progress:
        return run_check_sync(checking, on_progress)


def _demo(checking: CheckOptions) -> CheckReport:
    """The same check against a stand-in of the newest (or given) version, with a key that is right."""
    from dataclasses import replace

    from antigravity_doctor.diagnosis.proxy_model import ServerConfig
    from antigravity_doctor.diagnosis.settings import Secret
    from antigravity_doctor.knowledge.routes import table_for
    from antigravity_doctor.knowledge.texts import phrase, reason_text
    from antigravity_doctor.reports.paint import printable
    from antigravity_doctor.servers.stand_in import run_in_thread

    config = ServerConfig(version=checking.proxy_version, auth="all_except_health")
    with run_in_thread(config) as running:
        facts = {"version": str(table_for(checking.proxy_version).version), "url": running.url}
        sys.stderr.write(phrase("demo-started", facts) + "\n")
        base_url = None
        if checking.base_url is not None:
            # The stand-in's port is not known beforehand, so only the path of the typed base URL counts here.
            _, path, _ = split_url(checking.base_url)
            base_url = running.url + path
            facts = {"base_url": printable(checking.base_url, 200), "path": printable(path or "/", 200)}
            sys.stderr.write(reason_text("words.demo-path-only", facts) + "\n")
        return _run(
            replace(
                checking,
                origin=running.url,
                base_url=base_url,
                api_key=checking.api_key or Secret(config.api_key),
                key_source=checking.key_source or "--demo",
                proxy_version=None,
            )
        )


@contextmanager
def _progress(origin: str) -> Iterator[_OnProgress | None]:
    """A line on stderr that says how far the check is: only on a terminal, only when it takes longer than a moment."""
    if not sys.stderr.isatty():
        yield None
        return
    from antigravity_doctor.knowledge.texts import phrase
    from antigravity_doctor.reports.paint import printable

    shown = printable(origin, 40)
    started = time.monotonic()
    lock = threading.Lock()
    state = {"done": 0, "all": 0, "width": 0}

    def draw() -> None:
        with lock:
            text = phrase("progress", {"url": shown, "done": str(state["done"]), "all": str(state["all"] or "…")})
            state["width"] = max(state["width"], len(text))
            sys.stderr.write("\r" + text)
            sys.stderr.flush()

    def on_progress(_check: str, done: int, every: int) -> None:
        state["done"], state["all"] = done, every
        if time.monotonic() - started >= _QUIET_FOR:
            draw()

    timer = threading.Timer(_QUIET_FOR, draw)
    timer.daemon = True
    timer.start()
    try:
        yield on_progress
    finally:
        timer.cancel()
        with lock:
            if state["width"]:
                sys.stderr.write("\r" + " " * state["width"] + "\r")
                sys.stderr.flush()


if TYPE_CHECKING:
    from collections.abc import Callable

    _OnProgress = Callable[[str, int, int], None]
