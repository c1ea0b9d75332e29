// Why an app could not be loaded, as a mistake at a line.
import { AppInvalid, type AppMistake } from "../model/app-mistake.ts";
import type { BundleMap } from "./bundle-map.ts";

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

/** A mistake at the line that threw. */
export function loadMistake(failure: LoadFailure, map: BundleMap): AppInvalid {
  const { name = "Error", message = "", stack = "", problem, fix } = failure;
  return mistakeAt(map, stack, {
    problem: problem ?? `${name}: ${message}`,
    fix: fix ?? "Modules are evaluated once, before any data is there. Mend what throws here.",
  });
}

/** A limit that loading broke. */
export function loadLimitMistake(limit: "time" | "memory", map: BundleMap): AppInvalid {
  return mistakeAt(map, "", {
    problem: `Loading the app takes more ${limit} than an isolate has.`,
    fix: "Do less at the top level of modules: work belongs into functions.",
  });
}

function mistakeAt(
  map: BundleMap,
  stack: string,
  told: Pick<AppMistake, "problem" | "fix">,
): AppInvalid {
  const place = map.placeIn(stack) ?? { file: entryFile, line: 1, column: 1, frame: "" };
  return new AppInvalid([{ ...place, ...told }]);
}
