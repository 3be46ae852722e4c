"""Every file in knowledge/places keeps its format and the catalogue's names, and paths come out right on every system.

The format is described in docs/add-a-client.md ("Where its settings are on the machine"). A contributor who breaks a
rule is told the file, the place in it, and the rule.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antigravity_doctor.knowledge.clients import all_clients
from antigravity_doctor.knowledge.places import (
    PARENTS,
    SYSTEMS,
    Place,
    Source,
    System,
    editors,
    expand,
    mode_of,
    places,
    places_from_json,
    places_of,
    sync_faults,
    terminals,
)
from antigravity_doctor.knowledge.versions import parse_version

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "antigravity_doctor" / "knowledge" / "places"
FILES = sorted(path for path in FOLDER.glob("*.json") if not path.name.startswith("_"))
MODES = {(client.id, mode.id): mode for client in all_clients() for mode in client.modes}

PLACEHOLDERS = {"home", "project", "config", "data", "appdata", "localappdata", "programdata", "editor"}
WINDOWS_ONLY = {"appdata", "localappdata", "programdata"}
FORMATS = {"json", "jsonc", "json5", "toml", "yaml", "dotenv"}
CLOSED_BECAUSE = {"leveldb", "keychain", "encrypted", "server", "sqlite"}
KNOWN_FROM = re.compile(r"https://|tests/data/|\bfacts/|@[0-9a-f]{7,}|@\d|\b(PyPI|npm) \S+ \d")

FIELDS: Mapping[str, tuple[set[str], set[str]]] = {
    "entry": ({"client", "sources"}, {"roots", "closed"}),
    "root": ({"env"}, {"default"}),
    "file": ({"kind", "scope", "paths", "format", "values", "source"}, {"upwards", "merge"}),
    "env": ({"kind", "names", "mode", "source"}, {"mode_by"}),
    "editor-state": ({"kind", "key", "values", "type_it", "source"}, set()),
    "value": ({"at"}, {"mode", "mode_by", "only_if", "also_mode_by_key", "chosen_by"}),
    "mode_by": ({"at", "is"}, {"else", "or_prefix"}),
    "or_prefix": ({"at", "up_to"}, set()),
    "only_if": ({"at", "is"}, set()),
    "closed": ({"paths", "because", "type_it", "source"}, set()),
    "editor": ({"id", "name", "user", "settings", "state"}, set()),
    "written": ({"id", "client", "at", "path", "versions", "mode", "source"}, set()),
}
"""What -> the fields that it must have, and those that it may have. No other is known."""


def load(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


# --- the rules ------------------------------------------------------------------------------------------------------


def problems(entry: dict[str, Any], file_name: str) -> Iterator[str]:
    """Where an entry breaks the format or names what the catalogue does not have: `sources[1].values[0]: …`."""
    yield from field_problems("entry", entry, "the entry")
    client = entry.get("client", "")
    if f"{client}.json" != file_name:
        yield f"client: {client!r} is not the file's name {file_name!r}"
    if not any(each.id == client for each in all_clients()):
        yield f"client: the catalogue has no {client!r}"
    roots = entry.get("roots", {})
    for name, root in roots.items():
        yield from field_problems("root", root, f"roots.{name}")
        default = root.get("default", {})
        texts = by_system([default] if isinstance(default, str) else default)
        yield from path_problems(texts, set(roots) - {name}, f"roots.{name}.default")
    if not entry.get("sources") and not entry.get("closed"):
        yield "the entry: neither a source nor a closed place"
    for index, source in enumerate(entry.get("sources", [])):
        yield from source_problems(client, source, set(roots), f"sources[{index}]")
    for index, place in enumerate(entry.get("closed", [])):
        where = f"closed[{index}]"
        yield from field_problems("closed", place, where)
        yield from path_problems(by_system(place.get("paths", {})), set(roots), f"{where}.paths")
        yield from provenance_problems(place, where)
        if place.get("because") not in CLOSED_BECAUSE:
            yield f"{where}.because: {place.get('because')!r} is no reason of {sorted(CLOSED_BECAUSE)}"


def source_problems(client: str, source: dict[str, Any], roots: set[str], where: str) -> Iterator[str]:
    kind = source.get("kind")
    if kind not in ("file", "env", "editor-state"):
        yield f"{where}.kind: {kind!r} is no kind of source"
        return
    yield from field_problems(kind, source, where)
    yield from provenance_problems(source, where)
    if kind == "env":
        yield from mode_problems(client, source.get("mode", ""), f"{where}.mode")
        for name in source.get("names", []):
            if name not in setting_names(client, source.get("mode", ""), "env"):
                yield f"{where}.names: {name} is no variable of {client}, mode {source.get('mode')!r}"
        for mode in source.get("mode_by", {}).get("is", {}).values():
            yield from mode_problems(client, mode, f"{where}.mode_by")
    if kind == "file":
        if source.get("scope") not in ("managed", "project", "user"):
            yield f"{where}.scope: {source.get('scope')!r}"
        if source.get("format") not in FORMATS:
            yield f"{where}.format: {source.get('format')!r}"
        if source.get("merge", "first") not in ("first", "deep", "exists", "last"):
            yield f"{where}.merge: {source.get('merge')!r}"
        if source.get("upwards", True) is not True:
            yield f"{where}.upwards: true, or left out"
        yield from path_problems(by_system(source.get("paths", {})), roots, f"{where}.paths")
        if source.get("upwards") and "{project}" not in json.dumps(source.get("paths")):
            yield f"{where}.upwards: no path is below the current folder"
    for index, value in enumerate(source.get("values", [])):
        yield from value_problems(client, value, f"{where}.values[{index}]")
        if source.get("format") == "dotenv":
            name = (value.get("at") or [""])[0]
            modes = [value["mode"]] if "mode" in value else []
            if len(value.get("at", [])) != 1 or not modes:
                yield f"{where}.values[{index}]: in a .env file, one variable and its mode"
            elif name not in setting_names(client, modes[0], "env", "file"):
                yield f"{where}.values[{index}].at: {name} is no variable of {client}, mode {modes[0]!r}"


def value_problems(client: str, value: dict[str, Any], where: str) -> Iterator[str]:
    yield from field_problems("value", value, where)
    at = value.get("at", [])
    if not at or not all(isinstance(each, str) and each for each in at):
        yield f"{where}.at: a list of keys"
    if not {"mode", "mode_by", "also_mode_by_key"} & set(value):
        yield f"{where}: nothing tells its mode"
    if "mode" in value and {"mode_by", "also_mode_by_key"} & set(value):
        yield f"{where}: its mode is told twice"
    if "also_mode_by_key" in value and "*" not in at:
        yield f"{where}.also_mode_by_key: `at` has no *"
    if value.get("chosen_by") and "*" not in at:
        yield f"{where}.chosen_by: `at` has no *"
    modes = [value.get("mode"), *value.get("also_mode_by_key", {}).values()]
    for name in ("mode_by", "only_if"):
        if name in value:
            neighbour = value[name]
            yield from field_problems(name, neighbour, f"{where}.{name}")
            yield from neighbour_problems(at, neighbour.get("at", []), f"{where}.{name}.at")
            if not neighbour.get("is"):
                yield f"{where}.{name}.is: empty"
            if prefix := neighbour.get("or_prefix"):
                yield from field_problems("or_prefix", prefix, f"{where}.{name}.or_prefix")
                yield from neighbour_problems(at, prefix.get("at", []), f"{where}.{name}.or_prefix.at")
    modes += [*value.get("mode_by", {}).get("is", {}).values(), value.get("mode_by", {}).get("else")]
    for mode in modes:
        if mode is not None:
            yield from mode_problems(client, mode, where)


def neighbour_problems(at: list[str], neighbour: list[str], where: str) -> Iterator[str]:
    """The n-th * of a neighbour is the n-th * of `at`, so both are the same up to there; one more may end it."""
    stars = [index for index, key in enumerate(neighbour) if key == "*"]
    shared = at.count("*")
    for nth, index in enumerate(stars):
        if nth >= shared:
            if nth > shared or index != len(neighbour) - 1:
                yield f"{where}: more * than `at` has, and not one at the end"
        elif neighbour[: index + 1] != at[: index + 1]:
            yield f"{where}: * number {nth + 1} is not that of `at`"


def path_problems(paths: Mapping[str, list[str]], roots: set[str], where: str) -> Iterator[str]:
    for system, texts in paths.items():
        if system not in SYSTEMS:
            yield f"{where}: {system!r} is no system"
        for text in texts:
            names = set(re.findall(r"\{([^{}]*)\}", text))
            for name in sorted(names - PLACEHOLDERS - roots):
                yield f"{where}: {{{name}}} is no placeholder"
            if names & WINDOWS_ONLY and system != "windows":
                yield f"{where}: {text} needs Windows, but is there for {system}"
            if "\\" in text or "//" in text or ".." in text.split("/"):
                yield f"{where}: {text} is not written with single / and no .."
            absolute = text.startswith(("{", "/")) or re.match(r"[A-Z]:/", text)
            if not absolute or (re.match(r"[A-Z]:/", text) and system != "windows"):
                yield f"{where}: {text} begins neither with a placeholder nor at the root of {system}"


def provenance_problems(each: dict[str, Any], where: str) -> Iterator[str]:
    source = each.get("source", "")
    if not KNOWN_FROM.search(source):
        yield f"{where}.source: {source!r} names no page, no repository with its version and no measurement"
    for path in re.findall(r"tests/data/[\w./-]+\.json", source):
        if not (ROOT / path).is_file():
            yield f"{where}.source: there is no {path}"


def field_problems(what: str, data: Mapping[str, Any], where: str) -> Iterator[str]:
    needed, allowed = FIELDS[what]
    for name in sorted(needed - set(data)):
        yield f"{where}: {name} is missing"
    for name in sorted(set(data) - needed - allowed):
        yield f"{where}: {name} is no field of it"


def mode_problems(client: str, mode: str, where: str) -> Iterator[str]:
    if (client, mode) not in MODES:
        yield f"{where}: {client} has no mode {mode!r}"


def setting_names(client: str, mode: str, *kinds: str) -> set[str]:
    """Names of the settings of these kinds in a mode, with those that have no effect."""
    if (client, mode) not in MODES:
        return set()
    raw = MODES[client, mode].raw
    return {each["name"] for field in ("settings", "ignored") for each in raw[field] if each["kind"] in kinds}


def by_system(paths: Any) -> dict[str, list[str]]:
    if isinstance(paths, list):
        return dict.fromkeys(map(str, SYSTEMS), paths)
    return {system: [each] if isinstance(each, str) else each for system, each in paths.items()}


# --- the files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_entry_keeps_the_format_and_the_names_of_the_catalogue(path: Path) -> None:
    assert list(problems(load(path), path.name)) == []


def test_there_is_an_entry_for_every_client_that_the_proxy_itself_sets_up() -> None:
    assert {"claude-code", "codex", "gemini-cli", "opencode", "droid"} <= {each.client for each in places()}


def test_a_client_of_the_command_line_or_an_editor_with_a_setting_in_a_file_has_an_entry() -> None:
    missing = [
        client.id
        for client in all_clients()
        if client.kind in ("cli", "editor")
        and any(each["kind"] == "file" for mode in client.modes for each in mode.raw["settings"])
        and places_of(client.id) is None
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("client", "source"), [(each.client, source) for each in places() for source in each.sources if source.names]
)
def test_a_variable_is_named_once_for_a_client(client: str, source: Source) -> None:
    entry = places_of(client)
    assert entry is not None
    named = [name for each in entry.sources for name in each.names]
    assert all(named.count(name) == 1 for name in source.names)


SPOILED: list[tuple[str, Any, str]] = [
    ("client", "codex", "is not the file's name"),
    ("sources.0.colour", "red", "colour is no field of it"),
    ("sources.0.format", "ini", "format"),
    ("sources.0.scope", "global", "scope"),
    ("sources.0.merge", "shallow", "merge"),
    ("sources.0.paths", ["{nowhere}/x.json"], "is no placeholder"),
    ("sources.0.paths", ["{appdata}/x.json"], "needs Windows"),
    ("sources.0.paths", ["{home}/../x.json"], "no .."),
    ("sources.0.paths", ["x.json"], "begins neither"),
    ("sources.0.paths", {"amiga": ["{home}/x.json"]}, "is no system"),
    ("sources.0.source", "everybody knows", "names no page"),
    ("sources.0.source", "measured: tests/data/measurements/none.json", "there is no tests/data"),
    ("sources.0.values.0", {"at": ["env", "X"]}, "nothing tells its mode"),
    ("sources.0.values.0", {"at": ["env", "X"], "mode": "chat"}, "has no mode 'chat'"),
    ("sources.0.values.0", {"at": [], "mode": "messages"}, "a list of keys"),
    (
        "sources.0.values.0",
        {"at": ["a", "*", "url"], "mode_by": {"at": ["b", "*", "kind"], "is": {"x": "messages"}}},
        "is not that of `at`",
    ),
    ("sources.0.values.0", {"at": ["a"], "mode": "messages", "also_mode_by_key": {"x": "messages"}}, "told twice"),
    ("sources.0.values.0", {"at": ["a"], "also_mode_by_key": {"x": "messages"}}, "has no *"),
    ("sources.0.values.0", {"at": ["a"], "mode": "messages", "chosen_by": [["b"]]}, "has no *"),
    ("sources.4.names", ["OPENAI_BASE_URL"], "is no variable of claude-code"),
    ("sources.4.kind", "registry", "is no kind"),
    ("roots.claude.default", "{claude}/x", "is no placeholder"),
    ("sources.0.upwards", False, "true, or left out"),
]


@pytest.mark.parametrize(("where", "value", "message"), SPOILED, ids=[f"{w}: {m}" for w, _, m in SPOILED])
def test_a_broken_entry_is_told_what_is_wrong(where: str, value: Any, message: str) -> None:
    entry = copy.deepcopy(load(FOLDER / "claude-code.json"))
    assert list(problems(entry, "claude-code.json")) == []
    *parents, last = where.split(".")
    spot: Any = entry
    for part in parents:
        spot = spot[int(part)] if part.isdigit() else spot[part]
    if last.isdigit():
        spot[int(last)] = value
    else:
        spot[last] = value
    assert any(message in each for each in problems(entry, "claude-code.json"))


# --- editors, and what the proxy wrote ------------------------------------------------------------------------------


def test_every_editor_has_the_fields_of_an_editor_and_an_id_of_its_own() -> None:
    listed = load(FOLDER / "_editors.json")["editors"]
    assert [each for editor in listed for each in field_problems("editor", editor, editor["id"])] == []
    assert [
        each
        for editor in listed
        for each in path_problems(by_system(editor["user"]), set(), editor["id"])
        if "/" in editor["settings"] or ".." in editor["state"] or each
    ] == []
    assert len({each.id for each in editors()}) == len(editors()) == len({each.name for each in editors()})


@pytest.mark.parametrize("index", range(len(terminals())))
def test_every_place_of_terminal_variables_keeps_the_format_of_a_file(index: int) -> None:
    source = load(FOLDER / "_terminals.json")["terminals"][index]
    where = f"terminals[{index}]"
    source["values"] = [{**each, "mode": "messages"} for each in source["values"]]  # any: a variable has none here
    assert list(source_problems("claude-code", source, set(), where)) == []
    assert source["kind"] == "file"
    assert all(each["at"][-1] == "*" for each in source["values"])


def test_every_fault_of_the_sync_is_one_value_of_its_client_and_has_an_id_of_its_own() -> None:
    for each in load(FOLDER / "_sync.json")["written"]:
        assert list(field_problems("written", each, each["id"])) == []
        assert list(mode_problems(each["client"], each["mode"], each["id"])) == []
        assert list(provenance_problems(each, each["id"])) == []
    assert len({each.id for each in sync_faults()}) == len(sync_faults())


@pytest.mark.parametrize("fault", sync_faults(), ids=lambda fault: fault.id)
def test_a_fault_of_the_sync_is_where_the_scan_looks_for_that_client(fault: Any) -> None:
    entry = places_of(fault.client)
    assert entry is not None
    found = [
        mode_of(value, None, fault.at[value.at.index("*")])
        for source in entry.sources
        for value in source.values
        if len(value.at) == len(fault.at)
        and all(key in ("*", given) for key, given in zip(value.at, fault.at, strict=True))
    ]
    assert found
    assert set(found) == {fault.mode}


@pytest.mark.parametrize("fault", sync_faults(), ids=lambda fault: fault.id)
def test_a_fault_of_the_sync_was_written_from_one_version_to_a_later_one(fault: Any) -> None:
    start, below = fault.versions
    assert parse_version(start) < parse_version(below)


# --- paths ----------------------------------------------------------------------------------------------------------

LINUX, MACOS, WINDOWS = "/home/u", "/Users/u", "C:\\Users\\u"

PATHS: list[tuple[str, int, System, dict[str, str], str, str, str]] = [
    # client, source, system, environment, current folder, at, path
    ("claude-code", 0, "linux", {}, "/home/u/p", "1", "/etc/claude-code/managed-settings.json"),
    ("claude-code", 0, "windows", {}, "C:\\p", "1", "C:\\Program Files\\ClaudeCode\\managed-settings.json"),
    ("claude-code", 1, "linux", {}, "/home/u/p", "all", "/home/u/p/.claude/settings.local.json"),
    ("claude-code", 1, "windows", {}, "D:\\p", "all", "D:\\p\\.claude\\settings.local.json"),
    ("claude-code", 3, "macos", {}, "/Users/u/p", "all", "/Users/u/.claude/settings.json"),
    ("claude-code", 3, "windows", {}, "C:\\p", "all", "C:\\Users\\u\\.claude\\settings.json"),
    ("claude-code", 3, "linux", {"CLAUDE_CONFIG_DIR": "/srv/c/"}, "/home/u/p", "all", "/srv/c/settings.json"),
    ("claude-code", 3, "linux", {"CLAUDE_CONFIG_DIR": "~/c"}, "/home/u/p", "all", "/home/u/c/settings.json"),
    ("claude-code", 3, "linux", {"CLAUDE_CONFIG_DIR": "c"}, "/home/u/p", "all", "/home/u/p/c/settings.json"),
    ("claude-code", 3, "linux", {"CLAUDE_CONFIG_DIR": " "}, "/home/u/p", "all", "/home/u/.claude/settings.json"),
    ("claude-code", 6, "linux", {}, "/p", "0", "/home/u/.config/Code/User/settings.json"),
    ("claude-code", 6, "macos", {}, "/p", "0", "/Users/u/Library/Application Support/Code/User/settings.json"),
    ("claude-code", 6, "windows", {}, "C:\\p", "0", "C:\\Users\\u\\AppData\\Roaming\\Code\\User\\settings.json"),
    ("claude-code", 6, "windows", {"APPDATA": "D:\\R"}, "C:\\p", "0", "D:\\R\\Code\\User\\settings.json"),
    ("codex", 1, "linux", {}, "/p", "all", "/home/u/.codex/config.toml"),
    ("codex", 1, "windows", {"CODEX_HOME": "D:\\codex"}, "C:\\p", "all", "D:\\codex\\config.toml"),
    ("codex", 2, "windows", {}, "C:\\p", "all", "C:\\ProgramData\\OpenAI\\Codex\\config.toml"),
    ("gemini-cli", 1, "linux", {}, "/home/u/p", "0", "/home/u/p/.gemini/.env"),
    ("gemini-cli", 2, "macos", {}, "/Users/u/p", "0", "/Users/u/.gemini/.env"),
    ("opencode", 6, "linux", {}, "/p", "1", "/home/u/.config/opencode/opencode.json"),
    ("opencode", 6, "windows", {}, "C:\\p", "1", "C:\\Users\\u\\.config\\opencode\\opencode.json"),
    ("opencode", 6, "linux", {"XDG_CONFIG_HOME": "/x"}, "/p", "1", "/x/opencode/opencode.json"),
    ("opencode", 6, "linux", {"XDG_CONFIG_HOME": "x"}, "/p", "1", "/home/u/.config/opencode/opencode.json"),
    ("opencode", 5, "linux", {"OPENCODE_CONFIG": "/etc/oc.json"}, "/p", "all", "/etc/oc.json"),
    ("cline", 0, "linux", {}, "/p", "all", "/home/u/.cline/data/globalState.json"),
    ("cline", 0, "linux", {"CLINE_DIR": "/c"}, "/p", "all", "/c/data/globalState.json"),
    ("cline", 0, "linux", {"CLINE_DIR": "/c", "CLINE_DATA_DIR": "/d"}, "/p", "all", "/d/globalState.json"),
    ("cline", 1, "linux", {}, "/p", "0", "/home/u/.config/Code/User/globalStorage/state.vscdb"),
    ("zed", 0, "windows", {}, "C:\\p", "all", "C:\\Users\\u\\AppData\\Roaming\\Zed\\settings.json"),
    ("mini-swe-agent", 3, "windows", {}, "C:\\p", "all",
        "C:\\Users\\u\\AppData\\Local\\mini-swe-agent\\mini-swe-agent\\.env"),
    ("llm", 0, "linux", {"LLM_USER_PATH": "/l"}, "/p", "all", "/l/extra-openai-models.yaml"),
    ("librechat", 0, "linux", {}, "/srv/chat", "all", "/srv/chat/librechat.yaml"),
    ("librechat", 0, "linux", {"CONFIG_PATH": "conf/l.yaml"}, "/srv/chat", "all", "/srv/chat/conf/l.yaml"),
    ("continue", 1, "linux", {}, "/home/u/p/", "2", "/home/u/p/.continue/configs/*.yaml"),
]  # fmt: skip


def home_of(system: str) -> str:
    return {"linux": LINUX, "macos": MACOS, "windows": WINDOWS}[system]


@pytest.mark.parametrize(("client", "index", "system", "environment", "project", "at", "path"), PATHS)
def test_a_path_of_a_system(
    client: str, index: int, system: System, environment: dict[str, str], project: str, at: str, path: str
) -> None:
    entry = places_of(client)
    assert entry is not None
    found = expand(entry.sources[index], system, environment, home_of(system), project)
    if at == "all":
        assert found == (path,)
    else:
        assert found[int(at)] == path


def upwards(system: System, home: str, project: str) -> tuple[str, ...]:
    """Where the project's own .env is looked for."""
    entry = {
        "client": "x",
        "sources": [{"kind": "file", "scope": "project", "paths": ["{project}/.env"], "upwards": True, "source": ""}],
    }
    return expand(places_from_json(entry).sources[0], system, {}, home, project)


def test_upwards_each_parent_below_home_follows_the_current_folder() -> None:
    assert upwards("linux", "/home/u", "/home/u/a/b") == ("/home/u/a/b/.env", "/home/u/a/.env")


def test_upwards_the_home_folder_is_its_own_project() -> None:
    assert upwards("linux", "/home/u", "/home/u") == ("/home/u/.env",)


def test_upwards_outside_home_it_ends_at_the_root() -> None:
    assert upwards("linux", "/home/u", "/srv/a") == ("/srv/a/.env", "/srv/.env", "/.env")


def test_upwards_windows_knows_drives_and_tells_no_cases_apart() -> None:
    assert upwards("windows", "C:\\Users\\U", "d:\\a") == ("d:\\a\\.env", "d:\\.env")
    assert upwards("windows", "C:\\Users\\U", "c:\\users\\u\\a\\b") == (
        "c:\\users\\u\\a\\b\\.env",
        "c:\\users\\u\\a\\.env",
    )


def test_upwards_a_share_is_a_root() -> None:
    assert upwards("windows", "C:\\Users\\u", "\\\\nas\\work\\a") == ("\\\\nas\\work\\a\\.env", "\\\\nas\\work\\.env")


def test_upwards_linux_tells_cases_apart() -> None:
    assert upwards("linux", "/home/u", "/home/U/a")[1:] == ("/home/U/.env", "/home/.env", "/.env")


def test_upwards_all_paths_of_a_folder_come_before_those_of_its_parent() -> None:
    entry = places_of("gemini-cli")
    assert entry is not None
    assert expand(entry.sources[1], "linux", {}, "/home/u", "/home/u/a/b") == (
        "/home/u/a/b/.gemini/.env", "/home/u/a/b/.env", "/home/u/a/.gemini/.env", "/home/u/a/.env",
    )  # fmt: skip


def test_a_file_that_only_a_variable_names_is_nowhere_without_it() -> None:
    entry = places_of("opencode")
    assert entry is not None
    assert expand(entry.sources[5], "linux", {}, LINUX, "/p") == ()


def test_a_variable_has_no_path() -> None:
    entry = places_of("gemini-cli")
    assert entry is not None
    assert expand(entry.sources[0], "linux", {}, LINUX, "/p") == ()


def test_a_closed_place_has_paths() -> None:
    entry = places_of("n8n")
    assert entry is not None
    assert expand(entry.closed[0], "linux", {"N8N_USER_FOLDER": "/srv"}, LINUX, "/p") == ("/srv/.n8n/database.sqlite",)


def test_settings_of_an_editor_are_looked_for_in_every_editor_of_the_system() -> None:
    entry = places_of("claude-code")
    assert entry is not None
    for system in SYSTEMS:
        found = expand(entry.sources[6], system, {}, home_of(system), home_of(system))
        own = [each for each in found if "profiles" not in each]
        assert len(own) == len(found) - len(own) == sum(system in each.user for each in editors())


SEGMENT = st.text("abXY .-_", min_size=1, max_size=6).filter(lambda text: text.strip(". ") == text)
EVERYWHERE: list[Source | Place] = [source for each in places() for source in each.sources]
EVERYWHERE += [place for each in places() for place in each.closed]
SYSTEM_FOLDERS = {
    "linux": ("/etc/",),
    "macos": ("/etc/", "/Library/"),
    "windows": ("C:\\Program Files\\", "C:\\ProgramData\\"),
}


@given(st.sampled_from(EVERYWHERE), st.sampled_from(SYSTEMS), st.lists(SEGMENT, max_size=PARENTS + 6))
def test_without_variables_no_path_leaves_home_the_folders_above_the_project_and_those_of_the_system(
    place: Source | Place, system: System, below: list[str]
) -> None:
    separator = "\\" if system == "windows" else "/"
    home = home_of(system)
    project = separator.join([home, "work", *below])
    found = expand(place, system, {}, home, project)
    assert len(set(found)) == len(found)
    for path in found:
        assert path.startswith((home + separator, *SYSTEM_FOLDERS[system])), path
        assert ".." not in path.split(separator)
        assert "{" not in path
        assert ("/" not in path) if system == "windows" else ("\\" not in path)


@given(st.lists(SEGMENT, max_size=3 * PARENTS), st.sampled_from(SYSTEMS))
def test_upwards_no_more_than_twelve_parents_are_looked_at(below: list[str], system: System) -> None:
    root = "C:\\" if system == "windows" else "/"
    project = root + ("\\" if system == "windows" else "/").join(below)
    assert len(upwards(system, home_of(system), project)) == min(len(below), PARENTS) + 1


# --- modes ----------------------------------------------------------------------------------------------------------

OPENCODE = {
    "at": ["provider", "*", "options", "baseURL"],
    "mode_by": {"at": ["provider", "*", "npm"], "is": {"@ai-sdk/anthropic": "anthropic"}, "else": "openai-compatible"},
    "also_mode_by_key": {"google": "google"},
}


@pytest.mark.parametrize(
    ("neighbour", "key", "mode"),
    [
        ("@ai-sdk/anthropic", "mine", "anthropic"),
        ("@ai-sdk/anthropic", "google", "anthropic"),
        (None, "google", "google"),
        (None, "mine", "openai-compatible"),
        (None, None, "openai-compatible"),
        ("@ai-sdk/cohere", "mine", None),
        ("@ai-sdk/cohere", "google", None),
    ],
)
def test_the_neighbour_tells_the_mode_then_the_key_and_another_neighbour_is_not_judged(
    neighbour: str | None, key: str | None, mode: str | None
) -> None:
    entry = {"client": "x", "sources": [{"kind": "file", "values": [OPENCODE], "source": ""}]}
    assert mode_of(places_from_json(entry).sources[0].values[0], neighbour, key) == mode


def test_a_mode_that_is_given_needs_no_neighbour() -> None:
    entry = places_of("claude-code")
    assert entry is not None
    assert mode_of(entry.sources[3].values[0], None, None) == "messages"
