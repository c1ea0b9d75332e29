// The backend of the walk over field rules.
import * as desk from "./desk.ts";
import rules from "./rules.ts";
import { app } from "./schema.ts";

export default app({ rules, functions: { desk } });
