"""The rules of `find_requests`: what is merged, attached, masked, limited; speed classes; and that it never raises."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from antigravity_doctor.sources.pasted_text import (
    FoundRequest,
    find_requests,
    is_bare_path,
    iter_requests,
    mask_secrets,
    strip_terminal_controls,
    symptoms_in,
)


def one(text: str) -> FoundRequest:
    (request,) = find_requests(text)
    return request


# --- the fast path ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "/v1/v1/chat/completions",
        "v1/chat/completions",
        "POST /v1/x",
        "POST http://host:8045/v1/x",
        "404 /v1/x",
        "127.0.0.1:8045/v1/v1/models",
        "localhost:8045/v1",
        "http://127.0.0.1:8045",
        "https://user:pw@host/v1/x",
        "api.example.com/v1/chat/completions",
        "/v1beta/models/x:generateContent?alt=sse",
        "/opt/v1/chat/completions",
        "/foo",
        "/",
    ],
)
def test_a_bare_path_or_url_is_taken_as_it_is(text: str) -> None:
    assert is_bare_path(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "hello",
        "v4.5.8",
        "and/or",
        "application/json",
        "openai/gpt-4o",
        "2026/01/01",
        "12:30/x",
        "/usr/lib/python3/x.py",
        "C:\\Users\\me",
        "https://github.com/a/b",
        "/v1/x.",
        "/v1/x)",
        '"/v1/x"',
        "/v1/x不存在",
        "/v1/a,/v1/b",
        "/v1/x?a=1&amp;b=2",
        "POST GET /v1/x",
        "see /v1/x now please",
        "/v1/x\n/v1/y",
    ],
)
def test_anything_else_is_looked_at_closer(text: str) -> None:
    assert not is_bare_path(text)


# --- fields -------------------------------------------------------------------------------------------------------


def test_the_url_is_the_origin_without_credentials() -> None:
    request = one("http://user:s3cret@127.0.0.1:8045/v1/models")
    assert (request.url, request.host, request.path) == ("http://127.0.0.1:8045", "127.0.0.1:8045", "/v1/models")
    assert "s3cret" not in request.input


def test_a_password_with_a_slash_does_not_become_a_path() -> None:
    request = one("http://user:pa/ss@127.0.0.1:8045/v1/models")
    assert (request.url, request.path) == ("http://127.0.0.1:8045", "/v1/models")


def test_an_address_without_scheme_gives_a_host_but_no_url() -> None:
    request = one("127.0.0.1:8045/v1/v1/models")
    assert (request.url, request.host) == (None, "127.0.0.1:8045")


def test_an_ipv6_address_is_kept_in_brackets() -> None:
    request = one("GET http://[::1]:8045/v1/v1/models failed")
    assert (request.url, request.host, request.path) == ("http://[::1]:8045", "[::1]:8045", "/v1/v1/models")


def test_a_query_that_is_empty_is_not_the_same_as_none() -> None:
    assert one('"GET /v1/models? HTTP/1.1" 200 1').query == ""
    assert one('"GET /v1/models HTTP/1.1" 200 1').query is None


def test_an_allow_header_in_a_sentence_is_a_header_and_no_method() -> None:
    request = one("/v1/v1/messages: 405 Method Not Allowed, Allow: GET, HEAD")
    assert (request.method, request.status, request.headers) == (None, 405, (("allow", "GET,HEAD"),))


@pytest.mark.parametrize(
    ("text", "hinted"),
    [
        ("/v1beta/models?key=abc", True),
        ("/v1/models?x=1&api_key=abc", True),
        ("/openai/deployments/x?api-key=abc", True),
        ("/v1/models?monkey=1", False),
        ("/v1/models?keys=1", False),
    ],
)
def test_a_key_in_the_query_is_hinted_at(text: str, hinted: bool) -> None:
    assert (("x-key-in-query", "yes") in one(text).headers) is hinted


# --- masking ------------------------------------------------------------------------------------------------------

SECRETS = [
    "POST /v1beta/models/x:generateContent?key=PLANTED01&alt=sse",
    "GET /v1/models?api_key=PLANTED01 404",
    "GET /v1/models?a=1&access_token=PLANTED01 404",
    "curl http://127.0.0.1:8045/v1/models -H 'Authorization: Bearer PLANTED01'",
    "curl http://127.0.0.1:8045/v1/models -H 'Authorization: PLANTED01'",
    "curl http://127.0.0.1:8045/v1/models -H 'x-api-key:PLANTED01'",
    "curl http://127.0.0.1:8045/v1/models -H 'x-goog-api-key: PLANTED01'",
    "curl -u me:PLANTED01 http://127.0.0.1:8045/v1/models",
    "curl http://me:PLANTED01@127.0.0.1:8045/v1/models",
    "GET /v1/models with sk-PLANTED01 fails",
    "GET /v1/models with AIzaPLANTED01 fails",
    '{"method":"GET","url":"/v1/models","headers":{"X-Api-Key":["PLANTED01"]}}',
    '{"method":"GET","url":"/v1/models","headers":[{"name":"x-api-key","value":"PLANTED01"}]}',
    '{"method":"GET","url":"/v1/models?key=PLANTED01","api_key":"PLANTED01"}',
    "setx ANTHROPIC_AUTH_TOKEN PLANTED01 and then GET /v1/models",
    "OPENAI_API_KEY=PLANTED01 GET /v1/models 404",
    "我的API密钥是PLANTED01PLANTED01，GET /v1/models 404",
    "http%3A%2F%2F127.0.0.1%3A8045%2Fv1%2Fmodels%3Fkey%3DPLANTED01",
    "x" * 400 + " GET /v1/models?key=PLANTED01 " + "y" * 400,
    "x" * 250 + " GET /v1/models?key=" + "PLANTED01" * 100,
]


@pytest.mark.parametrize("text", SECRETS)
def test_no_secret_is_left_in_the_excerpt(text: str) -> None:
    request = one(text)
    assert "PLANTED01" not in request.input
    assert "***" in request.input


def test_a_key_that_an_error_repeats_is_masked_in_the_body() -> None:
    request = one('POST /v1/chat/completions 401\n{"error":{"message":"Incorrect API key provided: sk-PLANTED01"}}')
    assert request.body == '{"error":{"message":"Incorrect API key provided: ***"}}'


def test_masking_leaves_a_text_without_secrets_alone() -> None:
    text = "POST http://127.0.0.1:8045/v1/v1/chat/completions?alt=sse&beta=true 404, max_tokens: 5, monkey=3"
    assert mask_secrets(text) == text


def test_the_excerpt_is_at_most_300_characters_and_begins_at_the_request() -> None:
    request = one("lorem ipsum " * 100 + "POST /v1/v1/messages 404 " + "dolor sit " * 100)
    assert len(request.input) == 300
    assert request.input.startswith("POST /v1/v1/messages 404")


def test_a_body_is_cut_at_2000_characters() -> None:
    request = one('POST /v1/x 404\n{"error":"' + "e" * 5000 + '"}')
    assert request.body is not None
    assert len(request.body) == 2000


# --- several requests ---------------------------------------------------------------------------------------------


def test_equal_requests_are_given_once_in_the_order_of_their_first_mention() -> None:
    text = "POST /v1/a 404\nPOST /v1/b 404\nPOST /v1/a 404\nPOST /v1/a 405\n"
    assert [(item.path, item.status) for item in find_requests(text)] == [
        ("/v1/a", 404),
        ("/v1/b", 404),
        ("/v1/a", 405),
    ]


def test_two_mentions_of_one_request_make_one_that_knows_what_both_say() -> None:
    text = "The path is /v1/v1/models.\nI see GET /v1/models 200 too.\nGET http://127.0.0.1:8045/v1/v1/models → 404"
    first, second = find_requests(text)
    assert (first.method, first.url, first.path, first.status) == ("GET", "http://127.0.0.1:8045", "/v1/v1/models", 404)
    assert (second.path, second.status) == ("/v1/models", 200)


def test_the_same_path_on_two_hosts_is_two_requests() -> None:
    text = "GET http://127.0.0.1:8045/v1/models 404\nGET http://127.0.0.1:8046/v1/models 404"
    assert [item.url for item in find_requests(text)] == ["http://127.0.0.1:8045", "http://127.0.0.1:8046"]


@pytest.mark.parametrize(
    ("limit", "paths"), [(0, []), (1, ["/v1/a"]), (2, ["/v1/a", "/v1/b"]), (9, ["/v1/a", "/v1/b", "/v1/c"])]
)
def test_the_limit_keeps_the_first(limit: int, paths: list[str]) -> None:
    assert [item.path for item in find_requests("GET /v1/a\nGET /v1/b\nGET /v1/c", limit=limit)] == paths


def test_the_limit_does_not_cut_off_what_follows_the_last_request() -> None:
    assert find_requests("GET /v1/a\nHTTP/1.1 404 Not Found\nGET /v1/b", limit=1)[0].status == 404


# --- what belongs to what -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("POST /v1/x\n404", 404),
        ("404\nPOST /v1/x", 404),
        ("Error code: 405\n\nurl: http://127.0.0.1:8045/v1/x/y", 405),
        ("POST /v1/x\nopenai.NotFoundError: Error code: 404", 404),
        ("POST /v1/x\n  max_tokens: 404,\n", None),
        ("POST /v1/x\n  content-length: 404\n", None),
        ('POST /v1/x\n  File "/home/u/x.py", line 404, in y\n', None),
        ("POST /v1/x\n    at f (/app/x.js:404:1)\n", None),
        ("POST /v1/x" + "\nfiller" * 60 + "\nError code: 404", None),
        ("Error code: 404" + "\nfiller" * 20 + "\nPOST /v1/x", None),
    ],
)
def test_a_status_on_another_line_is_attached_if_it_is_near(text: str, status: int | None) -> None:
    assert one(text).status == status


def test_a_status_between_two_requests_belongs_to_the_one_before_it() -> None:
    found = find_requests("POST /v1/a\nHTTP/1.1 404 Not Found\n\nGET /v1/b\nHTTP/1.1 200 OK\n")
    assert [(item.path, item.status) for item in found] == [("/v1/a", 404), ("/v1/b", 200)]


def test_a_line_of_the_proxy_log_does_not_take_the_status_of_other_log_lines() -> None:
    text = (
        "2026-02-04T10:15:30.1+08:00  INFO Request: POST /v1/messages\n"
        "2026-02-04T10:15:31.1+08:00  WARN upstream: account x got status 429, rotating\n"
    )
    assert one(text).status is None


def test_a_page_is_a_request_only_if_there_is_nothing_better() -> None:
    page = "see https://docs.example.com/api/v1/models for the error"
    assert [item.path for item in find_requests(page)] == ["/api/v1/models"]
    assert [item.path for item in find_requests(page + "\nit asks for /v1/v1/models")] == ["/v1/v1/models"]


def test_a_command_whose_quote_is_never_closed_swallows_nothing() -> None:
    text = "curl http://127.0.0.1:8045/v1/a -d '{\nsome text\nPOST /v1/v1/b 404\n"
    assert [(item.method, item.path) for item in find_requests(text)] == [("POST", "/v1/a"), ("POST", "/v1/v1/b")]


def test_an_object_that_is_never_closed_swallows_nothing() -> None:
    text = '{\n  "a": [\n' + "POST /v1/v1/b 404\n" * 3
    assert [item.path for item in find_requests(text)] == ["/v1/v1/b"]


def test_a_list_of_urls_is_not_joined_to_one() -> None:
    text = "http://127.0.0.1:8045/v1/chat\nhttp://127.0.0.1:8045/v1/models\nresponses are empty"
    assert [item.path for item in find_requests(text)] == ["/v1/chat", "/v1/models"]


@pytest.mark.parametrize("first_base", [True, False], ids=["base-first", "base-last"])
def test_a_dump_that_prints_base_and_path_apart_is_joined_as_axios_joins_them(first_base: bool) -> None:
    lines = ["    baseURL: 'http://127.0.0.1:8045/v1/',", "    url: '/v1/messages',"]
    text = "\n".join(["config: {", *(lines if first_base else reversed(lines)), "    method: 'post'", "}"])
    assert [(item.method, item.path) for item in find_requests(text)] == [("POST", "/v1/v1/messages")]


def test_the_type_of_an_answer_in_a_dump_is_a_header() -> None:
    text = (
        "url: 'http://127.0.0.1:8045/v1/v1/models',\nstatusCode: 200,\n"
        "responseHeaders: {\n  'content-type': 'text/html',\n  allow: 'GET,HEAD',\n}"
    )
    assert one(text).headers == (("content-type", "text/html"), ("allow", "GET,HEAD"))


def test_the_type_of_a_request_in_a_dump_is_not() -> None:
    assert one("url: 'http://127.0.0.1:8045/v1/v1/models',\nheaders: {\n  'Content-Type': 'text/html'\n").headers == ()


def test_the_body_of_an_answer_ends_at_two_blank_lines() -> None:
    text = "GET /v1/x HTTP/1.1\n\nHTTP/1.1 404 Not Found\n\nnothing here\n\n\nThis is what I did.\n"
    assert one(text).body == "nothing here"


def test_the_body_of_an_answer_ends_at_the_next_command() -> None:
    text = (
        "$ curl -i http://h:1/v1/x/a\nHTTP/1.1 404 Not Found\n\nnot here\n"
        "$ curl -i http://h:1/v1/x/b\nHTTP/1.1 200 OK\n\nhere\n"
    )
    assert [(item.path, item.status, item.body) for item in find_requests(text)] == [
        ("/v1/x/a", 404, "not here"),
        ("/v1/x/b", 200, "here"),
    ]


def test_a_path_in_the_body_of_an_answer_is_no_second_request() -> None:
    text = "GET /v1/v1/x HTTP/1.1\n\nHTTP/1.1 404 Not Found\n\n<p>Try /v1/models or /v1/messages</p>\n"
    assert [item.path for item in find_requests(text)] == ["/v1/v1/x"]


def test_a_redirected_transcript_keeps_the_first_answer() -> None:
    text = (
        "> GET /v1/x HTTP/1.1\n>\n< HTTP/1.1 308 Permanent Redirect\n< location: /v1/x/\n<\n< HTTP/1.1 404 Not Found\n"
    )
    assert one(text).status == 308


def test_the_host_option_of_curl_is_the_host() -> None:
    assert one("curl -H 'Host: ai.lan' http://127.0.0.1:8045/v1/v1/models").host == "ai.lan"


def test_a_short_address_of_httpie_means_this_machine() -> None:
    assert one("http :8045/v1/v1/models").host == "localhost:8045"


# --- streaming ----------------------------------------------------------------------------------------------------


def test_requests_are_handed_out_while_the_stream_goes_on() -> None:
    endless = (f"POST /v1/v1/{number} 404\n" for number in itertools.count())
    assert [item.path for item in itertools.islice(iter_requests(endless), 3)] == ["/v1/v1/0", "/v1/v1/1", "/v1/v1/2"]


def test_a_stream_with_line_ends_and_one_without_are_the_same() -> None:
    lines = ["POST /v1/v1/a HTTP/1.1", "Host: h:1", "", "HTTP/1.1 404 Not Found", "allow: GET,HEAD", ""]
    plain = list(iter_requests(lines))
    assert plain == list(iter_requests(f"{line}\r\n" for line in lines))
    assert plain[0].headers == (("allow", "GET,HEAD"),)


def test_a_line_of_the_stream_that_holds_several_lines_is_read_as_several() -> None:
    assert [item.path for item in iter_requests(["GET /v1/a 404\rGET /v1/b 404\r\n"])] == ["/v1/a", "/v1/b"]


def test_what_is_remembered_of_a_stream_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("antigravity_doctor.sources.text_stream._REMEMBERED", 2)
    lines = ["GET /v1/a 404", "GET /v1/b 404", "GET /v1/a 404", "GET /v1/c 404", "GET /v1/d 404", "GET /v1/a 404"]
    assert [item.path[-1] for item in iter_requests(lines)] == ["a", "b", "c", "d", "a"]


def test_many_repeated_lines_are_one_request() -> None:
    assert len(list(iter_requests(itertools.repeat("/v1/v1/models", 20_000)))) == 1


# --- long and hostile input: each of these takes well under a second; a pattern that backtracks would take hours -----

MEGABYTE = 1_000_000


@pytest.mark.parametrize(
    "text",
    [
        "/v1/" + "a" * MEGABYTE,
        "see /v1/" + "a/" * (MEGABYTE // 2) + "b 404",
        '127.0.0.1 - - [x] "POST /v1/' + "a" * MEGABYTE + ' HTTP/1.1" 404 0',
        "2026-02-04T10:15:30+08:00  INFO Request: POST /v1/" + "a" * MEGABYTE,
        "curl http://127.0.0.1:8045/v1/" + "a" * MEGABYTE,
        '{"method":"POST","path":"/v1/' + "a" * MEGABYTE + '","status":404}',
        "http://127.0.0.1:8045/v1/" + "%20" * (MEGABYTE // 3),
    ],
    ids=["bare", "prose", "access-log", "proxy-log", "curl", "json", "url"],
)
def test_a_path_of_a_megabyte_is_returned_whole(text: str) -> None:
    request = one(text)
    assert len(request.path) >= MEGABYTE - 10
    assert len(request.input) <= 300


@pytest.mark.parametrize(
    "unit",
    [
        "/a,", "/a}", "/{a", "/v1?", "a.", "a/b", "v1/", "http://", "POST ", "POST /", '"POST /', "'", '"', "\\",
        "\\u0041", "\\/", "&amp;/", "http%3A%2F%2F", "%2F%3A", "| 404 ", "a=b ", "uri=", "{", "[{", '{"a":',
        "curl '", "curl ", "http :8", "\x1b[", "\x1b]", "\x9b", "[1m", "404 ", "status ", "x:12/", "[",
        "allow: GET,", "method: ", "base url ", "错误/", "(", "*", "_/", "\x00", "\u200b/", 'name" : "', " ", "\t/",
        "{'error':", "-H ", "key=", "://@", "refused ", "a.b", "::1", "base_url=", "port ", "body: ", "<", "not valid",
    ],
)  # fmt: skip
def test_a_long_line_of_anything_takes_linear_time(unit: str) -> None:
    line = unit * (200_000 // len(unit))
    assert all(len(request.input) <= 300 for request in find_requests(line + " /v1/v1/models 404"))
    assert all(len(request.input) <= 300 for request in find_requests("ECONNREFUSED " + line[:5000]))
    assert isinstance(symptoms_in(line + " is not valid JSON"), tuple)


def test_many_lines_of_garbage_are_survived() -> None:
    garbage = bytes(range(256)) * 400
    assert all(request.path for request in find_requests(garbage.decode("latin-1")))
    assert all(request.path for request in find_requests(garbage.decode("utf-8", "surrogateescape")))


def test_a_list_of_many_hosts_with_one_path_is_kept_apart() -> None:
    text = "\n".join(f"GET http://10.0.{number // 250}.{number % 250}:8045/v1/v1/models 404" for number in range(5000))
    assert len(find_requests(text)) == 5000


def test_deeply_nested_json_is_survived() -> None:
    assert find_requests('{"a":' * 50_000 + "1" + "}" * 50_000) == []


# --- properties ---------------------------------------------------------------------------------------------------

FRAGMENTS = [
    "POST ", "GET /", "/v1/v1/chat/completions", "http://127.0.0.1:8045", "https://github.com/a", "curl ", "-d '",
    '"', "'", "{", "}", '{"error":', '"url":', "\\", "\n", "\r\n", " 404 ", "HTTP/1.1", "< ", "> ", "allow: GET", "|",
    "[GIN]", "Request: ", "\x1b[31m", "\x00", "\u200b", "错误", "ошибка", "：", "...", "&amp;", "%2F", "%3A", "`", "^",
    "?key=a", "status=", "method=", "uri=", "@", "url:", ":", "responses", "(no body)", "<!doctype html>", "\ufeff",
    "Host: x", "ECONNREFUSED ", "timed out", "127.0.0.1:8046", "::1:8045", "base_url=", "export X_BASE_URL=", "503 ",
    "curl: (7) ", "No available accounts", " port 80", "->",
]  # fmt: skip
anything = st.one_of(st.text(max_size=300), st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join))


@given(anything)
@settings(max_examples=600, deadline=None)
@example("\udcff/v1/x\ud800")
@example("POST " * 3 + "\n/")
@example("POST HTTP/1.1")
@example('0.0.0.0:00CURL: (6)\rGET/"100')
def test_no_text_makes_it_raise_and_every_result_keeps_its_promises(text: str) -> None:
    for request in find_requests(text):
        assert request.path.startswith("/")
        assert len(request.input) <= 300
        assert request.body is None or len(request.body) <= 2000
        assert request.status is None or 100 <= request.status <= 599
        assert request.url is None or ("://" in request.url and "/" not in request.url.split("://")[1])
        assert request.source in {
            "path", "url", "access-log", "proxy-log", "client-error", "curl", "json", "text", "setting", "connection",
        }  # fmt: skip
        assert request.failure in {None, "refused", "timeout", "name", "tls", "reset"}
        assert (request.setting is not None) == (request.source == "setting")
        assert request.source != "connection" or (request.failure is not None and request.host)
    assert all(code for code in symptoms_in(text))
    is_bare_path(text)


@given(anything)
@settings(max_examples=200, deadline=None)
@example("POST HTTP://0")
def test_line_ends_and_colours_never_change_the_result(text: str) -> None:
    plain = text.replace("\r", "").replace("\x1b", "")
    plain = "\n".join(plain.splitlines())
    assume(re.search(r"\[[\d;]*m", plain) is None)  # the rest of a colour whose escape is lost is taken for one
    expected = find_requests(plain)
    assert find_requests(plain.replace("\n", "\r\n")) == expected
    assert find_requests(plain.replace("/", "/\x1b[1;31m").replace(" ", "\x1b[0m ")) == expected


@given(anything)
@settings(max_examples=200, deadline=None)
def test_what_is_stripped_holds_no_control_character(text: str) -> None:
    stripped = strip_terminal_controls(text)
    assert not any((ord(letter) < 32 and letter not in "\n\t") or 127 <= ord(letter) < 160 for letter in stripped)


segment = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,8}[a-z0-9]", fullmatch=True)
api_path = st.builds(
    lambda prefix, middle, end: "/" + "/".join([*prefix, *middle, end]),
    st.lists(st.sampled_from(["v1", "v1beta", "openai", "api"]), min_size=1, max_size=3),
    st.lists(segment, max_size=3),
    st.sampled_from(["completions", "responses", "messages", "models", "models/gemini-3-pro:generateContent"]),
)
word = st.text(
    alphabet=st.one_of(
        st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5),
        st.characters(min_codepoint=0x0410, max_codepoint=0x044F),
        st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3),
        st.characters(min_codepoint=0x3041, max_codepoint=0x3096),
        st.sampled_from("，。、；：！？（）「」『』【】《》“”…—«»„·"),
    ),
    max_size=12,
)
closing = st.sampled_from(["", ".", ",", ";", ":", "!", "?", ")", "]", '"', "'", ">", "`", "**", ").", '".', "',"])
opening = st.sampled_from(["", " ", "(", "[", '"', "'", "<", "`", "**", ": ", "="])


@given(word, opening, api_path, closing, word)
@settings(max_examples=500, deadline=None)
def test_a_path_glued_between_words_and_punctuation_is_found_exactly(
    before: str, opened: str, path: str, closed: str, after: str
) -> None:
    assert [request.path for request in find_requests(before + opened + path + closed + after)] == [path]


@given(api_path, st.sampled_from([400, 401, 403, 404, 405, 429, 500, 503]), word)
@settings(max_examples=200, deadline=None)
def test_a_status_behind_foreign_words_is_attached(path: str, status: int, words: str) -> None:
    (request,) = find_requests(f"{path} {words}{status}{words}")
    assert (request.path, request.status) == (path, status)


@given(st.lists(api_path, min_size=1, max_size=20, unique=True), st.sampled_from(["\n", " \n", "\r\n", "\n\n", "\n\t"]))
@settings(max_examples=200, deadline=None)
def test_paths_one_a_line_are_all_found_in_order(paths: list[str], between: str) -> None:
    assert [request.path for request in find_requests(between.join(paths))] == paths


@given(anything)
@settings(max_examples=200, deadline=None)
def test_a_stream_gives_every_request_that_a_text_of_several_lines_gives(text: str) -> None:
    pasted = "my log:\n" + text + "\nend of it"
    streamed = {request.path for request in iter_requests(pasted.splitlines(keepends=True))}
    assert {request.path for request in find_requests(pasted)} == streamed
