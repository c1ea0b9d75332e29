import { app } from "./schema.ts";
import rules from "./rules.ts";

export default app({ rules, functions: {} });
