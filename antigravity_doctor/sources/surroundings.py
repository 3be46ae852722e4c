"""Signs of a container, of WSL and of a remote session, in which 127.0.0.1 is not the computer that the user sits
at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from antigravity_doctor.diagnosis.machine import Container, Remote, Surroundings

_REMOTE: tuple[tuple[str, Remote], ...] = (
    ("CODESPACES", "codespaces"),
    ("GITPOD_WORKSPACE_ID", "gitpod"),
    ("REMOTE_CONTAINERS", "dev-container"),
    ("VSCODE_IPC_HOOK_CLI", "vscode-remote"),
    ("SSH_CONNECTION", "ssh"),
    ("SSH_TTY", "ssh"),
)
"""Variable -> what it is a sign of, the most telling first. Sources: docs.github.com (Codespaces default variables),
gitpod.io/docs (environment variables), code.visualstudio.com (dev containers, remote), ssh(1)."""


def surroundings(environment: Mapping[str, str], read: Callable[[str], str | None] | None = None) -> Surroundings:
    """Looks at a few variables and files; `read` gives the beginning of a file's text, None for one that is not there.

    Never raises.
    """
    look = read or _read
    return Surroundings(_container(environment, look), _wsl(environment, look), _remote(environment))


def _container(environment: Mapping[str, str], read: Callable[[str], str | None]) -> Container | None:
    """By the marks that the runtimes leave: variables, the files in / and /run, and the control groups of process 1."""
    if environment.get("KUBERNETES_SERVICE_HOST"):
        return "kubernetes"
    named = environment.get("container")
    if named in ("podman", "oci") or read("/run/.containerenv") is not None:
        return "podman"
    if read("/.dockerenv") is not None:  # empty, and there all the same
        return "docker"
    groups = read("/proc/1/cgroup") or ""
    if "/docker/" in groups:
        return "docker"
    return "kubernetes" if "/kubepods" in groups else "container" if named else None


def _wsl(environment: Mapping[str, str], read: Callable[[str], str | None]) -> Literal[1, 2] | None:
    version = (read("/proc/version") or "").lower()
    if "microsoft" not in version and not environment.get("WSL_DISTRO_NAME"):
        return None
    # WSL 1 has no kernel of its own: it calls itself Microsoft, with a capital and without the 2.
    return 2 if "wsl2" in version or "microsoft-standard" in version or environment.get("WSL_INTEROP") else 1


def _remote(environment: Mapping[str, str]) -> Remote | None:
    return next((kind for name, kind in _REMOTE if environment.get(name)), None)


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.read(4096)
    except OSError:
        return None
