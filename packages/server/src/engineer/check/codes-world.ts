// Codes about what functions do with the world.
import type { CheckCode } from "./check-code.ts";

const act = (
  body: string,
  {
    hosts = '"api.example.com"',
    limit = '\n  limit: { perUser: "10/minute" },',
    mark = "",
    args = "",
  } = {},
): string => `
// keelson/notes.ts
import { Refusal, t } from "keelson";
import { action } from "./schema.ts";

export const send = action({${mark}
  args: { ${args} },
  allow: "signed-in",${limit}
  hosts: [${hosts}],
  returns: t.nothing(),
  async run({ requestId }${args === "" ? "" : ", { items }"}) {
${body}
  },
});
`;

const checked = `
    if (!answer.ok) throw new Refusal("UPSTREAM", "Try again later.");`;

/** K401, K402, K405, K406, K410. */
export const worldCodes = {
  K401: {
    severity: "risk",
    category: "functions",
    title: "Action that can't be repeated",
    why: "A lost answer, a second click: the card is charged twice.",
    about:
      "An action sends POST, PUT or PATCH without a header that names the attempt (`idempotency-key`). Headers and options that can't be read from the source are not meant.",
    bad: act(
      `    const answer = await fetch("https://api.example.com/charges", { method: "POST", body: "{}" }); // <- K401${checked}`,
    ),
    good: act(`    const headers = { "idempotency-key": requestId };
    const answer = await fetch("https://api.example.com/charges", { method: "POST", headers, body: "{}" });${checked}`),
  },
  K402: {
    severity: "risk",
    category: "functions",
    title: "Answer that nobody looked at",
    why: "An error page is parsed as data, or stored.",
    about:
      "The body of a fetch is read, and neither `ok` nor `status` is. An answer that is handed to another function is not meant.",
    bad: act(`    const answer = await fetch("https://api.example.com/rates"); // <- K402
    console.log((await answer.json()).rate);`),
    good: act(`    const answer = await fetch("https://api.example.com/rates");${checked}
    console.log((await answer.json()).rate);`),
  },
  K405: {
    severity: "risk",
    category: "functions",
    title: "Egress to anybody",
    why: "Data can be carried out to a host that anybody can register.",
    about:
      "A host with `*` right below a top-level domain or a platform where everybody gets a name.",
    bad: `
// keelson/notes.ts
import { Refusal, t } from "keelson";
import { action } from "./schema.ts";

export const send = action({
  args: {},
  allow: "signed-in",
  limit: { perUser: "10/minute" },
  hosts: ["*.com"], // <- K405
  returns: t.nothing(),
  async run() {
    const answer = await fetch("https://api.example.com/rates");
    if (!answer.ok) throw new Refusal("UPSTREAM", "Try again later.");
  },
});
`,
    good: `
// keelson/notes.ts
import { Refusal, t } from "keelson";
import { action } from "./schema.ts";

export const send = action({
  args: {},
  allow: "signed-in",
  limit: { perUser: "10/minute" },
  hosts: ["*.example.com"],
  returns: t.nothing(),
  async run() {
    const answer = await fetch("https://api.example.com/rates");
    if (!answer.ok) throw new Refusal("UPSTREAM", "Try again later.");
  },
});
`,
  },
  K406: {
    severity: "cost",
    category: "functions",
    title: "Expensive and without a limit",
    why: "One script overnight, and the bill or the database is full.",
    about:
      "A mutation that anybody may call, an action that people may call and that calls another service, or a function that takes a short secret (pin, password, coupon) has no `limit`; or a table that anybody may create rows of has none.",
    bad: act(`    const answer = await fetch("https://api.example.com/rates");${checked}`, {
      limit: "",
      mark: " // <- K406",
    }),
    good: act(`    const answer = await fetch("https://api.example.com/rates");${checked}`),
  },
  K410: {
    severity: "cost",
    category: "functions",
    title: "One outside call for every item",
    why: "Data decides what it costs: this is how nights of six billion calls came about.",
    about: "A fetch stands in a loop over an argument, rows, or what another call answered.",
    bad: act(
      `    for (const item of items) {
      const answer = await fetch("https://api.example.com/translate?text=" + item); // <- K410
      if (!answer.ok) throw new Refusal("UPSTREAM", "Try again later.");
    }`,
      { args: "items: t.list(t.text({ max: 50 }), { max: 500 })" },
    ),
    good: act(
      `    const answer = await fetch("https://api.example.com/translate?texts=" + items.join(","));${checked}`,
      { args: "items: t.list(t.text({ max: 50 }), { max: 500 })" },
    ),
  },
} satisfies Readonly<Record<string, CheckCode>>;
