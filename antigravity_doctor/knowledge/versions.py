"""The proxy's versions: parsing, ordering, and which tag an unknown version behaves like (`proxy/versions.json`)."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from typing import Any, NamedTuple

from antigravity_doctor.knowledge.files import load_json

_FORM = re.compile(
    r"[vV]?([0-9]{1,6})\.([0-9]{1,6})\.([0-9]{1,6})(?:-([0-9A-Za-z]+(?:\.[0-9A-Za-z]+)*))?(?:\+[0-9A-Za-z.\-]+)?"
)
_RELEASE = ((2, 0, ""),)  # sorts after every pre-release, whose parts start with 0 (a number) or 1 (a word)


class Version(NamedTuple):
    """A version of Antigravity Tools, ordered as semantic versions are. `text` has no "v": "4.5.8", "3.2.6-test.1"."""

    key: tuple[int, int, int, tuple[tuple[int, int, str], ...]]
    text: str

    @property
    def tag(self) -> str:
        """As the repository names it: "v4.5.8"."""
        return "v" + self.text

    def __str__(self) -> str:
        return self.text


@lru_cache(maxsize=512)
def parse_version(text: str) -> Version:
    """A version from what a user, a tag or a health answer calls it ("v4.5.8", "4.5.8", "v3.2.6-test.1").

    Any version from 3.0.0 on is accepted, also one that is not known (yet). Raises ValueError, with one sentence that
    can be shown as it is, for other text and for versions that have no proxy.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        shown = text.strip()[:40]
        raise ValueError(f"{shown!r} is not a proxy version: give three numbers with dots between, such as 4.5.8.")
    major, minor, patch, pre = found.groups()
    numbers = (int(major), int(minor), int(patch))
    name = ".".join(map(str, numbers)) + (f"-{pre}" if pre else "")
    parts = _RELEASE if pre is None else tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in pre.split("."))
    version = Version((*numbers, parts), name)
    if version.key < (3, 0, 0, _RELEASE):
        raise ValueError(f"Antigravity Tools {name} has no proxy: the proxy came with version 3.0.0.")
    return version


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    data: dict[str, Any] = load_json("proxy", "versions.json")
    return data


@lru_cache(maxsize=1)
def known_tags() -> tuple[str, ...]:
    """The names of all tags ("v4.5.8"), oldest first."""
    return tuple(_data()["tags"])


@lru_cache(maxsize=1)
def known_versions() -> tuple[Version, ...]:
    """Every tagged version, oldest first."""
    return tuple(parse_version(tag) for tag in known_tags())


def resolve(version: str | Version | None) -> Version:
    """What a caller gave as a version, parsed; None is the newest. Raises ValueError as `parse_version` does."""
    if version is None:
        return NEWEST
    return parse_version(version) if isinstance(version, str) else version


def nearest_known(version: Version) -> Version:
    """The tag that a version behaves like: itself if it is known, else the newest tag that is older."""
    if is_known(version):
        return version
    known = known_versions()
    return known[bisect_right(known, version) - 1]


def is_known(version: Version) -> bool:
    """True if a tag of this name exists."""
    return version.tag in _data()["tags"]


def released(version: Version) -> str | None:
    """The day of the tag's commit as YYYY-MM-DD, None for a version that is not known."""
    day: str | None = _data()["tags"].get(version.tag)
    return day


def reported_by(version: Version) -> str:
    """The version that a proxy of this tag names in its health JSON (v4.1.18 says 4.1.17)."""
    reports: dict[str, str] = _data()["reports"]
    return reports.get(version.tag, version.text)


def tags_reporting(text: str) -> tuple[Version, ...]:
    """The known versions whose health JSON names `text`, oldest first; empty if none does."""
    return tuple(version for version in known_versions() if reported_by(version) == text)


NEWEST: Version = parse_version(known_tags()[-1])
"""The newest version that is known here; what a proxy of unknown version is taken for."""
