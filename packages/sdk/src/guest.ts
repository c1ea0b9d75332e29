// For the isolate's guest: the app's functions by name, and the marks on what user code makes and throws.
export { appFunctions, functionsOf } from "./app.ts";
export { functionMark, functionName, functionQueues, isFunctionDescriptor } from "./function.ts";
export type { FunctionDescriptor } from "./function.ts";
export { isWorkDescriptor, workName } from "./work-define.ts";
export { durationMs } from "./work-duration.ts";
export { appWorkflows, isWorkflowDescriptor } from "./workflow-define.ts";
export type { WorkflowDescriptor } from "./workflow-define.ts";
export { refusalMark } from "./refusal.ts";
export { platformTables } from "./platform-tables.ts";
export { withGiven } from "./where-given.ts";
