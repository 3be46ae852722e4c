"""LlamaIndex's OpenAI model and its Responses twin."""

from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, envs

SETTINGS = (
    argument("api_base"),
    argument("base_url"),
    *envs("OPENAI_API_BASE", "OPENAI_BASE_URL", "OPENAI_API_URL"),
)

SUBJECT = Subject(
    id="llama-index-llms-openai",
    package="pypi:llama-index-llms-openai",
    versions=("0.6.26", "0.8.3"),
    also_install=("llama-index-embeddings-openai",),
    modes=(
        Mode(
            id="chat",
            calls=("chat", "chat-stream", "embeddings"),
            endpoint="/v1/chat/completions",
            model="gpt-4o",
            settings=SETTINGS,
            keys=("OPENAI_API_KEY",),
        ),
        Mode(
            id="responses",
            calls=("responses", "responses-stream"),
            endpoint="/v1/responses",
            model="gpt-4o",
            settings=SETTINGS,
            keys=("OPENAI_API_KEY",),
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    from llama_index.embeddings.openai import OpenAIEmbedding
    from llama_index.llms.openai import OpenAI, OpenAIResponses

    given: dict[str, Any] = {"max_retries": 0, "timeout": 10, **case.given, **case.key_as("api_key")}
    return {
        "chat": lambda: OpenAI(model=case.model, **given).complete("hi").text,
        "chat-stream": lambda: list(OpenAI(model=case.model, **given).stream_complete("hi")),
        "embeddings": lambda: OpenAIEmbedding(**given).get_text_embedding("hi"),
        "responses": lambda: OpenAIResponses(model=case.model, **given).complete("hi").text,
        "responses-stream": lambda: list(OpenAIResponses(model=case.model, **given).stream_complete("hi")),
    }
