"""What a client's user has to type, solved and proved."""

from __future__ import annotations

import pytest

from antigravity_doctor.diagnosis.recommending import KEY_PLACEHOLDER, Recommendation, fixes_for, recommend
from antigravity_doctor.knowledge.clients import all_clients, find_client
from antigravity_doctor.knowledge.routes import table_for
from antigravity_doctor.knowledge.texts import finding_text

TABLE = table_for(None)
ORIGIN = "http://192.168.1.20:9000"


def first(client: str, protocol: str | None = None) -> Recommendation:
    return recommend(find_client(client), TABLE, ORIGIN, protocol)[0]


@pytest.mark.parametrize(
    ("client", "protocol", "base"),
    [
        ("openai-python", None, "/v1"),
        ("openai-node", None, "/v1"),
        ("anthropic-python", None, ""),
        ("google-genai-python", None, ""),
        ("google-generativeai", None, ""),
        ("claude-code", None, ""),
        ("codex", None, "/v1"),
        ("gemini-cli", None, ""),
        ("kilo-code", None, "/v1beta"),
        ("kilo-code", "openai", "/v1"),
        ("opencode", None, "/v1"),
        ("opencode", "gemini", "/v1beta"),
        ("droid", "anthropic", ""),
        ("droid", "openai", "/v1"),
        ("nextchat", None, ""),
        ("cline", None, "/v1"),
        ("continue", None, "/v1"),
        ("cursor", None, "/v1"),
    ],
)
def test_the_first_answer_for_a_client(client: str, protocol: str | None, base: str) -> None:
    assert first(client, protocol).base_url == ORIGIN + base


def test_kilo_code_is_sent_to_the_gemini_provider_as_the_readme_of_the_proxy_does() -> None:
    current, *others = recommend(find_client("kilo-code"), TABLE, ORIGIN)
    assert (current.mode.protocol, current.base_url) == ("gemini", ORIGIN + "/v1beta")
    older = next(each for each in others if each.mode.name == current.mode.name)
    assert (older.mode.versions, older.base_url) == ((None, "7.0.0"), ORIGIN)


def test_what_holds_for_current_versions_comes_before_what_held_for_older_ones() -> None:
    found = [each.mode.versions[1] is None for each in recommend(find_client("kilo-code"), TABLE, ORIGIN)]
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("client", all_clients(), ids=lambda client: client.id)
def test_what_works_comes_before_what_does_not_and_the_preferred_mode_first(client: object) -> None:
    found = recommend(next(each for each in all_clients() if each is client), TABLE, ORIGIN)
    works = [each.finding is None for each in found]
    assert works == sorted(works, reverse=True)
    assert found[0].mode.preferred


def test_only_one_protocol_if_asked() -> None:
    assert {each.mode.protocol for each in recommend(find_client("cline"), TABLE, ORIGIN, "gemini")} == {"gemini"}
    assert recommend(find_client("codex"), TABLE, ORIGIN, "gemini") == ()


@pytest.mark.parametrize("mode", ["gemini-no-version", "vertex-key", "vertex-project"])
def test_a_mode_that_no_base_url_helps_says_so(mode: str) -> None:
    found = next(each for each in recommend(find_client("google-genai-python"), TABLE, ORIGIN) if each.mode.id == mode)
    assert (found.base_url, found.settings, found.proof) == ("", (), None)
    assert found.finding is not None
    assert found.finding.code == "AGD410"
    said = finding_text("AGD410", "summary", found.finding.facts)
    assert found.mode.name in said
    assert find_client("google-genai-python").name in said


def test_a_mode_that_works_has_no_finding() -> None:
    assert first("google-genai-python").finding is None


@pytest.mark.parametrize("client", all_clients(), ids=lambda client: client.id)
def test_every_placeholder_of_ours_is_filled_and_the_key_never_is(client: object) -> None:
    for each in recommend(next(one for one in all_clients() if one is client), TABLE, ORIGIN):
        shown = [one.value for one in (*each.settings, *each.also, *each.key)] + [each.snippet or ""]
        for text in shown:
            assert "{base_url}" not in text
            assert "{key}" not in text
            assert "{model}" not in text
        if each.finding is None:
            assert each.base_url in " ".join(one.value for one in each.settings) or not each.settings
            assert all(KEY_PLACEHOLDER in one.value or one.value for one in each.key)


def test_braces_that_are_not_ours_stay() -> None:
    snippet = first("opencode").snippet
    assert snippet is not None
    assert snippet.count("{") == snippet.count("}") > 1


def test_the_proof_holds_the_requests_with_this_base_url() -> None:
    proof = first("claude-code").proof
    assert proof is not None
    assert proof.works
    assert proof.requests[0].url.startswith(ORIGIN + "/v1/messages")


def test_the_fix_for_a_mode_whose_base_url_is_known_is_certain() -> None:
    mode = find_client("claude-code").modes[0]
    (fix,) = fixes_for(mode, TABLE, ORIGIN, "http://h/v1")
    assert (fix.base_url, fix.confidence, fix.configured_base_url) == (ORIGIN, 1.0, "http://h/v1")
    assert (fix.appends, fix.resulting_path, fix.route) == ("/v1/messages", "/v1/messages", "/v1/messages")


def test_a_mode_that_no_base_url_helps_has_no_fix() -> None:
    mode = next(each for each in find_client("google-genai-python").modes if each.id == "gemini-no-version")
    assert fixes_for(mode, TABLE, ORIGIN, ORIGIN) == ()
