// The client as one file that a browser can import, so that a page needs no bundler:
// `import { createClient } from "/_keelson/client.js"`, or "keelson/client" through an import map.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Where it is served. */
export const browserClientPath = "/_keelson/client.js";

/** Bundles `keelson/client`. @returns the text of an ES module. */
export async function bundleBrowserClient(): Promise<string> {
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
