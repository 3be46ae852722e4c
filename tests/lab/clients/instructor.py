"""Instructor: wraps a provider's SDK. Either you make the SDK's client, or `from_provider("openai/MODEL")` does."""

from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, envs

GOOGLE = argument("http_options.base_url")
GOOGLE_CALLS = ("google", "google-provider")
ENDPOINT = "/v1beta/models/m:generateContent"

SUBJECT = Subject(
    id="instructor",
    package="pypi:instructor",
    versions=("1.13.0", "1.17.0"),
    also_install=("anthropic", "google-genai"),
    modes=(
        Mode(
            id="openai",
            since="1.14.1",
            calls=("openai", "openai-provider"),
            endpoint="/v1/chat/completions",
            settings=(argument("base_url"), *envs("OPENAI_BASE_URL", "OPENAI_API_BASE")),
            keys=("OPENAI_API_KEY",),
        ),
        Mode(
            id="openai-1.13",
            below="1.14.1",
            calls=("openai",),
            endpoint="/v1/chat/completions",
            settings=(
                argument("base_url"),
                argument("from_provider.base_url"),
                *envs("OPENAI_BASE_URL", "OPENAI_API_BASE"),
            ),
            keys=("OPENAI_API_KEY",),
        ),
        Mode(
            id="responses",
            calls=("responses",),
            endpoint="/v1/responses",
            settings=(argument("base_url"), *envs("OPENAI_BASE_URL", "OPENAI_API_BASE")),
            keys=("OPENAI_API_KEY",),
        ),
        Mode(
            id="anthropic",
            calls=("anthropic",),
            endpoint="/v1/messages",
            settings=(
                argument("base_url"),
                argument("from_provider.base_url"),
                *envs("ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE"),
            ),
            keys=("ANTHROPIC_API_KEY",),
        ),
        Mode(
            id="gemini",
            calls=GOOGLE_CALLS,
            endpoint=ENDPOINT,
            options={"api_version": "v1beta"},
            settings=(GOOGLE, argument("base_url")),
            keys=("GOOGLE_API_KEY", "GEMINI_API_KEY"),
        ),
        Mode(
            id="gemini-no-version",
            calls=GOOGLE_CALLS,
            endpoint=ENDPOINT,
            settings=(GOOGLE, *envs("GOOGLE_GEMINI_BASE_URL", "GEMINI_BASE_URL")),
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    """Answers are plain text, not the tool call that Instructor asks for: `response_model=None` passes them on."""
    import instructor

    given: dict[str, Any] = dict(case.given)
    provided = given.pop("from_provider.base_url", None)
    http = dict(case.options)
    if base := given.pop("http_options.base_url", None):
        http["base_url"] = base
    if http:
        given["http_options"] = http
    given |= case.key_as("api_key")
    say: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}], "response_model": None, "max_retries": 0}

    def provider(name: str, **more: Any) -> Any:
        return instructor.from_provider(f"{name}/{case.model}", **given, **more).create(**say)

    def openai() -> Any:
        import openai as sdk

        if provided:
            return provider("openai", base_url=provided)
        client = instructor.from_openai(sdk.OpenAI(max_retries=0, **given))
        return client.chat.completions.create(model=case.model, **say)

    def responses() -> Any:
        import openai as sdk

        client = instructor.from_openai(sdk.OpenAI(max_retries=0, **given), mode=instructor.Mode.RESPONSES_TOOLS)
        return client.responses.create(model=case.model, input="hi", response_model=None, max_retries=0)

    def anthropic() -> Any:
        import anthropic as sdk

        if provided or not case.given:
            return provider("anthropic", max_tokens=9, **({"base_url": provided} if provided else {}))
        client = instructor.from_anthropic(sdk.Anthropic(max_retries=0, **given))
        return client.messages.create(model=case.model, max_tokens=9, **say)

    def google() -> Any:
        from google import genai

        return instructor.from_genai(genai.Client(**given)).create(model=case.model, **say)

    return {
        "openai": openai,
        "openai-provider": lambda: provider("openai"),
        "responses": responses,
        "anthropic": anthropic,
        "google": google,
        "google-provider": lambda: provider("google"),
    }
