// Frames of every length against a WebSocket that is not ours, and what they cost in memory.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { WebSocketServer } from "ws";
import { newLiveTraffic } from "./live-traffic.ts";
import { LiveWire } from "./live-wire.ts";

test(
  "messages of every length arrive whole, in order, between frames of ws",
  { timeout: 10_000 },
  async () => {
    const texts = [
      "",
      "a",
      "é".repeat(62),
      "x".repeat(125),
      "x".repeat(126),
      "\u{1f600}".repeat(40),
    ];
    texts.push("y".repeat(65_535), "y".repeat(65_536), `${"é".repeat(40_000)}!`, "last");
    const values: readonly [string, string, string][] = [
      ["{", "v", "}"],
      ["{é", "w".repeat(8_191), "}"],
      ["{é", "ü".repeat(8_192), "}"],
      ["{", "z".repeat(70_000), "}é"],
    ];
    const wanted = [...texts, ...values.map((parts) => parts.join("")), ...texts, "ws says"];
    const traffic = newLiveTraffic();
    const http = createServer();
    const server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
    http.on("upgrade", (request, socket, head) => {
      server.handleUpgrade(request, socket, head, (webSocket) => {
        const wire = new LiveWire(socket, traffic);
        for (const text of texts) wire.send(text);
        webSocket.ping();
        for (const [before, value, after] of values) wire.sendValue(before, value, after);
        for (const text of texts) wire.sendSoon(text);
        queueMicrotask(() => webSocket.send("ws says"));
      });
    });
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    const { port } = http.address() as AddressInfo;
    const client = new WebSocket(`ws://127.0.0.1:${port}/`);
    const heard: string[] = [];
    try {
      await new Promise<void>((resolve, reject) => {
        client.addEventListener("message", ({ data }) => {
          heard.push(String(data));
          if (heard.length === wanted.length) resolve();
        });
        client.addEventListener("close", ({ code }) => reject(new Error(`closed with ${code}`)));
      });
      assert.deepEqual(heard, wanted);
      assert.ok(traffic.sentBytes > 2 * 200_000);
    } finally {
      client.close();
      http.close();
    }
  },
);

test("a long value that nobody reads is in memory once, however many are to get it", () => {
  const traffic = newLiveTraffic();
  const before = process.memoryUsage().arrayBuffers;
  const value = JSON.stringify("x".repeat(1_000_000));
  const wires = Array.from({ length: 200 }, () => {
    const stuck = new Duplex({ read: () => undefined, write: () => undefined });
    return new LiveWire(stuck, traffic);
  });
  for (const [index, wire] of wires.entries()) {
    wire.sendValue(`{"id":${index},"value":`, value, "}");
    assert.ok(wire.unreadBytes > 1_000_000);
  }
  const grown = process.memoryUsage().arrayBuffers - before;
  assert.ok(grown < 20_000_000, `${grown} bytes for 200 clients of one value of 1 MB`);
});

test("answers of one turn are one write", async () => {
  let writes = 0;
  const stream = new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done) => {
      writes += 1;
      done();
    },
    writev: (_chunks, done) => {
      writes += 1;
      done();
    },
  });
  const wire = new LiveWire(stream, newLiveTraffic());
  for (let count = 0; count < 50; count++) wire.sendSoon(`answer ${count}`);
  await Promise.resolve();
  assert.equal(writes, 1);
  wire.sendSoon("answer");
  wire.send("a push goes at once, and after what waits");
  assert.equal(writes, 3);
});
