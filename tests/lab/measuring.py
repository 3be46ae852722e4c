"""Measures one version of one client: every mode, setting and base path, and what the client says when it is refused.

What is written (one JSON object a version, see `tests/data/measurements/README.md`) is what was *observed*. Nothing of
the catalogue is read here; `comparing.py` sets the two side by side.
"""

from __future__ import annotations

import datetime
import itertools
import json
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from antigravity_doctor.diagnosis.matching import allows, match
from antigravity_doctor.knowledge.routes import table_for
from tests.lab.frame import FEW, KEY, Mode, Setting, Subject
from tests.lab.installing import Installed, underneath
from tests.lab.isolate import World
from tests.lab.running import Worker, run_program
from tests.lab.watching import Answers, Sent, Watch

REFUSALS: tuple[Answers, ...] = ("empty-404", "empty-405", "html")
SAID = re.compile(r"Hello\s+from\s+the\s+stand-in")
"""What the stand-in's models say: a client that shows it has understood the answer."""

_COMMON = """
host connection content-length content-type accept accept-encoding accept-language user-agent transfer-encoding
authorization x-api-key x-goog-api-key api-key cache-control pragma sec-fetch-mode upgrade
"""
COMMON = frozenset(_COMMON.split())
"""Headers that tell nothing about who sent them."""

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,16}\b")
"""Where an object lies in memory: another place in each run."""
_PATIENCE = 12.0
"""Seconds that a client goes on after it turned to the world instead of the recorder."""


class Row(NamedTuple):
    """One run or call. `requests` are the different ones, in order, as [method, raw target, header that carried a key];
    `hosts` are those of the world that were connected to; `error` is None if the client was content."""

    mode: str
    call: str
    setting: str
    base: str
    answers: Answers
    requests: list[list[str | None]]
    hosts: list[str]
    error: str | None


class NoEffectError(Exception):
    """A mode's first setting brought no request: the definition or the installation is wrong, nothing is measured."""


class Laboratory:
    """One installed client, the recorder, and the rest of the world."""

    def __init__(self, subject: Subject, installed: Installed, watch: Watch, world: World) -> None:
        self.subject = subject
        self._installed = installed
        self._watch = watch
        self._world = world
        self.user_agents: set[str] = set()
        self.headers: dict[str, set[str]] = {}
        self.modes = [mode for mode in subject.modes if mode.exists_in(installed.version)]

    def measure(self) -> dict[str, Any]:
        rows: list[Row] = []
        keys: dict[str, dict[str, str | None]] = {}
        wins: list[list[str]] = []
        for mode in self.modes:
            found = self._mode(mode)
            rows += found
            keys[mode.id] = self._keys(mode)
            wins += self._wins(mode, found)
        return {
            "version": self._installed.version,
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "platform": f"{platform.system()} {platform.machine()}".lower(),
            "runtime": self._runtime(),
            "also_install": list(self.subject.also_install),
            "with": underneath(self.subject, self._installed),
            "models": {mode.id: mode.model for mode in self.modes},
            "not_driven": {mode.id: list(mode.not_driven) for mode in self.modes if mode.not_driven},
            "user_agents": sorted(self.user_agents),
            "headers": {mode: sorted(names) for mode, names in self.headers.items()},
            "keys": keys,
            "wins": wins,
            "rows": [list(row) for row in rows],
        }

    def _runtime(self) -> str:
        if self.subject.registry == "pypi":
            return f"python {platform.python_version()}"
        return "node " + subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()

    # --- what is measured -------------------------------------------------------------------------------------------

    def _mode(self, mode: Mode) -> list[Row]:
        main, *others = mode.settings
        bases = [*mode.bases, *([mode.endpoint] if mode.endpoint else [])]
        plan: list[tuple[Setting, str, Sequence[str]]] = [(main, mode.calls[0], bases)]
        plan += [(main, call, FEW) for call in mode.calls[1:]]
        rows = self._rows(mode, plan, "any")
        if not any(row.requests for row in rows):
            raise NoEffectError(f"mode {mode.id}: the first setting, {main.id}, has no effect: {rows[0].error}")
        for setting in others:
            found = self._rows(mode, [(setting, mode.calls[0], ("/v1",))], "any")
            if found[0].requests:
                more = [base for base in FEW if base != "/v1"]
                found += self._rows(mode, [(setting, mode.calls[0], more)], "any")
            rows += found
        landing = [row for row in rows if row.requests and lands(row.requests)]
        again: dict[tuple[str, str], list[str]] = {}
        for row in landing:
            again.setdefault((row.setting, row.call), []).append(row.base)
        settings = {setting.id: setting for setting in mode.settings}
        plan = [
            (settings[setting], call, bases if setting == main.id else bases[:1])
            for (setting, call), bases in again.items()
        ]
        rows += self._rows(mode, plan, "proxy")
        for answers in REFUSALS:
            rows += self._rows(mode, [(main, call, ("",)) for call in mode.calls], answers)
        return rows

    def _keys(self, mode: Mode) -> dict[str, str | None]:
        """Variable -> the header in which the key came, None where the variable is not read."""
        found: dict[str, str | None] = {}
        for name in mode.keys:
            kept = {each: value for each, value in mode.env.items() if each not in mode.keys}
            alone = _with(mode, env={**kept, name: "{key}"})
            self._try(alone, mode.calls[0], [(mode.settings[0], "/v1")], "any", key=None)
            # The key that was planted: some clients send one of their own making where they have none.
            found[name] = next(iter(self._watch.planted), None)
        return found

    def _wins(self, mode: Mode, rows: Iterable[Row]) -> list[list[str]]:
        """[mode, setting, setting that it beats] for all pairs of settings that have an effect and can be combined."""
        effective = {row.setting for row in rows if row.requests}
        settings = [setting for setting in mode.settings if setting.id in effective]
        wins = []
        for one, other in itertools.combinations(settings[:5], 2):
            if set(one.files) & set(other.files) or {*one.env} & {*other.env} or (one.argv and other.argv):
                continue
            sent, _, _ = self._try(mode, mode.calls[0], [(one, "/one"), (other, "/other")], "any")
            first = next((each.target for each in sent if each.target.startswith(("/one", "/other"))), None)
            if first is not None:
                order = (one, other) if first.startswith("/one") else (other, one)
                wins.append([mode.id, order[0].id, order[1].id])
        return wins

    # --- how ----------------------------------------------------------------------------------------------------------

    def _rows(self, mode: Mode, plan: Iterable[tuple[Setting, str, Sequence[str]]], answers: Answers) -> list[Row]:
        rows = []
        worker: Worker | None = None
        self._watch.answer(answers)
        try:
            for setting, call, bases in plan:
                for base in bases:
                    if worker is not None and (setting.kind != "argument" or not worker.alive):
                        worker.close()
                        worker = None
                    if self.subject.program is None and worker is None:
                        worker = self._worker(mode, [(setting, base)])
                    sent, hosts, error = self._try(mode, call, [(setting, base)], answers, worker=worker)
                    rows.append(Row(mode.id, call, setting.id, base, answers, distinct(sent), hosts, error))
                    self._note(mode, sent)
        finally:
            if worker is not None:
                worker.close()
        self._say(f"{mode.id}: {answers}: {len(rows)} runs")
        return rows

    def _worker(self, mode: Mode, settings: Sequence[tuple[Setting, str]]) -> Worker:
        combined, origin = _combined(mode, settings, self._watch.origin)
        return Worker(self.subject, self._installed, combined, None, origin)

    def _try(
        self,
        mode: Mode,
        call: str,
        settings: Sequence[tuple[Setting, str]],
        answers: Answers,
        *,
        key: str | None = KEY,
        worker: Worker | None = None,
    ) -> tuple[list[Sent], list[str], str | None]:
        """One run or call with these settings, each with its base path."""
        self._watch.answer(answers)
        self._watch.take()
        self._world.take()
        if self.subject.program is not None:
            error = self._program(mode, settings, answers)
        else:
            own = worker if worker is not None else self._worker(mode, settings)
            given = {one.name: self._watch.origin + base for one, base in settings if one.kind == "argument"}
            options = {name: value for one, _ in settings for name, value in one.options.items()}
            error = own.call(call, given, key, mode, options)
            if worker is None:
                own.close()
        sent = self._watch.take()
        return sent, self._world.take(), self._clean(error, settings)

    def _program(self, mode: Mode, settings: Sequence[tuple[Setting, str]], answers: Answers) -> str | None:
        combined, origin = _combined(mode, settings, self._watch.origin)
        asked_world: list[float] = []

        def enough() -> bool:
            if self._watch.count() or not (asked_world or self._world.waiting()):
                return False
            asked_world.append(time.monotonic())
            return asked_world[-1] - asked_world[0] > _PATIENCE

        empty = Setting("argument", "-")
        ran = run_program(self.subject, self._installed, combined, empty, origin, enough)
        if ran.code == 0 and (answers == "any" or (answers == "proxy" and SAID.search(ran.output))):
            return None
        lines = [
            line.rstrip() for line in ran.output.splitlines() if line.strip() and not line.strip().startswith("at ")
        ]
        ended = "stopped" if ran.code is None else f"exit code {ran.code}"
        return f"{ended}: " + "\n".join(lines)[-650:]

    def _clean(self, error: str | None, settings: Sequence[tuple[Setting, str]]) -> str | None:
        if error is None:
            return None
        for base in [base for _, base in settings if base.strip("/")]:
            error = error.replace(self._watch.origin + base, "{base_url}")
        origin = self._watch.origin
        error = error.replace(origin, "{origin}").replace(origin[7:], "{host}").replace(KEY, "{key}")
        error = error.replace(str(self._installed.folder), "{client}").replace(sys.base_prefix, "{python}")
        error = _ADDRESS.sub("0x…", error)
        return _UUID.sub("{uuid}", error.split("\nTraceback (most recent")[0].split(" Traceback (most recent")[0])[:700]

    def _note(self, mode: Mode, sent: Iterable[Sent]) -> None:
        for each in sent:
            if each.key is not None:
                self.user_agents |= {each.user_agent} if each.user_agent else set()
                self.headers.setdefault(mode.id, set()).update(set(each.header_names) - COMMON)

    def _say(self, what: str) -> None:
        print(f"{self.subject.id} {self._installed.version}: {what}", file=sys.stderr, flush=True)


def _with(mode: Mode, **changes: Any) -> Mode:
    import dataclasses

    return dataclasses.replace(mode, **changes)


def _combined(mode: Mode, settings: Sequence[tuple[Setting, str]], origin: str) -> tuple[Mode, str]:
    """The mode with all of these settings written into it, each with its own base URL; and the origin."""

    def fill(texts: Mapping[str, str], base: str) -> dict[str, str]:
        return {name: text.replace("{base}", origin + base) for name, text in texts.items()}

    env, files, argv = dict(mode.env), dict(mode.files), list(mode.argv)
    for setting, base in settings:
        env |= fill(setting.env, base)
        files |= fill(setting.files, base)
        argv += [word.replace("{base}", origin + base) for word in setting.argv]
    return _with(mode, env=env, files=files, argv=argv), origin


def distinct(sent: Iterable[Sent]) -> list[list[str | None]]:
    """The different requests, in order: a client that tries again says nothing new."""
    found = dict.fromkeys((each.method, _UUID.sub("{uuid}", each.target), each.key) for each in sent)
    return [list(each) for each in found]


def lands(requests: Iterable[Sequence[str | None]]) -> bool:
    """Whether any of these reaches a route of the newest proxy that takes its method, and carries a key."""
    table = table_for(None)
    for method, target, key in requests:
        found = match(table, str(target).partition("?")[0])
        if key is not None and found is not None and allows(found.route, str(method)):
            return True
    return False


def dump(client: str, package: str, versions: Iterable[Mapping[str, Any]]) -> str:
    """The data file: a line for each row, so that a difference between two measurements is readable."""
    parts = []
    for item in versions:
        lines = [f"   {json.dumps(name)}: {json.dumps(value)}" for name, value in item.items() if name != "rows"]
        rows = ",\n".join("    " + json.dumps(row, ensure_ascii=False) for row in item["rows"])
        parts.append("  {\n" + ",\n".join(lines) + ',\n   "rows": [\n' + rows + "\n   ]}")
    head = f'{{"client": {json.dumps(client)}, "package": {json.dumps(package)}, "measured": [\n'
    return head + ",\n".join(parts) + "\n]}\n"
