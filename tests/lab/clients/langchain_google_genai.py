"""LangChain's ChatGoogleGenerativeAI: Google's older client below 4.0 (gRPC by default), then Google GenAI."""

from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, envs

VARIABLES = envs("GOOGLE_GEMINI_BASE_URL", "GEMINI_BASE_URL", "GEMINI_API_BASE", "GOOGLE_API_BASE")
KEYS = ("GOOGLE_API_KEY", "GEMINI_API_KEY")
CALLS = ("generate", "generate-stream", "count-tokens", "embed")
ENDPOINT = "/v1beta/models/m:generateContent"

SUBJECT = Subject(
    id="langchain-google-genai",
    package="pypi:langchain-google-genai",
    versions=("3.2.0", "4.4.2"),
    modes=(
        Mode(
            id="gemini",
            calls=CALLS,
            endpoint=ENDPOINT,
            settings=(argument("base_url"), argument("client_options.api_endpoint"), *VARIABLES),
            keys=KEYS,
            since="4.0.0",
        ),
        Mode(
            id="gemini-3",
            calls=CALLS,
            endpoint=ENDPOINT,
            options={"transport": "rest"},
            settings=(argument("client_options.api_endpoint"), argument("base_url"), *VARIABLES),
            keys=KEYS,
            below="4.0.0",
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    from langchain_google_genai import ChatGoogleGenerativeAI, GoogleGenerativeAIEmbeddings

    given: dict[str, Any] = dict(case.given)
    if endpoint := given.pop("client_options.api_endpoint", None):
        given["client_options"] = {"api_endpoint": endpoint}
    given |= {**case.key_as("google_api_key"), **case.options}

    def llm() -> Any:
        return ChatGoogleGenerativeAI(model=case.model, max_retries=1, timeout=10, **given)

    return {
        "generate": lambda: llm().invoke("hi").content,
        "generate-stream": lambda: list(llm().stream("hi")),
        "count-tokens": lambda: llm().get_num_tokens("hi"),
        "embed": lambda: GoogleGenerativeAIEmbeddings(model="models/m", **given).embed_query("hi"),
    }
