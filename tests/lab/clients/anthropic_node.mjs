export const calls = async ({ given, keyAs, model, load, drain }) => {
  const { Anthropic } = await load("@anthropic-ai/sdk");
  const client = new Anthropic({ ...given, ...keyAs("apiKey"), maxRetries: 0, timeout: 10000 });
  const count = { model, messages: [{ role: "user", content: "hi" }] };
  const say = { ...count, max_tokens: 9 };
  return {
    messages: async () => (await client.messages.create(say)).content[0],
    "messages-stream": () => client.messages.stream(say).finalMessage(),
    "count-tokens": () => client.messages.countTokens(count),
    models: async () => drain(await client.models.list()),
    model: () => client.models.retrieve(model),
    "beta-messages": async () => (await client.beta.messages.create(say)).content[0],
    "beta-count-tokens": () => client.beta.messages.countTokens(count),
  };
};
