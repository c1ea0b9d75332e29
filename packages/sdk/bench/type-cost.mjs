// What the types cost: generates an app of 54 tables with rules on each, 200 functions with `with`, and a
// page that calls them through a typed client; lets tsc check it once and prints what it took.
//   node packages/sdk/bench/type-cost.mjs [--json] [--keep] [--runs=1] [--max-ms=300]
// "check" is tsc's own check time (with several runs, the shortest). The SDK comes in as declarations, as
// an installed package does. Beside the app stand an empty program and one that only imports the SDK, so
// that their price is seen apart. Exit status 2 when the app's check takes longer than --max-ms.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const tableCount = 54;
const functionCount = 200;
const functionsPerModule = 20;
const sdk = join(dirname(dirname(fileURLToPath(import.meta.url))), "src");
const root = dirname(dirname(dirname(sdk)));

const flags = new Set(process.argv.slice(2));
const maxMs = numberFlag("--max-ms", Infinity);
const runs = numberFlag("--runs", 1);
const folder = mkdtempSync(join(tmpdir(), "keelson-type-cost-"));
const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
const declarations = join(folder, "sdk");

try {
  run(
    [
      tsc,
      "-p",
      join(sdk, "..", "tsconfig.json"),
      "--composite",
      "false",
      "--incremental",
      "false",
    ].concat(["--emitDeclarationOnly", "--sourceMap", "false", "--outDir", declarations]),
  );
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const empty = measure(write("empty", { "page.ts": "export const nothing = 0;\n" }));
  const imports = measure(write("imports", importOnly()));
  const app = measure(write("app", appFiles()));
  if (flags.has("--json")) {
    console.log(
      JSON.stringify({
        workload: "type-cost",
        tables: tableCount,
        functions: functionCount,
        app,
        imports,
        empty,
      }),
    );
  } else {
    console.log(
      `${tableCount} tables with rules, ${functionCount} functions with \`with\`, a typed client`,
    );
    for (const [name, result] of Object.entries({ empty, imports, app })) {
      const { checkMs, totalMs, types, instantiations, memoryMb } = result;
      console.log(
        `${name.padEnd(8)} check ${checkMs} ms, total ${totalMs} ms, ${types} types, ${instantiations} instantiations, ${memoryMb} MB`,
      );
    }
  }
  if (app.checkMs > maxMs) process.exitCode = 2;
} finally {
  if (flags.has("--keep")) console.error(folder);
  else rmSync(folder, { recursive: true });
}

function numberFlag(name, fallback) {
  const flag = process.argv.find((argument) => argument.startsWith(`${name}=`));
  return flag === undefined ? fallback : Number(flag.slice(name.length + 1));
}

/** @returns tsc's own figures of the shortest run, in one thread, as an editor checks a file. */
function measure(project) {
  let best = measureOnce(project);
  for (let made = 1; made < runs; made++) {
    const next = measureOnce(project);
    if (next.checkMs < best.checkMs) best = next;
  }
  return best;
}

function measureOnce(project) {
  const out = run([tsc, "-p", project, "--noEmit", "--extendedDiagnostics", "--singleThreaded"]);
  const figure = (name) => {
    const line = new RegExp(`^${name}:\\s*([\\d.,]+)(K|s|ms)?`, "m").exec(out);
    if (line === null) throw new Error(`tsc prints no "${name}":\n${out}`);
    return { value: Number(line[1].replaceAll(",", "")), unit: line[2] ?? "" };
  };
  const ms = ({ value, unit }) => Math.round(unit === "ms" ? value : value * 1_000);
  return {
    checkMs: ms(figure("Check time")),
    totalMs: ms(figure("Total time")),
    types: figure("Types").value,
    instantiations: figure("Instantiations").value,
    memoryMb: Math.round(figure("Memory used").value / 1_024),
  };
}

function run(args) {
  try {
    return execFileSync(process.execPath, args, { encoding: "utf8" });
  } catch (error) {
    throw new Error(`tsc refuses it:\n${String(error.stdout).slice(0, 4_000)}`, { cause: error });
  }
}

function write(name, files) {
  const project = join(folder, name);
  mkdirSync(join(project, "keelson"), { recursive: true });
  const compilerOptions = {
    target: "es2024",
    module: "nodenext",
    moduleResolution: "nodenext",
    lib: ["es2024", "dom"],
    types: [],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    noEmit: true,
    verbatimModuleSyntax: true,
    erasableSyntaxOnly: true,
    paths: {
      keelson: [join(declarations, "index.d.ts")],
      "keelson/client": [join(declarations, "client.d.ts")],
    },
  };
  writeFileSync(
    join(project, "tsconfig.json"),
    JSON.stringify({ compilerOptions, include: ["**/*.ts"] }),
  );
  writeFileSync(join(project, "package.json"), '{ "type": "module" }');
  for (const [path, text] of Object.entries(files)) writeFileSync(join(project, path), text);
  return project;
}

/** The SDK's own source and nothing of it used. */
function importOnly() {
  return {
    "page.ts":
      'import { define } from "keelson";\nimport { createClient } from "keelson/client";\nexport { createClient, define };\n',
  };
}

function appFiles() {
  const modules = Array.from(
    { length: functionCount / functionsPerModule },
    (_, index) => `part${letter(index)}`,
  );
  const files = {
    "keelson/schema.ts": schemaText(),
    "keelson/rules.ts": rulesText(),
    "keelson/app.ts": [
      'import { app } from "./schema.ts";',
      'import rules from "./rules.ts";',
      ...modules.map((module) => `import * as ${module} from "./${module}.ts";`),
      `export default app({ rules, functions: { ${modules.join(", ")} } });`,
    ].join("\n"),
    "page.ts": pageText(modules),
  };
  for (const [index, module] of modules.entries())
    files[`keelson/${module}.ts`] = moduleText(index);
  return files;
}

function schemaText() {
  const tables = range(tableCount).map(
    (index) => `  ${tableName(index)}: table({
    title: t.text({ max: 200 }),
    note: t.text().optional(),
    secret: t.text().private().optional(),
    amount: t.int({ min: 0 }).default(0),
    price: t.money("EUR").optional(),
    state: t.oneOf("open", "held", "done").default("open"),
    tags: t.list(t.text({ max: 20 })).default([]),
    startsAt: t.time().default("now").immutable(),
    owner: t.ref("user"),
    parent: t.ref("${tableName((index * 7 + 1) % tableCount)}").optional(),
  }).index("owner", "startsAt").unique("title", { where: { state: { not: "done" } } }).search("title")
    .check(({ next }) => next.amount >= 0),`,
  );
  return `import { define, table, t } from "keelson";
export const { query, mutation, action, rules, app } = define({
${tables.join("\n")}
});
`;
}

function rulesText() {
  const tables = range(tableCount).map(
    (index) => `  ${tableName(index)}: {
    read: ({ row, me }) => row.owner === me.id || me.role === "staff" || row.parent?.owner === me.id,
    create: ({ next, me, now }) => next.owner === me.id && next.state === "open" && next.startsAt >= now,
    update: ({ row, next, me, db }) =>
      next.owner === row.owner && (me.role === "staff" || db.${tableName((index + 5) % tableCount)}.some((x) => x.owner === me.id && x.parent !== null)),
    fields: { price: { read: ({ row, me }) => row.owner === me.id } },
  },`,
  );
  return `import { rules } from "./schema.ts";
export default rules({
${tables.join("\n")}
});
`;
}

function moduleText(module) {
  const functions = range(functionsPerModule).map((index) => {
    const table = (module * functionsPerModule + index) % tableCount;
    const name = tableName(table);
    return index % 2 === 0 ? queryText(index, name) : mutationText(index, name);
  });
  return `import { t } from "keelson";
import { mutation, query } from "./schema.ts";
${functions.join("\n")}
`;
}

function queryText(index, table) {
  return `export const read${letter(index)} = query({
  args: { owner: t.id("user"), state: t.oneOf("open", "held", "done").optional(), most: t.int({ max: 100 }).default(20) },
  allow: "anyone",
  returns: t.list(t.object({ title: t.text(), parent: t.text().optional(), owner: t.text().optional() })),
  async run({ db }, { owner, state, most }) {
    const rows = await db.${table}.list({
      where: { owner, amount: { gte: 1 }, ...(state !== null && { state }) },
      orderBy: ["-startsAt", "title"],
      limit: most,
      with: { owner: { select: ["name"] }, parent: { with: { owner: true } } },
    });
    return rows.map((row) => ({ title: row.title, parent: row.parent?.owner?.name ?? null, owner: row.owner?.name ?? null }));
  },
});`;
}

function mutationText(index, table) {
  return `export const write${letter(index)} = mutation({
  args: { id: t.id("${table}"), title: t.text({ max: 200 }) },
  allow: "signed-in",
  async run({ db, me }, { id, title }) {
    const row = await db.${table}.get(id, { with: { parent: true } });
    if (row === null || row.parent?.state === "done") return null;
    const made = await db.${table}.create({ title, owner: me.id });
    await db.${table}.update(id, { amount: row.amount + 1, note: title });
    const { total } = await db.${table}.aggregate({ where: { state: "open" }, values: { total: "count", spent: { sum: "price" } } });
    return { made: made.id, total };
  },
});`;
}

function pageText(modules) {
  const lines = modules.flatMap((module) =>
    range(functionsPerModule).map((index) =>
      index % 2 === 0
        ? `  void (await api.${module}.read${letter(index)}({ owner: "user_1", state: "open" }))[0]?.title;`
        : `  void (await api.${module}.write${letter(index)}({ id: "${tableName((modules.indexOf(module) * functionsPerModule + index) % tableCount)}_1" as never, title: "x" }))?.total;`,
    ),
  );
  const tables = range(tableCount).map(
    (index) =>
      `  void (await api.${tableName(index)}.list({ where: { state: "open", amount: { gt: 1 } }, orderBy: "-amount", with: { owner: true } }))[0]?.owner?.name;`,
  );
  return `import { createClient } from "keelson/client";
import type app from "./keelson/app.ts";
const api = createClient<typeof app>("http://localhost:4000");
export async function page(): Promise<void> {
${[...lines, ...tables].join("\n")}
}
`;
}

/** Most tables have names of one word, every fourth of two. */
function tableName(index) {
  const name = `table${letter(Math.floor(index / 26))}${letter(index % 26)}`;
  return index % 4 === 0 ? name : name.toLowerCase();
}

function letter(index) {
  return String.fromCharCode(65 + index);
}

function range(count) {
  return Array.from({ length: count }, (_, index) => index);
}
