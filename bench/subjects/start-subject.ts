// Starts a subject as a process of its own and waits for the line that says it is ready.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pinned, type Cores } from "./pin.ts";
import type { Ready } from "./subject.ts";

export interface RunningSubject {
  readonly name: string;
  readonly ready: Ready;
  readonly pid: number;
  stop(): Promise<void>;
}

/** How every subject is started. */
export interface StartOptions {
  /** Where it may run. */
  readonly cores: Cores;
  /** A folder that gets the CPU profile of a server that runs on Node, when it ends; or null. */
  readonly profile: string | null;
}

/** @param name for reports. @param program a file beside this one. @param args after the empty folder. */
export async function startSubject(
  name: string,
  program: string,
  args: readonly string[],
  { cores, profile }: StartOptions,
): Promise<RunningSubject> {
  const folder = mkdtempSync(join(tmpdir(), "keelson-bench-"));
  const [command, all] = pinned(cores, [
    process.execPath,
    ...(profile === null ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`]),
    join(import.meta.dirname, program),
    folder,
    ...args,
  ]);
  const child = spawn(command, all, { stdio: ["ignore", "pipe", "inherit"] });
  const ready = JSON.parse(await firstLine(child, name)) as Ready & { readonly pid?: number };
  return {
    name,
    ready,
    // A subject that is a program of its own, behind the one that prepares it, says so.
    pid: ready.pid ?? child.pid ?? -1,
    async stop() {
      const ended = new Promise((done) => child.once("exit", done));
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function firstLine(child: ChildProcess, name: string): Promise<string> {
  if (child.stdout === null) throw new Error("no stdout");
  const lines = createInterface({ input: child.stdout });
  return new Promise((done, fail) => {
    lines.once("line", done);
    child.once("exit", (status) =>
      fail(new Error(`${name} ended with ${status} before it was ready`)),
    );
  });
}
