"""Aider: built on LiteLLM, the prefix of the model chooses the protocol. Its `main` is called once for each question,
with the words of a command line: the program itself needs five seconds to start.

Each version pins its LiteLLM, and with that come `since`: the prefix openai/responses/ is in 1.75.0 (Aider 0.85.5), not
in 1.73.1 (0.85.0); up to 1.75.0 (0.86.1) nothing but ":generateContent" was added to the base URL of gemini/ models, so
the model's name would have to be in it.
"""

import contextlib
import io
import re
from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Setting, Subject, argument, env, file

QUIET = (
    *("--message", "hi", "--yes-always", "--no-git", "--no-check-update", "--analytics-disable", "--no-pretty"),
    *("--no-show-model-warnings", "--no-show-release-notes", "--no-fancy-input"),
)
PRICES = {".aider/caches/model_prices_and_context_window.json": '{"m": {}}'}
"""Aider's list of prices: kept for a day, so that it is not looked for at GitHub at every start."""
FAILED = re.compile(r"litellm\.\w+|\w+Error:|Empty response")


def mode(id_: str, prefix: str, endpoint: str, ways: tuple[Setting, ...], *keys: str, since: str | None = None) -> Mode:
    return Mode(
        id=id_,
        calls=("stream", "no-stream"),
        endpoint=endpoint,
        options={"prefix": prefix, "key": keys[0]},
        files=PRICES,
        settings=ways,
        keys=keys,
        since=since,
    )


def set_env(variable: str) -> Setting:
    return argument("--set-env", variable=variable)


SUBJECT = Subject(
    id="aider",
    package="pypi:aider-chat",
    versions=("0.82.3", "0.86.2"),
    env={"LITELLM_LOCAL_MODEL_COST_MAP": "True", "COLUMNS": "400"},
    limit=120,
    modes=(
        mode(
            "openai",
            "openai/",
            "/v1/chat/completions",
            (
                argument("--openai-api-base"),
                env("OPENAI_API_BASE"),
                file(".aider.conf.yml", "openai-api-base", "openai-api-base: {base}\n"),
                file("work/.env", "OPENAI_API_BASE", "OPENAI_API_BASE={base}\n"),
                env("OPENAI_BASE_URL"),
            ),
            "OPENAI_API_KEY",
            "AIDER_OPENAI_API_KEY",
        ),
        mode(
            "responses",
            "openai/responses/",
            "/v1/responses",
            (argument("--openai-api-base"),),
            "OPENAI_API_KEY",
            since="0.85.5",
        ),
        mode(
            "anthropic",
            "anthropic/",
            "/v1/messages",
            (set_env("ANTHROPIC_API_BASE"), env("ANTHROPIC_API_BASE"), env("ANTHROPIC_BASE_URL")),
            "ANTHROPIC_API_KEY",
        ),
        mode(
            "gemini",
            "gemini/",
            "/v1beta/models/m:streamGenerateContent",
            (set_env("GEMINI_API_BASE"), env("GEMINI_API_BASE"), env("GOOGLE_GEMINI_BASE_URL")),
            "GEMINI_API_KEY",
            since="0.86.2",
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    from aider.main import main
    from prompt_toolkit.input import DummyInput
    from prompt_toolkit.output import DummyOutput

    words = ["--model", case.options["prefix"] + case.model, *QUIET]
    for name, base in case.given.items():
        words += [name, f"{case.options['variable']}={base}" if name == "--set-env" else base]
    if case.key is not None:
        words += ["--set-env", f"{case.options['key']}={case.key}"]

    def run(*more: str) -> None:
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            main([*words, *more], input=DummyInput(), output=DummyOutput())
        if FAILED.search(said.getvalue()):
            raise RuntimeError(said.getvalue().partition("Repo-map: disabled")[2].strip() or said.getvalue()[-600:])

    return {"stream": run, "no-stream": lambda: run("--no-stream")}
