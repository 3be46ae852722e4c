"""Mem0: a configuration names the provider of the model and of the embeddings, each with its own base URL."""

from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, env, envs

SUBJECT = Subject(
    id="mem0ai",
    package="pypi:mem0ai",
    versions=("1.0.11", "2.2.1"),
    also_install=("anthropic", "google-genai", "faiss-cpu"),
    env={"MEM0_TELEMETRY": "False"},
    modes=(
        Mode(
            "chat",
            (argument("openai_base_url"), env("OPENAI_BASE_URL"), *envs("OPENAI_API_BASE")),
            calls=("chat",),
            endpoint="/v1/chat/completions",
            options={"provider": "openai"},
            keys=("OPENAI_API_KEY",),
        ),
        Mode(
            "embeddings",
            (argument("openai_base_url"), env("OPENAI_API_BASE"), env("OPENAI_BASE_URL")),
            calls=("embed",),
            endpoint="/v1/embeddings",
            options={"provider": "openai"},
            keys=("OPENAI_API_KEY",),
        ),
        Mode(
            "messages",
            (argument("anthropic_base_url"), env("ANTHROPIC_BASE_URL"), *envs("ANTHROPIC_API_BASE")),
            calls=("chat",),
            endpoint="/v1/messages",
            options={"provider": "anthropic"},
            keys=("ANTHROPIC_API_KEY",),
            since="2.0.0",  # 1.0.11 gives today's anthropic an argument that it refuses, and nothing is sent
        ),
        Mode(
            "gemini",
            (env("GOOGLE_GEMINI_BASE_URL"), *envs("GEMINI_BASE_URL")),
            calls=("chat", "embed"),
            endpoint="/v1beta/models/m:generateContent",
            env={"GOOGLE_GENAI_API_VERSION": "v1beta"},  # google-genai 3 asks for v1 otherwise
            options={"provider": "gemini"},
            keys=("GOOGLE_API_KEY", "GEMINI_API_KEY"),
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    from mem0.utils.factory import EmbedderFactory, LlmFactory

    given = {"model": case.model, **case.given, **case.key_as("api_key")}
    provider = case.options["provider"]

    def chat() -> Any:
        return LlmFactory.create(provider, given).generate_response([{"role": "user", "content": "hi"}])

    def embed() -> Any:
        return EmbedderFactory.create(provider, given, None).embed("hi", "add")

    return {"chat": chat, "embed": embed}
