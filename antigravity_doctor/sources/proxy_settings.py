"""The settings file of a proxy on this machine (facts/proxy-config-and-logs.md §1 and §2). Read, never written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from antigravity_doctor.diagnosis.settings import AUTH_MODES, Fault, FaultKind, ProxySettings, Secret
from antigravity_doctor.sources.data_folder import data_folder

LIMIT = 8 * 1024 * 1024
"""Bytes; a real file has a few thousand."""

DEFAULT_PORT = 8045
"""What the proxy takes where the file has no `proxy` section."""


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
        data = json.loads(raw.decode("utf-8-sig"), parse_constant=_no_json)
    except (ValueError, RecursionError):
        return ProxySettings(str(path), problem="not-json")
    return _settings(str(path), data)


def _no_json(name: str) -> None:
    """Python reads NaN and Infinity; JSON has neither."""
    raise ValueError(name)


def _settings(path: str, data: object) -> ProxySettings:
    faults = tuple(_faults(data))
    proxy = data.get("proxy") if isinstance(data, dict) else None
    if not isinstance(proxy, dict):
        # without this section the file loads, and everything in it has its default
        return ProxySettings(path, port=None if faults else DEFAULT_PORT, faults=faults)
    port, key, mode, lan = (proxy.get(name) for name in ("port", "api_key", "auth_mode", "allow_lan_access"))
    return ProxySettings(
        path=path,
        port=port if _whole(1, 65535)(port) else None,
        auth_mode=mode if isinstance(mode, str) else None,
        allow_lan=lan if isinstance(lan, bool) else None,
        api_key=Secret(key.strip()) if isinstance(key, str) else None,
        faults=faults,
    )


# --- what the proxy refuses to load ----------------------------------------------------------------------------------


def _whole(least: int, most: int) -> Callable[[object], bool]:
    """Whether serde takes a value for an integer of this range: 8045, but not 8045.0, "8045" or true."""
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _text(value: object) -> bool:
    return isinstance(value, str)


def _bool(value: object) -> bool:
    return isinstance(value, bool)


def _mode(value: object) -> bool:
    return isinstance(value, str) and value in AUTH_MODES


_I32, _U64 = _whole(-(2**31), 2**31 - 1), _whole(0, 2**64 - 1)

_Rule = tuple[str, Callable[[object], bool], FaultKind, str, bool]
# Name, what it must be, what it is else, since when it is read, and whether the file must have it. Compared with the
# structs of every tag; fields that are not here may be wrong as well, but that was not looked at.
_TOP: tuple[_Rule, ...] = (
    ("language", _text, "no-text", "3.0.0", True),
    ("theme", _text, "no-text", "3.0.0", True),
    ("auto_refresh", _bool, "no-bool", "3.0.0", True),
    ("refresh_interval", _I32, "no-whole-number", "3.0.0", True),
    ("auto_sync", _bool, "no-bool", "3.0.0", True),
    ("sync_interval", _I32, "no-whole-number", "3.0.0", True),
)
_PROXY: tuple[_Rule, ...] = (
    ("enabled", _bool, "no-bool", "3.0.0", True),
    ("port", _whole(0, 65535), "no-port", "3.0.0", True),
    ("api_key", _text, "no-text", "3.0.0", True),
    ("auto_start", _bool, "no-bool", "3.0.0", True),
    ("request_timeout", _U64, "no-whole-number", "3.0.2", False),
    ("allow_lan_access", _bool, "no-bool", "3.3.0", False),
    ("auth_mode", _mode, "no-auth-mode", "3.3.8", False),
    ("enable_logging", _bool, "no-bool", "3.3.8", False),
)
_SHOWN = ("port", "auth_mode")
"""Fields whose value is shown where it is wrong; no key is ever among them."""


def _faults(data: object) -> Iterator[Fault]:
    """Why the proxy would not load this file: what is of a wrong kind first, then what is missing."""
    if not isinstance(data, dict):
        yield Fault("", "no-object", "3.0.0")
        return
    found = list(_broken(data, _TOP, ""))
    if "proxy" in data:  # null is not the same as missing
        proxy = data["proxy"]
        found += _broken(proxy, _PROXY, "proxy.") if isinstance(proxy, dict) else [Fault("proxy", "no-object", "3.0.0")]
    yield from sorted(found, key=lambda each: each.kind == "missing")


def _broken(section: Mapping[str, Any], rules: tuple[_Rule, ...], prefix: str) -> Iterator[Fault]:
    for name, fits, kind, since, wanted in rules:
        if name not in section:
            if wanted:
                yield Fault(prefix + name, "missing", since)
        elif not fits(section[name]):
            shown = json.dumps(section[name], ensure_ascii=False)[:40] if name in _SHOWN else ""
            yield Fault(prefix + name, kind, since, shown)
