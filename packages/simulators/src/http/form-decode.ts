// Bodies as payment services take them: `a[b]=1&list[0][c]=2&expand[]=x`. Texts only; who reads them knows their
// types. Depth and size are bounded, so a hostile body costs nothing.

/** A decoded form: texts, lists and objects of them. */
export type FormValue = string | FormValue[] | { [name: string]: FormValue };

const depthMax = 8;
const listMax = 1_000;

/** @throws SyntaxError when the brackets do not fit together. */
export function decodeForm(text: string): Record<string, FormValue> {
  const root: Record<string, FormValue> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const head = /^[^[\]]+/.exec(name)?.[0];
    if (head === undefined) throw new SyntaxError(`${name} is no name of a parameter`);
    const rest = name.slice(head.length);
    if (!/^(?:\[[^[\]]*\])*$/.test(rest)) throw new SyntaxError(`${name} has unpaired brackets`);
    const steps = [head, ...[...rest.matchAll(/\[([^[\]]*)\]/g)].map(([, step = ""]) => step)];
    if (steps.length > depthMax) throw new SyntaxError(`${name} is nested too deeply`);
    put(root, steps, value, name);
  }
  return root;
}

function put(
  root: Record<string, FormValue>,
  steps: readonly string[],
  value: string,
  name: string,
): void {
  let at: Record<string, FormValue> | FormValue[] = root;
  for (const [index, step] of steps.entries()) {
    if (step === "__proto__") throw new SyntaxError(`${name} is no name of a parameter`);
    const next = steps[index + 1];
    const key: string | number = Array.isArray(at) ? indexOf(at, step, name) : step;
    const holder = at as Record<string | number, FormValue>;
    if (next === undefined) {
      holder[key] = value;
      return;
    }
    const isList = next === "" || /^\d+$/.test(next);
    const found: FormValue | undefined = Object.hasOwn(holder, key) ? holder[key] : undefined;
    if (typeof found === "string") throw new SyntaxError(`${name} is a text and holds others`);
    const inner: Record<string, FormValue> | FormValue[] = found ?? (isList ? [] : {});
    holder[key] = inner;
    at = inner;
  }
}

function indexOf(list: FormValue[], step: string, name: string): number {
  if (step === "") return list.length;
  const index = Number(step);
  if (!/^\d+$/.test(step) || index > list.length || index >= listMax) {
    throw new SyntaxError(`${name} skips places of its list`);
  }
  return index;
}
