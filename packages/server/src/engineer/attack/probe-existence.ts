// Words as an answer: whether a function tells its caller that an address is known here. It is asked for one that a closed
// row has and for two that none has. A hole is said when those two are answered alike and the first is not; where the two
// differ already (what is asked for comes back in the answer) nothing can be told, and nothing is said.
import type { Json } from "../../base/json.ts";
import { Harvest, makeArgs } from "./call-args.ts";
import { allowed, callProbe } from "./probe-call.ts";
import { hiddenValue } from "./probe-timing.ts";
import { fieldSensitivity } from "./sensitive-name.ts";
import type { AttackSession, Observation } from "./session.ts";

/** Probes functions that anybody may call and that take something personal: an address, a number. */
export async function probeExistence(session: AttackSession): Promise<void> {
  const by = session.people.find(({ kind }) => kind === "anonymous");
  if (by === undefined) return;
  for (const fn of Object.values(session.judge.manifest.functions)) {
    if (!allowed(fn, by) || fn.kind === "http") continue;
    const harvest = new Harvest(session.target.sources);
    const args = makeArgs(session, by, fn.args, { side: "other", turn: 0, harvest });
    for (const name of Object.keys(fn.args)) {
      if (fn.args[name]?.kind !== "text" || fieldSensitivity("user", name) !== "personal") continue;
      const values = hiddenValue(session, by, fn, name);
      if (values === null) continue;
      const ask = (value: Json): Promise<Observation> =>
        session.ask(by, callProbe(fn, { ...args, [name]: value }, "known or not"));
      const hidden = await ask(values.hidden);
      const absent = await ask(values.absent);
      const control = await ask(values.control);
      if (wordsOf(absent) !== wordsOf(control) || wordsOf(hidden) === wordsOf(absent)) continue;
      // Signing up is told apart from asking: it makes something of an address that is new.
      if (absent.changes.length > 0) continue;
      session.findings.add({
        ...{ code: "A211", subject: fn.name, aspect: name, fields: [name], by },
        ...{ request: hidden.request, status: hidden.answer.status, alike: absent.request },
        says: `${fn.name} answers ${by.name} otherwise for ${name} that somebody here has (${short(hidden)}) than for one that nobody has (${short(absent)})`,
      });
    }
  }
}

/** All that an answer says, but for the name of the request. */
function wordsOf({ answer }: Observation): string {
  const { status, text } = answer;
  return `${status} ${text.replace(/"requestId":"[^"]*"/, "")}`;
}

function short({ answer, code }: Observation): string {
  return `${answer.status} ${code ?? answer.text.slice(0, 40)}`;
}
