// `node test/history/main.ts --rounds=20`: clients ask the real server while it is killed, stopped and cut off; what they
// were told is checked as a whole. Exit status 2 on a violation.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { historyRun } from "./history-run.ts";
import { plants } from "./plant.ts";

const usage = `node test/history/main.ts [options]
  --rounds=20      histories
  --seconds=6      how long clients ask in each
  --seed=N         of all choices but the machine's own timing; default: the time
  --threads=4      door threads of the server
  --processes=2    of clients, 8 in each
  --no-faults      nothing is killed, stopped or cut
  --reloads        new versions of the app are taken up, by a server that is not the command's
  --plant=NAME     a fault that must be found: ${plants.join(", ")}`;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "20" },
    seconds: { type: "string", default: "6" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    threads: { type: "string", default: "4" },
    processes: { type: "string", default: "2" },
    "no-faults": { type: "boolean", default: false },
    reloads: { type: "boolean", default: false },
    plant: { type: "string" },
    help: { type: "boolean" },
  },
});
if (values.help === true) {
  console.log(usage);
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), "keelson-history-"));
const from = performance.now();
console.log(`seed ${values.seed}`);
const { violations, ...counts } = await historyRun({
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  seed: Number(values.seed),
  threads: Number(values.threads),
  processes: Number(values.processes),
  hasFaults: !values["no-faults"],
  hasReloads: values.reloads,
  plant: values.plant ?? null,
  folder,
  say: (line) => console.error(line),
});
const seconds = Math.round((performance.now() - from) / 1_000);
console.log(JSON.stringify({ seed: Number(values.seed), ...counts, seconds }));
rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
if (violations.length === 0) {
  console.log("all of it can have happened one after the other");
} else {
  for (const { name, text } of violations.slice(0, 5)) console.log(`VIOLATION ${name}\n  ${text}`);
  if (violations.length > 5) console.log(`... and ${violations.length - 5} more`);
  const flags = process.argv.slice(2).filter((flag) => !/^--(seed|rounds)=/.test(flag));
  const more = [`--seed=${values.seed}`, `--rounds=${counts.rounds}`, ...flags].join(" ");
  console.log(`repeat: node test/history/main.ts ${more}`);
  process.exitCode = 2;
}
