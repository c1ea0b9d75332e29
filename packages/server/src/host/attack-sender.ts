// Sends requests as an attack writes them, byte for byte, and brings back what came. It never throws: a connection
// that ends without an answer is an answer of status 0.
import { request as httpRequest, type Agent } from "node:http";
import { request as httpsRequest } from "node:https";
import type { WireAnswer, WireRequest } from "../engineer/attack/attack-target.ts";

const answerBytesMax = 8_388_608;
const answerMsMax = 20_000;

/** A sender for any address: the outside part of an attack uses it too. */
export function attackSender(
  url: string,
  agent?: Agent,
): (request: WireRequest) => Promise<WireAnswer> {
  const send = url.startsWith("https:") ? httpsRequest : httpRequest;
  return ({ method, path, headers, body }) =>
    new Promise((resolve) => {
      const lost = (): void => resolve({ status: 0, headers: {}, text: "" });
      const asked = send(
        new URL(url).origin,
        {
          ...{ method, path, timeout: answerMsMax },
          ...(agent === undefined ? {} : { agent }),
          headers:
            body === null
              ? headers
              : { ...headers, "content-length": String(Buffer.byteLength(body)) },
        },
        (answer) => {
          const pieces: Buffer[] = [];
          let bytes = 0;
          answer.on("data", (piece: Buffer) => {
            bytes += piece.length;
            if (bytes <= answerBytesMax) pieces.push(piece);
          });
          answer.on("error", lost);
          answer.on("end", () => {
            const named = Object.entries(answer.headers).map(([name, value]) => [
              name,
              Array.isArray(value) ? value.join(", ") : (value ?? ""),
            ]);
            resolve({
              status: answer.statusCode ?? 0,
              headers: Object.fromEntries(named) as Record<string, string>,
              text: Buffer.concat(pieces).toString("utf8"),
            });
          });
        },
      );
      asked.on("timeout", () => asked.destroy());
      asked.on("error", lost);
      asked.end(body ?? undefined);
    });
}
