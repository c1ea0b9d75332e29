// States of the data that let a function through. Planted rows are in every state that a field can have, but not in
// every mixture: where no call succeeds, rows are put into states that the function's source speaks of, several fields
// at once, and a refusal that was not heard before says that it got further. The data is as before after it.
import type { Json } from "../../base/json.ts";
import type { FieldSpec, FunctionModel } from "../../model/manifest.ts";
import type { Change, Row } from "../../store/store.ts";
import { isHoldingName } from "./sensitive-name.ts";
import type { AttackSession } from "./session.ts";

/** What came of calls in one state: whether one succeeded, else how they were refused. */
export interface StateTried {
  readonly isThrough: boolean;
  readonly refusals: Iterable<string>;
}

interface Setting {
  readonly table: string;
  readonly field: string;
  /** The likeliest first; undefined: as it was. */
  readonly values: readonly (Json | undefined)[];
}

/** A mixture: for each setting which of its values. */
type Mixture = readonly number[];

const mixturesMax = 40;
const settingsMax = 40;
const days = 4 * 86_400_000;
/** What is false, or little, where things go well. */
const hindering =
  /archived|closed|deleted|removed|blocked|banned|locked|disabled|hidden|cancell?ed|used|taken|booked|sold|spent|expired|refunded|revoked|frozen|suspended|paused|sent|paid|done/i;

/**
 * Looks for a state in which `tryCalls` gets through, and has `inState` done there, and once more where nothing is left.
 * @param known refusals that were heard already.
 */
export async function searchStates(
  session: AttackSession,
  fn: FunctionModel,
  known: Iterable<string>,
  { tryCalls, inState }: { tryCalls: () => Promise<StateTried>; inState: () => Promise<void> },
): Promise<void> {
  const settings = settingsOf(session, fn);
  if (settings.length === 0) return;
  const search = new StateSearch(session, settings);
  try {
    const found = await search.find(new Set(known), tryCalls);
    if (found === null) return;
    await inState();
    if (await search.useUp(found)) await inState();
  } finally {
    await search.end();
  }
}

class StateSearch {
  readonly #session: AttackSession;
  readonly #settings: readonly Setting[];
  /** Rows as they were. */
  readonly #base = new Map<string, { readonly table: string; readonly row: Row }>();

  constructor(session: AttackSession, settings: readonly Setting[]) {
    this.#session = session;
    this.#settings = settings;
    for (const table of new Set(settings.map((setting) => setting.table))) {
      for (const cohort of ["a", "b", "s"] as const) {
        const rows = session.world.live(table, session.planted.rowsOf(table, cohort));
        for (const row of rows) this.#base.set(String(row["id"]), { table, row });
      }
    }
  }

  /** @returns the mixture that lets through, which the rows are in; null: none of those tried does. */
  async find(heard: Set<string>, tryCalls: () => Promise<StateTried>): Promise<Mixture | null> {
    let best: Mixture = this.#settings.map(() => 0);
    for (let count = 0; count < mixturesMax; count++) {
      const mixture = count === 0 ? best : this.#varied(best, count);
      await this.#put(mixture);
      const { isThrough, refusals } = await tryCalls();
      if (isThrough) return mixture;
      const fresh = [...refusals].filter((why) => !heard.has(why));
      if (fresh.length > 0) best = mixture;
      for (const why of fresh) heard.add(why);
    }
    return null;
  }

  /** The same with nothing left of what calls take from. @returns whether there is anything that they could. */
  async useUp(found: Mixture): Promise<boolean> {
    const usedUp = found.map((now, at) => {
      const setting = this.#settings[at];
      if (setting === undefined || !isHoldingName(setting.field)) return now;
      return Math.max(now, setting.values.indexOf(0));
    });
    if (usedUp.every((value, at) => value === found[at])) return false;
    await this.#put(usedUp);
    return true;
  }

  async end(): Promise<void> {
    await this.#become(() => ({}));
  }

  /** One or two settings changed; now and then any mixture. */
  #varied(best: Mixture, count: number): Mixture {
    const { random } = this.#session;
    const isAny = count % 4 === 3;
    const changed = new Set([
      random.int(0, best.length - 1),
      ...(random.next() < 0.5 ? [random.int(0, best.length - 1)] : []),
    ]);
    return best.map((now, at) => {
      if (!isAny && !changed.has(at)) return now;
      return random.int(0, (this.#settings[at]?.values.length ?? 1) - 1);
    });
  }

  async #put(mixture: Mixture): Promise<void> {
    const patches = new Map<string, Record<string, Json>>();
    for (const [at, { table, field, values }] of this.#settings.entries()) {
      const value = values[mixture[at] ?? 0];
      if (value !== undefined) patches.set(table, { ...patches.get(table), [field]: value });
    }
    await this.#become((table) => patches.get(table) ?? {});
  }

  /** Every row as it was, but for these fields; rows that checks refuse so stay as they are. */
  async #become(patchOf: (table: string) => Record<string, Json>): Promise<void> {
    const changes: Change[] = [];
    for (const [id, { table, row }] of this.#base) {
      const before = this.#session.world.row(table, id);
      const after: Row = { ...row, ...patchOf(table) };
      if (before === null || JSON.stringify(before) === JSON.stringify(after)) continue;
      if (this.#session.judge.passesChecks(table, null, after)) {
        changes.push({ table, id, before, after });
      }
    }
    await this.#session.restate(changes);
  }
}

/** Fields that a function's source speaks of, with the values that may matter. */
function settingsOf(session: AttackSession, fn: FunctionModel): readonly Setting[] {
  const source = sourceOf(session, fn);
  const settings: Setting[] = [];
  for (const { name, fields } of Object.values(session.judge.manifest.tables)) {
    const { owners, literals } = session.hints.tables[name] ?? {};
    for (const [field, spec] of Object.entries(fields)) {
      if (field === "id" || owners?.has(field) === true || spec.unique === true) continue;
      if (!new RegExp(`\\b${field}\\b`).test(source)) continue;
      const values = valuesOf(spec, { field, source, nowMs: session.target.nowMs() });
      if (spec.kind === "text") values.push(...(literals?.get(field) ?? []));
      if (spec.optional === true && spec.kind !== "ref") values.push(null);
      if (values.length > 0) settings.push({ table: name, field, values: [...values, undefined] });
    }
  }
  return settings.slice(0, settingsMax);
}

/** The function's text, up to the next one of its file. */
function sourceOf({ target, judge }: AttackSession, { at }: FunctionModel): string {
  if (at === undefined) return "";
  const starts = Object.values(judge.manifest.functions).flatMap((other) =>
    other.at?.file === at.file && other.at.line > at.line ? [other.at.line] : [],
  );
  const lines = target.sources.get(at.file)?.split("\n") ?? [];
  return lines.slice(at.line - 1, Math.min(lines.length + 1, ...starts) - 1).join("\n");
}

function valuesOf(
  spec: FieldSpec,
  {
    field,
    source,
    nowMs,
  }: { readonly field: string; readonly source: string; readonly nowMs: number },
): Json[] {
  const isHindering = hindering.test(field);
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the others have no states
  switch (spec.kind) {
    case "bool":
      return [!isHindering, isHindering];
    case "oneOf": {
      const named = spec.values.filter((value) => source.includes(`"${value}"`));
      return [...named, ...spec.values.filter((value) => !named.includes(value))];
    }
    case "int":
    case "money":
    case "number": {
      const low = Math.max(spec.min ?? 0, 0);
      const values = [Math.min(spec.max ?? 1_000_000, 1_000_000), low];
      return isHindering ? values.toReversed() : values;
    }
    case "time":
      // oxlint-disable-next-line no-restricted-globals -- arithmetic on the target's clock
      return [days, -days].map((offset) => new Date(nowMs + offset).toISOString());
    default:
      return [];
  }
}
