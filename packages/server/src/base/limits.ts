// Every limit of the server, in one place. docs/reference/limits.md is generated from this table.

export interface Limit {
  readonly value: number;
  readonly unit: "bytes" | "ms" | "count" | "levels" | "characters";
  /** What it protects. */
  readonly reason: string;
  /** Bounds an operator may set it within. */
  readonly min: number;
  readonly max: number;
}

const table = {
  bodyBytesMax: limit(1_048_576, "bytes", "one request's body", 1_024, 67_108_864),
  headerBytesMax: limit(32_768, "bytes", "one request's address and headers", 1_024, 65_536),
  urlCharsMax: limit(16_384, "characters", "one request's address with its query", 256, 65_536),
  headersMsMax: limit(10_000, "ms", "a client that sends its headers slowly", 100, 120_000),
  requestMsMax: limit(30_000, "ms", "a client that sends its body slowly", 100, 600_000),
  answerMsMax: limit(
    60_000,
    "ms",
    "a client that reads its answers slowly: until nothing waits to be sent",
    100,
    3_600_000,
  ),
  socketBytesMax: limit(
    33_554_432,
    "bytes",
    "what waits to be sent on one connection",
    65_536,
    1_073_741_824,
  ),
  keepAliveMs: limit(65_000, "ms", "idle connections", 1_000, 600_000),
  lingerMs: limit(
    1_000,
    "ms",
    "reading on after a refusal, so that the client reads it",
    10,
    60_000,
  ),
  compressBytesMin: limit(1_024, "bytes", "answers below it are sent as they are", 256, 1_048_576),
  staticFileBytesMax: limit(
    16_777_216,
    "bytes",
    "one file of the static folder",
    1_024,
    268_435_456,
  ),
  staticCacheBytesMax: limit(33_554_432, "bytes", "static files kept in memory", 0, 1_073_741_824),
  connectionsMax: limit(20_000, "count", "open connections", 16, 200_000),
  jsonDepthMax: limit(32, "levels", "nesting of any JSON from outside", 4, 128),
  pageRowsDefault: limit(100, "count", "rows of a list that names no limit", 1, 1_000),
  pageRowsMax: limit(1_000, "count", "rows of one page", 1, 10_000),
  withDepthMax: limit(3, "levels", "nesting of `with`", 1, 5),
  whereNodesMax: limit(100, "count", "conditions in one filter", 1, 1_000),
  inValuesMax: limit(500, "count", "values of one `in`", 1, 10_000),
  inValuesQueryMax: limit(10_000, "count", "values of all `in` of one query", 1, 25_000),
  withTermsMax: limit(20, "count", "expansions of one query, nested ones included", 1, 100),
  orderTermsMax: limit(8, "count", "fields that one list is ordered by", 1, 32),
  groupFieldsMax: limit(4, "count", "fields that one aggregate is grouped by", 1, 16),
  aggregateValuesMax: limit(20, "count", "values of one aggregate", 1, 100),
  searchCharsMax: limit(200, "characters", "a search", 1, 10_000),
  filterCharsMax: limit(10_000, "characters", "one text in a filter", 100, 1_048_576),
  cursorCharsMax: limit(4_096, "characters", "a cursor", 256, 65_536),
  batchStepsMax: limit(100, "count", "steps of one batch", 1, 1_000),
  scanRowsMax: limit(
    100_000,
    "count",
    "rows that one query may visit without an index",
    1_000,
    10_000_000,
  ),
  databaseBytesMax: limit(
    1_099_511_627_776,
    "bytes",
    "the database file; past it the disk counts as full",
    1_048_576,
    17_592_186_040_320,
  ),
  statementsMax: limit(
    512,
    "count",
    "prepared statements kept by one database connection",
    16,
    10_000,
  ),
  plansKeptMax: limit(1_000, "count", "query shapes whose plan is kept", 16, 100_000),
  readConnectionsMax: limit(
    16,
    "count",
    "database connections of one thread's overlapping reads",
    1,
    256,
  ),
  ruleNodesMax: limit(2_000, "count", "parts of one rule, with its helpers", 100, 100_000),
  textMaxDefault: limit(10_000, "characters", "a text field that names no max", 1, 1_048_576),
  listMaxDefault: limit(1_000, "count", "a list field that names no max", 1, 100_000),
  jsonBytesMaxDefault: limit(65_536, "bytes", "a json field that names no max", 1, 1_048_576),
  appTablesMax: limit(500, "count", "tables of one app", 10, 5_000),
  appFunctionsMax: limit(5_000, "count", "functions of one app", 10, 50_000),
  tableFieldsMax: limit(
    500,
    "count",
    "fields of one table, object or function's arguments",
    10,
    1_500,
  ),
  tableIndexesMax: limit(50, "count", "indexes of one table", 1, 64),
  oneOfValuesMax: limit(500, "count", "values of one oneOf field", 2, 10_000),
  fieldDepthMax: limit(8, "levels", "lists and objects inside each other in one field", 1, 16),
  patternStepsMax: limit(
    20_000_000,
    "count",
    "a pattern's size times the longest text it is for",
    1_000,
    1_000_000_000,
  ),
  rowBytesMax: limit(1_048_576, "bytes", "one row, serialised", 1_024, 16_777_216),
  argsBytesMax: limit(1_048_576, "bytes", "arguments of one call, serialised", 1_024, 16_777_216),
  resultBytesMax: limit(4_194_304, "bytes", "result of one call, serialised", 1_024, 67_108_864),
  resultDepthMax: limit(100, "levels", "nesting of the result of one call", 4, 1_000),
  cpuMsMax: limit(1_000, "ms", "CPU time of one slice of user code", 10, 60_000),
  wallMsMax: limit(10_000, "ms", "a query or mutation from start to end", 100, 600_000),
  actionMsMax: limit(60_000, "ms", "an action from start to end", 100, 1_800_000),
  isolateBytesMax: limit(134_217_728, "bytes", "memory of one isolate", 16_777_216, 1_073_741_824),
  isolatesMax: limit(
    8,
    "count",
    "isolates of one thread for queries and mutations, and as many for actions",
    1,
    64,
  ),
  systemCallsMax: limit(10_000, "count", "system calls of one call", 10, 1_000_000),
  rowsReadMax: limit(100_000, "count", "rows that one call may read", 100, 10_000_000),
  rowsWrittenMax: limit(10_000, "count", "rows that one call may write", 10, 1_000_000),
  readBytesMax: limit(
    33_554_432,
    "bytes",
    "rows of one read with their expansions, and the answers of one batch together, about",
    65_536,
    268_435_456,
  ),
  logLinesMax: limit(256, "count", "console lines kept of one call", 0, 10_000),
  logLineCharsMax: limit(4_096, "characters", "one console line", 64, 65_536),
  groupMax: limit(1_000, "count", "mutations committed together", 1, 10_000),
  groupMsMax: limit(50, "ms", "mutations run before their group is committed", 1, 1_000),
  writeQueueMax: limit(10_000, "count", "mutations waiting for the writer", 16, 1_000_000),
  idempotencyMs: limit(
    86_400_000,
    "ms",
    "how long a repeated mutation gets its first answer",
    60_000,
    604_800_000,
  ),
  commitLogMs: limit(
    604_800_000,
    "ms",
    "how long changed rows stay in the commit log",
    86_400_000,
    31_536_000_000,
  ),
  rateLimitKeysMax: limit(
    100_000,
    "count",
    "callers remembered for rate limits",
    1_000,
    10_000_000,
  ),
  anonymousPerMinuteMax: limit(
    6_000,
    "count",
    "requests of one address, not signed in, a minute",
    60,
    1_000_000_000,
  ),
  callerPerMinuteMax: limit(
    12_000,
    "count",
    "requests of one signed-in caller a minute",
    60,
    1_000_000_000,
  ),
  badTokensPerMinuteMax: limit(
    300,
    "count",
    "requests of one address with a token that fails, a minute",
    1,
    1_000_000,
  ),
  runDepthMax: limit(8, "levels", "functions that run functions", 1, 64),
  rightsCacheMax: limit(
    10_000,
    "count",
    "callers whose rights are worked out and remembered",
    16,
    1_000_000,
  ),
  traceKeepMax: limit(2_000, "count", "requests whose traces are kept for explain", 16, 1_000_000),
  traceNotesMax: limit(256, "count", "queries and decisions noted in one trace", 16, 10_000),
  tokenCacheMax: limit(10_000, "count", "verified tokens remembered", 100, 1_000_000),
  tokenCharsMax: limit(8_192, "characters", "a bearer token", 256, 65_536),
  liveMessageBytesMax: limit(
    1_048_576,
    "bytes",
    "one message of a live connection",
    1_024,
    67_108_864,
  ),
  liveAsksMax: limit(256, "count", "operations of one live connection under way", 1, 10_000),
  liveSubscriptionsMax: limit(500, "count", "live queries of one connection", 1, 10_000),
  liveConnectionsPerAddressMax: limit(
    2_000,
    "count",
    "live connections of one network address",
    1,
    200_000,
  ),
  liveConnectionsPerUserMax: limit(
    200,
    "count",
    "live connections of one signed-in caller",
    1,
    100_000,
  ),
  liveBufferBytesMax: limit(
    8_388_608,
    "bytes",
    "what one live connection has not read yet; past it it is cut off",
    65_536,
    268_435_456,
  ),
  livePauseBytes: limit(
    65_536,
    "bytes",
    "unread bytes from which a live connection gets no pushes until it reads",
    1_024,
    16_777_216,
  ),
  livePingMs: limit(30_000, "ms", "between two pings of a live connection", 100, 600_000),
  liveCheckMs: limit(
    1_000,
    "ms",
    "how late an expired token ends live queries, and time is looked at",
    10,
    60_000,
  ),
  liveTickMs: limit(
    10,
    "ms",
    "the longest rest between two rounds of pushes; it is as long as the round took",
    0,
    10_000,
  ),
  liveSliceMs: limit(8, "ms", "live queries run again before other work has its turn", 1, 1_000),
  liveReadsMax: limit(
    1_000,
    "count",
    "reads of one live query told apart; past it any change of their tables counts",
    1,
    100_000,
  ),
  liveReplayMax: limit(10_000, "count", "commits remembered while live queries run", 16, 1_000_000),
  liveFlipRowsMax: limit(
    1_000,
    "count",
    "rows whose time is reached, looked at one by one",
    1,
    100_000,
  ),
  pruneMs: limit(3_600_000, "ms", "between two clean-ups of the commit log", 1_000, 86_400_000),
  reloadMsMax: limit(2_000, "ms", "requests under way before a reload cuts in", 0, 60_000),
  shutdownMsMax: limit(15_000, "ms", "finishing accepted work when asked to stop", 100, 600_000),
  timersMax: limit(100, "count", "timers of one call that wait at the same time", 1, 10_000),
  fetchesMax: limit(20, "count", "requests of one call that wait at the same time", 1, 1_000),
  redirectsMax: limit(5, "count", "redirects that one fetch follows", 0, 50),
  fetchMsMax: limit(30_000, "ms", "one request that an action sends", 100, 600_000),
  fetchBytesMax: limit(10_485_760, "bytes", "one answer that an action reads", 1_024, 268_435_456),
} as const satisfies Record<string, Limit>;

/** A limit's name. */
export type LimitName = keyof typeof table;

/** The table with units, reasons and bounds. */
export const limitTable: Readonly<Record<LimitName, Limit>> = table;

/** The values in force. */
export type Limits = Readonly<Record<LimitName, number>>;

/** The defaults of every limit. */
export const limits: Limits = Object.freeze(
  Object.fromEntries(Object.entries(table).map(([name, { value }]) => [name, value])),
) as Limits;

function limit(
  value: number,
  unit: Limit["unit"],
  reason: string,
  min: number,
  max: number,
): Limit {
  return Object.freeze({ value, unit, reason, min, max });
}
