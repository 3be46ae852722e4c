"""LLM (Simon Willison's `llm`): a file of models for OpenAI-compatible servers; plug-ins for Anthropic and Gemini."""

from tests.lab.frame import Mode, Setting, Subject, argument, env, envs, file

MODELS = ".config/io.datasette.llm/extra-openai-models.yaml"


def models(*more: str) -> str:
    return "\n".join(("- model_id: ag", "  model_name: ag", "  api_key_name: openai", *(f"  {each}" for each in more)))


def in_models(*more: str) -> Setting:
    return file(MODELS, "api_base", models("api_base: {base}", *more))


FEW = ("", "/", "/v1", "/v1/", "/v1beta")

SUBJECT = Subject(
    id="llm",
    package="pypi:llm",
    versions=("0.31.1", "0.36"),
    also_install=("llm-anthropic", "llm-gemini"),  # whatever fits that version: 0.30 of the first wants llm 0.36
    program="llm",
    limit=90,
    modes=(
        Mode(
            id="chat",
            argv=("-m", "ag", "hi"),
            model="ag",
            endpoint="/v1/chat/completions",
            env={"OPENAI_API_KEY": "{key}"},
            files={MODELS: models()},
            settings=(in_models(), env("OPENAI_BASE_URL"), *envs("OPENAI_API_BASE")),
            keys=("OPENAI_API_KEY", "LLM_OPENAI_KEY"),
        ),
        Mode(
            id="responses",
            since="0.32",
            argv=("-m", "ag", "hi"),
            model="ag",
            endpoint="/v1/responses",
            bases=FEW,
            env={"OPENAI_API_KEY": "{key}"},
            files={MODELS: models("responses: true")},
            settings=(in_models("responses: true"), env("OPENAI_BASE_URL")),
        ),
        Mode(
            id="endpoint",
            since="0.32",
            argv=("openai", "endpoint"),
            endpoint="/v1/chat/completions",
            bases=FEW,
            settings=(argument("URL", ("{base}", "hi", "-m", "{model}", "--key", "{key}")),),
        ),
        Mode(
            id="messages",
            since="0.36",  # the llm-anthropic that 0.31.1 gets fails with today's anthropic before any request
            argv=("-m", "claude-sonnet-4.5", "hi"),
            model="claude-sonnet-4.5",
            endpoint="/v1/messages",
            env={"ANTHROPIC_API_KEY": "{key}"},
            settings=(env("ANTHROPIC_BASE_URL"), *envs("ANTHROPIC_API_BASE")),
            keys=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
        ),
    ),
)
