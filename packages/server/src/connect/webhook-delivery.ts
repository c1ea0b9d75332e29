// A webhook as it came, and what a genuine one says.

/** A delivery as it came. Header names in small letters. */
export interface WebhookDelivery {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What a genuine delivery says of itself. */
export interface VerifiedWebhook {
  /** The same for every delivery of one event: repeats are told by it. */
  readonly eventId: string;
  /** When it was signed, in ms since 1970; null when the scheme signs no time. */
  readonly signedAtMs: number | null;
}
