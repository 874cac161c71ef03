// Where the page is, by the browser's history.

import { AnchorHTMLAttributes, MouseEvent, useCallback, useMemo, useSyncExternalStore } from "react";

/** What every address of the page begins with. */
export const base = "/ui";

const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("popstate", listener);
  };
}

const current = () => location.pathname + location.search;

export interface Place {
  /** Decoded, without the base: `["packages", "@types/node"]` is `/ui/packages/@types/node`. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

export function usePlace(): Place {
  const address = useSyncExternalStore(subscribe, current);
  return useMemo(() => {
    const url = new URL(address, location.origin);
    const path = url.pathname.startsWith(base) ? url.pathname.slice(base.length) : url.pathname;
    return { segments: path.split("/").filter((segment) => segment !== "").map(decoded), query: url.searchParams };
  }, [address]);
}

/** Goes to an address of the page, such as `/packages`. */
export function navigate(to: string, how: "push" | "replace" = "push"): void {
  if (how === "push") {
    history.pushState(null, "", base + to);
    window.scrollTo(0, 0);
  } else {
    history.replaceState(history.state, "", base + to);
  }
  for (const listener of [...listeners]) listener();
}

export interface LinkProps extends AnchorHTMLAttributes<HTMLAnchorElement> {
  readonly to: string;
}

export function Link({ to, onClick, ...rest }: LinkProps) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(to);
  };
  return <a {...rest} href={base + to} onClick={follow} />;
}

/** The words of the query, and what changes some of them; what is empty is left out. */
export function useQueryWords(): [URLSearchParams, (changes: Readonly<Record<string, string | undefined>>, how?: "push" | "replace") => void] {
  const { query } = usePlace();
  const change = useCallback((changes: Readonly<Record<string, string | undefined>>, how: "push" | "replace" = "push") => {
    const words = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined || value === "") words.delete(name);
      else words.set(name, value);
    }
    const text = words.toString();
    const path = location.pathname.slice(base.length) + (text === "" ? "" : `?${text}`);
    if (base + path === current()) return;
    const top = window.scrollY;
    navigate(path, how);
    if (how === "push") window.scrollTo(0, top);
  }, []);
  return [query, change];
}

/** The address of a package's page, with its scope as a segment of its own. */
export function packagePath(name: string): string {
  return `/packages/${name.split("/").map(encodeURIComponent).join("/").replace("%40", "@")}`;
}
