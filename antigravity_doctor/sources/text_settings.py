"""Settings that hold a base URL: variables, keys of configuration files, arguments of an SDK's client.

`export ANTHROPIC_BASE_URL=…`, `$env:OPENAI_BASE_URL = "…"`, `setx X "…"`, `base_url="…"`, `"apiBase": "…"`,
`--openai-api-base …`: a URL there is no request, it is what requests are made from.
"""

from __future__ import annotations

import re

_NAME = (
    r"[A-Za-z0-9_.\-]{0,40}(?i:base[_-]?ur[li]|ur[li][_-]?base|api[_-]?base|api[_-]?host|api[_-]?endpoint|_endpoint"
    r"|_api_url|api[_-]?ur[li]|base[_-]?path)"
)
_BEFORE = re.compile(
    rf"(?:^|(?<=[\s,;({{\[\"'`:$|]))(?P<name>{_NAME}|(?i:(?:api |custom )?base ur[li]|api base))[\"'`*]{{0,3}}"
    r"(?:\s{0,8}(?::=|=>|[=:：])\s{0,4}|(?P<blank>\s{1,4}))[\"'`<(]{0,2}$"
)
_COMMAND = re.compile(r"(?:^|\s)(?:setx|set|export|setenv)\s+(?:-\w+\s+)?[\"']?$|(?:^|\s)--?$", re.IGNORECASE)


def setting_before(line: str, start: int) -> str | None:
    """The name of the setting whose value begins at `start` of the line, None if none does."""
    offset = max(0, start - 80)
    match = _BEFORE.search(line[offset:start])
    if match is None:
        return None
    name = match.group("name")
    if match.group("blank") is not None and not name.startswith("--"):
        # Without a sign between them, only a command says that the second word is the value of the first.
        command = _COMMAND.search(line[: offset + match.start("name")][-24:])
        return name if command is not None else None
    return name.lstrip("-.")


def is_setting(key: str) -> bool:
    """Whether a key of JSON names a base URL."""
    return len(key) <= 60 and re.fullmatch(_NAME, key) is not None
