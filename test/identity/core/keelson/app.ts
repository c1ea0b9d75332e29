// The backend of the tests of identity's core.
import * as clubs from "./clubs.ts";
import * as people from "./people.ts";
import rules from "./rules.ts";
import { app } from "./schema.ts";

export default app({
  rules,
  functions: { clubs, people },
  cors: ["https://shop.example"],
  auth: {
    name: "The Shop",
    guests: true,
    keys: true,
    organisations: true,
    secondFactorFor: ["staff"],
    schemes: ["Token"],
    redirects: ["https://partner.example/in/"],
  },
});
