"""What a path is made of."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antigravity_doctor.diagnosis.anatomy import MAX_LENGTH, MAX_SEGMENTS, dissect
from antigravity_doctor.knowledge.routes import table_for

TABLE = table_for(None)


@pytest.mark.parametrize(
    ("path", "kinds", "endpoint"),
    [
        ("/v1/chat/completions", "ve", "/chat/completions"),
        ("/v1/v1/chat/completions", "vve", "/chat/completions"),
        ("/v1/chat/completions/responses", "vee", "/responses"),
        ("/v1/messages/v1/messages", "veve", "/messages"),
        ("/v1/messages/count_tokens", "ve", "/messages/count_tokens"),
        ("/openai/v1/models", "ove", "/models"),
        ("/api/paas/v4/chat/completions", "oove", "/chat/completions"),
        ("/v1beta/models/gemini:generateContent", "ve", "/models/gemini:generateContent"),
        ("/v1beta/models/models/gemini:generateContent", "vee", "/models/gemini:generateContent"),
        ("/v1beta/models/v1beta/models/x", "veve", "/models/x"),
        ("/v1beta/models/google/gemini:generateContent", "veo", ""),
        ("/v1/models/chat/completions", "vee", "/chat/completions"),
        ("/v1/http:/h:80/v1/models", "vuuve", "/models"),
        ("/127.0.0.1:8045/v1/models", "uve", "/models"),
        ("/localhost/v1/models", "uve", "/models"),
        ("/example.org:8080/models", "ue", "/models"),
        ("/v1.5/models", "oe", "/models"),
        ("/v1", "v", ""),
        ("/", "", ""),
        ("/x/y", "oo", ""),
        ("/healthz", "e", "/healthz"),
        ("/v1/embeddings", "ve", "/embeddings"),
        ("/v1/responses/resp_1", "ve", "/responses/resp_1"),
        ("/v1/chat", "vo", ""),
    ],
)
def test_the_parts_of_a_path(path: str, kinds: str, endpoint: str) -> None:
    found = dissect(path, TABLE)
    assert (found.kinds, found.endpoint) == (kinds, endpoint)
    assert "".join(part.kind[0] for part in found.parts) == kinds


@pytest.mark.parametrize(
    ("path", "faults", "canonical"),
    [
        ("/v1/models", (), "/v1/models"),
        ("//v1/models", ("double-slash",), "/v1/models"),
        ("/v1//models", ("double-slash",), "/v1/models"),
        ("/v1/models/", ("trailing-slash",), "/v1/models"),
        ("/v1/models//", ("trailing-slash",), "/v1/models"),
        ("/V1/models", ("case",), "/v1/models"),
        ("/v1/Chat/Completions", ("case",), "/v1/chat/completions"),
        ("/v1/%6dodels", ("escape",), "/v1/models"),
        ("/v1%2fmodels", ("escape",), "/v1/models"),
        ("/v1/%E4%B8%AD", ("escape",), "/v1/中"),
        ("/v1/%FF", ("escape",), "/v1/�"),
        ("/v1/models%20", ("stray",), "/v1/models"),
        ("/v1/models ", ("stray",), "/v1/models"),
        ("/v1/models/%20", ("stray",), "/v1/models"),
        ("/v1/ /models", ("stray",), "/v1/models"),
        ("/“v1/models”", ("stray",), "/v1/models"),
        ("/v1/models.", ("stray",), "/v1/models"),
        ("/v1/models:", ("stray",), "/v1/models"),
        ("/v1/models。", ("stray",), "/v1/models"),
        ("/V1//Models/", ("trailing-slash", "double-slash", "case"), "/v1/models"),
        ("/v1/gpt-4.1", (), "/v1/gpt-4.1"),
        ("/X/Y", (), "/X/Y"),
    ],
)
def test_what_a_strict_router_trips_over(path: str, faults: tuple[str, ...], canonical: str) -> None:
    found = dissect(path, TABLE)
    assert set(found.faults) == set(faults)
    assert found.canonical == canonical


def test_what_stands_in_front_of_the_first_and_the_last_endpoint() -> None:
    found = dissect("/openai/v1/chat/completions/responses", TABLE)
    assert found.front == "/openai/v1"
    assert found.prefix == "/openai/v1/chat/completions"
    assert dissect("/x/y", TABLE).front == dissect("/x/y", TABLE).prefix == "/x/y"


@pytest.mark.parametrize("path", ["/x" * (MAX_SEGMENTS + 1), "/" + "x" * MAX_LENGTH])
def test_an_oversized_path_is_not_taken_apart(path: str) -> None:
    assert dissect(path, TABLE).kinds == "o"
    assert dissect(path, TABLE).canonical == path


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_any_path_can_be_taken_apart(path: str) -> None:
    found = dissect("/" + path, TABLE)
    assert found.canonical.endswith(found.endpoint)
    assert found.canonical == ("".join(part.text for part in found.parts) or "/")


@pytest.mark.parametrize("path", sorted(route for route in TABLE.static if not TABLE.static[route].admin))
def test_every_route_ends_in_its_own_endpoint_without_faults(path: str) -> None:
    found = dissect(path, TABLE)
    assert found.endpoint
    assert path.endswith(found.endpoint)
    assert found.faults == ()
