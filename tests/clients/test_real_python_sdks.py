"""Runs the installed Python SDKs against a loopback recorder: the entry predicts every path that they send.

The entry's mode is the one for the version that is installed, so a new release that joins in another way fails here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import version

import pytest

from antigravity_doctor.knowledge.clients import find_client
from tests.lab import worker
from tests.lab.measure_sdks import ANTHROPIC, BASES, OPENAI, Mode, gemini
from tests.support.predicting import NOT_JOINED, fitting, mode_for, unexplained, version_key
from tests.support.recorder import KEY, Recorder, Seen

PACKAGES = {"openai-python": "openai", "anthropic-python": "anthropic", "google-genai-python": "google-genai"}
INSTALLED = {client: version(package) for client, package in PACKAGES.items()}
GEMINI = gemini("api_version", pinned=version_key(INSTALLED["google-genai-python"]) >= (3,))
MODES = {"openai-python": OPENAI, "anthropic-python": ANTHROPIC, "google-genai-python": GEMINI}
TYPED = [base for base in BASES if not any(mark in base for mark in NOT_JOINED)]

every_call = pytest.mark.parametrize(
    ("client", "mode", "call"),
    [
        pytest.param(client, mode, call, id=f"{client}-{mode.name}-{call}".replace(" ", "_"))
        for client, modes in MODES.items()
        for mode in modes
        for call in mode.calls
    ],
)


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    with Recorder() as started, pytest.MonkeyPatch.context() as patch:
        # Every SDK client reads the list of certificate authorities when it is made, which is most of its time; the
        # recorder speaks plain http.
        patch.setattr("ssl.SSLContext.load_verify_locations", lambda *_, **__: None)
        patch.setattr("ssl.SSLContext.load_default_certs", lambda *_, **__: None)
        yield started


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_CUSTOM_HEADERS"):
        monkeypatch.delenv(name, raising=False)
    for name in ("GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL", "GOOGLE_GENAI_API_VERSION", "GOOGLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@lru_cache(maxsize=512)
def calls_of(client: str, base_url: str, options: tuple[tuple[str, object], ...]) -> worker.Calls:
    """The SDK's client object for this base URL, made once for all its calls: making one takes longer than a call."""
    return worker.CLIENTS[PACKAGES[client]](base_url, KEY, dict(options))


def send(recorder: Recorder, client: str, mode: Mode, call: str, base: str) -> Seen:
    """The first request of this call. What the SDK makes of the answer does not matter here."""
    recorder.take()
    with suppress(Exception):
        calls_of(client, recorder.origin + base, tuple(mode.options.items()))[call]()
    seen = recorder.take()
    assert seen, f"{call} with the base {base!r} sent nothing"
    return seen[0]


@every_call
def test_the_entry_predicts_the_path_with_every_base(client: str, mode: Mode, call: str, recorder: Recorder) -> None:
    entry = mode_for(find_client(client), mode.name, INSTALLED[client])
    bases = TYPED if call in mode.calls[: mode.main] else ["", "/", "/v1", "/v1/", "/v1beta", "//"]
    sent = []
    for base in bases:
        seen = send(recorder, client, mode, call, base)
        sent.append((base, seen.method, seen.target))
    assert fitting(entry, sent), unexplained(entry, sent)[:5] or "no single request of the entry fits them all"


@every_call
def test_the_key_is_in_the_header_that_the_entry_names(client: str, mode: Mode, call: str, recorder: Recorder) -> None:
    entry = mode_for(find_client(client), mode.name, INSTALLED[client])
    assert send(recorder, client, mode, call, "").key_places == (entry.raw["key"]["header"].lower(),)


@pytest.mark.parametrize("client", PACKAGES)
def test_the_user_agent_is_one_that_the_entry_knows(client: str, recorder: Recorder) -> None:
    mode = MODES[client][0]
    agent = send(recorder, client, mode, mode.calls[0], "").user_agent
    assert agent is not None
    assert agent.startswith(tuple(find_client(client).raw["user_agents"]))


@pytest.mark.parametrize(
    ("client", "name"),
    [
        (client, mode.name)
        for client, modes in MODES.items()
        for mode in modes
        if "models" in mode.calls and "project" not in mode.options
    ],
)
def test_the_snippet_runs_and_its_client_calls_the_base_url(client: str, name: str, recorder: Recorder) -> None:
    entry = mode_for(find_client(client), name, INSTALLED[client])
    source = entry.raw["snippet"]["text"].replace("{base_url}", recorder.origin).replace("{key}", KEY)
    scope: dict[str, object] = {}
    exec(compile(source, f"{client}-{entry.id}", "exec"), scope)  # noqa: S102 - our own snippet, as a user pastes it
    recorder.take()
    with suppress(Exception):
        list(scope["client"].models.list())  # type: ignore[attr-defined]
    listing = [request.suffix for request in entry.requests if request.suffix.endswith("/models")]
    assert [seen.target for seen in recorder.take()] == listing


@pytest.mark.parametrize("reply", ["not-found", "method-not-allowed"])
@pytest.mark.parametrize("client", PACKAGES)
def test_a_wrong_path_ends_in_an_error_text_that_the_entry_knows(client: str, reply: str, recorder: Recorder) -> None:
    mode = MODES[client][0]
    recorder.mode = "not-found" if reply == "not-found" else "method-not-allowed"
    try:
        with pytest.raises(Exception, match=r"40[45]") as raised:
            calls_of(client, recorder.origin + "/wrong", tuple(mode.options.items()))[mode.calls[0]]()
    finally:
        recorder.mode = "answer"
    text = f"{type(raised.value).__name__}: {raised.value}"
    assert any(text in known for known in find_client(client).raw["error_texts"]), text
