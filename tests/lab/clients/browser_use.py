"""browser-use: its own chat classes on top of the vendors' SDKs (the browser itself is not needed to ask a model)."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, env, envs

SUBJECT = Subject(
    id="browser-use",
    package="pypi:browser-use",
    versions=("0.12.9", "0.13.14"),
    env={"ANONYMIZED_TELEMETRY": "false", "BROWSER_USE_LOGGING_LEVEL": "result"},
    modes=(
        Mode(
            "chat",
            (argument("base_url"), env("OPENAI_BASE_URL"), *envs("OPENAI_API_BASE")),
            endpoint="/v1/chat/completions",
            calls=("ask",),
            options={"chat": "ChatOpenAI"},
            keys=("OPENAI_API_KEY",),
        ),
        Mode(
            "messages",
            (argument("base_url"), env("ANTHROPIC_BASE_URL"), *envs("ANTHROPIC_API_BASE")),
            endpoint="/v1/messages",
            calls=("ask",),
            options={"chat": "ChatAnthropic"},
            keys=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
        ),
        Mode(
            "gemini",
            (argument("http_options.base_url"), env("GOOGLE_GEMINI_BASE_URL"), *envs("GEMINI_BASE_URL")),
            endpoint="/v1beta/models/m:generateContent",
            calls=("ask",),
            options={"chat": "ChatGoogle"},
            keys=("GOOGLE_API_KEY", "GEMINI_API_KEY"),
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Awaitable[Any]]]:
    import browser_use
    from browser_use.llm.messages import UserMessage

    given: dict[str, Any] = {"max_retries": 0, **case.given}
    if case.options["chat"] == "ChatGoogle":
        given = {"max_retries": 1, **({"http_options": {"base_url": case.base}} if case.base else {})}
    llm = getattr(browser_use, case.options["chat"])(model=case.model, **given, **case.key_as("api_key"))

    async def ask() -> Any:
        return (await llm.ainvoke([UserMessage(content="hi")])).completion

    return {"ask": ask}
