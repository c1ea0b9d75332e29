// The backend of the tests of the platform's tables.
import * as desk from "./desk.ts";
import rules from "./rules.ts";
import { app } from "./schema.ts";

export default app({
  rules,
  functions: { desk },
  auth: { name: "The Desk", guests: true, organisations: true },
});
