"""The recorded answers (tests/data/replica-measurements.json.gz), in the shape in which the tests here use them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any, NamedTuple

from antigravity_doctor.diagnosis.proxy_model import ServerConfig

RIGHT, WRONG, ADMIN = "sk-right", "sk-wrong", "adminpw"
KEYS: dict[str, dict[str, str]] = {
    "none": {},
    "wrong": {"authorization": f"Bearer {WRONG}"},
    "right": {"authorization": f"Bearer {RIGHT}"},
}
DATA: dict[str, Any] = json.loads(
    gzip.decompress((Path(__file__).parents[1] / "data" / "replica-measurements.json.gz").read_bytes())
)
CELLS: dict[str, ServerConfig] = {}
for _name, _cell in DATA["cases"].items():
    CELLS[_name] = ServerConfig(
        _cell["routes_of_tag"],
        _cell["mode"],
        web_ui=_cell["dist"],
        running=_cell["running"],
        api_key=RIGHT,
        admin_password=None if _cell["admin_password"] == "-" else _cell["admin_password"],
        mcp_on=True,  # the replica's handlers always answered 200
    )
ORACLES: dict[str, ServerConfig] = {
    name: CELLS.get(name) or ServerConfig("v3.1.1", api_key=RIGHT) for name in DATA["options_oracle"]
}


class Probe(NamedTuple):
    """One recorded request and its answer. `expected` has the recorded keys only."""

    method: str
    target: str
    key: str
    expected: dict[str, Any]


def probes(cell: str) -> list[Probe]:
    """All HTTP probes of a cell; one that was the same with every key comes three times."""
    found = []
    for probe in DATA["cases"][cell]["probes"]:
        if "probe" in probe:
            continue
        for key in KEYS:
            expected = probe.get("all") or probe.get(key)
            if expected is not None:
                found.append(Probe(probe["method"], probe["path"], key, expected))
    return found


def raw_probes(cell: str) -> list[tuple[str, str]]:
    """The probes that are no HTTP: name and the first line that came back."""
    return [(probe["probe"], probe["raw_head"]) for probe in DATA["cases"][cell]["probes"] if "probe" in probe]


def oracle_probes(name: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Method, path and answer of the key-free oracle's probes."""
    return [
        (column.partition("_")[0], row["path"], row[column])
        for row in DATA["options_oracle"][name]
        for column in ("OPTIONS", "PUT_no_key", "HEAD_no_key")
    ]
