"""The documentation is true: commands parse, outputs are the real ones, links lead somewhere, nothing is missing."""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS))

import build  # noqa: E402
import make_picture  # noqa: E402
from doc_tools import blocks, sessions  # noqa: E402

from antigravity_doctor.cli.main import COMMANDS, load  # noqa: E402
from antigravity_doctor.knowledge.clients import all_clients  # noqa: E402
from antigravity_doctor.knowledge.texts import all_codes  # noqa: E402

PAGES = sorted(path.relative_to(ROOT).as_posix() for path in [ROOT / "README.md", *DOCS.rglob("*.md")])
BUILT = [path.relative_to(ROOT).as_posix() for path in build.page_paths()]
_REPAIR = "run  python docs/build.py"


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


# --- commands ------------------------------------------------------------------------------------------------------


def fault_of(command: str) -> str | None:
    """What is wrong with a command line, None if the real command line takes it."""
    found = sessions.parse(command)
    assert found is not None
    name, *arguments = found.argv or ("--help",)
    if name in ("--help", "-h", "--version"):
        return None
    if name not in COMMANDS:
        return f"there is no command {name}"
    try:
        load(name).make_context(name, [each for each in arguments if each not in ("--help", "-h")])
    except Exception as error:
        return str(error) or type(error).__name__
    return None


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_a_page_shows_is_one(page: str) -> None:
    faults = [
        f"{page}:{shown.line}: {shown.command}: {fault}"
        for shown in blocks.shown_commands(text_of(page))
        if (fault := fault_of(shown.command)) is not None
    ]
    assert not faults


@pytest.mark.parametrize(
    "command", ["agdoctor chekc", "agdoctor check --prot 1", "agdoctor explain A B", "agdoctor stand-in --delay soon"]
)
def test_a_command_that_is_none_is_noticed(command: str) -> None:
    assert fault_of(command) is not None


def test_commands_are_found_in_every_kind_of_block() -> None:
    page = "\n".join(
        [
            "Say `agdoctor routes`.", "```sh", "cat x | agdoctor explain-path -", "curl a &", "```",
            "```console", "$ agdoctor clients", "agdoctor is not a command here", "```",
            "```yaml", "- run: agdoctor check --port 1", "```", "```python", "agdoctor = 1", "```",
        ]
    )  # fmt: skip
    found = [(shown.command, shown.line) for shown in blocks.shown_commands(page)]
    assert found == [
        ("agdoctor explain-path -", 3),
        ("agdoctor clients", 7),
        ("agdoctor check --port 1", 11),
        ("agdoctor routes", 1),
    ]


# --- what is made --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", BUILT)
def test_outputs_help_texts_and_generated_pages_are_current(page: str) -> None:
    assert text_of(page) == build.page_now(ROOT / page), _REPAIR


@pytest.mark.parametrize("picture", make_picture.PICTURES, ids=lambda picture: picture.name)
def test_pictures_are_current(picture: make_picture.Picture) -> None:
    assert make_picture.is_current(picture), _REPAIR


def test_a_picture_of_another_session_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    picture = make_picture.PICTURES[0]
    other = make_picture.drawn(picture._replace(command="agdoctor explain-path /v1/models"))
    monkeypatch.setattr(make_picture, "IMAGES", tmp_path)
    (tmp_path / f"{picture.name}.svg").write_text(other, encoding="utf-8")
    assert not make_picture.is_current(picture)


def test_a_picture_is_drawn_the_same_each_time() -> None:
    picture = make_picture.PICTURES[0]
    assert make_picture.drawn(picture) == make_picture.drawn(picture)


def test_a_picture_loads_nothing() -> None:
    for path in (DOCS / "images").glob("*.svg"):
        assert not re.search(r"@import|@font-face|href=|url\((?!#)", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES)
def test_python_in_a_page_runs(page: str) -> None:
    for code in re.findall(r"(?ms)^```python\n(.*?)^```$", text_of(page)):
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(code, page, "exec"), {})  # noqa: S102 - our own page


# --- links ---------------------------------------------------------------------------------------------------------


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page: GitHub's of its headings, and those that are set by hand."""
    text = re.sub(r"(?ms)^```.*?^```$", "", page.read_text(encoding="utf-8"))
    found = set(re.findall(r'<a id="([^"]+)">', text))
    for heading in re.findall(r"(?m)^#{1,6} (.+)$", text):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    here = ROOT / page
    prose = re.sub(r"(?ms)^```.*?^```$|`[^`\n]*`", "", text_of(page))
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (here.parent / path).resolve() if path else here
        if not file.exists() or (anchor and anchor not in anchors_of(file)):
            dead.append(target)
    assert not dead


@pytest.mark.parametrize("page", PAGES)
def test_every_page_can_be_reached_from_the_map(page: str) -> None:
    reached, waiting = set(), [ROOT / "README.md", DOCS / "index.md"]
    while waiting:
        here = waiting.pop()
        if here in reached or here.suffix != ".md" or not here.exists():
            continue
        reached.add(here)
        for target in re.findall(r"\]\(([^)\s#]+)", here.read_text(encoding="utf-8")):
            if not re.match(r"[a-z]+:", target):
                waiting.append((here.parent / target).resolve())
    assert ROOT / page in reached


# --- nothing is missing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_page_with_its_help_options_and_exit_codes(command: str) -> None:
    text = text_of(f"docs/commands/{command}.md")
    assert f"$ agdoctor {command} --help\n" in text
    assert "## Exit codes" in text
    assert f"(commands/{command}.md)" in text_of("docs/index.md")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command_is_explained_on_its_page(command: str) -> None:
    prose = re.sub(r"(?ms)^```.*?^```$", "", text_of(f"docs/commands/{command}.md"))
    options = [each.opts[0] for each in load(command).params if each.opts[0].startswith("--")]
    everywhere = {"--help", "--format", "--json"}
    missing = [option for option in options if option not in everywhere and f"`{option}" not in prose]
    assert not missing


def test_every_code_has_an_anchor() -> None:
    assert {each.code.lower() for each in all_codes()} <= anchors_of(DOCS / "findings.md")


def test_every_client_has_an_anchor() -> None:
    assert {each.id for each in all_clients()} <= anchors_of(DOCS / "base-urls.md")


def test_every_package_has_its_room_in_the_architecture() -> None:
    rooms = {path.parent.name for path in (ROOT / "antigravity_doctor").glob("*/__init__.py")}
    assert rooms <= set(re.findall(r"(?m)^\| `(\w+)/` \|", text_of("docs/architecture.md")))


_DOCUMENTS = {
    "explain-path": [("explain-path", "/v1/v1/messages", "--json")],
    "recommend": [("recommend", "--client", "kilo-code", "--json"), ("recommend", "--all", "--json")],
    "simulate": [("simulate", "--client", "claude-code", "--base-url", "http://127.0.0.1:8045/v1", "--json")],
    "check": [("check", "--demo", "--client", "claude-code", "--base-url", "http://127.0.0.1:8045/v1", "--json")],
    "trace": [("trace", "--replay", str(sessions.TRACES / "claude-code.jsonl"), "--json")],
    "logs": [("logs", str(ROOT / "tests" / "data" / "logs" / "access.log"), "--json")],
    "explain": [("explain", "--all", "--json")],
    "routes": [("routes", "--json"), ("routes", "--history", "--json")],
}


def keys_in(value: object) -> set[str]:
    """Every field name in a JSON value, at any depth."""
    if isinstance(value, dict):
        return set(value) | {key for each in value.values() for key in keys_in(each)}
    return {key for each in value for key in keys_in(each)} if isinstance(value, list) else set()


@pytest.mark.parametrize("command", _DOCUMENTS)
def test_every_field_of_a_document_is_in_the_contract(command: str) -> None:
    page = re.sub(r"(?ms)^```.*?^```$", "", text_of("docs/json-contract.md"))
    common = page[page.index("## Common objects") : page.index("## explain-path")]
    section = page[page.index(f"## {command}\n") :].split("\n## ")[0]
    said = {word for name in re.findall(r"`([\w.\[\]]+)`", common + section) for word in re.findall(r"\w+", name)}
    for argv in _DOCUMENTS[command]:
        document = json.loads(sessions.run(sessions.CommandLine(argv, stderr=False)).text)
        assert keys_in(document) <= said


# --- the table of symptoms -----------------------------------------------------------------------------------------


def symptoms() -> list[tuple[str, str]]:
    """The rows of the table whose third column is an explain-path command: (command, code of the second column)."""
    rows = re.findall(r"(?m)^\|[^|]*\|[^|]*\[(AGD\d+)\][^|]*\| `(agdoctor explain-path [^`]+)`", text_of(_STARTED))
    return [(command, code) for code, command in rows]


_STARTED = "docs/getting-started.md"


def test_the_table_of_symptoms_has_rows_to_test() -> None:
    assert len(symptoms()) >= 10


@pytest.mark.parametrize(("command", "code"), symptoms())
def test_what_the_table_says_to_type_finds_what_it_says_is_wrong(command: str, code: str) -> None:
    line = sessions.parse(command)
    assert line is not None
    document = json.loads(sessions.run(sessions.CommandLine((*line.argv, "--json"))).text)
    assert code in {finding["code"] for result in document["results"] for finding in result["findings"]}
