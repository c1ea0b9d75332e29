// Everybody may read and write.
import { rules } from "./schema.ts";

export default rules({ note: { read: () => true, create: () => true } });
