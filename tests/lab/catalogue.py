"""The lab's subjects: one file each in `clients/`, found by looking."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

from tests.lab.frame import Subject

FOLDER = Path(__file__).resolve().parent / "clients"
DATA = Path(__file__).resolve().parent.parent / "data" / "measurements"


@cache
def subject(client: str) -> Subject:
    """The subject with this id. Raises KeyError if there is no file for it, ValueError if the file says another id."""
    path = FOLDER / f"{client.replace('-', '_')}.py"
    if not path.is_file():
        raise KeyError(f"There is no {path.name} in tests/lab/clients: {', '.join(ids())}")
    spec = importlib.util.spec_from_file_location(f"tests.lab.clients.{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Subject = module.SUBJECT
    if found.id != client:
        raise ValueError(f"{path.name}: its SUBJECT is called {found.id!r}, expected {client!r}")
    return found


def ids() -> list[str]:
    """The ids of all subjects."""
    return sorted(path.stem.replace("_", "-") for path in FOLDER.glob("[a-z]*.py"))


def data_file(client: str) -> Path:
    """Where the measurements of this client are written."""
    return DATA / f"{client}.json"
