"""Semantic Kernel (Python): the SDKs below; OpenAI's base URL is given with a client made by hand."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, envs

SUBJECT = Subject(
    id="semantic-kernel",
    package="pypi:semantic-kernel",
    versions=("1.38.0", "1.45.0"),
    also_install=("semantic-kernel[anthropic,google]=={version}",),
    modes=(
        Mode(
            id="openai",
            calls=("openai", "openai-stream"),
            endpoint="/v1/chat/completions",
            settings=(
                argument("async_client.base_url"),
                *envs("OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_ENDPOINT"),
            ),
            keys=("OPENAI_API_KEY",),
        ),
        Mode(
            id="anthropic",
            calls=("anthropic", "anthropic-stream"),
            endpoint="/v1/messages",
            settings=(argument("async_client.base_url"), *envs("ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE")),
            keys=("ANTHROPIC_API_KEY",),
        ),
        Mode(
            id="gemini",
            since="1.39.0",
            calls=("google", "google-stream"),
            endpoint="/v1beta/models/m:generateContent",
            settings=(
                argument("client.http_options.base_url"),
                *envs("GOOGLE_GEMINI_BASE_URL", "GOOGLE_AI_BASE_URL"),
            ),
            keys=("GOOGLE_AI_API_KEY", "GOOGLE_API_KEY"),
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Awaitable[Any]]]:
    from semantic_kernel.contents import ChatHistory

    history = ChatHistory()
    history.add_user_message("hi")

    def openai() -> tuple[Any, Any]:
        from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion, OpenAIChatPromptExecutionSettings

        if case.base:
            from openai import AsyncOpenAI

            client = AsyncOpenAI(base_url=case.base, max_retries=0, **case.key_as("api_key"))
            return OpenAIChatCompletion(case.model, async_client=client), OpenAIChatPromptExecutionSettings()
        return OpenAIChatCompletion(case.model, **case.key_as("api_key")), OpenAIChatPromptExecutionSettings()

    def anthropic() -> tuple[Any, Any]:
        from semantic_kernel.connectors.ai.anthropic import (
            AnthropicChatCompletion,
            AnthropicChatPromptExecutionSettings,
        )

        more: dict[str, Any] = {}
        if case.base:
            from anthropic import AsyncAnthropic

            client = AsyncAnthropic(base_url=case.base, max_retries=0, **case.key_as("api_key"))
            more["async_client"] = client
        service = AnthropicChatCompletion(case.model, **case.key_as("api_key"), **more)
        return service, AnthropicChatPromptExecutionSettings()

    def google() -> tuple[Any, Any]:
        from semantic_kernel.connectors.ai.google.google_ai import (
            GoogleAIChatCompletion,
            GoogleAIChatPromptExecutionSettings,
        )

        more: dict[str, Any] = {}
        if case.base:
            from google import genai

            more["client"] = genai.Client(http_options={"base_url": case.base}, **case.key_as("api_key"))
        service = GoogleAIChatCompletion(gemini_model_id=case.model, **case.key_as("api_key"), **more)
        return service, GoogleAIChatPromptExecutionSettings()

    async def once(make: Callable[[], tuple[Any, Any]]) -> Any:
        service, settings = make()
        return (await service.get_chat_message_content(history, settings)).content

    async def stream(make: Callable[[], tuple[Any, Any]]) -> Any:
        service, settings = make()
        return [each async for each in service.get_streaming_chat_message_content(history, settings)]

    return {
        "openai": lambda: once(openai),
        "openai-stream": lambda: stream(openai),
        "anthropic": lambda: once(anthropic),
        "anthropic-stream": lambda: stream(anthropic),
        "google": lambda: once(google),
        "google-stream": lambda: stream(google),
    }
