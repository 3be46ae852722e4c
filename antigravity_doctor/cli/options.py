"""Options that several commands share, so that they are spelled and explained the same everywhere."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from antigravity_doctor.cli.errors import BadInputError
from antigravity_doctor.diagnosis.urls import DEFAULT_ORIGIN, host_and_port, parse_base_url, port_number

if TYPE_CHECKING:
    from antigravity_doctor.diagnosis.settings import ProxySettings, Secret
    from antigravity_doctor.knowledge.clients import Client
    from antigravity_doctor.knowledge.routes import RouteTable
    from antigravity_doctor.reports.paint import Terminal
    from antigravity_doctor.sources.client_settings import Machine

KEY_VARIABLE = "AGDOCTOR_API_KEY"

HostOption = Annotated[str | None, typer.Option("--host", help="Host of the proxy.", show_default="127.0.0.1")]
PortOption = Annotated[str | None, typer.Option("--port", "-p", help="Port of the proxy.", show_default="8045")]
UrlOption = Annotated[
    str | None, typer.Option("--url", help="Address of the proxy as a URL, instead of --host and --port.")
]
ClientOption = Annotated[
    str | None, typer.Option("--client", "-c", help="The client in use (id, name, alias or package).")
]
BaseUrlOption = Annotated[
    str | None, typer.Option("--base-url", "-b", help="The base URL that is set in the client now.")
]


def typed_version(value: str | None) -> str | None:
    """A version as it was typed; says on stderr what one that is not known is taken for. Not for one that a proxy or a
    file names."""
    if value is None:
        return None
    from antigravity_doctor.knowledge.versions import is_known, known_versions, nearest_known, parse_version

    try:
        version = parse_version(value)
    except ValueError:
        return value  # `table_of` says so
    if not is_known(version):
        first, *_, last = known_versions()
        _say(f"proxy version {version} is not known here ({first} to {last} are): taken for {nearest_known(version)}")
    return value


ProxyVersionOption = Annotated[
    str | None,
    typer.Option(
        "--proxy-version", help="Version of the proxy, such as 4.5.8.", show_default="newest", callback=typed_version
    ),
]
TakenVersionOption = Annotated[
    str | None,
    typer.Option(
        "--proxy-version",
        help="Take the proxy for this version.",
        show_default="asked for",
        callback=typed_version,
    ),
]
"""Of a command that asks the proxy for its version."""
FormatOption = Annotated[str, typer.Option("--format", "-f", help="terminal or json.")]
JsonOption = Annotated[bool, typer.Option("--json", help="The same as --format json.")]


def origin_of(host: str | None, port: str | None, url: str | None, *, quiet: bool = False) -> str:
    """The proxy's origin from --url, or --host and --port; else from the proxy's settings file on this machine.

    That is said on stderr where it is not the usual port, unless `quiet`: for a command that shows where the port is
    from. That the file could not be used is said in any case. Raises BadUrlError or BadInputError with one sentence.
    """
    origin, source = origin_and_source(host, port, url)
    say_if_path_is_dropped(url)
    if source == "gui_config.json" and origin != DEFAULT_ORIGIN and not quiet:
        _, number = host_and_port(origin)
        _say(f"port {number} (from gui_config.json, the proxy's settings on this machine; --port takes another)")
    elif source == "default":
        _say_why_default()
    return origin


def say_if_path_is_dropped(url: str | None) -> None:
    """Says on stderr that of --url only the origin counts, where more was typed. Raises BadUrlError."""
    parts = parse_base_url(url, what="--url") if url is not None else None
    if parts is not None and parts.path.strip("/"):
        path = printable_input(parts.path)
        _say(f"--url: {path} is left out, only {parts.origin} counts. What a client is set to goes into --base-url.")


Source = Literal["given", "gui_config.json", "default"]


def origin_and_source(host: str | None, port: str | None, url: str | None) -> tuple[str, Source]:
    """What `origin_of` gives, and where it is from. Says nothing."""
    if host is None and port is None and url is None:
        settings = _settings_here()
        if settings is None or settings.port is None:
            return DEFAULT_ORIGIN, "default"
        return f"http://127.0.0.1:{settings.port}", "gui_config.json"
    return _given(host, port, url), "given"


def _given(host: str | None, port: str | None, url: str | None) -> str:
    if url is not None:
        if host is not None or port is not None:
            raise BadInputError("--url already holds host and port: give either --url or --host and --port.")
        return parse_base_url(url, what="--url").origin
    default_host, default_port = host_and_port(DEFAULT_ORIGIN)
    number = default_port if port is None else port_number(port.strip())
    name = default_host if host is None else host.strip()
    if "://" in name or "/" in name:
        raise BadInputError(f"--host takes only a host name, not {printable_input(name)}: use --url for a whole URL.")
    if not name or any(ch.isspace() for ch in name):
        raise BadInputError(f"--host {printable_input(name)} is no host name: give one such as 127.0.0.1.")
    if name.count(":") > 1 and not name.startswith("["):
        name = f"[{name}]"
    if ":" in name and not name.startswith("["):
        raise BadInputError(f"--host takes only a host name, not {printable_input(name)}: give the port with --port.")
    return parse_base_url(f"http://{name}:{number}", what="--host").origin


def _settings_here() -> ProxySettings | None:
    """The proxy's settings file on this machine; None where there is none."""
    from antigravity_doctor.sources.data_folder import data_folder

    folder = data_folder(os.environ)
    if folder is None:
        return None
    # Looked for first: what reads it costs start-up time, and most machines on which a path is explained have none.
    try:
        os.stat(os.path.join(folder, "gui_config.json"))  # noqa: PTH116, PTH118
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError):
        pass  # there, but out of reach: that is said
    from antigravity_doctor.sources.proxy_settings import read_proxy_settings

    return read_proxy_settings(os.environ)


def _say_why_default() -> None:
    """Says on stderr that there is a settings file and its port could not be used."""
    settings = _settings_here()
    if settings is None:
        return
    why = {"unreadable": "cannot be read", "not-json": "is not valid JSON", "too-large": "is far too large"}
    said = why.get(settings.problem or "")
    if said is None and any(each.field in ("", "proxy", "proxy.port") for each in settings.faults):
        said = "names no usable port"
    if said is not None:
        _, number = host_and_port(DEFAULT_ORIGIN)
        _say(f"port {number} (the default: {settings.path} {said}; --port takes another)")


def _say(message: str) -> None:
    from antigravity_doctor.cli.errors import say

    say(message)


def key_of(given: str | None) -> tuple[Secret | None, str | None]:
    """The key of --api-key, else of the variable, and where it is from. Raises BadInputError for one that no header
    can carry."""
    from antigravity_doctor.diagnosis.settings import Secret

    from_variable = os.environ.get(KEY_VARIABLE, "").strip()
    key, source = (given, "--api-key") if given is not None else (from_variable or None, KEY_VARIABLE)
    if key is None:
        return None, None
    if not key.strip() or not key.isprintable() or not key.isascii():
        raise BadInputError("The key is empty or has characters that no header can carry: copy it again.")
    return Secret(key.strip()), source


def base_url_of(typed: str, *, query: bool = False) -> str:
    """The base URL of --base-url as commands work with it: with a scheme, keys masked, its query only where asked for.

    Raises BadUrlError with one sentence.
    """
    from antigravity_doctor.diagnosis.secrets import redact

    parts = parse_base_url(typed, what="--base-url")
    return redact(parts.origin + parts.path + (f"?{parts.query}" if query and parts.query is not None else ""))


def say_if_scheme_is_missing(typed: str) -> None:
    """Says on stderr that most clients refuse a base URL without http://, where the typed one has none."""
    if "://" in typed:
        return
    from antigravity_doctor.cli.errors import say
    from antigravity_doctor.diagnosis.judging import scheme_missing
    from antigravity_doctor.knowledge.texts import finding_text

    finding = scheme_missing(typed)
    if finding is not None:
        say(f"{finding.code} {finding_text(finding.code, 'summary', finding.facts)}")


def wants_json(format_: str, json_: bool, allowed: tuple[str, ...] = ("terminal", "json")) -> str:
    """The output format asked for. Raises BadInputError for one that the command does not have."""
    chosen = "json" if json_ else format_.strip().lower()
    if chosen not in allowed:
        raise BadInputError(f"There is no format {printable_input(format_)}: give one of {', '.join(allowed)}.")
    return chosen


def table_of(proxy_version: str | None, option: str = "--proxy-version") -> RouteTable:
    """The route table of a version that an option gave. Raises BadInputError for text that is no version."""
    from antigravity_doctor.knowledge.routes import table_for

    try:
        return table_for(proxy_version)
    except ValueError as error:
        raise BadInputError(f"{option}: {error}") from None


def client_of(name: str | None) -> Client | None:
    """The client of --client. Raises BadInputError with the nearest names where there is none."""
    if name is None:
        return None
    from antigravity_doctor.knowledge.clients import AmbiguousClientError, UnknownClientError, find_client

    try:
        return find_client(name)
    except AmbiguousClientError as error:
        meant = " or ".join(f"{each} for {find_client(each).name}" for each in error.meant)
        raise BadInputError(f"More than one client is called {printable_input(name)}: give {meant}.") from None
    except UnknownClientError as error:
        if error.nearest:
            hint = f"did you mean {' or '.join(error.nearest[:3])}? For another, `agdoctor trace` finds its base URL."
        else:
            hint = (
                "`agdoctor clients` lists those that are known. For any other, `agdoctor trace` finds out which base "
                "URL it needs; those that ask for an OpenAI base URL mostly need one that ends in /v1."
            )
        raise BadInputError(f"There is no client {printable_input(name)}: {hint}") from None


def machine() -> Machine:
    """This machine, with the current folder as the project. Raises BadInputError where that folder is gone."""
    from antigravity_doctor.sources.client_settings import this_machine

    try:
        project = os.getcwd()  # noqa: PTH109
    except OSError:
        raise BadInputError("The current folder does not exist any more: change to one that does.") from None
    return this_machine(dict(os.environ), sys.platform, project)


def printable_input(text: str) -> str:
    """What the user typed, in quotes, shortened and with nothing that a terminal acts on."""
    from antigravity_doctor.reports.paint import printable

    return "'" + printable(text, 80) + "'"


def write(text: str) -> None:
    """Writes a piece of the result to stdout, whatever the console's encoding can or cannot hold."""
    try:
        try:
            sys.stdout.write(text)
        except UnicodeEncodeError:
            encoding = sys.stdout.encoding or "ascii"
            sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    except BrokenPipeError:
        raise typer.Exit(reader_gone()) from None


def reader_gone() -> int:
    """The exit code for a pipe whose reader (head, less) has seen enough, after quietly closing our end."""
    drop_output()
    return 141


def drop_output() -> None:
    """Sends what is still to be written nowhere: the interpreter flushes once more when it ends, and would complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def stdout_terminal() -> Terminal:
    """What stdout can show."""
    from antigravity_doctor.reports.paint import terminal_for

    return terminal_for(sys.stdout)
