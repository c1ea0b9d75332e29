import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as hooks from "./hooks.ts";

export default app({ rules, functions: { hooks } });
