"""Gemini CLI: `gemini -p`, with a key; GOOGLE_GENAI_API_VERSION takes the place of v1beta in the path."""

import json
from collections.abc import Sequence

from tests.lab.frame import BASES, FEW, Mode, Setting, Subject, env, envs, file

SIGNED_IN = {"auth": {"selectedType": "gemini-api-key"}}


def written(**security: object) -> str:
    quiet = {"privacy": {"usageStatisticsEnabled": False}, "general": {"disableAutoUpdate": True}}
    return json.dumps({"security": {**security, "folderTrust": {"enabled": False}}, **quiet})


MODEL = "gemini-2.5-flash"

NOW_AND_THEN = ("/v1beta/models/{model}:generateContent", "/v1beta/models/{model}:countTokens")
"""One answer and the end takes neither with the newest version; 0.1.22 sends both."""


def mode(
    id_: str,
    *more: Setting,
    version: str | None = None,
    bases: Sequence[str] = BASES,
    since: str | None = None,
) -> Mode:
    return Mode(
        id=id_,
        argv=("-p", "hi", "-m", "{model}"),
        model=MODEL,
        endpoint=f"/{version or 'v1beta'}/models/{MODEL}:streamGenerateContent",
        bases=bases,
        env={"GEMINI_API_KEY": "{key}", **({"GOOGLE_GENAI_API_VERSION": version} if version else {})},
        files={".gemini/settings.json": written(**SIGNED_IN)},
        settings=(
            env("GOOGLE_GEMINI_BASE_URL"),
            file(".gemini/.env", "GOOGLE_GEMINI_BASE_URL", "GOOGLE_GEMINI_BASE_URL={base}\n"),
            *more,
        ),
        keys=("GEMINI_API_KEY",),
        not_driven=tuple(each.replace("v1beta", version or "v1beta") for each in NOW_AND_THEN),
        since=since,
    )


NO_AUTH = Setting(
    "file",
    "security.auth.selectedType",
    env={"GOOGLE_GEMINI_BASE_URL": "{base}"},
    files={".gemini/settings.json": written()},
)
"""A base URL, and nothing that says how to sign in."""

SUBJECT = Subject(
    id="gemini-cli",
    package="npm:@google/gemini-cli",
    versions=("0.1.22", "0.61.0"),
    program="gemini",
    modes=(
        mode(
            "gemini",
            *envs("GEMINI_BASE_URL", "GEMINI_API_BASE", "GOOGLE_API_BASE_URL", "CODE_ASSIST_ENDPOINT"),
        ),
        mode("gemini-api-v1", NO_AUTH, version="v1", bases=FEW, since="0.61.0"),  # 0.1.22 does not read the variable
    ),
)
