"""Start-up: `agdoctor explain-path PATH` as a whole process, beside an empty Typer app with one argument.

Same interpreter, same Typer, run in turns, median of 31. Goal: at most 1.4 times the empty app. Then the memory of
`explain-path -` with 10,000 distinct paths. Goal: under 80 MB.

    python tests/benchmarks/bench_startup.py
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import typer

ROUNDS = 31
RATIO_GOAL = 1.4
MEMORY_GOAL = 80
EMPTY_APP = """
import typer

app = typer.Typer()


@app.command()
def main(path: str) -> None:
    print(path)


app()
"""
MEASURED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdin=sys.stdin, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(used / 1024 if sys.platform == "linux" else used / 1024 / 1024)
"""


def milliseconds(command: list[str]) -> float:
    """Wall time of one process."""
    started = time.perf_counter()
    subprocess.run(command, capture_output=True, check=False)
    return (time.perf_counter() - started) * 1000


def main() -> None:
    """Prints both medians and their ratio, then the memory for each output format."""
    script = shutil.which("agdoctor", path=str(Path(sys.executable).parent)) or "agdoctor"
    explain = [sys.executable, script, "explain-path", "/v1/v1/chat/completions"]
    with tempfile.TemporaryDirectory() as folder:
        app = Path(folder) / "app.py"
        app.write_text(EMPTY_APP, encoding="utf-8")
        empty = [sys.executable, str(app), "/v1/v1/chat/completions"]
        pairs = [(milliseconds(empty), milliseconds(explain)) for _ in range(ROUNDS + 2)][2:]
    reference = statistics.median(one for one, _ in pairs)
    ours = statistics.median(two for _, two in pairs)
    ratio = ours / reference
    print(f"Python {sys.version.split()[0]}, Typer {typer.__version__}, {ROUNDS} rounds")
    print(f"empty Typer app        {reference:6.1f} ms   1.00 x")
    verdict = "within" if ratio <= RATIO_GOAL else "OVER"
    print(f"explain-path           {ours:6.1f} ms   {ratio:4.2f} x   {verdict} the goal of {RATIO_GOAL} x")
    paths = "".join(f"/v1/v1/models/gemini-{n}:generateContent\n" for n in range(10_000))
    with tempfile.TemporaryFile() as file:
        file.write(paths.encode())
        for format_ in ("terminal", "json"):
            file.seek(0)
            command = [sys.executable, "-c", MEASURED, sys.executable, script, "explain-path", "-", "--format", format_]
            started = time.perf_counter()
            run = subprocess.run(command, stdin=file, capture_output=True, text=True, check=True)
            used = float(run.stdout)
            print(
                f"10,000 paths, {format_:8} {used:6.1f} MB   {used / MEMORY_GOAL:4.2f} x the goal of {MEMORY_GOAL} MB"
                f"   {time.perf_counter() - started:4.1f} s"
            )


if __name__ == "__main__":
    main()
