// Hooks for React and what is like it. They are made of the framework's own hooks, so that React and Preact
// share them and the SDK depends on neither. No provider: the client is a constant of the page.
import type { ClientAuth, MeState } from "./auth-client-surface.ts";
import type { Call, ReadCall, ShowChange, WriteCall } from "./client-call.ts";
import type { LiveStore } from "./live-store.ts";
import type { LiveState } from "./live-view.ts";

export type { MeState } from "./auth-client-surface.ts";
export type { LiveState } from "./live-view.ts";

/** What is used of a framework. */
export interface HookPort {
  useSyncExternalStore<T>(
    subscribe: (changed: () => void) => () => void,
    getSnapshot: () => T,
    getServerSnapshot: () => T,
  ): T;
  useMemo<T>(make: () => T, deps: readonly unknown[]): T;
  useRef<T>(initial: T): { current: T };
  useState<T>(initial: T): readonly [T, (next: (before: T) => T) => void];
  useEffect(effect: () => void): void;
}

/** How a mutation goes. */
export interface MutationState<T> {
  /** The answer to the last call that was answered. */
  readonly data: T | undefined;
  /** Why the last call failed; null when it did not, and while it is on its way. */
  readonly error: unknown;
  readonly isPending: boolean;
}

/** A mutation of a component. */
export interface Mutation<A extends readonly unknown[], T> extends MutationState<T> {
  /** Calls it. The same function on every render. The promise may be left alone: `error` has it too. */
  readonly run: (...args: A) => Promise<T>;
}

/** What a mutation takes beside what it calls. */
export interface MutationOptions<A extends readonly unknown[]> {
  /**
   * Shows what the call will change, at once. Taken back when it is refused; replaced when the server shows it.
   * @param show names a query and how its answer will look. @param args of the call.
   */
  readonly optimistic?: (show: ShowChange, ...args: A) => void;
}

/** What following a query takes beside it. */
export interface LiveOptions {
  /**
   * When the component changes to another query: what it showed stays, with `isPreviousData`, until that one has its first value or an
   * error. Nothing stays when somebody else calls by then. Default: false, it is loading.
   */
  readonly keepPreviousData?: boolean;
}

/** The hooks. */
export interface LiveHooks {
  /**
   * Follows a query while the component is shown. All live queries of a client change in the same render.
   * @param call made in place: `useLive(api.film.list({ limit: 20 }))`; null follows nothing.
   * @example
   * const found = useLive(api.film.list({ search: text }), { keepPreviousData: true });
   */
  useLive<T>(call: ReadCall<T> | null, options?: LiveOptions): LiveState<T>;
  /**
   * Who is signed in, and again whenever that changes. @param api the client.
   * @example const { me, isLoading } = useMe(api);
   */
  useMe<M>(api: { readonly auth: Pick<ClientAuth<M>, "store"> }): MeState<M>;
  /**
   * Calls a mutation, with optimistic changes to live queries.
   * @param make makes the call: `api.cinema.hold`, or `(title: string) => api.film.create({ title })`.
   */
  useMutation<A extends readonly unknown[], T>(
    make: (...args: A) => WriteCall<T>,
    options?: MutationOptions<A>,
  ): Mutation<A, T>;
  /** Calls an action, or anything else that a client can call. */
  useMutation<A extends readonly unknown[], T>(make: (...args: A) => Call<T>): Mutation<A, T>;
}

const idleState: LiveState<never> = Object.freeze({
  data: undefined,
  error: null,
  isLoading: false,
  isPreviousData: false,
});
const serverState: LiveState<never> = Object.freeze({ ...idleState, isLoading: true });

const noStore: LiveStore<never> = Object.freeze({
  key: "",
  subscribe: () => () => undefined,
  getSnapshot: () => idleState,
  getCaller: () => null,
});

/** What a component showed last, and for whom it was answered. */
interface Shown<T> {
  readonly data: T;
  readonly caller: object;
}

/** Makes the hooks of a framework's own. */
export function makeHooks(port: HookPort): LiveHooks {
  const { useEffect, useMemo, useRef, useState, useSyncExternalStore } = port;

  function useLive<T>(
    call: ReadCall<T> | null,
    { keepPreviousData = false }: LiveOptions = {},
  ): LiveState<T> {
    const made: LiveStore<T> = call === null ? noStore : call.store();
    // A render makes a new store; for the same query the first one stays, with its subscription.
    const store = useMemo(() => made, [made.key]);
    const state = useSyncExternalStore<LiveState<T>>(store.subscribe, store.getSnapshot, () =>
      store === noStore ? idleState : serverState,
    );
    // Read with the state: for whom the one is, the other is. On a server nobody is asked anything.
    const caller = state === serverState ? null : store.getCaller();
    const shown = useRef<Shown<T> | null>(null);
    const isKept = keepPreviousData && state.isLoading && shown.current?.caller === caller;
    const previous = isKept ? shown.current : null;
    // After the render, since one that is thrown away shows nothing.
    useEffect(() => {
      if (previous === null) shown.current = shownOf(state, caller);
    });
    return useMemo(() => (previous === null ? state : previousState(previous)), [state, previous]);
  }

  function useMutation<A extends readonly unknown[], T>(
    make: (...args: A) => Call<T>,
    options: MutationOptions<A> = {},
  ): Mutation<A, T> {
    const [state, setState] = useState<Counted<T>>({ data: undefined, error: null, pending: 0 });
    const latest = useRef({ make, options });
    useEffect(() => {
      latest.current = { make, options };
    });
    const run = useMemo(
      () =>
        (...args: A) => {
          const { optimistic } = latest.current.options;
          let call = latest.current.make(...args);
          if (optimistic !== undefined) {
            call = (call as WriteCall<T>).optimistic((show) => optimistic(show, ...args));
          }
          setState((before) => ({ ...before, error: null, pending: before.pending + 1 }));
          const done = call.then(
            (data) => {
              setState(({ error, pending }) => ({ data, error, pending: pending - 1 }));
              return data;
            },
            (error: unknown) => {
              setState((before) => ({ ...before, error, pending: before.pending - 1 }));
              throw error;
            },
          );
          // Whoever does not look at the promise finds the error in the state.
          done.catch(() => undefined);
          return done;
        },
      [],
    );
    return { run, data: state.data, error: state.error, isPending: state.pending > 0 };
  }

  function useMe<M>({ auth }: { readonly auth: Pick<ClientAuth<M>, "store"> }): MeState<M> {
    const { subscribe, getSnapshot } = auth.store;
    return useSyncExternalStore<MeState<M>>(subscribe, getSnapshot, getSnapshot);
  }

  return { useLive, useMutation, useMe };
}

function shownOf<T>(
  { data, error, isLoading }: LiveState<T>,
  caller: object | null,
): Shown<T> | null {
  const isShown = caller !== null && !isLoading && error === null;
  return isShown ? { data: data as T, caller } : null;
}

function previousState<T>({ data }: Shown<T>): LiveState<T> {
  return Object.freeze({ data, error: null, isLoading: false, isPreviousData: true });
}

interface Counted<T> {
  readonly data: T | undefined;
  readonly error: unknown;
  /** Calls on their way. */
  readonly pending: number;
}
