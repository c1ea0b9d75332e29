// `keelson users import`: each record of a file becomes a user, is there already, or is refused with its reason; a line
// of the report for each.
import { closeSync, readFileSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import {
  auth0Hash,
  firebaseHashing,
  readImportedUser,
  userSources,
  valueAt,
  type UserImportOptions,
  type UserSource,
} from "@keelson/server/operator";
import type { FieldSpec, Json } from "@keelson/sdk/spec";
import { fileUnreadable } from "../flags/file-failure.ts";
import { exits, Failure, usageFailure, type Exit } from "../flags/failure.ts";
import type { Flags } from "../flags/flag-parse.ts";
import { suggestion } from "../flags/suggestion.ts";
import { makeProgress } from "../terminal/progress.ts";
import { counted } from "../terminal/table-text.ts";
import type { DataDoor, Row, UserWrite } from "../data/data-door.ts";
import { openNumbered, type NumberedFile } from "../data/numbered-file.ts";
import type { SourceRecord } from "../data/source-record.ts";
import { readUserRecords } from "../data/user-records.ts";
import type { Io } from "./command.ts";
import { openDoor } from "./open-door.ts";
import { tableNamed } from "./table-named.ts";

const batchUsers = 100;
const shownRefusals = 5;

/** What came of it. `read` = `created` + `there` + `refused`. */
interface UserCount {
  read: number;
  created: number;
  there: number;
  refused: number;
  /** Of those created: who signs in with the password they have. */
  passwords: number;
  /** Of those created: who has none, and sets one by e-mail. */
  withoutPassword: number;
  /** Of those created: rows that the operator made, which wait for whoever proves the address. */
  withoutAccount: number;
  identities: number;
  disabled: number;
}

interface Read {
  readonly line: number;
  readonly write: UserWrite;
}

/** Imports a file. @throws Failure, PlatformError. */
export async function importUsers(flags: Flags, io: Io): Promise<Exit> {
  const source = sourceOf(flags);
  const file = resolve(io.cwd, flags.needWord("file"));
  const options: UserImportOptions = {
    nowMs: io.nowMs(),
    hashing: hashingOf(flags, io),
    hashes: await hashesOf(flags, io),
  };
  const door = await openDoor(flags, io, "new");
  const run = new ImportRun(io, door, { source, options, report: `${file}.imported` });
  try {
    const { fields } = tableNamed(await door.tables(), "user");
    const own = source === "keelson" ? ownMap(fields) : [];
    run.map = [...own, ...mapOf(flags, Object.keys(fields))];
    for await (const records of readUserRecords(file, flags.text("collection") ?? "users")) {
      for (const record of records) await run.add(record);
    }
    await run.flush();
    return run.conclude(flags.on("json"));
  } finally {
    run.close();
    await door.close();
  }
}

interface ImportTold {
  readonly source: UserSource;
  readonly options: UserImportOptions;
  /** Where results go, without ending: no run writes over those of another, which tell the old ids. */
  readonly report: string;
}

class ImportRun {
  map: readonly (readonly [path: string, field: string])[] = [];
  readonly #io: Io;
  readonly #door: DataDoor;
  readonly #told: ImportTold;
  readonly #progress;
  readonly #count: UserCount = {
    read: 0,
    created: 0,
    there: 0,
    refused: 0,
    passwords: 0,
    withoutPassword: 0,
    withoutAccount: 0,
    identities: 0,
    disabled: 0,
  };
  readonly #left = new Map<string, number>();
  readonly #firstRefusals: string[] = [];
  #batch: Read[] = [];
  #file: NumberedFile | null = null;

  constructor(io: Io, door: DataDoor, told: ImportTold) {
    this.#io = io;
    this.#door = door;
    this.#told = told;
    this.#progress = makeProgress(io.terminal, "import users", io.nowMs);
  }

  async add(record: SourceRecord): Promise<void> {
    this.#count.read += 1;
    const { line } = record;
    if (record.kind === "broken") {
      this.#refuse({ line, sourceId: null, code: "LINE_UNREADABLE", reason: record.reason });
      return;
    }
    const read = readImportedUser(this.#told.source, record.value, this.#told.options);
    if (read.kind === "refused") {
      const { sourceId, problem } = read;
      this.#refuse({ line, sourceId, code: "USER_INVALID", reason: problem });
      return;
    }
    const fields: Record<string, Json> = {};
    for (const [path, field] of this.map) {
      const value = valueAt(record.value, path);
      if (value !== null) fields[field] = value;
    }
    this.#batch.push({ line, write: { user: read.user, fields } });
    if (this.#batch.length >= batchUsers) await this.flush();
  }

  async flush(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    if (batch.length === 0) return;
    const outcomes = await this.#door.importUsers(
      this.#told.source,
      batch.map(({ write }) => write),
    );
    for (const [index, { line, write }] of batch.entries()) {
      const { user } = write;
      const outcome = outcomes[index];
      if (outcome === undefined) continue;
      const { sourceId, left } = user;
      if (outcome.kind === "refused") {
        const { code, text, details } = outcome;
        this.#refuse({ line, sourceId, code, reason: text, details });
        continue;
      }
      this.#count[outcome.kind] += 1;
      if (outcome.kind === "created") this.#countCreated(user);
      this.#write({
        line,
        id: sourceId,
        outcome: outcome.kind,
        user: outcome.user,
        left: [...left],
      });
    }
    this.#progress.show(null, counted(this.#count.read, "record"));
  }

  #countCreated(user: UserWrite["user"]): void {
    const { passwordHash, email, identities, disabled, left, withoutAccount = false } = user;
    const count = this.#count;
    if (withoutAccount) count.withoutAccount += 1;
    else if (passwordHash !== null) count.passwords += 1;
    else if (email !== null) count.withoutPassword += 1;
    count.identities += identities.length;
    if (disabled) count.disabled += 1;
    for (const what of left) this.#left.set(what, (this.#left.get(what) ?? 0) + 1);
  }

  #refuse(refused: {
    readonly line: number;
    readonly sourceId: string | null;
    readonly code: string;
    readonly reason: string;
    readonly details?: Json;
  }): void {
    const { line, sourceId, code, reason, details = {} } = refused;
    this.#count.refused += 1;
    if (this.#firstRefusals.length < shownRefusals) {
      this.#firstRefusals.push(`line ${line}  ${code}  ${reason}`);
    }
    this.#write({ line, id: sourceId, outcome: "refused", code, reason, details });
  }

  #write(line: Row): void {
    this.#file ??= openNumbered(this.#told.report, ".ndjson");
    writeSync(this.#file.descriptor, `${JSON.stringify(line)}\n`);
  }

  conclude(isJson: boolean): Exit {
    const { terminal } = this.#io;
    const { read, created, there, refused, passwords, withoutPassword, identities, disabled } =
      this.#count;
    const report = this.#file?.path ?? null;
    if (isJson) {
      const left = Object.fromEntries(this.#left);
      terminal.out(JSON.stringify({ ...this.#count, left, report }));
    } else {
      terminal.out(
        `${counted(read, "record")} read = ${counted(created, "user")} created + ${there.toLocaleString("en-US")} there already + ${refused.toLocaleString("en-US")} refused.`,
      );
      terminal.out(
        `${counted(passwords, "keeps", "keep")} their password, ${withoutPassword.toLocaleString("en-US")} set a new one by e-mail; ${counted(identities, "account")} elsewhere; ${disabled.toLocaleString("en-US")} closed.`,
      );
      if (this.#count.withoutAccount > 0) {
        terminal.out(
          `${counted(this.#count.withoutAccount, "user")} had no account yet: who proves the address gets theirs.`,
        );
      }
      for (const [what, count] of this.#left) {
        terminal.note(`  left behind of ${counted(count, "user")}: ${what}`);
      }
    }
    terminal.note(terminal.tone("dim", `into ${this.#door.place}`));
    for (const text of this.#firstRefusals) terminal.note(`  ${text}`);
    if (report !== null) terminal.note(`Old and new ids, and what was left behind: ${report}`);
    return refused > 0 ? exits.refused : exits.done;
  }

  close(): void {
    this.#progress.end();
    if (this.#file !== null) closeSync(this.#file.descriptor);
    this.#file = null;
  }
}

function sourceOf(flags: Flags): UserSource {
  const from = flags.text("from");
  const source = userSources.find((name) => name === from);
  if (source !== undefined) return source;
  throw usageFailure({
    code: "FLAG_VALUE_MISSING",
    what: "Nothing says where the users come from.",
    why: "Each system writes its users in a form of its own.",
    fix: `Add --from=${userSources.join("|")}.`,
  });
}

function hashingOf(flags: Flags, io: Io): UserImportOptions["hashing"] {
  const file = flags.text("hash-config");
  if (file === null) return null;
  const hashing = firebaseHashing(textOf(resolve(io.cwd, file)));
  if (hashing !== null) return hashing;
  throw new Failure(exits.refused, {
    code: "HASH_CONFIG_INVALID",
    what: `${file} does not hold Firebase's password hash parameters.`,
    why: "base64_signer_key, base64_salt_separator, rounds and mem_cost are needed.",
    fix: "Copy them from the Firebase console: Authentication, Users, the menu, Password hash parameters.",
  });
}

async function hashesOf(flags: Flags, io: Io): Promise<ReadonlyMap<string, string>> {
  const file = flags.text("hashes");
  const hashes = new Map<string, string>();
  if (file === null) return hashes;
  for await (const records of readUserRecords(resolve(io.cwd, file), "")) {
    for (const record of records) {
      const found = record.kind === "record" ? auth0Hash(record.value) : null;
      if (found !== null) hashes.set(found.id, found.hash);
    }
  }
  return hashes;
}

function mapOf(flags: Flags, fields: readonly string[]): readonly (readonly [string, string])[] {
  const own = fields.filter((name) => name !== "id");
  return flags.texts("map").map((written) => {
    const equals = written.lastIndexOf("=");
    const field = written.slice(equals + 1).trim();
    const path = written.slice(0, Math.max(0, equals)).trim();
    if (path !== "" && own.includes(field)) return [path, field] as const;
    throw mapInvalid(written, path === "" ? null : field, own);
  });
}

/** @param field a field that users do not have; null: it is not written as it must be. */
function mapInvalid(written: string, field: string | null, own: readonly string[]): Failure {
  const what = `--map can't be "${written}".`;
  const known = `the fields of user are ${own.join(", ")}`;
  if (field === null || !/^[a-z]\w*$/i.test(field) || field === "id") {
    const why = `It is written "path=field", and ${known}.`;
    const fix = `For example: --map "user_metadata.plan=${own.at(-1) ?? "plan"}"`;
    return usageFailure({ code: "MAP_INVALID", what, why, fix });
  }
  const near = suggestion(field, own);
  return usageFailure({
    code: "MAP_INVALID",
    what,
    why: `Users have no field ${field}: ${known}.`,
    fix: `${near === null ? "Add" : `Did you mean ${near}? Else add`} it to the table user in keelson/schema.ts, beside the fields that users have: ${field}: t.text().optional()`,
  });
}

/** The row of the app comes along by itself; ids are others here, and what refers to rows needs a --map. */
function ownMap(
  fields: Readonly<Record<string, FieldSpec>>,
): readonly (readonly [string, string])[] {
  return Object.entries(fields)
    .filter(([name, spec]) => name !== "email" && !holdsId(spec))
    .map(([name]) => [`row.${name}`, name] as const);
}

function holdsId(spec: FieldSpec): boolean {
  if (spec.kind === "id" || spec.kind === "ref") return true;
  if (spec.kind === "list") return holdsId(spec.item);
  return spec.kind === "object" && Object.values(spec.fields).some(holdsId);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw fileUnreadable(file, cause);
  }
}
