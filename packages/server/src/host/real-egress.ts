// The network as isolates reach it: node:http and node:https, one connection for each request. A name is
// resolved once, its addresses are checked, and the connection goes to the address that was checked (no DNS
// rebinding). Redirects are followed here, each checked like a first request.
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { promisify } from "node:util";
import zlib from "node:zlib";
import { PlatformError } from "../base/platform-error.ts";
import { allowAddresses, allowHost } from "../isolate/egress-policy.ts";
import type { Egress, EgressAnswer, EgressRequest } from "../isolate/egress.ts";

/** Addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

/** What tests put in the place of the machine's own. */
export interface EgressOptions {
  /** Default: the machine's resolver. */
  readonly resolve?: Resolve;
}

type Headers = readonly (readonly [string, string])[];

interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: Buffer | null;
}

const redirectStatus: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const ownHeaders: ReadonlySet<string> = new Set([
  "accept-encoding",
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
/** Not carried to another origin. */
const secretHeaders: ReadonlySet<string> = new Set(["authorization", "cookie"]);
const bodyHeaders: ReadonlySet<string> = new Set([
  "content-type",
  "content-encoding",
  "content-language",
]);
const headerBytesMax = 65_536;

const decoders: Readonly<Record<string, (bytes: Buffer, options: object) => Promise<Buffer>>> = {
  gzip: promisify(zlib.gunzip),
  "x-gzip": promisify(zlib.gunzip),
  deflate: promisify(zlib.inflate),
  br: promisify(zlib.brotliDecompress),
};

/** Opens the network. */
export function openRealEgress({ resolve = resolveName }: EgressOptions = {}): Egress {
  return { send: (request) => sendFollowing(request, resolve) };
}

async function resolveName(hostname: string): Promise<readonly string[]> {
  const { lookup } = process.getBuiltinModule("node:dns/promises");
  return (await lookup(hostname, { all: true })).map(({ address }) => address);
}

async function sendFollowing(asked: EgressRequest, resolve: Resolve): Promise<EgressAnswer> {
  const { request } = asked;
  const deadline = AbortSignal.any([asked.signal, AbortSignal.timeout(asked.msMax)]);
  let hop: Hop = {
    url: new URL(request.url),
    method: request.method,
    headers: request.headers,
    body: request.body === null ? null : Buffer.from(request.body, "base64"),
  };
  for (let redirects = 0; ; redirects++) {
    const answer = await sendOnce(hop, { asked, resolve, signal: deadline });
    const location = answer.headers.find(([name]) => name === "location")?.[1];
    const isRedirect = redirectStatus.has(answer.status) && location !== undefined;
    if (!isRedirect || asked.redirect === "manual") {
      return { ...answer, url: hop.url.href, redirected: redirects > 0 };
    }
    if (asked.redirect === "error") throw failed(hop.url, "it redirects");
    if (redirects === asked.redirectsMax) throw failed(hop.url, "it redirects too often");
    hop = nextHop(hop, answer.status, location);
  }
}

function nextHop(hop: Hop, status: number, location: string): Hop {
  if (!URL.canParse(location, hop.url)) throw failed(hop.url, "it redirects to no address");
  const url = new URL(location, hop.url);
  const isOther = url.origin !== hop.url.origin;
  const asGet =
    (status === 303 && hop.method !== "HEAD") ||
    ((status === 301 || status === 302) && hop.method === "POST");
  const headers = hop.headers.filter(([name]) => {
    if (isOther && secretHeaders.has(name)) return false;
    return !(asGet && bodyHeaders.has(name));
  });
  return { url, method: asGet ? "GET" : hop.method, headers, body: asGet ? null : hop.body };
}

interface Sending {
  readonly asked: EgressRequest;
  readonly resolve: Resolve;
  readonly signal: AbortSignal;
}

type OneAnswer = Omit<EgressAnswer, "url" | "redirected">;

async function sendOnce(hop: Hop, sending: Sending): Promise<OneAnswer> {
  const { asked, signal } = sending;
  const host = allowHost(hop.url, asked.hosts);
  const addresses = await resolved(hop.url, host.hostname, sending);
  const isInternal = asked.internalHosts?.includes(host.hostname) === true;
  if (!isInternal) allowAddresses(host, addresses);
  const [address] = addresses;
  if (address === undefined) throw failed(hop.url, "its name leads nowhere");
  let status: number | undefined;
  try {
    const message = await answered(hop, address, signal);
    status = message.statusCode;
    return await read(message, asked.bytesMax);
  } catch (cause) {
    if (cause instanceof AnswerTooLarge) throw failed(hop.url, cause.message, { status });
    const reason = signal.aborted ? "it took too long, or was aborted" : "no answer";
    throw failed(hop.url, reason, { cause, status });
  }
}

/** An answer has more bytes than were asked for. */
class AnswerTooLarge extends Error {
  override readonly name = "AnswerTooLarge";
}

async function resolved(
  url: URL,
  hostname: string,
  { resolve, signal }: Sending,
): Promise<readonly string[]> {
  if (isIP(hostname) !== 0) return [hostname];
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(failed(url, "it took too long, or was aborted")));
  });
  try {
    return await Promise.race([resolve(hostname), aborted]);
  } catch (cause) {
    if (cause instanceof PlatformError) throw cause;
    throw failed(url, "its name is not known", { cause });
  }
}

function answered(hop: Hop, address: string, signal: AbortSignal): Promise<IncomingMessage> {
  const { url, method, body } = hop;
  // Not imported: most servers ask nobody, and http-listener.ts tells what an import of node:http costs.
  const isSecure = url.protocol === "https:";
  const { request: send } = process.getBuiltinModule(isSecure ? "node:https" : "node:http");
  const family = isIP(address);
  return new Promise((resolve, reject) => {
    const request = send(url, {
      method,
      headers: Object.fromEntries(headersOf(hop)),
      agent: false,
      signal,
      maxHeaderSize: headerBytesMax,
      lookup: (_name, options, done) => {
        if (options.all === true) done(null, [{ address, family }]);
        else done(null, address, family);
      },
    });
    request.once("response", resolve);
    request.once("error", reject);
    request.end(body ?? undefined);
  });
}

function headersOf({ headers, body, method }: Hop): Map<string, string[] | string> {
  const all = new Map<string, string[] | string>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    if (ownHeaders.has(key)) continue;
    const present = all.get(key);
    all.set(key, present === undefined ? value : [present, value].flat());
  }
  all.set("accept-encoding", "gzip, deflate, br");
  if (!all.has("user-agent")) all.set("user-agent", "keelson");
  const sendsLength = body !== null || !["GET", "HEAD"].includes(method);
  if (sendsLength) all.set("content-length", String(body?.length ?? 0));
  return all;
}

async function read(message: IncomingMessage, bytesMax: number): Promise<OneAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message) {
    bytes += (chunk as Buffer).length;
    if (bytes > bytesMax) {
      message.destroy();
      throw new AnswerTooLarge(`its answer is larger than ${bytesMax} bytes`);
    }
    chunks.push(chunk as Buffer);
  }
  const encoding = (message.headers["content-encoding"] ?? "").toLowerCase();
  const decode = decoders[encoding];
  const raw = Buffer.concat(chunks);
  const isDecoded = decode !== undefined && raw.length > 0;
  const body = isDecoded ? await decode(raw, { maxOutputLength: bytesMax }) : raw;
  const dropped = isDecoded ? ["content-encoding", "content-length"] : [];
  const headers = pairsOf(message.rawHeaders).filter(([name]) => !dropped.includes(name));
  return {
    status: message.statusCode ?? 0,
    statusText: message.statusMessage ?? "",
    headers,
    body: body.length === 0 ? null : body.toString("base64"),
  };
}

function pairsOf(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    pairs.push([(raw[index] as string).toLowerCase(), raw[index + 1] as string]);
  }
  return pairs;
}

/** @param of.status of an answer whose body could not be had: who needs no body knows what was answered. */
function failed(
  url: URL,
  reason: string,
  of: { readonly cause?: unknown; readonly status?: number | undefined } = {},
): PlatformError {
  const { cause, status } = of;
  const details = { host: url.host, reason, ...(status === undefined ? {} : { status }) };
  return new PlatformError("EGRESS_FAILED", details, { cause });
}
