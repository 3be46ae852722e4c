"""Programs that are met where the proxy was expected, and what gives them away (`programs.json`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from antigravity_doctor.knowledge.files import load_json


@dataclass(frozen=True, slots=True)
class Program:
    """A program or protocol. `name` goes into a sentence such as "{name} answers on this port"."""

    id: str
    name: str


@lru_cache(maxsize=1)
def _data() -> tuple[tuple[Program, tuple[Mapping[str, Any], ...]], ...]:
    entries = load_json("programs.json")["programs"]
    return tuple((Program(each["id"], each["name"]), tuple(each["match"])) for each in entries)


def usual_program(port: int) -> str | None:
    """The program that is known for this port (`ports` of its entry), None for a port that tells nothing."""
    entries = load_json("programs.json")["programs"]
    return next((str(each["name"]) for each in entries if port in each.get("ports", ())), None)


def by_answers(answers: Iterable[tuple[Mapping[str, str], str]], health_version: str | None = None) -> Program | None:
    """The program that gave these HTTP answers, each as (headers by lower-case name, start of the body)."""
    seen = list(answers)
    for program, rules in _data():
        for rule in rules:
            if any(_fits(rule, headers, body) for headers, body in seen):
                return program
            if rule["where"] == "health-version" and health_version and health_version.startswith(rule["starts"]):
                return program
    return None


def by_bytes(raw: bytes) -> Program | None:
    """The program or protocol whose first bytes these are."""
    for program, rules in _data():
        for rule in rules:
            if rule["where"] != "raw":
                continue
            if "hex" in rule and raw.startswith(bytes.fromhex(rule["hex"])):
                return program
            if "starts" in rule and raw.startswith(rule["starts"].encode()):
                return program
            if "has" in rule and rule["has"].encode() in raw:
                return program
    return None


def _fits(rule: Mapping[str, Any], headers: Mapping[str, str], body: str) -> bool:
    if rule["where"] == "header":
        value = headers.get(rule["name"])
        return value is not None and rule["has"].lower() in value.lower()
    return rule["where"] == "body" and rule["has"] in body
