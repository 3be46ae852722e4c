"""`agdoctor trace` as it is typed: what it says where, how it ends, what it refuses; clients on real sockets."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from antigravity_doctor.diagnosis.proxy_model import ServerConfig
from antigravity_doctor.servers.stand_in import run_in_thread
from tests.cli.test_hostile_text import NASTY, _without_colours, assert_tame
from tests.support.cli import Result, run
from tests.support.schemas import assert_valid, validator
from tests.support.traced import (
    CLAUDE,
    ENVIRONMENT,
    Seen,
    free_port,
    on_terminal,
    process,
    request,
    screen,
    send,
    traced,
    tracing,
)

TRACES = Path(__file__).parent.parent / "data" / "traces"
KEY = "sk-planted-0123456789abcdef"
BODY = json.dumps({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "SECRET words"}]}).encode()
RIGHT = request("POST", "/v1/messages", CLAUDE, f"x-api-key: {KEY}", body=BODY)
WRONG = request("POST", "/v1/v1/messages", CLAUDE, f"x-api-key: {KEY}", body=BODY)

posix = pytest.mark.skipif(os.name == "nt", reason="a shell and signals are needed")


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


# --- what it says ----------------------------------------------------------------------------------------------------


def test_a_wrong_base_url_is_seen_and_the_right_one_named() -> None:
    seen = traced("--stand-in", requests=[WRONG])
    assert seen.code == 1
    assert re.search(r"(?m)^  \d\d:\d\d:\d\d  ✗ 404  POST /v1/v1/messages$", seen.out)
    assert "Claude Code 2.1.197" in seen.out
    assert "→ Set the base URL to http://127.0.0.1:8045\n" in seen.out
    assert seen.err == ""
    assert seen.answers[0].startswith(b"HTTP/1.1 404 ")


def test_a_right_base_url_is_said_to_be_right() -> None:
    seen = traced("--stand-in", requests=[RIGHT])
    assert seen.code == 0
    assert "✓ 200  POST /v1/messages" in seen.out
    assert "✓ The base URL is right" in seen.out
    assert seen.answers[0].startswith(b"HTTP/1.1 200 ")


def test_it_says_where_it_listens_and_what_it_stands_before() -> None:
    port = free_port()
    with run_in_thread(ServerConfig(version="4.1.0")) as proxy:
        seen = traced("--url", proxy.url, requests=[RIGHT], port=port)
    first = " ".join(seen.out.split())
    assert first.startswith(f"Recording on http://127.0.0.1:{port} → the proxy at {proxy.url}, Antigravity Tools 4.1.0")
    asked = f"Set the base URL of your client to http://127.0.0.1:{port} with the path behind it that it has now"
    assert asked in first


def test_a_base_path_is_part_of_the_url_to_give() -> None:
    seen = traced("--stand-in", "--base-path", "v1", requests=[WRONG])
    assert re.search(r"Set the base URL of your client to http://127\.0\.0\.1:\d+/v1\n", seen.out)


@pytest.mark.parametrize("base_path", ["", "/"])
def test_no_base_path_is_one_too(base_path: str) -> None:
    seen = traced("--stand-in", "--base-path", base_path, requests=[RIGHT])
    assert re.search(rf"Set the base URL of your client to http://127\.0\.0\.1:\d+{base_path}\n", seen.out)


def test_fixes_are_for_the_proxy_that_was_named() -> None:
    seen = traced("--stand-in", "--port", "9001", requests=[WRONG])
    assert "→ Set the base URL to http://127.0.0.1:9001\n" in seen.out


def test_the_named_client_is_believed() -> None:
    seen = traced("--stand-in", "--client", "cline", requests=[request("POST", "/chat/completions", "node")])
    assert re.search(r"Client +Cline.*\(as given", seen.out)


def test_the_routes_are_those_of_the_version() -> None:
    asked = request("GET", "/v1/responses", "x/1")
    new = traced("--stand-in", requests=[asked], env={"COLUMNS": "120"})
    old = traced("--stand-in", "--proxy-version", "4.0.0", requests=[asked], env={"COLUMNS": "120"})
    assert "Antigravity Tools 4.0.0" in old.out
    assert new.out.split("GET")[1].split("\n")[0] != old.out.split("GET")[1].split("\n")[0]


def test_a_rewritten_request_lands_and_that_is_said_loudly() -> None:
    seen = traced("--stand-in", "--rewrite", requests=[WRONG])
    assert seen.answers[0].startswith(b"HTTP/1.1 200 ")
    assert b"x-agdoctor-rewritten: /v1/messages" in seen.answers[0].lower()
    said = " ".join(seen.out.split())
    assert "! --rewrite: a request that misses is sent on" in said
    assert "sent on as /v1/messages" in said
    assert "worked only because --rewrite corrected its requests" in said
    assert seen.code == 1


def test_without_rewrite_nothing_is_rewritten() -> None:
    seen = traced("--stand-in", requests=[WRONG])
    assert "rewrit" not in seen.all.lower() + seen.answers[0].decode().lower()


def test_other_machines_may_reach_it_only_with_a_warning() -> None:
    seen = traced("--stand-in", "--host", "0.0.0.0", requests=[RIGHT])
    assert seen.err.startswith("agdoctor: listening on '0.0.0.0', which other machines may reach")
    assert seen.code == 0


def test_ipv6_loopback_needs_no_warning() -> None:
    with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        seen = traced("--stand-in", "--host", "::1", "--for", "0.05")
        assert "http://[::1]:" in seen.out
        assert seen.err == ""


def test_a_proxy_that_is_not_there_yet_is_said_and_waited_for() -> None:
    port = free_port()
    seen = traced("--port", str(port), requests=[RIGHT])
    assert seen.err.startswith(f"agdoctor: nothing answers at http://127.0.0.1:{port} yet. Start the proxy")
    assert "--- " in seen.out
    assert "AGD101" in seen.out
    assert seen.answers[0].startswith(b"HTTP/1.1 502 ")
    assert b"agdoctor trace: nothing listens" in seen.answers[0]
    assert seen.code == 1


def test_a_port_that_answers_as_something_else_is_said() -> None:
    import threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        seen = traced("--port", str(server.server_port), "--for", "0.05")
        server.shutdown()
    assert "is not the proxy" in seen.err


# --- how it ends -----------------------------------------------------------------------------------------------------


def test_once_is_one_request() -> None:
    seen = traced("--stand-in", "--once", requests=[RIGHT])
    assert "One request, to a route of the proxy." in seen.out


def test_count_is_that_many() -> None:
    seen = traced("--stand-in", "--count", "2", requests=[RIGHT, WRONG])
    assert "2 requests: 1 to a route of the proxy, 1 to no route." in seen.out
    assert len(seen.answers) == 2


def test_the_time_is_up() -> None:
    started = time.monotonic()
    seen = traced("--stand-in", "--for", "0.3", requests=[RIGHT])
    assert 0.3 <= time.monotonic() - started < 3
    assert seen.code == 0


def test_count_ends_it_before_the_time_is_up() -> None:
    started = time.monotonic()
    traced("--stand-in", "--count", "1", "--for", "60", requests=[RIGHT])
    assert time.monotonic() - started < 10


def test_that_nothing_came_is_no_success() -> None:
    seen = traced("--stand-in", "--for", "0.05")
    assert seen.code == 1
    said = " ".join(seen.out.split())
    assert re.search(r"No request came to http://127\.0\.0\.1:\d+\. Perhaps the client ended before it asked", said)


@pytest.mark.parametrize(
    ("requests", "code"),
    [
        ([RIGHT], 0),
        ([WRONG], 1),
        ([WRONG, RIGHT], 1),
        ([request("HEAD", "/", "Bun/1.4.0"), RIGHT], 0),
        ([request("POST", "/v1/embeddings", CLAUDE)], 1),
    ],
)
def test_the_exit_code_tells_whether_all_landed(requests: list[bytes], code: int) -> None:
    for format_ in ("terminal", "jsonl", "json"):
        assert traced("--stand-in", "--format", format_, requests=requests).code == code


# --- what it refuses -------------------------------------------------------------------------------------------------

BAD = [
    (["--once", "--count", "2"], "--once is --count 1"),
    (["--count", "0"], "--count 0 is out of range: give a whole number from 1 on."),
    (["--count", "-1"], "--count -1 is out of range"),
    (["--count", "x"], "'x' is not a whole number"),
    (["--for", "0"], "--for 0 is out of range"),
    (["--for", "nan"], "--for nan is out of range"),
    (["--for", "inf"], "--for inf is out of range"),
    (["--for", "soon"], "'soon' is not a number"),
    (["--timeout", "0"], "--timeout 0 is out of range: give more than 0 and at most 86400 seconds."),
    (["--timeout", "1e9"], "--timeout 1e+09 is out of range"),
    (["--bodies"], "--bodies needs a place to keep them: give --save FILE, or --format jsonl."),
    (["--base-path", "http://127.0.0.1:8045/v1"], "is no path: give what stands behind the port, such as /v1."),
    (["--base-path", "/v1?x=1"], "'/v1?x=1' is no path"),
    (["--base-path", "/v1#x"], "'/v1#x' is no path"),
    (["--base-path", "/v 1"], "'/v 1' is no path"),
    (["--base-path", "/vé"], "'/vé' is no path"),
    (["--base-path", "/\x1b[31m"], "'/\\x1b[31m' is no path"),
    (["--listen", "x"], "'x' is not a port"),
    (["--listen", "99999"], "'99999' is not a port"),
    (["--listen", ""], "'' is not a port"),
    (["--host", ""], "--host '' is no host name"),
    (["--port", "x"], "'x' is not a port"),
    (["--url", "x y"], "has a space"),
    (["--url", "http://127.0.0.1:1", "--port", "2"], "--url already holds the port: give either --url or --port."),
    (["--client", "nobody"], "There is no client 'nobody'"),
    (["--proxy-version", "banana"], "'banana' is not a proxy version"),
    (["--format", "xml"], "There is no format 'xml': give one of terminal, jsonl, json."),
    *(
        (["--replay", "x", *each], "--replay only shows what was saved: leave out whatever records")
        for each in (
            ["--save", "y"], ["--stand-in"], ["--once"], ["--count", "1"], ["--for", "1"], ["--", "ls"], ["--rewrite"],
            ["--bodies"], ["--base-path", ""], ["--listen", "1"], ["--port", "1"], ["--url", "http://h"],
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize(("argv", "said"), BAD, ids=[" ".join(argv) for argv, _ in BAD])
def test_what_makes_no_sense_is_refused_in_one_sentence(argv: list[str], said: str) -> None:
    result = run("trace", *argv)
    assert result.code == 2
    assert result.out == ""
    assert said in result.err
    assert result.err.startswith("agdoctor: ")
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("host", ["192.0.2.1", "no such", "http://127.0.0.1", "x" * 70])
def test_a_host_that_is_not_here_is_refused(host: str) -> None:
    result = run("trace", "--stand-in", "--host", host)
    assert result.code == 2
    assert result.out == ""
    assert result.err.splitlines()[-1].endswith((" Leave out --listen and --host.", "is no host name: leave it out."))
    assert "('" not in result.err


def test_a_port_that_is_taken_is_refused_and_a_free_one_offered() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("trace", "--stand-in", "--listen", str(port))
    assert result.code == 2
    assert result.out == ""
    found = re.fullmatch(
        rf"agdoctor: Cannot listen on 127\.0\.0\.1 port {port}: it is already in use\. Port (\d+) is free: "
        r"--listen (\d+)\n",
        result.err,
    )
    assert found
    assert found[1] == found[2]
    with socket.create_server(("127.0.0.1", int(found[1]))):
        pass


def test_without_listen_a_taken_port_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr("antigravity_doctor.cli.trace.USUAL_PORT", port)
        result = run("trace", "--stand-in", "--for", "0.05")
        assert result.code == 1
        assert re.search(r"Recording on http://127\.0\.0\.1:\d+", result.out)
        assert f":{port} " not in result.out
    result = run("trace", "--stand-in", "--for", "0.05")
    assert f"Recording on http://127.0.0.1:{port} " in result.out


def test_any_port_can_be_asked_for() -> None:
    assert "Recording on http://127.0.0.1:" in run("trace", "--stand-in", "--listen", "0", "--for", "0.05").out


# --- for programs ----------------------------------------------------------------------------------------------------


def test_jsonl_is_one_object_a_line_and_nothing_else_on_stdout() -> None:
    seen = traced("--stand-in", "--format", "jsonl", requests=[WRONG, RIGHT])
    found = lines_of(seen.out)
    assert [each["verdict"] for each in found] == ["misrouted", "routed"]
    for each in found:
        assert not list(validator("trace-request").iter_errors(each))
    assert found[0]["needs"]["base_url"] == "http://127.0.0.1:8045"
    assert "Recording on http://127.0.0.1:" in seen.err
    assert "2 requests" in seen.err


@pytest.mark.parametrize("more", [["--json"], ["--format", "json"]])
def test_json_is_one_document_and_nothing_else_on_stdout(more: list[str]) -> None:
    seen = traced("--stand-in", *more, requests=[WRONG, RIGHT])
    document = json.loads(seen.out)
    assert_valid(document)
    assert [each["path"] for each in document["requests"]] == ["/v1/v1/messages", "/v1/messages"]
    assert document["summary"] == {"requests": 2, "landed": 1, "missed": 1, "harmless": 0}
    assert document["exit_code"] == seen.code == 1
    assert "Recording on" in seen.err


def test_jsonl_comes_while_it_runs() -> None:
    with tracing("--stand-in", "--format", "jsonl") as (child, port):
        send(port, RIGHT)
        assert child.stdout is not None
        assert json.loads(child.stdout.readline())["verdict"] == "routed"
        assert child.poll() is None


def test_the_document_holds_so_many_requests_and_counts_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("antigravity_doctor.cli.trace.KEPT", 2)
    document = json.loads(traced("--stand-in", "--json", requests=[RIGHT] * 4).out)
    assert len(document["requests"]) == 2
    assert document["summary"]["requests"] == 4


# --- --save and --replay ---------------------------------------------------------------------------------------------


def test_what_was_saved_is_shown_again(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    seen = traced("--stand-in", "--save", str(file), requests=[WRONG, RIGHT])
    again = run("trace", "--replay", str(file))
    assert again.code == seen.code == 1
    assert again.out.strip() in seen.out
    assert again.err == ""
    assert run("trace", "--replay", "-", stdin=file.read_bytes()).out == again.out


def test_what_was_saved_says_the_same_to_a_program(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    seen = traced("--stand-in", "--save", str(file), "--format", "jsonl", requests=[WRONG, RIGHT])
    assert file.read_text(encoding="utf-8") == seen.out
    assert run("trace", "--replay", str(file), "--format", "jsonl").out == seen.out
    document = json.loads(run("trace", "--replay", str(file), "--json").out)
    assert document["requests"] == lines_of(seen.out)


def test_a_trace_is_saved_while_it_runs(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    with tracing("--stand-in", "--save", str(file)) as (_, port):
        send(port, RIGHT)
        end = time.monotonic() + 5
        while not file.read_bytes().endswith(b"\n") and time.monotonic() < end:
            time.sleep(0.01)
        assert len(lines_of(file.read_text(encoding="utf-8"))) == 1


@posix
def test_a_saved_trace_is_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    traced("--stand-in", "--save", str(file), requests=[RIGHT])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_an_older_trace_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    for requests in ([WRONG, WRONG], [RIGHT]):
        traced("--stand-in", "--save", str(file), requests=requests)
    assert [each["path"] for each in lines_of(file.read_text(encoding="utf-8"))] == ["/v1/messages"]


@pytest.mark.parametrize("content", [b"my notes\n", b"{}\n", b"\x00\xff"])
def test_a_file_that_is_something_else_is_never_overwritten(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "notes"
    file.write_bytes(content)
    result = run("trace", "--stand-in", "--once", "--save", str(file))
    assert result.code == 2
    assert result.out == ""
    assert result.err.endswith("there is a file that is no saved trace: give another name.\n")
    assert file.read_bytes() == content


def test_an_empty_file_may_be_taken(tmp_path: Path) -> None:
    file = tmp_path / "new"
    file.touch()
    assert traced("--stand-in", "--save", str(file), requests=[RIGHT]).code == 0
    assert file.stat().st_size > 0


@pytest.mark.parametrize(("name", "why"), [("no/such/folder", "No such file or directory"), ("", "Is a directory")])
def test_a_place_that_cannot_be_written_is_said(name: str, why: str, tmp_path: Path) -> None:
    result = run("trace", "--stand-in", "--once", "--save", str(tmp_path / name))
    assert result.code == 2
    assert re.fullmatch(rf"agdoctor: --save '.*' cannot be written \({why}\)\.\n", result.err)


REPLAYS = [
    (b"", "The saved trace is empty: no request came while it was written."),
    (b"hello\n", "line 1: it is not JSON. Give a file that `agdoctor trace --save` has written."),
    (b"{}\n", "line 1: it is not a request that"),
    (b"\xff\xfe\x00", "cannot be read (it is not text)."),
    (b'{"command": "trace"}\n', "line 1: the field 'answer' is missing."),
]


@pytest.mark.parametrize(("content", "said"), REPLAYS, ids=[said for _, said in REPLAYS])
def test_a_file_that_is_no_trace_is_not_replayed(content: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(content)
    result = run("trace", "--replay", str(file))
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(("name", "why"), [("none", "No such file or directory"), ("", "Is a directory")])
def test_a_file_that_cannot_be_read_is_said(name: str, why: str, tmp_path: Path) -> None:
    result = run("trace", "--replay", str(tmp_path / name))
    assert result.code == 2
    assert re.fullmatch(rf"agdoctor: --replay '.*' cannot be read \({why}\)\.\n", result.err)


def test_a_saved_document_is_no_saved_trace(tmp_path: Path) -> None:
    """`--json` is for programs; `--save` and `--format jsonl` are what can be shown again."""
    file = tmp_path / "x"
    file.write_text(traced("--stand-in", "--json", requests=[RIGHT]).out, encoding="utf-8")
    assert run("trace", "--replay", str(file)).code == 2


def test_a_replay_can_be_judged_by_another_version_and_client() -> None:
    file = str(TRACES / "openai-python.jsonl")
    assert "LangChain" in run("trace", "--replay", file, "--client", "langchain-openai").out
    judged = json.loads(run("trace", "--replay", file, "--proxy-version", "4.0.0", "--json").out)
    assert judged["target"]["proxy_version"] == "4.0.0"


# --- keys and bodies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["terminal", "jsonl", "json"])
def test_keys_and_bodies_are_neither_shown_nor_kept(format_: str, tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    requests = [
        RIGHT,
        request("POST", "/v1/v1/messages", CLAUDE, f"Authorization: Bearer {KEY}", body=BODY),
        request("POST", f"/v1beta/models/gemini-2.5-pro:generateContent?key={KEY}", CLAUDE, body=BODY),
        request("POST", f"/v1/messages?api_key={KEY}", CLAUDE, f"X-Goog-Api-Key: {KEY}", body=BODY),
        request("POST", "/v1/messages", f"my-client/1 ({KEY})", f"X-Other: {KEY}", f"Cookie: s={KEY}", body=BODY),
        request("GET", f"/{KEY}/models", CLAUDE),
    ]
    seen = traced("--stand-in", "--save", str(file), "--format", format_, requests=requests)
    written = seen.all + file.read_text(encoding="utf-8")
    assert KEY not in written
    assert "SECRET" not in written
    if format_ == "jsonl":
        carriers = [each["key_header"] for each in lines_of(seen.out)]
        assert carriers[:4] == ["x-api-key", "authorization", "query", "x-goog-api-key"]


def test_bodies_are_kept_where_that_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    seen = traced("--stand-in", "--bodies", "--save", str(file), requests=[RIGHT])
    (found,) = lines_of(file.read_text(encoding="utf-8"))
    assert found["bodies"]["request"] == BODY.decode()
    assert "Hello from the stand-in." in found["bodies"]["answer"]
    assert "SECRET" not in seen.all
    assert not list(validator("trace-request").iter_errors(found))
    assert "SECRET" not in run("trace", "--replay", str(file)).all


@posix
def test_the_proxy_s_key_reaches_a_command_and_nothing_else(tmp_path: Path) -> None:
    seen = process(
        "--stand-in", "--client", "claude-code", "--save", str(tmp_path / "t.jsonl"), "--", "sh", "-c",
        'printf "%s" "$ANTHROPIC_API_KEY" > ' + str(tmp_path / "key"), env={"AGDOCTOR_API_KEY": KEY},
    )  # fmt: skip
    assert (tmp_path / "key").read_text() == KEY
    assert KEY not in seen.all


# --- -- COMMAND ------------------------------------------------------------------------------------------------------

CALL = (
    "import json, os, sys, urllib.request as u\n"
    "h = {{'User-Agent': '{agent}', 'Content-Type': 'application/json'}}\n"
    "r = u.Request(os.environ['{variable}'] + '{suffix}', b'{body}', h)\n"
    "try: print(u.urlopen(r).status)\n"
    "except u.HTTPError as e: print(e.code)\n"
    "sys.exit({code})\n"
)


def calling(suffix: str, variable: str = "ANTHROPIC_BASE_URL", code: int = 0) -> list[str]:
    """A command that asks the base URL of this variable for something."""
    body = BODY.decode()
    return [sys.executable, "-c", CALL.format(variable=variable, suffix=suffix, body=body, agent=CLAUDE, code=code)]


def printing(*names: str) -> list[str]:
    """A command that prints these variables."""
    return [sys.executable, "-c", f"import os\nfor n in {names!r}: print(n, os.environ.get(n))"]


@pytest.mark.parametrize("code", [0, 7])
def test_a_command_is_recorded_and_its_exit_code_is_ours(code: int) -> None:
    seen = process("--stand-in", "--client", "claude-code", "--", *calling("/v1/messages", code=code))
    assert seen.code == code
    assert seen.out == "200\n"
    assert "✓ 200  POST /v1/messages" in seen.err
    assert "with these variables set for Claude Code:" in " ".join(seen.err.split())


def test_a_command_s_output_is_not_part_of_a_document() -> None:
    seen = process("--stand-in", "--json", "--client", "claude-code", "--", *calling("/v1/v1/messages", code=3))
    document = json.loads(seen.out)
    assert_valid(document)
    assert (document["exit_code"], seen.code) == (1, 3)
    assert "404\n" in seen.err


def test_an_unknown_command_gets_the_variables_of_all_clients() -> None:
    names = ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL")
    seen = process("--stand-in", "--", *printing(*names))
    port = re.search(r"127\.0\.0\.1:(\d+)", seen.err)
    assert port
    here = f"http://127.0.0.1:{port[1]}"
    assert seen.out.splitlines() == [
        f"OPENAI_BASE_URL {here}/v1", f"ANTHROPIC_BASE_URL {here}", f"GOOGLE_GEMINI_BASE_URL {here}",
    ]  # fmt: skip


@posix
def test_a_program_is_known_by_its_name(tmp_path: Path) -> None:
    program = tmp_path / "claude"
    program.write_text('#!/bin/sh\nprintf \'%s|%s|%s\' "$ANTHROPIC_BASE_URL" "$OPENAI_BASE_URL" "$*"\n')
    program.chmod(0o755)
    seen = process("--stand-in", "--", "claude", "-p", "hi", env={"PATH": f"{tmp_path}:{ENVIRONMENT['PATH']}"})
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+\|\|-p hi", seen.out)
    assert "set for Claude Code:" in " ".join(seen.err.split())


@pytest.mark.parametrize(
    ("own", "path", "said"),
    [
        ("http://127.0.0.1:8045/v1", "/v1", "(your own path, from http://127.0.0.1:8045/v1)"),
        ("https://api.example.com/x", "", "(for this run in place of https://api.example.com/x)"),
    ],
)
def test_the_user_s_own_variable(own: str, path: str, said: str) -> None:
    command = printing("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY")
    own_settings = {"ANTHROPIC_BASE_URL": own, "ANTHROPIC_API_KEY": KEY}
    seen = process("--stand-in", "--client", "claude-code", "--", *command, env=own_settings)
    url, key = seen.out.splitlines()
    assert re.fullmatch(rf"ANTHROPIC_BASE_URL http://127\.0\.0\.1:\d+{path}", url)
    assert key == f"ANTHROPIC_API_KEY {KEY}"
    assert said in " ".join(seen.err.split())
    assert KEY not in seen.err


def test_a_key_in_the_user_s_own_variable_is_not_shown() -> None:
    own = {"ANTHROPIC_BASE_URL": f"https://user:{KEY}@h.example/v1?key={KEY}"}
    seen = process("--stand-in", "--client", "claude-code", "--", *printing("HOME"), env=own)
    assert KEY not in seen.all


def test_a_base_path_is_for_the_command_too() -> None:
    seen = process("--stand-in", "--client", "claude-code", "--base-path", "/v1", "--", *printing("ANTHROPIC_BASE_URL"))
    assert re.fullmatch(r"ANTHROPIC_BASE_URL http://127\.0\.0\.1:\d+/v1\n", seen.out)


@pytest.mark.parametrize("program", ["/nonexistent/program", "no-such-program-here", ""])
def test_a_program_that_is_not_there_is_said(program: str) -> None:
    result = run("trace", "--stand-in", "--listen", "0", "--", program)
    assert result.code == 2
    assert result.out == ""
    assert re.search(rf"agdoctor: '{program}' cannot be started \(.*\): give a program that is there\.\n$", result.err)


def test_a_client_that_only_reads_a_file_is_told_so() -> None:
    seen = process("--stand-in", "--client", "codex", "--", *printing("OPENAI_BASE_URL"))
    assert seen.out == "OPENAI_BASE_URL None\n"
    assert "config.toml" in seen.err


def test_a_command_that_makes_no_request_keeps_its_exit_code() -> None:
    seen = process("--stand-in", "--client", "claude-code", "--", *printing("HOME"))
    assert seen.code == 0
    assert "No request came to" in seen.err


@posix
def test_a_command_that_a_signal_ends() -> None:
    seen = process("--stand-in", "--client", "claude-code", "--", "sh", "-c", "kill -TERM $$")
    assert seen.code == 128 + signal.SIGTERM


@posix
def test_time_is_up_for_a_command_too() -> None:
    started = time.monotonic()
    seen = process("--stand-in", "--for", "0.2", "--", "sleep", "60")
    assert time.monotonic() - started < 30
    assert seen.code == 1  # the requests': none came


@posix
def test_when_we_are_ended_so_is_the_command() -> None:
    with tracing("--stand-in", "--", "sh", "-c", "echo $$; exec sleep 60") as (child, _):
        assert child.stdout is not None
        other = int(child.stdout.readline())
        child.terminate()
        child.wait(10)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            try:
                os.kill(other, 0)
            except ProcessLookupError:
                return
            time.sleep(0.02)
    raise AssertionError("the command still runs")


# --- terminals -------------------------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_live_table_that_is_interrupted_leaves_a_clean_terminal(how: signal.Signals) -> None:
    def during(port: int, child: subprocess.Popen[bytes]) -> None:
        for each in (WRONG, WRONG, RIGHT):
            send(port, each)
            time.sleep(0.5)  # each a painting of its own: those that come together are one row
        child.send_signal(how)

    code, written = on_terminal("--stand-in", during=during)
    assert code == 1
    assert written.count("\x1b[?25h") >= written.count("\x1b[?25l") == 1
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")
    assert "Traceback" not in written
    lines = screen(written)
    rows = [line for line in lines if re.match(r"  \d\d:\d\d:\d\d  ", line)]
    assert [re.sub(r"  +", " ", row[12:]).split(" AGD")[0] for row in rows] == [
        "✗ 404 POST /v1/v1/messages", "✗ 404 POST /v1/v1/messages", "✓ 200 POST /v1/messages Anthropic",
    ]  # fmt: skip
    assert sum("3 requests: 1 to a route of the proxy, 2 to no route." in line for line in lines) == 1
    assert sum("✓ The base URL is right" in line for line in lines) == 1


@posix
def test_no_row_is_lost_when_many_come_at_once() -> None:
    def during(port: int, child: subprocess.Popen[bytes]) -> None:
        for number in range(30):
            send(port, request("GET", f"/nowhere/{number}"))
            time.sleep(0.02 if number % 7 else 0.25)
        child.send_signal(signal.SIGINT)

    _, written = on_terminal("--stand-in", during=during)
    shown = [int(found[1]) for line in screen(written) if (found := re.search(r"GET /nowhere/(\d+)", line))]
    assert sorted(set(shown)) == list(range(30))


@posix
def test_ctrl_c_ends_at_once_while_a_request_hangs() -> None:
    silent = socket.create_server(("127.0.0.1", 0))

    def during(port: int, child: subprocess.Popen[bytes]) -> None:
        peer = None
        while peer is None:
            with contextlib.suppress(ConnectionRefusedError):
                peer = socket.create_connection(("127.0.0.1", port))
        peer.sendall(RIGHT)
        time.sleep(1.2)
        started = time.monotonic()
        child.send_signal(signal.SIGINT)
        child.wait(10)
        assert time.monotonic() - started < 2
        peer.close()

    with silent:
        code, written = on_terminal("--url", f"http://127.0.0.1:{silent.getsockname()[1]}", during=during)
    assert code in (0, 1)
    assert "POST /v1/messages" in written
    assert "under way for" in written
    assert "under way for" not in "".join(screen(written)[-8:])
    assert written.count("\x1b[?25h") >= 1


@posix
def test_a_command_has_the_terminal_to_itself() -> None:
    script = "import sys; print('\\x1b[7mMINE\\x1b[0m', sys.stdin.isatty(), sys.stdout.isatty())"
    code, written = on_terminal(
        "--stand-in", "--", sys.executable, "-c", script, during=lambda _, child: child.wait(20)
    )
    assert code == 0
    assert "\x1b[7mMINE\x1b[0m True True\r\n" in written
    assert "\x1b[?25l" not in written  # no live table beside it


@posix
@pytest.mark.parametrize("format_", ["terminal", "jsonl"])
def test_a_reader_that_goes_away_ends_it_quietly(format_: str) -> None:
    with tracing("--stand-in", "--format", format_) as (child, port):
        send(port, RIGHT)
        assert child.stdout is not None
        assert child.stdout.readline()
        child.stdout.close()
        with contextlib.suppress(OSError):
            for _ in range(5):
                send(port, RIGHT, patience=0.5)
        assert child.stderr is not None
        said = child.stderr.read().decode()
        child.wait(10)
    assert "Traceback" not in said
    assert "Broken" not in said
    assert child.returncode in (0, 1, 141)


@pytest.mark.parametrize("tty", [False, True])
@pytest.mark.parametrize("columns", ["40", "80", "120"])
def test_every_line_fits_the_terminal(columns: str, tty: bool) -> None:
    long = request("POST", "/v1/v1/" + "deep/" * 30 + "messages?x=1", "some-agent/1.0 " + "x" * 200)
    seen = traced("--stand-in", requests=[WRONG, long], env={"COLUMNS": columns}, tty=tty)
    shown = screen(seen.out.replace("\n", "\r\n"))
    # A URL or a path is never broken: it could not be copied any more.
    assert max(len(line) for line in shown if "/" not in line) <= int(columns)


@pytest.mark.parametrize(
    ("tty", "environment", "coloured"),
    [(True, {}, True), (False, {}, False), (True, {"NO_COLOR": "1"}, False), (True, {"TERM": "dumb"}, False)],
)
def test_colour(tty: bool, environment: dict[str, str], coloured: bool) -> None:
    seen = traced("--stand-in", requests=[WRONG], tty=tty, env=environment)
    assert bool(re.search(r"\x1b\[[\d;]*m", seen.out)) is coloured


@pytest.mark.parametrize("tty", [False, True])
def test_ascii_is_enough(tty: bool) -> None:
    for environment, encoding in (({"AGDOCTOR_ASCII": "1"}, "utf-8"), ({}, "ascii")):
        seen = traced("--stand-in", requests=[WRONG, RIGHT], tty=tty, env=environment, encoding=encoding)
        assert seen.out.isascii()
        plain = re.sub(r"\x1b\[[\d;]*m", "", seen.out)
        assert "x 404" in plain
        assert "v 200" in plain


# --- hostile clients -------------------------------------------------------------------------------------------------

HOSTILE = [
    request("POST", b"/v1/v1/\x1b[31mred\x1b[0m/messages"),
    request("POST", "/v1/v1/messages?\u202eevil\u202c=\x9b31m"),
    request("POST", "/v1/v1/[bold]markup[/]/messages"),
    request("POST", "/v1/v1/messages", "\x1b]0;title\x07 [red]\u202e"),
    request("POST", "/v1/v1/messages", b"\xff\xfe\x1b[2J"),
    request("POST", "/v1/v1/messages", CLAUDE, "X-\x1b[31m: 1"),
    request("POST", "/v1/v1/messages", CLAUDE, b"X-Weird: \xff\x1b[2J\x07"),
    request("B\x1bEW", "/v1/messages"),
    request("GET", "http://evil.example/\x1b[31m"),
    request("CONNECT", "evil.example:443"),
    request("GET", "/" + "x" * 9000),
    request("GET", b"/\xff\xfe\x00\x01"),
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x00\x1b[31m\r\n\r\n",
    b"GET /v1/models HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 2000 + b"\r\n",
]


@pytest.mark.parametrize("format_", ["terminal", "live", "jsonl"])
def test_no_client_can_write_to_the_terminal_or_stop_it(format_: str, tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    live = format_ == "live"
    shown_as = [] if live else ["--format", format_]
    requests = [*HOSTILE, RIGHT]
    # What is no request at all may be one that nobody counts: the right one comes last, and then the time is up.
    seen = traced("--stand-in", "--save", str(file), "--for", "1", *shown_as, requests=requests, tty=live)
    if live:
        screen(seen.out.replace("\n", "\r\n"))  # knows no escape but those of a table
    else:
        assert_tame(Result(seen.code, seen.out, seen.err))
    assert seen.answers[-1].startswith(b"HTTP/1.1 200 ")
    assert "[bold]markup[/]" in seen.out
    saved = file.read_text(encoding="utf-8")
    assert saved.isascii()
    for each in lines_of(saved):
        assert not list(validator("trace-request").iter_errors(each))
    again = run("trace", "--replay", str(file), env={"FORCE_COLOR": "1"})
    assert_tame(Result(again.code, _without_colours(again.out), again.err))


@pytest.mark.parametrize("nasty", NASTY, ids=ascii)
def test_a_saved_file_cannot_write_to_the_terminal(nasty: str) -> None:
    good = json.loads((TRACES / "claude-code.jsonl").read_text(encoding="utf-8").splitlines()[1])
    texts = ("path", "query", "method", "user_agent", "key_header", "forwarded_path", "note", "failure", "outcome")
    for name in texts:
        line = json.dumps({**good, name: "/" + nasty if name == "path" else nasty})
        result = run("trace", "--replay", "-", stdin=line.encode())
        assert_tame(result)
        assert result.code in (0, 1, 2)
    whole = {
        **good,
        "target": {"origin": "http://h/" + nasty, "proxy_version": nasty},
        "recorder": {"url": "http://h/" + nasty, "base_url": nasty},
        "answer": {"content_type": nasty, "kind": nasty},
        "headers": [nasty],
        "at": nasty,
    }
    for name, value in whole.items():
        assert_tame(run("trace", "--replay", "-", stdin=json.dumps({**good, name: value}).encode()))


def test_seen_is_what_the_helpers_give() -> None:
    """The two ways of running it say the same."""
    inside = traced("--stand-in", requests=[WRONG], env={"COLUMNS": "100"})
    outside = process("--stand-in", "--count", "1", requests=[WRONG])

    def without_what_differs(seen: Seen) -> str:
        return re.sub(r"127\.0\.0\.1:\d+|\d\d:\d\d:\d\d", "", seen.out)

    assert without_what_differs(inside) == without_what_differs(outside)


# --- what a trial by a new user found -------------------------------------------------------------------------------


def test_a_recorder_in_front_of_itself_is_refused() -> None:
    port = str(free_port())
    seen = run("trace", "--port", port, "--listen", port, "--for", "1")
    assert (seen.code, "is the proxy's own port" in seen.err) == (2, True)


def test_a_forgotten_double_dash_is_pointed_out() -> None:
    seen = run("trace", "claude", "-p", "hi")
    assert seen.code == 2
    assert "Put -- before the command: agdoctor trace -- claude" in seen.err


def test_a_base_url_that_trace_has_set_itself_says_nothing_of_the_users_own() -> None:
    program = "import os, urllib.request as r; r.urlopen(os.environ['OPENAI_BASE_URL'] + '/models').read()"
    seen = run("trace", "--stand-in", "--", sys.executable, "-c", program, env=dict(os.environ))
    assert "It lands with the base URL that was set for this run." in " ".join(seen.err.split())
    assert "The base URL is right" not in seen.err


def test_no_key_is_made_up_in_front_of_a_real_proxy() -> None:
    program = "import os, sys; sys.exit(7 if 'OPENAI_API_KEY' in os.environ else 0)"
    environment = {key: value for key, value in os.environ.items() if not key.endswith("_KEY")}
    with run_in_thread() as proxy:
        assert run("trace", "--url", proxy.url, "--", sys.executable, "-c", program, env=environment).code == 0
    given = run("trace", "--stand-in", "--", sys.executable, "-c", program, env=environment)
    assert given.code == 7
    assert "and a key, since none was set: OPENAI_API_KEY" in " ".join(given.err.split())


def test_a_path_that_nothing_has_answered_is_not_proved() -> None:
    seen = traced("--port", str(free_port()), requests=[RIGHT])
    assert "nothing has answered, so that is not proved" in " ".join(seen.out.split())
    assert "AGD101" in seen.out
    assert "The base URL is right" not in seen.out


def test_a_wrong_path_stays_named_where_nothing_answers() -> None:
    seen = traced("--port", str(free_port()), requests=[WRONG])
    assert "✗ AGD301" in seen.out
    assert "! AGD101" in seen.out
