// Conditions whose value is undefined. JSON would leave them out, and a list would be longer than was meant: all rows
// of all people in the place of one person's. They are sent as they are, and the server refuses them by their place.

/** How an undefined value is written in a filter: no operator has this name. */
const lost = Object.freeze({ undefined: true });

/** What may have filters. */
interface Filtered {
  readonly where?: unknown;
  readonly with?: unknown;
}

/** A query whose filters tell what is undefined in them. @returns the same object when nothing is. */
export function withGiven<Q extends Filtered>(query: Q): Q {
  const { where, with: related } = query;
  if (where === undefined && related === undefined) return query;
  const filter = given(where);
  const others = relatedGiven(related);
  if (filter === where && others === related) return query;
  return {
    ...query,
    ...(filter === where ? {} : { where: filter }),
    ...(others === related ? {} : { with: others }),
  };
}

function relatedGiven(related: unknown): unknown {
  return changed(related, (query) => (isObject(query) ? withGiven(query) : query));
}

function given(value: unknown): unknown {
  if (Array.isArray(value)) {
    const all = value.map(given);
    return all.some((each, index) => each !== value[index]) ? all : value;
  }
  return changed(value, (part) => (part === undefined ? lost : given(part)));
}

/** An object with its members changed; the same where none is. What makes its own JSON is a value. */
function changed(value: unknown, change: (part: unknown) => unknown): unknown {
  if (!isObject(value) || typeof value["toJSON"] === "function") return value;
  let copy: Record<string, unknown> | null = null;
  for (const name of Object.keys(value)) {
    const part = change(value[name]);
    if (part !== value[name]) copy = { ...(copy ?? value), [name]: part };
  }
  return copy ?? value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
