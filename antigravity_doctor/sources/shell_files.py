"""Variables that shell start-up files set: read, never written, never run.

What is read is what a shell would do with plain words: quotes, escapes, comments, continued lines, here-documents,
several assignments on one line, `unset`. A value that only running the file would tell (`$HOST`, `$(command)`) is
reported as not literal. What stands inside `if`, a loop or a function may not happen: it counts, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from itertools import dropwhile, takewhile
from typing import Literal, NamedTuple

from antigravity_doctor.sources.settings_text import CannotReadError, Places, behind

LIMIT = 1024 * 1024
"""Characters; a start-up file has a few thousand."""

Dialect = Literal["sh", "fish", "fish-variables", "powershell", "environment"]


class Assignment(NamedTuple):
    """The assignment of a name that counts, which is the last. `value` is None where only running the file would tell;
    `written` is the value as it stands in the file, from `start` to `end`. `exported`: programs get to see it.
    `certain`: it stands inside no `if`, loop or function."""

    name: str
    value: str | None
    written: str
    start: int
    end: int
    line: int
    column: int
    exported: bool
    certain: bool


class Started(NamedTuple):
    """A command that is started with variables of its own: `NAME=value claude`, which may stand in a function or be
    what `alias` stands for. `program` is its last path segment; `variables` are all of them, whatever their names."""

    program: str
    alias: str | None
    variables: tuple[Assignment, ...]


class StartUpFile(NamedTuple):
    """A file that a shell or a login reads. The path can hold one `*` in its last part."""

    path: str
    dialect: Dialect

    @property
    def shell(self) -> str:
        """The shell whose file it is: bash, zsh, fish or powershell; "" for one that holds for every session."""
        if self.dialect != "sh":
            return "fish" if self.dialect.startswith("fish") else self.dialect.replace("environment", "")
        name = self.path.rpartition("/")[2].lstrip(".")
        return "bash" if name.startswith("bash") else "zsh" if name.startswith("z") else ""


class _Step(NamedTuple):
    """What one command does to one name. `value` None: not literal. `exported` None: as it was."""

    does: Literal["set", "unset", "export"]
    name: str
    value: str | None
    start: int
    end: int
    exported: bool | None
    certain: bool


def start_up_files(environment: Mapping[str, str], platform: str) -> tuple[StartUpFile, ...]:
    """Where start-up files lie, in the order in which a login and then an interactive shell would read them.

    `platform` as sys.platform. Sources: the manuals of bash ("Bash Startup Files"), zsh ("Files"), fish
    ("Configuration files"), PowerShell (about_Profiles), pam_env and systemd (environment.d).
    """
    home = environment.get("HOME") or environment.get("USERPROFILE") or ""
    if not home:
        return ()
    files: list[tuple[str, Dialect]] = []
    if platform == "win32":
        home = home.replace("\\", "/")
        documents = [f"{home}/Documents"]
        if drive := environment.get("OneDrive"):
            documents.append(drive.replace("\\", "/") + "/Documents")
        files += [
            (f"{folder}/{edition}/{name}", "powershell")
            for folder in documents
            for edition in ("WindowsPowerShell", "PowerShell")
            for name in ("profile.ps1", "Microsoft.PowerShell_profile.ps1")
        ]
        files += [(f"{home}/{name}", "sh") for name in (".bash_profile", ".profile", ".bashrc")]  # Git Bash
        return tuple(StartUpFile(*each) for each in files)
    config = environment.get("XDG_CONFIG_HOME") or f"{home}/.config"
    zsh = environment.get("ZDOTDIR") or home
    if platform != "darwin":
        files += [("/etc/environment", "environment"), (f"{config}/environment.d/*.conf", "environment")]
    files += [("/etc/profile", "sh"), ("/etc/profile.d/*.sh", "sh"), ("/etc/zshenv", "sh"), ("/etc/zsh/zshenv", "sh")]
    files += [(f"{home}/{name}", "sh") for name in (".profile", ".bash_login", ".bash_profile", ".bashrc")]
    files += [(f"{home}/.bash_aliases", "sh")]
    files += [(f"{zsh}/{name}", "sh") for name in (".zshenv", ".zprofile", ".zshrc", ".zlogin")]
    files += [
        (f"{config}/fish/fish_variables", "fish-variables"),
        (f"{config}/fish/conf.d/*.fish", "fish"),
        (f"{config}/fish/config.fish", "fish"),
        (f"{config}/powershell/profile.ps1", "powershell"),
        (f"{config}/powershell/Microsoft.PowerShell_profile.ps1", "powershell"),
    ]
    return tuple(StartUpFile(*each) for each in files)


def read_assignments(text: str, dialect: Dialect, names: Collection[str]) -> tuple[Assignment, ...]:
    """Of each of these names the assignment that counts, in the order of the file. A name that the file takes away
    again (`unset`) is not there. Raises CannotReadError for a text that is too large."""
    if len(text) > LIMIT:
        raise CannotReadError("too-large")
    places = Places(text)
    last: dict[str, Assignment] = {}
    for step in _steps(text, dialect, {name.casefold(): name for name in names}):
        before = last.get(step.name)
        if step.does == "set":
            exported = step.exported if step.exported is not None else bool(before and before.exported)
            written = text[step.start : step.end]
            line, column = places.of(step.start)
            last[step.name] = Assignment(
                step.name, step.value, written, step.start, step.end, line, column, exported, step.certain
            )
        elif before and step.does == "export":
            last[step.name] = before._replace(exported=True)
        elif before and step.certain:
            del last[step.name]
        elif before:
            last[step.name] = before._replace(certain=False)
    return tuple(sorted(last.values(), key=lambda each: each.start))


def read_started(text: str, dialect: Dialect) -> tuple[Started, ...]:
    """Every command with variables of its own, in the order of the file; of sh and fish, () of all others. Raises
    CannotReadError for a text that is too large."""
    if len(text) > LIMIT:
        raise CannotReadError("too-large")
    if dialect not in ("sh", "fish"):
        return ()
    return tuple(_started(text, dialect == "fish"))


def _steps(text: str, dialect: Dialect, names: Mapping[str, str]) -> Iterator[_Step]:
    """`names`: each name, by itself in lower case."""
    if dialect == "powershell":
        return _powershell(text, names)
    exact = frozenset(names.values())
    if dialect == "environment":
        return _environment(text, exact)
    if dialect == "fish-variables":
        return _fish_variables(text, exact)
    return (_fish if dialect == "fish" else _sh)(text, exact)


# --- words and commands of sh and fish -------------------------------------------------------------------------------


class _Piece(NamedTuple):
    """A part of a word; `said` is None where only running it would tell."""

    start: int
    end: int
    said: str | None


class _Word(NamedTuple):
    pieces: list[_Piece]

    @property
    def start(self) -> int:
        return self.pieces[0].start

    @property
    def end(self) -> int:
        return self.pieces[-1].end

    @property
    def said(self) -> str | None:
        return _joined(self.pieces)


class _Command(NamedTuple):
    """The words of one command, what stood in front of it ("&&", "|", ...) and whether a pipe follows."""

    words: list[_Word]
    before: str
    after: str


def _joined(pieces: list[_Piece]) -> str | None:
    said = [each.said for each in pieces if each.said is not None]
    return "".join(said) if len(said) == len(pieces) else None


_BLANK = re.compile(r"(?:[ \t]++|\\\r?\n)*+")
_COMMENT = re.compile(r"#[^\r\n]*+")
_OPERATOR = re.compile(r"\r?\n|\r|;;&?|;&|<<<|<<-?|&>>?|[<>]&|>>|>\||<>|&&|\|\||\|&|[;&|()<>]")
_SINGLE = re.compile(r"'[^']*+'")
_DOLLAR_SINGLE = re.compile(r"\$'(?:[^'\\]++|\\[\s\S])*+'")
_DOUBLE = re.compile(r'"(?:[^"\\]++|\\[\s\S])*+"')
_DOUBLE_START = re.compile(r'"(?:[^"\\$]++|\\[\s\S]|\$(?![({]))*+(?=\$[({])')
_DOUBLE_PART = re.compile(r'[^"\\$]++|\\[\s\S]|\$[({]?|"')
_FISH_SINGLE = re.compile(r"'(?:[^'\\]++|\\[\s\S])*+'")
_BACKTICK = re.compile(r"`(?:[^`\\]++|\\[\s\S])*+`")
_VARIABLE = re.compile(r"\$(?:\w++|[@*#?$!-])?")
_PLAIN = re.compile(r"[^\s;&|()<>'\"`\\$]++")
_LINE = re.compile(r"[^\r\n]*+")
_ARITHMETIC = re.compile(r"\(\((?:[^()\r\n]++|\((?:[^()\r\n]++|\([^()\r\n]*+\))*+\))*+\)\)")
"""`(( n << 2 ))`: what looks like a redirection or a here-document there is none."""


class _Lexer:
    """Cuts a text into commands as a shell does. Never fails: what it cannot read ends with its line."""

    def __init__(self, text: str, fish: bool) -> None:
        self.text = text
        self.fish = fish
        self.here = 0
        self.unclosed = False
        self.documents: list[tuple[str, bool]] = []  # here-documents whose text starts with the next line

    def commands(self) -> Iterator[_Command]:
        words: list[_Word] = []
        before = "\n"
        while True:
            self.here = behind(_BLANK, self.text, self.here)
            if self.here >= len(self.text):
                yield _Command(words, before, "\n")
                return
            if self.text[self.here] == "#":
                self.here = behind(_COMMENT, self.text, self.here)
                continue
            if not self.fish and (arithmetic := _ARITHMETIC.match(self.text, self.here)):
                words.append(_Word([self._take(arithmetic.end(), None)]))
                continue
            operator = _OPERATOR.match(self.text, self.here)
            if operator is None or (self.fish and operator[0] in ("(", ")")):
                words.append(self._word())
                continue
            self.here = operator.end()
            sign = operator[0].strip("\r") or "\n"
            if sign[0] in "<>" or sign.startswith("&>"):
                self._redirection(sign)
                continue
            yield _Command(words, before, sign)
            words, before = [], sign
            if sign == "\n":
                self._documents()

    def _redirection(self, sign: str) -> None:
        self.here = behind(_BLANK, self.text, self.here)
        if self.here >= len(self.text) or _OPERATOR.match(self.text, self.here):
            return
        target = self._word()
        if sign in ("<<", "<<-") and not self.fish:
            end = target.said if target.said is not None else self.text[target.start : target.end]
            self.documents.append((end, sign == "<<-"))

    def _documents(self) -> None:
        for end, stripped in self.documents:
            while self.here < len(self.text):
                stop = behind(_LINE, self.text, self.here)
                line = self.text[self.here : stop]
                self.here = stop + (2 if self.text.startswith("\r\n", stop) else 1)
                if (line.lstrip("\t") if stripped else line) == end:
                    break
        self.documents.clear()

    def _word(self) -> _Word:
        pieces: list[_Piece] = []
        while self.here < len(self.text):
            letter = self.text[self.here]
            if letter in " \t\r\n;&|<>":
                break
            if letter == "(" and not self.fish:
                if not (pieces and self.text[self.here - 1] == "="):  # NAME=(one two): a list
                    break
                pieces.append(self._nested(self.here + 1))
                continue
            if letter == ")" and not self.fish:
                break
            pieces.append(self._piece(letter))
        return _Word(pieces)

    def _piece(self, letter: str) -> _Piece:
        start = self.here
        if letter == "\\":
            self.here = min(start + 2, len(self.text))
            if self.text.startswith("\r\n", start + 1):
                self.here += 1
            said = self.text[start + 1 : self.here]
            return _Piece(start, self.here, "" if said in ("\n", "\r\n") else said)
        if letter == "'":
            match = (_FISH_SINGLE if self.fish else _SINGLE).match(self.text, start)
            if match:
                inside = re.sub(r"\\([\\'])", r"\1", match[0][1:-1]) if self.fish else match[0][1:-1]
                return self._take(match.end(), inside)
        elif letter == '"':
            nested = _DOUBLE_START.match(self.text, start)
            if nested and not self.unclosed:
                return self._double_with_commands(nested.end())
            if match := _DOUBLE.match(self.text, start):
                inside = match[0][1:-1]
                dynamic = re.search(r"\$" if self.fish else r"[$`]", re.sub(r"(?s)\\.", "", inside))
                plain = re.sub(r'(?s)\\(\r\n|["\\$`\n])', lambda each: each[1].strip("\r\n"), inside)
                return self._take(match.end(), None if dynamic else plain)
        elif letter == "`" and not self.fish:
            if match := _BACKTICK.match(self.text, start):
                return self._take(match.end(), None)
        elif letter == "$":
            if self.text.startswith(("$(", "${"), start):
                return self._nested(start + 2)
            if (match := _DOLLAR_SINGLE.match(self.text, start)) and not self.fish:
                inside = match[0][2:-1]
                return self._take(match.end(), None if "\\" in inside else inside)
            return self._take(max(behind(_VARIABLE, self.text, start), start + 1), None)
        elif letter in "()":  # of fish: a command in parentheses
            return self._nested(start + 1) if letter == "(" else self._take(start + 1, None)
        else:
            end = max(behind(_PLAIN, self.text, start), start + 1)  # a backtick is a letter in fish
            return self._take(end, self.text[start:end])
        return self._take(behind(_LINE, self.text, start), None)  # a quote that is never closed

    def _double_with_commands(self, inside: int) -> _Piece:
        """A double-quoted text in which `$(…)` or `${…}` stands: quotes inside of that do not end it."""
        here = inside
        while match := _DOUBLE_PART.match(self.text, here):
            here = match.end()
            if match[0] == '"':
                return self._take(here, None)
            if match[0] in ("$(", "${"):
                here = self._closed(here)
        self.unclosed = True
        return self._take(behind(_LINE, self.text, inside), None)

    def _take(self, end: int, said: str | None) -> _Piece:
        start, self.here = self.here, end
        return _Piece(start, end, said)

    def _nested(self, inside: int) -> _Piece:
        """What stands in `$(…)`, `${…}` or `(…)`, up to the bracket that closes it."""
        return self._take(self._closed(inside), None)

    def _closed(self, inside: int) -> int:
        """Where the bracket that was opened in front of `inside` is closed behind; the end of the line if nowhere."""
        depth = 1
        for match in _BRACKETS.finditer(self.text, inside) if not self.unclosed else ():
            if match[0] in ("(", "{"):
                depth += 1
            elif match[0] in (")", "}"):
                depth -= 1
                if depth == 0:
                    return match.end()
        self.unclosed = True  # so that a text full of them is not read to its end for each
        return behind(_LINE, self.text, inside)


_BRACKETS = re.compile(r"\\[\s\S]|'[^']*+'|\"(?:[^\"\\]++|\\[\s\S])*+\"|[(){}]")


# --- sh: bash, zsh and others ----------------------------------------------------------------------------------------

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\+?)=", re.ASCII)
_OPENING = {"if": "fi", "while": "done", "until": "done", "for": "done", "select": "done", "case": "esac", "{": "}"}
_CLOSING = frozenset(_OPENING.values())
_IN_BETWEEN = frozenset({"then", "do", "else", "elif", "!", "time", "builtin", "command"})
_DECLARING = frozenset({"declare", "typeset", "readonly"})


def _sh(text: str, names: Collection[str]) -> Iterator[_Step]:
    open_: list[str] = []
    all_exported = False
    for command in _Lexer(text, fish=False).commands():
        words, number = command.words, 0
        while number < len(words) and (first := words[number].said):
            if first in _OPENING:
                open_.append(_OPENING[first])
            elif first in _CLOSING:
                if open_ and open_[-1] == first:
                    open_.pop()
            elif first == "function":
                if words[-1].said == "{":
                    open_.append("}")
            elif first not in _IN_BETWEEN:
                break
            number = len(words) if first in ("for", "select", "case", "function") else number + 1
        words = words[number:]
        certain = not open_ and command.before not in ("&&", "||")
        piped = command.after in ("|", "|&", "&") or command.before in ("|", "|&")  # in a process of its own
        if words and not piped:
            if words[0].said == "set":
                flags = [each.said or "" for each in words[1:]]
                if "allexport" in flags or any(re.fullmatch(r"[-+]\w*a\w*", each) for each in flags[:1]):
                    all_exported = flags[0].startswith("-")
            yield from _sh_command(text, words, names, all_exported, certain)
        if command.after == "(":
            open_.append(")")
        elif command.after == ")" and open_ and open_[-1] == ")":
            open_.pop()


def _sh_command(
    text: str, words: list[_Word], names: Collection[str], all_exported: bool, certain: bool
) -> Iterator[_Step]:
    first = words[0].said
    if first == "launchctl" and len(words) == 4 and words[1].said == "setenv" and words[2].said in names:
        yield _Step("set", words[2].said or "", words[3].said, words[3].start, words[3].end, True, certain)
        return
    if first == "unset":
        for word in words[1:]:
            if word.said in names:
                yield _Step("unset", word.said or "", None, word.start, word.end, None, certain)
        return
    exported: bool | None = True if all_exported else None
    if first == "export" or first in _DECLARING:
        flags = "".join((each.said or "")[1:] for each in words[1:] if (each.said or "").startswith("-"))
        if first == "export":
            exported = "n" not in flags
        elif "x" in flags:
            exported = True
        words = words[1:]
    elif not all(_ASSIGNMENT.match(text, each.start, each.end) for each in words):
        return  # NAME=value in front of a command is for that command only
    for word in words:
        match = _ASSIGNMENT.match(text, word.start, word.pieces[0].end)
        if match and match[1] in names:
            value = None if match[2] else _value_behind(word, match)
            yield _Step("set", match[1], value, match.end(), word.end, exported, certain)
        elif word.said in names and exported:
            yield _Step("export", word.said or "", None, word.start, word.end, True, certain)


_KEYWORDS = frozenset(_OPENING) | _CLOSING | _IN_BETWEEN | {"and", "or", "not", "begin", "function"}
_RUNNERS = frozenset({"env", "exec", "nohup", "sudo", "npx", "bunx", "uvx"})
"""Commands that start the command behind their options; `env` takes assignments, too."""


def _started(text: str, fish: bool) -> Iterator[Started]:
    places = Places(text)
    for command in _Lexer(text, fish).commands():
        words = list(dropwhile(lambda each: each.said in _KEYWORDS, command.words))
        if not words:
            continue
        if words[0].said != "alias":
            program, found = _with_variables(text, words, partial(_in_file, 0, 0), places)
            if program:
                yield Started(program, None, found)
            continue
        for alias, start, stands_for in _aliases(text, words[1:], fish):
            # Where the quotes hold no escapes, what stands in them stands in the file letter by letter.
            at = text.find(stands_for, start)
            for inner in _Lexer(stands_for, fish).commands():
                program, found = _with_variables(stands_for, inner.words, partial(_in_file, at, start), places)
                if program:
                    yield Started(program, alias, found)


def _in_file(at: int, otherwise: int, here: int) -> int:
    return at + here if at >= 0 else otherwise


def _aliases(text: str, words: list[_Word], fish: bool) -> Iterator[tuple[str, int, str]]:
    """Name, place and meaning of each alias: `NAME=MEANING` words, in fish also `NAME MEANING`."""
    words = [each for each in words if not (each.said or "-").startswith("-")]
    if fish and len(words) == 2 and "=" not in (words[0].said or ""):
        yield words[0].said or "", words[1].start, words[1].said or ""
        return
    for word in words:
        name, sign, meaning = (word.said or "").partition("=")
        if sign:
            yield name, word.start, meaning


def _with_variables(
    text: str, words: list[_Word], place: Callable[[int], int], places: Places
) -> tuple[str, tuple[Assignment, ...]]:
    """The program of a command and the variables in front of it; "" where there are none. `place`: an offset of `text`
    in the file."""
    found = []
    for word in words:
        match = _ASSIGNMENT.match(text, word.start, word.pieces[0].end)
        if match and not match[2]:
            value = _value_behind(word, match)
            start, end = place(match.end()), place(word.end)
            line, column = places.of(start)
            found.append(
                Assignment(match[1], value, text[match.end() : word.end], start, end, line, column, True, True)
            )
        elif not (word.said or "").startswith("-") and word.said not in _RUNNERS:
            program = re.split(r"[/\\]", word.said or "")[-1]
            return (program, tuple(found)) if found else ("", ())
    return "", ()


def _value_behind(word: _Word, sign: re.Match[str]) -> str | None:
    """What a word says behind its `NAME=`."""
    piece = word.pieces[0]
    rest = [_Piece(sign.end(), piece.end, (piece.said or "")[sign.end() - piece.start :]), *word.pieces[1:]]
    return _joined(rest)


# --- fish ------------------------------------------------------------------------------------------------------------

_FISH_OPENING = frozenset({"begin", "if", "while", "for", "switch", "function"})
_FISH_IN_BETWEEN = frozenset({"else", "not", "builtin", "command", "time", "and", "or"})
_FISH_LONG = {
    "--global": "g", "--export": "x", "--universal": "U", "--erase": "e", "--unexport": "u", "--local": "l",
    "--function": "f", "--query": "q", "--append": "a", "--prepend": "p", "--show": "S", "--names": "n",
}  # fmt: skip


def _fish(text: str, names: Collection[str]) -> Iterator[_Step]:
    depth = 0
    for command in _Lexer(text, fish=True).commands():
        words, number = command.words, 0
        certain = command.before not in ("&&", "||")
        while number < len(words) and (first := words[number].said):
            if first == "end":
                depth = max(0, depth - 1)
            elif first in _FISH_OPENING:
                depth += 1
            elif first not in _FISH_IN_BETWEEN:
                break
            certain = certain and first not in ("and", "or")
            number = len(words) if first in ("for", "switch", "function") else number + 1
        words = words[number:]
        if not words or "|" in (command.before, command.after):
            continue
        if words[0].said == "set":
            yield from _fish_set(words[1:], names, certain and depth == 0)
        elif words[0].said == "export":
            yield from _sh_command(text, words, names, False, certain and depth == 0)


def _fish_set(words: list[_Word], names: Collection[str], certain: bool) -> Iterator[_Step]:
    flags = ""
    options = list(takewhile(lambda each: (each.said or "").startswith("-"), words))
    for said in (each.said or "" for each in options):
        flags += _FISH_LONG.get(said, "") if said.startswith("--") else said[1:]
    words = words[len(options) :]
    if not words or (name := words[0].said) not in names or name is None or set(flags) & set("qSnlf"):
        return
    values = words[1:]
    start, end = (values[0].start, values[-1].end) if values else (words[0].end, words[0].end)
    if "e" in flags:
        yield _Step("unset", name, None, start, end, None, certain)
        return
    said_values = [each.said for each in values if each.said is not None]
    known = len(said_values) == len(values) and not set(flags) & set("ap")
    exported = True if "x" in flags else False if "u" in flags else None
    yield _Step("set", name, " ".join(said_values) if known else None, start, end, exported, certain)


_FISH_VARIABLE = re.compile(r"^SETUVAR ((?:--\w+ )*)(\w+):([^\r\n]*)", re.MULTILINE | re.ASCII)


def _fish_variables(text: str, names: Collection[str]) -> Iterator[_Step]:
    for match in _FISH_VARIABLE.finditer(text):
        if match[2] in names:
            value = re.sub(
                r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))", lambda each: chr(int(each[1] or each[2], 16)), match[3]
            )
            parts = value.replace("\x1e", " ").replace("\\\\", "\\")
            yield _Step("set", match[2], parts, match.start(3), match.end(3), "--export" in match[1], True)


# --- /etc/environment and environment.d ------------------------------------------------------------------------------

_ENVIRONMENT = re.compile(r"^[ \t]*(?:export[ \t]+)?(\w+)=([^\r\n#]*)", re.MULTILINE | re.ASCII)


def _environment(text: str, names: Collection[str]) -> Iterator[_Step]:
    for match in _ENVIRONMENT.finditer(text):
        if match[1] not in names:
            continue
        written = match[2].rstrip()
        value = written[1:-1] if re.fullmatch(r"\"[^\"]*\"|'[^']*'", written) else written
        said = None if "$" in value else value
        yield _Step("set", match[1], said, match.start(2), match.start(2) + len(written), True, True)


# --- PowerShell ------------------------------------------------------------------------------------------------------

_PS_TOKEN = re.compile(
    r"#[^\r\n]*+|<#|@'\r?\n|@\"\r?\n|'(?:[^']++|'')*+'|\"(?:[^\"`]++|`[\s\S]|\"\")*+\""
    r"|[{}]|`[\s\S]|(?:^|(?<=[\r\n;{}]))[ \t]*+(?=[$\[A-Za-z])"
)
_PS_LONG = {"<#": "#>", "@'": "\n'@", '@"': '\n"@'}
"""How block comments and here-strings start -> how they end."""

_PS_STRING = r"('(?:[^']++|'')*+'|\"(?:[^\"`]++|`[\s\S]|\"\")*+\")"
_PS_ENV = re.compile(r"(?i)\$(?:\{env:(\w+)\}|env:(\w+))[ \t]*(\+?)=[ \t]*")
_PS_METHOD = re.compile(
    rf"(?i)\[(?:System\.)?Environment\]::SetEnvironmentVariable\([ \t]*(['\"])(\w+)\1[ \t]*,[ \t]*"
    rf"(?:{_PS_STRING}|([^,)\r\n]*))"
)
_PS_ITEM = re.compile(
    rf"(?i)(?:Set-Item|New-Item|Set-Content)[ \t]+(?:-(?:Literal)?Path[ \t]+)?(['\"]?)Env:[\\/]?(\w+)\1[ \t]+"
    rf"(?:-Value[ \t]+)?(?:{_PS_STRING}|([^\s;|}}]+))"
)
_PS_REMOVE = re.compile(
    r"(?i)(?:Remove-Item|Clear-Item|rm|ri|del)[ \t]+(?:-(?:Literal)?Path[ \t]+)?['\"]?Env:[\\/]?(\w+)"
)
_PS_VALUE = re.compile(_PS_STRING + r"(?=[ \t]*(?:[\r\n;}#|]|\Z))")
_PS_REST = re.compile(r"[^\r\n;#}]*+")


def _powershell(text: str, names: Mapping[str, str]) -> Iterator[_Step]:
    depth = here = 0
    endless: set[str] = set()
    while match := _PS_TOKEN.search(text, here):
        here = match.end()
        found = match[0]
        if found[:2] in _PS_LONG:
            end = _PS_LONG[found[:2]]
            stop = -1 if end in endless else text.find(end, here - (end[0] == "\n"))
            if stop < 0:
                endless.add(end)  # not looked for again
            else:
                here = stop + len(end)
        elif found == "{":
            depth += 1
        elif found == "}":
            depth = max(0, depth - 1)
        elif not found.strip(" \t"):
            step = _powershell_statement(text, here, names, depth == 0)
            if step:
                yield step
                here = step.end
            else:
                here += 1


def _powershell_statement(text: str, here: int, names: Mapping[str, str], certain: bool) -> _Step | None:
    if (match := _PS_ENV.match(text, here)) and (name := names.get((match[1] or match[2]).casefold())):
        start = match.end()
        if whole := _PS_VALUE.match(text, start):
            value, end = _ps_said(whole[0]), whole.end()
        else:
            rest = text[start : behind(_PS_REST, text, start)].rstrip()
            value, end = None, start + len(rest)
            if rest.casefold() == "$null":
                return _Step("unset", name, None, start, end, None, certain)
        return _Step("set", name, None if match[3] else value, start, end, True, certain)
    for pattern in (_PS_METHOD, _PS_ITEM):
        if (match := pattern.match(text, here)) and (name := names.get(match[2].casefold())):
            group = 3 if match[3] is not None else 4
            plain = pattern is _PS_ITEM and not match[group].startswith("$")
            said = _ps_said(match[3]) if group == 3 else match[4] if plain else None
            return _Step("set", name, said, match.start(group), match.end(group), True, certain)
    if (match := _PS_REMOVE.match(text, here)) and (name := names.get(match[1].casefold())):
        return _Step("unset", name, None, here, match.end(), None, certain)
    return None


def _ps_said(written: str) -> str | None:
    inside = written[1:-1]
    if written[0] == "'":
        return inside.replace("''", "'")
    if "$" in re.sub(r"(?s)`.", "", inside):
        return None
    return re.sub(r"(?s)`(.)", r"\1", inside).replace('""', '"')
