// What the ticket office does when nobody asks: holds run out, and the night counts what the day brought.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openTicketOffice } from "./ticket-office.case.ts";

const minuteMs = 60_000;

test("a hold leaves a job for when it runs out; a hold that is refused leaves none", async (context) => {
  const office = await openTicketOffice(context);
  const screening = await office.plantScreening();
  const ada = await office.signIn("Ada");
  const { text } = await office.ask(ada, "POST", "cinema.hold", { screening, seat: "A1" });
  const booking = JSON.parse(text) as string;
  const [held] = await office.rows("booking");
  const jobs = async () =>
    (await office.rows("workJob")).filter(({ queue }) => queue === "queue:cinema.expire");
  const [job] = await jobs();
  const { dueMs } = (job?.["info"] ?? {}) as { readonly dueMs: number };
  assert.equal(dueMs - Date.parse(String(held?.["heldAt"])), 10 * minuteMs);
  assert.deepEqual(job?.["input"], { booking });

  const refused = await office.ask(ada, "POST", "cinema.hold", { screening, seat: "A1" });
  assert.equal(refused.status, 409);
  assert.equal((await jobs()).length, 1, "what was refused left a job");
});

test("a hold that ran out is cancelled, one that did not or that was paid stays", async (context) => {
  const office = await openTicketOffice(context);
  const screening = await office.plantScreening();
  const customer = (await office.signIn("Ada")).user;
  const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
  const plant = (place: number, status: string, heldAt: string) =>
    office.plant("booking", { screening, row: 1, place, customer, status, heldAt, price: 10_00 });
  const bookings = [
    await plant(1, "held", ago(11 * minuteMs)),
    await plant(2, "held", ago(5 * minuteMs)),
    await plant(3, "paid", ago(11 * minuteMs)),
  ];
  for (const booking of bookings) await office.run("cinema.expire", { booking });
  const states = (await office.rows("booking")).map(({ status }) => status);
  assert.deepEqual(states, ["cancelled", "held", "paid"]);
});

test("the night writes down what the day brought, once", async (context) => {
  const office = await openTicketOffice(context);
  const screening = await office.plantScreening();
  const customer = (await office.signIn("Ada")).user;
  const plant = (place: number, status: string, heldAt: string) =>
    office.plant("booking", { screening, row: 1, place, customer, status, heldAt, price: 10_00 });
  await plant(1, "paid", "2030-03-31T00:00:00.000Z");
  await plant(2, "paid", "2030-03-31T23:59:59.999Z");
  await plant(3, "held", "2030-03-31T12:00:00.000Z");
  await plant(4, "paid", "2030-04-01T00:00:00.000Z");
  for (let run = 0; run < 2; run++) {
    await office.run("office.report", { at: "2030-04-01T03:00:00.000Z" });
  }
  await office.run("office.report", { at: "2030-04-05T03:00:00.000Z" });
  const reports = (await office.rows("report")).map(({ day, tickets, income }) => [
    day,
    tickets,
    income,
  ]);
  assert.deepEqual(reports, [
    ["2030-03-31", 2, 20_00],
    ["2030-04-04", 0, 0],
  ]);
  const ada = await office.signIn("Ada");
  assert.equal((await office.ask(ada, "GET", "/api/tables/report")).text.includes("2030"), false);
  const staff = await office.signIn("Box office", "staff");
  assert.equal((await office.ask(staff, "GET", "/api/tables/report")).status, 200);
});
