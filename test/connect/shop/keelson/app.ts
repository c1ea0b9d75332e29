import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as bank from "./bank.ts";
import * as pay from "./pay.ts";

export default app({ rules, functions: { bank, pay } });
