"""Codex: `codex exec`, with a provider of its own in config.toml, and with the built-in one.

`wire_api = "chat"` ends with 0.94. What the proxy's own sync writes is measured as well: a provider `custom`, and key
and base URL in auth.json. The built-in provider is here as long as it speaks HTTP only: later it takes a WebSocket
where there is one, and what it would have sent by HTTP is not seen.
"""

import json

from tests.lab.frame import Mode, Setting, Subject, argument, env, file

CONFIG, AUTH = ".codex/config.toml", ".codex/auth.json"
ARGV = ("exec", "--skip-git-repo-check", "-m", "{model}", "hi")
SIGNED_IN = json.dumps({"OPENAI_API_KEY": "{key}"})
SYNCED = json.dumps({"OPENAI_API_KEY": "{key}", "OPENAI_BASE_URL": "{base}"})


def provider(name: str, wire_api: str, *lines: str) -> str:
    head = ('model = "{model}"', f'model_provider = "{name}"', "", f"[model_providers.{name}]", f'name = "{name}"')
    return "\n".join((*head, f'wire_api = "{wire_api}"', *lines, ""))


def own(
    id_: str, wire_api: str, endpoint: str, *more: Setting, since: str | None = None, below: str | None = None
) -> Mode:
    """A mode with a provider of one's own. Without its base URL, Codex takes that of OpenAI."""
    key, base = 'env_key = "ANTIGRAVITY_KEY"', 'base_url = "{base}"'
    name = "model_providers.antigravity.base_url"
    return Mode(
        id=id_,
        argv=ARGV,
        endpoint=endpoint,
        env={"ANTIGRAVITY_KEY": "{key}"},
        files={CONFIG: provider("antigravity", wire_api, key)},
        settings=(
            file(CONFIG, name, provider("antigravity", wire_api, key, base)),
            argument("-c", ("-c", name + '="{base}"')),
            *more,
            file(AUTH, "OPENAI_BASE_URL", SYNCED),
            file(CONFIG, "model_providers.antigravity.wire_api", provider("antigravity", "chat", key)),
        ),
        keys=("ANTIGRAVITY_KEY",),
        not_driven=() if wire_api == "chat" else ("/responses", "/responses/compact"),
        since=since,
        below=below,
    )


SYNC = Setting(
    "file",
    "model_providers.custom.base_url",
    files={
        CONFIG: provider("custom", "responses", 'base_url = "{base}"', "requires_openai_auth = true"),
        AUTH: SIGNED_IN,
    },
)
BUILT_IN = Mode(
    id="openai-0.118",
    argv=ARGV,
    endpoint="/v1/responses",
    env={"CODEX_API_KEY": "{key}"},
    settings=(
        env("OPENAI_BASE_URL"),
        file(CONFIG, "openai_base_url", 'openai_base_url = "{base}"\n'),
        file(AUTH, "OPENAI_BASE_URL", SYNCED),
    ),
    keys=("CODEX_API_KEY", "OPENAI_API_KEY"),
    not_driven=("/responses", "/responses/compact"),
    below="0.95.0",
)

SUBJECT = Subject(
    id="codex",
    package="npm:@openai/codex",
    versions=("0.94.0", "0.118.0", "0.169.0"),
    program="codex",
    modes=(
        # with OPENAI_BASE_URL set, 0.94 asks there for the list of models, whatever the provider is
        own("responses", "responses", "/v1/responses", SYNC, below="0.95.0"),
        own("responses", "responses", "/v1/responses", SYNC, env("OPENAI_BASE_URL"), since="0.95.0"),
        BUILT_IN,
        own("chat", "chat", "/v1/chat/completions", below="0.95.0"),
    ),
)
