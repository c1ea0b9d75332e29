// What `npm start` runs, twice on the same data: the second time there is nothing left to do.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const program = join(import.meta.dirname, "..", "start.mjs");
const waitMsMax = 120_000;

interface Started {
  readonly url: string;
  /** All that it wrote until it was ready. */
  readonly text: string;
  /** Asks it to end. @returns its exit status. */
  stop(): Promise<number | null>;
}

function start(data: string): Promise<Started> {
  const child = spawn(process.execPath, [program, "--port=0", `--data=${data}`], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: waitMsMax,
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const stop = async () => {
    child.kill("SIGINT");
    return ended;
  };
  return new Promise((resolve, reject) => {
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
        const [, url] = /sells tickets at (http:\S+)/.exec(text) ?? [];
        if (url !== undefined) resolve({ url, text, stop });
      });
    }
    child.once("exit", () => reject(new Error(`it ended:\n${text}`)));
  });
}

async function answerOf(url: string): Promise<string> {
  return (await fetch(url)).text();
}

test("start imports and schedules once, and a second start changes nothing", async (context) => {
  const data = mkdtempSync(join(tmpdir(), "keelson-start-"));
  context.after(() => rmSync(data, { recursive: true, force: true, maxRetries: 3 }));
  const counts = ["film", "screening", "booking", "user"].map(
    (table) => `/api/tables/${table}?aggregate=${encodeURIComponent('{"rows":"count"}')}`,
  );
  const countsOf = ({ url }: Started) =>
    Promise.all(counts.map((path) => answerOf(`${url}${path}`)));

  const first = await start(data);
  assert.match(first.text, /3201 films read: 3200 created, 0 already there, 1 refused; 56 values/);
  assert.match(first.text, /140 screenings are on the programme/);
  assert.match(await answerOf(first.url), /<title>The Keel - tickets<\/title>/);
  const report = readFileSync(join(data, "film-import.json"), "utf8");
  const { refused, repaired } = JSON.parse(report) as Record<string, readonly unknown[]>;
  assert.equal(refused?.length, 1);
  assert.equal(repaired?.length, 56);
  const before = await countsOf(first);
  assert.equal(await first.stop(), 0);

  const second = await start(data);
  assert.doesNotMatch(second.text, /Building|Import|films read|screenings are/);
  assert.deepEqual(await countsOf(second), before);
  assert.equal(readFileSync(join(data, "film-import.json"), "utf8"), report);
  assert.equal(await second.stop(), 0);
});

test("an option that keelson dev does not know ends it with keelson's own words", async (context) => {
  const data = mkdtempSync(join(tmpdir(), "keelson-start-"));
  context.after(() => rmSync(data, { recursive: true, force: true, maxRetries: 3 }));
  const child = spawn(process.execPath, [program, "--prot=4100", `--data=${data}`]);
  let text = "";
  child.stderr.setEncoding("utf8").on("data", (piece: string) => {
    text += piece;
  });
  const status = await new Promise((resolve) => child.once("close", resolve));
  assert.equal(status, 1);
  assert.match(text, /--port/);
});

test(
  "the server ends with npm, though npm's shell does not hand SIGTERM on",
  { timeout: waitMsMax },
  async (context) => {
    if (process.platform === "win32") return context.skip("Windows has no SIGTERM");
    const data = mkdtempSync(join(tmpdir(), "keelson-start-"));
    context.after(() => rmSync(data, { recursive: true, force: true, maxRetries: 3 }));
    // What npm's is while it waits: a shell that ends at SIGTERM and leaves its child running.
    const line = `"$0" tools/run.mjs start --port=0 "--data=$1"; exit $?`;
    const shell = spawn("sh", ["-c", line, process.execPath, data], {
      cwd: join(import.meta.dirname, "..", "..", ".."),
      env: { ...process.env, npm_lifecycle_event: "start" },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: waitMsMax,
    });
    let text = "";
    const url = await new Promise<string>((resolve, reject) => {
      for (const stream of [shell.stdout, shell.stderr]) {
        stream.setEncoding("utf8").on("data", (piece: string) => {
          text += piece;
          const [, found] = /sells tickets at (http:\S+)/.exec(text) ?? [];
          if (found !== undefined) resolve(found);
        });
      }
      shell.once("exit", () => reject(new Error(`it ended:\n${text}`)));
    });
    // Closed when the last of them that could write is gone.
    const ended = new Promise((resolve) => shell.once("close", resolve));
    shell.kill("SIGTERM");
    await ended;
    await assert.rejects(fetch(url));
  },
);
