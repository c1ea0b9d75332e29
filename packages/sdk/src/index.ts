// What an app is written with: the package "keelson" gives these names.
export { define } from "./define.ts";
export { table } from "./table.ts";
export { t } from "./t.ts";
export { Refusal } from "./refusal.ts";
export { DefinitionError } from "./definition-error.ts";
export { isId } from "./id.ts";
export { event } from "./work-define.ts";
export type { Id } from "./id.ts";
export type { Authoring, HttpDefinition, InvariantContext, WorldDefinition } from "./define.ts";
export type { Field } from "./field.ts";
export type { Table, TableLimits } from "./table.ts";
export type { App, AppParts } from "./app.ts";
export type { AppFunction, ArgsIn, ResultOf } from "./function.ts";
export type {
  ActionContext,
  HttpContext,
  Me,
  MutationContext,
  QueryContext,
} from "./function-context.ts";
export type { RuleId } from "./field-types.ts";
export type { RuleAnswer, RuleInput, RuleMe, RuleRow, Rules, RuleSet } from "./rules.ts";
export type { Duration } from "./work-duration.ts";
export type { WebhookCalls, WebhookEndpoint } from "./webhook-context.ts";
export type { JobState } from "./job-state.ts";
export type { EnqueueOptions, JobContext, Queue } from "./work-context.ts";
export type {
  ChangeOptions,
  ConsumerOptions,
  CronOptions,
  EventDefinition,
  EventOptions,
  QueuePolicyOptions,
} from "./work-define.ts";
export type {
  AnyWorkflow,
  Signals,
  StartOptions,
  Workflow,
  WorkflowRun,
} from "./workflow-calls.ts";
export type { EventWaitOptions, WaitOptions, WorkflowContext } from "./workflow-context.ts";
export type { WorkflowDefinition } from "./workflow-define.ts";
export type { HookInput, HookOptions } from "./hook-define.ts";
export type { AuthContext, OpenedSession, OrgMember } from "./auth-context.ts";
export type { MailContext } from "./mail-context.ts";
export type { AuthSpec } from "./auth-spec.ts";
export type {
  AuthClientSpec,
  AuthProviderClaims,
  AuthProviderPreset,
  AuthProviderSpec,
} from "./auth-oidc-spec.ts";
export type { AppSpec, FieldSpec, FunctionSpec, IndexSpec, Json, TableSpec } from "./spec.ts";
