"""LangChain's ChatAnthropic: the Anthropic SDK below, variables of its own above."""

from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, envs

SUBJECT = Subject(
    id="langchain-anthropic",
    package="pypi:langchain-anthropic",
    versions=("0.3.22", "1.7.7", "1.7.10"),
    modes=(
        Mode(
            id="messages",
            calls=("messages", "messages-stream", "count-tokens"),
            endpoint="/v1/messages",
            settings=(
                argument("base_url"),
                argument("anthropic_api_url"),
                *envs("ANTHROPIC_API_URL", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE", "ANTHROPIC_ENDPOINT"),
            ),
            keys=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    from langchain_anthropic import ChatAnthropic
    from langchain_core.messages import HumanMessage

    llm = ChatAnthropic(model=case.model, max_retries=0, timeout=10, **case.given, **case.key_as("api_key"))
    return {
        "messages": lambda: llm.invoke("hi").content,
        "messages-stream": lambda: list(llm.stream("hi")),
        "count-tokens": lambda: llm.get_num_tokens_from_messages([HumanMessage("hi")]),
    }
