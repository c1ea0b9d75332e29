// Checks of what functions do with the world: calls that are sent twice, answers that nobody looked at, addresses
// that a caller picks, webhooks that anybody can send, calls for every row.
import type { FunctionModel, TableModel } from "../../model/manifest.ts";
import type { AppReview } from "./app-review.ts";
import type { FunctionFlow } from "./flow-walker.ts";
import { fieldOf, type FetchOp } from "./flow-value.ts";
import { forAnonymous } from "./rule-caller.ts";
import { entryOf, hasNode } from "./syntax.ts";

/** Looks at every action and http function. */
export function checkWorld(review: AppReview): void {
  for (const table of review.tables) checkTableLimit(review, table);
  for (const flow of review.flows) {
    for (const op of flow.fetches) {
      checkRepeat(review, flow, op);
      checkAnswer(review, op);
      checkAddress(review, flow, op);
      checkLoop(review, flow, op);
    }
    checkHosts(review, flow);
    checkLimit(review, flow);
    checkWebhook(review, flow);
  }
}

const changing: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH", "DELETE"]);

function checkRepeat(review: AppReview, flow: FunctionFlow, op: FetchOp): void {
  const method = fieldOf(op.options, "method")?.thing;
  if (method?.kind !== "literal" || typeof method.value !== "string") return;
  if (!changing.has(method.value.toUpperCase()) || method.value.toUpperCase() === "DELETE") return;
  const options = op.options?.thing;
  if (options?.kind !== "object" || options.open) return;
  const headers = options.fields.get("headers")?.thing;
  // Headers that can't be read may hold it.
  if (headers !== undefined && (headers.kind !== "object" || headers.open)) return;
  const names = headers === undefined ? [] : [...headers.fields.keys()];
  if (names.some((name) => /idempoten/i.test(name))) return;
  review.say(
    "K401",
    { file: op.file, node: op.node },
    {
      says: `When ${flow.source.model.name} is called again after a lost answer, this ${method.value.toUpperCase()} is sent again: the other side does it twice.`,
      evidence: [
        `headers: ${names.length === 0 ? "none" : names.join(", ")}; none names the attempt`,
        "an action is no transaction: nothing undoes what was sent",
      ],
      fix: 'headers: { "idempotency-key": order.id, ... }',
    },
  );
}

function checkAnswer(review: AppReview, op: FetchOp): void {
  if (!op.isRead || op.isChecked) return;
  review.say(
    "K402",
    { file: op.file, node: op.node },
    {
      says: "The body is read, and nothing asks whether the call went well: an error page is taken for the answer.",
      evidence: ["neither ok nor status is looked at"],
      fix: 'if (!response.ok) throw new Refusal("UPSTREAM", `It answered ${response.status}.`);',
    },
  );
}

function checkAddress(review: AppReview, flow: FunctionFlow, op: FetchOp): void {
  const { source } = op.address;
  if (source === null || !(source.startsWith("arg:") || source === "request")) return;
  const what = source === "request" ? "the request" : `its argument ${source.slice(4)}`;
  review.say(
    "K119",
    { file: op.file, node: op.node },
    {
      says: `${flow.source.model.name} fetches whatever address the caller names in ${what}.`,
      evidence: [
        `${source} -> fetch(...)`,
        `hosts: ${(flow.source.model.hosts ?? []).join(", ") || "none"}`,
      ],
      fix: "await fetch(`https://api.example.com/items/${encodeURIComponent(id)}`)",
    },
  );
}

function checkLoop(review: AppReview, flow: FunctionFlow, op: FetchOp): void {
  const loop = op.loops.find(({ over }) => {
    return (
      over !== null && [...over.origins].some((origin) => /^(?:run|row|arg|fetch):/.test(origin))
    );
  });
  if (loop === undefined) return;
  review.say(
    "K410",
    { file: op.file, node: op.node },
    {
      says: `One call of another service for every item: what ${flow.source.model.name} costs is decided by its data.`,
      evidence: [{ text: "the loop", at: review.placeOf(loop) }],
      fix: '// One call for all: fetch(url, { method: "POST", body: JSON.stringify(items) }), or at most so many at a time.',
    },
  );
}

/** Names under which anybody can have a host. */
const shared =
  /^\*\.(?:[a-z]+|co\.uk|com\.au|github\.io|vercel\.app|netlify\.app|herokuapp\.com|amazonaws\.com|s3\.amazonaws\.com|workers\.dev|pages\.dev|azurewebsites\.net|web\.app|firebaseapp\.com|run\.app|ngrok\.io|ngrok-free\.app)$/;

function checkHosts(review: AppReview, { source }: FunctionFlow): void {
  for (const host of source.model.hosts ?? []) {
    if (!shared.test(host)) continue;
    const node = entryOf(source.definition ?? undefined, "hosts") ?? source.name;
    review.say(
      "K405",
      { file: source.file, node },
      {
        says: `"${host}" is no host of somebody: anybody can have a name below it, and this function may send them anything.`,
        evidence: [`hosts: ${(source.model.hosts ?? []).join(", ")}`],
        fix: 'hosts: ["api.example.com"]',
      },
    );
  }
}

function checkLimit(review: AppReview, flow: FunctionFlow): void {
  const { model, file, name } = flow.source;
  if (model.limit !== undefined || flow.source.isInvariant) return;
  const isAnonymousWrite = model.kind === "mutation" && model.allow === "anyone";
  const isOutside = model.allow === "anyone" || model.allow === "signed-in";
  const [call] = isOutside ? flow.fetches : [];
  const guess = isOutside ? guessedArgument(model) : null;
  if (!isAnonymousWrite && call === undefined && guess === null) return;
  review.say(
    "K406",
    { file, node: name },
    {
      says: `${model.name} ${costOf(call !== undefined, guess)}, as often as somebody likes.`,
      evidence: [
        `allow: ${JSON.stringify(model.allow)}, no limit`,
        ...(call === undefined ? [] : [{ text: "the call", at: review.placeOf(call) }]),
      ],
      fix: `limit: { ${model.allow === "anyone" ? "perAddress" : "perUser"}: "10/minute" },`,
    },
  );
}

function costOf(isOutside: boolean, guess: string | null): string {
  if (isOutside) return "calls another service";
  return guess === null ? "writes for anybody" : `says whether a ${guess} is right`;
}

/** An argument that is guessed: a short secret, by its name. */
function guessedArgument({ args }: FunctionModel): string | null {
  const found = Object.entries(args).find(
    ([name, spec]) =>
      (spec.kind === "text" || spec.kind === "int") &&
      /^(?:pin|otp|passcode|password|coupon|voucher|(?:coupon|voucher|invite|access|reset|login)(?:Code|Token))$/.test(
        name,
      ),
  );
  return found?.[0] ?? null;
}

/** A table that nobody has to sign in for to fill. */
function checkTableLimit(review: AppReview, table: TableModel): void {
  const { create } = table.rules;
  if (create === undefined || table.limits.write !== undefined) return;
  if (forAnonymous(create) === false) return;
  review.say(
    "K406",
    { rule: create },
    {
      says: `Anybody can fill ${table.name}, as often as somebody likes.`,
      evidence: [`create: ${create.text}`, "the table has no limit of its own"],
      fix: '.limit({ write: { perAddress: "10/minute" } })',
    },
  );
}

function checkWebhook(review: AppReview, flow: FunctionFlow): void {
  const { model, file, name, run } = flow.source;
  if (model.kind !== "http" || model.allow !== "anyone" || model.route?.method !== "POST") return;
  if (
    !/hook|callback|stripe|event/i.test(`${model.route.path} ${model.name}`) ||
    flow.runs.length === 0
  )
    return;
  const isSigned = /signature|hmac|verify|timingSafe/i.test(file.text.slice(run.start, run.end));
  if (isSigned || hasNode(run, (node) => node.type === "MetaProperty")) return;
  const [write] = flow.runs;
  review.say(
    "K120",
    { file, node: name },
    {
      says: `Whoever finds ${model.route.path} can send it anything: nothing asks who sent it.`,
      evidence: [
        "no signature, hmac or verify in it",
        ...(write === undefined
          ? []
          : [{ text: `run(${write.target}) does what it says`, at: review.placeOf(write) }]),
      ],
      fix: 'if (!(await isSigned(await request.text(), request.headers.get("webhook-signature")))) return new Response(null, { status: 400 });',
    },
  );
}
