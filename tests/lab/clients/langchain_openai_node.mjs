export const calls = async ({ given, keyAs, model, options, load, drain }) => {
  const { ChatOpenAI, OpenAIEmbeddings } = await load("@langchain/openai");
  const { "configuration.baseURL": baseURL, ...top } = given;
  const common = { ...top, ...keyAs("apiKey"), maxRetries: 0, ...(baseURL ? { configuration: { baseURL } } : {}) };
  const chat = () => new ChatOpenAI({ ...common, model, useResponsesApi: options.responses });
  return {
    chat: () => chat().invoke("hi"),
    "chat-stream": async () => drain(await chat().stream("hi")),
    embeddings: () => new OpenAIEmbeddings({ ...common, model }).embedQuery("hi"),
  };
};
