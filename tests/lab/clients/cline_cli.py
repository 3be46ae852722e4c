"""Cline's command line: `cline -P PROVIDER`. `cline auth` writes providers.json, for some providers without the URL."""

import json
from collections.abc import Sequence

from tests.lab.frame import BASES, Mode, Subject, env, file

SOME = ("", "/v1", "/v1/", "/v1beta")  # a run takes twenty seconds
STATE = ".cline/data/settings/providers.json"


def providers(provider: str, **more: str) -> str:
    settings = {"provider": provider, "apiKey": "{key}", "model": "{model}", **more}
    entry = {"settings": settings, "updatedAt": "2026-11-22T00:00:00.000Z", "tokenSource": "manual"}
    return json.dumps({"version": 1, "lastUsedProvider": provider, "modes": {}, "providers": {provider: entry}})


def mode(id_: str, provider: str, ignored: str, endpoint: str | None = None, bases: Sequence[str] = BASES) -> Mode:
    return Mode(
        id=id_,
        argv=("-P", provider, "-m", "{model}", "--retries", "1", "-t", "30", "Say hi."),
        endpoint=endpoint,
        bases=bases,
        files={STATE: providers(provider)},
        settings=(
            file(STATE, f"providers.{provider}.settings.baseUrl", providers(provider, baseUrl="{base}")),
            env(ignored),
        ),
    )


SUBJECT = Subject(
    id="cline-cli",
    package="npm:cline",
    versions=("3.0.65",),
    program="cline",
    env={"CLINE_SESSION_BACKEND_MODE": "local", "NODE_NO_WARNINGS": "1"},  # no daemon that outlives the run
    limit=60,
    modes=(
        mode("openai", "openai-compatible", "OPENAI_BASE_URL", "/v1/chat/completions"),
        mode("anthropic", "anthropic", "ANTHROPIC_BASE_URL", bases=SOME),
        mode("gemini", "gemini", "GOOGLE_GEMINI_BASE_URL", bases=SOME),
        mode("openai-native", "openai-native", "OPENAI_BASE_URL", bases=SOME),
    ),
)
