// Bodies of requests and answers: whole, in memory, read once. There are no streams in an isolate.
import { asText, parse } from "../primordials.ts";
import { utf8, utf8Text, viewOf } from "./bytes.ts";
import type { Headers } from "./headers.ts";
import { URLSearchParams } from "./url-search-params.ts";

/** What a message carries. */
export interface Content {
  readonly bytes: Uint8Array<ArrayBuffer> | null;
  /** Content type that goes with it when the message names none. */
  readonly type: string | null;
}

/** Takes a body as user code gives it. @throws TypeError for what cannot be a body here. */
export function contentOf(body: unknown): Content {
  if (body === null || body === undefined) return { bytes: null, type: null };
  if (typeof body === "string") return { bytes: utf8(body), type: "text/plain;charset=UTF-8" };
  if (body instanceof URLSearchParams) {
    const type = "application/x-www-form-urlencoded;charset=UTF-8";
    return { bytes: utf8(body.toString()), type };
  }
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) {
    return { bytes: new Uint8Array(viewOf(body, "A body")), type: null };
  }
  if (typeof body === "object") {
    throw new TypeError(
      "A body is text, bytes or URLSearchParams. For JSON: JSON.stringify, or Response.json.",
    );
  }
  return { bytes: utf8(asText(body)), type: "text/plain;charset=UTF-8" };
}

/** What Request and Response share. */
export class Body {
  #bytes: Uint8Array<ArrayBuffer> | null;
  #isUsed = false;
  readonly headers: Headers;

  constructor(content: Content, headers: Headers) {
    this.#bytes = content.bytes;
    this.headers = headers;
    if (content.type !== null && !headers.has("content-type"))
      headers.set("content-type", content.type);
  }

  /** Always null: read the body by its methods. */
  get body(): null {
    return null;
  }

  get bodyUsed(): boolean {
    return this.#isUsed;
  }

  async bytes(): Promise<Uint8Array> {
    return this.#take();
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#take().buffer;
  }

  async text(): Promise<string> {
    return utf8Text(this.#take());
  }

  async json(): Promise<unknown> {
    return parse(utf8Text(this.#take())) as unknown;
  }

  /** Fields of a form that was sent as application/x-www-form-urlencoded. */
  async formData(): Promise<URLSearchParams> {
    const type = this.headers.get("content-type") ?? "";
    if (!type.toLowerCase().startsWith("application/x-www-form-urlencoded")) {
      throw new TypeError("formData reads application/x-www-form-urlencoded only.");
    }
    return new URLSearchParams(utf8Text(this.#take()));
  }

  /** The bytes, not used up: for the guest. */
  static peek(body: Body): Uint8Array<ArrayBuffer> | null {
    if (body.#isUsed) throw new TypeError("The body has been read already.");
    return body.#bytes;
  }

  #take(): Uint8Array<ArrayBuffer> {
    const bytes = Body.peek(this);
    this.#isUsed = bytes !== null;
    return bytes?.slice() ?? new Uint8Array(0);
  }
}
