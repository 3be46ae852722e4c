"""Join rules: every step of docs/add-a-client.md does what the table there says, and can be run backwards."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antigravity_doctor.diagnosis.joining import PLAIN, compile_rule, invert, join, resolve, rule_of, run
from antigravity_doctor.knowledge.clients import all_clients, join_rules

H = "http://h"
CHAT = "/chat/completions"
ADD = {"add-unless": {"text": "/v1", "pattern": r"/v\d+[a-z]*$"}}
KEEP = {"keep-if": "/chat/completions$"}


@pytest.mark.parametrize(
    ("steps", "base", "suffix", "url"),
    [
        (["append"], H + "/v1", CHAT, H + "/v1/chat/completions"),
        (["append"], H + "/v1/", CHAT, H + "/v1//chat/completions"),
        (["append"], H, "x", H + "x"),
        (["strip-slash", "append"], H + "/v1/", CHAT, H + "/v1/chat/completions"),
        (["strip-slash", "append"], H + "/v1//", CHAT, H + "/v1//chat/completions"),
        (["strip-slashes", "append"], H + "/v1//", CHAT, H + "/v1/chat/completions"),
        (["add-slash", "append"], H + "/v1", "x", H + "/v1/x"),
        (["add-slash", "append"], H + "/v1/", "x", H + "/v1/x"),
        ([ADD, "append"], H, CHAT, H + "/v1/chat/completions"),
        ([ADD, "append"], H + "/v1", CHAT, H + "/v1/chat/completions"),
        ([ADD, "append"], H + "/v1beta", CHAT, H + "/v1beta/chat/completions"),
        ([ADD, "append"], H + "/v1/", CHAT, H + "/v1//v1/chat/completions"),
        ([{"drop-end": "/v1"}, "append"], H + "/v1", "/v1/messages", H + "/v1/messages"),
        ([{"drop-end": "/v1"}, "append"], H + "/v1/v1", "/v1/messages", H + "/v1/v1/messages"),
        ([KEEP, "append"], H + "/v1/chat/completions", CHAT, H + "/v1/chat/completions"),
        ([KEEP, "append"], H + "/v1", CHAT, H + "/v1/chat/completions"),
        (["whole"], H + "/v1/messages", "/v1/messages", H + "/v1/messages"),
        (["resolve"], H + "/x/y", "/v1/messages", H + "/v1/messages"),
        (["resolve"], H + "/x/y", "messages", H + "/x/messages"),
        (["resolve"], H, "messages", H + "/messages"),
        ([{"replace": {"pattern": "/v1/v1", "with": "/v1"}}, "append"], H + "/v1/v1", "/m", H + "/v1/m"),
        (["append", {"replace": {"pattern": "/v1/v1", "with": "/v1"}}], H + "/v1", "/v1/m", H + "/v1/m"),
        (["append", {"replace": {"pattern": "(/v1)+", "with": r"\1"}}], H + "/v1", "/v1/m", H + "/v1/m"),
    ],
)
def test_a_step(steps: list[Any], base: str, suffix: str, url: str) -> None:
    assert join(steps, base, suffix) == url


@pytest.mark.parametrize(
    "step", ["appendix", {"append": 1}, {"add-unless": "x"}, {"replace": "x"}, {}, {"a": 1, "b": 2}]
)
def test_an_unknown_step_is_an_error(step: Any) -> None:
    with pytest.raises(ValueError, match="unknown join step"):
        join([step], H, CHAT)


def test_every_step_of_the_documentation_is_known() -> None:
    page = (Path(__file__).parents[2] / "docs" / "add-a-client.md").read_text(encoding="utf-8")
    named = set(re.findall(r'^\| `"([a-z-]+)"`', page, re.MULTILINE))
    assert {"append", "strip-slash", "strip-slashes", "add-slash", "resolve", "whole"} <= named
    for step in named:
        compile_rule([step])


@pytest.mark.parametrize(
    ("base", "reference", "url"),
    [
        (H + "/a/b", "c", H + "/a/c"),
        (H + "/a/b/", "c", H + "/a/b/c"),
        (H + "/a/b", "./c", H + "/a/c"),
        (H + "/a/b", "../c", H + "/c"),
        (H + "/a/b", "../../../c", H + "/c"),
        (H + "/a/b", ".", H + "/a/"),
        (H + "/a/b", "..", H + "/"),
        (H + "/a/b", "/c/./d/../e", H + "/c/e"),
        (H + "/a?x=1", "c?y=2", H + "/c?y=2"),
        (H + "/a#f", "c", H + "/c"),
    ],
)
def test_url_resolution_is_that_of_rfc_3986(base: str, reference: str, url: str) -> None:
    assert resolve(base, reference) == url


@given(
    st.lists(st.sampled_from(["a", "b", ".", "..", "", "v1"]), max_size=5).map("/".join),
    st.lists(st.sampled_from(["c", "d", ".", "..", "v1"]), min_size=1, max_size=4).map("/".join),
    st.booleans(),
)
def test_url_resolution_agrees_with_the_standard_library(base: str, reference: str, rooted: bool) -> None:
    from urllib.parse import urljoin

    if "//" in "/" + base or (rooted and "." in reference):
        # The library leaves dot segments of an absolute reference's own path differently between versions.
        return
    target = ("/" if rooted else "") + reference
    assert resolve(H + "/" + base, target) == urljoin(H + "/" + base, target)


@pytest.mark.parametrize("name", list(join_rules()))
def test_every_named_rule_compiles(name: str) -> None:
    compile_rule(join_rules()[name]["steps"])


def test_the_plain_rule_is_the_named_rule_append() -> None:
    assert compile_rule(join_rules()["append"]["steps"]) == PLAIN


@pytest.mark.parametrize(
    ("steps", "path", "suffix", "bases"),
    [
        (["strip-slashes", "append"], "/v1/v1/messages", "/v1/messages", ("/v1",)),
        (["append"], "/v1//messages", "/messages", ("/v1/",)),
        ([ADD, "append"], "/v1/chat/completions", CHAT, ("/v1", "")),
        ([ADD, "append"], "/x/v1/chat/completions", CHAT, ("/x/v1", "/x")),
        ([ADD, "append"], "/x/chat/completions", CHAT, ()),
        (["whole"], "/v1/messages", "/v1/messages", ("/v1/messages",)),
        (["resolve"], "/v1/messages", "/v1/messages", ("",)),
        ([KEEP, "append"], "/x/chat/completions", CHAT, ("/x", "/x/chat/completions")),
        (["append"], "/v1/messages", "/chat/completions", ()),
        # an older Cherry Studio: a closing slash means "add nothing of your own"
        (
            [{"add-unless": {"text": "/v1/", "pattern": "/$"}}, "strip-slash", "append"],
            "/x/chat/completions",
            CHAT,
            ("/x/",),
        ),
    ],
)
def test_a_rule_runs_backwards(steps: list[Any], path: str, suffix: str, bases: tuple[str, ...]) -> None:
    assert invert(compile_rule(steps), H, path, suffix) == bases


RULES = sorted({rule_of(mode) for client in all_clients() for mode in client.modes}, key=repr)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(RULES),
    st.lists(st.sampled_from(["/v1", "/v1beta", "/x", "/openai", "/", "/V1", "/chat/completions"]), max_size=3).map(
        "".join
    ),
    st.sampled_from(["/chat/completions", "/messages", "/v1/messages", "/models/m:generateContent"]),
)
def test_every_base_that_comes_back_really_makes_the_path(rule: Any, base: str, suffix: str) -> None:
    path = run(rule, H + base, suffix).removeprefix(H)
    for found in invert(rule, H, path, suffix):
        assert run(rule, H + found, suffix) == H + path
