"""What a terminal report must look like at a given width."""

from __future__ import annotations

from antigravity_doctor.reports.paint import cell_width

VERBATIM = ("curl ", "curl.exe ", "Invoke-WebRequest ", "agdoctor ", "export ", "$env:")
"""How a line begins that is there to be copied, and therefore never broken."""


def assert_fits(text: str, width: int, verbatim: frozenset[str] = frozenset()) -> None:
    """Asserts that no line has blanks at its end, and none is wider than `width` but for what cannot be broken.

    That is a single word that is itself too wide (a URL), a command to copy, or a line of `verbatim` (a snippet).
    """
    for line in text.split("\n"):
        assert line == line.rstrip(), repr(line)
        bare = line.strip()
        status, _, command = bare.partition("  ")
        copied = bare.startswith(VERBATIM) or ((status.isdigit() or status == "–") and command.startswith(VERBATIM))
        if cell_width(line) <= width or copied or bare in verbatim:
            continue
        indent = len(line) - len(line.lstrip())
        longest = max(map(cell_width, line.split()))
        assert indent + longest > width - 4, f"{cell_width(line)} > {width}: {line!r}"
