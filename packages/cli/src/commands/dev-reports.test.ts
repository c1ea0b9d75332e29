import assert from "node:assert/strict";
import { test } from "node:test";
import { makeTerminal } from "../terminal/terminal.ts";
import { DevReports } from "./dev-reports.ts";

/** Reports, and the lines that they made so far. */
function openScene(isWhole = false) {
  let text = "";
  const stream = { write: (piece: string) => (text += piece) };
  const reports = new DevReports(makeTerminal(stream, stream, {}), isWhole);
  const taken = (): string => {
    const before = text;
    text = "";
    return before;
  };
  return { reports, taken };
}

function undelivered(port: number): Error {
  const cause = new Error(`connect ECONNREFUSED 127.0.0.1:${port}`);
  return new Error("the mail verify-email was not delivered", { cause });
}

test("a report is told with its causes, once, and with a count when it came ten times as often", () => {
  const { reports, taken } = openScene();
  reports.tell(undelivered(1_025));
  assert.equal(
    taken(),
    "failure  the mail verify-email was not delivered\n    connect ECONNREFUSED 127.0.0.1:1025\n",
  );
  for (let count = 2; count < 10; count++) reports.tell(undelivered(1_025 + count));
  assert.equal(taken(), "");
  reports.tell(undelivered(1_025));
  assert.match(taken(), /^failure {2}the mail verify-email was not delivered · 10 times by now\n/);
  for (let count = 11; count <= 1_000; count++) reports.tell(undelivered(count));
  assert.equal(taken().match(/failure/g)?.length, 2);
});

test("another report is told, and the same one again when the files are others", () => {
  const { reports, taken } = openScene();
  reports.tell(new TypeError("x is no function"));
  assert.equal(taken(), "failure  TypeError: x is no function\n");
  reports.tell("a text");
  assert.equal(taken(), "failure  'a text'\n");
  reports.tell("a text");
  assert.equal(taken(), "");
  reports.forget();
  reports.tell("a text");
  assert.equal(taken(), "failure  'a text'\n");
});

test("all that is known of it is told where that is asked for", () => {
  const { reports, taken } = openScene(true);
  reports.tell(undelivered(1_025));
  assert.match(taken(), /dev-reports\.test\.ts:\d+[^]*\[cause\]: Error: connect ECONNREFUSED/);
});
