// What goes out on one live connection: text frames (RFC 6455, 5.2: servers do not mask), built here so that a push
// to thousands costs one frame each, written once, and a long value that many get is in memory once. Frames of
// `ws` (pings, close) go over the same stream, whole, between ours.
import type { Duplex } from "node:stream";
import type { LiveTraffic } from "./live-traffic.ts";

/** From this length on, values are written from memory that all who get them share. */
const sharedCharsMin = 8_192;

/** The outgoing side of a connection. */
export class LiveWire {
  readonly #stream: Duplex;
  readonly #traffic: LiveTraffic;
  #isCorked = false;

  constructor(stream: Duplex, traffic: LiveTraffic) {
    this.#stream = stream;
    this.#traffic = traffic;
  }

  /** Bytes that the other side has not taken yet. */
  get unreadBytes(): number {
    return this.#stream.writableLength;
  }

  /** Sends now. */
  send(text: string): void {
    this.#uncork();
    this.#write(frameOf(text));
  }

  /** Sends `before`, `value` and `after` as one message. */
  sendValue(before: string, value: string, after: string): void {
    if (value.length < sharedCharsMin) {
      this.send(before + value + after);
      return;
    }
    this.#uncork();
    const shared = sharedBytes(value);
    const length = Buffer.byteLength(before) + shared.length + Buffer.byteLength(after);
    const head = Buffer.allocUnsafe(headBytes(length));
    putHead(head, length);
    this.#stream.cork();
    this.#write(Buffer.concat([head, Buffer.from(before)]));
    this.#write(shared);
    this.#write(Buffer.from(after));
    this.#stream.uncork();
  }

  /** Sends together with everything else of this turn: one write for many. */
  sendSoon(text: string): void {
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#stream.cork();
      queueMicrotask(() => this.#uncork());
    }
    this.#write(frameOf(text));
  }

  #uncork(): void {
    if (!this.#isCorked) return;
    this.#isCorked = false;
    this.#stream.uncork();
  }

  #write(bytes: Buffer): void {
    this.#traffic.sentBytes += bytes.length;
    this.#stream.write(bytes);
  }
}

let lastText: string | null = null;
let lastFrame = Buffer.alloc(0);
let lastValue: string | null = null;
let lastBytes = Buffer.alloc(0);

/** The same message often goes to many connections: it is written down once. */
function frameOf(text: string): Buffer {
  if (text === lastText) return lastFrame;
  const length = Buffer.byteLength(text);
  const start = headBytes(length);
  const frame = Buffer.allocUnsafe(start + length);
  putHead(frame, length);
  frame.write(text, start, "utf8");
  lastText = text;
  lastFrame = frame;
  return frame;
}

function sharedBytes(value: string): Buffer {
  if (value !== lastValue) {
    lastValue = value;
    lastBytes = Buffer.from(value);
  }
  return lastBytes;
}

function headBytes(length: number): number {
  if (length < 126) return 2;
  return length < 65_536 ? 4 : 10;
}

/** The head of a final text frame with so many bytes. */
function putHead(into: Buffer, length: number): void {
  into[0] = 0x81;
  if (length < 126) {
    into[1] = length;
  } else if (length < 65_536) {
    into[1] = 126;
    into.writeUInt16BE(length, 2);
  } else {
    into[1] = 127;
    into.writeBigUInt64BE(BigInt(length), 2);
  }
}
