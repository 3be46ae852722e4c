"""When a log line was written: the timestamps of every server's log that is read here, as seconds since 1970 (UTC).

A timestamp without a zone (gin, old lines of the proxy) is taken for the local time of this machine, where such logs
are written. Facts of the proxy's own lines: proxy-config-and-logs.md, section 4.
"""

from __future__ import annotations

import calendar
import re
import time

_MONTHS = {name: number for number, name in enumerate(
    (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"), 1)}  # fmt: skip

_ACCESS = re.compile(rb"([0-3]?\d)/([A-Za-z]{3})/(\d{4})[: ](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?: ([+-])(\d\d):?(\d\d))?")
_ISO = re.compile(
    rb"(\d{4})[-/](\d\d)[-/](\d\d)(?:[T ]| - )(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?:(Z|UTC)| ?([+-])(\d\d):?(\d\d))?"
)
_EPOCH = re.compile(rb"\d{19}|\d{16}|\d{13}|\d{10}(?:\.\d{1,9})?")
_EPOCH_FIELD = re.compile(rb"\"(?:ts|time|timestamp|msec|@timestamp)\"\s{0,2}:\s{0,2}\"?(\d{10}[\d.]{0,10})")

LATEST = 253_402_300_799
"""The last second of the year 9999: what is later is no time."""


def parse_time(text: bytes) -> float | None:
    """Seconds since 1970 of a timestamp that begins the text; None where there is none. Never raises."""
    found = _ACCESS.match(text)
    if found is not None:
        day, month, year, hour, minute, second, sign, hours, minutes = found.groups()
        number = _MONTHS.get(month.lower())
        if number is None:
            return None
        zone = None if sign is None else _offset(sign, hours, minutes)
        return _seconds(int(year), number, int(day), int(hour), int(minute), int(second), zone)
    found = _ISO.match(text)
    if found is not None:
        year, month, day, hour, minute, second, fraction, utc, sign, hours, minutes = found.groups()
        zone = 0 if utc else None if sign is None else _offset(sign, hours, minutes)
        whole = _seconds(int(year), int(month), int(day), int(hour), int(minute), int(second), zone)
        return whole if whole is None or not fraction else whole + int(fraction) / 10.0 ** len(fraction)
    found = _EPOCH.match(text)
    if found is not None and (found.end() == len(text) or not text[found.end() : found.end() + 1].isalnum()):
        return _of_epoch(found.group())
    return None


def time_in(line: bytes) -> float | None:
    """The first timestamp of a line, in its first 400 bytes; None where there is none."""
    head = line[:400]
    found = min(
        (match for match in (_ACCESS.search(head), _ISO.search(head)) if match is not None),
        key=lambda match: match.start(),
        default=None,
    )
    if found is not None:
        return parse_time(head[found.start() :])
    field = _EPOCH_FIELD.search(head)
    return _of_epoch(field.group(1)) if field is not None else None


def _of_epoch(digits: bytes) -> float | None:
    whole, dot, _ = digits.partition(b".")
    try:
        value = float(digits)
    except ValueError:
        return None
    if not dot and len(whole) > 10:
        value /= 10.0 ** (len(whole) - 10)
    return value if value <= LATEST else None


def _offset(sign: bytes, hours: bytes, minutes: bytes) -> int:
    seconds = int(hours) * 3600 + int(minutes) * 60
    return -seconds if sign == b"-" else seconds


def _seconds(year: int, month: int, day: int, hour: int, minute: int, second: int, zone: int | None) -> float | None:
    if not (1970 <= year <= 9999 and 1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 61):
        return None
    if zone is not None:
        return float(calendar.timegm((year, month, day, hour, minute, second)) - zone)
    try:
        return time.mktime((year, month, day, hour, minute, second, 0, 0, -1))
    except (OverflowError, ValueError):
        return None
