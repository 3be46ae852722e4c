"""The JSON Schemas of docs/schemas, ready to validate with."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"


@lru_cache
def validator(command: str) -> Draft202012Validator:
    """The validator for what this command prints with --json."""
    resources = [(path.name, Resource.from_contents(_read(path))) for path in FOLDER.glob("*.schema.json")]
    schema = _read(FOLDER / f"{command}.schema.json")
    return Draft202012Validator(schema, registry=Registry().with_resources(resources), format_checker=FormatChecker())


def assert_valid(document: dict[str, Any]) -> None:
    """Asserts that the document is what the schema of its command promises."""
    errors = sorted(validator(document["command"]).iter_errors(document), key=lambda error: list(error.path))
    assert not errors, "\n".join(f"{error.json_path}: {error.message[:300]}" for error in errors[:5])


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
