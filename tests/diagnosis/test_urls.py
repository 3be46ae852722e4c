"""Splitting URLs without loss, and what is said about a base URL that cannot be one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antigravity_doctor.diagnosis.urls import (
    DEFAULT_ORIGIN,
    BadUrlError,
    Url,
    host_and_port,
    is_loopback_host,
    parse_base_url,
    port_number,
    split_url,
    without_credentials,
)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://h", Url("http://h", "", None)),
        ("http://h/", Url("http://h", "/", None)),
        ("http://h:8045/v1", Url("http://h:8045", "/v1", None)),
        ("http://h/v1//x/?a=b", Url("http://h", "/v1//x/", "a=b")),
        ("http://h?x", Url("http://h", "", "x")),
        ("http://h/v1?", Url("http://h", "/v1", "")),
        ("http://h/v1#part?x", Url("http://h", "/v1", None)),
        ("http://h/v1?x#part", Url("http://h", "/v1", "x")),
        ("http://[::1]:8045/v1", Url("http://[::1]:8045", "/v1", None)),
        ("HTTP://H/V1", Url("HTTP://H", "/V1", None)),
        ("ws+unix://h/x", Url("ws+unix://h", "/x", None)),
        ("/v1/http://h/v1", Url("", "/v1/http://h/v1", None)),
        ("/v1/models?x", Url("", "/v1/models", "x")),
        ("h:8045/v1", Url("", "h:8045/v1", None)),
        ("://h/v1", Url("", "://h/v1", None)),
        ("1http://h", Url("", "1http://h", None)),
        ("ä://h", Url("", "ä://h", None)),
        ("", Url("", "", None)),
    ],
)
def test_a_url_falls_into_origin_path_and_query(text: str, url: Url) -> None:
    assert split_url(text) == url


@given(st.text())
def test_splitting_never_raises_and_loses_only_the_fragment(text: str) -> None:
    origin, path, query = split_url(text)
    assert origin + path + ("?" + query if query is not None else "") == text.partition("#")[0]


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://127.0.0.1:8045", Url("http://127.0.0.1:8045", "", None)),
        ("  http://127.0.0.1:8045/v1  ", Url("http://127.0.0.1:8045", "/v1", None)),
        ("127.0.0.1:8045/v1", Url("http://127.0.0.1:8045", "/v1", None)),
        ("localhost", Url("http://localhost", "", None)),
        ("HTTP://LocalHost:8045/V1", Url("http://localhost:8045", "/V1", None)),
        ("https://proxy.example/x/?y=1", Url("https://proxy.example", "/x/", "y=1")),
        ("http://[::1]:8045/v1", Url("http://[::1]:8045", "/v1", None)),
        ("http://[fe80::1%25eth0]", Url("http://[fe80::1%25eth0]", "", None)),
        ("http://bücher.example:8045", Url("http://bücher.example:8045", "", None)),
        ("http://my_host:8045", Url("http://my_host:8045", "", None)),
        ("http://h/v1//", Url("http://h", "/v1//", None)),
    ],
)
def test_what_a_user_types_is_taken_as_it_is_meant(text: str, url: Url) -> None:
    assert parse_base_url(text) == url


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ('"http://h"', "quotation marks"),
        ("‘http://h’", "quotation marks"),
        ("http://h /v1", "space or control character"),
        ("http://h\x1b[31m", "space or control character"),
        ("http:/h", "lacks a slash"),
        ("http:h", "lacks a slash"),
        ("http//h:1/v1", "lacks the colon"),
        ("/v1", "only a path"),
        ("ftp://h", "only http and https"),
        ("http://me:pw@h/", "user name or password"),
        ("http://", "no host"),
        ("http:///v1", "no host"),
        ("http://::1:8045", "IPv6 address without brackets"),
        ("http://h:abc", "is not a port"),
        ("http://h:0", "is not a port"),
        ("http://h:70000", "is not a port"),
        ("http://h:", "is not a port"),
        ("http://h:٣", "is not a port"),
        ("http://<host>/v1", "no valid host name"),
        ("http://.h", "no valid host name"),
        ("http://-h", "no valid host name"),
    ],
)
def test_what_cannot_be_a_base_url_is_refused_with_one_sentence(text: str, says: str) -> None:
    with pytest.raises(BadUrlError) as error:
        parse_base_url(text, what="--base-url")
    message = str(error.value)
    assert says in message
    assert message.isprintable()


def test_a_refused_text_is_shown_shortened_and_a_password_not_at_all() -> None:
    with pytest.raises(BadUrlError) as error:
        parse_base_url("ftp://" + "x" * 1000)
    assert len(str(error.value)) < 200
    with pytest.raises(BadUrlError) as error:
        parse_base_url("http://me:hunter2@h/")
    assert "hunter2" not in str(error.value)


@given(st.text())
def test_a_base_url_is_taken_or_refused_and_never_raises_otherwise(text: str) -> None:
    try:
        url = parse_base_url(text)
    except BadUrlError:
        return
    assert url.origin.startswith(("http://", "https://"))
    host_and_port(url.origin)


@pytest.mark.parametrize(
    ("origin", "host", "port"),
    [
        ("http://127.0.0.1:8045", "127.0.0.1", 8045),
        ("http://h", "h", 80),
        ("https://h", "h", 443),
        ("HTTPS://h", "h", 443),
        ("http://[::1]:8045", "::1", 8045),
        ("http://[::1]", "::1", 80),
        (DEFAULT_ORIGIN, "127.0.0.1", 8045),
    ],
)
def test_host_and_port_of_an_origin(origin: str, host: str, port: int) -> None:
    assert host_and_port(origin) == (host, port)


@pytest.mark.parametrize("text", ["", "0", "-1", "65536", "99999999999", "8 0", "8045a", "٨", "1e3", "+80"])
def test_what_is_no_port(text: str) -> None:
    with pytest.raises(BadUrlError, match="is not a port"):
        port_number(text)


def test_the_first_and_the_last_port() -> None:
    assert (port_number("1"), port_number("65535"), port_number("08045")) == (1, 65535, 8045)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1", "[::1]", "a.localhost", "localhost."]
)
def test_loopback(host: str) -> None:
    assert is_loopback_host(host)


@pytest.mark.parametrize("host", ["127.0.0.1.example", "128.0.0.1", "192.168.1.1", "::2", "localhost.example", ""])
def test_not_loopback(host: str) -> None:
    assert not is_loopback_host(host)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://u:p@proxy:3128", "http://proxy:3128"),
        ("u:p@proxy:3128", "proxy:3128"),
        ("http://u:p@proxy/v1", "http://proxy/v1"),
        ("http://proxy/a@b", "http://proxy/a@b"),
        ("http://proxy?to=u@h", "http://proxy?to=u@h"),
        ("http://proxy", "http://proxy"),
    ],
)
def test_credentials_are_cut_out_of_a_url(url: str, shown: str) -> None:
    assert without_credentials(url) == shown
