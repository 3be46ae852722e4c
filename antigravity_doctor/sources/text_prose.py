"""Finds requests in a line of free text, whatever language and punctuation they are glued to.

A path, URL or `host:port/path` is found by its characters; whether it is a request is decided by its shape and by what
stands around it (a method, a status, a host of one's own). Every pattern is linear: no class of characters can be
divided between two repetitions.
"""

from __future__ import annotations

import re

from antigravity_doctor.sources.text_request import METHODS, Draft
from antigravity_doctor.sources.text_settings import setting_before
from antigravity_doctor.sources.text_shapes import (
    RESOURCES,
    api_level,
    has_resource,
    is_near,
    is_page,
    names_prefix_only,
    on_disk,
    plausible_host,
)
from antigravity_doctor.sources.text_status import attach_statuses, status_mentions

_VERBS = "|".join(sorted(METHODS))
# What a path in running text may hold. Parentheses, brackets, quotes and everything beyond ASCII end it; a comma or
# semicolon does if another request or field begins behind it; braces only count in pairs (`{model}`).
_C = r"A-Za-z0-9\-._~%!$&*+=:@/"
_RUN = rf"[{_C}]*+(?:[,;](?!/|https?:|[A-Za-z_]+=|[A-Za-z_]+:(?!//)|[\"'])[{_C}]*+|\{{[\w=*/.\-]{{0,80}}\}}[{_C}]*+)*+"
_TARGET = rf"{_RUN}(?:\?(?:{_RUN}\??)*+)?"
_NOT_INSIDE = r"(?<![A-Za-z0-9_/\\~%@$}])"
_CANDIDATE = re.compile(
    rf"(?P<url>(?i:https?|wss?)://(?:\[[0-9A-Fa-f:.]+\]|(?=[^\x00-\x7f])[^\s/?#\"'<>、。，；：（）「」]{{1,253}})?{_TARGET})"
    rf"|(?P<host>(?<![A-Za-z0-9_.@/\\%$}}-])"
    rf"(?:(?:(?i:localhost)|[A-Za-z0-9][A-Za-z0-9\-]*+(?:\.[A-Za-z0-9\-]++)++|\[[0-9A-Fa-f:.]+\])(?::\d{{1,5}})?"
    rf"|[A-Za-z][A-Za-z0-9_\-]*+:\d{{2,5}})/{_TARGET})"
    rf"|(?P<path>(?:{_NOT_INSIDE}|(?<=\bGET)|(?<=\bPOST)|(?<=\bPUT)|(?<=\bDELETE)|(?<=\bHEAD)|(?<=_)(?<![A-Za-z0-9]_)(?<![A-Za-z0-9]__))/{_TARGET})"
    rf"|(?P<relative>(?<![A-Za-z0-9_./\\%@$}}:\-])[vV]\d{{1,2}}(?:alpha|beta)?\d{{0,2}}/{_TARGET})"
    rf"|(?P<after>(?<![A-Za-z0-9_])(?:{_VERBS})[ \t]{{1,8}}(?=[A-Za-z][A-Za-z0-9_.\-]*+/){_TARGET})",
    re.ASCII,
)

_MOST_SPANS = 20_000
"""In one line: a line that holds more is no text that someone can mean."""

_GLUED_STATUS = re.compile(r"[:,=](?=[345]\d\d$)")
_FIELD_BEFORE = re.compile(
    r"(?:base[ _-]?ur[li]|api[ _-]?base|base[ _-]?path|_URL|_BASE|_HOST|_ENDPOINT|api[ _-]?host)\W{0,6}$",
    re.IGNORECASE,
)
_METHOD_BEFORE = re.compile(
    rf"(?:(?<![A-Za-z0-9_])|(?<=XHR))({_VERBS})"
    r"[\s\"'`|:>*\](){},=（）【】「」『』“”：，—-]*$"
)
_METHOD_CALL = re.compile(
    r"(?<![A-Za-z0-9_])(get|post|put|delete|patch|head)\s?\(?\s{0,3}[fbru]?[\"'`]$", re.IGNORECASE
)
_METHOD_FIRST = re.compile(r"\W*(get|post|put|delete|patch|head|options)\s{1,8}[\"'`]?$", re.IGNORECASE)
_METHOD_NEAR = re.compile(rf"(?<![A-Za-z0-9_])({_VERBS})(?![A-Za-z0-9_])")
_METHOD_AFTER = re.compile(rf"[\s\"'`*)\]]{{0,4}}[(\[（【]\s?({_VERBS})\s?[)\]）】]")
_METHOD_NAMED = re.compile(
    rf"(?:method|verb|方法|метод[а-я]*|メソッド|메서드|método|méthode|methode|phương thức|via|using|with|по)"
    rf"\W{{0,4}}({_VERBS})(?![A-Za-z])",
    re.IGNORECASE,
)
_JAVA_ADDRESS = re.compile(r"/(?:\d{1,3}\.){3}\d{1,3}:\d{1,5}")
"""How Java prints an address, with or without the name before it: `localhost/127.0.0.1:8045`."""
_ERROR_WORDS = re.compile(
    r"error|exception|fail|not found|not allowed|status|denied|refused|for url|http request|traceback|cannot|unable"
    r"|失败|失敗|错误|錯誤|不存在|报错|返回|回傳|エラー|見つかり|오류|실패|없습니다|ошибк|вернул|не найден"
    r"|lỗi|thất bại|không tìm|fallo|no encontr|fehler|nicht gefunden|erreur|introuvable|échou|erro|falh|não encontr",
    re.IGNORECASE,
)
_TIMING = re.compile(r"[\s\"|)\]]{0,6}(?:\(?[\d.]+\s?(?:ms|µs|s)\b|-\s|\d+\s(?:-|[\d.]+\s?ms)|\d+\s*$)")


def scan_prose(line: str) -> list[Draft]:
    """The requests that the line speaks of, in order, each with method and status where the line gives them.

    Drafts with strength 1 count only if the whole paste holds nothing better; see `Draft`.
    """
    if "/" not in line:
        return []
    spans: list[Draft] = []  # everything like a target, also what is no request: a status inside it is none
    place = 0
    while len(spans) < _MOST_SPANS and (match := _CANDIDATE.search(line, place)) is not None:
        kind = str(match.lastgroup)
        start = match.start()
        if kind == "after":
            start = match.end() - len(match.group().split(None, 1)[1])
        end = _trimmed(line, start, match.end())
        place = max(match.end(), place + 1)
        if end <= start or (kind == "path" and _not_a_start(line, start, line[start:end])):
            continue
        spans.append(_draft(line, start, line[start:end], kind, floor=spans[-1].end if spans else 0))
    if not spans:
        return []
    attach_statuses(line, spans, spans)
    kept = [draft for draft in spans if _judge(line, draft)]
    sure = [draft for draft in kept if draft.strength > 1] or kept
    if len(sure) < len(spans):
        # A status next to a page or a file was meant for the request beside it.
        for draft in kept:
            draft.status = None
        attach_statuses(line, sure, spans)
    erroneous = _ERROR_WORDS.search(line, 0, 4000) is not None
    for draft in kept:
        draft.source = _source(line, draft, erroneous)
    return kept


def _trimmed(line: str, start: int, end: int) -> int:
    """The end of the target without the punctuation of the sentence around it."""
    underlined = start > 0 and line[start - 1] == "_"
    following = line[end : end + 1]
    while end > start:
        last = line[end - 1]
        if last in ".,;:!*~&?" or (last == "_" and underlined):
            pass
        elif not (last in "-=" and following == ">") and not (last == "-" and not following.isascii()):
            break
        following = last
        end -= 1
    tail = line[max(start, end - 40) : end]
    if line[end : end + 40].lstrip().startswith("Failed to load resource"):
        # Chrome names the line of the "file", which is always 1.
        return end - 2 if tail.endswith(":1") else end
    glued = _GLUED_STATUS.search(tail)
    if glued and "?" not in tail and re.split(r"[/:]", tail[: glued.start()])[-1].lower() in RESOURCES:
        return end - len(tail) + glued.start()
    return end


def _not_a_start(line: str, start: int, token: str) -> bool:
    """Whether the slash at `start` continues something else (a drive, another scheme, `./x`, a closing tag)."""
    before = line[start - 1] if start else " "
    earlier = line[start - 2] if start > 1 else " "
    if before == ":":
        if token.startswith("//"):
            return True  # file://, git://, app://
        drive = earlier.isascii() and earlier.isalpha() and (start < 3 or not line[start - 3].isalnum())
        return drive or earlier.isdigit()
    if before == ".":
        # `./x` and `../x` are files; "it failed./v1/x" lacks a blank.
        return earlier in " ./\"'`(=\t" or api_level(token) < 2
    if before in "-#&":
        return api_level(token) < 2
    return before == "<" and api_level(token) < 2


def _draft(line: str, start: int, token: str, kind: str, floor: int) -> Draft:
    target = token
    host = None
    if kind == "after" and plausible_host(token.partition("/")[0], token.partition("/")[2]):
        kind = "host"
    if kind == "host":
        host, slash, rest = token.partition("/")
        target = slash + rest
    before = line[max(floor, start - 48) : start]
    method, adjacent = _method_before(before, at_line_start=start <= 48 and floor == 0)
    draft = Draft(line, start, start + len(token), target, method=method)
    if host is not None:
        draft.host = host
    if method is not None and adjacent:
        found = line.rfind(method, max(0, start - 48), start)
        draft.start = found if found >= 0 else start
    draft.adjacent = adjacent
    if method is None:
        after = _METHOD_AFTER.match(line, draft.end)
        if after is None:
            # Not beyond the next thing with a slash: that one has a method of its own.
            stop = line.find("/", draft.end, draft.end + 80)
            segment = line[draft.end : stop if stop >= 0 else draft.end + 80]
            after = _METHOD_NAMED.search(segment)
        if after is None and "method" in before.lower():
            after = _METHOD_NAMED.search(before)
        if after is not None:
            draft.method = after.group(1).upper()
    # Kept for the judgement; `_source` puts the real one.
    draft.source = kind
    return draft


def _method_before(before: str, at_line_start: bool) -> tuple[str | None, bool]:
    """(method, whether it stands right before the target), from the text in front of it."""
    match = _METHOD_BEFORE.search(before)
    if match is None and before[-1:] in "\"'`" and before:
        match = _METHOD_CALL.search(before)
    if match is None and at_line_start:
        match = _METHOD_FIRST.fullmatch(before)
    if match is not None:
        if "llow" in before[: match.start()][-14:].lower():
            return None, False
        return match.group(1).upper(), True
    if "llow" in before.lower():
        return None, False
    loose = _METHOD_NEAR.findall(before)
    return (loose[-1], False) if loose else (None, False)


def _judge(line: str, draft: Draft) -> bool:
    """Whether the candidate is a request at all; sets its strength."""
    kind = draft.source
    path = draft.path
    level = api_level(path)
    if kind == "after" and not level:
        return False  # "POST and/or GET"
    if draft.adjacent and (level or path != "/" or draft.url or draft.status is not None):
        draft.strength = 2
        return True
    if _JAVA_ADDRESS.fullmatch(path) or on_disk(path) or (kind == "path" and path.startswith("//") and not level):
        return False
    near_status = draft.status is not None
    if kind in ("url", "host"):
        host = draft.host or ""
        if not host or (kind == "host" and not plausible_host(host, path)):
            return False
        if is_page(host, path):
            draft.strength = 1
            return level > 0
        draft.setting = setting_before(line, draft.start)
        if draft.setting is not None:
            draft.strength = 1
            return True
        if _FIELD_BEFORE.search(line[max(0, draft.start - 40) : draft.start]):
            draft.strength = 1
            return level > 0 or is_near(host)
        if is_near(host):
            draft.strength = 1 if names_prefix_only(path) else 2
            return path != "/" or near_status or _alone(line, draft)
        draft.strength = 2 if level == 2 and not names_prefix_only(path) else 1
        if near_status and path != "/":
            draft.strength = 2
        return level > 0 or (near_status and path != "/")
    if kind == "relative":
        draft.strength = 2 if _alone(line, draft) or _touching_status(line, draft) else 1
        return level == 2
    if level == 2:
        draft.strength = 1 if names_prefix_only(path) else 2
        return True
    if level == 1:
        draft.strength = 2 if _touching_status(line, draft) or (near_status and has_resource(path)) else 1
        return True
    return len(path) > 3 and path[1:2].isalnum() and _touching_status(line, draft)


def _touching_status(line: str, draft: Draft) -> bool:
    """Whether a status stands in the few words right after the target, or right before it."""
    if draft.status is None:
        return False
    after = line[draft.end : draft.end + 24]
    before = line[max(0, draft.start - 24) : draft.start]
    return any(mention.value == draft.status for part in (after, before) for mention in status_mentions(part))


def _alone(line: str, draft: Draft) -> bool:
    """Whether the line holds nothing but the target."""
    return len(line) - (draft.end - draft.start) < 200 and not any(
        letter.isalnum() for letter in line[: draft.start] + line[draft.end :]
    )


def _source(line: str, draft: Draft, erroneous: bool) -> str:
    if draft.setting is not None:
        return "setting"
    if draft.adjacent and draft.status is not None and _morgan(line, draft):
        return "access-log"
    if draft.method is None and _alone(line, draft):
        return "url" if draft.url else "path"
    return "client-error" if draft.status is not None or erroneous else "text"


def _morgan(line: str, draft: Draft) -> bool:
    """`POST /v1/x 404 1.2 ms - 150`: the status right after the target and a duration or size after that."""
    status = re.compile(r"[\s\"|]{1,4}(?:HTTP/\d(?:\.\d)?[\s\"]{1,3})?([1-5]\d\d)(?!\d)").match(line, draft.end)
    return status is not None and _TIMING.match(line, status.end()) is not None
