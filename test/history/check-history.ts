// Decides from a history alone whether what Keelson promises held: transactions are serializable in an order that agrees with
// time, with what each client did before, and with the numbers of commits; what live queries show is of one commit, and goes on.
import type { Dependency, DependencyKind } from "./dependencies.ts";
import { findCycles } from "./find-cycles.ts";
import { told, type Operation, type Violation } from "./history.ts";
import { inferLists } from "./infer-lists.ts";
import { inferOrder } from "./infer-order.ts";
import { inferRegisters } from "./infer-registers.ts";
import { inferSets } from "./infer-sets.ts";
import { knownWrites, seenValues, type KnownWrites } from "./known-writes.ts";
import { nameCycle } from "./name-cycle.ts";

/** From the least that must hold on: what is found with fewer kinds says more. */
const levels: readonly (readonly DependencyKind[])[] = [
  ["ww"],
  ["ww", "wr"],
  ["ww", "wr", "rw"],
  ["ww", "wr", "rw", "session"],
  ["ww", "wr", "rw", "session", "commit"],
  ["ww", "wr", "rw", "session", "commit", "time"],
];

/** @returns what must not be: what single operations show; when they show nothing, cycles of the first level that has any. */
export function checkHistory(operations: readonly Operation[]): readonly Violation[] {
  const known = knownWrites(operations);
  const inferred = [inferLists(known), inferRegisters(known), inferSets(known)];
  const order = inferOrder(operations);
  const dependencies = [...inferred.flatMap((each) => each.dependencies), ...order.dependencies];
  const graph = { dependencies, operations: operations.length, nodes: order.nodes };
  const violations = [
    ...known.violations,
    ...inferred.flatMap((each) => each.violations),
    ...checkAnswers(operations),
    ...checkSecrets(known),
    ...checkPushes(known),
  ];
  for (const kinds of violations.length === 0 ? levels : []) {
    const cycles = findCycles(graph, new Set(kinds));
    if (cycles.length > 0) return cycles.map((cycle) => cycleViolation(operations, cycle));
  }
  return violations;
}

/** Whoever sends a write again with its key gets its first answer. */
function checkAnswers(operations: readonly Operation[]): Violation[] {
  return operations
    .filter(({ answers = [] }) => answers.length > 1)
    .map((operation) => ({
      name: "two-answers",
      text: `one write has several answers\n  ${told(operation)}\n  ${operation.answers?.join("\n  ")}`,
    }));
}

/** Secrets are shown while the register of their key, in the same moment, is even; one that nobody wrote is not. */
function checkSecrets(known: KnownWrites): Violation[] {
  return known.reads.flatMap((reads, place) => {
    const wrong = reads.find((read) => {
      if (read.kind !== "secret") return false;
      const right = reads.find((other) => other.kind === "register" && other.key === read.key);
      if (right?.kind !== "register") return false;
      return read.isShown !== (right.value !== null && right.value % 2 === 0);
    });
    if (wrong === undefined) return [];
    return [known.violation("rights", "secrets do not follow the right", wrong.key, place)];
  });
}

/** The answer to a write goes before whatever shows it on the same connection. */
function checkPushes(known: KnownWrites): Violation[] {
  const { operations } = known;
  return operations.flatMap((operation, place) => {
    if (operation.kind !== "shown" || operation.connection === undefined) return [];
    const own = seenValues(known.reads[place] ?? []).flatMap(({ key, value }) => {
      const writer = known.writerOf(key, value);
      return writer === undefined ? [] : [{ key, writer }];
    });
    const early = own.find(({ writer }) => {
      const { connection, endUs } = operations[writer] ?? operation;
      return connection === operation.connection && (endUs ?? 0) > (operation.endUs ?? 0);
    });
    if (early === undefined) return [];
    const what = "a write was shown before it was answered";
    return [known.violation("push-before-answer", what, early.key, early.writer, place)];
  });
}

const because: Record<DependencyKind, string> = {
  ww: "wrote the version before",
  wr: "wrote what was read by",
  rw: "read the version before that of",
  session: "was done by the same client before",
  commit: "has a commit before",
  time: "was answered before the sending of",
};

function cycleViolation(operations: readonly Operation[], cycle: readonly Dependency[]): Violation {
  const keys = cycle.flatMap(({ key }) => key ?? []);
  const begin = cycle.findIndex(({ from }) => from < operations.length);
  const lines: string[] = [];
  for (const { from, kind, key } of [...cycle.slice(begin), ...cycle.slice(0, begin)]) {
    const operation = operations[from];
    if (operation === undefined) continue;
    lines.push(told(operation, keys), `  ${because[kind]}${key === undefined ? "" : ` (${key})`}`);
  }
  return { name: nameCycle(operations, cycle), text: [...lines, "the first"].join("\n  ") };
}
