// The app behind the proxy of docs/guides/deploy.md.
import * as notes from "./notes.ts";
import rules from "./rules.ts";
import { app } from "./schema.ts";

export default app({ rules, functions: { notes }, auth: { name: "Shop", guests: true } });
