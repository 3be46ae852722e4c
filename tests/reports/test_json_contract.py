"""The JSON contract, version 1: every promised field, with its type, in every situation (docs/schemas, DESIGN §6)."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from antigravity_doctor.diagnosis.model import Status, Verdict
from antigravity_doctor.diagnosis.proxy_model import ServerConfig
from antigravity_doctor.diagnosis.recording import Outcome
from antigravity_doctor.knowledge.clients import all_clients
from antigravity_doctor.knowledge.texts import all_codes
from antigravity_doctor.reports.json_v1 import check_document, dump
from antigravity_doctor.servers.stand_in import run_in_thread
from tests.support.cli import run
from tests.support.hostile import hostile
from tests.support.reports import WILD, wild_report
from tests.support.schemas import FOLDER, assert_valid, validator

COMMANDS = ("explain-path", "recommend", "simulate", "check", "trace", "logs", "explain", "routes", "clients")
TRACES = FOLDER.parents[1] / "tests" / "data" / "traces"
LOGS = FOLDER.parents[1] / "tests" / "data" / "logs"

PROMISED: dict[str, list[str]] = {
    "explain-path": [
        "schema_version", "command", "target.origin", "target.proxy_version",
        *(f"results[].{each}" for each in (
            "input", "method", "path", "query", "verdict", "route.path", "route.methods", "route.protocol",
            "findings[].code", "findings[].name", "findings[].severity", "findings[].confidence", "findings[].summary",
            "fixes[].base_url", "fixes[].confidence", "fixes[].appends", "fixes[].configured_base_url",
            "fixes[].resulting_path", "fixes[].route", "fixes[].clients", "fixes[].note",
        )),
    ],
    "recommend": [
        "schema_version", "command", "client.id", "client.name",
        *(f"recommendations[].{each}" for each in (
            "mode", "protocol", "preferred", "base_url", "settings[].kind", "settings[].name", "settings[].value",
            "settings[].where", "requests[].method", "requests[].path", "requests[].route", "provenance.kind",
            "provenance.version", "provenance.date", "provenance.source", "warnings",
        )),
    ],
    "simulate": [
        "schema_version", "command", "client", "base_url",
        *(f"modes[].{each}" for each in (
            "mode", "requests[].method", "requests[].path", "requests[].verdict", "requests[].route", "works", "fixes",
        )),
    ],
    "check": [
        "schema_version", "command", "target.url", "target.proxy_version", "target.served_by", "target.auth",
        "stages[].id",
        *(f"stages[].checks[].{each}" for each in (
            "id", "title", "status", "because", "summary", "findings", "requests[].method", "requests[].url",
            "requests[].status", "requests[].elapsed_ms", "requests[].curl", "requests[].powershell",
        )),
        *(f"findings[].{each}" for each in ("code", "name", "severity", "confidence", "summary", "fixes", "docs")),
        "summary.pass", "summary.warn", "summary.fail", "summary.skipped", "summary.inconclusive", "exit_code",
    ],
    "trace": [
        "schema_version", "command", "target.origin", "target.proxy_version", "recorder.url", "recorder.base_url",
        "requests",
        *(f"clients[].{each}" for each in (
            "user_agent", "client.id", "client.version", "client.mode", "client.confidence", "client.because",
            "client.rivals", "appends[].method", "appends[].suffix", "configured_base_url", "configured_exact", "works",
            "distinct_requests", "fixes[].base_url", "unserved[].path", "by_protocol[].protocol", "by_protocol[].fixes",
        )),
        "findings[].code", "summary.requests", "summary.landed", "summary.missed", "summary.harmless", "exit_code",
    ],
    "logs": [
        "schema_version", "command", "target.origin", "target.proxy_version", "folder", "first", "last",
        *(f"files[].{each}" for each in (
            "name", "format", "lines", "requests", "first", "last", "problem", "unread_lines",
        )),
        "not_read[].name", "not_read[].why",
        *(f"{kind}[].{each}" for kind in ("wrong", "failed") for each in (
            "code", "severity", "count", "first", "last", "client.id", "findings[].code", "fixes[].base_url",
            "distinct_requests", "requests[].method", "requests[].path", "requests[].count", "requests[].variants",
            "requests[].statuses[].status", "requests[].statuses[].count", "requests[].first", "requests[].last",
            "requests[].user_agents[].user_agent", "requests[].seen_in",
        )),
        *(f"{kind}.{each}" for kind in ("right", "harmless", "answered", "foreign") for each in (
            "count", "distinct_requests", "requests[].path",
        )),
        "others", "not_http.count", "not_http.tls", "not_shown[].id", "not_shown[].text", "summary.requests",
        "summary.errors", "exit_code",
    ],
    "logs-request": [
        "schema_version", "command", "target.origin", "at", "source", "seen_in", "input", "method", "path", "query",
        "verdict", "route.path", "findings[].code", "fixes[].base_url", "status", "user_agent",
    ],
    "trace-request": [
        "schema_version", "command", "target.origin", "recorder.base_url", "number", "at", "input", "method", "path",
        "query", "verdict", "route.path", "findings[].code", "fixes[].base_url", "status", "outcome", "failure", "note",
        "websocket", "forwarded_path", "key_header", "user_agent", "headers", "answer.content_type", "answer.kind",
        "first_byte_ms", "total_ms", "request_bytes", "answer_bytes", "client.id", "configured_base_url",
        "needs.base_url",
    ],
}  # fmt: skip
"""The fields that DESIGN §6 names. `[]` stands for each element of a list."""


def document_of(*argv: str, stdin: bytes = b"") -> dict[str, Any]:
    """The JSON document that a command prints, valid by its schema."""
    result = run(*argv, "--json", stdin=stdin)
    document: dict[str, Any] = json.loads(result.out)
    assert document["command"] == argv[0]
    assert document["schema_version"] == 1
    assert_valid(document)
    return document


# --- the schemas -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [*COMMANDS, "trace-request", "logs-request"])
def test_the_schema_is_one(command: str) -> None:
    schema = json.loads((FOLDER / f"{command}.schema.json").read_text(encoding="utf-8"))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(("command", "field"), [(command, each) for command in PROMISED for each in PROMISED[command]])
def test_a_promised_field_is_required_by_the_schema(command: str, field: str) -> None:
    root = json.loads((FOLDER / f"{command}.schema.json").read_text(encoding="utf-8"))
    nodes = [root]
    for part in field.split("."):
        name = part.removesuffix("[]")
        owners = [each for node in nodes for each in _objects(node, root) if name in each.get("properties", {})]
        assert owners, f"{name} is not described"
        required = any(name in each.get("required", ()) for each in owners)
        assert required or _in_a_choice(owners, name), f"{name} is not required"
        nodes = [each["properties"][name] for each in owners]
        if part.endswith("[]"):
            nodes = [each["items"] for node in nodes for each in _objects(node, root)]


def _objects(node: dict[str, Any], root: dict[str, Any]) -> list[dict[str, Any]]:
    """The schema with its references and its parts looked up."""
    if "$ref" in node:
        return _objects(root["$defs"][node["$ref"].rpartition("/")[2]], root)
    parts = [*node.get("anyOf", ()), *node.get("allOf", ())]
    return [node, *(each for part in parts for each in _objects(part, root))]


def _in_a_choice(owners: list[dict[str, Any]], name: str) -> bool:
    return any(name in choice.get("required", ()) for owner in owners for choice in owner.get("oneOf", ()))


@pytest.mark.parametrize("command", [*COMMANDS, "trace-request", "logs-request"])
def test_fields_may_be_added(command: str) -> None:
    text = (FOLDER / f"{command}.schema.json").read_text(encoding="utf-8")
    assert "additionalProperties" not in text


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        ("explain-path", ["explain-path", "/v1/v1/messages"]),
        ("recommend", ["recommend", "--client", "cline"]),
        ("simulate", ["simulate", "--client", "cline", "--base-url", "http://127.0.0.1:8045"]),
        ("check", ["check", "--port", "1"]),
        ("trace", ["trace", "--replay", str(TRACES / "claude-code.jsonl")]),
        ("logs", ["logs", str(LOGS / "access.log")]),
    ],
)
def test_a_document_without_a_promised_field_is_invalid(command: str, argv: list[str]) -> None:
    document = document_of(*argv)
    for field in PROMISED[command]:
        top = field.partition(".")[0].removesuffix("[]")
        poorer = {name: value for name, value in document.items() if name != top}
        assert not validator(command).is_valid({**poorer, "command": command} if top != "command" else poorer)


def test_the_schema_knows_every_verdict_and_status() -> None:
    explain_path = json.loads((FOLDER / "explain-path.schema.json").read_text(encoding="utf-8"))
    check = json.loads((FOLDER / "check.schema.json").read_text(encoding="utf-8"))
    one_check = check["properties"]["stages"]["items"]["properties"]["checks"]["items"]
    assert explain_path["$defs"]["verdict"]["enum"] == list(get_args(Verdict))
    request = json.loads((FOLDER / "trace-request.schema.json").read_text(encoding="utf-8"))
    assert request["$defs"]["verdict"] == explain_path["$defs"]["verdict"]
    assert request["properties"]["outcome"]["enum"] == list(get_args(Outcome))
    assert one_check["properties"]["status"]["enum"] == list(get_args(Status))


# --- explain-path ----------------------------------------------------------------------------------------------------

EXPLAINED = [
    ["/v1/chat/completions"],
    ["/v1/v1/chat/completions"],
    ["/v1/chat/completions/responses"],
    ["/chat/completions", "--status", "404"],
    ["/v1/models/gemini-2.5-pro:generateContent"],
    ["/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"],
    ["/api/chat"],
    ["/v1beta1/projects/p/locations/l/publishers/google/models/gemini-2.5-pro:generateContent"],
    ["//v1//messages/"],
    ["/v1/embeddings"],
    ["/no/such/thing"],
    ["GET /v1/chat/completions 405"],
    ["POST http://127.0.0.1:9999/v1/v1/messages?key=abc 404"],
    ["POST https://api.openai.com/v1/chat/completions 401"],
    ["/v1/messages", "--status", "404", "--body", '{"error":{"message":"model: nope"}}'],
    ["/healthz", "--proxy-version", "4.0.3"],
    ["/v1/v1/messages", "--client", "claude-code", "--base-url", "http://127.0.0.1:8045/v1"],
    ["/v1/v1/messages", "--url", "https://proxy.example"],
    ["nothing here", "/favicon.ico", "/"],
]


@pytest.mark.parametrize("argv", EXPLAINED, ids=" ".join)
def test_explain_path(argv: list[str]) -> None:
    document_of("explain-path", *argv)


def test_the_example_of_the_design() -> None:
    document = document_of("explain-path", "/v1/v1/chat/completions")
    assert document["target"] == {"origin": "http://127.0.0.1:8045", "proxy_version": None}
    (result,) = document["results"]
    assert result["input"] == result["path"] == "/v1/v1/chat/completions"
    assert result["verdict"] == "misrouted"
    assert result["route"] == {"path": "/v1/chat/completions", "methods": ["POST"], "protocol": "openai"}
    finding = result["findings"][0]
    assert (finding["code"], finding["name"], finding["severity"]) == ("AGD301", "duplicate-version-prefix", "error")
    best = result["fixes"][0]
    assert best["base_url"] == "http://127.0.0.1:8045"
    assert best["configured_base_url"] == "http://127.0.0.1:8045/v1"
    assert best["appends"] == best["resulting_path"] == best["route"] == "/v1/chat/completions"


def test_the_given_version_is_the_target_s() -> None:
    document = document_of("explain-path", "/v1/messages", "--proxy-version", "v4.1.0")
    assert document["target"]["proxy_version"] in ("4.1.0", "v4.1.0")


def test_fixes_come_best_first() -> None:
    for argv in EXPLAINED:
        for result in document_of("explain-path", *argv)["results"]:
            confidences = [each["confidence"] for each in result["fixes"]]
            assert confidences == sorted(confidences, reverse=True)


def test_many_results_are_one_document() -> None:
    content = "".join(f"POST /v1/v1/messages/{number} 404\n" for number in range(300)).encode()
    document = document_of("explain-path", "-", stdin=content)
    assert len(document["results"]) == 300


# --- trace -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["claude-code", "claude-code-wrong", "openai-python", "gemini-cli"])
def test_trace(name: str) -> None:
    document = document_of("trace", "--replay", str(TRACES / f"{name}.jsonl"))
    for one in document["requests"]:
        assert not list(validator("trace-request").iter_errors(one))
        assert (one["target"], one["recorder"]) == (document["target"], document["recorder"])
    assert document["summary"]["requests"] == len(document["requests"])


def test_a_request_of_trace_says_what_explain_path_says() -> None:
    """The same path in both: the fields that they share hold the same."""
    (request,) = document_of("trace", "--replay", str(TRACES / "gemini-cli.jsonl"))["requests"]
    (result,) = document_of("explain-path", f"POST {request['path']}?{request['query']} 404")["results"]
    same = ("method", "path", "query", "verdict", "route")
    assert {name: request[name] for name in same} == {name: result[name] for name in same}
    assert request["findings"][0]["code"] == result["findings"][0]["code"]
    assert request["fixes"][0]["base_url"] == result["fixes"][0]["base_url"]
    assert set(result) <= set(request)


def test_a_request_without_a_promised_field_is_invalid() -> None:
    (request,) = document_of("trace", "--replay", str(TRACES / "gemini-cli.jsonl"))["requests"]
    for field in {each.partition(".")[0].removesuffix("[]") for each in PROMISED["trace-request"]}:
        assert not validator("trace-request").is_valid({name: request[name] for name in request if name != field})


# --- recommend, simulate ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("client", [each.id for each in all_clients()])
def test_recommend(client: str) -> None:
    document = document_of("recommend", "--client", client)
    assert document["client"]["id"] == client
    assert document["recommendations"]
    for each in document["recommendations"]:
        if each["works"]:
            assert each["base_url"].startswith("http://127.0.0.1:8045")
            assert all(request["route"] for request in each["requests"] if request["required"])
            assert each["settings"]
        else:
            assert each["findings"]


@pytest.mark.parametrize(
    "argv",
    [["--all"], ["--all", "--protocol", "gemini"], ["--all", "--url", "https://proxy.example"],
     ["--all", "--proxy-version", "3.0.0"]],
    ids=" ".join,
)  # fmt: skip
def test_recommend_all(argv: list[str]) -> None:
    document = document_of("recommend", *argv)
    assert [each["client"]["id"] for each in document["clients"]] == [each.id for each in all_clients()]


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8045", "http://127.0.0.1:8045/v1", "https://host/a?b=c"])
@pytest.mark.parametrize("client", [each.id for each in all_clients()])
def test_simulate(client: str, base_url: str) -> None:
    document = document_of("simulate", "--client", client, "--base-url", base_url)
    assert document["base_url"] == base_url
    for mode in document["modes"]:
        needed = [each for each in mode["requests"] if each["required"]]
        assert mode["works"] == (all(each["verdict"] == "routed" for each in needed) and not mode["findings"])


# --- explain, routes, clients ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "argv",
    [
        ["explain", "AGD301"],
        ["explain", "--all"],
        ["routes"],
        ["routes", "--proxy-version", "3.0.0"],
        ["routes", "--protocol", "gemini"],
        ["routes", "--history"],
        ["clients"],
        ["clients", "kilo-code"],
    ],
    ids=" ".join,
)
def test_what_is_known(argv: list[str]) -> None:
    document_of(*argv)


def test_explain_all_holds_every_code() -> None:
    assert [each["code"] for each in document_of("explain", "--all")["codes"]] == [each.code for each in all_codes()]


# --- check -----------------------------------------------------------------------------------------------------------

CELLS = [
    ServerConfig(),
    ServerConfig(auth="strict"),
    ServerConfig(auth="all_except_health"),
    ServerConfig(web_ui=True),
    ServerConfig(web_ui=True, auth="strict"),
    ServerConfig(running=False),
    ServerConfig(web_ui=True, running=False),
    ServerConfig(ip_blocked=True),
    ServerConfig(auth="strict", api_key_empty=True),
    ServerConfig(mcp_on=True),
    ServerConfig(version="3.0.0"),
    ServerConfig(version="3.3.20", auth="strict"),
    ServerConfig(version="4.0.3", web_ui=True),
    ServerConfig(version="4.1.5", auth="strict"),
]


@pytest.mark.parametrize("config", CELLS, ids=lambda cell: f"{cell.version}-{cell.auth}-{cell.web_ui}-{cell.running}")
@pytest.mark.parametrize(
    "key", [[], ["--api-key", "sk-wrong"], ["--api-key", "sk-stand-in"]], ids=["no", "bad", "good"]
)
def test_check(config: ServerConfig, key: list[str]) -> None:
    with run_in_thread(config) as running:
        base_url = ["--client", "claude-code", "--base-url", running.url + "/v1"]
        document = document_of("check", "--url", running.url, *key, *base_url)
    _assert_consistent(document)
    assert document["target"]["url"] == running.url


@pytest.mark.parametrize("kind", ["refused", "close", "web-page", "ollama", "tls", "old-second-server", "garbage"])
def test_check_of_something_else(kind: str) -> None:
    with hostile(kind) as server:
        document = document_of("check", "--port", str(server.port), "--timeout", "0.5")
    _assert_consistent(document)
    assert document["exit_code"] == 3


def _assert_consistent(document: dict[str, Any]) -> None:
    assert [each["id"] for each in document["stages"]] == ["reach", "identity", "auth", "routes", "client"]
    checks = [check for stage in document["stages"] for check in stage["checks"]]
    assert len({check["id"] for check in checks}) == len(checks)
    for status, count in document["summary"].items():
        assert count == sum(check["status"] == status for check in checks)
    for check in checks:
        assert (check["because"] is not None) == (check["status"] in ("skipped", "inconclusive"))
        assert "<" not in check["summary"], "a fact is missing"
    found = {each["code"] for each in document["findings"]}
    assert found == {code for check in checks for code in check["findings"]}
    for each in document["findings"]:
        assert each["docs"].endswith(each["code"].lower())
        assert not each["fixes"] or each["fixes"][0]["base_url"].startswith(document["target"]["url"])
        assert "<" not in each["summary"] + each["fix"], "a fact is missing"


# --- hostile facts ---------------------------------------------------------------------------------------------------


def test_hostile_facts_stay_inside_their_strings() -> None:
    report = wild_report()
    text = dump(check_document(report, 1))
    assert text.isascii()
    document = json.loads(text)
    assert_valid(document)
    assert document["target"]["url"] == report.url
    assert document["stages"][0]["checks"][0]["requests"][0]["url"] == "http://h/" + WILD
