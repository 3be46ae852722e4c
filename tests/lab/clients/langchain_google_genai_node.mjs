// The SDK leaves a rejected promise behind where a stream cannot be parsed; Node would end the process.
process.on("unhandledRejection", () => {});

export const calls = async ({ given, keyAs, model, load, drain }) => {
  const { ChatGoogleGenerativeAI, GoogleGenerativeAIEmbeddings } = await load("@langchain/google-genai");
  const common = { ...given, ...keyAs("apiKey"), model, maxRetries: 0 };
  const chat = () => new ChatGoogleGenerativeAI(common);
  return {
    chat: () => chat().invoke("hi"),
    "chat-stream": async () => drain(await chat().stream("hi")),
    embeddings: () => new GoogleGenerativeAIEmbeddings(common).embedQuery("hi"),
  };
};
