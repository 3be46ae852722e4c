"""Observations in, groups out: what is wrong, what is not, and what is nobody's fault."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antigravity_doctor.diagnosis.tallying import (
    KINDS,
    LogFile,
    Observation,
    Tally,
    blind_spots,
    clients_of,
    explained,
    tally,
)
from antigravity_doctor.knowledge.clients import find_client
from antigravity_doctor.knowledge.routes import table_for

ORIGIN = "http://127.0.0.1:8045"


def of(*observations: Observation, client: str | None = None, **more: str) -> Tally:
    who = find_client(client) if client else None
    return tally(observations, table=table_for(), origin=more.pop("origin", ORIGIN), client=who, **more)  # type: ignore[arg-type]


def seen(
    path: str,
    times: int = 1,
    status: int | None = 404,
    method: str | None = "POST",
    kind: str = "access-log",
    agents: tuple[tuple[str, int], ...] = (),
    first: float | None = None,
    last: float | None = None,
) -> Observation:
    return Observation(kind, method, path, status, times, first, last, agents)


def bins(found: Tally) -> dict[str, int]:
    names = ("wrong", "failed", "right", "harmless", "answered", "foreign")
    return {name: sum(each.times for each in getattr(found, name)) for name in names if getattr(found, name)}


@pytest.mark.parametrize(
    ("one", "where"),
    [
        (seen("/v1/v1/chat/completions"), "wrong"),
        (seen("/chat/completions"), "wrong"),
        (seen("/v1/embeddings"), "wrong"),
        (seen("/v1/chat/completions", method="GET", status=405), "wrong"),
        (seen("/v1/v1/messages", status=401), "wrong"),
        (seen("/v1/v1/messages", status=None, kind="proxy-log"), "wrong"),
        (seen("/v1/messages", status=200), "right"),
        (seen("/v1/messages", status=None, kind="proxy-log"), "right"),
        (seen("/v1/messages", status=401), "failed"),
        (seen("/v1/messages", status=429), "failed"),
        (seen("/favicon.ico", method="GET"), "harmless"),
        (seen("/robots.txt", method="GET"), "harmless"),
        (seen("/v1/v1/messages", method="OPTIONS", status=200), "harmless"),
        (Observation("proxy-log", "GET", "/logs", None, 1, admin=True), "harmless"),
        (seen("/wp-login.php", method="GET"), "foreign"),
        (seen("/index.html", method="GET"), "foreign"),
        (seen("/some/page", method="GET"), "foreign"),
        (seen("/chat/completions", status=200), "answered"),
        (seen("/models", method="GET", status=200), "answered"),
    ],
    ids=lambda each: f"{each.method} {each.path} {each.status}" if isinstance(each, Observation) else each,
)
def test_a_request_is_put_where_it_belongs(one: Observation, where: str) -> None:
    assert bins(of(one)) == {where: 1}


KEYED = "sk-abcdefghijklmno"


@pytest.mark.parametrize(
    "path",
    ["/v1/models/{}", "/v1/v1/models/{}", "/{}/v1/v1/messages", "/v1beta/models/{}:generateContent", "/v1/{}.html"],
)
@pytest.mark.parametrize("status", [404, 401, 200, None])
def test_a_key_in_a_path_is_judged_like_any_other_word_there(path: str, status: int | None) -> None:
    keyed, plain = of(seen(path.format(KEYED), status=status)), of(seen(path.format("gpt-four"), status=status))
    assert bins(keyed) == bins(plain)
    assert repr(keyed).replace("***", "gpt-four") == repr(plain)


def test_a_mask_that_was_requested_itself_is_a_stray_character() -> None:
    assert [each.code for each in of(seen("/v1/models/***", method="GET")).wrong] == ["AGD311"]


@pytest.mark.parametrize("path", ["/v1/models/{}/maskedkey", "/maskedkeyy/{}"])
def test_only_the_key_is_masked_whatever_words_stand_beside_it(path: str) -> None:
    shown = explained(path.format(KEYED), table=table_for())
    assert shown.path == path.format("***")


def test_groups_are_by_finding_and_by_what_to_set() -> None:
    found = of(seen("/v1/v1/messages", 3), seen("/v1/v1/chat/completions", 5), seen("/chat/completions", 20))
    assert [(each.code, each.times) for each in found.wrong] == [("AGD303", 20), ("AGD301", 8)]
    assert [each.path for each in found.wrong[1].requests] == ["/v1/v1/chat/completions", "/v1/v1/messages"]
    assert found.wrong[1].fixes[0].base_url == ORIGIN


def test_fixes_are_for_the_origin_that_is_given() -> None:
    found = of(seen("/v1/v1/messages"), origin="http://10.0.0.9:9000")
    assert found.wrong[0].fixes[0].base_url == "http://10.0.0.9:9000"


def test_a_user_agent_that_names_one_client_makes_the_fix_exact() -> None:
    agents = (("claude-cli/2.1.197 (external, cli)", 4),)
    (group,) = of(seen("/v1/v1/messages", 4, agents=agents)).wrong
    assert group.client is not None
    assert group.client.id == "claude-code"
    assert {client for fix in group.fixes for client in fix.clients} <= {"claude-code"}


def test_a_second_agent_that_is_unknown_makes_it_a_guess_again() -> None:
    agents = (("claude-cli/2.1.197 (external, cli)", 4), ("something/1.0", 1))
    (group,) = of(seen("/v1/v1/messages", 5, agents=agents)).wrong
    assert group.client is None


SDK = (("OpenAI/Python 1.99.0", 1),)


def test_a_user_agent_of_many_clients_limits_the_answer_to_what_these_append() -> None:
    (group,) = of(seen("/v1/v1/chat/completions", agents=SDK)).wrong
    assert group.client is None
    assert {client for fix in group.fixes for client in fix.clients} <= {each.id for each in clients_of(SDK)}
    assert not any(fix.clients == () for fix in group.fixes)


def test_what_most_clients_of_a_user_agent_append_comes_first() -> None:
    (group,) = of(seen("/v1/v1/chat/completions", agents=SDK)).wrong
    assert (group.fixes[0].base_url, group.fixes[0].appends) == (ORIGIN + "/v1", "/chat/completions")
    (unsaid,) = of(seen("/v1/v1/chat/completions")).wrong
    assert unsaid.fixes[0].base_url == ORIGIN


def test_what_is_believed_of_all_answers_stays_the_same() -> None:
    asked = {"table": table_for(), "method": "POST"}
    some = explained("/v1/v1/chat/completions", clients=clients_of(SDK), **asked)
    every = explained("/v1/v1/chat/completions", **asked)
    assert sum(each.confidence for each in some.fixes) == pytest.approx(
        sum(each.confidence for each in every.fixes), abs=0.03
    )


def test_agents_of_different_clients_allow_what_either_appends() -> None:
    agents = (*SDK, ("claude-cli/2.1.197 (external, cli)", 1))
    assert {each.id for each in clients_of(agents)} == {each.id for each in clients_of(SDK)} | {"claude-code"}
    (group,) = of(seen("/v1/v1/messages", agents=agents)).wrong
    assert "claude-code" in group.fixes[0].clients


def test_agents_that_append_nothing_like_it_narrow_nothing() -> None:
    path = "/v1/v1/messages/count_tokens"
    sent, unsaid = of(seen(path, agents=SDK)), of(seen(path))
    assert sent.wrong[0].fixes == unsaid.wrong[0].fixes


def test_what_an_agent_settles_is_no_advice_for_requests_of_others() -> None:
    found = of(seen("/v1/v1/chat/completions", 5, agents=SDK), seen("/v1/v1/completions", 3))
    assert [each.times for each in found.wrong] == [5, 3]


def test_an_explanation_is_narrowed_in_the_same_way() -> None:
    shown = explained("/v1/v1/chat/completions", table=table_for(), method="POST", clients=clients_of(SDK))
    assert shown.fixes[0].appends == "/chat/completions"


def test_the_client_that_the_user_names_is_believed() -> None:
    (group,) = of(seen("/v1/v1/messages"), client="claude-code").wrong
    assert group.client is not None
    assert group.client.id == "claude-code"


# --- several views of the same traffic ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("views", "times", "statuses"),
    [
        ({"proxy-log": 7}, 7, {None: 7}),
        ({"proxy-log": 7, "monitor": 5}, 7, {None: 7}),
        ({"proxy-log": 7, "monitor": 5, "database": 5}, 7, {404: 5, None: 2}),
        ({"proxy-log": 3, "database": 9}, 9, {404: 9}),
        ({"proxy-log": 4, "access-log": 4}, 4, {404: 4}),
        ({"proxy-log": 4, "monitor": 4, "span": 4}, 4, {404: 4}),
        ({"span": 4, "access-log": 4}, 4, {404: 4}),
    ],
)
def test_the_same_request_in_several_sources_is_counted_once(
    views: dict[str, int], times: int, statuses: dict[int | None, int]
) -> None:
    every = [
        seen("/v1/v1/messages", count, 404 if kind in ("database", "access-log", "span") else None, kind=kind)
        for kind, count in views.items()
    ]
    (group,) = of(*every).wrong
    assert group.times == times
    assert dict(group.requests[0].statuses) == statuses
    assert set(group.requests[0].kinds) == {"proxy-log" if kind == "span" else kind for kind in views}


def test_what_several_files_of_one_kind_say_is_added() -> None:
    found = of(seen("/v1/v1/messages", 2, first=5.0, last=6.0), seen("/v1/v1/messages", 3, first=1.0, last=2.0))
    (group,) = found.wrong
    assert (group.times, group.first, group.last) == (5, 1.0, 6.0)


def test_each_status_has_a_span_of_its_own() -> None:
    found = of(seen("/v1/messages", 2, 401, first=1.0, last=2.0), seen("/v1/messages", 2, 200, first=8.0, last=9.0))
    assert (found.failed[0].first, found.failed[0].last) == (1.0, 2.0)
    assert (found.right[0].first, found.right[0].last) == (8.0, 9.0)


# --- shapes ----------------------------------------------------------------------------------------------------------


def test_models_and_ids_are_no_different_requests() -> None:
    models = [seen(f"/v1/v1beta/models/model-{number}:generateContent") for number in range(50)]
    (group,) = of(*models).wrong
    (request,) = group.requests
    assert (request.path, request.times, request.variants) == (
        "/v1/v1beta/models/{model}:generateContent",
        50,
        50,
    )


def test_one_model_alone_is_named() -> None:
    (group,) = of(seen("/v1/v1beta/models/gemini-2.5-pro:generateContent")).wrong
    assert group.requests[0].path == "/v1/v1beta/models/gemini-2.5-pro:generateContent"


def test_keys_are_masked_in_paths_and_agents() -> None:
    key = "sk-planted0123456789abcdef"
    found = of(seen(f"/{key}/v1/messages", agents=((f"x key={key}", 1),)))
    assert key not in repr(found)


OWN = "MyVery-own_secret"


@pytest.mark.parametrize(
    "path", ["/v1/models/{}", "/{}/v1/messages", "/v1/v1/messages", "/v1beta/models/{}:countTokens"]
)
def test_a_key_that_is_known_is_masked_whatever_it_looks_like(path: str) -> None:
    one = seen(path.format(OWN), agents=((f"node {OWN}", 1),))
    assert OWN in repr(of(one))
    known = tally([one], table=table_for(), origin=ORIGIN, keys=(OWN,))
    assert OWN not in repr(known)
    assert bins(known) == bins(of(seen(path.format("gpt-four"))))


# --- severity --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "errors"),
    [
        (seen("/v1/v1/messages", 3), 3),
        (seen("/v1/messages", 3, 401), 3),
        (seen("/v1/messages", 3, 403), 3),
        (seen("/v1/messages", 3, 429), 0),
        (seen("/v1/messages", 3, 500), 0),
        (seen("/v1/messages", 3, 400), 0),
        (seen("/v1/messages", 3, 200), 0),
        (seen("/wp-login.php", 3), 0),
    ],
    ids=lambda each: f"{each.path} {each.status}" if isinstance(each, Observation) else None,
)
def test_only_what_a_setting_can_mend_is_an_error(one: Observation, errors: int) -> None:
    assert of(one).errors == errors


@pytest.mark.parametrize("status", [401, 403])
def test_a_401_neither_clears_nor_blames_a_path(status: int) -> None:
    wrong, right = of(seen("/v1/v1/messages", status=status)), of(seen("/v1/messages", status=status))
    assert wrong.wrong[0].code == "AGD301"
    assert right.failed[0].code in ("AGD201", "AGD202")


# --- all of it -------------------------------------------------------------------------------------------------------

PATHS = st.sampled_from(
    [
        "/v1/v1/messages",
        "/v1/messages",
        "/chat/completions",
        "/",
        "/favicon.ico",
        "/x.php",
        "/v1/messages/",
        "//v1/models",
    ]
) | st.text(max_size=60).map(lambda text: "/" + text)
OBSERVATIONS = st.builds(
    Observation,
    kind=st.sampled_from(KINDS),
    method=st.sampled_from(["GET", "POST", "OPTIONS", None, "BREW"]),
    path=PATHS,
    status=st.sampled_from([None, 200, 304, 401, 403, 404, 405, 429, 500]),
    times=st.integers(1, 50),
    first=st.just(1.0),
    last=st.just(2.0),
    agents=st.just(()),
    admin=st.just(False),
)


@given(st.lists(OBSERVATIONS, max_size=25))
def test_every_request_is_counted_in_one_place(every: list[Observation]) -> None:
    found = of(*every)
    views: dict[tuple[str | None, str], dict[str, int]] = {}
    for each in every:
        kinds = views.setdefault((each.method, each.path), {})
        kinds[each.kind] = kinds.get(each.kind, 0) + each.times
    assert found.total == sum(max(kinds.values()) for kinds in views.values())


def test_requests_that_were_not_looked_at_are_part_of_the_total() -> None:
    assert tally([], table=table_for(), origin=ORIGIN, others=7).total == 7


# --- what is not shown ----------------------------------------------------------------------------------------------


def spots(*formats: str) -> tuple[str, ...]:
    return blind_spots([LogFile("x", each, 1, 1, None, None) for each in formats])


def test_the_proxys_log_shows_no_preflight_no_503_and_nothing_of_the_web_ui() -> None:
    assert {"options", "503", "web-ui", "status", "client"} <= set(spots("proxy"))


def test_the_database_leaves_out_refused_keys_unless_the_log_has_them() -> None:
    assert "database-keys" in spots("database")
    assert "database-keys" not in spots("database", "proxy")


def test_what_another_source_shows_is_no_blind_spot() -> None:
    assert "status" not in spots("proxy", "database")
    assert "client" not in spots("proxy", "combined")


@pytest.mark.parametrize("format_", ["proxy", "database", "combined", "gin", "caddy", "quoted", "text"])
def test_no_source_shows_what_went_elsewhere(format_: str) -> None:
    assert spots(format_)[-1] == "elsewhere"
    assert len(spots(format_)) > 1
