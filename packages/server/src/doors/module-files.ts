// Files that the server brings itself (the client as an ES module), beside those of a website. They are few,
// fixed while the server runs, and win over a file of the same path.
import { createHash } from "node:crypto";
import type { StaticAnswer, StaticFiles } from "./static-files.ts";

/**
 * Puts modules before a folder's files.
 * @param modules texts of JavaScript modules by path: `{ "/_keelson/client.js": "export ..." }`.
 * @param files the folder's, or null for none. @returns null when there is nothing to serve.
 */
export function withModuleFiles(
  modules: Readonly<Record<string, string>>,
  files: StaticFiles | null,
): StaticFiles | null {
  const answers = new Map(Object.entries(modules).map(([path, text]) => [path, moduleOf(text)]));
  if (answers.size === 0) return files;
  return {
    async find(path, head) {
      const own = answers.get(path);
      if (own === undefined) return files === null ? null : files.find(path, head);
      const isKnown = head.ifNoneMatch === own.etag;
      return isKnown ? { status: 304, headers: own.headers, body: null } : own.answer;
    },
  };
}

interface ModuleFile {
  readonly etag: string;
  readonly headers: StaticAnswer["headers"];
  readonly answer: StaticAnswer;
}

function moduleOf(text: string): ModuleFile {
  const body = Buffer.from(text);
  const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 27)}"`;
  const headers = ["etag", etag, "cache-control", "no-cache"];
  const type = ["content-type", "text/javascript; charset=utf-8"];
  return { etag, headers, answer: { status: 200, headers: [...headers, ...type], body } };
}
