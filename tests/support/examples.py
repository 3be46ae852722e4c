"""Runs the examples and the false-positive twins of the finding codes (knowledge/findings/*.json).

    {"kind": "check" | "explain-path" | "scan", "argv": [...],
     "server": {...ServerConfig fields} | {"hostile": KIND},   {port} in argv, environment and settings is its port
     "also":   {...ServerConfig fields},                       a second server on 127.0.0.1; {other_port} is its port
     "environment": {...},                                     variables that are set
     "settings": {...} | "text",                               the proxy's gui_config.json on this machine
     "home":     {"path": "text"}}                             files in the home folder, which is also the current one

The command line is run in this process, with `--json`, on an environment that holds nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

from typer.testing import CliRunner

from antigravity_doctor.diagnosis.proxy_model import ServerConfig
from antigravity_doctor.servers.stand_in import run_in_thread
from tests.support.hostile import hostile


@contextlib.contextmanager
def _serving(server: Mapping[str, Any] | None) -> Iterator[int]:
    if server is None:
        yield 0
    elif "hostile" in server:
        with hostile(str(server["hostile"])) as running:
            yield running.port
    else:
        with run_in_thread(ServerConfig(**server)) as stand_in:
            yield stand_in.port


def _filled(value: Any, ports: Mapping[str, int]) -> Any:
    """The value with `{port}` and `{other_port}` filled in; a text that is nothing else becomes the number."""
    if isinstance(value, Mapping):
        return {name: _filled(each, ports) for name, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, ports) for each in value]
    if not isinstance(value, str):
        return value
    for name, port in ports.items():
        if value == name:
            return port
        value = value.replace(name, str(port))
    return value


def run_example(example: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON document of an example. Raises AssertionError where the output is no JSON."""
    from antigravity_doctor.cli.main import app

    with contextlib.ExitStack() as stack:
        ports = {"{port}": stack.enter_context(_serving(example.get("server")))}
        ports["{other_port}"] = stack.enter_context(_serving(example.get("also")))
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environment = {"HOME": str(home), "USERPROFILE": str(home), "PATH": os.environ.get("PATH", "")}
        environment |= {name: str(each) for name, each in _filled(example.get("environment", {}), ports).items()}
        if "settings" in example:
            settings = _filled(example["settings"], ports)
            folder = home / ".antigravity_tools"
            folder.mkdir()
            text = settings if isinstance(settings, str) else json.dumps(settings)
            (folder / "gui_config.json").write_text(text, encoding="utf-8")
        for name, text in example.get("home", {}).items():
            place = home / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(str(text).replace("{port}", str(ports["{port}"])), encoding="utf-8")
        if "home" in example:
            stack.enter_context(contextlib.chdir(home))
        argv = [str(each) for each in _filled(example["argv"], ports)] + ["--json"]
        stack.enter_context(mock.patch.dict(os.environ, environment, clear=True))
        stack.enter_context(mock.patch.object(sys, "argv", ["agdoctor", *argv]))
        result = CliRunner().invoke(app, argv)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, json.loads(result.stdout)


def codes_in(document: Mapping[str, Any]) -> dict[str, str]:
    """The finding codes of a `check` or `explain-path` document, with the severity of each."""
    findings = list(document.get("findings", []))
    for each in document.get("results", []):
        findings += each["findings"]
    return {each["code"]: each["severity"] for each in findings}
