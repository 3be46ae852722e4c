"""Takes away what terminals, editors and encoders put around text: escapes, invisible characters, quoting."""

from __future__ import annotations

import re

_TERMINAL = re.compile(
    r"\x1b\][^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"  # OSC (window titles, links), only if it is closed
    r"|\x1b[PX^_][^\x1b\n]*\x1b\\"  # DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)(?P<csi>[0-?]*[ -/]*[@-~])"  # CSI (colours, cursor)
    r"|\x1b[ -/]*[0-~]?"
    # Colours whose escape byte was lost in a copy, or is written out: `[32m`, `^[[32m`, `\x1b[32m`, `\u001b[0m`.
    r"|(?:\^\[|\\x1b|\\u001b|\\033|\\e)\[[0-9;?]*[A-Za-z]"
    # (`claude-sonnet-4[1m]` is the name of a model.)
    r"|\[\d{1,3}(?:;\d{1,3}){0,8}m(?!\])"
)
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")


def _terminal(match: re.Match[str]) -> str:
    # A full-screen program writes "move right" where it wants a blank.
    csi = match.group("csi")
    return " " if csi is not None and csi.endswith("C") else ""


def strip_terminal_controls(text: str) -> str:
    """The text without ANSI escapes, control and invisible characters. Line breaks (all become \\n) and tabs stay.

    Never raises; linear in the length of the text.
    """
    if text.isascii() and text.isprintable() and "[" not in text and "\\" not in text and "^" not in text:
        return text
    text = _TERMINAL.sub(_terminal, text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.isprintable():
        text = _INVISIBLE.sub("", text)
        text = _SPACES.sub(" ", text)
    return text


_ESCAPED = re.compile(r"(?<!\\)\\++(?:u([0-9a-fA-F]{4})|(r\\+n|[nrt](?![A-Za-z]:)|[/\"'])|x(22|26|27|2[fF]))")
_ENTITIES = {
    "amp": "&",
    "quot": '"',
    "apos": "'",
    "lt": "<",
    "gt": ">",
    "nbsp": " ",
    "#39": "'",
    "#34": '"',
    "#47": "/",
    "#38": "&",
    "#x27": "'",
    "#x2f": "/",
    "#x22": '"',
    "#x26": "&",
    "colon": ":",
    "sol": "/",
}
_ENTITY = re.compile("&(" + "|".join(_ENTITIES) + ");", re.IGNORECASE)
_ESCAPED_URL = re.compile(r"(?<![A-Za-z0-9%])https?%3a%2f%2f[A-Za-z0-9%._~!*()-]+", re.IGNORECASE)
_PERCENT = re.compile(r"%([0-7][0-9a-fA-F])")


def _unescaped(match: re.Match[str]) -> str:
    code, simple, byte = match.groups()
    if code or byte:
        character = chr(int(code or byte, 16))
        return character if character.isprintable() else " "
    return " " if simple[0] in "nrt" else str(simple)


def _unescaped_url(match: re.Match[str]) -> str:
    # Inside another URL (its path or a parameter) the escapes are part of what was sent.
    before = match.string[max(0, match.start() - 400) : match.start()]
    token = re.split(r"[\s\"'`<>|]", before)[-1]
    if "?" in token or "/" in token:
        return match.group()
    return _PERCENT.sub(lambda escape: chr(int(escape.group(1), 16)), match.group())


def unescape(line: str) -> str:
    """The line with the escapes of JSON and HTML undone (once), and a URL that is percent-escaped as a whole."""
    if "\\" in line:
        line = _ESCAPED.sub(_unescaped, line)
    if "&" in line and ";" in line:
        line = _ENTITY.sub(lambda match: _ENTITIES[match.group(1).lower()], line)
    if "%2" in line and "%3" in line:
        line = _ESCAPED_URL.sub(_unescaped_url, line)
    return line
