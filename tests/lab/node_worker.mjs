// Runs one call of one Node client at a time, as running.py's Worker asks for it: the twin of python_worker.py, with the
// same protocol. Started as `node node_worker.mjs ID FOLDER`; FOLDER holds the client's node_modules. clients/ID.mjs
// exports `calls`, an async function of {given, base, key, keyAs, model, options, load, drain} that gives the calls by name.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { join } from "node:path";

const [id, folder] = process.argv.slice(2);
const require = createRequire(pathToFileURL(join(folder, "package.json")));

// A package of the client's own node_modules, CommonJS or ES module.
const load = async (name) => {
  try {
    return require(name);
  } catch {
    const parts = name.split("/");
    const count = name.startsWith("@") ? 2 : 1;
    const home = join(folder, "node_modules", ...parts.slice(0, count));
    const meta = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
    const inner = parts.length > count ? "./" + parts.slice(count).join("/") : ".";
    let entry = meta.exports?.[inner] ?? (inner === "." ? (typeof meta.exports === "string" ? meta.exports : meta.exports) : undefined);
    while (entry && typeof entry === "object") entry = entry.node ?? entry.import ?? entry.default;
    return import(pathToFileURL(join(home, entry ?? meta.module ?? meta.main)));
  }
};

const drain = async (stream) => {
  for await (const part of stream) void part;
};

const { calls } = await import(pathToFileURL(join(import.meta.dirname, "clients", `${id.replaceAll("-", "_")}.mjs`)));
globalThis.AI_SDK_LOG_WARNINGS = false;
// A library that lets a promise of its own fail behind the caller's back must not end the worker.
process.on("unhandledRejection", (problem) => console.error("unhandled:", problem));
console.log = console.error;
for await (const line of createInterface({ input: process.stdin })) {
  const { call, given, key, model, options } = JSON.parse(line);
  const keyAs = (name) => (key === null ? {} : { [name]: key });
  let error = null;
  try {
    const base = Object.values(given)[0] ?? null;
    await (await calls({ given, base, key, keyAs, model, options, load, drain }))[call]();
  } catch (problem) {
    error = `${problem?.name ?? "Error"}: ${problem?.message ?? problem}`;
  }
  process.stdout.write(JSON.stringify({ error }) + "\n");
}
