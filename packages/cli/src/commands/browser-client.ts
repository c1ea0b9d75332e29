// The client as one file that a browser can import, so that a page needs no bundler:
// `import { createClient } from "/_keelson/client.js"`, or "keelson/client" through an import map. Bundled when a
// browser asks: the bundler is a process of its own, and most servers are never asked.
import { fileURLToPath } from "node:url";

/** Where it is served, and what makes it: this module. */
export const browserClient: Readonly<Record<string, string>> = Object.freeze({
  "/_keelson/client.js": import.meta.url,
});

/** Bundles `keelson/client`. @returns the text of an ES module. */
export default async function bundleBrowserClient(): Promise<string> {
  const { build } = await import("esbuild");
  // In a checkout the sources, in an installed package the compiled files: whichever this file is.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const entry = fileURLToPath(new URL(`../client.${extension}`, import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    minify: true,
    write: false,
    logLevel: "silent",
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error("esbuild wrote no file");
  return file.text;
}
