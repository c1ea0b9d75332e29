// A backend with one workflow.
import rules from "./rules.ts";
import { app } from "./schema.ts";
import * as shop from "./shop.ts";

export default app({ rules, functions: { shop } });
