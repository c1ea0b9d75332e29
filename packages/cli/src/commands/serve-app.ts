// What `keelson start` does: serves an app for others. Its standard output is a log of JSON lines; it ends on SIGTERM
// and SIGINT when what it has accepted is answered and on disk.
import { resolve } from "node:path";
import { startServer, type RunningServer } from "@keelson/server";
import type { Trace } from "@keelson/server/operator";
import { exits, usageFailure, type Exit } from "../flags/failure.ts";
import type { Flags } from "../flags/flag-parse.ts";
import { openDoorServer } from "../data/door-server.ts";
import type { AppPlace } from "./app-place.ts";
import { browserClient } from "./browser-client.ts";
import type { Io } from "./command.ts";
import { errorText, FailureLog, isTrouble } from "./failure-log.ts";
import { makeLog, type Log } from "./json-log.ts";
import { filesWarning, lettersWarning, staticWarning } from "./start-warnings.ts";

/** Serves until asked to stop. @returns the exit status. @throws Failure, PlatformError. */
export async function serveApp(place: AppPlace, flags: Flags, io: Io): Promise<Exit> {
  const stop = io.untilStopped();
  io.outliveOutput();
  const log = makeLog((text) => io.terminal.outRaw(text), io.nowMs);
  let started: RunningServer | null = null;
  const failures = new FailureLog({
    log,
    nowMs: io.nowMs,
    lastSeq: () => started?.current().store.lastSeq() ?? 0,
    every: (ms, run) => {
      const timer = setInterval(run, ms).unref();
      return () => clearInterval(timer);
    },
  });
  const server = await startServer({ ...place, ...options(flags, io, { log, failures }) });
  started = server;
  const door = await openDoorServer({
    dataDir: place.dataDir,
    url: server.url,
    // Loaded when another command comes: most servers never see one.
    door: async () => (await import("./server-door.ts")).serverDoor(server, place.dataDir),
  });
  log.write("info", "listening", {
    url: server.url,
    version: io.version,
    data: place.dataDir,
    threads: server.threads,
  });
  const letters = lettersWarning(server.current().manifest.auth, io.env);
  if (letters !== null) log.write("warn", "letters", { ...letters });
  const website = staticWarning(flags, io);
  if (website !== null) log.write("warn", "static", { ...website });
  const files = filesWarning();
  if (files !== null) log.write("warn", "files", { ...files });
  await until(stop);
  log.write("info", "stopping", { signal: String(stop.reason) });
  await door.close();
  const exit = await stopped(server, log);
  failures.close();
  return exit;
}

function options(
  flags: Flags,
  io: Io,
  { log, failures }: { readonly log: Log; readonly failures: FailureLog },
): Omit<Parameters<typeof startServer>[0], "appDir" | "dataDir"> {
  const folder = flags.text("static");
  const publicUrl = publicOrigin(flags.text("public-url"));
  // For functions that name it among their secrets.
  if (publicUrl !== null) (io.env as Record<string, string | undefined>)["KEELSON_URL"] = publicUrl;
  const wanted = flags.text("log") ?? "all";
  const threads = flags.int("threads");
  return {
    mode: "production",
    port: flags.int("port") ?? 4_000,
    host: flags.text("host") ?? "127.0.0.1",
    trustProxy: flags.on("trust-proxy"),
    ...metricsToken(io),
    moduleFiles: browserClient,
    ...(threads === null ? {} : { threads }),
    ...(wanted === "none" ? {} : { onTrace: (trace: Trace) => logRequest(log, trace, wanted) }),
    report: (error, requestId) => failures.tell(error, requestId),
    ...(publicUrl === null ? {} : { publicUrl }),
    ...(folder === null ? {} : { staticDir: resolve(io.cwd, folder) }),
  };
}

/** @throws Failure (exit 1) FLAG_VALUE_INVALID. */
function publicOrigin(text: string | null): string | null {
  if (text === null) return null;
  if (/^https?:/.test(text) && URL.canParse(text)) {
    const { origin, href } = new URL(text);
    if (href === `${origin}/`) return origin;
  }
  throw usageFailure({
    code: "FLAG_VALUE_INVALID",
    what: `--public-url=${text} is no address of a server.`,
    why: "Links in letters begin with it.",
    fix: "Write scheme and host: --public-url=https://tickets.example.com.",
  });
}

/** Who may read /metrics from another machine, and attack from outside: not on the command line, which others see. */
function metricsToken({ env }: Io): { readonly metricsToken?: string } {
  const token = env["KEELSON_METRICS_TOKEN"] ?? "";
  return token === "" ? {} : { metricsToken: token };
}

async function stopped(server: RunningServer, log: Log): Promise<Exit> {
  const isInTime = await server.close();
  log.write(isInTime ? "info" : "error", "stopped", { allAnswered: isInTime });
  log.flush();
  return isInTime ? exits.done : exits.shutdownTimeout;
}

/** What a request was and cost. No bodies, rows or tokens: a log is read by more people than the data. */
function logRequest(log: Log, trace: Trace, wanted: string): void {
  if (wanted === "none" || (wanted === "errors" && trace.code === null)) return;
  const { requestId, cause, operation, caller, code, wallUs, seq, repeated, work } = trace;
  log.write(code === null ? "info" : "warn", "request", {
    requestId,
    cause,
    operation,
    user: caller,
    code,
    ms: wallUs / 1_000,
    seq,
    repeated,
    rowsRead: work.rowsRead,
    rowsWritten: work.rowsWritten,
    ...(work.log === null ? {} : { console: work.log }),
    ...(trace.error === null || isTrouble(code ?? "") ? {} : { error: errorText(trace.error) }),
  });
}

function until(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve();
    else stop.addEventListener("abort", () => resolve(), { once: true });
  });
}
