"""LangChain's ChatGoogleGenerativeAI: Google's older client below 4.0 (gRPC by default), then Google GenAI.

Up to 4.4.2 it wants google-genai below 3. From 4.4.3 on it comes with 3, whose default API version is one that the
proxy does not serve for Gemini: `gemini` is then measured with the version set, in code and once by the variable.
"""

from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Setting, Subject, argument, env, envs

OTHERS = envs("GEMINI_BASE_URL", "GEMINI_API_BASE", "GOOGLE_API_BASE")
VARIABLES = (env("GOOGLE_GEMINI_BASE_URL"), *OTHERS)
ARGUMENTS = (argument("base_url"), argument("client_options.api_endpoint"))
KEYS = ("GOOGLE_API_KEY", "GEMINI_API_KEY")
CALLS = ("generate", "generate-stream", "count-tokens", "embed")
ENDPOINT = "/v1beta/models/m:generateContent"

SUBJECT = Subject(
    id="langchain-google-genai",
    package="pypi:langchain-google-genai",
    versions=("3.2.0", "4.4.2", "4.4.3"),
    modes=(
        Mode(
            id="gemini",
            calls=CALLS,
            endpoint=ENDPOINT,
            options={"api_version": "v1beta"},
            settings=(
                *ARGUMENTS,
                Setting(
                    "env",
                    "GOOGLE_GEMINI_BASE_URL",
                    env={"GOOGLE_GEMINI_BASE_URL": "{base}", "GOOGLE_GENAI_API_VERSION": "v1beta"},
                    options={"api_version": None},
                ),
                *OTHERS,
            ),
            keys=KEYS,
            since="4.4.3",
        ),
        Mode(
            id="gemini-no-version",
            calls=CALLS,
            endpoint=ENDPOINT,
            settings=(*ARGUMENTS, env("GOOGLE_GEMINI_BASE_URL")),
            since="4.4.3",
        ),
        Mode(
            id="gemini",
            calls=CALLS,
            endpoint=ENDPOINT,
            settings=(*ARGUMENTS, *VARIABLES),
            keys=KEYS,
            since="4.0.0",
            below="4.4.3",
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
    given |= {
        **case.key_as("google_api_key"),
        **{name: value for name, value in case.options.items() if value is not None},
    }

    def llm() -> Any:
        return ChatGoogleGenerativeAI(model=case.model, max_retries=1, timeout=10, **given)

    return {
        "generate": lambda: llm().invoke("hi").content,
        "generate-stream": lambda: list(llm().stream("hi")),
        "count-tokens": lambda: llm().get_num_tokens("hi"),
        "embed": lambda: GoogleGenerativeAIEmbeddings(model="models/m", **given).embed_query("hi"),
    }
