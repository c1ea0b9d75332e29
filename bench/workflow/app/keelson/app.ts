// The backend of the benchmark of workflows.
import * as flow from "./flow.ts";
import { app } from "./schema.ts";

export default app({ functions: { flow } });
