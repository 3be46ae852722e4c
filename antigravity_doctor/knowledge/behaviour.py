"""How the proxy answers, by version, where a diagnosis depends on it (`proxy/behaviour.json`).

A feature is data: spans of tags with a value. This module only looks them up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from antigravity_doctor.knowledge.files import load_json
from antigravity_doctor.knowledge.routes import within
from antigravity_doctor.knowledge.versions import Version, nearest_known, parse_version, resolve


@dataclass(frozen=True, slots=True)
class AdminLayer:
    """Who may call /api: see the feature `admin`."""

    password: bool
    open: frozenset[str]
    open_when_off: bool


@dataclass(frozen=True, slots=True)
class ServiceSwitch:
    """What is answered while the service is switched off: exact paths and prefixes (the feature `service_switch`)."""

    paths: frozenset[str]
    prefixes: tuple[str, ...]

    def lets_through(self, path: str) -> bool:
        """True if the path is answered although the service is switched off."""
        return path in self.paths or path.startswith(self.prefixes)


@dataclass(frozen=True, slots=True)
class WebUi:
    """What is served where no route is: the Allow header of the 405, and content types of files by path."""

    allow: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Behaviour:
    """The features of one version, named as in the data; None or empty where the version has not got one.

    `cors` are the headers that the CORS layer adds to its answer to OPTIONS, None without such a layer.
    """

    version: Version
    cors: Mapping[str, str] | None
    key_headers: tuple[str, ...]
    wrong_key_status: int | None
    health_paths: frozenset[str]
    open_prefixes: tuple[str, ...]
    admin: AdminLayer | None
    service_switch: ServiceSwitch | None
    starts_switched_off: bool
    ip_filter: bool
    web_ui: WebUi | None
    health_version: bool
    body_limit: int
    count_tokens_colon: bool
    status_port: bool
    json_errors: bool


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature's own record, for texts: what it is, where it is known from, and when it changed."""

    name: str
    summary: str
    source: str
    spans: tuple[tuple[str, str | None, Any], ...]


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    data: dict[str, Any] = load_json("proxy", "behaviour.json")
    return data


@lru_cache(maxsize=1)
def features() -> Mapping[str, Feature]:
    """All features by name, spans oldest first as (since, until, value)."""
    return {
        name: Feature(
            name,
            entry["summary"],
            entry["source"],
            tuple((span["since"], span["until"], span["value"]) for span in entry["spans"]),
        )
        for name, entry in _data()["features"].items()
    }


def text(name: str) -> str:
    """A body that the proxy sends, word for word; `%s` stands for what varies."""
    found: str = _data()["texts"][name]
    return found


def behaviour_of(version: str | Version | None = None) -> Behaviour:
    """The features of a version; None is the newest, an unknown version has those of the newest older tag.

    Raises ValueError as `versions.parse_version` does.
    """
    return _behaviour(nearest_known(resolve(version)))


@lru_cache(maxsize=256)
def _behaviour(version: Version) -> Behaviour:
    values: dict[str, Any] = {
        name: next((value for since, until, value in feature.spans if within(version, since, until)), None)
        for name, feature in features().items()
    }
    admin, switch, web_ui = values["admin"], values["service_switch"], values["web_ui"]
    return Behaviour(
        version=version,
        cors=values["cors"],
        key_headers=tuple(values["key_headers"] or ()),
        wrong_key_status=values["wrong_key_status"],
        health_paths=frozenset(values["health_paths"] or ()),
        open_prefixes=tuple(values["open_prefixes"] or ()),
        admin=admin and AdminLayer(admin["password"], frozenset(admin["open"]), admin["open_when_off"]),
        service_switch=switch and ServiceSwitch(frozenset(switch["paths"]), tuple(switch["prefixes"])),
        starts_switched_off=bool(values["starts_switched_off"]),
        ip_filter=bool(values["ip_filter"]),
        web_ui=web_ui and WebUi(web_ui["allow"], web_ui["files"]),
        health_version=bool(values["health_version"]),
        body_limit=values["body_limit"],
        count_tokens_colon=bool(values["count_tokens_colon"]),
        status_port=bool(values["status_port"]),
        json_errors=bool(values["json_errors"]),
    )


def since(feature: str) -> Version:
    """The first version that has a feature. Raises KeyError for a name that is not in the data."""
    return parse_version(features()[feature].spans[0][0])
