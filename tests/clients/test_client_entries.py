"""Every file in knowledge/clients keeps the format of docs/add-a-client.md, and what was measured is predicted.

A contributor who breaks a rule is told the file, the field and the rule. What a JSON Schema can say is said in
docs/schemas/client.schema.json; the rest (uniqueness over all files, regular expressions that compile, one sentence
a warning, measurements that agree) is said here.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from antigravity_doctor.diagnosis.joining import join
from antigravity_doctor.knowledge.clients import client_from_json, join_rules

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = sorted((ROOT / "antigravity_doctor" / "knowledge" / "clients").glob("*.json"))
SCHEMA = json.loads((ROOT / "docs" / "schemas" / "client.schema.json").read_text(encoding="utf-8"))
MEASURED = json.loads((ROOT / "tests" / "data" / "cli-measurements.json").read_text(encoding="utf-8"))

END_STEPS = {"append", "resolve", "whole"}
SNIPPET_PLACEHOLDERS = {"base_url", "key", "model"}
SDK_IGNORED = 4
"""An SDK's `ignored` are names that somebody might guess; more than these are noise in every answer."""


def load(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def by_id() -> dict[str, dict[str, Any]]:
    return {path.stem: load(path) for path in ENTRIES}


# --- the rules ------------------------------------------------------------------------------------------------------


def schema_problems(entry: dict[str, Any]) -> Iterator[str]:
    """Where the entry breaks the JSON Schema: `modes[1].requests[0].suffix: …`."""
    for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(entry):
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
        yield f"{place.lstrip('.') or 'the entry'}: {error.message[:200]}"


def rule_problems(entry: dict[str, Any], file_name: str) -> Iterator[str]:
    """Where an entry that fits the schema breaks a rule that a schema cannot say."""
    if entry["id"] + ".json" != file_name:
        yield f"id: {entry['id']!r} is not the file's name {file_name!r}"
    ids = [mode["id"] for mode in entry["modes"]]
    for each in sorted({each for each in ids if ids.count(each) > 1}):
        yield f"modes: the id {each!r} is there more than once"
    for index, mode in enumerate(entry["modes"]):
        if entry["kind"] == "sdk" and len(mode["ignored"]) > SDK_IGNORED:
            yield f"modes[{index}] ({mode['id']}): ignored: more than {SDK_IGNORED} names"
        for problem in mode_problems(mode):
            yield f"modes[{index}] ({mode['id']}): {problem}"


def mode_problems(mode: dict[str, Any]) -> Iterator[str]:
    yield from join_problems(mode["join"])
    sent = [(request["method"], request["suffix"]) for request in mode["requests"]]
    for method, suffix in sorted({each for each in sent if sent.count(each) > 1}):
        yield f"requests: {method} {suffix} is there more than once"
    lowest, below = mode["versions"]["from"], mode["versions"]["below"]
    if lowest and below and numbers(lowest) >= numbers(below):
        yield f"versions: from {lowest} is not below {below}"
    for number, warning in enumerate(mode["warnings"]):
        if re.search(r"[.!?]\s+[A-Z]", warning):
            yield f"warnings[{number}]: more than one sentence: {warning!r}"
    read = {(setting["kind"], setting["name"], setting["where"]) for setting in mode["settings"] if setting["where"]}
    read |= {(s["kind"], s["name"], None) for s in mode["settings"] if s["kind"] == "env"}
    for number, setting in enumerate(mode["ignored"]):
        if (setting["kind"], setting["name"], None) in read:
            yield f"ignored[{number}]: {setting['name']} is in settings too, so it cannot be ignored"
    if mode.get("reach") == "public" and not re.search(r"loopback.*https", " ".join(mode["warnings"][:1])):
        yield "warnings[0]: a client of reach public says first that a loopback address cannot work and https does"
    if mode["snippet"]:
        unknown = set(re.findall(r"\{([a-z_]+)\}", mode["snippet"]["text"])) - SNIPPET_PLACEHOLDERS
        if unknown:
            yield f"snippet: unknown placeholders {sorted(unknown)}, allowed are {sorted(SNIPPET_PLACEHOLDERS)}"
    provenance = mode["provenance"]
    if provenance["kind"] == "measured":
        named = re.search(r"tests/[\w./-]+\.\w+", provenance["source"])
        if named is None:
            yield f"provenance.source: no file of tests/ that measures it: {provenance['source']!r}"
        elif not (ROOT / named.group()).is_file():
            yield f"provenance.source: there is no file {named.group()}"


def join_problems(rule: str | list[Any]) -> Iterator[str]:
    if isinstance(rule, str):
        if rule not in join_rules():
            yield f"join: no rule {rule!r} in join-rules.json, which has {', '.join(sorted(join_rules()))}"
        return
    ends = [step for step in rule if isinstance(step, str) and step in END_STEPS]
    if len(ends) != 1:
        yield f"join: needs exactly one of append, resolve and whole, has {ends}"
    patterns = [
        value if isinstance(value, str) else value["pattern"]
        for step in rule
        if isinstance(step, dict)
        for name, value in step.items()
        if name != "drop-end"
    ]
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            yield f"join: {pattern!r} is not a regular expression: {error}"


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def problems(entry: dict[str, Any], file_name: str) -> list[str]:
    found = list(schema_problems(entry))
    return [f"{file_name}: {each}" for each in found or rule_problems(entry, file_name)]


# --- every entry keeps them -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ENTRIES, ids=lambda path: path.stem)
def test_an_entry_keeps_the_format(path: Path) -> None:
    assert problems(load(path), path.name) == []


@pytest.mark.parametrize("path", ENTRIES, ids=lambda path: path.stem)
def test_an_entry_loads(path: Path) -> None:
    entry = load(path)
    assert [mode.id for mode in client_from_json(entry).modes] == [mode["id"] for mode in entry["modes"]]


def owners(names: Callable[[dict[str, Any]], list[str]]) -> dict[str, set[str]]:
    """Name (case, spaces and punctuation do not count) -> the clients that have it."""
    found: dict[str, set[str]] = {}
    for client, entry in by_id().items():
        for name in names(entry):
            found.setdefault("".join(ch for ch in name.casefold() if ch.isalnum()), set()).add(client)
    return found


def test_no_two_clients_share_an_id_or_alias() -> None:
    shared = owners(lambda entry: [entry["id"], *entry["aliases"]])
    assert {name: clients for name, clients in shared.items() if len(clients) > 1} == {}


def test_no_two_clients_share_a_package() -> None:
    shared = owners(lambda entry: entry["packages"])
    assert {name: clients for name, clients in shared.items() if len(clients) > 1} == {}


def test_no_two_clients_are_started_by_one_program() -> None:
    shared = owners(lambda entry: entry.get("programs", []))
    assert {name: clients for name, clients in shared.items() if len(clients) > 1} == {}


def test_what_is_started_from_a_command_line_names_its_program() -> None:
    assert [client for client, entry in by_id().items() if entry["kind"] == "cli" and "programs" not in entry] == []


@pytest.mark.parametrize(
    "client",
    [
        "claude-code",
        "codex",
        "gemini-cli",
        "kilo-code",
        "kilo-cli",
        "opencode",
        "droid",
        "cherry-studio",
        "nextchat",
        "cline",
        "continue",
        "cursor",
    ],
)
def test_the_catalogue_has(client: str) -> None:
    assert client in by_id()


# --- a broken entry is told where it is broken ----------------------------------------------------------------------

Change = Callable[[dict[str, Any]], None]


def change(*place: str | int, to: Any) -> Change:
    def apply(entry: dict[str, Any]) -> None:
        target: Any = entry
        for part in place[:-1]:
            target = target[part]
        target[place[-1]] = to

    return apply


def drop(*place: str | int) -> Change:
    def apply(entry: dict[str, Any]) -> None:
        target: Any = entry
        for part in place[:-1]:
            target = target[part]
        del target[place[-1]]

    return apply


def names(count: int) -> list[dict[str, str]]:
    return [{"kind": "env", "name": f"NAME_{number}", "because": "not read"} for number in range(count)]


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (drop("modes", 0, "provenance"), "modes[0]: 'provenance' is a required property"),
        (drop("packages"), "the entry: 'packages' is a required property"),
        (change("programs", to=[]), "programs: "),
        (change("programs", to=["Claude.exe "]), "programs[0]: 'Claude.exe ' does not match"),
        (change("user_agents", to=["a/*b"]), "user_agents[0]: 'a/*b' does not match"),
        (change("user_agents", to=["a/ … "]), "user_agents[0]: 'a/ … ' does not match"),
        (change("kind", to="robot"), "kind: 'robot' is not one of"),
        (change("id", to="Claude Code"), "id: 'Claude Code' does not match"),
        (change("id", to="claude"), "id: 'claude' is not the file's name 'claude-code.json'"),
        (change("base_url", to="x"), "the entry: Additional properties are not allowed ('base_url' was unexpected)"),
        (change("modes", 0, "preferred", to=False), "modes: "),
        (change("modes", 0, "protocol", to="grpc"), "modes[0].protocol: 'grpc' is not one of"),
        (change("modes", 0, "join", to="glue"), "join: no rule 'glue' in join-rules.json"),
        (change("modes", 0, "join", to=["strip-slash"]), "join: needs exactly one of append, resolve and whole"),
        (change("modes", 0, "join", to=["melt", "append"]), "modes[0].join: "),
        (change("modes", 0, "join", to=[{"keep-if": "("}, "append"]), "join: '(' is not a regular expression"),
        (change("modes", 0, "requests", 0, "suffix", to="v1/messages"), "modes[0].requests[0].suffix: 'v1/messages'"),
        (change("modes", 0, "requests", 0, "suffix", to="/{name}"), "modes[0].requests[0].suffix: '/{name}'"),
        (change("modes", 0, "requests", 0, "method", to="FETCH"), "modes[0].requests[0].method: 'FETCH'"),
        (change("modes", 0, "requests", 0, "required", to=False), "modes[0].requests: "),
        (change("modes", 0, "versions", to={"from": "2.0", "below": "1.0"}), "versions: from 2.0 is not below 1.0"),
        (change("modes", 0, "settings", 0, "where", to=None), "modes[0].settings[0].where: None is not of type"),
        (change("modes", 0, "settings", to=[]), "modes[0].settings: "),
        (change("modes", 0, "ignored", 0, "name", to="ANTHROPIC_BASE_URL"), "ignored[0]: ANTHROPIC_BASE_URL is in"),
        (change("modes", 0, "warnings", to=["One. Two."]), "warnings[0]: more than one sentence"),
        (change("modes", 0, "warnings", to=["no full stop"]), "modes[0].warnings[0]: 'no full stop' does not match"),
        (change("modes", 0, "snippet", "text", to="{base_url} {port}"), "snippet: unknown placeholders ['port']"),
        (change("modes", 0, "snippet", "text", to="x"), "modes[0].snippet: "),
        (change("modes", 0, "reach", to="lan"), "modes[0].reach: 'lan' is not one of"),
        (change("modes", 0, "reach", to="public"), "warnings[0]: a client of reach public says first that"),
        (change("modes", 0, "prefer_base", to="v1"), "modes[0].prefer_base: 'v1' does not match"),
        (change("modes", 0, "warnings", to=[f"Warning {n}." for n in range(5)]), "modes[0].warnings: "),
        (change("modes", 0, "ignored", to=names(7)), "modes[0].ignored: "),
        (change("modes", 0, "provenance", "version", to=None), "modes[0].provenance.version: None is not of type"),
        (change("modes", 0, "provenance", "date", to="yesterday"), "modes[0].provenance.date: 'yesterday'"),
        (change("modes", 0, "provenance", "source", to="a friend"), "provenance.source: no file of tests/"),
        (change("modes", 0, "provenance", "source", to="tests/no.py"), "provenance.source: there is no file tests/no"),
    ],
)
def test_a_broken_entry_is_told_the_file_and_the_field(broken: Change, told: str) -> None:
    entry = copy.deepcopy(by_id()["claude-code"])
    broken(entry)
    found = problems(entry, "claude-code.json")
    assert any(each.startswith("claude-code.json: ") and told in each for each in found), found


def test_an_sdk_lists_no_more_ignored_names_than_help() -> None:
    entry = copy.deepcopy(by_id()["openai-python"])
    entry["modes"][0]["ignored"] = names(SDK_IGNORED)
    assert problems(entry, "openai-python.json") == []
    entry["modes"][0]["ignored"] = names(SDK_IGNORED + 1)
    assert problems(entry, "openai-python.json") == ["openai-python.json: modes[0] (chat): ignored: more than 4 names"]


@pytest.mark.parametrize("client", by_id())
def test_a_snippet_holds_the_value_of_every_setting_of_a_file_that_is_needed_as_well(client: str) -> None:
    """Who copies the snippet has nothing left to set: what `also` asks for in a file, the snippet sets."""
    for mode in by_id()[client]["modes"]:
        needed = [each["value"] for each in mode["also"] if each["kind"] == "file"] if mode["snippet"] else []
        assert [value for value in needed if value not in mode["snippet"]["text"]] == [], mode["id"]


def test_a_measured_run_with_another_api_version_has_a_mode_of_its_own() -> None:
    rows = [row for row in MEASURED if "GOOGLE_GENAI_API_VERSION=" in row["setting"]]
    assert [[mode["id"] for mode in modes_of(row)] for row in rows] == [["gemini-api-v1"]]


# --- what was measured is what the entry says -----------------------------------------------------------------------

ORIGIN = "http://127.0.0.1:8045"


def is_read(row: dict[str, Any]) -> bool:
    """Whether the client took the setting: anything reached the recorder at all."""
    return bool(row["requests"])


def describes(mode: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether this is the mode that was measured, in a version that it holds for.

    `openai-0.118` is a mode `openai`; `gemini-api-v1` is `gemini` with GOOGLE_GENAI_API_VERSION=v1.
    """
    lowest, below = mode["versions"]["from"], mode["versions"]["below"]
    api_version = re.search(r"\bGOOGLE_GENAI_API_VERSION=(\w+)", row["setting"])
    behind = re.escape(f"-api-{api_version[1]}") if api_version else r"(-\d[\d.]*)?"
    return (
        re.fullmatch(re.escape(row["mode"]) + behind, mode["id"]) is not None
        and (lowest is None or numbers(row["version"]) >= numbers(lowest))
        and (below is None or numbers(row["version"]) < numbers(below))
    )


def modes_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [mode for mode in by_id()[row["client"]]["modes"] if describes(mode, row)]


def fits(steps: list[Any], base_url: str, request: dict[str, Any], target: str) -> bool:
    """Whether this request of the entry is the one that was observed, whatever the model was called."""
    suffix = re.sub(r"\{(?:model|id|deployment)\}", "MODELNAME", request["suffix"])
    predicted = re.escape(join(steps, base_url, suffix).removeprefix(ORIGIN)).replace("MODELNAME", "[^/:?]+")
    return re.fullmatch(predicted, target) is not None


@pytest.mark.parametrize("client", sorted({row["client"] for row in MEASURED}))
def test_every_measured_request_is_predicted(client: str) -> None:
    unpredicted = []
    rows = [row for row in MEASURED if row["client"] == client and is_read(row) and modes_of(row)]
    assert rows, f"nothing measured of {client} is described by a mode of its entry"
    for row in rows:
        (mode,) = modes_of(row)
        rule = mode["join"]
        steps = join_rules()[rule]["steps"] if isinstance(rule, str) else rule
        base_url = ORIGIN + row["base_path"]
        base_itself = row["base_path"] or "/"
        for method, target, _ in row["requests"]:
            described = any(
                request["method"] == method and fits(steps, base_url, request, target) for request in mode["requests"]
            )
            is_extra = any(
                extra["method"] == method and extra["path"] in ("/", target) for extra in mode["extras"]
            ) and (target == base_itself or target.startswith("/api/"))
            if not (described or is_extra):
                unpredicted.append(f"{row['setting']} = …{row['base_path']}: {method} {target}")
    assert unpredicted == []


@pytest.mark.parametrize("client", sorted({row["client"] for row in MEASURED}))
def test_the_key_is_sent_where_the_entry_says(client: str) -> None:
    for row in MEASURED:
        if row["client"] != client or not modes_of(row) or "AUTH_TOKEN" in row["setting"]:
            continue
        (mode,) = modes_of(row)
        places = {place for method, _, keys in row["requests"] if method == "POST" for place in keys}
        assert places <= {mode["key"]["header"].lower()}, row["setting"]


def rows_of(client: str, mode: dict[str, Any], variable: str) -> list[dict[str, Any]]:
    """The runs of this mode that told the client its base URL in this variable (and had all else that it needs)."""
    return [
        row
        for row in MEASURED
        if row["client"] == client
        and describes(mode, row)
        and re.search(rf"env {variable}\b", row["setting"])
        and "no security.auth.selectedType" not in row["setting"]
    ]


@pytest.mark.parametrize(
    ("client", "mode", "variable"),
    [
        pytest.param(client, mode, setting["name"], id=f"{client}-{mode['id']}-{setting['name']}")
        for client, entry in by_id().items()
        for mode in entry["modes"]
        for setting in (*mode["settings"], *mode["ignored"])
        if setting["kind"] == "env" and rows_of(client, mode, setting["name"])
    ],
)
def test_a_measured_variable_is_listed_as_what_it_is(client: str, mode: dict[str, Any], variable: str) -> None:
    """In `settings` if the client's requests came to the address in it, in `ignored` if they went to the vendor."""
    listed = variable in {setting["name"] for setting in mode["settings"]}
    assert {is_read(row) for row in rows_of(client, mode, variable)} == {listed}
