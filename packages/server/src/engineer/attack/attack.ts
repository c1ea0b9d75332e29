// An attack from start to end: plants the world, walks every probe, and reports. Reproducible: everything that
// is drawn comes from the seed.
import { analyseRule } from "../../model/rule-analyse.ts";
import { acceptedOpen } from "./accepted-open.ts";
import { openOf, verdictOf, type AttackReport, type MatrixCell } from "./attack-report.ts";
import type { AttackTarget } from "./attack-target.ts";
import { CanaryBook } from "./canary.ts";
import { FindingBook } from "./finding-book.ts";
import { planIdentities } from "./identity-plan.ts";
import { Judge } from "./judge.ts";
import { MatrixBook } from "./matrix-book.ts";
import { callOracle } from "./oracle-call.ts";
import { readOracle } from "./oracle-read.ts";
import { writeOracle } from "./oracle-write.ts";
import { plantWorld } from "./plant.ts";
import { probeBatches } from "./probe-batch.ts";
import { probeCalls } from "./probe-call.ts";
import { probeExistence } from "./probe-existence.ts";
import { probeHooks } from "./probe-hook.ts";
import { probeIdentity } from "./probe-identity.ts";
import { probeInput } from "./probe-input.ts";
import { probeLimits } from "./probe-limit.ts";
import { probeLive } from "./probe-live.ts";
import { probeReads } from "./probe-read.ts";
import { probeTiming } from "./probe-timing.ts";
import { probeTokens } from "./probe-token.ts";
import { probeChanges, probeCreates } from "./probe-write.ts";
import { readRuleHints } from "./rule-hints.ts";
import { SeededRandom } from "./seeded-random.ts";
import { AttackSession } from "./session.ts";
import { World } from "./world.ts";

/** How an attack is run. */
export interface AttackOptions {
  readonly seed: number;
  /** Opens the app again, with its declared limits in force: for the probes of limits. */
  readonly openLimited: () => Promise<AttackTarget>;
  /** Doors that are left out: what an app's change can't reach. Default: none. */
  readonly withoutDoors?: readonly string[];
  /** Told how far it is, 0 to 1. */
  readonly onProgress?: (part: number, what: string) => void;
  /** Ends it at the next step: its reason is thrown. */
  readonly stop?: AbortSignal;
}

/** A way to the data beside the tables' and functions' own addresses. */
interface AttackDoor {
  readonly name: string;
  /** @returns whether the app has this door. */
  probe(session: AttackSession): Promise<boolean>;
}

/** The other doors; a new door of the server gets its entry here. */
const otherDoors: readonly AttackDoor[] = [
  { name: "HTTP batch", probe: probeBatches },
  { name: "live", probe: probeLive },
  { name: "identity", probe: probeIdentity },
  { name: "webhooks", probe: probeHooks },
];

const rowsKnownMax = 100_000;

/** Attacks an app. The target is left as dirty as it gets; it is a copy. @throws the reason of `stop`. */
export async function attackApp(
  target: AttackTarget,
  options: AttackOptions,
): Promise<AttackReport> {
  const startedMs = target.nowMs();
  const { seed, stop, onProgress = () => {} } = options;
  const session = await openSession(target, seed);
  const { manifest } = target;
  const matrix = new MatrixBook();
  const tables = Object.values(manifest.tables);
  const steps =
    session.people.length * tables.length * 2 + Object.keys(manifest.functions).length + 6;
  let step = 0;
  const progress = (what: string): void => {
    stop?.throwIfAborted();
    onProgress(++step / steps, what);
  };
  for (const model of tables) {
    for (const by of session.people) {
      progress(`reads of ${model.name} as ${by.name}`);
      await probeReads(session, matrix, by, model);
    }
  }
  for (const model of tables) {
    for (const by of session.people) {
      progress(`writes of ${model.name} as ${by.name}`);
      await probeCreates(session, matrix, by, model);
      await probeChanges(session, matrix, by, model);
    }
  }
  progress("functions");
  await probeCalls(session, (name) => progress(`calls of ${name}`));
  const open: string[] = ["HTTP tables", "HTTP functions"];
  for (const door of otherDoors) {
    progress(door.name);
    if (options.withoutDoors?.includes(door.name) === true) continue;
    if (await door.probe(session)) open.push(door.name);
  }
  progress("tokens and input");
  await probeTokens(session);
  await probeInput(session);
  await probeExistence(session);
  progress("time");
  await probeTiming(session);
  progress("limits");
  await probeLimits(session, options.openLimited);
  for (const { subject, says } of session.work.open()) session.inconclusive(subject, says);
  for (const [table, problem] of session.planted.failed) {
    session.inconclusive(table, `could not be filled with rows: ${problem}`);
  }
  return report(session, matrix, { seed, startedMs, doors: open });
}

async function openSession(target: AttackTarget, seed: number): Promise<AttackSession> {
  const { manifest } = target;
  const random = new SeededRandom(seed);
  const hints = readRuleHints(manifest);
  const world = new World(Object.keys(manifest.tables));
  for (const table of Object.keys(manifest.tables)) {
    for (const row of await target.rows(table, rowsKnownMax)) world.put(table, row);
  }
  // oxlint-disable-next-line no-restricted-globals -- the target's clock, written as text
  const judge = new Judge(manifest, world, () => new Date(target.nowMs()).toISOString());
  const canaries = new CanaryBook(random);
  const parts = { target, manifest, hints, world, judge, canaries, random };
  const planted = await plantWorld(parts, planIdentities(manifest, hints));
  const findings = new FindingBook(manifest, target.sources);
  const oracles = [readOracle, writeOracle, callOracle];
  const session = new AttackSession({ ...parts, findings, planted, oracles });
  await session.begin();
  return session;
}

function report(
  session: AttackSession,
  matrix: MatrixBook,
  {
    seed,
    startedMs,
    doors,
  }: { readonly seed: number; readonly startedMs: number; readonly doors: readonly string[] },
): AttackReport {
  const { target, people, findings, counts } = session;
  const names = people.map(({ name }) => name);
  const tables = Object.keys(target.manifest.tables);
  const cells = matrix.list(names, tables, (table, operation, identity) =>
    controlOf(session, matrix, { table, operation, identity }),
  );
  const found = findings.list();
  const inconclusive = [...session.unclear.values()].map((open) => ({
    ...open,
    accepted: acceptedOpen(target, open.subject),
  }));
  const holes = found.filter(({ accepted }) => accepted === null);
  return {
    version: 1,
    seed,
    app: target.manifest.hash,
    verdict: verdictOf(holes.length, openOf({ inconclusive }).length),
    requests: session.requests,
    ms: target.nowMs() - startedMs,
    doors,
    identities: people.map(({ name, kind, role }) => ({ name, kind, role })),
    matrix: cells,
    findings: found,
    inconclusive,
    probes: Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** What shows that refusals of this operation were refusals: somebody succeeded, or no rule gives it to anybody. */
function controlOf(
  session: AttackSession,
  matrix: MatrixBook,
  {
    table,
    operation,
    identity,
  }: {
    readonly table: string;
    readonly operation: MatrixCell["operation"];
    readonly identity: string;
  },
): string | null {
  const names = session.people.map(({ name }) => name);
  const who = matrix.succeeded(table, operation, names);
  if (who !== null) return who === identity ? "it succeeded itself" : `${who} succeeded`;
  const rule = session.judge.table(table).rules[operation];
  // Planting the rows as the system showed that they are there and that their values are right.
  if (rule === undefined || analyseRule(rule.expr).always === false)
    return "no rule gives it to anybody; the system did it";
  const { fields } = session.judge.table(table);
  const isFixed = Object.values(fields).every(
    (spec) => spec.immutable === true || spec.private === true || spec.kind === "id",
  );
  if (operation === "update" && isFixed) return "no field of it can be changed by anybody";
  session.inconclusive(
    `${table}.${operation}`,
    `nobody could be found whom its rule lets through (${shortened(rule.text)})`,
  );
  return null;
}

const ruleCharsMax = 80;

function shortened(text: string): string {
  return text.length > ruleCharsMax ? `${text.slice(0, ruleCharsMax - 3)}...` : text;
}
