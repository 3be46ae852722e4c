"""LangChain.js with Anthropic's protocol: ChatAnthropic."""

from tests.lab.frame import Mode, Subject, argument, envs

SUBJECT = Subject(
    id="langchain-anthropic-node",
    package="npm:@langchain/anthropic",
    versions=("0.3.34", "1.5.11"),
    modes=(
        Mode(
            id="messages",
            calls=("chat", "chat-stream"),
            endpoint="/v1/messages",
            settings=(
                argument("anthropicApiUrl"),
                argument("clientOptions.baseURL"),
                *envs("ANTHROPIC_BASE_URL", "ANTHROPIC_API_URL", "ANTHROPIC_API_BASE"),
                argument("baseURL"),
            ),
            keys=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
        ),
    ),
)
