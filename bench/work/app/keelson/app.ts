// What is measured.
import { app } from "./schema.ts";
import * as bench from "./bench.ts";
import rules from "./rules.ts";

export default app({ rules, functions: { bench } });
