"""The lists of models: the only handlers of a client's routes that `check` lets run."""

from __future__ import annotations

from antigravity_doctor.diagnosis.judging import Health
from antigravity_doctor.knowledge.versions import Version, parse_version

_GEMINI_LIST_IS_LOCAL = "3.3.12"
"""Before, GET /v1beta/models asked upstream (facts/proxy-semantics.md §8): not side-effect-free."""


def harmless_lists(version: Version | None) -> list[str]:
    """The model lists that a version answers by itself, without asking upstream. None: only what all versions have."""
    paths = ["/v1/models"]
    if version is not None and version >= parse_version("3.2.0"):
        paths.append("/v1/models/claude")
    if version is not None and version >= parse_version(_GEMINI_LIST_IS_LOCAL):
        paths.append("/v1beta/models")
    return paths


def lists_of(health: Health) -> list[str]:
    """The same from the health answer alone, which is there before anything else is known."""
    try:
        return harmless_lists(parse_version(health.version) if health.version is not None else None)
    except ValueError:
        return harmless_lists(None)
