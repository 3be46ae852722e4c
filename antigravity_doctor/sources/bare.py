"""The commonest input of all, a path or URL and nothing else, read without the machinery for pasted text.

`pasted_text` compiles dozens of patterns; an argument such as `/v1/v1/chat/completions` needs none of them.
"""

from __future__ import annotations

from typing import NamedTuple

from antigravity_doctor.diagnosis.urls import split_url

_ALLOWED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-_.~%:@!$&+=?")


class BareRequest(NamedTuple):
    """A path, with the origin it was sent to where the input was a URL."""

    origin: str | None
    path: str
    query: str | None


def bare_request(text: str) -> BareRequest | None:
    """The request of a text that is only a path or an http URL; None where the text needs a closer look."""
    if not text.startswith(("/", "http://", "https://")) or not _ALLOWED.issuperset(text):
        return None
    if text[-1] in ".:!" or "@" in text.partition("?")[0]:
        return None
    # A URL inside a path ("/v1/http://…") is a finding, so only a leading scheme makes a URL of the text.
    if text.startswith("/"):
        path, mark, query = text.partition("?")
        return BareRequest(None, path, query if mark else None)
    url = split_url(text)
    host = url.origin.partition("://")[2]
    if not host:
        return None
    return BareRequest(url.origin.lower(), url.path or "/", url.query)
