// Reads: every row by id, the list, counts, expansions, cursors, searches, and questions about fields that
// the caller may not read. What comes back must be exactly what the judge says, no row and no field more.
import type { Json } from "../../base/json.ts";
import type { TableModel } from "../../model/manifest.ts";
import type { Row } from "../../store/store.ts";
import type { Identity } from "./identity-plan.ts";
import type { MatrixBook } from "./matrix-book.ts";
import type { AttackSession, Observation, Probe } from "./session.ts";

const rowsProbedMax = 24;

/** Probes every read of one table as one identity. */
export async function probeReads(
  session: AttackSession,
  matrix: MatrixBook,
  by: Identity,
  model: TableModel,
): Promise<void> {
  const rows = session.world.rows(model.name);
  const readable = rows.filter((row) => session.judge.readsRow(by.me, model.name, row));
  await eachRow(session, matrix, by, model);
  await wholeList(session, by, model, readable);
  await counts(session, by, model, readable);
  await expansions(session, by, model);
  await hiddenFields(session, by, model);
}

function about(table: string): Probe["about"] {
  return { kind: "table", table, operation: "read" };
}

function ask(
  session: AttackSession,
  by: Identity,
  table: string,
  probe: string,
  query: string,
): Promise<Observation> {
  return session.ask(by, {
    probe,
    about: about(table),
    method: "GET",
    path: `/api/tables/${table}${query}`,
  });
}

async function eachRow(
  session: AttackSession,
  matrix: MatrixBook,
  by: Identity,
  model: TableModel,
): Promise<void> {
  const { name } = model;
  const absent = await ask(session, by, name, "get absent", `/${absentId(session, name)}`);
  for (const row of sample(session.world.rows(name), rowsProbedMax)) {
    const seen = await ask(session, by, name, "get", `/${String(row["id"])}`);
    matrix.count(seen, name, "read");
    const allowed = session.judge.readsRow(by.me, name, row);
    if (seen.isOk) {
      const shown = new Set(Object.keys(JSON.parse(seen.answer.text) as object));
      matrix.countFields(by.name, name, shown, Object.keys(model.fields));
      differ(session, seen, model, row, shown, allowed);
    } else if (allowed) {
      session.inconclusive(
        name,
        `the judge says that ${by.name} may read a row, the server answers ${seen.answer.status} ${seen.code ?? ""}`,
      );
    } else if (sameRefusal(seen) !== sameRefusal(absent)) {
      session.findings.add({
        ...{ code: "A305", subject: name, aspect: "get", fields: [], by, request: seen.request },
        status: seen.answer.status,
        says: `a row of ${name} that ${by.name} may not read is refused otherwise than one that is not there`,
      });
    }
  }
}

/** Keys that the judge did not expect. Values are the canaries' business. */
function differ(
  session: AttackSession,
  seen: Observation,
  model: TableModel,
  row: Row,
  shown: ReadonlySet<string>,
  allowed: boolean,
): void {
  const { by, request, answer } = seen;
  const extra = [...shown].filter(
    (field) => !allowed || !session.judge.readsField(by.me, model.name, row, field),
  );
  if (extra.length === 0) return;
  session.findings.add({
    ...{ code: "A301", subject: model.name, aspect: "get", fields: extra, by, request },
    status: answer.status,
    says: `get shows ${by.name} ${extra.join(", ")} of a row of ${model.name} against the rules`,
  });
}

async function wholeList(
  session: AttackSession,
  by: Identity,
  model: TableModel,
  readable: readonly Row[],
): Promise<void> {
  const { name } = model;
  const seen = await ask(session, by, name, "list", "?limit=1000");
  if (!seen.isOk) {
    if (readable.length > 0)
      session.inconclusive(
        name,
        `list answers ${seen.answer.status} ${seen.code ?? ""} to ${by.name}`,
      );
    return;
  }
  const { rows } = JSON.parse(seen.answer.text) as { readonly rows: readonly Row[] };
  const ids = new Set(readable.map((row) => row["id"]));
  if (rows.some((row) => !ids.has(row["id"] ?? null))) {
    session.findings.add({
      ...{ code: "A301", subject: name, aspect: "list", fields: [], by, request: seen.request },
      status: seen.answer.status,
      says: `list shows ${by.name} rows of ${name} that the rules deny`,
    });
  }
  // Pages: the cursor must not carry what the rows may not.
  const page = await ask(session, by, name, "page", "?limit=1");
  const next = page.isOk
    ? (JSON.parse(page.answer.text) as { readonly next: string | null }).next
    : null;
  if (next !== null)
    await ask(session, by, name, "cursor", `?limit=1000&after=${encodeURIComponent(next)}`);
}

async function counts(
  session: AttackSession,
  by: Identity,
  model: TableModel,
  readable: readonly Row[],
): Promise<void> {
  const { name } = model;
  const seen = await ask(session, by, name, "count", `?aggregate=${json({ n: "count" })}`);
  if (!seen.isOk) return;
  const { rows } = JSON.parse(seen.answer.text) as { readonly rows?: readonly Row[] };
  const first = (rows ?? (JSON.parse(seen.answer.text) as readonly Row[]))[0];
  const counted = first?.["n"];
  if (typeof counted === "number" && counted > readable.length) {
    session.findings.add({
      ...{ code: "A301", subject: name, aspect: "count", fields: [], by, request: seen.request },
      status: seen.answer.status,
      says: `count tells ${by.name} of ${counted} rows of ${name}; they may read ${readable.length}`,
    });
  }
}

async function expansions(session: AttackSession, by: Identity, model: TableModel): Promise<void> {
  const { name } = model;
  const forward = Object.entries(model.fields).filter(([, spec]) => spec.kind === "ref");
  for (const [field] of forward) await ask(session, by, name, "with", `?limit=100&with=${field}`);
  for (const other of Object.values(session.judge.manifest.tables)) {
    for (const [via, spec] of Object.entries(other.fields)) {
      if (spec.kind !== "ref" || spec.table !== name) continue;
      const form = json({ probed: { from: other.name, via, limit: 50 } });
      await ask(session, by, name, "with back", `?limit=50&with=${form}`);
    }
  }
  for (const word of model.search.length === 0 ? [] : searchWords(session, model)) {
    await ask(session, by, name, "search", `?search=${encodeURIComponent(word)}`);
  }
}

function searchWords(session: AttackSession, model: TableModel): readonly string[] {
  const row = session.world.rows(model.name)[0];
  return model.search
    .flatMap((field) => (typeof row?.[field] === "string" ? [row[field]] : []))
    .slice(0, 2);
}

/** Every way to ask about a field without being shown it. */
async function hiddenFields(
  session: AttackSession,
  by: Identity,
  model: TableModel,
): Promise<void> {
  const { name } = model;
  const row = session.world.rows(name)[0];
  for (const [field, spec] of Object.entries(model.fields)) {
    if (session.judge.readsFieldAlways(by.me, name, field)) continue;
    const value: Json = row?.[field] ?? null;
    const isPlain = value === null || typeof value !== "object";
    const questions: readonly (readonly [probe: string, query: string])[] = [
      ["order by hidden", `?orderBy=${field}`],
      ["order by hidden", `?orderBy=-${field}&limit=1`],
      ["filter hidden", `?where=${json({ [field]: isPlain ? value : null })}`],
      ["filter hidden", `?where=${json({ not: { [field]: null } })}`],
      ["filter hidden", `?where=${json({ or: [{ id: null }, { [field]: null }] })}`],
      ["group by hidden", `?aggregate=${json({ n: "count" })}&groupBy=${field}`],
      ["aggregate hidden", `?aggregate=${json({ n: { min: field } })}`],
      ["select hidden", `?select=${field}`],
      ...(spec.kind === "text"
        ? [["filter hidden", `?where=${json({ [field]: { startsWith: "k" } })}`] as const]
        : []),
    ];
    for (const [probe, query] of questions) {
      const seen = await ask(session, by, name, probe, query);
      if (!seen.isOk || probe === "select hidden") continue;
      session.findings.add({
        ...{ code: "A302", subject: name, aspect: `${probe} ${field}`, fields: [field], by },
        ...{ request: seen.request, status: seen.answer.status },
        says: `${by.name} may not read ${name}.${field} of every row, and may ${probe.replace("hidden", "it")}`,
      });
    }
  }
}

/** A refusal without what is its own: the request's name. */
export function sameRefusal({ answer, request }: Observation): string {
  // What the request said itself, and the request's own name, are no difference.
  const said = [request.path.slice(request.path.lastIndexOf("/") + 1), ...textsOf(request.body)];
  let text = answer.text.replace(/"requestId":"[^"]*"/, "");
  for (const one of said) text = text.replaceAll(one, "");
  return `${answer.status} ${text}`;
}

/** Texts in a body that are long enough to be the request's own. */
function textsOf(body: string | null): readonly string[] {
  return [...(body ?? "").matchAll(/"((?:[^"\\]|\\.){6,})"(?!:)/g)].map(([, text]) => text ?? "");
}

/** The id of no row, of the right form. */
export function absentId(session: AttackSession, table: string): string {
  const known = session.world.rows(table)[0]?.["id"];
  const prefix = typeof known === "string" ? known.slice(0, -26) : `${table}_`;
  return `${prefix}01890a5dac96774bbcceb30209`;
}

function json(value: Json): string {
  return encodeURIComponent(JSON.stringify(value));
}

/** At most `max` of the rows, spread over all of them. */
export function sample<T>(rows: readonly T[], max: number): readonly T[] {
  if (rows.length <= max) return rows;
  return Array.from(
    { length: max },
    (_, index) => rows[Math.floor((index * rows.length) / max)] as T,
  );
}
