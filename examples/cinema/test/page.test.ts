// The whole example in a real browser: from a search to a paid seat, and what a second person sees of it.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import { generateSync } from "otplib";
import { chromium, type Browser, type Page } from "playwright-core";
import { openTicketOffice, type TicketOffice } from "./ticket-office.case.ts";

const executablePath =
  process.env["CHROMIUM"] ??
  ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const skip =
  executablePath === undefined && "chromium is not installed (CHROMIUM names it elsewhere)";
const flags = [
  ...["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
  ...["--disable-component-update", "--disable-sync"],
];

let browser: Browser;

before(async () => {
  if (executablePath === undefined) return;
  browser = await chromium.launch({ executablePath, args: flags });
});

after(async () => {
  if (executablePath !== undefined) await browser.close();
});

/** A person with a browser of their own; whatever goes wrong in the page fails the test. */
async function visit(office: TicketOffice, mistakes: string[]): Promise<Page> {
  const context = await browser.newContext({ locale: "en-GB" });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  page.on("pageerror", (error) => mistakes.push(error.message));
  await page.goto(office.url);
  return page;
}

/** Signs up and follows the letter, as the pages lead. */
async function signUp(page: Page, office: TicketOffice, name: string): Promise<void> {
  const email = `${name.toLowerCase()}@example.com`;
  await page.getByRole("link", { name: "Sign up to keep your seats" }).click();
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill("a ticket to the sea");
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.getByRole("heading", { name: "Look into your mail" }).waitFor();
  await page.goto(await office.letterLink(email));
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.getByRole("link", { name, exact: true }).waitFor();
}

/** Searches for the film and opens its screening. */
async function openSeats(page: Page, free = "C4"): Promise<void> {
  await page.getByPlaceholder("Title or director").fill("third reed");
  await page.getByRole("button", { name: /The Third Man/ }).click();
  await page.getByRole("button", { name: /Blue Hall/ }).click();
  await page.getByRole("button", { name: `Seat ${free}, free` }).waitFor();
}

/** From here on what the server pushes to the page can be held back. @returns what begins it, which returns what ends it. */
async function holdingPushes(page: Page): Promise<() => () => void> {
  let held: (() => void)[] | null = null;
  await page.routeWebSocket("**/api/live", (socket) => {
    const server = socket.connectToServer();
    server.onMessage((message) => {
      const pass = () => socket.send(message);
      if (held !== null && String(message).includes('"push"')) held.push(pass);
      else pass();
    });
  });
  return () => {
    held = [];
    return () => {
      for (const pass of held ?? []) pass();
      held = null;
    };
  };
}

async function officeWithFilms(
  context: Parameters<typeof openTicketOffice>[0],
): Promise<{ office: TicketOffice; screening: string }> {
  const office = await openTicketOffice(context, { page: true, till: true });
  for (let index = 0; index < 65; index++) {
    await office.plant("film", { title: `Unknown ${index}`, rating: 5, genre: "Drama" });
  }
  await office.plant("film", { title: "Duck Soup", rating: 7.9, genre: "Comedy" });
  const film = await office.plant("film", {
    title: "The Third Man",
    director: "Carol Reed",
    released: "1949-09-01",
    rating: 8.3,
  });
  const screening = await office.plantScreening({ film, hall: "Blue Hall" });
  return { office, screening };
}

test("from a search to a paid seat, which nobody else can have", { skip }, async (context) => {
  const { office } = await officeWithFilms(context);
  const mistakes: string[] = [];
  const [ada, bob] = await Promise.all([visit(office, mistakes), visit(office, mistakes)]);

  const holdPushes = await holdingPushes(bob);
  await Promise.all([openSeats(ada), openSeats(bob)]);
  await bob.getByRole("button", { name: "Seat A1, free" }).click();
  await bob.getByText("Seat A1 is yours for ten minutes.").waitFor();

  // Bob's page does not learn of Ada's seat: the seat that he sees as free is taken when he clicks.
  const releasePushes = holdPushes();
  await ada.getByRole("button", { name: "Seat C4, free" }).click();
  await ada.getByText("Seat C4 is yours for ten minutes.").waitFor();
  await bob.getByRole("button", { name: "Seat C4, free" }).click();
  await bob.getByText("Somebody was faster: that seat has just been taken.").waitFor();
  releasePushes();
  await bob.getByRole("button", { name: "Seat C4, taken" }).waitFor();

  await ada.getByRole("button", { name: "Seat C5, free" }).click();
  await ada.getByRole("button", { name: /Pay €20\.00 for/ }).click();
  // Stripe's page, or what stands for it here.
  await ada.getByRole("heading", { name: "Pay €20.00" }).waitFor();
  await ada.getByText("The Third Man, seat C4").waitFor();
  await ada.getByLabel("E-mail").fill("ada@example.com");
  await ada.getByRole("button", { name: "Pay", exact: true }).click();
  const bookings = ada.getByRole("region", { name: "My bookings" }).getByRole("listitem");
  await bookings.nth(1).getByText("paid").waitFor();
  const texts = await bookings.allTextContents();
  assert.match(texts[0] ?? "", /The Third Man.*Blue Hall · seat C5 · €10\.00.*paid/);
  assert.match(texts[1] ?? "", /seat C4.*paid/);

  await bookings.nth(0).getByRole("button", { name: "Let go" }).click();
  await bookings.nth(0).getByText("cancelled").waitFor();
  await bob.getByRole("button", { name: "Seat C5, free" }).waitFor();
  const [refund] = await office.rows("refund");
  await office.becomes("refund", String(refund?.["id"]), "done");
  assert.deepEqual(mistakes, []);
});

test("films are searched, filtered and paged", { skip }, async (context) => {
  const { office } = await officeWithFilms(context);
  const mistakes: string[] = [];
  const page = await visit(office, mistakes);
  const films = page.getByRole("region", { name: "Films" }).getByRole("listitem");
  await films.first().waitFor();
  assert.equal(await films.count(), 1, "what plays this week comes first");
  await page.getByRole("button", { name: "Every film" }).click();
  await films.nth(29).waitFor();
  assert.match((await films.first().textContent()) ?? "", /The Third Man1949 · Carol Reed8\.3/);
  await page.getByRole("button", { name: "More films" }).click();
  await films.nth(59).waitFor();
  await page.getByRole("combobox", { name: "Genre" }).selectOption("Comedy");
  await films.getByText("Duck Soup").waitFor();
  await page.waitForFunction(() => document.querySelectorAll(".film").length === 1);
  await page.getByRole("combobox", { name: "Genre" }).selectOption("");
  await page.getByRole("slider").fill("8");
  await films.getByText("The Third Man").waitFor();
  await page.getByPlaceholder("Title or director").fill("nothing like it");
  await page.getByText("No film matches.").waitFor();
  assert.deepEqual(mistakes, []);
});

test(
  "a guest signs up and keeps the seats, signs out, and comes back",
  { skip },
  async (context) => {
    const { office } = await officeWithFilms(context);
    const mistakes: string[] = [];
    const page = await visit(office, mistakes);
    await openSeats(page);
    await page.getByRole("button", { name: "Seat D7, free" }).click();
    await page.getByText("Seat D7 is yours for ten minutes.").waitFor();
    await signUp(page, office, "Ada");
    await page.getByRole("button", { name: "My bookings" }).click();
    const bookings = page.getByRole("region", { name: "My bookings" }).getByRole("listitem");
    await bookings.getByText(/seat D7/).waitFor();

    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("link", { name: "Sign in" }).click();
    await page.getByLabel("E-mail address").fill("ada@example.com");
    await page.getByLabel("Password").fill("a ticket to the sea");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("button", { name: "My bookings" }).click();
    await bookings.getByText(/seat D7/).waitFor();
    assert.deepEqual(mistakes, []);
  },
);

test("a page whose session was ended elsewhere says so and goes on", { skip }, async (context) => {
  const { office } = await officeWithFilms(context);
  const mistakes: string[] = [];
  const page = await visit(office, mistakes);
  await openSeats(page);
  await page.getByRole("button", { name: "Seat A1, free" }).click();
  await page.getByText("Seat A1 is yours for ten minutes.").waitFor();
  await page.evaluate(() => fetch("/auth/sign-out", { method: "POST" }));
  await page.getByRole("button", { name: "Seat A2, free" }).click();
  await page.getByText("You are signed out.").waitFor();
  await page.getByRole("link", { name: "Sign in" }).waitFor();
  await page.getByRole("button", { name: "Seat A2, free" }).click();
  await page.getByText("Seat A2 is yours for ten minutes.").waitFor();
  assert.deepEqual(mistakes, []);
});

/** Makes somebody who signed up one of the staff, with the second factor that staff have. */
async function hire(page: Page, office: TicketOffice, email: string): Promise<void> {
  await office.run("office.hire", { email });
  const post = (path: string, body: object): Promise<Record<string, string>> =>
    page.evaluate(
      async ([path, text]) => {
        const headers = { "content-type": "application/json" };
        const response = await fetch(path, { method: "POST", headers, body: text });
        if (!response.ok) throw new Error(await response.text());
        return (await response.json()) as Record<string, string>;
      },
      [path, JSON.stringify(body)] as const,
    );
  const { secret = "" } = await post("/auth/totp/begin", {});
  await post("/auth/totp/confirm", { code: generateSync({ secret }) });
  await page.reload();
}

test(
  "staff call a screening off: the seats are free and the money goes back, in the page of everybody",
  { skip },
  async (context) => {
    const { office, screening } = await officeWithFilms(context);
    const mistakes: string[] = [];
    const ada = await visit(office, mistakes);
    await openSeats(ada);
    await ada.getByRole("button", { name: "Seat C4, free" }).click();
    await ada.getByText("Seat C4 is yours for ten minutes.").waitFor();
    await ada.getByRole("button", { name: "My bookings" }).click();
    await ada.getByRole("button", { name: "Pay" }).click();
    await ada.getByLabel("E-mail").fill("ada@example.com");
    await ada.getByRole("button", { name: "Pay" }).click();
    const mine = ada.getByRole("region", { name: "My bookings" }).getByRole("listitem");
    await mine.getByText("paid", { exact: true }).waitFor();

    const zoe = await visit(office, mistakes);
    await openSeats(zoe, "C5");
    await zoe.getByRole("button", { name: "Seat C5, free" }).click();
    await zoe.getByText("Seat C5 is yours for ten minutes.").waitFor();
    assert.equal(await zoe.getByRole("button", { name: "Box office" }).count(), 0);
    await signUp(zoe, office, "Zoe");
    await hire(zoe, office, "zoe@example.com");
    await zoe.getByRole("button", { name: "Box office" }).click();
    const show = zoe.getByRole("region", { name: "Box office" }).getByRole("listitem");
    await show.getByText(/Blue Hall · 1 paid, 1 held/).waitFor();
    await show.getByRole("button", { name: "Call off" }).click();
    await show.getByRole("button", { name: "Keep it" }).click();
    await show.getByText("planned", { exact: true }).waitFor();
    await show.getByRole("button", { name: "Call off" }).click();
    await show.getByRole("button", { name: "Call off and give the money back" }).click();
    await show.getByText("called off, nothing is owed").waitFor();
    await show.getByText(/0 paid, 0 held/).waitFor();
    assert.equal(await show.getByRole("button", { name: "Call off" }).count(), 0);
    // Whoever looks at their own bookings sees it as it happens.
    await mine.getByText("cancelled", { exact: true }).waitFor();

    const given = office.stripe.objects("refund").map(({ amount }) => amount);
    assert.deepEqual(given, [10_00]);
    const bookings = await office.rows("booking");
    assert.deepEqual(
      bookings.map((booking) => [booking["screening"], booking["status"]]),
      [
        [screening, "cancelled"],
        [screening, "cancelled"],
      ],
    );
    assert.match(await office.letter("ada@example.com", /called off/), /EUR 10\.00/);
    assert.equal(await office.holds(), true);
    assert.deepEqual(mistakes, []);
  },
);
