// An assertion on types: `same<string>()<typeof x>()` compiles only when both are the same type.

// Two conditional types are the same only when what they test is (TypeScript issue 27024).
type Same<A, B> =
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- X stands for every type.
  (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? [] : [never];

/** @returns a function of another type, which takes an argument that does not exist unless both are the same. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- Given by the caller, not inferred.
export function same<A>(): <B>(...proof: Same<A, B>) => void {
  return () => undefined;
}
