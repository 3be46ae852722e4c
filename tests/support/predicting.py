"""What a client entry says a client will send, set beside what it was seen to send.

Shared by the test over the recorded measurements and by the test that runs the installed SDKs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote

from antigravity_doctor.diagnosis.joining import join
from antigravity_doctor.diagnosis.urls import split_url
from antigravity_doctor.knowledge.clients import Client, Mode, Request

ORIGIN = "http://127.0.0.1:8045"

MODEL, PROJECT = "m", "p"
"""What the lab's workers call the model and the Vertex AI project."""

NOT_JOINED = {
    " ": "a blank at the end is cut off when agdoctor reads a base URL",
    "#": "a fragment is no part of a base URL; clients disagree on what becomes of it",
}
"""Bases that were measured, but that agdoctor does not take as typed: character in the base -> why."""

Sent = tuple[str, str, str]
"""(base URL behind the origin, method, raw request target)"""


def version_key(version: str) -> tuple[int, ...]:
    """Versions in order: the numbers of a release."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def holds_for(mode: Mode, version: str) -> bool:
    """Whether the mode describes this version of its client."""
    first, below = mode.versions
    key = version_key(version)
    return (first is None or version_key(first) <= key) and (below is None or key < version_key(below))


def mode_for(client: Client, name: str, version: str) -> Mode:
    """The one mode of this name for this version; a client that has none or two of them is wrong."""
    found = [mode for mode in client.modes if mode.name == name and holds_for(mode, version)]
    assert len(found) == 1, f"{client.id} {version}: {len(found)} modes are called {name!r}"
    return found[0]


def concrete(suffix: str) -> str:
    """The suffix with what the lab puts in the place of its placeholders."""
    return suffix.replace("{model}", MODEL).replace("{id}", PROJECT)


def predicts(mode: Mode, request: Request, sent: Sent) -> bool:
    """Whether the entry's request, joined to this base, is what was sent.

    The path must be the same to the character. The query must be the same once percent-escapes are undone, unless the
    base had a query of its own: then only the path counts, because it alone decides where the request lands.
    """
    base, method, target = sent
    if method != request.method:
        return False
    said = split_url(join(mode.steps, ORIGIN + base, concrete(request.suffix)))
    path, _, query = target.partition("?")
    return (said.path or "/") == path and ("?" in base or unquote(said.query or "") == unquote(query))


def fitting(mode: Mode, sent: Sequence[Sent]) -> list[Request]:
    """The requests of the mode that predict what one call sent with *every* base (one suffix must explain them all)."""
    return [request for request in mode.requests if all(predicts(mode, request, each) for each in sent)]


def unexplained(mode: Mode, sent: Iterable[Sent]) -> list[Sent]:
    """What no request of the mode predicts: the words of a failing test."""
    return [each for each in sent if not any(predicts(mode, request, each) for request in mode.requests)]
