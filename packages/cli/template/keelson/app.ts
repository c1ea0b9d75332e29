// The composition: everything that is in this backend is listed here.
import * as board from "./board.ts";
import rules from "./rules.ts";
import { app } from "./schema.ts";

export default app({ rules, functions: { board } });
