"""Finds HTTP requests in whatever a user pastes: a path, a URL, log lines, a transcript, an error in any language.

`find_requests` for a text, `iter_requests` for a stream of lines, `is_bare_path` for the argument that is simply a
path or URL (a few microseconds). All are pure, never raise on any text, and take linear time. The scanners behind
them are imported when the fast path does not answer: they are not on the start-up path of `explain-path`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from antigravity_doctor.sources.text_bare import Bare, bare_parts
from antigravity_doctor.sources.text_request import (
    FoundRequest,
    excerpt,
    mask_secrets,
    query_hints,
    split_target,
)

__all__ = [
    "FoundRequest",
    "find_requests",
    "is_bare_path",
    "iter_requests",
    "mask_secrets",
    "strip_terminal_controls",
    "symptoms_in",
]

_COMPARED = 64
"""With how many earlier mentions of its path a request is compared: a list of 10,000 hosts stays linear."""


def is_bare_path(text: str) -> bool:
    """Whether the text is nothing but a path or URL, maybe behind a method or a status: taken as it is.

    True for `/v1/x`, `v1/chat/completions`, `http://host/x`, `127.0.0.1:8045/v1`, `POST /v1/x`, `404 /v1/x`; false for
    a path that ends in the punctuation of a sentence, a file of the system (`/usr/lib/x.py`), a page of documentation.
    """
    return bare_parts(text.strip()) is not None


def find_requests(text: str, *, limit: int | None = None) -> list[FoundRequest]:
    """The requests that the text speaks of, in order; at most `limit`. [] if there is none.

    Mentions of one request (same path, nothing else that differs) are one result that holds what all of them say.
    """
    if limit is not None and limit <= 0:
        return []
    single = text.strip()
    bare = bare_parts(single)
    if bare is None and "\n" not in single and not single.isprintable():
        # One coloured line says what the plain one says.
        single = strip_terminal_controls(text).strip()
        bare = bare_parts(single)
    if bare is not None:
        return [_from_bare(bare, single)]
    found: list[FoundRequest] = []
    by_path: dict[str, list[int]] = {}
    for request in iter_requests(text.splitlines()):
        known = by_path.setdefault(request.path, [])
        same = next((at for at in known[:_COMPARED] if _agree(found[at], request)), None)
        if same is not None:
            found[same] = _combined(found[same], request)
        elif limit is not None and len(found) >= limit:
            break
        else:
            known.append(len(found))
            found.append(request)
    return found


def iter_requests(lines: Iterable[str]) -> Iterator[FoundRequest]:
    """The requests in a stream of lines (with or without line ends), in order, in bounded memory.

    A request is given when the next one begins, with what the lines after it said. Equal ones (method, path, status,
    origin) are given once; of more than 100,000 distinct ones the oldest are forgotten and may come again. A line
    that only may be a request (a bare prefix, a page of documentation) is given at the end, if there was nothing else.
    """
    from antigravity_doctor.sources.text_stream import Reader

    reader = Reader()
    for line in lines:
        reader.feed(line)
        if reader.ready:
            yield from reader.ready
            reader.ready = []
    reader.close()
    yield from reader.ready


def strip_terminal_controls(text: str) -> str:
    """The text without ANSI escapes, control and invisible characters. Line breaks (all become \\n) and tabs stay."""
    from antigravity_doctor.sources.text_cleaning import strip_terminal_controls as strip

    return strip(text)


def symptoms_in(text: str) -> tuple[str, ...]:
    """The codes of findings that the words of the text suggest, surest first, also where it names no path at all.

    "path-unknown" stands for a 404 whose path the text does not name. () if the text suggests nothing. Meant for a
    text in which `find_requests` finds no request, or only one with source "connection". Never raises.
    """
    from antigravity_doctor.sources.text_symptoms import symptoms_in as read

    return read(text)


def _from_bare(bare: Bare, text: str) -> FoundRequest:
    method, status, target, host, source, _ = bare
    url = None
    if source == "path":
        path, mark, rest = target.partition("?")
        query = rest if mark else None
    else:
        url, host, path, query = split_target(target)
    hints = query_hints(query) if query else ()
    return FoundRequest(excerpt(text), method, url, path, query, status, None, hints, host, source)


def _agree(first: FoundRequest, second: FoundRequest) -> bool:
    return (
        (first.method is None or second.method is None or first.method == second.method)
        and (first.status is None or second.status is None or first.status == second.status)
        and (first.url is None or second.url is None or first.url == second.url)
        and first.setting == second.setting
        and (first.source != "connection" or first.host == second.host)
    )


def _combined(first: FoundRequest, second: FoundRequest) -> FoundRequest:
    names = {name for name, _ in first.headers}
    return FoundRequest(
        first.input,
        first.method or second.method,
        first.url or second.url,
        first.path,
        first.query if first.query is not None else second.query,
        first.status if first.status is not None else second.status,
        first.body or second.body or first.body,
        first.headers + tuple(item for item in second.headers if item[0] not in names),
        first.host or second.host,
        first.source,
        first.failure or second.failure,
        first.setting,
    )
