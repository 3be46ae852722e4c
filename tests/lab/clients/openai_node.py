"""The OpenAI SDK for JavaScript."""

from tests.lab.frame import Mode, Subject, argument, env, envs

SETTINGS = (
    argument("baseURL"),
    env("OPENAI_BASE_URL"),
    *(argument(name) for name in ("basePath", "base_url")),
    *envs("OPENAI_API_BASE", "OPENAI_API_BASE_URL", "OPENAI_API_HOST", "OPENAI_API_URL", "OPENAI_ENDPOINT"),
)
RARE = ("completions", "embeddings", "model", "image", "image-edit", "transcription")

SUBJECT = Subject(
    id="openai-node",
    package="npm:openai",
    versions=("6.49.0", "7.23.0", "7.59.0"),
    modes=(
        Mode(
            id="chat",
            settings=SETTINGS,
            calls=("chat", "chat-stream", "models", *RARE),
            endpoint="/v1/chat/completions",
            keys=("OPENAI_API_KEY", "OPENAI_ADMIN_KEY"),
        ),
        Mode(
            id="responses",
            settings=SETTINGS,
            calls=("responses", "responses-stream"),
            endpoint="/v1/responses",
            keys=("OPENAI_API_KEY", "OPENAI_ADMIN_KEY"),
        ),
    ),
)
