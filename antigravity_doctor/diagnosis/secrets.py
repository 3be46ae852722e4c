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
    "github_pat_", "hf_", "akia", "eyj", "@", "nvapi-", "pplx-", "r8_", "glpat-", "fw_", "tgp_v1_", "xox",
)  # fmt: skip
_HEX = "0123456789abcdef"

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
        r"\b(?:sk-|AIza|ya29\.|gsk_|xai-|ghp_|github_pat_|hf_|AKIA|nvapi-|glpat-|tgp_v1_|xox[abeoprs]-)[A-Za-z0-9_\-]{6,}"
        # long and of one piece, since there are models called pplx-7b-online and variables called fw_version
        r"|\b(?:pplx-|r8_|fw_)[A-Za-z0-9]{16,}"
        r"|\beyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]+)?",
        MASK,
    ),
)
# Azure, and Zhipu with a second half: 32 hexadecimal digits that are no part of a longer name (a UUID has dashes, a
# file's name an extension), letters and digits among them.
_BARE = (
    r"(?i)(?<![\w\-.])(?=[0-9]{0,31}[a-f])(?=[a-f]{0,31}[0-9])[0-9a-f]{32}"
    r"(?:\.[a-z0-9]{12,64})?(?![\w\-]|\.[a-z0-9]{1,11}(?![a-z0-9]))",
    MASK,
)


def redact(text: str, *keys: str) -> str:
    """The text with every value masked that is one of `keys` or looks like a key, a token or a password.

    Shapes known: `?key=…` and its relatives, variables, options and JSON fields named like a key, Authorization,
    x-api-key and cookie headers, bearer tokens, passwords in a URL, sk-…, AIza… and other vendors' keys, JWTs, and 32
    hexadecimal digits that stand alone.
    """
    for key in keys:
        if key:
            text = text.replace(key, MASK)
    folded = text.lower()
    for hint in _HINTS:
        if hint in folded:
            for pattern, masked in _PATTERNS:
                text = re.sub(pattern, masked, text)
            break
    return re.sub(*_BARE, text) if len(folded) >= 32 and _may_have_hex(folded) else text


def _may_have_hex(folded: str) -> bool:
    """Whether 32 hexadecimal digits may stand in a row: four of them are at every eighth place then. In most texts they
    do not, and that is known without compiling a pattern."""
    run = 0
    for each in folded[7::8]:
        run = run + 1 if each in _HEX else 0
        if run == 4:
            return True
    return False


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
