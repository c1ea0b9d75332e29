import { storeConformance } from "../store-conformance.case.ts";
import { openMemoryStore } from "./memory-store.ts";

storeConformance("memory", openMemoryStore);
