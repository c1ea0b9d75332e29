// Field rules hold at every door: for each protected field of the manifest, every operation that could show
// it or tell of it. A value that a caller may not see must not stand in any byte of an answer.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startServer, type RunningServer } from "@keelson/server";
import type { FieldSpec } from "@keelson/sdk/spec";
import { openHttpClient, type Exchange } from "../server/http-exchange.ts";
import { doorsOf, questionsOf, type DoorRequest, type Probe, type WalkRows } from "./field-walk.ts";

const bytes = (text: string): string => Buffer.from(text).toString("base64");
/** A value that is recognised in an answer, for each protected field. */
const probes: Record<string, Probe> = {
  staffText: probe("CANARYtext", "other"),
  staffUnique: probe("CANARYunique", "other"),
  staffInt: probe(7_301_234_567, 1),
  staffNumber: probe(0.7302345678, 1),
  staffMoney: probe(7_303_456_789, 1),
  staffBool: { right: true, wrong: false, canary: null },
  staffTime: probe("2174-05-06T07:08:09.123Z", "2001-01-01T00:00:00.000Z"),
  staffDate: probe("2173-04-05", "2001-01-01"),
  staffOneOf: probe("canaryOneOf", "plain"),
  // Users that are made before the walk.
  staffRef: probe("", ""),
  staffList: { right: ["CANARYlist"], wrong: ["other"], canary: "CANARYlist" },
  staffObject: {
    right: { inner: "CANARYobject" },
    wrong: { inner: "other" },
    canary: "CANARYobject",
  },
  staffJson: { right: { a: ["CANARYjson"] }, wrong: 1, canary: "CANARYjson" },
  staffBytes: probe(bytes("CANARY bytes"), bytes("other")),
  ownText: probe("CANARYown", "other"),
  ownInt: probe(7_304_567_891, 1),
  hidden: probe("CANARYhidden", "other"),
  hiddenInt: probe(7_305_678_912, 1),
};
const isFor: Readonly<Record<string, (field: string) => boolean>> = {
  nobody: () => false,
  outsider: () => false,
  owner: (field) => field.startsWith("own"),
  staff: (field) => field.startsWith("staff"),
};

function probe(right: string | number, wrong: string | number): Probe {
  return { right, wrong, canary: String(right) };
}

const folder = mkdtempSync(join(tmpdir(), "keelson-fields-"));
const http = openHttpClient(8);
let server: RunningServer;
const tokens: Record<string, string | null> = { nobody: null };
let rows: WalkRows;
let paper: Readonly<Record<string, FieldSpec>>;

before(async () => {
  server = await startServer({
    appDir: join(import.meta.dirname, "app"),
    dataDir: join(folder, "data"),
    port: 0,
    limits: { anonymousPerMinuteMax: 1_000_000, callerPerMinuteMax: 1_000_000 },
  });
  const sign = (user: string, role: string | null): Promise<string> =>
    server.signToken({ user, role, ttlMs: 600_000 });
  tokens["staff"] = await sign("user_01h455vb4pex5vsknk084sn04q", "staff");
  const plant = async (table: string, value: object): Promise<string> => {
    const path = "/api/fn/desk.plant";
    const { status, text } = await ask("staff", { method: "POST", path, body: { table, value } });
    assert.equal(status, 200, text);
    return (JSON.parse(text) as { readonly id: string }).id;
  };
  const [owner, other, canary] = [
    await plant("user", { name: "owner" }),
    await plant("user", { name: "other" }),
    await plant("user", { name: "canary" }),
  ];
  probes["staffRef"] = probe(canary, other);
  tokens["owner"] = await sign(owner, null);
  tokens["outsider"] = await sign("user_01h455vb4pex5vsknk084sn03q", null);
  const shelf = await plant("shelf", { name: "a shelf" });
  const values = (side: "right" | "wrong"): object =>
    Object.fromEntries(Object.entries(probes).map(([field, value]) => [field, value[side]]));
  const first = await plant("paper", { title: "one", shelf, owner, ...values("right") });
  await plant("paper", { title: "two", shelf, owner: other, ...values("wrong") });
  rows = { shelf, paper: first, remark: await plant("remark", { paper: first, text: "read it" }) };
  paper = server.current().manifest.tables["paper"]?.fields ?? {};
});
after(async () => {
  http.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function ask(who: string, { method, path, body }: Omit<DoorRequest, "door">): Promise<Exchange> {
  return http.send(server.url, {
    method,
    path,
    token: tokens[who] ?? null,
    ...(body === undefined ? {} : { body }),
  });
}

/** Every text of an answer: as it came, and what its cursors and other base64 hold. */
function bytesOf({ text }: Exchange): string {
  const packed = text.match(/[A-Za-z0-9_-]{16,}/g) ?? [];
  return [text, ...packed.map((part) => Buffer.from(part, "base64url").toString("latin1"))].join(
    "\n",
  );
}

/** The canaries of fields that a caller may not see and that stand in an answer. */
function leaks(who: string, exchange: Exchange): readonly string[] {
  const all = bytesOf(exchange);
  return Object.entries(probes).flatMap(([field, { canary }]) => {
    const isSeen = canary !== null && all.includes(canary) && isFor[who]?.(field) !== true;
    return isSeen ? [field] : [];
  });
}

const code = ({ text }: Exchange): string =>
  (JSON.parse(text) as { readonly code?: string }).code ?? "none";

test("the walk covers every protected field of the manifest", () => {
  const rules = server.current().manifest.tables["paper"]?.rules.fields ?? {};
  const hidden = Object.entries(paper).flatMap(([name, spec]) =>
    spec.private === true ? [name] : [],
  );
  const guarded = Object.keys(rules).filter((name) => rules[name]?.read !== undefined);
  assert.deepEqual([...guarded, ...hidden].toSorted(), Object.keys(probes).toSorted());
});

describe("reading", () => {
  for (const who of Object.keys(isFor)) {
    for (const field of Object.keys(probes)) {
      test(`${who} and ${field}`, async () => {
        const mayRead = isFor[who]?.(field) === true;
        const spec = paper[field] as FieldSpec;
        const isPrivate = spec.private === true;
        const value = probes[field] as Probe;
        const shown: string[] = [];
        for (const question of questionsOf(field, spec, value, rows, field === "staffText")) {
          for (const request of doorsOf(question)) {
            const exchange = await ask(who, request);
            const where = `${question.name} at ${request.door}: ${exchange.status} ${exchange.text}`;
            assert.deepEqual(leaks(who, exchange), [], where);
            if (value.canary !== null && exchange.text.includes(value.canary))
              shown.push(question.name);
            if (question.sort === "reads" && !isPrivate) {
              assert.equal(exchange.status, 200, where);
            } else if (!mayRead || field.startsWith("own")) {
              // A rule that looks at the row is never enough to order or filter by: other rows would tell.
              const expected = isPrivate ? "QUERY_INVALID" : "FIELD_NOT_READABLE";
              if (question.sort === "tells") assert.equal(code(exchange), expected, where);
            } else {
              assert.equal(exchange.status, 200, where);
            }
          }
        }
        // Whoever may read it sees it everywhere: the walk can find a leak.
        if (mayRead && value.canary !== null)
          assert.ok(shown.length >= 25, `seen ${shown.length} times`);
        if (!mayRead) assert.deepEqual(shown, []);
      });
    }
  }
});

test("answers of writes leave out what their caller may not read", async () => {
  const value = { title: "mine", shelf: rows.shelf };
  const readable = Object.fromEntries(
    Object.entries(probes).flatMap(([field, { right }]) =>
      paper[field]?.private === true || field === "staffUnique" || field === "staffRef"
        ? []
        : [[field, right]],
    ),
  );
  const writes: DoorRequest[] = [
    { door: "tables", method: "POST", path: "/api/tables/paper", body: { ...value, ...readable } },
    {
      door: "batch",
      method: "POST",
      path: "/api/batch",
      body: {
        steps: [
          { create: "paper", value: { ...value, ...readable } },
          { update: "paper", id: rows.paper, value: { title: "changed" } },
        ],
      },
    },
    {
      door: "function",
      method: "POST",
      path: "/api/fn/desk.createRows",
      body: { table: "paper", value: { ...value, ...readable } },
    },
    {
      door: "function",
      method: "POST",
      path: "/api/fn/desk.updateRows",
      body: { table: "paper", id: rows.paper, value: { title: "again" } },
    },
  ];
  for (const request of writes) {
    const exchange = await ask("outsider", request);
    assert.ok(exchange.status < 300, exchange.text);
    const seen = leaks("outsider", exchange).filter((field) => field !== "staffRef");
    assert.deepEqual(seen, [], `${request.door}: ${exchange.text}`);
  }
});

test("refused writes do not tell what stands in a field", async () => {
  const value = { title: "mine", shelf: rows.shelf };
  const path = "/api/tables/paper";
  const taken = await ask("outsider", {
    method: "POST",
    path,
    body: { ...value, staffUnique: "CANARYunique" },
  });
  assert.equal(code(taken), "UNIQUE_TAKEN");
  assert.ok(!taken.text.includes("CANARY"), taken.text);
  const hidden = await ask("outsider", { method: "POST", path, body: { ...value, hidden: "x" } });
  assert.deepEqual([hidden.status, leaks("outsider", hidden)], [422, []]);
});

test("documents and metrics hold no value of a row", async () => {
  for (const path of ["/api/openapi.json", "/metrics"]) {
    const exchange = await ask("outsider", { method: "GET", path });
    assert.equal(exchange.status, 200, exchange.text);
    assert.deepEqual(
      leaks("outsider", exchange).filter((field) => field !== "staffOneOf"),
      [],
      path,
    );
  }
});
