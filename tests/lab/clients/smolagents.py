"""smolagents: OpenAIModel is the OpenAI SDK, LiteLLMModel is LiteLLM with the protocol in the model's prefix."""

from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, envs

SUBJECT = Subject(
    id="smolagents",
    package="pypi:smolagents",
    versions=("1.22.0", "1.26.0"),
    also_install=("smolagents[openai]=={version}", "smolagents[litellm]=={version}"),
    env={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    modes=(
        Mode(
            "chat",
            (argument("api_base"), *envs("OPENAI_BASE_URL", "OPENAI_API_BASE")),
            calls=("generate", "stream"),
            endpoint="/v1/chat/completions",
            keys=("OPENAI_API_KEY",),
        ),
        Mode(
            "litellm-anthropic",
            (argument("api_base"), *envs("ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL")),
            calls=("generate", "stream"),
            endpoint="/v1/messages",
            options={"prefix": "anthropic/"},
            keys=("ANTHROPIC_API_KEY",),
        ),
        Mode(
            "litellm-gemini",
            (argument("api_base"), *envs("GEMINI_API_BASE", "GOOGLE_GEMINI_BASE_URL")),
            calls=("generate", "stream"),
            endpoint="/v1beta/models/m:generateContent",
            options={"prefix": "gemini/"},
            keys=("GEMINI_API_KEY",),
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    import smolagents

    given = {**case.given, **case.key_as("api_key")}
    prefix = case.options.get("prefix")
    if prefix is None:
        model = smolagents.OpenAIModel(case.model, client_kwargs={"max_retries": 0}, **given)
    else:
        model = smolagents.LiteLLMModel(prefix + case.model, num_retries=0, **given)
    say = [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]
    return {
        "generate": lambda: model.generate(say).content,
        "stream": lambda: list(model.generate_stream(say)),
    }
