// Whom bundles are for, as the whole page knows it: asked for once, and shown by the names that people have for them.

import { ReactNode, createContext, useCallback, useContext, useEffect, useRef, useState } from "react";
import { AnswerOf, Failure, ask, unreachable } from "../api/client";
import { Query, useQuery } from "../api/query";
import { Destination, Standing } from "../api/schema";

type Destinations = Query<AnswerOf<"listDestinations">>;

const Context = createContext<Destinations>({ value: undefined, failure: undefined, isOld: false, reload: () => undefined });

export function DestinationsProvider({ children }: { readonly children: ReactNode }) {
  const destinations = useQuery("listDestinations", { limit: 1000 }, ["open", "ended", "replies"]);
  return <Context.Provider value={destinations}>{children}</Context.Provider>;
}

export const useDestinations = () => useContext(Context);

/** What people call a destination; its id where it has not said. */
export function useNameOf(): (id: string) => string {
  const { value } = useDestinations();
  return useCallback((id) => value?.items.find((item) => item.destination === id)?.standing?.name ?? id, [value]);
}

/** Whether what it says counts. */
export const isConfirmed = (standing: Standing) => standing.confirmed !== null;

/** What the next bundle for a destination would carry. */
export interface Next {
  readonly packages: number;
  readonly versions: number;
  readonly files: number;
  readonly bytes: number;
  readonly removed: number;
  /** `null` for nothing. */
  readonly baseline: string | null;
  readonly target: string;
}

async function next(item: Destination, newest: string, signal: AbortSignal): Promise<Next> {
  if (item.standing) {
    const { counts, versions, baseline, target } = await ask("getNextBundle", { id: item.destination }, { signal });
    return { ...counts, versions, baseline, target: target ?? newest };
  }
  const baseline = item.lastBundle?.target ?? null;
  const { carries, counts } = await ask("compareSnapshots", { id: newest, baseline: baseline ?? "empty", limit: 1 }, { signal });
  return { ...carries, files: counts.added + counts.changed, removed: counts.removed + counts.withdrawn, baseline, target: newest };
}

/**
 * What the next bundle for each destination would carry, as far as it is known yet: one is asked for after another, since each compares two
 * snapshots.
 *
 * @param newest the newest snapshot; `undefined` asks nothing
 */
export function useNextBundles(items: readonly Destination[] | undefined, newest: string | undefined): ReadonlyMap<string, Next | Failure> {
  const [found, setFound] = useState<ReadonlyMap<string, Next | Failure>>(new Map());
  const latest = useRef(items);
  latest.current = items;
  // What it depends on.
  const key = items?.map((item) => [item.destination, item.lastBundle?.bundle, item.standing?.receipt?.read, item.standing?.baseline, item.standing?.lastExport?.written].join(" ")).join(",");
  useEffect(() => {
    if (newest === undefined) return;
    const abort = new AbortController();
    void (async () => {
      for (const item of latest.current ?? []) {
        let answer: Next | Failure;
        try {
          answer = await next(item, newest, abort.signal);
        } catch (error) {
          answer = error instanceof Failure ? error : unreachable(error);
        }
        if (abort.signal.aborted) return;
        setFound((old) => new Map(old).set(item.destination, answer));
      }
    })();
    return () => abort.abort();
  }, [key, newest]);
  return found;
}
