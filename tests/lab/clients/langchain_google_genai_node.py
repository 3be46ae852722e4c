"""LangChain.js with Gemini's protocol: ChatGoogleGenerativeAI and GoogleGenerativeAIEmbeddings."""

from tests.lab.frame import Mode, Subject, argument, envs

SUBJECT = Subject(
    id="langchain-google-genai-node",
    package="npm:@langchain/google-genai",
    versions=("1.0.3", "2.3.2"),
    modes=(
        Mode(
            id="gemini",
            calls=("chat", "chat-stream", "embeddings"),
            endpoint="/v1beta/models/m:generateContent",
            settings=(
                argument("baseUrl"),
                argument("baseURL"),
                *envs("GOOGLE_GEMINI_BASE_URL", "GEMINI_BASE_URL", "GOOGLE_API_BASE"),
            ),
            keys=("GOOGLE_API_KEY", "GEMINI_API_KEY"),
        ),
    ),
)
