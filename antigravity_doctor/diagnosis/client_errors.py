"""What a client's own words mean where they name no path: "There's an issue with the selected model".

Many clients turn a route miss (404 with an empty body) into a sentence about the model, the key or nothing at all. The
sentences are in the catalogue (`error_texts` of an entry: measured on an empty 404, a 405 and a web page). They do not
prove a wrong path: the same words come for a model that does not exist. So the finding says both, and the base URL that
the client needs; with the base URL in use known, the request is worked out and judged instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from antigravity_doctor.diagnosis.explaining import Explanation, explain
from antigravity_doctor.diagnosis.fixing import appended
from antigravity_doctor.diagnosis.model import Finding, Fix
from antigravity_doctor.diagnosis.recommending import recommend
from antigravity_doctor.diagnosis.simulating import simulate
from antigravity_doctor.knowledge.clients import Client, all_clients
from antigravity_doctor.knowledge.routes import RouteTable

_SHORTEST = 10
"""Characters: a shorter text than that is said by everybody."""

_LOOKED_AT = 20_000
_MESSAGE = re.compile(r"[\"']message[\"']\s{0,5}:\s{0,5}[\"']([^\"'\\\n]{3,400})")
"""The sentence in the body of an error, as JSON or as Python prints it. (An SDK makes an empty one of no body.)"""
_CONFIDENCE = 0.8
"""That these words are said is certain; that the path is why, and not the model, is not."""


def clients_that_say(text: str) -> tuple[str, tuple[Client, ...]]:
    """The words of the catalogue that the text has, and the clients that say them, the best known first.

    Where several are found, the longest: it is the one that tells most. ("", ()) where no client is known for any.
    """
    folded = _fold(text[:_LOOKED_AT])
    found = [(words, client) for words, shown, client in _sayings() if words in folded]
    longest = max((len(words) for words, _ in found), default=0)
    said = [(words, client) for words, client in found if len(words) == longest]
    shown = next((shown for words, shown, _ in _sayings() if said and words == said[0][0]), "")
    return shown, tuple(dict.fromkeys(client for _, client in said))


def explain_client_error(
    text: str,
    *,
    table: RouteTable,
    origin: str,
    client: Client | None = None,
    base_url: str | None = None,
    not_found: bool = False,
) -> Explanation | None:
    """What a text without any request says if it is a client's error; None if nothing is known of it.

    `client` is the one that the user named; `not_found`: the text speaks of a 404, whoever says it. With `client` and
    `base_url` the request is worked out, and the explanation is that of its path.
    """
    words, clients = clients_that_say(text)
    if not clients and not not_found:
        return None
    if client is not None and base_url is not None:
        preferred = next((mode for mode in client.modes if mode.preferred), client.modes[0])
        request = next(each for each in simulate(preferred, base_url, table).requests if each.required)
        status = 404 if not_found or words else None
        return explain(
            request.path,
            table=table,
            origin=origin,
            method=request.method,
            query=request.query,
            status=status,
            base_url=base_url,
            client=client,
        )
    message = _MESSAGE.search(text[:_LOOKED_AT])
    if message is not None:
        # The proxy's own answer for an unknown path has no body (facts/proxy-semantics.md §4).
        said = Finding("AGD412", "error", 0.85, {"message": message[1][:120]})
        return Explanation(None, "", None, "no-request-found", None, (said,), ())
    said_by = (client,) if client is not None else clients
    fixes = _fixes(said_by or all_clients(), table, origin)
    facts = {"words": words or "404", "client": ", ".join(each.name for each in said_by[:3])}
    if not said_by:
        return Explanation(
            None, "", None, "no-request-found", None, (Finding("AGD322", "error", _CONFIDENCE, facts),), fixes
        )
    finding = Finding("AGD321", "error", _CONFIDENCE, facts)
    return Explanation(None, "", None, "no-request-found", None, (finding,), fixes)


def _fixes(clients: Iterable[Client], table: RouteTable, origin: str) -> tuple[Fix, ...]:
    """The base URL that each of these wants in its usual mode, those that want the same together; most clients first.

    Confidence: the share of the clients that it is right for.
    """
    groups: dict[tuple[str, str], Fix] = {}
    for client in clients:
        best = next((each for each in recommend(client, table, origin) if each.mode.preferred and each.works), None)
        if best is None or best.proof is None:
            continue
        base_path = best.base_url[len(origin) :]
        first = next(each for each in best.proof.requests if each.required)
        key = base_path, appended(first.path, base_path)
        known = groups.get(key) or Fix(best.base_url, 0.0, key[1], None, first.path, first.route or "")
        groups[key] = known._replace(clients=(*known.clients, client.id))
    count = sum(len(each.clients) for each in groups.values())
    fixes = [each._replace(confidence=0.9 * len(each.clients) / count) for each in groups.values()]
    return tuple(sorted(fixes, key=lambda fix: -fix.confidence))


@lru_cache(maxsize=1)
def _sayings() -> tuple[tuple[str, str, Client], ...]:
    """(folded words, words, client) of every error text that says more than a number."""
    return tuple(
        (folded, text, client)
        for client in all_clients()
        for text in client.raw.get("error_texts", ())
        if len(folded := _fold(text)) >= _SHORTEST
    )


def _fold(text: str) -> str:
    """Case, spaces, line breaks and the shape of quotes do not matter: an error box is copied in many ways."""
    return " ".join(text.casefold().replace("’", "'").replace("‘", "'").replace("“", '"').replace("”", '"').split())
