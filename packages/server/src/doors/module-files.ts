// Files that the server brings itself (the client as an ES module), beside those of a website. They are few,
// made at the first request and then fixed while the server runs, and win over a file of the same path.
import { createHash } from "node:crypto";
import type { StaticAnswer, StaticFiles } from "./static-files.ts";

/**
 * Puts modules before a folder's files.
 * @param modules what makes the text of a JavaScript module, by path: asked once, and again only when it failed.
 * @param files the folder's, or null for none. @returns null when there is nothing to serve.
 */
export function withModuleFiles(
  modules: ReadonlyMap<string, () => Promise<string>>,
  files: StaticFiles | null,
): StaticFiles | null {
  if (modules.size === 0) return files;
  const made = new Map<string, Promise<ModuleFile>>();
  const makeOnce = (path: string, make: () => Promise<string>): Promise<ModuleFile> => {
    let file = made.get(path);
    if (file === undefined) {
      file = make().then(moduleOf);
      made.set(path, file);
      file.catch(() => made.delete(path));
    }
    return file;
  };
  return {
    async find(path, head) {
      const make = modules.get(path);
      if (make === undefined) return files === null ? null : files.find(path, head);
      const own = await makeOnce(path, make);
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
