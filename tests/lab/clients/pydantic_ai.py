"""Pydantic AI: a provider object holds the base URL, a model object chooses the protocol."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, env, envs

OPENAI = (argument("base_url"), env("OPENAI_BASE_URL"), *envs("OPENAI_API_BASE"))

SUBJECT = Subject(
    id="pydantic-ai",
    package="pypi:pydantic-ai-slim",
    versions=("1.107.10", "2.68.0"),
    also_install=("pydantic-ai-slim[openai,anthropic,google]=={version}",),
    modes=(
        Mode("chat", OPENAI, calls=("chat", "chat-stream"), endpoint="/v1/chat/completions", keys=("OPENAI_API_KEY",)),
        Mode("responses", OPENAI, calls=("responses",), endpoint="/v1/responses", keys=("OPENAI_API_KEY",)),
        Mode(
            "messages",
            (argument("base_url"), env("ANTHROPIC_BASE_URL"), *envs("ANTHROPIC_API_BASE")),
            calls=("messages", "messages-stream"),
            endpoint="/v1/messages",
            keys=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
        ),
        Mode(
            "gemini-no-version",
            (argument("base_url"), env("GOOGLE_GEMINI_BASE_URL")),
            calls=("gemini", "gemini-stream"),
            below="2.0.0",  # from there on it comes with google-genai 2, which calls v1beta by itself
        ),
        Mode(
            "gemini",
            (argument("base_url"), *envs("GOOGLE_GEMINI_BASE_URL", "GEMINI_BASE_URL", "GOOGLE_API_BASE")),
            calls=("gemini", "gemini-stream"),
            endpoint="/v1beta/models/m:generateContent",
            env={"GOOGLE_GENAI_API_VERSION": "v1beta"},
            keys=("GOOGLE_API_KEY", "GEMINI_API_KEY"),
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Awaitable[Any]]]:
    from pydantic_ai import Agent

    given = {**case.given, **case.key_as("api_key")}

    def openai(kind: str) -> Any:
        from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
        from pydantic_ai.providers.openai import OpenAIProvider

        model = OpenAIChatModel if kind == "chat" else OpenAIResponsesModel
        return model(case.model, provider=OpenAIProvider(**given))

    def anthropic() -> Any:
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        return AnthropicModel(case.model, provider=AnthropicProvider(**given))

    def google() -> Any:
        from pydantic_ai.models.google import GoogleModel
        from pydantic_ai.providers.google import GoogleProvider

        return GoogleModel(case.model, provider=GoogleProvider(**given))

    async def say(model: Any) -> Any:
        return (await Agent(model).run("hi")).output

    async def stream(model: Any) -> Any:
        async with Agent(model).run_stream("hi") as result:
            return [text async for text in result.stream_text()]

    return {
        "chat": lambda: say(openai("chat")),
        "chat-stream": lambda: stream(openai("chat")),
        "responses": lambda: say(openai("responses")),
        "messages": lambda: say(anthropic()),
        "messages-stream": lambda: stream(anthropic()),
        "gemini": lambda: say(google()),
        "gemini-stream": lambda: stream(google()),
    }
