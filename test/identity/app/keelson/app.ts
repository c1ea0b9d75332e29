// The backend of the tests of identity as people meet it.
import rules from "./rules.ts";
import { app } from "./schema.ts";

export default app({
  rules,
  functions: {},
  auth: {
    name: "The Club <b>&",
    guests: true,
    keys: true,
    organisations: true,
    signUpFields: ["name", "plan"],
    clients: { kiosk: { name: "The Kiosk", redirects: ["https://kiosk.example/back"] } },
  },
});
