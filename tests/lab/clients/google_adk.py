"""Agent Development Kit (google-adk): Gemini by itself, Claude by Anthropic's SDK, the rest by LiteLLM."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, env, envs

SUBJECT = Subject(
    id="google-adk",
    package="pypi:google-adk",
    versions=("1.39.1", "2.13.0"),
    also_install=("litellm", "anthropic"),
    env={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    modes=(
        Mode(
            "gemini",
            (argument("base_url"), env("GOOGLE_GEMINI_BASE_URL"), *envs("GEMINI_BASE_URL", "GEMINI_API_BASE")),
            calls=("generate", "stream"),
            endpoint="/v1beta/models/m:generateContent",
            env={"GOOGLE_API_KEY": "{key}"},
            options={"llm": "gemini"},
            keys=("GOOGLE_API_KEY", "GEMINI_API_KEY"),
        ),
        Mode(
            "anthropic",
            (env("ANTHROPIC_BASE_URL"), argument("client.base_url"), *envs("ANTHROPIC_API_BASE")),
            calls=("generate", "stream"),
            endpoint="/v1/messages",
            env={"ANTHROPIC_API_KEY": "{key}"},
            options={"llm": "anthropic"},
            keys=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
        ),
        Mode(
            "litellm-openai",
            (argument("api_base"), *envs("OPENAI_BASE_URL", "OPENAI_API_BASE")),
            calls=("generate", "stream"),
            endpoint="/v1/chat/completions",
            options={"llm": "litellm"},
            keys=("OPENAI_API_KEY",),
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Awaitable[Any]]]:
    from google.adk.models.llm_request import LlmRequest
    from google.genai import types

    def model() -> Any:
        if case.options["llm"] == "gemini":
            from google.adk.models.google_llm import Gemini

            return Gemini(model=case.model, **case.given)
        if case.options["llm"] == "anthropic":
            import anthropic
            from google.adk.models.anthropic_llm import AnthropicLlm

            own = {"client": anthropic.AsyncAnthropic(base_url=case.base, max_retries=0)} if case.base else {}
            return AnthropicLlm(model=case.model, **own)
        from google.adk.models.lite_llm import LiteLlm

        return LiteLlm(model="openai/" + case.model, num_retries=0, **case.given, **case.key_as("api_key"))

    async def say(stream: bool) -> Any:
        llm = model()
        content = types.Content(role="user", parts=[types.Part(text="hi")])
        asked = LlmRequest(model=llm.model, contents=[content], config=types.GenerateContentConfig())
        return [part async for part in llm.generate_content_async(asked, stream=stream)]

    return {"generate": lambda: say(False), "stream": lambda: say(True)}
