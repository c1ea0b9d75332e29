import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { openWorkScene } from "./work-scene.case.ts";

test("the app of docs/events-and-queues.md is one: a hold that nobody pays for is gone after ten minutes", async (context) => {
  const page = readFileSync(
    new URL("../../../../docs/events-and-queues.md", import.meta.url),
    "utf8",
  );
  const [schema = "", bookings = "", history = ""] = [
    ...page.matchAll(/```ts\n([\s\S]*?)```/g),
  ].map(([, code]) => code);
  const scene = await openWorkScene({
    files: {
      "schema.ts": schema,
      "bookings.ts": bookings,
      "history.ts": history,
      "rules.ts": `import { rules } from "./schema.ts";
export default rules({ booking: { read: () => true, create: () => true } });`,
      "app.ts": `import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as bookings from "./bookings.ts";
import * as history from "./history.ts";
export default app({ rules, functions: { bookings, history } });`,
    },
  });
  context.after(() => scene.close());
  await scene.call("bookings.hold", { seat: "A1" }, { id: "user_1" });
  await scene.advance(599_000);
  assert.equal((await scene.rows("booking"))[0]?.["status"], "held");
  await scene.advance(2_000);
  assert.equal((await scene.rows("booking"))[0]?.["status"], "gone");
  const followed = scene.told.filter(({ queue }) => queue === "consumer:history.notes");
  assert.deepEqual(
    followed.map(({ log }) => log[0]?.text.replace(/^booking_\S+|\d{4}-.*$/gv, "...")),
    ["... update ..."],
  );
});
