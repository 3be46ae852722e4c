"""Paths as people write them: with `~` for the home folder. On any system, by string work."""

from __future__ import annotations


def with_tilde(path: str, home: str) -> str:
    """The path with `~` in place of the home folder that it is in; unchanged where it is in none."""
    start = home.rstrip("/\\")
    if start and path.startswith((start + "/", start + "\\")):
        return "~" + path[len(start) :]
    return path


def without_tilde(shown: str, home: str) -> str:
    """The path behind one that `with_tilde` has made."""
    return home.rstrip("/\\") + shown[1:] if shown[:2] in ("~/", "~\\") else shown
