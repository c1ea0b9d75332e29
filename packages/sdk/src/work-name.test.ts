// What the modules of an app export as work and workflows must be the app's own, and stand there once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { define } from "./define.ts";
import { DefinitionError } from "./definition-error.ts";

const own = define({});
const run = () => null;
const mail = own.mutation({ run });

/** What an app that exports this from one module says. */
function mistakeOf(exports: object): string {
  try {
    own.app({ functions: { shop: { mail, ...exports } } });
  } catch (error) {
    assert.ok(error instanceof DefinitionError, String(error));
    return error.message;
  }
  return "none";
}

test("what is exported twice, or made by another define, is refused with what to import", () => {
  const other = define({});
  const send = own.queue(mail);
  const order = own.workflow({ run });
  assert.match(mistakeOf({ send, again: send }), /"shop.again" and "shop.send" are the same/);
  assert.match(mistakeOf({ order, again: order }), /"shop.again" and "shop.order" are the same/);
  const foreign = /was made by another `define`[^]*Import (queue, on.*|workflow) from/;
  assert.match(mistakeOf({ send: other.queue(other.mutation({ run })) }), foreign);
  assert.match(mistakeOf({ order: other.workflow({ run }) }), foreign);
});
