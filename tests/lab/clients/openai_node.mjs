const PIXEL = Buffer.from("89504e470d0a1a0a", "hex");

export const calls = async ({ given, keyAs, model, load, drain }) => {
  const { OpenAI, toFile } = await load("openai");
  const client = new OpenAI({ ...given, ...keyAs("apiKey"), maxRetries: 0, timeout: 10000 });
  const say = { model, messages: [{ role: "user", content: "hi" }] };
  const ask = { model, input: "hi" };
  const picture = { model, prompt: "hi" };
  const file = (name, type) => toFile(PIXEL, name, { type });
  return {
    chat: async () => (await client.chat.completions.create(say)).choices[0],
    "chat-stream": async () => drain(await client.chat.completions.create({ ...say, stream: true })),
    responses: async () => (await client.responses.create(ask)).output[0],
    "responses-stream": async () => drain(await client.responses.create({ ...ask, stream: true })),
    models: async () => drain(await client.models.list()),
    model: () => client.models.retrieve(model),
    completions: () => client.completions.create({ model, prompt: "hi" }),
    embeddings: () => client.embeddings.create({ ...ask, encoding_format: "float" }),
    image: () => client.images.generate(picture),
    "image-edit": async () => client.images.edit({ ...picture, image: await file("a.png", "image/png") }),
    transcription: async () => client.audio.transcriptions.create({ model, file: await file("a.wav", "audio/wav") }),
  };
};
