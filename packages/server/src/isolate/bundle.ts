// The app's modules become one script for an isolate (esbuild), with a source map. Node's built-in modules
// are refused here, at the line that imports them: isolates have none.
import { createHash } from "node:crypto";
import { builtinModules } from "node:module";
import { join, relative } from "node:path";
import { context, type BuildContext, type BuildOptions, type Plugin } from "esbuild";
import * as sdk from "@keelson/sdk";
import { AppInvalid } from "../model/app-mistake.ts";
import type { Bundle } from "./app-isolate.ts";
import { importsOfNothing, mistakesOf } from "./bundle-mistake.ts";

/** Where an app is. */
export interface AppPlace {
  /** Absolute path of `app.ts`. */
  readonly appFile: string;
  /** The app's folder: everything in messages and in `Bundle.files` is relative to it. */
  readonly appDir: string;
}

/** Bundles one app again and again. */
export interface Bundler {
  /** @throws AppInvalid with every mistake that esbuild found. */
  rebuild(): Promise<Bundle>;
  dispose(): Promise<void>;
}

/** Inputs of a bundle that are no files. */
const own: ReadonlySet<string> = new Set(["keelson-entry.js", "keelson-sdk:keelson"]);
const builtins: ReadonlySet<string> = new Set(builtinModules);

/** Opens a bundler; rebuilding parses changed files only. */
export async function createBundler(place: AppPlace): Promise<Bundler> {
  const opened = await context(optionsOf(place));
  return {
    rebuild: () => built(opened, place.appDir),
    dispose: () => opened.dispose(),
  };
}

/** Bundles an app once. @throws AppInvalid with every mistake that esbuild found. */
export async function bundleApp(place: AppPlace): Promise<Bundle> {
  const bundler = await createBundler(place);
  try {
    return await bundler.rebuild();
  } finally {
    await bundler.dispose();
  }
}

function optionsOf({ appFile, appDir }: AppPlace) {
  const entry = `./${slashed(relative(appDir, appFile))}`;
  return {
    stdin: {
      contents: `import * as app from ${JSON.stringify(entry)};\n__keelsonTake(app);\n`,
      resolveDir: appDir,
      sourcefile: "keelson-entry.js",
    },
    absWorkingDir: appDir,
    outfile: join(appDir, "keelson-bundle.js"),
    bundle: true,
    write: false,
    metafile: true,
    sourcemap: "external",
    format: "iife",
    platform: "neutral",
    // An isolate is a browser without a page: packages that tell servers and browsers apart have their web side here.
    mainFields: ["browser", "module", "main"],
    conditions: ["keelson", "worker", "browser", "import"],
    target: "esnext",
    charset: "utf8",
    banner: { js: '"use strict"; try {' },
    footer: { js: "} catch (error) { __keelsonThrew(error); }" },
    legalComments: "none",
    logLevel: "silent",
    define: { "process.env.NODE_ENV": '"production"' },
    plugins: [resolveSdk, refuseBuiltins],
  } as const satisfies BuildOptions;
}

/**
 * `keelson` is the SDK that this server came with, whether or not the app's folder has `node_modules`. The
 * guest carries it already, in its snapshot; a bundle only names what it takes of it.
 */
const resolveSdk: Plugin = {
  name: "keelson-sdk",
  setup(build) {
    const namespace = "keelson-sdk";
    const contents = Object.keys(sdk)
      .map((name) => `export const ${name} = /* @__PURE__ */ (() => __keelsonSdk.${name})();`)
      .join("\n");
    build.onResolve({ filter: /^keelson$/ }, () => ({
      path: "keelson",
      namespace,
      sideEffects: false,
    }));
    build.onLoad({ filter: /.*/, namespace }, () => ({ contents, loader: "js" }));
  },
};

/** A package of the same name as a module of Node (`events`, `buffer`) may be used when it is installed. */
const refuseBuiltins: Plugin = {
  name: "keelson-no-node",
  setup(build) {
    build.onResolve(
      { filter: /^[a-z_]+(:|\/|$)/ },
      async ({ path, resolveDir, kind, pluginData }) => {
        if (pluginData === refuseBuiltins) return undefined;
        if (!path.startsWith("node:")) {
          if (!builtins.has(path)) return undefined;
          const found = await build.resolve(path, { resolveDir, kind, pluginData: refuseBuiltins });
          if (found.errors.length === 0 && !found.external) return found;
        }
        return { errors: [{ text: `"${path}" is a module of Node, which functions cannot use.` }] };
      },
    );
  },
};

async function built(
  opened: BuildContext<ReturnType<typeof optionsOf>>,
  appDir: string,
): Promise<Bundle> {
  let result;
  try {
    result = await opened.rebuild();
  } catch (error) {
    throw new AppInvalid(mistakesOf(error));
  }
  const empty = importsOfNothing(result.warnings);
  if (empty.length > 0) throw new AppInvalid(empty);
  const [first, second] = result.outputFiles;
  const code = (first?.path.endsWith(".map") ? second : first)?.text ?? "";
  const map = (first?.path.endsWith(".map") ? first : second)?.text ?? "";
  const files = Object.keys(result.metafile.inputs).filter((file) => !own.has(file));
  return Object.freeze({
    code,
    map: JSON.stringify({ ...(JSON.parse(map) as object), sourceRoot: "" }),
    hash: createHash("sha256").update(code).digest("hex"),
    files: Object.freeze(files.map((file) => slashed(relative(appDir, join(appDir, file))))),
  });
}

function slashed(path: string): string {
  return path.replaceAll("\\", "/");
}
