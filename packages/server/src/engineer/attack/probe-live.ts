// Live connections: what is pushed must be what asking gives, for every identity, and stop with the right to it.
// Subscribes to every table, to rows of others and to every query, and searches all that arrives for canaries.
import type { Json } from "../../base/json.ts";
import type { TableModel } from "../../model/manifest.ts";
import type { Row } from "../../store/store.ts";
import { Harvest, makeArgs } from "./call-args.ts";
import type { Identity } from "./identity-plan.ts";
import { allowed } from "./probe-call.ts";
import { sample } from "./probe-read.ts";
import type { AttackSession, Probe } from "./session.ts";

const subscriptionsMax = 200;

/** Probes the live door. @returns whether the app has one. */
export async function probeLive(session: AttackSession): Promise<boolean> {
  if (session.target.openLive === undefined) return false;
  for (const by of session.people) await watched(session, by);
  for (const by of session.people) {
    if (by.user !== null && by.kind !== "trusted") await revoked(session, by);
  }
  return true;
}

/** Everything there is to watch, all at once. */
async function watched(session: AttackSession, by: Identity): Promise<void> {
  const wire = await session.target.openLive?.(by.token);
  if (wire === undefined) return;
  try {
    const watches = watchesOf(session, by).slice(0, subscriptionsMax);
    for (const [index, { watch, about }] of watches.entries()) {
      const text = await wire.subscribe(index + 1, watch);
      session.saw(
        by,
        { probe: "live", about, method: "GET", path: "/api/live", body: watch },
        text,
      );
    }
  } finally {
    wire.close();
  }
}

interface Watch {
  readonly watch: Json;
  readonly about: Probe["about"];
}

function watchesOf(session: AttackSession, by: Identity): readonly Watch[] {
  const watches: Watch[] = [];
  for (const { name } of Object.values(session.judge.manifest.tables)) {
    const about = { kind: "table", table: name, operation: "read" } as const;
    watches.push({ about, watch: { list: name, query: { limit: 1_000 } } });
    watches.push({ about, watch: { list: name, query: { aggregate: { n: "count" } } } });
    for (const row of sample(session.world.rows(name), 4)) {
      watches.push({ about, watch: { get: name, id: String(row["id"]) } });
    }
  }
  const harvest = new Harvest(session.target.sources);
  for (const fn of Object.values(session.judge.manifest.functions)) {
    if (fn.kind !== "query" || !allowed(fn, by)) continue;
    for (const side of ["own", "other"] as const) {
      const args = makeArgs(session, by, fn.args, { side, turn: 0, harvest });
      watches.push({
        about: { kind: "function", name: fn.name, args },
        watch: { call: fn.name, args },
      });
    }
  }
  return watches;
}

/** Watches a table, takes the right to one of its rows away, changes the row: the change must not arrive. */
async function revoked(session: AttackSession, by: Identity): Promise<void> {
  for (const model of Object.values(session.judge.manifest.tables)) {
    const text = Object.entries(model.fields).find(
      ([, spec]) =>
        spec.kind === "text" &&
        spec.max >= 20 &&
        spec.format === undefined &&
        spec.pattern === undefined &&
        spec.immutable !== true &&
        spec.private !== true,
    )?.[0];
    if (text === undefined) continue;
    const row = session.world
      .rows(model.name)
      .find((one) => session.judge.readsField(by.me, model.name, one, text));
    const taken = row === undefined ? null : rightOf(session, by, model, row);
    if (row === undefined || taken === null) continue;
    await takeAway(session, by, { model, row, text, taken });
  }
}

interface Taken {
  readonly probe: string;
  readonly operation: {
    readonly table: string;
    readonly id: string;
    readonly patch: Readonly<Record<string, Json>> | null;
  };
}

/** A change after which the identity may not read the row any more. */
function rightOf(session: AttackSession, by: Identity, model: TableModel, row: Row): Taken | null {
  const other = session.people.find(({ kind, user }) => kind === "owner" && user !== by.user)?.user;
  const { world, judge, hints } = session;
  const loses = (table: string, before: Row, after: Row | null): boolean => {
    const change = { table, id: String(before["id"]), before, after };
    world.apply([change]);
    const now = world.row(model.name, String(row["id"]));
    const reads = now !== null && judge.readsRow(by.me, model.name, now);
    world.revert([change]);
    return !reads;
  };
  for (const owner of hints.tables[model.name]?.owners ?? []) {
    if (
      other === undefined ||
      owner === "id" ||
      row[owner] !== by.user ||
      model.fields[owner]?.immutable === true
    )
      continue;
    const patch = { [owner]: other };
    if (loses(model.name, row, { ...row, ...patch })) {
      return {
        probe: "live after the owner changed",
        operation: { table: model.name, id: String(row["id"]), patch },
      };
    }
  }
  for (const [table, { isMembership }] of Object.entries(hints.tables)) {
    if (!isMembership || table === model.name) continue;
    const mine = world.rows(table).filter((one) => session.isOwn(by, table, one));
    const member = mine.find((one) => loses(table, one, null));
    if (member !== undefined) {
      return {
        probe: "live after a membership ended",
        operation: { table, id: String(member["id"]), patch: null },
      };
    }
  }
  return null;
}

/** One who goes on reading the row sees the change arrive: then a silence elsewhere means something. */
function witnessOf(
  session: AttackSession,
  by: Identity,
  model: TableModel,
  row: Row,
  taken: Taken,
): Identity | null {
  const { table, id, patch } = taken.operation;
  const before = session.world.row(table, id);
  if (before === null) return null;
  const change = { table, id, before, after: patch === null ? null : { ...before, ...patch } };
  session.world.apply([change]);
  const now = session.world.row(model.name, String(row["id"]));
  const found = session.people.find(
    (one) =>
      one.name !== by.name && now !== null && session.judge.readsRow(one.me, model.name, now),
  );
  session.world.revert([change]);
  return found ?? null;
}

async function takeAway(
  session: AttackSession,
  by: Identity,
  parts: {
    readonly model: TableModel;
    readonly row: Row;
    readonly text: string;
    readonly taken: Taken;
  },
): Promise<void> {
  const { model, row, text, taken } = parts;
  const witness = witnessOf(session, by, model, row, taken);
  if (witness === null) return;
  const wire = await session.target.openLive?.(by.token);
  const control = await session.target.openLive?.(witness.token);
  if (wire === undefined || control === undefined) return;
  const id = String(row["id"]);
  const watch: Json = { list: model.name, query: { limit: 1_000 } };
  const about = { kind: "table", table: model.name, operation: "read" } as const;
  const probe: Probe = { probe: taken.probe, about, method: "GET", path: "/api/live", body: watch };
  try {
    const before = await wire.subscribe(1, watch);
    await control.subscribe(1, watch);
    if (!before.includes(id)) {
      session.inconclusive(
        model.name,
        `a live query does not show ${by.name} a row that they may read`,
      );
      return;
    }
    const marker = session.canaries.marker();
    try {
      await session.target.systemChange(taken.operation);
      await session.target.systemChange({ table: model.name, id, patch: { [text]: marker } });
    } catch {
      // A row that cannot be changed so (others refer to it, a check) takes no right away.
      return;
    }
    if (!(await control.until(marker))) {
      session.inconclusive(
        model.name,
        `a change did not arrive at ${witness.name}, who watches ${model.name}`,
      );
      return;
    }
    const after = await wire.settle();
    session.saw(by, probe, "");
    if (after.includes(marker)) stillShown(session, by, { ...parts, watch });
  } finally {
    wire.close();
    control.close();
    await session.undo(await session.takeAndApply());
  }
}

function stillShown(
  session: AttackSession,
  by: Identity,
  {
    model,
    text,
    taken,
    watch,
  }: {
    readonly model: TableModel;
    readonly text: string;
    readonly taken: Taken;
    readonly watch: Json;
  },
): void {
  const body = JSON.stringify(watch);
  session.findings.add({
    ...{ code: "A301", subject: model.name, aspect: taken.probe, fields: [text], by, status: 101 },
    request: { method: "GET", path: "/api/live", headers: {}, body },
    says: `a live query goes on showing ${by.name} a row of ${model.name} that they may not read any more`,
  });
}
