"""URLs, as far as base URLs need them: split without loss, check what a user typed.

`urllib.parse` is not used: it normalises and forgives where this tool must keep every character (a doubled slash is
the finding), and it costs more start-up time than the whole algebra.
"""

from __future__ import annotations

import re
from typing import NamedTuple

DEFAULT_ORIGIN = "http://127.0.0.1:8045"
"""Where the proxy listens unless told otherwise (facts/proxy-semantics.md §9)."""

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]", "::1")

# Compiled when they are needed (`re` keeps them): most runs of explain-path never check a base URL.
_HOST = r"(?:\[[0-9A-Fa-f:.%]+[^\]]*\]|[^\s/?#:@\[\]\"'`<>\\^{}|]+)\Z"


class Url(NamedTuple):
    """A URL in three loss-free pieces: `origin + path + ("?" + query if query is not None)`.

    `origin` is "" where the text had no scheme and host; `path` may be "".
    """

    origin: str
    path: str
    query: str | None


EXAMPLE = f"Type it like {DEFAULT_ORIGIN}/v1 ."
"""How most sentences of `parse_base_url` end."""


class BadUrlError(ValueError):
    """What the user typed is no usable base URL; the message is one sentence that says what to type instead."""


def split_url(text: str) -> Url:
    """Splits at scheme, host, path and query; never raises, never changes a character (the fragment is dropped)."""
    cut = text.find("#")
    if cut >= 0:
        text = text[:cut]
    query: str | None = None
    mark = text.find("?")
    if mark >= 0:
        text, query = text[:mark], text[mark + 1 :]
    end = _after_scheme(text)
    if end < 0:
        return Url("", text, query)
    slash = text.find("/", end)
    if slash < 0:
        return Url(text, "", query)
    return Url(text[:slash], text[slash:], query)


def _after_scheme(text: str) -> int:
    """Where the host begins: behind "scheme://"; -1 if the text does not begin with that."""
    end = text.find("://")
    if end <= 0 or not text[0].isalpha():
        return -1
    scheme = text[:end]
    if not (scheme.isalnum() or scheme.replace("+", "").replace("-", "").replace(".", "").isalnum()):
        return -1
    return end + 3 if scheme.isascii() else -1


def is_loopback_host(host: str) -> bool:
    """True for names and addresses of this machine's loopback interface (127.0.0.0/8, ::1, localhost)."""
    host = host.lower().rstrip(".")
    return host in LOOPBACK_NAMES or host.endswith(".localhost") or bool(re.fullmatch(r"127(?:\.\d{1,3}){3}", host))


def is_private_host(host: str) -> bool:
    """True for a literal address or a name that can only mean this machine or its private network."""
    bare = host.strip("[]")
    if is_loopback_host(bare):
        return True
    import ipaddress  # costs start-up time, and only clients that want a public address ask

    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return bare.endswith((".local", ".internal", ".lan")) or "." not in bare
    return address.is_private or address.is_link_local


def host_and_port(origin: str) -> tuple[str, int]:
    """Host (IPv6 without brackets) and port (the scheme's default where none is given) of an origin.

    Raises BadUrlError for an origin that `parse_base_url` would refuse.
    """
    scheme, _, rest = origin.partition("://")
    host, port_text = rest, ""
    if rest.startswith("["):
        end = rest.find("]")
        host, port_text = rest[1:end], rest[end + 1 :].lstrip(":")
    elif ":" in rest:
        host, _, port_text = rest.rpartition(":")
    return host, port_number(port_text) if port_text else (443 if scheme.lower() == "https" else 80)


def port_number(text: str) -> int:
    """A TCP port from text. Raises BadUrlError, naming the text, unless it is a whole number from 1 to 65535."""
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:6]) <= 65535 or len(text) > 5:
        raise BadUrlError(f"{_quote(text)} is not a port: give a whole number from 1 to 65535, such as 8045.")
    return int(text)


def without_credentials(url: str) -> str:
    """A URL with its user name and password cut out."""
    start = max(_after_scheme(url), 0)
    end = min((at for at in map(url.find, "/?#", (start,) * 3) if at >= 0), default=len(url))
    return url[:start] + url[start:end].rpartition("@")[2] + url[end:]


def parse_base_url(text: str, *, what: str = "base URL") -> Url:
    """What a user typed as base URL, checked; a missing `http://` is added, credentials are refused.

    Shape: origin is `scheme://host[:port]` in lower case (IDN kept as typed), path and query exactly as typed.
    Raises BadUrlError with one sentence that names the input, what was expected and what to do.
    """
    typed = text
    text = text.strip()
    example = EXAMPLE
    if not text:
        raise BadUrlError(f"The {what} is empty. {example}")
    if text[0] in "\"'`“”‘’" or text[-1] in "\"'`“”‘’":
        raise BadUrlError(f"The {what} {_quote(typed)} has quotation marks in it: remove them. {example}")
    if any(ch.isspace() or ord(ch) < 32 or ord(ch) == 127 for ch in text):
        raise BadUrlError(f"The {what} {_quote(typed)} has a space or control character in it: remove it. {example}")
    if _after_scheme(text) < 0:
        if re.match(r"https?:/?[^/]", text, re.I):
            raise BadUrlError(f"The {what} {_quote(typed)} lacks a slash after the scheme. {example}")
        if re.match(r"https?/+[^/]", text, re.I):
            raise BadUrlError(f"The {what} {_quote(typed)} lacks the colon after the scheme. {example}")
        if text.startswith("/"):
            raise BadUrlError(f"The {what} {_quote(typed)} is only a path: the host is missing. {example}")
        text = "http://" + text
    url = split_url(text)
    scheme, _, rest = url.origin.partition("://")
    if scheme.lower() not in ("http", "https"):
        raise BadUrlError(f"The {what} {_quote(typed)} has the scheme {scheme!r}: only http and https can be checked.")
    if "@" in rest:
        raise BadUrlError(
            f"The {what} holds a user name or password in front of the host: remove it, and give a key with --api-key."
        )
    if not rest:
        raise BadUrlError(f"The {what} {_quote(typed)} has no host. {example}")
    host, colon, port = rest, "", ""
    if not rest.endswith("]"):
        host, colon, port = rest.rpartition(":") if ":" in rest else (rest, "", "")
    if host.count(":") and not host.startswith("["):
        raise BadUrlError(
            f"The {what} {_quote(typed)} holds an IPv6 address without brackets: type http://[::1]:8045 style."
        )
    if colon:
        port_number(port)
    if not re.match(_HOST, host) or host.startswith((".", "-")):
        raise BadUrlError(f"The {what} {_quote(typed)} has no valid host name. {example}")
    # A fragment stays: some clients read a closing "#", others let it swallow what they add.
    mark = text.find("#")
    fragment = text[mark:] if mark >= 0 and url.query is None else ""
    return Url(f"{scheme}://{rest}".lower(), url.path + fragment, url.query)


def _quote(text: str) -> str:
    """The text in quotes, shortened, with nothing in it that a terminal would act on."""
    shown = text if len(text) <= 80 else text[:77] + "..."
    return "'" + "".join(ch if ch.isprintable() else "?" for ch in shown) + "'"
