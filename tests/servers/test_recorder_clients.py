"""The real SDKs through the recorder to the stand-in: byte for byte what they get without it.

A tap in front of the recorder and one behind it see the same exchange twice: what the client sent and got, and what the
proxy got and sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import anthropic
import openai
import pytest
from google import genai

from antigravity_doctor.diagnosis.proxy_model import ServerConfig
from antigravity_doctor.diagnosis.recording import Exchange
from antigravity_doctor.servers.recorder import Recorder
from antigravity_doctor.servers.stand_in import Running, run_in_thread
from tests.lab import worker
from tests.support.tap import Tap, tapped
from tests.support.wire import end_to_end, recording, within

KEY = "sk-right-key"
SAY: list[Any] = [{"role": "user", "content": "hi"}]
BASES = {"openai": "/v1", "anthropic": "", "google-genai": ""}
GEMINI = {"api_version": "v1beta"}


@pytest.fixture(scope="module", autouse=True)
def _plain_http() -> Iterator[None]:
    """Every SDK client reads the list of certificate authorities when it is made, which is most of its time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ssl.SSLContext.load_verify_locations", lambda *_, **__: None)
        patch.setattr("ssl.SSLContext.load_default_certs", lambda *_, **__: None)
        for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_CUSTOM_HEADERS"):
            patch.delenv(name, raising=False)
        for name in ("GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL", "GOOGLE_API_KEY"):
            patch.delenv(name, raising=False)
        patch.setenv("NO_PROXY", "127.0.0.1")
        yield


@pytest.fixture(scope="module")
def proxy() -> Iterator[Running]:
    with run_in_thread(ServerConfig("4.5.8", "strict", api_key=KEY)) as running:
        yield running


async def unchanged(front: Tap, back: Tap) -> int:
    """Asserts that both taps saw the same requests and the same answers, Date included; gives their number."""
    outer, inner = await front.exchanges(), await back.exchanges()
    assert len(outer) == len(inner)
    by_target = {(request.line, request.body): (request, answer) for request, answer in inner}
    for sent, got in outer:
        arrived, given = by_target[sent.line, sent.body]
        assert end_to_end(arrived, but=("host",)) == end_to_end(sent, but=("host",))
        assert got.line == given.line
        assert end_to_end(got) == end_to_end(given)
        assert got.body == given.body
        assert got.whole
    return len(outer)


async def through(proxy: Running, call: Callable[[str], Awaitable[Any]]) -> tuple[Any, list[Exchange]]:
    """What the call gets through the recorder, which must be what it gets without, and what the recorder told."""
    direct = await call(proxy.url)
    async with (
        tapped(proxy.port) as back,
        recording(back.url) as (recorder, told),
        tapped(recorder.port) as front,
    ):
        passed = await call(front.url)
        assert await unchanged(front, back) >= 1
    assert passed == direct
    return passed, told


def seen(result: Any) -> str:
    """A result in a form that can be compared: SDKs keep the answer's headers, and with them Date, in some."""
    if isinstance(result, list):
        return "\n".join(map(seen, result))
    if hasattr(result, "model_dump"):
        return repr(result.model_dump(exclude={"sdk_http_response"}))
    return repr(result)


CALLS = [
    *(("openai", each) for each in ("chat", "chat-stream", "responses", "responses-stream", "completions")),
    *(("openai", each) for each in ("embeddings", "models", "model", "image", "image-edit", "transcription")),
    *(("anthropic", each) for each in ("messages", "messages-stream", "beta-messages", "count-tokens")),
    *(("anthropic", each) for each in ("beta-count-tokens", "models", "model")),
    *(("google-genai", each) for each in ("generate", "generate-stream", "chat", "count-tokens", "models", "model")),
]


@pytest.mark.parametrize("client", BASES)
def test_every_call_of_an_sdk_gets_what_it_gets_without_the_recorder(client: str, proxy: Running) -> None:
    async def test() -> None:
        for name in [name for each, name in CALLS if each == client]:

            async def call(origin: str, name: str = name) -> str:
                options = GEMINI if client == "google-genai" else {}
                calls = worker.CLIENTS[client](origin + BASES[client], KEY, options)
                try:
                    return seen(await asyncio.to_thread(calls[name]))
                except (openai.APIStatusError, anthropic.APIStatusError, genai.errors.APIError) as error:
                    # A route that the proxy does not serve (embeddings): the same error with and without.
                    return f"{type(error).__name__} {error}"

            _, told = await through(proxy, call)
            assert {each.outcome for each in told} == {"answered"}

    within(test(), 20)


async def openai_async(origin: str) -> list[str]:
    async with openai.AsyncOpenAI(base_url=origin + "/v1", api_key=KEY, max_retries=0) as client:
        plain = await client.chat.completions.create(model="m", messages=SAY)
        stream = await client.chat.completions.create(model="m", messages=SAY, stream=True)
        pieces = [seen(each) async for each in stream]
        answer = await client.responses.create(model="m", input="hi")
        async with client.responses.stream(model="m", input="hi") as events:
            types = [each.type async for each in events]
        return [seen(plain), *pieces, answer.output_text, *types, *[seen(each) async for each in client.models.list()]]


async def anthropic_async(origin: str) -> list[str]:
    async with anthropic.AsyncAnthropic(base_url=origin, api_key=KEY, max_retries=0) as client:
        plain = await client.messages.create(model="m", max_tokens=9, messages=SAY)
        async with client.messages.stream(model="m", max_tokens=9, messages=SAY) as events:
            types = [each.type async for each in events]
        counted = await client.messages.count_tokens(model="m", messages=SAY)
        return [seen(plain), *types, seen(counted)]


async def gemini_async(origin: str) -> list[str]:
    client = genai.Client(api_key=KEY, http_options={"base_url": origin, "api_version": "v1beta"}).aio
    plain = await client.models.generate_content(model="m", contents="hi")
    pieces = [seen(each) async for each in await client.models.generate_content_stream(model="m", contents="hi")]
    counted = await client.models.count_tokens(model="m", contents="hi")
    await client.aclose()
    return [seen(plain), *pieces, seen(counted)]


@pytest.mark.parametrize("call", [openai_async, anthropic_async, gemini_async])
def test_the_asynchronous_sdk_gets_what_it_gets_without_the_recorder(
    call: Callable[[str], Awaitable[list[str]]], proxy: Running
) -> None:
    async def test() -> None:
        result, told = await through(proxy, call)
        assert len(result) > 3
        assert {each.observed.key_header for each in told} <= {"authorization", "x-api-key", "x-goog-api-key"}
        assert all(each.observed.user_agent for each in told)

    within(test(), 20)


@pytest.mark.parametrize("path", ["/v1/v1", ""])
def test_a_miss_is_the_same_error_with_and_without_the_recorder(path: str, proxy: Running) -> None:
    async def call(origin: str) -> str:
        async with openai.AsyncOpenAI(base_url=origin + path, api_key=KEY, max_retries=0) as client:
            with pytest.raises(openai.NotFoundError) as raised:
                await client.chat.completions.create(model="m", messages=SAY)
            return f"{raised.value} {raised.value.body!r} {raised.value.response.content!r}"

    async def test() -> None:
        _, [told] = await through(proxy, call)
        assert (told.observed.status, told.observed.path) == (404, path + "/chat/completions")

    within(test())


def test_one_client_keeps_one_connection_for_all_its_calls(proxy: Running) -> None:
    async def test() -> None:
        async with recording(proxy.url) as (recorder, told), tapped(recorder.port) as front:
            client = openai.AsyncOpenAI(base_url=front.url + "/v1", api_key=KEY, max_retries=0)
            async with client:
                for number in range(10):
                    stream = bool(number % 2)
                    answer: Any = await client.chat.completions.create(model="m", messages=SAY, stream=stream)
                    if stream:
                        assert [each async for each in answer]
            assert len(front.asked) == 1
            assert len(told) == 10

    within(test())


# --- what an SDK shows of the recorder's own answers ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("failing", "status", "sentence"),
    [
        ("refused", 502, "agdoctor trace: nothing listens on 127.0.0.1 port 9, where the proxy should be."),
        ("silent", 504, "agdoctor trace: the proxy at http://127.0.0.1:"),
    ],
)
@pytest.mark.parametrize("client", BASES)
def test_an_sdk_shows_the_recorder_s_sentence(client: str, failing: str, status: int, sentence: str) -> None:
    async def test() -> None:
        silent = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        upstream = (
            "http://127.0.0.1:9" if failing == "refused" else f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
        )
        async with Recorder(upstream, answer_timeout=0.1) as recorder:
            calls = worker.CLIENTS[client](
                recorder.url + BASES[client], KEY, GEMINI if client == "google-genai" else {}
            )
            name = {"openai": "chat", "anthropic": "messages", "google-genai": "generate"}[client]
            for call in (name, f"{name}-stream"):
                with pytest.raises((openai.APIStatusError, anthropic.APIStatusError, genai.errors.APIError)) as raised:
                    await asyncio.to_thread(calls[call])
                assert sentence in str(raised.value)
                assert str(status) in str(raised.value)
        silent.close()

    within(test())
