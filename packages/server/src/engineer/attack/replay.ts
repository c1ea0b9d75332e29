// A request as anybody can send it again: as curl, and as a test for the app's own suite.
import type { WireRequest } from "./attack-target.ts";

/** The request with the token left out: `$TOKEN` is a token of the named identity. */
export function curlOf(request: WireRequest): string {
  const parts = ["curl -i"];
  if (request.method !== "GET") parts.push(`-X ${request.method}`);
  const { authorization } = request.headers;
  if (authorization !== undefined) {
    parts.push(
      `-H "authorization: ${isOurs(authorization) ? "Bearer $TOKEN" : authorization.slice(0, 60)}"`,
    );
  }
  if (request.body !== null) {
    parts.push(`-H 'content-type: application/json'`);
    parts.push(`-d ${quoted(request.body)}`);
  }
  parts.push(quoted(`$URL${request.path}`).replace("'$URL", `"$URL"'`));
  return parts.join(" ");
}

/** A node:test file that fails as long as the hole is there. */
export function testOf(parts: {
  readonly name: string;
  readonly request: WireRequest;
  readonly by: string;
  /** A text that must not be in the answer; null: the request must be refused. */
  readonly canary: string | null;
}): string {
  const { name, request, by, canary } = parts;
  const isSigned = request.headers["authorization"] !== undefined;
  const headers: string[] = [];
  if (isSigned) headers.push("authorization: `Bearer ${process.env.TOKEN}`");
  if (request.body !== null) headers.push(`"content-type": "application/json"`);
  const body = request.body === null ? "" : `\n    body: ${JSON.stringify(request.body)},`;
  const judgement =
    canary === null
      ? `assert.ok(answer.status >= 400, \`refused, not \${answer.status}\`);`
      : `assert.ok(!(await answer.text()).includes(${JSON.stringify(canary)}));`;
  return `import assert from "node:assert/strict";
import { test } from "node:test";

// URL: the app's address.${isSigned ? ` TOKEN: of ${by} (keelson token).` : ""} Ids are of the attack's rows: put your own.
test(${JSON.stringify(name)}, async () => {
  const answer = await fetch(process.env.URL + ${JSON.stringify(request.path)}, {
    method: ${JSON.stringify(request.method)},
    headers: { ${headers.join(", ")} },${body}
  });
  ${judgement}
});
`;
}

function isOurs(authorization: string): boolean {
  return authorization.startsWith("Bearer ey");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
