"""Gemini CLI: `gemini -p`."""

import json

from tests.lab.frame import Mode, Subject, env, envs, file

SETTINGS = json.dumps(
    {
        "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}},
        "privacy": {"usageStatisticsEnabled": False},
        "general": {"disableAutoUpdate": True},
    }
)

SUBJECT = Subject(
    id="gemini-cli",
    package="npm:@google/gemini-cli",
    versions=("0.61.0",),
    program="gemini",
    modes=(
        Mode(
            id="gemini",
            argv=("--skip-trust", "-p", "hi", "-m", "{model}"),
            model="gemini-2.5-flash",
            endpoint="/v1beta/models/gemini-2.5-flash:streamGenerateContent",
            env={"GEMINI_API_KEY": "{key}"},
            files={".gemini/settings.json": SETTINGS},
            settings=(
                env("GOOGLE_GEMINI_BASE_URL"),
                file(".gemini/.env", "GOOGLE_GEMINI_BASE_URL", "GOOGLE_GEMINI_BASE_URL={base}\n"),
                *envs("GEMINI_BASE_URL", "GEMINI_API_BASE", "GOOGLE_API_BASE_URL", "CODE_ASSIST_ENDPOINT"),
            ),
            keys=("GEMINI_API_KEY",),
        ),
    ),
)
