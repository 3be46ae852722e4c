"""Makes the pictures of the README: real terminal sessions, drawn by rich.

    python docs/make_picture.py           writes docs/images/*.svg
    python docs/make_picture.py --check   writes nothing; exit code 1 if a picture is not what would be drawn now

The same session gives the same picture: ports and times are normalised (doc_tools/sessions.py). A picture carries a
digest of its session, because another version of rich may draw the same text with other bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import html
import io
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from doc_tools import sessions
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

NO_BREAK = "\N{NO-BREAK SPACE}"
_TEXT = re.compile(
    r'<text (?P<a>class="[^"]*-r\d+" )x="(?P<x>[\d.]+)"(?P<b> y="[\d.]+" )textLength="(?P<length>[\d.]+)"'
    r"(?P<c>[^>]*)>(?P<said>[^<]*)</text>"
)

IMAGES = Path(__file__).resolve().parent / "images"


class Picture(NamedTuple):
    """A file in docs/images, the command line that it shows, the columns of its terminal, and what must be there while
    it runs (doc_tools/sessions.py)."""

    name: str
    command: str
    width: int = sessions.WIDTH
    context: Mapping[str, Any] = {}


PICTURES = (
    Picture("explain-path", "agdoctor explain-path /v1/v1/chat/completions"),
    Picture("check-demo", "agdoctor check --demo --client claude-code --base-url http://127.0.0.1:8045/v1", 116),
    Picture("trace", "agdoctor trace --port 8045", 100, {"server": {}, "plays": "claude-code-wrong.jsonl"}),
    Picture(
        "scan",
        "agdoctor scan --port 8045",
        104,
        {
            "server": {},
            "set_up": {
                ".claude/settings.json": '{\n "env": {\n  "ANTHROPIC_BASE_URL": "http://127.0.0.1:8045/v1"\n }\n}\n',
                ".codex/config.toml": 'model_provider = "custom"\n\n[model_providers.custom]\n'
                'base_url = "http://127.0.0.1:8045/v1"\n',
                ".config/opencode/opencode.json": '{"provider": {"google": {"options":\n'
                '  {"baseURL": "http://127.0.0.1:8045/v1"}}}}\n',
                ".gemini/.env": "GOOGLE_GEMINI_BASE_URL=https://generativelanguage.googleapis.com\n",
            },
        },
    ),
)

BACKGROUND = (22, 27, 34)
FOREGROUND = (222, 228, 234)
COLOURS = [
    (72, 79, 88),
    (255, 123, 114),
    (86, 211, 100),
    (227, 179, 65),
    (121, 192, 255),
    (210, 168, 255),
    (86, 212, 221),
    (222, 228, 234),
]
"""The eight colours of a terminal, in the order of their escape codes 30 to 37."""

FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<!-- session DIGEST, drawn by docs/make_picture.py -->
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace;
  font-size: {char_height}px;
  line-height: {line_height}px;
}}
.{unique_id}-title {{ font-size: 18px; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""As rich's own, without its web font: a picture in a page may load nothing, so it names fonts that are there."""


def session_of(picture: Picture) -> str:
    """The session with its colours: the prompt, the command, and what it prints."""
    command = sessions.CommandLine(tuple(picture.command.split()[1:]))
    shown = sessions.run(command, picture.context, colour=True, width=picture.width).text
    return f"\x1b[1;32m$\x1b[0m \x1b[1m{picture.command}\x1b[0m\n{shown.rstrip()}\n"


def drawn(picture: Picture) -> str:
    """The SVG of a picture."""
    session = session_of(picture)
    console = Console(
        record=True, width=picture.width, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    # The empty line keeps the last one clear of the frame.
    for line in [*session.split("\n")[:-1], ""]:
        console.print(Text.from_ansi(line), highlight=False)
    theme = TerminalTheme(BACKGROUND, FOREGROUND, COLOURS)
    svg = console.export_svg(title="agdoctor", theme=theme, code_format=FORMAT, unique_id=picture.name)
    return _TEXT.sub(_placed, svg).replace("DIGEST", digest(session))


def _placed(text: re.Match[str]) -> str:
    """A text as one element for each run of words, put where its first character is.

    Some viewers drop spaces at the beginning and do not know textLength: so each column still starts in its place.
    """
    said = html.unescape(text["said"].replace("\n", ""))
    if not said:
        return ""
    cell = float(text["length"]) / len(said)
    elements = []
    for run in re.finditer(f"[^{NO_BREAK}]+(?:{NO_BREAK}[^{NO_BREAK}]+)*", said):
        x = float(text["x"]) + cell * run.start()
        shown = html.escape(run[0]).replace(NO_BREAK, "&#160;")
        size = f'textLength="{cell * len(run[0]):g}"'
        elements.append(f'<text {text["a"]}x="{x:g}"{text["b"]}{size}{text["c"]}>{shown}</text>')
    return "".join(elements)


def digest(session: str) -> str:
    """What tells one session, drawn in one way, from another."""
    drawing = (session, FORMAT, repr((BACKGROUND, FOREGROUND, COLOURS)))
    return hashlib.sha256("\0".join(drawing).encode()).hexdigest()[:16]


def visible_text(svg: str) -> str:
    """The characters that a picture shows, in order, without spaces."""
    return re.sub(r"\s", "", html.unescape("".join(re.findall(r"<text [^>]*>([^<]*)</text>", svg))))


def is_current(picture: Picture) -> bool:
    """True if the file shows what would be drawn now."""
    path = IMAGES / f"{picture.name}.svg"
    if not path.exists():
        return False
    there, now = path.read_text(encoding="utf-8"), drawn(picture)
    marks = [re.search(r"session ([0-9a-f]+)", svg) for svg in (there, now)]
    return all(marks) and len({mark[1] for mark in marks if mark}) == 1 and visible_text(there) == visible_text(now)


def stale() -> Iterator[Path]:
    """The pictures that are not current."""
    for picture in PICTURES:
        if not is_current(picture):
            yield IMAGES / f"{picture.name}.svg"


def write() -> Iterator[Path]:
    """Draws the pictures that are not current, and names them."""
    IMAGES.mkdir(exist_ok=True)
    for picture in PICTURES:
        if not is_current(picture):
            path = IMAGES / f"{picture.name}.svg"
            path.write_text(drawn(picture), encoding="utf-8", newline="\n")
            yield path


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Draws the pictures of the README.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit with 1 if one is not current")
    if parser.parse_args(arguments).check:
        names = [path.name for path in stale()]
        for name in names:
            sys.stderr.write(f"docs/images/{name} is not current: run  python docs/make_picture.py\n")
        return 1 if names else 0
    for path in write():
        sys.stdout.write(f"written: docs/images/{path.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
