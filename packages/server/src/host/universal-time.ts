// The zone of the process. Functions see local-time methods of Date too (`getHours`): they must not answer
// one thing on a laptop and another on a server.

/** Makes UTC the zone of this process and of isolates that it makes from now on. */
export function useUniversalTime(): void {
  process.env["TZ"] = "UTC";
}
