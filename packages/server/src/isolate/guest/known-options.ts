// Options that calls are given in braces, also by code without types: an unknown one is a mistake, and never left out
// in silence. `waitFor("paid", { timout: "10m" })` would wait for ever.
import { ownKeys, unitAt } from "./primordials.ts";

/**
 * Costs nothing when there are no options. @param what whose options they are: `enqueue`. @param known their names,
 * no two of them with the same first letter: that tells which one was meant. @throws TypeError.
 */
export function assertKnown(what: string, options: unknown, known: readonly string[]): void {
  // An argument that is left out is null in functions: null says as little as undefined.
  if (options === undefined || options === null) return;
  if (typeof options !== "object") {
    throw new TypeError(`Options of ${what} are an object: { ${known[0] ?? ""}: ... }.`);
  }
  const names = ownKeys(options);
  for (let index = 0; index < names.length; index++) {
    const name = names[index];
    if (typeof name === "string" && !has(known, name)) throw unknownOption(what, name, known);
  }
}

function has(known: readonly string[], name: string): boolean {
  for (let index = 0; index < known.length; index++) if (known[index] === name) return true;
  return false;
}

function unknownOption(what: string, name: string, known: readonly string[]): TypeError {
  let all = "";
  let near = "";
  for (let index = 0; index < known.length; index++) {
    const each = known[index] as string;
    all += index === 0 ? each : `, ${each}`;
    if (unitAt(each, 0) === unitAt(name, 0)) near = ` Did you mean "${each}"?`;
  }
  return new TypeError(`${what} has no option "${name}".${near} It takes ${all}.`);
}
