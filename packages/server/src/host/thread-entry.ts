// Where a thread of the server begins (host/server-thread.ts). Its own code comes after what makes loading it shorter.
import { workerData } from "node:worker_threads";
import { findOwnFilesFast } from "./own-files.ts";

findOwnFilesFast();
// Not before: what this file imports by itself is looked for without it.
await (workerData === "writer" ? import("./writer-thread.ts") : import("./door-thread.ts"));
