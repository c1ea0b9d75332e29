import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Html, html } from "./html.ts";

const entities: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
};

/** What a browser reads. */
function read(text: string): string {
  return text.replaceAll(/&(?:amp|lt|gt|quot|#39);/gv, (entity) => entities[entity] ?? "");
}

test("a value is read as it was, in text and in attributes, and never ends either", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string(), (title, name) => {
      const { text } = html`<p title="${title}">${name}</p>`;
      const [, inTitle, inText] = /^<p title="([^"<>]*)">([^<>]*)<\/p>$/v.exec(text) ?? [];
      assert.equal(read(inTitle ?? ""), title);
      assert.equal(read(inText ?? ""), name);
    }),
  );
});

test("pieces keep what they are, lists are joined, and nothing is nothing", () => {
  const item = html`<li>${"<&>"}</li>`;
  const { text } = html`<b>${[item, [item], null, undefined, false, 0]}</b>`;
  assert.equal(text, "<b><li>&lt;&amp;&gt;</li><li>&lt;&amp;&gt;</li>0</b>");
});

test("a sheet or script that would end its own element is a bug, not a page", () => {
  assert.throws(() => Html.element("style", "</style><script>alert(1)</script>"));
});
