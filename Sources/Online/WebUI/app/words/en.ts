// Everything that the page says, in English. Russian has the same shape, which the compiler holds it to.

import type { NextBundle } from "../api/schema";
import { formats } from "../base/format";

const f = formats.en;
const packages = (n: number) => f.count(n, "package", "packages");
const versions = (n: number) => f.count(n, "version", "versions");
const files = (n: number) => f.count(n, "file", "files");
const tarballs = (n: number) => f.count(n, "tarball", "tarballs");

type Sums<Path extends string> = Readonly<Record<Path, number>>;
const pair = (label: string, hint: string): readonly [label: string, hint: string] => [label, hint];

export const en = {
  language: "English",
  title: (page: string) => `${page} · Ferry`,
  count: {
    packages, versions, files,
    bundles: (n: number) => f.count(n, "bundle", "bundles"),
    days: (n: number) => f.count(n, "day", "days"),
    archives: (n: number) => f.count(n, "archive", "archives"),
    attempts: (n: number) => f.count(n, "attempt", "attempts"),
    lines: (n: number) => f.count(n, "line", "lines"),
    snapshots: (n: number) => f.count(n, "snapshot", "snapshots"),
    more: (n: number) => `${f.number(n)} more`,
  },
  nav: {
    label: "Pages", skip: "Skip to the content", menu: "Menu",
    dashboard: "Dashboard", packages: "Packages", jobs: "Jobs", artifacts: "Artifacts", broken: "Broken archives", destinations: "Destinations", media: "Media",
    short: { dashboard: "Home", packages: "Packages", jobs: "Jobs", artifacts: "Artifacts", broken: "Broken", destinations: "Places", media: "Media" },
  },
  choices: {
    theme: "Theme", system: "Like the system", light: "Light", dark: "Dark", language: "Language",
  },
  connection: {
    live: "Live", connecting: "Connecting…", asleep: "Paused",
    lost: "The server does not answer", lostSince: (when: string) => `The server has not answered since ${when}. What you see is from before.`,
    next: (seconds: number) => (seconds > 0 ? `Trying again in ${seconds} s` : "Trying now…"), retry: "Try now",
    back: "Connected again",
  },
  failure: {
    page: "This page has failed", pageHint: "It is a mistake of ours. Loading it again may help; the other pages work.", reload: "Load it again",
    unreachable: "The server does not answer",
    unreachableHint: "Is “ferry-online serve” running, and does the network reach it? This page loads by itself when it is back.",
    notFound: "There is no such thing", notFoundHint: "It may have been removed, or the address is mistyped.",
    retry: "Try again", see: "Show it", refused: "The server refused",
  },
  problem: {
    "archive-damaged": "The archive is damaged", "archive-gone": "The archive is no longer there", busy: "It cannot be done now",
    "catalog-unusable": "The catalog cannot be used", "cross-origin": "Another site's page may not change anything",
    "host-not-allowed": "The service does not answer for that host", "internal-error": "The server failed",
    "invalid-body": "The server does not understand what was sent", "invalid-parameter": "A parameter cannot be used",
    "job-ended": "The job has ended already", "job-open": "The same job is queued or running already",
    "medium-uninitialised": "The medium is not one of ours yet", "medium-unusable": "The medium cannot be written to", "no-space": "The disk is full",
    "not-found": "There is no such thing", "other-fingerprint": "The fingerprint is not that of its key",
  },
  notFound: { title: "No such page", hint: "The address leads nowhere in Ferry.", home: "To the dashboard" },
  common: {
    close: "Close", cancel: "Cancel", copy: "Copy", copied: "Copied", search: "Search", clear: "Clear", all: "All", none: "none", yes: "yes", no: "no",
    back: "Back", unknown: "unknown", never: "never", now: "now", details: "Details", of: (done: string, total: string) => `${done} of ${total}`,
    left: (time: string) => `${time} left`, page: (from: string, to: string, total: string) => `${from}–${to} of ${total}`,
    previous: "Previous page", next: "Next page", sortBy: (column: string) => `Sort by ${column}`, loading: "Loading…", optional: "optional",
    asDefault: "default", show: "Show", actions: "Actions", download: "Download", breadcrumbs: "You are here", more: "Show more",
  },
  chart: {
    table: (title: string) => `${title}, as a table`, when: "When", value: "Value", range: "Period",
    days: (n: number) => `${n} d`, year: "1 y", tooFew: "A line is drawn when there are two days to compare.",
  },
  kind: {
    full_cache_refresh: "Full refresh", delta_refresh: "Delta refresh", metadata_scan: "Scan", broken_scan: "Check of archives",
    broken_repair: "Repair", snapshot: "Snapshot", diff_build: "Bundle", export: "Export", retention: "Clean-up",
  },
  kindHint: {
    full_cache_refresh: "Asks Verdaccio for every package, and fetches newer versions with all they depend on.",
    delta_refresh: "The same for packages that changed lately: quicker, and less thorough.",
    metadata_scan: "Learns what the storage holds: packages, versions, sizes. Changes nothing.",
    broken_scan: "Reads every tarball to its last byte and compares it with what was published. Changes nothing unless told to repair.",
    broken_repair: "Replaces damaged tarballs by upstream's, and proves them again.",
    snapshot: "Records what the storage holds now, file by file.",
    diff_build: "Packs what changed since another snapshot into a signed bundle.",
    export: "Writes a bundle to a medium and reads it back.",
    retention: "Removes old snapshots, archives of bundles and logs, by the limits of the settings.",
  },
  state: {
    queued: "Queued", running: "Running", succeeded: "Succeeded", failed: "Failed", cancelled: "Cancelled", interrupted: "Interrupted",
  },
  asker: {
    api: "this page or the API", cli: "the command line", mount: "a medium that was plugged in",
    schedule: (name: string) => `schedule “${name}”`, chain: (name: string) => `chain “${name}”`, resumption: (job: string) => `resumption of #${job}`,
  },
  dashboard: {
    title: "Dashboard",
    action: {
      scan: { title: "The storage has not been looked at yet", hint: "A scan learns which packages there are. It changes nothing.", button: "Scan the storage" },
      running: { title: (kind: string) => `${kind} is running`, hint: "What follows is decided when it has ended.", button: "Watch it" },
      repair: { title: (n: number) => `${f.count(n, "archive is", "archives are")} broken`, hint: "Broken archives never travel. A repair replaces them by upstream's.", button: "Repair" },
      refresh: { title: "The cache is not fresh", never: "It was never refreshed by Ferry.", old: (when: string) => `The last refresh ended ${when}.`, button: "Refresh now" },
      bundle: { title: "There is something to carry", hint: (what: string) => `${what} changed since the last bundle.`, titleFor: (name: string) => `There is something to carry to “${name}”`, hintFor: (what: string) => `Its next bundle would carry ${what}.`, first: "No bundle has been made yet.", button: "Make a bundle" },
      export: { title: (medium: string) => `“${medium}” is plugged in`, hint: (bundle: string) => `The newest bundle, ${bundle}, is not on it yet.`, button: "Export to it" },
      confirm: { button: "Compare its key" },
      request: { hint: (n: number) => (n > 1 ? `${f.count(n, "request waits", "requests wait")} for a decision.` : "It waits for a decision."), button: "Decide" },
      fine: { title: "Everything is in order", hint: "The cache is fresh, no archive is broken, and the newest state is packed.", button: "Refresh now" },
    },
    freshness: "Last refresh", nextRefresh: (when: string) => `Next ${when}`, noNext: "No next one is scheduled", refreshing: "Refreshing now", incomplete: "Not everything could be had",
    size: "Storage", sizeHint: (growth: string, days: string) => `${growth} in ${days}`, packages: (p: string, v: string) => `${p}, ${v} cached`,
    disk: "Disk", diskFree: (free: string) => `${free} free`, diskLeft: (days: string) => `Full in about ${days}`, diskSteady: "It does not fill up", diskUnknown: "No forecast yet",
    broken: "Broken archives", brokenNone: "All proved sound", brokenSome: "They need attention", unchecked: "Never checked",
    growth: "Storage growth", growthEmpty: "The curve begins with the first scan.", next: "What the next bundle would carry",
    nextHint: "From what is known of each, or from its last bundle, to the newest snapshot.", destination: "Destination", behind: "Behind", lastBundle: "Last bundle", carries: "Would carry",
    everyone: "Everyone", nothingNew: "nothing new", makeBundle: "Make", noDestinations: "No bundle has been made yet",
    noDestinationsHint: "The first one carries everything. It needs a key to be signed with: “ferry-online keys generate”.",
    running: "Running now", idle: "Nothing is running", idleHint: "The next that is scheduled:", media: "Media", bundleSizes: "Bundle sizes", durations: "Job durations",
    noBundles: "Bundles appear here, one column each.", noJobs: "Jobs appear here when they have ended.", health: "Health",
    checks: { database: "Database", storage: "Storage", disk: "Disk", scheduler: "Scheduler", verdaccio: "Verdaccio" },
  },
  packages: {
    title: "Packages", search: "Search packages", searchHint: "A part of the name; / jumps here", name: "Name", latest: "Latest", versions: "Versions",
    cached: "Cached", size: "Size", published: "Published", changed: "Changed", damaged: "Broken", source: "Source", allSources: "All sources",
    sources: { proxied: "From upstream", local: "Published here", mixed: "Both", unknown: "unknown" },
    onlyDamaged: "Only broken ones", none: "No package is known yet", noneHint: "A scan learns what the storage holds.", noMatch: "No package matches",
    noMatchHint: "Try a shorter part of the name, or take the filters away.", clearFilters: "Take filters away", gone: "left the storage",
    asOf: (when: string) => `As the scan saw it ${when}`,
  },
  package: {
    tags: "Tags", install: "Install command", facts: "About", versionsTitle: "Versions", filterAll: "All", filterCached: "Cached", filterKnown: "Not cached", filterDamaged: "Broken",
    version: "Version", status: "State", checked: "Proved", bundles: "Carried by", bundlesTitle: "Bundles that carried it", noBundles: "No bundle has carried it yet.", arrived: (names: string) => `acknowledged by ${names}`,
    jobsTitle: "Jobs that changed it", noJobs: "No job has changed it since records began.", firstSeen: "First seen", packument: "Packument", tarballs: "Tarballs",
    cached: "cached", known: "not cached", damaged: "broken", deprecated: "deprecated", withdrawn: "withdrawn upstream", local: "published here",
    unnamed: "Tarballs that no version names", search: "Filter versions", noMatch: "No version matches", packumentError: "Its packument cannot be used", repair: "Repair this package",
    needed: "Needed by", noDependents: "No package in storage needs it.", optionally: "optional", asPeer: "peer",
  },
  jobs: {
    title: "Jobs", tabJobs: "Jobs", tabSchedules: "Schedules", start: "New job", job: "Job", state: "State", progress: "Progress", askedBy: "Asked by", created: "Asked for",
    started: "Started", ended: "Ended", duration: "Took", allKinds: "All kinds", allStates: "All states", none: "No job has run yet", noneHint: "Start one, or let a schedule do it.",
    noMatch: "No job is like that", noMatchHint: "Take the filters away to see all of them.", onPackage: (name: string) => `Only jobs that changed ${name}`,
    outcome: "Outcome", dryRun: "dry run",
  },
  job: {
    title: (kind: string, id: number) => `${kind} #${id}`, cancel: "Cancel the job", cancelQuestion: "Cancel this job?",
    cancelHint: "It is told to end and does so in its own time. What it has done so far stays; started again, it goes on from there.", keep: "Let it run",
    cancelled: "The job was told to end", again: "Run again", startedAgain: "Started again", started: (id: number) => `Job #${id} is queued`, watch: "Watch it",
    facts: "About", parameters: "Parameters", noParameters: "All by default", report: "Figures", packages: "Packages that it changed", noPackages: "It has changed no package.", log: "Log",
    timeLimit: "Time limit", noLimit: "none", exitCode: "Exit code", reason: "Outcome", chain: "Chain", chainStep: (step: number, steps: number) => `step ${step} of ${steps}`,
    resumptions: "Begun again", times: (n: number) => f.count(n, "time", "times"), waits: "Waits:", waiting: "Waits for its turn", begins: "Looking at what there is to do…", root: "Set off by",
  },
  outcome: {
    cancelled: "It was told to end; what it had done stays.",
    refresh: (s: Sums<"packages.visited" | "packages.failed" | "tarballs.fetched" | "tarballs.bytes" | "tarballs.failed">, dry: boolean) =>
      `${packages(s["packages.visited"])} looked at, ${tarballs(s["tarballs.fetched"])} ${dry ? "to fetch" : "fetched"}, ${f.bytes(s["tarballs.bytes"])}`
      + (s["packages.failed"] + s["tarballs.failed"] > 0 ? `; not to be had: ${packages(s["packages.failed"])}, ${tarballs(s["tarballs.failed"])}` : ""),
    install: (s: Sums<"packages" | "installed">) => `${packages(s.packages)} looked at, ${f.number(s.installed)} installed, ${f.number(s.packages - s.installed)} not`,
    scan: (s: Sums<"packages" | "new" | "changed" | "gone">) => `${packages(s.packages)}: ${f.number(s.new)} new, ${f.number(s.changed)} changed, ${f.number(s.gone)} gone`,
    check: (s: Sums<"checked" | "bytes" | "skipped" | "broken">) =>
      `${f.number(s.broken)} broken; ${tarballs(s.checked)} checked, ${f.bytes(s.bytes)}; ${f.number(s.skipped)} proved before`,
    repair: (s: Sums<"attempted" | "repaired" | "goneUpstream">, dry: boolean) =>
      s.attempted === 0 ? "No archive is listed as broken" : dry ? `${f.count(s.attempted, "archive", "archives")} would be repaired`
      : `${f.number(s.repaired)} of ${f.number(s.attempted)} repaired${s.goneUpstream > 0 ? `, ${f.number(s.goneUpstream)} gone upstream` : ""}`,
    snapshot: (s: Sums<"packages" | "files" | "bytes">, isNew: boolean) =>
      `${isNew ? "New snapshot" : "Unchanged since the last snapshot"}: ${packages(s.packages)}, ${files(s.files)}, ${f.bytes(s.bytes)}`,
    bundle: (s: Sums<"counts.packages" | "counts.files" | "counts.removed" | "sizeBytes">) =>
      `${packages(s["counts.packages"])}, ${files(s["counts.files"])}, ${f.number(s["counts.removed"])} removed; the archive has ${f.bytes(s.sizeBytes)}`,
    wouldCarry: (s: Sums<"files" | "bytes" | "removed">) => `A bundle would carry ${files(s.files)}, ${f.bytes(s.bytes)}, ${f.number(s.removed)} removed`,
    noBundle: "Nothing differs; no bundle was made",
    exported: (bytes: number, missing: number) =>
      `${f.bytes(bytes)} written, read back and equal${missing > 0 ? `; ${f.count(missing, "volume is", "volumes are")} still to come` : ""}`,
    retention: (s: Sums<"items" | "forms" | "freedBytes">, dry: boolean) =>
      s.items + s.forms === 0 ? "There was nothing to remove"
      : `${f.count(s.items, "item", "items")} and ${f.count(s.forms, "transfer form", "transfer forms")}, ${f.bytes(s.freedBytes)}, ${dry ? "would be removed" : "removed"}`,
  },
  log: {
    save: "Save the log",
    search: "Search the log", follow: "Follow", wrap: "Wrap lines", matches: (found: string, total: string) => `${found} of ${total}`, empty: "The log is empty so far.",
    noMatch: "No line matches.", gone: "There is no log any more", goneHint: "Logs are removed by the limits of the settings.", dropped: (n: string) => `${n} earlier lines are in the file only.`, label: "Log of the job",
  },
  start: {
    title: "New job", which: "What shall be done?", submit: "Start", dryRun: "Dry run", dryRunHint: "Says what would be done, and changes nothing.", more: "More parameters",
    list: "Separated by spaces or commas.", byDefault: "by default", timeLimit: "Time limit, seconds", timeLimitHint: "After this it is ended.", range: (from: string, to: string) => `${from}–${to}`,
    choices: {
      any: "Everyone", next: "What is known of it", lastBundle: "What its last bundle led to", empty: "Nothing: a full bundle",
      new: "A snapshot that is taken now", newest: "The newest snapshot", noRequest: "None", other: "Another…", otherLabel: "its id",
    },
  },
  parameter: {
    minutes: pair("Minutes back", "How far back “changed lately” goes."),
    parallelism: pair("Parallelism", "How many at once."),
    policies: pair("Which versions", "Beside those that others need."),
    platforms: pair("Platforms", "The machines that packages are installed on, such as linux-x64-musl."),
    node: pair("Versions of Node", "That packages are installed with."),
    idleTimeout: pair("Idle time-out, seconds", "How long a connection may be silent."),
    driver: pair("Driver", "Who fetches."),
    tool: pair("Package manager", "Of the driver “package-manager”."),
    installs: pair("Installs at once", "Of the driver “package-manager”."),
    cpus: pair("Processors", "That all installs of that driver may use."),
    installMinutes: pair("Minutes per install", "That an install of that driver may take."),
    dryRun: pair("Dry run", "Say what would be done, and change nothing."),
    allowEmpty: pair("Accept an empty storage", "Even if no package is left in it."),
    everything: pair("Everything", "Also what was proved before."),
    repair: pair("Repair", "What was found, and check again."),
    packages: pair("Packages", "All by default."),
    allowShrink: pair("Accept a smaller snapshot", "Even if it lost more than 5 % of the last one's files."),
    baseline: pair("Baseline", "What the destination already has, which is not carried again. What is known of it is said by its last receipt, or by its last bundle."),
    target: pair("Target", "The snapshot to carry."),
    destination: pair("Destination", "Whom it is for."),
    request: pair("Answers a request", "For files that a bundle builds upon and that are lacking there; the rest follows from it."),
    unsigned: pair("Unsigned", "Make a bundle without a signature."),
    allowUnsettled: pair("Accept an unsettled snapshot", "One taken while the storage kept changing."),
    artifact: pair("Bundle", "The one to write."),
    medium: pair("Mounted at", "Where the medium is mounted."),
    mediumId: pair("Medium", "No other one that is mounted there."),
    volumeSize: pair("Volumes of, MiB", "Cut the archive into parts of so much."),
    unlessEmpty: pair("Only if something differs", "Otherwise make no bundle."),
  },
  figure: {
    counts: "Contents", packages: "Packages", files: "Files", bytes: "Size", removed: "Removed", sizeBytes: "Archive", visited: "Looked at",
    refreshed: "Refreshed", fresh: "Fresh already", gone: "Gone", failed: "Failed", tarballs: "Tarballs", needed: "Needed",
    present: "Present already", fetched: "Fetched", unknownSize: "Of unknown size", overlaid: "Corrected by upstream", requests: "Requests",
    verdaccio: "To Verdaccio", upstream: "To upstream", checked: "Checked", inflatedBytes: "Unpacked", skipped: "Proved before",
    changedMeanwhile: "Changed meanwhile", cachedVersions: "Cached versions", versions: "Versions", localPackages: "Published here",
    tarballBytes: "Tarballs, size", packumentBytes: "Packuments, size", damaged: "Broken", read: "Read", new: "New", changed: "Changed",
    counter: "Number", repaired: "Repaired", broken: "Broken", findings: "Findings", notes: "Notes", unreadable: "Unreadable",
    newVersions: "New versions", touched: "Changed packages", withheld: "Withheld", leftOut: "Left out", volumes: "Volumes", reused: "Reused",
    hashedFiles: "Read anew", hashedBytes: "Read anew, size", passes: "Passes", withdrawn: "Withdrawn upstream", attempted: "Attempted",
    goneUpstream: "Gone upstream", installed: "Installed", items: "Items", forms: "Transfer forms", freedBytes: "Room freed", missing: "Missing",
  },
  phase: {
    checking: "checking", repairing: "repairing", packing: "packing", writing: "writing", "reading back": "reading back", scanning: "scanning", reading: "reading",
    removing: "removing", installing: "installing", refreshing: "refreshing", verifying: "verifying",
  },
  schedules: {
    name: "Name", job: "Job", when: "When", next: "Next", last: "Last job", paused: "paused", pause: "Pause", resume: "Resume", run: "Run now", none: "Nothing is scheduled",
    noneHint: "Schedules are set in ferry.yaml, under “schedules”.", later: "Then", pausedDone: (name: string) => `“${name}” is paused`, resumedDone: (name: string) => `“${name}” goes on`,
    jitter: (time: string) => `put off by up to ${time}`,
  },
  artifacts: {
    title: "Artifacts", tabBundles: "Bundles", tabSnapshots: "Snapshots", tabDiff: "Compare", make: "Make a bundle", bundle: "Bundle", created: "Made", destination: "Destination", contents: "Contents", size: "Size",
    signed: "Signed by", unsigned: "unsigned", pruned: "archive removed", full: "full", incremental: "incremental", none: "No bundle has been made yet",
    noneHint: "A bundle carries what changed to the other side of the gap.", allDestinations: "All destinations", sequence: "No.", anyone: "anyone",
  },
  artifact: {
    facts: "About", baseline: "From", target: "To", nothing: "nothing: a full bundle", root: "State root", id: "Id", archive: "Archive", contents: "Contents", files: "Carried", removed: "Removed",
    path: "Path", version: "Version", size: "Size", reason: "Reason", verify: "Verify", verifyHint: "Reads every byte of the archive and compares it with its manifest and its signatures.", verifying: "Reading every byte…", intact: "Every byte is what was written",
    damaged: "The archive is damaged", verifiedHint: (bytes: string, files: string, chunks: string) => `${bytes} read, ${files} and ${chunks} compared.`,
    chunks: (n: number) => f.count(n, "chunk", "chunks"), signatureGood: (key: string) => `Signed by ${key}, a key of this registry`, signatureBad: (key: string) => `The signature of ${key} is wrong`,
    signatureUnknown: (key: string) => `Signed by ${key}, which is not known here`, noSignature: "It is not signed", export: "Export", noFiles: "It carries nothing.", noRemoved: "It removes nothing.",
    absent: "left the storage", withdrawn: "withdrawn upstream", gone: "Its archive is no longer here", goneHint: "It was removed to make room. Make the bundle again if it is needed.", packument: "packument",
    compare: "Compare these", manual: "By hand", manualHint: "Into an empty storage, without Ferry:", copyRoot: "Copy the state root",
  },
  snapshots: {
    snapshot: "Snapshot", created: "Taken", packages: "Packages", files: "Files", size: "Size", unsettled: "unsettled", none: "No snapshot has been taken yet", noneHint: "A snapshot records what the storage holds.",
    take: "Take a snapshot", compare: "Compare", from: "From", to: "To", empty: "nothing (everything is new)", allChanges: "All changes", noChanges: "Nothing differs",
    noChangesHint: "The two hold the same files.", path: "Path", change: "Change", size2: "Size", reason: "Reason", chooseTwo: "There is nothing to compare yet", chooseTwoHint: "Comparing needs a snapshot.",
    kinds: { added: "added", changed: "changed", removed: "removed", withdrawn: "withdrawn", withheld: "withheld", "left-out": "left out" },
  },
  broken: {
    title: "Broken archives", open: "Need attention", all: "All", path: "File", kind: "What is wrong", state: "State", since: "Since", checked: "Last checked", attempts: "Attempts", size: "Size",
    states: { damaged: "broken", missing: "missing", repaired: "repaired", cleared: "cleared" },
    kinds: {
      truncated: "cut off", empty: "empty", "not-gzip": "no archive", "corrupt-data": "corrupt data", checksum: "wrong checksum", "bad-tar": "unreadable tar",
      "trailing-bytes": "trailing bytes", "digest-mismatch": "not what was published", "no-packument-entry": "no version names it", "packument-unreadable": "unreadable packument", orphan: "no packument",
    },
    rescan: "Check again", rescanAll: "Check everything", repair: "Repair all", repairOne: "Repair", none: "No archive is broken", noneHint: "Every archive that was checked is what was published.",
    noneChecked: "Nothing has been checked yet", noneCheckedHint: "A check reads every archive to its last byte.", noMatch: "None is like that", allKinds: "All kinds",
    quarantined: "A copy is kept in", goneUpstream: "Upstream no longer has it", noAttempts: "Not repaired yet", repaired: "repaired", failed: "failed", started: "The repair is queued", rescanStarted: "The check is queued", message: "What was found",
  },
  media: {
    title: "Media", none: "No medium is plugged in", noneHint: "Plug in a stick. It shows here as soon as it is mounted.", free: (free: string, total: string) => `${free} free of ${total}`,
    state: { ready: "ready", uninitialised: "new to Ferry", unusable: "cannot be used" }, readOnly: "read-only", removable: "removable", bundles: "On it", noBundles: "No bundle is on it.",
    otherBundles: (n: number) => `${f.count(n, "bundle", "bundles")} in all`, export: "Export a bundle", exportTo: (name: string) => `Export to “${name}”`, bundle: "Bundle", volumeSize: "Cut into volumes of, MiB",
    volumeHint: "Empty: one file, or as the medium needs. A multiple of 4.", start: "Export", queued: "The export is queued", exporting: "Writing… do not pull it", safe: "Safe to remove after unmounting",
    safeHint: "Everything was written, synced and read back.", failed: "The export failed", tooSmall: "It does not fit: too little is free.", uninitialisedHint: "The first export sets it up; what is on it stays.",
    noArtifacts: "There is no bundle to export yet.", newest: "newest", already: "is on it", refused: "This page cannot say what is plugged in", refusedHint: "The server is older than this page.",
    spread: "Spread it over several media", spreadHint: "What fits is written. Ask again with the next medium plugged in, and the missing volumes follow.",
    eject: "Unmount it when it is written", safeNow: "Safe to remove", more: "Volumes of it are still to be written",
    part: (here: number, all: number) => `${f.number(here)} of ${f.number(all)} volumes`,
    device: "Device", where: "Mounted at", replies: "What came back", behind: (state: string) => `the newest here was ${state}: this side was restored from a backup, and counts on from there`,
    receiptOf: "Receipt of", request: "Request", readBefore: "read before",
    refusals: {
      unusable: "cannot be used", "unknown-destination": "its sender has not introduced itself; the card must come with it", unconfirmed: "its sender is not confirmed yet",
      foreign: "is for another origin", older: "is no newer than the last one", "other-key": "comes with another key; if that is right, forget the destination and read it again",
    },
    olderHint: "A receipt is no newer than the last one: somebody has put back an old one, or its destination was restored from a backup. If it was, going back costs bytes only.",
    acceptOlder: "It was restored: accept", accepted: "The older receipt counts",
  },
  destinations: {
    title: "Destinations", name: "Destination", has: "Has", pending: "On its way", exported: "Last on a medium", next: "Next bundle",
    none: "No destination is known yet", noneHint: "One introduces itself on a medium that comes back: “ferry-offline init --name …” names it there, “ferry-offline receipt” writes its card. Bundles for everyone need none.",
    anyHint: "bundles for whoever has the medium", noCard: "nothing has come back from there", unconfirmed: "not confirmed", quiet: (days: string) => `quiet for ${days}`,
    quietHint: (days: string) => `Bundles went there, and nothing has come back for ${days}. Ask the people there; a lost stick needs no repair, the next bundle carries it all again.`,
    state: (sequence: string) => `state #${sequence}`, without: (files: string) => `without ${files}`, noReceipt: "no receipt yet", hasNothing: "acknowledges nothing", hasAll: "has all",
    isOut: "on a medium", isNotOut: "on no medium yet",
    introduced: (name: string) => `“${name}” has introduced itself`, introducedHint: "Nothing it says counts before a person has compared the fingerprint of its key.", confirm: "Confirm its key",
    confirmTitle: (name: string) => `Confirm the key of “${name}”`,
    confirmHint: "Ask the people there for the fingerprint that “ferry-offline init” shows, by another way than this medium: by telephone, or face to face. Type what they say.",
    fingerprint: "Fingerprint", fingerprintHint: "With or without spaces.", soFar: (done: number, total: number) => `${done} of ${total} characters, the same so far.`,
    differs: (at: number) => `It differs from character ${at} on. If it was heard right, do not trust this medium.`, same: "It is the same.", confirmedDone: (name: string) => `“${name}” is confirmed`,
    nextHint: "From what is known of it to the newest snapshot.", nothingNext: "It has the newest state: nothing is to be carried.", again: "Carried again", full: "A full bundle: everything to the newest snapshot.",
    grounds: {
      "no-receipt": () => "Nothing has come back from there yet.", "acknowledges-nothing": () => "It acknowledges nothing.",
      acknowledged: (state: string) => `It has state #${state}.`, assumed: (state: string) => `It is assumed to have state #${state}, of its third-last bundle on a medium.`,
      "acknowledged-gone": (state: string) => `The state that it has, #${state}, is not kept here any more.`,
      "assumed-gone": (state: string) => `The state that it is assumed to have, #${state}, is not kept here any more.`,
    } as Record<NextBundle["ground"], (state: string) => string>,
    pendingHint: "Bundles that lead beyond what it has acknowledged.", noPending: "It has acknowledged every bundle that was made for it.", onMedium: (medium: string) => `on “${medium}”`,
    onNoMedium: "None of them was put on a medium yet.",
    receipts: "Receipts", noReceipts: "None has come back yet. An import writes one on the medium.", counter: "No.", missing: "Missing", refused: "Refused", written: "Written there", read: "Read here",
    lastReceipt: "Last receipt", firstSeen: "First seen", confirmedAt: "Confirmed", key: "Key",
    policy: "How it is treated", baseline: "Its bundles start from", baselines: { acknowledged: "what its last receipt says", "assume-applied": "what it is assumed to have" },
    baselineHints: { acknowledged: "A lost stick costs nothing but bytes.", "assume-applied": "Where nothing ever comes back: its third-last bundle on a medium." },
    requests: "Its requests", requestPolicies: { ask: "wait for a person", approve: "are approved unseen" }, quietDays: "Called quiet after, days", save: "Save", saved: "It is kept",
    forget: "Forget", forgetQuestion: (name: string) => `Forget “${name}”?`, forgetLoses: "This is lost here:",
    losesState: (sequence: string) => `that it has state #${sequence}: its next bundle would be a full one`, losesKey: "its key: what it signs counts only when it is confirmed anew",
    losesRequests: (n: number) => `${f.count(n, "open request", "open requests")}`, forgetKeeps: "Bundles that were made stay, and nothing changes over there. Its card introduces it again.",
    forgotten: (name: string) => `“${name}” is forgotten`,
  },
  requests: {
    title: "Requests", none: "Nothing is asked for", noneHint: "“ferry-offline request react@18” writes a request on a medium; it shows here when the medium is plugged in.", noneOfIt: "It has asked for nothing.",
    noMatch: "No request is like that", asked: "Asks for", from: "From", read: "Read", created: "Written there", changed: "Decided", bundle: "Did not fit",
    states: { new: "to decide", approved: "approved", declined: "declined", fulfilled: "fulfilled" }, asks: (name: string, what: string) => `${name} asks for ${what}`, wants: (packages: string) => packages, lacks: (files: string) => `${files} that a bundle builds upon`,
    approve: "Approve", decline: "Decline", approvedJob: (kind: string, id: number) => `Approved; ${kind} #${id} is queued`, approvedWaits: "Approved; a job that answers it waits already", declinedDone: "Declined",
    follows: "What follows", wantHint: "Approved, these are fetched by a delta refresh with all that they need, and every next bundle carries them. It is fulfilled when a receipt shows that they are there.",
    gapHint: (files: string) => `A bundle did not fit there: ${files} that it builds upon are missing. Approved, a filler is made that carries exactly these; put it on a medium together with that bundle.`,
    files: "Missing files", packages: "Wanted packages",
  },
  space: {
    title: "Disks", holds: { storage: "Storage", state: "State", artifacts: "Bundles" }, levels: { ok: "enough room", warning: "getting full", critical: "nearly full" },
    forecast: "Forecast", files: "Free files", path: "Path", free: "What is free", noMeasurements: "The curve begins with the first measurement.", parts: "What takes the room",
    snapshots: "Snapshots", logs: "Logs",
  },
  settings: {
    title: "Settings", hint: "What the server goes by. They are set in ferry.yaml, by variables of the environment and by flags, and are read when it starts.", key: "Key", value: "Value",
    source: "Comes from", search: "Search settings", noMatch: "There is no such setting",
    sources: { default: "built in", verdaccio: "Verdaccio's configuration", file: "file", environment: "environment", flag: "flag" },
  },
  palette: { title: "Go to", hint: "A page, a package, or something to do", none: "Nothing found", pages: "Pages", start: "Start", packages: "Packages", shortcut: "Search…" },
};

/** The shape of what the page says: texts and what makes texts, not the very words. */
type Wide<Value> = Value extends string ? string
  : Value extends (...given: infer Given) => string ? (...given: Given) => string
  : Value extends readonly [string, string] ? readonly [string, string]
  : { readonly [Key in keyof Value]: Wide<Value[Key]> };

export type Words = Wide<typeof en>;
