// Who has a part in a row: everybody whom rules about rows that are there compare with the caller.
import type { Row } from "../../store/store.ts";
import type { AttackSession } from "./session.ts";

/** Somebody with a part in a row, and how the row leads to them: `buyer`, `item.seller`. */
export interface RowParty {
  readonly path: string;
  readonly user: string;
}

/** Everybody with a part in a row. */
export function partiesIn(session: AttackSession, table: string, row: Row): readonly RowParty[] {
  const found: RowParty[] = [];
  const { parties = new Set<string>(), owners = new Set<string>() } =
    session.hints.tables[table] ?? {};
  for (const path of new Set([...owners, ...parties])) {
    const user = ended(session, table, row, path.split("."));
    if (user !== null && path !== "id") found.push({ path, user });
  }
  return [...found, ...listedUnder(session, table, row)];
}

/** Whom rows under this one name, where rules look for the caller among those: an order's lines name its sellers. */
function listedUnder(session: AttackSession, table: string, row: Row): readonly RowParty[] {
  return Object.values(session.judge.manifest.tables).flatMap(({ name, fields }) => {
    const hints = session.hints.tables[name];
    if (hints?.isMembership !== true) return [];
    const up = Object.entries(fields).filter(
      ([, spec]) => spec.kind === "ref" && spec.table === table,
    );
    const under = session.world
      .rows(name)
      .filter((each) => up.some(([field]) => each[field] === row["id"]));
    return under.flatMap((each) =>
      [...hints.owners].flatMap((owner) => {
        const user = each[owner];
        return typeof user === "string" ? [{ path: `${name}.${owner}`, user }] : [];
      }),
    );
  });
}

function ended(
  session: AttackSession,
  table: string,
  row: Row,
  [step = "", ...rest]: readonly string[],
): string | null {
  const value = row[step];
  if (typeof value !== "string") return null;
  if (rest.length === 0 || (rest.length === 1 && rest[0] === "id")) return value;
  const spec = session.judge.table(table).fields[step];
  const parent = spec?.kind === "ref" ? session.world.row(spec.table, value) : null;
  return spec?.kind === "ref" && parent !== null ? ended(session, spec.table, parent, rest) : null;
}
