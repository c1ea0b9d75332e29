// A connection whose requests come whole (http-whole.ts), one after the other: idle -> asked -> idle -> ... -> given or
// ended. The first that does not come whole is node's, and the connection with it. What comes while a request is
// answered waits; then it is node's too, which knows how to answer several in a row.
import type { Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import { assert } from "../base/assert.ts";
import type { FlatHeaders } from "./http-head.ts";
import { readWhole, WholeRequest } from "./http-whole.ts";

/** What the connections of a listener share. */
export interface WholeConnectionParts {
  readonly clock: Clock;
  /** What is said beside a status, by its number. */
  readonly reasons: Readonly<Record<string, string | undefined>>;
  /** Now, as RFC 9110 section 5.6.7 writes it. */
  readonly date: () => string;
  readonly headBytesMax: number;
  readonly keepAliveMs: number;
  /** The header lines that say so. */
  readonly keepAlive: string;
  /** Answers a request. */
  handle(request: WholeRequest, reply: WholeConnection): void;
  /** Told when a connection is node's from now on. @param bytes what came and was not answered; null: nothing. */
  given(socket: Socket, bytes: Buffer | null): void;
}

/** No answer becomes two, whatever a header is made of. */
const lineEnd = /[\r\n\0]/v;

/** One connection, and what answers its request. */
export class WholeConnection {
  readonly #parts: WholeConnectionParts;
  readonly #socket: Socket;
  #state: "new" | "idle" | "asked" | "over" = "new";
  /** Since when it is in that state. */
  #sinceUs: number;
  /** What came while a request was answered. */
  #early: Buffer[] | null = null;

  constructor(socket: Socket, parts: WholeConnectionParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#sinceUs = parts.clock.monotonicUs();
    socket.on("data", this.#onData).on("end", this.#onEnd).on("error", ignore);
  }

  /** Whether nobody is there to be answered. */
  get destroyed(): boolean {
    return this.#state === "over" || !this.#socket.writable;
  }

  /** Whether it has no request to answer. */
  get isIdle(): boolean {
    return this.#state === "new" || this.#state === "idle";
  }

  /**
   * Sends the answer.
   * @param answer.headers without what is the connection's. @param answer.bytes of the body.
   * @param answer.isLast whether the connection ends after it.
   */
  send(answer: {
    readonly status: number;
    readonly headers: FlatHeaders;
    readonly body: string | Uint8Array | null;
    readonly bytes: number;
    readonly isLast: boolean;
  }): void {
    assert(this.#state === "asked", "a request is answered once");
    const { status, headers, body, bytes, isLast } = answer;
    const { reasons, date, keepAlive } = this.#parts;
    let head = `HTTP/1.1 ${status} ${reasons[status] ?? ""}\r\n`;
    for (let index = 0; index < headers.length; index += 2) {
      const value = String(headers[index + 1]);
      assert(!lineEnd.test(value), "a header is one line");
      head += `${headers[index]}: ${value}\r\n`;
    }
    head += `date: ${date()}\r\n`;
    head += isLast ? "connection: close\r\n\r\n" : `${keepAlive}\r\n`;
    const socket = this.#socket;
    if (body === null) socket.write(head, "latin1");
    else if (typeof body === "string") {
      // As many bytes as characters: ASCII, which goes out as it is instead of being encoded.
      socket.write(head + body, body.length === bytes ? "latin1" : "utf8");
    } else {
      socket.cork();
      socket.write(head, "latin1");
      socket.write(body);
      socket.uncork();
    }
    this.#answered(isLast);
  }

  /** Looks at the time. @param newMs how long one that has sent nothing stays here. */
  look(nowUs: number, newMs: number): void {
    const sinceMs = (nowUs - this.#sinceUs) / 1_000;
    // Node knows how long a first request may take, and says so.
    if (this.#state === "new" && sinceMs >= newMs) this.#give(null);
    else if (this.#state !== "idle" || sinceMs < this.#parts.keepAliveMs) return;
    else if (this.#socket.writableLength === 0) this.end();
  }

  /** Ends it now. */
  end(): void {
    this.#state = "over";
    this.#socket.destroy();
  }

  readonly #onData = (bytes: Buffer): void => {
    // What follows the last request that is answered is nobody's.
    if (this.#state === "over") return;
    if (this.#state === "asked") {
      (this.#early ??= []).push(bytes);
      this.#socket.pause();
      return;
    }
    const parts = readWhole(bytes, this.#parts.headBytesMax);
    if (parts === null) {
      this.#give(bytes);
      return;
    }
    this.#state = "asked";
    this.#parts.handle(new WholeRequest(parts, this.#socket), this);
  };

  /** As node does: who ends its half has no more to say, and nobody to be answered. */
  readonly #onEnd = (): void => {
    this.#state = "over";
    this.#socket.end();
  };

  #answered(isLast: boolean): void {
    this.#sinceUs = this.#parts.clock.monotonicUs();
    this.#state = "idle";
    if (isLast) {
      this.#state = "over";
      this.#socket.destroySoon();
    } else if (this.#early !== null) this.#give(Buffer.concat(this.#early));
  }

  #give(bytes: Buffer | null): void {
    this.#state = "over";
    this.#socket.off("data", this.#onData).off("end", this.#onEnd).off("error", ignore);
    this.#parts.given(this.#socket, bytes);
  }
}

function ignore(): void {}
