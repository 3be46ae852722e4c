"""Open Interpreter: built on LiteLLM, the prefix of the model chooses the protocol."""

from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Setting, Subject, argument, env, envs


def mode(id_: str, prefix: str, endpoint: str, ways: tuple[Setting, ...], *keys: str) -> Mode:
    return Mode(
        id=id_,
        calls=("chat",),
        endpoint=endpoint,
        options={"prefix": prefix},
        settings=(argument("llm.api_base"), *ways),
        keys=keys,
    )


SUBJECT = Subject(
    id="open-interpreter",
    package="pypi:open-interpreter",
    versions=("0.4.3",),
    env={"LITELLM_LOCAL_MODEL_COST_MAP": "True", "DISABLE_TELEMETRY": "true"},
    limit=120,
    modes=(
        mode(
            "openai",
            "openai/",
            "/v1/chat/completions",
            (env("OPENAI_API_BASE"), env("OPENAI_BASE_URL")),
            "OPENAI_API_KEY",
        ),
        mode(
            "anthropic",
            "anthropic/",
            "/v1/messages",
            (env("ANTHROPIC_API_BASE"), env("ANTHROPIC_BASE_URL")),
            "ANTHROPIC_API_KEY",
        ),
        mode(
            "gemini",
            "gemini/",
            "/v1beta/models/m:streamGenerateContent",
            envs("GEMINI_API_BASE", "GOOGLE_GEMINI_BASE_URL"),
            "GEMINI_API_KEY",
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    from interpreter import OpenInterpreter

    def chat() -> Any:
        one = OpenInterpreter(auto_run=True, disable_telemetry=True, conversation_history=False)
        one.llm.model = case.options["prefix"] + case.model
        one.llm.supports_functions = False
        one.llm.supports_vision = False
        one.llm.context_window, one.llm.max_tokens = 8000, 100
        if case.base is not None:
            one.llm.api_base = case.base
        if case.key is not None:
            one.llm.api_key = case.key
        return one.chat("hi", display=False, stream=False)

    return {"chat": chat}
