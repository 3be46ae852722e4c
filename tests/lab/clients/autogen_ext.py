"""AutoGen's model clients (autogen-ext): the OpenAI and the Anthropic SDK below."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, envs

SUBJECT = Subject(
    id="autogen-ext",
    package="pypi:autogen-ext",
    versions=("0.7.5",),
    also_install=("autogen-ext[openai,anthropic]=={version}", "anthropic<1"),
    modes=(
        Mode(
            id="openai",
            calls=("openai", "openai-stream"),
            endpoint="/v1/chat/completions",
            settings=(argument("base_url"), *envs("OPENAI_BASE_URL", "OPENAI_API_BASE")),
            keys=("OPENAI_API_KEY",),
        ),
        *(
            # Models of these names are sent to their vendors, whatever the variable says.
            Mode(
                id=id_,
                calls=("openai", "openai-stream"),
                endpoint="/v1/chat/completions",
                model=model,
                settings=(argument("base_url"), *envs("OPENAI_BASE_URL", "OPENAI_API_BASE")),
                keys=("OPENAI_API_KEY", key),
            )
            for id_, model, key in (
                ("openai-gemini", "gemini-2.5-flash", "GEMINI_API_KEY"),
                ("openai-claude", "claude-sonnet-4-5", "ANTHROPIC_API_KEY"),
            )
        ),
        Mode(
            id="anthropic",
            calls=("anthropic", "anthropic-stream"),
            endpoint="/v1/messages",
            settings=(argument("base_url"), *envs("ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE")),
            keys=("ANTHROPIC_API_KEY",),
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Awaitable[Any]]]:
    from autogen_core.models import ModelFamily, UserMessage

    info = {
        "vision": False,
        "function_calling": False,
        "json_output": False,
        "structured_output": False,
        "family": ModelFamily.UNKNOWN,
    }
    given: dict[str, Any] = {"model": case.model, "model_info": info, "max_retries": 0}
    given |= {**case.given, **case.key_as("api_key")}
    say = [UserMessage(content="hi", source="user")]

    def openai() -> Any:
        from autogen_ext.models.openai import OpenAIChatCompletionClient

        return OpenAIChatCompletionClient(**given)

    def anthropic() -> Any:
        from autogen_ext.models.anthropic import AnthropicChatCompletionClient

        return AnthropicChatCompletionClient(**given)

    async def once(make: Callable[[], Any]) -> Any:
        return (await make().create(say)).content

    async def stream(make: Callable[[], Any]) -> Any:
        return [chunk async for chunk in make().create_stream(say)]

    return {
        "openai": lambda: once(openai),
        "openai-stream": lambda: stream(openai),
        "anthropic": lambda: once(anthropic),
        "anthropic-stream": lambda: stream(anthropic),
    }
