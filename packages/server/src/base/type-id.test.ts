import { strict as assert } from "node:assert";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  isTypeId,
  isTypeIdPrefix,
  makeTypeId,
  parseTypeId,
  TypeIds,
  typeIdOfUuid,
  typeIdPrefix,
} from "./type-id.ts";
import type { RandomSource } from "./random.ts";

/** Bytes of a small generator: the same seed gives the same. */
function seeded(seed: number): RandomSource {
  let state = (seed % 2_147_483_646) + 1;
  return {
    bytes: (count) =>
      Uint8Array.from({ length: count }, () => (state = (state * 48_271) % 2_147_483_647) & 255),
  };
}

const ones: RandomSource = { bytes: (count) => new Uint8Array(count).fill(255) };

// Test vectors of the specification, version 0.3.0 (jetify-com/typeid, spec/valid.yml and invalid.yml).
const zeros = "0".repeat(26);
const valid: readonly (readonly [string, string, string])[] = [
  [zeros, "", "00000000-0000-0000-0000-000000000000"],
  ["00000000000000000000000001", "", "00000000-0000-0000-0000-000000000001"],
  ["0000000000000000000000000a", "", "00000000-0000-0000-0000-00000000000a"],
  ["0000000000000000000000000g", "", "00000000-0000-0000-0000-000000000010"],
  ["00000000000000000000000010", "", "00000000-0000-0000-0000-000000000020"],
  ["7zzzzzzzzzzzzzzzzzzzzzzzzz", "", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
  ["prefix_0123456789abcdefghjkmnpqrs", "prefix", "0110c853-1d09-52d8-d73e-1194e95b5f19"],
  ["prefix_01h455vb4pex5vsknk084sn02q", "prefix", "01890a5d-ac96-774b-bcce-b302099a8057"],
  [`pre_fix_${zeros}`, "pre_fix", "00000000-0000-0000-0000-000000000000"],
];
const invalid: readonly string[] = [
  `PREFIX_${zeros}`,
  `12345_${zeros}`,
  `pre.fix_${zeros}`,
  `préfix_${zeros}`,
  `  prefix_${zeros}`,
  `${"abcdefghijklmnopqrstuvwxyz".repeat(3).slice(0, 64)}_${zeros}`,
  `_${zeros}`,
  "_",
  "",
  "prefix_1234567890123456789012345",
  "prefix_123456789012345678901234567",
  "prefix_1234567890123456789012345 ",
  "prefix_0123456789ABCDEFGHJKMNPQRS",
  "prefix_123456789-123456789-123456",
  "prefix_ooooooiiiiiiuuuuuuulllllll",
  "prefix_i23456789ol23456789oi23456",
  "prefix_123456789-0123456789-0123456",
  "prefix_8zzzzzzzzzzzzzzzzzzzzzzzzz",
  `_prefix_${zeros}`,
  `prefix__${zeros}`,
  `prefix_${zeros}é`,
];

test("the specification's valid ids read and write both ways", () => {
  for (const [text, prefix, uuid] of valid) {
    assert.deepEqual(parseTypeId(text), {
      prefix,
      uuid,
      atMs: Number.parseInt(uuid.replaceAll("-", "").slice(0, 12), 16),
    });
    assert.equal(typeIdOfUuid(prefix, uuid), text);
    if (prefix !== "") assert.ok(isTypeId(text, prefix));
  }
});

test("the specification's invalid ids are refused", () => {
  for (const text of invalid) {
    assert.equal(parseTypeId(text), null, text);
    assert.equal(isTypeId(text, "prefix"), false, text);
  }
});

test("any UUID survives the way there and back", () => {
  fc.assert(
    fc.property(fc.uuid(), fc.stringMatching(/^[a-z](?:[a-z_]{0,10}[a-z])?$/), (uuid, prefix) => {
      const text = typeIdOfUuid(prefix, uuid);
      assert.equal(parseTypeId(text)?.uuid, uuid);
      assert.equal(parseTypeId(text)?.prefix, prefix);
      assert.ok(isTypeId(text, prefix));
      assert.ok(!isTypeId(text, `${prefix}x`));
    }),
  );
});

test("a made id is a UUID of version 7 that holds its time", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), fc.nat(), (ms, seed) => {
      const id = makeTypeId("film", ms, seeded(seed));
      const parts = parseTypeId(id);
      assert.equal(parts?.prefix, "film");
      assert.equal(parts?.atMs, ms);
      assert.match(parts?.uuid ?? "", /^.{8}-.{4}-7.{3}-[89ab].{3}-.{12}$/);
      assert.ok(isTypeId(id, "film"));
    }),
  );
});

test("ids of one writer grow strictly, whatever the clock does", () => {
  const clock = fc.array(fc.integer({ min: 1_700_000_000_000, max: 1_700_000_000_005 }), {
    minLength: 2,
    maxLength: 200,
  });
  fc.assert(
    fc.property(clock, fc.nat(), (times, seed) => {
      let at = 0;
      const ids = new TypeIds(() => times[at++] ?? 0, seeded(seed));
      const made = times.map(() => ids.next("film"));
      assert.deepEqual([...new Set(made)].toSorted(), made);
    }),
  );
});

test("ids grow through every carry: all random bits set", () => {
  const ids = new TypeIds(() => 1_700_000_000_000, ones);
  let last = "";
  for (let count = 0; count < 10_000; count++) {
    const id = ids.next("film");
    assert.ok(id > last);
    assert.ok(isTypeId(id, "film"));
    last = id;
  }
  assert.equal(parseTypeId(last)?.atMs, 1_700_000_000_000);
});

test("a clock outside of what a UUIDv7 holds is a bug", () => {
  for (const ms of [-1, 2 ** 48, 1.5, Number.NaN]) {
    assert.throws(() => makeTypeId("film", ms, ones), { name: "AssertionFailure" }, String(ms));
  }
});

test("a table's prefix is its name in snake case, and always one that TypeID allows", () => {
  assert.equal(typeIdPrefix("film"), "film");
  assert.equal(typeIdPrefix("filmRole"), "film_role");
  assert.equal(typeIdPrefix("aBC"), "a_b_c");
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z][a-zA-Z]{0,20}$/),
      fc.stringMatching(/^[a-z][a-zA-Z]{0,20}$/),
      (a, b) => {
        assert.ok(isTypeIdPrefix(typeIdPrefix(a)));
        assert.equal(typeIdPrefix(a) === typeIdPrefix(b), a === b);
      },
    ),
  );
});
