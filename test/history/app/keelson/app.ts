// The backend whose histories are checked.
import * as history from "./history.ts";
import rules from "./rules.ts";
import { app } from "./schema.ts";

export default app({ rules, functions: { history } });
