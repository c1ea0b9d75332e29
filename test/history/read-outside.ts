// What a transaction saw of others: reads that come after writes of its own are taken back to what was there before
// them. A read that does not have the transaction's own writes is a violation by itself.
import { told, type Operation, type Step, type Violation } from "./history.ts";

/** Reads by kind, of what others wrote. */
export interface OutsideReads {
  readonly reads: readonly Exclude<Step, { kind: "append" | "write" | "add" | "remove" }>[];
  readonly violations: readonly Violation[];
}

/** @param operation one that was answered. */
export function outsideReads(operation: Operation): OutsideReads {
  const reads: OutsideReads["reads"][number][] = [];
  const own = new Map<string, Step[]>();
  const broken: { readonly key: string; readonly what: string }[] = [];
  const seen = new Map<string, string>();
  for (const step of operation.steps) {
    const { key } = step;
    const mine = own.get(key) ?? [];
    switch (step.kind) {
      case "append":
      case "write":
      case "add":
      case "remove":
        own.set(key, [...mine, step]);
        continue;
      case "list": {
        const appended = valuesOf(mine, "append");
        const rest = step.values.slice(0, step.values.length - appended.length);
        const tail = step.values.slice(rest.length);
        if (tail.join() !== appended.join())
          broken.push({ key, what: "lacks what it appended itself" });
        else reads.push({ kind: "list", key, values: rest });
        break;
      }
      case "register": {
        const last = valuesOf(mine, "write").at(-1);
        if (last === undefined) reads.push(step);
        else if (last !== step.value) broken.push({ key, what: "lacks what it wrote itself" });
        break;
      }
      case "set": {
        const added = valuesOf(mine, "add");
        const removed = valuesOf(mine, "remove");
        const isOwn =
          added.every((value) => step.values.includes(value)) &&
          removed.every((value) => !step.values.includes(value));
        const values = step.values.filter((value) => !added.includes(value));
        if (isOwn) reads.push({ kind: "set", key, values: [...values, ...removed] });
        else broken.push({ key, what: "lacks what it did itself" });
        break;
      }
      case "secret":
        reads.push(step);
        break;
      default:
        step satisfies never;
    }
    const read = reads.at(-1);
    if (read?.key !== key) continue;
    const text = JSON.stringify(read);
    const before = seen.get(`${read.kind} ${key}`) ?? text;
    if (before !== text && mine.length === 0) broken.push({ key, what: "was two things" });
    seen.set(`${read.kind} ${key}`, text);
  }
  const violations = broken.map(({ key, what }) => ({
    name: operation.kind === "shown" ? "live-mixed" : "internal",
    text: `${key} ${what}, at one moment\n  ${told(operation, [key])}`,
  }));
  return { reads, violations };
}

function valuesOf(steps: readonly Step[], kind: "append" | "write" | "add" | "remove"): number[] {
  return steps.flatMap((step) => (step.kind === kind ? [step.value] : []));
}
