// Lets Node find Keelson's own files by their addresses alone. For each of 1,800 import statements it otherwise follows
// links, looks for a package.json in every folder above and asks for the format: a fifth of the CPU of a start.
// Everything else (packages, what Node brings, files of others) is found as ever.
import { registerHooks } from "node:module";

/** @param folders addresses of more folders of our own, each with a slash at its end: the command line's. */
export function findOwnFilesFast(folders: readonly string[] = []): void {
  const ending = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  const format = ending === ".ts" ? "module-typescript" : "module";
  const own = [
    ...folders,
    new URL("..", import.meta.url).href,
    new URL(".", import.meta.resolve("@keelson/sdk")).href,
  ];
  registerHooks({
    resolve(specifier, context, next) {
      const { parentURL } = context;
      const isRelative = specifier.startsWith("./") || specifier.startsWith("../");
      if (!isRelative || !specifier.endsWith(ending) || parentURL === undefined) {
        return next(specifier, context);
      }
      if (!own.some((folder) => parentURL.startsWith(folder))) return next(specifier, context);
      return { url: new URL(specifier, parentURL).href, format, shortCircuit: true };
    },
  });
}
