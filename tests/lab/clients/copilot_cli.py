"""GitHub Copilot CLI with a provider of one's own: `copilot -p`. Variables say everything; no login is needed then."""

from tests.lab.frame import Mode, Subject, env, envs


def mode(
    id_: str, endpoint: str, kind: str, api: str | None, ignored: tuple[str, ...], transport: str = "http"
) -> Mode:
    wire = {} if api is None else {"COPILOT_PROVIDER_WIRE_API": api}
    return Mode(
        id=id_,
        argv=("-p", "hi", "--allow-all-tools", "--no-color"),
        endpoint=endpoint,
        env={
            "COPILOT_PROVIDER_TYPE": kind,
            "COPILOT_PROVIDER_TRANSPORT": transport,
            "COPILOT_PROVIDER_API_KEY": "{key}",
            "COPILOT_MODEL": "{model}",
            **wire,
        },
        settings=(env("COPILOT_PROVIDER_BASE_URL"), *envs(*ignored)),
        keys=("COPILOT_PROVIDER_API_KEY", "COPILOT_PROVIDER_BEARER_TOKEN"),
    )


OPENAI = ("OPENAI_BASE_URL", "OPENAI_API_BASE", "COPILOT_API_URL")

SUBJECT = Subject(
    id="copilot-cli",
    package="npm:@github/copilot",
    versions=("1.0.102",),
    program="copilot",
    env={"COPILOT_AUTO_UPDATE": "false", "XDG_CACHE_HOME": "{here}/../../agdoctor-lab-copilot"},  # unpacks itself there
    limit=90,
    modes=(
        mode("chat", "/v1/chat/completions", "openai", "completions", OPENAI),
        mode("responses", "/v1/responses", "openai", "responses", OPENAI),
        mode("messages", "/v1/messages", "anthropic", None, ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE")),
    ),
)
