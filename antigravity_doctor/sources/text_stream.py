"""Reads a paste line by line and puts together what belongs to one request, in bounded memory.

Three layers: `Reader.feed` cleans a line and joins what a terminal or a shell spread over several lines; `_line` finds
the requests of one logical line; the rest keeps the *pending* request, to which following lines add (a status line, an
`Allow` header, the body of the error), and the hints that came before a request (a status, a method).
"""

from __future__ import annotations

import re

from antigravity_doctor.sources.text_answers import STATUS_BEHIND, answer_after, answer_alone
from antigravity_doctor.sources.text_bare import bare_parts
from antigravity_doctor.sources.text_cleaning import strip_terminal_controls, unescape
from antigravity_doctor.sources.text_commands import command_in, continues, quote_state, scan_command
from antigravity_doctor.sources.text_failures import Failure, connection_draft, failure_in, same_port
from antigravity_doctor.sources.text_json import looks_like_error, names_error, parse_json, scan_json
from antigravity_doctor.sources.text_logs import scan_log
from antigravity_doctor.sources.text_prose import scan_prose
from antigravity_doctor.sources.text_request import BODY_LIMIT, METHODS, Draft, FoundRequest
from antigravity_doctor.sources.text_shapes import RESOURCES
from antigravity_doctor.sources.text_status import allow_header, lone_status, method_field

_REACH_BACK = 40
"""Lines after a request in which a status, a header or a body is still taken as its own."""
_REACH_AHEAD = 8
"""Lines for which a status or method that came before any request waits for one."""
_ANSWER_REACH = 3
"""Lines after a request in which the text of its answer may stand without anything that says so."""
_MOST_LINES = 400
_MOST_CHARACTERS = 100_000
"""Of one command or JSON value over several lines; a longer one is read line by line."""
_MOST_WEAK = 20
_REMEMBERED = 100_000
"""How many distinct requests are remembered, to give each only once."""

_HEADERS = frozenset(
    (
        "allow",
        "content-type",
        "content-length",
        "server",
        "www-authenticate",
        "access-control-allow-origin",
        "x-mapped-model",
    )
)
_LOGS = ("access-log", "proxy-log")
_VERBS = "|".join(sorted(METHODS))
_ANSWER_LINE = re.compile(r"(?:<\s*)?HTTP/\d(?:\.\d)?\s+([1-5]\d\d)(?:\s|$)")
_REQUEST_LINE = re.compile(rf"(?:>\s*)?(?:{_VERBS}) (?=\S)")
_REQUEST_END = re.compile(r" HTTP/\d(?:\.\d)?$")
_HEADER_LINE = re.compile(r"(?:[<>]\s*)?([A-Za-z][A-Za-z0-9-]{1,40}):(?:\s+(.*))?$")
_STACK_FRAME = re.compile(r"\s*(?:File \"|at |from |#\d+ )")
_LOG_LINE = re.compile(r"\s*(?:\S+\s+\|\s+)?\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_JSON_OPENS = re.compile(r"\s*[\[{]\s*(?:$|[\"'{\[])")
_JSON_FIELD = re.compile(r"\"\s*:|\[\s*\{")
_STRINGS = re.compile(r"\"[^\"\\]*+(?:\\.[^\"\\]*+)*+\"|'[^'\\]*+(?:\\.[^'\\]*+)*+'")
_BODY_FIELD = re.compile(r"response_?(?:body|text)[\"']?\s*:\s*([\"'`])(.*?)\1\s*,?\s*$", re.IGNORECASE)
_NO_BODY = re.compile(r"[(\[](?:no body|empty body|no content)[)\]]", re.IGNORECASE)
_KNOWN_BODY = re.compile(r"(?:Proxy service is currently disabled|404 page not found|Not Found|Method Not Allowed)\.?")
_BASE_FIELD = re.compile(r"[\"']?base_?ur[li][\"']?\s*[:=]\s*[\"'](https?://[^\s\"']+)", re.IGNORECASE)
_URL_FIELD = re.compile(r"\s*[\"']?url[\"']?\s*[:=]\s*[\"']?/", re.IGNORECASE)

_FRAGMENTS = frozenset(word[:length] for word in RESOURCES for length in range(1, len(word))) - RESOURCES
_KEY_END = re.compile(
    r"(?:ur[li]|path|endpoint|路径|路徑|地址|网址|網址|адрес|путь|パス|경로)[\"'*]{0,3}\s?[:：=]\s*[\"'`]?$",
    re.IGNORECASE,
)
_METHOD_END = re.compile(rf"(?:^|[\s\"'`\[(>：:])(?:{_VERBS})[\"'`\])*:：]{{0,3}}$")
_CUT_ADDRESS = re.compile(r"(?:^|[\s\"'`(<=：:])(https?:/{0,2}|https?://[A-Za-z0-9.\-]+(?::\d*)?)$")
_BOX = " \t│┃║|"


class Reader:
    """Feed it lines; finished requests appear in `ready` (the owner empties it). `close` gives the rest."""

    def __init__(self) -> None:
        self.ready: list[FoundRequest] = []
        self._weak: list[FoundRequest] = []
        self._sure = False
        self._seen: dict[int, None] = {}
        self._number = 0
        self._pending: Draft | None = None
        self._status: int | None = None
        self._method: str | None = None
        self._error_body: str | None = None
        self._hint_line = 0
        self._hint_in_log = False
        self._failure: tuple[Failure, int] | None = None
        self._in_log = False  # the line being read is one of a log
        self._base: tuple[str, int] | None = None
        self._answer_line = -1000
        self._body: list[str] | None = None
        self._body_size = 0
        self._blank_lines = 0
        # joining
        self._held: str | None = None
        self._block: list[str] = []
        self._block_kind = ""
        self._block_size = 0
        self._depth = 0
        self._quote = ""
        self._quote_line = 0

    # --- joining lines ------------------------------------------------------------------------------------------

    def feed(self, line: str) -> None:
        """Take the next line, with or without its line end."""
        if self._held is None and not self._block and self._body is None:
            bare = _bare_line(line.strip())
            if bare is not None and bare.path.rpartition("/")[2].lower() not in _FRAGMENTS:
                self._number += 1
                self._blank_lines = 0
                self._take([bare])
                return
        if not (line.isascii() and line.isprintable()) or "[" in line or "\\" in line or "^" in line:
            line = strip_terminal_controls(line)
            if line.endswith("\n"):
                line = line[:-1]
            if "\n" in line:
                for part in line.split("\n"):
                    self._assemble(part)
                return
        self._assemble(line)

    def close(self) -> None:
        """The input is over: hand out what is pending, and the weak finds if there is nothing better."""
        block, self._block = self._block, []
        if block and self._block_kind == "command" and not self._quote:
            self._line("\n".join(block))
        elif block and self._block_kind == "command":
            # A quote was never closed: the command goes on to the line that opened it.
            self._line("\n".join(block[: self._quote_line + 1]))
            for part in block[self._quote_line + 1 :]:
                self._line(part)
        else:
            for part in block:
                self._line(part)
        held, self._held = self._held, None
        if held is not None:
            self._line(held)
        self._end_body()
        self._release()
        if not self._sure:
            self.ready.extend(self._weak)
        self._weak = []

    def _assemble(self, line: str) -> None:
        if self._block:
            self._extend_block(line)
            return
        held, self._held = self._held, None
        if held is not None:
            joined = _joined(held, line)
            if joined is None:
                self._line(held)
            else:
                line = joined
        command = command_in(line)
        if command is not None:
            self._quote = quote_state(line[command.end() :])
            if continues(line) or self._quote:
                self._open_block("command", line)
                return
        elif line.rstrip()[-1:] in ("{", "[", ",") or _JSON_OPENS.match(line):
            depth = _depth(line)
            if depth > 0 and _JSON_OPENS.match(line):
                self._depth = depth
                self._open_block("json", line)
                return
            if depth > 0 and line.rstrip().endswith("{"):
                self._line(line.rstrip()[:-1])
                self._depth = 1
                self._open_block("json", "{")
                return
        elif _unfinished(line):
            self._held = line
            return
        self._line(line)

    def _open_block(self, kind: str, line: str) -> None:
        self._block = [line]
        self._block_kind = kind
        self._block_size = len(line)
        self._quote_line = 0

    def _extend_block(self, line: str) -> None:
        self._block.append(line)
        self._block_size += len(line)
        if self._block_kind == "command":
            was = self._quote
            self._quote = quote_state(line, was)
            if self._quote and not was:
                self._quote_line = len(self._block) - 1
            done = not self._quote and not continues(line)
        else:
            self._depth += _depth(line)
            done = self._depth <= 0
        if not done and len(self._block) < _MOST_LINES and self._block_size < _MOST_CHARACTERS:
            return
        block, self._block = self._block, []
        text = "\n".join(block)
        if done and (self._block_kind == "command" or parse_json(text) is not None):
            self._line(text)
        else:
            for part in block:
                self._line(part)

    # --- one logical line ---------------------------------------------------------------------------------------

    def _line(self, line: str) -> None:
        self._number += 1
        stripped = line.strip()
        if not stripped:
            self._blank()
            return
        self._blank_lines = 0
        if not stripped.startswith("curl: (") and self._transcript(stripped):
            return
        body = self._body is not None
        if body and (stripped[:2] in ("* ", "$ ", "> ") or stripped == ">"):
            self._end_body()
            body = False
        drafts = self._find(line, stripped)
        if body:
            pending = self._pending
            following = [
                draft for draft in drafts if draft.strength > 1 and not (pending is not None and pending.agrees(draft))
            ]
            if not any(draft.adjacent or draft.source in ("access-log", "proxy-log", "curl") for draft in following):
                self._collect(line)
                return
            self._end_body()
        # What `curl -v` says of one address of several is not the end.
        failure = None if stripped.startswith("* ") or _only_logged(drafts, line) else failure_in(line)
        if failure is not None:
            drafts = self._fail(line, drafts, failure)
        if drafts:
            self._take(drafts)
        elif stripped[:9].lower().startswith(("<!doctype", "<html")) and self._near() is not None:
            self._collect(line)

    def _find(self, line: str, stripped: str) -> list[Draft]:
        """The drafts of a logical line; what it says about the pending request is attached on the way."""
        bare = _bare_line(stripped)
        if bare is not None:
            return [bare]
        structured = "{" in line and '"' in line
        if structured and _JSON_FIELD.search(line, 0, 4000):
            command = None if stripped[0] in "{[" else command_in(line)
            if command is None and (found := self._find_json(line)) is not None:
                return found
        if "/" in line:
            logged = scan_log(line)
            if logged is not None:
                return logged
        command = command_in(line)
        if command is not None and (commanded := _commanded(line, command)):
            return commanded
        plain = unescape(line)
        drafts = scan_prose(plain)
        if drafts:
            self._details(line, plain, drafts)
        elif self._body is None:
            self._hints(line)
        return drafts

    def _find_json(self, line: str) -> list[Draft] | None:
        """Drafts of a line with a JSON value in it; None if there is no value or it says nothing."""
        parsed = parse_json(line)
        if parsed is None:
            return None
        value, start, end = parsed
        if end - start < 3:
            return None
        text = line[start:end]
        error = looks_like_error(text)
        outside = line[:start] + " " * (end - start) + line[end:]
        drafts = (scan_log(outside) or scan_prose(unescape(outside))) if "/" in outside else []
        inside = scan_json(value, text, _scan_text)
        if drafts:
            for draft in drafts:
                draft.text = line
            for draft in inside:
                same = next((known for known in drafts if known.agrees(draft)), None)
                if same is None:
                    drafts.append(draft)
                else:
                    same.take(draft)
            if error and drafts[-1].body is None:
                drafts[-1].body = text[:BODY_LIMIT]
            self._details(outside, outside, drafts[:1])
            return drafts
        method = method_field(text) if not any(draft.strength > 1 for draft in inside) else None
        if method is not None and (pending := self._near()) is not None and pending.method is None:
            pending.method = method  # the options of a `fetch(url, {…})`
            return []
        if inside:
            if error and names_error(text) and len(inside) == 1 and inside[0].body is None:
                inside[0].body = text[:BODY_LIMIT]
            if len(inside) == 1 and inside[0].status is None:
                inside[0].status = lone_status(outside)
            return inside
        if not error:
            return None if outside.strip() else []
        if self._body is None:
            self._add_status(lone_status(outside) or lone_status(text[:BODY_LIMIT]))
            self._add_body(text[:BODY_LIMIT])
        return []

    def _details(self, line: str, plain: str, drafts: list[Draft]) -> None:
        """What a line with requests says besides: their body, an Allow header, a base URL to be joined."""
        last = drafts[-1]
        allow = allow_header(plain)
        if allow:
            last.add_header("allow", allow)
        if _NO_BODY.search(line, 0, BODY_LIMIT):
            last.body = ""
        brace = line.find("{")
        if brace >= 0 and last.body is None:
            text = _object(line, brace)
            enclosed = last.start > brace and last.path in text
            if names_error(text) or (looks_like_error(text) and not enclosed):
                last.body = text
        for index, draft in enumerate(drafts):
            if draft.body is None and draft.status is not None and draft.source != "access-log":
                stop = drafts[index + 1].start if index + 1 < len(drafts) else len(plain)
                behind = STATUS_BEHIND.match(plain, draft.end, stop)
                if behind is not None and int(behind.group(1)) == draft.status:
                    draft.body = answer_after(plain[behind.end() : stop].rstrip(" ;,"))
        base = _BASE_FIELD.search(plain)
        if base is not None:
            self._base = (base.group(1), self._number)
            pending = self._near()
            if pending is not None and pending.url is None and _URL_FIELD.match(pending.text):
                _join_base(pending, base.group(1))
        elif self._base is not None and last.url is None and _URL_FIELD.match(plain):
            url, number = self._base
            if self._number - number <= 2 * _REACH_BACK:
                _join_base(last, url)
        for draft in drafts:
            if draft.method is None and len(drafts) == 1:
                draft.method = method_field(plain)

    # --- what a line without a request says ---------------------------------------------------------------------

    def _near(self) -> Draft | None:
        """The pending request, if it is near enough for this line to speak of it."""
        pending = self._pending
        if pending is None or self._number - pending.line > _REACH_BACK or pending.source == "connection":
            return None  # (nobody answered where the connection failed: a status is about something else)
        # Lines of the proxy's log are about many requests at once; only other text beside them is about this one.
        return None if self._in_log and pending.source == "proxy-log" else pending

    def _hints(self, line: str) -> None:
        if _STACK_FRAME.match(line):
            return
        self._in_log = _LOG_LINE.match(line) is not None
        self._read_hints(line)
        self._in_log = False

    def _read_hints(self, line: str) -> None:
        pending = self._near()
        lowered = line.lower() if len(line) < 4000 else line[:4000].lower()
        if "response" in lowered:
            self._answer_line = self._number
        allow = allow_header(line)
        if allow and pending is not None:
            pending.add_header("allow", allow)
        if "content-" in lowered:
            kind = re.search(r"content-type[\"']?\s*[:=]\s*[\"']?([\w.+-]+/[\w.+-]+)", lowered)
            if kind and pending is not None and self._number - self._answer_line <= _REACH_BACK:
                pending.add_header("content-type", kind.group(1))
            return
        method = method_field(line)
        if method:
            if pending is not None and pending.method is None:
                pending.method = method
            else:
                self._method = method
                self._hint_line = self._number
        self._add_status(lone_status(line))
        field = _BODY_FIELD.search(line)
        if field is not None:
            self._add_body(unescape(field.group(2)))
        elif _NO_BODY.search(line, 0, BODY_LIMIT):
            self._add_body("")
        elif (brace := line.find("{")) >= 0 and looks_like_error(text := _object(line, brace)):
            self._add_body(text)
        elif _KNOWN_BODY.fullmatch(line.strip()) and pending is not None and pending.source == "curl":
            self._add_body(line.strip())
        elif pending is not None and pending.body is None and self._number - pending.line <= _ANSWER_REACH:
            answer = answer_alone(line) if pending.source not in _LOGS else None
            if answer is not None and answer[0] != "<":
                self._add_body(answer)

    def _add_status(self, status: int | None) -> None:
        if status is None:
            return
        pending = self._near()
        if pending is not None and pending.status is None:
            pending.status = status
        elif pending is None or pending.status != status:
            self._status = status
            self._hint_line = self._number
            self._hint_in_log = self._in_log

    def _add_body(self, body: str) -> None:
        pending = self._near()
        if pending is not None:
            if not pending.body:
                pending.body = body
        else:
            self._error_body = body
            self._hint_line = self._number

    def _fail(self, line: str, drafts: list[Draft], failure: Failure) -> list[Draft]:
        """Say of the requests of the line, or of the pending one, that they met this; what there is to take then."""
        best = max((draft.strength for draft in drafts), default=0)
        met = [draft for draft in drafts if draft.strength == best and same_port(draft.host, failure.host)]
        if not met:
            pending = self._pending
            if pending is None or pending.source != "connection":
                pending = self._near()
            if pending is not None and pending.source not in _LOGS and same_port(pending.host, failure.host):
                met = [pending]
        for draft in met:
            draft.failure = draft.failure or failure.kind
            draft.host = draft.host or failure.host
        if not met or met[0].strength < 2:
            self._failure = (failure, self._number)
        if met or failure.host is None:
            return drafts
        return [*drafts, connection_draft(line, failure)]

    # --- HTTP transcripts ---------------------------------------------------------------------------------------

    def _transcript(self, stripped: str) -> bool:
        """Whether the line was one of `curl -v`, `curl -i` or a raw HTTP exchange, and has been dealt with."""
        pending = self._pending
        answer = _ANSWER_LINE.match(stripped)
        if answer is not None:
            self._end_body()
            status = int(answer.group(1))
            if pending is not None and self._near() is not None:
                if pending.status is None or pending.status < 200:
                    pending.status = status
                pending.transcript = pending.responded = True
            else:
                self._status = status
                self._hint_line = self._number
            return True
        if _REQUEST_LINE.match(stripped) and (end := _REQUEST_END.search(stripped, max(0, len(stripped) - 12))):
            self._end_body()
            sent = stripped.startswith(">")
            method, _, target = stripped[: end.start()].lstrip("> \t").partition(" ")
            if not target.startswith(("/", "http://", "https://")):
                return False
            source = "curl" if sent else "text"
            draft = Draft(stripped, 0, len(stripped), target, method=method, source=source, keep_fragment=True)
            draft.transcript = True
            if pending is not None and pending.agrees(draft):
                pending.transcript = True
            self._take([draft])
            return True
        if pending is None or not pending.transcript or self._body is not None:
            return False
        if stripped in ("<", ">"):
            self._blank()
            return True
        if stripped.startswith(("* ", "} [", "{ [")):
            return True
        header = _HEADER_LINE.match(stripped)
        if header is None:
            return False
        name, value = header.group(1).lower(), (header.group(2) or "").strip()
        if pending.responded and not stripped.startswith(">"):
            if name in _HEADERS:
                pending.add_header(name, value)
        elif name == "host" and pending.host is None:
            pending.host = value or None
        return True

    def _blank(self) -> None:
        self._blank_lines += 1
        if self._body is not None:
            if self._blank_lines > 1:
                self._end_body()
        elif self._pending is not None and self._pending.transcript and self._pending.responded:
            if self._pending.body is None:
                self._body = []
                self._body_size = 0
            self._pending.transcript = False

    def _collect(self, line: str) -> None:
        if self._body is None:
            self._body = []
            self._body_size = 0
        self._body.append(line)
        self._body_size += len(line)
        if self._body_size > BODY_LIMIT or len(self._body) > 60:
            self._end_body()

    def _end_body(self) -> None:
        body, self._body = self._body, None
        if body and self._pending is not None and not self._pending.body:
            text = "\n".join(body).strip()
            if text:
                self._pending.body = text

    # --- the pending request ------------------------------------------------------------------------------------

    def _take(self, drafts: list[Draft]) -> None:
        for draft in drafts:
            draft.line = self._number
            self._use_hints(draft)
            pending = self._pending
            if pending is not None:
                if pending.agrees(draft):
                    pending.take(draft)
                    pending.line = self._number
                    continue
                if pending.strength > draft.strength:
                    self._keep_weak(draft)
                    continue
                self._end_body()
                self._release()
            self._pending = draft

    def _use_hints(self, draft: Draft) -> None:
        if self._failure is not None and draft.strength > 1 and draft.source not in _LOGS:
            failure, number = self._failure
            self._failure = None
            if self._number - number <= _REACH_BACK and same_port(draft.host, failure.host):
                draft.failure = draft.failure or failure.kind
                draft.host = draft.host or failure.host
        if self._hint_line == 0 or draft.source == "connection":
            return
        fits = (draft.source == "proxy-log" and not self._hint_in_log) or draft.source not in _LOGS
        if fits and self._number - self._hint_line <= _REACH_AHEAD:
            if draft.status is None:
                draft.status = self._status
            if draft.method is None:
                draft.method = self._method
            if draft.body is None:
                draft.body = self._error_body
        if draft.strength > 1:
            self._status = self._method = self._error_body = None
            self._hint_line = 0

    def _release(self) -> None:
        pending, self._pending = self._pending, None
        if pending is None:
            return
        if pending.strength > 1:
            self._sure = True
            self._weak = []
            # The hash, not the values: a path can be a megabyte.
            key = hash((pending.method, pending.path, pending.status, pending.url))
            if key not in self._seen:
                if len(self._seen) >= _REMEMBERED:
                    del self._seen[next(iter(self._seen))]
                self._seen[key] = None
                self.ready.append(pending.found())
        else:
            self._keep_weak(pending)

    def _keep_weak(self, draft: Draft) -> None:
        if not self._sure and len(self._weak) < _MOST_WEAK and (found := draft.found()) not in self._weak:
            self._weak.append(found)


def _only_logged(drafts: list[Draft], line: str) -> bool:
    """Whether the line is one of an access log, which tells of answers; an error log quotes requests, too."""
    return bool(drafts) and drafts[0].source in _LOGS and "fail" not in line and "rror" not in line


def _bare_line(stripped: str) -> Draft | None:
    parts = bare_parts(stripped, line_of_many=True)
    if parts is None:
        return None
    method, status, target, host, source, strength = parts
    start = len(stripped) - len(target) if stripped.endswith(target) else 0
    draft = Draft(
        stripped, start, len(stripped), target, method=method, status=status, source=source, strength=strength
    )
    if host is not None:
        draft.host = host
    return draft


def _commanded(line: str, command: re.Match[str]) -> list[Draft]:
    drafts, end = scan_command(line, command)
    if not drafts:
        return []
    rest = line[end:]
    if len(drafts) == 1:
        status = lone_status(rest.strip()) if rest.strip() else None
        drafts[0].status = status if status is not None else lone_status(line[: command.start()])
    if "/" in rest:
        drafts.extend(draft for draft in scan_prose(unescape(rest)) if not drafts[-1].agrees(draft))
    return drafts


def _scan_text(text: str) -> list[Draft]:
    """The drafts of a string inside JSON: log lines, commands, sentences."""
    drafts: list[Draft] = []
    for part in strip_terminal_controls(text).split("\n"):
        if "/" not in part:
            continue
        found = scan_log(part)
        if found is None:
            command = command_in(part)
            found = (_commanded(part, command) if command is not None else []) or scan_prose(unescape(part))
        drafts.extend(found)
    return drafts


def _join_base(draft: Draft, base: str) -> None:
    """axios prints the base URL and the path apart and joins them like this when it sends."""
    joined = Draft(draft.text, draft.start, draft.end, base.rstrip("/") + draft.path)
    draft.url, draft.host, draft.path = joined.url, joined.host, joined.path
    draft.strength = 2


def _object(line: str, start: int) -> str:
    """The object literal that begins at `start`, to its closing brace, at most 2000 characters."""
    text = line[start : start + BODY_LIMIT]
    bare = _STRINGS.sub(lambda match: "_" * len(match.group()), text)
    depth = 0
    for match in re.finditer(r"[{}]", bare):
        depth += 1 if match.group() == "{" else -1
        if depth == 0:
            return text[: match.end()]
    return text


def _depth(line: str) -> int:
    """How many brackets and braces the line opens more than it closes, outside of strings."""
    bare = _STRINGS.sub("", line)
    return bare.count("{") + bare.count("[") - bare.count("}") - bare.count("]")


def _unfinished(line: str) -> bool:
    """Whether the line ends where only the next one can tell: in a method, behind `url:`, inside an address."""
    tail = line[-160:].rstrip(_BOX)
    last = tail[-1:]
    if not last or not (last.isalnum() or last in "/:：=\"'`])*._-"):
        return False
    word = tail.rsplit(None, 1)[-1]
    if _METHOD_END.search(tail) or _KEY_END.search(tail) or _CUT_ADDRESS.search(word):
        return True
    if "/" not in word:
        return False
    end = re.split(r"[/:]", word)[-1].lower()
    return end in _FRAGMENTS or (end == "" and ("://" in word or "/v1" in word))


def _joined(held: str, line: str) -> str | None:
    """Both lines as one if the second goes on where the first was cut, else None."""
    following = line.strip(_BOX)
    tail = held[-160:].rstrip(_BOX)
    word = tail.rsplit(None, 1)[-1]
    target = re.match(r"[\"'`<(]?(?:/|https?://|[\w.-]+:\d{2,5}/|v\d+\w*/)", following)
    if target and (_METHOD_END.search(tail) or _KEY_END.search(tail)):
        return held.rstrip(_BOX) + " " + following
    cut = _CUT_ADDRESS.search(word)
    if cut is not None:
        address = cut.group(1)
        if address.endswith("/"):
            fits = re.match(r"[A-Za-z0-9.\-]+(?::\d+)?/|localhost", following)
        elif address.endswith((":", "p", "s")) and "//" not in address:
            fits = re.match(r":?//", following)
        else:
            fits = re.match(r"/[A-Za-z0-9]|[.:]?\d[\d.]*(?::\d+)?/|:\d+/", following)
        return held.rstrip(_BOX) + following if fits else None
    first = re.match(r"[A-Za-z_]+", following)
    if first is None or "/" not in word:
        return None
    end = re.split(r"[/:]", word)[-1].lower()
    whole = end + first.group().lower()
    return held.rstrip(_BOX) + following if whole in RESOURCES and (end == "" or end in _FRAGMENTS) else None
