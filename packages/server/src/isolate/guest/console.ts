// `console`: lines for the call's log, with limits. While the app is loaded there is no log.
import { host } from "./link.ts";
import { part, RealDate, toJson } from "./primordials.ts";
import { runningCall } from "./running.ts";
import type { LogLine } from "../app-isolate.ts";

const depthMax = 4;
const itemsMax = 100;

function write(level: LogLine["level"], values: readonly unknown[]): void {
  const call = runningCall();
  if (call === null || call.isQuiet) return;
  const { limits, log } = host();
  if (call.logLines >= limits.logLinesMax) return;
  call.logLines++;
  let line = "";
  for (let index = 0; index < values.length; index++) {
    if (line.length > limits.logLineCharsMax) break;
    line += (index === 0 ? "" : " ") + shown(values[index]);
  }
  log(call.id, level, part(line, 0, limits.logLineCharsMax));
}

function shown(value: unknown): string {
  if (typeof value === "string") return value;
  try {
    return inspect(value, depthMax, new Set());
  } catch {
    return "[unreadable]";
  }
}

/** A value for people: JSON-like, with a depth, and with what JSON leaves out. */
function inspect(value: unknown, depthLeft: number, above: Set<object>): string {
  if (typeof value === "string") return toJson(value) ?? "";
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return `[function ${value.name}]`;
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Error) return value.stack ?? `${value.name}: ${value.message}`;
  if (value instanceof RealDate) return value.toISOString();
  if (above.has(value)) return "[circular]";
  if (depthLeft === 0) return Array.isArray(value) ? "[array]" : "[object]";
  above.add(value);
  const text = inspectParts(value, depthLeft - 1, above);
  above.delete(value);
  return text;
}

function inspectParts(value: object, depthLeft: number, above: Set<object>): string {
  const items: string[] = [];
  if (value instanceof Map) {
    for (const [key, item] of value) {
      if (items.length >= itemsMax) break;
      items.push(`${inspect(key, depthLeft, above)} => ${inspect(item, depthLeft, above)}`);
    }
    return `Map { ${items.join(", ")} }`;
  }
  if (Array.isArray(value) || value instanceof Set) {
    for (const item of value) {
      if (items.length >= itemsMax) break;
      items.push(inspect(item, depthLeft, above));
    }
    return Array.isArray(value) ? `[${items.join(", ")}]` : `Set { ${items.join(", ")} }`;
  }
  for (const key of Object.keys(value)) {
    if (items.length >= itemsMax) break;
    const item = (value as Record<string, unknown>)[key];
    items.push(`${key}: ${inspect(item, depthLeft, above)}`);
  }
  return items.length === 0 ? "{}" : `{ ${items.join(", ")} }`;
}

const nothing = (): void => undefined;
const counts = new WeakMap<object, Map<string, number>>();

function count(label = "default"): void {
  const call = runningCall();
  if (call === null) return;
  const of = counts.get(call) ?? new Map<string, number>();
  counts.set(call, of);
  of.set(label, (of.get(label) ?? 0) + 1);
  write("info", [`${label}: ${of.get(label)}`]);
}

/** The `console` that user code sees. */
export const guestConsole = {
  debug: (...values: unknown[]) => write("debug", values),
  log: (...values: unknown[]) => write("info", values),
  info: (...values: unknown[]) => write("info", values),
  warn: (...values: unknown[]) => write("warn", values),
  error: (...values: unknown[]) => write("error", values),
  trace: (...values: unknown[]) => write("debug", [...values, new Error("trace").stack]),
  dir: (value: unknown) => write("info", [value]),
  dirxml: (...values: unknown[]) => write("info", values),
  table: (value: unknown) => write("info", [value]),
  assert: (condition: unknown, ...values: unknown[]) => {
    if (!condition) write("error", ["Assertion failed:", ...values]);
  },
  count,
  countReset: nothing,
  group: (...values: unknown[]) => write("info", values),
  groupCollapsed: (...values: unknown[]) => write("info", values),
  groupEnd: nothing,
  time: nothing,
  timeLog: nothing,
  timeEnd: nothing,
  clear: nothing,
};
