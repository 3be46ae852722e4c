"""Codex: `codex exec`, with a provider of its own in config.toml."""

from tests.lab.frame import Mode, Subject, env, file

PROVIDER = """model = "{model}"
model_provider = "antigravity"

[model_providers.antigravity]
name = "antigravity"
base_url = "{base}"
wire_api = "responses"
env_key = "AG_KEY"
"""

SUBJECT = Subject(
    id="codex",
    package="npm:@openai/codex",
    versions=("0.169.0",),
    program="codex",
    modes=(
        Mode(
            id="responses",
            argv=("exec", "--skip-git-repo-check", "-m", "{model}", "hi"),
            endpoint="/v1/responses",
            env={"AG_KEY": "{key}", "CODEX_API_KEY": "{key}"},
            settings=(
                file(".codex/config.toml", "model_providers.antigravity.base_url", PROVIDER),
                env("OPENAI_BASE_URL"),
            ),
        ),
    ),
)
