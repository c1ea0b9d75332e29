// CloudEvents 1.0 (https://github.com/cloudevents/spec, v1.0.2): what an event is, and its JSON form. The HTTP forms
// (structured, binary, batch) are in cloud-event-http.ts. Everything that comes in is checked here, attribute by
// attribute; what is refused says which one and why.
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import { parseTime } from "../model/field-time.ts";

/** An event. `data` is JSON, or bytes when the type of its content is not JSON. */
export interface CloudEvent {
  /** Unique together with `source`. */
  readonly id: string;
  /** A URI reference: where it happened. */
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  /** RFC 3339. */
  readonly time?: string;
  readonly datacontenttype?: string;
  /** An absolute URI. */
  readonly dataschema?: string;
  readonly extensions: Readonly<Record<string, CloudEventValue>>;
  readonly data: CloudEventData;
}

/** A value of an extension attribute: text, a flag, or a whole number of 32 bits. */
export type CloudEventValue = string | boolean | number;

export type CloudEventData =
  | { readonly kind: "none" }
  | { readonly kind: "json"; readonly value: Json }
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "bytes"; readonly base64: string };

const intMax = 2 ** 31 - 1;
const intMin = -(2 ** 31);
const attributeCharsMax = 4_096;
const extensionsMax = 50;
const mediaType =
  /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;\s*[\w!#$&^.+-]+=(?:"[^"]*"|[\w!#$&^.+-]+))*$/;
const uriReference = /^[\w.~!$&'()*+,;=:@/?#[\]%-]+$/;
const absoluteUri = /^[A-Za-z][A-Za-z0-9+.-]*:[\w.~!$&'()*+,;=:@/?#[\]%-]+$/;
const base64Text = /^(?:[A-Za-z0-9+\/]{4})*(?:[A-Za-z0-9+\/]{2}==|[A-Za-z0-9+\/]{3}=)?$/v;
/** Control characters, lone surrogates and noncharacters have no place in attributes (section "String"). */
const forbiddenText = /[\p{Cc}\ufdd0-\ufdef\ufffe\uffff]/u;

/** The refusal of an event. */
export function eventInvalid(problem: string): PlatformError {
  return new PlatformError("EVENT_INVALID", { problem });
}

/** Whether content of this type is JSON: `application/json`, `text/json`, `...+json`; none means JSON in the JSON form. */
export function isJsonType(type: string | undefined): boolean {
  if (type === undefined) return true;
  const [essence = ""] = type.split(";");
  return /[\/+]json$/iv.test(essence.trim());
}

/** An event of its attributes, all of them checked. @throws EVENT_INVALID. */
export function readCloudEvent(
  attributes: Readonly<Record<string, unknown>>,
  data: CloudEventData,
): CloudEvent {
  const version = attributes["specversion"];
  if (version === undefined) throw eventInvalid("specversion is missing");
  if (version !== "1.0") throw eventInvalid('specversion must be "1.0"');
  const id = neededText(attributes, "id");
  const source = neededText(attributes, "source");
  const type = neededText(attributes, "type");
  if (!uriReference.test(source)) throw eventInvalid("source is no URI reference");
  const subject = text(attributes, "subject");
  const time = text(attributes, "time");
  if (time !== null && parseTime(time) === null) throw eventInvalid("time is no RFC 3339 time");
  const datacontenttype = text(attributes, "datacontenttype");
  if (datacontenttype !== null && !mediaType.test(datacontenttype)) {
    throw eventInvalid("datacontenttype is no media type");
  }
  const dataschema = text(attributes, "dataschema");
  if (dataschema !== null && !absoluteUri.test(dataschema)) {
    throw eventInvalid("dataschema is no absolute URI");
  }
  return {
    id,
    source,
    type,
    ...(subject === null ? {} : { subject }),
    ...(time === null ? {} : { time }),
    ...(datacontenttype === null ? {} : { datacontenttype }),
    ...(dataschema === null ? {} : { dataschema }),
    extensions: readExtensions(attributes),
    data,
  };
}

const known: ReadonlySet<string> = new Set([
  "specversion",
  "id",
  "source",
  "type",
  "subject",
  "time",
  "datacontenttype",
  "dataschema",
  "data",
  "data_base64",
]);

function readExtensions(
  attributes: Readonly<Record<string, unknown>>,
): Readonly<Record<string, CloudEventValue>> {
  const extensions: Record<string, CloudEventValue> = {};
  let count = 0;
  for (const [name, value] of Object.entries(attributes)) {
    if (known.has(name) || value === null) continue;
    if (!/^[a-z0-9]{1,64}$/v.test(name)) {
      throw eventInvalid(
        `the attribute ${JSON.stringify(name.slice(0, 64))} is not of small letters and digits`,
      );
    }
    if ((count += 1) > extensionsMax) throw eventInvalid(`more than ${extensionsMax} extensions`);
    extensions[name] = extensionValue(name, value);
  }
  return extensions;
}

function extensionValue(name: string, value: unknown): CloudEventValue {
  if (typeof value === "boolean") return value;
  if (typeof value === "string") {
    checkText(name, value);
    return value;
  }
  const isInt = typeof value === "number" && Number.isInteger(value);
  if (isInt && value >= intMin && value <= intMax) return value;
  throw eventInvalid(`${name} is no text, flag or whole number of 32 bits`);
}

function neededText(attributes: Readonly<Record<string, unknown>>, name: string): string {
  const value = text(attributes, name);
  if (value === null) throw eventInvalid(`${name} is missing`);
  return value;
}

/** A text attribute; null when it is not there. */
function text(attributes: Readonly<Record<string, unknown>>, name: string): string | null {
  const value = attributes[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== "string" || value === "") throw eventInvalid(`${name} is no text`);
  checkText(name, value);
  return value;
}

function checkText(name: string, value: string): void {
  if (value.length > attributeCharsMax) throw eventInvalid(`${name} is too long`);
  if (!value.isWellFormed() || forbiddenText.test(value)) {
    throw eventInvalid(`${name} has characters that no attribute may have`);
  }
}

/** An event from its JSON form. @throws EVENT_INVALID. */
export function cloudEventOfJson(json: Json): CloudEvent {
  if (json === null || typeof json !== "object" || Array.isArray(json)) {
    throw eventInvalid("an event is a JSON object");
  }
  const object = json as Readonly<Record<string, Json>>;
  const hasData = object["data"] !== undefined;
  const bytes = object["data_base64"];
  if (hasData && bytes !== undefined) throw eventInvalid("both data and data_base64");
  if (bytes !== undefined) {
    if (typeof bytes !== "string" || !base64Text.test(bytes)) {
      throw eventInvalid("data_base64 is no base64 text");
    }
    return readCloudEvent(object, { kind: "bytes", base64: bytes });
  }
  if (!hasData) return readCloudEvent(object, { kind: "none" });
  const value = object["data"] as Json;
  const type = object["datacontenttype"];
  const isJson = typeof type !== "string" || isJsonType(type);
  if (!isJson && typeof value === "string") return readCloudEvent(object, { kind: "text", value });
  return readCloudEvent(object, { kind: "json", value });
}

/** The JSON form of an event. */
export function cloudEventToJson(event: CloudEvent): { readonly [key: string]: Json } {
  const { id, source, type, subject, time, datacontenttype, dataschema, extensions, data } = event;
  return {
    specversion: "1.0",
    id,
    source,
    type,
    ...(subject === undefined ? {} : { subject }),
    ...(time === undefined ? {} : { time }),
    ...(datacontenttype === undefined ? {} : { datacontenttype }),
    ...(dataschema === undefined ? {} : { dataschema }),
    ...extensions,
    ...(data.kind === "json" || data.kind === "text" ? { data: data.value } : {}),
    ...(data.kind === "bytes" ? { data_base64: data.base64 } : {}),
  };
}
