"""LlamaIndex's OpenAILike: the OpenAI model for servers with model names of their own."""

from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, envs

SETTINGS = (
    argument("api_base"),
    argument("base_url"),
    *envs("OPENAI_API_BASE", "OPENAI_BASE_URL", "OPENAI_API_URL"),
)

SUBJECT = Subject(
    id="llama-index-llms-openai-like",
    package="pypi:llama-index-llms-openai-like",
    versions=("0.5.3", "0.8.1"),
    modes=(
        Mode(
            id="chat",
            calls=("chat", "chat-stream"),
            endpoint="/v1/chat/completions",
            settings=SETTINGS,
            keys=("OPENAI_API_KEY",),
        ),
        Mode(
            id="completions",
            calls=("completions",),
            endpoint="/v1/completions",
            options={"is_chat_model": False},
            settings=SETTINGS,
            keys=("OPENAI_API_KEY",),
        ),
        Mode(
            id="responses",
            calls=("responses", "responses-stream"),
            endpoint="/v1/responses",
            settings=SETTINGS,
            keys=("OPENAI_API_KEY",),
            since="0.7.2",
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    from llama_index.llms import openai_like

    given: dict[str, Any] = {"max_retries": 0, "timeout": 10, **case.given, **case.key_as("api_key")}
    given |= {"is_chat_model": True, **case.options, "model": case.model}
    responses = getattr(openai_like, "OpenAILikeResponses", None)
    return {
        "chat": lambda: openai_like.OpenAILike(**given).complete("hi").text,
        "chat-stream": lambda: list(openai_like.OpenAILike(**given).stream_complete("hi")),
        "completions": lambda: openai_like.OpenAILike(**given).complete("hi").text,
        "responses": lambda: responses(**given).complete("hi").text,
        "responses-stream": lambda: list(responses(**given).stream_complete("hi")),
    }
