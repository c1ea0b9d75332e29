// Options that people write in braces: an unknown one is a mistake, never left out in silence. `t.text({ maks: 5 })`
// would be a text of 10,000 characters.
import { DefinitionError } from "./definition-error.ts";

/**
 * @param what whose options they are: `t.text`. @param known their names; none when there are no options.
 * @throws DefinitionError when the options are no object, or one of them is unknown.
 */
export function checkOptions(
  what: string,
  options: unknown,
  known: readonly string[],
  at: Function,
): void {
  if (options === undefined) return;
  const fix = known.length === 0 ? "Leave it out." : `It takes ${known.join(", ")}.`;
  if (typeof options !== "object" || options === null) {
    throw new DefinitionError(`${JSON.stringify(options)} is no option of ${what}.`, fix, at);
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw new DefinitionError(`${what} has no option "${name}".`, fix, at);
  }
}
