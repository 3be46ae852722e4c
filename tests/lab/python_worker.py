"""Runs one call of one Python client at a time, as `running.Worker` asks for it. Not a test.

Started by the interpreter of the client's own environment as `python python_worker.py ID`; reads `clients/ID.py`, whose
`calls(case)` gives the calls by name. Protocol, one JSON object a line: in `{"call", "given", "key", "model",
"options"}`, out `{"error": null | "Type: text"}`.
"""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import json
import os
import sys
import types
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
warnings.simplefilter("ignore")

for name, folder in (("tests", HERE.parent), ("tests.lab", HERE)):
    # Made by hand: a client's environment may hold a package called `tests`, and must not see the rest of the project.
    package = types.ModuleType(name)
    package.__path__ = [str(folder)]
    sys.modules[name] = package
sys.path[:] = [entry for entry in sys.path if entry != str(HERE)]


def main() -> None:
    from tests.lab.frame import Case

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # a client that prints must not speak in our protocol
    spec = importlib.util.spec_from_file_location("subject", HERE / "clients" / f"{sys.argv[1].replace('-', '_')}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for line in sys.stdin:
        asked = json.loads(line)
        call = asked.pop("call")
        error = None
        try:
            found = module.calls(Case(**asked))[call]()
            if inspect.isawaitable(found):
                asyncio.run(_wait(found))
        except BaseException as problem:  # SystemExit, too: some clients end the program when a key is missing
            error = f"{type(problem).__name__}: {problem}"
        answers.write(json.dumps({"error": error}) + "\n")
        answers.flush()


async def _wait(found: object) -> None:
    await found  # type: ignore[misc]


if __name__ == "__main__":
    main()
