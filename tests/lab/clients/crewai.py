"""CrewAI: crewai.LLM; the prefix of the model chooses the provider (an SDK of its own from 1.0, LiteLLM below).

Below 1.0 there is no mode for gemini/ models: the LiteLLM that 0.203.2 pins (1.74.9) adds nothing but
":generateContent" to the base URL, so the model's name would have to be in it, and the origin alone is refused as an
invalid port.
"""

from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, envs

OPENAI = (argument("base_url"), argument("api_base"), *envs("OPENAI_BASE_URL", "OPENAI_API_BASE"))

SUBJECT = Subject(
    id="crewai",
    package="pypi:crewai",
    versions=("0.203.2", "1.15.30"),
    also_install=("crewai[anthropic,google-genai]=={version}",),
    env={
        "CREWAI_DISABLE_TELEMETRY": "true",
        "OTEL_SDK_DISABLED": "true",
        "CREWAI_TRACING_ENABLED": "false",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    },
    modes=(
        Mode(
            id="openai",
            since="1.0.0",
            calls=("call", "call-stream"),
            endpoint="/v1/chat/completions",
            model="openai/gpt-4o",
            settings=OPENAI,
            keys=("OPENAI_API_KEY",),
        ),
        Mode(
            id="responses",
            since="1.0.0",
            calls=("call",),
            endpoint="/v1/responses",
            model="openai/gpt-4o",
            options={"api": "responses"},
            settings=OPENAI,
            keys=("OPENAI_API_KEY",),
        ),
        Mode(
            id="anthropic",
            since="1.0.0",
            calls=("call", "call-stream"),
            endpoint="/v1/messages",
            model="anthropic/claude-sonnet-4-5",
            settings=(
                argument("base_url"),
                argument("api_base"),
                *envs("ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE"),
            ),
            keys=("ANTHROPIC_API_KEY",),
        ),
        Mode(
            id="gemini",
            since="1.0.0",
            calls=("call", "call-stream"),
            endpoint="/v1beta/models/gemini-2.5-flash:generateContent",
            model="gemini/gemini-2.5-flash",
            settings=(
                *envs("GOOGLE_GEMINI_BASE_URL", "GEMINI_API_BASE"),
                argument("base_url"),
                argument("client_params.http_options.base_url"),
            ),
            keys=("GOOGLE_API_KEY", "GEMINI_API_KEY"),
        ),
        Mode(
            id="openai-0",
            below="1.0.0",
            calls=("call", "call-stream"),
            endpoint="/v1/chat/completions",
            model="openai/gpt-4o",
            settings=OPENAI,
            keys=("OPENAI_API_KEY",),
        ),
        Mode(
            id="anthropic-0",
            below="1.0.0",
            calls=("call", "call-stream"),
            endpoint="/v1/messages",
            model="anthropic/claude-sonnet-4-5",
            settings=(
                argument("base_url"),
                argument("api_base"),
                *envs("ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"),
            ),
            keys=("ANTHROPIC_API_KEY",),
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    from crewai import LLM

    given: dict[str, Any] = dict(case.given)
    if base := given.pop("client_params.http_options.base_url", None):
        given["client_params"] = {"http_options": {"base_url": base}}
    given |= {"model": case.model, **case.options, **case.key_as("api_key")}
    return {
        "call": lambda: LLM(**given).call("hi"),
        "call-stream": lambda: LLM(**given, stream=True).call("hi"),
    }
