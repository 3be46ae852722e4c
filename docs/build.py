"""Writes everything in the documentation that is made, not typed, and checks that it is current.

    python docs/build.py           rewrites the generated pages, the output in every console block, and the pictures
    python docs/build.py --check   writes nothing; exit code 1, and the names, if something is not current

Pages: README.md, docs/*.md and docs/commands/*.md. What a console block may hold is said in doc_tools/sessions.py.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import make_picture
from doc_tools import blocks, pages

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent

GENERATED: dict[str, Callable[[], str]] = {
    "docs/findings.md": pages.findings_page,
    "docs/base-urls.md": pages.base_urls_page,
}
"""Pages that are written as a whole."""


def page_paths() -> list[Path]:
    """Every page whose blocks are filled, in a fixed order."""
    return [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("commands/*.md"))]


def page_now(path: Path) -> str:
    """What a page should be now."""
    name = path.relative_to(ROOT).as_posix()
    made = GENERATED[name]() if name in GENERATED else path.read_text(encoding="utf-8")
    return blocks.filled(made)


def stale(paths: Iterator[Path] | None = None) -> Iterator[Path]:
    """The pages and pictures that are not current."""
    for path in paths or page_paths():
        if not path.exists() or path.read_text(encoding="utf-8") != page_now(path):
            yield path
    yield from make_picture.stale()


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Rewrites what is generated in the documentation.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit with 1 if something is not current")
    options = parser.parse_args(arguments)
    if options.check:
        found = [path.relative_to(ROOT).as_posix() for path in stale()]
        for name in found:
            sys.stderr.write(f"{name} is not current: run  python docs/build.py\n")
        return 1 if found else 0
    for name in GENERATED:
        (ROOT / name).touch()
    for path in page_paths():
        now = page_now(path)
        if path.read_text(encoding="utf-8") != now:
            path.write_text(now, encoding="utf-8", newline="\n")
            sys.stdout.write(f"written: {path.relative_to(ROOT).as_posix()}\n")
    for path in make_picture.write():
        sys.stdout.write(f"written: {path.relative_to(ROOT).as_posix()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
