// Live queries of a client against a whole server: many at once, the same tick, tokens, optimistic changes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { heldSocket } from "./held-socket.ts";
import { openLiveScene, until } from "./live-scene.ts";

test("a thousand live queries of one client: one change calls one, one commit calls all in the same tick", async (context) => {
  const count = 1_000;
  const { client, direct } = await openLiveScene(context);
  const sure = direct();
  await sure.bank.open({ count });
  const api = client();
  const seen = new Array<number>(count).fill(-1);
  let calls = 0;
  let ticks = 0;
  let isInTick = false;
  for (let number = 0; number < count; number++) {
    api.account.first({ where: { number } }).live((account) => {
      calls++;
      seen[number] = account?.balance ?? -1;
      if (isInTick) return;
      isInTick = true;
      ticks++;
      queueMicrotask(() => (isInTick = false));
    });
  }
  await until(() => seen.every((balance) => balance === 100));
  const one = await sure.account.first({ where: { number: 7 } });
  assert.ok(one !== null);
  calls = 0;
  await sure.account.update(one.id, { balance: 500 });
  await until(() => seen[7] === 500);
  assert.equal(calls, 1);
  calls = 0;
  ticks = 0;
  const startedMs = performance.now();
  await sure.bank.raiseAll();
  await until(() => seen.every((balance, number) => balance === (number === 7 ? 501 : 101)));
  context.diagnostic(`1,000 queries moved in ${Math.round(performance.now() - startedMs)} ms`);
  assert.equal(calls, count);
  assert.equal(ticks, 1);
});

test("a token that expires is replaced, and the notes of its user stay live", async (context) => {
  const { server, client, direct, plantUser } = await openLiveScene(context, {
    limits: { liveCheckMs: 50 },
  });
  const user = await plantUser("Ada");
  const sign = (ttlMs: number) => server.signToken({ user, role: null, ttlMs });
  let refused = 0;
  const api = client({
    token: (expired) => {
      if (expired !== null) refused++;
      return sign(expired === null ? 1_000 : 60_000);
    },
  });
  const errors: unknown[] = [];
  const states: number[] = [];
  api.note.list().live(
    (notes) => states.push(notes.length),
    (error) => errors.push(error),
  );
  await until(() => states.length === 1 && refused === 1);
  const writer = client({ token: await sign(60_000) });
  await writer.note.create({ text: "after the renewal", owner: user });
  await until(() => states.length === 2);
  assert.deepEqual(errors, []);
  assert.deepEqual(states, [0, 1]);
  assert.equal(refused, 1);
  // Of nobody: anonymous callers see no note.
  assert.equal(await direct().note.count(), 0);
});

test("an optimistic change is never seen to go back, and a refused one does", async (context) => {
  const { client, direct } = await openLiveScene(context);
  await direct().tally.create({ name: "t", value: 0 });
  const api = client();
  const seen: (number | undefined)[] = [];
  api.tally.first({ where: { name: "t" } }).live((tally) => seen.push(tally?.value));
  await until(() => seen.length === 1);
  for (let made = 1; made <= 20; made++) {
    const raised = api.bank.raise({ name: "t", mark: `${made}` }).optimistic((show) => {
      show(api.tally.first({ where: { name: "t" } }), (tally) =>
        tally === null ? null : { ...tally, value: tally.value + 1 },
      );
    });
    assert.equal(seen.at(-1), made);
    assert.equal(await raised, made);
  }
  assert.ok(
    seen.every((value, index) => index === 0 || (value ?? 0) >= (seen[index - 1] ?? 0)),
    seen.join(),
  );
  const refused = api.bank.raise({ name: "none", mark: "x" }).optimistic((show) => {
    show(api.tally.first({ where: { name: "t" } }), (tally) =>
      tally === null ? null : { ...tally, value: 99 },
    );
  });
  assert.equal(seen.at(-1), 99);
  await assert.rejects(refused, { code: "FUNCTION_REFUSED" });
  assert.equal(seen.at(-1), 20);
});

test("an optimistic change whose commit changes nothing that is watched goes all the same", async (context) => {
  const { client, direct } = await openLiveScene(context);
  const sure = direct();
  await sure.tally.create({ name: "t", value: 0 });
  await sure.tally.create({ name: "other", value: 0 });
  const api = client();
  const seen: (number | undefined)[] = [];
  const query = () => api.tally.first({ where: { name: "t" } });
  query().live((tally) => seen.push(tally?.value));
  await until(() => seen.length === 1);
  await api.bank.raise({ name: "other", mark: "1" }).optimistic((show) => {
    show(query(), (tally) => (tally === null ? null : { ...tally, value: 5 }));
  });
  await until(() => seen.at(-1) === 0);
  assert.deepEqual(seen, [0, 5, 0]);
});

// What a page does when somebody signs in while it is open: it follows what is theirs, says that another one calls,
// and writes. Whichever of the messages are late, they see what is theirs, and their write in it.
const orders = {
  "as they come": () => undefined,
  "the token after the subscription": ({ hold }) =>
    hold("sent", (text) => !text.includes('"type":"subscribe"')),
  "the subscription after the token": ({ hold }) =>
    hold("sent", (text) => text.includes('"type":"subscribe"')),
  "pushes late": ({ hold }) => hold("heard", (text) => text.includes('"type":"push"')),
  "the connection late": null,
} satisfies Record<
  string,
  ((socket: ReturnType<typeof heldSocket>) => (() => void) | undefined) | null
>;

test("who signs in on an open page sees what is theirs, whichever message is late", async (context) => {
  const { server, direct, plantUser } = await openLiveScene(context);
  for (const [order, late] of Object.entries(orders)) {
    for (const tells of [true, false]) {
      const user = await plantUser(order);
      const signed = await server.signToken({ user, role: null, ttlMs: 60_000 });
      const held = heldSocket();
      let token: string | null = null;
      const api = direct({ token: () => token, webSocket: held.webSocket });
      let counted: number | undefined;
      api.note.count().live((count) => (counted = count));
      if (late !== null) await until(() => counted === 0);
      const release = late?.(held);

      token = signed;
      const mine = api.bank.mine().store();
      mine.subscribe(() => undefined);
      if (tells) await api.live.renewToken();
      const written = api.note.create({ text: order, owner: user }).optimistic(() => undefined);
      // Time enough for the server to answer whatever goes before what is held.
      await Promise.race([written, direct().tally.count()]);
      release?.();
      await written;
      await until(() => mine.getSnapshot().data?.length === 1 && counted === 1);
      assert.deepEqual(mine.getSnapshot().data, [order]);
      api.close();
    }
  }
});
