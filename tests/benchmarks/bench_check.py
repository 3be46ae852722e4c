"""`agdoctor check` against a stand-in that delays every answer by 100 ms.

The reference is the same command where it has nothing to ask for (`check` of a closed port): start-up, imports and
report, without waiting for answers. Goal: at most start-up + 0.6 s, whatever the number of routes.

    python tests/benchmarks/bench_check.py
"""

from __future__ import annotations

import shutil
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

from antigravity_doctor.diagnosis.proxy_model import ServerConfig
from antigravity_doctor.knowledge.routes import table_for
from antigravity_doctor.servers.stand_in import run_in_thread

GOAL = 0.6
ROUNDS = 7


def seconds(*arguments: str) -> float:
    """Wall time of one `agdoctor check` process."""
    command = shutil.which("agdoctor", path=str(Path(sys.executable).parent)) or "agdoctor"
    started = time.perf_counter()
    subprocess.run([command, "check", *arguments], capture_output=True, check=False)
    return time.perf_counter() - started


def closed_port() -> int:
    """A loopback port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def main() -> None:
    """Prints start-up, the time of a delayed check for versions with few and many routes, and both ratios."""
    nothing = statistics.median(seconds("--port", str(closed_port())) for _ in range(ROUNDS))
    print(f"start-up (closed port)            {nothing:6.3f} s   1.00 x")
    for version in ("3.0.0", "3.3.8", "4.0.9", "4.5.8"):
        routes = len(table_for(version).routes)
        for delay in (0.0, 0.1):
            config = ServerConfig(version=version, auth="strict", web_ui=version.startswith("4"))
            with run_in_thread(config, delay=delay) as running:
                arguments = ("--port", str(running.port), "--api-key", config.api_key, "--client", "codex")
                taken = statistics.median(seconds(*arguments) for _ in range(ROUNDS))
            over = taken - nothing
            verdict = "" if not delay else "  within the goal" if over <= GOAL else f"  OVER the goal of {GOAL} s"
            print(
                f"{version:6} {routes:3} routes, {delay * 1000:3.0f} ms delay   {taken:6.3f} s   "
                f"{taken / nothing:4.2f} x   start-up + {over:5.3f} s{verdict}"
            )


if __name__ == "__main__":
    main()
