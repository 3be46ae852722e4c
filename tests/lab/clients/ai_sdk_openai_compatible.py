"""The AI SDK's provider for everything that speaks OpenAI's Chat Completions."""

from tests.lab.frame import Mode, Subject, argument, envs

SUBJECT = Subject(
    id="ai-sdk-openai-compatible",
    package="npm:@ai-sdk/openai-compatible",
    versions=("2.0.91", "3.0.92"),
    also_install=("ai6@npm:ai@6.0.326", "ai7@npm:ai@7.0.173", "zod@4"),  # the majors that these versions belong to
    modes=(
        Mode(
            id="chat",
            settings=(
                argument("baseURL"),
                argument("baseUrl"),
                *envs("OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_API_BASE_URL", "OPENAI_API_HOST"),
            ),
            calls=("chat", "chat-stream", "completions", "embeddings", "image"),
            endpoint="/v1/chat/completions",
            keys=("OPENAI_API_KEY", "OPENAI_COMPATIBLE_API_KEY"),
        ),
    ),
)
