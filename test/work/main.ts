// `node test/work/main.ts --rounds=200`: kills the real server while work runs, and steps its clock. `--day=spring` or
// `autumn` has its clock on a day on which clocks change. Exit status 2 on a violation; the folder is then kept.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { killWork } from "./kill-work.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "200" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    clients: { type: "string", default: "12" },
    threads: { type: "string" },
    load: { type: "string", default: "800" },
    "no-steps": { type: "boolean", default: false },
    day: { type: "string" },
  },
});
const folder = mkdtempSync(join(tmpdir(), "keelson-work-kill-"));
const report = await killWork({
  rounds: Number(values.rounds),
  seed: Number(values.seed),
  clients: Number(values.clients),
  threads: values.threads === undefined ? null : Number(values.threads),
  loadMsMax: Number(values.load),
  steps: !values["no-steps"],
  day: values.day === "spring" || values.day === "autumn" ? values.day : null,
  folder,
  say: (line) => console.error(line),
});
const { violations, ...counts } = report;
console.log(
  JSON.stringify({ seed: Number(values.seed), rounds: Number(values.rounds), ...counts }),
);
if (violations.length === 0) {
  console.log("nothing lost, nothing twice");
  rmSync(folder, { recursive: true, force: true });
} else {
  for (const line of violations.slice(0, 20)) console.log(`VIOLATION ${line}`);
  if (violations.length > 20) console.log(`... and ${violations.length - 20} more`);
  console.log(`the data is in ${folder}`);
  process.exitCode = 2;
}
