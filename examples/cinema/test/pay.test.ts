// Money at the ticket office: what Stripe is asked for, what its webhooks bring about, and what goes back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openTicketOffice, type Person, type TicketOffice } from "./ticket-office.case.ts";

/** Holds seats. @returns the bookings. */
async function hold(
  office: TicketOffice,
  who: Person,
  screening: string,
  ...seats: readonly string[]
): Promise<readonly string[]> {
  const bookings: string[] = [];
  for (const seat of seats) {
    const { status, text } = await office.ask(who, "POST", "cinema.hold", { screening, seat });
    assert.equal(status, 200, text);
    bookings.push(JSON.parse(text) as string);
  }
  return bookings;
}

/** Begins to pay. @returns the session's name. */
async function toTheTill(office: TicketOffice, who: Person, screening: string): Promise<string> {
  const { status, text } = await office.ask(who, "POST", "pay.start", { screening });
  assert.equal(status, 200, text);
  const payment = JSON.parse(text) as string;
  for (let tries = 0; tries < 500; tries++) {
    const page = await office.ask(who, "POST", "pay.till", { payment });
    const url = JSON.parse(page.text) as string | null;
    if (url?.startsWith(`${office.stripe.url}/c/pay/`)) return url.slice(url.lastIndexOf("/") + 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("Stripe was not asked for a page");
}

test("held seats are paid for on one page, at the house's prices, and two webhooks have one effect", async (context) => {
  const office = await openTicketOffice(context, { till: true });
  const screening = await office.plantScreening({ price: 12_50 });
  const ada = await office.signIn("Ada");
  const bookings = await hold(office, ada, screening, "A1", "A2");
  const session = await toTheTill(office, ada, screening);
  assert.equal(await toTheTill(office, ada, screening), session, "asked again");
  const [made] = office.stripe.objects("checkout.session");
  assert.equal(made?.["amount_total"], 25_00);

  office.stripe.failWebhook({ kind: "duplicate", on: "checkout.session.completed" });
  assert.equal(office.stripe.pay(session), `${office.url}/?paid`);
  for (const booking of bookings) await office.becomes("booking", booking, "paid");
  await office.stripe.settled();
  assert.deepEqual(await office.rows("refund"), []);
  assert.match(await office.letter("customer@example.com"), /Your tickets for Film 1[^]*A1, A2/);
  const payments = await office.rows("payment");
  assert.deepEqual(
    payments.map(({ status, amount }) => [status, amount]),
    [["paid", 25_00]],
  );
  assert.equal(await office.holds(), true);
});

test("who pays when the seat is gone gets the money back, and the other seat", async (context) => {
  const office = await openTicketOffice(context, { till: true });
  const screening = await office.plantScreening();
  const ada = await office.signIn("Ada");
  const bookings = await hold(office, ada, screening, "A1", "A2");
  const session = await toTheTill(office, ada, screening);
  const [lost = "", kept = ""] = bookings;
  await office.ask(ada, "POST", "cinema.release", { booking: lost });
  const bob = await office.signIn("Bob");
  await hold(office, bob, screening, "A1");

  office.stripe.pay(session);
  await office.becomes("booking", kept, "paid");
  await office.becomes("booking", lost, "cancelled");
  const [refund] = await office.rows("refund");
  await office.becomes("refund", String(refund?.["id"]), "done");
  const amounts = office.stripe.objects("refund").map(({ amount }) => amount);
  assert.deepEqual(amounts, [10_00]);
  assert.equal(await office.holds(), true);
});

test("a seat that was paid for on two pages is paid for once", async (context) => {
  const office = await openTicketOffice(context, { till: true });
  const screening = await office.plantScreening();
  const ada = await office.signIn("Ada");
  const [one = ""] = await hold(office, ada, screening, "A1");
  const first = await toTheTill(office, ada, screening);
  const [two = ""] = await hold(office, ada, screening, "A2");
  const second = await toTheTill(office, ada, screening);
  assert.notEqual(first, second);
  office.stripe.pay(first);
  await office.becomes("booking", one, "paid");
  office.stripe.pay(second);
  await office.becomes("booking", two, "paid");
  const [refund] = await office.rows("refund");
  await office.becomes("refund", String(refund?.["id"]), "done");
  const given = office.stripe.objects("refund").map(({ amount }) => amount);
  assert.deepEqual(given, [10_00]);
});

test("a page that ran out is not paid on, and the next one is another", async (context) => {
  const office = await openTicketOffice(context, { till: true });
  const screening = await office.plantScreening();
  const ada = await office.signIn("Ada");
  await hold(office, ada, screening, "A1");
  const session = await toTheTill(office, ada, screening);
  office.stripe.advance(2 * 3_600_000);
  const [payment] = await office.rows("payment");
  await office.becomes("payment", String(payment?.["id"]), "expired");
  const [booking] = await office.rows("booking");
  assert.equal(booking?.["status"], "held");
  assert.throws(() => office.stripe.pay(session));
});

test("a paid seat that is let go is given back once, however often it is tried", async (context) => {
  const office = await openTicketOffice(context, { till: true });
  const screening = await office.plantScreening();
  const ada = await office.signIn("Ada");
  const [booking = ""] = await hold(office, ada, screening, "A1");
  office.stripe.pay(await toTheTill(office, ada, screening));
  await office.becomes("booking", booking, "paid");
  office.stripe.failApi({ kind: "timeoutAfterSuccess", on: "POST /v1/refunds" });
  const bob = await office.signIn("Bob");
  assert.equal((await office.ask(bob, "POST", "cinema.release", { booking })).status, 404);
  assert.equal((await office.ask(ada, "POST", "cinema.release", { booking })).status, 200);
  const [refund] = await office.rows("refund");
  await office.becomes("refund", String(refund?.["id"]), "done");
  assert.equal(office.stripe.objects("refund").length, 1);
});

test("a screening that is called off gives every seat free and every payment back", async (context) => {
  const office = await openTicketOffice(context, { till: true });
  const screening = await office.plantScreening();
  const [ada, bob] = [await office.signIn("Ada"), await office.signIn("Bob")];
  const paid = await hold(office, ada, screening, "A1", "A2");
  office.stripe.pay(await toTheTill(office, ada, screening));
  for (const booking of paid) await office.becomes("booking", booking, "paid");
  const [held = ""] = await hold(office, bob, screening, "B1");
  const late = await toTheTill(office, bob, screening);

  const denied = await office.ask(ada, "POST", "office.callOff", { screening });
  assert.equal(denied.status, 403);
  const staff = await office.signIn("Box office", "staff");
  const off = await office.ask(staff, "POST", "office.callOff", { screening });
  assert.equal(off.status, 200, off.text);
  for (const booking of [...paid, held]) await office.becomes("booking", booking, "cancelled");
  const refunds = (await office.rows("refund")).map(({ id }) => String(id));
  assert.equal(refunds.length, 2);
  for (const refund of refunds) await office.becomes("refund", refund, "done");

  assert.match(
    await office.letter("customer@example.com", /called off/),
    /called off[^]*EUR 10\.00/,
  );

  const refused = await office.ask(bob, "POST", "cinema.hold", { screening, seat: "C1" });
  assert.match(refused.text, /CALLED_OFF/);
  // Bob was on Stripe's page all the while.
  office.stripe.pay(late);
  await office.stripe.settled();
  const [payment = ""] = (await office.rows("payment"))
    .filter(({ customer }) => customer === bob.user)
    .map(({ id }) => String(id));
  await office.becomes("payment", payment, "paid");
  const all = (await office.rows("refund")).map(({ id }) => String(id));
  assert.equal(all.length, 3);
  for (const refund of all) await office.becomes("refund", refund, "done");
  const given = office.stripe
    .objects("refund")
    .reduce((sum, one) => sum + Number(one["amount"]), 0);
  assert.equal(given, 30_00);
});
