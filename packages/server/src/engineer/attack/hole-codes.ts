// Every kind of hole that an attack shows: stable codes, what each stands for, why it matters, how it is mended.

/** One kind of hole. */
export interface HoleKind {
  readonly title: string;
  readonly why: string;
  readonly fix: string;
  /** Part of the design that it is about. */
  readonly category: "reads" | "writes" | "functions" | "limits" | "platform";
}

const kinds = {
  A101: kind(
    "reads",
    "Rules show a personal or secret field to outsiders",
    "Whoever can call the API can copy it for every row.",
    "Compare an owner in `read`, or give the field a read rule of its own, or make it private.",
  ),
  A102: kind(
    "reads",
    "Rules open a private table",
    "These rows are between their owner and the house; here anybody reads all of them.",
    "Let `read` ask who owns the row: row.<owner> === me.id.",
  ),
  A103: kind(
    "writes",
    "Rules let outsiders change rows of others",
    "Anybody with an account rewrites what belongs to somebody else.",
    "Let `update` ask who owns the row: row.<owner> === me.id.",
  ),
  A104: kind(
    "writes",
    "Rules let outsiders delete rows of others",
    "Anybody with an account deletes what belongs to somebody else.",
    "Let `delete` ask who owns the row: row.<owner> === me.id.",
  ),
  A105: kind(
    "writes",
    "Rows can be created in another's name",
    "What is written looks as if somebody else had written it.",
    "Bind the owner in `create`: next.<owner> === me.id.",
  ),
  A106: kind(
    "writes",
    "Rows can be moved to another owner, tenant or parent",
    "An update reaches what create refuses.",
    "Make the field immutable, or let `update` ask that it stays: next.<field> === row.<field>.",
  ),
  A107: kind(
    "writes",
    "Users can raise their own rights",
    "One request makes a user an administrator, or richer.",
    "Make the field immutable or private, or give it a write rule that asks for a role.",
  ),
  A108: kind(
    "writes",
    "Users can make themselves members",
    "Whoever adds themselves gets everything that members may.",
    "Let `create` ask who invites: a member with that right, not the one who comes in.",
  ),
  A109: kind(
    "writes",
    "A state that others decide can be set by its owner",
    "Paid, approved or verified is what the row says, and nobody paid, approved or verified.",
    "Fix the first state in `create` and the steps in `update`; let a function or a role do the rest.",
  ),
  A110: kind(
    "writes",
    "The caller chooses the price",
    "An order for nothing is an order.",
    "Ask in `create` that the price is the one of the thing: next.price === next.item.price.",
  ),
  A111: kind(
    "reads",
    "Rules cross tenants",
    "Customers of yours see or change each other's data.",
    "Compare the tenant in every rule of the table: row.<tenant> === me.<tenant>.",
  ),
  A112: kind(
    "writes",
    "Anybody changes what belongs to nobody",
    "Prices, settings or shared rows are open to every caller.",
    'Ask for a role: me.role === "admin".',
  ),
  A201: kind(
    "functions",
    "A function gives out what rules close",
    "The rules say no, and the function says it anyway.",
    "Use db without asSystem, or return only what the caller may read.",
  ),
  A202: kind(
    "functions",
    "A function changes rows of others that rules close",
    "The rules say no, and the function does it anyway.",
    "Use db without asSystem, or compare the owner with me.id before writing.",
  ),
  A203: kind(
    "functions",
    "A function takes the identity from its arguments",
    "Whoever calls it says who they are.",
    "Use me.id in place of the argument.",
  ),
  A204: kind(
    "functions",
    "A function falls over",
    "What nobody thought of is where the next hole is; callers get 500 and you get noise.",
    "Refuse such arguments: bounds in args, or a Refusal.",
  ),
  A205: kind(
    "functions",
    "An invariant or an order of events breaks",
    "What the app promised does not hold any more.",
    "Do the check and the write in one mutation, and keep it by a check or a unique constraint.",
  ),
  A206: kind(
    "functions",
    "A holding falls below zero or comes out of nothing",
    "Money, stock or votes are made by sending a request again.",
    "Check before writing in the same mutation, keep it with `.check(...)`, and mark what is used up.",
  ),
  A207: kind(
    "limits",
    "A secret can be guessed without a limit",
    "A code of six digits falls in minutes.",
    'Give the function a limit: limit: { perUser: "5/minute", perAddress: "20/minute" }.',
  ),
  A208: kind(
    "limits",
    "Anybody can fill a table without a limit",
    "One script fills your disk and your inbox overnight.",
    'Give the table a limit: .limit({ write: { perAddress: "10/minute" } }).',
  ),
  A209: kind(
    "functions",
    "A function tells by its time that a row exists",
    "Whoever measures learns who has an account here, or which codes are taken.",
    "Do the same work in both cases: compute first, then look whether there was a row.",
  ),
  A210: kind(
    "functions",
    "A webhook takes what its sender did not sign",
    "The address of a webhook is no secret: whoever knows it says that something was paid.",
    "Check the signature over the raw body with the sender's secret, and its time, before anything is done.",
  ),
  A211: kind(
    "functions",
    "A function tells in words that somebody has an account",
    "Whoever asks learns which of a million addresses are known here, and tries passwords for those.",
    "Answer an address that is known as one that is not: the same status, code and words.",
  ),
  A301: kind(
    "platform",
    "The server gives what rules deny",
    "A fault of the platform, not of your app.",
    "Report it with this request.",
  ),
  A302: kind(
    "platform",
    "A hidden field answers questions",
    "By ordering or filtering, its values can be read one by one.",
    "Report it with this request.",
  ),
  A303: kind(
    "platform",
    "A bad token is taken",
    "Anybody is whoever they want.",
    "Report it with this request.",
  ),
  A304: kind(
    "platform",
    "A declared limit can be dodged",
    "The limit does not hold at this door.",
    "Report it with this request.",
  ),
  A305: kind(
    "platform",
    "A refusal tells that a row exists",
    "A denied row and an absent one are told apart.",
    "Report it with this request.",
  ),
  A306: kind(
    "platform",
    "The server takes input that it must refuse",
    "Unknown, private or immutable fields were written.",
    "Report it with this request.",
  ),
  A307: kind(
    "platform",
    "A webhook's address takes what its sender did not sign",
    "Whoever knows the address says that something was paid.",
    "Report it with this request.",
  ),
} as const satisfies Record<string, HoleKind>;

/** A stable code. */
export type HoleCode = keyof typeof kinds;

/** Every code. */
export const holeKinds: Readonly<Record<HoleCode, HoleKind>> = kinds;

function kind(category: HoleKind["category"], title: string, why: string, fix: string): HoleKind {
  return Object.freeze({ title, why, fix, category });
}
