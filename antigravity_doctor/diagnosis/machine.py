"""What the machine around agdoctor is, as far as it changes what an address means: values that `sources` fill in."""

from __future__ import annotations

from typing import Literal, NamedTuple

Container = Literal["docker", "podman", "kubernetes", "container"]
Remote = Literal["ssh", "codespaces", "gitpod", "dev-container", "vscode-remote"]


class Surroundings(NamedTuple):
    """Where this program runs. None or False: no sign of it.

    `container`: 127.0.0.1 is the container, not the computer. `wsl`: the version of Windows' Linux layer; with 2 and
    its usual network, 127.0.0.1 is a virtual machine, not Windows. `remote`: this is another computer than the one
    that the user sits at.
    """

    container: Container | None = None
    wsl: Literal[1, 2] | None = None
    remote: Remote | None = None


class Listening(NamedTuple):
    """A TCP port that a program of this machine listens on for loopback. `program`: its name, None where the system
    does not say (another user's program)."""

    port: int
    address: str
    program: str | None = None
    pid: int | None = None
