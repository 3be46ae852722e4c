"""The AI SDK's provider for OpenAI: a model is one of the Responses API unless the program says otherwise."""

from tests.lab.frame import Mode, Subject, argument, env, envs

SETTINGS = (
    argument("baseURL"),
    env("OPENAI_BASE_URL"),
    argument("baseUrl"),
    *envs("OPENAI_API_BASE", "OPENAI_API_BASE_URL", "OPENAI_API_HOST", "OPENAI_API_URL"),
)

SUBJECT = Subject(
    id="ai-sdk-openai",
    package="npm:@ai-sdk/openai",
    versions=("3.0.141", "4.0.118"),
    also_install=("ai6@npm:ai@6.0.326", "ai7@npm:ai@7.0.173", "zod@4"),  # the majors that these versions belong to
    modes=(
        Mode(
            id="responses",
            settings=SETTINGS,
            calls=("default", "responses", "responses-stream", "embeddings", "image"),
            endpoint="/v1/responses",
            keys=("OPENAI_API_KEY",),
        ),
        Mode(
            id="chat",
            settings=SETTINGS,
            calls=("chat", "chat-stream", "completions", "embeddings", "image"),
            endpoint="/v1/chat/completions",
            keys=("OPENAI_API_KEY",),
        ),
    ),
)
