// The backend that is attacked.
import * as attack from "./attack.ts";
import rules from "./rules.ts";
import { app } from "./schema.ts";

export default app({ rules, functions: { attack } });
