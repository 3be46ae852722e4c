"""Connections that did not come about: why, and to which address, as programs of every kind word it.

The words are data (`knowledge/text-symptoms.json`, `failures`); where the address stands beside them is found here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from antigravity_doctor.knowledge.files import load_json
from antigravity_doctor.sources.text_request import Draft
from antigravity_doctor.sources.text_shapes import FILE_ENDINGS

_LOOKED_AT = 4000
"""Characters of a line in which a failure is looked for."""

_PORT = r"['\")]{0,2}(?::|,\s?(?:port[=:]\s?)?['\"]?|\s+port[=: ]\s?)(?P<port>\d{2,5})(?![\d.]|:\d)"
_ADDRESS = re.compile(
    r"(?P<scheme>(?i:https?|wss?)://)?(?<![\w.:-])"
    r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|(?:\d{1,3}\.){3}\d{1,3}|(?i:localhost)|::1"
    r"|(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})" + _PORT
)
_NAMED = re.compile(
    r"(?:dial tcp|ECONNREFUSED|ECONNRESET|ETIMEDOUT|[Cc]onnect(?:ing|ion)? to|host=['\"]?|https?://)\s?"
    r"(?P<host>[A-Za-z][\w-]{0,62})" + _PORT
)
_LOOKED_UP = re.compile(
    r"(?:ENOTFOUND|EAI_AGAIN|resolve(?: host(?:name)?)?:?|UnknownHostException:|\blookup|host=)\s?['\"(]?"
    r"(?P<host>(?=[\w.-]*[A-Za-z])[A-Za-z0-9][\w.-]{0,252})"
)
_PORT_ONLY = re.compile(r"(?<![A-Za-z])port[ =:]{1,2}(?P<port>\d{2,5})(?!\d)", re.IGNORECASE)


class Failure(NamedTuple):
    """Why no connection came about, and the `host[:port]` and URL origin it was meant for where the text says so."""

    kind: str
    host: str | None
    url: str | None
    start: int


@lru_cache(maxsize=1)
def _words() -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """((words, kind) in ASCII, those in other scripts), in the order in which the kinds are tried."""
    pairs = [
        (word, str(entry["kind"])) for entry in load_json("text-symptoms.json")["failures"] for word in entry["any"]
    ]
    return tuple(pair for pair in pairs if pair[0].isascii()), tuple(pair for pair in pairs if not pair[0].isascii())


def failure_kinds(text: str) -> tuple[str, ...]:
    """The kinds of failure that the words of the text name, each once: refused, name, tls, reset, timeout."""
    lowered = text.lower()
    plain, foreign = _words()
    kinds = [kind for word, kind in plain if word in lowered]
    if not lowered.isascii():
        kinds += [kind for word, kind in foreign if word in lowered]
    return tuple(dict.fromkeys(kinds))


def failure_in(line: str) -> Failure | None:
    """The failure that the line speaks of, None if it speaks of none."""
    line = line[:_LOOKED_AT]
    kinds = failure_kinds(line)
    if not kinds:
        return None
    kind = kinds[0]
    if kind == "name":
        name = _LOOKED_UP.search(line)
        if name is not None:
            return Failure(kind, name.group("host").rstrip("."), None, name.start("host"))
    # `read tcp 127.0.0.1:54321->127.0.0.1:8045`: the far end is what matters
    arrow = line.find("->") + 2
    found = _ADDRESS.search(line, arrow) if arrow > 1 else None
    found = found or next((each for each in _ADDRESS.finditer(line) if _is_host(each.group("host"))), None)
    found = found or _NAMED.search(line)
    if found is not None:
        host = found.group("host").lower()
        host = f"[{host}]" if host.startswith("::") else host
        address = f"{host}:{found.group('port')}"
        scheme = found.groupdict().get("scheme")
        return Failure(kind, address, scheme.lower() + address if scheme else None, found.start("host"))
    alone = _PORT_ONLY.search(line)
    if alone is not None:
        return Failure(kind, f"localhost:{alone.group('port')}", None, alone.start())
    return Failure(kind, None, None, 0)


def _is_host(host: str) -> bool:
    """Whether a name with a dot is no file (`x.py:12`) and no name in code (`urllib3.connection:12`)."""
    return host.rpartition(".")[2].lower() not in FILE_ENDINGS


def same_port(first: str | None, second: str | None) -> bool:
    """Whether two `host[:port]` can be one server: their ports do not differ where both are known."""
    ports = {host.rpartition(":")[2] for host in (first, second) if host is not None and not host.endswith("]")}
    return len({port for port in ports if port.isdigit()}) < 2


def connection_draft(line: str, failure: Failure) -> Draft:
    """The request that is known by its failed connection alone. The failure has an address."""
    draft = Draft(line, failure.start, failure.start, "/", source="connection", strength=1)
    draft.host = failure.host
    draft.url = failure.url
    draft.failure = failure.kind
    return draft
