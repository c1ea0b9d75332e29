// What identity costs. First in this process: telling a caller who came before from the credentials, which every request
// pays. Then on a server in a process of its own: other requests, alone and while people sign in by password.
// Usage: node bench/identity/main.ts [--callers=1000] [--sign-ins=50] [--reads=200] [--seconds=15] [--threads=<as keelson
// start>] [--server-cores=0,1 --client-cores=2,3]: cores that each may use, by the taskset of Linux.
import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startServer } from "@keelson/server";
import { doorsDefault } from "../../packages/server/src/host/doors-default.ts";
import { spreadsConnections } from "../../packages/server/src/host/free-port.ts";

const threadsUsual = String(
  doorsDefault({ cores: availableParallelism(), spreads: spreadsConnections() }),
);
const { values: flags } = parseArgs({
  options: {
    callers: { type: "string", default: "1000" },
    "sign-ins": { type: "string", default: "50" },
    reads: { type: "string", default: "200" },
    seconds: { type: "string", default: "15" },
    threads: { type: "string", default: threadsUsual },
    "server-cores": { type: "string" },
    "client-cores": { type: "string" },
  },
});
const callers = Number(flags.callers);
const signInsPerSecond = Number(flags["sign-ins"]);
const readsPerSecond = Number(flags.reads);
const seconds = Number(flags.seconds);
const password = "seven small boats at dawn";

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly cookie: string;
}

// Kinds have sockets of their own: one that waits must not hold up another.
const agents = new Map<string, Agent>();

function agentFor(path: string): Agent {
  const known = agents.get(path);
  if (known !== undefined) return known;
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  agents.set(path, agent);
  return agent;
}

function ask(
  url: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = { "content-type": "application/json", ...headers };
    const asked = request(
      url,
      { method: "POST", headers: sent, agent: agentFor(url) },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("end", () => {
          const [line = ""] = response.headers["set-cookie"] ?? [];
          resolve({ status: response.statusCode ?? 0, text, cookie: line.split(";")[0] ?? "" });
        });
      },
    );
    asked.on("error", reject);
    asked.end(JSON.stringify(body));
  });
}

/** An address of a network of its own: identity limits each. */
const addressOf = (index: number) => `10.${(index >> 8) & 255}.${index & 255}.9`;

async function measureCallers(folder: string): Promise<void> {
  const server = await startServer({
    appDir: join(import.meta.dirname, "..", "..", "test", "identity", "core"),
    dataDir: join(folder, "callers"),
    port: 0,
    threads: 0,
    trustProxy: true,
    limits: { anonymousPerMinuteMax: 1_000_000_000 },
  });
  const cookies: string[] = [];
  const tokens: string[] = [];
  for (let index = 0; index < callers; index++) {
    const headers = { "x-forwarded-for": addressOf(index) };
    const guest = await ask(`${server.url}/auth/guest`, {}, headers);
    cookies.push(guest.cookie);
    const program = await ask(`${server.url}/auth/guest`, { tokens: true }, headers);
    const { accessToken } = JSON.parse(program.text) as { readonly accessToken: string };
    tokens.push(`Bearer ${accessToken}`);
  }
  const { identity } = server.current().auth;
  const firstUs: number[] = [];
  for (const token of tokens) {
    const startMs = performance.now();
    await identity.identify(token, null);
    firstUs.push((performance.now() - startMs) * 1_000);
  }
  for (const cookie of cookies) await identity.identify(null, cookie);
  const times = (name: string, run: (index: number) => void): void => {
    const rounds = 300_000;
    for (let index = 0; index < rounds; index++) run(index);
    const us: number[] = [];
    for (let round = 0; round < 30; round++) {
      const startMs = performance.now();
      for (let index = 0; index < rounds / 10; index++) run(index);
      us.push(((performance.now() - startMs) * 1_000) / (rounds / 10));
    }
    row(name, us, 3);
  };
  const known = (authorization: string | null, cookie: string | null): void => {
    if (identity.known(authorization, cookie) === null) throw new Error("a caller is not known");
  };
  console.log("us to tell who calls                          p50       p99       max");
  times("access token, one caller", () => known(tokens[0] ?? "", null));
  times(`access token, ${callers} callers in turn`, (index) =>
    known(tokens[index % callers] ?? "", null),
  );
  times("session cookie, one caller", () => known(null, cookies[0] ?? ""));
  times(`session cookie, ${callers} callers in turn`, (index) =>
    known(null, cookies[index % callers] ?? ""),
  );
  row("access token, the first time", firstUs, 1);
  await server.close();
}

async function measureSignIns(folder: string): Promise<void> {
  const child = fork(join(import.meta.dirname, "server.ts"), [folder, flags.threads]);
  const pin = (cores: string | undefined, pid: number | undefined): void => {
    if (cores !== undefined) execFileSync("taskset", ["-acp", cores, String(pid)]);
  };
  pin(flags["server-cores"], child.pid);
  pin(flags["client-cores"], process.pid);
  const [url] = (await once(child, "message")) as unknown as readonly [string];
  const people = Array.from({ length: 50 }, (_, index) => `person${index}@example.com`);
  for (const [index, email] of people.entries()) {
    const headers = { "x-forwarded-for": addressOf(index) };
    const made = await ask(`${url}/shop/people`, { email, password }, headers);
    if (made.status !== 201) throw new Error(made.text);
  }
  const guest = await ask(`${url}/auth/guest`, {});
  const read = async (): Promise<void> => {
    const { status, text } = await ask(`${url}/api/fn/people.who`, {}, { cookie: guest.cookie });
    if (status !== 200) throw new Error(text);
  };
  const write = async (): Promise<void> => {
    const body = { text: "x" };
    const { status, text } = await ask(`${url}/api/fn/people.write`, body, {
      cookie: guest.cookie,
    });
    if (status !== 200) throw new Error(text);
  };
  const signIn = async (index: number): Promise<void> => {
    const email = people[index % people.length] ?? "";
    const headers = { "x-forwarded-for": addressOf(index) };
    const { status, text } = await ask(`${url}/auth/sign-in`, { email, password }, headers);
    if (status !== 200) throw new Error(text);
  };
  await paced(readsPerSecond, 2, read);
  console.log("ms                                            p50       p99       max");
  const alone = await Promise.all([
    paced(readsPerSecond, seconds, read),
    paced(readsPerSecond / 4, seconds, write),
  ]);
  row(`reads, ${readsPerSecond}/s, nobody signs in`, alone[0], 1);
  row(`writes, ${readsPerSecond / 4}/s, nobody signs in`, alone[1], 1);
  const [reads, writes, signIns] = await Promise.all([
    paced(readsPerSecond, seconds, read),
    paced(readsPerSecond / 4, seconds, write),
    paced(signInsPerSecond, seconds, signIn),
  ]);
  row(`reads, ${signInsPerSecond} sign-ins/s beside`, reads, 1);
  row(`writes, ${signInsPerSecond} sign-ins/s beside`, writes, 1);
  row(`sign-ins, ${signInsPerSecond}/s`, signIns, 1);
  child.disconnect();
  await once(child, "exit");
}

/** Begins a request every so often, whether those before were answered or not. @returns ms of each, from when it was due. */
async function paced(
  perSecond: number,
  forSeconds: number,
  run: (index: number) => Promise<void>,
): Promise<readonly number[]> {
  const startMs = performance.now();
  const running: Promise<number>[] = [];
  const count = Math.floor(perSecond * forSeconds);
  for (let index = 0; index < count; index++) {
    const dueMs = startMs + (index * 1_000) / perSecond;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    running.push(run(index).then(() => performance.now() - dueMs));
  }
  return Promise.all(running);
}

function row(name: string, values: readonly number[], digits: number): void {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  const cells = [0.5, 0.99, 1].map((part) => (at(part) ?? 0).toFixed(digits).padStart(10));
  console.log(`${name.padEnd(38)}${cells.join("")}`);
}

const folder = mkdtempSync(join(tmpdir(), "keelson-bench-identity-"));
try {
  const [cpu] = cpus();
  const load = loadavg().map((each) => each.toFixed(1));
  console.log(`Node ${process.version}, ${availableParallelism()} x ${cpu?.model ?? "?"}`);
  console.log(`${flags.threads} threads that serve, load average ${load.join(" ")}`);
  await measureCallers(folder);
  await measureSignIns(folder);
} finally {
  for (const agent of agents.values()) agent.destroy();
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
