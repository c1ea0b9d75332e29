// Findings as they come in: one for each hole, however many requests show it, kept with the shortest one.
import type { Json } from "../../base/json.ts";
import type { Manifest, SourcePlace } from "../../model/manifest.ts";
import type { Rule } from "../../model/rule-ast.ts";
import type { Change } from "../../store/store.ts";
import { acceptedReason } from "./accepted-reason.ts";
import type { AttackFinding } from "./attack-report.ts";
import type { WireRequest } from "./attack-target.ts";
import type { CanaryPlace } from "./canary.ts";
import { holeKinds, type HoleCode } from "./hole-codes.ts";
import type { Identity } from "./identity-plan.ts";
import { curlOf, testOf } from "./replay.ts";

/** A hole that one request has shown. */
export interface Shown {
  readonly code: HoleCode;
  readonly subject: string;
  /** What the subject does wrong; findings of one code, subject and aspect are one. */
  readonly aspect: string;
  readonly fields: readonly string[];
  readonly says: string;
  readonly by: Identity | null;
  readonly request: WireRequest;
  readonly status: number;
  /** Another request that must be answered alike, and is not. */
  readonly alike?: WireRequest;
  readonly leaked?: CanaryPlace & { readonly value: Json };
  readonly changed?: Change;
  readonly rule?: Rule | undefined;
  readonly at?: SourcePlace | undefined;
}

interface Kept {
  shown: Shown;
  readonly accepted: string | null;
  readonly fields: Set<string>;
  /** By name, with how much each is trusted. */
  readonly identities: Map<string, number>;
}

const trust = ["anonymous", "stranger", "owner", "member", "trusted"];

/** Collects what was shown. */
export class FindingBook {
  readonly #kept = new Map<string, Kept>();
  readonly #manifest: Manifest;
  readonly #sources: ReadonlyMap<string, string>;

  constructor(manifest: Manifest, sources: ReadonlyMap<string, string>) {
    this.#manifest = manifest;
    this.#sources = sources;
  }

  add(shown: Shown): void {
    const accepted = acceptedReason(this.#sources, { ...shown, at: this.#place(shown) });
    // What is accepted does not hide what is not.
    const key = `${shown.code} ${shown.subject} ${shown.aspect} ${accepted ?? ""}`;
    const kept = this.#kept.get(key);
    const who = shown.by?.name ?? "nobody in particular";
    if (kept === undefined) {
      this.#kept.set(key, {
        ...{ shown, accepted },
        fields: new Set(shown.fields),
        identities: new Map([[who, rankOf(shown.by)]]),
      });
      return;
    }
    for (const field of shown.fields) kept.fields.add(field);
    kept.identities.set(who, rankOf(shown.by));
    if (weight(shown) < weight(kept.shown)) kept.shown = shown;
  }

  get size(): number {
    return this.#kept.size;
  }

  list(): readonly AttackFinding[] {
    return [...this.#kept.values()]
      .map((kept) => this.#finding(kept))
      .toSorted((a, b) =>
        a.code === b.code ? order(a.subject, b.subject) : order(a.code, b.code),
      );
  }

  #place({ at, rule, subject }: Shown): SourcePlace | null {
    return (
      at ??
      (rule === undefined
        ? undefined
        : { file: rule.at.file, line: rule.line, column: rule.column }) ??
      this.#manifest.functions[subject]?.at ??
      this.#manifest.tables[subject]?.at ??
      null
    );
  }

  #finding({ shown, accepted, fields, identities }: Kept): AttackFinding {
    const { code, subject, says, request, by, status, leaked, changed, rule, alike } = shown;
    const { title, why, fix } = holeKinds[code];
    const at = this.#place(shown);
    const name = by?.name ?? "nobody in particular";
    return {
      ...{ code, title, why, subject, says, request, status, fix, by: name },
      fields: [...fields],
      identities: [...identities].toSorted(([, a], [, b]) => a - b).map(([each]) => each),
      leaked: leaked ?? null,
      changed: changed ?? null,
      at,
      clause: rule?.text ?? this.#line(at),
      curl: curlOf(request),
      test: testOf({
        name: `${name}: ${says}`,
        request,
        by: name,
        canary: leaked === undefined ? null : String(leaked.value),
        ...(alike === undefined ? {} : { alike }),
      }),
      accepted,
    };
  }

  #line(at: SourcePlace | null): string {
    if (at === null) return "";
    return (this.#sources.get(at.file)?.split("\n")[at.line - 1] ?? "").trim();
  }
}

/** How much an identity is trusted: 0 is nobody. */
function rankOf(by: Identity | null): number {
  return by === null ? 0 : trust.indexOf(by.kind);
}

/** The least trusted caller first, then the shortest request. */
function weight({ by, request }: Shown): number {
  return rankOf(by) * 1_000_000 + request.path.length + (request.body?.length ?? 0);
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
