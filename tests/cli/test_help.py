"""`--help` and what every text says about commands: complete, and nothing that does not exist."""

from __future__ import annotations

import difflib
import importlib
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from antigravity_doctor.cli import main
from antigravity_doctor.knowledge.texts import all_codes
from antigravity_doctor.reports.explain_code import example_command
from tests.support.cli import run

COMMANDS = list(main.COMMANDS)
TEXTS = Path(main.__file__).parents[1] / "knowledge" / "texts"


def options_of(command: str) -> list[str]:
    """Every spelling of every option of a command."""
    loaded: Any = main.load(command)
    return [name for each in loaded.params if each.param_type_name == "option" for name in each.opts]


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, flag: str) -> None:
    result = run(command, flag)
    assert result.code == 0
    assert result.err == ""
    assert result.out.startswith(f"Usage: agdoctor {command} [OPTIONS]")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_first_line_of_the_help_is_the_one_in_the_list(command: str) -> None:
    module, help_line = main.COMMANDS[command]
    assert importlib.import_module(f"antigravity_doctor.cli.{module}").__doc__ == help_line
    assert run(command, "--help").out.splitlines()[2].strip() == help_line
    assert len(help_line) <= 60
    assert help_line.endswith(".")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_shows_every_option_with_a_sentence(command: str) -> None:
    shown = run(command, "--help", env={"COLUMNS": "200"}).out
    for name in options_of(command):
        assert re.search(rf"(?m)^  (?:-\w, )?.*{name}\b", shown), name
    loaded: Any = main.load(command)
    for each in loaded.params:
        if each.param_type_name == "option":
            assert each.help, each.opts


def test_the_list_shows_every_command_and_no_module_is_imported_for_it() -> None:
    listed = run("--help").out.partition("Commands:\n")[2].splitlines()
    assert [each.split()[0] for each in listed] == COMMANDS
    assert [each.split(maxsplit=1)[1] for each in listed] == [help_line for _, help_line in main.COMMANDS.values()]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_fits_a_narrow_terminal(command: str) -> None:
    assert max(map(len, run(command, "--help").out.splitlines())) <= 80


def test_shared_options_are_spelled_and_explained_the_same_everywhere() -> None:
    said: dict[str, set[str]] = {}
    # Where a command listens: the proxy is given by what is left.
    other = {("stand-in", "--host"), ("stand-in", "--port"), ("trace", "--host"), ("trace", "--url")}
    for command in COMMANDS:
        loaded: Any = main.load(command)
        for each in loaded.params:
            shared = each.param_type_name == "option" and (command, each.opts[0]) not in other
            if shared and each.opts[0] in ("--host", "--port", "--url", "--client", "--json"):
                said.setdefault(each.opts[0], set()).add(f"{each.opts} {each.help}")
    assert all(len(each) == 1 for each in said.values()), said


# --- commands that texts name ----------------------------------------------------------------------------------------


def _texts() -> Iterator[tuple[str, str]]:
    for path in sorted(TEXTS.rglob("*.json")):
        yield from _strings(path.name, json.loads(path.read_text(encoding="utf-8")))
    for command in COMMANDS:
        yield f"{command} --help", " ".join(run(command, "--help").out.split())
    for line in run("--help").out.splitlines():
        yield "--help", line
    for each in all_codes():
        yield each.code, example_command(each) or ""


def _strings(where: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _strings(f"{where}:{name}", each)


def test_every_command_and_option_that_a_text_names_exists() -> None:
    seen = 0
    for where, text in _texts():
        for quoted, command, rest in re.findall(r"(`?)agdoctor ([a-z]+(?:-[a-z]+)*)([^`“”,]*)", text):
            # Outside of backticks "agdoctor does not …" is a sentence about agdoctor.
            if not quoted and command not in COMMANDS and not rest.startswith(" --"):
                assert not difflib.get_close_matches(command, COMMANDS, cutoff=0.8), f"{where}: agdoctor {command}"
                continue
            assert command in COMMANDS, f"{where}: agdoctor {command}"
            for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", rest):
                assert option in [*options_of(command), "--help"], f"{where}: agdoctor {command} {option}"
            seen += 1
    assert seen > 20


@pytest.mark.parametrize("entry", [each for each in all_codes() if example_command(each)], ids=lambda each: each.code)
def test_the_example_of_a_code_is_a_command_line_that_can_be_pasted(entry: Any) -> None:
    words = shlex.split(example_command(entry) or "")
    assert words[0] == "agdoctor"
    assert words[1] in COMMANDS
    assert "{" not in "".join(each for each in words if each.startswith("-"))
