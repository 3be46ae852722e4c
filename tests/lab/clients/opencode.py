"""OpenCode: `opencode run`, with a provider of its own in opencode.json."""

import json

from tests.lab.frame import Mode, Subject, file

CONFIG = ".config/opencode/opencode.json"
PACKAGES = (
    ("anthropic", "@ai-sdk/anthropic", "/v1/messages"),
    ("openai-compatible", "@ai-sdk/openai-compatible", "/v1/chat/completions"),
    ("openai", "@ai-sdk/openai", "/v1/responses"),
    ("google", "@ai-sdk/google", "/v1beta/models/m:streamGenerateContent"),
)


def config(npm: str) -> str:
    provider = {
        "npm": npm,
        "name": "Antigravity",
        "options": {"baseURL": "{base}", "apiKey": "{key}"},
        "models": {"{model}": {"name": "{model}"}},
    }
    return json.dumps({"autoupdate": False, "share": "disabled", "provider": {"antigravity": provider}})


SUBJECT = Subject(
    id="opencode",
    package="npm:opencode-ai",
    versions=("1.18.33",),
    program="opencode",
    scripts=True,
    modes=tuple(
        Mode(
            id=mode,
            argv=("run", "-m", "antigravity/{model}", "hi"),
            endpoint=endpoint,
            settings=(file(CONFIG, "provider.antigravity.options.baseURL", config(npm)),),
        )
        for mode, npm, endpoint in PACKAGES
    ),
)
