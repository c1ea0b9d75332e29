import assert from "node:assert/strict";
import { test } from "node:test";
import { readAuth } from "./manifest-auth.ts";
import { SpecMistakes } from "./manifest-mistakes.ts";

function read(value: unknown) {
  const mistakes = new SpecMistakes(() => null);
  const model = readAuth({ mistakes, at: undefined, what: "the app" }, value, undefined);
  return { model, problems: mistakes.found.map(({ problem }) => problem) };
}

test("internal hosts are names with dots, and nothing else", () => {
  assert.deepEqual(read({}).model.internalHosts, []);
  const { model, problems } = read({ internalHosts: ["id.corp.example", "Login.Corp.Example"] });
  assert.deepEqual(
    [model.internalHosts, problems],
    [["id.corp.example", "login.corp.example"], []],
  );
  for (const wrong of [
    ...["", "localhost", "10.0.0.1", "[::1]", "id.corp.example:8443", "https://id.corp.example"],
    ...[
      "*.corp.example",
      "id..example",
      "id.corp.example/",
      "id.corp.example.",
      "a b.example",
      "2130706433.1",
    ],
  ]) {
    const [problem = "", ...others] = read({ internalHosts: [wrong] }).problems;
    assert.match(problem, /auth\.internalHosts holds .* no name of a host/, wrong);
    assert.deepEqual(others, []);
  }
  assert.equal(read({ internalHosts: "id.corp.example" }).problems.length, 1);
});
