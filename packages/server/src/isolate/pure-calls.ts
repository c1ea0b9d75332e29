// Computations that the host does for the guest, because Node has them right and an isolate has none:
// addresses (WHATWG URL), text encodings, base64, hashes and signatures. Text in, text out; bytes as base64.
// No effect, no state, nothing of the host in the answers; an answer that begins with `!` is an error's text.
import type { Clock } from "../base/clock.ts";
import { answerCrypto } from "./pure-crypto.ts";

/** Properties of a URL that the guest shows. */
const urlKeys = [
  "href",
  "origin",
  "protocol",
  "username",
  "password",
  "host",
  "hostname",
  "port",
  "pathname",
  "search",
  "hash",
] as const;

type Settable = Exclude<(typeof urlKeys)[number], "origin">;

/** Answers one. Never throws. */
export function answerPure(clock: Clock, operation: string, first: string, second: string): string {
  try {
    return answered(clock, operation, first, second);
  } catch (error) {
    return `!${error instanceof Error ? error.message : "It failed."}`;
  }
}

function answered(clock: Clock, operation: string, first: string, second: string): string {
  switch (operation) {
    case "clock":
      return String(clock.nowMs());
    case "url":
      return urlText(second === "" ? new URL(first) : new URL(first, second));
    case "url.set":
      return urlSet(first, JSON.parse(second) as readonly [Settable, string]);
    case "utf8.encode":
      return Buffer.from(first, "utf8").toString("base64");
    case "text.label":
      return new TextDecoder(first).encoding;
    case "text.decode":
      return decoded(first, second);
    case "base64.decode":
      return `=${globalThis.atob(first)}`;
    case "base64.encode":
      return globalThis.btoa(first);
    default:
      return answerCrypto(operation, first, second);
  }
}

function urlText(url: URL): string {
  return JSON.stringify(Object.fromEntries(urlKeys.map((key) => [key, url[key]])));
}

function urlSet(href: string, [key, value]: readonly [Settable, string]): string {
  const url = new URL(href);
  if (!urlKeys.includes(key)) throw new TypeError(`A URL has no ${key}.`);
  url[key] = value;
  return urlText(url);
}

/** @param options the label, then `f` for fatal and `b` to keep the byte order mark, split by spaces. */
function decoded(base64: string, options: string): string {
  const [label = "utf-8", flags = ""] = options.split(" ");
  const decoder = new TextDecoder(label, {
    fatal: flags.includes("f"),
    ignoreBOM: flags.includes("b"),
  });
  // The mark keeps texts that begin with `!` apart from errors.
  return `=${decoder.decode(Buffer.from(base64, "base64"))}`;
}
