"""HTTP status codes, methods and answer headers that a text mentions, and which request each belongs to."""

from __future__ import annotations

import re
from itertools import islice
from typing import NamedTuple

from antigravity_doctor.sources.text_request import METHODS, Draft

_RANGES = ((100, 101), (200, 206), (301, 308), (400, 417), (421, 426), (428, 429), (431, 431), (451, 451), (499, 508))
_KNOWN = frozenset(code for first, last in (*_RANGES, (510, 511), (520, 530)) for code in range(first, last + 1))

_NUMBER = re.compile(
    # Not inside a number, word, path, price, date, time or `host:port`.
    r"(?<![0-9A-Za-z_./$#%+\\-])(?<![\x21-\x7e]:)(?<!\d,)(?<!line )(?<!port )"
    r"([1-5]\d\d)"
    r"(?![0-9A-Za-z_%/]|[.,:]\d|-\d|\s?(?:ms|µs|us|ns|s|sec|seconds|bytes|[KMG]?B|tokens?|lines?|port)\b)"
)
_NAMED = re.compile(
    r"(?:(?<![A-Za-z])HTTP(?:/\d(?:\.\d)?)?|status(?:[ _-]?code)?|(?<!exit )(?<!line )code|error"
    r"|ошибка|ошибку|код|статус|状态码?|狀態碼?|错误码?|錯誤碼?|代码|エラー|ステータス|コード|오류|상태|코드|lỗi|mã|código|estado|fehler|erreur|erro)"
    r"[\"'\s:：=#(\[]{0,4}([1-5]\d\d)(?![0-9A-Za-z_]|[.,:]\d)",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"[\"'\s:\-–—(]{0,3}(?:not found|method not allowed|unauthorized|forbidden|bad request|too many requests"
    r"|not allowed|service unavailable|bad gateway|gateway time|internal server|unprocessable|unsupported media"
    r"|request entity|payload too large|ok\b"
    r"|page not found|status code|client error|server error|error|错误|錯誤|エラー|오류|ошибк)",
    re.IGNORECASE,
)


_MOST_MENTIONS = 20_000
"""In one line. More are no text that someone can mean."""


class Mention(NamedTuple):
    """A status code in a text. `certain`: a word beside it says that it is one."""

    start: int
    end: int
    value: int
    certain: bool


def status_mentions(text: str) -> list[Mention]:
    """The status codes in the text, in order. 2xx and 3xx count only where a word names them (see `certain`)."""
    found: dict[int, Mention] = {}
    for match in islice(_NUMBER.finditer(text), _MOST_MENTIONS):
        value = int(match.group(1))
        if value in _KNOWN:
            certain = _REASON.match(text, match.end(), match.end() + 32) is not None
            found[match.start()] = Mention(match.start(), match.end(), value, certain)
    for match in islice(_NAMED.finditer(text), _MOST_MENTIONS):
        value = int(match.group(1))
        if value in _KNOWN:
            found[match.start(1)] = Mention(match.start(1), match.end(1), value, True)
    return [found[start] for start in sorted(found)]


_ADJACENT = re.compile(
    r"[^0-9A-Za-z]{0,16}(?:HTTP/\d(?:\.\d)?[^0-9A-Za-z]{0,4})?"
    # "… returned 200", where a bare number would be no status
    r"|\W{1,4}(?:returne?d?s?|gives|gave|gets?|got|answer(?:s|ed)|responded with|responds with|says|devolvió|devuelve"
    r"|renvoie|liefert|gibt|retornou|trả về)\W{1,4}(?:an? |HTTP )?"
)


def attach_statuses(text: str, drafts: list[Draft], spans: list[Draft]) -> None:
    """Give each of `drafts` that has no status the one that its sentence means; a mention is used once.

    `spans` are all things like a request in the text (`drafts` among them), both in order: a 404 in a path is none.
    Linear in the text and the number of drafts.
    """
    if not drafts or not re.search(r"[1-5]\d\d", text):
        return
    parts = []
    place = 0
    for span in spans:
        parts.append(text[place : span.start])
        parts.append("\x00" * (span.end - max(span.start, place)))
        place = span.end
    parts.append(text[place:])
    plain = "".join(parts)
    mentions = status_mentions(plain)
    if not mentions:
        return
    # gaps[i] stands before draft i, gaps[i + 1] after it
    gaps: list[list[Mention]] = [[] for _ in range(len(drafts) + 1)]
    index = 0
    for mention in mentions:
        while index < len(drafts) and drafts[index].start <= mention.start:
            index += 1
        gaps[index].append(mention)
    # "404: /v1/a, 405: /v1/b" or "/v1/a: 404, /v1/b: 405"? The last mention stands before the last request, or after.
    leading = len(drafts) > 1 and bool(gaps[0]) and not gaps[-1]
    for index, draft in enumerate(drafts):
        if draft.status is None:
            chosen = _choose(plain, draft, gaps[index], gaps[index + 1], leading)
            if chosen is not None:
                draft.status = chosen.value
                gap = gaps[index] if chosen in gaps[index] else gaps[index + 1]
                gap.remove(chosen)


def _choose(text: str, draft: Draft, before: list[Mention], after: list[Mention], leading: bool) -> Mention | None:
    def touches(first: int, second: int) -> bool:
        return second - first <= 24 and _ADJACENT.fullmatch(text, first, second) is not None

    if leading and before:
        return before[-1]
    if after and touches(draft.end, after[0].start):
        return after[0]
    if before and touches(before[-1].end, draft.start):
        return before[-1]
    nearest = (*after[:8], *before[:-9:-1])
    for mention in nearest:
        if mention.certain:
            return mention
    for mention in nearest:
        if mention.value >= 400:
            return mention
    return None


_OTHER_FIELD = re.compile(r"\s*[\"']?[A-Za-z_][\w.\- ]{0,40}[\"']?\s?[:=]\s?[\"']?\d+[\"']?\s*,?\s*")


def lone_status(line: str) -> int | None:
    """The status of a line that names no request, None if it is not clear that the number is one."""
    if not re.search(r"[1-5]\d\d", line):
        return None
    mentions = status_mentions(line)
    for mention in mentions:
        if mention.certain:
            return mention.value
    if mentions and len(line) <= 160 and not _OTHER_FIELD.fullmatch(line):
        for mention in mentions:
            if mention.value >= 400 or line.strip() == str(mention.value):
                return mention.value
    return None


_VERBS = "|".join(sorted(METHODS))
_METHOD_FIELD = re.compile(
    r"(?:(?<![A-Za-z-])(?:request[ _-]?|http[ _-]?)?method|方法|метод|メソッド|메서드|方式)"
    rf"[\"']?\s{{0,3}}[:=：]\s{{0,3}}[\"']?({_VERBS})(?![A-Za-z])",
    re.IGNORECASE,
)
_METHOD_ALONE = re.compile(rf"[\s\"'`*>│|]*({_VERBS})[\s\"'`*,│|]*")


def method_field(line: str) -> str | None:
    """The method that a `method: "post"` in the line names, or that stands on the line alone."""
    match = _METHOD_FIELD.search(line) if not line.isascii() or "ethod" in line or "ETHOD" in line else None
    if match is None and len(line) < 40:
        match = _METHOD_ALONE.fullmatch(line)
    return match.group(1).upper() if match else None


_ALLOW = re.compile(
    rf"(?<![A-Za-z-])allow[\"']?\s{{0,3}}[:=：]\s{{0,3}}[\"'\[]?((?:{_VERBS})(?:\s?,\s?(?:{_VERBS}))*)(?![A-Za-z])",
    re.IGNORECASE,
)


def allow_header(line: str) -> str | None:
    """The value of an `Allow` header that the line shows, without blanks: "GET,HEAD"."""
    match = _ALLOW.search(line) if "llow" in line or "LLOW" in line else None
    return re.sub(r"\s", "", match.group(1)).upper() if match else None
