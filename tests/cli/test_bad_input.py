"""Bad input gets one sentence on stderr that names it and says what to do, exit code 2, and nothing on stdout."""

from __future__ import annotations

import json
from typing import Any

import pytest

from antigravity_doctor.servers.stand_in import run_in_thread
from tests.support.cli import Result, run
from tests.support.hostile import hostile


def refused(result: Result, *named: str) -> None:
    """Asserts a refusal whose single line holds each of `named`."""
    assert result.code == 2, result
    assert result.out == ""
    assert result.err.startswith("agdoctor: ")
    assert result.err.count("\n") == 1
    assert result.err.endswith("\n")
    assert "Traceback" not in result.err
    for each in named:
        assert each in result.err


# --- ports and hosts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["check"], ["explain-path", "/v1"], ["recommend", "--all"], ["stand-in"]])
@pytest.mark.parametrize("port", ["70000", "65536", "abc", "-1", "80 45", "8045.0", "٨٠٤٥", "1e3", "9" * 400, " "])
def test_a_port_that_is_none(command: list[str], port: str) -> None:
    refused(run(*command, "--port", port), "port", port.strip()[:20], "65535")


@pytest.mark.parametrize("command", [["check"], ["explain-path", "/v1"], ["recommend", "--all"]])
def test_port_0_is_none_to_connect_to(command: list[str]) -> None:
    refused(run(*command, "--port", "0"), "'0'", "1 to 65535")


@pytest.mark.parametrize(
    ("host", "hint"),
    [
        ("", "such as 127.0.0.1"),
        ("  ", "such as 127.0.0.1"),
        ("my host", "such as 127.0.0.1"),
        ("http://127.0.0.1", "--url"),
        ("127.0.0.1/v1", "--url"),
        ("127.0.0.1:8045", "--port"),
        ("user@host", "user name"),
        ('"host"', "host"),
    ],
)
def test_a_host_that_is_none(host: str, hint: str) -> None:
    refused(run("check", "--host", host), "--host", hint)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]", "LOCALHOST", "fe80::1%en0", "bücher.example", "例え.jp"])
def test_hosts_of_every_kind_are_taken(host: str) -> None:
    result = run("explain-path", "/v1/v1/messages", "--host", host, "--json")
    assert result.code == 1
    assert json.loads(result.out)["target"]["origin"].startswith("http://")


# --- URLs ------------------------------------------------------------------------------------------------------------

BAD_URLS = [
    ("", "empty"),
    ("   ", "empty"),
    ("http://user:secret@host:8045/v1", "user name or password"),
    ("user:secret@host", "user name or password"),
    ("http://my host:8045/v1", "space"),
    ("http://host/v 1", "space"),
    ('"http://127.0.0.1:8045"', "quotation marks"),
    ("'http://127.0.0.1:8045'", "quotation marks"),
    ("“http://127.0.0.1:8045”", "quotation marks"),
    ("http://127.0.0.1:8045`", "quotation marks"),
    ("/v1", "only a path"),
    ("//127.0.0.1/v1", "only a path"),
    ("ftp://127.0.0.1/v1", "http and https"),
    ("file:///etc/passwd", "http and https"),
    ("http:/127.0.0.1:8045", "slash"),
    ("http:127.0.0.1:8045", "slash"),
    ("http://", "host"),
    ("http:///v1", "host"),
    ("http://?x=1", "host"),
    ("http://::1:8045/v1", "brackets"),
    ("::1", "brackets"),
    ("http://[::1:8045/v1", "host"),
    ("http://127.0.0.1:0/v1", "port"),
    ("http://127.0.0.1:70000/v1", "port"),
    ("http://127.0.0.1:abc/v1", "port"),
    ("http://127.0.0.1:/v1", "port"),
]


@pytest.mark.parametrize(("url", "hint"), BAD_URLS)
@pytest.mark.parametrize(
    "command",
    [
        ["check", "--url"],
        ["check", "--base-url"],
        ["explain-path", "/v1", "--url"],
        ["explain-path", "/v1", "--base-url"],
        ["recommend", "--all", "--url"],
        ["simulate", "--client", "cline", "--base-url"],
    ],
    ids=" ".join,
)
def test_a_url_that_is_none(command: list[str], url: str, hint: str) -> None:
    result = run(*command, url)
    refused(result, hint)
    assert "secret" not in result.err


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("127.0.0.1:8045", "http://127.0.0.1:8045"),
        ("127.0.0.1:8045/v1", "http://127.0.0.1:8045"),
        ("  http://127.0.0.1:8045/v1\n", "http://127.0.0.1:8045"),
        ("HTTP://LocalHost:8045", "http://localhost:8045"),
        ("https://proxy.example/antigravity/", "https://proxy.example"),
        ("[::1]:8045", "http://[::1]:8045"),
        ("http://[::1]:8045/v1", "http://[::1]:8045"),
        ("http://bücher.example", "http://bücher.example"),
        ("http://xn--bcher-kva.example", "http://xn--bcher-kva.example"),
    ],
)
def test_a_url_that_is_one_however_it_is_written(url: str, origin: str) -> None:
    result = run("explain-path", "/v1/v1/messages", "--url", url, "--json")
    document = json.loads(result.out)
    assert document["target"]["origin"] == origin
    assert all(each["base_url"].startswith(origin) for each in document["results"][0]["fixes"])


@pytest.mark.parametrize(
    "argv",
    [
        ["explain-path", "/v1/v1/messages"],
        ["recommend", "--client", "codex"],
        ["scan", "--offline"],
        ["report", "--no-logs"],
        ["check"],
        ["check", "--json"],
    ],
)
def test_the_path_of_a_proxys_address_is_left_out_aloud(argv: list[str]) -> None:
    result = run(*argv, "--url", "http://127.0.0.1:1/anti/v1")
    assert result.err.count("'/anti/v1' is left out, only http://127.0.0.1:1 counts") == 1
    assert "left out, only" not in run(*argv, "--url", "http://127.0.0.1:1/").err


def test_check_adds_the_missing_scheme() -> None:
    with run_in_thread() as running:
        result = run("check", "--url", f"127.0.0.1:{running.port}", "--json")
    assert result.code == 0
    assert json.loads(result.out)["target"]["url"] == running.url


def test_url_together_with_host_or_port() -> None:
    refused(run("check", "--url", "http://127.0.0.1:8045", "--port", "8045"), "--url", "--port")
    refused(run("recommend", "--all", "--url", "http://127.0.0.1:8045", "--host", "a"), "--url", "--host")


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "nearest"),
    [
        ("kilocod", "kilo-code"),
        ("claud-code", "claude-code"),
        ("cherry studo", "cherry-studio"),
        ("open-code", "opencode"),
        ("NEXT CAHT", "nextchat"),
    ],
)
@pytest.mark.parametrize(
    "command", [["recommend", "--client"], ["clients"], ["explain-path", "/v1", "--client"], ["check", "--client"]]
)
def test_a_misspelt_client_gets_the_nearest_names_or_is_found(command: list[str], typed: str, nearest: str) -> None:
    result = run(*command, typed, *(["--demo"] if command[0] == "check" else []))
    if result.code == 2:
        refused(result, typed, nearest)
    elif command == ["clients"]:
        assert nearest in result.out  # part of a name is searched for
    else:
        assert nearest == "opencode"  # "open-code" is the same name written another way


@pytest.mark.parametrize("typed", ["zzzzzzzz", "trae", "windsurf", "openhands"])
def test_a_client_like_none_is_told_where_the_list_is_and_how_to_go_on_without(typed: str) -> None:
    result = run("recommend", "--client", typed)
    refused(result, typed, "agdoctor clients", "agdoctor trace", "/v1")
    assert "did you mean" not in result.err


def test_words_of_a_name_lead_to_its_clients_but_not_the_kind_of_their_package() -> None:
    result = run("recommend", "--client", "vs code")
    refused(result, "did you mean vscode-copilot-chat or")
    assert "roo-code" not in result.err


@pytest.mark.parametrize("typed", ["copilot", "GitHub Copilot"])
def test_a_name_of_more_than_one_client_gets_all_of_them(typed: str) -> None:
    for command in (["recommend"], ["simulate", "--base-url", "http://127.0.0.1:8045"]):
        refused(run(*command, "--client", typed), typed, "copilot-cli", "vscode-copilot-chat")
    assert "vscode-copilot-chat" in run("clients", "copilot").out


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["chek"], ["'chek'", "check"]),
        (["explainpath"], ["explain-path"]),
        (["zzzzzzzz"], ["zzzzzzzz", "agdoctor --help"]),
        (["explain", "AGD999"], ["AGD999", "agdoctor explain --all"]),
        (["explain", "duplicate-version"], ["duplicate-version-prefix"]),
        (["explain"], ["AGD301", "--all"]),
        (["explain", "AGD301", "--all"], ["--all"]),
        (["check", "--format", "yaml"], ["yaml", "terminal, json, junit, github"]),
        (["routes", "--format", "junit"], ["junit", "terminal, json"]),
        (["recommend", "--all", "--protocol", "grpc"], ["grpc", "openai, anthropic, gemini"]),
        (["routes", "--protocol", "grpc"], ["grpc", "openai"]),
        (["recommend", "--client", "cline", "--mode", "nope"], ["Cline", "nope", "openai"]),
        (["simulate", "--client", "cline", "--base-url", "http://a", "--mode", "nope"], ["nope", "openai"]),
        (["check", "--client", "cline", "--mode", "nope"], ["nope", "openai"]),
        (["check", "--mode", "openai"], ["--mode", "--client"]),
        (["recommend", "--all", "--mode", "openai"], ["--mode", "--client"]),
        (["recommend"], ["--client NAME", "--all"]),
        (["recommend", "--all", "--client", "cline"], ["--client NAME", "--all"]),
        (["simulate", "--client", "cline"], ["--base-url"]),
        (["simulate", "--base-url", "http://a"], ["--client"]),
        (["check", "--fail-on", "never"], ["never", "error, warning, inconclusive"]),
        (["check", "--demo", "--port", "8045"], ["--demo", "--port"]),
        (["stand-in", "--auth", "maybe"], ["maybe", "off, strict"]),
        (["stand-in", "--as", "foo"], ["foo", "4.5.8"]),
        (["stand-in", "--host", "no-such-host.invalid", "--port", "0", "--for", "0"], ["no-such-host.invalid"]),
        (["routes", "--history", "--proxy-version", "4.5.8"], ["--history", "--proxy-version"]),
        (["routes", "extra"], ["extra", "agdoctor routes --help"]),
        (["check", "--no-such-option"], ["--no-such-option", "agdoctor check --help"]),
        (["check", "--url"], ["--url", "argument"]),
        (["--frob"], ["--frob", "agdoctor --help"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_name_that_does_not_exist(arguments: list[str], named: list[str]) -> None:
    result = run(*arguments)
    if arguments[0] == "stand-in" and "--host" in arguments:
        assert result.code == 2
        assert named[0] in result.err.splitlines()[-1]
        assert result.out == ""
    else:
        refused(result, *named)


@pytest.mark.parametrize(
    "command", [["check"], ["routes"], ["explain-path", "/v1"], ["recommend", "--all"]], ids=lambda value: value[0]
)
@pytest.mark.parametrize(
    ("version", "hint"), [("foo", "4.5.8"), ("", "4.5.8"), ("4.5", "4.5.8"), ("2.9.0", "3.0.0"), ("4.5.8\x1b", "4.5.8")]
)
def test_a_proxy_version_that_is_none(command: list[str], version: str, hint: str) -> None:
    refused(run(*command, "--proxy-version", version), "--proxy-version", hint)


@pytest.mark.parametrize(
    "command",
    [["check", "--port", "1"], ["routes"], ["explain-path", "/v1"], ["recommend", "--all"], ["scan", "--offline"],
     ["clients"], ["simulate", "--client", "codex", "--base-url", "http://h/v1"],
     ["trace", "--json", "--replay", "tests/data/traces/gemini-cli.jsonl"]],
    ids=lambda value: value[0],
)  # fmt: skip
def test_a_proxy_version_that_is_not_known_yet_is_taken_for_the_newest_and_that_is_said(command: list[str]) -> None:
    said = "agdoctor: proxy version 9.9.9 is not known here (3.0.0 to 4.5.8 are): taken for 4.5.8\n"
    assert run(*command, "--proxy-version", "9.9.9").err == said
    assert run(*command, "--proxy-version", "v4.5.8").err == ""


# --- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["42", "99", "600", "-404", "1000000"])
def test_a_status_that_is_none(status: str) -> None:
    refused(run("explain-path", "/v1", "--status", status), status, "100 to 599")


@pytest.mark.parametrize("status", ["abc", "", "404.5", "4 04"])
def test_a_status_that_is_no_number(status: str) -> None:
    refused(run("explain-path", "/v1", "--status", status), "--status", f"'{status}'", "not a whole number")


@pytest.mark.parametrize("method", ["P O", "", "POST!", "GET/", "\x1b[31m", "12"])
def test_a_method_that_is_none(method: str) -> None:
    refused(run("explain-path", "/v1", "--method", method), "--method", "such as POST")


@pytest.mark.parametrize("option", ["--timeout", "--total-timeout"])
@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "-inf", "601", "1e9"])
def test_a_time_that_is_none(option: str, seconds: str) -> None:
    refused(run("check", option, seconds), option, "seconds between 0 and 600")


@pytest.mark.parametrize("option", ["--timeout", "--total-timeout"])
@pytest.mark.parametrize("seconds", ["abc", "", "3s", "0x10"])
def test_a_time_that_is_no_number(option: str, seconds: str) -> None:
    refused(run("check", option, seconds), option, f"'{seconds}'", "not a number")


@pytest.mark.parametrize("delay", ["-1", "nan", "61"])
def test_a_delay_that_is_none(delay: str) -> None:
    refused(run("stand-in", "--delay", delay, "--port", "0", "--for", "0"), "--delay", "0 to 60")


def test_a_port_that_is_taken() -> None:
    with hostile("silent") as server:
        refused(run("stand-in", "--port", str(server.port), "--for", "0"), str(server.port), "in use", "0")


# --- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", "  ", "sk-ключ", "sk-a\nb", "sk-\x1b[31m", "sk-\u202e"])
def test_a_key_that_no_header_can_carry(key: str) -> None:
    refused(run("check", "--port", "1", "--api-key", key), "key", "copy it again")


# --- texts without a request -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", " ", "\n\t ", "\u3000"])
def test_an_empty_argument(text: str) -> None:
    refused(run("explain-path", text), "empty", "/v1/v1/chat/completions")


def test_no_argument() -> None:
    refused(run("explain-path"), "Nothing to explain", "- for standard input")


@pytest.mark.parametrize("content", [b"", b" ", b"\n\r\n\t", b"\xff\xfe", b"\xef\xbb\xbf\n", b"\0\0\0\0"])
@pytest.mark.parametrize("format_", ["terminal", "json"])
def test_empty_standard_input(content: bytes, format_: str) -> None:
    refused(run("explain-path", "-", "--format", format_, stdin=content), "Standard input is empty", "pipe")


def test_standard_input_twice() -> None:
    refused(run("explain-path", "-", "-", stdin=b"/v1/v1/messages"), "only once")


@pytest.mark.parametrize(
    "content", [bytes(range(256)) * 40, b"\x7fELF\x02\x01\x01" + bytes(500), b"\x1f\x8b\x08\x00" * 100, b"just words"]
)
def test_standard_input_without_a_request(content: bytes) -> None:
    refused(run("explain-path", "-", stdin=content), "No request was found in 'standard input'", "path or a URL")


def test_an_argument_without_a_request() -> None:
    refused(run("explain-path", "it does not work"), "'it does not work'", "path or a URL")


def test_json_says_for_each_input_whether_a_request_was_found() -> None:
    result = run("explain-path", "it does not work", "/v1/messages", "--json")
    verdicts = [(each["input"], each["verdict"]) for each in json.loads(result.out)["results"]]
    assert verdicts == [("it does not work", "no-request-found"), ("/v1/messages", "routed")]
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_standard_input_in_the_encodings_that_shells_write(encoding: str, newline: str) -> None:
    text = f"ошибка: POST /v1/v1/messages 404{newline}"
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    (found,) = _results(run("explain-path", "-", "--json", stdin=mark + text.encode(encoding)))
    assert (found["method"], found["path"], found["verdict"]) == ("POST", "/v1/v1/messages", "misrouted")


def test_standard_input_that_is_not_valid_utf_8() -> None:
    (found,) = _results(run("explain-path", "-", "--json", stdin=b'\xe9\xe8 "POST /v1/v1/messages HTTP/1.1" 404 0\n'))
    assert found["path"] == "/v1/v1/messages"


@pytest.mark.parametrize(
    "path",
    ["/" + "a" * 1_000_000, "/v1/v1/" + "a/" * 500_000, "/v1" * 333_333, "/v1" + "/" * 1_000_000],
    ids=["one segment", "many segments", "many versions", "many slashes"],
)
def test_a_path_of_a_megabyte(path: str) -> None:
    on_terminal = run("explain-path", path)
    assert on_terminal.code == 1
    assert len(on_terminal.out) < 5000
    assert run("explain-path", "-", stdin=path.encode()).code == 1
    assert _results(run("explain-path", path, "--json"))[0]["verdict"] in ("unsupported", "misrouted")


def test_a_line_without_an_end_is_read_in_pieces() -> None:
    result = run("explain-path", "-", "--json", stdin=b"x" * 9_000_000 + b"\n/v1/v1/messages\n")
    assert [each["path"] for each in _results(result)] == ["/v1/v1/messages"]


def _results(result: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(result.out)["results"]
    return found
