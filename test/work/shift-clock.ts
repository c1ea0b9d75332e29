// Loaded into a server before all else (--import): its clock is off by what a file says, and steps when that
// changes. Durations and timers go on as they are, as on a machine whose clock somebody sets.
import { readFileSync } from "node:fs";

const file = process.env["KEELSON_TEST_CLOCK"];
if (file !== undefined) {
  const realNow = Date.now.bind(Date);
  let offsetMs = 0;
  const read = (): void => {
    try {
      offsetMs = Number(readFileSync(file, "utf8"));
    } catch {
      // Being written: what it said before holds.
    }
  };
  read();
  setInterval(read, 50).unref();
  Date.now = () => realNow() + offsetMs;
}
