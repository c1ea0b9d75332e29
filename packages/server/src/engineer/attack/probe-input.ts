// Input that no door takes: tables and functions that are not there, names from the prototype chain, broken
// paths, endless pages. Nothing of it may be answered with 5xx or with data; the API's description may not
// show what nobody outside may know.
import type { AttackSession, Probe } from "./session.ts";

const names = [
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "_commits",
  "sqlite_schema",
  "user'--",
  "user;drop table user",
  "%2e%2e",
  "a".repeat(500),
  "user%00",
  "USER",
];

/** Probes malformed requests and the API's description. */
export async function probeInput(session: AttackSession): Promise<void> {
  const by = session.people.find(({ kind }) => kind === "stranger") ?? session.people[0];
  if (by === undefined) return;
  const about = { kind: "other", name: "input" } as const;
  const table =
    Object.values(session.judge.manifest.tables).find(({ rules }) => rules.read)?.name ?? "user";
  const probes: Pick<Probe, "method" | "path" | "rawBody">[] = [];
  for (const name of names) {
    probes.push({ method: "GET", path: `/api/tables/${encodeURI(name)}` });
    probes.push({ method: "POST", path: `/api/fn/${encodeURI(name)}`, rawBody: "{}" });
    probes.push({ method: "GET", path: `/api/tables/${table}/${encodeURI(name)}` });
    probes.push({ method: "GET", path: `/api/tables/${table}?orderBy=${encodeURI(name)}` });
    probes.push({ method: "GET", path: `/api/tables/${table}?with=${encodeURI(name)}` });
  }
  for (const query of [
    "limit=1000000000",
    "limit=-1",
    "limit=abc",
    "after=AAAA",
    "after=%FF",
    "where={",
    "where=1",
    "where={%22a%22:{%22$gt%22:1}}",
    "orderBy=id;drop",
    "select=*",
    "aggregate=1",
    "groupBy=id",
    "limit=1&limit=2",
    "offset=1",
    "where={%22id%22:{%22startsWith%22:%22%25%22}}",
  ]) {
    probes.push({ method: "GET", path: `/api/tables/${table}?${query}` });
  }
  probes.push({ method: "POST", path: "/api/batch", rawBody: JSON.stringify({ steps: [] }) });
  probes.push({
    method: "POST",
    path: "/api/batch",
    rawBody: JSON.stringify({
      steps: Array.from({ length: 500 }, () => ({ get: table, id: "x" })),
    }),
  });
  probes.push({
    method: "POST",
    path: "/api/batch",
    rawBody: JSON.stringify({ steps: [{ steps: [{ get: table, id: "x" }] }] }),
  });
  for (const probe of probes) await session.ask(by, { probe: "malformed", about, ...probe });
  await description(session);
}

/** What the description of the API says of private fields. */
async function description(session: AttackSession): Promise<void> {
  const anonymous = session.people.find(({ kind }) => kind === "anonymous");
  if (anonymous === undefined) return;
  const seen = await session.ask(anonymous, {
    ...{ probe: "openapi", method: "GET", path: "/api/openapi.json" },
    about: { kind: "other", name: "openapi" },
  });
  for (const { name, fields } of Object.values(session.judge.manifest.tables)) {
    for (const [field, spec] of Object.entries(fields)) {
      if (spec.private !== true || !isNamed(seen.answer.text, name, field)) continue;
      session.findings.add({
        ...{
          code: "A301",
          subject: name,
          aspect: `openapi ${field}`,
          fields: [field],
          by: anonymous,
        },
        ...{ request: seen.request, status: seen.answer.status },
        says: `the API's description names ${name}.${field}, which is private`,
      });
    }
  }
}

/** Whether the description has the field in a schema of the table. */
function isNamed(text: string, table: string, field: string): boolean {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return false;
  }
  const { schemas = {} } =
    (document as { components?: { schemas?: Record<string, unknown> } }).components ?? {};
  return Object.entries(schemas).some(
    ([name, schema]) =>
      name.toLowerCase().startsWith(table.toLowerCase()) &&
      Object.hasOwn((schema as { properties?: object } | null)?.properties ?? {}, field),
  );
}
