"""No key is ever written: a key is planted in every place where one can stand, and all output of all commands read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from antigravity_doctor.diagnosis.proxy_model import ServerConfig
from antigravity_doctor.servers.stand_in import run_in_thread
from tests.support.cli import Result, run
from tests.support.hostile import hostile

KEY = "sk-planted-SECRET-0123456789"
PLAIN = "planted4SECRET5without6a7shape"
"""A key that nothing but its place gives away."""

FORMATS = ("terminal", "json", "junit", "github")


def assert_hidden(result: Result, *codes: int) -> None:
    """Asserts that no part of a planted key was written."""
    assert result.code in (codes or (0, 1, 2, 3)), result
    assert "SECRET" not in result.all
    assert "planted" not in result.all
    assert "0123456789" not in result.all


@pytest.fixture(scope="module", params=["right", "wrong"])
def locked_proxy(request: pytest.FixtureRequest) -> Iterator[int]:
    key = KEY if request.param == "right" else "another-key"
    with run_in_thread(ServerConfig(auth="strict", api_key=key)) as running:
        yield running.port


# --- check -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("verbose", [[], ["--verbose"]], ids=["short", "verbose"])
@pytest.mark.parametrize("source", ["option", "variable", "settings"])
def test_check(locked_proxy: int, source: str, verbose: list[str], format_: str, tmp_path: Path) -> None:
    arguments = ["check", "--port", str(locked_proxy), "--format", format_, *verbose]
    arguments += ["--client", "gemini-cli", "--base-url", f"http://127.0.0.1:{locked_proxy}/v1"]
    environment: dict[str, str] = {"HOME": str(tmp_path)}
    if source == "option":
        arguments += ["--api-key", KEY]
    elif source == "variable":
        environment["AGDOCTOR_API_KEY"] = KEY
    else:
        folder = tmp_path / ".antigravity_tools"
        folder.mkdir()
        proxy = {"port": locked_proxy, "auth_mode": "strict", "api_key": KEY, "enabled": True}
        (folder / "gui_config.json").write_text(json.dumps({"proxy": proxy}), encoding="utf-8")
    assert_hidden(run(*arguments, env=environment), 0, 1)


def test_the_planted_key_is_really_used(locked_proxy: int) -> None:
    document = json.loads(run("check", "--port", str(locked_proxy), "--api-key", KEY, "--json").out)
    key = next(check for stage in document["stages"] for check in stage["checks"] if check["id"] == "key")
    assert key["status"] in ("pass", "fail")
    assert any("$AGDOCTOR_API_KEY" in each["curl"] for each in key["requests"])


@pytest.mark.parametrize("kind", ["escapes", "redirect-elsewhere", "too-short", "garbage", "refused"])
def test_check_of_something_else(kind: str) -> None:
    with hostile(kind) as server:
        arguments = ["check", "--port", str(server.port), "--api-key", KEY, "--timeout", "0.3", "--verbose"]
        assert_hidden(run(*arguments), 3)


@pytest.mark.parametrize("format_", FORMATS)
def test_check_with_a_key_in_the_address(locked_proxy: int, format_: str) -> None:
    for url in (f"http://127.0.0.1:{locked_proxy}/v1?key={PLAIN}", f"http://127.0.0.1:{locked_proxy}/{KEY}/v1"):
        assert_hidden(run("check", "--url", url, "--format", format_, "--verbose"))
        assert_hidden(run("check", "--port", "1", "--base-url", url, "--format", format_, "--verbose"))


def test_check_with_a_key_in_an_http_proxy_variable(locked_proxy: int) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        environment = {name: f"http://user:{PLAIN}@127.0.0.1:1"}
        assert_hidden(run("check", "--port", str(locked_proxy), "--verbose", "--json", env=environment))
        assert_hidden(run("check", "--host", "proxy.invalid", "--verbose", env=environment), 3)


def test_the_demo_with_a_key_of_ones_own() -> None:
    assert_hidden(run("check", "--demo", "--api-key", KEY, "--verbose"), 1)


# --- explain-path ----------------------------------------------------------------------------------------------------

PASTED = [
    f"/v1/v1/chat/completions?key={PLAIN}",
    f"/v1beta/v1beta/models/gemini-pro:generateContent?key={PLAIN}&alt=sse",
    f"http://127.0.0.1:8045/v1/v1/messages?api_key={PLAIN}",
    f"http://user:{PLAIN}@127.0.0.1:8045/v1/v1/messages",
    f"/v1/{KEY}/messages",
    f"POST /v1/v1/messages HTTP/1.1\nHost: localhost\nAuthorization: Bearer {PLAIN}\n\n404",
    f"POST /v1/v1/messages HTTP/1.1\nx-api-key: {PLAIN}\n",
    f"curl -H 'Authorization: Bearer {PLAIN}' http://127.0.0.1:8045/v1/v1/models",
    f"curl -u user:{PLAIN} http://127.0.0.1:8045/v1/v1/models",
    f'{{"url": "http://127.0.0.1:8045/v1/v1/messages", "headers": {{"x-goog-api-key": "{PLAIN}"}}}}',
    f"Error: 401 Incorrect API key provided: {KEY}. POST http://127.0.0.1:8045/v1/v1/responses",
    f"the api key is {PLAIN} and the request POST /v1/v1/messages fails with 404",
    f"my key {KEY} does not work",
    KEY,
]


@pytest.mark.parametrize("text", PASTED, ids=range(len(PASTED)))
@pytest.mark.parametrize("format_", ["terminal", "json"])
def test_explain_path(text: str, format_: str) -> None:
    assert_hidden(run("explain-path", text, "--format", format_))
    assert_hidden(run("explain-path", "-", "--format", format_, stdin=text.encode()))
    assert_hidden(run("explain-path", "-", "--format", format_, stdin=(text + "\n/v1/v1/x\n" * 3).encode("utf-16")))


def test_explain_path_many_at_once() -> None:
    assert_hidden(run("explain-path", *PASTED))


@pytest.mark.parametrize("format_", ["terminal", "json"])
def test_explain_path_with_a_key_in_an_option(format_: str) -> None:
    for option, value in [
        ("--base-url", f"http://127.0.0.1:8045/v1?key={PLAIN}"),
        ("--base-url", f"http://127.0.0.1:8045/{KEY}/v1"),
        ("--base-url", f"http://u:{PLAIN}@127.0.0.1:8045/v1"),
        ("--url", f"http://127.0.0.1:8045/v1?key={PLAIN}"),
        ("--body", f'{{"error": "bad key {KEY}"}}'),
        ("--client", KEY),
        ("--method", KEY),
        ("--status", KEY),
        ("--host", KEY + "/"),
        ("--proxy-version", KEY),
        ("--format", KEY),
    ]:
        assert_hidden(run("explain-path", "/v1/v1/messages", "--format", format_, option, value))


# --- the others ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["terminal", "json"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["simulate", "--client", "openai-python", "--base-url", f"http://127.0.0.1:8045/v1?key={PLAIN}"],
        ["simulate", "--client", "openai-python", "--base-url", f"http://127.0.0.1:8045/{KEY}"],
        ["recommend", "--all"],
        ["recommend", "--client", KEY],
        ["recommend", "--all", "--protocol", KEY],
        ["clients", KEY],
        ["explain", KEY],
        ["explain", "--all"],
        ["routes", KEY],
        ["routes", f"--{KEY}"],
        ["routes", "--history", f"--api-key={KEY}"],
        [KEY],
        ["check", "--api-key"],
        ["check", "--api-key", KEY + "\n"],
        ["check", KEY],
    ],
    ids=lambda value: value[0][:10],
)
def test_every_other_command(arguments: list[str], format_: str) -> None:
    environment = {"AGDOCTOR_API_KEY": KEY, "OPENAI_API_KEY": KEY}
    assert_hidden(run(*arguments, env=environment))
    assert_hidden(run(*arguments, "--format", format_, env=environment))


def test_the_variable_s_key_is_masked_where_it_was_typed_as_something_else() -> None:
    result = run("clients", PLAIN, env={"AGDOCTOR_API_KEY": PLAIN})
    assert_hidden(result, 2)
    assert "***" in result.err


def test_a_stand_in_does_not_print_the_key_it_was_given() -> None:
    result = run("stand-in", "--port", "0", "--for", "0", "--auth", "strict", "--api-key", KEY)
    assert_hidden(result, 0)
    assert "with the given key" in result.out
