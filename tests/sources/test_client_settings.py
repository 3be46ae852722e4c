"""Finding base URLs in real files: the right ones, with their place, their mode and their rank."""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from antigravity_doctor.diagnosis.scanning import Evidence, FoundBaseUrl
from antigravity_doctor.knowledge.clients import find_client
from antigravity_doctor.sources.client_settings import Machine, read_client_settings, this_machine

P = "http://127.0.0.1:8045"
STATE = ".config/Code/User/globalStorage/state.vscdb"


def look(home: Path, files: Mapping[str, str | bytes], only: str | None = None, **environment: str) -> Evidence:
    """What is found on a machine with these files (paths in the home folder; `work/` is the project)."""
    (home / "work").mkdir(exist_ok=True)
    for name, content in files.items():
        place = home / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
    machine = Machine("linux", "linux", {"HOME": str(home), **environment}, str(home), str(home / "work"))
    return read_client_settings(machine, find_client(only) if only is not None else None)


def of(evidence: Evidence, client: str) -> list[FoundBaseUrl]:
    return sorted((each for each in evidence.found if each.client == client), key=lambda each: each.order)


CASES: dict[str, tuple[str, dict[str, str], str, str, str, int, int]] = {
    "claude-code": (
        "claude-code", {".claude/settings.json": f'{{\n  "env": {{\n    "ANTHROPIC_BASE_URL": "{P}/v1"\n  }}\n}}'},
        P + "/v1", "messages", "env.ANTHROPIC_BASE_URL", 3, 27,
    ),
    "claude-code in the project": (
        "claude-code", {"work/.claude/settings.local.json": f'{{"env": {{"ANTHROPIC_BASE_URL": "{P}"}}}}'},
        P, "messages", "env.ANTHROPIC_BASE_URL", 1, 32,
    ),
    "codex": (
        "codex", {".codex/config.toml": f'model_provider = "x"\n\n[model_providers.x]\nbase_url = "{P}/v1"  # mine\n'},
        P + "/v1", "responses", "model_providers.x.base_url", 4, 12,
    ),
    "gemini-cli": (
        "gemini-cli", {".gemini/.env": f"# by sync\nGOOGLE_GEMINI_BASE_URL={P}\nGEMINI_API_KEY=x\n"},
        P, "gemini", "GOOGLE_GEMINI_BASE_URL", 2, 24,
    ),
    "opencode with comments": (
        "opencode",
        {".config/opencode/opencode.jsonc": '{\n  // mine\n  "provider": {"a": {"npm": "@ai-sdk/openai-compatible",\n'
         f'    "options": {{"baseURL": "{P}/v1",}}}}}},\n}}'},
        P + "/v1", "openai-compatible", "provider.a.options.baseURL", 4, 28,
    ),
    "opencode in the project": (
        "opencode", {"work/opencode.json": f'{{"provider": {{"google": {{"options": {{"baseURL": "{P}/v1"}}}}}}}}'},
        P + "/v1", "google", "provider.google.options.baseURL", 1, 49,
    ),
    "droid": (
        "droid", {".factory/settings.json":
                  f'{{"customModels": [{{"provider": "anthropic", "baseUrl": "{P}"}}]}}'},
        P, "anthropic", "customModels.0.baseUrl", 1, 56,
    ),
    "continue": (
        "continue", {".continue/config.yaml": f"models:\n  - name: a\n    provider: openai\n    apiBase: {P}/v1\n"},
        P + "/v1", "openai", "models.0.apiBase", 4, 14,
    ),
    "cline": (
        "cline", {".cline/data/globalState.json":
                  f'{{"actModeApiProvider": "openai", "openAiBaseUrl": "{P}/v1", "anthropicBaseUrl": "{P}"}}'},
        P + "/v1", "openai", "openAiBaseUrl", 1, 51,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_base_url_is_found_with_its_place_and_mode(tmp_path: Path, name: str) -> None:
    client, files, value, mode, key, line, column = CASES[name]
    evidence = look(tmp_path, files)
    found = of(evidence, client)
    assert [each.value for each in found] == [value]
    one = found[0]
    assert (one.mode, one.spot.name, one.spot.line, one.spot.column) == (mode, key, line, column)
    assert one.format is not None
    assert evidence.unreadable == ()


def test_paths_are_shown_with_a_tilde(tmp_path: Path) -> None:
    evidence = look(tmp_path, {".claude/settings.json": f'{{"env": {{"ANTHROPIC_BASE_URL": "{P}"}}}}'})
    assert of(evidence, "claude-code")[0].spot.file == "~/.claude/settings.json"


def test_a_variable_moves_a_folder(tmp_path: Path) -> None:
    files = {"elsewhere/config.toml": f'[model_providers.x]\nbase_url = "{P}"\n'}
    found = of(look(tmp_path, files, CODEX_HOME=str(tmp_path / "elsewhere")), "codex")
    assert [each.spot.file for each in found] == ["~/elsewhere/config.toml"]


def test_the_clients_own_order_is_kept(tmp_path: Path) -> None:
    setting = '{"env": {"ANTHROPIC_BASE_URL": "http://%s:1"}}'
    files = {
        ".claude/settings.json": setting % "user",
        "work/.claude/settings.json": setting % "project",
        "work/.claude/settings.local.json": setting % "local",
    }
    found = of(look(tmp_path, files, ANTHROPIC_BASE_URL="http://shell:1"), "claude-code")
    assert [each.value for each in found] == ["http://local:1", "http://project:1", "http://user:1", "http://shell:1"]
    assert len({each.slot for each in found}) == 1


def test_entries_of_the_users_own_are_settings_of_their_own(tmp_path: Path) -> None:
    text = json.dumps({"provider": {
        "a": {"npm": "@ai-sdk/anthropic", "options": {"baseURL": P + "/v1"}},
        "b": {"npm": "@ai-sdk/google", "options": {"baseURL": P + "/v1beta"}},
    }})  # fmt: skip
    found = of(look(tmp_path, {".config/opencode/opencode.json": text}), "opencode")
    assert {each.mode for each in found} == {"anthropic", "google"}
    assert len({each.slot for each in found}) == 2


def test_a_provider_that_is_not_known_leaves_the_mode_open(tmp_path: Path) -> None:
    text = json.dumps({"provider": {"a": {"npm": "@ai-sdk/mistral", "options": {"baseURL": P + "/v1"}}}})
    assert of(look(tmp_path, {".config/opencode/opencode.json": text}), "opencode")[0].mode is None


def test_a_value_counts_only_where_its_provider_is_chosen(tmp_path: Path) -> None:
    text = json.dumps({"actModeApiProvider": "anthropic", "openAiBaseUrl": P + "/v1"})
    assert of(look(tmp_path, {".cline/data/globalState.json": text}), "cline") == []


def test_only_the_first_env_file_is_opened_by_gemini(tmp_path: Path) -> None:
    files = {"work/.env": "OTHER=1\n", ".gemini/.env": f"GOOGLE_GEMINI_BASE_URL={P}\n"}
    found = of(look(tmp_path, files), "gemini-cli")
    assert [each.hidden_by for each in found] == ["~/work/.env"]


def test_the_mode_of_a_variable_can_hang_on_another(tmp_path: Path) -> None:
    found = of(look(tmp_path, {}, COPILOT_PROVIDER_BASE_URL=P, COPILOT_PROVIDER_TYPE="anthropic"), "copilot-cli")
    assert [each.mode for each in found] == ["messages"]
    found = of(look(tmp_path, {}, COPILOT_PROVIDER_BASE_URL=P), "copilot-cli")
    assert [each.mode for each in found] == ["chat"]


@pytest.mark.parametrize("value", ["default", "", "true", "gpt-4", "/v1"])
def test_what_is_no_address_is_no_base_url(tmp_path: Path, value: str) -> None:
    text = json.dumps({"env": {"ANTHROPIC_BASE_URL": value}})
    assert look(tmp_path, {".claude/settings.json": text}, ANTHROPIC_BASE_URL=value).found == ()


def test_what_is_worked_out_elsewhere_is_found_and_not_literal(tmp_path: Path) -> None:
    text = json.dumps({"provider": {"a": {"npm": "@ai-sdk/openai", "options": {"baseURL": "{env:MY_PROXY}"}}}})
    found = of(look(tmp_path, {".config/opencode/opencode.json": text}), "opencode")
    assert [(each.value, each.literal) for each in found] == [("{env:MY_PROXY}", False)]


def test_what_the_sync_writes_and_codex_does_not_read_is_marked(tmp_path: Path) -> None:
    found = of(look(tmp_path, {".codex/auth.json": json.dumps({"OPENAI_BASE_URL": P + "/v1"})}), "codex")
    assert [each.ignored for each in found] == [True]


def test_a_variable_that_only_older_versions_read_is_marked(tmp_path: Path) -> None:
    assert [each.ignored for each in of(look(tmp_path, {}, OPENAI_BASE_URL=P), "codex")] == [True]


# --- files that cannot be read ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "line"),
    [(b'{\n  "env": {', 2), (b'{"env": }', 1), (b"\xff\xfe\x00", None), (b'{"a": "\xff"}', 1)],
)
def test_a_broken_file_is_said_with_its_line(tmp_path: Path, content: bytes, line: int | None) -> None:
    evidence = look(tmp_path, {".claude/settings.json": content})
    assert [(each.file, each.line) for each in evidence.unreadable] == [("~/.claude/settings.json", line)]
    assert "claude-code" in evidence.unreadable[0].clients
    assert evidence.found == ()


def test_a_folder_in_a_files_place_is_said(tmp_path: Path) -> None:
    (tmp_path / ".claude" / "settings.json").mkdir(parents=True)
    assert [each.reason for each in look(tmp_path, {}).unreadable] == ["a-folder"]


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    evidence = look(tmp_path, {".claude/settings.json": b" " * (9 * 1024 * 1024)})
    assert [each.reason for each in evidence.unreadable] == ["too-large"]


def test_an_empty_file_is_fine(tmp_path: Path) -> None:
    evidence = look(tmp_path, {".claude/settings.json": "", ".codex/config.toml": "\n"})
    assert (evidence.found, evidence.unreadable) == ((), ())


# --- editors ---------------------------------------------------------------------------------------------------------


def state_database(path: Path, key: str, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE ItemTable (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB)")
        database.execute("INSERT INTO ItemTable VALUES (?, ?)", (key, json.dumps(value)))
        database.commit()


CLINE = {"actModeApiProvider": "anthropic", "anthropicBaseUrl": P + "/v1"}


def test_an_extensions_settings_are_read_from_the_editors_database(tmp_path: Path) -> None:
    state_database(tmp_path / STATE, "saoudrizwan.claude-dev", CLINE)
    found = of(look(tmp_path, {}), "cline")
    assert [(each.value, each.mode, each.spot.kind, each.format) for each in found] == [
        (P + "/v1", "anthropic", "editor-state", None)
    ]
    assert found[0].type_it


def test_a_fork_of_the_editor_has_settings_of_its_own(tmp_path: Path) -> None:
    for editor in ("Code", "VSCodium"):
        place = tmp_path / ".config" / editor / "User/globalStorage/state.vscdb"
        state_database(place, "saoudrizwan.claude-dev", CLINE)
    found = of(look(tmp_path, {}), "cline")
    assert len({each.slot for each in found}) == 2


def test_a_database_that_the_editor_has_open_is_read(tmp_path: Path) -> None:
    state_database(tmp_path / STATE, "saoudrizwan.claude-dev", CLINE)
    with closing(sqlite3.connect(tmp_path / STATE)) as editor:
        editor.execute("PRAGMA journal_mode=WAL")
        editor.execute("INSERT INTO ItemTable VALUES ('other', '1')")  # a transaction that is under way
        assert len(of(look(tmp_path, {}), "cline")) == 1


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    evidence = look(tmp_path, {STATE: "not a database at all, but long enough to be looked at as one" * 20})
    assert {each.reason for each in evidence.unreadable} == {"state-unreadable"}


def test_an_editors_old_copy_is_behind_the_clients_own_file(tmp_path: Path) -> None:
    state_database(tmp_path / STATE, "saoudrizwan.claude-dev", CLINE)
    found = of(look(tmp_path, {".cline/data/globalState.json": "{}"}), "cline")
    assert [each.hidden_by for each in found] == ["~/.cline/data/globalState.json"]


def test_nothing_of_a_broken_database_is_repeated(tmp_path: Path) -> None:
    place = tmp_path / STATE
    state_database(place, "x", {})
    with closing(sqlite3.connect(place)) as database:
        database.execute(
            "INSERT INTO ItemTable VALUES (?, CAST(? AS TEXT))", ("saoudrizwan.claude-dev", b'{"k":"s3cret\xff')
        )
        database.commit()
    evidence = look(tmp_path, {})
    assert evidence.unreadable
    assert "s3cret" not in repr(evidence)


def test_editors_do_not_overrule_each_other(tmp_path: Path) -> None:
    text = json.dumps({"claudeCode.environmentVariables": [{"name": "ANTHROPIC_BASE_URL", "value": P + "/v1"}]})
    files = {f".config/{editor}/User/settings.json": text for editor in ("Code", "VSCodium")}
    assert len({each.slot for each in of(look(tmp_path, files), "claude-code")}) == 2


# --- variables -------------------------------------------------------------------------------------------------------


def test_variables_of_the_shell_its_start_up_files_and_the_project_are_found(tmp_path: Path) -> None:
    files = {
        ".bashrc": f"# export OPENAI_BASE_URL=http://old:1\nexport OPENAI_BASE_URL={P}/v1\n",
        ".config/fish/config.fish": f"set -gx GOOGLE_GEMINI_BASE_URL {P}\n",
        "work/.env": f"ANTHROPIC_BASE_URL={P}\n",
    }
    evidence = look(tmp_path, files, ANTHROPIC_BASE_URL=P + "/v1")
    places = {(each.name, each.spot.file, each.spot.line, each.value) for each in evidence.variables}
    assert places == {
        ("ANTHROPIC_BASE_URL", None, None, P + "/v1"),
        ("OPENAI_BASE_URL", "~/.bashrc", 2, P + "/v1"),
        ("GOOGLE_GEMINI_BASE_URL", "~/.config/fish/config.fish", 1, P),
        ("ANTHROPIC_BASE_URL", "~/work/.env", 1, P),
    }


def test_a_variable_is_shown_where_it_is_set(tmp_path: Path) -> None:
    evidence = look(tmp_path, {".zshrc": f"export OPENAI_BASE_URL={P}\n"}, OPENAI_BASE_URL=P)
    assert [each.spot.file for each in evidence.variables] == ["~/.zshrc"]


def test_a_start_up_file_that_sets_something_else_is_shown_besides(tmp_path: Path) -> None:
    evidence = look(tmp_path, {".zshrc": f"export OPENAI_BASE_URL={P}/v1\n"}, OPENAI_BASE_URL=P)
    assert [each.value for each in evidence.variables] == [P, P + "/v1"]


def test_a_start_up_file_counts_for_a_client_where_this_process_has_no_such_variable(tmp_path: Path) -> None:
    files = {".bashrc": f"export ANTHROPIC_BASE_URL={P}/v1\n"}
    assert [each.spot.kind for each in of(look(tmp_path, files), "claude-code")] == ["shell"]
    assert [each.spot.kind for each in of(look(tmp_path, files, ANTHROPIC_BASE_URL=P), "claude-code")] == ["env"]


def test_a_start_up_file_that_says_it_by_another_variable_is_listed(tmp_path: Path) -> None:
    evidence = look(tmp_path, {".bashrc": 'export OPENAI_BASE_URL="http://$HOST:8045/v1"\n'})
    assert [(each.literal, each.spot.file) for each in evidence.variables] == [(False, "~/.bashrc")]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (".config/Code/User/settings.json", '{{ // mine\n"terminal.integrated.env.linux": {{"{name}": "{url}",}}}}'),
        (".config/Cursor/User/settings.json", '{{\n"terminal.integrated.env.linux": {{"{name}": "{url}"}}}}'),
        ("work/.vscode/settings.json", '{{\n"terminal.integrated.env.linux": {{"{name}": "{url}"}}}}'),
        (".config/zed/settings.json", '{{"terminal":\n{{"env": {{"{name}": "{url}"}}}}}}'),
        ("work/.zed/settings.json", '{{"terminal":\n{{"env": {{"{name}": "{url}"}}}}}}'),
    ],
)
def test_variables_for_the_terminals_of_editors_are_found(tmp_path: Path, file: str, text: str) -> None:
    evidence = look(tmp_path, {file: text.format(name="ANTHROPIC_BASE_URL", url=P)})
    assert [(each.name, each.value, each.spot.file, each.spot.line) for each in evidence.variables] == [
        ("ANTHROPIC_BASE_URL", P, f"~/{file}", 2)
    ]


def test_variables_for_the_terminals_of_other_systems_are_not(tmp_path: Path) -> None:
    text = f'{{"terminal.integrated.env.windows": {{"OPENAI_BASE_URL": "{P}"}}, "other": {{"OPENAI_BASE_URL": "{P}"}}}}'
    assert look(tmp_path, {".config/Code/User/settings.json": text}).variables == ()


# --- commands with variables of their own ----------------------------------------------------------------------------


def test_a_command_with_a_variable_of_its_own_is_its_clients_setting_and_nobody_elses(tmp_path: Path) -> None:
    files = {".zshrc": f"alias a='ANTHROPIC_BASE_URL={P}/v1 claude'\nb() {{ ANTHROPIC_BASE_URL={P} claude; }}\n"}
    evidence = look(tmp_path, files, ANTHROPIC_BASE_URL=P + "/x")
    own = [each for each in of(evidence, "claude-code") if each.spot.kind == "shell"]
    assert [(each.value, each.spot.line, each.hidden_by) for each in own] == [(P + "/v1", 1, None), (P, 2, None)]
    assert len({each.slot for each in of(evidence, "claude-code")}) == 3  # none of them beats another
    assert [each.spot.file for each in evidence.variables] == [None]
    assert "claude-code" in evidence.here


def test_a_file_that_beats_the_variable_beats_it_in_a_command_too(tmp_path: Path) -> None:
    files = {
        ".zshrc": f"alias a='ANTHROPIC_BASE_URL={P}/v1 claude'\n",
        ".claude/settings.json": f'{{"env": {{"ANTHROPIC_BASE_URL": "{P}"}}}}',
    }
    (own,) = [each for each in of(look(tmp_path, files), "claude-code") if each.spot.kind == "shell"]
    assert own.hidden_by == "~/.claude/settings.json"


def test_the_mode_of_a_command_is_told_by_its_own_variables(tmp_path: Path) -> None:
    line = f"alias a='COPILOT_PROVIDER_TYPE=anthropic COPILOT_PROVIDER_BASE_URL={P} copilot'\n"
    (own,) = of(look(tmp_path, {".bashrc": line}), "copilot-cli")
    assert own.mode == "messages"


@pytest.mark.parametrize(
    "line",
    [f"alias a='ANTHROPIC_BASE_URL={P} codex'", f"alias a='FOO={P} claude'", "alias a='ANTHROPIC_BASE_URL=x claude'"],
)
def test_a_variable_that_the_command_does_not_read_is_none_of_its_settings(tmp_path: Path, line: str) -> None:
    assert look(tmp_path, {".bashrc": line}).found == ()


# --- whose start-up file ---------------------------------------------------------------------------------------------


BOTH_SHELLS = {
    ".bashrc": f"export ANTHROPIC_BASE_URL={P}/v1\n",
    ".config/fish/config.fish": f"set -gx ANTHROPIC_BASE_URL {P}\n",
}


@pytest.mark.parametrize(
    ("shell", "value"), [("/bin/bash", P + "/v1"), ("/usr/bin/fish", P), ("/bin/zsh", P + "/v1"), ("", P + "/v1")]
)
def test_the_files_of_the_users_shell_decide(tmp_path: Path, shell: str, value: str) -> None:
    evidence = look(tmp_path, BOTH_SHELLS, SHELL=shell)
    assert [each.value for each in of(evidence, "claude-code")] == [value]
    assert {each.value for each in evidence.variables} == {P, P + "/v1"}


def test_the_files_of_every_session_come_after_those_of_the_shell(tmp_path: Path) -> None:
    files = {".profile": f"export ANTHROPIC_BASE_URL={P}/a\n", **BOTH_SHELLS}
    assert [each.value for each in of(look(tmp_path, files, SHELL="/bin/zsh"), "claude-code")] == [P + "/a"]


def test_a_variable_that_is_not_exported_is_no_clients(tmp_path: Path) -> None:
    evidence = look(tmp_path, {".bashrc": f"ANTHROPIC_BASE_URL={P}\n"})
    assert of(evidence, "claude-code") == []
    assert [each.exported for each in evidence.variables] == [False]


def test_a_variable_inside_an_if_may_not_be_set(tmp_path: Path) -> None:
    evidence = look(tmp_path, {".bashrc": f"if x; then export ANTHROPIC_BASE_URL={P}; fi\n"})
    assert [each.maybe for each in (*of(evidence, "claude-code"), *evidence.variables)] == [True, True]


# --- which entry is in use -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "unused"),
    [
        ("", ("model_provider", "mine")),
        ('model_provider = "openai"', ("model_provider", "mine")),
        ('model_provider = "mine"', None),
        ('profiles.work.model_provider = "mine"', None),
    ],
)
def test_a_provider_of_codex_is_in_use_where_a_setting_names_it(
    tmp_path: Path, head: str, unused: tuple[str, str] | None
) -> None:
    text = f'{head}\n[model_providers.mine]\nbase_url = "{P}/v1"\n'
    assert [each.unused for each in of(look(tmp_path, {".codex/config.toml": text}), "codex")] == [unused]


@pytest.mark.parametrize(
    ("more", "mode"),
    [
        ("model: openai/gpt-5", "openai"),
        ("model: anthropic/claude-sonnet-4-5", "anthropic"),
        ("model: groq/llama", None),
        ("model: gpt-5", None),
        ("{model: openai/gpt-5, custom_llm_provider: anthropic}", "anthropic"),
    ],
)
def test_litellm_tells_the_provider_by_the_beginning_of_the_model(tmp_path: Path, more: str, mode: str | None) -> None:
    lines = [each.strip() for each in more.strip("{}").split(",")]
    text = "model_list:\n  - litellm_params:\n" + "".join(f"      {each}\n" for each in [*lines, f"api_base: {P}/v1"])
    found = of(look(tmp_path, {"work/config.yaml": text}), "litellm")
    assert [each.mode is not None and each.mode.partition("-")[0] for each in found] == [mode or False]


@pytest.mark.parametrize("file", [".config/Code/User/profiles/ab12/settings.json", "work/.vscode/settings.json"])
def test_claude_codes_extension_is_read_in_profiles_and_projects_too(tmp_path: Path, file: str) -> None:
    text = json.dumps({"claudeCode.environmentVariables": [{"name": "ANTHROPIC_BASE_URL", "value": P}]})
    evidence = look(tmp_path, {file: text})
    assert [each.spot.file for each in of(evidence, "claude-code")] == [f"~/{file}"]
    assert "claude-code" not in evidence.here  # the file is everybody's


# --- what is there and cannot be used --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inside", "reason"),
    [("// mine\n{url}", "json-strict-comment"), ("{url},", "json-strict-comma")],
)
def test_a_client_that_reads_plain_json_drops_a_file_with_comments(tmp_path: Path, inside: str, reason: str) -> None:
    text = "{" + inside.replace("{url}", f'"env": {{"ANTHROPIC_BASE_URL": "{P}"}}') + "}"
    evidence = look(tmp_path, {".claude/settings.json": text})
    assert of(evidence, "claude-code") == []
    assert [(each.file, each.reason) for each in evidence.unreadable] == [("~/.claude/settings.json", reason)]


def test_a_link_that_leads_nowhere_is_said(tmp_path: Path) -> None:
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude/settings.json").symlink_to("nowhere.json")
    assert [each.reason for each in look(tmp_path, {}).unreadable] == ["link-broken"]


def test_links_in_a_circle_are_said(tmp_path: Path) -> None:
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude/settings.json").symlink_to("settings.json")
    assert [each.reason for each in look(tmp_path, {}).unreadable] == ["link-broken"]


@pytest.mark.parametrize("value", ["127.0.0.1", "127.0.0.1/v1", "http//127.0.0.1:8045/v1", "localhost", f'\\"{P}'])
def test_what_is_meant_as_a_base_url_is_looked_at_however_it_is_written(tmp_path: Path, value: str) -> None:
    text = f'{{"env": {{"ANTHROPIC_BASE_URL": "{value}"}}}}'
    assert len(of(look(tmp_path, {".claude/settings.json": text}), "claude-code")) == 1


@pytest.mark.parametrize("value", ["default", "", "none", "openai"])
def test_a_word_in_the_place_of_a_base_url_is_none(tmp_path: Path, value: str) -> None:
    text = f'{{"env": {{"ANTHROPIC_BASE_URL": "{value}"}}}}'
    assert of(look(tmp_path, {".claude/settings.json": text}), "claude-code") == []


# --- one file, several sources ---------------------------------------------------------------------------------------


def test_a_file_that_two_sources_of_a_client_name_is_read_for_both(tmp_path: Path) -> None:
    text = json.dumps(
        {
            "modelProviders": {"gemini": [{"baseUrl": P}]},
            "env": {"OPENAI_BASE_URL": P},
            "security": {"auth": {"selectedType": "openai", "baseUrl": P}},
        }
    )
    names = {each.spot.name for each in of(look(tmp_path, {".qwen/settings.json": text}), "qwen-code")}
    assert names == {"modelProviders.gemini.0.baseUrl", "env.OPENAI_BASE_URL", "security.auth.baseUrl"}


@pytest.mark.parametrize("name", ["OPENAI_API_BASE", "OPENAI_BASE_URL"])
def test_every_variable_of_a_projects_env_file_that_aider_reads_is_found(tmp_path: Path, name: str) -> None:
    found = of(look(tmp_path, {"work/.env": f"{name}={P}\n"}), "aider")
    assert [each.spot.name for each in found] == [name]


def test_a_client_that_was_asked_for_is_taken_for_one_of_this_machine(tmp_path: Path) -> None:
    assert "gemini-cli" in look(tmp_path, {}, only="gemini-cli").here


def test_a_virtual_environment_called_env_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "work/.env").mkdir(parents=True)
    assert look(tmp_path, {}).unreadable == ()


# --- what is here ----------------------------------------------------------------------------------------------------


def test_a_program_on_the_path_makes_its_client_one_of_this_machine(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "claude"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert "claude-code" in look(tmp_path, {}, PATH=str(program.parent)).here
    assert "claude-code" not in look(tmp_path, {}).here


def test_a_closed_place_is_named_with_where_to_type_it(tmp_path: Path) -> None:
    (tmp_path / ".config/CherryStudio/Local Storage/leveldb").mkdir(parents=True)
    closed = [each for each in look(tmp_path, {}).closed if each.client == "cherry-studio"]
    assert closed
    assert closed[0].because == "leveldb"
    assert closed[0].type_it


def test_one_client_alone_can_be_looked_for(tmp_path: Path) -> None:
    files = {
        ".claude/settings.json": f'{{"env": {{"ANTHROPIC_BASE_URL": "{P}"}}}}',
        ".gemini/.env": f"GOOGLE_GEMINI_BASE_URL={P}\n",
    }
    assert {each.client for each in look(tmp_path, files, only="gemini-cli").found} == {"gemini-cli"}


def test_an_empty_machine_has_nothing(tmp_path: Path) -> None:
    assert look(tmp_path, {}) == Evidence(here=look(tmp_path, {}).here)


def test_no_file_is_written_and_none_is_opened_for_writing(tmp_path: Path) -> None:
    opened: list[str] = []
    armed = threading.Event()

    def watch(event: str, args: tuple[object, ...]) -> None:
        if armed.is_set() and event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
            opened.append(str(args[0]))

    sys.addaudithook(watch)
    all_files = {name: text for case in CASES.values() for name, text in case[1].items()}
    look(tmp_path, all_files)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    armed.set()
    read_client_settings(Machine("linux", "linux", {"HOME": str(tmp_path)}, str(tmp_path), str(tmp_path / "work")))
    armed.clear()
    assert opened == []
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize(
    ("platform", "environment", "system", "home"),
    [
        ("linux", {"HOME": "/home/a"}, "linux", "/home/a"),
        ("darwin", {"HOME": "/Users/a"}, "macos", "/Users/a"),
        ("win32", {"USERPROFILE": r"C:\Users\a", "HOME": "/c/Users/a"}, "windows", r"C:\Users\a"),
        ("win32", {"HOME": r"C:\Users\b"}, "windows", r"C:\Users\b"),
    ],
)
def test_the_machine_is_what_the_environment_says(
    platform: str, environment: dict[str, str], system: str, home: str
) -> None:
    machine = this_machine(environment, platform, "/work")
    assert (machine.system, machine.home) == (system, home)
