"""What is taken out of a text that a user is going to publish: keys, the user's name, the home folder, other people.

Pure text work. Masking is by rule, so it cannot know everything that is private: the report says so, and shows itself
before anybody sends it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from antigravity_doctor.diagnosis.scanning import CONTAINER_HOSTS
from antigravity_doctor.diagnosis.secrets import MASK, redact
from antigravity_doctor.diagnosis.urls import is_loopback_host
from antigravity_doctor.knowledge.paths import vendor_of

USER, HOST, EMAIL, ADDRESS = "USER", "HOST", "EMAIL", "IP-ADDRESS"
_SHOWN = (USER, HOST, EMAIL, ADDRESS)
"""What stands in place of a name: no half of one itself."""

COMMON_NAMES = frozenset({
    "admin", "administrator", "codespace", "debian", "default", "gitpod", "guest", "home", "node", "root", "runner",
    "ubuntu", "user", "users", "vscode",
})  # fmt: skip
"""User names that name nobody."""

PUBLIC_HOSTS = frozenset({
    "github.com", "raw.githubusercontent.com", "pypi.org", "registry.npmjs.org", "www.npmjs.com",
    "example.com", "example.org", "example.net",
})  # fmt: skip
"""Hosts that say nothing of who writes: what agdoctor itself names, and what documentation is written with."""

_NOBODYS = (".docker.internal", ".invalid", ".example")
_MOST_HOSTS = 200

# --- URLs ------------------------------------------------------------------------------------------------------------

# JSON may write `\/` for a slash.
_MARK = r":\\?/\\?/"
_USER_INFO = re.compile(rf"({_MARK})[^\s/\"<>`]{{1,2000}}@")
# A password with a slash in it: what stands behind the colon is no port then.
_USER_INFO_WITH_SLASH = re.compile(rf"({_MARK})[^\s/@:\"<>`\[\]\\]{{1,200}}:(?!\d{{1,5}}[/?#\\])[^\s@\"<>`]{{1,2000}}@")
_URL_HOST = re.compile(
    rf"([A-Za-z][A-Za-z0-9+.\-]{{0,30}}{_MARK}(?:{re.escape(MASK)}@)?)(\[[^\]\s]*\]|[^\s/:?#\"'<>\\,;()\[\]{{}}|`*…@]+)"
)
_TOKEN = re.compile(r"[^\s\"'<>`]+")
_MOST_ENCODINGS = 3
_MOST_ROUNDS = 5
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_NOT_IN_A_WORD = re.compile(r"[\s%\\\"'<>`\x00-\x1f\x7f]")
_QUERY_PART = re.compile(r"([?&;#]+)([^?&;#]*)")

# --- folders, names, addresses ---------------------------------------------------------------------------------------

_WORD = r"[^\\/\s:\"'<>|*?`]+"
_HOMES = re.compile(
    r"(?i)((?<![\\/])[\\/]+(?:home|users|documents and settings)([\\/])[\\/]*)(?!\.)"
    rf"({_WORD})((?: {_WORD}){{1,3}}(?=\2|\"))?"
)
_JOINING = frozenset({
    "a", "an", "and", "are", "as", "at", "but", "by", "contains", "for", "from", "has", "holds", "in", "into", "is",
    "not", "of", "on", "or", "over", "see", "than", "that", "the", "then", "to", "under", "via", "was", "which", "with",
})  # fmt: skip
"""Words of a sentence that goes on behind a path; none of them is the second half of a user's name."""

_EMAIL = re.compile(r"\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+\b")
_LOCAL_NAME = re.compile(
    r"(?i)(?:(?<=\\\\)|(?<=//)|(?<![\w.%~/\\-]))(?!(?:env|config|settings|compose|docker-compose)\.)"
    r"(?:[a-z0-9_-]{1,63}\.){1,8}(?:local|lan|localdomain|home\.arpa|fritz\.box)(?![\w-]|\.\w)"
)
_PUBLIC_IP = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_IPV6 = re.compile(r"(?<![\w.])(?:[0-9A-Fa-f]{0,4}:){2,8}[0-9A-Fa-f]{0,4}(?:%[\w.\-]+)?(?![\w]|\.\d)")


class Who(NamedTuple):
    """What is private on this machine: the home folder, the user's names, the machine's names."""

    home: str
    users: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


def anonymous(text: str, who: Who) -> str:
    """The text without keys, the home folder (`~`), user names, host names, e-mail and public IP addresses.

    Of a URL stay scheme, port, path and the names of its query; its host only where it names nobody: this machine, a
    private address, a container's host, a vendor, a public site. Names of the user and the machine are taken out as
    whole words, whatever their case; names of fewer than three letters, and those in COMMON_NAMES, only where they
    stand in the path of a home folder.
    """
    for _ in range(_MOST_ROUNDS):  # what is left may be private for what was taken out beside it
        before = text
        text = _once(text, who)
        if text == before:
            break
    return text


def _once(text: str, who: Who) -> str:
    # What belongs to a URL comes first: a password may hold anything, also what looks like an e-mail address.
    text = _without_names(bare_urls(redact(_without_user_info(text), *who.keys)), who)
    return _TOKEN.sub(lambda found: _judged_decoded(found[0], who), text) if "%" in text else text


def _judged_decoded(word: str, who: Who) -> str:
    """A word whose percent-encoding hides something private (`bob%40example.com`, `C:%5CUsers%5CBob`), without that;
    any other as it is."""
    if "%" not in word:
        return word
    plain = word
    for _ in range(_MOST_ENCODINGS):
        decoded = _ESCAPES.sub(_unescaped, plain)
        if decoded == plain:
            break
        plain = decoded
    left = _without_names(redact(_without_user_info(plain), *who.keys), who)
    return word if left == plain else _NOT_IN_A_WORD.sub(_escaped, left)


def _unescaped(found: re.Match[str]) -> str:
    return bytes.fromhex(found[0].replace("%", "")).decode("utf-8", "replace")


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace"))


def _without_names(text: str, who: Who) -> str:
    text = _without_hosts(text)
    text = _without_home(text, who.home)
    text = _HOMES.sub(_nobodys_home, text)
    text = _EMAIL.sub(EMAIL, text)
    text = _LOCAL_NAME.sub(HOST, text)
    for names, shown in ((who.hosts, HOST), (who.users, USER)):  # a machine is often named after its user
        telling = {each for each in names if len(each) > 2 and each.lower() not in (*COMMON_NAMES, "localhost")}
        for name in sorted(telling, key=len, reverse=True):
            text = re.sub(rf"(?i)(?<!\w){re.escape(name)}(?!\w)", shown, text)
    text = _PUBLIC_IP.sub(lambda found: found[0] if _is_private(found[0]) else ADDRESS, text)
    return _IPV6.sub(_without_public_ipv6, text)


def bare_urls(text: str) -> str:
    """The text whose URLs have no user information any more, and of their queries the names only; so have paths."""
    return _TOKEN.sub(_without_values, _without_user_info(text))


def _without_user_info(text: str) -> str:
    return _USER_INFO_WITH_SLASH.sub(rf"\g<1>{MASK}@", _USER_INFO.sub(rf"\g<1>{MASK}@", text))


def _without_values(found: re.Match[str]) -> str:
    """A URL or path whose query (and what looks like one behind `#`) has its names only; any other word as it is."""
    word = found[0]
    mark = re.search(r"[?#]", word)
    if mark is None or "/" not in word[: mark.start()]:
        return word
    path, query = word[: mark.start()], word[mark.start() :]
    end = len(query.rstrip(").,:…"))  # a sentence may go on behind it
    return path + _QUERY_PART.sub(_without_value, query[:end]) + query[end:]


def _without_value(found: re.Match[str]) -> str:
    name, equals, value = found[2].partition("=")
    if equals:
        return found[1] + name + equals + (MASK if value else "")
    # a place in a page or a file (#L12) says nothing
    return found[1] + (MASK if "#" not in found[1] and re.search(r"\w", name) else name)


def _without_hosts(text: str) -> str:
    """The text without the hosts of URLs that name somebody, also where such a name stands alone."""
    named: set[str] = set()

    def shown(found: re.Match[str]) -> str:
        host = found[2].rstrip(".")
        if _names_nobody(host):
            return found[0]
        if "." in host:
            named.add(host)
        return found[1] + HOST + found[2][len(host) :]

    text = _URL_HOST.sub(shown, text)
    longest = sorted(named, key=len, reverse=True)[:_MOST_HOSTS]
    return re.sub(rf"(?i)(?<![\w.@-])(?:{_any_of(longest)})(?![\w-]|\.\w)", HOST, text) if longest else text


def _any_of(names: Iterable[str]) -> str:
    return "|".join(map(re.escape, names))


def _names_nobody(host: str) -> bool:
    """Whether the host of a URL may be shown: also one that is no name yet (`$HOST`), and every literal address, which
    is looked at later."""
    if not host or host[0] in "[$%" or host in (HOST, ADDRESS, USER, EMAIL):
        return True
    name = host.lower()
    return (
        is_loopback_host(name)
        or _PUBLIC_IP.fullmatch(name) is not None
        or name in CONTAINER_HOSTS
        or name.endswith(_NOBODYS)
        or name in PUBLIC_HOSTS
        or vendor_of(name) is not None
    )


def _without_home(text: str, home: str) -> str:
    """The text with `~` for this home folder; on Windows whatever the case and the kind and number of separators."""
    if re.match(r"[A-Za-z]:[\\/]|\\\\", home):
        parts = [re.escape(each) for each in re.split(r"[\\/]+", home) if each]
        if len(parts) < 2:
            return text
        separators = r"[\\/]{1,8}"
        pattern = (separators if home[0] == "\\" else "") + separators.join(parts)
        return re.sub(rf"(?i){pattern}(?![\w.-])", "~", text)
    if len(home.strip("/\\")) > 1:
        return re.sub(re.escape(home) + r"(?![\w.-])", "~", text)
    return text


def _nobodys_home(found: re.Match[str]) -> str:
    """The path of somebody's home folder without the name, which may have several words (`/Users/Bob Smith/x`).

    Further words count where a separator (or a closing quote) follows them, each begins with a capital letter or a
    digit (behind a backslash also with a small one), and none is of those that join sentences: rather a bit of prose
    lost than a name shown, but no more than that.
    """
    lead, separator, _, more = found.groups()
    words = (more or "").split()
    if all(
        word.lower() not in _JOINING
        and word not in _SHOWN
        and (separator == "\\" or word[0].isupper() or not word[0].isascii() or word[0].isdigit() or word[0] == "(")
        for word in words
    ):
        more = ""
    return lead + USER + (more or "")


def _is_private(address: str) -> bool:
    """Whether it is an address that says nothing of where somebody is: loopback, private, or no address at all."""
    parts = [int(each) for each in address.split(".")]
    if any(each > 255 for each in parts):
        return True  # a version number
    first, second = parts[:2]
    return first in (0, 10, 127) or (first, second) in ((192, 168), (169, 254)) or (first == 172 and 16 <= second < 32)


def _without_public_ipv6(found: re.Match[str]) -> str:
    """ADDRESS for a public IPv6 address; anything else (loopback, private, a time, a Rust module) as it is."""
    import ipaddress

    written = found[0]
    # A colon of the sentence may stand before or behind it.
    for start, end in ((0, 0), (0, 1), (1, 0), (1, 1)):
        if written[:start].strip(":") or written[len(written) - end :].strip(":"):
            continue
        inner = written[start : len(written) - end]
        try:
            address = ipaddress.IPv6Address(inner.partition("%")[0])
        except ValueError:
            continue
        # 2000::/3 is all that is given out to anybody; 64:ff9b:: stands in front of an IPv4 address.
        if address.packed[0] >> 5 == 1 or address.packed.startswith(b"\0\x64\xff\x9b"):
            return written[:start] + ADDRESS + written[len(written) - end :]
    return written
