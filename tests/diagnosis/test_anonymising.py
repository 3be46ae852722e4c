"""What is taken out of a text before a user publishes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antigravity_doctor.diagnosis.anonymising import Who, anonymous

WHO = Who("/home/alice.w", ("alice.w", "alice"), ("alice-laptop", "alice-laptop.lan"), ("topsecretkey",))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/alice.w/.claude/settings.json:3", "~/.claude/settings.json:3"),
        ("/home/bob/x and /Users/bob/y", "/home/USER/x and /Users/USER/y"),
        (r"C:\Users\Bob\AppData and c:/users/bob/x", r"C:\Users\USER\AppData and c:/users/USER/x"),
        ("owned by Alice, group alice.w", "owned by USER, group USER"),
        ("malice and alices stay", "malice and alices stay"),
        ("host alice-laptop (alice-laptop.lan)", "host HOST (HOST)"),
        ("mail bob@example.com", "mail EMAIL"),
        ("from 203.0.113.9 via 192.168.1.20, 10.0.0.1, 172.20.0.2, 127.0.0.1, 0.0.0.0",
         "from IP-ADDRESS via 192.168.1.20, 10.0.0.1, 172.20.0.2, 127.0.0.1, 0.0.0.0"),
        ("version 4.5.8 and 1.2.3.400", "version 4.5.8 and 1.2.3.400"),
        ("the key topsecretkey", "the key ***"),
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer ***"),
        ("POST /v1/v1/messages → http://127.0.0.1:8045", "POST /v1/v1/messages → http://127.0.0.1:8045"),
    ],
)  # fmt: skip
def test_what_is_private_is_masked_and_the_rest_stays(text: str, shown: str) -> None:
    assert anonymous(text, WHO) == shown


@pytest.mark.parametrize("name", ["root", "ubuntu", "runner", "vscode", "pi", "al"])
def test_a_name_that_names_nobody_stays(name: str) -> None:
    assert anonymous(f"the {name} route", Who("/x", (name,), ("localhost",))) == f"the {name} route"


def test_the_longer_name_is_taken_out_first() -> None:
    assert anonymous("anna-maria and anna", Who("/x", ("anna", "anna-maria"))) == "USER and USER"


@pytest.mark.parametrize("home", ["", "/", "/root"])
def test_a_home_folder_that_tells_nothing_does_no_harm(home: str) -> None:
    assert anonymous("/v1/messages /root/x", Who(home)).startswith("/v1/messages ")


@given(st.text(), st.text(min_size=1), st.text(min_size=1))
def test_no_text_and_no_name_whatever_raises(text: str, name: str, home: str) -> None:
    anonymous(text, Who(home, (name,), (name,), ()))


@given(st.text(alphabet="abc /.-:\n", max_size=80), st.from_regex(r"[a-z]{4,10}", fullmatch=True))
def test_no_whole_word_of_the_users_name_is_left(text: str, name: str) -> None:
    shown = anonymous(f"{text} {name} {text}/{name}", Who("/home/" + name, (name,)))
    assert name not in shown.replace("USER", "").split()
