"""Google's SDK for Gemini in JavaScript (@google/genai), at the Gemini API and at Vertex AI.

From 3.0.0 on its default API version is one that the proxy does not serve for Gemini: the mode `gemini` is measured as
it is recommended, with the version set, once in code and once by the variable. `gemini-no-version` is without that.
"""

from tests.lab.frame import Mode, Setting, Subject, argument, env, envs

CALLS = ("chat", "chat-stream", "session", "models", "model", "count-tokens", "embed")
OTHERS = envs("GEMINI_BASE_URL", "GEMINI_API_BASE", "GOOGLE_GENAI_BASE_URL", "GOOGLE_API_BASE")
SETTINGS = (
    argument("httpOptions.baseUrl"),
    *envs("GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL"),
    *OTHERS,
)
KEYS = ("GOOGLE_API_KEY", "GEMINI_API_KEY")
ENDPOINT = "/v1beta/models/m:generateContent"

SUBJECT = Subject(
    id="google-genai-node",
    package="npm:@google/genai",
    versions=("1.52.0", "2.32.0", "3.3.0"),
    modes=(
        Mode(
            id="gemini",
            calls=CALLS,
            endpoint=ENDPOINT,
            options={"apiVersion": "v1beta"},
            settings=(
                argument("httpOptions.baseUrl"),
                Setting(
                    "env",
                    "GOOGLE_GEMINI_BASE_URL",
                    env={"GOOGLE_GEMINI_BASE_URL": "{base}", "GOOGLE_GENAI_API_VERSION": "v1beta"},
                    options={"apiVersion": None},
                ),
                env("GOOGLE_VERTEX_BASE_URL"),
                *OTHERS,
            ),
            keys=KEYS,
            since="3.0.0",
        ),
        Mode(id="gemini-2", calls=CALLS, endpoint=ENDPOINT, settings=SETTINGS, keys=KEYS, below="3.0.0"),
        Mode(id="gemini-no-version", calls=CALLS, endpoint=ENDPOINT, settings=SETTINGS, keys=KEYS, since="3.0.0"),
        Mode(
            id="gemini-empty-version",
            calls=CALLS,
            endpoint=ENDPOINT,
            options={"apiVersion": ""},
            settings=SETTINGS,
            keys=KEYS,
        ),
        Mode(id="vertex-key", calls=CALLS, options={"client": {"vertexai": True}}, settings=SETTINGS, keys=KEYS),
        Mode(
            id="vertex-project",
            calls=CALLS,
            options={"client": {"vertexai": True, "project": "p", "location": "us-central1"}},
            settings=SETTINGS,
        ),
    ),
)
