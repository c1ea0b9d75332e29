// The backend of the benchmarks.
import * as bank from "./bank.ts";
import rules from "./rules.ts";
import { app } from "./schema.ts";

export default app({ rules, functions: { bank } });
