// Faults that are asked for over HTTP, of a simulator that runs in another process: `POST /_/faults`, as JSON.
import type { ApiFault, FaultPlan, WebhookFault } from "./fault-plan.ts";

const apiKinds = ["rateLimit", "serverError", "timeoutBefore", "timeoutAfterSuccess", "delay"];
const webhookKinds = ["duplicate", "reorder", "delay", "drop"];
const timesMax = 1_000;
const msMax = 600_000;

/** The request that asks for a fault. */
export const faultRequest = "POST /_/faults";

/** What is answered. */
interface Told {
  readonly status: number;
  readonly body: string;
}

/**
 * Adds the fault that a request asks for: `{ "of": "api" | "webhook", "kind", "on"?, "times"?, "ms"? }`.
 * @returns 200 with the fault, or 400 that says what is wrong.
 */
export function planFault(
  faults: FaultPlan,
  request: {
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  },
): Told {
  const { headers, body } = request;
  // Not what a page of another origin can send without being asked first.
  if (headers["content-type"]?.startsWith("application/json") !== true) {
    return refused("the content type is application/json");
  }
  const asked = objectOf(body);
  if (asked === null) return refused("the body is a JSON object");
  const { of, kind, on, times, ms, ...more } = asked;
  if (of !== "api" && of !== "webhook") return refused('`of` is "api" or "webhook"');
  const kinds = of === "api" ? apiKinds : webhookKinds;
  if (!kinds.includes(kind as string)) return refused(`\`kind\` is one of ${kinds.join(", ")}`);
  if (on !== undefined && typeof on !== "string") return refused("`on` is a text");
  if (!isWhole(times, 1, timesMax)) return refused(`\`times\` is 1 to ${timesMax}`);
  if (!isWhole(ms, 0, msMax)) return refused(`\`ms\` is 0 to ${msMax}`);
  const [unknown] = Object.keys(more);
  if (unknown !== undefined) return refused(`there is no \`${unknown}\``);
  const fault = JSON.parse(JSON.stringify({ kind, on, times, ms })) as object;
  if (of === "api") faults.api(fault as ApiFault);
  else faults.webhook(fault as WebhookFault);
  return { status: 200, body: JSON.stringify({ of, ...fault }) };
}

function objectOf(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}

/** Also when it is left out. */
function isWhole(value: unknown, min: number, max: number): boolean {
  if (value === undefined) return true;
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
}

function refused(problem: string): Told {
  return { status: 400, body: JSON.stringify({ error: problem }) };
}
