"""What is known about request paths apart from the route table: endpoints that no version serves, other vendors'
path styles and prefixes, base paths that people type, and harmless requests that look like faults (`paths.json`,
with provenance)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from antigravity_doctor.knowledge.files import load_json


class Style(NamedTuple):
    """A vendor's own path style, and the OpenAI/Anthropic/Gemini resource it stands for.

    `pattern` is a regular expression, searched without regard to case; every path that it finds holds `hint` (lower
    case), so that most paths need no search. `resource` may refer to the pattern's groups; "" where there is none.
    """

    id: str
    code: str
    hint: str
    pattern: str
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
        Style(each["id"], each["code"], each["hint"], each["pattern"], each["path_of"], each["protocol"])
        for each in _data()["styles"]
    )


@lru_cache(maxsize=1)
def style_hints() -> tuple[str, ...]:
    """One of these is in every path that a style finds (lower case)."""
    return tuple(dict.fromkeys(each.hint for each in styles()))


@lru_cache(maxsize=1)
def harmless() -> dict[str, str]:
    """Paths of requests that are noise: path -> why it is requested."""
    return {each["path"]: each["why"] for each in _data()["harmless"]}


@lru_cache(maxsize=1)
def harmless_methods() -> dict[tuple[str, str], str]:
    """Requests to real routes that are noise where the route does not take the method: (method, path) -> why."""
    return {(each["method"], each["path"]): each["why"] for each in _data()["harmless_methods"]}


@lru_cache(maxsize=1)
def foreign_prefixes() -> dict[str, str]:
    """Path prefixes of other vendors: prefix -> whose it is."""
    return {each["prefix"]: each["who"] for each in _data()["foreign"]}


@lru_cache(maxsize=8)
def typed_bases(protocol: str) -> dict[str, float]:
    """How readily people type a base path for a client of this protocol: base path -> weight.

    The weights are an ordering (1.0 = most readily), not a measurement. Other vendors' prefixes are among them.
    """
    data = _data()
    weights: dict[str, float] = {each["prefix"]: each["typed"] for each in data["foreign"]}
    weights |= data["typed_bases"]
    weights |= data["typed_bases_by_protocol"].get(protocol, {})
    return weights


@lru_cache(maxsize=1)
def typed_otherwise() -> dict[str, float]:
    """The same for a base path that is not in `typed_bases`, by what is odd about it."""
    weights: dict[str, float] = _data()["typed_otherwise"]
    return weights


@lru_cache(maxsize=1)
def foreign_bodies() -> tuple[str, ...]:
    """What only other servers say in a body, lower case: a body that holds one of these is not the proxy's."""
    return tuple(_data()["foreign_bodies"])


def vendor_of(host: str) -> str | None:
    """The vendor whose API this host is, None for any other host."""
    vendors: dict[str, str] = _data()["vendor_hosts"]
    host = host.lower().rstrip(".")
    return next((name for known, name in vendors.items() if host == known or host.endswith("." + known)), None)
