"""LlamaIndex's GoogleGenAI model, whose constructor asks the server for the model's limits unless they are given."""

from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, envs

SUBJECT = Subject(
    id="llama-index-llms-google-genai",
    package="pypi:llama-index-llms-google-genai",
    versions=("0.11.3",),
    modes=(
        Mode(
            id="gemini",
            calls=("generate", "generate-stream"),
            endpoint="/v1beta/models/m:generateContent",
            settings=(
                argument("http_options.base_url"),
                argument("api_base"),
                *envs("GOOGLE_GEMINI_BASE_URL", "GEMINI_BASE_URL", "GEMINI_API_BASE"),
            ),
            keys=("GOOGLE_API_KEY", "GEMINI_API_KEY"),
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    from google.genai import types
    from llama_index.llms.google_genai import GoogleGenAI

    given: dict[str, Any] = dict(case.given)
    if base := given.pop("http_options.base_url", None):
        given["http_options"] = types.HttpOptions(base_url=base)
    given |= {"model": case.model, "max_retries": 0, **case.key_as("api_key")}
    return {
        "generate": lambda: GoogleGenAI(**given).complete("hi").text,
        "generate-stream": lambda: list(GoogleGenAI(**given).stream_complete("hi")),
    }
