// Tables of webhooks: what came in, and what goes out. Nobody outside reaches them; rows are written by the procedures
// of connect/ only.
import type { FieldSpec, TableModel } from "./manifest.ts";
import { platformTable } from "./work-tables.ts";

const short: FieldSpec = { kind: "text", min: 0, max: 300 };
const whole: FieldSpec = { kind: "int", min: -9_007_199_254_740_991, max: 9_007_199_254_740_991 };
const json: FieldSpec = { kind: "json", maxBytes: 262_144 };
const body: FieldSpec = { kind: "text", min: 0, max: 1_500_000 };
const time: FieldSpec = { kind: "time" };

/** By name. */
export const hookTables: Readonly<Record<string, TableModel>> = Object.freeze({
  /** A genuine delivery, once for each event, however often it is sent. `body` as it came. */
  hookEvent: platformTable(
    "hookEvent",
    {
      hook: short,
      event: short,
      type: { ...short, optional: true },
      body,
      /** `text`, or `base64` when the bytes are no text. */
      form: short,
      headers: json,
      at: time,
      signedAt: { ...time, optional: true },
      /** `waiting`, `done`, `late` (an older one than the newest of its thing), `dead`. */
      state: short,
    },
    [{ fields: ["hook", "event"], unique: true }, { fields: ["hook", "at"] }, { fields: ["at"] }],
  ),
  /** The newest event that was handled of each thing. */
  hookNewest: platformTable("hookNewest", { hook: short, key: short, at: whole, seenAt: time }, [
    { fields: ["hook", "key"], unique: true },
    { fields: ["seenAt"] },
  ]),
  /** Where the app's own webhooks go. */
  hookEndpoint: platformTable(
    "hookEndpoint",
    {
      url: { kind: "text", min: 1, max: 2_000 },
      /** Whose it is, in the app's own words: a customer, an organisation. */
      owner: { ...short, optional: true },
      /** `standard`: type, timestamp and data; `cloudevents`, `cloudevents-binary`: that format, signed the same way. */
      form: short,
      types: { kind: "list", item: short, min: 0, max: 100 },
      secret: { ...short, private: true },
      /** The one before, which deliveries are signed by as well for a day. */
      oldSecret: { ...short, optional: true, private: true },
      rotatedAt: { ...time, optional: true },
      isOn: { kind: "bool" },
      /** Deliveries that failed since the last that did not. */
      failures: whole,
      /** The circuit is open until then: nothing is sent. */
      openUntil: { ...time, optional: true },
      at: time,
    },
    [{ fields: ["owner"] }],
  ),
  /** What was sent, or is about to be. */
  hookDelivery: platformTable(
    "hookDelivery",
    {
      endpoint: { kind: "ref", table: "hookEndpoint", onDelete: "cascade" },
      /** The same in every attempt: `webhook-id`. */
      message: short,
      type: short,
      body,
      /** `waiting`, `done`, `dead`. */
      state: short,
      attempts: whole,
      /** Of the last attempt; 0: nothing answered. */
      status: { ...whole, optional: true },
      problem: { ...short, optional: true },
      at: time,
      endedAt: { ...time, optional: true },
    },
    [{ fields: ["endpoint", "at"] }, { fields: ["at"] }],
  ),
});
