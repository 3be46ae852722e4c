"""What every command's exit code says: 0 nothing wrong, 1 findings, 2 bad input, 3 the proxy was not reached."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from antigravity_doctor.cli import errors
from antigravity_doctor.diagnosis.proxy_model import ServerConfig
from antigravity_doctor.knowledge.clients import all_clients, client_from_json
from antigravity_doctor.servers.stand_in import run_in_thread
from tests.support.cli import run
from tests.support.hostile import hostile

KEY = "sk-stand-in"


@pytest.fixture(scope="module")
def open_proxy() -> Iterator[str]:
    with run_in_thread(ServerConfig(auth="off")) as running:
        yield running.url


@pytest.fixture(scope="module")
def locked_proxy() -> Iterator[str]:
    with run_in_thread(ServerConfig(auth="strict")) as running:
        yield running.url


# --- explain-path ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["/v1/chat/completions"], 0),
        (["/v1/chat/completions", "--status", "200"], 0),
        (["/v1/chat/completions", "--status", "401"], 1),
        (["/v1/chat/completions", "--status", "404", "--body", '{"error":{"message":"model not found"}}'], 1),
        (["/v1/v1/chat/completions"], 1),
        (["/v1/chat/completions", "/v1/v1/chat/completions"], 1),
        (["/v1/chat/completions", "--method", "GET"], 1),
        (["/nothing/like/it"], 1),
        (["no request in this text"], 2),
        (["/v1/messages", "no request in this text"], 2),
        (["/v1/v1/messages", "no request in this text"], 1),
        ([], 2),
        ([""], 2),
    ],
)
@pytest.mark.parametrize("format_", ["terminal", "json"])
def test_explain_path(arguments: list[str], code: int, format_: str) -> None:
    assert run("explain-path", *arguments, "--format", format_).code == code


# --- recommend and simulate ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("client", [each.id for each in all_clients()])
def test_recommend_finds_something_that_works_for_every_client(client: str) -> None:
    assert run("recommend", "--client", client).code == 0


def test_recommend_all() -> None:
    assert run("recommend", "--all").code == 0


def test_recommend_where_no_mode_works(monkeypatch: pytest.MonkeyPatch) -> None:
    hopeless = _with_suffix(client_named("codex"), "/no/such/endpoint")
    monkeypatch.setattr("antigravity_doctor.cli.options.client_of", lambda _: hopeless)
    assert run("recommend", "--client", "codex").code == 1


def test_recommend_of_a_protocol_that_the_client_does_not_speak() -> None:
    assert run("recommend", "--client", "claude-code", "--protocol", "gemini").code == 1


@pytest.mark.parametrize(
    ("base_url", "code"),
    [("http://127.0.0.1:8045", 0), ("http://127.0.0.1:8045/v1", 1), ("http://127.0.0.1:8045/v1beta", 1)],
)
def test_simulate(base_url: str, code: int) -> None:
    assert run("simulate", "--client", "nextchat", "--base-url", base_url).code == code


def client_named(name: str) -> Any:
    return next(each for each in all_clients() if each.id == name)


def _with_suffix(client: Any, suffix: str) -> Any:
    raw = json.loads(json.dumps(dict(client.raw)))
    for mode in raw["modes"]:
        mode["requests"] = [{"method": "POST", "suffix": suffix, "required": True, "when": ""}]
    return client_from_json(raw)


# --- check -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fail_on", ["error", "warning", "inconclusive"])
def test_check_of_a_healthy_proxy(open_proxy: str, fail_on: str) -> None:
    assert run("check", "--url", open_proxy, "--fail-on", fail_on).code == 0


@pytest.mark.parametrize(
    ("fail_on", "code"),
    [("error", 0), ("warning", 1), ("inconclusive", 1)],
)
def test_a_key_that_is_wanted_and_not_given_is_a_warning(locked_proxy: str, fail_on: str, code: int) -> None:
    assert run("check", "--url", locked_proxy, "--fail-on", fail_on).code == code


def test_a_wrong_key_is_an_error(locked_proxy: str) -> None:
    assert run("check", "--url", locked_proxy, "--api-key", "sk-wrong").code == 1


def test_a_right_key(locked_proxy: str) -> None:
    assert run("check", "--url", locked_proxy, "--api-key", KEY, "--fail-on", "inconclusive").code == 0


def test_a_right_key_from_the_variable(locked_proxy: str) -> None:
    result = run("check", "--url", locked_proxy, "--fail-on", "inconclusive", env={"AGDOCTOR_API_KEY": KEY})
    assert result.code == 0


@pytest.mark.parametrize(("base_url", "code"), [("{url}/v1", 0), ("{url}/v1beta", 1), ("{url}/v1/responses", 1)])
def test_check_of_a_client(open_proxy: str, base_url: str, code: int) -> None:
    result = run("check", "--url", open_proxy, "--client", "codex", "--base-url", base_url.format(url=open_proxy))
    assert result.code == code


@pytest.mark.parametrize(
    ("kind", "format_"),
    [("refused", "terminal"), ("refused", "json"), ("refused", "junit"), ("refused", "github"), ("silent", "terminal"),
     ("web-page", "terminal"), ("ssh", "terminal")],
)  # fmt: skip
def test_a_proxy_that_is_not_reached(kind: str, format_: str) -> None:
    with hostile(kind) as server:
        result = run("check", "--port", str(server.port), "--timeout", "0.3", "--format", format_)
    assert result.code == 3


def test_the_json_document_holds_the_exit_code(open_proxy: str, locked_proxy: str) -> None:
    for arguments in (["--url", open_proxy], ["--url", locked_proxy, "--fail-on", "warning"], ["--port", "1"]):
        result = run("check", *arguments, "--json")
        assert json.loads(result.out)["exit_code"] == result.code


def test_the_demo_is_healthy() -> None:
    assert run("check", "--demo", "--fail-on", "inconclusive").code == 0


# --- the others ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["explain", "AGD301"], 0),
        (["explain", "agd301"], 0),
        (["explain", "301"], 0),
        (["explain", "duplicate-version-prefix"], 0),
        (["explain", "--all"], 0),
        (["explain", "AGD999"], 2),
        (["routes"], 0),
        (["routes", "--history"], 0),
        (["routes", "--proxy-version", "3.0.0"], 0),
        (["clients"], 0),
        (["clients", "cline"], 0),
        (["clients", "no-such-client"], 2),
        (["--version"], 0),
        (["--help"], 0),
        ([], 2),
        (["stand-in", "--port", "0", "--for", "0"], 0),
    ],
)
def test_other_commands(arguments: list[str], code: int) -> None:
    assert run(*arguments).code == code


def test_a_fault_of_agdoctor_itself_is_told_apart_from_every_result(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("\x1b[31mbroken sk-planted-SECRET-0123456789")

    monkeypatch.setattr("antigravity_doctor.cli.options.table_of", broken)
    result = run("routes")
    assert result.code == errors.FAULT
    assert "Traceback" not in result.all
    assert result.err == (
        "agdoctor: A fault of agdoctor itself (RuntimeError: \\x1b[31mbroken ***): "
        "please report it with the command you typed; AGDOCTOR_DEBUG=1 shows where.\n"
    )


def test_the_debug_variable_shows_where_a_fault_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("antigravity_doctor.cli.options.table_of", broken)
    with pytest.raises(RuntimeError, match="broken"):
        run("routes", env={"AGDOCTOR_DEBUG": "1"})


def test_ctrl_c_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("antigravity_doctor.cli.options.table_of", interrupted)
    assert run("routes").code == 130


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (PermissionError(13, "Permission denied", "/x/a.log"), 2, "/x/a.log cannot be used: Permission denied."),
        (
            OSError(28, "No space left on device"),
            errors.FAULT,
            "The output cannot be written: No space left on device.",
        ),
        (PermissionError(13, "Permission denied"), errors.FAULT, "A fault of agdoctor itself (PermissionError"),
    ],
)
def test_only_what_befalls_the_output_is_said_to(
    error: OSError, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("antigravity_doctor.cli.options.drop_output", lambda: None)
    assert errors.ended_by(error) == code
    assert said in capsys.readouterr().err
