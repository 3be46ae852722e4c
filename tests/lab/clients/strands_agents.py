"""Strands Agents: a model object for each provider, whose `client_args` go to the vendor's SDK."""

from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, env, envs

OPENAI = (argument("client_args.base_url"), env("OPENAI_BASE_URL"), *envs("OPENAI_API_BASE"))

SUBJECT = Subject(
    id="strands-agents",
    package="pypi:strands-agents",
    versions=("1.16.0", "1.62.0"),
    also_install=("strands-agents[openai,anthropic,gemini]=={version}",),
    modes=(
        Mode(
            "chat",
            OPENAI,
            endpoint="/v1/chat/completions",
            calls=("agent",),
            options={"model": "openai.OpenAIModel"},
            keys=("OPENAI_API_KEY",),
        ),
        Mode(
            "responses",
            OPENAI[:2],
            since="1.29.0",
            endpoint="/v1/responses",
            calls=("agent",),
            options={"model": "openai_responses.OpenAIResponsesModel"},
            keys=("OPENAI_API_KEY",),
        ),
        Mode(
            "messages",
            (argument("client_args.base_url"), env("ANTHROPIC_BASE_URL"), *envs("ANTHROPIC_API_BASE")),
            endpoint="/v1/messages",
            calls=("agent",),
            options={"model": "anthropic.AnthropicModel"},
            keys=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
        ),
        Mode(
            "gemini",
            (argument("client_args.http_options.base_url"), env("GOOGLE_GEMINI_BASE_URL"), *envs("GEMINI_BASE_URL")),
            endpoint="/v1beta/models/m:streamGenerateContent",
            calls=("agent",),
            options={"model": "gemini.GeminiModel"},
            keys=("GOOGLE_API_KEY", "GEMINI_API_KEY"),
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    import importlib

    from strands import Agent

    module, _, name = case.options["model"].partition(".")
    client: dict[str, Any] = {**case.key_as("api_key")}
    more: dict[str, Any] = {"max_tokens": 9} if module == "anthropic" else {}
    if module == "gemini":
        client |= {"http_options": {"base_url": case.base}} if case.base else {}
    else:
        client |= {"max_retries": 0, **({"base_url": case.base} if case.base else {})}
    model = getattr(importlib.import_module("strands.models." + module), name)
    agent = Agent(model=model(client_args=client, model_id=case.model, **more), callback_handler=None)
    return {"agent": lambda: str(agent("hi"))}
