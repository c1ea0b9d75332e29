// What connectors need of the action that uses them.

/** The part of an action's context that they use. */
export interface ConnectorContext {
  secret(name: string): string;
  readonly job: { readonly token: string } | null;
}

/** A secret that need not be set. */
export function secretOr(ctx: ConnectorContext, name: string, otherwise: string): string {
  try {
    return ctx.secret(name);
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === "SECRET_MISSING") return otherwise;
    throw error;
  }
}
