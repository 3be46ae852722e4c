"""Explain a request path and give the right base URL."""

# No `from __future__ import annotations`: typer would compile every option's annotation anew at each start.
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, NamedTuple, cast

import typer

from antigravity_doctor.cli import options
from antigravity_doctor.cli.errors import BadInputError, Exit
from antigravity_doctor.diagnosis.explaining import Explanation, explain
from antigravity_doctor.diagnosis.secrets import redact
from antigravity_doctor.sources.bare import bare_request

if TYPE_CHECKING:
    from io import BufferedReader

    from antigravity_doctor.knowledge.clients import Client
    from antigravity_doctor.sources.pasted_text import FoundRequest

_FULL = 3
"""Up to this many different requests each get a full explanation on a terminal, more get a line each."""

_KEPT = 20_000
"""Characters of a text without a request that are kept for what its words suggest."""
_PIECE = 1 << 16
_LONGEST_LINE = 4 << 20
_REMEMBERED = 100_000
_BLANK = b" \t\r\n\v\f\xff\xfe\xef\xbb\xbf\0"
"""White space in any encoding, byte order marks included."""


class Observed(NamedTuple):
    """One request to explain, and the excerpt it was found in."""

    text: str
    method: str | None
    origin: str | None
    path: str
    query: str | None
    status: int | None
    body: str | None
    headers: tuple[tuple[str, str], ...]
    failure: str | None = None
    setting: str | None = None


class NoRequest(NamedTuple):
    """A text in which no request was found: what to call it, its beginning without keys, what its words suggest."""

    name: str
    text: str
    symptoms: tuple[str, ...]


def command(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH...",
            help="A path, a URL, a log line or any pasted text; - reads standard input.",
            show_default=False,
        ),
    ] = None,
    method: Annotated[str | None, typer.Option("--method", "-X", help="Method of the request.")] = None,
    status: Annotated[int | None, typer.Option("--status", "-s", help="Status code of the answer.")] = None,
    body: Annotated[str | None, typer.Option("--body", help="Body of the answer ('' for an empty one).")] = None,
    client: options.ClientOption = None,
    base_url: options.BaseUrlOption = None,
    host: options.HostOption = None,
    port: options.PortOption = None,
    url: options.UrlOption = None,
    proxy_version: options.ProxyVersionOption = None,
    format_: options.FormatOption = "terminal",
    json_: options.JsonOption = False,
) -> None:
    """Reads requests out of the arguments (or standard input) and explains each; exit code 1 if one is wrong."""
    output = options.wants_json(format_, json_)
    origin = options.origin_of(host, port, url)
    table = options.table_of(proxy_version)
    chosen = options.client_of(client)
    checked = None
    if base_url is not None:
        checked = options.base_url_of(base_url)
        options.say_if_scheme_is_missing(base_url)
    if method is not None and not method.isalpha():
        raise BadInputError(f"--method {options.printable_input(method)} is not a method: give one such as POST.")
    if status is not None and not 100 <= status <= 599:
        raise BadInputError(f"--status {status} is not a status code: give a number from 100 to 599, such as 404.")
    if not paths:
        raise BadInputError("Nothing to explain: give a path such as /v1/v1/chat/completions, or - for standard input.")
    if any(not each.strip() for each in paths):
        raise BadInputError("An empty text was given: give a path such as /v1/v1/chat/completions.")
    if paths.count("-") > 1:
        raise BadInputError("Standard input can be read only once: give a single - .")
    lines = _stdin_lines(_stdin_start()) if "-" in paths else iter(())

    def explained(seen: Observed) -> Explanation:
        if seen.setting is not None and seen.origin is not None:
            from antigravity_doctor.diagnosis.naming import explain_setting

            path = "" if seen.path == "/" else redact(seen.path)
            named = explain_setting(seen.setting, seen.origin + path, table, origin, chosen)
            if named is not None:
                return named
        clients = (chosen,) if chosen is not None else _senders(seen.headers)
        found = explain(
            redact(seen.path),
            table=table,
            origin=origin,
            method=method or seen.method,
            query=redact(seen.query) if seen.query is not None else None,
            status=status if status is not None else seen.status,
            body=body if body is not None else seen.body,
            headers=tuple(each for each in seen.headers if each[0] != "x-user-agent"),
            base_url=checked,
            client=clients[0] if len(clients) == 1 else None,
            host=seen.origin,
            failure=seen.failure,
        )
        if len(clients) > 1:
            from antigravity_doctor.diagnosis.tallying import among

            found = among(found, clients)
        return found

    def complained(none: NoRequest) -> Explanation | None:
        """What the text says if it is a client's own sentence, or a bare 404."""
        from antigravity_doctor.diagnosis.client_errors import explain_client_error

        if _codes_of(none):
            return None
        return explain_client_error(
            none.text, table=table, origin=origin, client=chosen, base_url=checked, not_found=bool(none.symptoms)
        )

    observed = _distinct(_observed(paths, lines))
    version = str(table.version) if proxy_version is not None else None
    if output == "json":
        code = _as_json(observed, explained, complained, origin, version)
    else:
        code = _on_terminal(observed, explained, complained, checked is not None)
    raise typer.Exit(int(code))


def _senders(headers: tuple[tuple[str, str], ...]) -> "tuple[Client, ...]":
    """The clients that the User-Agent of a log line names; () where it has none, or an unknown one."""
    agent = next((value for name, value in headers if name == "x-user-agent"), None)
    if agent is None:
        return ()
    from antigravity_doctor.diagnosis.tallying import clients_of

    return clients_of(((agent, 1),))


def _observed(arguments: list[str], stdin: Iterator[str]) -> Iterator[Observed | NoRequest]:
    """Every request of every argument, in order; an argument without one is yielded as its text."""
    for argument in arguments:
        if argument == "-":
            yield from _from_lines(stdin, "standard input")
            continue
        bare = bare_request(argument)
        if bare is not None:
            yield Observed(redact(argument[:300]), None, bare.origin, bare.path, bare.query, None, None, ())
            continue
        yield from _from_lines(argument.splitlines(keepends=True), argument)


def _from_lines(lines: Iterable[str], whole: str) -> Iterator[Observed | NoRequest]:
    from antigravity_doctor.sources.pasted_text import iter_requests, symptoms_in

    found = False
    kept: list[str] = []

    def remembered() -> Iterator[str]:
        size = 0
        for line in lines:
            if not found and size < _KEPT:
                kept.append(line[: _KEPT - size])
                size += len(kept[-1])
            yield line

    for each in iter_requests(remembered()):
        found = True
        yield _of_found(each)
    if not found:
        text = redact("".join(kept))
        yield NoRequest(redact(whole[:300]), text, symptoms_in(text))


def _of_found(found: "FoundRequest") -> Observed:
    from antigravity_doctor.diagnosis.urls import split_url
    from antigravity_doctor.sources.text_answers import proxy_answer_in

    origin = split_url(found.url).origin.lower() or None if found.url else None
    if origin is None and found.failure is not None and found.host:
        # A connection error names host and port, and no scheme.
        host = found.host if found.host.count(":") < 2 or found.host.startswith("[") else f"[{found.host}]"
        origin = f"http://{host}".lower()
    body = found.body if found.body is not None else proxy_answer_in(found.input)
    return Observed(
        redact(found.input),
        found.method,
        origin,
        found.path,
        found.query,
        found.status,
        body,
        found.headers,
        found.failure,
        found.setting,
    )


def _stdin_start() -> bytes:
    """The first bytes of standard input, read before anything is written. Raises BadInputError if there are none."""
    stream = cast("BufferedReader", sys.stdin.buffer)
    first = b""
    while not first.strip(_BLANK):
        piece = stream.read1(_PIECE)
        if not piece:
            raise BadInputError("Standard input is empty: pipe a path, a log line or an error text into this command.")
        first += piece
    return first


def _stdin_lines(first: bytes) -> Iterator[str]:
    """Standard input as text, line by line, whatever bytes it holds (UTF-16 from PowerShell included).

    A line longer than `_LONGEST_LINE` comes in several pieces, so that memory stays flat.
    """
    stream = cast("BufferedReader", sys.stdin.buffer)
    if first.startswith((b"\xff\xfe", b"\xfe\xff")):
        yield from (first + stream.read()).decode("utf-16", "replace").splitlines(keepends=True)
        return
    rest: list[bytes] = []
    size = 0
    piece = first.removeprefix(b"\xef\xbb\xbf")
    while piece:
        rest.append(piece)
        size += len(piece)
        if b"\n" in piece or size > _LONGEST_LINE:
            *complete, last = b"".join(rest).split(b"\n")
            if len(last) > _LONGEST_LINE:
                complete.append(last)
                last = b""
            for line in complete:
                yield line.decode("utf-8", "replace") + "\n"
            rest, size = [last], len(last)
        piece = stream.read1(_PIECE)
    yield b"".join(rest).decode("utf-8", "replace")


def _distinct(observed: Iterator[Observed | NoRequest]) -> Iterator[Observed | NoRequest]:
    """The same request with the same answer is explained once, however often it stands in a log."""
    seen: set[int] = set()
    for each in observed:
        key = hash(each if isinstance(each, NoRequest) else (each[1:7], each.failure, each.setting))
        if key in seen:
            continue
        if len(seen) >= _REMEMBERED:
            seen.clear()
        seen.add(key)
        yield each


def _exit_code(found: Explanation) -> Exit:
    return Exit.FINDINGS if any(each.severity == "error" for each in found.findings) else Exit.OK


def _symptoms_of(none: NoRequest) -> tuple[str, ...]:
    """The finding codes that a text without any request suggests; says so on stderr where there are none."""
    codes = _codes_of(none)
    if not codes:
        _say_nothing_found(none.name)
    return codes


def _codes_of(none: NoRequest) -> tuple[str, ...]:
    return tuple(code for code in none.symptoms if code.startswith("AGD"))


def _say_nothing_found(text: str) -> None:
    from antigravity_doctor.cli.errors import say
    from antigravity_doctor.knowledge.texts import phrase

    say(phrase("no-request", {"text": options.printable_input(text)}))


def _as_json(
    observed: Iterator[Observed | NoRequest],
    explained: Callable[[Observed], Explanation],
    complained: Callable[[NoRequest], Explanation | None],
    origin: str,
    version: str | None,
) -> Exit:
    from antigravity_doctor.reports import json_v1

    code = Exit.OK
    missing = False

    def objects() -> Iterator[dict[str, object]]:
        nonlocal code, missing
        for each in observed:
            found = explained(each) if isinstance(each, Observed) else complained(each)
            if found is not None:
                code = max(code, _exit_code(found))
                yield json_v1.explanation_object(each.text[:300], found)
            elif isinstance(each, NoRequest):
                codes = _symptoms_of(each)
                yield json_v1.nothing_found_object(each.name, codes)
                code = max(code, Exit.FINDINGS if codes else code)
                missing = missing or not codes

    for piece in json_v1.explain_path_document(origin, version, objects()):
        options.write(piece)
    return Exit.BAD_INPUT if missing and code is Exit.OK else code


def _on_terminal(
    observed: Iterator[Observed | NoRequest],
    explained: Callable[[Observed], Explanation],
    complained: Callable[[NoRequest], Explanation | None],
    exact: bool,
) -> Exit:
    from antigravity_doctor.reports.explain_path import (
        closing_lines,
        compact_line,
        explanation_lines,
        symptom_lines,
    )
    from antigravity_doctor.reports.paint import Line, render

    terminal = options.stdout_terminal()
    code = Exit.OK
    missing = False
    waiting: list[Explanation] = []
    compact = False

    def show(lines: Iterable[Line]) -> None:
        options.write(render(lines, terminal))

    for each in observed:
        answer = explained(each) if isinstance(each, Observed) else complained(each)
        if answer is None and isinstance(each, NoRequest):
            codes = _symptoms_of(each)
            if codes:
                code = max(code, Exit.FINDINGS)
                show(symptom_lines(codes, terminal.width))
            missing = missing or not codes
        if answer is None:
            continue
        found = answer
        code = max(code, _exit_code(found))
        if compact:
            show(compact_line(found, terminal.width))
            continue
        waiting.append(found)
        if len(waiting) > _FULL:
            compact = True
            show([[]])
            for earlier in waiting:
                show(compact_line(earlier, terminal.width))
            waiting.clear()
    if waiting:
        show([[]])
    for index, found in enumerate(waiting):
        last = index == len(waiting) - 1
        show([*explanation_lines(found, terminal.width, exact=exact, hint=last), []])
    if compact:
        show(closing_lines(terminal.width))
    return Exit.BAD_INPUT if missing and code is Exit.OK else code
