// CloudEvents over HTTP (the HTTP protocol binding, v1.0.2): binary (attributes as `ce-` headers, the body is the
// data), structured (one JSON event) and batch (a JSON list). Bytes and headers in, events out, and back.
import { parseJson } from "../base/json-parse.ts";
import type { Json } from "../base/json.ts";
import {
  cloudEventOfJson,
  cloudEventToJson,
  eventInvalid,
  isJsonType,
  readCloudEvent,
  type CloudEvent,
  type CloudEventData,
} from "./cloud-event.ts";

/** The part of a request that carries events. Header names in small letters. */
export interface CloudEventMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** How events are written. */
export type CloudEventForm = "binary" | "structured" | "batch";

const structuredType = "application/cloudevents+json";
const batchType = "application/cloudevents-batch+json";
const batchMax = 1_000;

/** Events of a message, in order. @param depthMax nesting of JSON. @throws EVENT_INVALID; what parseJson throws. */
export function readCloudEvents(
  { headers, body }: CloudEventMessage,
  depthMax: number,
): readonly CloudEvent[] {
  const type = headers["content-type"];
  const [essence = ""] = (type ?? "").split(";");
  switch (essence.trim().toLowerCase()) {
    case structuredType:
      return [cloudEventOfJson(parseJson(utf8(body), depthMax + 1))];
    case batchType: {
      const list = parseJson(utf8(body), depthMax + 2);
      if (!Array.isArray(list)) throw eventInvalid("a batch is a JSON list");
      if (list.length > batchMax) throw eventInvalid(`a batch has at most ${batchMax} events`);
      return (list as readonly Json[]).map(cloudEventOfJson);
    }
    default:
      if (essence.trim().toLowerCase().startsWith("application/cloudevents")) {
        throw eventInvalid("this event format is not spoken here: send JSON");
      }
      return [binaryEvent(headers, body, depthMax)];
  }
}

/** A message of events. @param form `binary` and `structured` take one event. */
export function writeCloudEvents(
  events: readonly CloudEvent[],
  form: CloudEventForm,
): CloudEventMessage {
  if (form === "batch") {
    const body = Buffer.from(JSON.stringify(events.map(cloudEventToJson)));
    return { headers: { "content-type": `${batchType}; charset=utf-8` }, body };
  }
  const [event] = events;
  if (event === undefined || events.length > 1) throw new TypeError(`${form} takes one event`);
  if (form === "binary") return binaryMessage(event);
  const body = Buffer.from(JSON.stringify(cloudEventToJson(event)));
  return { headers: { "content-type": `${structuredType}; charset=utf-8` }, body };
}

function binaryEvent(
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
  depthMax: number,
): CloudEvent {
  const attributes: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith("ce-")) attributes[name.slice(3)] = decodeHeader(name, value);
  }
  const type = headers["content-type"];
  if (Object.hasOwn(attributes, "datacontenttype")) {
    throw eventInvalid("datacontenttype is the content-type header, not ce-datacontenttype");
  }
  if (type !== undefined) attributes["datacontenttype"] = type;
  return readCloudEvent(attributes, binaryData(body, type, depthMax));
}

function binaryData(body: Uint8Array, type: string | undefined, depthMax: number): CloudEventData {
  if (body.length === 0) return { kind: "none" };
  if (type !== undefined && isJsonType(type)) {
    return { kind: "json", value: parseJson(utf8(body), depthMax) };
  }
  if (type?.toLowerCase().startsWith("text/") === true) return { kind: "text", value: utf8(body) };
  return { kind: "bytes", base64: Buffer.from(body).toString("base64") };
}

function binaryMessage(event: CloudEvent): CloudEventMessage {
  const { data, datacontenttype, extensions, id, source, type, subject, time, dataschema } = event;
  const headers: Record<string, string> = {};
  const put = (name: string, value: string | undefined) => {
    if (value !== undefined) headers[`ce-${name}`] = encodeHeader(value);
  };
  put("specversion", "1.0");
  put("id", id);
  put("source", source);
  put("type", type);
  put("subject", subject);
  put("time", time);
  put("dataschema", dataschema);
  for (const [name, value] of Object.entries(extensions)) put(name, String(value));
  const implied = data.kind === "json" ? "application/json" : undefined;
  const contentType = datacontenttype ?? implied;
  if (contentType !== undefined) headers["content-type"] = contentType;
  return { headers, body: bytesOf(data) };
}

function bytesOf(data: CloudEventData): Uint8Array {
  switch (data.kind) {
    case "none":
      return new Uint8Array(0);
    case "json":
      return Buffer.from(JSON.stringify(data.value));
    case "text":
      return Buffer.from(data.value);
    case "bytes":
      return Buffer.from(data.base64, "base64");
    default:
      return data satisfies never;
  }
}

/** Percent-encodes what a header may not carry: all but visible ASCII, and space, quotes and percent signs. */
function encodeHeader(value: string): string {
  return value.replace(/[^\u0021-\u007e]|["%]/gv, (character) =>
    [...Buffer.from(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
      .join(""),
  );
}

/** Headers arrive as Latin-1; bytes above ASCII are read as the UTF-8 that they are. */
function decodeHeader(name: string, value: string): string {
  const inner = /^"(?<quoted>(?:[^"\\]|\\.)*)"$/v.exec(value)?.groups?.["quoted"];
  const text = inner === undefined ? value : inner.replace(/\\(?<escaped>.)/gv, "$<escaped>");
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const hex = text[at] === "%" ? text.slice(at + 1, at + 3) : "";
    const isEncoded = /^[0-9A-Fa-f]{2}$/v.test(hex);
    bytes.push(isEncoded ? Number.parseInt(hex, 16) : text.charCodeAt(at) & 0xff);
    if (isEncoded) at += 2;
  }
  return utf8(Uint8Array.from(bytes), name);
}

function utf8(bytes: Uint8Array, what = "the body"): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw eventInvalid(`${what} is no UTF-8 text`);
  }
}
