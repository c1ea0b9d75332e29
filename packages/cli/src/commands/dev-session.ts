// What `keelson dev` does: serves an app while it is being written. The newest version without a mistake is served; a
// mistake is shown with its place and what to write, and does not end anything.
// States: starting (no version served: waits for the files to change) -> serving -> closed. Data that was removed while it
// is served: serving -> starting, with what is there then.
import { existsSync } from "node:fs";
import { extname, join, relative, resolve } from "node:path";
import { startServer, type RunningServer } from "@keelson/server";
import {
  PlatformError,
  platformTables,
  wordsProblems,
  type ReloadOutcome,
  type Trace,
  type WorkTold,
} from "@keelson/server/operator";
import { exits, type Exit } from "../flags/failure.ts";
import type { Flags } from "../flags/flag-parse.ts";
import type { DataDoor } from "../data/data-door.ts";
import { openDoorServer, type DoorServer } from "../data/door-server.ts";
import { printMistakes } from "../terminal/failure-text.ts";
import { knownIndexes } from "../terminal/index-advice.ts";
import { counted } from "../terminal/table-text.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { AppPlace } from "./app-place.ts";
import { functionLines, tableLines } from "./app-text.ts";
import { workSpecLines } from "./app-work-text.ts";
import { isWordsFile, watchApp, type AppWatch } from "./app-watch.ts";
import { browserClient } from "./browser-client.ts";
import type { Io } from "./command.ts";
import { DevReports } from "./dev-reports.ts";
import { DevReview } from "./dev-review.ts";
import { openDevSimulators, type DevSimulators } from "./dev-simulators.ts";
import { serverDoor } from "./server-door.ts";
import { planLines, requestLines } from "./request-text.ts";
import { tellFailure } from "./tell-failure.ts";
import { workLines } from "./work-text.ts";

/** One run of `keelson dev`. */
export class DevSession {
  readonly #flags: Flags;
  readonly #io: Io;
  readonly #place: AppPlace;
  readonly #watch: AppWatch;
  readonly #review: DevReview;
  readonly #reports: DevReports;
  readonly #plansShown = new Set<string>();
  #server: RunningServer | null = null;
  #door: DoorServer | null = null;
  #simulators: DevSimulators | null = null;
  /** Whether the newest files have a mistake, so that mending it is news. */
  #isBroken = false;
  #isClosing = false;
  #work: Promise<void> = Promise.resolve();
  #fail: (error: unknown) => void = () => {};
  #planCheck = false;
  #isDataGone = false;

  constructor(flags: Flags, io: Io, place: AppPlace) {
    this.#flags = flags;
    this.#io = io;
    this.#place = place;
    this.#review = new DevReview(place.appDir, io.terminal);
    this.#reports = new DevReports(io.terminal, io.env["KEELSON_DEBUG"] === "1");
    this.#watch = watchApp(place.appDir, (files) => this.#enqueue(() => this.#changed(files)));
  }

  /** Serves until asked to stop. @throws what is no mistake of the app. */
  async run(stop: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#fail = reject;
      stop.addEventListener("abort", () => resolve(), { once: true });
      if (stop.aborted) resolve();
      else this.#enqueue(() => this.#refresh());
    });
  }

  async close(): Promise<void> {
    // What has begun comes to its end, and begins nothing else: it would not be closed.
    this.#isClosing = true;
    await this.#work;
    this.#watch.close();
    await this.#review.close();
    await this.#stop();
  }

  async #stop(): Promise<void> {
    await this.#door?.close();
    await this.#server?.close();
    await this.#simulators?.close();
  }

  /** One after the other: a save during a reload is taken up after it. */
  #enqueue(job: () => Promise<void>): void {
    if (this.#isClosing) return;
    this.#work = this.#work
      .then(() => (this.#isClosing ? undefined : job()))
      .catch((error: unknown) => this.#fail(error));
  }

  async #changed(files: readonly string[]): Promise<void> {
    this.#reports.forget();
    if (!files.every(isWordsFile)) await this.#refresh();
    // A folder that came or went may have held some.
    if (files.some((file) => isWordsFile(file) || extname(file) === "")) this.#tellWords(files);
  }

  async #refresh(): Promise<void> {
    if (this.#server === null) await this.#start();
    else {
      const outcome = await this.#server.reload();
      if (outcome.kind === "refused" && outcome.error.code === "DATA_REMOVED") {
        this.#dataGone();
        return;
      }
      this.#tellReload(outcome);
      if (outcome.kind === "replaced") await this.#followSecrets(this.#server);
    }
    if (this.#server !== null && !this.#isBroken) this.#enqueue(() => this.#review.look());
  }

  /** Removing the folder is how one begins anew: what is held of it (the lock, keys, sessions) is let go of as well. */
  #dataGone(): void {
    if (this.#isDataGone) return;
    this.#isDataGone = true;
    this.#enqueue(async () => {
      const { terminal, cwd } = this.#io;
      const folder = relative(cwd, this.#place.dataDir) || ".";
      terminal.note(
        `${terminal.tone("yellow", "data")}  ${folder} was removed or replaced: starting again with what is there now.`,
      );
      const port = this.#server?.port;
      await this.#stop();
      this.#server = null;
      this.#isDataGone = false;
      await this.#start(port);
    });
  }

  async #start(port = this.#flags.int("port") ?? 4_000): Promise<void> {
    const { terminal } = this.#io;
    try {
      this.#server = await startServer({
        ...this.#place,
        mode: "development",
        port,
        host: this.#flags.text("host") ?? "127.0.0.1",
        moduleFiles: browserClient,
        onTrace: (trace) => this.#tellRequest(trace),
        ...this.#watchWork(),
        report: (error, requestId) => this.#tellReport(error, requestId),
        ...this.#staticDir(),
      });
    } catch (error) {
      if (!isAppsFault(error)) throw error;
      tellFailure(error, this.#io);
      this.#isBroken = true;
      terminal.note("Waiting for a file of the app to change ...");
      return;
    }
    this.#isBroken = false;
    this.#door = await openDoorServer({
      dataDir: this.#place.dataDir,
      url: this.#server.url,
      door: () => this.#operatorDoor(),
    });
    // The environment of this process: functions and hooks look there when they run.
    const env = this.#io.env as Record<string, string | undefined>;
    env["KEELSON_URL"] ??= shownUrl(this.#server.url);
    const { url } = this.#server;
    this.#simulators = openDevSimulators({ url, dataDir: this.#place.dataDir }, env);
    await this.#tellStart(this.#server);
    this.#tellWords([]);
  }

  /** Crons and queues can be busier than the person at the keyboard: one switch leaves their lines out. */
  #watchWork(): { readonly onWork?: (told: WorkTold) => void } {
    if (this.#flags.on("quiet-work")) return {};
    const { terminal } = this.#io;
    return {
      onWork: (told) => {
        for (const line of workLines(told, terminal)) terminal.note(line);
      },
    };
  }

  #staticDir(): { readonly staticDir?: string } {
    const folder = this.#flags.text("static");
    return folder === null ? {} : { staticDir: resolve(this.#io.cwd, folder) };
  }

  async #tellStart(server: RunningServer): Promise<void> {
    const { terminal, cwd, version } = this.#io;
    const { manifest, bundle } = server.current().app;
    this.#watch.follow(bundle.files);
    const rows: Record<string, number> = {};
    const door = this.#operatorDoor();
    for (const name of Object.keys(manifest.tables)) rows[name] = await door.count(name);
    terminal.note(
      `${terminal.tone("bold", "keelson")} ${version}  ${terminal.tone("green", shownUrl(server.url))}`,
    );
    const folder = relative(cwd, this.#place.dataDir) || ".";
    const letters = `letters at ${shownUrl(server.url)}/_/mail`;
    terminal.note(terminal.tone("dim", `data in ${folder}; ${letters}; stop with Ctrl-C`));
    this.#section("Tables", tableLines(manifest, rows));
    this.#section("Functions", functionLines(manifest));
    this.#section("Work", workSpecLines(manifest.work));
    this.#section("Elsewhere", (await this.#simulators?.follow(manifest)) ?? []);
    terminal.note("");
  }

  #section(title: string, lines: readonly string[]): void {
    const { terminal } = this.#io;
    if (lines.length === 0) return;
    terminal.note("");
    terminal.note(terminal.tone("bold", title));
    for (const line of lines) terminal.note(`  ${line}`);
  }

  /** A version may name services that none before it did. */
  async #followSecrets(server: RunningServer): Promise<void> {
    const { terminal } = this.#io;
    const lines = (await this.#simulators?.follow(server.current().app.manifest)) ?? [];
    for (const line of lines) terminal.note(line);
  }

  #tellReload(outcome: ReloadOutcome): void {
    const { terminal } = this.#io;
    const took = `${Math.round(outcome.tookMs)} ms`;
    switch (outcome.kind) {
      case "same":
        if (this.#isBroken)
          terminal.note(`${terminal.tone("green", "mended")}  the app is as it was`);
        this.#isBroken = false;
        return;
      case "replaced": {
        const { manifest, bundle } = (this.#server as RunningServer).current().app;
        this.#watch.follow(bundle.files);
        const size = `${counted(Object.keys(manifest.tables).length, "table")}, ${counted(Object.keys(manifest.functions).length, "function")}`;
        const verdict = this.#isBroken ? "mended" : "reloaded";
        terminal.note(`${terminal.tone("green", verdict)}  ${size} in ${took}`);
        this.#isBroken = false;
        return;
      }
      case "refused":
        this.#isBroken = true;
        tellRefusal(outcome, this.#io);
        terminal.note(terminal.tone("yellow", "The last good version goes on being served."));
        return;
      default:
        outcome satisfies never;
    }
  }

  /** Letters' templates and the pages' sheet are read when they are used: what is wrong is told when it is saved. */
  #tellWords(saved: readonly string[]): void {
    const { terminal } = this.#io;
    const { appDir } = this.#place;
    const problems = this.#wordsProblems();
    for (const { file, problem } of problems)
      this.#reports.tell(new Error(`${file} is not used: ${problem}`));
    for (const file of saved.filter(isWordsFile).map((path) => path.replaceAll("\\", "/"))) {
      const isGood = problems.every((problem) => problem.file !== file);
      if (isGood && existsSync(join(appDir, file)))
        terminal.note(`${terminal.tone("green", "reloaded")}  ${file}`);
    }
  }

  #wordsProblems(): ReturnType<typeof wordsProblems> {
    if (this.#server === null) return [];
    try {
      const { code } = this.#server.current().app.bundle;
      return wordsProblems({ appDir: this.#place.appDir, code });
    } catch (error) {
      // A file that nobody may read, or a folder of its name.
      this.#reports.tell(error);
      return [];
    }
  }

  /** A request's own line tells of a bug that it came upon. */
  #tellReport(error: unknown, requestId: string | null): void {
    if (error instanceof PlatformError && error.code === "DATA_REMOVED") this.#dataGone();
    const traced = requestId === null ? null : this.#server?.trace.find(requestId)?.error;
    if (traced instanceof Error && !(traced instanceof PlatformError)) return;
    this.#reports.tell(error);
  }

  #tellRequest(trace: Trace): void {
    for (const line of requestLines(trace, this.#io.terminal)) this.#io.terminal.note(line);
    if (this.#planCheck) return;
    // Many requests may end in one turn: their plans are looked at once.
    this.#planCheck = true;
    setImmediate(() => {
      this.#planCheck = false;
      this.#tellPlans(this.#io.terminal);
    });
  }

  #tellPlans(terminal: Terminal): void {
    for (const plan of this.#server?.current().store.plans() ?? []) {
      if (this.#plansShown.has(plan.sql)) continue;
      this.#plansShown.add(plan.sql);
      // The platform's own tables are none of the app's business: it can't add an index there.
      if (Object.hasOwn(platformTables, plan.table)) continue;
      const table = this.#server?.current().manifest.tables[plan.table];
      const known = table === undefined ? [] : knownIndexes(table);
      for (const line of planLines(plan, known, terminal)) terminal.note(line);
    }
  }

  #operatorDoor(): DataDoor {
    return serverDoor(this.#server as RunningServer, this.#place.dataDir);
  }
}

function tellRefusal(outcome: Extract<ReloadOutcome, { kind: "refused" }>, io: Io): Exit {
  if (outcome.mistakes.length === 0) return tellFailure(outcome.error, io);
  printMistakes(io.terminal, outcome.mistakes);
  return exits.appInvalid;
}

/** Mistakes in the source, and schemas that the data can't take: both are mended by editing. */
function isAppsFault(error: unknown): boolean {
  if (!(error instanceof PlatformError)) return false;
  return error.code === "APP_INVALID" || error.code === "MIGRATION_REFUSED";
}

/** What one types into a browser. */
function shownUrl(url: string): string {
  return url.replace("http://127.0.0.1:", "http://localhost:");
}
