// `node test/kill/main.ts --rounds=200`: kills the real server under write load and checks that nothing that
// it acknowledged is lost and nothing is done twice. Exit status 2 on a violation; the folder is then kept.
//
// SIGKILL ends the process, not the machine: what the system's page cache holds survives it. The loss of power
// is tested one floor lower, by store/sqlite/sqlite-crash.test.ts, on files cut off at the last wait for the disk.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { killRun } from "./kill-run.ts";
import { plants } from "./plant.ts";

const usage = `node test/kill/main.ts [options]
  --rounds=200     kills
  --seed=N         of all choices but the machine's own timing; default: the time
  --clients=16     at the same time
  --threads=N      door threads of the server; default: the server's
  --load=600       longest time in ms from a round's first write to its kill
  --verify-every=10
  --plant=NAME     a fault that must be found: ${plants.join(", ")}`;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "200" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    clients: { type: "string", default: "16" },
    threads: { type: "string" },
    load: { type: "string", default: "600" },
    "verify-every": { type: "string", default: "10" },
    plant: { type: "string" },
    help: { type: "boolean" },
  },
});
if (values.help === true) {
  console.log(usage);
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), "keelson-kill-"));
const from = performance.now();
console.log(`seed ${values.seed}`);
const report = await killRun({
  rounds: Number(values.rounds),
  acknowledgedMin: 0,
  seed: Number(values.seed),
  clients: Number(values.clients),
  threads: values.threads === undefined ? null : Number(values.threads),
  plant: values.plant ?? null,
  loadMsMax: Number(values.load),
  verifyEvery: Number(values["verify-every"]),
  folder,
  say: (line) => console.error(line),
});
const { violations, ...counts } = report;
console.log(
  JSON.stringify({
    seed: Number(values.seed),
    ...counts,
    seconds: Math.round((performance.now() - from) / 1_000),
  }),
);
if (violations.length === 0) {
  console.log("nothing lost, nothing twice");
  rmSync(folder, { recursive: true, force: true });
} else {
  for (const line of violations.slice(0, 20)) console.log(`VIOLATION ${line}`);
  if (violations.length > 20) console.log(`... and ${violations.length - 20} more`);
  const flags = process.argv.slice(2).filter((flag) => !/^--(seed|rounds)=/.test(flag));
  console.log(`the data is in ${folder}`);
  console.log(
    `repeat: node test/kill/main.ts --seed=${values.seed} --rounds=${counts.rounds} ${flags.join(" ")}`,
  );
  process.exitCode = 2;
}
