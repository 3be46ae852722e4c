"""The house keeps its rooms: who may import whom, who prints, and what a start of `explain-path` may cost.

cli -> probes | sources | servers -> diagnosis <- knowledge, then -> reports (docs/architecture.md).
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "antigravity_doctor"
NAME = PACKAGE.name

MAY_IMPORT = {
    "knowledge": {"knowledge"},
    "diagnosis": {"diagnosis", "knowledge"},
    "sources": {"sources", "diagnosis", "knowledge"},
    "servers": {"servers", "diagnosis", "knowledge"},
    "probes": {"probes", "sources", "servers", "diagnosis", "knowledge"},
    "reports": {"reports", "diagnosis", "knowledge"},
    "cli": {"cli", "probes", "sources", "servers", "diagnosis", "knowledge", "reports"},
}
"""Room -> rooms whose modules it may import."""

RESULTS = {
    "explaining", "launching", "machine", "model", "recommending", "recording", "scanning", "simulating", "tallying",
    "tracing", "watching",
}  # fmt: skip
"""The modules of `diagnosis` that define results: all that `reports` may take from it, and only the types in them."""

IMPURE = {
    "asyncio", "datetime", "http", "io", "logging", "multiprocessing", "os", "pathlib", "platform", "random", "secrets",
    "select", "shutil", "socket", "ssl", "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid",
}  # fmt: skip
"""What the pure core never imports: clocks, files, networks, processes, chance, the environment."""

OUTSIDE = {
    "cli": {"typer"},
    "probes": {"httpx"},
    "reports": {"rich"},
    "servers": {"aiohttp", "h11", "multidict", "wsproto", "yarl"},
    "sources": {"psutil", "yaml"},
}
"""Room -> what it may import from other projects."""


class Import(NamedTuple):
    """One imported module (and the name taken out of it) in one file."""

    file: str
    module: str
    name: str
    type_only: bool


def imports(path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    type_only = {
        id(each)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for each in ast.walk(node)
    }
    file = path.relative_to(PACKAGE).as_posix()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file, alias.name, "", id(node) in type_only)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are written out in full"
            for alias in node.names:
                yield Import(file, node.module or "", alias.name, id(node) in type_only)


FILES = sorted(PACKAGE.rglob("*.py"))
IMPORTS = [each for path in FILES for each in imports(path)]


def room_of(file: str) -> str:
    return file.partition("/")[0] if "/" in file else ""


def own(each: Import) -> str | None:
    """The room that an import of ours leads to; None for an import of something else."""
    parts = each.module.split(".")
    if parts[0] != NAME:
        return None
    return parts[1] if len(parts) > 1 else (each.name if (PACKAGE / each.name).is_dir() else "")


def test_every_room_has_a_rule() -> None:
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(MAY_IMPORT)


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_a_room_imports_only_what_it_may(room: str) -> None:
    wrong = [
        each
        for each in IMPORTS
        if room_of(each.file) == room and (to := own(each)) is not None and to not in MAY_IMPORT[room] | {""}
    ]
    assert wrong == []


@pytest.mark.parametrize("room", ["knowledge", "diagnosis"])
def test_the_core_needs_nothing_but_the_standard_library(room: str) -> None:
    modules = {each.module.split(".")[0] for each in IMPORTS if room_of(each.file) == room}
    assert modules - {NAME} <= sys.stdlib_module_names


def test_the_algebra_is_pure() -> None:
    wrong = [each for each in IMPORTS if room_of(each.file) == "diagnosis" and each.module.split(".")[0] in IMPURE]
    assert wrong == []
    for path in (PACKAGE / "diagnosis").glob("*.py"):
        called = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not called & {"open", "print", "input", "exec", "eval", "__import__"}, path.name


def test_reports_know_results_and_nothing_else_of_the_algebra() -> None:
    for each in IMPORTS:
        if room_of(each.file) == "reports" and own(each) == "diagnosis":
            module = each.module.rpartition(".")[2]
            assert module in RESULTS, each
            assert each.name[0].isupper(), each


@pytest.mark.parametrize("room", sorted(OUTSIDE))
def test_other_projects_are_used_where_they_belong(room: str) -> None:
    modules = {each.module.split(".")[0] for each in IMPORTS if room_of(each.file) == room}
    assert modules - {NAME} - sys.stdlib_module_names <= OUTSIDE[room]


def test_only_the_transport_speaks_http() -> None:
    assert {each.file for each in IMPORTS if each.module.split(".")[0] == "httpx"} == {"probes/transport.py"}


def test_results_are_written_in_one_place() -> None:
    """stdout carries only the result: it is written by `options.write` (and --version), and read nowhere."""
    writers = set()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                writers.add(path.relative_to(PACKAGE).as_posix())
            if isinstance(node, ast.Attribute) and node.attr == "write" and ast.unparse(node.value) == "sys.stdout":
                writers.add(path.relative_to(PACKAGE).as_posix())
    assert {each for each in writers if room_of(each) != "reports"} <= {"cli/options.py", "cli/main.py"}


def test_no_module_runs_anything_when_it_is_imported() -> None:
    """Loading knowledge costs time that not every command wants to pay."""
    for path in FILES:
        if path.name in ("__main__.py", "main.py"):
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            assert not isinstance(node, (ast.For, ast.While, ast.With)), path
            assert not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)), path


# --- what a start costs ----------------------------------------------------------------------------------------------

TOO_DEAR = {
    "aiohttp", "asyncio", "concurrent.futures", "decimal", "email", "http", "http.client", "httpx", "logging",
    "multiprocessing", "psutil", "pydantic", "rich", "socket", "ssl", "tomlkit", "tomllib", "unittest",
    "urllib.request", "xml",
}  # fmt: skip


def loaded_by(*argv: str, code: int | None = 1) -> set[str]:
    """Every module that a fresh interpreter loads for this command line, which ends with this code (None: any)."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", NAME, *argv], capture_output=True, text=True, timeout=60, check=False
    )
    assert code in (None, run.returncode), run.stderr[-500:]
    return {line.rpartition("|")[2].strip() for line in run.stderr.splitlines() if line.startswith("import time:")}


@pytest.mark.parametrize("more", [(), ("--json",), ("--client", "cline"), ("--proxy-version", "4.2.0")])
def test_explaining_a_path_loads_nothing_dear(more: tuple[str, ...]) -> None:
    loaded = loaded_by("explain-path", "/v1/v1/chat/completions", *more)
    assert f"{NAME}.diagnosis.explaining" in loaded
    assert not {each for each in loaded if each in TOO_DEAR or each.split(".")[0] in TOO_DEAR}
    rooms = {each.split(".")[1] for each in loaded if each.startswith(NAME + ".")}
    assert not rooms & {"probes", "servers"}


HEAVY = {"aiohttp", "multidict", "yarl", "rich.live", "rich.console"}
"""What only the live recorder needs."""

TRACE = PACKAGE.parent / "tests" / "data" / "traces" / "claude-code.jsonl"


@pytest.mark.parametrize(
    "argv",
    [
        ("check", "--port", "1", "--proxy-version", "x"),
        ("simulate", "--client", "claude-code", "--base-url", "http://127.0.0.1:8045/v1"),
        ("trace", "--replay", str(TRACE)),
        ("trace", "--once", "--count", "1"),
    ],
    ids=lambda argv: " ".join(argv[:2]),
)
def test_only_a_recorder_loads_what_a_recorder_needs(argv: tuple[str, ...]) -> None:
    loaded = loaded_by(*argv, code=None)
    assert not {each for each in loaded if each in HEAVY or each.split(".")[0] in HEAVY}


def test_the_recorder_does_load_it() -> None:
    """Otherwise the test above would prove nothing."""
    assert "aiohttp" in loaded_by("trace", "--stand-in", "--listen", "0", "--for", "0.05")


def test_a_bare_path_does_not_load_what_reads_pasted_text() -> None:
    loaded = loaded_by("explain-path", "/v1/v1/chat/completions")
    assert f"{NAME}.sources.pasted_text" not in loaded
