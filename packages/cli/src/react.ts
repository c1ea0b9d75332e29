// The package "keelson/react": live queries and mutations as hooks of React (18 or later). Reaches no `node:`.
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { makeHooks } from "@keelson/sdk/hooks";

export type {
  LiveOptions,
  LiveState,
  MeState,
  Mutation,
  MutationOptions,
  MutationState,
} from "@keelson/sdk/hooks";

const hooks = makeHooks({ useEffect, useMemo, useRef, useState, useSyncExternalStore });

/**
 * Follows a query while the component is shown.
 * @example
 * const { data, error, isLoading } = useLive(api.cinema.seats({ screening }));
 */
export const useLive = hooks.useLive;

/**
 * Calls a mutation, and shows at once what it will change.
 * @example
 * const remove = useMutation(api.note.delete, {
 *   optimistic: (show, id) => show(api.note.list(), (notes) => notes.filter((note) => note.id !== id)),
 * });
 * remove.run(note.id);
 */
export const useMutation = hooks.useMutation;

/**
 * Who is signed in, and again whenever that changes.
 * @example
 * const { me, isLoading } = useMe(api);
 */
export const useMe = hooks.useMe;
