"""Runs real SDKs against a loopback recorder and writes down what they send: `tests/data/sdk-measurements.json`.

    python tests/lab/measure_sdks.py                     install what is missing, measure all, write the file
    python tests/lab/measure_sdks.py openai-python       only the clients whose id contains this (the rest is kept)
    SDK_LAB=/some/folder …                               where the SDKs are installed (default: /tmp/sdk-lab)

Not part of the test run: it installs some 25 SDK versions (one throw-away environment each, about 2 GB, from PyPI and
npm only). `tests/clients/test_sdk_measurements.py` then holds the client entries to what was observed.

To add an SDK or a version: add a line to `SUBJECTS`, and for a new SDK its calls to `worker.py` or `worker.mjs`.

Nothing can leave the machine while measuring: the script starts itself again in a network namespace that has only a
loopback device (`unshare`, Linux), with the vendors' host names in a private /etc/hosts pointing at loopback
addresses where a listener notes who called. So a variable that looks right and is ignored is *seen* to send the
request to the vendor.

What is written, as rows so that a difference between two runs is readable:

    matrix  [mode, base URL behind the origin, call, method, raw target, where the key was]
    env     mode -> variable -> {"honoured": bool, "target": raw target | null, "vendor": host | null}
    also    NAME=VALUE of another variable -> the raw target with it, in the mode that sets least
    keys    variable -> where the key was | null if it was not read
    errors  reply ("not-found" | "method-not-allowed" | "html") -> call -> what the client raised

A row whose request never arrived has method and target null and the client's error in place of the key.
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from tests.support.recorder import KEY, Recorder  # noqa: E402

LAB = Path(os.environ.get("SDK_LAB", "/tmp/sdk-lab"))  # noqa: S108
OUTPUT = HERE.parent / "data" / "sdk-measurements.json"
DATE = os.environ.get("SDK_LAB_DATE", "2026-11-22")

VENDORS = (
    "api.openai.com",
    "api.anthropic.com",
    "generativelanguage.googleapis.com",
    "aiplatform.googleapis.com",
    "us-central1-aiplatform.googleapis.com",
)

BASES = (
    *("", "/", "//", "/v1", "/v1/", "/v1//", "/V1", "/v1beta", "/v1beta/", "/v1beta1", "/v1/v1", "/openai/v1", "/api"),
    *("/api/paas/v4", "/api/paas/v4/", "/v1/chat/completions", "/v1/chat/completions/", "/v1/responses"),
    *("/v1/messages", "/v1beta/models", "/v1beta/openai", "//v1", "/v%31", "/a%20b"),
    *("?x=1", "/?x=1", "/v1?x=1", "/v1/?x=1", "/v1?x=a/b", "/v1?x=a/"),
    *("#f", "/v1#f"),
    *("/v1 ", " "),
)
"""What follows the origin. The last two are a base URL pasted with a blank at its end."""


@dataclass(frozen=True, slots=True)
class Mode:
    """A mode as the client entry names it: which calls belong to it, and what the client is constructed with."""

    name: str
    calls: Sequence[str]
    options: Mapping[str, object] = field(default_factory=dict)
    main: int = 2
    """So many of the calls, from the first, are made with every base, the rest with three bases."""
    env: bool = False
    """Whether the variables are tried in this mode too (they always are in a client's first mode)."""


@dataclass(frozen=True, slots=True)
class Subject:
    client: str
    version: str
    worker: str
    packages: Sequence[str]
    modes: Sequence[Mode]
    env: Sequence[str]
    """Variables to try for the base URL, the ones that are read and the ones that only look right."""
    keys: Sequence[str]
    node: bool = False
    brief: bool = False
    """A version beside which a rule changed: only the first calls of each mode, and no error texts."""

    @property
    def folder(self) -> Path:
        return LAB / f"{self.client}-{self.version}"


OPENAI_ENV = (
    "OPENAI_BASE_URL",
    "OPENAI_API_BASE",
    "OPENAI_API_BASE_URL",
    "OPENAI_API_HOST",
    "OPENAI_API_URL",
    "OPENAI_ENDPOINT",
)
ANTHROPIC_ENV = (
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_API_URL",
    "ANTHROPIC_API_BASE",
    "ANTHROPIC_API_BASE_URL",
    "ANTHROPIC_ENDPOINT",
)
GOOGLE_ENV = (
    "GOOGLE_GEMINI_BASE_URL",
    "GEMINI_BASE_URL",
    "GEMINI_API_BASE_URL",
    "GEMINI_API_BASE",
    "GOOGLE_API_BASE",
    "GOOGLE_BASE_URL",
    "GOOGLE_GENAI_BASE_URL",
    "GOOGLE_GENERATIVE_AI_BASE_URL",
    "GOOGLE_VERTEX_BASE_URL",
)

OPENAI_REST = ("chat", "models", "chat-stream", "completions", "embeddings", "model", "image", "image-edit")
OPENAI_LEGACY = (Mode("Chat Completions", (*OPENAI_REST, "transcription")),)
OPENAI = (*OPENAI_LEGACY, Mode("Responses", ("responses", "responses-stream"), main=1))
ANTHROPIC = (
    Mode(
        "Messages",
        ("messages", "beta-messages", "models", "messages-stream", "count-tokens", "beta-count-tokens", "model"),
    ),
)
GEMINI_CALLS = ("generate", "generate-stream", "models", "count-tokens", "embed", "model", "chat")
GEMINI_LEGACY = (Mode("Gemini API", ("generate", "generate-stream", "models", "count-tokens", "embed", "model")),)


def gemini(version_option: str, *, pinned: bool) -> tuple[Mode, ...]:
    """The modes of Google GenAI. `pinned`: the current major, whose own default API version is another one."""
    return (
        Mode("Gemini API", GEMINI_CALLS, {version_option: "v1beta"} if pinned else {}),
        *((Mode("Gemini API, no API version set", GEMINI_CALLS),) if pinned else ()),
        Mode("Gemini API, API version empty", GEMINI_CALLS, {version_option: ""}),
        Mode("Vertex AI, with an API key", GEMINI_CALLS, {"vertexai": True}, env=True),
        Mode(
            "Vertex AI, with a project",
            GEMINI_CALLS,
            {"vertexai": True, "project": "p", "location": "us-central1"},
        ),
    )


AI_OPENAI = (
    Mode("Responses", ("responses", "default", "responses-stream", "embeddings", "image"), main=1),
    Mode("Chat Completions", ("chat", "chat-stream", "completions", "embeddings", "image"), main=1),
)
AI_COMPATIBLE = (Mode("Chat Completions", ("chat", "default", "chat-stream", "completions", "embeddings", "image")),)
AI_ANTHROPIC = (Mode("Messages", ("messages", "messages-stream")),)
AI_GOOGLE = (Mode("Gemini API", ("generate", "generate-stream", "embeddings")),)

OPENAI_KEYS = ("OPENAI_API_KEY",)
ANTHROPIC_KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY+ANTHROPIC_AUTH_TOKEN")
GOOGLE_KEYS = ("GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY")


def _python(client: str, version: str, worker: str, modes: Sequence[Mode], *extra: str, brief: bool = False) -> Subject:
    package = client.removesuffix("-python")
    env, keys = {
        "openai": (OPENAI_ENV, OPENAI_KEYS),
        "anthropic": (ANTHROPIC_ENV, ANTHROPIC_KEYS),
    }.get(package, (GOOGLE_ENV, GOOGLE_KEYS))
    return Subject(client, version, worker, (f"{package}=={version}", *extra), modes, env, keys, brief=brief)


def _node(
    client: str, version: str, package: str, worker: str, modes: Sequence[Mode], *extra: str, brief: bool = False
) -> Subject:
    env, keys = (
        (OPENAI_ENV, OPENAI_KEYS)
        if "openai" in client
        else (ANTHROPIC_ENV, ANTHROPIC_KEYS)
        if "anthropic" in client
        else (GOOGLE_ENV, GOOGLE_KEYS)
    )
    return Subject(client, version, worker, (f"{package}@{version}", *extra), modes, env, keys, node=True, brief=brief)


SUBJECTS: tuple[Subject, ...] = (
    _python("openai-python", "0.28.1", "openai-legacy", OPENAI_LEGACY, "setuptools<81"),
    _python("openai-python", "1.0.0", "openai", OPENAI_LEGACY, "httpx<0.28"),
    _python("openai-python", "1.109.1", "openai", OPENAI),
    _python("openai-python", "2.54.0", "openai", OPENAI),
    _python("openai-python", "3.19.2", "openai", OPENAI, brief=True),
    _python("openai-python", "3.20.0", "openai", OPENAI, brief=True),
    _python("openai-python", "3.54.0", "openai", OPENAI),
    _python("openai-python", "3.57.0", "openai", OPENAI),
    _python("anthropic-python", "0.125.0", "anthropic", ANTHROPIC),
    _python("anthropic-python", "1.17.0", "anthropic", ANTHROPIC),
    _python("anthropic-python", "2.0.0", "anthropic", ANTHROPIC, brief=True),
    _python("anthropic-python", "2.12.0", "anthropic", ANTHROPIC),
    _python("anthropic-python", "2.14.0", "anthropic", ANTHROPIC),
    _python("google-genai-python", "1.0.0", "google-genai", gemini("api_version", pinned=False)),
    _python("google-genai-python", "1.75.0", "google-genai", gemini("api_version", pinned=False)),
    _python("google-genai-python", "2.34.0", "google-genai", gemini("api_version", pinned=False)),
    _python("google-genai-python", "3.0.0", "google-genai", gemini("api_version", pinned=True), brief=True),
    _python("google-genai-python", "3.4.0", "google-genai", gemini("api_version", pinned=True)),
    _python("google-genai-python", "3.6.1", "google-genai", gemini("api_version", pinned=True)),
    _python("google-generativeai", "0.8.6", "google-generativeai", GEMINI_LEGACY),
    _node("openai-node", "4.104.0", "openai", "openai", OPENAI),
    _node("openai-node", "5.23.2", "openai", "openai", OPENAI),
    _node("openai-node", "6.49.0", "openai", "openai", OPENAI),
    _node("openai-node", "7.23.0", "openai", "openai", OPENAI, brief=True),
    _node("openai-node", "7.24.0", "openai", "openai", OPENAI, brief=True),
    _node("openai-node", "7.57.0", "openai", "openai", OPENAI),
    _node("openai-node", "7.59.0", "openai", "openai", OPENAI),
    _node("anthropic-node", "0.137.0", "@anthropic-ai/sdk", "anthropic", ANTHROPIC),
    _node("anthropic-node", "1.0.0", "@anthropic-ai/sdk", "anthropic", ANTHROPIC, brief=True),
    _node("anthropic-node", "1.12.0", "@anthropic-ai/sdk", "anthropic", ANTHROPIC),
    _node("anthropic-node", "1.14.0", "@anthropic-ai/sdk", "anthropic", ANTHROPIC),
    _node("google-genai-node", "1.52.0", "@google/genai", "google-genai", gemini("apiVersion", pinned=False)),
    _node("google-genai-node", "2.32.0", "@google/genai", "google-genai", gemini("apiVersion", pinned=False)),
    _node("google-genai-node", "3.1.0", "@google/genai", "google-genai", gemini("apiVersion", pinned=True)),
    _node("google-genai-node", "3.3.0", "@google/genai", "google-genai", gemini("apiVersion", pinned=True)),
    *(
        _node(client, version, f"@ai-sdk/{client.removeprefix('ai-sdk-')}", client, modes, f"ai@{ai}", "zod@4")
        for client, modes, versions in (
            ("ai-sdk-openai", AI_OPENAI, ("2.0.131", "3.0.141", "4.0.118")),
            ("ai-sdk-openai-compatible", AI_COMPATIBLE, ("1.0.61", "2.0.91", "3.0.92")),
            ("ai-sdk-anthropic", AI_ANTHROPIC, ("2.0.112", "3.0.139", "4.0.105")),
            ("ai-sdk-google", AI_GOOGLE, ("2.0.108", "3.0.141", "4.0.121")),
        )
        for version, ai in zip(versions, ("5.0.277", "6.0.326", "7.0.173"), strict=True)
    ),
)


def install(subject: Subject) -> None:
    """Into its own folder, once. Install scripts of npm packages are not run."""
    done = subject.folder / "ok"
    if done.exists():
        return
    subject.folder.mkdir(parents=True, exist_ok=True)
    print(f"installing {subject.client} {subject.version}", file=sys.stderr)
    if subject.node:
        (subject.folder / "package.json").write_text('{"private": true, "type": "module"}')
        quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        subprocess.run(["npm", "install", *quiet, *subject.packages], cwd=subject.folder, check=True)
    else:
        subprocess.run([sys.executable, "-m", "venv", str(subject.folder)], check=True)
        subprocess.run([str(subject.folder / "bin" / "pip"), "-q", "install", *subject.packages], check=True)
    done.touch()


def enter_loopback_only() -> None:
    """Start this script again where there is no network but loopback, with a hosts file of its own."""
    with tempfile.NamedTemporaryFile("w", prefix="hosts-", delete=False) as hosts:
        hosts.write("127.0.0.1 localhost\n::1 localhost\n")
        hosts.writelines(f"127.0.1.{number} {vendor}\n" for number, vendor in enumerate(VENDORS, 1))
    own = [] if os.geteuid() == 0 else ["--map-root-user"]
    script = f'ip link set lo up && mount --bind {hosts.name} /etc/hosts && exec "$@"'
    command = ["unshare", *own, "--mount", "--net", "sh", "-c", script, "sh", sys.executable, *sys.argv]
    raise SystemExit(subprocess.run(command, env={**os.environ, "SDK_LAB_INSIDE": "1"}, check=False).returncode)


class VendorSinks:
    """Listens where the vendors' host names lead in the namespace; `take` says which were called."""

    def __init__(self) -> None:
        self._called: list[str] = []
        self._selector = selectors.DefaultSelector()
        for number, vendor in enumerate(VENDORS, 1):
            listener = socket.create_server((f"127.0.1.{number}", 443))
            self._selector.register(listener, selectors.EVENT_READ, vendor)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                listener = key.fileobj
                assert isinstance(listener, socket.socket)
                connection, _address = listener.accept()
                self._called.append(key.data)
                connection.close()

    def take(self) -> str | None:
        called, self._called = self._called, []
        return called[0] if called else None


class Worker:
    """One SDK in a process of its own, with nothing of this process's environment but PATH."""

    def __init__(self, subject: Subject, env: Mapping[str, str] | None = None) -> None:
        if subject.node:
            command = ["node", str(HERE / "worker.mjs"), subject.worker, str(subject.folder)]
        else:
            command = [str(subject.folder / "bin" / "python"), str(HERE / "worker.py"), subject.worker]
        self._home = tempfile.mkdtemp(prefix="sdk-home-")
        clean = {"PATH": os.environ["PATH"], "HOME": self._home, "NO_COLOR": "1", **(env or {})}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=clean
        )

    def call(self, call: str, base: str | None, options: Mapping[str, object], key: str | None) -> str | None:
        """The error that the call raised, as `Type: text`, or None."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        timer = threading.Timer(40, process.kill)
        timer.start()
        try:
            process.stdin.write(json.dumps({"call": call, "base": base, "options": dict(options), "key": key}) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            timer.cancel()
        return json.loads(line)["error"] if line else "the process ended"

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
        shutil.rmtree(self._home, ignore_errors=True)


@contextmanager
def worker(subject: Subject, env: Mapping[str, str] | None = None) -> Iterator[Worker]:
    started = Worker(subject, env)
    try:
        yield started
    finally:
        started.close()


def measure(subject: Subject, recorder: Recorder, sinks: VendorSinks) -> dict[str, Any]:
    def clean(text: str) -> str:
        return text.replace(recorder.origin, "{origin}").replace(recorder.origin[7:], "{host}").replace(KEY, "{key}")

    agents: set[str] = set()
    rows: list[list[str | None]] = []
    with worker(subject) as sdk:
        for mode in subject.modes:
            for place, call in enumerate(mode.calls[:1] if subject.brief else mode.calls):
                for base in BASES if place < mode.main else ("", "/", "/v1/"):
                    error = sdk.call(call, recorder.origin + base, mode.options, KEY)
                    seen = recorder.take()
                    vendor = sinks.take()
                    if seen:
                        first = seen[0]
                        agents |= {first.user_agent} if first.user_agent else set()
                        place_of_key = "+".join(first.key_places) or None
                        rows.append([mode.name, base, call, first.method, clean(first.target), place_of_key])
                    else:
                        why = f"sent to {vendor}" if vendor else clean(error or "no request")[:160]
                        rows.append([mode.name, base, call, None, None, why])
    first_mode = subject.modes[0]
    call = first_mode.calls[0]
    variables: dict[str, dict[str, Any]] = {}
    for mode in subject.modes:
        if mode is not first_mode and not mode.env:
            continue
        variables[mode.name] = {}
        for name in subject.env:
            with worker(subject, {name: f"{recorder.origin}/from-env"}) as sdk:
                sdk.call(mode.calls[0], None, mode.options, KEY)
                seen, vendor = recorder.take(), sinks.take()
            target = seen[0].target if seen else None
            variables[mode.name][name] = {"honoured": bool(seen), "target": target, "vendor": vendor}
    honoured = [name for name, found in variables[first_mode.name].items() if found["honoured"]]
    with worker(subject, dict.fromkeys(honoured, f"{recorder.origin}/from-env")) as sdk:
        sdk.call(call, f"{recorder.origin}/from-argument", first_mode.options, KEY)
        seen = recorder.take()
    argument_wins = bool(seen) and "/from-argument" in seen[0].target if honoured else None
    also: dict[str, str | None] = {}
    for setting in ("GOOGLE_GENAI_API_VERSION=v1beta",) if "google" in subject.client else ():
        name, _, value = setting.partition("=")
        with worker(subject, {name: value}) as sdk:
            sdk.call(call, recorder.origin, {}, KEY)
            seen = recorder.take()
        also[setting] = seen[0].target if seen else None
    keys: dict[str, str | None] = {}
    for name in subject.keys:
        with worker(subject, dict.fromkeys(name.split("+"), KEY)) as sdk:
            sdk.call(call, recorder.origin, first_mode.options, None)
            found = recorder.take()
        keys[name] = "+".join(found[0].key_places) or None if found else None
    errors: dict[str, dict[str, str | None]] = {}
    with worker(subject) as sdk:
        for reply in () if subject.brief else ("not-found", "method-not-allowed", "html"):
            recorder.mode = reply
            errors[reply] = {}
            for mode in subject.modes:
                for name in mode.calls[:3]:
                    error = sdk.call(name, recorder.origin + "/wrong", mode.options, KEY)
                    errors[reply].setdefault(name, clean(error)[:400] if error else None)
            recorder.take()
        recorder.mode = "answer"
    return {
        "client": subject.client,
        "version": subject.version,
        "date": DATE,
        "platform": "linux",
        "user_agents": sorted(agents),
        "env": variables,
        "argument_beats_env": argument_wins,
        "also": also,
        "keys": keys,
        "errors": errors,
        "matrix": rows,
    }


def dump(found: Sequence[Mapping[str, Any]]) -> str:
    """JSON with a line for each row of a matrix and for each other entry."""
    parts = []
    for item in found:
        lines = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in item.items() if name != "matrix"]
        rows = ",\n".join("    " + json.dumps(row) for row in item["matrix"])
        parts.append("{\n" + ",\n".join(lines) + ',\n  "matrix": [\n' + rows + "\n  ]\n}")
    return "[\n" + ",\n".join(parts) + "\n]\n"


def main() -> None:
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    chosen = [subject for subject in SUBJECTS if wanted in f"{subject.client} {subject.version}"]
    if os.environ.get("SDK_LAB_INSIDE") != "1":
        for subject in chosen:
            install(subject)
        enter_loopback_only()
    before = json.loads(OUTPUT.read_text()) if OUTPUT.exists() else []
    known = {(item["client"], item["version"]): item for item in before}
    sinks = VendorSinks()
    with Recorder() as recorder:
        for subject in chosen:
            known[subject.client, subject.version] = measure(subject, recorder, sinks)
            print(f"measured {subject.client} {subject.version}", file=sys.stderr)
    order = [(subject.client, subject.version) for subject in SUBJECTS]
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(dump([known[name] for name in order if name in known]))


if __name__ == "__main__":
    main()
