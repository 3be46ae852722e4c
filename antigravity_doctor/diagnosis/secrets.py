"""Keys are never shown: what looks like one is masked before a text goes anywhere.

Pure text work, used for everything that came from outside: pasted text, queries, bodies, a server's answers.
"""

from __future__ import annotations

import re

MASK = "***"

_HINTS = (
    "key", "KEY", "Key", "sk-", "AIza", "oken", "OKEN", "uthorization", "UTHORIZATION", "earer", "BEARER", "assword",
    "ecret", "ya29", "gsk_", "xai-", "auth=",
)  # fmt: skip
_PARAMETER = re.compile(
    r"(?i)\b((?:x-)?(?:goog-)?(?:api[-_]?key|key|access[-_]?token|token|auth|password|secret|client[-_]?secret))"
    r"(=|%3D)([^&\s\"'<>#]+)"
)
_HEADER = re.compile(
    r"(?i)((?:authorization|x-api-key|x-goog-api-key|api-key)[\"']?\s*[:=]\s*[\"']?(?:bearer\s+|basic\s+)?)([^\s\"',;}]+)"
)
_BEARER = re.compile(r"(?i)\b(bearer\s+)([A-Za-z0-9._~+/\-]{6,}=*)")
_SHAPE = re.compile(r"\b(?:sk-|AIza|ya29\.|gsk_|xai-)[A-Za-z0-9_\-]{6,}")


def redact(text: str, *keys: str) -> str:
    """The text with every value masked that is one of `keys` or looks like a key, a token or a password.

    Shapes known: `?key=…` and its relatives, Authorization and x-api-key headers, bearer tokens, sk-…, AIza….
    """
    for key in keys:
        if key:
            text = text.replace(key, MASK)
    if not any(hint in text for hint in _HINTS):
        return text
    text = _PARAMETER.sub(rf"\1\2{MASK}", text)
    text = _HEADER.sub(rf"\1{MASK}", text)
    text = _BEARER.sub(rf"\1{MASK}", text)
    return _SHAPE.sub(MASK, text)
