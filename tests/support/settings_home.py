"""A home folder with settings of clients, and `agdoctor` run in it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.cli import Result, run


class Home:
    """Files in a home folder, which is also the current one while a command runs; `at`: a folder in it that is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, files: Mapping[str, str | bytes]) -> None:
        for name, content in files.items():
            place = self.folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content.encode() if isinstance(content, str) else content)

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def run(self, *argv: str, at: str = "", env: Mapping[str, str] | None = None, **more: Any) -> Result:
        with contextlib.chdir(self.folder / at):
            return run(*argv, env={"HOME": str(self.folder), "USERPROFILE": str(self.folder), **(env or {})}, **more)

    def scan(self, *argv: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The JSON of a scan that asks no port."""
        ended = self.run("scan", "--offline", "--json", *argv, env=env)
        document: dict[str, Any] = json.loads(ended.out)
        assert document["exit_code"] == ended.code
        return document


def claude(base_url: str, **more: Any) -> str:
    """The text of a Claude Code settings file."""
    return json.dumps({"env": {"ANTHROPIC_BASE_URL": base_url}, **more}, indent=2) + "\n"
