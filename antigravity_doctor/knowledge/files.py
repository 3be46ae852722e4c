"""Reads the knowledge files that are packaged beside this module."""

from __future__ import annotations

import json
import os
from typing import Any

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib costs start-up time here


def load_json(*parts: str) -> Any:
    """The content of a packaged JSON file, named relative to `knowledge/`: `load_json("proxy", "routes.json")`.

    Raises OSError or ValueError for a file that is missing or broken, which only a damaged installation can have.
    """
    with open(os.path.join(_HERE, *parts), encoding="utf-8") as file:  # noqa: PTH118, PTH123 - as above
        return json.load(file)
