import { useState } from "react";
import { ask } from "../api/client";
import { isEnded, useLiveJob } from "../api/live";
import { useQuery } from "../api/query";
import { Job } from "../api/schema";
import { askerWords, figures, isDryRun, parameterText, startJob, startOperations } from "../base/jobs";
import { Moment, useLocale } from "../base/locale";
import { Link, navigate, packagePath } from "../base/router";
import { Badge, JobState } from "../parts/Badge";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { Icon } from "../parts/Icon";
import { Card, Facts, PageHead } from "../parts/Layout";
import { JobProgress } from "../parts/Progress";
import { Loaded } from "../parts/States";
import { useSay, useSayJob } from "../parts/Toasts";
import { Ending, JobDuration, Waits } from "./Jobs";
import { LogView } from "./Log";

/** One job: how far it is, what it says, what came out; to end it, and to run it again. */
export function JobPage({ id }: { readonly id: string }) {
  const { t } = useLocale();
  const query = useQuery("getJob", { id }, ["open", "ended"]);
  const job = useLiveJob(query.value);
  return (
    <>
      <PageHead
        title={job ? t.job.title(t.kind[job.kind], job.id) : `#${id}`} above={[["/jobs", t.nav.jobs]]}
        badge={job && <><JobState job={job} />{isDryRun(job) && <Badge>{t.jobs.dryRun}</Badge>}</>}
        actions={job && <Actions job={job} />} />
      <Loaded query={query} lines={8}>{() => job && <Detail job={job} />}</Loaded>
    </>
  );
}

function Actions({ job }: { readonly job: Job }) {
  const { t } = useLocale();
  const say = useSay();
  const sayJob = useSayJob();
  const [isAsking, setAsking] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const cancel = () => {
    setAsking(false);
    setBusy(true);
    ask("cancelJob", { id: String(job.id) }).then(() => say({ tone: "good", text: t.job.cancelled }), sayJob.failed).finally(() => setBusy(false));
  };
  const again = () => {
    if (job.kind === "export") return;
    setBusy(true);
    startJob(startOperations[job.kind], job.parameters, job.timeLimitSeconds ?? undefined).then((next) => {
      sayJob.started(next);
      navigate(`/jobs/${next.id}`);
    }, sayJob.failed).finally(() => setBusy(false));
  };
  return (
    <>
      {!isEnded(job) && <Button look="danger" icon="stop" busy={isBusy} onClick={() => setAsking(true)}>{t.job.cancel}</Button>}
      {isEnded(job) && job.kind !== "export" && <Button icon="again" busy={isBusy} onClick={again}>{t.job.again}</Button>}
      {isAsking && (
        <Dialog
          title={t.job.cancelQuestion} onClose={() => setAsking(false)}
          actions={<><Button onClick={() => setAsking(false)}>{t.job.keep}</Button><Button look="danger" icon="stop" onClick={cancel}>{t.job.cancel}</Button></>}>
          <p>{t.job.cancelHint}</p>
        </Dialog>
      )}
    </>
  );
}

function Detail({ job }: { readonly job: Job }) {
  const { t } = useLocale();
  const isOpen = !isEnded(job);
  // It did its work, and found something that somebody has to see to: damage, or what could not be had.
  const tone = job.state === "failed" ? "bad" : job.state === "succeeded" && job.exitCode === 0 ? "good" : "warn";
  return (
    <>
      {isOpen && (
        <div className="job-progress card">
          {job.state === "running" ? <JobProgress job={job} />
            : <p className="line"><Icon name="clock" /><span><Waits job={job} /></span></p>}
        </div>
      )}
      {!isOpen && job.reason && (
        <div className={`note note-${tone}`}>
          <Icon name={tone === "good" ? "check" : "alert"} /><p><Ending job={job} /></p>
        </div>
      )}
      <div className="columns">
        <div className="column-main">
          <Card title={t.job.log} flush><LogView id={String(job.id)} isRunning={isOpen} /></Card>
          <Touched job={job} />
        </div>
        <div className="column-side">
          <About job={job} />
          <Parameters job={job} />
          <Report job={job} />
        </div>
      </div>
    </>
  );
}

function About({ job }: { readonly job: Job }) {
  const { t, f } = useLocale();
  return (
    <Card title={t.job.facts}>
      <Facts
        facts={[
          [t.jobs.askedBy, askerWords(job.askedBy, t)],
          [t.jobs.created, <Moment at={job.created} exact />],
          job.started !== null && [t.jobs.started, <Moment at={job.started} exact />],
          job.ended !== null && [t.jobs.ended, <Moment at={job.ended} exact />],
          job.started !== null && [t.jobs.duration, <JobDuration job={job} />],
          job.timeLimitSeconds !== null && [t.job.timeLimit, f.duration(job.timeLimitSeconds)],
          job.exitCode !== null && [t.job.exitCode, String(job.exitCode)],
          job.resumptions > 0 && [t.job.resumptions, t.job.times(job.resumptions)],
          job.chain !== null && [t.job.chain, `${job.chain.name}, ${t.job.chainStep(job.chain.step + 1, job.chain.steps.length)}`],
          job.chain !== null && [t.job.root, <Link to={`/jobs/${job.chain.root}`}>#{job.chain.root}</Link>],
        ]} />
      {job.chain && (
        <ol className="chain">
          {job.chain.steps.map((step, index) => (
            <li key={index} className={index === job.chain?.step ? "is-now" : undefined} aria-current={index === job.chain?.step ? "step" : undefined}><code>{step}</code></li>
          ))}
        </ol>
      )}
    </Card>
  );
}

function Parameters({ job }: { readonly job: Job }) {
  const { t } = useLocale();
  const given = Object.entries(job.parameters);
  const labels: Readonly<Record<string, readonly [string, string]>> = t.parameter;
  return (
    <Card title={t.job.parameters}>
      {given.length === 0 ? <p className="quiet">{t.job.noParameters}</p>
        : <Facts facts={given.map(([name, value]) => [labels[name]?.[0] ?? name, value === true ? t.common.yes : <code className="break">{parameterText(value)}</code>] as const)} />}
    </Card>
  );
}

function Report({ job }: { readonly job: Job }) {
  const { t, f } = useLocale();
  const found = figures(job.report, t, f);
  return found.length === 0 ? null : (
    <Card title={t.job.report}>
      {found.map((group, index) => (
        <div key={index}>
          {group.group && <h3>{group.group}</h3>}
          <Facts facts={group.figures.map(([name, text]) => [name, <span className="numbers">{text}</span>] as const)} />
        </div>
      ))}
    </Card>
  );
}

function Touched({ job }: { readonly job: Job }) {
  const { t, f } = useLocale();
  const [limit, setLimit] = useState(60);
  const packages = useQuery("listTouchedPackages", job.touchedPackages > 0 ? { id: String(job.id), limit } : undefined);
  if (job.touchedPackages === 0) return null;
  return (
    <Card title={t.job.packages} hint={f.number(job.touchedPackages)}>
      <Loaded query={packages}>
        {(page) => (
          <>
            <ul className="names">{page.items.map((name) => <li key={name}><Link to={packagePath(name)}>{name}</Link></li>)}</ul>
            {page.total > page.items.length && limit < 1000 && <Button small onClick={() => setLimit(1000)}>{t.count.more(page.total - page.items.length)}</Button>}
          </>
        )}
      </Loaded>
    </Card>
  );
}
