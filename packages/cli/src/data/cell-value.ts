// Between the text of a cell and the value of a field. Only the form changes here: whether a value fits
// its field is for the server to say, so a text that is no number goes on as it is and is refused there.
import type { FieldSpec, Json } from "@keelson/sdk/spec";
import { arrayItems, base64OfHex, type ArrayItem } from "./postgres-text.ts";
import { timeOfText } from "./time-text.ts";

/** A value as the text of a cell; null for absent. Json, lists and objects are JSON. */
export function cellOf(value: Json, field: FieldSpec | undefined): string | null {
  if (value === null) return null;
  const isJson = field?.kind === "json" || typeof value === "object";
  return isJson ? JSON.stringify(value) : String(value);
}

/**
 * A cell as a value of its field. @param text null for an empty unquoted cell, which means absent.
 * @param zone of times that name none; null: such times stay as they are.
 * @example valueOfCell("12", { kind: "int", min: 0, max: 99 }, null) // 12
 */
export function valueOfCell(
  text: string | null,
  field: FieldSpec | undefined,
  zone: string | null,
): Json {
  if (text === null || field === undefined) return text;
  switch (field.kind) {
    case "int":
    case "number":
    case "money":
      return numberOf(text);
    case "bool":
      return truthOf(text);
    case "list": {
      const items = arrayItems(text);
      return items === null ? jsonOf(text) : valuesOf(items, field.item, zone);
    }
    case "object":
    case "json":
      return jsonOf(text);
    case "time":
      return timeOfText(text, zone);
    case "bytes":
      return base64OfHex(text) ?? text;
    case "id":
    case "ref":
    case "text":
    case "date":
    case "oneOf":
      return text;
    default:
      return field satisfies never;
  }
}

/** Only plain decimal notation: `0x10` and the empty text are no numbers here. */
function numberOf(text: string): Json {
  const number = Number(text);
  return /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(text) && Number.isFinite(number)
    ? number
    : text;
}

function truthOf(text: string): Json {
  const word = text.trim().toLowerCase();
  if (["true", "t", "1", "yes"].includes(word)) return true;
  if (["false", "f", "0", "no"].includes(word)) return false;
  return text;
}

function valuesOf(items: readonly ArrayItem[], item: FieldSpec, zone: string | null): Json {
  return items.map((one) => {
    if (typeof one === "string" || one === null) return valueOfCell(one, item, zone);
    return valuesOf(one, item.kind === "list" ? item.item : item, zone);
  });
}

function jsonOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
