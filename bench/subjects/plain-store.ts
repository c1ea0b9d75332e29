// The tables of the hand-written baselines on node:sqlite, with the statements that their servers use.
// One transaction a commit, WAL; `synchronous` is the durability under test.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Ready, Sizes } from "./subject.ts";

export type Durability = "FULL" | "NORMAL";

export interface PlainStore {
  readonly userOf: (token: string) => number | undefined;
  readonly transfer: (from: number, to: number, amount: number) => "done" | "missing" | "funds";
  readonly insertMessage: (user: number, room: number, text: string) => number | null;
  readonly readPost: (user: number, id: number) => object | null;
  readonly listPosts: (user: number, author: number) => object[];
  readonly raise: (id: number) => number;
  readonly counter: () => number;
  readonly loaded: Pick<Ready, "accounts" | "posts" | "authors" | "counter" | "callers">;
}

interface Post {
  readonly id: number;
  readonly author: number;
  readonly published: number;
}

/** What is used of a database: node:sqlite and better-sqlite3 both have it. */
export interface PlainDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): {
    get(...values: readonly (string | number)[]): unknown;
    all(...values: readonly (string | number)[]): unknown;
    run(...values: readonly (string | number)[]): { readonly lastInsertRowid: number | bigint };
  };
}

/** Opens and fills the database. @param folder an empty folder. @param open another engine than node:sqlite. */
export function openPlainStore(
  folder: string,
  sizes: Sizes,
  durability: Durability,
  open: (path: string) => PlainDatabase = (path) => new DatabaseSync(path),
): PlainStore {
  const db = open(join(folder, "plain.sqlite"));
  db.exec(`
    PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;
    CREATE TABLE user (id INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL CHECK (balance >= 0)) STRICT;
    CREATE TABLE post (id INTEGER PRIMARY KEY, author INTEGER NOT NULL REFERENCES user, title TEXT NOT NULL,
      body TEXT NOT NULL, published INTEGER NOT NULL) STRICT;
    CREATE INDEX post_author ON post (author);
    CREATE TABLE room (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
    CREATE TABLE member (room INTEGER NOT NULL REFERENCES room, user INTEGER NOT NULL REFERENCES user,
      UNIQUE (room, user)) STRICT;
    CREATE TABLE message (id INTEGER PRIMARY KEY, room INTEGER NOT NULL REFERENCES room,
      author INTEGER NOT NULL REFERENCES user, text TEXT NOT NULL) STRICT;
    CREATE INDEX message_room ON message (room);
    CREATE TABLE counter (id INTEGER PRIMARY KEY, value INTEGER NOT NULL) STRICT;
    INSERT INTO counter VALUES (1, 0);`);
  const loaded = load(db, sizes);
  db.exec(`PRAGMA wal_checkpoint(TRUNCATE); PRAGMA synchronous = ${durability};`);
  const users = new Map(loaded.callers.map(({ token, user }) => [token, Number(user)]));
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const rollback = db.prepare("ROLLBACK");
  const balance = db.prepare("SELECT balance FROM account WHERE id = ?");
  const setBalance = db.prepare("UPDATE account SET balance = ? WHERE id = ?");
  const isMember = db.prepare("SELECT 1 FROM member WHERE room = ? AND user = ?");
  const insert = db.prepare("INSERT INTO message (room, author, text) VALUES (?, ?, ?)");
  const post = db.prepare("SELECT * FROM post WHERE id = ?");
  const list = db.prepare(
    "SELECT * FROM post WHERE author = ? AND (published = 1 OR author = ?) ORDER BY id LIMIT 20",
  );
  const value = db.prepare("SELECT value FROM counter WHERE id = ?");
  const setValue = db.prepare("UPDATE counter SET value = ? WHERE id = ?");
  return {
    loaded,
    userOf: (token) => users.get(token),
    transfer(from, to, amount) {
      if (from === to) return "done";
      begin.run();
      const source = balance.get(from) as { balance: number } | undefined;
      const target = balance.get(to) as { balance: number } | undefined;
      if (source === undefined || target === undefined || source.balance < amount) {
        rollback.run();
        return source === undefined || target === undefined ? "missing" : "funds";
      }
      setBalance.run(source.balance - amount, from);
      setBalance.run(target.balance + amount, to);
      commit.run();
      return "done";
    },
    insertMessage(user, room, text) {
      if (isMember.get(room, user) === undefined) return null;
      return Number(insert.run(room, user, text).lastInsertRowid);
    },
    readPost(user, id) {
      const row = post.get(id) as Post | undefined;
      return row !== undefined && (row.published === 1 || row.author === user) ? row : null;
    },
    listPosts: (user, author) => list.all(author, user) as object[],
    raise(id) {
      begin.run();
      const next = (value.get(id) as { value: number }).value + 1;
      setValue.run(next, id);
      commit.run();
      return next;
    },
    counter: () => (value.get(1) as { value: number }).value,
  };
}

function load(db: PlainDatabase, sizes: Sizes): PlainStore["loaded"] {
  db.exec("BEGIN");
  const callers = count(sizes.authors).map((user) => ({
    token: randomBytes(24).toString("base64url"),
    user: String(user),
    room: String(1 + (user % sizes.rooms)),
  }));
  const user = db.prepare("INSERT INTO user VALUES (?, ?)");
  const room = db.prepare("INSERT INTO room VALUES (?, ?)");
  const member = db.prepare("INSERT INTO member VALUES (?, ?)");
  const account = db.prepare("INSERT INTO account VALUES (?, 1000000)");
  const post = db.prepare("INSERT INTO post VALUES (?, ?, ?, ?, 1)");
  for (const id of count(sizes.rooms)) room.run(id, `room ${id}`);
  for (const caller of callers) {
    user.run(Number(caller.user), caller.token);
    member.run(Number(caller.room), Number(caller.user));
  }
  for (const id of count(sizes.accounts)) account.run(id);
  for (const id of count(sizes.posts)) {
    post.run(id, 1 + (id % sizes.authors), `Post ${id}`, `The text of post ${id}. `.repeat(8));
  }
  db.exec("COMMIT");
  return {
    accounts: count(sizes.accounts).map(String),
    posts: count(sizes.posts).map(String),
    authors: count(sizes.authors).map(String),
    counter: "1",
    callers,
  };
}

function count(length: number): number[] {
  return Array.from({ length }, (_, index) => index + 1);
}
