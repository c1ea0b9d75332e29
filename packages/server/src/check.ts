// The package's entry for the design review. Apart from the others: it loads the bundler and the parser, which a
// server that finds its app built needs not.
export { codePage, isCheckCode } from "./engineer/check/code-page.ts";
export type { CheckReport } from "./engineer/check/check-app.ts";
export { checkCodeNames } from "./engineer/check/codes.ts";
export type { Finding } from "./engineer/finding.ts";
export { githubLines } from "./engineer/report-github.ts";
export { sarifReport } from "./engineer/report-sarif.ts";
export {
  checkAppFolder,
  openCheckDesk,
  type CheckDesk,
  type CheckOrder,
} from "./host/check-desk.ts";
