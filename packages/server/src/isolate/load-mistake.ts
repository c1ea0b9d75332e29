// Why an app could not be loaded, as a mistake at a line.
import { t } from "@keelson/sdk";
import { AppInvalid, type AppMistake } from "../model/app-mistake.ts";
import { nearestName } from "../model/rule-suggest.ts";
import { isOwn, type BundleMap } from "./bundle-map.ts";

/** What the app's modules threw, or what is wrong with what they left; as the guest tells it. */
export interface LoadFailure {
  readonly name?: string;
  readonly message?: string;
  readonly stack?: string;
  /** What the SDK's DefinitionError says. */
  readonly problem?: string;
  readonly fix?: string;
}

const entryFile = "keelson/app.ts";
const modulesToldMax = 8;

/** A mistake at the line that threw. */
export function loadMistake(failure: LoadFailure, map: BundleMap): AppInvalid {
  const { name = "Error", message = "", stack = "", problem, fix } = failure;
  return mistakeAt(map, stack, {
    problem: problem ?? `${name}: ${message}`,
    fix: fix ?? fixFor(message),
  });
}

/** What to write instead, where the engine's words tell what was meant. */
function fixFor(message: string): string {
  // A second t of another module is t2 in the bundle.
  const [, kind] = /^t\d*\.(\w+) is not a function$/.exec(message) ?? [];
  const kinds = Object.keys(t);
  if (kind !== undefined && !kinds.includes(kind)) {
    const near = nearestName(kind, kinds);
    const guess = near === null ? "" : `Did you mean t.${near}? `;
    return `${guess}The kinds of fields are ${kinds.map((name) => `t.${name}`).join(", ")}.`;
  }
  if (message === "process is not defined") {
    return 'Functions run apart from Node: an action or http function that names a variable in `secrets: ["NAME"]` reads it as ctx.secret("NAME").';
  }
  return "Modules are evaluated once, before any data is there. Mend what throws here.";
}

/** A limit that loading broke. @param stack where it stood when it was ended, as far as that is known. */
export function loadLimitMistake(limit: "time" | "memory", map: BundleMap, stack = ""): AppInvalid {
  const work = "work belongs into functions";
  const fix =
    map.placeIn(stack) === null
      ? `It is not known where: look for loops and large data at the top level of ${modulesOf(map)}; ${work}.`
      : `Do less at the top level of modules: ${work}.`;
  return mistakeAt(map, stack, {
    problem: `Loading the app takes more ${limit} than an isolate has.`,
    fix,
  });
}

/** The app's own modules, or their number when they are many. */
function modulesOf(map: BundleMap): string {
  const own = [...map.sources().keys()].filter(isOwn).filter((file) => file !== "keelson-entry.js");
  return own.length > modulesToldMax ? `its ${own.length} modules` : own.join(", ");
}

function mistakeAt(
  map: BundleMap,
  stack: string,
  told: Pick<AppMistake, "problem" | "fix">,
): AppInvalid {
  const place = map.placeIn(stack) ?? { file: entryFile, line: 1, column: 1, frame: "" };
  return new AppInvalid([{ ...place, ...told }]);
}
