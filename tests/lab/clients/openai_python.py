"""The OpenAI SDK for Python: with 1.0 the module's own settings gave way to a client object and another variable."""

import io
from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, env, envs

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6260000000000005000174a2f0a10000000049454e44ae426082"
)
RARE = ("completions", "embeddings", "model", "image", "image-edit", "transcription")

SETTINGS = (
    argument("base_url"),
    env("OPENAI_BASE_URL"),
    argument("openai.api_base"),
    *envs("OPENAI_API_BASE", "OPENAI_API_BASE_URL", "OPENAI_API_HOST", "OPENAI_API_URL", "OPENAI_ENDPOINT"),
)

SUBJECT = Subject(
    id="openai-python",
    package="pypi:openai",
    versions=("0.28.1", "1.109.1", "2.54.0", "3.19.2", "3.57.0"),
    also_install=("setuptools<81",),  # 0.28 imports pkg_resources
    modes=(
        Mode(
            id="chat",
            settings=SETTINGS,
            calls=("chat", "chat-stream", "models", *RARE),
            endpoint="/v1/chat/completions",
            keys=("OPENAI_API_KEY", "OPENAI_ADMIN_KEY"),
            since="1.0.0",
        ),
        Mode(
            id="responses",
            settings=SETTINGS,
            calls=("responses", "responses-stream"),
            endpoint="/v1/responses",
            keys=("OPENAI_API_KEY", "OPENAI_ADMIN_KEY"),
            since="1.66.0",
        ),
        Mode(
            id="chat-0.28",
            settings=(
                argument("openai.api_base"),
                env("OPENAI_API_BASE"),
                argument("openai.base_url"),
                *envs("OPENAI_BASE_URL", "OPENAI_API_BASE_URL", "OPENAI_API_HOST", "OPENAI_API_URL", "OPENAI_ENDPOINT"),
            ),
            calls=("chat", "chat-stream", "models", *RARE),
            endpoint="/v1/chat/completions",
            keys=("OPENAI_API_KEY",),
            below="1.0.0",
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    import openai

    module: Any = openai
    said = [{"role": "user", "content": "hi"}]
    for name, value in case.given.items():
        if name.startswith("openai."):
            setattr(module, name.removeprefix("openai."), value)
    if case.key is not None:
        module.api_key = case.key
    if not hasattr(module, "OpenAI"):
        return module_calls(module, case.model, said)

    client = module
    if "base_url" in case.given or not case.given:
        given = {name: value for name, value in case.given.items() if "." not in name}
        client = module.OpenAI(max_retries=0, timeout=10, **given, **case.key_as("api_key"))
    module.max_retries, module.timeout = 0, 10
    say = {"model": case.model, "messages": said}
    ask = {"model": case.model, "input": "hi"}
    picture = {"model": case.model, "prompt": "hi"}
    return {
        "chat": lambda: client.chat.completions.create(**say).choices[0],
        "chat-stream": lambda: list(client.chat.completions.create(**say, stream=True)),
        "responses": lambda: client.responses.create(**ask).output_text,
        "responses-stream": lambda: list(client.responses.create(**ask, stream=True)),
        "models": lambda: list(client.models.list()),
        "model": lambda: client.models.retrieve(case.model),
        "completions": lambda: client.completions.create(model=case.model, prompt="hi"),
        "embeddings": lambda: client.embeddings.create(**ask, encoding_format="float"),
        "image": lambda: client.images.generate(**picture),
        "image-edit": lambda: client.images.edit(**picture, image=("a.png", PIXEL, "image/png")),
        "transcription": lambda: client.audio.transcriptions.create(
            model=case.model, file=("a.wav", b"RIFF", "audio/wav")
        ),
    }


def module_calls(openai: Any, model: str, said: list[dict[str, str]]) -> dict[str, Callable[[], Any]]:
    """Those of 0.28, which has no client object."""
    image, audio = io.BytesIO(PIXEL), io.BytesIO(b"RIFF")
    image.name, audio.name = "a.png", "a.wav"
    return {
        "chat": lambda: openai.ChatCompletion.create(model=model, messages=said).choices[0],
        "chat-stream": lambda: list(openai.ChatCompletion.create(model=model, messages=said, stream=True)),
        "models": openai.Model.list,
        "model": lambda: openai.Model.retrieve(model),
        "completions": lambda: openai.Completion.create(model=model, prompt="hi"),
        "embeddings": lambda: openai.Embedding.create(model=model, input="hi"),
        "image": lambda: openai.Image.create(prompt="hi"),
        "image-edit": lambda: openai.Image.create_edit(prompt="hi", image=image),
        "transcription": lambda: openai.Audio.transcribe(model, audio),
    }
