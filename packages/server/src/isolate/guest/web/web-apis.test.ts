// The web APIs inside an isolate against those of Node: the same code runs in both.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { runInThisContext } from "node:vm";
import type { Json } from "../../../base/json.ts";
import { openTestApp, queries, type TestApp } from "../../isolate-harness.case.ts";

/** Each is an expression or a body; its value must be the same here and there. */
const same: Readonly<Record<string, string>> = {
  url: `const u = new URL("../b?x=1&x=2#h", "https://ex.com:8080/a/c/d"); u.searchParams.append("ž", "a b&c"); u.hash = "z";
    return [u.href, u.origin, u.host, u.port, u.pathname, u.search, u.hash, JSON.stringify({ u }), String(u), u.searchParams.getAll("x")];`,
  urlSet: `const u = new URL("http://a.b/"); u.protocol = "https"; u.host = "c.d:99"; u.pathname = "/p q"; u.search = "?k=v"; u.username = "me"; u.password = "pw";
    const p = u.searchParams; u.search = "?other=1"; p.set("more", "2"); return [u.href, p.get("other"), p.size];`,
  urlBad: `return [URL.canParse("nope"), URL.canParse("/x", "http://a"), URL.parse("nope"), (() => { try { new URL("nope"); } catch (e: any) { return e instanceof TypeError; } })()];`,
  urlIdn:
    'return [new URL("http://žluť.cz/").hostname, new URL("http://0x7f.1/").hostname, new URL("http://[::1]:80/").href];',
  params: `const p = new URLSearchParams("?a=1&b=2&a=%C5%BE+x&%ZZ=%&empty"); p.append("c", "~!'()*"); p.delete("b"); p.sort();
    return [p.toString(), [...p], p.has("a", "1"), p.get("none"), [...p.keys()], [...p.values()], new URLSearchParams({ x: "1" }).toString(), new URLSearchParams([["q", "r"]]).toString()];`,
  encode:
    'return [[...new TextEncoder().encode("až🐴\\ud800")], new TextEncoder().encodeInto("a🐴b", new Uint8Array(5)), [...new TextEncoder().encode("x".repeat(300) + "ž")].length];',
  decode: `const d = new TextDecoder(); const bytes = new TextEncoder().encode("ž🐴!"); let text = "";
    for (const byte of bytes) text += d.decode(new Uint8Array([byte]), { stream: true });
    return [text + d.decode(), new TextDecoder("latin1").encoding, new TextDecoder("utf-16le").decode(new Uint8Array([97, 0, 126, 1])), new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 33])), new TextDecoder("utf-8", { ignoreBOM: true }).decode(new Uint8Array([0xef, 0xbb, 0xbf, 33])).length, new TextDecoder().decode(new Uint8Array([255]))];`,
  decodeFatal:
    'try { new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([255])); } catch (e: any) { return e instanceof TypeError; }',
  decodeUnknown:
    'try { new TextDecoder("nope"); } catch (e: any) { return e instanceof RangeError; }',
  base64:
    'return [btoa("!ahoj\\xff"), atob("IWFob2r/"), atob(" IW Fo "), (() => { try { btoa("ž"); } catch (e: any) { return [e.name, e.code]; } })(), (() => { try { atob("*"); } catch (e: any) { return [e.name, e.code]; } })()];',
  clone: `const a: any = { d: new Date(5), m: new Map([[1, new Set([2])]]), r: /x/gi, b: new Uint8Array([1, 2]).buffer, v: new Uint8Array([3, 4, 5]).subarray(1), e: new RangeError("r"), u: undefined, n: null, big: 1n };
    a.self = a; const c: any = structuredClone(a);
    return [c !== a, c.self === c, c.d.getTime(), [...c.m.get(1)], c.r.flags, new Uint8Array(c.b)[1], [...c.v], c.e.name, c.e.message, "u" in c, String(c.big)];`,
  cloneBad:
    "return [() => 1, Symbol('x'), { f() {} }, new WeakMap()].map((v) => { try { structuredClone(v); return 'ok'; } catch (e: any) { return [e.name, e.code]; } });",
  headers: `const h = new Headers({ "B-Name": " x ", a: "1" }); h.append("A", "2"); h.append("Set-Cookie", "p=1"); h.append("set-cookie", "q=2");
    return [[...h], h.get("a"), h.has("B-NAME"), h.getSetCookie(), h.get("none"), [...new Headers([["k", "v"]]).keys()], (() => { try { h.set("bad name", "x"); } catch (e: any) { return e instanceof TypeError; } })(), (() => { try { h.set("x", "a\\nb"); } catch (e: any) { return e instanceof TypeError; } })()];`,
  request: `const r = new Request("http://a.b/c?d", { method: "post", headers: { x: "1" }, body: "ž" }); const c = r.clone();
    return [r.method, r.url, r.headers.get("content-type"), await r.text(), r.bodyUsed, await c.text(), await new Request(c.url, { method: "POST", body: new URLSearchParams("a=1") }).text(), (() => { try { new Request("http://a", { body: "x" }); } catch (e: any) { return e instanceof TypeError; } })()];`,
  response: `const r = new Response(JSON.stringify({ a: 1 }), { status: 201, headers: { a: "b" } });
    const empty = new Response(null, { status: 204 });
    return [r.status, r.ok, await r.clone().json(), [...new Uint8Array(await r.arrayBuffer())].length, r.bodyUsed, await empty.text(), Response.json([1]).headers.get("content-type"), Response.redirect("http://x.y/z", 303).headers.get("location"), new Response(new Uint8Array([1, 2])).headers.get("content-type"), (() => { try { new Response("x", { status: 204 }); } catch (e: any) { return e instanceof TypeError; } })(), (() => { try { new Response("", { status: 99 }); } catch (e: any) { return e instanceof RangeError; } })()];`,
  usedTwice:
    "const r = new Response('x'); await r.text(); try { await r.text(); } catch (e: any) { return e instanceof TypeError; }",
  events: `const t = new EventTarget(); const seen: any[] = []; const f = (e: any) => seen.push([e.type, e.target === t]);
    t.addEventListener("a", f); t.addEventListener("a", f); t.addEventListener("a", () => seen.push("once"), { once: true }); t.addEventListener("a", { handleEvent: (e: any) => { e.preventDefault(); seen.push("object"); } } as any);
    const results = [t.dispatchEvent(new Event("a", { cancelable: true })), t.dispatchEvent(new Event("a"))]; t.removeEventListener("a", f); t.dispatchEvent(new Event("a"));
    return [seen, results];`,
  abort: `const c = new AbortController(); const seen: any[] = []; c.signal.onabort = () => seen.push("on"); c.signal.addEventListener("abort", () => seen.push(c.signal.reason.name));
    const any = AbortSignal.any([c.signal, new AbortController().signal]); c.abort(); c.abort();
    return [seen, c.signal.aborted, any.aborted, any.reason === c.signal.reason, AbortSignal.abort("why").reason, (() => { try { c.signal.throwIfAborted(); } catch (e: any) { return e.name; } })()];`,
  domException:
    'const e = new DOMException("m", "AbortError"); return [e.name, e.message, e.code, e instanceof Error];',
  digest: `const hex = (b: any) => [...new Uint8Array(b)].map((x) => x.toString(16).padStart(2, "0")).join(""); const data = new TextEncoder().encode("abc");
    return [hex(await crypto.subtle.digest("SHA-256", data)), hex(await crypto.subtle.digest({ name: "SHA-512" }, data.buffer)), hex(await crypto.subtle.digest("SHA-1", new Uint8Array(0)))];`,
  hmac: `const hex = (b: any) => [...new Uint8Array(b)].map((x) => x.toString(16).padStart(2, "0")).join(""); const data = new TextEncoder().encode("body");
    const key = await crypto.subtle.importKey("raw", new TextEncoder().encode("secret"), { name: "HMAC", hash: "SHA-256" }, true, ["sign", "verify"]);
    const signature = await crypto.subtle.sign("HMAC", key, data);
    return [hex(signature), await crypto.subtle.verify("HMAC", key, signature, data), await crypto.subtle.verify("HMAC", key, signature, new Uint8Array(1)), key.type, key.extractable, (await crypto.subtle.exportKey("jwk", key)).k];`,
  hmacDenied: `const key = await crypto.subtle.importKey("raw", new Uint8Array(8), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
    const names: string[] = []; try { await crypto.subtle.sign("HMAC", key, new Uint8Array(1)); } catch (e: any) { names.push(e.name); } try { await crypto.subtle.exportKey("raw", key); } catch (e: any) { names.push(e.name); } return names;`,
  jwtVerify: `const jwk = JSON.parse(args.jwk); const data = new TextEncoder().encode("a.b"); const signature = Uint8Array.from(atob(args.signature), (c: any) => c.charCodeAt(0));
    const key = await crypto.subtle.importKey("jwk", jwk, { name: "ECDSA", namedCurve: "P-256" } as any, true, ["verify"]);
    return [await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, signature, data), await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, signature, new Uint8Array(2)), key.type];`,
  derive: `const hex = (b: any) => [...new Uint8Array(b)].map((x) => x.toString(16).padStart(2, "0")).join("");
    const key = await crypto.subtle.importKey("raw", new TextEncoder().encode("pw"), "PBKDF2", false, ["deriveBits"]); const hk = await crypto.subtle.importKey("raw", new TextEncoder().encode("ikm"), "HKDF", false, ["deriveBits"]);
    return [hex(await crypto.subtle.deriveBits({ name: "PBKDF2", salt: new Uint8Array(8), iterations: 1000, hash: "SHA-256" }, key, 256)), hex(await crypto.subtle.deriveBits({ name: "HKDF", salt: new Uint8Array(3), info: new Uint8Array(2), hash: "SHA-256" }, hk, 128))];`,
  aes: `const hex = (b: any) => [...new Uint8Array(b)].map((x) => x.toString(16).padStart(2, "0")).join("");
    const key = await crypto.subtle.importKey("raw", new Uint8Array(32), "AES-GCM", false, ["encrypt", "decrypt"]); const iv = new Uint8Array(12);
    const box = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: new Uint8Array(2) }, key, new TextEncoder().encode("hello"));
    const open = await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: new Uint8Array(2) }, key, box);
    return [hex(box), new TextDecoder().decode(open), await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, box).catch((e: any) => e.name)];`,
  tags: "return [new URL('http://a'), new Headers(), new Response(), new URLSearchParams(), new AbortController().signal].map((x) => Object.prototype.toString.call(x));",
};

let app: TestApp;
let keyArgs: Json = {};

before(async () => {
  app = await openTestApp(
    queries(Object.fromEntries(Object.entries(same).map(([name, body]) => [`same${name}`, body]))),
  );
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
  ]);
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  const data = new TextEncoder().encode("a.b");
  const signature = Buffer.from(await crypto.subtle.sign(algorithm, pair.privateKey, data));
  const jwk = await crypto.subtle.exportKey("jwk", pair.publicKey);
  delete jwk.key_ops;
  keyArgs = { jwk: JSON.stringify(jwk), signature: signature.toString("base64") };
});
after(() => app.close());

for (const [name, body] of Object.entries(same)) {
  test(`as in Node: ${name}`, async () => {
    const plain = body
      .replaceAll(/: any(\[\])?(?=[ ,)=;]|$)/g, "")
      .replaceAll(" as any", "")
      .replaceAll(": string[]", "");
    const run = runInThisContext(`(async (args) => { ${plain} })`) as (args: Json) => unknown;
    const expected = JSON.parse(JSON.stringify((await run(keyArgs)) ?? null)) as Json;
    assert.deepEqual(await app.value(`same${name}`, keyArgs), expected);
  });
}

test("an http function reads a Request and gives a Response, whole and raw", async () => {
  const http = await openTestApp(
    `import { http } from "./schema.ts";
export const echo = http({ method: "POST", path: "/echo/:id", allow: "anyone", async run({ params, me }, request) {
  const body = new Uint8Array(await request.arrayBuffer());
  return new Response(body, { status: 202, headers: [["x-id", params["id"] ?? ""], ["x-url", request.url], ["x-me", String(me.role)], ["set-cookie", "a=1"], ["set-cookie", "b=2"], ["x-in", request.headers.get("x-in") ?? ""]] });
} });
export const wrong = http({ method: "GET", path: "/wrong", allow: "anyone", async run() { return { status: 200 } as never; } });
export const plain = http({ method: "GET", path: "/plain", allow: "anyone", async run() { return Response.json({ ok: "ž" }); } });`,
  );
  try {
    const request = {
      method: "POST",
      url: "http://localhost:4000/echo/7?q=1",
      headers: [["x-in", "1"]],
      body: Buffer.from([0, 200, 255]).toString("base64"),
    };
    assert.deepEqual(await http.value("echo", { params: { id: "7" }, request }), {
      status: 202,
      headers: [
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
        ["x-id", "7"],
        ["x-in", "1"],
        ["x-me", "null"],
        ["x-url", "http://localhost:4000/echo/7?q=1"],
      ],
      body: "AMj/",
    });
    const get = { params: {}, request: { ...request, method: "GET", body: null } } as never;
    assert.equal((await http.error("wrong", get)).code, "RESULT_INVALID");
    const plain = (await http.value("plain", get)) as { body: string };
    assert.equal(Buffer.from(plain.body, "base64").toString(), '{"ok":"ž"}');
  } finally {
    http.close();
  }
});
