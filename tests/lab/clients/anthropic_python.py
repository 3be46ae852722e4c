"""The Anthropic SDK for Python. From 2.0 on the API key is a bearer token, and the beta calls have no query."""

from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, env, envs

SUBJECT = Subject(
    id="anthropic-python",
    package="pypi:anthropic",
    versions=("0.125.0", "1.17.0", "2.14.0"),
    modes=(
        Mode(
            id="messages",
            settings=(
                argument("base_url"),
                env("ANTHROPIC_BASE_URL"),
                *envs("ANTHROPIC_API_URL", "ANTHROPIC_API_BASE", "ANTHROPIC_API_BASE_URL", "ANTHROPIC_ENDPOINT"),
            ),
            calls=(
                *("messages", "messages-stream", "count-tokens", "models", "model"),
                *("beta-messages", "beta-count-tokens"),
            ),
            endpoint="/v1/messages",
            keys=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    import anthropic

    given: dict[str, Any] = {**case.given, **case.key_as("api_key")}
    client = anthropic.Anthropic(max_retries=0, timeout=10, **given)
    count: dict[str, Any] = {"model": case.model, "messages": [{"role": "user", "content": "hi"}]}
    say = {**count, "max_tokens": 9}

    def stream() -> str:
        with client.messages.stream(**say) as events:
            return events.get_final_text()

    return {
        "messages": lambda: client.messages.create(**say).content[0],
        "messages-stream": stream,
        "count-tokens": lambda: client.messages.count_tokens(**count).input_tokens,
        "models": lambda: list(client.models.list()),
        "model": lambda: client.models.retrieve(case.model),
        "beta-messages": lambda: client.beta.messages.create(**say).content[0],
        "beta-count-tokens": lambda: client.beta.messages.count_tokens(**count).input_tokens,
    }
