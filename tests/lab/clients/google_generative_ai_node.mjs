// The SDK leaves a rejected promise behind where a stream cannot be parsed; Node would end the process.
process.on("unhandledRejection", () => {});

export const calls = async ({ given, key, model, load, drain }) => {
  const { GoogleGenerativeAI } = await load("@google/generative-ai");
  const found = new GoogleGenerativeAI(key).getGenerativeModel({ model }, { ...given, timeout: 10000 });
  return {
    chat: async () => (await found.generateContent("hi")).response.text(),
    "chat-stream": async () => drain((await found.generateContentStream("hi")).stream),
    "count-tokens": () => found.countTokens("hi"),
    embed: () => found.embedContent("hi"),
  };
};
