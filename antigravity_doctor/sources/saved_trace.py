"""A trace that was saved (`trace --save FILE`), read back for `--replay`."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple, get_args

from antigravity_doctor.diagnosis.recording import Bodies, Exchange, Outcome
from antigravity_doctor.diagnosis.symptoms import FAILURES
from antigravity_doctor.diagnosis.tracing import Observed

LONGEST_LINE = 16 * 1024 * 1024
"""Characters; a line has a few hundred, with bodies up to about six million."""

_NOTES = ("tls", "http2", "garbage", "as-http-proxy", "target")
"""What `Exchange.note` can be."""


class SavedTraceError(ValueError):
    """The file is no saved trace. The message says which line, and what is wrong with it."""


class Saved(NamedTuple):
    """One saved request, and where it was recorded: the proxy's origin and version, the recorder's origin and the base
    URL that the client was told."""

    exchange: Exchange
    origin: str
    proxy_version: str
    recorder: str
    given: str | None


def read_saved(lines: Iterable[str], name: str) -> Iterator[Saved]:
    """The requests of a saved trace, in order. Raises SavedTraceError for a line that is none."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            if len(line) > LONGEST_LINE:
                raise ValueError("it is too long")
            value = json.loads(line)
            if not isinstance(value, dict) or value.get("command") != "trace" or "requests" in value:
                raise ValueError("it is not a request that `agdoctor trace --save` has written")
            yield _saved(value)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            why = f"the field {error} is missing" if isinstance(error, KeyError) else str(error)
            if isinstance(error, json.JSONDecodeError):
                why = "it is not JSON"
            raise SavedTraceError(f"{name}, line {number}: {why}") from None


def _saved(value: dict[str, Any]) -> Saved:
    answer = value["answer"]
    bodies = value.get("bodies")
    outcome, note = _one_of(value["outcome"], get_args(Outcome)), _optional(value["note"])
    if not value["method"] or note is not None:
        _one_of(note, _NOTES)
    failure = _optional(value["failure"])
    if failure is not None:
        _one_of(failure, tuple(FAILURES))
    observed = Observed(
        method=_text(value["method"] or ""),
        path=_text(value["path"]),
        query=_optional(value["query"]),
        status=_number(value["status"]),
        key_header=_optional(value["key_header"]),
        user_agent=_optional(value["user_agent"]),
        header_names=tuple(_text(each) for each in value["headers"]),
        answer_type=_optional(answer["content_type"]),
        answer_kind=_optional(answer["kind"]),
        failure=failure,
    )
    first = value["first_byte_ms"]
    exchange = Exchange(
        number=_number(value["number"], least=1) or 1,
        started=datetime.fromisoformat(_text(value["at"])).timestamp(),
        observed=observed,
        outcome=outcome,
        first_byte_ms=None if first is None else _milliseconds(first),
        total_ms=_milliseconds(value["total_ms"]),
        request_bytes=_number(value["request_bytes"]) or 0,
        answer_bytes=_number(value["answer_bytes"]) or 0,
        forwarded=_optional(value["forwarded_path"]),
        note=note,
        websocket=value["websocket"] is True,
        bodies=None if bodies is None else Bodies(_text(bodies["request"]), _text(bodies["answer"])),
    )
    target, recorder = value["target"], value["recorder"]
    return Saved(
        exchange,
        _url(target["origin"]),
        _text(target["proxy_version"]),
        _url(recorder["url"]),
        None if recorder["base_url"] is None else _url(recorder["base_url"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]!r} stands where a text should be")
    return value


def _optional(value: object) -> str | None:
    return None if value is None else _text(value)


def _one_of(value: object, allowed: tuple[str, ...]) -> Any:
    if value not in allowed:
        raise ValueError(f"{str(value)[:40]!r} is none of {', '.join(allowed)}")
    return value


def _url(value: object) -> str:
    url = _text(value)
    if not re.fullmatch(r"https?://[^/\s?#@]+(?:/[^\s?#]*)?", url):
        raise ValueError(f"{url[:40]!r} stands where a URL should be")
    return url


def _number(value: object, least: int = 0) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not least <= value < 10**15):
        raise TypeError(f"{str(value)[:40]!r} stands where a whole number should be")
    return value


def _milliseconds(value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not (math.isfinite(value) and value >= 0):
        raise TypeError(f"{str(value)[:40]!r} stands where a number of milliseconds should be")
    return float(value)
