"""The AI SDK's provider for Gemini, which reads no base URL from the environment."""

from tests.lab.frame import Mode, Subject, argument, envs

SUBJECT = Subject(
    id="ai-sdk-google",
    package="npm:@ai-sdk/google",
    versions=("3.0.141", "4.0.121"),
    also_install=("ai6@npm:ai@6.0.326", "ai7@npm:ai@7.0.173", "zod@4"),  # the majors that these versions belong to
    modes=(
        Mode(
            id="gemini",
            settings=(
                argument("baseURL"),
                argument("baseUrl"),
                *envs("GOOGLE_GEMINI_BASE_URL", "GEMINI_BASE_URL", "GEMINI_API_BASE", "GOOGLE_GENERATIVE_AI_BASE_URL"),
            ),
            # The first one is the only one that is made with /v1beta, so it streams as well.
            calls=("generate-and-stream", "generate", "generate-stream", "embeddings"),
            endpoint="/v1beta/models/m:generateContent",
            keys=("GOOGLE_GENERATIVE_AI_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY"),
        ),
    ),
)
