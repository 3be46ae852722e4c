"""Runs one call of one Python SDK at a time, as `measure_sdks.py` asks for it. Not a test.

Runs inside the throw-away environment of the SDK version that is measured, so it needs nothing but that SDK.
Protocol, one JSON object a line: in `{"call": NAME, "base": URL or null, "key": KEY or null, "options": {...}}`, out
`{"error": null | "Type: text"}`. null means: give the SDK none, and let its environment variables decide.
Started as `python worker.py CLIENT`; CLIENT is a key of `CLIENTS`.
"""

from __future__ import annotations

import io
import json
import sys
import warnings
from collections.abc import Callable
from typing import Any

warnings.simplefilter("ignore")
Calls = dict[str, Callable[[], Any]]

_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6260000000000005000174a2f0a10000000049454e44ae426082"
)


def openai(base: str | None, key: str | None, options: dict[str, Any]) -> Calls:
    """openai 1.x and later."""
    import openai as sdk

    arguments: dict[str, Any] = {"max_retries": 0, "timeout": 10, **options}
    if key is not None:
        arguments["api_key"] = key
    if base is not None:
        arguments["base_url"] = base
    client = sdk.OpenAI(**arguments)
    messages: list[Any] = [{"role": "user", "content": "hi"}]
    return {
        "chat": lambda: client.chat.completions.create(model="m", messages=messages).choices[0],
        "chat-stream": lambda: list(client.chat.completions.create(model="m", messages=messages, stream=True)),
        "responses": lambda: client.responses.create(model="m", input="hi").output_text,
        "responses-stream": lambda: list(client.responses.create(model="m", input="hi", stream=True)),
        "completions": lambda: client.completions.create(model="m", prompt="hi"),
        "embeddings": lambda: client.embeddings.create(model="m", input="hi", encoding_format="float"),
        "models": lambda: list(client.models.list()),
        "model": lambda: client.models.retrieve("m"),
        "image": lambda: client.images.generate(model="m", prompt="hi"),
        "image-edit": lambda: client.images.edit(model="m", prompt="hi", image=("a.png", _PIXEL, "image/png")),
        "transcription": lambda: client.audio.transcriptions.create(model="m", file=("a.wav", b"RIFF", "audio/wav")),
    }


def openai_legacy(base: str | None, key: str | None, options: dict[str, Any]) -> Calls:
    """openai 0.28: module-level settings, read from the environment when the module is imported."""
    import openai as sdk

    if key is not None:
        sdk.api_key = key
    if base is not None:
        sdk.api_base = base
    for name, value in options.items():
        setattr(sdk, name, value)
    messages = [{"role": "user", "content": "hi"}]
    image = io.BytesIO(_PIXEL)
    audio = io.BytesIO(b"RIFF")
    image.name, audio.name = "a.png", "a.wav"
    legacy: Any = sdk
    return {
        "chat": lambda: legacy.ChatCompletion.create(model="m", messages=messages).choices[0],
        "chat-stream": lambda: list(legacy.ChatCompletion.create(model="m", messages=messages, stream=True)),
        "completions": lambda: legacy.Completion.create(model="m", prompt="hi"),
        "embeddings": lambda: legacy.Embedding.create(model="m", input="hi"),
        "models": lambda: legacy.Model.list(),
        "model": lambda: legacy.Model.retrieve("m"),
        "image": lambda: legacy.Image.create(prompt="hi"),
        "image-edit": lambda: legacy.Image.create_edit(prompt="hi", image=image),
        "transcription": lambda: legacy.Audio.transcribe("m", audio),
    }


def anthropic(base: str | None, key: str | None, options: dict[str, Any]) -> Calls:
    import anthropic as sdk

    arguments: dict[str, Any] = {"max_retries": 0, "timeout": 10, **options}
    if key is not None and "auth_token" not in options:
        arguments["api_key"] = key
    if base is not None:
        arguments["base_url"] = base
    client = sdk.Anthropic(**arguments)
    say: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}

    def stream() -> str:
        with client.messages.stream(max_tokens=9, **say) as events:
            return events.get_final_text()

    return {
        "messages": lambda: client.messages.create(max_tokens=9, **say).content[0].text,
        "messages-stream": stream,
        "beta-messages": lambda: client.beta.messages.create(max_tokens=9, **say).content[0],
        "count-tokens": lambda: client.messages.count_tokens(**say).input_tokens,
        "beta-count-tokens": lambda: client.beta.messages.count_tokens(**say).input_tokens,
        "models": lambda: list(client.models.list()),
        "model": lambda: client.models.retrieve("m"),
    }


def google_genai(base: str | None, key: str | None, options: dict[str, Any]) -> Calls:
    """options: `api_version` (may be ""), `vertexai`, `project`/`location` (vertex; the key is then not given)."""
    from google import genai as sdk

    options = dict(options)
    http: dict[str, Any] = {}
    if "api_version" in options:
        http["api_version"] = options.pop("api_version")
    if base is not None:
        http["base_url"] = base
    arguments: dict[str, Any] = {"http_options": http or None, **options}
    if options.get("project"):
        from google.oauth2.credentials import Credentials

        arguments["credentials"] = Credentials(key)  # type: ignore[no-untyped-call]
    elif key is not None:
        arguments["api_key"] = key
    client = sdk.Client(**arguments)
    return {
        "generate": lambda: client.models.generate_content(model="m", contents="hi").candidates[0],  # type: ignore[index]
        "generate-stream": lambda: list(client.models.generate_content_stream(model="m", contents="hi")),
        "chat": lambda: client.chats.create(model="m").send_message("hi"),
        "count-tokens": lambda: client.models.count_tokens(model="m", contents="hi"),
        "embed": lambda: client.models.embed_content(model="m", contents="hi"),
        "models": lambda: list(client.models.list()),
        "model": lambda: client.models.get(model="m"),
    }


def google_generativeai(base: str | None, key: str | None, options: dict[str, Any]) -> Calls:
    import google.generativeai as sdk  # type: ignore[import-not-found,import-untyped]

    sdk.configure(
        api_key=key,
        transport=options.get("transport", "rest"),
        client_options={"api_endpoint": base} if base is not None else None,
    )
    model = sdk.GenerativeModel("m")
    once = {"timeout": 5, "retry": None}
    return {
        "generate": lambda: model.generate_content("hi", request_options=once).candidates[0],
        "generate-stream": lambda: list(model.generate_content("hi", stream=True, request_options=once)),
        "count-tokens": lambda: model.count_tokens("hi", request_options=once),
        "embed": lambda: sdk.embed_content(model="models/m", content="hi", request_options=once),
        "models": lambda: list(sdk.list_models(request_options=once)),
        "model": lambda: sdk.get_model("models/m", request_options=once),
    }


CLIENTS: dict[str, Callable[[str | None, str | None, dict[str, Any]], Calls]] = {
    "openai": openai,
    "openai-legacy": openai_legacy,
    "anthropic": anthropic,
    "google-genai": google_genai,
    "google-generativeai": google_generativeai,
}


def main() -> None:
    build = CLIENTS[sys.argv[1]]
    answers = sys.stdout
    sys.stdout = sys.stderr  # an SDK that prints must not speak in our protocol
    for line in sys.stdin:
        case = json.loads(line)
        error = None
        try:
            build(case["base"], case["key"], case["options"])[case["call"]]()
        except Exception as problem:
            error = f"{type(problem).__name__}: {problem}"
        answers.write(json.dumps({"error": error}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
