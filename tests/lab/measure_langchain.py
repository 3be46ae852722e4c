"""Measures langchain-openai (Python) as `measure_clis.py` measures command-line clients; same rows, same file.

    python -m venv V && V/bin/pip install langchain-openai && V/bin/python tests/lab/measure_langchain.py --out FILE

Runs in the interpreter that langchain-openai is installed in. Only loopback is used.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from support.recorder import KEY, Mode, Recorder

BASE_PATHS = ("", "/", "/v1", "/v1/", "/v1//", "/v1beta", "/v1/chat/completions")
VARIABLES = ("OPENAI_API_BASE", "OPENAI_BASE_URL")


def call(recorder: Recorder, responses: bool, arguments: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
    from langchain_openai import ChatOpenAI

    for name in VARIABLES:
        os.environ.pop(name, None)
    os.environ.update(environment)
    output = None
    try:
        ChatOpenAI(model="m-1", api_key=KEY, max_retries=0, use_responses_api=responses, **arguments).invoke("hi")
    except Exception as error:  # the text is what is measured; a minimal answer may also be too minimal for LangChain
        output = f"{type(error).__name__}: {error}"[:300]
    seen = recorder.take()
    return {
        "requests": [[r.method, r.target, list(r.key_places)] for r in seen],
        "user_agents": sorted({r.user_agent or "" for r in seen}),
        "vendor_hosts": None,
        "output": output if recorder.mode != "answer" else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    out: Path = parser.parse_args().out
    rows: list[dict[str, Any]] = []
    modes: tuple[tuple[str, bool], ...] = (("chat", False), ("responses", True))
    with Recorder() as recorder:

        def add(mode: str, setting: str, base_path: str, answer: Mode, row: dict[str, Any]) -> None:
            told = {"mode": mode, "setting": setting, "base_path": base_path, "answer": answer}
            rows.append({"client": "langchain-openai", "version": version("langchain-openai"), **told, **row})

        for mode, responses in modes:
            for base_path in BASE_PATHS:
                base = recorder.origin + base_path
                add(mode, "argument base_url", base_path, "answer", call(recorder, responses, {"base_url": base}, {}))
                for name in VARIABLES:
                    add(mode, f"env {name}", base_path, "answer", call(recorder, responses, {}, {name: base}))
            wrong: tuple[Mode, ...] = ("not-found", "method-not-allowed")
            for answer in wrong:
                recorder.mode = answer
                row = call(recorder, responses, {"base_url": recorder.origin}, {})
                add(mode, "argument base_url", "", answer, row)
            recorder.mode = "answer"
        both = {"OPENAI_API_BASE": recorder.origin + "/v1", "OPENAI_BASE_URL": recorder.origin + "/other"}
        add("chat", "env OPENAI_API_BASE with OPENAI_BASE_URL=/other", "/v1", "answer", call(recorder, False, {}, both))
    old = json.loads(out.read_text(encoding="utf-8")) if out.exists() else []
    kept = [row for row in old if (row["client"], row["version"]) != (rows[0]["client"], rows[0]["version"])]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in kept + rows)
    out.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
