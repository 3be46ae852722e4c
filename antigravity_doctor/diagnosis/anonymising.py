"""What is taken out of a text that a user is going to publish: keys, the user's name, the home folder, other people.

Pure text work. Masking is by rule, so it cannot know everything that is private: the report says so, and shows itself
before anybody sends it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from antigravity_doctor.diagnosis.secrets import redact

USER, HOST, EMAIL, ADDRESS = "USER", "HOST", "EMAIL", "IP-ADDRESS"

COMMON_NAMES = frozenset({
    "admin", "administrator", "codespace", "debian", "default", "gitpod", "guest", "home", "node", "root", "runner",
    "ubuntu", "user", "users", "vscode",
})  # fmt: skip
"""User names that name nobody."""

_HOMES = re.compile(r"(?i)((?:/home|/users|[a-z]:[\\/]+users)[\\/]+)([^\\/\s:\"'<>|]+)")
_EMAIL = re.compile(r"\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+\b")
_PUBLIC_IP = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")


class Who(NamedTuple):
    """What is private on this machine: the home folder, the user's names, the machine's names."""

    home: str
    users: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


def anonymous(text: str, who: Who) -> str:
    """The text without keys, the home folder (`~`), user names, host names, e-mail and public IP addresses.

    Names are taken out as whole words, whatever their case; names of fewer than three letters, and those in
    COMMON_NAMES, only where they stand in the path of a home folder.
    """
    for home in dict.fromkeys((who.home, who.home.replace("\\", "/"), who.home.replace("\\", "\\\\"))):
        if len(home.strip("/\\")) > 1:
            text = re.sub(re.escape(home) + r"(?![\w.-])", lambda _: "~", text)
    text = _HOMES.sub(lambda found: found[1] + USER, text)
    text = _EMAIL.sub(EMAIL, text)
    for names, shown in ((who.hosts, HOST), (who.users, USER)):  # a machine is often named after its user
        telling = {each for each in names if len(each) > 2 and each.lower() not in (*COMMON_NAMES, "localhost")}
        for name in sorted(telling, key=len, reverse=True):
            text = re.sub(rf"(?i)(?<!\w){re.escape(name)}(?!\w)", shown, text)
    text = _PUBLIC_IP.sub(lambda found: found[0] if _is_private(found[0]) else ADDRESS, text)
    return redact(text, *who.keys)


def _is_private(address: str) -> bool:
    """Whether it is an address that says nothing of where somebody is: loopback, private, or no address at all."""
    parts = [int(each) for each in address.split(".")]
    if any(each > 255 for each in parts):
        return True  # a version number
    first, second = parts[:2]
    return first in (0, 10, 127) or (first, second) in ((192, 168), (169, 254)) or (first == 172 and 16 <= second < 32)
