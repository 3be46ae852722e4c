"""The proxy's settings file with everything in it without which the proxy refuses it."""

from __future__ import annotations

import json
from typing import Any


def whole(**proxy: Any) -> dict[str, Any]:
    """A file that loads; `proxy` are fields of its section of that name. None takes a field out."""
    section = {"enabled": False, "port": 8045, "api_key": "sk-0123456789abcdef0123456789abcdef", "auto_start": False}
    return {
        "language": "en",
        "theme": "system",
        "auto_refresh": True,
        "refresh_interval": 15,
        "auto_sync": False,
        "sync_interval": 5,
        "proxy": {name: value for name, value in (section | proxy).items() if value is not None},
    }


def text(**proxy: Any) -> str:
    """`whole` as the text of the file."""
    return json.dumps(whole(**proxy), indent=2)
