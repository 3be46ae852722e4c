"""Claude Code: `claude -p`. Variables for the base URL; settings.json may set them, too."""

import json

from tests.lab.frame import Mode, Subject, env, envs, file

SUBJECT = Subject(
    id="claude-code",
    package="npm:@anthropic-ai/claude-code",
    versions=("2.1.197", "2.1.332"),
    program="claude",
    scripts=True,
    env={"DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"},
    modes=(
        Mode(
            id="messages",
            argv=("-p", "hi", "--model", "{model}"),
            model="claude-sonnet-4-5",
            endpoint="/v1/messages",
            env={"ANTHROPIC_API_KEY": "{key}"},
            settings=(
                env("ANTHROPIC_BASE_URL"),
                file(
                    ".claude/settings.json",
                    "env.ANTHROPIC_BASE_URL",
                    json.dumps({"env": {"ANTHROPIC_BASE_URL": "{base}"}}),
                ),
                *envs("ANTHROPIC_API_BASE", "ANTHROPIC_API_URL", "CLAUDE_BASE_URL"),
            ),
            keys=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
            not_driven=("/v1/messages/count_tokens?beta=true",),
        ),
    ),
)
