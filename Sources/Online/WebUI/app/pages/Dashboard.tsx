// Whether the registry is fresh and healthy, what the next stick would carry, and the one thing to do about it.

import { ReactNode, useState } from "react";
import { useLiveJobs } from "../api/live";
import { Query, useQuery } from "../api/query";

import { Failure } from "../api/client";
import { Destination as DestinationSummary, Job, Medium, Request, Schedule, Snapshot, Space, StorageTotals } from "../api/schema";
import { Next, isConfirmed, useDestinations, useNameOf, useNextBundles } from "../base/destinations";
import { formPath, isDryRun, startJob } from "../base/jobs";
import { Moment, useLocale, useNow } from "../base/locale";
import { Link, navigate } from "../base/router";
import { Badge } from "../parts/Badge";
import { Button, ButtonLink, Segments } from "../parts/Button";
import { AreaChart, BarChart, Point, Spark } from "../parts/Charts";
import { Icon, IconName } from "../parts/Icon";
import { Card, PageHead } from "../parts/Layout";
import { Bar, JobProgress } from "../parts/Progress";
import { Empty, Loaded, Skeleton } from "../parts/States";
import { Column, Table } from "../parts/Table";
import { useSayJob } from "../parts/Toasts";
import { NextCell, Pending, Warnings, hasWarnings } from "./Destinations";
import { useAskedWords } from "./Requests";
import { useForecast } from "./SpacePage";
import { ExportDialog, ExportState, mediumName, useExports } from "./Media";

/** A cache that was not refreshed for longer than this is not fresh: two rounds of the schedule that is built in, and some. */
const freshHours = 26;

const isRefresh = (kind: Job["kind"]) => kind === "full_cache_refresh" || kind === "delta_refresh";

export function Dashboard() {
  const { t } = useLocale();
  const statistics = useQuery("getStatistics", { days: 30 });
  const space = useQuery("getSpace", { days: 30 });
  const full = useQuery("listJobs", { kind: "full_cache_refresh", state: "succeeded", limit: 5 });
  const delta = useQuery("listJobs", { kind: "delta_refresh", state: "succeeded", limit: 5 });
  const open = useQuery("listJobs", { limit: 20 }, ["open", "jobs"]);
  const broken = useQuery("listBrokenArchives", { state: "open", limit: 1 });
  const checks = useQuery("listJobs", { kind: "broken_scan", state: "succeeded", limit: 1 });
  const schedules = useQuery("listSchedules", { limit: 1000 }, ["open", "jobs"]);
  const snapshots = useQuery("listSnapshots", { limit: 1 });
  const destinations = useDestinations();
  const requests = useQuery("listRequests", { state: "new", limit: 1 }, ["open", "ended", "replies"]);
  const media = useQuery("listMedia", { limit: 20 }, ["open", "media", "ended"]);
  const jobs = useLiveJobs(open.value?.items ?? []);
  const active = jobs.filter((job) => job.state === "running" || job.state === "queued").sort((a, b) => (a.state === b.state ? a.id - b.id : a.state === "running" ? -1 : 1));
  const refreshes = [...(full.value?.items ?? []), ...(delta.value?.items ?? [])].filter((job) => !isDryRun(job) && job.ended !== null);
  const lastRefresh = refreshes.sort((a, b) => Date.parse(b.ended ?? "") - Date.parse(a.ended ?? ""))[0];
  const newest = snapshots.value?.items[0];
  const next = useNextBundles(destinations.value?.items, newest?.snapshot);
  // What is to be done does not jump from one thing to another.
  const isCompared = newest === undefined || destinations.value?.items.every((item) => next.has(item.destination));
  const isReady = isCompared && statistics.value && full.value && delta.value && open.value && broken.value && snapshots.value && destinations.value && requests.value;
  return (
    <>
      <PageHead title={t.dashboard.title} badge={<Health />} />
      {isReady
        ? <NextAction
            hasScan={statistics.value?.latest !== null} broken={broken.value?.total ?? 0} lastRefresh={lastRefresh} active={active} newest={newest}
            destinations={destinations.value?.items ?? []} next={next} request={requests.value?.items[0]} requests={requests.value?.total ?? 0} media={media.value?.items ?? []} />
        : <div className="card action is-waiting"><Skeleton lines={2} /></div>}
      <div className="tiles">
        <FreshnessTile job={lastRefresh} isLoaded={full.value !== undefined && delta.value !== undefined} schedules={schedules.value?.items ?? []} active={active} />
        <SizeTile query={statistics} />
        <DiskTile query={space} />
        <BrokenTile broken={broken.value?.total} isChecked={checks.value === undefined ? undefined : checks.value.total > 0} />
      </div>
      <div className="grid-wide">
        <Growth />
        <Running active={active} isLoaded={open.value !== undefined} schedules={schedules.value?.items ?? []} />
      </div>
      <div className="grid-wide">
        <NextBundles query={destinations} next={next} hasSnapshot={snapshots.value === undefined || newest !== undefined} />
        <Plugged media={media} />
      </div>
      <div className="grid-even">
        <BundleSizes />
        <Durations />
      </div>
    </>
  );
}

// What is to be done

interface Situation {
  readonly hasScan: boolean;
  readonly broken: number;
  readonly lastRefresh: Job | undefined;
  readonly active: readonly Job[];
  readonly newest: Snapshot | undefined;
  readonly destinations: readonly DestinationSummary[];
  readonly next: ReadonlyMap<string, Next | Failure>;
  /** The last one that nobody has decided upon, of so many. */
  readonly request: Request | undefined;
  readonly requests: number;
  readonly media: readonly Medium[];
}

/** The one thing to do in the state that things are in. */
function NextAction({ hasScan, broken, lastRefresh, active, newest, destinations, next, request, requests, media }: Situation) {
  const { t, f } = useLocale();
  const now = useNow(60_000);
  const sayJob = useSayJob();
  const [exported, setExported] = useState<Medium>();
  const [isBusy, setBusy] = useState(false);
  const nameOf = useNameOf();
  const askedWords = useAskedWords();
  const words = t.dashboard.action;
  const last = destinations.flatMap((each) => each.lastBundle ?? []).sort((a, b) => b.sequence - a.sequence)[0];
  const stranger = destinations.find((each) => each.standing && !isConfirmed(each.standing));
  const due = newest && destinations.find((each) => isDue(each, destinations, newest, next));
  const carried = due && next.get(due.destination);
  // What has arrived need not be put on a medium again.
  const hasArrived = last !== undefined && (destinations.find((each) => each.destination === last.destination)?.standing?.receipt?.sequence ?? 0) >= last.sequence;
  const waiting = last && !hasArrived && media.find((medium) => medium.state === "ready" && !medium.readOnly && !medium.bundles.some((bundle) => bundle.bundle === last.bundle));
  const running = active[0];
  const start = (asked: Promise<Job>) => {
    setBusy(true);
    asked.then(sayJob.started, sayJob.failed).finally(() => setBusy(false));
  };
  const show = (icon: IconName, tone: string, title: string, hint: string, button: ReactNode) => (
    <section className={`card action action-${tone}`} aria-label={title}>
      <span className="action-icon"><Icon name={icon} size={20} /></span>
      <div className="action-words"><h2>{title}</h2><p>{hint}</p></div>
      {button}
      {exported && <ExportDialog medium={exported} onClose={() => setExported(undefined)} />}
    </section>
  );
  const button = (label: string, act: () => void, look: "primary" | "plain" = "primary") => <Button look={look} busy={isBusy} onClick={act}>{label}</Button>;
  const refresh = () => start(startJob(lastRefresh ? "start-delta-refresh" : "start-full-refresh", {}));

  if (running) {
    return show("jobs", "busy", words.running.title(t.kind[running.kind]), words.running.hint, <ButtonLink to={`/jobs/${running.id}`} look="primary">{words.running.button}</ButtonLink>);
  }
  if (!hasScan) return show("search", "busy", words.scan.title, words.scan.hint, button(words.scan.button, () => start(startJob("start-metadata-scan", {}))));
  if (broken > 0) return show("alert", "bad", words.repair.title(broken), words.repair.hint, button(words.repair.button, () => start(startJob("start-broken-repair", {}))));
  if (stranger?.standing) {
    return show("key", "warn", t.destinations.introduced(stranger.standing.name), t.destinations.introducedHint, <ButtonLink to={`/destinations/${stranger.destination}`} look="primary">{words.confirm.button}</ButtonLink>);
  }
  if (request) {
    return show(
      "letter", "warn", t.requests.asks(nameOf(request.destination), askedWords(request)), words.request.hint(requests),
      <ButtonLink to={requests > 1 ? "/requests?state=new" : `/requests/${request.request}`} look="primary">{words.request.button}</ButtonLink>);
  }
  if (!lastRefresh?.ended || now - Date.parse(lastRefresh.ended) > freshHours * 3_600_000) {
    return show("again", "warn", words.refresh.title, lastRefresh?.ended ? words.refresh.old(f.relative(lastRefresh.ended, now)) : words.refresh.never, button(words.refresh.button, refresh));
  }
  if (!last) return show("archive", "busy", words.bundle.title, words.bundle.first, button(words.bundle.button, () => navigate(formPath("diff_build"))));
  if (due && carried && !(carried instanceof Failure)) {
    const what = carried.packages > 0 ? `${t.count.packages(carried.packages)}, ${f.bytes(carried.bytes)}` : t.count.files(carried.files + carried.removed);
    return show(
      "archive", "busy", due.standing ? words.bundle.titleFor(due.standing.name) : words.bundle.title, due.standing ? words.bundle.hintFor(what) : words.bundle.hint(what),
      button(words.bundle.button, () => start(startJob("start-diff-build", { destination: due.destination }))));
  }
  if (waiting) return show("media", "busy", words.export.title(mediumName(waiting)), words.export.hint(last.label), button(words.export.button, () => setExported(waiting)));
  return show("check", "good", words.fine.title, words.fine.hint, button(words.fine.button, refresh, "plain"));
}

/** Whether there is something to carry that no bundle leads to which goes to that destination. */
function isDue(item: DestinationSummary, all: readonly DestinationSummary[], newest: Snapshot, next: ReadonlyMap<string, Next | Failure>): boolean {
  const carried = next.get(item.destination);
  if (!carried || carried instanceof Failure || carried.files + carried.removed === 0) return false;
  // Nobody waits for a bundle who has not been confirmed.
  if (item.standing && !isConfirmed(item.standing)) return false;
  const forAll = all.find((each) => each.destination === "any")?.lastBundle;
  return ![item.lastBundle, forAll].some((bundle) => bundle?.target === newest.snapshot);
}

function Health() {
  const { t } = useLocale();
  const health = useQuery("getHealth", {}, ["open", "ended"]);
  if (!health.value) return null;
  const bad = health.value.checks.filter((check) => check.status !== "ok");
  return (
    <ul className="health" aria-label={t.dashboard.health}>
      {(bad.length === 0 ? health.value.checks : bad).map((check) => (
        <li key={check.name}><Badge dot tone={check.status === "ok" ? "good" : check.status === "degraded" ? "warn" : "bad"} {...(check.detail ? { title: check.detail } : {})}>{t.dashboard.checks[check.name]}</Badge></li>
      ))}
    </ul>
  );
}

// Tiles

function Tile({ label, to, value, hint, tone, children }: { readonly label: string; readonly to: string; readonly value: ReactNode; readonly hint: ReactNode; readonly tone?: "good" | "warn" | "bad"; readonly children?: ReactNode }) {
  return (
    <Link to={to} className={`card tile${tone ? ` tile-${tone}` : ""}`}>
      <span className="tile-label">{label}</span>
      <span className="tile-value numbers">{value}</span>
      <span className="tile-hint cut">{hint}</span>
      {children}
    </Link>
  );
}

const waitingText = <span className="skeleton-line" />;

function FreshnessTile({ job, isLoaded, schedules, active }: { readonly job: Job | undefined; readonly isLoaded: boolean; readonly schedules: readonly Schedule[]; readonly active: readonly Job[] }) {
  const { t, f } = useLocale();
  const now = useNow(30_000);
  const next = schedules.filter((schedule) => isRefresh(schedule.kind)).flatMap((schedule) => schedule.next.slice(0, 1)).sort()[0];
  const running = active.find((each) => isRefresh(each.kind) && each.state === "running");
  const isFresh = job?.ended && now - Date.parse(job.ended) < freshHours * 3_600_000;
  return (
    <Tile
      label={t.dashboard.freshness} to={job ? `/jobs/${job.id}` : "/jobs?kind=full_cache_refresh"} tone={!isLoaded ? undefined : isFresh && job.exitCode === 0 ? "good" : "warn"}
      value={!isLoaded ? waitingText : job?.ended ? <Moment at={job.ended} /> : t.common.never}
      hint={running ? t.dashboard.refreshing : job && job.exitCode !== 0 ? t.dashboard.incomplete : next ? t.dashboard.nextRefresh(f.relative(next, now)) : t.dashboard.noNext} />
  );
}

function SizeTile({ query }: { readonly query: Query<{ readonly latest: StorageTotals | null; readonly growth: { readonly tarballBytes: number } | null; readonly items: readonly StorageTotals[]; readonly days: number }> }) {
  const { t, f } = useLocale();
  const latest = query.value?.latest;
  return (
    <Tile
      label={t.dashboard.size} to="/packages" value={query.value === undefined ? waitingText : latest ? f.bytes(latest.tarballBytes) : "–"}
      hint={latest ? t.dashboard.packages(t.count.packages(latest.packages), f.number(latest.cachedVersions)) : "\u00a0"}>
      <Spark values={(query.value?.items ?? []).map((totals) => totals.tarballBytes)} />
    </Tile>
  );
}

function DiskTile({ query }: { readonly query: Query<Space> }) {
  const { t, f } = useLocale();
  const disk = query.value?.disks.find((each) => each.holds.includes("storage")) ?? query.value?.disks[0];
  const used = disk && disk.totalBytes > 0 ? 1 - disk.freeBytes / disk.totalBytes : 0;
  const tone = disk?.level === "critical" ? "bad" : disk?.level === "warning" ? "warn" : undefined;
  const forecast = useForecast();
  return (
    <Tile label={t.dashboard.disk} to="/disks" tone={tone} value={disk ? t.dashboard.diskFree(f.bytes(disk.freeBytes)) : waitingText} hint={disk ? <span title={disk.forecast}>{forecast(disk)}</span> : "\u00a0"}>
      <Bar share={used} label={t.dashboard.disk} tone={tone ?? "good"} />
    </Tile>
  );
}

function BrokenTile({ broken, isChecked }: { readonly broken: number | undefined; readonly isChecked: boolean | undefined }) {
  const { t, f } = useLocale();
  return (
    <Tile
      label={t.dashboard.broken} to="/broken-archives" tone={broken === undefined ? undefined : broken > 0 ? "bad" : isChecked ? "good" : "warn"}
      value={broken === undefined ? waitingText : f.number(broken)} hint={broken ? t.dashboard.brokenSome : isChecked === false ? t.dashboard.unchecked : t.dashboard.brokenNone} />
  );
}

// Charts

type Range = "7" | "30" | "90" | "365";

function Growth() {
  const { t, f } = useLocale();
  const [range, setRange] = useState<Range>("30");
  const statistics = useQuery("getStatistics", { days: Number(range) });
  const points = (statistics.value?.items ?? []).map((totals): Point => ({
    at: Date.parse(totals.taken), value: totals.tarballBytes, label: `${f.moment(totals.taken)} · ${t.count.packages(totals.packages)}`,
  }));
  const growth = statistics.value?.growth;
  return (
    <Card
      title={t.dashboard.growth} hint={growth && points.length > 1 ? t.dashboard.sizeHint(f.change(growth.tarballBytes, f.bytes), t.count.days(Number(range))) : undefined}
      actions={
        <Segments<Range>
          label={t.chart.range} value={range} onChange={setRange}
          options={[{ value: "7", label: t.chart.days(7) }, { value: "30", label: t.chart.days(30) }, { value: "90", label: t.chart.days(90) }, { value: "365", label: t.chart.year }]} />
      }>
      <div className="chart-place">
        {statistics.value === undefined ? <Skeleton lines={5} />
          : points.length < 2 ? <Empty icon="jobs" title={points.length === 0 ? t.dashboard.growthEmpty : t.chart.tooFew} />
            : <AreaChart title={t.dashboard.growth} points={points} write={f.bytes} isBinary height={220} />}
      </div>
    </Card>
  );
}

function BundleSizes() {
  const { t, f } = useLocale();
  const bundles = useQuery("listArtifacts", { limit: 24 });
  const points = [...(bundles.value?.items ?? [])].reverse().map((bundle): Point => ({
    at: bundle.sequence, edge: f.shortDay(Date.parse(bundle.created)), value: bundle.sizeBytes, label: `${f.shortDay(Date.parse(bundle.created))} · ${t.count.packages(bundle.counts.packages)}`, onPick: () => navigate(`/artifacts/${bundle.bundle}`),
  }));
  return (
    <Card title={t.dashboard.bundleSizes}>
      <div className="chart-place chart-small">
        {bundles.value === undefined ? <Skeleton lines={4} /> : points.length === 0 ? <Empty icon="archive" title={t.dashboard.noBundles} /> : <BarChart title={t.dashboard.bundleSizes} points={points} write={f.bytes} isBinary height={170} />}
      </div>
    </Card>
  );
}

const durationTones: Readonly<Record<Job["state"], Point["tone"]>> = { queued: "neutral", running: "neutral", succeeded: "good", failed: "bad", cancelled: "neutral", interrupted: "warn" };

function Durations() {
  const { t, f } = useLocale();
  const jobs = useQuery("listJobs", { limit: 40 });
  const ended = (jobs.value?.items ?? []).filter((job) => job.ended !== null && job.seconds !== null);
  const points = [...ended].reverse().map((job): Point => ({
    at: job.id, edge: `#${job.id}`, value: job.seconds ?? 0, tone: durationTones[job.state], onPick: () => navigate(`/jobs/${job.id}`),
    label: `${t.kind[job.kind]} #${job.id} · ${t.state[job.state]}`,
  }));
  return (
    <Card title={t.dashboard.durations}>
      <div className="chart-place chart-small">
        {jobs.value === undefined ? <Skeleton lines={4} /> : points.length === 0 ? <Empty icon="clock" title={t.dashboard.noJobs} />
          : <BarChart title={t.dashboard.durations} points={points} write={f.duration} height={170} />}
      </div>
    </Card>
  );
}

// What goes on

function Running({ active, isLoaded, schedules }: { readonly active: readonly Job[]; readonly isLoaded: boolean; readonly schedules: readonly Schedule[] }) {
  const { t } = useLocale();
  const next = schedules.filter((schedule) => schedule.next.length > 0).sort((a, b) => ((a.next[0] ?? "") < (b.next[0] ?? "") ? -1 : 1)).slice(0, 4);
  return (
    <Card title={t.dashboard.running} actions={<Link to="/jobs">{t.common.all}</Link>}>
      {!isLoaded ? <Skeleton lines={4} /> : active.length > 0 ? (
        <ul className="running">
          {active.map((job) => (
            <li key={job.id}>
              <div className="line"><Link to={`/jobs/${job.id}`} className="strong">{t.kind[job.kind]}</Link><span className="quiet numbers">#{job.id}</span>{job.state === "queued" && <span className="push"><Badge dot>{t.state.queued}</Badge></span>}</div>
              {job.state === "running" && <JobProgress job={job} brief />}
            </li>
          ))}
        </ul>
      ) : (
        <>
          <p className="quiet idle">{t.dashboard.idle}. {next.length > 0 && t.dashboard.idleHint}</p>
          <ul className="plain-list">
            {next.map((schedule) => <li key={schedule.name}><Link to="/schedules">{t.kind[schedule.kind]}</Link><span className="quiet">{schedule.next[0] && <Moment at={schedule.next[0]} />}</span></li>)}
          </ul>
        </>
      )}
    </Card>
  );
}

function NextBundles({ query, next, hasSnapshot }: { readonly query: Query<{ readonly items: readonly DestinationSummary[] }>; readonly next: ReadonlyMap<string, Next | Failure>; readonly hasSnapshot: boolean }) {
  const { t, f } = useLocale();
  const columns: readonly Column<DestinationSummary>[] = [
    {
      id: "destination", title: t.dashboard.destination, isMain: true,
      cell: (item) => {
        const receipt = item.standing?.receipt;
        return (
          <div className="two-lines">
            <span className="line">
              {item.standing ? <Link to={`/destinations/${item.destination}`} className="strong">{item.standing.name}</Link>
                : item.destination === "any" ? <span className="strong">{t.dashboard.everyone}</span> : <code className="cut" title={item.destination}>{item.destination}</code>}
            </span>
            <span className="quiet cut">
              {item.standing && hasWarnings(item.standing) ? <Warnings standing={item.standing} /> : receipt ? <>{receipt.sequence === null ? t.destinations.hasNothing : t.destinations.state(f.number(receipt.sequence))}, <Moment at={receipt.read} /></>
                : item.standing ? t.destinations.noReceipt : item.lastBundle && <>{t.dashboard.lastBundle}: <Moment at={item.lastBundle.created} /></>}
            </span>
          </div>
        );
      },
    },
    { id: "behind", title: t.dashboard.behind, width: "8.5rem", hide: "phone", cell: (item) => <Pending item={item} /> },
    { id: "carries", title: t.dashboard.carries, width: "8.5rem", cell: (item) => <NextCell next={next.get(item.destination)} hasSnapshot={hasSnapshot} /> },
    {
      id: "make", title: t.common.actions, isNumber: true, width: "5.5rem",
      cell: (item) => <ButtonLink small to={`${formPath("diff_build")}?destination=${item.destination}`}>{t.dashboard.makeBundle}</ButtonLink>,
    },
  ];
  return (
    <Card title={t.dashboard.next} hint={t.dashboard.nextHint} actions={<Link to="/destinations">{t.common.all}</Link>} flush>
      <Loaded query={query} lines={3}>
        {(page) => (page.items.length === 0
          ? <Empty icon="archive" title={t.dashboard.noDestinations} hint={t.dashboard.noDestinationsHint}><ButtonLink to={formPath("diff_build")}>{t.artifacts.make}</ButtonLink></Empty>
          : <Table label={t.dashboard.next} columns={columns} rows={page.items} keyOf={(item) => item.destination} />)}
      </Loaded>
    </Card>
  );
}

function Plugged({ media }: { readonly media: Query<{ readonly items: readonly Medium[] }> }) {
  const { t, f } = useLocale();
  const exportOf = useExports();
  return (
    <Card title={t.dashboard.media} actions={<Link to="/media">{t.common.all}</Link>}>
      {media.failure && !media.value ? <p className="quiet">{t.media.none}</p> : media.value === undefined ? <Skeleton lines={3} />
        : media.value.items.length === 0 ? <Empty icon="media" title={t.media.none} hint={t.media.noneHint} />
          : (
            <ul className="running">
              {media.value.items.map((medium) => {
                const job = exportOf(medium);
                return (
                  <li key={medium.id}>
                    <div className="line"><Icon name="media" /><Link to="/media" className="strong cut">{mediumName(medium)}</Link><span className="push quiet numbers">{f.bytes(medium.freeBytes)}</span></div>
                    {job && (job.state === "running" || job.state === "queued") && <ExportState job={job} />}
                  </li>
                );
              })}
            </ul>
          )}
    </Card>
  );
}
