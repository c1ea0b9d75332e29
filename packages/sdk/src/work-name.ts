// How work and workflows get their names: by where the modules of an app export them.
import { DefinitionError } from "./definition-error.ts";
import { workName } from "./work-define.ts";

/**
 * Names a declaration.
 * @param name `module.name`. @param made what the app's own `define` made. @param makers what makes such declarations, as
 * the advice to import it says. @throws DefinitionError when it has a name already, or is of another `define`.
 */
export function nameDeclared(
  value: { [workName]?: string },
  name: string,
  of: { readonly made: WeakSet<object>; readonly makers: string; readonly at: Function },
): void {
  const { made, makers, at } = of;
  const other = value[workName];
  if (other !== undefined) {
    throw new DefinitionError(`"${name}" and "${other}" are the same.`, "Export it once.", at);
  }
  if (!made.has(value)) {
    throw new DefinitionError(
      `"${name}" was made by another \`define\`.`,
      `Import ${makers} from this app's schema.`,
      at,
    );
  }
  value[workName] = name;
}
