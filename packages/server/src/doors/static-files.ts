// A built website beside the API: files of one folder, kept in memory, with etags. It reads nothing outside
// the folder: no dot segments, no hidden files, no symbolic link that leads out.
import { createHash } from "node:crypto";
import type { Disk, DiskEntry } from "../base/disk.ts";
import type { Limits } from "../base/limits.ts";
import type { FlatHeaders } from "./http-head.ts";
import { chooseCoding, compress } from "./http-compress.ts";
import type { HttpHead } from "./http-head.ts";
import { pathSegments } from "./http-target.ts";

/** A file as an answer. */
export interface StaticAnswer {
  readonly status: 200 | 304;
  readonly headers: FlatHeaders;
  readonly body: Uint8Array | null;
}

/** One folder's files. */
export interface StaticFiles {
  /**
   * @param path starts with a slash, percent-encoded.
   * @returns null when there is no such file. A path without a file, asked for as a page (Accept has
   * text/html), is answered with the folder's index.html: single-page apps route in the browser.
   */
  find(path: string, head: HttpHead): Promise<StaticAnswer | null>;
}

interface LoadedFile {
  readonly bytes: Uint8Array;
  readonly compressed: Uint8Array | null;
  readonly etag: string;
  readonly type: string;
  readonly modifiedMs: number;
}

const types: Readonly<Record<string, string>> = {
  avif: "image/avif",
  css: "text/css; charset=utf-8",
  gif: "image/gif",
  html: "text/html; charset=utf-8",
  ico: "image/x-icon",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  map: "application/json",
  mjs: "text/javascript; charset=utf-8",
  pdf: "application/pdf",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  wasm: "application/wasm",
  webmanifest: "application/manifest+json",
  webp: "image/webp",
  woff2: "font/woff2",
  xml: "application/xml",
};

/** Types that are already compressed, or too small a part of a page to matter. */
const compressible = /^(?:text\/|application\/(?:json|xml|wasm|manifest)|image\/svg)/v;

/** Bundlers (Vite's default) put a hash of the content into the name: such a file never changes. */
const hashedName = /^\/assets\/.*[.\-][\w\-]{8,}\.[a-z\d]+$/v;

/**
 * Opens a folder. @param folder absolute. @returns files read when first asked for, and again when changed.
 */
export function openStaticFiles(parts: {
  readonly disk: Disk;
  readonly folder: string;
  readonly limits: Limits;
}): StaticFiles {
  const { disk, limits } = parts;
  const root = disk.realPath(parts.folder) ?? parts.folder;
  const cache = new Map<string, LoadedFile>();
  let cachedBytes = 0;
  return { find };

  async function find(path: string, head: HttpHead): Promise<StaticAnswer | null> {
    const segments = pathSegments(path);
    if (!segments.every(isVisible)) return null;
    const file = await lookUp(segments);
    if (file !== null) return answer(file, head, hashedName.test(path));
    const isPage = head.accept?.includes("text/html") === true;
    const index = isPage ? await lookUp([""]) : null;
    return index === null ? null : answer(index, head, false);
  }

  async function lookUp(segments: readonly string[]): Promise<LoadedFile | null> {
    const named = segments.at(-1) === "" ? [...segments.slice(0, -1), "index.html"] : segments;
    const path = disk.realPath([root, ...named].join("/"));
    if (path === null || !path.startsWith(`${root}/`)) return null;
    const entry = disk.stat(path);
    if (entry === null || entry.kind !== "file" || entry.bytes > limits.staticFileBytesMax)
      return null;
    const cached = cache.get(path);
    if (cached?.modifiedMs === entry.modifiedMs && cached.bytes.length === entry.bytes)
      return cached;
    return load(path, entry);
  }

  async function load(path: string, entry: DiskEntry): Promise<LoadedFile | null> {
    const bytes = await disk.readLater(path);
    if (bytes === null) return null;
    const type = types[entry.name.slice(entry.name.lastIndexOf(".") + 1).toLowerCase()];
    const isText = type !== undefined && compressible.test(type);
    const file: LoadedFile = {
      bytes,
      compressed: isText && bytes.length >= limits.compressBytesMin ? await gzipped(bytes) : null,
      etag: createHash("sha256").update(bytes).digest("base64url").slice(0, 27),
      type: type ?? "application/octet-stream",
      modifiedMs: entry.modifiedMs,
    };
    keep(path, file);
    return file;
  }

  /** Keeps a file; the oldest ones go when the cache is full. */
  function keep(path: string, file: LoadedFile): void {
    forget(path);
    const bytes = sizeOf(file);
    if (bytes > limits.staticCacheBytesMax) return;
    for (const oldest of cache.keys()) {
      if (cachedBytes + bytes <= limits.staticCacheBytesMax) break;
      forget(oldest);
    }
    cache.set(path, file);
    cachedBytes += bytes;
  }

  function forget(path: string): void {
    const file = cache.get(path);
    if (file === undefined) return;
    cachedBytes -= sizeOf(file);
    cache.delete(path);
  }
}

function answer(file: LoadedFile, head: HttpHead, isHashed: boolean): StaticAnswer {
  const useGzip = file.compressed !== null && chooseCoding(head.acceptEncoding, ["gzip"]) !== null;
  // One representation per coding: the tags must differ (RFC 9110 section 8.8.3.3).
  const etag = useGzip ? `"${file.etag}-gzip"` : `"${file.etag}"`;
  const headers = [
    "etag",
    etag,
    "cache-control",
    isHashed ? "public, max-age=31536000, immutable" : "no-cache",
  ];
  if (file.compressed !== null) headers.push("vary", "accept-encoding");
  if (matches(head.ifNoneMatch, etag)) return { status: 304, headers, body: null };
  headers.push("content-type", file.type);
  if (useGzip) headers.push("content-encoding", "gzip");
  return { status: 200, headers, body: useGzip ? file.compressed : file.bytes };
}

function matches(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  return ifNoneMatch.split(",").some((tag) => {
    const bare = tag.trim().replace(/^W\//v, "");
    return bare === etag || bare === "*";
  });
}

/** Hidden files stay hidden, but for `/.well-known/`. Backslashes separate paths on some systems. */
function isVisible(segment: string): boolean {
  if (segment.includes("/") || segment.includes("\\")) return false;
  return !segment.startsWith(".") || segment === ".well-known";
}

function gzipped(bytes: Uint8Array): Promise<Uint8Array | null> {
  return new Promise((resolve) => compress(bytes, "gzip", resolve));
}

function sizeOf(file: LoadedFile): number {
  return file.bytes.length + (file.compressed?.length ?? 0);
}
