"""`~` for the home folder, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antigravity_doctor.sources.home_paths import with_tilde, without_tilde


@pytest.mark.parametrize(
    ("path", "home", "shown"),
    [
        ("/home/a/.claude/x", "/home/a", "~/.claude/x"),
        ("/home/a/.claude/x", "/home/a/", "~/.claude/x"),
        ("/home/ab/x", "/home/a", "/home/ab/x"),
        ("/home/a", "/home/a", "/home/a"),
        (r"C:\Users\a\.codex\x", r"C:\Users\a", r"~\.codex\x"),
        ("C:/Users/a/x", "C:/Users/a", "~/x"),
        ("/x", "/", "/x"),
        ("/x", "", "/x"),
    ],
)
def test_a_path_is_shown_with_the_home_folder_left_out(path: str, home: str, shown: str) -> None:
    assert with_tilde(path, home) == shown


@given(st.text(alphabet="ab/\\.:C", max_size=20), st.text(alphabet="ab/\\.:C", max_size=8))
def test_what_is_shown_leads_back(path: str, home: str) -> None:
    assert without_tilde(with_tilde(path, home), home) == path
