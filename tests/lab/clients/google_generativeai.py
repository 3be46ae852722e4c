"""Google's former Gemini SDK for Python, which its successor google-genai replaces; over REST (its default is gRPC)."""

from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, envs

SUBJECT = Subject(
    id="google-generativeai",
    package="pypi:google-generativeai",
    versions=("0.8.6",),
    modes=(
        Mode(
            id="gemini",
            calls=("chat", "chat-stream", "models", "model", "count-tokens", "embed"),
            endpoint="/v1beta/models/m:generateContent",
            settings=(
                argument("client_options.api_endpoint"),
                *envs(
                    "GOOGLE_GEMINI_BASE_URL",
                    "GEMINI_BASE_URL",
                    "GEMINI_API_BASE",
                    "GOOGLE_GENAI_BASE_URL",
                    "GOOGLE_API_BASE",
                ),
            ),
            keys=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    import google.generativeai as genai

    options = None if case.base is None else {"api_endpoint": case.base}
    genai.configure(transport="rest", client_options=options, **case.key_as("api_key"))
    model = genai.GenerativeModel(case.model)
    once: dict[str, Any] = {"request_options": {"timeout": 5, "retry": None}}
    name = f"models/{case.model}"
    return {
        "chat": lambda: model.generate_content("hi", **once).candidates[0],
        "chat-stream": lambda: list(model.generate_content("hi", stream=True, **once)),
        "models": lambda: list(genai.list_models(**once)),
        "model": lambda: genai.get_model(name, **once),
        "count-tokens": lambda: model.count_tokens("hi", **once),
        "embed": lambda: genai.embed_content(model=name, content="hi", **once),
    }
