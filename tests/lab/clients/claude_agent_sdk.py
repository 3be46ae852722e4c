"""Claude Agent SDK (Python): starts the Claude Code that it brings along, and hands it its variables."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, env, envs, file

SUBJECT = Subject(
    id="claude-agent-sdk",
    package="pypi:claude-agent-sdk",
    versions=("0.1.81", "0.2.189"),
    env={"DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"},
    limit=90,
    modes=(
        Mode(
            id="messages",
            calls=("query",),
            model="claude-sonnet-4-5",
            endpoint="/v1/messages",
            settings=(
                argument("env"),
                env("ANTHROPIC_BASE_URL"),
                file(
                    ".claude/settings.json",
                    "env.ANTHROPIC_BASE_URL",
                    json.dumps({"env": {"ANTHROPIC_BASE_URL": "{base}"}}),
                ),
                *envs("ANTHROPIC_API_BASE", "ANTHROPIC_API_URL"),
            ),
            keys=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
            not_driven=("/v1/messages/count_tokens?beta=true",),
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Awaitable[Any]]]:
    from claude_agent_sdk import ClaudeAgentOptions, ResultMessage, query

    variables = case.key_as("ANTHROPIC_API_KEY")
    if case.base is not None:
        variables["ANTHROPIC_BASE_URL"] = case.base

    async def ask() -> None:
        async for message in query(prompt="hi", options=ClaudeAgentOptions(env=variables, model=case.model)):
            if isinstance(message, ResultMessage) and message.is_error:
                raise RuntimeError(message.result)

    return {"query": ask}
