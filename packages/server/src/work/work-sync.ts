// Brings positions in line with the consumers that the app declares, when it starts: a new one begins where it
// says. Those of consumers that are gone stay: a version that comes back goes on where it was.
import type { Json } from "../base/json.ts";
import { andThen, type Later } from "../base/later.ts";
import type { ProcedureScope } from "../gate/gate-app.ts";
import { placeOf } from "./place-number.ts";
import { readPosition, writePosition } from "./position.ts";
import { workOf } from "./work-app.ts";

/** @returns the place of every consumer by name. */
export function syncConsumers(scope: ProcedureScope): Later<Json> {
  const consumers = [...workOf(scope.run.app).consumers.values()];
  const places: Record<string, number> = {};
  const from = (index: number): Later<Json> => {
    const declared = consumers[index];
    if (declared === undefined) return places;
    const { name, spec } = declared;
    return andThen(readPosition(scope.tx, name), (place) => {
      // All that is there or comes with this commit is before it.
      const start = spec.from === "start" ? 0 : placeOf(scope.tx.seq + 2, 0) - 1;
      places[name] = place ?? start;
      const written = place === null ? writePosition(scope, name, start) : undefined;
      return andThen(written, () => from(index + 1));
    });
  };
  return from(0);
}
