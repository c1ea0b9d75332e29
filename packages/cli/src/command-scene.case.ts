// For tests: runs the real binary in temporary folders, and talks to servers that it starts.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const binary = fileURLToPath(new URL("../bin/keelson.mjs", import.meta.url));
const waitMsMax = 20_000;

/** What a command left behind. */
export interface Ended {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command to its end. @param options.node another Node than this one. */
export function keelson(
  cwd: string,
  args: readonly string[],
  options: { readonly input?: string; readonly node?: string } = {},
): Ended {
  const { status, signal, stdout, stderr } = spawnSync(
    options.node ?? process.execPath,
    [binary, ...args],
    {
      cwd,
      encoding: "utf8",
      input: options.input ?? "",
      env: plainEnv(),
      timeout: 60_000,
    },
  );
  const err = signal === null ? stderr : `${stderr}\nended by ${signal}`;
  return { status: status ?? -1, out: stdout, err };
}

/** A server that runs. */
export interface Serving {
  readonly url: string;
  /** All that it wrote so far to either stream. */
  text(): string;
  /** Waits for new text that matches, after what was waited for before. @throws with all text when it does not come. */
  wait(pattern: RegExp): Promise<RegExpExecArray>;
  /** Asks it to end. @returns its exit status. */
  stop(signal?: NodeJS.Signals): Promise<number>;
}

/** Starts `dev` or `start` on a free port and waits for its address. */
export async function serve(cwd: string, args: readonly string[]): Promise<Serving> {
  const child = spawn(process.execPath, [binary, ...args, "--port=0"], { cwd, env: plainEnv() });
  const output = listen(child);
  const [, url = ""] = await output.wait(/(http:\/\/[\w.]+:\d+)/).catch((error: unknown) => {
    // Nobody else could end it, and the tests would wait for it for ever.
    child.kill("SIGKILL");
    throw error;
  });
  return { ...output, url, stop: (signal = "SIGTERM") => ended(child, signal) };
}

/** Starts a command without waiting for anything. @param env beside the usual. */
export function begin(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Omit<Serving, "url"> {
  const child = spawn(process.execPath, [binary, ...args], { cwd, env: { ...plainEnv(), ...env } });
  return { ...listen(child), stop: (signal = "SIGTERM") => ended(child, signal) };
}

function listen(child: ChildProcess): Pick<Serving, "text" | "wait"> {
  let text = "";
  let seen = 0;
  let wake: () => void = () => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
      wake();
    });
  }
  child.once("exit", () => wake());
  return {
    text: () => text,
    async wait(pattern) {
      const deadline = AbortSignal.timeout(waitMsMax);
      for (;;) {
        const match = pattern.exec(text.slice(seen));
        if (match !== null) {
          seen += match.index + match[0].length;
          return match;
        }
        if (deadline.aborted || child.exitCode !== null) {
          throw new Error(`no ${String(pattern)} in:\n${text}`);
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
          deadline.addEventListener("abort", () => resolve(), { once: true });
        });
      }
    },
  };
}

function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => {
    child.once("exit", (code) => resolve(code ?? -1));
    child.kill(signal);
  });
}

/** A folder that goes away with the test. */
export function tempFolder(context: { after(fn: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), "keelson-cli-"));
  context.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

function plainEnv(): NodeJS.ProcessEnv {
  const { KEELSON_DATA: _data, KEELSON_TOKEN: _token, FORCE_COLOR: _color, ...env } = process.env;
  return { ...env, NO_COLOR: "1" };
}
