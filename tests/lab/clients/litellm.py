"""LiteLLM: one function for every provider; the prefix of the model chooses the protocol.

The mode for gemini/ models begins at 1.77.3: before, nothing but ":generateContent" was added to the base URL
(measured 1.74.9; read in the source of 1.68.0 to 1.77.1, and of 1.77.3 on).

From 1.109.0 on the slashes at the end of the base URL are removed for anthropic/ and gemini/ models, too (read in the
source of 1.109.0: `join_api_base`; measured before, 1.108.14, and behind it).
"""

from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, envs

SUBJECT = Subject(
    id="litellm",
    package="pypi:litellm",
    versions=("1.95.1", "1.108.14", "1.110.2"),
    also_install=("mcp",),
    env={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    modes=(
        Mode(
            id="openai",
            calls=("chat", "chat-stream", "embeddings", "responses"),
            endpoint="/v1/chat/completions",
            options={"prefix": "openai/"},
            settings=(
                argument("api_base"),
                argument("base_url"),
                *envs("OPENAI_BASE_URL", "OPENAI_API_BASE", "LITELLM_API_BASE", "OPENAI_API_BASE_URL"),
            ),
            keys=("OPENAI_API_KEY",),
        ),
        Mode(
            id="anthropic",
            calls=("chat", "chat-stream"),
            endpoint="/v1/messages",
            options={"prefix": "anthropic/"},
            settings=(
                argument("api_base"),
                argument("base_url"),
                *envs("ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_URL"),
            ),
            keys=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
        ),
        Mode(
            id="gemini",
            since="1.77.3",
            calls=("chat", "chat-stream"),
            endpoint="/v1beta/models/m:generateContent",
            options={"prefix": "gemini/"},
            settings=(
                argument("api_base"),
                argument("base_url"),
                *envs("GEMINI_API_BASE", "GOOGLE_GEMINI_BASE_URL", "GEMINI_BASE_URL"),
            ),
            keys=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    import litellm

    model = case.options["prefix"] + case.model
    common: dict[str, Any] = {"model": model, "timeout": 10, **case.given, **case.key_as("api_key")}
    chat = {**common, "messages": [{"role": "user", "content": "hi"}], "num_retries": 0}
    return {
        "chat": lambda: litellm.completion(**chat).choices[0].message.content,
        "chat-stream": lambda: list(litellm.completion(**chat, stream=True)),
        "responses": lambda: litellm.responses(input="hi", **common),
        "embeddings": lambda: litellm.embedding(input=["hi"], **common),
    }
