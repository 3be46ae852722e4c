"""`agdoctor logs` over a big access log, beside awk counting one column and beside goaccess, in one run.

The log is generated: combined format, 200 MB (about 1.5 million lines), seven programs, 2 % wrong paths, some thousand
distinct ones, among them a scanner's. All sides read the same file, warm in the page cache, and take turns round by
round; what is printed are medians, with the best and worst round behind them. awk only counts `$7`; goaccess makes a
JSON report. Memory is the largest resident set of any process of a side; what a second process adds is added to it.

Goals: at most 3 times mawk's wall time, at least 10 times as fast as goaccess, less than 80 MB and no more for 200 MB
than for 50 MB.

    apt-get install mawk goaccess
    python tests/benchmarks/bench_logs.py [--megabytes 200] [--rounds 5] [--python /path/to/python]
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

AWK_GOAL, GOACCESS_GOAL, MEMORY_GOAL = 3.0, 10.0, 80.0

AGENTS = (
    "OpenAI/Python 1.99.0",
    "claude-cli/2.1.197 (external, cli)",
    "GeminiCLI/0.61.0/gemini-2.5-pro (linux; x64)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "curl/8.5.0",
    "node",
    "Cherry Studio/1.5",
)
RIGHT = (
    *(("POST", path) for path in ("/v1/chat/completions", "/v1/messages?beta=true", "/v1/responses")),
    ("POST", "/v1/messages/count_tokens?beta=true"),
    *(("POST", f"/v1beta/models/gemini-2.5-{size}:streamGenerateContent?alt=sse") for size in ("pro", "flash")),
    ("GET", "/v1/models"),
    ("GET", "/"),
    ("HEAD", "/"),
    ("GET", "/favicon.ico"),
)
WRONG = (
    ("POST", "/v1/v1/chat/completions"),
    ("POST", "/v1/v1/messages?beta=true"),
    ("POST", "/chat/completions"),
    ("POST", "/v1/chat/completions/responses"),
    ("GET", "/models"),
)
RARE = (
    *(("GET", f"/wp-content/plugins/p{number}/x.php") for number in range(2500)),
    *(("POST", f"/v1/v1beta/models/model-{number}:generateContent") for number in range(800)),
)


def generate(path: Path, megabytes: int) -> int:
    """Writes the log; the number of its lines."""
    chance = random.Random(5)  # noqa: S311 - the same log each time
    written = lines = 0
    seconds = 1_770_163_200.0
    with path.open("wb") as file:
        while written < megabytes * 1_000_000:
            block = []
            for _ in range(20_000):
                which = chance.random()
                method, target = chance.choice(RIGHT if which < 0.98 else WRONG if which < 0.995 else RARE)
                status = 200 if which < 0.98 else 404
                seconds += chance.random() * 0.8
                when = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(seconds))
                size = chance.randrange(10, 90_000) if status == 200 else 0
                block.append(
                    f'127.0.0.{chance.randrange(1, 255)} - - [{when}] "{method} {target} HTTP/1.1" {status} {size} "-" '
                    f'"{chance.choice(AGENTS)}"\n'
                )
            raw = "".join(block).encode()
            written += len(raw)
            lines += len(block)
            file.write(raw)
    return lines


def resident(pid: int) -> int:
    """Kilobytes that a process and its children hold now, together."""
    total = 0
    for each in (pid, *children(pid)):
        try:
            status = Path(f"/proc/{each}/status").read_text(encoding="ascii")
        except OSError:
            continue
        total += next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), 0)
    return total


def children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def measured(argv: list[str]) -> tuple[float, float]:
    """(seconds, megabytes at the most) of a command."""
    peak = 0
    started = time.perf_counter()
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ended = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not ended.is_set():
            peak = max(peak, resident(process.pid))
            time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    process.wait()
    seconds = time.perf_counter() - started
    ended.set()
    watcher.join()
    return seconds, peak / 1024


def said(name: str, times: list[float], memory: list[float]) -> str:
    spread = f"({min(times):.2f} to {max(times):.2f})"
    return f"{name:24} {statistics.median(times):6.2f} s {spread:18} {max(memory):6.1f} MB"


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures `agdoctor logs` beside awk and goaccess.")
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has agdoctor installed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        big, small = Path(folder, "access.log"), Path(folder, "small.log")
        lines = generate(big, options.megabytes)
        generate(small, options.megabytes // 4)
        print(f"{big.stat().st_size / 1e6:.0f} MB, {lines:,} lines, {len(os.sched_getaffinity(0))} cores")
        agdoctor = [options.python, "-m", "antigravity_doctor", "logs"]
        sides: dict[str, Callable[[Path], list[str]] | None] = {
            "agdoctor logs": lambda path: [*agdoctor, str(path)],
            "mawk": (lambda path: ["mawk", "{c[$7]++} END{for(k in c) print c[k],k}", str(path)])
            if shutil.which("mawk")
            else None,
            "goaccess": (
                lambda path: [
                    "goaccess", str(path), "--log-format=COMBINED", "--no-progress", "-o", f"{folder}/report.json",
                ]
            )
            if shutil.which("goaccess")
            else None,
        }  # fmt: skip
        times: dict[str, list[float]] = {}
        memory: dict[str, list[float]] = {}
        for _ in range(options.rounds):
            for name, argv in sides.items():
                if argv is not None:
                    seconds, peak = measured(argv(big))
                    times.setdefault(name, []).append(seconds)
                    memory.setdefault(name, []).append(peak)
        quarter = [measured([*agdoctor, str(small)])[1] for _ in range(3)]
    for name in sides:
        print(said(name, times[name], memory[name]) if name in times else f"{name:24} is not installed")
    own = statistics.median(times["agdoctor logs"])
    met = max(memory["agdoctor logs"]) < MEMORY_GOAL
    if "mawk" in times:
        ratio = own / statistics.median(times["mawk"])
        met = met and ratio <= AWK_GOAL
        print(f"{ratio:.2f} times mawk (goal: at most {AWK_GOAL:g})")
    if "goaccess" in times:
        ratio = statistics.median(times["goaccess"]) / own
        met = met and ratio >= GOACCESS_GOAL
        print(f"{ratio:.1f} times as fast as goaccess (goal: at least {GOACCESS_GOAL:g})")
    print(
        f"memory: {max(quarter):.1f} MB for a quarter of the file, {max(memory['agdoctor logs']):.1f} MB for all of it"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
