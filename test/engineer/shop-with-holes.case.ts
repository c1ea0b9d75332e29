// A shop with holes in it, attacked: what the tests of reports are made from.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shop } from "../../fixtures/holes/attack/base-shop.ts";
import { more, patched, rule, schema } from "../../fixtures/holes/attack/hole.ts";
import {
  attackApp,
  openAttackTarget,
  type AttackReport,
} from "../../packages/server/src/attack.ts";

const reason = "the function looks after it";

/** The files of a shop whose orders anybody reads, whose messages are open with a reason, and more. */
export function shopWithHoles(): string {
  const appDir = mkdtempSync(join(tmpdir(), "keelson-holes-"));
  mkdirSync(join(appDir, "keelson"));
  const files = patched(shop, [
    rule(
      `read: ({ row, me }) => row.customer === me.id || me.role === "staff",
    create: ({ next, me }) => next.customer`,
      `read: () => true,\n    create: ({ next, me }) => next.customer`,
    ),
    rule(
      "read: ({ row, me }) => row.sender === me.id || row.recipient === me.id",
      "// keelson-allow K111: a public guest book\n    // keelson-attack A102: a public guest book\n    read: () => true",
    ),
    rule("update: ({ row, me }) => row.author === me.id", "update: ({ me }) => me.id !== null"),
    schema(
      "passwordHash: t.text({ max: 100 }).optional().private()",
      "passwordHash: t.text({ max: 100 }).optional()",
    ),
    more(
      `export const never = mutation({ args: { order: t.id("order") }, allow: "signed-in", returns: t.nothing(), async run() { throw new Refusal("CLOSED", "${reason}"); } });`,
    ),
  ]);
  for (const [file, text] of Object.entries(files)) {
    writeFileSync(join(appDir, "keelson", file), text);
  }
  return appDir;
}

/** Attacks an app in a folder. */
export async function attackFolder(appDir: string, seed: number): Promise<AttackReport> {
  const target = await openAttackTarget({ appDir });
  try {
    return await attackApp(target, {
      seed,
      openLimited: () => openAttackTarget({ appDir, rateLimits: "declared" }),
    });
  } finally {
    await target.close();
  }
}

/** The report of the shop with holes. */
export async function attackShopWithHoles(): Promise<AttackReport> {
  const appDir = shopWithHoles();
  try {
    return await attackFolder(appDir, 1);
  } finally {
    rmSync(appDir, { recursive: true, force: true });
  }
}
