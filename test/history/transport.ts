// How a client's asks reach the server: what came back, or that nothing did.
import type { LiveAsk } from "@keelson/sdk/live-protocol";
import type { Json } from "@keelson/sdk/spec";

/** What a server answers. */
export type Answer =
  | {
      readonly kind: "done";
      readonly value: Json;
      /** The commit, where the answer tells it. */
      readonly commit: number | null;
      /** When it came, where that is known better than by whoever waits for it. */
      readonly atUs?: number;
    }
  | {
      readonly kind: "refused";
      readonly code: string;
      readonly status: number;
      readonly atUs?: number;
    };

/** Nothing came back. */
export class Lost extends Error {
  /** False: it never left. */
  readonly isSent: boolean;

  constructor(isSent: boolean) {
    super("no answer");
    this.isSent = isSent;
  }
}

/** What goes with an ask. */
export interface AskMore {
  readonly key?: string;
  /** An attempt before this one got no answer. */
  readonly repeat?: boolean;
}

/** A way to the server. */
export interface Transport {
  /** Which live connection there is now, where pushes come over it, too. */
  readonly connection?: () => string;
  /** @throws Lost */
  send(ask: LiveAsk, more: AskMore): Promise<Answer>;
  close(): void;
}
