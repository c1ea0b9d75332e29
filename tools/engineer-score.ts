// How well the engineer finds what is planted: `npm run engineer:score`. Each page of the design review has a
// planted fault and its repaired twin; other parts of the engineer add their own. Prints found, missed and false,
// by category, and what stays missed by name; exit status 2 when anything is missed or false.
// With --write it is kept in docs/reference/checks/score.md.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { checkCodeNames, checkCodes } from "../packages/server/src/engineer/check/codes.ts";
import { scoreExample } from "../packages/server/src/host/check-example.case.ts";
import { referenceFolder } from "./reference.ts";

/** What came of one planted fault and its twin. */
interface Scored {
  readonly part: "check";
  readonly category: string;
  readonly name: string;
  readonly isFound: boolean;
  /** What was said that is not planted, in the fault and in the twin. */
  readonly wrong: readonly string[];
}

const scored = await scoreCheck();
const lines = tableOf(scored);
for (const line of lines) console.log(line);
for (const { name, isFound, wrong } of scored) {
  if (!isFound) console.log(`missed  ${name}`);
  for (const each of wrong) console.log(`false   ${name}: ${each}`);
}
if (process.argv.includes("--write")) writeScore(lines);
process.exitCode = scored.every(({ isFound, wrong }) => isFound && wrong.length === 0) ? 0 : 2;

async function scoreCheck(): Promise<readonly Scored[]> {
  const folder = mkdtempSync(join(tmpdir(), "keelson-score-"));
  try {
    const all: Scored[] = [];
    for (const name of checkCodeNames) {
      const { bad, good, category } = checkCodes[name];
      const fault = await scoreExample(folder, `${name}-bad`, bad);
      const twin = await scoreExample(folder, `${name}-good`, good);
      const isFound = fault.found.includes(`${name} ${fault.wanted}`);
      const others = fault.found.filter((each) => each !== `${name} ${fault.wanted}`);
      all.push({ part: "check", category, name, isFound, wrong: [...others, ...twin.found] });
    }
    return all;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tableOf(all: readonly Scored[]): readonly string[] {
  const rows = [...Map.groupBy(all, ({ part, category }) => `${part} | ${category}`)];
  const cells = [...rows, ["all | all", all] as const].map(([name, each]) => {
    const found = each.filter(({ isFound }) => isFound).length;
    const wrong = each.flatMap((one) => one.wrong).length;
    return `| ${name} | ${each.length} | ${found} | ${each.length - found} | ${wrong} |`;
  });
  return [
    "| part | category | planted | found | missed | false |",
    "| --- | --- | --- | --- | --- | --- |",
    ...cells,
  ];
}

function writeScore(table: readonly string[]): void {
  const file = join(referenceFolder, "checks", "score.md");
  mkdirSync(dirname(file), { recursive: true });
  const text = `# Score of the engineer

<!-- Made by tools/engineer-score.ts: run \`npm run engineer:score -- --write\`. -->

Every code has a planted fault and a repaired twin, the examples of its page. *Missed*: the planted fault was not found at its line.
*False*: anything else that was said, in the fault or in its twin.

${table.join("\n")}
`;
  writeFileSync(file, text);
}
