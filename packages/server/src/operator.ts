// The package's second entry: what the command line uses beside starting a server. Names one by one.
export { issueServiceKey } from "./auth/service-key.ts";
export { findUser, issueUserToken, readUserName } from "./auth/user-token.ts";
export { auth0Hash } from "./auth/import/from-auth0.ts";
export { firebaseHashing } from "./auth/import/from-firebase.ts";
export type { ImportOutcome } from "./auth/import/import-procedure.ts";
export type { ImportedUser } from "./auth/import/imported-user.ts";
export { valueAt } from "./auth/import/imported-user.ts";
export {
  readImportedUser,
  userSources,
  type UserImportOptions,
  type UserSource,
} from "./auth/import/user-import.ts";
export { errorCodes } from "./base/error-codes.ts";
export { fatalStatus } from "./base/fatal.ts";
export { AppInvalid } from "./model/app-mistake.ts";
export { PlatformError } from "./base/platform-error.ts";
export { anonymous, type Caller } from "./gate/identity.ts";
export type { GateOperation } from "./gate/gate-request.ts";
export type { Trace } from "./gate/trace-log.ts";
export { startWork, type DenialNote } from "./gate/work.ts";
export { databaseName } from "./host/backend.ts";
export { applyAppMigration, planAppMigration } from "./host/migration-desk.ts";
export { lockData, openOperatorDesk, type OperatorDesk } from "./host/operator-desk.ts";
export { syncFolder } from "./host/real-disk.ts";
export type { ReloadOutcome } from "./host/reload.ts";
export { wordsProblems } from "./host/words-look.ts";
export { failurePlace } from "./isolate/failure-place.ts";
export { compileField } from "./model/field-validate.ts";
export type { TableModel } from "./model/manifest.ts";
export { platformTables } from "./model/platform-tables.ts";
export type { ListQuery } from "./model/query-form.ts";
export {
  backupSqlite as backupFile,
  checkSqlite as checkBackup,
} from "./store/sqlite/sqlite-backup.ts";
export type { MigrationPlan, MigrationStep } from "./store/sqlite/migrate.ts";
export type { PlanEvidence } from "./store/store.ts";
export type { WorkTold } from "./work/dispatch-parts.ts";
