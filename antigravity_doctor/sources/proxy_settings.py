"""The settings file of a proxy on this machine (facts/proxy-config-and-logs.md §1 and §2). Read, never written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from antigravity_doctor.diagnosis.settings import ProxySettings, Secret
from antigravity_doctor.sources.data_folder import data_folder

LIMIT = 8 * 1024 * 1024
"""Bytes; a real file has a few thousand."""


def data_directory(environment: Mapping[str, str]) -> Path | None:
    """The proxy's data directory: see `data_folder`."""
    folder = data_folder(environment)
    return Path(folder) if folder is not None else None


def read_proxy_settings(environment: Mapping[str, str]) -> ProxySettings | None:
    """What the proxy's settings file says, of whatever era; None where there is no file. Never raises."""
    folder = data_directory(environment)
    if folder is None:
        return None
    path = folder / "gui_config.json"
    try:
        with path.open("rb") as file:
            raw = file.read(LIMIT + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError):
        return ProxySettings(str(path), problem="unreadable")
    if len(raw) > LIMIT:
        return ProxySettings(str(path), problem="too-large")
    try:
        data = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return ProxySettings(str(path), problem="not-json")
    proxy = data.get("proxy") if isinstance(data, dict) else None
    return _settings(str(path), proxy if isinstance(proxy, dict) else {})


def _settings(path: str, proxy: Mapping[str, Any]) -> ProxySettings:
    port = proxy.get("port")
    key = proxy.get("api_key")
    mode = proxy.get("auth_mode")
    lan = proxy.get("allow_lan_access")
    usable = isinstance(port, int) and not isinstance(port, bool) and 1 <= port <= 65535
    return ProxySettings(
        path=path,
        port=port if usable else None,
        auth_mode=mode if isinstance(mode, str) else None,
        allow_lan=lan if isinstance(lan, bool) else None,
        api_key=Secret(key.strip()) if isinstance(key, str) else None,
    )
