// How the suite opens engines, and how it looks at refusals.
import assert from "node:assert/strict";
import type { Json } from "../base/json.ts";
import { limits as defaultLimits, type Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Manifest } from "../model/manifest.ts";
import { storeTables } from "./store.fixture.ts";
import type { Store } from "./store.ts";

/** How a suite opens an empty engine. */
export type OpenEngine = (options: {
  readonly manifest: Pick<Manifest, "tables" | "platform">;
  readonly limits: Limits;
}) => Store;

/** Makes tests of bodies that get an empty store, which is closed after them. */
export function storeRunner(openEngine: OpenEngine) {
  return (run: (store: Store) => Promise<void>, more: Partial<Limits> = {}) =>
    async () => {
      const limits = { ...defaultLimits, ...more };
      const store = openEngine({ manifest: { tables: storeTables }, limits });
      try {
        await run(store);
      } finally {
        await store.close();
      }
    };
}

/** Accepts a refusal of this code whose details are at least these. */
export function refusal(code: string, details: { readonly [key: string]: Json } = {}) {
  return (error: unknown): true => {
    assert.ok(error instanceof PlatformError, String(error));
    assert.equal(error.code, code);
    for (const [key, value] of Object.entries(details)) {
      assert.deepEqual(error.details[key], value, key);
    }
    return true;
  };
}
