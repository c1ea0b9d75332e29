// Customers, guests and staff, as requests: who is asked for a second factor, and what a guest takes along.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, KeelsonError } from "keelson/client";
import { generateSync } from "otplib";
import type app from "../keelson/app.ts";
import { openTicketOffice, type TicketOffice } from "./ticket-office.case.ts";

const password = "a ticket to the sea";

/** A program of somebody: it keeps its tokens itself. */
function programOf({ url }: TicketOffice) {
  return createClient<typeof app>(url, { auth: "tokens", retry: false });
}

/** The ticket of the newest letter. */
async function ticketOf(office: TicketOffice, to: string): Promise<string> {
  return new URL(await office.letterLink(to)).searchParams.get("ticket") ?? "";
}

function isRefused(code: string) {
  return (error: unknown) => error instanceof KeelsonError && error.code === code;
}

test("staff do nothing before they have a second factor, and are asked for it from then on", async (context) => {
  const office = await openTicketOffice(context);
  const boss = await office.signIn("Box office", "staff");
  const email = "ada@example.com";
  const ada = programOf(office);
  await ada.auth.signUp({ email, password, name: "Ada" });
  await ada.auth.confirmEmail({ ticket: await ticketOf(office, email), password });
  const film = (await office.plant("film", { title: "The Third Man" })) as `film_${string}`;
  await assert.rejects(ada.film.update(film, { title: "Mine" }), isRefused("RULE_DENIED"));

  const hired = await office.ask(boss, "POST", "office.hire", { email: "Ada@Example.com" });
  assert.equal(hired.status, 200, hired.text);
  await assert.rejects(ada.film.update(film, { title: "x" }), isRefused("SECOND_FACTOR_REQUIRED"));
  await assert.rejects(ada.film.list({ limit: 1 }), isRefused("SECOND_FACTOR_REQUIRED"));

  const { secret } = await ada.auth.beginTotp();
  const code = (ahead: number) =>
    generateSync({ secret, epoch: Math.floor(Date.now() / 1_000) + 30 * ahead });
  const { recoveryCodes } = await ada.auth.confirmTotp({ code: code(0) });
  await ada.film.update(film, { title: "The Third Man (1949)" });

  const later = programOf(office);
  const first = await later.auth.signIn({ email, password });
  assert.equal(first.kind, "second-factor");
  assert.equal(await later.auth.me(), null, "the password alone is nobody");
  const ticket = first.kind === "second-factor" ? first.ticket : "";
  await assert.rejects(later.auth.secondFactor({ ticket, code: code(0) }), isRefused("CODE_WRONG"));
  const [recoveryCode = ""] = recoveryCodes;
  const done = await later.auth.secondFactor({ ticket, recoveryCode });
  assert.equal(done.kind, "signed-in");
  assert.equal((await later.auth.me())?.role, "staff");
  await later.film.update(film, { title: "The Third Man" });
  ada.close();
  later.close();
});

test("a guest who signs up is the same user, with the same seats, on every device", async (context) => {
  const office = await openTicketOffice(context);
  const screening = (await office.plantScreening()) as `screening_${string}`;
  const email = "bob@example.com";
  const phone = programOf(office);
  const { user } = (await phone.auth.guest()) as { readonly user: string };
  assert.equal((await phone.auth.me())?.guest, true);
  const booking = await phone.cinema.hold({ screening, seat: "F7" });
  await phone.auth.signUp({ email, password, name: "Bob" });
  // The letter is read elsewhere: the password shows that it is the same person.
  const laptop = programOf(office);
  await laptop.auth.confirmEmail({ ticket: await ticketOf(office, email), password });
  const me = await laptop.auth.me();
  assert.deepEqual([me?.id, me?.guest, me?.name], [user, false, "Bob"]);
  const mine = await laptop.cinema.mine();
  assert.deepEqual(
    mine.map(({ id, seat }) => [id, seat]),
    [[booking, "F7"]],
  );
  phone.close();
  laptop.close();
});
