"""Google's SDK for Gemini (google-genai), at the Gemini API and at Vertex AI.

From 3.0.0 on its default API version is one that the proxy does not serve for Gemini: the mode `gemini` is measured as
it is recommended, with the version set, once in code and once by the variable. `gemini-no-version` is without that.
"""

from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Setting, Subject, argument, env, envs

CALLS = ("chat", "chat-stream", "session", "models", "model", "count-tokens", "embed")
OTHERS = envs("GEMINI_BASE_URL", "GEMINI_API_BASE", "GOOGLE_GENAI_BASE_URL", "GOOGLE_API_BASE")
SETTINGS = (
    argument("http_options.base_url"),
    *envs("GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL"),
    *OTHERS,
)
KEYS = ("GOOGLE_API_KEY", "GEMINI_API_KEY")
ENDPOINT = "/v1beta/models/m:generateContent"

SUBJECT = Subject(
    id="google-genai-python",
    package="pypi:google-genai",
    versions=("1.0.0", "1.75.0", "2.34.0", "3.0.0", "3.6.1"),
    modes=(
        Mode(
            id="gemini",
            calls=CALLS,
            endpoint=ENDPOINT,
            options={"api_version": "v1beta"},
            settings=(
                argument("http_options.base_url"),
                Setting(
                    "env",
                    "GOOGLE_GEMINI_BASE_URL",
                    env={"GOOGLE_GEMINI_BASE_URL": "{base}", "GOOGLE_GENAI_API_VERSION": "v1beta"},
                    options={"api_version": None},
                ),
                env("GOOGLE_VERTEX_BASE_URL"),
                *OTHERS,
            ),
            keys=KEYS,
            since="3.0.0",
        ),
        Mode(id="gemini-2", calls=CALLS, endpoint=ENDPOINT, settings=SETTINGS, keys=KEYS, below="3.0.0"),
        Mode(id="gemini-no-version", calls=CALLS, endpoint=ENDPOINT, settings=SETTINGS, keys=KEYS, since="3.0.0"),
        Mode(
            id="gemini-empty-version",
            calls=CALLS,
            endpoint=ENDPOINT,
            options={"api_version": ""},
            settings=SETTINGS,
            keys=KEYS,
        ),
        Mode(id="vertex-key", calls=CALLS, options={"client": {"vertexai": True}}, settings=SETTINGS, keys=KEYS),
        Mode(
            id="vertex-project",
            calls=CALLS,
            options={"client": {"vertexai": True, "project": "p", "location": "us-central1"}},
            settings=SETTINGS,
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    from google import genai

    given: dict[str, Any] = dict(case.options.get("client", {}))
    if "project" in given:
        from google.oauth2.credentials import Credentials

        given["credentials"] = Credentials(case.key)
    else:
        given |= case.key_as("api_key")
    options = {"base_url": case.base, "api_version": case.options.get("api_version")}
    http = {name: value for name, value in options.items() if value is not None}
    client = genai.Client(http_options=http or None, **given)
    say: dict[str, Any] = {"model": case.model, "contents": "hi"}
    return {
        "chat": lambda: client.models.generate_content(**say).candidates[0],
        "chat-stream": lambda: list(client.models.generate_content_stream(**say)),
        "session": lambda: client.chats.create(model=case.model).send_message("hi"),
        "models": lambda: list(client.models.list()),
        "model": lambda: client.models.get(model=case.model),
        "count-tokens": lambda: client.models.count_tokens(**say),
        "embed": lambda: client.models.embed_content(**say),
    }
