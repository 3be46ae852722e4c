"""The lab's command line: measure, compare, newest, list, trace-proof. docs/measure-a-client.md shows them at work."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.lab import isolate
from tests.lab.catalogue import data_file, ids, subject
from tests.lab.frame import Subject, version_key
from tests.lab.installing import CannotInstallError, install, last_of_majors, place_of, versions_of


def wanted_versions(client: Subject, version: str, *, latest: bool, majors: bool) -> list[str]:
    """The versions that a command line asks for; the subject's own if it names none."""
    if version == "latest" or latest:
        return [versions_of(client)[-1]]
    if majors:
        return last_of_majors(versions_of(client))
    return [version] if version else list(client.versions) or [versions_of(client)[-1]]


def measure(args: argparse.Namespace) -> int:
    """Installs with the network, then runs itself again without it and measures there."""
    if not isolate.inside():
        asked = []
        refused = 0
        for each in args.clients or ids():
            name, mark, version = each.rpartition("@") if "@" in each[1:] else (each, "", "")
            del mark
            client = subject(name)
            for one in wanted_versions(client, version, latest=args.latest, majors=args.last_two_majors):
                try:
                    install(client, one)
                except CannotInstallError as error:
                    print(f"{name} {one}: {error}", file=sys.stderr)
                    refused += 1
                else:
                    asked.append(f"{name}@{one}")
        into = ["--into", str(args.into)] if args.into else []
        return max(isolate.enter(["measure", *asked, *into]) if asked else 2, 2 if refused else 0)
    from tests.lab.measuring import Laboratory, NoEffectError
    from tests.lab.watching import Watch

    failed = 0
    world = isolate.World()
    with Watch() as watch:
        for each in args.clients:
            name, _, version = each.rpartition("@")
            client = subject(name)
            try:
                found = Laboratory(client, place_of(client, version), watch, world).measure()
            except NoEffectError as error:
                print(f"{name} {version}: nothing is written: {error}", file=sys.stderr)
                failed = 1
            else:
                keep(client, found, Path(args.into) if args.into else data_file(name))
    return failed


def keep(client: Subject, found: dict[str, object], path: Path) -> None:
    """Puts one version's measurement into the data file, in the order of the versions."""
    from tests.lab.measuring import dump

    known = json.loads(path.read_text(encoding="utf-8"))["measured"] if path.exists() else []
    items = {each["version"]: each for each in known} | {str(found["version"]): found}
    order = sorted(items, key=version_key)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(dump(client.id, client.package, [items[version] for version in order]), encoding="utf-8")
    fresh.replace(path)
    print(f"{client.id} {found['version']}: written to {path}", file=sys.stderr)


def compare(args: argparse.Namespace) -> int:
    """Every difference between the catalogue and the measurements, a line each."""
    from tests.lab.comparing import measured, measured_clients, problems

    count = 0
    for name in args.clients or measured_clients():
        found = problems(name)
        count += len(found)
        versions = ", ".join(item.version for item in measured(name))
        print(f"{name} ({versions}): {len(found) or 'no'} difference{'' if len(found) == 1 else 's'}")
        for problem in found:
            print(f"  {problem}")
    return 1 if count else 0


def newest(args: argparse.Namespace) -> int:
    """Measures the newest published version of each client and says what changed since the newest recorded one."""
    from tests.lab.comparing import Measured, changes, measured
    from tests.lab.measuring import Row

    changed = 0
    for name in args.clients or [each for each in ids() if data_file(each).exists()]:
        client = subject(name)
        version = versions_of(client)[-1]
        recorded = measured(name)[-1]
        if version == recorded.version and not args.again:
            print(f"{name}: {version} is the newest, and recorded")
            continue
        with tempfile.TemporaryDirectory(prefix="agdoctor-lab-") as folder:
            place = Path(folder) / "found.json"
            install(client, version)
            code = isolate.enter(["measure", f"{name}@{version}", "--into", str(place)])
            if code:
                return code
            raw = json.loads(place.read_text(encoding="utf-8"))["measured"][0]
        found = changes(recorded, Measured(name, version, tuple(Row(*row) for row in raw["rows"]), raw))
        changed += bool(found)
        print(f"{name}: {recorded.version} -> {version}: {len(found) or 'no'} change{'' if len(found) == 1 else 's'}")
        for each in found:
            print(f"  {each}")
    return 1 if changed else 0


def list_(args: argparse.Namespace) -> int:
    """Every client of the catalogue: what was measured, and what is missing."""
    from antigravity_doctor.knowledge.clients import all_clients

    subjects = set(ids())
    known = {client.id for client in all_clients()}
    for name in [client.id for client in all_clients()] + sorted(subjects - known):
        recorded = []
        if data_file(name).exists():
            recorded = [each["version"] for each in json.loads(data_file(name).read_text())["measured"]]
        missing = [] if name in known else ["no catalogue entry"]
        if name in subjects:
            missing += [f"{each} not measured" for each in subject(name).versions if each not in recorded]
        else:
            missing.append("not in the lab")
        print(f"{name:28} {', '.join(recorded) or '-':32} {'; '.join(missing)}".rstrip())
    return 0


def trace_proof(args: argparse.Namespace) -> int:
    """Whether a client can tell the recorder from the proxy."""
    from tests.lab import trace_proof as proof

    if not isolate.inside():
        for name in args.clients or proof.CLIENTS:
            client = subject(name)
            install(client, client.versions[-1])
        return isolate.enter(sys.argv[1:])
    results = proof.prove_all(args.clients)
    different = [each for each in results if each.problems]
    print(f"{len(results) - len(different)} of {len(results)} identical")
    return 1 if different or not results else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; its exit code: 0 fine, 1 differences, 2 it could not be done."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, says: str) -> argparse.ArgumentParser:
        own = commands.add_parser(name, help=says, description=says)
        own.add_argument("clients", nargs="*", metavar="CLIENT")
        own.set_defaults(run=run)
        return own

    own = command("measure", measure, "install and measure clients: CLIENT or CLIENT@VERSION, or CLIENT@latest")
    own.add_argument("--latest", action="store_true", help="the newest published version")
    own.add_argument("--last-two-majors", action="store_true", help="the last version of each of the last two majors")
    own.add_argument("--into", metavar="FILE", help="another file than tests/data/measurements/CLIENT.json")
    command("compare", compare, "the catalogue against the measurements; exit code 1 if they differ")
    own = command("newest", newest, "measure the newest versions and say what changed since the recorded ones")
    own.add_argument("--again", action="store_true", help="also where the newest version is the recorded one")
    command("list", list_, "clients, measured versions, and what is missing")
    command("trace-proof", trace_proof, "real clients with and without the recorder of `agdoctor trace`")
    args = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what runs in the closed place ends as well
    try:
        result: int = args.run(args)
    except KeyError as error:
        print(error.args[0], file=sys.stderr)
        return 2
    return result
