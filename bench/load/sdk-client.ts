// A load generator process that drives the client of the SDK, as an app would: one client for each user, many
// calls at the same time. Input and output as in client.ts.
import { text } from "node:stream/consumers";
import { createClient } from "@keelson/sdk/client";
import { LoadTally, type LoadJob, type LoadReport } from "./load-tally.ts";
import type { Request } from "./requests.ts";

type Call = (...args: readonly unknown[]) => Promise<unknown>;
type Api = { readonly [group: string]: { readonly [name: string]: Call } };

if (import.meta.main) {
  const job = JSON.parse(await text(process.stdin)) as LoadJob;
  console.log(JSON.stringify(await run(job)));
  process.exit(0);
}

async function run(job: LoadJob): Promise<LoadReport> {
  const tally = new LoadTally(job);
  const clients = new Map<string, Api>();
  const clientOf = (token: string): Api => {
    const known = clients.get(token);
    if (known !== undefined) return known;
    const url = `http://${job.host}:${job.port}`;
    const made = createClient(url, {
      token,
      retry: false,
      transport: job.transport,
    }) as unknown as Api;
    clients.set(token, made);
    return made;
  };
  const calls = job.requests.map((request) => callOf(clientOf(request.token), request));
  let next = 0;
  const loop = async (): Promise<void> => {
    while (!tally.stopped) {
      const call = calls[next++ % calls.length] as () => Promise<unknown>;
      const from = performance.now();
      tally.sent();
      try {
        await call();
        tally.answered("200", performance.now() - from);
      } catch (error) {
        tally.answered(
          String((error as { status?: number }).status ?? "000"),
          performance.now() - from,
        );
      }
    }
  };
  for (let connection = 0; connection < job.connections; connection++) void loop();
  return tally.run();
}

/** The client's own words for a request of the HTTP door. */
function callOf(api: Api, { method, path, body }: Request): () => Promise<unknown> {
  const value: unknown = body === null ? null : JSON.parse(body);
  const url = new URL(path, "http://host");
  const [, , kind = "", name = "", id] = url.pathname.split("/");
  if (kind === "fn") {
    const [module = "", fn = ""] = name.split(".");
    return () => named(api, module, fn)(value);
  }
  if (method === "POST") return () => named(api, name, "create")(value);
  if (id !== undefined) return () => named(api, name, "get")(id);
  const where: unknown = JSON.parse(url.searchParams.get("where") ?? "{}");
  const limit = Number(url.searchParams.get("limit"));
  return () => named(api, name, "list")({ where, limit });
}

function named(api: Api, group: string, name: string): Call {
  const call = api[group]?.[name];
  if (call === undefined) throw new Error(`there is no ${group}.${name}`);
  return call;
}
