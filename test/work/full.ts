// `node test/work/full.ts --rounds=20`: fills the disk under a server at work, again and again, and makes room.
// The data is kept on a violation (exit status 2). `--volume=mounted` (a file system of its own: needs the right to mount) or `frozen` (SQLite refuses to grow).
import { parseArgs } from "node:util";
import { fillDisk } from "./fill-disk.ts";
import { openFrozenVolume, openMountedVolume } from "./full-volume.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "20" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    clients: { type: "string", default: "8" },
    threads: { type: "string" },
    volume: { type: "string", default: "mounted" },
  },
});
let isKept = false;
const volume = values.volume === "frozen" ? openFrozenVolume() : openMountedVolume(64);
try {
  const { violations, ...counts } = await fillDisk({
    volume,
    rounds: Number(values.rounds),
    seed: Number(values.seed),
    clients: Number(values.clients),
    threads: values.threads === undefined ? null : Number(values.threads),
    say: (line) => console.error(line),
  });
  console.log(JSON.stringify({ volume: values.volume, rounds: Number(values.rounds), ...counts }));
  for (const line of violations.slice(0, 20)) console.log(`VIOLATION ${line}`);
  if (violations.length === 0) console.log("nothing lost, nothing twice, nothing half done");
  else {
    process.exitCode = 2;
    isKept = true;
    console.log(`the data is in ${volume.dataDir}`);
  }
} finally {
  if (!isKept) volume.close();
}
