// One HTTP request and all of its answer, over kept connections: what test clients speak.
import { Agent, request as httpRequest } from "node:http";

/** What came back. `text` is the body, byte for byte. */
export interface Exchange {
  readonly status: number;
  readonly text: string;
  readonly replayed: boolean;
}

/** What is sent. */
export interface Sending {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly token: string | null;
  readonly body?: unknown;
  readonly key?: string;
  /** An attempt before this one got no answer. Default: false. */
  readonly isRepeat?: boolean;
}

/** A client with connections of its own. */
export interface HttpClient {
  /** @throws when the connection breaks before the whole answer is there. */
  send(url: string, sending: Sending): Promise<Exchange>;
  close(): void;
}

/** Opens a client. @param connectionsMax at the same time. @param keepAlive false: a connection for each request. */
export function openHttpClient(connectionsMax: number, keepAlive = true): HttpClient {
  const agent = new Agent({ keepAlive, maxSockets: connectionsMax });
  return {
    send: (url, sending) => exchange(agent, url, sending),
    close: () => agent.destroy(),
  };
}

function exchange(agent: Agent, url: string, sending: Sending): Promise<Exchange> {
  const { method, path, token, body, key, isRepeat = false } = sending;
  const text = body === undefined ? null : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${url}${path}`, {
      agent,
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(key === undefined ? {} : { "idempotency-key": key }),
        ...(isRepeat ? { "idempotency-repeat": "?1" } : {}),
        ...(text === null
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
      },
    });
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const answer: Exchange = {
          status: response.statusCode ?? 0,
          text: Buffer.concat(chunks).toString("utf8"),
          replayed: response.headers["idempotency-replayed"] === "true",
        };
        if (response.complete) resolve(answer);
        else reject(new Error("the answer was cut off"));
      });
    });
    request.end(text ?? undefined);
  });
}
