"""Reads the command lines that send a request: curl, wget, HTTPie and xh, PowerShell's Invoke-RestMethod.

The method follows from the options as the tool itself would choose it (`-d` makes a POST).
"""

from __future__ import annotations

import re

from antigravity_doctor.sources.text_request import METHODS, Draft

_COMMAND = re.compile(
    r"(?:^|(?<=[\s`(;&|>$#\"']|[^\x00-\x7f]))(?P<name>curl(?:\.exe)?|wget(?:\.exe)?|xhs?|https?|Invoke-RestMethod|Invoke-WebRequest|irm|iwr)"
    r"(?=[\s^`\\])",
    re.IGNORECASE,
)
_WORD = re.compile(
    r"(?P<blank>[\s]+|[\\`^](?=\s|$))"
    r"|\"(?P<double>[^\"\\`]*+(?:(?:\\|`)(?s:.)[^\"\\`]*+)*+)(?:\"|$)"
    r"|\$?'(?P<single>[^']*)(?:'|$)"
    r"|(?P<plain>[^\s\"'\\`^]+)"
    r"|[\\`^](?P<escaped>(?s:.))"
)
_URL = re.compile(r"(?:https?|wss?)://\S", re.IGNORECASE)
_HOST_PATH = re.compile(
    r"(?:[A-Za-z0-9][A-Za-z0-9.\-]*|\[[0-9A-Fa-f:]+\]):\d{1,5}(?:/|$)|(?:[A-Za-z0-9\-]+\.[A-Za-z0-9.\-]+|localhost)(?:/|$)"
)
_LOCAL = re.compile(r":(?:\d{1,5})?(?:/|$)")
_CURL_VALUED = frozenset("AbcCdDeEFHKmoPQrtTuUwxXyYz")


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CURL_FLAGS = _names(
    """
    --silent --show-error --verbose --include --head --insecure --location --fail --fail-with-body --compressed --get
    --globoff --http1.0 --http1.1 --http2 --http2-prior-knowledge --http3 --ipv4 --ipv6 --no-buffer --progress-bar
    --raw --remote-name --tcp-nodelay --anyauth --basic --digest --no-keepalive --path-as-is --parallel --next --netrc
    --ssl-no-revoke --no-progress-meter --disable --ntlm --negotiate --post301 --post302 --fail-early --tlsv1.2
    """
)


_CHEAP = ("curl", "wget", "invoke-", "http ", "https ", "xh ", "xhs ", "irm ", "iwr ")
_HTTPIE_ARGUMENTS = re.compile(
    rf"\s+(?:-\S+\s+){{0,8}}(?:(?:{'|'.join(sorted(METHODS))})\s+)?(?:https?://|localhost|:\d|:/|[\w.-]{{1,80}}:\d+/)"
)
_PROMPT = re.compile(r"[\s$>#%`\"'\w@:~.\-\[\]()]{0,80}")


def command_in(line: str) -> re.Match[str] | None:
    """The place of a command in the line (its first 4000 characters), None if there is none."""
    lowered = line[:4000].lower()
    if not any(word in lowered for word in _CHEAP):
        return None
    for match in _COMMAND.finditer(line, 0, 4000):
        if match.group("name").lower() not in ("http", "https", "xh", "xhs"):
            return match
        # A word of prose, unless an address follows at once and nothing but a prompt stands before it.
        before = line[: match.start()]
        if (
            _HTTPIE_ARGUMENTS.match(line, match.end())
            and _PROMPT.fullmatch(before) is not None
            and len(before.split()) < 3
        ):
            return match
    return None


def quote_state(line: str, quote: str = "") -> str:
    """The quote that is open at the end of the line, "" if none. `quote` is what was open at its start.

    Only a quote at the start of a word opens one, so that "doesn't" behind a command in prose opens none.
    """
    for match in re.finditer(r"\\.|`.|[\"']", line):
        mark = match.group()
        if len(mark) == 2:
            continue
        if quote:
            if mark == quote:
                quote = ""
        elif match.start() == 0 or line[match.start() - 1] in " \t=@$({[:^":
            quote = mark
    return quote


def continues(line: str) -> bool:
    """Whether the line of a command goes on in the next one (`\\` of shells, a backtick of PowerShell, `^` of cmd)."""
    stripped = line.rstrip()
    return stripped.endswith(("\\", "^")) or (stripped.endswith("`") and not stripped.endswith("```"))


def scan_command(text: str, match: re.Match[str]) -> tuple[list[Draft], int]:
    """(requests that the command sends, where the command ends). No request if it names no address."""
    name = match.group("name").lower().removesuffix(".exe")
    if text[match.start() - 1 : match.start()] == "`":
        close = text.find("`", match.end())
        text = text[:close] if close > 0 else text  # code in Markdown
    if '^"' in text:
        text = text[: match.end()] + re.sub(r"\^(.)", r"\1", text[match.end() :], flags=re.DOTALL)
    words = _words(text, match.end())
    if name == "curl":
        return _curl(text, match.start(), words)
    if name == "wget":
        return _wget(text, match.start(), words)
    if name in ("http", "https", "xh", "xhs"):
        return _httpie(text, match.start(), words)
    return _powershell(text, match.start(), words)


class _Word:
    __slots__ = ("end", "quoted", "start", "text")

    def __init__(self, text: str, start: int, end: int, quoted: bool) -> None:
        self.text = text
        self.start = start
        self.end = end
        self.quoted = quoted


def _words(text: str, place: int) -> list[_Word]:
    """The words of a command line from `place` on, quotes and escapes taken away."""
    words: list[_Word] = []
    parts: list[str] = []
    start = end = place
    quoted = False
    for match in _WORD.finditer(text, place):
        if match.group("blank") is not None:
            if parts:
                words.append(_Word("".join(parts), start, end, quoted))
            parts = []
            quoted = False
            continue
        if not parts:
            start = match.start()
        end = match.end()
        kind = str(match.lastgroup)
        part = match.group(kind)
        if kind == "double":
            part = re.sub(r"[\\`]([\"\\$`])", r"\1", part)
        quoted = quoted or kind in ("double", "single")
        parts.append(part)
        if len(words) > 5000:
            break
    if parts:
        words.append(_Word("".join(parts), start, end, quoted))
    return words


def _target(word: _Word) -> tuple[str, int] | None:
    """(target, its end in the text) if the word is an address. An unquoted one loses the punctuation of a sentence."""
    value = word.text
    if not (_URL.match(value) or _HOST_PATH.match(value) or _LOCAL.match(value)):
        return None
    if word.quoted:
        return value, word.end
    glued = re.search(r"[^\x21-\x7e]|[)\]|;<>](?=$|[^\w/])", value)
    if glued:
        value = value[: glued.start()]
    value = value.rstrip(".,;:!")
    return value, word.start + len(value)


def _draft(text: str, start: int, end: int, target: str, method: str, host: str | None) -> Draft:
    if _URL.match(target):
        draft = Draft(text, start, end, target, method=method, source="curl")
    else:
        name, slash, rest = target.partition("/")
        draft = Draft(text, start, end, slash + rest, method=method, source="curl")
        draft.host = "localhost" + name if name.startswith(":") and len(name) > 1 else name.strip(":") or "localhost"
    draft.host = host or draft.host
    draft.strength = 2
    return draft


def _curl(text: str, start: int, words: list[_Word]) -> tuple[list[Draft], int]:
    method = host = None
    data = head = get = upload = False
    targets: list[tuple[str, int]] = []
    end = start
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        value = word.text
        name, argument = value, None
        if value.startswith("--") and len(value) > 2:
            name, mark, after = value.partition("=")
            if mark:
                argument = after
            elif name not in _CURL_FLAGS and index < len(words):
                argument = words[index].text
                index += 1
        elif value.startswith("-") and len(value) > 1 and value[1].isalpha():
            for at, letter in enumerate(value[1:], 1):
                name = "-" + letter
                if letter in _CURL_VALUED:
                    argument = value[at + 1 :]
                    if not argument and index < len(words):
                        argument = words[index].text
                        index += 1
                    break
                head = head or letter == "I"
                get = get or letter == "G"
        elif not word.quoted and value in ("|", ">", "&&", "||", ";", "&", "2>&1", ">>"):
            break
        else:
            found = _target(word)
            if found is None:
                if not targets and word.quoted:
                    continue
                break  # prose after the command, or no command at all
            targets.append(found)
            end = found[1]
            if end < word.end and not word.quoted:
                break
            continue
        end = words[index - 1].end
        if name in ("-X", "--request"):
            method = (argument or "").upper() or method
        elif name in ("-d", "-F", "--json", "--form", "--form-string") or name.startswith("--data"):
            data = True
        elif name in ("-T", "--upload-file"):
            upload = True
        elif name in ("--head", "--get"):
            head = head or name == "--head"
            get = get or name == "--get"
        elif name in ("-H", "--header") and argument and argument.lower().startswith("host:"):
            host = argument[5:].strip() or None
        elif name == "--url" and argument:
            targets.append((argument, end))
    method = method or ("HEAD" if head else "GET" if get else "POST" if data else "PUT" if upload else "GET")
    drafts = [_draft(text, start, end, target, method, host) for target, end in targets]
    return drafts, end


def _wget(text: str, start: int, words: list[_Word]) -> tuple[list[Draft], int]:
    method = "GET"
    for word in words:
        value = word.text
        if value.startswith(("--post-data", "--post-file", "--body-data")):
            method = "POST"
        elif value.startswith("--method="):
            method = value[9:].upper()
        elif value == "--spider":
            method = "HEAD"
        elif not value.startswith("-") and (found := _target(word)) is not None and "/" in found[0]:
            return [_draft(text, start, found[1], found[0], method, None)], found[1]
    return [], start


def _httpie(text: str, start: int, words: list[_Word]) -> tuple[list[Draft], int]:
    method = None
    draft = None
    end = start
    for word in words:
        value = word.text
        if draft is None:
            if value.upper() in METHODS:
                method = value.upper()
            elif not value.startswith("-"):
                found = _target(word)
                if found is None:
                    break
                draft = _draft(text, start, found[1], found[0], method or "GET", None)
                end = found[1]
        elif re.match(r"[\w.\-\[\]]+(?::?=|@)", value):
            end = word.end
            if method is None:
                draft.method = "POST"
        elif re.match(r"[\w-]+:(?!//)|-", value):
            end = word.end
        else:
            break
    return ([draft] if draft else []), end


def _powershell(text: str, start: int, words: list[_Word]) -> tuple[list[Draft], int]:
    method = "GET"
    found: tuple[str, int] | None = None
    end = start
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        name = word.text.lower()
        if name in ("-method", "-uri", "-custommethod") and index < len(words):
            argument = words[index]
            index += 1
            end = argument.end
            if name == "-uri":
                found = _target(argument) or found
            elif argument.text.strip(";,").upper() in METHODS:
                method = argument.text.strip(";,").upper()
        elif found is None and (_URL.match(word.text)):
            found = _target(word)
            end = word.end
        elif name in ("|", ";"):
            break
    if found is None:
        return [], start
    return [_draft(text, start, max(end, found[1]), found[0], method, None)], end
