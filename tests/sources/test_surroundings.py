"""Containers, WSL and remote sessions are known by the marks that they leave."""

from __future__ import annotations

import pytest

from antigravity_doctor.diagnosis.machine import Surroundings
from antigravity_doctor.sources.surroundings import surroundings

WSL2 = "Linux version 5.15.167.4-microsoft-standard-WSL2 (root@f9c826d3017f) (gcc 11.2.0)"
WSL1 = "Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com) (gcc version 5.4.0)"
PLAIN = "Linux version 6.8.0-45-generic (buildd@lcy02) (gcc 13.2.0)"


def look(environment: dict[str, str], files: dict[str, str]) -> Surroundings:
    return surroundings(environment, files.get)


@pytest.mark.parametrize(
    ("environment", "files", "container"),
    [
        ({}, {}, None),
        ({}, {"/.dockerenv": ""}, "docker"),
        ({}, {"/run/.containerenv": ""}, "podman"),
        ({"container": "podman"}, {}, "podman"),
        ({"container": "systemd-nspawn"}, {}, "container"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, {"/.dockerenv": ""}, "kubernetes"),
        ({}, {"/proc/1/cgroup": "12:devices:/docker/3f4e\n"}, "docker"),
        ({}, {"/proc/1/cgroup": "12:devices:/kubepods/burstable/pod1\n"}, "kubernetes"),
        ({}, {"/proc/1/cgroup": "0::/init.scope\n"}, None),
    ],
)
def test_containers(environment: dict[str, str], files: dict[str, str], container: str | None) -> None:
    assert look(environment, files).container == container


@pytest.mark.parametrize(
    ("environment", "version", "wsl"),
    [
        ({}, PLAIN, None),
        ({}, WSL2, 2),
        ({}, WSL1, 1),
        ({"WSL_DISTRO_NAME": "Ubuntu", "WSL_INTEROP": "/run/WSL/8_interop"}, PLAIN, 2),
    ],
)
def test_the_linux_layer_of_windows(environment: dict[str, str], version: str, wsl: int | None) -> None:
    assert look(environment, {"/proc/version": version}).wsl == wsl


@pytest.mark.parametrize(
    ("environment", "remote"),
    [
        ({}, None),
        ({"SSH_CONNECTION": "192.168.1.7 52022 192.168.1.20 22"}, "ssh"),
        ({"SSH_TTY": "/dev/pts/0"}, "ssh"),
        ({"CODESPACES": "true", "SSH_CONNECTION": "x"}, "codespaces"),
        ({"REMOTE_CONTAINERS": "true"}, "dev-container"),
        ({"VSCODE_IPC_HOOK_CLI": "/run/user/1/vscode-ipc.sock"}, "vscode-remote"),
        ({"GITPOD_WORKSPACE_ID": "x"}, "gitpod"),
        ({"SSH_CONNECTION": ""}, None),
    ],
)
def test_remote_sessions(environment: dict[str, str], remote: str | None) -> None:
    assert look(environment, {}).remote == remote


def test_this_very_machine_can_be_asked() -> None:
    assert isinstance(surroundings({}), Surroundings)
