"""The route table by version, held to the counts and changes that were read from the proxy's source."""

from __future__ import annotations

import pytest

from antigravity_doctor.knowledge.behaviour import behaviour_of, features, since
from antigravity_doctor.knowledge.routes import all_routes, allow_of, history, split_pattern, table_for
from antigravity_doctor.knowledge.versions import known_tags, known_versions

# The 13 epochs of facts/proxy-routes.json: first tag, last tag, tags, routes without /api.
EPOCHS = [
    ("v3.0.0", "v3.0.0", 1, 3),
    ("v3.0.2", "v3.1.1", 4, 4),
    ("v3.2.0-beta.1", "v3.2.9-test", 15, 9),
    ("v3.3.0", "v3.3.5", 6, 11),
    ("v3.3.6", "v3.3.7", 2, 13),
    ("v3.3.8", "v3.3.9", 2, 18),
    ("v3.3.10", "v3.3.15", 6, 19),
    ("v3.3.16", "v3.3.21", 6, 20),
    ("v3.3.22", "v3.3.50", 29, 21),
    ("v4.0.0", "v4.0.9", 10, 21),
    ("v4.0.10", "v4.2.9", 49, 23),
    ("v4.3.0", "v4.3.8", 9, 23),
    ("v4.3.9", "v4.5.8", 20, 25),
]


@pytest.mark.parametrize(("first", "last", "tags", "routes"), EPOCHS)
def test_every_tag_of_an_epoch_has_its_number_of_routes(first: str, last: str, tags: int, routes: int) -> None:
    names = known_tags()[known_tags().index(first) : known_tags().index(last) + 1]
    assert len(names) == tags
    for name in names:
        assert len([route for route in table_for(name).routes if not route.admin]) == routes


def test_the_first_version_serves_three_paths() -> None:
    assert sorted(table_for("3.0.0").static) == ["/healthz", "/v1/chat/completions", "/v1/models"]


@pytest.mark.parametrize(
    ("version", "path", "methods"),
    [
        ("3.2.9-test", "/v1/responses", None),
        ("3.3.0", "/v1/responses", ("POST",)),
        ("4.2.9", "/v1/responses", ("POST",)),
        ("4.3.0", "/v1/responses", ("POST", "GET")),
        ("3.3.50", "/healthz", ("GET",)),
        ("4.0.0", "/healthz", None),
        ("4.0.9", "/healthz", None),
        ("4.0.10", "/healthz", ("GET",)),
        ("4.0.9", "/health", None),
        ("4.0.10", "/health", ("GET",)),
        ("4.3.8", "/responses", None),
        ("4.3.9", "/responses", ("POST",)),
        ("4.3.9", "/responses/compact", ("POST",)),
        ("3.3.50", "/api/health", None),
        ("4.0.0", "/api/health", ("GET",)),
        ("3.3.8", "/mcp/web_reader/mcp", ("ANY",)),
        ("5.0.0", "/responses", ("POST",)),
    ],
)
def test_what_a_version_serves(version: str, path: str, methods: tuple[str, ...] | None) -> None:
    route = table_for(version).static.get(path)
    assert (route.methods if route else None) == methods


def test_no_version_given_means_the_newest() -> None:
    assert table_for(None) is table_for("4.5.8") is table_for("v9.0.0")


@pytest.mark.parametrize(
    ("path", "presence"),
    [
        ("/v1/chat/completions", (("v3.0.0", None),)),
        ("/healthz", (("v3.0.0", "v3.3.50"), ("v4.0.10", None))),
        ("/v1/responses", (("v3.3.0", None),)),  # its methods changed, it never went away
        ("/responses", (("v4.3.9", None),)),
    ],
)
def test_since_when_a_path_exists(path: str, presence: tuple[tuple[str, str | None], ...]) -> None:
    found = history(path)
    assert found is not None
    assert found.presence == presence
    assert (found.since, found.until) == (presence[0][0], presence[-1][1])


def test_a_history_keeps_the_methods_of_each_time() -> None:
    found = history("/v1/responses")
    assert found is not None
    assert [(span.since, span.until, span.methods) for span in found.spans] == [
        ("v3.3.0", "v4.2.9", ("POST",)),
        ("v4.3.0", None, ("POST", "GET")),
    ]


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/v1beta/models/gemini-x:generateContent", "/v1beta/models/:model"),
        ("/v1beta/models/:model", "/v1beta/models/:model"),
        ("/api/logs/clear", "/api/logs/clear"),
        ("/api/logs/17", "/api/logs/:logId"),
    ],
)
def test_a_history_is_found_by_a_concrete_path_too(path: str, pattern: str) -> None:
    found = history(path)
    assert found is not None
    assert found.path == pattern


@pytest.mark.parametrize("path", ["/v1/v1/models", "/v1beta/models/", "/v1beta/models/a/b", "/v1/models/", "", "/nope"])
def test_a_path_that_no_version_served_has_no_history(path: str) -> None:
    assert history(path) is None


def test_a_route_in_a_table_knows_the_time_it_belongs_to() -> None:
    assert (table_for("3.3.0").static["/healthz"].until, table_for("4.5.8").static["/healthz"].since) == (
        "v3.3.50",
        "v4.0.10",
    )


@pytest.mark.parametrize(
    ("methods", "allow"),
    [
        (("POST",), "POST"),
        (("GET",), "GET,HEAD"),
        (("GET", "POST"), "GET,HEAD,POST"),
        (("POST", "GET"), "POST,GET,HEAD"),
        (("ANY",), None),
    ],
)
def test_the_allow_header_is_spelled_as_axum_spells_it(methods: tuple[str, ...], allow: str | None) -> None:
    assert allow_of(methods) == allow


def test_mcp_routes_are_never_to_be_called() -> None:
    mcp = [route for route in table_for(None).routes if route.path.startswith("/mcp/")]
    assert len(mcp) == 3
    assert not any(route.probe for route in mcp)


def test_routes_of_the_admin_api_are_marked_and_known_to_be_incomplete() -> None:
    assert {route.path.startswith("/api/") for route in table_for(None).routes if route.admin} == {True}
    assert table_for(None).unlisted == ("/api/",)
    assert table_for("3.3.50").unlisted == ()


def test_a_pattern_has_one_parameter_that_fills_its_segment() -> None:
    for route in all_routes():
        prefix, name, suffix = split_pattern(route.path)
        assert ":" not in prefix + suffix
        assert bool(name) == prefix.endswith("/") == (":" in route.path)
        assert not suffix or suffix.startswith("/")


@pytest.mark.parametrize("name", sorted(features()))
def test_a_feature_changes_at_known_tags_and_its_spans_do_not_overlap(name: str) -> None:
    feature = features()[name]
    previous = -1
    for first, last, _value in feature.spans:
        begin = known_tags().index(first)
        end = len(known_tags()) if last is None else known_tags().index(last)
        assert previous < begin <= end
        previous = end
    assert feature.summary
    assert feature.source


def test_every_version_has_a_behaviour() -> None:
    assert {behaviour_of(version).body_limit for version in known_versions()} == {2 * 1024**2, 100 * 1024**2}


@pytest.mark.parametrize(
    ("feature", "tag"), [("cors", "v3.2.0-beta.1"), ("key_headers", "v3.3.8"), ("web_ui", "v4.0.0")]
)
def test_since_when_a_feature_exists(feature: str, tag: str) -> None:
    assert since(feature).tag == tag
