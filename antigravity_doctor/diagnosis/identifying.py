"""Which client sent this? What a User-Agent names, and which requests of the catalogue can have made a path.

A User-Agent is compared with the `user_agents` of the entries (docs/add-a-client.md says what they may hold); a path
is read backwards with each mode's own join rule. Both only list what is possible: `tracing` weighs it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from antigravity_doctor.diagnosis.families import key_of
from antigravity_doctor.diagnosis.joining import Rule, invert, rule_of, run
from antigravity_doctor.diagnosis.solving import is_version
from antigravity_doctor.diagnosis.urls import split_url
from antigravity_doctor.knowledge.clients import Client, Mode, Request, all_clients

# Stands for the host while joining; only the path of the result is used.
_ORIGIN = "http://h"
_MODEL = "MODEL"
_LONGEST_AGENT = 512
_LONGEST_PATH = 8192

PROTOCOL_HEADERS = {
    "anthropic-version": "anthropic",
    "anthropic-beta": "anthropic",
    "x-goog-api-client": "gemini",
    "x-goog-api-key": "gemini",
    "openai-beta": "openai",
    "openai-organization": "openai",
    "openai-project": "openai",
}
"""Headers that only clients of one protocol send -> that protocol (the vendors' API references)."""

SDK_HEADER = "x-stainless-"
"""What the headers begin with that the OpenAI and Anthropic SDKs (Python, Node) add to every request."""

_SDK_AGENTS = ("OpenAI/", "Anthropic/")


class Named(NamedTuple):
    """What a User-Agent names. `clients` send it, the best-known first; `version` is that of the first one, None where
    the number in it is another package's. `product` is its first word, up to the "/"."""

    clients: tuple[Client, ...]
    version: str | None
    product: str


class Made(NamedTuple):
    """One request of a mode that can have made a path: joined with `base_path`, `suffix` gives it to the character."""

    client: Client
    mode: Mode
    request: Request
    base_path: str
    suffix: str


class _Agent(NamedTuple):
    """One entry of `user_agents`, taken apart. `own` is False where the number belongs to another package."""

    client: Client
    start: str
    words: tuple[str, ...]
    own: bool
    length: int


class _Shape(NamedTuple):
    """A request of the catalogue, ready to be found at the end of a path: `pattern` is None without a placeholder."""

    client: Client
    mode: Mode
    request: Request
    suffix: str
    pattern: re.Pattern[str] | None


# --- what a User-Agent says ------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _agents() -> tuple[_Agent, ...]:
    found = []
    for client in all_clients():
        for entry in client.raw.get("user_agents", ()):
            own = not entry.endswith("*")
            start, *words = entry.rstrip("*").split(" … ")
            length = len(start) + sum(len(word) for word in words)
            found.append(_Agent(client, start, tuple(words), own, length))
    return tuple(found)


@lru_cache(maxsize=1024)
def named_by(user_agent: str | None) -> Named:
    """Who sends this User-Agent. The entry that says most wins, one at its beginning before one further on.

    `clients` is empty where nobody is known to; several clients may be known by the same words.
    """
    text = (user_agent or "")[:_LONGEST_AGENT].strip()
    product = re.split(r"[/\s(]", text, maxsplit=1)[0]
    best: tuple[bool, int] = (False, 0)
    clients: list[Client] = []
    version: str | None = None
    for agent in _agents():
        start = _found_at(text, agent.start)
        if start < 0 or any(_found_at(text, word) < 0 for word in agent.words):
            continue
        weight = (start == 0, agent.length)
        if weight > best:
            best, clients = weight, []
            version = _number_behind(text[start + len(agent.start) :]) if agent.own else None
        if weight == best and agent.client not in clients:
            clients.append(agent.client)
    return Named(tuple(clients), version, product)


def _found_at(text: str, words: str) -> int:
    """Where one of the User-Agent's words begins with this; -1 if none does."""
    if text.startswith(words):
        return 0
    for opening in (" ", "("):
        at = text.find(opening + words)
        if at >= 0:
            return at + 1
    return -1


def _number_behind(text: str) -> str | None:
    """The version at the beginning of what follows a product's name: "-tui/0.61.0/x" -> 0.61.0, " 3.54.0" too."""
    found = re.match(r"[\w-]*?[/ ]?v?(\d{1,9}(?:\.\d{1,9})+(?:-[0-9A-Za-z.]{1,40})?)", text)
    return found[1] if found is not None else None


def in_version(mode: Mode, version: str | None) -> bool:
    """True if the mode describes this version of its client; without a version every mode may."""
    if version is None or mode.versions == (None, None):
        return True
    first, below = mode.versions
    key = _numbers(version)
    return (first is None or _numbers(first) <= key) and (below is None or key < _numbers(below))


@lru_cache(maxsize=512)
def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d{1,9}", version.partition("-")[0])[:4])


def is_sdk_of_headers(client: Client) -> bool:
    """True for the SDKs that send the headers of SDK_HEADER, and what is known by their User-Agent."""
    return any(each.startswith(_SDK_AGENTS) for each in client.raw.get("user_agents", ()))


# --- what a path says ------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _shapes() -> dict[str, tuple[_Shape, ...]]:
    """Every request of the catalogue by what its last segment is: itself, ":action" of a model, or "*" for any."""
    found: dict[str, list[_Shape]] = {}
    for client in all_clients():
        for mode in client.modes:
            for request in mode.requests:
                suffix = request.suffix.partition("?")[0]
                pattern = None
                if "{" in suffix:
                    pieces = [re.escape(piece) for piece in re.split(r"\{\w+\}", suffix)]
                    pattern = re.compile("[^/]+".join(pieces) + r"\Z")
                found.setdefault(key_of(suffix), []).append(_Shape(client, mode, request, suffix, pattern))
    return {key: tuple(shapes) for key, shapes in found.items()}


@lru_cache(maxsize=64)
def _loose(client: Client) -> tuple[_Shape, ...]:
    """Requests whose rule may drop the suffix or change it, so that a path need not end in it."""
    plain = {"append", "strip-slash", "strip-slashes", "add-slash", "add-unless"}
    return tuple(
        each
        for shapes in _shapes().values()
        for each in shapes
        if each.client is client and not {name for name, _, _ in rule_of(each.mode)} <= plain
    )


@lru_cache(maxsize=1024)
def made_by(path: str, method: str, client: Client | None) -> tuple[Made, ...]:
    """Every request of a client, or of all, that makes exactly this path with some base path; never raises.

    Where one suffix of a mode ends in another one ("/chat/completions", "/completions"), the longer is meant, unless
    it only has a version more: that can as well be the base path's.
    """
    found = _read_backwards(path, method, client)
    return tuple(each for each in found if not _is_end_of_longer(each, found))


def _is_end_of_longer(made: Made, found: tuple[Made, ...]) -> bool:
    mine = made.request.suffix
    return any(
        other.mode is made.mode
        and other.request.suffix.endswith(mine)
        and not is_version(other.request.suffix.removesuffix(mine).strip("/") or "v1")
        for other in found
    )


@lru_cache(maxsize=1024)
def _read_backwards(path: str, method: str, client: Client | None) -> tuple[Made, ...]:
    last = path[path.rfind("/") + 1 :]
    if len(path) > _LONGEST_PATH or "?" in path or "#" in path:
        return ()
    method = "GET" if method == "HEAD" else method
    shapes = _shapes()
    colon = last.rfind(":")
    keys = (last, last[colon:], "*") if colon > 0 else (last, "*")
    found: list[Made] = []
    for key in keys:
        for shape in shapes.get(key, ()):
            if shape.request.method != method or (client is not None and shape.client is not client):
                continue
            suffix = _suffix_in(path, shape)
            if suffix:
                found += _backwards(shape, path, suffix)
    if client is not None:
        for shape in _loose(client):
            if shape.request.method == method and not _suffix_in(path, shape):
                found += _backwards(shape, path, _filled(shape))
    return tuple(found)


@lru_cache(maxsize=1024)
def made_with(path: str, method: str, base_path: str, client: Client) -> tuple[Made, ...]:
    """The requests of a client that, joined with this very base path, give exactly this path."""
    if len(path) > _LONGEST_PATH or len(base_path) > _LONGEST_PATH:
        return ()
    found = [
        each._replace(base_path=base_path)
        for each in _read_backwards(path, method, client)
        if each.base_path == base_path or _joins(rule_of(each.mode), base_path, each.suffix, path)
    ]
    for shape in _loose(client):
        if shape.request.method == ("GET" if method == "HEAD" else method):
            suffix = _suffix_in(path, shape) or _filled(shape)
            if _joins(rule_of(shape.mode), base_path, suffix, path):
                found.append(Made(client, shape.mode, shape.request, base_path, suffix))
    return tuple(dict.fromkeys(found))


def _joins(rule: Rule, base_path: str, suffix: str, path: str) -> bool:
    return split_url(run(rule, _ORIGIN + base_path, suffix)).path == path


def _backwards(shape: _Shape, path: str, suffix: str) -> list[Made]:
    return [
        Made(shape.client, shape.mode, shape.request, base_path, suffix)
        for base_path in invert(rule_of(shape.mode), _ORIGIN, path, suffix)
    ]


def _suffix_in(path: str, shape: _Shape) -> str:
    """The suffix that a path ends in, "" if it does not end in this one."""
    if shape.pattern is None:
        return shape.suffix if path.endswith(shape.suffix) else ""
    found = shape.pattern.search(path)
    return found.group() if found is not None else ""


def _filled(shape: _Shape) -> str:
    return re.sub(r"\{\w+\}", _MODEL, shape.suffix)
