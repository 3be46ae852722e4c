"""OpenAI Agents SDK: the OpenAI client of a provider; Responses unless it is told to speak Chat Completions."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, env, envs

WAYS = (
    argument("base_url"),
    argument("OpenAIProvider.base_url"),
    env("OPENAI_BASE_URL"),
    *envs("OPENAI_API_BASE", "OPENAI_AGENTS_BASE_URL"),
)

SUBJECT = Subject(
    id="openai-agents",
    package="pypi:openai-agents",
    versions=("0.18.3", "0.24.0"),
    modes=(
        Mode(
            "responses",
            WAYS,
            calls=("run", "stream", "run-traced"),
            endpoint="/v1/responses",
            keys=("OPENAI_API_KEY",),
            options={"api": "responses"},
        ),
        Mode(
            "chat",
            WAYS,
            calls=("run", "stream"),
            endpoint="/v1/chat/completions",
            keys=("OPENAI_API_KEY",),
            options={"api": "chat_completions"},
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Awaitable[Any]]]:
    import agents
    import openai
    from agents.models import openai_provider
    from agents.tracing import get_trace_provider

    openai_provider._http_client = None  # it is shared, but each call has an event loop of its own
    agents.set_default_openai_api(case.options["api"])
    config: dict[str, Any] = {}
    if "base_url" in case.given:
        agents.set_default_openai_client(openai.AsyncOpenAI(max_retries=0, **case.given, **case.key_as("api_key")))
    elif case.base:
        config = {"model_provider": agents.OpenAIProvider(base_url=case.base, **case.key_as("api_key"))}
    elif case.key:
        agents.set_default_openai_key(case.key)
    agent = agents.Agent(name="a", model=case.model)

    async def run(traced: bool = False) -> Any:
        settings = agents.RunConfig(tracing_disabled=not traced, **config)
        result = await agents.Runner.run(agent, "hi", run_config=settings)
        if traced:
            get_trace_provider().force_flush()
        return result.final_output

    async def stream() -> Any:
        result = agents.Runner.run_streamed(agent, "hi", run_config=agents.RunConfig(tracing_disabled=True, **config))
        return [event async for event in result.stream_events()]

    return {"run": run, "stream": stream, "run-traced": lambda: run(True)}
