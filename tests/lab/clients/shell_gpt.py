"""ShellGPT: `sgpt`. Settings in .sgptrc; a variable of the same name wins.

The setting was called OPENAI_API_HOST up to 1.0.1 (and was the origin), OPENAI_BASE_URL in 1.1.0 and 1.2.0 (1.3.0 has
it and hands it to nobody), and API_BASE_URL since 1.3.1 (read in the source of these versions, and of 0.8.0 and 0.9.0).
"""

from tests.lab.frame import Mode, Setting, Subject, env, envs, file


def rc(name: str) -> Setting:
    return file(".config/shell_gpt/.sgptrc", name, name + "={base}\n")


SUBJECT = Subject(
    id="shell-gpt",
    package="pypi:shell-gpt",
    versions=("1.0.1", "1.2.0", "1.4.5", "1.5.1"),
    also_install=("click<8.2",),  # with a newer one the Typer of 1.2.0 does not start
    program="sgpt",
    env={"TYPER_STANDARD_TRACEBACK": "1", "_TYPER_STANDARD_TRACEBACK": "1"},  # as newer and older Typers call it
    limit=90,
    modes=(
        Mode(
            id="chat-1.0",
            below="1.1.0",
            argv=("--model", "{model}", "--no-cache", "hi"),
            endpoint="/v1/chat/completions",
            env={"OPENAI_API_KEY": "{key}"},
            settings=(env("OPENAI_API_HOST"), rc("OPENAI_API_HOST"), *envs("OPENAI_BASE_URL", "OPENAI_API_BASE")),
            keys=("OPENAI_API_KEY",),
        ),
        Mode(
            id="chat-1.1",
            since="1.1.0",
            below="1.3.0",
            argv=("--model", "{model}", "--no-cache", "--no-functions", "hi"),
            endpoint="/v1/chat/completions",
            env={"OPENAI_API_KEY": "{key}"},
            settings=(
                env("OPENAI_BASE_URL"),
                rc("OPENAI_BASE_URL"),
                env("OPENAI_API_HOST"),
                *envs("OPENAI_API_BASE", "API_BASE_URL"),
            ),
            keys=("OPENAI_API_KEY",),
        ),
        Mode(
            id="chat",
            since="1.3.1",
            argv=("--model", "{model}", "--no-cache", "--no-functions", "hi"),
            endpoint="/v1/chat/completions",
            env={"OPENAI_API_KEY": "{key}"},
            settings=(
                env("API_BASE_URL"),
                rc("API_BASE_URL"),
                env("OPENAI_BASE_URL"),
                *envs("OPENAI_API_BASE", "OPENAI_API_HOST"),
            ),
            keys=("OPENAI_API_KEY",),
        ),
    ),
)
