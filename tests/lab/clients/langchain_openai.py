"""LangChain with OpenAI's protocols: ChatOpenAI and OpenAIEmbeddings, the OpenAI SDK below."""

from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, envs

SETTINGS = (
    argument("base_url"),
    argument("openai_api_base"),
    *envs("OPENAI_API_BASE", "OPENAI_BASE_URL"),
    argument("api_base"),
    *envs("OPENAI_API_BASE_URL", "OPENAI_API_HOST", "OPENAI_ENDPOINT"),
)

SUBJECT = Subject(
    id="langchain-openai",
    package="pypi:langchain-openai",
    versions=("0.3.35", "1.7.4"),
    modes=(
        Mode(
            id="chat",
            calls=("chat", "chat-stream", "embeddings"),
            endpoint="/v1/chat/completions",
            options={"responses": False},
            settings=SETTINGS,
            keys=("OPENAI_API_KEY", "OPENAI_ADMIN_KEY"),
        ),
        Mode(
            id="responses",
            calls=("chat", "chat-stream"),
            endpoint="/v1/responses",
            options={"responses": True},
            settings=SETTINGS,
            keys=("OPENAI_API_KEY", "OPENAI_ADMIN_KEY"),
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    from langchain_openai import ChatOpenAI, OpenAIEmbeddings

    common: dict[str, Any] = {"model": case.model, "max_retries": 0, **case.given, **case.key_as("api_key")}

    def chat() -> Any:
        return ChatOpenAI(timeout=10, use_responses_api=case.options["responses"], **common)

    def embed() -> Any:
        # The default counts tokens with a vocabulary from the internet before it sends anything.
        return OpenAIEmbeddings(check_embedding_ctx_length=False, **common).embed_query("hi")

    return {
        "chat": lambda: chat().invoke("hi").content,
        "chat-stream": lambda: list(chat().stream("hi")),
        "embeddings": embed,
    }
