// Each major of the provider has its own specification of a model, and belongs to one major of the AI SDK.
const MAJORS = { v3: "ai6", v4: "ai7" };

export const calls = async ({ given, keyAs, model, load, drain }) => {
  const { createGoogleGenerativeAI } = await load("@ai-sdk/google");
  const provider = createGoogleGenerativeAI({ ...given, ...keyAs("apiKey") });
  const sdk = (model) => load(MAJORS[model.specificationVersion]);
  const say = async (model) => (await sdk(model)).generateText({ model, prompt: "hi", maxRetries: 0 });
  const flow = async (model) => {
    let problem = null;
    const onError = ({ error }) => (problem = error);
    const { streamText } = await sdk(model);
    await drain(streamText({ model, prompt: "hi", maxRetries: 0, onError }).textStream);
    if (problem) throw problem;
  };
  const vector = async (model) => (await sdk(model)).embed({ model, value: "hi", maxRetries: 0 });
  return {
    "generate-and-stream": async () => [await say(provider(model)), await flow(provider(model))],
    generate: () => say(provider(model)),
    "generate-stream": () => flow(provider(model)),
    embeddings: () => vector((provider.embeddingModel ?? provider.textEmbeddingModel)(model)),
  };
};
