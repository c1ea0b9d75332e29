// A load generator process: keep-alive connections that send prepared requests one after the other and time
// each answer. Raw sockets: it must not become the bottleneck (its own ceiling is printed by `bench -- --ceiling`,
// and its CPU share comes with every report). Input on stdin: a LoadJob; output: one line, a LoadReport.
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { LoadTally, type LoadJob, type LoadReport } from "./load-tally.ts";
import type { Request } from "./requests.ts";

const readBytes = 65_536;
const lengthPattern = /\r\ncontent-length: *(\d+)\r\n/iv;
const chunkedPattern = /\r\ntransfer-encoding: *chunked\r\n/iv;

if (import.meta.main) {
  const job = JSON.parse(await text(process.stdin)) as LoadJob;
  console.log(JSON.stringify(await run(job)));
}

async function run(job: LoadJob): Promise<LoadReport> {
  const requests = job.requests.map((request) => prepare(job, request));
  const tally = new LoadTally(job);
  let next = 0;
  const open = (): Socket => {
    let sentMs = 0;
    let pending = "";
    const send = (): void => {
      const index = next++;
      const { head, rest } = requests[index % requests.length] as Prepared;
      const bytes = rest === null ? head : keyedBytes(job, index, head, rest);
      sentMs = performance.now();
      tally.sent();
      socket.write(bytes);
    };
    const take = (length: number, bytes: Uint8Array): boolean => {
      const chunk = (bytes as Buffer).toString("latin1", 0, length);
      pending = pending === "" ? chunk : pending + chunk;
      if (!isWhole(pending)) return true;
      tally.answered(pending.slice(9, 12), performance.now() - sentMs);
      pending = "";
      if (!tally.stopped) send();
      return true;
    };
    const onread = { buffer: Buffer.allocUnsafe(readBytes), callback: take };
    const socket = connect({ port: job.port, host: job.host, noDelay: true, onread });
    socket.on("connect", send);
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

/** A request of which a part changes: its key stands between. Grows with time, as those of the SDK do. */
function keyedBytes(job: LoadJob, index: number, head: Buffer, rest: Buffer): Buffer {
  const key = `Idempotency-Key: ${Date.now().toString(36)}-${job.keyBase}${index}\r\n`;
  const bytes = Buffer.allocUnsafe(head.length + key.length + rest.length);
  head.copy(bytes);
  bytes.write(key, head.length, "latin1");
  rest.copy(bytes, head.length + key.length);
  return bytes;
}

/** Whether all of an answer is there. Connections are not pipelined: what follows is nobody's. */
function isWhole(answer: string): boolean {
  const headEnd = answer.indexOf("\r\n\r\n");
  if (headEnd === -1) return false;
  const length = lengthPattern.exec(answer);
  if (length !== null && length.index < headEnd) {
    return answer.length >= headEnd + 4 + Number(length[1]);
  }
  return !chunkedPattern.test(answer.slice(0, headEnd + 2)) || answer.endsWith("\r\n0\r\n\r\n");
}

/** The bytes of a request. */
interface Prepared {
  /** All of it; of one that is keyed, up to the key's place. */
  readonly head: Buffer;
  /** What follows the key; null: it has none. */
  readonly rest: Buffer | null;
}

function prepare(job: LoadJob, { method, path, token, body }: Request): Prepared {
  const head = `${method} ${path} HTTP/1.1\r\nHost: ${job.host}:${job.port}\r\nAuthorization: Bearer ${token}\r\n`;
  if (body === null) return { head: Buffer.from(`${head}\r\n`), rest: null };
  const rest = `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  if (!job.keyed) return { head: Buffer.from(head + rest), rest: null };
  return { head: Buffer.from(head), rest: Buffer.from(rest) };
}
