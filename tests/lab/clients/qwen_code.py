"""Qwen Code: `qwen -p`, a fork of Gemini CLI that speaks every protocol; --auth-type says which."""

import json

from tests.lab.frame import Mode, Setting, Subject, argument, env, envs, file


def settings(auth: str, **model: str) -> str:
    quiet = {"privacy": {"usageStatisticsEnabled": False}, "general": {"enableAutoUpdate": False}}
    selected = {"security": {"auth": {"selectedType": auth, **model}}}
    return json.dumps({**quiet, **selected})


def mode(id_: str, auth: str, endpoint: str, key: str, ways: tuple[Setting, ...], since: str | None = None) -> Mode:
    return Mode(
        id=id_,
        argv=("--auth-type", auth, "-m", "{model}", "-p", "hi"),
        endpoint=endpoint,
        env={key: "{key}"},
        files={".qwen/settings.json": settings(auth)},
        settings=ways,
        keys=(key,),
        since=since,
    )


def in_settings(auth: str) -> Setting:
    return file(".qwen/settings.json", "security.auth.baseUrl", settings(auth, baseUrl="{base}"))


def in_dotenv(name: str) -> Setting:
    return file(".qwen/.env", name, name + "={base}\n")


OPENAI = (
    env("OPENAI_BASE_URL"),
    argument("--openai-base-url", ("--openai-base-url", "{base}")),
    in_dotenv("OPENAI_BASE_URL"),
    in_settings("openai"),
    *envs("OPENAI_API_BASE", "QWEN_BASE_URL", "DASHSCOPE_BASE_URL"),
)

SUBJECT = Subject(
    id="qwen-code",
    package="npm:@qwen-code/qwen-code",
    versions=("0.15.10", "0.24.4"),
    program="qwen",
    modes=(
        mode("openai", "openai", "/v1/chat/completions", "OPENAI_API_KEY", OPENAI),
        mode(
            "openai-responses",
            "openai-responses",
            "/v1/responses",
            "OPENAI_API_KEY",
            (env("OPENAI_BASE_URL"),),
            "0.23.4",
        ),
        mode(
            "anthropic",
            "anthropic",
            "/v1/messages",
            "ANTHROPIC_API_KEY",
            (env("ANTHROPIC_BASE_URL"), *envs("ANTHROPIC_API_BASE")),
        ),
        mode(
            "gemini",
            "gemini",
            "/v1beta/models/m:streamGenerateContent",
            "GEMINI_API_KEY",
            (env("GOOGLE_GEMINI_BASE_URL"), in_settings("gemini"), *envs("GEMINI_BASE_URL")),
        ),
    ),
)
