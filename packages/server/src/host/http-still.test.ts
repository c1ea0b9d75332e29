// Connections on which nothing moves, by a clock that the test sets.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { listenHttp } from "./http-listener.ts";
import { openHttpScene, openRaw } from "./http-scene.case.ts";

/** Node's to read, for its TE: idle connections of the others are ended by the same clock (http-whole.test.ts). */
const request = "GET /healthz HTTP/1.1\r\nhost: x\r\nte: trailers\r\n\r\n";

test("a connection on which nothing moves for longer than anything may take is cut off, no other", async () => {
  const scene = await openHttpScene();
  let nowUs = 0;
  const waiting = new Set<() => void>();
  const clock: Clock = {
    nowMs: () => nowUs / 1_000,
    monotonicUs: () => nowUs,
    after: (_delayMs, run) => {
      waiting.add(run);
      return () => waiting.delete(run);
    },
  };
  const pass = (ms: number): void => {
    nowUs += ms * 1_000;
    const due = [...waiting];
    waiting.clear();
    for (const run of due) run();
  };
  const longest = Math.max(limits.actionMsMax, limits.requestMsMax, limits.keepAliveMs) + 5_000;
  const listener = await listenHttp({
    door: scene.door,
    host: "127.0.0.1",
    port: 0,
    limits,
    clock,
  });
  const [still, busy] = [openRaw(listener.port), openRaw(listener.port)];
  for (const one of [still, busy]) {
    one.send(request);
    await one.until("ok");
  }
  pass(0);
  pass(longest);
  assert.equal(listener.connections(), 2, "not longer yet");
  busy.send(request);
  await once(busy.socket, "data");
  const cut = once(still.socket, "close");
  pass(1);
  await cut;
  pass(longest);
  assert.equal(listener.connections(), 1);
  busy.socket.destroy();
  await listener.close(5_000);
  assert.equal(waiting.size, 0, "nothing is looked at after the end");
  await scene.close();
});
