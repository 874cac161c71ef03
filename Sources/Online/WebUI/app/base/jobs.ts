// What the pages know of kinds of jobs.

import { BodyOf, ask } from "../api/client";
import { Job, Operations } from "../api/schema";
import { Format } from "./format";
import { Words } from "../words/en";

export type Kind = Job["kind"];
export type StartOperation = Extract<keyof Operations, `start-${string}`>;

/** The operation that asks for a job of a kind; an export is asked for at its medium. */
export const startOperations: Readonly<Record<Exclude<Kind, "export">, StartOperation>> = {
  full_cache_refresh: "start-full-refresh", delta_refresh: "start-delta-refresh", metadata_scan: "start-metadata-scan", broken_scan: "start-broken-rescan",
  broken_repair: "start-broken-repair", snapshot: "start-snapshot", diff_build: "start-diff-build", retention: "start-retention",
};

export const kinds = [...Object.keys(startOperations), "export"] as readonly Kind[];
export const startKinds = Object.keys(startOperations) as readonly (keyof typeof startOperations)[];

/** The address of the form that starts a kind, such as `/jobs/new/full-refresh`. */
export const formPath = (kind: keyof typeof startOperations) => `/jobs/new/${startOperations[kind].slice("start-".length)}`;

export const startJob = <Name extends StartOperation>(operation: Name, body: BodyOf<Name>, timeLimitSeconds?: number): Promise<Job> =>
  ask(operation, { timeLimitSeconds } as Operations[Name]["parameters"], { body });

/** Who asked for a job, in words. */
export function askerWords(asker: string, t: Words): string {
  const [kind = "", name = ""] = asker.split(/:(.*)/s);
  switch (kind) {
    case "schedule": return t.asker.schedule(name);
    case "chain": return t.asker.chain(name);
    case "resumption": return t.asker.resumption(name);
    case "api": return t.asker.api;
    case "cli": return t.asker.cli;
    case "mount": return t.asker.mount;
    default: return asker;
  }
}

/** A parameter as it is written: `minutes=2880`. */
export function parameterText(value: unknown): string {
  return Array.isArray(value) ? value.join(", ") : String(value);
}

export const isDryRun = (job: Job) => job.parameters.dryRun === true;

/** The figures of a report in groups; lists and texts, which only machines need, are left out. */
export function figures(report: Readonly<Record<string, unknown>> | null, t: Words, f: Format): readonly Figures[] {
  const names: Readonly<Record<string, string>> = t.figure;
  // A newer service may tell more than this page has words for.
  const nameOf = (name: string) => names[name] ?? name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  const groups: Figures[] = [];
  const walk = (object: Readonly<Record<string, unknown>>, group: string | undefined) => {
    const own: [string, string][] = [];
    groups.push({ group, figures: own });
    for (const [name, value] of Object.entries(object)) {
      if (name === "sequence") continue;
      if (typeof value === "number") own.push([nameOf(name), /bytes$/i.test(name) ? f.bytes(value) : f.number(value)]);
      else if (typeof value === "object" && value !== null && !Array.isArray(value)) walk(value as Record<string, unknown>, nameOf(name));
    }
  };
  if (report) walk(report, undefined);
  return groups.filter((each) => each.figures.length > 0);
}

export interface Figures {
  readonly group: string | undefined;
  readonly figures: readonly (readonly [string, string])[];
}
