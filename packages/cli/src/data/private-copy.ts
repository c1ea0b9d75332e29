// A copy that holds what the database holds is its owner's alone from its first byte on, not from its last: what a copy that
// was cut off leaves is private too.
import { writeFileSync } from "node:fs";

/**
 * Makes an empty file and has it filled.
 * @param target a path where nothing is. @param copy fills it. @throws what the system says when it can't be made.
 */
export async function copyPrivately(
  target: string,
  copy: (target: string) => Promise<void>,
): Promise<void> {
  writeFileSync(target, "", { flag: "wx", mode: 0o600 });
  await copy(target);
}
