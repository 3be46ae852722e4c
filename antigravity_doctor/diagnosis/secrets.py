"""Keys are never shown: what looks like one is masked before a text goes anywhere.

Pure text work, used for everything that came from outside: pasted text, queries, bodies, a server's answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MASK = "***"

# Lower case. A text without any of them holds nothing that the patterns below find, and most texts have none.
_HINTS = (
    "key", "token", "secret", "passw", "auth", "bearer", "cookie", "sk-", "aiza", "ya29.", "gsk_", "xai-", "ghp_",
    "github_pat_", "hf_", "akia", "eyj", "@",
)  # fmt: skip

# Compiled by `re` when they are first needed: explain-path rarely needs any. Every repetition that is not of the
# value itself is bounded, so that hostile text stays cheap.
_NAME = r"(?:api[-_ ]?key|(?:(?<![a-z])|(?<=%3f))key|token|secret|password|passwd)"
_PATTERNS = (
    # Authorization: Bearer …, x-api-key: …, {"x-goog-api-key": "…"}
    (
        r"(?i)((?:authorization|(?:x-|x-goog-)?api-key|x-admin-token|cookie)[\"']?\s{0,5}[:=]\s{0,5}[\"']?"
        r"(?:(?:bearer|basic|token)\s{1,5})?)([^\s\"',;}]+)",
        rf"\g<1>{MASK}",
    ),
    # ?key=…, OPENAI_API_KEY=…, client_secret%3D…, --api-key=…
    (rf"(?i)({_NAME}[\"']?\s{{0,5}}(?:=|%3D)\s{{0,5}}[\"']?)([^&\s\"'<>#;,]+)", rf"\g<1>{MASK}"),
    # "apiKey": "…", 'token': '…'
    (rf"(?i)({_NAME}[\"']\s{{0,5}}:\s{{0,5}}([\"']))(?:(?!\2).)+", rf"\g<1>{MASK}"),
    # api key: 4f3a…, token: abc123 (a value without a digit is rather a word)
    (rf"(?i)({_NAME}\s{{0,5}}:\s{{1,5}})(?=[^\s\d]{{0,80}}\d)([^\s\"',;}}]{{6,}})", rf"\g<1>{MASK}"),
    # --api-key …, --token …
    (rf"(?i)(--[a-z\-]{{0,20}}{_NAME}\s{{1,5}})([^\s\"'\-][^\s\"']*)", rf"\g<1>{MASK}"),
    (r"(?i)\b(bearer\s{1,5})([A-Za-z0-9._~+/\-]{6,}=*)", rf"\g<1>{MASK}"),
    # scheme://user:password@host
    (r"(://[^/\s:@]{1,80}:)([^/\s@]{1,200})@", rf"\g<1>{MASK}@"),
    # keys that are known by their shape
    (
        r"\b(?:sk-|AIza|ya29\.|gsk_|xai-|ghp_|github_pat_|hf_|AKIA)[A-Za-z0-9_\-]{6,}"
        r"|\beyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]+)?",
        MASK,
    ),
)


def redact(text: str, *keys: str) -> str:
    """The text with every value masked that is one of `keys` or looks like a key, a token or a password.

    Shapes known: `?key=…` and its relatives, variables, options and JSON fields named like a key, Authorization,
    x-api-key and cookie headers, bearer tokens, passwords in a URL, sk-…, AIza… and other vendors' keys, JWTs.
    """
    for key in keys:
        if key:
            text = text.replace(key, MASK)
    folded = text.lower()
    for hint in _HINTS:
        if hint in folded:
            break
    else:
        return text
    for pattern, masked in _PATTERNS:
        text = re.sub(pattern, masked, text)
    return text


KEY_HEADERS = ("authorization", "x-api-key", "x-goog-api-key", "api-key")
"""Headers in which clients send keys, also those that the proxy does not read; lower case."""


def key_carrier(headers: Mapping[str, str], query: str | None) -> str | None:
    """Which header carried a key (lower case), "query" for ?key=, None if nothing did.

    `headers` is looked up with lower-case names.
    """
    for name in KEY_HEADERS:
        if headers.get(name):
            return name
    return "query" if query and re.search(r"(?:^|&)(?:api_)?key=[^&]", query) else None
