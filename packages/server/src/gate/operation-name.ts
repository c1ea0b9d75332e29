// What an operation is called in meters and traces: a name of the manifest, or `unknown`. Names that
// callers make up never become keys of anything.
import type { Manifest } from "../model/manifest.ts";
import type { GateOperation } from "./gate-request.ts";

/** Tells the names of one manifest's operations. */
export type OperationName = (operation: GateOperation) => string;

type TableVerb = "get" | "list" | "create" | "update" | "delete";
const verbs: readonly TableVerb[] = ["get", "list", "create", "update", "delete"];

/** @returns `film.get`, `cinema.book`, `batch`; `unknown` for what the manifest does not have. */
export function operationNames(manifest: Manifest): OperationName {
  const byVerb = new Map(
    verbs.map((verb) => {
      const tables = Object.keys(manifest.tables);
      return [verb, new Map(tables.map((table) => [table, `${table}.${verb}`]))] as const;
    }),
  );
  const functions = new Map(Object.keys(manifest.functions).map((name) => [name, name]));
  return (operation) => {
    switch (operation.kind) {
      case "batch":
        return "batch";
      case "call":
      case "http":
        return functions.get(operation.name) ?? "unknown";
      case "get":
      case "list":
      case "create":
      case "update":
      case "delete":
        return byVerb.get(operation.kind)?.get(operation.table) ?? "unknown";
      default:
        return operation satisfies never;
    }
  };
}
