"""What to type for a client: every mode solved and proved, best first. (client + table -> settings)"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from antigravity_doctor.diagnosis.fixing import appended
from antigravity_doctor.diagnosis.joining import rule_of, run
from antigravity_doctor.diagnosis.model import Finding, Fix, Severity
from antigravity_doctor.diagnosis.secrets import redact
from antigravity_doctor.diagnosis.simulating import PLACEHOLDERS, Simulation, fill, simulate
from antigravity_doctor.diagnosis.solving import solve
from antigravity_doctor.diagnosis.urls import host_and_port, is_private_host, split_url
from antigravity_doctor.knowledge.clients import Client, Mode
from antigravity_doctor.knowledge.routes import RouteTable

KEY_PLACEHOLDER = "YOUR_PROXY_KEY"
"""What stands for the proxy's key in everything that can be copied; the key itself is never shown."""


class Setting(NamedTuple):
    """One place where a value is typed. kind: env, file, ui or argument; `where` is the file, page or call."""

    kind: str
    name: str
    value: str
    where: str | None


class Recommendation(NamedTuple):
    """One mode's answer. `finding` says why it does not work: no base URL does (AGD410, `base_url` is ""), or only one
    with a public address (AGD506, `base_url` has the right path). `proof` proves that every required request lands.

    `settings` are the alternatives for the base URL, the one that wins first; `also` are needed as well; `key` says
    where the proxy's key goes; `ignored` look right and have no effect (name -> why).
    """

    mode: Mode
    base_url: str
    settings: tuple[Setting, ...]
    also: tuple[Setting, ...]
    key: tuple[Setting, ...]
    ignored: tuple[tuple[str, str], ...]
    proof: Simulation | None
    finding: Finding | None
    snippet: str | None
    warnings: tuple[str, ...]

    @property
    def works(self) -> bool:
        """True if there is a base URL to type."""
        return self.finding is None or self.finding.severity != "error"


def recommend(
    client: Client, table: RouteTable, origin: str, protocol: str | None = None
) -> tuple[Recommendation, ...]:
    """Every mode of the client (of one protocol, if given), what works before what does not, the preferred first, what
    holds for current versions of the client before what held for older ones."""
    found = [
        _for_mode(client, mode, table, origin) for mode in client.modes if protocol is None or mode.protocol == protocol
    ]
    return tuple(sorted(found, key=_rank))


def _rank(each: Recommendation) -> tuple[bool, bool, bool]:
    return not each.works, not each.mode.preferred, each.mode.versions[1] is not None


def _for_mode(client: Client, mode: Mode, table: RouteTable, origin: str) -> Recommendation:
    solutions = solve(mode, table)
    raw = mode.raw
    warnings = tuple(raw.get("warnings", ()))
    ignored = tuple((each["name"], each["because"]) for each in raw.get("ignored", ()))
    if not solutions:
        facts = {"client": client.name, "mode": mode.name}
        finding = Finding("AGD410", "error", 1.0, facts)
        return Recommendation(mode, "", (), (), (), ignored, None, finding, None, warnings)
    # A warning here: where the proxy is published is for the user to say (--url), the path holds anyway.
    unreachable = _unreachable(client, mode, origin, "warning")
    base_url = origin + solutions[0].base_path
    values = {"base_url": base_url, "key": KEY_PLACEHOLDER, "model": PLACEHOLDERS["{model}"], "origin": origin}
    snippet = raw.get("snippet")
    return Recommendation(
        mode=mode,
        base_url=base_url,
        settings=tuple(
            sorted(_settings(raw.get("settings", ()), values, "{base_url}"), key=_for_once(client, base_url))
        ),
        also=_settings(raw.get("also", ()), values, ""),
        key=_settings(raw.get("key", {}).get("settings", ()), values, "{key}"),
        ignored=ignored,
        proof=simulate(mode, base_url, table),
        finding=unreachable,
        snippet=_fill(snippet["text"], values) if snippet else None,
        warnings=warnings,
    )


def _unreachable(client: Client, mode: Mode, origin: str, severity: Severity) -> Finding | None:
    """AGD506 for a client whose requests come from its maker's servers, and an origin that they cannot get to."""
    if mode.raw.get("reach") != "public" or not is_private_host(host_and_port(origin)[0]):
        return None
    return Finding("AGD506", severity, 1.0, {"client": client.name, "url": origin})


class Outcome(NamedTuple):
    """What one mode makes of a base URL, what is in the way besides the paths, and what to set instead."""

    simulation: Simulation
    fixes: tuple[Fix, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def works(self) -> bool:
        """True if every required request lands, and gets here at all."""
        return self.simulation.works and not self.findings


def completes(mode: Mode, typed: str) -> bool:
    """True if the client itself puts a scheme in front of this base URL, which has none."""
    if "://" in typed:
        return False
    return run(rule_of(mode), typed.strip(), fill(mode.requests[0].suffix)).startswith(("http://", "https://"))


def outcome(client: Client, mode: Mode, table: RouteTable, base_url: str, typed: str) -> Outcome:
    """What this mode makes of the base URL as it was `typed`; `base_url` is the same with a scheme in any case."""
    origin = split_url(base_url).origin
    host, port = host_and_port(origin)
    sent = typed.strip() if completes(mode, typed) else base_url
    simulation = simulate(mode, sent, table)
    findings = [each for each in (_unreachable(client, mode, origin, "error"),) if each is not None]
    made = simulation.requests[0].url
    encrypted = sent != base_url and made.startswith("https://") and is_private_host(host)
    if encrypted:
        facts = {"host": host, "port": str(port), "plain_url": redact(base_url), "made": redact(made)}
        findings.append(Finding("AGD105", "error", 0.9, facts))
    fixes = () if simulation.works and not encrypted else fixes_for(mode, table, origin, base_url)
    return Outcome(simulation, fixes, tuple(findings))


def _for_once(client: Client, base_url: str) -> Callable[[Setting], bool]:
    """Of a command line's settings, those that hold for one call only (an option, a variable that carries a whole
    configuration) come after those that stay, though they win: what is typed once is what users want to know."""
    return lambda each: client.kind == "cli" and (each.kind == "argument" or each.value != base_url)


def _settings(entries: Any, values: dict[str, str], default: str) -> tuple[Setting, ...]:
    return tuple(
        Setting(each["kind"], each["name"], _fill(str(each.get("value", default)), values), each.get("where"))
        for each in entries
    )


def _fill(text: str, values: dict[str, str]) -> str:
    """Fills the placeholders that are ours and leaves every other brace (JSON, TOML, JavaScript) alone."""
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def fixes_for(mode: Mode, table: RouteTable, origin: str, base_url: str) -> tuple[Fix, ...]:
    """The fixes for one mode whose base URL is known: exact, since client and base URL both are."""
    solutions = solve(mode, table)
    if not solutions:
        return ()
    base_path = solutions[0].base_path
    first = next(each for each in simulate(mode, origin + base_path, table).requests if each.required)
    return (
        Fix(
            base_url=origin + base_path,
            confidence=1.0,
            appends=appended(first.path, base_path),
            configured_base_url=base_url,
            resulting_path=first.path,
            route=first.route or "",
            clients=(mode.client,),
        ),
    )
