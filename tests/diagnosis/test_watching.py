"""What `trace` knows while requests come: each judged, all counted, and only the last setting believed."""

from __future__ import annotations

import tracemalloc

import pytest

from antigravity_doctor.diagnosis.recording import Exchange, Recorded
from antigravity_doctor.diagnosis.tracing import Inference, Observed
from antigravity_doctor.diagnosis.watching import MOST_KINDS, Watch
from antigravity_doctor.knowledge.clients import find_client
from antigravity_doctor.knowledge.routes import table_for

ORIGIN = "http://127.0.0.1:8045"
RECORDER = "http://127.0.0.1:18045"
CLAUDE = "claude-cli/2.1.197 (external, sdk-cli)"
OPENAI = "OpenAI/Python 3.54.0"
GENAI = "google-genai-sdk/3.4.0 gl-python/3.11.7"


def watching(client: str | None = None) -> Watch:
    named = find_client(client) if client else None
    return Watch(table=table_for(None), origin=ORIGIN, recorder=RECORDER, given=RECORDER, client=named)


def exchange(method: str, path: str, agent: str | None = CLAUDE, status: int | None = 200, **more: object) -> Exchange:
    observed = Observed(method, path, None, status, "x-api-key", agent, (), **more)  # type: ignore[arg-type]
    return Exchange(1, 1763840000.0, observed, "answered", 1.0, 2.0)


def add(watch: Watch, method: str, path: str, agent: str | None = CLAUDE, status: int | None = 200) -> Recorded:
    return watch.add(exchange(method, path, agent, status))


def only(watch: Watch) -> Inference:
    (found,) = watch.inferences
    return found


# --- one request -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status", "verdict", "code"),
    [
        ("POST", "/v1/messages", 200, "routed", None),
        ("POST", "/v1/v1/messages", 404, "misrouted", "AGD301"),
        ("POST", "/messages", 404, "misrouted", "AGD303"),
        ("POST", "/v1/embeddings", 404, "unsupported", "AGD402"),
        ("DELETE", "/v1/messages", 405, "wrong-method", "AGD401"),
        ("POST", "/v1/messages", 401, "not-a-path-problem", "AGD201"),
        ("HEAD", "/", 404, "not-a-path-problem", "AGD602"),
        ("GET", "/favicon.ico", 404, "not-a-path-problem", "AGD601"),
    ],
)
def test_a_request_gets_its_verdict_when_it_comes(
    method: str, path: str, status: int, verdict: str, code: str | None
) -> None:
    found = add(watching(), method, path, status=status).found
    assert found.verdict == verdict
    assert (found.findings[0].code if found.findings else None) == code


def test_the_inference_of_its_own_client_comes_with_a_request() -> None:
    watch = watching()
    add(watch, "POST", "/v1/messages")
    other = add(watch, "POST", "/chat/completions", OPENAI, 404)
    assert other.inference is not None
    assert other.inference.user_agent == OPENAI
    assert [each.base_url for each in other.inference.fixes] == [ORIGIN + "/v1"]


def test_what_the_client_was_told_comes_with_a_request() -> None:
    watch = Watch(table=table_for(None), origin=ORIGIN, recorder=RECORDER, given=RECORDER + "/v1")
    one = add(watch, "POST", "/v1/v1/messages")
    assert (one.recorder, one.given) == (RECORDER, RECORDER + "/v1")


@pytest.mark.parametrize(("note", "code"), [("tls", "AGD105"), ("http2", None), ("garbage", None)])
def test_what_is_no_request_is_counted_and_says_nothing_of_a_client(note: str, code: str | None) -> None:
    watch = watching()
    one = watch.add(Exchange(1, 1.0, Observed("", "", None, None), "not-http", None, 0.0, note=note))
    assert one.found.verdict == "no-request-found"
    assert [each.code for each in one.found.findings] == ([code] if code else [])
    assert one.inference is None
    assert watch.inferences == ()
    assert watch.summary.missed == 1


# --- counts ----------------------------------------------------------------------------------------------------------


def test_every_request_is_counted_once() -> None:
    watch = watching()
    for _ in range(3):
        add(watch, "POST", "/v1/messages")
    add(watch, "POST", "/v1/messages", status=401)
    add(watch, "POST", "/v1/v1/messages", status=404)
    add(watch, "HEAD", "/", "Bun/1.4.0", 404)
    found = watch.summary
    assert (found.total, found.landed, found.missed, found.harmless) == (6, 4, 1, 1)
    assert watch.errors == 1 + sum(each.severity == "error" for each in found.problems)


def test_nothing_was_seen_before_something_came() -> None:
    found = watching().summary
    assert (found.total, found.landed, found.missed, found.harmless) == (0, 0, 0, 0)
    assert found.inferences == ()


@pytest.mark.parametrize("path", ["/", "/v1", "/favicon.ico"])
def test_what_is_harmless_is_no_error(path: str) -> None:
    watch = watching()
    add(watch, "GET", path, "Mozilla/5.0", 404)
    assert watch.errors == 0
    assert watch.summary.harmless == 1


def test_a_fault_behind_a_right_path_is_kept_once() -> None:
    watch = watching()
    for _ in range(5):
        add(watch, "POST", "/v1/messages", status=401)
    assert [each.code for each in watch.summary.problems] == ["AGD201"]
    assert watch.summary.missed == 0


def test_the_first_miss_of_each_program_is_kept() -> None:
    watch = watching()
    add(watch, "POST", "/v1/v1/messages", CLAUDE, 404)
    add(watch, "POST", "/v1/v1/messages/count_tokens", CLAUDE, 404)
    add(watch, "POST", "/chat/completions", OPENAI, 404)
    misses = watch.summary.misses
    assert {agent: each.path for agent, each in misses.items()} == {
        CLAUDE: "/v1/v1/messages", OPENAI: "/chat/completions",
    }  # fmt: skip


# --- the setting is changed while it is watched ----------------------------------------------------------------------


def test_after_a_change_only_the_new_setting_counts() -> None:
    watch = watching()
    add(watch, "POST", "/v1/v1/messages", status=404)
    assert only(watch).configured == RECORDER + "/v1"
    assert not only(watch).works
    add(watch, "POST", "/v1/messages")
    assert only(watch).configured == RECORDER
    assert only(watch).works
    assert watch.summary.misses == {}
    assert watch.summary.missed == 1  # it did happen


def test_from_one_wrong_setting_to_another_the_advice_stays_the_same() -> None:
    watch = watching()
    wrong = ["/v1/v1/messages", "/v1beta/v1/messages", "/v1/messages/v1/messages", "/openai/v1/messages"]
    for path in wrong:
        add(watch, "POST", path, status=404)
        assert [each.base_url for each in only(watch).fixes] == [ORIGIN], path
    assert only(watch).configured == RECORDER + "/openai"


def test_back_to_the_wrong_setting_is_noticed() -> None:
    watch = watching()
    for path in ("/v1/v1/messages", "/v1/messages", "/v1/v1/messages"):
        add(watch, "POST", path)
    assert only(watch).configured == RECORDER + "/v1"


def test_a_request_by_another_program_of_the_same_client_is_not_blamed_for_the_old_setting() -> None:
    """Claude Code's HEAD of its base URL has a User-Agent of its own, and comes before the first request with it."""
    watch = watching()
    add(watch, "HEAD", "/v1", "Bun/1.4.0", 404)
    add(watch, "POST", "/v1/v1/messages", status=404)
    first = add(watch, "HEAD", "/", "Bun/1.4.0", 404)
    add(watch, "POST", "/v1/messages")
    assert [each.code for each in first.found.findings] == ["AGD602"]
    assert (watch.summary.missed, watch.summary.harmless) == (1, 2)


def test_two_programs_keep_their_own_settings() -> None:
    watch = watching()
    add(watch, "POST", "/v1/v1/messages", CLAUDE, 404)
    add(watch, "POST", "/v1/chat/completions", OPENAI)
    add(watch, "POST", "/v1/v1/messages", CLAUDE, 404)
    found = {each.user_agent: each for each in watch.inferences}
    assert found[CLAUDE].configured == RECORDER + "/v1"
    assert not found[CLAUDE].works
    assert found[OPENAI].works


def test_two_requests_of_one_setting_are_no_change() -> None:
    watch = watching()
    add(watch, "GET", "/models", OPENAI, 404)
    add(watch, "POST", "/chat/completions", OPENAI, 404)
    assert only(watch).seen == 2
    assert only(watch).configured == RECORDER


def test_the_named_client_is_believed() -> None:
    watch = watching("langchain-openai")
    add(watch, "POST", "/chat/completions", OPENAI, 404)
    who = only(watch).identity
    assert who is not None
    assert who.client.id == "langchain-openai"
    assert "given" in who.because


# --- rewriting -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "to"),
    [
        ("POST", "/v1/v1/messages", "/v1/messages"),
        ("POST", "/v1/v1/chat/completions", "/v1/chat/completions"),
        ("POST", "/chat/completions", "/v1/chat/completions"),
        ("POST", "/v1/models/gemini-2.5-pro:generateContent", "/v1beta/models/gemini-2.5-pro:generateContent"),
        ("POST", "/v1/messages", None),  # right already
        ("DELETE", "/v1/v1/messages", None),  # the route would refuse it
        ("POST", "/v1/embeddings", None),  # there is no such route
        ("GET", "/some/other/thing", None),
        ("GET", "/", None),
        ("GET", "", None),
    ],
)
def test_only_what_was_clearly_meant_is_rewritten(method: str, path: str, to: str | None) -> None:
    assert watching().rewritten(method, path) == to


def test_where_the_last_endpoint_wins_a_stacked_path_is_rewritten() -> None:
    assert watching().rewritten("POST", "/v1/chat/completions/chat/completions") == "/v1/chat/completions"


# --- many of them ----------------------------------------------------------------------------------------------------


def test_memory_does_not_grow_with_the_number_of_different_requests() -> None:
    watch = watching()

    def some(first: int, count: int) -> None:
        for number in range(first, first + count):
            add(watch, "POST", f"/v1/v1/messages/{number}", f"agent-{number % 700}/1", 404)

    tracemalloc.start()
    try:
        some(0, 1_000)  # fills what is bounded
        before = tracemalloc.get_traced_memory()[0]
        some(1_000, 1_500)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 1_500 * 400  # bytes; one request that is kept takes more than a thousand
    assert watch.summary.total == 2_500
    assert sum(each.seen for each in watch.inferences) <= MOST_KINDS
    assert len(watch.summary.misses) <= 20


def test_the_same_request_again_works_nothing_out_again() -> None:
    watch = watching()
    first = add(watch, "POST", "/v1/messages").inference
    assert add(watch, "POST", "/v1/messages").inference is first


@pytest.mark.parametrize("agent", [None, "", "x" * 5000, "\x1b[31m\u202e", "Mozilla/5.0 " + GENAI])
@pytest.mark.parametrize("path", ["/", "//", "/%zz", "/" + "v1/" * 300 + "messages", "/é\x1b[31m", "*", ""])
def test_no_request_is_too_strange(path: str, agent: str | None) -> None:
    watch = watching()
    one = add(watch, "BREW", path, agent, 404)
    assert one.found.verdict != "routed"
    assert one.exchange.observed.path == path
    assert watch.summary.total == 1


def test_an_unknown_client_too_may_change_its_base_url() -> None:
    watch = Watch(table=table_for(None), origin=ORIGIN, recorder=RECORDER)
    add(watch, "POST", "/chat/completions", "curl/8.0", 404)
    add(watch, "POST", "/v1/chat/completions", "curl/8.0")
    assert only(watch).works
    add(watch, "POST", "/v1/v1/chat/completions", "curl/8.0", 404)
    assert not only(watch).works
    assert only(watch).fixes[0].base_url == ORIGIN


def test_different_endpoints_of_an_unknown_client_belong_together() -> None:
    watch = Watch(table=table_for(None), origin=ORIGIN, recorder=RECORDER)
    add(watch, "GET", "/models", "my-tool/1", 404)
    add(watch, "POST", "/chat/completions", "my-tool/1", 404)
    assert only(watch).seen == 2


def test_two_sdks_are_two_programs() -> None:
    watch = Watch(table=table_for(None), origin=ORIGIN, recorder=RECORDER)
    add(watch, "POST", "/v1/chat/completions", OPENAI)
    add(watch, "POST", "/v1/messages", "Anthropic/Python 2.12.0")
    names = {each.identity.client.id for each in watch.inferences if each.identity is not None}
    assert names == {"openai-python", "anthropic-python"}


def test_what_has_not_been_answered_is_known_as_such() -> None:
    watch = watching()
    add(watch, "POST", "/v1/messages", status=None)
    assert not watch.summary.answered
    add(watch, "POST", "/v1/messages")
    assert watch.summary.answered
