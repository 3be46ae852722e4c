"""Google's former Gemini SDK for JavaScript, which its successor @google/genai replaces."""

from tests.lab.frame import Mode, Subject, argument, envs

SUBJECT = Subject(
    id="google-generative-ai-node",
    package="npm:@google/generative-ai",
    versions=("0.24.1",),
    modes=(
        Mode(
            id="gemini",
            calls=("chat", "chat-stream", "count-tokens", "embed"),
            endpoint="/v1beta/models/m:generateContent",
            settings=(
                argument("baseUrl"),
                argument("baseURL"),
                *envs("GOOGLE_GEMINI_BASE_URL", "GEMINI_BASE_URL", "GOOGLE_API_BASE"),
            ),
        ),
    ),
)
