// Made of the service's OpenAPI document by tools/schema.mjs; a test holds them together. Do not edit.

export interface BrokenArchive {
  readonly attempts: readonly ({ readonly began: string; readonly ended: string; readonly reason: string; readonly repaired: boolean })[];
  readonly checked: string;
  readonly file: string;
  readonly found: string;
  readonly goneUpstream: boolean;
  readonly kind: "truncated" | "empty" | "not-gzip" | "corrupt-data" | "checksum" | "bad-tar" | "trailing-bytes" | "digest-mismatch" | "no-packument-entry" | "packument-unreadable" | "orphan";
  readonly message: string;
  readonly package: string;
  readonly path: string;
  /** Where the damaged copy is kept. */
  readonly quarantined: string | null;
  readonly sha512: string | null;
  readonly sizeBytes: number;
  readonly state: "damaged" | "missing" | "repaired" | "cleared";
  readonly version: string | null;
}

export interface Bundle {
  /** Null for a full bundle. */
  readonly baseline: string | null;
  readonly bundle: string;
  readonly counts: { readonly bytes: number; readonly files: number; readonly packages: number; readonly removed: number };
  readonly created: string;
  readonly destination: string;
  /** The ids of the keys that signed it. */
  readonly keys: readonly (string)[];
  readonly label: string;
  /** When its archive was removed to make room. */
  readonly pruned: string | null;
  readonly sequence: number;
  readonly sizeBytes: number;
  readonly target: string;
  readonly targetRoot: string;
}

export interface BundleContent {
  readonly package: string;
  readonly path: string;
  /** Why it is removed; null for what is carried. */
  readonly reason: "absent" | "withdrawn" | null;
  readonly sha512: string;
  /** Null for what is removed. */
  readonly sizeBytes: number | null;
  /** Null for a packument. */
  readonly version: string | null;
}

export interface BundleDetail {
  /** The files of its archive, in order; none where it is no longer there. */
  readonly archive: readonly ({ readonly name: string; readonly sizeBytes: number })[];
  /** Null for a full bundle. */
  readonly baseline: string | null;
  readonly bundle: string;
  readonly counts: { readonly bytes: number; readonly files: number; readonly packages: number; readonly removed: number };
  readonly created: string;
  readonly destination: string;
  /** The ids of the keys that signed it. */
  readonly keys: readonly (string)[];
  readonly label: string;
  /** When its archive was removed to make room. */
  readonly pruned: string | null;
  readonly sequence: number;
  readonly sizeBytes: number;
  readonly target: string;
  readonly targetRoot: string;
}

export interface Change {
  readonly change: "added" | "changed" | "removed" | "withdrawn" | "withheld" | "left-out";
  readonly path: string;
  /** Why it is left out. */
  readonly reason: "stray-entry" | "empty-directory" | "symbolic-link" | "invalid-name" | "misplaced-package" | "ambiguous-package" | "unreadable" | "changed-while-read" | "leftover" | "packument-missing" | "packument-empty" | "packument-invalid" | "packument-too-large" | "name-mismatch" | "version-invalid" | "tarball-undeclared" | "tarball-mismatch" | "tarball-damaged" | "tarball-too-large" | "tarball-unproven" | "tarball-odd" | "tarball-shared" | "version-withdrawn" | null;
  /** Of what is there then; of what was there where it is removed. */
  readonly sha512: string | null;
  readonly sizeBytes: number | null;
}

export interface Decision {
  /** The job that was asked for. */
  readonly job: Job | null;
  readonly request: Request;
}

export interface Dependent {
  /** How much it needs it. */
  readonly kind: "regular" | "optional" | "peer";
  /** What its `latest` points at. */
  readonly latest: string | null;
  readonly name: string;
  /** Which versions of it. */
  readonly range: string;
}

export interface Destination {
  readonly bundles: number;
  readonly destination: string;
  /** The newest one. */
  readonly lastBundle: Bundle | null;
  /** What is known of it; null for "any", and where nothing came back from there. */
  readonly standing: Standing | null;
}

export interface DestinationDetail {
  readonly approvesRequests: boolean;
  /** What its bundles start from. */
  readonly baseline: "acknowledged" | "assume-applied";
  /** When a person confirmed its key; null before, and then nothing it says counts. */
  readonly confirmed: string | null;
  readonly destination: string;
  /** Of its key. */
  readonly fingerprint: string;
  readonly firstSeen: string;
  readonly keyId: string;
  /** The last time that one of them was put on a medium. */
  readonly lastExport: { readonly bundle: string; readonly medium: string; readonly written: string } | null;
  /** What it calls itself. */
  readonly name: string;
  readonly openRequests: number;
  /** Bundles that lead beyond what it has, oldest first. */
  readonly pending: readonly ({ readonly bundle: string; readonly label: string; readonly sequence: number })[];
  readonly quietDays: number;
  /** Days without a word, where that is too long. */
  readonly quietFor: number | null;
  /** The last one. */
  readonly receipt: { readonly bundle: string | null; readonly counter: number; readonly created: string; readonly destination: string; readonly missing: number; readonly read: string; readonly refused: number; readonly sequence: number | null; readonly targetRoot: string | null } | null;
  /** The last ones, newest first. */
  readonly receipts: readonly ({ readonly bundle: string | null; readonly counter: number; readonly created: string; readonly destination: string; readonly missing: number; readonly read: string; readonly refused: number; readonly sequence: number | null; readonly targetRoot: string | null })[];
}

export interface Health {
  readonly checks: readonly ({ readonly detail: string | null; readonly name: "database" | "storage" | "disk" | "scheduler" | "verdaccio"; readonly status: "ok" | "degraded" | "failed" })[];
  /** The worst of the checks. */
  readonly status: "ok" | "degraded" | "failed";
}

export interface Job {
  readonly askedBy: string;
  readonly chain: { readonly name: string; readonly root: number; readonly step: number; readonly steps: readonly (string)[] } | null;
  readonly created: string;
  readonly ended: string | null;
  /** Of the command. */
  readonly exitCode: number | null;
  readonly id: number;
  readonly kind: "full_cache_refresh" | "delta_refresh" | "metadata_scan" | "broken_scan" | "broken_repair" | "snapshot" | "diff_build" | "export" | "retention";
  /** Those that were given. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly progress: { readonly done: number; readonly item: string; readonly phase: string; readonly ratePerSecond: number; readonly secondsLeft: number | null; readonly total: number; readonly unit: string } | null;
  /** What came out, or why not. */
  readonly reason: string | null;
  /** Sums. */
  readonly report: Readonly<Record<string, unknown>> | null;
  /** How often in a row it was begun again. */
  readonly resumptions: number;
  /** Grows with every change of any job. */
  readonly revision: number;
  /** How long it ran, or has been running. */
  readonly seconds: number | null;
  readonly started: string | null;
  readonly state: "queued" | "running" | "succeeded" | "failed" | "cancelled" | "interrupted";
  readonly timeLimitSeconds: number | null;
  readonly touchedPackages: number;
  /** What a queued job waits for. */
  readonly waitsFor: string | null;
}

export interface Medium {
  /** The bundles on it. */
  readonly bundleCount: number;
  /** The newest of them. */
  readonly bundles: readonly ({ readonly bundle: string; readonly created: string; readonly destination: string; readonly label: string; readonly origin: string; readonly sequence: number; readonly sizeBytes: number; readonly volumes: number })[];
  /** Why it cannot be used. */
  readonly detail: string | null;
  readonly fileSystem: string;
  readonly freeBytes: number;
  readonly id: string;
  readonly label: string | null;
  /** Who made it, and what they call it. */
  readonly model: string | null;
  /** Of which bundles, spread over several media, it carries volumes. */
  readonly parts: readonly ({ readonly bundle: string; readonly destination: string; readonly label: string; readonly sequence: number; readonly sizeBytes: number; readonly volumeCount: number; readonly volumes: readonly (number)[] })[];
  readonly readOnly: boolean;
  /** Whether people pull it out, as far as the kernel knows. */
  readonly removable: boolean;
  /** Where it is mounted. */
  readonly root: string;
  readonly serial: string | null;
  /** The device, or what else is mounted. */
  readonly source: string;
  /** Whether there is a `ferry/` on it that can be read. */
  readonly state: "ready" | "uninitialised" | "unusable";
  readonly totalBytes: number;
}

export interface NextBundle {
  /** Files that are carried again, since they are missing there. */
  readonly again: number;
  /** Null for a full bundle. */
  readonly baseline: string | null;
  readonly counts: { readonly bytes: number; readonly files: number; readonly packages: number; readonly removed: number };
  /** What is known of the destination that it goes by. */
  readonly ground: "no-receipt" | "acknowledges-nothing" | "acknowledged" | "assumed" | "acknowledged-gone" | "assumed-gone";
  /** The two in words. */
  readonly reason: string;
  /** The sequence of the state that it has, or is assumed to have. */
  readonly state: number | null;
  /** The newest snapshot. */
  readonly target: string | null;
  readonly versions: number;
}

export interface Package {
  /** Versions whose tarball lies in storage. */
  readonly cachedVersions: number;
  /** Files known to be damaged. */
  readonly damaged: number;
  readonly description: string | null;
  readonly firstSeen: string;
  /** When it had left the storage; null while it is there. */
  readonly gone: string | null;
  readonly lastChanged: string;
  /** What `latest` points at. */
  readonly latest: string | null;
  readonly name: string;
  readonly packumentBytes: number;
  /** When its newest version was published. */
  readonly published: string | null;
  /** Where its versions come from. */
  readonly source: "proxied" | "local" | "mixed" | "unknown";
  readonly tarballBytes: number;
  /** Versions that the packument knows of. */
  readonly versions: number;
}

export interface PackageDetail {
  /** The bundles that carried any of its files, oldest first. */
  readonly bundles: readonly ({ readonly bundle: string; readonly created: string; readonly destination: string; readonly label: string; readonly sequence: number })[];
  /** Versions whose tarball lies in storage. */
  readonly cachedVersions: number;
  /** Files known to be damaged. */
  readonly damaged: number;
  readonly description: string | null;
  readonly firstSeen: string;
  /** When it had left the storage; null while it is there. */
  readonly gone: string | null;
  readonly lastChanged: string;
  /** What `latest` points at. */
  readonly latest: string | null;
  readonly name: string;
  /** The sequence numbers of the bundles that carried its packument. */
  readonly packumentBundles: readonly (number)[];
  readonly packumentBytes: number;
  /** Why its packument cannot be used. */
  readonly packumentError: string | null;
  /** When its newest version was published. */
  readonly published: string | null;
  /** Where its versions come from. */
  readonly source: "proxied" | "local" | "mixed" | "unknown";
  readonly tags: Readonly<Record<string, string>>;
  readonly tarballBytes: number;
  /** Tarballs that no version names. */
  readonly unnamed: readonly (Tarball)[];
  /** Newest first. */
  readonly versions: readonly (PackageVersion)[];
}

export interface PackageVersion {
  /** The message. */
  readonly deprecated: string | null;
  readonly firstSeen: string;
  readonly lastChanged: string;
  /** Whether it was published to this registry. */
  readonly local: boolean;
  readonly published: string | null;
  /** Null where only the packument knows of it. */
  readonly tarball: Tarball | null;
  readonly version: string;
  /** Whether upstream no longer has it. */
  readonly withdrawn: boolean;
}

export interface Reply {
  /** The newest state here, where the receipt is of a later one: this side was restored from a backup, and counts on from there. */
  readonly behind?: number;
  /** Who is introduced. */
  readonly destination?: string;
  readonly event: "introduced" | "receipt" | "request" | "known" | "refused";
  /** Of the key that is to be confirmed. */
  readonly fingerprint?: string;
  /** The destination's where it is introduced, the file's where it is known or refused. */
  readonly name?: string;
  /** The same in words. */
  readonly reason?: string;
  readonly receipt?: { readonly bundle: string | null; readonly counter: number; readonly created: string; readonly destination: string; readonly missing: number; readonly read: string; readonly refused: number; readonly sequence: number | null; readonly targetRoot: string | null };
  /** Why it does not count. */
  readonly refusal?: "unusable" | "unknown-destination" | "unconfirmed" | "foreign" | "older" | "other-key";
  readonly request?: Request;
}

export interface Request {
  /** The bundle that did not fit. */
  readonly bundle: string | null;
  readonly changed: string;
  /** By the clock of the destination. */
  readonly created: string;
  readonly destination: string;
  readonly items: number;
  /** Whether packages are wanted, or files lack for a bundle. */
  readonly kind: "want" | "gap";
  readonly read: string;
  readonly request: string;
  readonly state: "new" | "approved" | "declined" | "fulfilled";
}

export interface RequestDetail {
  /** The first of what it asks for. */
  readonly asked: readonly (string)[];
  /** The bundle that did not fit. */
  readonly bundle: string | null;
  readonly changed: string;
  /** By the clock of the destination. */
  readonly created: string;
  readonly destination: string;
  readonly items: number;
  /** Whether packages are wanted, or files lack for a bundle. */
  readonly kind: "want" | "gap";
  readonly read: string;
  readonly request: string;
  readonly state: "new" | "approved" | "declined" | "fulfilled";
}

export interface Schedule {
  readonly jitterSeconds: number;
  /** The kind with its parameters. */
  readonly job: string;
  readonly kind: "full_cache_refresh" | "delta_refresh" | "metadata_scan" | "broken_scan" | "broken_repair" | "snapshot" | "diff_build" | "export" | "retention";
  readonly lastJob: number | null;
  readonly name: string;
  /** The next starts; none while it is paused. */
  readonly next: readonly (string)[];
  readonly paused: boolean;
  readonly when: string;
}

export interface Setting {
  readonly key: string;
  readonly source: { readonly kind: "default" | "verdaccio" | "file" | "environment" | "flag"; readonly line?: number; readonly name?: string; readonly path?: string };
  readonly value: string | readonly (string)[] | null;
  /** The variable of the environment that sets it. */
  readonly variable: string;
}

export interface Snapshot {
  readonly bytes: number;
  /** The order of snapshots. */
  readonly counter: number;
  readonly created: string;
  readonly files: number;
  readonly origin: string;
  readonly packages: number;
  /** Whether the storage held still. */
  readonly settled: boolean;
  readonly snapshot: string;
  readonly stateRoot: string;
}

export interface Space {
  readonly disks: readonly ({ readonly daysLeft: number | null; readonly forecast: string; readonly freeBytes: number; readonly freeFiles: number | null; readonly holds: readonly ("storage" | "state" | "artifacts")[]; readonly level: "ok" | "warning" | "critical"; readonly path: string; readonly reasons: readonly (string)[]; readonly totalBytes: number; readonly totalFiles: number | null })[];
  readonly kept: boolean;
  readonly level: "ok" | "warning" | "critical";
  /** What commands have measured, oldest first. */
  readonly measurements: readonly ({ readonly artifactsBytes: number | null; readonly logsBytes: number | null; readonly snapshotsBytes: number | null; readonly stateBytes: number | null; readonly stateFreeBytes: number; readonly stateTotalBytes: number; readonly storageBytes: number | null; readonly storageFiles: number | null; readonly storageFreeBytes: number | null; readonly storageTotalBytes: number | null; readonly taken: string })[];
  readonly parts: readonly ({ readonly bytes: number; readonly files: number; readonly name: string })[];
  readonly taken: string;
  readonly unreadableDirectories: number;
}

export interface Standing {
  readonly approvesRequests: boolean;
  /** What its bundles start from. */
  readonly baseline: "acknowledged" | "assume-applied";
  /** When a person confirmed its key; null before, and then nothing it says counts. */
  readonly confirmed: string | null;
  readonly destination: string;
  /** Of its key. */
  readonly fingerprint: string;
  readonly firstSeen: string;
  readonly keyId: string;
  /** The last time that one of them was put on a medium. */
  readonly lastExport: { readonly bundle: string; readonly medium: string; readonly written: string } | null;
  /** What it calls itself. */
  readonly name: string;
  readonly openRequests: number;
  /** Bundles that lead beyond what it has, oldest first. */
  readonly pending: readonly ({ readonly bundle: string; readonly label: string; readonly sequence: number })[];
  readonly quietDays: number;
  /** Days without a word, where that is too long. */
  readonly quietFor: number | null;
  /** The last one. */
  readonly receipt: { readonly bundle: string | null; readonly counter: number; readonly created: string; readonly destination: string; readonly missing: number; readonly read: string; readonly refused: number; readonly sequence: number | null; readonly targetRoot: string | null } | null;
}

export interface StorageTotals {
  readonly cachedVersions: number;
  readonly damaged: number;
  readonly localPackages: number;
  readonly packages: number;
  readonly packumentBytes: number;
  readonly taken: string;
  readonly tarballBytes: number;
  readonly tarballs: number;
  readonly versions: number;
}

export interface Tarball {
  /** The sequence numbers of the bundles that carried it. */
  readonly bundles: readonly (number)[];
  /** When it was last proved. */
  readonly checked: string | null;
  readonly damage: "truncated" | "empty" | "not-gzip" | "corrupt-data" | "checksum" | "bad-tar" | "trailing-bytes" | "digest-mismatch" | "no-packument-entry" | "packument-unreadable" | "orphan" | null;
  readonly file: string;
  readonly firstSeen: string;
  readonly modified: string;
  /** Null before it was measured. */
  readonly sha512: string | null;
  readonly sizeBytes: number;
}

export interface Verification {
  readonly bundle: string;
  /** Bytes that passed. */
  readonly bytes: number;
  /** Chunks of the archive that were compared. */
  readonly chunks: number;
  /** Files that were compared. */
  readonly files: number;
  /** Whether every byte of the archive is what was written. */
  readonly intact: boolean;
  readonly problem: { readonly code: string; readonly reason: string; readonly subject: string } | null;
  readonly signatures: readonly ({ readonly key: string; readonly known: boolean; readonly valid: boolean })[];
  /** Whether it is intact and a key of this origin signed it. */
  readonly signed: boolean;
}

/** What every operation takes and gives. */
export interface Operations {
  readonly approveRequest: {
    readonly parameters: { readonly id: string };
    readonly body: undefined;
    readonly answer: Decision;
  };
  readonly cancelJob: {
    readonly parameters: { readonly id: string };
    readonly body: undefined;
    readonly answer: Job;
  };
  readonly compareSnapshots: {
    readonly parameters: { readonly id: string; readonly baseline: string | "empty"; readonly change?: "added" | "changed" | "removed" | "withdrawn" | "withheld" | "left-out"; readonly limit?: number; readonly offset?: number };
    readonly body: undefined;
    readonly answer: { readonly carries: { readonly bytes: number; readonly packages: number; readonly versions: number }; readonly counts: { readonly added: number; readonly changed: number; readonly "left-out": number; readonly removed: number; readonly withdrawn: number; readonly withheld: number }; readonly items: readonly (Change)[]; readonly limit: number; readonly offset: number; readonly total: number };
  };
  readonly confirmDestination: {
    readonly parameters: { readonly id: string; readonly fingerprint: string };
    readonly body: undefined;
    readonly answer: Standing;
  };
  readonly declineRequest: {
    readonly parameters: { readonly id: string };
    readonly body: undefined;
    readonly answer: Decision;
  };
  readonly downloadArtifact: {
    readonly parameters: { readonly id: string };
    readonly body: undefined;
    readonly answer: undefined;
  };
  readonly exportToMedium: {
    readonly parameters: { readonly id: string; readonly artifact: string; readonly volumeSize?: number; readonly spread?: boolean; readonly eject?: boolean; readonly initialise?: boolean };
    readonly body: undefined;
    readonly answer: Job;
  };
  readonly followEvents: {
    readonly parameters: {};
    readonly body: undefined;
    readonly answer: undefined;
  };
  readonly followLog: {
    readonly parameters: { readonly id: string };
    readonly body: undefined;
    readonly answer: undefined;
  };
  readonly getArtifact: {
    readonly parameters: { readonly id: string };
    readonly body: undefined;
    readonly answer: BundleDetail;
  };
  readonly getDestination: {
    readonly parameters: { readonly id: string };
    readonly body: undefined;
    readonly answer: DestinationDetail;
  };
  readonly getDocument: {
    readonly parameters: {};
    readonly body: undefined;
    readonly answer: Readonly<Record<string, unknown>>;
  };
  readonly getHealth: {
    readonly parameters: {};
    readonly body: undefined;
    readonly answer: Health;
  };
  readonly getJob: {
    readonly parameters: { readonly id: string };
    readonly body: undefined;
    readonly answer: Job;
  };
  readonly getMedium: {
    readonly parameters: { readonly id: string };
    readonly body: undefined;
    readonly answer: Medium;
  };
  readonly getMetrics: {
    readonly parameters: {};
    readonly body: undefined;
    readonly answer: undefined;
  };
  readonly getNextBundle: {
    readonly parameters: { readonly id: string };
    readonly body: undefined;
    readonly answer: NextBundle;
  };
  readonly getPackage: {
    readonly parameters: { readonly name: string };
    readonly body: undefined;
    readonly answer: PackageDetail;
  };
  readonly getRequest: {
    readonly parameters: { readonly id: string };
    readonly body: undefined;
    readonly answer: RequestDetail;
  };
  readonly getSettings: {
    readonly parameters: {};
    readonly body: undefined;
    readonly answer: { readonly items: readonly (Setting)[] };
  };
  readonly getSnapshot: {
    readonly parameters: { readonly id: string };
    readonly body: undefined;
    readonly answer: Snapshot;
  };
  readonly getSpace: {
    readonly parameters: { readonly days?: number };
    readonly body: undefined;
    readonly answer: Space;
  };
  readonly getStatistics: {
    readonly parameters: { readonly days?: number };
    readonly body: undefined;
    readonly answer: { readonly days: number; readonly growth: { readonly cachedVersions: number; readonly damaged: number; readonly packages: number; readonly packumentBytes: number; readonly tarballBytes: number; readonly tarballs: number; readonly versions: number } | null; readonly items: readonly (StorageTotals)[]; readonly latest: StorageTotals | null };
  };
  readonly listArtifactContents: {
    readonly parameters: { readonly id: string; readonly list?: "files" | "removed"; readonly limit?: number; readonly offset?: number };
    readonly body: undefined;
    readonly answer: { readonly items: readonly (BundleContent)[]; readonly limit: number; readonly offset: number; readonly total: number };
  };
  readonly listArtifacts: {
    readonly parameters: { readonly destination?: string; readonly sort?: "-sequence" | "sequence"; readonly limit?: number; readonly offset?: number };
    readonly body: undefined;
    readonly answer: { readonly items: readonly (Bundle)[]; readonly limit: number; readonly offset: number; readonly total: number };
  };
  readonly listBrokenArchives: {
    readonly parameters: { readonly state?: "open" | "damaged" | "missing" | "repaired" | "cleared" | "all"; readonly kind?: "truncated" | "empty" | "not-gzip" | "corrupt-data" | "checksum" | "bad-tar" | "trailing-bytes" | "digest-mismatch" | "no-packument-entry" | "packument-unreadable" | "orphan"; readonly sort?: "path" | "-path" | "found" | "-found" | "size" | "-size"; readonly limit?: number; readonly offset?: number };
    readonly body: undefined;
    readonly answer: { readonly items: readonly (BrokenArchive)[]; readonly limit: number; readonly offset: number; readonly total: number };
  };
  readonly listDependents: {
    readonly parameters: { readonly name: string; readonly limit?: number; readonly offset?: number };
    readonly body: undefined;
    readonly answer: { readonly items: readonly (Dependent)[]; readonly limit: number; readonly offset: number; readonly total: number };
  };
  readonly listDestinations: {
    readonly parameters: { readonly limit?: number; readonly offset?: number };
    readonly body: undefined;
    readonly answer: { readonly items: readonly (Destination)[]; readonly limit: number; readonly offset: number; readonly total: number };
  };
  readonly listJobs: {
    readonly parameters: { readonly kind?: "full_cache_refresh" | "delta_refresh" | "metadata_scan" | "broken_scan" | "broken_repair" | "snapshot" | "diff_build" | "export" | "retention"; readonly state?: "queued" | "running" | "succeeded" | "failed" | "cancelled" | "interrupted"; readonly package?: string; readonly limit?: number; readonly offset?: number };
    readonly body: undefined;
    readonly answer: { readonly items: readonly (Job)[]; readonly limit: number; readonly offset: number; readonly total: number };
  };
  readonly listMedia: {
    readonly parameters: { readonly limit?: number; readonly offset?: number };
    readonly body: undefined;
    readonly answer: { readonly items: readonly (Medium)[]; readonly limit: number; readonly offset: number; readonly total: number };
  };
  readonly listPackages: {
    readonly parameters: { readonly search?: string; readonly source?: "proxied" | "local" | "mixed" | "unknown"; readonly damaged?: boolean; readonly sort?: "name" | "-name" | "latest" | "-latest" | "source" | "-source" | "known" | "-known" | "cached" | "-cached" | "bytes" | "-bytes" | "broken" | "-broken" | "published" | "-published" | "changed" | "-changed" | "first-seen" | "-first-seen"; readonly limit?: number; readonly offset?: number };
    readonly body: undefined;
    readonly answer: { readonly items: readonly (Package)[]; readonly limit: number; readonly offset: number; readonly total: number };
  };
  readonly listRequests: {
    readonly parameters: { readonly state?: "new" | "approved" | "declined" | "fulfilled"; readonly limit?: number; readonly offset?: number };
    readonly body: undefined;
    readonly answer: { readonly items: readonly (Request)[]; readonly limit: number; readonly offset: number; readonly total: number };
  };
  readonly listSchedules: {
    readonly parameters: { readonly limit?: number; readonly offset?: number };
    readonly body: undefined;
    readonly answer: { readonly items: readonly (Schedule)[]; readonly limit: number; readonly offset: number; readonly total: number };
  };
  readonly listSnapshots: {
    readonly parameters: { readonly newestFirst?: boolean; readonly limit?: number; readonly offset?: number };
    readonly body: undefined;
    readonly answer: { readonly items: readonly (Snapshot)[]; readonly limit: number; readonly offset: number; readonly total: number };
  };
  readonly listTouchedPackages: {
    readonly parameters: { readonly id: string; readonly limit?: number; readonly offset?: number };
    readonly body: undefined;
    readonly answer: { readonly items: readonly (string)[]; readonly limit: number; readonly offset: number; readonly total: number };
  };
  readonly pauseSchedule: {
    readonly parameters: { readonly name: string };
    readonly body: undefined;
    readonly answer: Schedule;
  };
  readonly readMedium: {
    readonly parameters: { readonly id: string; readonly acceptOlder?: boolean };
    readonly body: undefined;
    readonly answer: { readonly items: readonly (Reply)[] };
  };
  readonly removeDestination: {
    readonly parameters: { readonly id: string };
    readonly body: undefined;
    readonly answer: Standing;
  };
  readonly resumeSchedule: {
    readonly parameters: { readonly name: string };
    readonly body: undefined;
    readonly answer: Schedule;
  };
  readonly setDestinationPolicy: {
    readonly parameters: { readonly id: string; readonly baseline?: "acknowledged" | "assume-applied"; readonly requests?: "ask" | "approve"; readonly quietDays?: number };
    readonly body: undefined;
    readonly answer: Standing;
  };
  readonly "start-broken-repair": {
    readonly parameters: { readonly parallelism?: number; readonly dryRun?: boolean; readonly timeLimitSeconds?: number };
    readonly body: { readonly dryRun?: boolean; readonly packages?: readonly (string)[]; readonly parallelism?: number };
    readonly answer: Job;
  };
  readonly "start-broken-rescan": {
    readonly parameters: { readonly everything?: boolean; readonly parallelism?: number; readonly repair?: boolean; readonly timeLimitSeconds?: number };
    readonly body: { readonly everything?: boolean; readonly parallelism?: number; readonly repair?: boolean };
    readonly answer: Job;
  };
  readonly "start-delta-refresh": {
    readonly parameters: { readonly minutes?: number; readonly parallelism?: number; readonly idleTimeout?: number; readonly driver?: "registry" | "package-manager"; readonly tool?: "npm" | "pnpm"; readonly installs?: number; readonly cpus?: number; readonly installMinutes?: number; readonly dryRun?: boolean; readonly timeLimitSeconds?: number };
    readonly body: { readonly cpus?: number; readonly driver?: "registry" | "package-manager"; readonly dryRun?: boolean; readonly idleTimeout?: number; readonly installMinutes?: number; readonly installs?: number; readonly minutes?: number; readonly node?: readonly (string)[]; readonly parallelism?: number; readonly platforms?: readonly (string)[]; readonly policies?: readonly ("latest" | "tags" | "latest-per-major" | "siblings" | "ranges")[]; readonly tool?: "npm" | "pnpm" };
    readonly answer: Job;
  };
  readonly "start-diff-build": {
    readonly parameters: { readonly baseline?: string; readonly target?: string; readonly destination?: string; readonly request?: string; readonly unsigned?: boolean; readonly allowUnsettled?: boolean; readonly allowShrink?: boolean; readonly unlessEmpty?: boolean; readonly dryRun?: boolean; readonly timeLimitSeconds?: number };
    readonly body: { readonly allowShrink?: boolean; readonly allowUnsettled?: boolean; readonly baseline?: string; readonly destination?: string; readonly dryRun?: boolean; readonly request?: string; readonly target?: string; readonly unlessEmpty?: boolean; readonly unsigned?: boolean };
    readonly answer: Job;
  };
  readonly "start-full-refresh": {
    readonly parameters: { readonly parallelism?: number; readonly idleTimeout?: number; readonly driver?: "registry" | "package-manager"; readonly tool?: "npm" | "pnpm"; readonly installs?: number; readonly cpus?: number; readonly installMinutes?: number; readonly dryRun?: boolean; readonly timeLimitSeconds?: number };
    readonly body: { readonly cpus?: number; readonly driver?: "registry" | "package-manager"; readonly dryRun?: boolean; readonly idleTimeout?: number; readonly installMinutes?: number; readonly installs?: number; readonly node?: readonly (string)[]; readonly parallelism?: number; readonly platforms?: readonly (string)[]; readonly policies?: readonly ("latest" | "tags" | "latest-per-major" | "siblings" | "ranges")[]; readonly tool?: "npm" | "pnpm" };
    readonly answer: Job;
  };
  readonly "start-metadata-scan": {
    readonly parameters: { readonly allowEmpty?: boolean; readonly timeLimitSeconds?: number };
    readonly body: { readonly allowEmpty?: boolean };
    readonly answer: Job;
  };
  readonly "start-retention": {
    readonly parameters: { readonly dryRun?: boolean; readonly timeLimitSeconds?: number };
    readonly body: { readonly dryRun?: boolean };
    readonly answer: Job;
  };
  readonly "start-snapshot": {
    readonly parameters: { readonly allowShrink?: boolean; readonly timeLimitSeconds?: number };
    readonly body: { readonly allowShrink?: boolean };
    readonly answer: Job;
  };
  readonly startSchedule: {
    readonly parameters: { readonly name: string };
    readonly body: undefined;
    readonly answer: Job;
  };
  readonly verifyArtifact: {
    readonly parameters: { readonly id: string };
    readonly body: undefined;
    readonly answer: Verification;
  };
}

/** Where every operation is. */
export const addresses = {
  approveRequest: ["POST", "/requests/{id}/approve"],
  cancelJob: ["DELETE", "/jobs/{id}"],
  compareSnapshots: ["GET", "/snapshots/{id}/diff"],
  confirmDestination: ["POST", "/destinations/{id}/confirm"],
  declineRequest: ["POST", "/requests/{id}/decline"],
  downloadArtifact: ["GET", "/artifacts/{id}/download"],
  exportToMedium: ["POST", "/media/{id}/export"],
  followEvents: ["GET", "/events"],
  followLog: ["GET", "/jobs/{id}/log"],
  getArtifact: ["GET", "/artifacts/{id}"],
  getDestination: ["GET", "/destinations/{id}"],
  getDocument: ["GET", "/openapi.json"],
  getHealth: ["GET", "/health"],
  getJob: ["GET", "/jobs/{id}"],
  getMedium: ["GET", "/media/{id}"],
  getMetrics: ["GET", "/metrics"],
  getNextBundle: ["GET", "/destinations/{id}/next"],
  getPackage: ["GET", "/packages/{name}"],
  getRequest: ["GET", "/requests/{id}"],
  getSettings: ["GET", "/settings"],
  getSnapshot: ["GET", "/snapshots/{id}"],
  getSpace: ["GET", "/space"],
  getStatistics: ["GET", "/statistics"],
  listArtifactContents: ["GET", "/artifacts/{id}/contents"],
  listArtifacts: ["GET", "/artifacts"],
  listBrokenArchives: ["GET", "/broken-archives"],
  listDependents: ["GET", "/packages/{name}/dependents"],
  listDestinations: ["GET", "/destinations"],
  listJobs: ["GET", "/jobs"],
  listMedia: ["GET", "/media"],
  listPackages: ["GET", "/packages"],
  listRequests: ["GET", "/requests"],
  listSchedules: ["GET", "/schedules"],
  listSnapshots: ["GET", "/snapshots"],
  listTouchedPackages: ["GET", "/jobs/{id}/packages"],
  pauseSchedule: ["POST", "/schedules/{name}/pause"],
  readMedium: ["POST", "/media/{id}/read"],
  removeDestination: ["DELETE", "/destinations/{id}"],
  resumeSchedule: ["POST", "/schedules/{name}/resume"],
  setDestinationPolicy: ["POST", "/destinations/{id}/policy"],
  "start-broken-repair": ["POST", "/jobs/broken-repair"],
  "start-broken-rescan": ["POST", "/jobs/broken-rescan"],
  "start-delta-refresh": ["POST", "/jobs/delta-refresh"],
  "start-diff-build": ["POST", "/jobs/diff-build"],
  "start-full-refresh": ["POST", "/jobs/full-refresh"],
  "start-metadata-scan": ["POST", "/jobs/metadata-scan"],
  "start-retention": ["POST", "/jobs/retention"],
  "start-snapshot": ["POST", "/jobs/snapshot"],
  startSchedule: ["POST", "/schedules/{name}/start"],
  verifyArtifact: ["GET", "/artifacts/{id}/verification"],
} as const;
