// The app as it is attacked: without declared limits where probes must not be refused for their number, and the
// texts of its own files, for places in reports.
import type { BuiltApp } from "./app-cache.ts";

/** The app without its declared rate limits. */
export function withoutLimits(app: BuiltApp): BuiltApp {
  const { manifest } = app;
  const tables = Object.fromEntries(
    Object.entries(manifest.tables).map(([name, table]) => [name, { ...table, limits: {} }]),
  );
  const functions = Object.fromEntries(
    Object.entries(manifest.functions).map(([name, model]) => {
      const { limit, ...rest } = model;
      return [name, limit === undefined ? model : rest];
    }),
  );
  return { ...app, manifest: { ...manifest, tables, functions } };
}

/** The app's own files, as the bundle's map holds them: text by path. */
export function appSources({ bundle }: BuiltApp): ReadonlyMap<string, string> {
  const map = JSON.parse(bundle.map) as {
    readonly sources?: readonly string[];
    readonly sourcesContent?: readonly (string | null)[];
  };
  const found = new Map<string, string>();
  for (const [index, name] of (map.sources ?? []).entries()) {
    const text = map.sourcesContent?.[index];
    if (typeof text === "string") found.set(name, text);
  }
  return found;
}
