// What HTTP/1.1 demands of any request, before its address is looked at: a host (RFC 9112, 3.2), and no expectation but
// the one that there is (RFC 9110, 10.1.1). Node would refuse both by itself, without a word of why.
import { PlatformError } from "../base/platform-error.ts";
import type { HttpExchange } from "./http-exchange.ts";
import { headerIn } from "./http-head.ts";
import { WholeRequest } from "./http-whole.ts";

/** @throws REQUEST_INVALID without a host; EXPECTATION_UNSUPPORTED. */
export function assertDemands(request: HttpExchange["request"]): void {
  // One that was read here has a host and expects nothing; before 1.1 there was neither.
  if (request instanceof WholeRequest || request.httpVersion !== "1.1") return;
  const { rawHeaders } = request;
  if (headerIn(rawHeaders, "host") === null) {
    throw new PlatformError("REQUEST_INVALID", { header: "host", problem: "is missing" });
  }
  const expected = headerIn(rawHeaders, "expect");
  if (expected !== null && !isContinue(expected))
    throw new PlatformError("EXPECTATION_UNSUPPORTED");
}

/** Whether a client waits to be asked for the body: it does nothing else until then. */
export function expectsContinue(request: HttpExchange["request"]): boolean {
  return isContinue(headerIn(request.rawHeaders, "expect") ?? "");
}

function isContinue(expected: string): boolean {
  return expected.toLowerCase() === "100-continue";
}
