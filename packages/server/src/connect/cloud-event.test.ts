import assert from "node:assert/strict";
import { test } from "node:test";
import { CloudEvent as TheirEvent, HTTP, type Message } from "cloudevents";
import * as fc from "fast-check";
import { PlatformError } from "../base/platform-error.ts";
import { cloudEventOfJson, cloudEventToJson, type CloudEvent } from "./cloud-event.ts";
import {
  readCloudEvents,
  writeCloudEvents,
  type CloudEventForm,
  type CloudEventMessage,
} from "./cloud-event-http.ts";

const depthMax = 20;
const paid: CloudEvent = {
  id: "evt_1",
  source: "/cinema",
  type: "booking.paid",
  subject: "booking_1",
  time: "2026-01-31T20:15:00.000Z",
  datacontenttype: "application/json",
  extensions: { partitionkey: "Zoë, 5 €", hop: 3, replayed: false },
  data: { kind: "json", value: { booking: "booking_1", price: 12_50, tags: ["a", "é"] } },
};

/** A message of ours as their SDK takes it. */
function toTheirs(events: readonly CloudEvent[], form: CloudEventForm): Message {
  const { headers, body } = writeCloudEvents(events, form);
  return { headers: { ...headers }, body: Buffer.from(body).toString() };
}

/** A message of theirs as it comes over the wire. */
function fromTheirs({ headers, body }: Message) {
  const small = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]);
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { headers: Object.fromEntries(small) as Record<string, string>, body: Buffer.from(text) };
}

test("the cloudevents SDK reads what we write, in all three forms", () => {
  for (const form of ["structured", "binary"] as const) {
    const theirs = HTTP.toEvent(toTheirs([paid], form)) as TheirEvent<unknown>;
    assert.equal(theirs.id, "evt_1");
    assert.equal(theirs.type, "booking.paid");
    assert.equal(theirs.source, "/cinema");
    assert.equal(theirs.subject, "booking_1");
    assert.equal(new Date(theirs.time ?? 0).toISOString(), "2026-01-31T20:15:00.000Z");
    assert.deepEqual(theirs.data, { booking: "booking_1", price: 12_50, tags: ["a", "é"] });
    if (form === "structured") assert.equal(theirs["partitionkey"], "Zoë, 5 €");
    else assert.equal(decodeURIComponent(theirs["partitionkey"] as string), "Zoë, 5 €");
  }
  const batch = HTTP.toEvent(
    toTheirs([paid, { ...paid, id: "evt_2" }], "batch"),
  ) as TheirEvent<unknown>[];
  assert.deepEqual(
    batch.map(({ id, data }) => [id, (data as { booking: string }).booking]),
    [
      ["evt_1", "booking_1"],
      ["evt_2", "booking_1"],
    ],
  );
});

test("we read what the cloudevents SDK writes, in all three forms", () => {
  const theirs = new TheirEvent({
    id: "evt_9",
    source: "https://example.com/shop",
    type: "order.sent",
    time: "2026-01-31T20:15:00.000Z",
    datacontenttype: "application/json",
    region: "eu",
    data: { order: 7, note: "größer" },
  });
  for (const form of ["structured", "binary"] as const) {
    const [ours, ...rest] = readCloudEvents(fromTheirs(HTTP[form](theirs)), depthMax);
    assert.equal(rest.length, 0);
    assert.equal(ours?.id, "evt_9");
    assert.equal(ours?.source, "https://example.com/shop");
    assert.equal(ours?.type, "order.sent");
    assert.equal(ours?.extensions["region"], "eu");
    assert.deepEqual(ours?.data, { kind: "json", value: { order: 7, note: "größer" } });
  }
  // Their SDK reads batches and has no writer of them: the format is a list of structured events.
  const list = JSON.stringify([theirs.toJSON(), { ...theirs.toJSON(), id: "evt_10" }]);
  const batch = readCloudEvents(
    {
      headers: { "content-type": "application/cloudevents-batch+json" },
      body: Buffer.from(list),
    },
    depthMax,
  );
  assert.deepEqual(
    batch.map(({ id }) => id),
    ["evt_9", "evt_10"],
  );
});

const json = (value: unknown): CloudEventMessage => ({
  headers: { "content-type": "application/cloudevents+json" },
  body: Buffer.from(typeof value === "string" ? value : JSON.stringify(value)),
});
const whole = { specversion: "1.0", id: "1", source: "/a", type: "t" };
const binary = (headers: Record<string, string>, body = ""): CloudEventMessage => ({
  headers: {
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-source": "/a",
    "ce-type": "t",
    ...headers,
  },
  body: Buffer.from(body),
});

const invalid: readonly (readonly [what: string, message: CloudEventMessage, says: RegExp])[] = [
  ["no specversion", json({ id: "1", source: "/a", type: "t" }), /specversion is missing/],
  ["another version", json({ ...whole, specversion: "0.3" }), /must be "1.0"/],
  ["no id", json({ specversion: "1.0", source: "/a", type: "t" }), /id is missing/],
  ["an empty id", json({ ...whole, id: "" }), /id is no text/],
  ["no source", json({ specversion: "1.0", id: "1", type: "t" }), /source is missing/],
  ["a source that is no URI reference", json({ ...whole, source: "a b" }), /source is no URI/],
  ["no type", json({ specversion: "1.0", id: "1", source: "/a" }), /type is missing/],
  ["a type that is a number", json({ ...whole, type: 7 }), /type is no text/],
  ["a time that is none", json({ ...whole, time: "yesterday" }), /time is no RFC 3339/],
  ["a schema without scheme", json({ ...whole, dataschema: "/s" }), /dataschema is no absolute/],
  ["content of no type", json({ ...whole, datacontenttype: "json" }), /datacontenttype is no/],
  ["an attribute in capitals", json({ ...whole, Trace: "x" }), /small letters and digits/],
  ["an attribute that is an object", json({ ...whole, trace: { a: 1 } }), /trace is no text/],
  ["a whole number of 33 bits", json({ ...whole, hop: 2 ** 31 }), /hop is no text/],
  ["a control character", json({ ...whole, subject: "a\u0007" }), /subject has characters/],
  ["data twice", json({ ...whole, data: 1, data_base64: "AA==" }), /both data and data_base64/],
  ["bytes that are no base64", json({ ...whole, data_base64: "@@" }), /no base64 text/],
  ["a list in place of an event", json([whole]), /an event is a JSON object/],
  [
    "an event in place of a batch",
    {
      headers: { "content-type": "application/cloudevents-batch+json" },
      body: Buffer.from(JSON.stringify(whole)),
    },
    /a batch is a JSON list/,
  ],
  [
    "a format that is not spoken",
    { headers: { "content-type": "application/cloudevents+avro" }, body: Buffer.from("x") },
    /event format is not spoken/,
  ],
  ["the content's type as a ce- header", binary({ "ce-datacontenttype": "a/b" }), /content-type/],
  ["a header that is no UTF-8", binary({ "ce-subject": "%FF%FE" }), /no UTF-8/],
  ["no ce-id", binary({ "ce-id": "" }), /id is no text/],
];

for (const [what, message, says] of invalid) {
  test(`refused: ${what}`, () => {
    assert.throws(
      () => readCloudEvents(message, depthMax),
      (error: unknown) =>
        error instanceof PlatformError &&
        error.code === "EVENT_INVALID" &&
        says.test(String(error.details["problem"])),
    );
  });
}

test("malformed JSON is refused as such", () => {
  for (const body of ["{", '{"a":{"__proto__":1}}']) {
    assert.throws(
      () => readCloudEvents(json(body), depthMax),
      (error: unknown) => error instanceof PlatformError && error.code.startsWith("JSON_"),
    );
  }
});

test("text and bytes travel as they are", () => {
  const samples: readonly CloudEvent[] = [
    {
      ...paid,
      datacontenttype: "text/plain",
      data: { kind: "text", value: "höher" },
    },
    {
      ...paid,
      datacontenttype: "application/octet-stream",
      data: { kind: "bytes", base64: Buffer.from([0, 255, 1]).toString("base64") },
    },
  ];
  for (const event of samples) {
    for (const form of ["structured", "binary"] as const) {
      const [read] = readCloudEvents(writeCloudEvents([event], form), depthMax);
      assert.deepEqual(read?.data, event.data, form);
    }
  }
});

const attributeText = fc
  .string({ minLength: 1, maxLength: 40, unit: "grapheme" })
  .filter((value) => !/[\p{Cc}\ufdd0-\ufdef]/v.test(value));
const anyEvent = fc.record({
  id: attributeText,
  source: fc.webPath().map((path) => `/x${path}`),
  type: attributeText,
  extensions: fc.dictionary(
    fc
      .stringMatching(/^[a-z0-9]{1,20}$/)
      .filter(
        (name) =>
          !/^(?:id|source|type|subject|time|data|specversion|dataschema|datacontenttype)$/v.test(
            name,
          ),
      ),
    fc.oneof(attributeText, fc.boolean(), fc.integer()),
    { maxKeys: 5 },
  ),
  data: fc
    .jsonValue()
    // Refused in JSON from outside, wherever they stand.
    .filter((value) => !/"(?:__proto__|constructor|prototype)":/v.test(JSON.stringify(value)))
    .map((value) => ({ kind: "json", value }) as CloudEvent["data"]),
});

test("what is written is read back", () => {
  fc.assert(
    fc.property(anyEvent, (event) => {
      const plain = { ...event, extensions: { ...event.extensions } };
      assert.deepEqual(
        JSON.stringify(cloudEventOfJson(cloudEventToJson(plain))),
        JSON.stringify(plain),
      );
      const [binary] = readCloudEvents(writeCloudEvents([plain], "binary"), 200);
      assert.deepEqual(
        [binary?.id, binary?.source, binary?.type],
        [plain.id, plain.source, plain.type],
      );
      assert.deepEqual(JSON.stringify(binary?.data), JSON.stringify(plain.data));
      // Headers are text: flags and numbers come back as such.
      const texts = Object.entries(plain.extensions).map(([name, value]) => [name, String(value)]);
      assert.deepEqual({ ...binary?.extensions }, Object.fromEntries(texts));
    }),
  );
});
