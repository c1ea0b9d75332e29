// A server with workflows in a process of its own, to be ended in any way and started again on the same data.
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** A server. */
export interface WorkflowProcess {
  /** Calls a function. @throws when it is refused, or nobody answers. */
  call(name: string, args: object): Promise<unknown>;
  rows(table: string, where: object): Promise<readonly Readonly<Record<string, string>>[]>;
  /** Ends it at once. */
  kill(): Promise<void>;
  /** Ends it in an orderly way. */
  close(): Promise<void>;
}

/** Starts it and waits until it answers. */
export async function startWorkflowProcess(options: {
  readonly appDir: string;
  readonly dataDir: string;
  readonly threads: number;
}): Promise<WorkflowProcess> {
  const { appDir, dataDir, threads } = options;
  const file = join(import.meta.dirname, "serve-workflow.ts");
  const child = fork(file, [appDir, dataDir, String(threads)]);
  const ended = once(child, "exit");
  const url = await new Promise<string>((resolve, reject) => {
    child.once("message", (message) => resolve(message as string));
    child.once("exit", (status) => reject(new Error(`the server ended with ${status}`)));
  });
  const ask = async (path: string, init: RequestInit = {}): Promise<unknown> => {
    const response = await fetch(`${url}${path}`, init);
    const body: unknown = await response.json();
    if (!response.ok) throw new Error(JSON.stringify(body));
    return body;
  };
  return {
    call: (name, args) =>
      ask(`/api/fn/${name}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(args),
      }),
    async rows(table, where) {
      const query = `where=${encodeURIComponent(JSON.stringify(where))}&limit=1000`;
      const { rows } = (await ask(`/api/tables/${table}?${query}`)) as {
        readonly rows: readonly Readonly<Record<string, string>>[];
      };
      return rows;
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
    async close() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
