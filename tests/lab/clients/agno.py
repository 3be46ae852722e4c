"""Agno: a model object for each provider, each with its vendor's SDK."""

from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, env, envs

OPENAI = (argument("base_url"), env("OPENAI_BASE_URL"), *envs("OPENAI_API_BASE"))

SUBJECT = Subject(
    id="agno",
    package="pypi:agno",
    versions=("2.9.0", "3.1.10"),
    also_install=("openai", "anthropic", "google-genai"),
    env={"AGNO_TELEMETRY": "false"},
    modes=(
        Mode(
            "chat",
            OPENAI,
            calls=("run", "stream"),
            endpoint="/v1/chat/completions",
            options={"model": "OpenAIChat"},
            keys=("OPENAI_API_KEY",),
        ),
        Mode(
            "responses",
            OPENAI[:2],
            calls=("run", "stream"),
            endpoint="/v1/responses",
            options={"model": "OpenAIResponses"},
            keys=("OPENAI_API_KEY",),
        ),
        Mode(
            "messages",
            (argument("client_params.base_url"), env("ANTHROPIC_BASE_URL"), *envs("ANTHROPIC_API_BASE")),
            calls=("run", "stream"),
            endpoint="/v1/messages",
            options={"model": "Claude"},
            keys=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
        ),
        Mode(
            "gemini",
            (
                argument("client_params.http_options.base_url"),
                env("GOOGLE_GEMINI_BASE_URL"),
                *envs("GEMINI_BASE_URL"),
            ),
            calls=("run", "stream"),
            endpoint="/v1beta/models/m:generateContent",
            env={"GOOGLE_GENAI_API_VERSION": "v1beta"},  # google-genai 3 asks for v1 otherwise
            options={"model": "Gemini"},
            keys=("GOOGLE_API_KEY", "GEMINI_API_KEY"),
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    from agno.agent import Agent

    given: dict[str, Any] = {"id": case.model, **case.key_as("api_key")}
    own: dict[str, Any] = {}
    if case.options["model"] in ("OpenAIChat", "OpenAIResponses"):
        import agno.models.openai as models

        own = {"max_retries": 0, **case.given}
    elif case.options["model"] == "Claude":
        import agno.models.anthropic as models

        own = {"client_params": {"max_retries": 0, **({"base_url": case.base} if case.base else {})}}
    else:
        import agno.models.google as models

        own = {"client_params": {"http_options": {"base_url": case.base}}} if case.base else {}
    agent = Agent(model=getattr(models, case.options["model"])(**given, **own), telemetry=False)

    def run() -> Any:
        answer = agent.run("hi")
        if "error" in str(answer.status).lower():
            raise RuntimeError(answer.content)
        return answer.content

    def stream() -> Any:
        for event in agent.run("hi", stream=True):
            if "error" in str(event.event).lower():
                raise RuntimeError(event.content)

    return {"run": run, "stream": stream}
