// Everything that is in this backend.
import * as cinema from "./cinema.ts";
import * as office from "./office.ts";
import * as letters from "./letters.ts";
import * as pay from "./pay.ts";
import rules from "./rules.ts";
import { app } from "./schema.ts";

export default app({
  rules,
  functions: { cinema, pay, letters, office },
  invariants: [office.eachSeatOnce],
  // Whoever comes holds seats, and keeps them by signing up. Staff have a second factor or do nothing.
  auth: { name: "The Keel", guests: true, secondFactorFor: ["staff"] },
});
