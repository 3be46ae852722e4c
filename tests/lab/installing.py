"""Installs real clients from PyPI and npm into a cache, once for each client and version; and asks for versions.

The cache is $AGDOCTOR_LAB, or ~/.cache/agdoctor-lab: `pypi/NAME@VERSION` is a virtual environment, `npm/NAME@VERSION`
a folder with node_modules (a `/` in NAME is a `+` there).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tests.lab.frame import Subject, version_key

CACHE = Path(os.environ.get("AGDOCTOR_LAB") or Path.home() / ".cache" / "agdoctor-lab")
NPM = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--prefer-offline")


class Installed(NamedTuple):
    """A client in the cache. `programs` is the folder of its executables."""

    folder: Path
    programs: Path
    version: str


def place_of(subject: Subject, version: str) -> Installed:
    """Where this version is, or would be."""
    folder = CACHE / subject.registry / f"{subject.package_name.replace('/', '+')}@{version}"
    return Installed(folder, folder / ("bin" if subject.registry == "pypi" else "node_modules/.bin"), version)


class CannotInstallError(Exception):
    """The registry or its client refused; the text holds what it said."""


def install(subject: Subject, version: str) -> Installed:
    """Into the cache, if it is not there yet. Raises CannotInstallError."""
    place = place_of(subject, version)
    done = place.folder / "ok"
    also = [each.replace("{version}", version) for each in subject.also_install]
    wanted = "\n".join([version, *also])
    if done.exists() and done.read_text().strip() in ("", wanted):
        return place
    print(f"installing {subject.package}@{version}", file=sys.stderr)
    place.folder.mkdir(parents=True, exist_ok=True)
    if subject.registry == "npm":
        (place.folder / "package.json").write_text('{"private": true, "type": "module"}')
        packages = [f"{subject.package_name}@{version}", *also]
        _run(["npm", "install", *NPM, *packages], place.folder)
        if subject.scripts:
            _run(["npm", "rebuild", "--loglevel=error", subject.package_name], place.folder)
    else:
        _run([sys.executable, "-m", "venv", "--clear", str(place.folder)], place.folder)
        packages = [f"{subject.package_name}=={version}", *also]
        pip = [str(place.programs / "python"), "-m", "pip", "-q", "--disable-pip-version-check", "install"]
        _run([*pip, "--prefer-binary", *packages], place.folder)
    done.write_text(wanted)
    return place


def _run(command: list[str], folder: Path) -> None:
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if ran.returncode:
        said = [
            line for line in (ran.stdout + ran.stderr).splitlines() if line.strip() and "(from versions" not in line
        ]
        raise CannotInstallError(f"{' '.join(command[-3:])}: " + " ".join(said[-4:])[-600:])


_UNDERNEATH = re.compile(
    r"openai|anthropic|google-genai|google-generativeai|litellm|httpx|requests|aiohttp|langchain-core|ai"
    r"|@anthropic-ai/sdk|@google/genai|@google/generative-ai|@ai-sdk/.+|@langchain/.+"
)


def underneath(subject: Subject, place: Installed) -> dict[str, str]:
    """The SDKs and HTTP libraries that came with it, and their versions: what a client appends is often theirs."""
    if subject.registry == "npm":
        modules = place.folder / "node_modules"
        metas = [*modules.glob("*/package.json"), *modules.glob("@*/*/package.json")]
        found = {meta.parent.relative_to(modules).as_posix(): meta for meta in metas}
        names = {name: json.loads(meta.read_text())["version"] for name, meta in found.items()}
    else:
        metas = [*place.folder.glob("lib/python*/site-packages/*.dist-info")]
        pairs = [meta.name.removesuffix(".dist-info").rsplit("-", 1) for meta in metas]
        names = {name.replace("_", "-").lower(): version for name, version in pairs}
    own = subject.package_name.lower()
    return {name: names[name] for name in sorted(names) if name != own and _UNDERNEATH.fullmatch(name)}


def versions_of(subject: Subject) -> list[str]:
    """Every published version that is no pre-release, oldest first."""
    if subject.registry == "npm":
        command = ["npm", "view", subject.package_name, "versions", "--json"]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        names = [found] if isinstance(found, str) else found
    else:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "index", "versions"]
        said = subprocess.run([*command, subject.package_name], capture_output=True, text=True, check=True).stdout
        line = re.search(r"Available versions: (.*)", said)
        names = line[1].split(", ") if line else []
    return sorted((name for name in names if re.fullmatch(r"\d+(\.\d+)*", name)), key=version_key)


def last_of_majors(versions: Iterable[str], count: int = 2) -> list[str]:
    """The last version of each of the last majors, oldest first; below 1.0 the minor counts as the major."""
    last: dict[tuple[int, ...], str] = {}
    for version in sorted(versions, key=version_key):
        key = version_key(version)
        last[key[:1] if key[0] else key[:2]] = version
    return list(last.values())[-count:]
