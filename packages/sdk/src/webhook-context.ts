// What functions that can start work are given for the app's own webhooks. In a mutation it all commits with the
// transaction, or vanishes with it; in an action each is a transaction of its own.

/** Where webhooks are to go. */
export interface WebhookEndpoint {
  /** https, and no address of your own network. */
  readonly url: string;
  /** Names of what is sent to it: `booking.paid`. Default: everything. */
  readonly types?: readonly string[];
  /** Whose it is, in the app's own words: a user's id, an organisation's. Default: nobody's. */
  readonly owner?: string | null;
  /**
   * What bodies look like; signed in the same way. Default: `standard`, `{ type, timestamp, data }`. `cloudevents` is one
   * structured event, `cloudevents-batch` a list of one.
   */
  readonly form?: "standard" | "cloudevents" | "cloudevents-binary" | "cloudevents-batch";
}

/** An endpoint, as it stands. */
export interface WebhookEndpointState {
  readonly id: string;
  readonly url: string;
  readonly owner: string | null;
  readonly form: string;
  readonly types: readonly string[];
  readonly isOn: boolean;
  /** Deliveries that failed since the last that did not. */
  readonly failures: number;
  /** Nothing is sent until then, RFC 3339. */
  readonly openUntil: string | null;
}

/** A delivery, as it stands. */
export interface WebhookDeliveryState {
  readonly id: string;
  readonly message: string;
  readonly type: string;
  readonly state: "waiting" | "done" | "dead";
  readonly attempts: number;
  /** What the last attempt was answered with; 0: nothing answered. */
  readonly status: number | null;
  readonly problem: string | null;
  readonly at: string;
  readonly endedAt: string | null;
}

/** An event that came, as it stands. */
export interface HookEventState {
  readonly id: string;
  /** The sender's id. */
  readonly event: string;
  readonly type: string | null;
  /** `late`: left out, since a newer one of its thing had been handled. */
  readonly state: "waiting" | "done" | "late" | "dead";
  readonly at: string;
  /** When it was signed; null where the sender signs no time. */
  readonly signedAt: string | null;
}

/** What can be done about webhooks. */
export interface WebhookCalls {
  /** Adds an endpoint. @returns its id, and the secret: told once. @throws ENDPOINT_INVALID, ARGUMENT_INVALID. */
  add(endpoint: WebhookEndpoint): Promise<{ readonly id: string; readonly secret: string }>;
  /** Removes an endpoint with its deliveries. What waits is not sent any more. @throws NOT_FOUND. */
  remove(id: string): Promise<void>;
  /** Stops sending to an endpoint, or takes it up again. @throws NOT_FOUND. */
  switch(id: string, isOn: boolean): Promise<void>;
  /** A new secret; for a day deliveries carry a signature by the old one as well. @throws NOT_FOUND. */
  rotate(id: string): Promise<{ readonly secret: string }>;
  /**
   * Sends to every endpoint that wants the type and, when an owner is named, is that owner's.
   * @param type `booking.paid`. @param data JSON. @returns how many endpoints it goes to. @throws ARGUMENT_INVALID.
   */
  send(
    type: string,
    data: unknown,
    options?: { readonly owner?: string },
  ): Promise<{ readonly message: string; readonly endpoints: number }>;
  /** Endpoints, all or those of an owner, the newest last; never their secrets. */
  list(options?: { readonly owner?: string }): Promise<readonly WebhookEndpointState[]>;
  /** What was sent to an endpoint, or waits to be: the newest 100, newest first. @throws NOT_FOUND. */
  deliveries(id: string): Promise<readonly WebhookDeliveryState[]>;
  /** What came for one of the app's hooks: the newest 100, newest first. */
  events(hook: string): Promise<readonly HookEventState[]>;
  /** Has an event handled again, whatever its order is. @param id of `events`. @throws NOT_FOUND. */
  replay(id: string): Promise<void>;
  /**
   * Gives an event to one of the app's hooks that came by another road than its address, as from a list of the sender's.
   * One that came before is left out. @throws NOT_FOUND, ARGUMENT_INVALID.
   */
  take(
    hook: string,
    event: { readonly id: string; readonly type?: string; readonly body: unknown },
  ): Promise<{ readonly isNew: boolean }>;
  /** Sends a delivery again: the same message, to the same endpoint. @param id of a row of `hookDelivery`. @throws NOT_FOUND; CONFLICT when the endpoint is off. */
  redeliver(id: string): Promise<void>;
}
