// A load generator process: keep-alive connections that send prepared requests one after the other and time
// each answer. Raw sockets: it must not become the bottleneck (its own ceiling is printed by `bench -- --ceiling`,
// and its CPU share comes with every report). Input on stdin: a LoadJob; output: one line, a LoadReport.
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { LoadTally, type LoadJob, type LoadReport } from "./load-tally.ts";
import type { Request } from "./requests.ts";

if (import.meta.main) {
  const job = JSON.parse(await text(process.stdin)) as LoadJob;
  console.log(JSON.stringify(await run(job)));
}

async function run(job: LoadJob): Promise<LoadReport> {
  const heads = job.requests.map((request) => prepare(job, request));
  const tally = new LoadTally(job);
  let next = 0;
  const open = (): Socket => {
    const socket = connect(job.port, job.host);
    socket.setNoDelay(true);
    let sentMs = 0;
    let pending = "";
    const send = (): void => {
      const index = next++;
      const [before, after] = heads[index % heads.length] as readonly [string, string];
      const key = job.keyed && after !== "" ? `Idempotency-Key: ${newKey(job, index)}\r\n` : "";
      sentMs = performance.now();
      tally.sent();
      socket.write(before + key + (after === "" ? "\r\n" : after));
    };
    socket.on("connect", send);
    socket.on("data", (chunk: Buffer) => {
      pending = pending === "" ? chunk.toString("latin1") : pending + chunk.toString("latin1");
      if (!isWhole(pending)) return;
      tally.answered(pending.slice(9, 12), performance.now() - sentMs);
      pending = "";
      if (!tally.stopped) send();
    });
    const broken = (): void => tally.broke();
    socket.on("error", broken);
    socket.on("close", broken);
    return socket;
  };
  const sockets = Array.from({ length: job.connections }, open);
  const report = await tally.run();
  for (const socket of sockets) socket.destroy();
  return report;
}

/** Grows with time, as those of the SDK do. */
function newKey(job: LoadJob, index: number): string {
  return `${Date.now().toString(36)}-${job.keyBase}${index}`;
}

/** Whether all of an answer is there. Connections are not pipelined: what follows is nobody's. */
function isWhole(answer: string): boolean {
  const headEnd = answer.indexOf("\r\n\r\n");
  if (headEnd === -1) return false;
  const head = answer.slice(0, headEnd).toLowerCase();
  const lengthAt = head.indexOf("content-length:");
  if (lengthAt !== -1) {
    return answer.length >= headEnd + 4 + Number.parseInt(head.slice(lengthAt + 15), 10);
  }
  return !head.includes("transfer-encoding: chunked") || answer.endsWith("\r\n0\r\n\r\n");
}

/** The request's bytes: all but the end for one without a body; up to the key's place, and the rest, for one with. */
function prepare(job: LoadJob, { method, path, token, body }: Request): readonly [string, string] {
  const head = `${method} ${path} HTTP/1.1\r\nHost: ${job.host}:${job.port}\r\nAuthorization: Bearer ${token}\r\n`;
  if (body === null) return [head, ""];
  return [
    head,
    `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  ];
}
