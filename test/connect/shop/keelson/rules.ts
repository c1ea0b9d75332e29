import { rules } from "./schema.ts";

export default rules({});
