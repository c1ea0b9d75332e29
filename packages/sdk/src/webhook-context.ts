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
  /** What bodies look like; signed in the same way. Default: `standard`, `{ type, timestamp, data }`. */
  readonly form?: "standard" | "cloudevents" | "cloudevents-binary";
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
  /** Sends a delivery again: the same message, to the same endpoint. @param id of a row of `hookDelivery`. @throws NOT_FOUND. */
  redeliver(id: string): Promise<void>;
}
