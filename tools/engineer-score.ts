// How well the engineer finds what is planted: `npm run engineer:score`. Two kinds are planted: the holes of
// fixtures/holes/attack, which attack and check both look at, and the faults on the pages of the design review,
// which are for check. Each has a repaired twin of which nothing may be said. Prints found, missed and false by
// category, and by name what stays missed; exit status 2 when attack misses a hole, check misses a fault of its own
// pages, or either says anything of a twin. Arguments: --write (keeps it in the docs), --only=<text in the name>,
// --seed=<number>, --jobs=<processes>, --json.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { scoreHoles } from "../fixtures/holes/attack/score.ts";
import { checkCodeNames, checkCodes } from "../packages/server/src/engineer/check/codes.ts";
import { scoreExample } from "../packages/server/src/host/check-example.case.ts";

/** What came of one planted fault and its twin. null: it is not for this part of the engineer. */
interface Scored {
  readonly category: string;
  readonly name: string;
  readonly attack: boolean | null;
  readonly check: boolean;
  /** Whether check has to find it: a fault of its own pages. */
  readonly isForCheck: boolean;
  /** What was said that is not planted. */
  readonly wrong: readonly string[];
  readonly unclear: readonly string[];
}

const flag = (name: string): string | undefined =>
  process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
const seed = Number(flag("seed") ?? 1);
const jobs = Number(flag("jobs") ?? Math.max(1, availableParallelism() - 1));
const only = flag("only") ?? "";

const scored = [...(await scoreExamples(only)), ...(await scorePlanted())];
const text = scoreText(scored);
console.log(process.argv.includes("--json") ? JSON.stringify(scored) : text);
if (process.argv.includes("--write")) keep(text);
const isGood = scored.every(
  ({ attack, check, isForCheck, wrong }) =>
    attack !== false && (check || !isForCheck) && wrong.length === 0,
);
process.exitCode = isGood ? 0 : 2;

async function scoreExamples(wanted: string): Promise<readonly Scored[]> {
  const folder = mkdtempSync(join(tmpdir(), "keelson-score-"));
  try {
    const all: Scored[] = [];
    for (const name of checkCodeNames.filter((each) => each.includes(wanted))) {
      const { bad, good, category } = checkCodes[name];
      const fault = await scoreExample(folder, `${name}-bad`, bad);
      const twin = await scoreExample(folder, `${name}-good`, good);
      const others = fault.found.filter((each) => each !== `${name} ${fault.wanted}`);
      all.push({
        ...{ category: `check: ${category}`, name, attack: null, isForCheck: true },
        check: fault.found.includes(`${name} ${fault.wanted}`),
        ...{ wrong: [...others, ...twin.found], unclear: [] },
      });
    }
    return all;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function scorePlanted(): Promise<readonly Scored[]> {
  const scores = await scoreHoles(seed, jobs, only);
  return scores.map(
    ({ category, name, isFound, checkCodes: codes, falseOnes, checkFalse, unclear }) => ({
      ...{ category, name, attack: isFound, check: codes.length > 0, isForCheck: false },
      wrong: [...falseOnes, ...checkFalse.map((each) => `check: ${each}`)],
      unclear,
    }),
  );
}

function scoreText(all: readonly Scored[]): string {
  const rows = [...Map.groupBy(all, ({ category }) => category)].toSorted(([a], [b]) =>
    a.localeCompare(b, "en", { numeric: true }),
  );
  const lines = [...rows, ["**all**", all] as const].map(([name, each]) => scoreRow(name, each));
  const named = all.flatMap(({ name, attack, check, wrong, unclear, isForCheck }) => [
    ...(attack !== true && !check ? [`Neither finds: ${name}`] : []),
    ...(attack === false && check ? [`Check alone finds: ${name}`] : []),
    ...(isForCheck && !check ? [`Check misses: ${name}`] : []),
    ...wrong.map((each) => `False: ${name}: ${each}`),
    ...unclear.map((each) => `Unclear in the twin: ${name}: ${each}`),
  ]);
  return [
    "| category | planted | found by attack | found by check | found by neither | false | unclear in twins |",
    "| --- | --: | --: | --: | --: | --: | --: |",
    ...lines,
    "",
    ...(named.length === 0
      ? ["Nothing is missed by both, nothing is false, nothing is unclear."]
      : named.map((each) => `- ${each}`)),
  ].join("\n");
}

function scoreRow(name: string, each: readonly Scored[]): string {
  const count = (test: (one: Scored) => boolean): number => each.filter(test).length;
  const attacked = each.filter(({ attack }) => attack !== null);
  const byAttack =
    attacked.length === 0 ? "-" : `${count(({ attack }) => attack === true)} of ${attacked.length}`;
  const neither = count(({ attack, check }) => attack !== true && !check);
  const wrong = each.flatMap((one) => one.wrong).length;
  const unclear = each.flatMap((one) => one.unclear).length;
  return `| ${name} | ${each.length} | ${byAttack} | ${count(({ check }) => check)} | ${neither} | ${wrong} | ${unclear} |`;
}

/** Puts the score between its marks in the docs. */
function keep(score: string): void {
  const page = new URL("../docs/internals/engineer-score.md", import.meta.url);
  const before = readFileSync(page, "utf8");
  const marked = /<!-- score -->[\s\S]*<!-- \/score -->/;
  writeFileSync(
    page,
    before.replace(marked, () => `<!-- score -->\n\n${score}\n\n<!-- /score -->`),
  );
}
