"""ShellGPT: `sgpt`. Settings in .sgptrc; a variable of the same name wins."""

from tests.lab.frame import Mode, Subject, env, envs, file

RC = "API_BASE_URL={base}\n"

SUBJECT = Subject(
    id="shell-gpt",
    package="pypi:shell-gpt",
    versions=("1.4.5", "1.5.1"),
    also_install=("click",),
    program="sgpt",
    env={"TYPER_STANDARD_TRACEBACK": "1"},
    limit=90,
    modes=(
        Mode(
            id="chat",
            argv=("--model", "{model}", "--no-cache", "--no-functions", "hi"),
            endpoint="/v1/chat/completions",
            env={"OPENAI_API_KEY": "{key}"},
            settings=(
                env("API_BASE_URL"),
                file(".config/shell_gpt/.sgptrc", "API_BASE_URL", RC),
                env("OPENAI_BASE_URL"),
                *envs("OPENAI_API_BASE", "OPENAI_API_HOST"),
            ),
            keys=("OPENAI_API_KEY",),
        ),
    ),
)
