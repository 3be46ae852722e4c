"""Paths a second through the pure core (`diagnosis.explaining.explain`), every path different.

Reference: `urllib.parse.urlsplit` on the same paths, the least that any program does with a URL. Goal: 20,000 a second.

    python tests/benchmarks/bench_core.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from antigravity_doctor.diagnosis.explaining import explain
from antigravity_doctor.knowledge.routes import table_for

GOAL = 20_000
COUNT = 10_000
ROUNDS = 5

KINDS: dict[str, Callable[[int], str]] = {
    "version twice": lambda n: f"/v1/v1beta/models/gemini-{n}:generateContent",
    "somebody's prefix": lambda n: f"/gateway{n}/v1/messages",
    "no version": lambda n: f"/models/gemini-{n}:streamGenerateContent",
    "another protocol's version": lambda n: f"/v1/models/gemini-{n}:generateContent",
    "endpoint behind endpoint": lambda n: f"/p{n}/v1/chat/completions/responses",
    "capitals and strays": lambda n: f"/P{n}/V1/chat/completions%20",
    "misspelt": lambda n: f"/p{n}/v1/chat/completion",
    "not served": lambda n: f"/v1/models/gpt-{n}",
    "Azure": lambda n: f"/openai/deployments/gpt-{n}/chat/completions",
    "unknown": lambda n: f"/wibble/{n}/wobble",
    "right": lambda n: f"/v1beta/models/gemini-{n}:generateContent",
}
"""What people's logs hold, each kind as distinct paths."""


def seconds(work: Callable[[str], object], paths: list[str]) -> float:
    """CPU time of the best round: what other processes do meanwhile does not count."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        for path in paths:
            work(path)
        best = min(best, time.process_time() - started)
    return best


def main() -> None:
    """Prints a line for each kind of path and one for all of them mixed."""
    table = table_for(None)

    def work(path: str) -> object:
        return explain(path, table=table)

    for path in (kind(1) for kind in KINDS.values()):
        work(path)  # loads the knowledge and solves the clients, which happens once a process
    makers = list(KINDS.values())
    mixed = [makers[n % len(makers)](n) for n in range(COUNT)]
    rows = {name: [kind(n) for n in range(COUNT)] for name, kind in KINDS.items()} | {"all of these mixed": mixed}
    print(f"{'':28}{'paths/s':>10}{'of the goal':>13}{'urlsplit':>12}")
    for name, paths in rows.items():
        rate = COUNT / seconds(work, paths)
        reference = COUNT / seconds(urlsplit, paths)
        print(f"{name:28}{rate:10,.0f}{rate / GOAL:12.2f}x{rate / reference:11.2f}x")


if __name__ == "__main__":
    main()
