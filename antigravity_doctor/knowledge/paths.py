"""What is known about request paths apart from the route table: endpoints that no version serves, other vendors'
path styles and prefixes, and harmless requests that look like faults (`paths.json`, with provenance)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from antigravity_doctor.knowledge.files import load_json


class Style(NamedTuple):
    """A vendor's own path style: what it looks like, and the OpenAI/Anthropic/Gemini resource it stands for."""

    id: str
    code: str
    pattern: re.Pattern[str]
    resource: str
    protocol: str


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    data: dict[str, Any] = load_json("paths.json")
    return data


@lru_cache(maxsize=1)
def unsupported() -> dict[tuple[str, ...], str]:
    """Endpoints that no proxy version routes: resource segments ("*" = any one segment) -> what they are for."""
    return {tuple(each["resource"].strip("/").lower().split("/")): each["what"] for each in _data()["unsupported"]}


@lru_cache(maxsize=1)
def styles() -> tuple[Style, ...]:
    """The vendors' path styles, most specific first."""
    return tuple(
        Style(each["id"], each["code"], re.compile(each["pattern"], re.IGNORECASE), each["path_of"], each["protocol"])
        for each in _data()["styles"]
    )


@lru_cache(maxsize=1)
def harmless() -> dict[str, str]:
    """Paths of requests that are noise: path -> why it is requested."""
    return {each["path"]: each["why"] for each in _data()["harmless"]}


@lru_cache(maxsize=1)
def foreign_prefixes() -> dict[str, str]:
    """Path prefixes of other vendors: prefix -> whose it is."""
    return {each["prefix"]: each["who"] for each in _data()["foreign"]}


@lru_cache(maxsize=1)
def typed_bases() -> dict[str, float]:
    """How readily people type a base path: base path -> weight (an ordering, 1.0 = most readily)."""
    weights: dict[str, float] = _data()["typed_bases"]
    return weights


def vendor_of(host: str) -> str | None:
    """The vendor whose API this host is, None for any other host."""
    vendors: dict[str, str] = _data()["vendor_hosts"]
    host = host.lower().rstrip(".")
    return next((name for known, name in vendors.items() if host == known or host.endswith("." + known)), None)
