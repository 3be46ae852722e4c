"""The pages that are written from the knowledge: docs/findings.md and docs/base-urls.md.

They hold the same data and words as `agdoctor explain` and `agdoctor recommend`; nothing is said here that is not
known there.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from antigravity_doctor.diagnosis.recommending import Recommendation, Setting, recommend
from antigravity_doctor.diagnosis.urls import DEFAULT_ORIGIN
from antigravity_doctor.knowledge.clients import Client, all_clients
from antigravity_doctor.knowledge.routes import table_for
from antigravity_doctor.knowledge.texts import GROUPS, Code, all_codes, finding_text, phrase
from antigravity_doctor.reports.explain_code import example_command
from antigravity_doctor.reports.recommend import versions_text
from antigravity_doctor.reports.words import protocol_name

GENERATED = "<!-- Written by `python docs/build.py` from the knowledge: change that, not this page. -->"

_COMMAND = re.compile(
    r"(?<![`\w])(agdoctor [a-z][a-z-]*(?: (?:--?[a-z-]+|[A-Z]+\d*|\d[\w.]*|host\.docker\.internal))*)"
)
"""A command in the words of a finding, as far as its options go."""

_GROUP_TITLES = {
    "1xx-reach": "1xx: reaching the proxy",
    "2xx-auth": "2xx: the key",
    "3xx-path": "3xx: the path",
    "4xx-endpoint": "4xx: the endpoint",
    "5xx-settings": "5xx: the client's settings",
    "6xx-noise": "6xx: noise",
}


# --- findings.md ---------------------------------------------------------------------------------------------------


def findings_page() -> str:
    """One section a finding code; the anchor is the code in lower case. Console blocks are still without output."""
    codes = all_codes()
    lines = [
        GENERATED,
        "# Finding codes",
        "",
        "Every finding of agdoctor has a code. A code never changes its meaning and is never used again for something",
        "else. `agdoctor explain AGD301` prints what stands here; `agdoctor explain --all` lists the codes.",
        "",
        "**error**: it does not work like this · **warning**: it may not work · **note**: worth knowing.",
        "",
        "| code | | what it says |",
        "|---|---|---|",
    ]
    for each in codes:
        severity = phrase("severity-" + each.severity)
        title = _cell(finding_text(each.code, "title"))
        lines.append(f"| [{each.code}](#{each.code.lower()}) | {severity} | {title} |")
    for group in GROUPS:
        lines += ["", f"## {_GROUP_TITLES[group]}"]
        for each in codes:
            if each.group == group:
                lines += _code_section(each)
    return "\n".join(lines) + "\n"


def _code_section(entry: Code) -> list[str]:
    said = {part: _prose(finding_text(entry.code, part)) for part in ("title", "symptom", "cause", "fix")}
    lines = [
        "",
        f"### {entry.code}",
        "",
        f"**{said['title']}** · `{entry.name}` · {phrase('severity-' + entry.severity)}",
        "",
        f"- {phrase('part-symptom')}: {said['symptom']}",
        f"- {phrase('part-cause')}: {said['cause']}",
        f"- {phrase('part-fix')}: {said['fix']}",
    ]
    command = example_command(entry)
    if command is None:
        return lines
    if entry.example["kind"] == "explain-path":
        return [*lines, "", "```console", f"$ {command}", "```"]
    staged = _staged(entry.example)
    if staged is None:
        return [*lines, f"- To find out: `{command}`"]
    return [*lines, "", "To see it without a proxy:", "", "```sh", *staged, command, "```"]


def _staged(example: Mapping[str, Any]) -> list[str] | None:
    """What comes before the command: the variables that matter, the stand-in. None if the stand-in cannot do it."""
    lines = [f"export {name}={shlex.quote(_port(value))}" for name, value in example.get("environment", {}).items()]
    server = example.get("server", {})
    options: dict[str, Callable[[Any], list[str]]] = {
        "version": lambda value: [] if value == "4.5.8" else ["--as", value],
        "auth": lambda value: ["--auth", value],
        "web_ui": lambda value: ["--web-ui"] if value else [],
        "running": lambda value: [] if value else ["--disabled"],
        "mcp_on": lambda value: ["--mcp"] if value else [],
    }
    if not server or not set(server) <= set(options) or "also" in example or "settings" in example:
        return None
    words = [word for name, value in server.items() for word in options[name](value)]
    return [*lines, " ".join(["agdoctor stand-in --port 8045", *words, "--quiet &"])]


def _port(value: object) -> str:
    return str(value).replace("{port}", "8045")


# --- base-urls.md --------------------------------------------------------------------------------------------------


def base_urls_page() -> str:
    """The right base URL of every client and mode for the newest proxy version, with where each is known from."""
    table = table_for()
    found = {client: recommend(client, table, DEFAULT_ORIGIN) for client in all_clients()}
    lines = [
        GENERATED,
        "# Base URL for every client",
        "",
        f"For Antigravity Tools {table.version} on `{DEFAULT_ORIGIN}`. If your proxy has another host or port, change",
        "only that part: the path behind it stays. No value here is looked up: agdoctor solves each from what the",
        "client appends and what the proxy serves, and proves it by joining the two ([how](algebra.md)).",
        "",
        "For one client, with what to type and to copy: `agdoctor recommend --client NAME --port 8045`.",
        "",
        "**measured**: the client was run, and what it requested was recorded. **cited**: read from its source or its",
        "documentation.",
        "",
        "| client | choose | base URL | set it in | known |",
        "|---|---|---|---|---|",
    ]
    for client, every in found.items():
        best = every[0]
        choose = f"{_cell(best.mode.name)} ({protocol_name(best.mode.protocol)})"
        cells = [f"[{_cell(client.name)}](#{client.id})", choose, _url(best), _where(best.settings[:1]), _known(best)]
        lines.append("| " + " | ".join(cells) + " |")
    for client, every in found.items():
        lines += _client_section(client, every)
    return "\n".join(lines) + "\n"


def _client_section(client: Client, found: Sequence[Recommendation]) -> list[str]:
    lines = [
        "",
        f'<a id="{client.id}"></a>',
        "",
        f"## {client.name}",
        "",
        f"`agdoctor recommend --client {client.id}`",
        "",
        "| mode | speaks | versions of the client | base URL | set it in | known |",
        "|---|---|---|---|---|---|",
    ]
    notes: dict[str, list[str]] = {}
    modes = []
    for each in found:
        name = f"**{_cell(each.mode.name)}**" if each.mode.preferred else _cell(each.mode.name)
        versions = re.sub(r"^for versions? ", "", versions_text(each.mode))
        modes.append(_cell(each.mode.name) + (f", {versions}" if versions else ""))
        cells = [
            name,
            protocol_name(each.mode.protocol),
            versions or "all",
            _url(each),
            _where((*each.settings, *each.also)),
            _known(each),
        ]
        lines.append("| " + " | ".join(cells) + " |")
        for note in dict.fromkeys(_notes(each)):
            notes.setdefault(note, []).append(modes[-1])
    lines.append("")
    groups: dict[tuple[str, ...], list[str]] = {}
    for note, where in notes.items():
        groups.setdefault(tuple(where), []).append(note)
    for some, said in groups.items():
        if len(some) == len(modes):
            lines += [f"- {note}" for note in said]
            continue
        # A note about some of the modes says about which, in as few words as will do.
        others = [mode for mode in modes if mode not in some]
        label = "; ".join(some) if len(some) <= len(others) else f"All but {'; '.join(others)}"
        lines += [f"- *{label}*:", *(f"  - {note}" for note in said)]
    sources = dict.fromkeys(str(each.mode.raw["provenance"]["source"]) for each in found)
    return [*lines, *(f"- From: {_prose(source)}" for source in sources)]


def _notes(found: Recommendation) -> list[str]:
    """The warnings of a mode, and the settings that look right and are not read."""
    reasons: dict[str, list[str]] = {}
    for setting, because in found.ignored:
        reasons.setdefault(because, []).append(f"`{setting}`")
    ignored = [f"without effect ({_prose(because)}): {', '.join(names)}." for because, names in reasons.items()]
    return [*map(_prose, found.warnings), *ignored]


def _url(found: Recommendation) -> str:
    if found.finding is None:
        return f"`{found.base_url}`"
    code = found.finding.code
    return f"none works ([{code}](findings.md#{code.lower()}))"


def _where(settings: Iterable[Setting]) -> str:
    said = []
    for each in settings:
        name = f"{phrase('setting-' + each.kind)} `{each.name}`"
        if each.value and not each.value.startswith(DEFAULT_ORIGIN):
            name += f" = `{each.value}`"
        said.append(name + (f" ({_cell(each.where)})" if each.where else ""))
    return "<br>".join(said)


def _known(found: Recommendation) -> str:
    provenance = found.mode.raw["provenance"]
    version = provenance.get("version")
    words = [phrase("kind-" + provenance["kind"]), f"{_cell(version)}," if version else "", provenance["date"]]
    return " ".join(word for word in words if word)


# --- Markdown ------------------------------------------------------------------------------------------------------


def _prose(text: str) -> str:
    """Words of the knowledge as Markdown: paths and variables keep their characters, and commands look like such."""
    out = []
    for index, piece in enumerate(re.split(r"(`[^`]*`)", text)):
        if index % 2:
            out.append(piece)
            continue
        parts = re.split(r"(`[^`]*`)", _COMMAND.sub(r"`\1`", piece))
        out += [part if i % 2 else _escaped(part) for i, part in enumerate(parts)]
    return "".join(out)


def _escaped(text: str) -> str:
    """Characters that Markdown acts on, escaped; an underscore inside a word is none."""
    return re.sub(r"([\\*<>\[\]]|\b_|_\b)", r"\\\1", text)


def _cell(text: object) -> str:
    return _prose(str(text)).replace("|", "\\|").replace("\n", " ")
