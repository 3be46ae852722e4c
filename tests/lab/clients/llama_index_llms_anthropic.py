"""LlamaIndex's Anthropic model."""

from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, envs

SUBJECT = Subject(
    id="llama-index-llms-anthropic",
    package="pypi:llama-index-llms-anthropic",
    versions=("0.10.11", "0.12.3"),
    also_install=("anthropic<1",),
    modes=(
        Mode(
            id="messages",
            calls=("messages", "messages-stream", "count-tokens"),
            endpoint="/v1/messages",
            model="claude-sonnet-4-5",
            settings=(
                argument("base_url"),
                argument("api_base"),
                *envs("ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE", "ANTHROPIC_API_URL"),
            ),
            keys=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    from llama_index.llms.anthropic import Anthropic

    llm = Anthropic(model=case.model, max_retries=0, timeout=10, **case.given, **case.key_as("api_key"))
    return {
        "messages": lambda: llm.complete("hi").text,
        "messages-stream": lambda: list(llm.stream_complete("hi")),
        "count-tokens": lambda: llm.tokenizer.encode("hi"),
    }
