import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { openHttpScene, openRaw } from "./http-scene.case.ts";

const large = new Uint8Array(8_000_000);
const statics = {
  find: () => Promise.resolve({ status: 200 as const, headers: [], body: large }),
};

test("a client that does not read its answer is cut off, one that does gets all of it", async () => {
  const scene = await openHttpScene({ limits: { answerMsMax: 200 }, door: { statics } });
  try {
    const slow = openRaw(scene.port);
    slow.socket.pause();
    slow.send("GET /a HTTP/1.1\r\nhost: x\r\n\r\n");
    const cut = once(slow.socket, "close");
    const response = await fetch(`${scene.url}/a`);
    assert.equal((await response.arrayBuffer()).byteLength, large.length);
    while (scene.listener.connections() > 1) await new Promise((done) => setTimeout(done, 20));
    slow.socket.resume();
    await cut;
  } finally {
    await scene.close();
  }
});

test("what waits to be sent on one connection is bounded", async () => {
  const limits = { answerMsMax: 60_000, socketBytesMax: 1_000_000 };
  const scene = await openHttpScene({ limits, door: { statics } });
  try {
    const slow = openRaw(scene.port);
    slow.socket.pause();
    slow.send("GET /a HTTP/1.1\r\nhost: x\r\n\r\n");
    while (scene.listener.connections() === 0) await new Promise((done) => setTimeout(done, 5));
    while (scene.listener.connections() > 0) await new Promise((done) => setTimeout(done, 20));
    slow.socket.resume();
    await slow.all();
  } finally {
    await scene.close();
  }
});
