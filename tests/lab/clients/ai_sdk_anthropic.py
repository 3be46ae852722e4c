"""The AI SDK's provider for Anthropic: unlike Anthropic's own SDK it expects /v1 in the base URL."""

from tests.lab.frame import Mode, Subject, argument, env, envs

SUBJECT = Subject(
    id="ai-sdk-anthropic",
    package="npm:@ai-sdk/anthropic",
    versions=("3.0.139", "4.0.105"),
    also_install=("ai6@npm:ai@6.0.326", "ai7@npm:ai@7.0.173", "zod@4"),  # the majors that these versions belong to
    modes=(
        Mode(
            id="messages",
            settings=(
                argument("baseURL"),
                env("ANTHROPIC_BASE_URL"),
                argument("baseUrl"),
                *envs("ANTHROPIC_API_URL", "ANTHROPIC_API_BASE", "ANTHROPIC_API_BASE_URL", "ANTHROPIC_ENDPOINT"),
            ),
            calls=("messages", "messages-stream"),
            endpoint="/v1/messages",
            keys=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
        ),
    ),
)
