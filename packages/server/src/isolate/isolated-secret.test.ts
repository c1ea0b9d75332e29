import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { PlatformError } from "../base/platform-error.ts";
import type { EgressRequest } from "./egress.ts";
import { takeFailureLog } from "./failure-log.ts";
import { openTestApp, type TestApp } from "./isolate-harness.case.ts";

const source = `
import { define, Refusal, t } from "keelson";
const { action, mutation, rules, app } = define({});
const args = { name: t.text({ max: 100 }) };
export default app({ rules: rules({}), functions: { test: {
  ask: action({ secrets: ["PAY_KEY", "NOT_SET"], args, allow: "anyone", returns: t.json(),
    async run({ secret }, { name }) { return secret(name); } }),
  spill: action({ secrets: ["PAY_KEY"], args, allow: "anyone",
    async run({ secret }, { name }) {
      const key = secret("PAY_KEY");
      console.log("the key is", key, "-".repeat(2_000));
      if (name === "refuse") throw new Refusal("NO_" + name.toUpperCase(), "no: " + key, { key });
      throw new Error("no: " + key);
    } }),
  other: action({ args, allow: "anyone", async run({ secret }, { name }) { return secret(name); } }),
  write: mutation({ args, allow: "anyone", async run(ctx, { name }) { return ctx.secret?.(name) ?? "none"; } }),
  go: action({ hosts: ["$PAY_URL", "$UNSET_URL"], args, allow: "anyone",
    async run(ctx, { name }) { return (await fetch(name)).status; } }),
} } });
`;
const environment: Readonly<Record<string, string>> = {
  PAY_KEY: '!sk_ "höher"\n',
  PAY_URL: "http://127.0.0.1:4911/v1",
};

async function open(): Promise<{ readonly app: TestApp; readonly sent: EgressRequest[] }> {
  const sent: EgressRequest[] = [];
  const app = await openTestApp(
    { "keelson/app.ts": source },
    {
      secret: (name) => environment[name] ?? null,
      egress: {
        send: async (request) => {
          sent.push(request);
          return {
            status: 204,
            statusText: "",
            headers: [],
            body: null,
            url: request.request.url,
            redirected: false,
          };
        },
      },
    },
  );
  return { app, sent };
}

const ask = async (app: TestApp, fn: string, name: string): Promise<unknown> => {
  try {
    const { resultJson } = await app.app.call(app.input(fn, { name }), () => "null");
    return JSON.parse(resultJson) as unknown;
  } catch (error) {
    return error instanceof PlatformError ? error.code : error;
  }
};

test("an action has the secrets that it declares, and no others; a mutation has none", async (context) => {
  const { app } = await open();
  context.after(() => app.close());
  assert.equal(await ask(app, "ask", "PAY_KEY"), environment["PAY_KEY"]);
  assert.equal(await ask(app, "ask", "NOT_SET"), "SECRET_MISSING");
  assert.equal(await ask(app, "ask", "PATH"), "SECRET_UNDECLARED");
  assert.equal(await ask(app, "other", "PAY_KEY"), "SECRET_UNDECLARED");
  assert.equal(await ask(app, "write", "PAY_KEY"), "none");
});

test("a host of the environment is that of the variable's address", async (context) => {
  const { app, sent } = await open();
  context.after(() => app.close());
  assert.equal(await ask(app, "go", "http://127.0.0.1:4911/v1/x"), 204);
  assert.deepEqual(sent[0]?.hosts, ["127.0.0.1:4911"]);
});

test("a secret that a function lets slip is in no log and no error", async (context) => {
  const { app } = await open();
  context.after(() => app.close());
  for (const name of ["refuse", "fail"]) {
    const error = await Promise.resolve()
      .then(() => app.app.call(app.input("spill", { name }), () => "null"))
      .then(
        () => assert.fail("it fails"),
        (error: unknown) => error as PlatformError & { readonly cause?: Error },
      );
    const log = takeFailureLog(error).map(({ text }) => text);
    const told = inspect([error, error.details, error.message, error.cause, log], { depth: 9 });
    assert.ok(!told.includes("höher"), told);
    assert.match(told, /no: \[secret PAY_KEY\]/);
    assert.match(String(log[0]), /^the key is \[secret PAY_KEY\] /);
  }
});
