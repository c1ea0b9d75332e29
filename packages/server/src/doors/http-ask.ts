// The way from a request to the gate and back: read the body, ask, answer. Whatever is thrown on the way is
// the answer, so nothing that handles a request needs a catch of its own.
import type { Json } from "../base/json.ts";
import type { Later } from "../base/later.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { GateAnswer, GateOperation } from "../gate/gate-request.ts";
import type { CallerAddress } from "./caller-address.ts";
import type { HttpAnswerer } from "./http-answer.ts";
import { assertBodyAccepted, hasBody, parseJsonBody, readBody } from "./http-body.ts";
import type { HttpExchange } from "./http-exchange.ts";
import { headerIn } from "./http-head.ts";
import { refusalLimitHeaders } from "./http-limit-headers.ts";
import { WholeRequest } from "./http-whole.ts";

/** What asking needs. */
export interface HttpAskerParts {
  readonly limits: Limits;
  readonly answerer: HttpAnswerer;
  readonly callerAddress: CallerAddress;
}

const noBytes = Buffer.alloc(0);

/** Asks the gate for exchanges of one door. */
export class HttpAsker {
  readonly #parts: HttpAskerParts;

  constructor(parts: HttpAskerParts) {
    this.#parts = parts;
  }

  /** Sends `operation` to the gate. @param cause its name in the log. @param reply writes the answer. */
  ask(
    exchange: HttpExchange,
    operation: GateOperation,
    cause: string,
    reply: (exchange: HttpExchange, answer: GateAnswer) => void,
  ): void {
    const { head, app } = exchange;
    const { kind } = operation;
    const maySignIn = kind === "http" || kind === "call";
    const asked = app.gate.handle({
      operation,
      authorization: head.authorization,
      cookie: cookieOf(exchange),
      idempotencyKey: head.idempotencyKey,
      mayBeRepeat: head.mayBeRepeat,
      address: this.addressOf(exchange),
      userAgent: maySignIn ? headerIn(exchange.request.rawHeaders, "user-agent") : null,
      isSecure: this.isSecure(exchange),
      requestId: exchange.requestId,
      cause,
    });
    if (asked instanceof Promise) this.later(exchange, asked, (answer) => reply(exchange, answer));
    else reply(exchange, asked);
  }

  /** Goes on with a value that is there or comes later. */
  later<T>(exchange: HttpExchange, value: Later<T>, next: (value: T) => void): void {
    if (value instanceof Promise) {
      value.then(next).catch((error: unknown) => this.refuse(exchange, error));
    } else {
      next(value);
    }
  }

  /** Answers with a refusal. */
  refuse(exchange: HttpExchange, error: unknown): void {
    const extra = error instanceof PlatformError ? refusalLimitHeaders(error) : [];
    this.#parts.answerer.refuse(exchange, error, extra);
  }

  /** Reads a JSON body; none at all stands for an empty object. */
  withJson(exchange: HttpExchange, next: (value: Json) => void): void {
    const { head } = exchange;
    const { bodyBytesMax, jsonDepthMax } = this.#parts.limits;
    assertBodyAccepted(head, bodyBytesMax);
    this.withBody(exchange, (bytes) => {
      if (bytes.length === 0) next({});
      else next(parseJsonBody(bytes, head.contentType, jsonDepthMax));
    });
  }

  /** Reads a body of any type. @throws BODY_TOO_LARGE at once when its length says so. */
  withBody(exchange: HttpExchange, next: (bytes: Buffer) => void): void {
    const { head, request } = exchange;
    const bytesMax = this.#parts.limits.bodyBytesMax;
    if (!hasBody(head)) {
      next(noBytes);
      return;
    }
    if (head.contentLength !== null && head.contentLength > bytesMax) {
      throw new PlatformError("BODY_TOO_LARGE", { bytesMax });
    }
    if (request instanceof WholeRequest) {
      next(request.body);
      return;
    }
    readBody(request, bytesMax, (outcome) => {
      if (outcome.kind === "gone") {
        this.#parts.answerer.gone(exchange);
        return;
      }
      try {
        if (outcome.kind === "tooLarge") throw new PlatformError("BODY_TOO_LARGE", { bytesMax });
        next(outcome.bytes);
      } catch (error) {
        this.refuse(exchange, error);
      }
    });
  }

  /** Whether the caller came over https. */
  isSecure({ head }: HttpExchange): boolean {
    return this.#parts.callerAddress.isSecure(head);
  }

  /** Network address of the caller. */
  addressOf({ head, request }: HttpExchange): string {
    return this.#parts.callerAddress.of(head, request.socket.remoteAddress ?? "");
  }
}

/**
 * The cookie, unless a page of another origin made the browser send it: then the caller is nobody.
 * Browsers name the origin in every request that could change something (the Fetch standard).
 */
function cookieOf({ head, app }: HttpExchange): string | null {
  if (head.cookie === null || head.origin === null) return head.cookie;
  return app.cors.trustsCookie(head.origin, head.host) ? head.cookie : null;
}
