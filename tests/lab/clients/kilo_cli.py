"""Kilo's command line: `kilo run`, a fork of OpenCode: a provider of its own in kilo.json, and the built-in ones."""

import json

from tests.lab.frame import Mode, Setting, Subject

CONFIG = ".config/kilo/kilo.json"
MODES = (  # mode, package, endpoint; of the built-in provider: the variable for its base URL, that for its key, a model
    (
        "anthropic",
        "@ai-sdk/anthropic",
        "/v1/messages",
        ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "anthropic/claude-sonnet-4-5"),
    ),
    ("openai-compatible", "@ai-sdk/openai-compatible", "/v1/chat/completions", None),
    ("openai", "@ai-sdk/openai", "/v1/responses", ("OPENAI_BASE_URL", "OPENAI_API_KEY", "openai/gpt-5")),
    (
        "google",
        "@ai-sdk/google",
        "/v1beta/models/m:streamGenerateContent",
        ("GOOGLE_GEMINI_BASE_URL", "GOOGLE_GENERATIVE_AI_API_KEY", "google/gemini-2.5-flash"),
    ),
)


def config(npm: str) -> str:
    provider = {
        "npm": npm,
        "name": "Antigravity",
        "options": {"baseURL": "{base}", "apiKey": "{key}"},
        "models": {"{model}": {"name": "{model}"}},
    }
    quiet = {"autoupdate": False, "share": "disabled"}
    return json.dumps({**quiet, "model": "antigravity/{model}", "provider": {"antigravity": provider}})


def settings(npm: str, built_in: tuple[str, str, str] | None) -> tuple[Setting, ...]:
    """The words behind the command choose the provider: of two settings for different ones none wins over the other."""
    name = "provider.antigravity.options.baseURL"
    found = [Setting("file", name, files={CONFIG: config(npm)}, argv=("-m", "antigravity/{model}"))]
    if built_in is not None:
        base, key, model = built_in
        found.append(Setting("env", base, env={base: "{base}", key: "{key}"}, argv=("-m", model)))
    return tuple(found)


MAIN = "anthropic"
CONTENT = Setting(
    "env",
    "KILO_CONFIG_CONTENT",
    env={"KILO_CONFIG_CONTENT": config("@ai-sdk/anthropic"), "ANTHROPIC_API_KEY": "{key}"},
)

SUBJECT = Subject(
    id="kilo-cli",
    package="npm:@kilocode/cli",
    versions=("7.7.7",),
    program="kilo",
    scripts=True,
    env={  # what it would wait for before it answers
        "KILO_API_URL": "http://127.0.0.1:9/",
        "KILO_DISABLE_AUTOUPDATE": "1",
        "KILO_DISABLE_CODEBASE_INDEXING": "1",
        "KILO_DISABLE_MODELS_FETCH": "1",
        "KILO_DISABLE_PRESENCE": "1",
        "KILO_DISABLE_SESSION_INGEST": "1",
        "KILO_TELEMETRY_LEVEL": "off",
        "npm_config_registry": "http://127.0.0.1:9/",
    },
    modes=tuple(
        Mode(
            id=mode,
            argv=("run", "hi"),
            endpoint=endpoint if mode == MAIN else None,
            bases=("", "/v1", "/v1/", "/v1//", "/v1beta") if mode == MAIN else ("", "/v1", "/v1beta"),
            settings=(*settings(npm, built_in), *((CONTENT,) if mode == MAIN else ())),
        )
        for mode, npm, endpoint, built_in in MODES
    ),
)
