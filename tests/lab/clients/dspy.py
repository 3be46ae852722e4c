"""DSPy: dspy.LM; the prefix of the model chooses the protocol.

From 3.4.0 on it has its own engine and asks LiteLLM only where a variable names a base URL; before, always LiteLLM.
The two append different paths.
"""

from collections.abc import Callable, Sequence
from typing import Any

from tests.lab.frame import Case, Mode, Setting, Subject, argument, envs

ARGUMENTS = (argument("api_base"), argument("base_url"))
OPENAI = (*ARGUMENTS, *envs("OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_API_URL"))
ANTHROPIC = envs("ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL")
GEMINI = envs("GEMINI_API_BASE", "GOOGLE_GEMINI_BASE_URL")
OWN = "3.4.0"


def mode(
    id_: str,
    prefix: str,
    endpoint: str,
    settings: Sequence[Setting],
    keys: Sequence[str],
    calls: Sequence[str] = ("chat",),
    **more: Any,
) -> Mode:
    options = {"prefix": prefix, **more.pop("options", {})}
    return Mode(id_, settings, calls=calls, endpoint=endpoint, options=options, keys=keys, **more)


CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
GENERATE = "/v1beta/models/m:generateContent"
BOTH = ("chat", "embeddings")
O_KEY, A_KEY, G_KEYS = ("OPENAI_API_KEY",), ("ANTHROPIC_API_KEY",), ("GEMINI_API_KEY", "GOOGLE_API_KEY")
TYPE = {"model_type": "responses"}

SUBJECT = Subject(
    id="dspy",
    package="pypi:dspy",
    versions=("2.6.27", "3.4.1"),
    also_install=("mcp", "numpy"),
    env={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    modes=(
        mode("openai", "openai/", CHAT, OPENAI, O_KEY, BOTH, since=OWN),
        mode("responses", "openai/", "/v1/responses", OPENAI, O_KEY, since=OWN, options=TYPE),
        mode("anthropic", "anthropic/", MESSAGES, ARGUMENTS, A_KEY, since=OWN),
        mode("anthropic-env", "anthropic/", MESSAGES, ANTHROPIC, A_KEY, since=OWN),
        mode("gemini", "gemini/", GENERATE, ARGUMENTS, G_KEYS, since=OWN),
        mode("gemini-env", "gemini/", GENERATE, GEMINI, G_KEYS, since=OWN),
        mode("openai-litellm", "openai/", CHAT, OPENAI, O_KEY, BOTH, below=OWN),
        mode("anthropic-litellm", "anthropic/", MESSAGES, (*ARGUMENTS, *ANTHROPIC), A_KEY, below=OWN),
        mode("gemini-litellm", "gemini/", GENERATE, (*ARGUMENTS, *GEMINI), G_KEYS, below=OWN),
    ),
)


def calls(case: Case) -> dict[str, Callable[[], Any]]:
    import dspy

    options = dict(case.options)
    model = options.pop("prefix") + case.model
    given: dict[str, Any] = {**case.given, **case.key_as("api_key")}
    return {
        "chat": lambda: dspy.LM(model, cache=False, num_retries=0, timeout=10, **options, **given)("hi"),
        "embeddings": lambda: dspy.Embedder(model, caching=False, **given)("hi"),
    }
