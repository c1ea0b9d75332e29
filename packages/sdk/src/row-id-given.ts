// Ids that are none. As a part of an address, undefined would be asked for as a row of that name, which nobody has
// ("gone"), and an empty id is the address of the table. Such a call is refused before it is sent.
import { KeelsonError } from "./client-error.ts";

/** @param call as somebody writes it: `task.get`. @returns why `id` can't be a row's; undefined when it can. */
export function rowIdRefusal(call: string, id: unknown): KeelsonError | undefined {
  if (typeof id === "string" && id !== "") return undefined;
  const problem = `is ${described(id)}: the id of a row was expected`;
  return new KeelsonError({
    code: "ARGUMENT_INVALID",
    message: `${call} was called without an id: its first argument ${problem}.`,
    status: 422,
    details: { issues: [{ path: "id", problem }] },
    isSent: false,
  });
}

function described(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (value === "") return "an empty text";
  return Array.isArray(value) ? "a list" : `a value of type ${typeof value}`;
}
