"""What a contributor writes to have a client measured: a `Subject`, in `tests/lab/clients/ID.py`.

Standard library only, and nothing of the project: a Python client's file is also read by `python_worker.py`, inside
the throw-away environment of the client. In every text here `{base}`, `{key}` and `{model}` are replaced (and only
these, so JSON and TOML can be written as they are), `{here}` by the folder that the client is started in.

docs/measure-a-client.md shows a complete example of each kind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

KEY = "sk-planted-0123456789abcdef"
"""The key that clients are given. It is nobody's."""

BASES = ("", "/", "/v1", "/v1/", "/v1//", "/v1beta", "/v1beta/")
"""What follows the origin in the base URLs of the matrix; a mode's full endpoint comes on top."""

FEW = ("", "/v1", "/v1/")
"""The base paths of every setting but a mode's first, and of every call but a mode's first."""

Kind = Literal["argument", "env", "file"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to tell the client its base URL, called as the catalogue calls it: `kind` and `name` are those of the
    entry's `settings` (or of its `ignored`). What it takes to use it: variables, files (path in HOME -> text; `work/`
    is the folder that the client is started in), words behind the command, options for the driver."""

    kind: Kind
    name: str
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    argv: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.name}"


def argument(name: str, argv: Sequence[str] = (), **options: Any) -> Setting:
    """An argument: of a constructor or function (the driver gets `case.given[name]`), or, with `argv`, of a command."""
    return Setting("argument", name, argv=argv, options=options)


def env(name: str, value: str = "{base}", **more: str) -> Setting:
    """A variable; `more` are variables that it takes besides."""
    return Setting("env", name, env={name: value, **more})


def file(path: str, key: str, text: str, **more: str) -> Setting:
    """A key of a settings file in HOME; `text` is the whole file, `more` are variables that it takes besides."""
    return Setting("file", key, files={path: text}, env=more)


def envs(*names: str) -> tuple[Setting, ...]:
    """Variables that may be read or not: measuring tells."""
    return tuple(env(name) for name in names)


@dataclass(frozen=True, slots=True)
class Mode:
    """A mode of the catalogue's entry (same `id`), and how to make the client use it.

    - `settings`: ways to tell the base URL; the first is measured with every base path and every call. It must work.
    - `calls`: names of the driver's calls, the main one first. A command-line client has one, "run".
    - `endpoint`: the path of the whole endpoint, which users paste; it is measured as a base path, too.
    - `argv`: words behind the program's name, of a command-line client.
    - `env`, `files`: what the mode takes whatever the setting is (where the key goes, mostly).
    - `options`: handed to the driver.
    - `keys`: variables that may carry the key; each is tried alone.
    - `not_driven`: suffixes of the entry that no call brings about (they rest on another source).
    - `since`, `below`: the versions that have it, where not all do.
    """

    id: str
    settings: Sequence[Setting]
    calls: Sequence[str] = ("run",)
    endpoint: str | None = None
    model: str = "m"
    argv: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    keys: Sequence[str] = ()
    bases: Sequence[str] = BASES
    not_driven: Sequence[str] = ()
    since: str | None = None
    below: str | None = None

    def exists_in(self, version: str) -> bool:
        """Whether this version of the client has the mode."""
        key = version_key(version)
        return (self.since is None or version_key(self.since) <= key) and (
            self.below is None or key < version_key(self.below)
        )


@dataclass(frozen=True, slots=True)
class Subject:
    """A client to measure.

    - `id`: the catalogue's. `package`: `pypi:NAME` or `npm:NAME`.
    - `versions`: the versions whose measurements are kept, oldest first; `newest` measures beyond them.
    - `program`: the executable of a command-line client; without it a driver is used: `calls(case)` in the same file
      (Python), `calls` in `ID.mjs` beside it (Node).
    - `also_install`: further packages; `{version}` in them is the version that is measured (`NAME[extra]=={version}`).
    - `scripts`: whether npm's install scripts of the package itself are run (some put their program in place there).
    - `limit`: seconds that one run or call may take. `env`: variables of every run.
    """

    id: str
    package: str
    modes: Sequence[Mode]
    versions: Sequence[str] = ()
    program: str | None = None
    also_install: Sequence[str] = ()
    scripts: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    limit: float = 40.0

    @property
    def registry(self) -> str:
        return self.package.partition(":")[0]

    @property
    def package_name(self) -> str:
        return self.package.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Case:
    """What a Python driver's `calls` gets. `given` holds the base URL under the name of the argument setting, and is
    empty where the environment has it; `key` is None where the environment has that."""

    given: Mapping[str, str]
    key: str | None
    model: str
    options: Mapping[str, Any]

    @property
    def base(self) -> str | None:
        """The base URL that was given as an argument, whatever its name."""
        return next(iter(self.given.values()), None)

    def key_as(self, name: str) -> dict[str, str]:
        """`{name: key}`, or nothing where the environment has the key."""
        return {} if self.key is None else {name: self.key}


def version_key(version: str) -> tuple[int, ...]:
    """A version as something to order by."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:4])


def filled(text: str, base: str, key: str, model: str, here: str = "") -> str:
    """A template with its placeholders replaced."""
    for name, value in (("base", base), ("key", key), ("model", model), ("here", here)):
        text = text.replace("{" + name + "}", value)
    return text
