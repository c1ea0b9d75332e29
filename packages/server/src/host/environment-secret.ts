// Secrets of the process: its environment variables, and nothing else.

/** @returns null when it is not set, or empty. */
export function environmentSecret(name: string): string | null {
  const value = process.env[name];
  return value === undefined || value === "" ? null : value;
}
