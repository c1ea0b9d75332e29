// The example, from nothing to a page that works: builds the page, serves the app with `keelson dev`, brings
// in the films and puts the best known on the programme. What is done already is left alone, so a second
// start is quick. Options go on to keelson dev: --port=4100, --data=<folder>. Ctrl-C ends it all.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, globSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { createClient } from "keelson/client";
import { whenParentEnds } from "../../packages/cli/bin/parent-watch.mjs";
import { countsText, importFilms } from "./import/import-films.ts";
import { scheduleWeek } from "./import/schedule-week.ts";

const folder = import.meta.dirname;
const dist = join(folder, "dist");
const options = process.argv.slice(2);
const data = dataFolder();
const isTerminal = process.stderr.isTTY;
/** One press of Ctrl-C may come twice, from the terminal and from the parent; keelson ends at once at the second. */
const sameSignalMs = 300;

buildPage();
const server = startServer();
try {
  const url = await server.ready;
  await prepare(url);
  console.log(`\nThe Keel sells tickets at ${url}`);
  console.log("Choose a seat: you are a guest until you sign up, and what you hold stays yours.");
  console.log(`Letters are not sent but kept for you at ${url}/_/mail`);
  console.log("Pay with a test card: without a key of Stripe's nothing is charged.");
  console.log("To see a seat fought over, open it in a second browser.");
  console.log("Ctrl-C ends it.\n");
  server.show();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  server.stop();
  process.exitCode = 1;
}

/** Where the app's data is, as keelson dev will read it. */
function dataFolder() {
  const index = options.findIndex((option) => option === "--data" || option.startsWith("--data="));
  if (index === -1) return resolve(process.env["KEELSON_DATA"] || join(folder, ".keelson"));
  const [, value] = /^--data=(.*)$/s.exec(options[index]) ?? [null, options[index + 1] ?? ""];
  return resolve(value);
}

/** Builds dist/ unless it is newer than all that it is made of. */
function buildPage() {
  const page = join(dist, "index.html");
  const builtMs = existsSync(page) ? statSync(page).mtimeMs : 0;
  const sources = globSync(["src/**/*.{ts,tsx,css}", "index.html", "*.{ts,json}"], { cwd: folder })
    .concat(globSync("../../packages/sdk/src/*.ts", { cwd: folder }))
    .map((file) => statSync(join(folder, file)).mtimeMs);
  if (sources.every((changedMs) => changedMs < builtMs)) return;
  console.error("Building the page ...");
  const vite = dirname(createRequire(import.meta.url).resolve("vite/package.json"));
  const line = [join(vite, "bin", "vite.js"), "build", "--logLevel=warn"];
  const { status } = spawnSync(process.execPath, line, { cwd: folder, stdio: ["ignore", 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}

/**
 * Starts keelson dev. Its output is kept back until `show`, except when it fails: an import of thousands of
 * rows would write as many lines.
 */
function startServer() {
  const keelson = join(folder, "..", "..", "packages", "cli", "bin", "keelson.mjs");
  const child = spawn(process.execPath, [keelson, "dev", folder, `--static=${dist}`, ...options], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...(isTerminal && { FORCE_COLOR: "1" }), ...process.env },
    // A group of its own: Ctrl-C comes here alone and is handed on once, as a second one would cut it short.
    detached: process.platform !== "win32",
  });
  let text = "";
  let isShown = false;
  const ready = new Promise((done, fail) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (piece) => {
        if (isShown) {
          process.stderr.write(piece);
          return;
        }
        text += piece;
        const [url] = /http:\/\/[\w.[\]:]+:\d+/.exec(text) ?? [];
        if (url !== undefined) done(url);
      });
    }
    child.once("error", fail);
    child.once("exit", (status, signal) => {
      if (!isShown) process.stderr.write(text);
      fail(new Error("The server ended before it was ready."));
      process.exitCode = status ?? (signal === "SIGINT" ? 130 : 1);
    });
  });
  let toldMs = -Infinity;
  const tell = (signal) => {
    const nowMs = performance.now();
    if (nowMs - toldMs < sameSignalMs) return;
    toldMs = nowMs;
    child.kill(signal === "SIGHUP" ? "SIGTERM" : signal);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, tell);
  whenParentEnds(() => toldMs === -Infinity && tell("SIGTERM"));
  process.once("exit", () => child.exitCode ?? child.kill("SIGTERM"));
  return {
    ready,
    show: () => {
      isShown = true;
    },
    stop: () => child.kill("SIGTERM"),
  };
}

/** Films and screenings, where there are none. */
async function prepare(url) {
  const anybody = createClient(url);
  const report = join(data, "film-import.json");
  const hasFilms = existsSync(report) && (await anybody.film.count()) > 0;
  const upcoming = { where: { startsAt: { gt: new Date().toISOString() } } };
  if (hasFilms && (await anybody.screening.count(upcoming)) > 0) return;
  const token = await staffToken(url);
  if (!hasFilms) {
    const outcome = await importFilms(url, token, tellProgress);
    writeFileSync(report, `${JSON.stringify(outcome, null, 2)}\n`);
    console.error(countsText(outcome));
    console.error(`Every repaired and refused one is listed in ${relative(process.cwd(), report)}`);
  }
  if ((await anybody.screening.count(upcoming)) > 0) return;
  console.error(`${await scheduleWeek(url, token)} screenings are on the programme.`);
}

async function staffToken(url) {
  const response = await fetch(`${url}/auth/development-token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "Box office", role: "staff" }),
  });
  if (!response.ok) throw new Error(`Signing in as staff failed: ${await response.text()}`);
  return (await response.json()).token;
}

function tellProgress(done, all) {
  if (isTerminal)
    process.stderr.write(`\rImporting films: ${done} of ${all}${done === all ? "\n" : ""}`);
  else if (done % 1_000 === 0) console.error(`Importing films: ${done} of ${all}`);
}
