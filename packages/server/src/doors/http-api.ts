// The API's own addresses: functions, tables, batches. Each handler turns a request into one operation.
import { PlatformError } from "../base/platform-error.ts";
import type { Limits } from "../base/limits.ts";
import type { GateAnswer } from "../gate/gate-request.ts";
import { parseBatch } from "./batch-parse.ts";
import type { HttpAnswerer } from "./http-answer.ts";
import type { HttpAsker } from "./http-ask.ts";
import { hasBody } from "./http-body.ts";
import type { HttpExchange } from "./http-exchange.ts";
import { pushLimitHeaders } from "./http-limit-headers.ts";
import type { HttpTarget } from "./http-target.ts";
import { KnownForms } from "./known-forms.ts";
import { parseQueryString } from "./query-form-parse.ts";

/** What the handlers need. */
export interface HttpApiParts {
  readonly limits: Limits;
  readonly answerer: HttpAnswerer;
  readonly asker: HttpAsker;
}

/** Handlers of the API's addresses. Each throws what it refuses. */
export class HttpApi {
  readonly #parts: HttpApiParts;
  readonly #forms: KnownForms;

  constructor(parts: HttpApiParts) {
    this.#parts = parts;
    this.#forms = new KnownForms(parts.limits.jsonDepthMax);
  }

  /** `GET /api/tables/{table}`. */
  list(exchange: HttpExchange, table: string, target: HttpTarget): void {
    exchange.route = "list";
    const { asker } = this.#parts;
    const query = this.#forms.list(target.query);
    asker.ask(exchange, { kind: "list", table, query }, `GET /api/tables/${table}`, this.#reply);
  }

  /** `POST /api/tables/{table}`. */
  create(exchange: HttpExchange, table: string, target: HttpTarget): void {
    exchange.route = "create";
    const { asker, answerer } = this.#parts;
    assertNoQuery(target);
    asker.withJson(exchange, (value) => {
      const cause = `POST /api/tables/${table}`;
      asker.ask(exchange, { kind: "create", table, value }, cause, (exchange, answer) => {
        const headers = answerHeaders(answer);
        const id = leadingId(answer.json);
        if (id !== null) headers.push("location", `/api/tables/${table}/${id}`);
        answerer.json(exchange, 201, answer.json, headers);
      });
    });
  }

  /** `GET /api/tables/{table}/{id}`. */
  get(exchange: HttpExchange, row: RowAddress, target: HttpTarget): void {
    exchange.route = "get";
    const { asker, limits } = this.#parts;
    const { table, id } = row;
    const query = parseQueryString(target.query, "row", limits.jsonDepthMax);
    asker.ask(exchange, { kind: "get", table, id, query }, `GET /api/tables/${table}`, this.#reply);
  }

  /** `PATCH /api/tables/{table}/{id}`. */
  update(exchange: HttpExchange, row: RowAddress, target: HttpTarget): void {
    exchange.route = "update";
    const { asker } = this.#parts;
    const { table, id } = row;
    assertNoQuery(target);
    asker.withJson(exchange, (value) => {
      const cause = `PATCH /api/tables/${table}`;
      asker.ask(exchange, { kind: "update", table, id, value }, cause, this.#reply);
    });
  }

  /** `DELETE /api/tables/{table}/{id}`. */
  delete(exchange: HttpExchange, row: RowAddress, target: HttpTarget): void {
    exchange.route = "delete";
    const { table, id } = row;
    assertNoQuery(target);
    assertNoBody(exchange);
    const cause = `DELETE /api/tables/${table}`;
    this.#parts.asker.ask(exchange, { kind: "delete", table, id }, cause, this.#reply);
  }

  /** `POST /api/fn/{module}.{function}`. */
  call(exchange: HttpExchange, name: string, target: HttpTarget): void {
    exchange.route = "call";
    const { asker } = this.#parts;
    assertNoQuery(target);
    asker.withJson(exchange, (args) => {
      asker.ask(exchange, { kind: "call", name, args }, name, this.#reply);
    });
  }

  /** `POST /api/batch`. */
  batch(exchange: HttpExchange, target: HttpTarget): void {
    exchange.route = "batch";
    const { asker, limits } = this.#parts;
    assertNoQuery(target);
    asker.withJson(exchange, (json) => {
      asker.ask(exchange, parseBatch(json, limits.batchStepsMax), "POST /api/batch", this.#reply);
    });
  }

  readonly #reply = (exchange: HttpExchange, answer: GateAnswer): void => {
    this.#parts.answerer.json(exchange, 200, answer.json, answerHeaders(answer));
  };
}

interface RowAddress {
  readonly table: string;
  readonly id: string;
}

function answerHeaders(answer: GateAnswer): (string | number)[] {
  const headers: (string | number)[] = [];
  if (answer.limit !== null) pushLimitHeaders(headers, answer.limit);
  if (answer.repeated) headers.push("idempotency-replayed", "true");
  return headers;
}

/** Rows are written with their id first, so a new row's address is at hand without parsing it. */
function leadingId(rowJson: string): string | null {
  return /^\{"id":"(\w+)"/v.exec(rowJson)?.[1] ?? null;
}

function assertNoQuery(target: HttpTarget): void {
  if (target.query !== "")
    throw new PlatformError("REQUEST_INVALID", { problem: "no parameters here" });
}

function assertNoBody({ head }: HttpExchange): void {
  if (hasBody(head)) throw new PlatformError("REQUEST_INVALID", { problem: "no body here" });
}
