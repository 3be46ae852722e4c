"""The terminal reports of `recommend` and `simulate`: what to type, where, and the proof that it lands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from antigravity_doctor.diagnosis.recommending import Outcome, Recommendation, Setting
from antigravity_doctor.knowledge.clients import Client, Mode
from antigravity_doctor.knowledge.texts import finding_text, phrase
from antigravity_doctor.reports.paint import Line, Span, columns, fitted_columns, line_width, wrap
from antigravity_doctor.reports.words import protocol_name, safe_facts


def recommendation_lines(
    client: Client, found: Sequence[Recommendation], width: int, protocol: str | None, *, every: bool = False
) -> list[Line]:
    """One client: its best mode in full (for every version range of the client), the other modes a line each.

    `every` shows all of them in full.
    """
    lines: list[Line] = [[]]
    lines.extend(wrap([(phrase("recommend-for", {"name": client.name}), "bold")], width, "  "))
    if not found:
        said = phrase("recommend-no-protocol", {"name": client.name, "protocol": protocol_name(protocol or "")})
        return [*lines, [], *wrap([(said, "")], width, "    "), []]
    best = found[0]
    # The same setting of other client versions belongs to the answer: the user's version decides which one holds.
    full = [each for each in found if every or _siblings(each.mode, best.mode)]
    for group in _same_answers(full) if not every else [[each] for each in full]:
        lines.append([])
        lines.extend(_mode_lines(group[0], width, versions=_versions_of([each.mode for each in group])))
        if any(each.warnings != group[0].warnings for each in group):
            facts = {"versions": versions_text(group[0].mode), "id": client.id}
            lines.extend(wrap([(phrase("recommend-notes-for", facts), "dim")], width, "    ", "      "))
    others = [each for each in found if each not in full]
    if others:
        lines += [[], [("  ", ""), (phrase("recommend-other-modes", {"name": client.name}), "bold")]]
        rows: list[list[Span]] = []
        for group in _same_lines(others):
            each = group[0]
            url: Span = (each.base_url, "value") if each.works else (phrase("recommend-none-short"), "bad")
            mark: Span = ("✓", "good") if each.works else ("✗", "bad")
            name = _name(each.mode, _versions_of([one.mode for one in group]))
            if each.works and _key_is_never_read(each.mode):
                mark, name = ("!", "warn"), f"{name}, {phrase('recommend-no-key')}"
            rows.append([mark, url, (name, "")])
        lines.extend(fitted_columns(rows, width, "    ", " "))
        lines.extend(wrap([(phrase("recommend-more-modes", {"id": client.id}), "dim")], width, "    "))
    lines.append([])
    return lines


def _same_answers(found: Sequence[Recommendation]) -> list[list[Recommendation]]:
    """Versions of a client that want the very same thing typed, together: two answers only where they differ."""
    groups: dict[object, list[Recommendation]] = {}
    for each in found:
        typed = tuple((setting.kind, setting.name, setting.value) for setting in (*each.settings[:1], *each.also))
        groups.setdefault((each.base_url, typed, each.snippet), []).append(each)
    return list(groups.values())


def _same_lines(found: Sequence[Recommendation]) -> list[list[Recommendation]]:
    """Versions of a mode that want the same base URL, together."""
    groups: dict[object, list[Recommendation]] = {}
    for each in found:
        key = each.mode.name, each.mode.protocol, each.base_url, _key_is_never_read(each.mode)
        groups.setdefault(key, []).append(each)
    return list(groups.values())


def _versions_of(modes: Sequence[Mode]) -> str:
    """For which client versions a group of modes holds, "" for all. Neighbouring ranges are one."""
    ranges: list[tuple[str | None, str | None]] = []
    for since, below in dict.fromkeys(each.versions for each in modes):
        before = next((each for each in ranges if each[1] is not None and each[1] == since), None)
        after = next((each for each in ranges if each[0] is not None and each[0] == below), None)
        ranges = [each for each in ranges if each not in (before, after)]
        ranges.append((before[0] if before else since, after[1] if after else below))
    return ", ".join(_versions_text(*each) for each in ranges)


def _siblings(one: Mode, other: Mode) -> bool:
    return one is other or (one.name == other.name and one.versions != other.versions)


def heading(mode: Mode) -> list[Span]:
    """A mode's name, and its protocol where the name does not say it."""
    name: list[Span] = [(mode.name, "bold")]
    protocol = protocol_name(mode.protocol)
    # As a word of its own: the name of a class (ChatOpenAI) or a package (@ai-sdk/anthropic) says something else.
    if re.search(rf"(?<![\w/@.-]){re.escape(protocol)}(?!\w)", mode.name, re.IGNORECASE):
        return name
    return [*name, (" · ", "dim"), (protocol, "note")]


def _name(mode: Mode, versions: str) -> str:
    protocol = protocol_name(mode.protocol)
    name = mode.name if protocol.lower() in mode.name.lower() else f"{mode.name} ({protocol})"
    return name + (f", {versions}" if versions else "")


def _key_is_never_read(mode: Mode) -> bool:
    """True for a mode that sends its key only in the query, where no version of the proxy looks."""
    return str(mode.raw.get("key", {}).get("header", "")).startswith("query:")


def _mode_lines(found: Recommendation, width: int, versions: str) -> list[Line]:
    mode = found.mode
    head = heading(mode)
    if versions:
        head += [(" · ", "dim"), (versions, "")]
    if mode.preferred and found.finding is None:
        head += [(" · ", "dim"), (phrase("recommend-preferred"), "good")]
    lines: list[Line] = [*wrap(head, width, "  ", "    ")]
    if found.finding is not None:
        said = finding_text(found.finding.code, "summary", found.finding.facts)
        mark: Span = ("! ", "warn") if found.works else ("✗ ", "bad")
        lines.extend(wrap([mark, (f"{found.finding.code} ", "code"), (said, "")], width, "    ", "      "))
        if not found.works:
            lines.extend(_notes(found, width))
            return lines
    lines.append([("    ", ""), (phrase("recommend-base-url"), ""), ("  ", ""), (found.base_url, "value")])
    for index, setting in enumerate(found.settings):
        lead = phrase("recommend-type-it" if index == 0 else "recommend-or")
        lines.extend(_setting(lead, setting, width, show_value=setting.value != found.base_url))
    for setting in found.also:
        lines.extend(_setting(phrase("recommend-also"), setting, width, show_value=True))
    for index, setting in enumerate(_key_places(found)):
        lead = phrase("recommend-key" if index == 0 else "recommend-or")
        lines.extend(_setting(lead, setting, width, show_value=False))
    if found.proof is not None:
        lines.append([("    ", ""), (phrase("recommend-proof"), "dim")])
        landed = [each for each in found.proof.requests if each.verdict == "routed"]
        missed = [each for each in found.proof.requests if each.verdict != "routed"]
        for request in landed:
            style = "" if request.required else "dim"
            lines.append([("      ", ""), ("✓", "good"), (" ", ""), (f"{request.method} {request.path}", style)])
        if missed:
            said = ", ".join(f"{each.method} {each.path}" for each in missed)
            not_served = f"{phrase('recommend-not-served')} {said}"
            lines.extend(wrap([("– ", "dim"), (not_served, "dim")], width, "      ", "        "))
    lines.extend(_copy_lines(found))
    lines.extend(_notes(found, width))
    return lines


def _key_places(found: Recommendation) -> tuple[Setting, ...]:
    """Where the key is typed: beside a field of a page its variable, if there is one, as some keep keys in those."""
    if not found.key or found.key[0].kind != "ui":
        return found.key[:1]
    return (found.key[0], *[each for each in found.key[1:] if each.kind == "env"][:1])


def _setting(lead: str, setting: Setting, width: int, *, show_value: bool) -> list[Line]:
    spans: list[Span] = [
        (lead, ""),
        (" ", ""),
        (phrase("setting-" + setting.kind), ""),
        (" ", ""),
        (setting.name, "value"),
    ]
    if show_value:
        spans += [(" = ", ""), (setting.value, "value")]
    if setting.where:
        key = "recommend-note" if setting.kind == "env" else "recommend-in"
        spans += [(" ", ""), (phrase(key, {"where": setting.where}), "")]
    return [*wrap(spans, width, "    ", "      ")]


def _copy_lines(found: Recommendation) -> list[Line]:
    """What can be copied: the variables for POSIX shells and PowerShell, and the excerpt of a file or program."""
    lines: list[Line] = []
    by_variable = [each for each in found.settings if each.kind == "env"][:1]
    variables = [each for each in (*by_variable, *found.also, *found.key[:1]) if each.kind == "env"]
    # A file may beat the variable; where the excerpt sets variables all the same, both kinds of shell get theirs.
    exports = found.snippet is not None and found.snippet.startswith("export ")
    if by_variable and (found.settings[0].kind == "env" or exports):
        lines.append([("    ", ""), (phrase("recommend-posix"), "dim")])
        lines += [[("      ", ""), (line, "")] for line in posix_lines(variables)]
        lines.append([("    ", ""), (phrase("recommend-powershell"), "dim")])
        lines += [[("      ", ""), (line, "")] for line in powershell_lines(variables)]
    if found.snippet and not (lines and exports):
        lines.append([("    ", ""), (phrase("recommend-copy"), "dim")])
        lines += [[("      ", ""), (line, "")] if line else [] for line in found.snippet.rstrip("\n").split("\n")]
    return lines


def posix_lines(variables: Iterable[Setting]) -> list[str]:
    """`export NAME='value'` for sh, bash and zsh."""
    return [f"export {each.name}='" + each.value.replace("'", "'\\''") + "'" for each in variables]


def powershell_lines(variables: Iterable[Setting]) -> list[str]:
    """`$env:NAME = 'value'` for PowerShell."""
    return [f"$env:{each.name} = '" + each.value.replace("'", "''") + "'" for each in variables]


def _notes(found: Recommendation, width: int) -> list[Line]:
    lines: list[Line] = []
    for warning in found.warnings:
        lines.extend(wrap([("! ", "warn"), (warning, "")], width, "    ", "      "))
    by_reason: dict[str, list[str]] = {}
    for name, because in found.ignored:
        by_reason.setdefault(because, []).append(name)
    for because, names in by_reason.items():
        said = phrase("recommend-ignored", {"because": because})
        spans: list[Span] = [("! ", "warn"), (said, ""), (" ", ""), (", ".join(names), "value")]
        lines.extend(wrap(spans, width, "    ", "      "))
    provenance = found.mode.raw.get("provenance", {})
    if provenance:
        facts = {name: str(provenance.get(name) or "") for name in ("version", "date", "source")}
        key = "recommend-provenance-" + str(provenance["kind"])
        lines.extend(wrap([(phrase(key, facts), "dim")], width, "    ", "      "))
    return lines


def versions_text(mode: Mode) -> str:
    """For which versions of the client a mode holds, "" for all."""
    return _versions_text(*mode.versions)


def _versions_text(since: str | None, below: str | None) -> str:
    if since and below:
        return phrase("recommend-versions-both", {"from": since, "below": below})
    if since:
        return phrase("recommend-versions-from", {"from": since})
    return phrase("recommend-versions-below", {"below": below}) if below else ""


def overview_lines(found: Mapping[Client, Sequence[Recommendation]], width: int) -> list[Line]:
    """A line a client: its best mode and base URL."""
    rows: list[list[Span]] = []
    for client, each in sorted(found.items(), key=lambda pair: pair[0].id):
        if not each:
            continue
        best = each[0]
        url = (best.base_url, "value") if best.works else ("–", "dim")
        rows.append([(client.id, "bold"), url, (protocol_name(best.mode.protocol), "note"), (best.mode.name, "dim")])
    lines: list[Line] = []
    for most in (4, 3, 2):
        lines = [[], *columns([row[:most] for row in rows], "  "), []]
        if max(map(line_width, lines)) <= width:
            break
    return [*lines, *wrap([(phrase("recommend-more"), "dim")], width, "  "), []]


def simulation_lines(client: Client, base_url: str, found: Sequence[Outcome], width: int) -> list[Line]:
    """Every mode: what it would request with this base URL, whether each lands, and what to set instead."""
    title = phrase("simulate-for", {"name": client.name, "base_url": base_url})
    lines: list[Line] = [[], *wrap([(title, "bold")], width, "  ")]
    for group in _same_outcomes(found):
        simulation, mode, works = group[0].simulation, group[0].simulation.mode, group[0].works
        no_key = works and _key_is_never_read(mode)
        symbol: Span = ("!", "warn") if no_key else ("✓", "good") if works else ("✗", "bad")
        verdict = phrase("simulate-no-key" if no_key else "simulate-works" if works else "simulate-fails")
        versions = _versions_of([each.simulation.mode for each in group])
        head: list[Span] = [symbol, (" ", ""), (mode.name, "bold")]
        if versions:
            head.append((f", {versions},", "dim"))
        head.append((f" {verdict}", ""))
        lines += [[], *wrap(head, width, "  ", "    ")]
        rows: list[list[Span]] = []
        for each in simulation.requests:
            good = each.verdict == "routed"
            notes = [] if good else [phrase("simulate-" + each.verdict)]
            notes += [] if each.required else [phrase("simulate-optional")]
            mark: Span = ("✓", "good") if good else ("✗", "bad") if each.required else ("–", "dim")
            rows.append([mark, (f"{each.method} {each.path}", ""), (", ".join(notes), "dim")])
        lines += fitted_columns(rows, width, "      ", " ")
        for finding in group[0].findings:
            facts = safe_facts(finding)
            if "made" in facts:
                lines.extend(wrap([(phrase("simulate-made", facts), "")], width, "      "))
            said = finding_text(finding.code, "summary", facts)
            lines.extend(wrap([(f"{finding.code} ", "code"), (said, "")], width, "      "))
        for fix in group[0].fixes:
            lines.extend(wrap([(phrase("set"), ""), (" ", ""), (fix.base_url, "value")], width, "      "))
        if not simulation.works and not group[0].fixes:
            said = finding_text("AGD410", "summary", {"client": client.name, "mode": mode.name})
            lines.extend(wrap([("AGD410 ", "code"), (said, "")], width, "      "))
    return [*lines, []]


def _same_outcomes(found: Sequence[Outcome]) -> list[list[Outcome]]:
    """The versions of a mode that request the same and need the same, together."""
    groups: list[list[Outcome]] = []
    for each in found:
        if groups and _comes_to(groups[-1][0]) == _comes_to(each):
            groups[-1].append(each)
        else:
            groups.append([each])
    return groups


def _comes_to(each: Outcome) -> tuple[object, ...]:
    """What a report says of an outcome, but for the versions."""
    codes = [finding.code for finding in each.findings]
    return each.simulation.mode.name, each.simulation.requests, [fix.base_url for fix in each.fixes], codes
