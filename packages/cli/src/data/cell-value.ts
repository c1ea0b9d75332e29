// Between the text of a cell and the value of a field. Only the form changes here: whether a value fits
// its field is for the server to say, so a text that is no number goes on as it is and is refused there.
import type { FieldSpec, Json } from "@keelson/sdk/spec";

/** A value as the text of a cell; null for absent. Json, lists and objects are JSON. */
export function cellOf(value: Json, field: FieldSpec | undefined): string | null {
  if (value === null) return null;
  const isJson = field?.kind === "json" || typeof value === "object";
  return isJson ? JSON.stringify(value) : String(value);
}

/**
 * A cell as a value of its field. @param text null for an empty unquoted cell, which means absent.
 * @example valueOfCell("12", { kind: "int", min: 0, max: 99 }) // 12
 */
export function valueOfCell(text: string | null, field: FieldSpec | undefined): Json {
  if (text === null || field === undefined) return text;
  switch (field.kind) {
    case "int":
    case "number":
    case "money":
      return numberOf(text);
    case "bool":
      return truthOf(text);
    case "list":
    case "object":
    case "json":
      return jsonOf(text);
    case "id":
    case "ref":
    case "text":
    case "time":
    case "date":
    case "oneOf":
    case "bytes":
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
  if (word === "true" || word === "1" || word === "yes") return true;
  if (word === "false" || word === "0" || word === "no") return false;
  return text;
}

function jsonOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
