// Runs one call of one Node SDK at a time, as measure_sdks.py asks for it. The twin of worker.py; same protocol:
// in {"call", "base", "options", "key"}, out {"error"}, one JSON object a line. Started in the folder that holds the
// SDK's node_modules, as `node worker.mjs CLIENT FOLDER`.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { join } from "node:path";

const [client, folder] = process.argv.slice(2);
const require = createRequire(pathToFileURL(join(folder, "package.json")));
const load = async (name) => {
  try {
    return require(name);
  } catch (problem) {
    // An ES module: no `require` for it on this Node version.
    const meta = await import("node:fs").then((fs) =>
      JSON.parse(fs.readFileSync(join(folder, "node_modules", name, "package.json"), "utf8")));
    const entry = meta.exports?.["."]?.node?.import ?? meta.exports?.["."]?.import ?? meta.exports?.["."]?.default ?? meta.module ?? meta.main;
    const path = typeof entry === "string" ? entry : entry.default;
    return import(pathToFileURL(join(folder, "node_modules", name, path)));
  }
};
const drain = async (stream) => {
  for await (const part of stream) void part;
};
const user = [{ role: "user", content: "hi" }];

const CLIENTS = {
  openai: async (base, key, options) => {
    const sdk = await load("openai");
    const c = new sdk.OpenAI({ ...(key === null ? {} : { apiKey: key }), maxRetries: 0, timeout: 10000, ...(base === null ? {} : { baseURL: base }), ...options });
    const file = (name, type) => sdk.toFile(Buffer.from("x"), name, { type });
    return {
      chat: () => c.chat.completions.create({ model: "m", messages: user }).then((r) => r.choices[0]),
      "chat-stream": async () => drain(await c.chat.completions.create({ model: "m", messages: user, stream: true })),
      responses: () => c.responses.create({ model: "m", input: "hi" }).then((r) => r.output[0]),
      "responses-stream": async () => drain(await c.responses.create({ model: "m", input: "hi", stream: true })),
      completions: () => c.completions.create({ model: "m", prompt: "hi" }),
      embeddings: () => c.embeddings.create({ model: "m", input: "hi", encoding_format: "float" }),
      models: async () => drain(c.models.list()),
      model: () => c.models.retrieve("m"),
      image: () => c.images.generate({ model: "m", prompt: "hi" }),
      "image-edit": async () => c.images.edit({ model: "m", prompt: "hi", image: await file("a.png", "image/png") }),
      transcription: async () => c.audio.transcriptions.create({ model: "m", file: await file("a.wav", "audio/wav") }),
    };
  },
  anthropic: async (base, key, options) => {
    const sdk = await load("@anthropic-ai/sdk");
    const auth = options.authToken || key === null ? {} : { apiKey: key };
    const c = new sdk.Anthropic({ ...auth, maxRetries: 0, timeout: 10000, ...(base === null ? {} : { baseURL: base }), ...options });
    const say = { model: "m", messages: user };
    return {
      messages: () => c.messages.create({ ...say, max_tokens: 9 }).then((r) => r.content[0]),
      "messages-stream": () => c.messages.stream({ ...say, max_tokens: 9 }).finalMessage(),
      "beta-messages": () => c.beta.messages.create({ ...say, max_tokens: 9 }).then((r) => r.content[0]),
      "count-tokens": () => c.messages.countTokens(say),
      "beta-count-tokens": () => c.beta.messages.countTokens(say),
      models: async () => drain(c.models.list()),
      model: () => c.models.retrieve("m"),
    };
  },
  "google-genai": async (base, key, options) => {
    const sdk = await load("@google/genai");
    const { apiVersion, ...rest } = options;
    if (rest.project) {
      // Vertex AI with a project: a token that is at hand, so that no credentials are looked for.
      const { OAuth2Client } = await load("google-auth-library");
      const authClient = new OAuth2Client();
      authClient.setCredentials({ access_token: key, expiry_date: Date.now() + 3600000 });
      rest.googleAuthOptions = { authClient };
    }
    const http = { ...(base === null ? {} : { baseUrl: base }), ...(apiVersion === undefined ? {} : { apiVersion }) };
    const c = new sdk.GoogleGenAI({ ...(rest.project || key === null ? {} : { apiKey: key }), ...(Object.keys(http).length ? { httpOptions: http } : {}), ...rest });
    return {
      generate: () => c.models.generateContent({ model: "m", contents: "hi" }).then((r) => r.candidates[0]),
      "generate-stream": async () => drain(await c.models.generateContentStream({ model: "m", contents: "hi" })),
      chat: () => c.chats.create({ model: "m" }).sendMessage({ message: "hi" }),
      "count-tokens": () => c.models.countTokens({ model: "m", contents: "hi" }),
      embed: () => c.models.embedContent({ model: "m", contents: "hi" }),
      models: async () => drain(await c.models.list()),
      model: () => c.models.get({ model: "m" }),
    };
  },
  "ai-sdk-openai": async (base, key, options) => {
    const { createOpenAI } = await load("@ai-sdk/openai");
    const p = createOpenAI({ ...(key === null ? {} : { apiKey: key }), ...(base === null ? {} : { baseURL: base }), ...options });
    return {
      default: () => say("m", p("m")),
      chat: () => say("m", p.chat("m")),
      "chat-stream": () => flow(p.chat("m")),
      responses: () => say("m", p.responses("m")),
      "responses-stream": () => flow(p.responses("m")),
      completions: () => say("m", p.completion("m")),
      embeddings: () => vector(p),
      image: () => picture(p),
    };
  },
  "ai-sdk-openai-compatible": async (base, key, options) => {
    const { createOpenAICompatible } = await load("@ai-sdk/openai-compatible");
    const p = createOpenAICompatible({ name: "x", ...(key === null ? {} : { apiKey: key }), baseURL: base, ...options });
    return {
      default: () => say("m", p("m")),
      chat: () => say("m", p.chatModel("m")),
      "chat-stream": () => flow(p.chatModel("m")),
      completions: () => say("m", p.completionModel("m")),
      embeddings: () => vector(p),
      image: () => picture(p),
    };
  },
  "ai-sdk-anthropic": async (base, key, options) => {
    const { createAnthropic } = await load("@ai-sdk/anthropic");
    const p = createAnthropic({ ...(options.authToken || key === null ? {} : { apiKey: key }), ...(base === null ? {} : { baseURL: base }), ...options });
    return { messages: () => say("m", p("m")), "messages-stream": () => flow(p("m")) };
  },
  "ai-sdk-google": async (base, key, options) => {
    const { createGoogleGenerativeAI } = await load("@ai-sdk/google");
    const p = createGoogleGenerativeAI({ ...(key === null ? {} : { apiKey: key }), ...(base === null ? {} : { baseURL: base }), ...options });
    return { generate: () => say("m", p("m")), "generate-stream": () => flow(p("m")), embeddings: () => vector(p) };
  },
};

// The AI SDK's own entry points, so that a call is what a program makes.
const say = async (_, model) => (await load("ai")).generateText({ model, prompt: "hi", maxRetries: 0 });
const flow = async (model) => {
  let problem = null;
  const { streamText } = await load("ai");
  const result = streamText({ model, prompt: "hi", maxRetries: 0, onError: ({ error }) => { problem = error; } });
  await drain(result.textStream);
  if (problem) throw problem;
};
const vector = async (p) => {
  const { embed } = await load("ai");
  const model = p.textEmbeddingModel ?? p.embeddingModel;
  return embed({ model: model.call(p, "m"), value: "hi", maxRetries: 0 });
};
const picture = async (p) => {
  const ai = await load("ai");
  const make = ai.generateImage ?? ai.experimental_generateImage;
  return make({ model: (p.imageModel ?? p.image).call(p, "m"), prompt: "hi", maxRetries: 0 });
};

globalThis.AI_SDK_LOG_WARNINGS = false;
console.log = console.error;
for await (const line of createInterface({ input: process.stdin })) {
  const { call, base, key, options } = JSON.parse(line);
  let error = null;
  try {
    await (await CLIENTS[client](base, key, options))[call]();
  } catch (problem) {
    error = `${problem?.name ?? "Error"}: ${problem?.message ?? problem}`;
  }
  process.stdout.write(JSON.stringify({ error }) + "\n");
}
