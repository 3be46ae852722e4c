export const calls = async ({ given, keyAs, model, load, drain }) => {
  const { ChatAnthropic } = await load("@langchain/anthropic");
  const { "clientOptions.baseURL": baseURL, ...top } = given;
  const chat = () =>
    new ChatAnthropic({ ...top, ...keyAs("apiKey"), model, maxRetries: 0, ...(baseURL ? { clientOptions: { baseURL } } : {}) });
  return {
    chat: () => chat().invoke("hi"),
    "chat-stream": async () => drain(await chat().stream("hi")),
  };
};
