"""Continue's command line: `cn -p`, with a model of its own in config.yaml; `provider` says the protocol."""

from tests.lab.frame import Mode, Setting, Subject, file

CONFIG = ".continue/config.yaml"
PROVIDERS = (
    ("openai", "/v1/chat/completions", ("OPENAI_BASE_URL", "OPENAI_API_BASE")),
    ("anthropic", "/v1/messages", ("ANTHROPIC_BASE_URL",)),
)


def config(provider: str, more: str = "") -> str:
    model = f"  - name: Antigravity\n    provider: {provider}\n    model: {{model}}\n    apiKey: {{key}}\n{more}"
    return f"name: Local\nversion: 0.0.1\nschema: v1\nmodels:\n{model}"


def variable(provider: str, name: str) -> Setting:
    return Setting("env", name, env={name: "{base}"}, files={CONFIG: config(provider)})


GEMINI = file(CONFIG, "models[].apiBase with provider: gemini", config("gemini", "    apiBase: {base}\n"))


SUBJECT = Subject(
    id="continue-cli",
    package="npm:@continuedev/cli",
    versions=("1.5.47",),
    program="cn",
    env={"CONTINUE_TELEMETRY_ENABLED": "0", "CONTINUE_CLI_ENABLE_TELEMETRY": "0"},
    modes=tuple(
        Mode(
            id=provider,
            argv=("-p", "--config", "{here}/../" + CONFIG, "hi"),
            endpoint=endpoint,
            settings=(
                file(CONFIG, "models[].apiBase", config(provider, "    apiBase: {base}\n")),
                *(variable(provider, name) for name in names),
                GEMINI,
            ),
        )
        for provider, endpoint, names in PROVIDERS
    ),
)
