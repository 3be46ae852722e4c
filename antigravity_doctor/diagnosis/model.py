"""The result types: what the core says, as plain frozen values.

Nothing here has behaviour. The words for a finding are not here either: a finding carries its code and the *facts*
that its text needs, and `knowledge.texts` turns both into a sentence in a language.

They are named tuples, not dataclasses: both are frozen, and building a dataclass costs 0.7 ms of every start, which
is most of what `explain-path` may take (tests/benchmarks/README.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "info"]
Verdict = Literal[
    "routed", "misrouted", "wrong-method", "unsupported", "other-version", "not-a-path-problem", "no-request-found"
]
Status = Literal["pass", "warn", "fail", "skipped", "inconclusive"]


NO_FACTS: Mapping[str, str] = MappingProxyType({})


class Fix(NamedTuple):
    """One thing to type: the base URL, and the proof of what it leads to.

    `confidence` is 0..1 and says how sure it is that this is *the user's* case; that `base_url` routes for a client
    that appends `appends` is proved before a Fix is made.
    """

    base_url: str
    confidence: float
    appends: str
    configured_base_url: str | None
    resulting_path: str
    route: str
    clients: tuple[str, ...] = ()
    note: str | None = None


class Finding(NamedTuple):
    """One thing that is wrong (or worth knowing), by its stable code.

    `facts` are the values that the code's text has placeholders for. `evidence` are observed lines (already safe to
    keep, not yet safe to print: `reports` makes every text printable).
    """

    code: str
    severity: Severity
    confidence: float
    facts: Mapping[str, str] = NO_FACTS
    evidence: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()


class RequestTrace(NamedTuple):
    """A request that a probe made, and what came back. `curl` and `powershell` repeat it; they never hold a key."""

    method: str
    url: str
    status: int | None
    elapsed_ms: float | None
    curl: str
    powershell: str


class CheckResult(NamedTuple):
    """The outcome of one check. `because` is set for `skipped` and `inconclusive`, as the key of a reason text.

    `id` is the key of the check's texts (title, one summary a status); `facts` fill their placeholders.
    """

    id: str
    stage: Literal["reach", "identity", "auth", "routes", "client"]
    status: Status
    because: str | None = None
    facts: Mapping[str, str] = NO_FACTS
    findings: tuple[Finding, ...] = ()
    requests: tuple[RequestTrace, ...] = ()


class CheckReport(NamedTuple):
    """All of a `check` run. `served_by` and `auth` are what was *observed*, "unknown" where nothing settles it."""

    url: str
    proxy_version: str | None
    served_by: Literal["desktop", "web-ui", "unknown"]
    auth: Literal["off", "on", "unknown"]
    checks: tuple[CheckResult, ...]
    unreachable: bool = False
