// nginx of this machine with a configuration of the docs: on a free port, with a certificate of its own.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

/** nginx, running. */
export interface Nginx {
  readonly port: number;
  /** Of its certificate, PEM. */
  readonly certificate: string;
  close(): Promise<void>;
}

/** Why there is no nginx to test with; null: there is one. */
export function missingNginx(): string | null {
  for (const [name, args] of [
    ["nginx", ["-v"]],
    ["openssl", ["version"]],
  ] as const) {
    if (spawnSync(name, args).status !== 0) return `${name} is not installed`;
  }
  return null;
}

/**
 * Runs it until it is closed.
 * @param config what stands in its `http` block, for port 443 and a server at 127.0.0.1:4000.
 * @param upstream port of the server. @throws with what nginx says, when it does not take the configuration.
 */
export async function startNginx(folder: string, config: string, upstream: number): Promise<Nginx> {
  const port = await freePort();
  const key = join(folder, "key.pem");
  const pem = join(folder, "certificate.pem");
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", pem, ...subject],
    { stdio: "ignore" },
  );
  const site = [
    ["127.0.0.1:4000", `127.0.0.1:${upstream}`],
    ["listen 443 ssl", `listen 127.0.0.1:${port} ssl`],
    ["server_name shop.example", "server_name localhost"],
    [/ssl_certificate +\S+;/, `ssl_certificate ${pem};`],
    [/ssl_certificate_key +\S+;/, `ssl_certificate_key ${key};`],
  ] as const;
  const file = join(folder, "nginx.conf");
  writeFileSync(file, mainConfig(folder, site.reduce(replaced, config)));
  const child = spawn("nginx", ["-e", "stderr", "-c", file], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const ended = once(child, "exit");
  for (;;) {
    if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}:\n${said}`);
    const isThere = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
    if (isThere) break;
    await wait(20);
  }
  return {
    port,
    certificate: readFileSync(pem, "utf8"),
    async close() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** @throws when the page has no such text any more. */
function replaced(text: string, [from, to]: readonly [string | RegExp, string]): string {
  const next = text.replace(from, to);
  if (next === text) throw new Error(`the configuration has no ${String(from)}`);
  return next;
}

/** What a distribution brings around a site, in a folder of its own. */
function mainConfig(folder: string, site: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => {
    mkdirSync(join(folder, name));
    return `  ${name}_temp_path ${join(folder, name)};`;
  });
  return [
    ...(process.getuid?.() === 0 ? ["user root;"] : []),
    "daemon off;",
    `pid ${join(folder, "nginx.pid")};`,
    "events {}",
    "http {",
    "  access_log off;",
    ...temporary,
    site,
    "}",
  ].join("\n");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
