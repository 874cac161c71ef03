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

type Report = Readonly<Record<string, unknown>>;

/** The sums of a report by their paths, such as `packages.visited`; undefined where one of them is not there. */
function sums<Path extends string>(report: Report, ...paths: readonly Path[]): Readonly<Record<Path, number>> | undefined {
  const found: [Path, number][] = [];
  for (const path of paths) {
    const value = path.split(".").reduce<unknown>((object, name) => (object as Report | null | undefined)?.[name], report);
    if (typeof value !== "number") return undefined;
    found.push([path, value]);
  }
  return Object.fromEntries(found) as Record<Path, number>;
}

/** What came of a job, by its report; undefined where the service's own words are all there is, as of a failure. */
export function outcomeWords(job: Job, t: Words): string | undefined {
  const { report } = job;
  if (job.state === "cancelled") return t.outcome.cancelled;
  if (report === null) return undefined;
  const dry = isDryRun(job);
  switch (job.kind) {
    case "full_cache_refresh":
    case "delta_refresh": {
      const fetched = sums(report, "packages.visited", "packages.failed", "tarballs.fetched", "tarballs.bytes", "tarballs.failed");
      if (fetched) return t.outcome.refresh(fetched, dry);
      const installed = sums(report, "packages", "installed");
      return installed && t.outcome.install(installed);
    }
    case "metadata_scan": {
      const found = sums(report, "packages", "new", "changed", "gone");
      return found && t.outcome.scan(found);
    }
    case "broken_scan": {
      const checked = sums(report, "checked", "bytes", "skipped", "broken");
      if (checked) return t.outcome.check(checked);
      const repaired = sums(report, "attempted", "repaired", "goneUpstream");
      return repaired && t.outcome.repair(repaired, false);
    }
    case "broken_repair": {
      const repaired = sums(report, "attempted", "repaired", "goneUpstream");
      return repaired && t.outcome.repair(repaired, dry);
    }
    case "snapshot": {
      const taken = sums(report, "packages", "files", "bytes");
      return taken && t.outcome.snapshot(taken, report["new"] === true);
    }
    case "diff_build": {
      const made = sums(report, "counts.packages", "counts.files", "counts.removed", "sizeBytes");
      if (made) return t.outcome.bundle(made);
      const compared = sums(report, "files", "bytes", "removed");
      return compared && (dry && compared.files + compared.removed > 0 ? t.outcome.wouldCarry(compared) : t.outcome.noBundle);
    }
    case "export": {
      const written = sums(report, "sizeBytes");
      if (!written) return undefined;
      const missing = Array.isArray(report["missing"]) ? report["missing"].length : 0;
      return t.outcome.exported(written.sizeBytes, missing);
    }
    case "retention": {
      const removed = sums(report, "items", "forms", "freedBytes");
      return removed && t.outcome.retention(removed, dry);
    }
  }
}

/** The figures of a report in groups; lists and texts, which only machines need, are left out. */
export function figures(report: Report | null, t: Words, f: Format): readonly Figures[] {
  const names: Readonly<Record<string, string>> = t.figure;
  // A newer service may tell more than this page has words for.
  const nameOf = (name: string) => names[name] ?? name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  const groups: Figures[] = [];
  const walk = (object: Report, group: string | undefined) => {
    const own: [string, string][] = [];
    groups.push({ group, figures: own });
    for (const [name, value] of Object.entries(object)) {
      if (name === "sequence") continue;
      if (typeof value === "number") own.push([nameOf(name), /bytes$/i.test(name) ? f.bytes(value) : f.number(value)]);
      else if (typeof value === "object" && value !== null && !Array.isArray(value)) walk(value as Report, nameOf(name));
    }
  };
  if (report) walk(report, undefined);
  return groups.filter((each) => each.figures.length > 0);
}

export interface Figures {
  readonly group: string | undefined;
  readonly figures: readonly (readonly [string, string])[];
}
