// A request as anybody can send it again: as curl, and as a test for the app's own suite.
import type { WireRequest } from "./attack-target.ts";

const bodyCharsMax = 20_000;

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
  for (const [name, value] of othersOf(request)) parts.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (request.body !== null) {
    const { "content-type": type = "application/json" } = request.headers;
    parts.push(`-H 'content-type: ${type}'`);
    parts.push(`-d ${quoted(bodyOf(request.body))}`);
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
  /** Another request that must be answered alike, in place of both. */
  readonly alike?: WireRequest;
}): string {
  const { name, request, by, canary, alike } = parts;
  const isSigned = request.headers["authorization"] !== undefined;
  const judgement =
    canary === null
      ? `assert.ok(answer.status >= 400, \`refused, not \${answer.status}\`);`
      : `assert.ok(!(await answer.text()).includes(${JSON.stringify(canary)}));`;
  return `import assert from "node:assert/strict";
import { test } from "node:test";

// URL: the app's address.${isSigned ? ` TOKEN: of ${by} (keelson token).` : ""} Ids are of the attack's rows: put your own.
test(${JSON.stringify(name)}, async () => {
  const answer = await ${fetchOf(request)};
  ${
    alike === undefined
      ? judgement
      : `const other = await ${fetchOf(alike)};
  const words = async (one) => [one.status, (await one.text()).replace(/"requestId":"[^"]*"/, "")];
  assert.deepEqual(await words(answer), await words(other));`
  }
});
`;
}

/** The call of fetch that sends a request. */
function fetchOf(request: WireRequest): string {
  const { "content-type": type = "application/json", authorization } = request.headers;
  const headers: string[] = [];
  if (authorization !== undefined) headers.push("authorization: `Bearer ${process.env.TOKEN}`");
  if (request.body !== null) headers.push(`"content-type": ${JSON.stringify(type)}`);
  for (const [name, value] of othersOf(request))
    headers.push(`${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  const body = request.body === null ? "" : `\n    body: ${JSON.stringify(bodyOf(request.body))},`;
  return `fetch(process.env.URL + ${JSON.stringify(request.path)}, {
    method: ${JSON.stringify(request.method)},
    headers: { ${headers.join(", ")} },${body}
  })`;
}

/** Headers that stand for nothing else: a signature, the site that a page is of. */
function othersOf({ headers }: WireRequest): readonly (readonly [string, string])[] {
  return Object.entries(headers)
    .filter(([name]) => name !== "authorization" && name !== "content-type")
    .map(([name, value]) => [name, name === "cookie" ? "keelson_session=of-theirs" : value]);
}

/** The body; one of megabytes is cut, which whoever sends it again sees. */
function bodyOf(body: string): string {
  return body.length > bodyCharsMax ? `${body.slice(0, bodyCharsMax)}...` : body;
}

function isOurs(authorization: string): boolean {
  return authorization.startsWith("Bearer ey");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
