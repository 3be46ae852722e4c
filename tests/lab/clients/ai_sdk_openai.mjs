// Each major of the provider has its own specification of a model, and belongs to one major of the AI SDK.
const MAJORS = { v3: "ai6", v4: "ai7" };

export const calls = async ({ given, keyAs, model, load, drain }) => {
  const { createOpenAI } = await load("@ai-sdk/openai");
  const provider = createOpenAI({ ...given, ...keyAs("apiKey") });
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
  const picture = async (model) => {
    const { generateImage, experimental_generateImage } = await sdk(model);
    return (generateImage ?? experimental_generateImage)({ model, prompt: "hi", maxRetries: 0 });
  };
  return {
    default: () => say(provider(model)),
    responses: () => say(provider.responses(model)),
    "responses-stream": () => flow(provider.responses(model)),
    chat: () => say(provider.chat(model)),
    "chat-stream": () => flow(provider.chat(model)),
    completions: () => say(provider.completion(model)),
    embeddings: () => vector((provider.embeddingModel ?? provider.textEmbeddingModel)(model)),
    image: () => picture(provider.imageModel(model)),
  };
};
