"""Where the proxy of this machine keeps its files (facts/proxy-config-and-logs.md §1)."""

from __future__ import annotations

import os
from collections.abc import Mapping


def data_folder(environment: Mapping[str, str]) -> str | None:
    """ABV_DATA_DIR (v4.1.1+) if it is not blank, else `.antigravity_tools` in the home; None without a home."""
    given = environment.get("ABV_DATA_DIR", "").strip()
    if given:
        return given
    # os, not pathlib: this is on the way of explain-path
    home = environment.get("HOME") or environment.get("USERPROFILE") or os.path.expanduser("~")  # noqa: PTH111
    return None if home == "~" else os.path.join(home, ".antigravity_tools")  # noqa: PTH118
