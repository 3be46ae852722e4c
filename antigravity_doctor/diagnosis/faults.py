"""What is wrong with a misrouted path itself: the 3xx findings, the one that explains most first."""

from __future__ import annotations

from itertools import pairwise

from antigravity_doctor.diagnosis.anatomy import Anatomy
from antigravity_doctor.diagnosis.model import Finding
from antigravity_doctor.diagnosis.solving import is_version
from antigravity_doctor.knowledge import paths
from antigravity_doctor.knowledge.routes import Route

_SPELLING = (
    ("double-slash", "AGD306"),
    ("trailing-slash", "AGD307"),
    ("case", "AGD308"),
    ("escape", "AGD308"),
    ("stray", "AGD311"),
)


def path_findings(anatomy: Anatomy, route: Route | None, confidence: float, exact: bool) -> tuple[Finding, ...]:
    """The faults of a path. `route` is the one that was meant, None if it is of no route; `exact`: the base URL that
    is in use is known. Without a route () is possible; with one there is at least one finding.
    """
    parts = anatomy.parts
    path, endpoint = anatomy.canonical, anatomy.endpoint
    found: list[Finding] = []
    kinds = [part.kind for part in parts]
    if "url" in kinds:
        found.append(Finding("AGD309", "error", confidence, {"path": path}))
    stacked = [part.text for part in parts if part.kind == "endpoint"] if kinds.count("endpoint") > 1 else []
    if stacked:
        facts = {"path": path, "first": stacked[-2], "second": stacked[-1]}
        found.append(Finding("AGD302", "error", confidence, facts))
        if exact or stacked[-2] != "/models":
            found.append(Finding("AGD310", "error", confidence if exact else 0.8, facts))
        elif ":" in stacked[-1]:
            # "/models/models/NAME:action": either that, or the model was named "models/NAME".
            found.append(Finding("AGD318", "error", 0.3, {"path": path}))
    versions = [index for index, kind in enumerate(kinds) if kind == "version"]
    twice = None
    if len(versions) > 1:
        twice = next((one for one, two in pairwise(versions) if two == one + 1), None)
        if twice is not None:
            facts = {"path": path, "first": parts[twice].text, "second": parts[twice + 1].text}
            found.append(Finding("AGD301", "error", confidence, facts))
    wanted = ""
    if route is not None:
        first = route.path.split("/", 2)[1]
        wanted = "/" + first if is_version(first) else ""
    last_version = parts[versions[-1]].text if versions else ""
    if "other" in kinds[:-1] and "url" not in kinds:
        front = anatomy.front
        known = max((each for each in paths.foreign_prefixes() if front.startswith(each)), key=len, default="")
        who = paths.foreign_prefixes().get(known, "")
        facts = {"path": path, "prefix": front or anatomy.prefix, "endpoint": endpoint, "who": who}
        found.append(Finding("AGD305", "error", confidence, facts))
    elif route is not None and not stacked and "url" not in kinds:
        if not versions:
            if wanted:
                facts = {"path": path, "wanted": wanted, "endpoint": endpoint}
                found.append(Finding("AGD303", "error", confidence, facts))
        elif last_version != wanted:
            facts = {"path": path, "endpoint": endpoint, "found": last_version, "route": route.path}
            found.append(Finding("AGD304", "error", confidence, facts))
    if anatomy.faults:
        for fault, code in _SPELLING:
            if fault not in anatomy.faults or (fault == "double-slash" and "url" in kinds):
                continue
            if code != "AGD308" or found == [] or found[-1].code != code:
                found.append(Finding(code, "error", confidence, {"path": path}))
    if not found and route is not None:
        # Nothing in the path itself is odd: then its prefix simply is not the one that this request needs.
        facts = {"path": path, "prefix": anatomy.prefix or "/", "endpoint": endpoint, "who": ""}
        found.append(Finding("AGD305", "error", confidence, facts))
    return tuple(found)
