"""`agdoctor scan`: what is set on this machine, judged; `--fix` and `--undo`: corrected, and taken back."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from antigravity_doctor.diagnosis.proxy_model import ServerConfig
from antigravity_doctor.knowledge.texts import Code, all_codes
from antigravity_doctor.servers.stand_in import run_in_thread
from tests.support.examples import codes_in, run_example
from tests.support.hostile import hostile
from tests.support.schemas import assert_valid
from tests.support.settings_home import Home, claude

P = "http://127.0.0.1:8045"
SCAN_CODES = [each for each in all_codes() if each.example["kind"] == "scan"]
CLAUDE = ".claude/settings.json"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


# --- the codes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", SCAN_CODES, ids=lambda entry: entry.code)
def test_the_example_shows_the_code(entry: Code) -> None:
    code, document = run_example(entry.example)
    assert codes_in(document)[entry.code] == entry.severity
    assert code == int("error" in codes_in(document).values())


@pytest.mark.parametrize("entry", SCAN_CODES, ids=lambda entry: entry.code)
def test_the_twin_is_silent(entry: Code) -> None:
    assert entry.code not in codes_in(run_example(entry.twin)[1])


# --- the report ------------------------------------------------------------------------------------------------------


def test_each_client_gets_its_own_answer(home: Home) -> None:
    home.put({
        CLAUDE: claude(P + "/v1"),
        ".codex/config.toml": f'model_provider = "x"\n[model_providers.x]\nbase_url = "{P}/v1"\n',
        ".gemini/.env": "GOOGLE_GEMINI_BASE_URL=https://generativelanguage.googleapis.com\n",
    })  # fmt: skip
    document = home.scan()
    assert_valid(document)
    assert {each["client"]["id"]: each["state"] for each in document["clients"]} == {
        "claude-code": "wrong", "codex": "right", "gemini-cli": "elsewhere",
    }  # fmt: skip
    assert document["summary"] | {"right": 1, "wrong": 1, "elsewhere": 1} == document["summary"]
    assert document["exit_code"] == 1


def test_the_terminal_says_place_request_finding_and_what_to_set(home: Home) -> None:
    home.put({CLAUDE: claude(P + "/v1")})
    out = home.run("scan", "--offline", env={"COLUMNS": "120"}).out
    assert f"~/.claude/settings.json:3:27 env.ANTHROPIC_BASE_URL = {P}/v1" in out
    assert "POST /v1/v1/messages" in out
    assert "AGD301" in out
    assert f"Set it to {P}\n" in out


def test_one_client_alone(home: Home) -> None:
    home.put({CLAUDE: claude(P + "/v1"), ".gemini/.env": f"GOOGLE_GEMINI_BASE_URL={P}\n"})
    assert [each["client"]["id"] for each in home.scan("gemini-cli")["clients"]] == ["gemini-cli"]


@pytest.mark.parametrize(("argv", "hint"), [((), "was found"), (("codex",), "agdoctor recommend --client codex")])
def test_where_nothing_is_set_that_is_said(home: Home, argv: tuple[str, ...], hint: str) -> None:
    ended = home.run("scan", "--offline", *argv)
    assert ended.code == 0
    assert hint in " ".join(ended.out.split())


def test_everything_is_compared_with_the_proxy_that_answers(home: Home) -> None:
    with run_in_thread(ServerConfig("4.0.9")) as running:
        home.put({CLAUDE: claude(running.url)})
        ended = home.run("scan", "--port", str(running.port), "--json")
    document = json.loads(ended.out)
    assert document["target"]["answering"] == "proxy"
    assert document["clients"][0]["state"] == "right"


def test_the_port_of_the_proxys_own_settings_is_taken(home: Home) -> None:
    home.put({CLAUDE: claude("http://127.0.0.1:9123"), ".antigravity_tools/gui_config.json": '{"proxy":{"port":9123}}'})
    document = home.scan()
    assert document["target"] == {
        "origin": "http://127.0.0.1:9123", "source": "gui_config.json", "answering": "unasked", "proxy_version": None,
    }  # fmt: skip
    assert document["clients"][0]["state"] == "right"


def test_a_port_where_nothing_listens_is_stale(home: Home) -> None:
    with run_in_thread(ServerConfig()) as running, hostile("refused") as closed:
        home.put({CLAUDE: claude(closed.origin)})
        document = json.loads(home.run("scan", "--port", str(running.port), "--json").out)
    judged = document["clients"][0]["settings"][0]
    assert judged["state"] == "stale"
    assert judged["fixes"][0]["base_url"] == running.url


def test_a_port_of_another_program_is_left_alone(home: Home) -> None:
    with run_in_thread(ServerConfig()) as running, hostile("ollama") as other:
        home.put({CLAUDE: claude(other.origin)})
        ended = home.run("scan", "--port", str(running.port))
    assert ended.code == 0
    assert "Ollama answers on port" in ended.out


def test_without_a_proxy_the_settings_are_judged_all_the_same(home: Home) -> None:
    home.put({CLAUDE: claude(P + "/v1")})
    with hostile("refused") as closed:
        home.put({CLAUDE: claude(closed.origin + "/v1")})
        ended = home.run("scan", "--port", closed.origin.rpartition(":")[2])
    assert ended.code == 1
    assert "nothing listens there now" in ended.out
    assert "AGD510" in ended.out


@pytest.mark.parametrize("value", [P + "/\x1b[31mred", P + "/[bold]x", P + "/" + "x" * 5000])
def test_nothing_raw_of_a_file_reaches_the_terminal(home: Home, value: str) -> None:
    home.put({CLAUDE: claude(value)})
    ended = home.run("scan", "--offline")
    assert "\x1b[31m" not in ended.all
    assert max(map(len, ended.out.splitlines())) < 400


@pytest.mark.parametrize("value", ["http://me:hunter2-secret@127.0.0.1:8045", f"{P}/?key=sk-hunter2-secret-123456"])
@pytest.mark.parametrize(
    "argv", [("scan",), ("scan", "--json"), ("scan", "--fix", "--dry-run"), ("check",), ("report",)]
)
def test_a_key_in_a_base_url_is_not_shown(home: Home, value: str, argv: tuple[str, ...]) -> None:
    home.put({CLAUDE: claude(value), ".env": f"OPENAI_BASE_URL={value}\n"})
    assert "hunter2" not in home.run(*argv, env={"ANTHROPIC_BASE_URL": value}).all


def test_without_a_home_folder_nothing_breaks(tmp_path: Path) -> None:
    assert Home(tmp_path).run("scan", "--offline", env={"HOME": "", "USERPROFILE": ""}).code in (0, 1)


# --- in check --------------------------------------------------------------------------------------------------------


def client_check(home: Home, port: int, *more: str) -> dict[str, Any]:
    document = json.loads(home.run("check", "--port", str(port), "--json", *more).out)
    found: dict[str, Any] = next(each for each in document["stages"][-1]["checks"] if each["id"] == "client-settings")
    return found


@pytest.mark.parametrize(
    ("path", "status"), [("/v1", "fail"), ("", "pass")],
)  # fmt: skip
def test_check_ends_with_the_settings_of_this_machine(home: Home, path: str, status: str) -> None:
    with run_in_thread(ServerConfig()) as running:
        home.put({CLAUDE: claude(running.url + path)})
        found = client_check(home, running.port)
    assert found["status"] == status
    assert found["findings"] == (["AGD510"] if status == "fail" else [])


def test_check_of_a_client_looks_at_that_client_only(home: Home) -> None:
    with run_in_thread(ServerConfig()) as running:
        home.put({CLAUDE: claude(running.url + "/v1")})
        found = client_check(home, running.port, "--client", "codex")
    assert (found["status"], found["because"]) == ("skipped", "No base URL of a known client is set on this machine.")


def test_check_of_another_machine_reads_no_settings(home: Home) -> None:
    home.put({CLAUDE: claude(P + "/v1")})
    document = json.loads(home.run("check", "--url", "http://192.0.2.1:8045", "--timeout", "0.2", "--json").out)
    assert document["stages"][-1]["checks"][-1]["because"] == "The proxy is on another machine."


# --- --fix -----------------------------------------------------------------------------------------------------------

WRONG: dict[str, tuple[str, bytes, bytes]] = {
    "claude-code": (
        CLAUDE,
        b'{\r\n\t"env": {"A": 1,  "ANTHROPIC_BASE_URL" : "http://127.0.0.1:8045/v1"  },\r\n\t"x": [1,2]\r\n}',
        b'{\r\n\t"env": {"A": 1,  "ANTHROPIC_BASE_URL" : "http://127.0.0.1:8045"  },\r\n\t"x": [1,2]\r\n}',
    ),
    "codex": (
        ".codex/config.toml",
        b"# top\nmodel_provider = 'x'\n[model_providers.x]   # mine\nname='x'\n"
        b"base_url = 'http://127.0.0.1:8045/v1/responses' # here\n",
        b"# top\nmodel_provider = 'x'\n[model_providers.x]   # mine\nname='x'\n"
        b"base_url = 'http://127.0.0.1:8045/v1' # here\n",
    ),
    "gemini-cli": (
        ".gemini/.env",
        b"\xef\xbb\xbf# a\nexport GOOGLE_GEMINI_BASE_URL=\"http://127.0.0.1:8045/v1beta\" # b\nGEMINI_API_KEY=k\n",
        b"\xef\xbb\xbf# a\nexport GOOGLE_GEMINI_BASE_URL=\"http://127.0.0.1:8045\" # b\nGEMINI_API_KEY=k\n",
    ),
    "opencode": (
        ".config/opencode/opencode.jsonc",
        b'{ // c\n "provider": {"google": {"options": {"baseURL": "http://127.0.0.1:8045/v1", }, }, }, /* d */ }\n',
        b'{ // c\n "provider": {"google": {"options": {"baseURL": "http://127.0.0.1:8045/v1beta", }, }, }, /* d */ }\n',
    ),
    "continue": (
        ".continue/config.yaml",
        b"models:\n  - provider: openai   # x\n    apiBase: http://127.0.0.1:8045\n    name: 'a'\n",
        b"models:\n  - provider: openai   # x\n    apiBase: http://127.0.0.1:8045/v1\n    name: 'a'\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("client", WRONG)
def test_only_the_value_changes_and_the_scan_is_content(home: Home, client: str) -> None:
    name, before, after = WRONG[client]
    home.put({name: before})
    ended = home.run("scan", client, "--fix", "--yes", "--offline")
    assert home.read(name) == after, ended.all
    assert ended.code == 0
    assert "Looked again" in ended.out


@pytest.mark.parametrize("client", WRONG)
def test_undo_brings_back_every_byte(home: Home, client: str) -> None:
    name, before, _ = WRONG[client]
    home.put({name: before})
    home.run("scan", client, "--fix", "--yes", "--offline")
    ended = home.run("scan", "--undo", "--yes")
    assert ended.code == 0
    assert home.read(name) == before
    assert "nothing to take back" in home.run("scan", "--undo", "--yes").out.lower()


def test_a_dry_run_shows_the_change_and_writes_nothing(home: Home) -> None:
    home.put({CLAUDE: claude(P + "/v1", apiKeyHelper="x", token="sk-very-secret-0123456789")})
    before = {path: path.stat().st_mtime_ns for path in home.folder.rglob("*")}
    out = home.run("scan", "--fix", "--dry-run", "--offline").out
    assert f'-    "ANTHROPIC_BASE_URL": "{P}/v1"' in out
    assert f'+    "ANTHROPIC_BASE_URL": "{P}"' in out
    assert "sk-very" not in out
    assert {path: path.stat().st_mtime_ns for path in home.folder.rglob("*")} == before


def test_the_backup_holds_the_old_bytes_and_the_mode_is_kept(home: Home) -> None:
    home.put({CLAUDE: claude(P + "/v1")})
    place = home.folder / CLAUDE
    place.chmod(0o600)
    before = place.read_bytes()
    home.run("scan", "--fix", "--yes", "--offline")
    backup = next(place.parent.glob("settings.json.agdoctor-*.bak"))
    assert backup.read_bytes() == before
    assert {stat.S_IMODE(each.stat().st_mode) for each in (place, backup)} == {0o600}


def test_a_link_is_followed_and_stays_a_link(home: Home) -> None:
    home.put({"dotfiles/claude.json": claude(P + "/v1")})
    (home.folder / ".claude").mkdir()
    (home.folder / CLAUDE).symlink_to(home.folder / "dotfiles/claude.json")
    home.run("scan", "--fix", "--yes", "--offline")
    assert (home.folder / CLAUDE).is_symlink()
    assert home.read("dotfiles/claude.json") == claude(P).encode()


def test_two_values_of_one_file_are_one_change(home: Home) -> None:
    text = json.dumps({"customModels": [
        {"provider": "anthropic", "baseUrl": P + "/v1"}, {"provider": "generic-chat-completion-api", "baseUrl": P},
    ]})  # fmt: skip
    home.put({".factory/settings.json": text})
    home.run("scan", "droid", "--fix", "--yes", "--offline")
    models = json.loads(home.read(".factory/settings.json"))["customModels"]
    assert [each["baseUrl"] for each in models] == [P, P + "/v1"]
    assert len(list((home.folder / ".factory").glob("*.bak"))) == 1


def test_a_value_that_two_clients_read_is_one_change(home: Home) -> None:
    name, before, after = WRONG["continue"]
    home.put({name: before})
    ended = home.run("scan", "--fix", "--yes", "--offline")
    assert home.read(name) == after, ended.all
    assert ended.code == 0


def test_where_two_clients_want_different_values_that_one_is_left_and_the_rest_is_corrected(home: Home) -> None:
    # Continue adds models/… to a Gemini base, Continue CLI v1beta/models/….
    text = (
        "models:\n  - provider: gemini\n    apiBase: http://127.0.0.1:8045/x\n"
        "  - provider: openai\n    apiBase: http://127.0.0.1:8045\n"
    )
    home.put({".continue/config.yaml": text})
    wanted = {
        each["client"]["id"]: [fix["base_url"] for one in each["settings"] for fix in one["fixes"]]
        for each in home.scan()["clients"]
    }
    ended = home.run("scan", "--fix", "--yes", "--offline")
    after = home.read(".continue/config.yaml").decode()
    assert "    apiBase: http://127.0.0.1:8045/v1\n" in after
    if wanted["continue"][0] != wanted["continue-cli"][0]:
        assert "http://127.0.0.1:8045/x" in after
        assert "Two clients read this value" in " ".join(ended.out.split())
        assert ended.code == 2


def test_a_value_that_cannot_be_replaced_does_not_hold_up_the_others_of_its_file(home: Home) -> None:
    text = (
        f"models:\n  - provider: openai\n    apiBase: {P}\n"
        f"  - provider: openai\n    apiBase: |  # note\n      {P}\n    name: a\n"
    )
    home.put({".continue/config.yaml": text})
    ended = home.run("scan", "--fix", "--yes", "--offline")
    assert home.read(".continue/config.yaml").decode() == text.replace(P, P + "/v1", 1)
    out = " ".join(ended.out.split())
    assert "Written: ~/.continue/config.yaml" in out
    assert "Not changed: models.1.apiBase in ~/.continue/config.yaml: A comment stands where" in out
    assert f"To do by hand: set models.1.apiBase to {P}/v1 (~/.continue/config.yaml:5:14)" in out
    assert ended.code == 2


def linked(home: Home) -> None:
    """A file of the settings of two editors: one is a link to the other."""
    for name in ("Code", "Cursor"):
        (home.folder / ".config" / name / "User").mkdir(parents=True)
    wrong = {"claudeCode.environmentVariables": [{"name": "ANTHROPIC_BASE_URL", "value": P + "/v1"}]}
    home.put({EDITOR: json.dumps(wrong, indent=1)})
    (home.folder / ".config/Cursor/User/settings.json").symlink_to(home.folder / EDITOR)


EDITOR = ".config/Code/User/settings.json"


@pytest.mark.skipif(sys.platform != "linux", reason="where editors keep their settings on Linux")
def test_a_file_with_two_names_is_one_change_and_one_question(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    linked(home)
    monkeypatch.setattr("tests.support.cli.Stream.isatty", lambda _: True)
    ended = home.run("scan", "claude-code", "--fix", "--offline", stdin=b"y\n")
    assert ended.code == 0, ended.all
    assert ended.err.count("[y/N]") == 1
    assert (P + "/v1").encode() not in home.read(EDITOR)
    both = "~/.config/Code/User/settings.json and ~/.config/Cursor/User/settings.json are one file"
    assert both in " ".join(ended.out.split())
    assert (home.folder / ".config/Cursor/User/settings.json").is_symlink()


# --- --fix of variables that a file holds ----------------------------------------------------------------------------

GEMINI = "# mine\nGOOGLE_GEMINI_BASE_URL={}  # here\nA=1\n"


def test_a_variable_in_the_projects_env_file_is_corrected_without_any_client_of_it_here(home: Home) -> None:
    home.put({"project/.env": GEMINI.format(P + "/v1beta")})
    ended = home.run("scan", "--fix", "--yes", "--offline", at="project")
    assert ended.code == 0, ended.all
    assert home.read("project/.env").decode() == GEMINI.format(P)


@pytest.mark.skipif(sys.platform != "linux", reason="where editors keep their settings on Linux")
def test_a_variable_for_an_editors_terminals_is_corrected(home: Home) -> None:
    text = '{{\n  // mine\n  "terminal.integrated.env.linux": {{"GOOGLE_GEMINI_BASE_URL": "{}"}},\n}}\n'
    home.put({EDITOR: text.format(P + "/v1beta")})
    assert home.run("scan", "--fix", "--yes", "--offline").code == 0
    assert home.read(EDITOR).decode() == text.format(P)


def test_a_variable_and_a_client_that_read_the_same_value_are_one_change(home: Home) -> None:
    home.put({"project/.env": GEMINI.format(P + "/v1beta"), "project/.gemini/settings.json": "{}"})
    ended = home.run("scan", "--fix", "--yes", "--offline", at="project")
    assert (ended.code, ended.out.count("Written:")) == (0, 1)
    assert home.read("project/.env").decode() == GEMINI.format(P)


@pytest.mark.parametrize("value", [P, P + "/v1"])
def test_a_variable_that_is_right_for_somebody_is_left_alone(home: Home, value: str) -> None:
    text = f"OPENAI_BASE_URL={value}\n"
    home.put({"project/.env": text})
    home.run("scan", "--fix", "--yes", "--offline", at="project")
    assert home.read("project/.env").decode() == text


def test_a_variable_with_a_password_in_it_is_left_to_the_user(home: Home) -> None:
    text = GEMINI.format("http://me:pw@127.0.0.1:8045/v1beta")
    home.put({"project/.env": text})
    home.run("scan", "--fix", "--yes", "--offline", at="project")
    assert home.read("project/.env").decode() == text


def test_a_variable_is_left_alone_where_another_program_is_in_the_proxys_place(home: Home) -> None:
    with hostile("ollama") as other:
        text = GEMINI.format(other.origin + "/v1beta")
        home.put({"project/.env": text})
        home.run("scan", "--fix", "--yes", "--port", other.origin.rpartition(":")[2], at="project")
    assert home.read("project/.env").decode() == text


@pytest.mark.parametrize("name", ["", ".bashrc"])
def test_a_variable_that_no_file_of_settings_holds_is_to_be_typed_by_hand(home: Home, name: str) -> None:
    if name:
        home.put({name: f"export GOOGLE_GEMINI_BASE_URL={P}/v1beta\n"})
    ended = home.run(
        "scan", "--fix", "--yes", "--offline", env={} if name else {"GOOGLE_GEMINI_BASE_URL": P + "/v1beta"}
    )
    assert f"Set it to {P}\n" in ended.out
    assert "is to be typed by hand, as shown above" in " ".join(ended.out.split())


# --- --fix of what cannot be read ------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [("--yes",), ("--dry-run",)])
def test_a_named_client_whose_file_does_not_parse_is_not_called_in_order(home: Home, more: tuple[str, ...]) -> None:
    home.put({CLAUDE: '{"env": {'})
    ended = home.run("scan", "claude-code", "--fix", *more, "--offline")
    out = " ".join(ended.out.split())
    assert "Could not be looked into: ~/.claude/settings.json:1:10: The file ends in the middle" in out
    assert "→ Add what is missing at the end of the file." in out.rpartition("Could not be looked into")[2]
    assert "Nothing to correct in files." not in out
    assert ended.code == 2


def test_without_a_name_a_file_that_does_not_parse_is_said_and_no_failure(home: Home) -> None:
    home.put({CLAUDE: '{"env": {'})
    ended = home.run("scan", "--fix", "--yes", "--offline")
    assert "Could not be looked into: ~/.claude/settings.json:1:10" in " ".join(ended.out.split())
    assert ended.code == 0


def test_what_can_be_read_of_a_named_client_is_corrected_next_to_what_cannot(home: Home) -> None:
    home.put({CLAUDE: claude(P + "/v1"), "project/.claude/settings.json": "{"})
    ended = home.run("scan", "claude-code", "--fix", "--yes", "--offline", at="project")
    assert home.read(CLAUDE) == claude(P).encode()
    assert "Could not be looked into: ~/project/.claude/settings.json:1:2" in " ".join(ended.out.split())
    assert ended.code == 2


# --- --fix goes no further -------------------------------------------------------------------------------------------


def test_another_programs_port_is_not_led_to_the_proxy(home: Home) -> None:
    text = '[model_providers.ollama]\nbase_url = "http://localhost:11434/v1"\n'
    home.put({".codex/config.toml": text})
    with run_in_thread(ServerConfig()) as running:
        ended = home.run("scan", "--fix", "--yes", "--port", str(running.port))
    assert ended.code == 0
    assert home.read(".codex/config.toml") == text.encode()


def test_a_port_of_unknown_owner_is_corrected_only_where_the_client_is_named(home: Home) -> None:
    with run_in_thread(ServerConfig()) as running, hostile("refused") as closed:
        home.put({CLAUDE: claude(closed.origin)})
        port = ("--port", str(running.port))
        assert home.run("scan", "--fix", "--yes", *port).code == 0
        assert home.read(CLAUDE) == claude(closed.origin).encode()
        assert home.run("scan", "claude-code", "--fix", "--yes", *port).code == 0
        assert home.read(CLAUDE) == claude(running.url).encode()


def test_a_proxy_that_is_not_started_is_not_replaced_by_another_one(home: Home) -> None:
    with run_in_thread(ServerConfig()) as another, hostile("refused") as closed:
        port = closed.origin.rpartition(":")[2]
        home.put(
            {CLAUDE: claude(closed.origin), ".antigravity_tools/gui_config.json": f'{{"proxy":{{"port":{port}}}}}'}
        )
        document = json.loads(home.run("scan", "--json").out)
        del another
    assert document["target"]["origin"] == closed.origin
    assert document["target"]["answering"] == "nothing"
    assert document["clients"][0]["state"] == "right"


def test_ctrl_c_at_the_question_ends_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.put({CLAUDE: claude(P + "/v1"), WRONG["codex"][0]: WRONG["codex"][1]})
    monkeypatch.setattr("tests.support.cli.Stream.isatty", lambda _: True)

    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("tests.support.cli.Stream.readline", interrupted, raising=False)
    ended = home.run("scan", "--fix", "--offline")
    assert ended.code == 130
    assert ended.err.count("[y/N]") == 1
    assert home.read(CLAUDE) == claude(P + "/v1").encode()


@pytest.mark.parametrize(
    ("files", "environment"),
    [
        ({CLAUDE: claude("https://api.anthropic.com")}, {}),
        ({CLAUDE: claude(P)}, {}),
        ({CLAUDE: '{"env": {'}, {}),
        ({}, {"GOOGLE_GEMINI_BASE_URL": P + "/v1beta"}),
        ({".bashrc": f"export GOOGLE_GEMINI_BASE_URL={P}/v1beta\n"}, {}),
    ],
    ids=["a vendor's", "right", "broken", "a variable", "a start-up file"],
)
def test_what_is_not_to_be_written_is_not(home: Home, files: dict[str, str], environment: dict[str, str]) -> None:
    home.put(files)
    before = {path: path.read_bytes() for path in home.folder.rglob("*") if path.is_file()}
    home.run("scan", "--fix", "--yes", "--offline", env=environment)
    assert {path: path.read_bytes() for path in home.folder.rglob("*") if path.is_file()} == before


def test_a_write_protected_file_is_said_with_what_to_do_by_hand(home: Home) -> None:
    home.put({CLAUDE: claude(P + "/v1")})
    (home.folder / CLAUDE).chmod(0o400)
    ended = home.run("scan", "--fix", "--yes", "--offline")
    assert ended.code == 2
    assert "write-protected" in ended.out
    by_hand = f"To do by hand: set env.ANTHROPIC_BASE_URL to {P} (~/.claude/settings.json:3:27)"
    assert by_hand in " ".join(ended.out.split())


@pytest.mark.parametrize(
    ("answer", "changed"), [(b"y\n", True), (b"YES\n", True), (b"n\n", False), (b"\n", False), (b"", False)]
)
def test_it_asks_and_only_a_yes_is_one(
    home: Home, monkeypatch: pytest.MonkeyPatch, answer: bytes, changed: bool
) -> None:  # fmt: skip
    home.put({CLAUDE: claude(P + "/v1")})
    monkeypatch.setattr("tests.support.cli.Stream.isatty", lambda _: True)
    ended = home.run("scan", "--fix", "--offline", stdin=answer)
    assert "[y/N]" in ended.err
    assert (home.read(CLAUDE) == claude(P).encode()) is changed


def test_without_a_terminal_it_does_not_guess_the_answer(home: Home) -> None:
    home.put({CLAUDE: claude(P + "/v1")})
    ended = home.run("scan", "--fix", "--offline")
    assert ended.code == 2
    assert "--yes" in ended.err
    assert home.read(CLAUDE) == claude(P + "/v1").encode()


def test_undo_takes_back_all_files_of_the_last_run_and_no_others(home: Home) -> None:
    for client in ("claude-code", "codex", "gemini-cli"):
        home.put({WRONG[client][0]: WRONG[client][1]})
    home.run("scan", "gemini-cli", "--fix", "--yes", "--offline")
    home.run("scan", "--fix", "--yes", "--offline")
    home.run("scan", "--undo", "--yes")
    assert home.read(WRONG["claude-code"][0]) == WRONG["claude-code"][1]
    assert home.read(WRONG["codex"][0]) == WRONG["codex"][1]
    assert home.read(WRONG["gemini-cli"][0]) == WRONG["gemini-cli"][2]
    home.run("scan", "--undo", "--yes")
    assert home.read(WRONG["gemini-cli"][0]) == WRONG["gemini-cli"][1]


def test_a_run_that_cannot_be_taken_back_does_not_stand_before_an_older_one(home: Home) -> None:
    for client in ("claude-code", "codex"):
        home.put({WRONG[client][0]: WRONG[client][1]})
    home.run("scan", "claude-code", "--fix", "--yes", "--offline")
    home.run("scan", "codex", "--fix", "--yes", "--offline")
    (home.folder / WRONG["codex"][0]).unlink()
    assert home.run("scan", "--undo", "--yes").code == 0
    assert home.read(WRONG["claude-code"][0]) == WRONG["claude-code"][1]


def test_in_a_repository_it_is_said_that_the_backup_must_not_be_committed(home: Home) -> None:
    (home.folder / ".git").mkdir()
    home.put({CLAUDE: claude(P + "/v1")})
    assert "Do not commit it" in " ".join(home.run("scan", "--fix", "--yes", "--offline").out.split())


def test_a_pipe_in_a_files_place_is_not_waited_for(home: Home) -> None:
    home.put({CLAUDE: claude(P + "/v1")})
    home.run("scan", "--fix", "--yes", "--offline")
    (home.folder / CLAUDE).unlink()
    os.mkfifo(home.folder / CLAUDE)
    assert home.run("scan", "--undo", "--dry-run").code == 2
    assert home.run("scan", "--fix", "--yes", "--offline").code == 0


def test_undo_leaves_alone_what_was_changed_since(home: Home) -> None:
    home.put({CLAUDE: claude(P + "/v1")})
    home.run("scan", "--fix", "--yes", "--offline")
    home.put({CLAUDE: claude(P, model="opus")})
    ended = home.run("scan", "--undo", "--yes")
    assert ended.code == 2
    assert "changed after" in " ".join(ended.out.split())
    assert home.read(CLAUDE) == claude(P, model="opus").encode()


@pytest.mark.parametrize("more", [(), ("--dry-run",)], ids=["asking", "dry run"])
def test_undo_neither_promises_nor_asks_for_what_it_will_not_do(
    home: Home, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    home.put({CLAUDE: claude(P + "/v1")})
    home.run("scan", "--fix", "--yes", "--offline")
    home.put({CLAUDE: claude(P, model="opus")})
    monkeypatch.setattr("tests.support.cli.Stream.isatty", lambda _: True)
    ended = home.run("scan", "--undo", *more, stdin=b"y\n")
    out = " ".join(ended.out.split())
    assert "changed after" in out
    assert "is restored from" not in out
    assert "[y/N]" not in ended.err
    assert ended.code == 2


def test_a_dry_undo_says_what_would_be_restored_from_where(home: Home) -> None:
    home.put({CLAUDE: claude(P + "/v1")})
    home.run("scan", "--fix", "--yes", "--offline")
    ended = home.run("scan", "--undo", "--dry-run")
    (backup,) = (home.folder / ".claude").glob("*.bak")
    assert f"is restored from ~/.claude/{backup.name}" in " ".join(ended.out.split())
    assert (ended.code, home.read(CLAUDE)) == (0, claude(P).encode())


def test_undo_of_a_file_that_is_gone_says_where_its_content_is(home: Home) -> None:
    home.put({CLAUDE: claude(P + "/v1")})
    home.run("scan", "--fix", "--yes", "--offline")
    (home.folder / CLAUDE).unlink()
    (backup,) = (home.folder / ".claude").glob("*.bak")
    ended = home.run("scan", "--undo", "--yes")
    assert f"What it was before lies in ~/.claude/{backup.name}" in " ".join(ended.out.split())
    assert "Scan again" not in ended.out
    assert ended.code == 2


@pytest.mark.parametrize(
    "argv",
    [
        ("--fix", "--undo"),
        ("--yes",),
        ("--dry-run",),
        ("--fix", "--json"),
        ("no-such-client",),
        ("--port", "x"),
        ("codex", "--undo"),
    ],
    ids=" ".join,
)
def test_bad_usage_is_one_sentence(home: Home, argv: tuple[str, ...]) -> None:
    ended = home.run("scan", *argv)
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("agdoctor: ")
    assert len(ended.err.splitlines()) == 1


def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    from tests.support.cli import run

    gone = tmp_path / "gone"
    gone.mkdir()
    before = Path.cwd()
    os.chdir(gone)
    gone.rmdir()
    try:
        ended = run("scan", "--offline", env={"HOME": str(tmp_path)})
    finally:
        os.chdir(before)
    assert ended.code == 2
    assert "folder" in ended.err
