"""Values read from this machine: a key that cannot be printed, and what the proxy's settings file says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple


class Secret:
    """A key. Nothing that turns it into text shows it; only `reveal` does, and only the transport calls that."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The key itself."""
        return self._value

    def hidden_in(self, text: str) -> str:
        """The text with every occurrence of the key replaced, for what a server may have echoed."""
        return text.replace(self._value, "***") if self._value else text

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret('***')" if self._value else "Secret('')"

    def __str__(self) -> str:
        return "***" if self._value else ""

    def __deepcopy__(self, _: object) -> Secret:
        return self

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a key is not written anywhere")


AUTH_MODES = ("off", "strict", "all_except_health", "auto")
"""What `auth_mode` may be; the same since the first version that has it."""

FaultKind = Literal["missing", "no-object", "no-text", "no-bool", "no-whole-number", "no-port", "no-auth-mode"]


class Fault(NamedTuple):
    """A field for which the proxy refuses the whole settings file, as the file names it (`proxy.auth_mode`; "" for the
    file itself). `since`: the first version that reads the field; `shown`: what is there, where that is no secret."""

    field: str
    kind: FaultKind
    since: str
    shown: str = ""


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """What `gui_config.json` says about the proxy. None in a field: the file does not say, or not in a usable form.

    `problem` is why the file as a whole is of no use (then every other field but `path` is None). `faults`: the fields
    for which the proxy does not load it, though it can be read. `api_key` is falsy where the file holds an empty one,
    which locks everybody out when auth is on.
    """

    path: str
    port: int | None = None
    auth_mode: str | None = None
    allow_lan: bool | None = None
    api_key: Secret | None = None
    problem: Literal["unreadable", "not-json", "too-large"] | None = None
    faults: tuple[Fault, ...] = ()

    @property
    def wants_key(self) -> bool | None:
        """Whether requests to the routes need a key with these settings; None where the file leaves it open.

        `auto` means off for loopback only, and all_except_health where the LAN may connect
        (facts/proxy-semantics.md §2).
        """
        if self.auth_mode == "auto":
            return self.allow_lan
        return {"off": False, "strict": True, "all_except_health": True}.get(self.auth_mode or "")
