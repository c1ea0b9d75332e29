// The hooks where React makes text on a server: nothing is asked, and what follows nothing is not loading.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { createClient, type LiveWebSocketClass } from "keelson/client";
import { useLive, useMe, useMutation } from "keelson/react";
import type app from "./app/keelson/app.ts";

test("a page is rendered on a server without asking anything", () => {
  const made: string[] = [];
  const fails = (what: string) => () => assert.fail(`${what} on a server`);
  const api = createClient<typeof app>("http://127.0.0.1:1", {
    fetch: fails("a request"),
    webSocket: fails("a connection") as unknown as LiveWebSocketClass,
  });
  const { BroadcastChannel } = globalThis;
  globalThis.BroadcastChannel = class extends BroadcastChannel {
    constructor(name: string) {
      super(name);
      made.push(name);
      this.close();
    }
  };
  const Page = () => {
    const notes = useLive(api.note.list(), { keepPreviousData: true });
    const nothing = useLive(null);
    const { me } = useMe(api);
    const { isPending } = useMutation(api.bank.move);
    return [notes.isLoading, nothing.isLoading, me === undefined, isPending].join();
  };
  try {
    assert.equal(renderToString(createElement(Page)), "true,false,true,false");
  } finally {
    globalThis.BroadcastChannel = BroadcastChannel;
  }
  assert.deepEqual(made, []);
});
