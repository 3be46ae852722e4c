"""What is wrong with a misrouted path itself: the 3xx findings, the one that explains most first."""

from __future__ import annotations

from antigravity_doctor.diagnosis.anatomy import Anatomy
from antigravity_doctor.diagnosis.model import Finding
from antigravity_doctor.diagnosis.solving import is_version
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
    parts, kinds, path = anatomy.parts, anatomy.kinds, anatomy.canonical
    # A model may be called "v1" or "models", so that a path of a known base URL does not seem to end in an endpoint.
    endpoint = anatomy.endpoint or (parts[-1].text if parts else path)
    found: list[Finding] = []
    in_url = "u" in kinds
    if in_url:
        found.append(Finding("AGD309", "error", confidence, {"path": path}))
    stacked = kinds.count("e") > 1
    if stacked:
        found += _stacked(anatomy, confidence, exact)
    twice = kinds.find("vv")
    if twice >= 0:
        facts = {"path": path, "first": parts[twice].text, "second": parts[twice + 1].text}
        found.append(Finding("AGD301", "error", confidence, facts))
    if "o" in kinds[:-1] and not in_url:
        facts = {"path": path, "prefix": anatomy.front or anatomy.prefix, "endpoint": endpoint}
        found.append(Finding("AGD305", "error", confidence, facts))
    elif route is not None and not stacked and not in_url:
        first = route.path.split("/", 2)[1]
        wanted = "/" + first if is_version(first) else ""
        last = kinds.rfind("v")
        if last >= 0 and parts[last].text != wanted:
            facts = {"path": path, "endpoint": endpoint, "found": parts[last].text, "right": wanted + endpoint}
            found.append(Finding("AGD304", "error", confidence, facts))
        elif last < 0 and wanted:
            facts = {"path": path, "wanted": wanted, "endpoint": endpoint}
            found.append(Finding("AGD303", "error", confidence, facts))
    if anatomy.faults:
        for fault, code in _SPELLING:
            if fault not in anatomy.faults or (fault == "double-slash" and in_url):
                continue
            if code != "AGD308" or not found or found[-1].code != code:
                found.append(Finding(code, "error", confidence, {"path": path}))
    if not found and route is not None:
        # Nothing in the path itself is odd: then its prefix simply is not the one that this request needs.
        facts = {"path": path, "prefix": anatomy.prefix or "/", "endpoint": endpoint}
        found.append(Finding("AGD305", "error", confidence, facts))
    return tuple(found)


def _stacked(anatomy: Anatomy, confidence: float, exact: bool) -> list[Finding]:
    """The findings for endpoints one after another: the base URL was one, and the client added its own."""
    last = anatomy.kinds.rfind("e")
    before = anatomy.kinds.rfind("e", 0, last)
    first, second = anatomy.parts[before].text, anatomy.parts[last].text
    facts = {"path": anatomy.canonical, "first": first, "second": second}
    found = [Finding("AGD302", "error", confidence, facts)]
    if first == "/models" and before + 1 == last and ":" in second and not exact:
        # "/models/models/NAME:action": either that, or the model was named "models/NAME".
        found.append(Finding("AGD318", "error", 0.3, {"path": anatomy.canonical}))
    else:
        found.append(Finding("AGD310", "error", confidence if exact else 0.8, facts))
    return found
