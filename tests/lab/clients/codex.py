"""Codex: `codex exec`, with a provider of its own in config.toml, and with the built-in one.

`wire_api = "chat"` ends with 0.94. What the proxy's own sync writes is measured as well: a provider `custom`, and key
and base URL in auth.json. The built-in provider tries a WebSocket first in 0.118, not yet in 0.94,
and reads OPENAI_BASE_URL up to 0.118.
"""

import json

from tests.lab.frame import FEW, Mode, Setting, Subject, argument, env, file

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
TOP = file(CONFIG, "openai_base_url", 'openai_base_url = "{base}"\n')
WORDS = argument("-c", ("-c", 'openai_base_url="{base}"'))
VARIABLE = env("OPENAI_BASE_URL")
TABLE = file(
    CONFIG, "model_providers.openai.base_url", '[model_providers.openai]\nname = "openai"\nbase_url = "{base}"\n'
)


def built_in(id_: str, *settings: Setting, since: str | None = None, below: str | None = None) -> Mode:
    return Mode(
        id=id_,
        argv=ARGV,
        bases=(*FEW, "/v1beta"),  # a run takes long where WebSockets are tried first
        env={"CODEX_API_KEY": "{key}"},
        settings=(*settings, file(AUTH, "OPENAI_BASE_URL", SYNCED)),
        keys=("CODEX_API_KEY", "OPENAI_API_KEY"),
        not_driven=("/responses", "/responses/compact"),
        since=since,
        below=below,
    )


SUBJECT = Subject(
    id="codex",
    package="npm:@openai/codex",
    versions=("0.94.0", "0.118.0", "0.120.0", "0.171.0"),
    program="codex",
    modes=(
        # with OPENAI_BASE_URL set, 0.94 asks there for the list of models, whatever the provider is
        own("responses", "responses", "/v1/responses", SYNC, below="0.95.0"),
        own("responses", "responses", "/v1/responses", SYNC, VARIABLE, since="0.95.0"),
        built_in("openai-0.118", VARIABLE, WORDS, TOP, below="0.120.0"),
        built_in("openai", TOP, WORDS, VARIABLE, TABLE, since="0.120.0"),
        own("chat", "chat", "/v1/chat/completions", below="0.95.0"),
    ),
)
