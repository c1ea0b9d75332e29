// What a client asks for, whatever carries it: the same operations as the gate's, as plain data.

/** A query in the form that the server takes. */
export interface RequestQuery {
  readonly where?: unknown;
  readonly search?: string;
  readonly orderBy?: string | readonly string[];
  readonly limit?: number;
  readonly after?: string;
  readonly with?: unknown;
  readonly select?: readonly string[];
  readonly aggregate?: unknown;
  readonly groupBy?: string | readonly string[];
}

/** One operation. */
export type ClientStep =
  | { readonly kind: "call"; readonly name: string; readonly args: unknown }
  | { readonly kind: "list"; readonly table: string; readonly query: RequestQuery }
  | {
      readonly kind: "get";
      readonly table: string;
      readonly id: string;
      readonly query: RequestQuery;
    }
  | { readonly kind: "create"; readonly table: string; readonly value: unknown }
  | {
      readonly kind: "update";
      readonly table: string;
      readonly id: string;
      readonly value: unknown;
    }
  | { readonly kind: "delete"; readonly table: string; readonly id: string };

/** What is sent at once: one operation, or several in one transaction. */
export type ClientRequest =
  | ClientStep
  | { readonly kind: "batch"; readonly steps: readonly ClientStep[] };

/** Whether sending it twice changes nothing. A called function may write: only the server knows. */
export function isRead(request: ClientRequest): boolean {
  switch (request.kind) {
    case "list":
    case "get":
      return true;
    case "call":
    case "create":
    case "update":
    case "delete":
      return false;
    case "batch":
      return request.steps.every(isRead);
    default:
      return request satisfies never;
  }
}
