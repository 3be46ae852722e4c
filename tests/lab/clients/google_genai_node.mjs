// With a project, Vertex AI takes a token: one that is at hand, so that no credentials are looked for.
const signedIn = async (load, key) => {
  const { OAuth2Client } = await load("google-auth-library");
  const authClient = new OAuth2Client();
  authClient.setCredentials({ access_token: key, expiry_date: Date.now() + 3600000 });
  return { googleAuthOptions: { authClient } };
};

export const calls = async ({ base, key, keyAs, model, options, load, drain }) => {
  const { GoogleGenAI } = await load("@google/genai");
  const given = options.client ?? {};
  const who = given.project ? await signedIn(load, key) : keyAs("apiKey");
  const pairs = Object.entries({ baseUrl: base, apiVersion: options.apiVersion ?? null });
  const http = Object.fromEntries(pairs.filter(([, value]) => value !== null));
  const client = new GoogleGenAI({ ...given, ...who, ...(Object.keys(http).length ? { httpOptions: http } : {}) });
  const say = { model, contents: "hi" };
  return {
    chat: async () => (await client.models.generateContent(say)).candidates[0],
    "chat-stream": async () => drain(await client.models.generateContentStream(say)),
    session: () => client.chats.create({ model }).sendMessage({ message: "hi" }),
    models: async () => drain(await client.models.list()),
    model: () => client.models.get({ model }),
    "count-tokens": () => client.models.countTokens(say),
    embed: () => client.models.embedContent(say),
  };
};
