"""What watched requests say together: measured clients replayed, and each rule by itself."""

from __future__ import annotations

import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given as given_any
from hypothesis import settings
from hypothesis import strategies as st

from antigravity_doctor.diagnosis.matching import allows, match
from antigravity_doctor.diagnosis.simulating import simulate
from antigravity_doctor.diagnosis.solving import solve
from antigravity_doctor.diagnosis.tracing import (
    GIVEN,
    LEAST,
    NAMED,
    SHAPE,
    SHARED,
    STRANGE,
    Inference,
    Observed,
    identify,
    infer,
    judge,
)
from antigravity_doctor.knowledge.clients import Client, Mode, find_client
from antigravity_doctor.knowledge.routes import table_for
from tests.support.predicting import NOT_JOINED, holds_for, mode_for

DATA = Path(__file__).parent.parent / "data"
TABLE = table_for(None)
ORIGIN = "http://127.0.0.1:8045"
RECORDER = "http://127.0.0.1:18045"

CLAUDE = "claude-cli/2.1.197 (external, sdk-cli)"
OPENAI = "OpenAI/Python 3.54.0"


def seen(
    method: str, target: str, agent: str | None = None, key: str | None = None, headers: Sequence[str] = ()
) -> Observed:
    path, mark, query = target.partition("?")
    return Observed(method, path, query if mark else None, None, key, agent, tuple(headers))


def inferred(*observed: Observed, given: str | None = None, client: str | None = None, many: bool = False) -> Inference:
    found = infer(
        observed,
        table=TABLE,
        origin=ORIGIN,
        recorder=RECORDER,
        given=given,
        client=find_client(client) if client else None,
    )
    assert many or len(found) == 1
    return found[0]


def base_urls(found: Inference) -> list[str]:
    return [fix.base_url for fix in found.fixes]


def ids(clients: Sequence[Client]) -> list[str]:
    return [client.id for client in clients]


# --- real clients, replayed ------------------------------------------------------------------------------------------


class Row(NamedTuple):
    """All that a client was seen to send with one setting. `mode` None: one that no entry describes by name."""

    client: Client
    version: str
    mode: Mode | None
    base_path: str
    observed: tuple[Observed, ...]
    setting: str


UNESCAPES = {("openai-python", "0.28.1"), ("google-generativeai", "0.8.6"), ("google-genai-python", "1.0.0")}
"""These undo the needless escape in `/v%31`, so that nothing they send shows what was typed (test_sdk_measurements)."""

NO_MODE = ("codex", "default")
"""Codex without wire_api is in the catalogue as the mode that it falls back to: only who it was is compared."""


def cli_rows() -> Iterator[Row]:
    for row in json.loads((DATA / "cli-measurements.json").read_text(encoding="utf-8")):
        if not row["requests"]:
            continue  # nothing came to the recorder, so there is nothing to replay
        client = find_client(row["client"])
        (agent,) = [each for each in row["user_agents"] if not each.startswith("Bun/")]
        api = re.search(r"\bGOOGLE_GENAI_API_VERSION=(\w+)", row["setting"])
        behind = re.escape(f"-api-{api[1]}") if api else r"(-\d[\d.]*)?"
        modes = [
            mode
            for mode in client.modes
            if re.fullmatch(re.escape(row["mode"]) + behind, mode.id) and holds_for(mode, row["version"])
        ]
        assert len(modes) == 1 or (row["client"], row["mode"]) == NO_MODE
        observed = tuple(
            seen(method, target, "Bun/1.4.0" if method == "HEAD" else agent, keys[0] if keys else None)
            for method, target, keys in row["requests"]
        )
        yield Row(client, row["version"], modes[0] if modes else None, row["base_path"], observed, row["setting"])


def sdk_rows() -> Iterator[Row]:
    for item in json.loads((DATA / "sdk-measurements.json").read_text(encoding="utf-8")):
        client = find_client(item["client"])
        calls = defaultdict(list)
        for mode, base, _, method, target, key in item["matrix"]:
            if method is not None and not any(mark in base for mark in (*NOT_JOINED, "?")):
                calls[mode, base].append((method, target, key))
        for (name, base), sent in calls.items():
            mode = mode_for(client, name, item["version"])
            for agent in item["user_agents"]:
                observed = tuple(seen(method, target, agent, key) for method, target, key in sent)
                yield Row(client, item["version"], mode, base, observed, name)


@lru_cache(maxsize=1)
def rows() -> dict[tuple[str, str], list[Row]]:
    found = defaultdict(list)
    for row in (*cli_rows(), *sdk_rows()):
        found[row.client.id, row.version].append(row)
    return found


def on_table(one: Observed) -> bool:
    found = match(TABLE, one.path)
    return found is not None and allows(found.route, one.method)


def is_extra(one: Observed) -> bool:
    """Claude Code's HEAD of its base URL, Codex's WebSocket before its POST."""
    return one.method == "HEAD" or (one.method == "GET" and one.path.endswith("/responses"))


def faults(row: Row, given: str | None) -> Iterator[str]:
    """Where the inference of one row differs from what was measured."""
    truth = RECORDER + row.base_path
    found = infer(row.observed, table=TABLE, origin=ORIGIN, recorder=RECORDER, given=given)
    if len(found) != 1:
        yield f"{len(found)} clients"
        return
    one = found[0]
    if one.identity is None or row.client not in (one.identity.client, *one.identity.rivals):
        yield f"client {one.identity}"
        return
    if row.mode is None:
        return
    if one.identity.client is row.client and row.mode not in one.identity.modes:
        yield f"modes {[mode.id for mode in one.identity.modes]}"
    if truth.rstrip("/") not in {each.rstrip("/") for each in one.readings}:
        yield f"readings {one.readings}"
    if given == truth and one.configured != truth:
        yield f"configured {one.configured}, as it was not typed"
    if one.configured_exact and (one.configured or "").rstrip("/") != truth.rstrip("/"):
        yield f"configured {one.configured}, which is called exact"
    yield from wrong_fixes(row, row.mode, one, sure=given == truth or one.configured_exact)


def wrong_fixes(row: Row, mode: Mode, one: Inference, *, sure: bool) -> Iterator[str]:
    works = simulate(mode, RECORDER + row.base_path, TABLE).works
    landed = all(on_table(each) for each in row.observed if not is_extra(each))
    fits = [fix for fix in one.fixes if simulate(mode, fix.base_url, TABLE).works]
    if works:
        # A right base URL may leave a request of less use without a route: then what helps it must help all.
        if one.fixes and (landed or fits != list(one.fixes)):
            yield f"fixes {base_urls(one)} for a right base URL"
        if landed and not one.works:
            yield "is right, and said not to be"
        if not landed and not (one.unserved or one.fixes):
            yield "misses, and nothing is said of it"
    elif one.works:
        yield "is wrong, and said to be right"
    elif not one.fixes:
        yield "no fix"
    elif solve(mode, TABLE):
        if not fits or (sure and fits[0] is not one.fixes[0]):
            yield f"fixes {base_urls(one)}"
    elif not any(fix.note and match(TABLE, fix.resulting_path) for fix in (one.fixes[:1] if sure else one.fixes)):
        # No base URL alone helps this mode: what does is said by the note.
        yield f"fixes {base_urls(one)}, none with a note"


def given_for(row: Row, told: str) -> str | None:
    return {"right": RECORDER + row.base_path, "nothing": None, "bare": RECORDER}[told]


@pytest.mark.parametrize("told", ["right", "nothing", "bare"])
@pytest.mark.parametrize(("client", "version"), sorted(rows()))
def test_a_measured_client_is_recognised_and_told_what_was_measured_to_work(
    client: str, version: str, told: str
) -> None:
    wrong = [
        f"{row.setting} …{row.base_path}: {fault}"
        for row in rows()[client, version]
        if not ((client, version) in UNESCAPES and "%31" in row.base_path)
        for fault in faults(row, given_for(row, told))
    ]
    assert wrong == []


def test_the_rows_that_cannot_be_read_back_are_those_whose_client_undoes_an_escape() -> None:
    """The exceptions are few, and they are exceptions: none of them would pass."""
    left_out = [
        row for (key, all_rows) in rows().items() for row in all_rows if key in UNESCAPES and "%31" in row.base_path
    ]
    assert Counter(row.client.id for row in left_out) == {
        "openai-python": 1,
        "google-genai-python": 4,
        "google-generativeai": 1,
    }
    assert all(list(faults(row, RECORDER + row.base_path)) for row in left_out)


def test_as_many_rows_are_replayed_as_were_measured() -> None:
    every = [row for found in rows().values() for row in found]
    assert len(every) > 2500
    assert sum(row.mode is None for row in every) == 2
    assert len({row.client.id for row in every}) == 18


@pytest.mark.parametrize("client", ["openai-python", "openai-node", "anthropic-python", "anthropic-node", "codex"])
def test_a_client_that_adds_one_text_shows_its_base_url_exactly(client: str) -> None:
    for (name, _), found in rows().items():
        for row in found if name == client else ():
            if not (row.base_path == "/v%31" and (name, row.version) in UNESCAPES):
                one = inferred(*row.observed)
                assert one.configured_exact, row
                assert (one.configured or "").rstrip("/") == RECORDER + row.base_path.rstrip("/")


# --- one request -----------------------------------------------------------------------------------------------------


def test_a_request_is_judged_with_how_it_was_answered() -> None:
    one = seen("POST", "/v1/chat/completions", OPENAI)._replace(status=401, answer_kind="empty")
    assert judge(one, table=TABLE, origin=ORIGIN).verdict == "not-a-path-problem"
    assert judge(one._replace(status=200), table=TABLE, origin=ORIGIN).verdict == "routed"


def test_a_request_is_judged_with_the_base_url_it_came_from() -> None:
    one = seen("POST", "/v1/v1/messages", CLAUDE)
    found = judge(one, table=TABLE, origin=ORIGIN, base_url=RECORDER + "/v1", client=find_client("claude-code"))
    assert [(fix.base_url, fix.confidence) for fix in found.fixes] == [(ORIGIN, 1.0)]


# --- who it was ------------------------------------------------------------------------------------------------------


def test_a_user_agent_of_one_client_names_it() -> None:
    who = identify([seen("POST", "/v1/messages?beta=true", CLAUDE, "x-api-key")], TABLE)
    assert who is not None
    assert (who.client.id, who.version, who.confidence, who.rivals) == ("claude-code", "2.1.197", NAMED, ())
    assert who.because == ("user-agent", "path", "key-header")


def test_a_user_agent_of_several_clients_names_the_best_known_and_its_rivals() -> None:
    who = identify([seen("POST", "/v1/chat/completions", OPENAI)], TABLE)
    assert who is not None
    assert (who.client.id, who.confidence, who.rivals[0].id) == ("openai-python", SHARED, "langchain-openai")
    assert "openai-node" not in ids(who.rivals)


def test_what_it_asks_for_decides_between_clients_of_one_user_agent() -> None:
    who = identify([seen("POST", "/v1/images/generations", OPENAI)], TABLE)
    assert who is not None
    assert (who.client.id, who.confidence, who.rivals) == ("openai-python", NAMED, ())


def test_a_word_further_on_tells_clients_of_one_product_apart() -> None:
    agents = {"gl-python/3.11.7": "google-genai-python", "gl-node/v20.20.2": "google-genai-node"}
    for word, client in agents.items():
        who = identify([seen("POST", "/v1beta/models/m:generateContent", f"google-genai-sdk/3.4.0 {word}")], TABLE)
        assert who is not None
        assert (who.client.id, who.version) == (client, "3.4.0")
        assert not set(agents.values()) & set(ids(who.rivals))


def test_a_known_client_that_does_something_unknown_is_less_sure() -> None:
    who = identify([seen("POST", "/v1/wibble", CLAUDE)], TABLE)
    assert who is not None
    assert (who.client.id, who.modes, who.confidence) == ("claude-code", (), round(NAMED * STRANGE, 2))
    assert who.because == ("user-agent",)


def test_an_unknown_user_agent_leaves_the_shape_of_the_requests_with_little_confidence() -> None:
    who = identify([seen("POST", "/v1/messages", "wibble/1.0")], TABLE)
    assert who is not None
    assert "user-agent" not in who.because
    assert who.confidence == round(max(SHAPE / (1 + len(who.rivals)), LEAST), 2)
    assert {mode.protocol for mode in who.modes} == {"anthropic"}


def test_requests_that_no_client_makes_name_nobody() -> None:
    assert identify([seen("POST", "/v1/wibble", "wibble/1.0")], TABLE) is None
    assert identify([seen("GET", "/favicon.ico", None)], TABLE) is None
    assert identify([], TABLE) is None


def test_a_query_that_only_one_client_adds_gives_it_away() -> None:
    target = "/v1beta/models/m:generateContent?%24alt=json%3Benum-encoding%3Dint"
    who = identify([seen("POST", target, "python-requests/2.34.2", "x-goog-api-key")], TABLE)
    assert who is not None
    # LangChain's package of that time calls the same SDK.
    assert who.client.id == "google-generativeai"
    assert set(ids(who.rivals)) <= {"langchain-google-genai"}
    assert who.confidence == SHAPE / (1 + len(who.rivals))


def test_headers_of_an_sdk_leave_only_the_sdks() -> None:
    one = seen("POST", "/v1/chat/completions", "my-app/1.0", "authorization", ["x-stainless-lang"])
    who = identify([one], TABLE)
    assert who is not None
    assert who.because == ("path", "key-header", "headers")
    assert {"openai-python", "openai-node", "langchain-openai"} <= {who.client.id, *ids(who.rivals)}
    assert not {"codex", "claude-code", "opencode", "cherry-studio"} & set(ids(who.rivals))


def test_headers_of_a_protocol_leave_only_its_modes() -> None:
    plain = seen("GET", "/v1/models", "my-app/1.0")
    who = identify([plain._replace(header_names=("anthropic-version",))], TABLE)
    assert who is not None
    assert {mode.protocol for mode in who.modes} == {"anthropic"}


@pytest.mark.parametrize(
    ("version", "mode"), [("0.28.1", "chat-0.28"), ("1.109.1", "chat-1"), ("3.19.2", "chat-1"), ("3.20.0", "chat")]
)
def test_the_version_seen_decides_which_modes_can_be_meant(version: str, mode: str) -> None:
    agent = f"OpenAI/v1 PythonBindings/{version}" if version.startswith("0") else f"OpenAI/Python {version}"
    who = identify([seen("POST", "/v1/chat/completions", agent)], TABLE)
    assert who is not None
    assert [each.id for each in who.modes] == [mode]


def test_a_key_in_the_usual_header_decides_between_modes() -> None:
    agent = "google-genai-sdk/3.4.0 gl-python/3.11.7"
    by_key = {}
    for key in ("x-goog-api-key", "authorization"):
        who = identify([seen("GET", "/v1beta1/publishers/google/models", agent, key)], TABLE)
        assert who is not None
        by_key[key] = who.modes[0].id
    assert by_key == {"x-goog-api-key": "vertex-key", "authorization": "vertex-project"}


def test_a_key_in_an_unusual_header_excludes_no_mode() -> None:
    who = identify([seen("POST", "/v1/messages?beta=true", CLAUDE, "authorization")], TABLE)
    assert who is not None
    assert [mode.id for mode in who.modes] == ["messages"]
    assert who.because == ("user-agent", "path")


# --- one client or several -------------------------------------------------------------------------------------------


def test_extra_requests_under_the_name_of_a_runtime_belong_to_the_client_that_makes_them() -> None:
    found = inferred(seen("HEAD", "/v1", "Bun/1.4.0"), seen("POST", "/v1/v1/messages?beta=true", CLAUDE))
    assert (found.user_agent, found.seen, found.user_agents) == (CLAUDE, 1, (CLAUDE, "Bun/1.4.0"))


def test_a_browser_beside_a_client_is_another_client() -> None:
    found = infer(
        [seen("POST", "/v1/messages", CLAUDE), seen("GET", "/favicon.ico", "Mozilla/5.0")],
        table=TABLE,
        origin=ORIGIN,
        recorder=RECORDER,
    )
    assert [(each.user_agent, each.seen) for each in found] == [(CLAUDE, 1), ("Mozilla/5.0", 0)]


def test_two_user_agents_of_one_client_are_one_client() -> None:
    agents = ("ai-sdk/openai/3.0.141 ai-sdk/provider-utils/4.0.66", "ai/6.0.326 ai-sdk/provider-utils/4.0.66")
    found = inferred(*(seen("POST", "/responses", agent) for agent in agents))
    assert found.identity is not None
    assert (found.identity.client.id, found.identity.version) == ("ai-sdk-openai", "3.0.141")


def test_two_clients_are_told_apart_the_busier_first() -> None:
    found = infer(
        [seen("POST", "/v1/messages", CLAUDE), *[seen("POST", "/chat/completions", OPENAI)] * 2],
        table=TABLE,
        origin=ORIGIN,
        recorder=RECORDER,
    )
    assert [each.identity.client.id for each in found if each.identity] == ["openai-python", "claude-code"]
    assert [base_urls(each) for each in found] == [[ORIGIN + "/v1"], []]


def test_the_client_that_was_named_is_taken_where_the_user_agent_does_not_speak_against_it() -> None:
    for agent in (None, "my-app/1.0", OPENAI):
        found = inferred(seen("POST", "/chat/completions", agent), client="langchain-openai")
        assert found.identity is not None
        assert (found.identity.client.id, found.identity.confidence) == ("langchain-openai", GIVEN)
        assert found.identity.because[0] == "given"


def test_the_client_that_was_named_does_not_hide_another_known_one() -> None:
    found = inferred(seen("POST", "/v1/messages", CLAUDE), client="codex")
    assert found.identity is not None
    assert (found.identity.client.id, found.identity.confidence) == ("claude-code", NAMED)


# --- the base URL in use ---------------------------------------------------------------------------------------------


def test_the_base_url_is_read_back_from_what_the_client_adds() -> None:
    found = inferred(seen("POST", "/x/y/chat/completions", OPENAI), seen("GET", "/x/y/models", OPENAI))
    assert (found.configured, found.configured_exact) == (RECORDER + "/x/y", True)
    assert set(found.appends) == {("POST", "/chat/completions"), ("GET", "/models")}


def test_a_given_base_url_that_cannot_have_made_the_paths_is_not_believed() -> None:
    found = inferred(seen("POST", "/v1/chat/completions", OPENAI), given=RECORDER)
    assert (found.configured, found.configured_exact, found.works) == (RECORDER + "/v1", True, True)


def test_a_given_base_url_decides_between_readings_but_proves_nothing() -> None:
    one = seen("POST", "/v1beta/models/m:generateContent", "google-genai-sdk/3.4.0 gl-python/3.11.7")
    for given in (RECORDER, RECORDER + "/v1beta"):
        found = inferred(one, given=given)
        assert (found.configured, found.configured_exact) == (given, False)
        assert set(found.readings) == {RECORDER, RECORDER + "/v1beta"}


def test_a_given_base_url_is_kept_to_the_letter() -> None:
    found = inferred(seen("POST", "/v1/chat/completions", OPENAI), given=RECORDER + "/v1/")
    assert (found.configured, found.configured_exact) == (RECORDER + "/v1/", True)


def test_without_a_known_client_a_given_base_url_that_the_paths_begin_with_is_a_guess() -> None:
    found = inferred(seen("POST", "/x/wibble", "my-app/1.0"), given=RECORDER + "/x")
    assert (found.configured, found.configured_exact) == (RECORDER + "/x", False)
    assert found.appends == (("POST", "/wibble"),)


def test_without_a_known_client_a_given_base_url_that_the_paths_contradict_is_not_used() -> None:
    found = inferred(seen("POST", "/v1/chat/completions", "my-app/1.0"), given=RECORDER + "/v1beta")
    assert found.configured in {RECORDER + "/v1", RECORDER}
    assert not found.configured_exact


def test_what_is_added_is_counted_most_seen_first() -> None:
    found = inferred(seen("GET", "/v1/models", OPENAI), *[seen("POST", "/v1/chat/completions", OPENAI)] * 3)
    assert found.appends == (("POST", "/chat/completions"), ("GET", "/models"))
    assert found.seen == 2


# --- the base URL that is needed -------------------------------------------------------------------------------------


def test_nothing_seen_says_nothing() -> None:
    assert infer([], table=TABLE, origin=ORIGIN, recorder=RECORDER) == ()


def test_only_harmless_requests_are_no_fault_of_anybody() -> None:
    found = inferred(seen("GET", "/favicon.ico", "Mozilla/5.0"), seen("OPTIONS", "/v1/wibble", "Mozilla/5.0"))
    assert (found.seen, found.works, found.fixes, found.appends, found.identity) == (0, True, (), (), None)


def test_a_right_base_url_needs_no_fix() -> None:
    found = inferred(seen("POST", "/v1/messages?beta=true", CLAUDE))
    assert (found.works, found.fixes, found.configured) == (True, (), RECORDER)


def test_a_fix_is_the_proxys_base_url_and_shows_what_it_leads_to() -> None:
    (fix,) = inferred(seen("POST", "/v1/v1/messages?beta=true", CLAUDE)).fixes
    assert (fix.base_url, fix.resulting_path, fix.appends) == (ORIGIN, "/v1/messages", "/v1/messages")
    assert (fix.configured_base_url, fix.confidence, fix.clients) == (RECORDER + "/v1", 1.0, ("claude-code",))


def test_rivals_that_need_the_same_take_nothing_from_a_fix() -> None:
    found = inferred(seen("POST", "/chat/completions", OPENAI))
    assert [(fix.base_url, fix.confidence) for fix in found.fixes] == [(ORIGIN + "/v1", 1.0)]


def test_without_a_known_client_only_a_fix_for_every_request_is_offered() -> None:
    one = inferred(seen("POST", "/v1/v1/chat/completions", "my-app/1.0"))
    assert set(base_urls(one)) == {ORIGIN, ORIGIN + "/v1"}
    both = inferred(
        seen("POST", "/v1/v1/chat/completions", "my-app/1.0"), seen("POST", "/v1/v1/images/edits", "my-app/1.0")
    )
    assert set(base_urls(both)) == {ORIGIN, ORIGIN + "/v1"}
    against = inferred(
        seen("POST", "/v1/v1/chat/completions", "my-app/1.0"), seen("POST", "/v1/images/edits", "my-app/1.0")
    )
    assert against.fixes == ()
    assert not against.works


def test_a_request_that_no_base_url_helps_keeps_no_other_from_its_fix() -> None:
    found = inferred(seen("POST", "/chat/completions", OPENAI), seen("POST", "/fine_tuning/jobs", OPENAI))
    assert base_urls(found) == [ORIGIN + "/v1"]
    assert found.unserved == (("POST", "/fine_tuning/jobs"),)


def test_a_right_base_url_is_kept_where_only_an_unserved_request_misses() -> None:
    found = inferred(seen("POST", "/v1/chat/completions", OPENAI), seen("POST", "/v1/fine_tuning/jobs", OPENAI))
    assert (found.works, found.fixes, found.unserved) == (False, (), (("POST", "/v1/fine_tuning/jobs"),))


def test_requests_of_several_protocols_have_an_answer_each() -> None:
    agent = "opencode/1.18.33 ai-sdk/provider-utils/4.0.27 runtime/bun/1.3.14"
    found = inferred(
        seen("POST", "/chat/completions", agent), seen("POST", "/models/m:streamGenerateContent?alt=sse", agent)
    )
    assert found.fixes == ()
    assert {each.protocol: [fix.base_url for fix in each.fixes] for each in found.partial} == {
        "openai": [ORIGIN + "/v1"],
        "gemini": [ORIGIN + "/v1beta"],
    }
    assert {each.configured for each in found.partial} == {RECORDER}


def test_requests_of_several_protocols_with_one_answer_get_it() -> None:
    agent = "opencode/1.18.33 ai-sdk/provider-utils/4.0.27 runtime/bun/1.3.14"
    found = inferred(seen("POST", "/chat/completions", agent), seen("POST", "/messages", agent))
    assert (base_urls(found), found.partial) == ([ORIGIN + "/v1"], ())


def test_a_mode_that_no_base_url_helps_is_told_what_else_to_set() -> None:
    one = seen("POST", "/v1/models/m:generateContent", "google-genai-sdk/3.4.0 gl-python/3.11.7", "x-goog-api-key")
    first = inferred(one, given=RECORDER).fixes[0]
    assert (first.base_url, first.note, first.resulting_path) == (
        ORIGIN,
        "api-version",
        "/v1beta/models/m:generateContent",
    )


def test_a_request_at_a_route_of_another_protocol_is_not_right() -> None:
    found = inferred(seen("POST", "/v1beta/models/responses", OPENAI))
    assert not found.works
    assert base_urls(found) == [ORIGIN + "/v1"]


def test_a_second_try_of_a_client_counts_for_nothing() -> None:
    agent = "Kilo-Code/5.1.0"
    tries = seen("POST", "/v1/responses", agent), seen("POST", "/v1/v1/responses", agent)
    for given in (RECORDER + "/v1", None):
        found = inferred(*tries, given=given)
        assert (found.configured, found.works, found.seen, found.fixes) == (RECORDER + "/v1", True, 1, ())


def test_a_model_that_is_unknown_to_the_proxy_does_not_make_the_path_wrong() -> None:
    one = seen("POST", "/v1/messages", CLAUDE)._replace(status=404, answer_kind="error")
    assert inferred(one).works


# --- whatever comes --------------------------------------------------------------------------------------------------

words = st.one_of(
    st.text(max_size=40),
    st.lists(
        st.sampled_from(["/", "v1", "//", "models", "m:", "chat/completions", "\x00", "%", "é", "?", "#", "openai"]),
        max_size=8,
    ).map("".join),
)
agents = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.builds(
        lambda start, more: start + more,
        st.sampled_from([CLAUDE, "OpenAI/Python ", "google-genai-sdk/", "ai/", "opencode/", "x"]),
        st.text(max_size=20),
    ),
)
requests = st.builds(
    Observed,
    st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "", "get", "é"]),
    words,
    st.one_of(st.none(), words),
    st.one_of(st.none(), st.integers()),
    st.one_of(st.none(), words, st.just("authorization")),
    agents,
    st.lists(st.one_of(words, st.sampled_from(["x-stainless-lang", "anthropic-version"])), max_size=3).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given_any(st.lists(requests, max_size=6), st.one_of(st.none(), words, words.map(lambda text: RECORDER + text)))
def test_no_request_makes_it_fail_and_no_fix_is_unproved(observed: list[Observed], given: str | None) -> None:
    for one in infer(observed, table=TABLE, origin=ORIGIN, recorder=RECORDER, given=given):
        assert not (one.works and one.fixes)
        assert one.seen <= len(observed)
        for fix in one.fixes:
            assert fix.base_url.startswith(ORIGIN)
            assert match(TABLE, fix.resulting_path) is not None
    identify(observed, TABLE)


def test_a_request_more_is_taken_in_within_a_moment() -> None:
    """The goal is 20 ms for one more among 200; the bound leaves room for a busy machine."""
    agent = "Kilo-Code/7.7.7"
    many = [seen("POST", f"/models/gemini-{number}:streamGenerateContent?alt=sse", agent) for number in range(200)]
    inferred(*many[:-1])
    start = time.perf_counter()
    found = inferred(*many)
    assert time.perf_counter() - start < 0.2
    assert (found.seen, base_urls(found)) == (200, [ORIGIN + "/v1beta"])
