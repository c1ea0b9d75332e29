// One row for every step, so that steps write.
import { define, table, t } from "keelson";

export const { query, mutation, workflow, app } = define(
  { mark: table({ text: t.text({ max: 50 }) }) },
  { fuel: 1_000_000_000 },
);
