// The guest's own code (guest/), bundled once in the life of the process and made into a V8 snapshot, which
// every isolate starts from.
import { fileURLToPath } from "node:url";
import ivm from "isolated-vm";

/** What an isolate starts from. */
export interface GuestCode {
  readonly snapshot: ivm.ExternalCopy<ArrayBuffer>;
  readonly bytes: number;
}

/** Name of the guest's script in stacks. */
export const guestScript = "keelson:guest";

/** Makes V8 compile, into the snapshot, what every app runs while it is loaded. */
const warmUp = `{
  const { define, table, t } = __keelsonSdk;
  const one = table({ a: t.text({ max: 9 }).optional(), b: t.int(), c: t.time(), d: t.bool() }).index("a");
  const two = table({ one: t.ref("one"), e: t.oneOf("x", "y"), f: t.money("EUR"), g: t.date() });
  const made = define({ one, two: two.unique("one", "e", { where: { e: { not: "x" } } }) });
  const run = () => null;
  const args = { a: t.id("one"), b: t.text({ max: 9 }) };
  const q = made.query({ args, allow: "anyone", returns: t.object({ a: t.list(t.int()) }), run });
  const m = made.mutation({ args, allow: "signed-in", limit: { perUser: "10/minute" }, run });
  const rules = made.rules({ one: { read: () => true } });
  __keelsonTake({ default: made.app({ rules, functions: { test: { q, m } } }) });
  __keelsonGuest.take();
}`;

let made: Promise<GuestCode> | null = null;

/** The guest, made at the first asking. */
export function guestCode(): Promise<GuestCode> {
  made ??= makeGuestCode();
  return made;
}

/**
 * Uses a snapshot that an earlier process made, in the place of making one.
 * @param snapshot bytes of `guestCode`'s, whole, made by the same V8 from the same guest: others end the process.
 */
export function restoreGuestCode(snapshot: ArrayBuffer): void {
  const copy = new ivm.ExternalCopy(snapshot, { transferOut: true });
  made ??= Promise.resolve(Object.freeze({ snapshot: copy, bytes: snapshot.byteLength }));
}

async function makeGuestCode(): Promise<GuestCode> {
  // Loaded here: a start with a snapshot at hand needs no bundler.
  const { build } = await import("esbuild");
  const here = import.meta.url;
  const entry = new URL(`./guest/guest-main${here.endsWith(".ts") ? ".ts" : ".js"}`, here);
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    write: false,
    format: "iife",
    platform: "neutral",
    target: "esnext",
    minify: true,
    keepNames: true,
    legalComments: "none",
    logLevel: "silent",
    banner: { js: '"use strict";' },
    plugins: [
      {
        name: "sdk",
        setup(plugin) {
          plugin.onResolve({ filter: /^@keelson\/sdk(\/|$)/ }, ({ path }) => ({
            path: fileURLToPath(import.meta.resolve(path)),
            sideEffects: false,
          }));
        },
      },
    ],
  });
  const code = outputFiles[0]?.text ?? "";
  const snapshot = ivm.Isolate.createSnapshot([{ code, filename: guestScript }], warmUp);
  return Object.freeze({ snapshot, bytes: code.length });
}
