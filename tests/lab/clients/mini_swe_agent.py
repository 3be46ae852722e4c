"""mini-SWE-agent: a model class over LiteLLM; its configuration's `model_kwargs` go to LiteLLM as they are."""

import contextlib
from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Setting, Subject, argument, env, envs, file


def mode(id_: str, name: str, prefix: str, endpoint: str, ways: tuple[Setting, ...], *keys: str) -> Mode:
    return Mode(
        id=id_,
        calls=("query",),
        endpoint=endpoint,
        options={"class": name, "prefix": prefix},
        settings=(argument("model_kwargs.api_base"), *ways),
        keys=keys,
    )


SUBJECT = Subject(
    id="mini-swe-agent",
    package="pypi:mini-swe-agent",
    versions=("2.4.6",),
    also_install=("mcp",),
    env={
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "MSWEA_COST_TRACKING": "ignore_errors",
        "MSWEA_MODEL_RETRY_STOP_AFTER_ATTEMPT": "1",
        "MSWEA_SILENT_STARTUP": "1",
    },
    limit=120,
    modes=(
        mode(
            "openai",
            "litellm",
            "openai/",
            "/v1/chat/completions",
            (
                env("OPENAI_API_BASE"),
                file(".config/mini-swe-agent/.env", "OPENAI_API_BASE", "OPENAI_API_BASE={base}\n"),
                env("OPENAI_BASE_URL"),
            ),
            "OPENAI_API_KEY",
        ),
        mode("responses", "litellm_response", "openai/", "/v1/responses", (), "OPENAI_API_KEY"),
        mode(
            "anthropic",
            "litellm",
            "anthropic/",
            "/v1/messages",
            (env("ANTHROPIC_API_BASE"), env("ANTHROPIC_BASE_URL")),
            "ANTHROPIC_API_KEY",
        ),
        mode(
            "gemini",
            "litellm",
            "gemini/",
            "/v1beta/models/m:generateContent",
            (env("GEMINI_API_BASE"), *envs("GOOGLE_GEMINI_BASE_URL")),
            "GEMINI_API_KEY",
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    import minisweagent  # noqa: F401  (reads the settings file)
    from minisweagent.exceptions import FormatError
    from minisweagent.models import get_model_class

    given = {"num_retries": 0, "timeout": 10, **case.key_as("api_key")}
    if case.base is not None:
        given["api_base"] = case.base
    name = case.options["prefix"] + case.model

    def query() -> None:
        model: Any = get_model_class(name, case.options["class"])(model_name=name, model_kwargs=given)
        with contextlib.suppress(FormatError):  # the answer was understood, and calls no tool
            model.query([{"role": "user", "content": "hi"}])

    return {"query": query}
