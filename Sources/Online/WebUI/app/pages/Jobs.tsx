import { useLiveJobs } from "../api/live";
import { useQuery } from "../api/query";
import { Job } from "../api/schema";
import { Kind, askerWords, isDryRun, kinds, outcomeWords } from "../base/jobs";
import { Foreign, Moment, useLocale, useNow } from "../base/locale";
import { Link, useQueryWords } from "../base/router";
import { JobState } from "../parts/Badge";
import { Button, ButtonLink, IconButton } from "../parts/Button";
import { Select } from "../parts/Field";
import { PageHead, Tabs } from "../parts/Layout";
import { Bar } from "../parts/Progress";
import { Empty, FailureState } from "../parts/States";
import { Column, Pager, Table, pageSize, usePageNumber } from "../parts/Table";

const states: readonly Job["state"][] = ["queued", "running", "succeeded", "failed", "cancelled", "interrupted"];

export function JobTabs({ on }: { readonly on: "jobs" | "schedules" }) {
  const { t } = useLocale();
  return <Tabs label={t.jobs.title} tabs={[{ to: "/jobs", label: t.jobs.tabJobs, isOn: on === "jobs" }, { to: "/schedules", label: t.jobs.tabSchedules, isOn: on === "schedules" }]} />;
}

/** All jobs, as they change. */
export function Jobs() {
  const { t } = useLocale();
  const [query, change] = useQueryWords();
  const page = usePageNumber();
  const kind = (query.get("kind") ?? "") as Kind | "";
  const state = (query.get("state") ?? "") as Job["state"] | "";
  const name = query.get("package") ?? "";
  const jobs = useQuery("listJobs", {
    kind: kind === "" ? undefined : kind, state: state === "" ? undefined : state, package: name === "" ? undefined : name, limit: pageSize, offset: (page - 1) * pageSize,
  }, ["open", "jobs"]);
  const isFiltered = kind !== "" || state !== "" || name !== "";
  return (
    <>
      <PageHead title={t.jobs.title} actions={<ButtonLink to="/jobs/new" look="primary" icon="plus">{t.jobs.start}</ButtonLink>}>
        <JobTabs on="jobs" />
      </PageHead>
      <div className="filters">
        <Select<Kind> label={t.jobs.job} value={kind} none={t.jobs.allKinds} options={kinds.map((word) => [word, t.kind[word]] as const)} onChange={(word) => change({ kind: word, page: undefined })} />
        <Select<Job["state"]> label={t.jobs.state} value={state} none={t.jobs.allStates} options={states.map((word) => [word, t.state[word]] as const)} onChange={(word) => change({ state: word, page: undefined })} />
        {name !== "" && <span className="chip">{t.jobs.onPackage(name)}<IconButton icon="close" small label={t.common.clear} onClick={() => change({ package: undefined, page: undefined })} /></span>}
      </div>
      {jobs.failure && !jobs.value ? <FailureState failure={jobs.failure} onRetry={jobs.reload} />
        : jobs.value?.total === 0
          ? isFiltered
            ? <Empty icon="filter" title={t.jobs.noMatch} hint={t.jobs.noMatchHint}><Button onClick={() => change({ kind: undefined, state: undefined, package: undefined, page: undefined })}>{t.packages.clearFilters}</Button></Empty>
            : <Empty icon="jobs" title={t.jobs.none} hint={t.jobs.noneHint}><ButtonLink to="/jobs/new" look="primary" icon="plus">{t.jobs.start}</ButtonLink></Empty>
          : <><JobTable jobs={jobs.value?.items} isOld={jobs.isOld} />{jobs.value && <Pager total={jobs.value.total} />}</>}
    </>
  );
}

/** How long a job took, or has been taking. */
export function JobDuration({ job }: { readonly job: Job }) {
  const { f } = useLocale();
  const now = useNow(1000);
  if (!job.started) return <span className="quiet">–</span>;
  const seconds = job.ended ? job.seconds ?? 0 : Math.max(0, (now - Date.parse(job.started)) / 1000);
  return <span className="numbers">{f.duration(job.ended ? seconds : Math.floor(seconds))}</span>;
}

/** What came out of a job, or how far it is. */
function Outcome({ job }: { readonly job: Job }) {
  const { t, f } = useLocale();
  if (job.state === "running") {
    const { progress } = job;
    if (!progress) return <div className="outcome-bar"><Bar share={undefined} label={t.jobs.progress} /></div>;
    const phases: Readonly<Record<string, string>> = t.phase;
    return (
      <div className="outcome-bar">
        <Bar share={progress.total > 0 ? progress.done / progress.total : undefined} label={t.jobs.progress} />
        <span className="quiet numbers cut">
          {phases[progress.phase] ?? progress.phase}{progress.total > 0 && ` · ${f.percent(progress.done / progress.total)}`}
          {progress.secondsLeft !== null && progress.secondsLeft > 0 && ` · ${t.common.left(f.duration(progress.secondsLeft))}`}
        </span>
      </div>
    );
  }
  if (job.state === "queued") return <span className="quiet cut" title={job.waitsFor ?? undefined}><Waits job={job} /></span>;
  return <span className="quiet cut" title={outcomeWords(job, t) ?? job.reason ?? undefined}><Ending job={job} /></span>;
}

/** What came of a job that has ended. */
export function Ending({ job }: { readonly job: Job }) {
  const { t } = useLocale();
  return <>{outcomeWords(job, t) ?? <Foreign>{job.reason}</Foreign>}</>;
}

/** What a job waits for. */
export function Waits({ job }: { readonly job: Job }) {
  const { t } = useLocale();
  return job.waitsFor ? <>{t.job.waits} <Foreign>{job.waitsFor}</Foreign></> : <>{t.job.waiting}</>;
}

export function JobTable({ jobs, isOld = false, isShort = false }: { readonly jobs: readonly Job[] | undefined; readonly isOld?: boolean; readonly isShort?: boolean }) {
  const { t } = useLocale();
  const shown = useLiveJobs(jobs ?? []);
  const columns: readonly Column<Job>[] = [
    {
      id: "job", title: t.jobs.job, isMain: true, width: isShort ? "13rem" : "14.5rem",
      cell: (job) => (
        <div className="two-lines">
          <Link to={`/jobs/${job.id}`} className="strong cut">{t.kind[job.kind]}</Link>
          <span className="quiet cut numbers">#{job.id}{isDryRun(job) && ` · ${t.jobs.dryRun}`} · {askerWords(job.askedBy, t)}</span>
        </div>
      ),
    },
    { id: "state", title: t.jobs.state, width: "8.5rem", cell: (job) => <JobState job={job} /> },
    { id: "outcome", title: t.jobs.outcome, hide: "tablet", cell: (job) => <Outcome job={job} /> },
    { id: "created", title: t.jobs.created, isNumber: true, width: "8.5rem", hide: isShort ? "tablet" : "phone", cell: (job) => <Moment at={job.created} /> },
    { id: "duration", title: t.jobs.duration, isNumber: true, width: "6rem", hide: "phone", cell: (job) => <JobDuration job={job} /> },
  ];
  return <Table label={t.jobs.title} columns={columns} rows={jobs && shown} keyOf={(job) => String(job.id)} to={(job) => `/jobs/${job.id}`} isOld={isOld} />;
}
