// Whether the time of an answer tells who has an account: many of both kinds, in turn, and the two distributions
// compared. A test of ranks, so that a pause of the machine moves nothing: it asks how often an answer for a known address
// takes longer than one for an unknown address. One half: time tells nothing.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { goodPassword, openAuthScene, type AuthScene } from "./auth-scene.case.ts";

const timeout = 120_000;
const rounds = 36;
let scene: AuthScene;

before(async () => {
  // Hashing costs here what it costs for people: it is what would give them away.
  scene = await openAuthScene({ limits: { passwordMemoryKib: 4_096, passwordPasses: 2 } });
});
after(() => scene.close());

/** How often the first is longer than the second: 0 to 1. */
function longerShare(first: readonly number[], second: readonly number[]): number {
  let longer = 0;
  for (const a of first) for (const b of second) longer += a > b ? 1 : 0;
  return longer / (first.length * second.length);
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await run();
  return performance.now() - startMs;
}

const asks: readonly (readonly [line: string, body: Readonly<Record<string, string>>])[] = [
  ["POST /auth/sign-in", { password: "not the right sentence" }],
  ["POST /auth/sign-up", { password: goodPassword }],
  ["POST /auth/reset", {}],
  ["POST /auth/magic-link", {}],
  ["POST /auth/email-code", {}],
];

for (const [at, [line, body]] of asks.entries()) {
  test(
    `enumeration by time: ${line} takes as long for nobody as for somebody`,
    { timeout },
    async () => {
      const emails: string[] = [];
      for (let count = 0; count < 6; count++) {
        const email = `t${at}x${count}@example.com`;
        await scene.person().join(email);
        emails.push(email);
      }
      const known: number[] = [];
      const unknown: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const email = emails[round % emails.length] ?? "";
        const none = `u${email}`;
        // Letters to one address are limited: what is refused would not be compared.
        if (round % (emails.length * 5) === 0) scene.clock.move(3_700_000);
        const both = [
          async () => known.push(await timed(() => scene.person().ask(line, { ...body, email }))),
          async () =>
            unknown.push(await timed(() => scene.person().ask(line, { ...body, email: none }))),
        ];
        for (const ask of round % 2 === 0 ? both : both.toReversed()) await ask();
      }
      // The first of each warm up.
      const share = longerShare(known.slice(6), unknown.slice(6));
      assert.ok(share > 0.3 && share < 0.7, `known addresses took longer in ${share} of pairs`);
    },
  );
}

test(
  "enumeration by time: the test sees a difference where there is one",
  { timeout },
  async () => {
    const quick: number[] = [];
    const slow: number[] = [];
    for (let round = 0; round < 30; round++) {
      const wrong = { email: `v${round}@example.com`, password: "not the right sentence" };
      slow.push(await timed(() => scene.person().ask("POST /auth/sign-in", wrong)));
      quick.push(
        await timed(() => scene.person().ask("POST /auth/sign-in", { email: "no", password: "x" })),
      );
    }
    assert.ok(longerShare(slow, quick) > 0.9);
  },
);
