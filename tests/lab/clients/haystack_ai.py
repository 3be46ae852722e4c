"""Haystack: a generator component for each provider; Anthropic's comes in a package of its own."""

from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, env, envs

OPENAI = (argument("api_base_url"), env("OPENAI_BASE_URL"), *envs("OPENAI_API_BASE"))

SUBJECT = Subject(
    id="haystack-ai",
    package="pypi:haystack-ai",
    versions=("2.31.0", "3.4.1"),
    also_install=("anthropic-haystack",),
    env={"HAYSTACK_TELEMETRY_ENABLED": "False"},
    modes=(
        Mode(
            "chat",
            OPENAI,
            calls=("run", "stream"),
            endpoint="/v1/chat/completions",
            keys=("OPENAI_API_KEY",),
            options={"generator": "OpenAIChatGenerator"},
        ),
        Mode(
            "responses",
            OPENAI[:2],
            calls=("run", "stream"),
            endpoint="/v1/responses",
            keys=("OPENAI_API_KEY",),
            options={"generator": "OpenAIResponsesChatGenerator"},
        ),
        Mode(
            "messages",
            envs("ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE"),
            calls=("run", "stream"),
            endpoint="/v1/messages",
            keys=("ANTHROPIC_API_KEY",),
            options={"generator": "AnthropicChatGenerator"},
            since="3.0.0",  # the anthropic-haystack that 2.31.0 gets fails with today's anthropic before any request
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    from haystack.dataclasses import ChatMessage
    from haystack.utils import Secret

    given: dict[str, Any] = {"model": case.model, "max_retries": 0, **case.given}
    if case.key is not None:
        given["api_key"] = Secret.from_token(case.key)
    if case.options["generator"] == "AnthropicChatGenerator":
        import haystack_integrations.components.generators.anthropic as generators
    else:
        import haystack.components.generators.chat as generators
    generator = getattr(generators, case.options["generator"])

    def run(**more: Any) -> Any:
        return generator(**given, **more).run([ChatMessage.from_user("hi")])["replies"][0].text

    return {"run": run, "stream": lambda: run(streaming_callback=lambda chunk: None)}
