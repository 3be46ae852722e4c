"""The Anthropic SDK for JavaScript. From 1.0 on the API key travels as a bearer token."""

from tests.lab.frame import Mode, Subject, argument, env, envs

SUBJECT = Subject(
    id="anthropic-node",
    package="npm:@anthropic-ai/sdk",
    versions=("0.137.0", "1.14.0"),
    modes=(
        Mode(
            id="messages",
            settings=(
                argument("baseURL"),
                env("ANTHROPIC_BASE_URL"),
                argument("base_url"),
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
