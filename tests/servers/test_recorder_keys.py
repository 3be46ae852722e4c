"""What the recorder tells and keeps: never a key, and a body only where it was asked for; and what --rewrite does."""

from __future__ import annotations

import pytest

from antigravity_doctor.servers.recorder import BODY_KEPT
from tests.support.wire import OK, answering, ask, chunked, get, only, origin, post, recording, within

SECRET = "sk-live-0123456789abcdefghij"


@pytest.mark.parametrize(
    ("target", "headers", "carrier"),
    [
        ("/v1/models", (f"Authorization: Bearer {SECRET}",), "authorization"),
        ("/v1/models", (f"authorization: {SECRET}",), "authorization"),
        ("/v1/messages", (f"X-Api-Key: {SECRET}",), "x-api-key"),
        ("/v1beta/models", (f"x-goog-api-key: {SECRET}",), "x-goog-api-key"),
        ("/v1/models", (f"api-key: {SECRET}",), "api-key"),
        (f"/v1beta/models?key={SECRET}", (), "query"),
        (f"/v1beta/models?alt=sse&key={SECRET}&x=1", (), "query"),
        ("/v1/models", (f"Cookie: session={SECRET}",), None),
        ("/v1/models", (f"X-Anything: {SECRET}",), None),
        ("/v1/models", (f"User-Agent: client/1 {SECRET}",), None),
        (f"/v1/models?token={SECRET}", (), None),
        ("/v1/models", (), None),
    ],
)
def test_only_the_name_of_what_carried_a_key_is_told(
    target: str, headers: tuple[str, ...], carrier: str | None
) -> None:
    async def test() -> None:
        async with origin(answering(OK)) as upstream, recording(upstream.url) as (recorder, told):
            await ask(recorder.port, get(target, *headers))
            done = await only(told)
            assert done.observed.key_header == carrier
            assert SECRET not in repr(done)
            assert SECRET not in repr(recorder.__dict__)
            # … and the proxy has got it.
            assert target + "".join(headers) in upstream.requests[0].target + "".join(headers)
            for each in headers:
                name, _, value = each.partition(": ")
                assert upstream.requests[0].get(name) == value

    within(test())


def test_a_key_that_an_answer_sets_or_repeats_is_not_told() -> None:
    async def test() -> None:
        body = f'{{"error":"Incorrect API key provided: {SECRET}"}}'.encode()
        raw = (
            f"HTTP/1.1 401 Unauthorized\r\nSet-Cookie: session={SECRET}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        async with origin(answering(raw)) as upstream, recording(upstream.url) as (recorder, told):
            assert (await ask(recorder.port, get("/v1/models"))).body == body
            assert SECRET not in repr(await only(told))

    within(test())


def test_every_header_is_told_by_its_name_alone() -> None:
    async def test() -> None:
        async with origin(answering(OK)) as upstream, recording(upstream.url) as (recorder, told):
            await ask(
                recorder.port, get("/", "X-One: secret-one", "User-Agent: me/1", "Cookie: a=secret-two", "x-one: b")
            )
            seen = (await only(told)).observed
            assert seen.header_names == ("host", "x-one", "user-agent", "cookie")
            assert seen.user_agent == "me/1"

    within(test())


def test_bodies_are_gone_unless_they_are_asked_for() -> None:
    async def test() -> None:
        async with origin(answering(OK)) as upstream, recording(upstream.url) as (recorder, told):
            await ask(recorder.port, post("/v1/messages", b'{"prompt":"what I wrote"}'))
            done = await only(told)
            assert done.bodies is None
            assert "what I wrote" not in repr(done)
            assert (done.request_bytes, done.answer_bytes) == (25, 11)

    within(test())


def test_bodies_are_kept_where_they_are_asked_for() -> None:
    async def test() -> None:
        async with origin(answering(OK)) as upstream, recording(upstream.url, keep_bodies=True) as (recorder, told):
            await ask(recorder.port, post("/v1/messages", b"{}"))
            await ask(recorder.port, get("/x", "Transfer-Encoding: chunked", method="POST") + chunked(b"one", b"two"))
            await ask(recorder.port, get("/x"))
            assert [each.bodies for each in told] == [
                ("{}", '{"ok":true}'),
                ("onetwo", '{"ok":true}'),
                ("", '{"ok":true}'),
            ]

    within(test())


def test_a_key_in_a_body_is_masked_and_bytes_that_are_no_text_are_written_out() -> None:
    async def test() -> None:
        async with origin(answering(OK)) as upstream, recording(upstream.url, keep_bodies=True) as (recorder, told):
            await ask(recorder.port, post("/v1/messages", b'{"api_key":"sk-planted-1234567890"}\xff'))
            bodies = (await only(told)).bodies
            assert bodies is not None
            assert bodies.request == '{"api_key":"***"}\\xff'

    within(test())


def test_of_a_large_body_only_the_beginning_is_kept() -> None:
    async def test() -> None:
        large = b"0123456789abcdef" * 160_000
        raw = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(large), large)
        async with origin(answering(raw)) as upstream, recording(upstream.url, keep_bodies=True) as (recorder, told):
            assert (await ask(recorder.port, post("/x", large))).body == large
            done = await only(told)
            assert done.bodies == (large[:BODY_KEPT].decode(), large[:BODY_KEPT].decode())
            assert (done.request_bytes, done.answer_bytes) == (len(large), len(large))

    within(test())


# --- rewriting ------------------------------------------------------------------------------------------------------


def to_v1(method: str, path: str) -> str | None:
    return "/v1/models" if path == "/models" and method == "GET" else None


def test_a_rewritten_request_asks_for_the_other_path_and_says_so() -> None:
    async def test() -> None:
        async with origin(answering(OK)) as upstream, recording(upstream.url, rewrite=to_v1) as (recorder, told):
            answer = await ask(recorder.port, get("/models?limit=%2F&x", "X-Api-Key: k"))
            assert [each.target for each in upstream.requests] == ["/v1/models?limit=%2F&x"]
            assert upstream.requests[0].get("x-api-key") == "k"
            assert answer.get("x-agdoctor-rewritten") == "/v1/models"
            done = await only(told)
            assert (done.forwarded, done.observed.path, done.observed.query) == ("/v1/models", "/models", "limit=%2F&x")

    within(test())


@pytest.mark.parametrize("request_", [get("/v1/models"), get("/models", method="DELETE"), get("/other")])
def test_a_request_that_is_not_rewritten_is_left_alone(request_: bytes) -> None:
    async def test() -> None:
        async with origin(answering(OK)) as upstream, recording(upstream.url, rewrite=to_v1) as (recorder, told):
            answer = await ask(recorder.port, request_)
            assert answer.get("x-agdoctor-rewritten") is None
            assert upstream.requests[0].target == request_.split(b" ")[1].decode()
            assert (await only(told)).forwarded is None

    within(test())


def test_a_rewritten_request_whose_proxy_is_away_is_told_with_both() -> None:
    async def test() -> None:
        async with recording("http://127.0.0.1:9", rewrite=to_v1) as (recorder, told):
            assert (await ask(recorder.port, get("/models"))).status == 502
            done = await only(told)
            assert (done.forwarded, done.outcome) == ("/v1/models", "no-answer")

    within(test())
