// `keelson migrate`: the difference between the app's tables and the database, and how it is brought about.
import type { MigrationPlan, MigrationStep } from "@keelson/server/operator";
import { appFlag, dataFlag, jsonFlag } from "../flags/command-spec.ts";
import { exits, Failure, usageFailure, type Exit } from "../flags/failure.ts";
import { suggestion } from "../flags/suggestion.ts";
import { counted } from "../terminal/table-text.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { appPlace } from "./app-place.ts";
import type { Command } from "./command.ts";

/** Shows and does a migration. */
export const migrate: Command = {
  spec: {
    name: "migrate",
    summary: "Shows how the database differs from the app's tables, and changes it.",
    about: [
      "Compares the tables of the app with the database and lists the steps between them, with row counts. A step is safe (nothing is lost), or destructive (values are lost: done only when you name it with --allow), or it needs data (rows do not fit: they must change first).",
      "Everything is one transaction: when a step is refused or fails, the old schema and all data are as they were. With --plan nothing is changed; that works while a server runs. To change something, stop the server first.",
      "Safe steps need no command: dev and start do them by themselves.",
    ],
    words: [],
    flags: [
      { name: "plan", kind: "switch", help: "Only shows the steps." },
      {
        name: "allow",
        kind: "texts",
        value: "<step>",
        help: 'Allows a destructive step by its name: --allow "drop column idea.details". May be repeated.',
      },
      {
        name: "rename",
        kind: "texts",
        value: "<table.old=new>",
        help: "Says that a column is the same under a new name, so its values stay. May be repeated.",
      },
      appFlag,
      dataFlag,
      jsonFlag,
    ],
    examples: [
      {
        line: "keelson migrate --plan",
        happens:
          "Lists the steps. Exit status 2 when one of them would not be done without --allow.",
      },
      {
        line: "keelson migrate --rename idea.details=text",
        happens: "Gives the column idea.details the new name text, values and all.",
      },
      {
        line: 'keelson migrate --allow "drop column idea.details"',
        happens: "Drops the column with everything in it.",
      },
    ],
  },
  run: async (flags, io) => {
    const { terminal } = io;
    const order = {
      ...appPlace(flags.text("app"), flags, io),
      renamed: renamedOf(flags.texts("rename")),
    };
    const allow = flags.texts("allow");
    const { applyAppMigration, planAppMigration } = await import("@keelson/server/operator");
    const plan = await planAppMigration(order).catch((error: unknown) => {
      throw renameUnknown(error) ?? error;
    });
    assertAllowed(allow, plan);
    const inTheWay = plan.steps.filter((step) => isInTheWay(step, allow));
    const isRefused = inTheWay.length > 0 || plan.drift.length > 0;
    const isDone = !flags.on("plan") && !isRefused;
    if (isDone) applyAppMigration(order, plan, allow);
    if (flags.on("json")) {
      const { steps, drift, fresh } = plan;
      terminal.out(JSON.stringify({ fresh, steps, drift, refused: isRefused, applied: isDone }));
      return isRefused ? exits.refused : exits.done;
    }
    for (const step of plan.steps) tellStep(step, isInTheWay(step, allow), terminal);
    return conclude(plan, { inTheWay, isDone }, terminal);
  },
};

function conclude(
  plan: MigrationPlan,
  state: { readonly inTheWay: readonly MigrationStep[]; readonly isDone: boolean },
  terminal: Terminal,
): Exit {
  const { inTheWay, isDone } = state;
  if (plan.drift.length > 0) throw drifted(plan.drift);
  if (inTheWay.length > 0) throw refused(inTheWay);
  if (plan.steps.length === 0) terminal.note("The database is as the app wants it.");
  else
    terminal.note(
      isDone ? `${counted(plan.steps.length, "step")} done.` : "Nothing was changed (--plan).",
    );
  return exits.done;
}

function isInTheWay({ kind, name }: MigrationStep, allow: readonly string[]): boolean {
  return kind === "needs-data" || (kind === "destructive" && !allow.includes(name));
}

function tellStep(step: MigrationStep, inTheWay: boolean, terminal: Terminal): void {
  const { kind, text, examples, hint } = step;
  terminal.out(`${inTheWay ? "refused    " : kind.padEnd(11)}  ${text}`);
  if (!inTheWay) return;
  if (examples.length > 0) terminal.out(`               rows: ${examples.join(", ")}`);
  if (hint !== undefined) terminal.out(`               ${hint}`);
}

function refused(steps: readonly MigrationStep[]): Failure {
  const [first] = steps;
  const lossy = steps.filter(({ kind }) => kind === "destructive");
  const flags = lossy.map(({ name }) => `--allow "${name}"`).join(" ");
  const fixes = [
    ...(lossy.length > 0 ? [`To lose these values: keelson migrate ${flags}`] : []),
    ...(lossy.length > 0
      ? ["To keep them under another name: keelson migrate --rename table.old=new"]
      : []),
    ...(lossy.length < steps.length
      ? ["Change the rows that do not fit, or the field, and try again."]
      : []),
  ];
  return new Failure(exits.refused, {
    code: "MIGRATION_REFUSED",
    what: `${counted(steps.length, "step")} would lose values or meet rows that do not fit.`,
    why: `The first: ${first?.text ?? ""}`,
    fix: fixes.join("\n"),
  });
}

function drifted(drift: readonly string[]): Failure {
  return new Failure(exits.refused, {
    code: "MIGRATION_REFUSED",
    what: "The database is not what it says it is.",
    why: drift.join("\n"),
    fix: "Somebody changed the file by other means. Undo that, or restore a backup: keelson restore",
  });
}

/** A step that is allowed and not there is a slip of the hand: nothing is done then. */
function assertAllowed(allow: readonly string[], { steps }: MigrationPlan): void {
  const names = steps.filter(({ kind }) => kind === "destructive").map(({ name }) => name);
  const unknown = allow.find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const near = suggestion(unknown, names);
  throw usageFailure({
    code: "STEP_UNKNOWN",
    what: `There is no destructive step "${unknown}".`,
    why: names.length === 0 ? "No step loses anything." : `They are: ${names.join("; ")}.`,
    fix: near === null ? "See: keelson migrate --plan" : `Did you mean "${near}"?`,
  });
}

/** What a rename that fits neither side gets told; null when the error is another. */
function renameUnknown(error: unknown): Failure | null {
  const { rename, there, here } = ((error as { readonly details?: unknown }).details ??
    {}) as Partial<RenameDetails>;
  if (rename === undefined || there === undefined || here === undefined) return null;
  const [table = "", old = ""] = rename.from.split(".");
  const isOldThere = there.includes(old);
  const names = isOldThere ? here : there;
  const near = suggestion(isOldThere ? rename.to : old, names);
  const likely = isOldThere ? `${rename.from}=${near}` : `${table}.${near}=${rename.to}`;
  return usageFailure({
    code: "COLUMN_UNKNOWN",
    what: `--rename can't be "${rename.from}=${rename.to}".`,
    why: `${isOldThere ? `${table} in keelson/schema.ts has no field ${rename.to}` : `The database has no column ${rename.from}`}. ${names.length === 0 ? "There is no such table." : `There are: ${names.join(", ")}.`}`,
    fix: near === null ? "See: keelson migrate --plan" : `Did you mean --rename ${likely}?`,
  });
}

/** What the server says of a rename. */
interface RenameDetails {
  readonly rename: { readonly from: string; readonly to: string };
  /** Columns of the table in the database. */
  readonly there: readonly string[];
  /** And in the app. */
  readonly here: readonly string[];
}

/** @throws Failure (exit 1) FLAG_VALUE_INVALID. */
function renamedOf(renames: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    renames.map((text) => {
      const [, from, to] = /^(\w+\.\w+)=(\w+)$/.exec(text) ?? [];
      if (from !== undefined && to !== undefined) return [from, to];
      throw usageFailure({
        code: "FLAG_VALUE_INVALID",
        what: `--rename can't be "${text}".`,
        why: "It names a table's old column and the new name of it.",
        fix: "For example: --rename idea.details=text",
      });
    }),
  );
}
