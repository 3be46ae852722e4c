"""gptme: the part in front of the model's name chooses the provider; variables and its config.toml hold base URLs.
What its program calls for an answer is called directly: the program itself goes on by itself until it is done."""

from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Setting, Subject, env, envs, file

FEW = ("", "/", "/v1", "/v1/", "/v1beta")
CONFIG = ".config/gptme/config.toml"
PROMPT = '[prompt]\nabout_user = "u"\nresponse_preference = "r"\n'
PROVIDER = PROMPT + '[[providers]]\nname = "ag"\nbase_url = "{base}"\napi_key = "{key}"\n'


def mode(id_: str, endpoint: str, ways: tuple[Setting, ...], *keys: str, bases: tuple[str, ...], **more: Any) -> Mode:
    return Mode(
        id=id_,
        calls=("stream", "no-stream"),
        endpoint=endpoint,
        bases=bases,
        env={keys[0]: "{key}"} if keys else {},
        files={CONFIG: PROMPT},
        settings=ways,
        keys=keys,
        **more,
    )


SUBJECT = Subject(
    id="gptme",
    package="pypi:gptme",
    versions=("0.34.0", "0.35.1"),
    limit=90,
    modes=(
        mode(
            "local",
            "/v1/chat/completions",
            (
                env("OPENAI_BASE_URL"),
                env("OPENAI_API_BASE"),
                file(CONFIG, "env.OPENAI_BASE_URL", PROMPT + '[env]\nOPENAI_BASE_URL = "{base}"\n'),
            ),
            "OPENAI_API_KEY",
            bases=("", "/", "/v1", "/v1/", "/v1//", "/v1beta", "/v1beta/"),
            model="local/m",
        ),
        mode(
            "provider",
            "/v1/chat/completions",
            (file(CONFIG, "providers[].base_url", PROVIDER),),
            bases=FEW,
            model="ag/m",
        ),
        mode(
            "responses",
            "/v1/responses",
            (env("OPENAI_BASE_URL"), *envs("OPENAI_API_BASE")),
            "OPENAI_API_KEY",
            bases=FEW,
            model="openai/gpt-5",
        ),
        mode(
            "messages",
            "/v1/messages",
            (env("ANTHROPIC_BASE_URL"), *envs("ANTHROPIC_API_BASE")),
            "ANTHROPIC_API_KEY",
            bases=FEW,
            model="anthropic/claude-sonnet-4-5",
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    from gptme.llm import init_llm, reply
    from gptme.llm.models import set_default_model
    from gptme.message import Message

    init_llm(case.model.partition("/")[0])
    set_default_model(case.model)

    def ask(stream: bool) -> Any:
        return reply([Message("system", "s"), Message("user", "hi")], case.model, stream)

    return {"stream": lambda: ask(True), "no-stream": lambda: ask(False)}
