import { storeConformance } from "../store-conformance.case.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { tempFile } from "./temp-file.case.ts";

storeConformance("sqlite", (options) => openSqliteStore({ ...options, path: tempFile() }));
