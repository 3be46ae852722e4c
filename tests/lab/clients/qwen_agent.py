"""Qwen-Agent: the `llm` dictionary of an agent; `model_server` is the base URL."""

from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, envs

SUBJECT = Subject(
    id="qwen-agent",
    package="pypi:qwen-agent",
    versions=("0.0.29", "0.0.34"),
    also_install=("soundfile", "python-dateutil", "python-dotenv", "tqdm"),
    modes=(
        Mode(
            "chat",
            (
                argument("model_server"),
                argument("base_url"),
                argument("api_base"),
                *envs("OPENAI_BASE_URL", "OPENAI_API_BASE"),
            ),
            calls=("chat", "stream"),
            endpoint="/v1/chat/completions",
            keys=("OPENAI_API_KEY",),
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    from qwen_agent.llm import get_chat_model

    asked = {"model": case.model, "model_type": "oai", **case.given, **case.key_as("api_key")}
    model = get_chat_model({**asked, "generate_cfg": {"max_retries": 0}})
    say = [{"role": "user", "content": "hi"}]
    return {
        "chat": lambda: model.chat(messages=say, stream=False),
        "stream": lambda: list(model.chat(messages=say, stream=True)),
    }
