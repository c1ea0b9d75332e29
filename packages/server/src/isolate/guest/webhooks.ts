// `webhooks` of one call: the endpoints of the app's own webhooks, and sending to them.
import { ask } from "./ask.ts";
import { assertKnown } from "./known-options.ts";
import { freeze, toJson } from "./primordials.ts";
import type { Call } from "./running.ts";

interface OwnerOption {
  readonly owner?: unknown;
}

interface TakenEvent {
  readonly id?: unknown;
  readonly type?: unknown;
  readonly body?: unknown;
}

const ownerOptions = ["owner"];
const endpointOptions = ["url", "types", "owner", "form"];
const takenFields = ["id", "type", "body"];

/** Members of `ctx.webhooks`. One small object for each call: most calls never look at it. */
class Webhooks {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  add(endpoint: unknown): Promise<unknown> {
    assertKnown("webhooks.add", endpoint, endpointOptions);
    return ask(this.#call, "webhooks.add", json(endpoint ?? {}));
  }

  remove(id: unknown): Promise<unknown> {
    return ask(this.#call, "webhooks.remove", `{"id":${json(id)}}`);
  }

  switch(id: unknown, isOn: unknown): Promise<unknown> {
    return ask(this.#call, "webhooks.switch", `{"id":${json(id)},"isOn":${json(isOn)}}`);
  }

  rotate(id: unknown): Promise<unknown> {
    return ask(this.#call, "webhooks.rotate", `{"id":${json(id)}}`);
  }

  send(type: unknown, data: unknown, options?: OwnerOption): Promise<unknown> {
    const owner = ownerOf("webhooks.send", options);
    const payload = `{"type":${json(type)},"data":${json(data)},"owner":${json(owner)}}`;
    return ask(this.#call, "webhooks.send", payload);
  }

  list(options?: OwnerOption): Promise<unknown> {
    const owner = ownerOf("webhooks.list", options);
    return ask(this.#call, "webhooks.list", `{"owner":${json(owner)}}`);
  }

  deliveries(id: unknown): Promise<unknown> {
    return ask(this.#call, "webhooks.deliveries", `{"id":${json(id)}}`);
  }

  events(hook: unknown): Promise<unknown> {
    return ask(this.#call, "webhooks.events", `{"hook":${json(hook)}}`);
  }

  replay(id: unknown): Promise<unknown> {
    return ask(this.#call, "webhooks.replay", `{"id":${json(id)}}`);
  }

  take(hook: unknown, event: TakenEvent): Promise<unknown> {
    assertKnown("webhooks.take", event, takenFields);
    const { id, type = null, body = null } = event;
    const payload = `{"hook":${json(hook)},"id":${json(id)},"type":${json(type)},"body":${json(body)}}`;
    return ask(this.#call, "webhooks.take", payload);
  }

  redeliver(id: unknown): Promise<unknown> {
    return ask(this.#call, "webhooks.redeliver", `{"id":${json(id)}}`);
  }
}
// Calls of one isolate share the class; what one could change, others would run.
freeze(Webhooks.prototype);
freeze(Webhooks);

/** Makes it. */
export function webhookCalls(call: Call): object {
  return freeze(new Webhooks(call));
}

/** Whose endpoints; null: everybody's. An owner that is named and is nobody is a mistake: it would mean everybody. */
function ownerOf(what: string, options: OwnerOption | null | undefined): unknown {
  if (options === undefined || options === null) return null;
  assertKnown(what, options, ownerOptions);
  if (!("owner" in options)) return null;
  if (options.owner === undefined || options.owner === null) {
    throw new TypeError(`The owner of ${what} is nobody: leave the option out for everybody's.`);
  }
  return options.owner;
}

function json(value: unknown): string {
  return toJson(value) ?? "null";
}
