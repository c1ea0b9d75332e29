// The webhooks of one state of the app, by name.
import type { HookSpec } from "@keelson/sdk/spec";
import type { GateApp } from "../gate/gate-app.ts";

/** A hook, or null when the app has none of that name. */
export function hookOf({ manifest }: Pick<GateApp, "manifest">, name: string): HookSpec | null {
  const hooks = manifest.work?.hooks ?? {};
  return Object.hasOwn(hooks, name) ? (hooks[name] ?? null) : null;
}
