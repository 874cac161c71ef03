import { ask } from "../api/client";
import { useQuery } from "../api/query";
import { Schedule } from "../api/schema";
import { Moment, useLocale } from "../base/locale";
import { Link } from "../base/router";
import { Badge } from "../parts/Badge";
import { Button, IconButton } from "../parts/Button";
import { PageHead } from "../parts/Layout";
import { Empty } from "../parts/States";
import { Column, ListTable } from "../parts/Table";
import { useSay, useSayJob } from "../parts/Toasts";
import { JobTabs } from "./Jobs";

/** What is started again and again. */
export function Schedules() {
  const { t, f } = useLocale();
  const schedules = useQuery("listSchedules", { limit: 1000 }, ["open", "jobs"]);
  const say = useSay();
  const sayJob = useSayJob();
  const start = (schedule: Schedule) => ask("startSchedule", { name: schedule.name }).then(sayJob.started, sayJob.failed);
  const pause = (schedule: Schedule) => ask(schedule.paused ? "resumeSchedule" : "pauseSchedule", { name: schedule.name }).then(() => {
    say({ tone: "good", text: schedule.paused ? t.schedules.resumedDone(schedule.name) : t.schedules.pausedDone(schedule.name) });
    schedules.reload();
  }, sayJob.failed);
  const columns: readonly Column<Schedule>[] = [
    {
      id: "name", title: t.schedules.name, isMain: true,
      cell: (schedule) => (
        <div className="two-lines">
          <span className="line"><span className="strong">{schedule.name}</span>{schedule.paused && <Badge tone="warn">{t.schedules.paused}</Badge>}</span>
          <span className="quiet cut" title={schedule.job}>{t.kind[schedule.kind]}{schedule.job.includes(" ") && <> · <code>{schedule.job.slice(schedule.job.indexOf(" ") + 1)}</code></>}</span>
        </div>
      ),
    },
    {
      id: "when", title: t.schedules.when, width: "12rem", hide: "phone",
      cell: (schedule) => (
        <div className="two-lines"><code>{schedule.when}</code><span className="quiet">{schedule.jitterSeconds > 0 ? t.schedules.jitter(f.duration(schedule.jitterSeconds)) : "\u00a0"}</span></div>
      ),
    },
    {
      id: "next", title: t.schedules.next, width: "13rem",
      cell: (schedule) => {
        const [first, second] = schedule.next;
        return (
          <div className="two-lines">
            {first ? <Moment at={first} /> : <span className="quiet">–</span>}
            <span className="quiet hide-tablet">{second ? `${t.schedules.later} ${f.moment(second)}` : "\u00a0"}</span>
          </div>
        );
      },
    },
    { id: "last", title: t.schedules.last, width: "8rem", hide: "tablet", cell: (schedule) => (schedule.lastJob === null ? <span className="quiet">–</span> : <Link to={`/jobs/${schedule.lastJob}`}>#{schedule.lastJob}</Link>) },
    {
      id: "actions", title: t.common.actions, isNumber: true, width: "11.5rem",
      cell: (schedule) => (
        <span className="row-actions">
          <IconButton
            icon={schedule.paused ? "play" : "pause"} small label={`${schedule.paused ? t.schedules.resume : t.schedules.pause}: ${schedule.name}`} onClick={() => void pause(schedule)} />
          <Button small icon="play" onClick={() => void start(schedule)} aria-label={`${t.schedules.run}: ${schedule.name}`}>{t.schedules.run}</Button>
        </span>
      ),
    },
  ];
  return (
    <>
      <PageHead title={t.jobs.title}><JobTabs on="schedules" /></PageHead>
      <ListTable
        query={schedules} size={1000} label={t.jobs.tabSchedules} columns={columns} keyOf={(schedule) => schedule.name}
        empty={<Empty icon="clock" title={t.schedules.none} hint={t.schedules.noneHint} />} />
    </>
  );
}
