"""Droid: `droid exec`, with a model of one's own in settings.json; `provider` says the protocol.

It wants a key of Factory's own before it does anything; the one here is made up.
"""

import json

from tests.lab.frame import BASES, Mode, Subject, file

SETTINGS, LEGACY = ".factory/settings.json", ".factory/config.json"
SOME = ("", "/v1", "/v1beta")  # a run takes eight seconds
MODES = (  # mode, provider, endpoint, base paths
    ("anthropic", "anthropic", "/v1/messages", BASES),
    ("chat", "generic-chat-completion-api", "/v1/chat/completions", SOME),
    ("responses", "openai", "/v1/responses", SOME),
)


def models(provider: str) -> str:
    model = {
        "id": "custom:{model}-0",
        "index": 0,
        "model": "{model}",
        "displayName": "{model}",
        "baseUrl": "{base}",
        "apiKey": "{key}",
        "provider": provider,
        "maxOutputTokens": 1000,
    }
    return json.dumps({"customModels": [model]})


def legacy(provider: str) -> str:
    model = {
        "model_display_name": "{model}",
        "model": "{model}",
        "base_url": "{base}",
        "api_key": "{key}",
        "provider": provider,
        "max_tokens": 1000,
    }
    return json.dumps({"custom_models": [model]})


SUBJECT = Subject(
    id="droid",
    package="npm:droid",
    versions=("0.215.0",),
    program="droid",
    scripts=True,
    env={"FACTORY_API_KEY": "fk-lab-0000"},
    modes=tuple(
        Mode(
            id=mode,
            argv=("exec", "-m", "custom:{model}-0", "hi"),
            endpoint=endpoint,
            bases=bases,
            settings=(
                file(SETTINGS, "customModels[].baseUrl", models(provider)),
                file(LEGACY, "custom_models[].base_url", legacy(provider)),
            ),
        )
        for mode, provider, endpoint, bases in MODES
    ),
)
