// Nobody reaches anything from outside.
import { rules } from "./schema.ts";

export default rules({});
