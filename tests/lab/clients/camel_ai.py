"""CAMEL: the model factory takes a platform and a `url`; most platforms speak Chat Completions."""

from collections.abc import Callable
from typing import Any

from tests.lab.frame import Case, Mode, Subject, argument, env, envs

SUBJECT = Subject(
    id="camel-ai",
    package="pypi:camel-ai",
    versions=("0.2.90",),
    also_install=("anthropic>=0.47.0,<0.50.0",),
    modes=(
        Mode(
            "chat",
            (argument("url"), env("OPENAI_API_BASE_URL"), env("OPENAI_BASE_URL"), *envs("OPENAI_API_BASE")),
            calls=("run", "stream"),
            endpoint="/v1/chat/completions",
            keys=("OPENAI_API_KEY",),
            options={"platform": "openai"},
        ),
        Mode(
            "responses",
            (argument("url"), env("OPENAI_API_BASE_URL")),
            calls=("run",),
            endpoint="/v1/responses",
            keys=("OPENAI_API_KEY",),
            options={"platform": "openai", "more": {"api_mode": "responses"}},
        ),
        Mode(
            "compatible",
            (argument("url"), env("OPENAI_COMPATIBILITY_API_BASE_URL"), *envs("OPENAI_BASE_URL")),
            calls=("run",),
            endpoint="/v1/chat/completions",
            keys=("OPENAI_COMPATIBILITY_API_KEY",),
            options={"platform": "openai-compatible-model"},
        ),
        Mode(
            "messages",
            (argument("url"), env("ANTHROPIC_API_BASE_URL"), env("ANTHROPIC_BASE_URL")),
            calls=("run",),
            endpoint="/v1/messages",
            keys=("ANTHROPIC_API_KEY",),
            options={"platform": "anthropic"},
        ),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    from camel.models import ModelFactory
    from camel.types import ModelPlatformType

    given = {**case.given, **case.key_as("api_key"), **case.options.get("more", {})}
    platform = ModelPlatformType(case.options["platform"])

    def model(**config: Any) -> Any:
        return ModelFactory.create(platform, case.model, model_config_dict=config, max_retries=0, **given)

    say = [{"role": "user", "content": "hi"}]
    return {
        "run": lambda: model().run(say).choices[0].message.content,
        "stream": lambda: list(model(stream=True).run(say)),
    }
