import assert from "node:assert/strict";
import { test } from "node:test";
import { workSpecLines } from "./app-work-text.ts";

test("work is one line each, with what it runs and when", () => {
  const lines = workSpecLines({
    events: {
      "booking.paid": { payload: {}, key: "booking", keepMs: 1 },
      rang: { payload: {}, keepMs: 1 },
    },
    queues: {
      "mail.out": { function: "mail.send", concurrency: 5, ratePerKey: "10/minute", ordered: true },
      "mail.plain": { function: "mail.send" },
    },
    consumers: {
      "mail.tickets": { function: "mail.ticket", event: "booking.paid", from: "now" },
      "mail.seats": { function: "mail.seat", table: "seat", changes: ["update"], from: "now" },
    },
    crons: {
      "night.run": {
        function: "night.report",
        schedule: "0 3 * * *",
        text: "every day at 03:00",
        zone: "Europe/Vienna",
        missed: "last",
      },
    },
    hooks: { stripe: { function: "pay.on", scheme: { kind: "stripe" }, secrets: [], logMs: 1 } },
    workflows: { "shop.deliver": { args: {}, signals: { sent: {} }, keepMs: 1 } },
  });
  assert.deepEqual(lines, [
    "booking.paid  event                       in order by booking",
    "rang          event                       in order",
    "mail.tickets  on booking.paid             mail.ticket",
    "mail.seats    on change of seat (update)  mail.seat",
    "mail.out      queue                       mail.send · 5 at once · 10/minute a key · in order",
    "mail.plain    queue                       mail.send",
    "night.run     cron                        every day at 03:00 Europe/Vienna · night.report",
    "stripe        POST /hooks/stripe          stripe · pay.on",
    "shop.deliver  workflow                    signals sent",
  ]);
});

test("an app without work shows no line", () => {
  assert.deepEqual(workSpecLines(undefined), []);
});
